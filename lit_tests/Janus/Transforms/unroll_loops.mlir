// RUN: janus-opt %s --janus-unroll-loops --canonicalize --split-input-file | FileCheck %s

// CHECK-LABEL: func.func @constant_bounds
func.func @constant_bounds(%x: f64) -> f64 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  // CHECK-NOT: janus.guard
  // CHECK-COUNT-3: arith.mulf
  // CHECK-NOT: scf.for
  %r = scf.for %i = %c0 to %c3 step %c1 iter_args(%a = %x) -> f64 {
    %b = arith.mulf %a, %a : f64
    scf.yield %b : f64
  }
  return %r : f64
}

// -----

// CHECK-LABEL: func.func @stable_trips
func.func @stable_trips(%n: i64, %x: f64) -> f64 {
  %c1 = arith.constant 1 : i64
  %c2 = arith.constant 2 : i64
  // Runs with 1 and 3: the bound lies above 3, and not above 5.
  // CHECK-DAG: %[[AT_MOST:.*]] = arith.cmpi sle, %arg0, %c5
  // CHECK-DAG: %[[ABOVE:.*]] = arith.cmpi sgt, %arg0, %c3
  // CHECK: %[[BOTH:.*]] = arith.andi %[[AT_MOST]], %[[ABOVE]]
  // CHECK-NEXT: janus.guard %[[BOTH]], <trips>, site 1 (%arg1 : f64)
  // CHECK-COUNT-2: arith.mulf
  // CHECK-NOT: arith.mulf
  janus.frame site 1 (%x : f64)
  %r = scf.for %i = %c1 to %n step %c2 iter_args(%a = %x) -> f64 : i64 {
    %b = arith.mulf %a, %a : f64
    scf.yield %b : f64
  } {janus.profile = #janus.trips<min = 2, max = 2, executions = 50>}
  return %r : f64
}

// -----

// CHECK-LABEL: func.func @never_ran
func.func @never_ran(%n: i64, %x: f64) -> f64 {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  // CHECK: %[[NONE:.*]] = arith.cmpi sle, %arg0, %c0
  // CHECK-NEXT: janus.guard %[[NONE]], <trips>, restart site 1
  // CHECK-NEXT: return %arg1
  janus.frame restart site 1
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%a = %x) -> f64 : i64 {
    %b = arith.mulf %a, %a : f64
    scf.yield %b : f64
  } {janus.profile = #janus.trips<min = 0, max = 0, executions = 50>}
  return %r : f64
}

// -----

// CHECK-LABEL: func.func @while
func.func @while(%x: f64, %limit: f64) -> f64 {
  // CHECK: %[[C0:.*]] = arith.cmpf ogt, %arg0, %arg1
  // CHECK-NEXT: janus.guard %[[C0]], <trips>, site 3 (%arg0 : f64)
  // CHECK-NEXT: %[[Y:.*]] = math.sqrt %arg0
  // CHECK-NEXT: %[[C1:.*]] = arith.cmpf ogt, %[[Y]], %arg1
  // CHECK-NEXT: %[[DONE:.*]] = arith.xori %[[C1]]
  // CHECK-NEXT: janus.guard %[[DONE]], <trips>, site 3 (%arg0 : f64)
  // CHECK-NEXT: return %[[Y]]
  janus.frame site 3 (%x : f64)
  %r = scf.while (%a = %x) : (f64) -> f64 {
    %more = arith.cmpf ogt, %a, %limit : f64
    scf.condition(%more) %a : f64
  } do {
  ^bb0(%a: f64):
    %b = math.sqrt %a : f64
    scf.yield %b : f64
  } attributes {janus.profile = #janus.trips<min = 1, max = 1, executions = 50>}
  return %r : f64
}

// -----

// CHECK-LABEL: func.func @left_alone
func.func @left_alone(%n: i64, %x: f64, %limit: f64) {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c100 = arith.constant 100 : i64
  // Too many iterations.
  // CHECK: scf.for
  scf.for %i = %c0 to %c100 step %c1 : i64 {
    janus.record site 1
  }
  // Nothing says where to go on.
  // CHECK: scf.for
  scf.for %i = %c0 to %n step %c1 : i64 {
    janus.record site 1
  } {janus.profile = #janus.trips<min = 2, max = 2, executions = 50>}
  janus.frame site 2
  // Not always as often.
  // CHECK: scf.for
  scf.for %i = %c0 to %n step %c1 : i64 {
    janus.record site 1
  } {janus.profile = #janus.trips<min = 1, max = 2, executions = 50>}
  janus.frame site 3
  // Too seldom to tell.
  // CHECK: scf.for
  scf.for %i = %c0 to %n step %c1 : i64 {
    janus.record site 1
  } {janus.profile = #janus.trips<min = 2, max = 2, executions = 3>}
  janus.frame site 4
  // After the effect of the first iteration there is no way back to the frame.
  // CHECK: scf.while
  scf.while (%a = %x) : (f64) -> f64 {
    %more = arith.cmpf ogt, %a, %limit : f64
    scf.condition(%more) %a : f64
  } do {
  ^bb0(%a: f64):
    %b = math.sqrt %a : f64
    janus.record site 5 (%b : f64)
    scf.yield %b : f64
  } attributes {janus.profile = #janus.trips<min = 1, max = 1, executions = 50>}
  return
}
