// RUN: janus-opt %s | janus-opt | FileCheck %s
// RUN: janus-opt %s --mlir-print-op-generic | janus-opt | FileCheck %s
// RUN: janus-opt %s --canonicalize --cse | FileCheck %s

// Equal records are two effects: none is merged or dropped.
// CHECK-LABEL: func.func @records
func.func @records(%w: tensor<784x10xf32>, %n: i64) {
  // CHECK: janus.record site 5 (%{{.*}}, %{{.*}} : tensor<784x10xf32>, i64)
  janus.record site 5 (%w, %n : tensor<784x10xf32>, i64)
  // CHECK-NEXT: janus.record site 5 (%{{.*}}, %{{.*}} : tensor<784x10xf32>, i64)
  janus.record site 5 (%w, %n : tensor<784x10xf32>, i64)
  // CHECK-NEXT: janus.record site 6
  janus.record site 6
  return
}
