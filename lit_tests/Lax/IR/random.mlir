// RUN: janus-opt %s | janus-opt | FileCheck %s
// RUN: janus-opt %s --mlir-print-op-generic | janus-opt | FileCheck %s

// CHECK-LABEL: func @threefry
func.func @threefry(%k: tensor<?xui32>, %x: tensor<?xui32>) -> (tensor<?xui32>, tensor<?xui32>) {
  // CHECK: %{{.*}}, %{{.*}} = lax.threefry2x32 %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} : tensor<?xui32>
  %a, %b = lax.threefry2x32 %k, %k, %x, %x : tensor<?xui32>
  return %a, %b : tensor<?xui32>, tensor<?xui32>
}
