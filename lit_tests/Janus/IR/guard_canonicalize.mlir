// RUN: janus-opt %s --canonicalize --cse | FileCheck %s

// CHECK-LABEL: func.func @constant_true
func.func @constant_true(%x: i64) {
  %true = arith.constant true
  // CHECK-NEXT: return
  janus.guard %true, <branch>, site 0 (%x : i64)
  return
}

// A guard that always fails stays, and ends its block.
// CHECK-LABEL: func.func @constant_false
func.func @constant_false() {
  %false = arith.constant false
  // CHECK: janus.guard %false, <branch>, site 0
  janus.guard %false, <branch>, site 0
  // CHECK-NEXT: return
  janus.record site 1
  return
}

// Canonicalisation and CSE leave guards, and their order, alone.
// CHECK-LABEL: func.func @order
func.func @order(%c: i1, %d: i1) {
  // CHECK: janus.guard %arg0, <branch>, site 0
  janus.guard %c, <branch>, site 0
  // CHECK-NEXT: janus.record site 1
  janus.record site 1
  // CHECK-NEXT: janus.guard %arg1, <branch>, site 2
  janus.guard %d, <branch>, site 2
  // CHECK-NEXT: janus.guard %arg0, <branch>, site 0
  janus.guard %c, <branch>, site 0
  return
}

// An `if` that holds but a guard is not dead.
// CHECK-LABEL: func.func @not_dead
func.func @not_dead(%c: i1, %d: i1) {
  // CHECK: scf.if
  scf.if %c {
    // CHECK: janus.guard
    janus.guard %d, <branch>, site 0
  }
  return
}
