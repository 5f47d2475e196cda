// RUN: janus-opt %s | janus-opt | FileCheck %s
// RUN: janus-opt %s --mlir-print-op-generic | janus-opt | FileCheck %s
// RUN: janus-opt %s --canonicalize --cse | FileCheck %s

// A frame has no effect of its own, and yet it is not dead.
// CHECK-LABEL: func.func @frames
func.func @frames(%t: tensor<32x?xf32>, %i: i64) {
  // CHECK: janus.frame site 3 (%{{.*}}, %{{.*}} : tensor<32x?xf32>, i64)
  janus.frame site 3 (%t, %i : tensor<32x?xf32>, i64)
  // CHECK-NEXT: janus.frame restart site 4
  janus.frame restart site 4
  return
}

// CHECK-LABEL: func.func @restarting_guard
func.func @restarting_guard(%c: i1, %i: i64) {
  // CHECK: janus.guard %{{.*}}, <overflow>, restart site 4 (%{{.*}} : i64)
  janus.guard %c, <overflow>, restart site 4 (%i : i64)
  return
}
