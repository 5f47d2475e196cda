// RUN: janus-opt %s --janus-fold-attributes --split-input-file | FileCheck %s
// RUN: janus-opt %s --pass-pipeline='builtin.module(func.func(janus-fold-attributes{threshold=41}))' --split-input-file | FileCheck %s --check-prefix=SELDOM

// CHECK-LABEL: func.func @object
// SELDOM-LABEL: func.func @object
func.func @object(%model: !janus.object) -> (!janus.object, !janus.object) {
  // CHECK: janus.frame restart site 2
  // CHECK-NEXT: %[[READ:.*]] = janus.get_attr %arg0 "activation"
  // CHECK-NOT: janus.profile
  // CHECK-NEXT: %[[EXPECTED:.*]] = janus.object 4
  // CHECK-NEXT: %[[SAME:.*]] = janus.is %[[READ]], %[[EXPECTED]]
  // CHECK-NEXT: janus.guard %[[SAME]], <value>, restart site 2
  // CHECK-NEXT: %[[KEY:.*]] = janus.object 1
  // CHECK-NEXT: %[[ITEM:.*]] = janus.get_item %[[EXPECTED]][%[[KEY]] : !janus.object]
  // CHECK-NEXT: return %[[EXPECTED]], %[[ITEM]]
  // SELDOM-NOT: janus.guard
  // SELDOM: return
  janus.frame restart site 2
  %o = janus.get_attr %model "activation" {janus.profile = #janus.constant_object<entry = 4, count = 40>}
  %key = janus.object 1
  %i = janus.get_item %o[%key : !janus.object]
  return %o, %i : !janus.object, !janus.object
}

// -----

// CHECK-LABEL: func.func @int
func.func @int(%o: !janus.object, %k: i64) -> i64 {
  // CHECK: %[[N:.*]], %[[OK:.*]] = janus.unbox %arg0 number : i64
  // CHECK-NEXT: %[[C3:.*]] = arith.constant 3 : i64
  // CHECK-NEXT: %[[EQUAL:.*]] = arith.cmpi eq, %[[N]], %[[C3]] : i64
  // CHECK-NEXT: %[[SAME:.*]] = arith.andi %[[OK]], %[[EQUAL]] : i1
  // CHECK-NEXT: janus.guard %[[SAME]], <value>, site 7 (%arg1 : i64)
  // CHECK-NEXT: %[[R:.*]] = arith.muli %arg1, %[[C3]]
  janus.frame site 7 (%k : i64)
  %n, %ok = janus.unbox %o number {janus.profile = #janus.constant_number<value = 3 : i64, count = 40>} : i64
  %r = arith.muli %k, %n : i64
  return %r : i64
}

// -----

// Floats are compared by their bits.
// CHECK-LABEL: func.func @float
func.func @float(%o: !janus.object) -> f64 {
  // CHECK: %[[X:.*]], %[[OK:.*]] = janus.unbox %arg0 number : f64
  // CHECK-NEXT: %[[C:.*]] = arith.constant -0.000000e+00 : f64
  // CHECK-NEXT: %[[A:.*]] = arith.bitcast %[[X]] : f64 to i64
  // CHECK-NEXT: %[[B:.*]] = arith.bitcast %[[C]] : f64 to i64
  // CHECK-NEXT: %[[EQUAL:.*]] = arith.cmpi eq, %[[A]], %[[B]] : i64
  // CHECK: return %[[C]]
  janus.frame restart site 1
  %x, %ok = janus.unbox %o number {janus.profile = #janus.constant_number<value = -0.0 : f64, count = 40>} : f64
  return %x : f64
}

// -----

// A branch on a flag of a model: what follows from it is decided, in regions too.
// CHECK-LABEL: func.func @bool
func.func @bool(%o: !janus.object, %p: i1) -> i1 {
  // CHECK: %[[TRUE:.*]] = arith.constant true
  // CHECK: janus.guard
  // CHECK-NEXT: %[[R:.*]] = scf.if %arg1
  // CHECK-NEXT: scf.yield %[[TRUE]] : i1
  janus.frame restart site 1
  %b, %ok = janus.unbox %o number {janus.profile = #janus.constant_number<value = true, count = 40>} : i1
  %r = scf.if %p -> i1 {
    scf.yield %b : i1
  } else {
    scf.yield %p : i1
  }
  return %r : i1
}

// -----

// Without a frame, or past an effect, the read stays as it is.
// CHECK-LABEL: func.func @no_frame
func.func @no_frame(%o: !janus.object, %x: f64) -> (i64, i64) {
  // CHECK-NOT: janus.guard
  // CHECK: return
  %n, %ok = janus.unbox %o number {janus.profile = #janus.constant_number<value = 3 : i64, count = 40>} : i64
  janus.frame site 1
  janus.record site 2 (%x : f64)
  %m, %ok2 = janus.unbox %o number {janus.profile = #janus.constant_number<value = 3 : i64, count = 40>} : i64
  return %n, %m : i64, i64
}

// -----

// Without a profile there is nothing to assume.
// CHECK-LABEL: func.func @no_profile
func.func @no_profile(%o: !janus.object) -> !janus.object {
  // CHECK-NOT: janus.guard
  // CHECK: return
  janus.frame restart site 1
  %a = janus.get_attr %o "a"
  return %a : !janus.object
}
