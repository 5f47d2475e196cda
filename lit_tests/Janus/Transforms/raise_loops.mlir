// RUN: janus-opt %s --janus-raise-loops --split-input-file | FileCheck %s

// CHECK-LABEL: func.func @counting
func.func @counting(%n: i64, %x: f64) -> (f64, i64) {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  // CHECK: %[[ONE:.*]] = arith.constant 1 : i64
  // CHECK: %[[R:.*]] = scf.for %[[I:.*]] = %c0_i64 to %arg0 step %{{.*}} iter_args(%[[A:.*]] = %arg1) -> (f64) : i64
  // CHECK:   %[[F:.*]] = arith.sitofp %[[I]]
  // CHECK:   %[[B:.*]] = arith.addf %[[A]], %[[F]]
  // CHECK:   scf.yield %[[B]] : f64
  // CHECK: %[[LAST:.*]] = arith.maxsi %c0_i64, %arg0
  // CHECK: return %[[R]], %[[LAST]]
  %r:2 = scf.while (%i = %c0, %a = %x) : (i64, f64) -> (f64, i64) {
    %more = arith.cmpi slt, %i, %n : i64
    scf.condition(%more) %a, %i : f64, i64
  } do {
  ^bb0(%a: f64, %i: i64):
    %f = arith.sitofp %i : i64 to f64
    %b = arith.addf %a, %f : f64
    %next = arith.addi %i, %c1 : i64
    scf.yield %next, %b : i64, f64
  } attributes {janus.profile = #janus.trips<min = 3, max = 9>}
  return %r#0, %r#1 : f64, i64
}

// -----

// The counter of Python, which checks; and a value that the condition forwards from outside.
// CHECK-LABEL: func.func @checked
func.func @checked(%n: i64, %k: i64) -> i64 {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %true = arith.constant true
  // CHECK: scf.for %[[I:.*]] = %c0_i64 to %arg0
  // CHECK:   janus.record site 1 (%arg1 : i64)
  // CHECK: } {janus.profile = #janus.trips<min = 3, max = 9>}
  // CHECK: return %arg1
  %r:2 = scf.while (%i = %c0) : (i64) -> (i64, i64) {
    %more = arith.cmpi sgt, %n, %i : i64
    scf.condition(%more) %i, %k : i64, i64
  } do {
  ^bb0(%i: i64, %l: i64):
    janus.record site 1 (%l : i64)
    %next, %overflow = janus.add_overflow %i, %c1
    %fits = arith.xori %overflow, %true : i1
    janus.guard %fits, <overflow>, restart site 2
    scf.yield %next : i64
  } attributes {janus.profile = #janus.trips<min = 3, max = 9>}
  return %r#1 : i64
}

// -----

// As capture leaves it: the iteration is a branch in front of the condition, and something is computed beside it.
// CHECK-LABEL: func.func @branch
func.func @branch(%n: i64, %x: f64) -> (f64, i64) {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %zero = arith.constant 0.0 : f64
  // CHECK: %[[R:.*]] = scf.for %[[I:.*]] = %c0_i64 to %arg0 step %{{.*}} iter_args(%[[A:.*]] = %arg1) -> (f64) : i64
  // CHECK-NEXT: %[[F:.*]] = arith.sitofp %[[I]]
  // CHECK-NEXT: janus.record site 1 (%[[I]] : i64)
  // CHECK-NEXT: %[[B:.*]] = arith.addf %[[A]], %[[F]]
  // CHECK:      scf.yield %[[B]] : f64
  // CHECK: %[[LAST:.*]] = arith.maxsi %c0_i64, %arg0
  // CHECK: %[[NEXT:.*]] = arith.addi %[[LAST]], %c1_i64
  // CHECK: return %[[R]], %[[NEXT]]
  %r:3 = scf.while (%i = %c0, %a = %x) : (i64, f64) -> (i64, f64, f64) {
    %more = arith.cmpi slt, %i, %n : i64
    %f = arith.sitofp %i : i64 to f64
    %b = scf.if %more -> (f64) {
      janus.record site 1 (%i : i64)
      %s = arith.addf %a, %f : f64
      scf.yield %s : f64
    } else {
      scf.yield %zero : f64
    }
    %next = arith.addi %i, %c1 : i64
    scf.condition(%more) %next, %b, %a : i64, f64, f64
  } do {
  ^bb0(%next: i64, %b: f64, %a: f64):
    scf.yield %next, %b : i64, f64
  }
  return %r#2, %r#0 : f64, i64
}

// -----

// CHECK-LABEL: func.func @left_alone
func.func @left_alone(%n: i64, %p: i1) {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c2 = arith.constant 2 : i64
  // It does not count by one.
  // CHECK: scf.while
  scf.while (%i = %c0) : (i64) -> i64 {
    %more = arith.cmpi slt, %i, %n : i64
    scf.condition(%more) %i : i64
  } do {
  ^bb0(%i: i64):
    %next = arith.addi %i, %c2 : i64
    scf.yield %next : i64
  }
  // It may end earlier.
  // CHECK: scf.while
  scf.while (%i = %c0) : (i64) -> i64 {
    %below = arith.cmpi slt, %i, %n : i64
    %more = arith.andi %below, %p : i1
    scf.condition(%more) %i : i64
  } do {
  ^bb0(%i: i64):
    %next = arith.addi %i, %c1 : i64
    scf.yield %next : i64
  }
  // The bound moves.
  // CHECK: scf.while
  scf.while (%i = %c0, %m = %n) : (i64, i64) -> (i64, i64) {
    %more = arith.cmpi slt, %i, %m : i64
    scf.condition(%more) %i, %m : i64, i64
  } do {
  ^bb0(%i: i64, %m: i64):
    %next = arith.addi %i, %c1 : i64
    %half = arith.divsi %m, %c2 : i64
    scf.yield %next, %half : i64, i64
  }
  return
}
