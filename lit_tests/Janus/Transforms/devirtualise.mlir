// RUN: janus-opt %s --janus-devirtualise --split-input-file | FileCheck %s

func.func private @square(f64) -> f64

// CHECK-LABEL: func.func @always_the_same
func.func @always_the_same(%f: !janus.object, %x: f64) -> f64 {
  // CHECK: janus.frame restart site 2
  // CHECK-NEXT: %[[EXPECTED:.*]] = janus.object 3
  // CHECK-NEXT: %[[SAME:.*]] = janus.is %arg0, %[[EXPECTED]]
  // CHECK-NEXT: janus.guard %[[SAME]], <value>, restart site 2
  // CHECK-NEXT: %[[R:.*]] = call @square(%arg1) : (f64) -> f64
  // CHECK-NEXT: return %[[R]]
  janus.frame restart site 2
  %r = janus.call_indirect %f(%x) {janus.profile = #janus.callee<function = @square, entry = 3, count = 40>} : (f64) -> f64
  return %r : f64
}

// -----

func.func private @square(f64) -> f64

// A call that was made seldom is left to Python.
// CHECK-LABEL: func.func @seldom
func.func @seldom(%f: !janus.object, %x: f64) -> f64 {
  // CHECK: janus.deopt "unknown-call", site 2 (%arg1 : f64)
  // CHECK-NEXT: %[[R:.*]] = ub.poison : f64
  // CHECK-NEXT: return %[[R]]
  janus.frame site 2 (%x : f64)
  %r = janus.call_indirect %f(%x) {janus.profile = #janus.callee<function = @square, entry = 3, count = 31>} : (f64) -> f64
  return %r : f64
}

// -----

// CHECK-LABEL: func.func @never
func.func @never(%f: !janus.object, %p: i1) {
  // CHECK: scf.if
  // CHECK-NEXT: janus.deopt "unknown-call", site 4
  // CHECK-NOT: janus.call_indirect
  janus.frame site 4
  scf.if %p {
    janus.call_indirect %f() : () -> ()
  }
  return
}

// -----

func.func private @square(f64) -> f64

// Direct calls are none of its business.
// CHECK-LABEL: func.func @direct
func.func @direct(%x: f64) -> f64 {
  // CHECK: janus.frame
  // CHECK-NEXT: call @square(%arg0)
  janus.frame restart site 2
  %r = func.call @square(%x) : (f64) -> f64
  return %r : f64
}
