// RUN: janus-opt %s --janus-prune-branches --split-input-file | FileCheck %s
// RUN: janus-opt %s --pass-pipeline='builtin.module(func.func(janus-prune-branches{threshold=500}))' --split-input-file | FileCheck %s --check-prefix=RARE

// CHECK-LABEL: func.func @always_taken
// RARE-LABEL: func.func @always_taken
func.func @always_taken(%p: i1, %x: f64) -> f64 {
  // CHECK: janus.frame site 4
  // CHECK-NEXT: janus.guard %arg0, <branch>, site 4 (%arg1 : f64)
  // CHECK-NEXT: %[[Y:.*]] = math.sqrt %arg1
  // CHECK-NEXT: return %[[Y]]
  // RARE: scf.if
  janus.frame site 4 (%x : f64)
  %r = scf.if %p -> f64 {
    %y = math.sqrt %x : f64
    scf.yield %y : f64
  } else {
    scf.yield %x : f64
  } {janus.profile = #janus.branch<taken = 100, not_taken = 0>}
  return %r : f64
}

// -----

// CHECK-LABEL: func.func @never_taken
func.func @never_taken(%p: i1, %x: f64) {
  // CHECK: %[[NOT:.*]] = arith.xori %arg0
  // CHECK-NEXT: janus.guard %[[NOT]], <branch>, restart site 2
  // CHECK-NEXT: return
  janus.frame restart site 2
  scf.if %p {
    janus.record site 1 (%x : f64)
  } {janus.profile = #janus.branch<taken = 0, not_taken = 32>}
  return
}

// -----

// The side that was never taken says itself where to go on.
// CHECK-LABEL: func.func @frame_inside
func.func @frame_inside(%p: i1, %x: f64) -> f64 {
  // CHECK: janus.guard %arg0, <branch>, site 7 (%arg1 : f64)
  // CHECK-NOT: scf.if
  %r = scf.if %p -> f64 {
    scf.yield %x : f64
  } else {
    janus.frame site 7 (%x : f64)
    %y = math.sqrt %x : f64
    scf.yield %y : f64
  } {janus.profile = #janus.branch<taken = 40, not_taken = 0>}
  return %r : f64
}

// -----

// CHECK-LABEL: func.func @nested
func.func @nested(%p: i1, %q: i1, %x: f64) {
  // CHECK: janus.frame site 1
  // CHECK-NEXT: janus.guard %arg0, <branch>, site 1
  // CHECK-NEXT: janus.guard %arg1, <branch>, site 1
  // CHECK-NEXT: janus.record site 2
  // CHECK-NEXT: return
  janus.frame site 1
  scf.if %p {
    scf.if %q {
      janus.record site 2
    } {janus.profile = #janus.branch<taken = 40, not_taken = 0>}
  } else {
    scf.if %q {
      janus.record site 3
    } {janus.profile = #janus.branch<taken = 40, not_taken = 0>}
  } {janus.profile = #janus.branch<taken = 40, not_taken = 0>}
  return
}

// -----

// CHECK-LABEL: func.func @left_alone
func.func @left_alone(%p: i1, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // Nothing says where to go on.
  // CHECK: scf.if
  scf.if %p {
    janus.record site 1
  } {janus.profile = #janus.branch<taken = 0, not_taken = 100>}
  // After an effect the frame would repeat it.
  janus.frame site 2
  janus.record site 3
  // CHECK: scf.if
  scf.if %p {
    janus.record site 1
  } {janus.profile = #janus.branch<taken = 0, not_taken = 100>}
  // It went both ways.
  janus.frame site 4
  // CHECK: scf.if
  scf.if %p {
    janus.deopt "never", site 5
  } {janus.profile = #janus.branch<taken = 1, not_taken = 100>}
  // It ran but a few times.
  // CHECK: scf.if
  scf.if %p {
    janus.deopt "never", site 5
  } {janus.profile = #janus.branch<taken = 0, not_taken = 3>}
  // There is no profile.
  // CHECK: scf.if
  scf.if %p {
    janus.deopt "never", site 5
  }
  // Earlier iterations have had effects.
  // CHECK: scf.for
  // CHECK-NEXT: scf.if
  scf.for %i = %c0 to %n step %c1 {
    scf.if %p {
      janus.deopt "never", site 5
    } {janus.profile = #janus.branch<taken = 0, not_taken = 100>}
    janus.record site 6
  }
  return
}

// -----

// Going back to the beginning of the call is right whatever has happened.
// CHECK-LABEL: func.func @restart_after_effects
func.func @restart_after_effects(%p: i1, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  janus.frame restart site 0
  janus.record site 1
  // CHECK: scf.for
  // CHECK: janus.guard %{{.*}}, <branch>, restart site 0
  scf.for %i = %c0 to %n step %c1 {
    scf.if %p {
      janus.deopt "never", site 5
    } {janus.profile = #janus.branch<taken = 0, not_taken = 100>}
    janus.record site 6
  }
  return
}
