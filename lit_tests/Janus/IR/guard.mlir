// RUN: janus-opt %s | janus-opt | FileCheck %s
// RUN: janus-opt %s --mlir-print-op-generic | janus-opt | FileCheck %s

// CHECK-LABEL: func.func @kinds
func.func @kinds(%c: i1) {
  // CHECK: janus.guard %{{.*}}, <branch>, site 0
  janus.guard %c, <branch>, site 0
  // CHECK-NEXT: janus.guard %{{.*}}, <value>, site 1
  janus.guard %c, <value>, site 1
  // CHECK-NEXT: janus.guard %{{.*}}, <type>, site 2
  janus.guard %c, <type>, site 2
  // CHECK-NEXT: janus.guard %{{.*}}, <shape>, site 3
  janus.guard %c, <shape>, site 3
  // CHECK-NEXT: janus.guard %{{.*}}, <bounds>, site 4
  janus.guard %c, <bounds>, site 4
  // CHECK-NEXT: janus.guard %{{.*}}, <overflow>, site 5
  janus.guard %c, <overflow>, site 5
  // CHECK-NEXT: janus.guard %{{.*}}, <zero>, site 6
  janus.guard %c, <zero>, site 6
  // CHECK-NEXT: janus.guard %{{.*}}, <trips>, site 7
  janus.guard %c, <trips>, site 7
  // CHECK-NEXT: janus.guard %{{.*}}, <domain>, site 8
  janus.guard %c, <domain>, site 8
  return
}

// CHECK-LABEL: func.func @live_values
func.func @live_values(%c: i1, %t: tensor<32x?xf32>, %b: memref<4xi8>, %i: i64, %f: f64, %u: ui8) {
  // CHECK: janus.guard %{{.*}}, <branch>, site 3 (%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} : tensor<32x?xf32>, memref<4xi8>, i64, f64, ui8) {note}
  janus.guard %c, <branch>, site 3 (%t, %b, %i, %f, %u : tensor<32x?xf32>, memref<4xi8>, i64, f64, ui8) {note}
  return
}

// A guard stands in any region.
// CHECK-LABEL: func.func @in_regions
func.func @in_regions(%c: i1, %n: index, %x: tensor<4xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %i = %c0 to %n step %c1 {
    // CHECK: scf.if
    scf.if %c {
      %less = arith.cmpi ult, %i, %n : index
      // CHECK: janus.guard %{{.*}}, <bounds>, site 1 (%{{.*}}, %{{.*}} : index, tensor<4xf32>)
      janus.guard %less, <bounds>, site 1 (%i, %x : index, tensor<4xf32>)
    }
  }
  return
}
