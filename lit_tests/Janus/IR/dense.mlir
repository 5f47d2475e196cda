// RUN: janus-opt %s | janus-opt | FileCheck %s
// RUN: janus-opt %s --mlir-print-op-generic | janus-opt | FileCheck %s

// CHECK-LABEL: func.func @dense
func.func @dense(%a: tensor<4xf32>, %b: tensor<?x2xi64>) -> (tensor<4xf32>, tensor<?x2xi64>) {
  // CHECK: janus.dense %{{.*}} : tensor<4xf32>
  // CHECK-NEXT: janus.dense %{{.*}} : tensor<?x2xi64>
  %0 = janus.dense %a : tensor<4xf32>
  %1 = janus.dense %b : tensor<?x2xi64>
  return %0, %1 : tensor<4xf32>, tensor<?x2xi64>
}
