// RUN: janus-opt %s | janus-opt | FileCheck %s
// RUN: janus-opt %s --mlir-print-op-generic | janus-opt | FileCheck %s
// RUN: janus-opt %s --canonicalize | FileCheck %s --check-prefix=CANON

// CHECK-LABEL: func.func @leave
// CANON-LABEL: func.func @leave
func.func @leave(%n: index, %acc: tensor<f32>, %done: i1) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %i = %c0 to %n step %c1 {
    scf.if %done {
      // CHECK: janus.leave site 7 (%{{.*}} : tensor<f32>)
      // CANON: janus.leave site 7
      // CANON-NEXT: }
      janus.leave site 7 (%acc : tensor<f32>)
      janus.record site 8
    }
  }
  // CHECK: janus.leave site 9
  janus.leave site 9
  return
}
