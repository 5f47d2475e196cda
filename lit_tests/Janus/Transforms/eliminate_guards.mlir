// RUN: janus-opt %s --janus-eliminate-guards --split-input-file | FileCheck %s

// CHECK-LABEL: func.func @duplicate
func.func @duplicate(%c: i1, %d: i1, %x: i64) {
  // CHECK: janus.guard %arg0, <branch>, site 0
  janus.guard %c, <branch>, site 0
  // CHECK-NEXT: janus.guard %arg1, <branch>, site 1
  janus.guard %d, <branch>, site 1
  // Another kind, site or set of live values makes no difference.
  // CHECK-NEXT: return
  janus.guard %c, <value>, site 2 (%x : i64)
  return
}

// -----

// CHECK-LABEL: func.func @constant
func.func @constant() {
  %true = arith.constant true
  %false = arith.constant false
  // CHECK-NOT: site 0
  janus.guard %true, <branch>, site 0
  // CHECK: janus.guard %false, <branch>, site 1
  janus.guard %false, <branch>, site 1
  return
}

// -----

// CHECK-LABEL: func.func @dominating
func.func @dominating(%c: i1, %d: i1, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // CHECK: janus.guard %arg0, <branch>, site 0
  janus.guard %c, <branch>, site 0
  scf.for %i = %c0 to %n step %c1 {
    // CHECK-NOT: site 1
    janus.guard %c, <branch>, site 1
    // CHECK: janus.guard %arg1, <branch>, site 2
    janus.guard %d, <branch>, site 2
    // CHECK-NOT: site 3
    janus.guard %d, <branch>, site 3
  }
  // The loop may not have run.
  // CHECK: janus.guard %arg1, <branch>, site 4
  janus.guard %d, <branch>, site 4
  return
}

// -----

// CHECK-LABEL: func.func @one_side_only
func.func @one_side_only(%c: i1, %d: i1) {
  scf.if %d {
    // CHECK: janus.guard %arg0, <branch>, site 0
    janus.guard %c, <branch>, site 0
  } else {
    // CHECK: janus.guard %arg0, <branch>, site 1
    janus.guard %c, <branch>, site 1
  }
  // CHECK: janus.guard %arg0, <branch>, site 2
  janus.guard %c, <branch>, site 2
  return
}

// -----

// CHECK-LABEL: func.func @branch_conditions
func.func @branch_conditions(%c: i1) {
  %true = arith.constant true
  %not = arith.xori %c, %true : i1
  scf.if %c {
    // CHECK-NOT: site 0
    janus.guard %c, <branch>, site 0
    // CHECK: janus.guard %{{.*}}, <branch>, site 1
    janus.guard %not, <branch>, site 1
  } else {
    // CHECK: janus.guard %arg0, <branch>, site 2
    janus.guard %c, <branch>, site 2
  }
  scf.if %c {
  } else {
    // CHECK-NOT: site 3
    janus.guard %not, <branch>, site 3
  }
  return
}

// -----

// CHECK-LABEL: func.func @connectives
func.func @connectives(%a: i1, %b: i1, %c: i1) {
  %true = arith.constant true
  %and = arith.andi %a, %b : i1
  %or = arith.ori %a, %c : i1
  %or2 = arith.ori %b, %c : i1
  %and2 = arith.andi %and, %c : i1
  // CHECK: site 0
  janus.guard %and, <branch>, site 0
  // CHECK-NOT: site 1{{$}}
  janus.guard %a, <branch>, site 1
  // CHECK-NOT: site 2{{$}}
  janus.guard %b, <branch>, site 2
  // CHECK-NOT: site 3{{$}}
  janus.guard %or, <branch>, site 3
  // CHECK: site 4
  janus.guard %and2, <branch>, site 4
  // CHECK-NOT: site 5{{$}}
  janus.guard %c, <branch>, site 5
  // CHECK: return
  return
}

// -----

// CHECK-LABEL: func.func @disjunction
func.func @disjunction(%a: i1, %b: i1) {
  %true = arith.constant true
  %or = arith.ori %a, %b : i1
  %not_a = arith.xori %a, %true : i1
  // CHECK: site 0
  janus.guard %or, <branch>, site 0
  // Either side may be the true one.
  // CHECK-NEXT: site 1
  janus.guard %a, <branch>, site 1
  scf.if %or {
  } else {
    // CHECK-NOT: site 2{{$}}
    janus.guard %not_a, <branch>, site 2
  }
  return
}

// -----

// CHECK-LABEL: func.func @comparisons
func.func @comparisons(%a: i64, %b: i64) {
  %slt = arith.cmpi slt, %a, %b : i64
  %sgt = arith.cmpi sgt, %b, %a : i64
  %sge = arith.cmpi sge, %a, %b : i64
  %ult = arith.cmpi ult, %a, %b : i64
  %eq = arith.cmpi eq, %a, %b : i64
  %ne = arith.cmpi ne, %b, %a : i64
  // CHECK: janus.guard %{{.*}}, <value>, site 0
  janus.guard %slt, <value>, site 0
  // CHECK-NOT: site 1{{$}}
  janus.guard %sgt, <value>, site 1
  // CHECK: janus.guard %{{.*}}, <value>, site 2
  janus.guard %ult, <value>, site 2
  scf.if %sge {
    // CHECK: scf.if
    // CHECK-NEXT: janus.guard %{{.*}}, <value>, site 3
    janus.guard %eq, <value>, site 3
  }
  scf.if %eq {
  } else {
    // CHECK-NOT: site 4{{$}}
    janus.guard %ne, <value>, site 4
  }
  return
}

// -----

// CHECK-LABEL: func.func @blocks
func.func @blocks(%c: i1, %d: i1) {
  // CHECK: site 0
  janus.guard %c, <branch>, site 0
  cf.cond_br %d, ^one, ^two
^one:
  // CHECK: site 1
  janus.guard %d, <branch>, site 1
  cf.br ^two
^two:
  // CHECK: site 2
  janus.guard %d, <branch>, site 2
  return
}

// -----

// Effects between two guards do not change a value.
// CHECK-LABEL: func.func @across_effects
func.func @across_effects(%c: i1) {
  // CHECK: site 0
  janus.guard %c, <branch>, site 0
  // CHECK-NEXT: janus.record site 1
  janus.record site 1
  // CHECK-NEXT: return
  janus.guard %c, <branch>, site 2
  return
}

// -----

// CHECK-LABEL: func.func @implied
func.func @implied(%i: i64, %j: i64, %n: i64, %d: i64) {
  %c1 = arith.constant 1 : i64
  %c2 = arith.constant 2 : i64
  %below = arith.cmpi slt, %i, %n : i64
  // CHECK: site 0
  janus.guard %below, <bounds>, site 0
  // i < n, so i + 1 does not overflow, and is at most n.
  %next, %overflow = janus.add_overflow %i, %c1
  %true = arith.constant true
  %fits = arith.xori %overflow, %true : i1
  // CHECK-NOT: site 1{{$}}
  janus.guard %fits, <overflow>, site 1
  %at_most = arith.cmpi sle, %next, %n : i64
  // CHECK-NOT: site 2{{$}}
  janus.guard %at_most, <bounds>, site 2
  // i < n <= d.
  %fits_d = arith.cmpi sle, %n, %d : i64
  // CHECK: site 3
  janus.guard %fits_d, <bounds>, site 3
  %below_d = arith.cmpi slt, %i, %d : i64
  // CHECK-NOT: site 4{{$}}
  janus.guard %below_d, <bounds>, site 4
  // Nothing is known of j, nor of i + 2.
  %other = arith.cmpi slt, %j, %d : i64
  // CHECK: site 5
  janus.guard %other, <bounds>, site 5
  %next2, %overflow2 = janus.add_overflow %i, %c2
  %fits2 = arith.xori %overflow2, %true : i1
  // CHECK: site 6
  janus.guard %fits2, <overflow>, site 6
  return
}

// -----

// CHECK-LABEL: func.func @unsigned_bounds
func.func @unsigned_bounds(%i: index, %x: tensor<?xf64>) {
  %c0 = arith.constant 0 : index
  %d = tensor.dim %x, %c0 : tensor<?xf64>
  %in = arith.cmpi ult, %i, %d : index
  // CHECK: site 0
  janus.guard %in, <bounds>, site 0
  // An extent is not negative, so neither is what is below it.
  %positive = arith.cmpi sge, %i, %c0 : index
  // CHECK-NOT: site 1{{$}}
  janus.guard %positive, <bounds>, site 1
  %below = arith.cmpi slt, %i, %d : index
  // CHECK-NOT: site 2{{$}}
  janus.guard %below, <bounds>, site 2
  return
}

// -----

// CHECK-LABEL: func.func @loop_counters
func.func @loop_counters(%n: i64, %p: i1) -> i64 {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %true = arith.constant true
  // CHECK-NOT: janus.guard
  // CHECK-NOT: janus.add_overflow
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%count = %c0) -> i64 : i64 {
    // As often as the loop runs at most.
    %more, %overflow = janus.add_overflow %count, %c1
    %fits = arith.xori %overflow, %true : i1
    janus.guard %fits, <overflow>, site 0
    %next = arith.select %p, %more, %count : i64
    %positive = arith.cmpi sge, %count, %c0 : i64
    janus.guard %positive, <bounds>, site 1
    %behind = arith.cmpi sle, %count, %i : i64
    janus.guard %behind, <bounds>, site 2
    scf.yield %next : i64
  }
  return %r : i64
}

// -----

// CHECK-LABEL: func.func @loop_bounds
func.func @loop_bounds(%n: i64) {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %true = arith.constant true
  %positive = arith.cmpi sgt, %n, %c0 : i64
  %length = arith.select %positive, %n, %c0 : i64
  // CHECK: scf.for
  // CHECK-NOT: janus.guard
  // CHECK: return
  scf.for %i = %c0 to %length step %c1 : i64 {
    // It runs, so that the larger one of n and 0 is n.
    %below = arith.cmpi slt, %i, %n : i64
    janus.guard %below, <bounds>, site 0
    %rest, %overflow = janus.sub_overflow %n, %i
    %fits = arith.xori %overflow, %true : i1
    janus.guard %fits, <overflow>, site 1
    scf.for %j = %c0 to %rest step %c1 : i64 {
      // j < n - i, and i is not negative.
      %within = arith.cmpi slt, %j, %n : i64
      janus.guard %within, <bounds>, site 2
    }
  }
  return
}

// -----

// CHECK-LABEL: func.func @while_condition
func.func @while_condition(%n: i64, %from: i64) {
  %c3 = arith.constant 3 : i64
  %true = arith.constant true
  // CHECK: scf.while
  scf.while (%i = %from) : (i64) -> i64 {
    %more = arith.cmpi slt, %i, %n : i64
    scf.condition(%more) %i : i64
  } do {
  ^bb0(%i: i64):
    %below = arith.cmpi slt, %i, %n : i64
    // CHECK-NOT: site 0{{$}}
    janus.guard %below, <bounds>, site 0
    // It only counts up.
    %above = arith.cmpi sge, %i, %from : i64
    // CHECK-NOT: site 1{{$}}
    janus.guard %above, <bounds>, site 1
    %next, %overflow = janus.add_overflow %i, %c3
    %fits = arith.xori %overflow, %true : i1
    // CHECK: site 2
    janus.guard %fits, <overflow>, site 2
    scf.yield %next : i64
  }
  return
}

// -----

// What starts low and is counted up by little does not overflow within the lifetime of a machine; what grows faster may.
// CHECK-LABEL: func.func @counter
func.func @counter(%n: i64) -> (i64, i64) {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %much = arith.constant 4096 : i64
  %true = arith.constant true
  %r:3 = scf.while (%i = %n, %a = %c0, %b = %c0) : (i64, i64, i64) -> (i64, i64, i64) {
    %more = arith.cmpi ne, %i, %c1 : i64
    scf.condition(%more) %i, %a, %b : i64, i64, i64
  } do {
  ^bb0(%i: i64, %a: i64, %b: i64):
    %half = arith.shrsi %i, %c1 : i64
    // CHECK: arith.addi %{{.*}}, %{{.*}} overflow<nsw> : i64
    // CHECK-NOT: site 0{{$}}
    %x, %o = janus.add_overflow %a, %c1
    %f = arith.xori %o, %true : i1
    janus.guard %f, <overflow>, site 0
    // CHECK: janus.add_overflow
    // CHECK: site 1
    %y, %p = janus.add_overflow %b, %much
    %g = arith.xori %p, %true : i1
    janus.guard %g, <overflow>, site 1
    scf.yield %half, %x, %y : i64, i64, i64
  }
  return %r#1, %r#2 : i64, i64
}

// -----

// Remainders that go round a loop stay below the divisor.
// CHECK-LABEL: func.func @generator
// CHECK-NOT: janus.mul_overflow
// CHECK-NOT: janus.guard
func.func @generator(%n: index) -> i64 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %seed = arith.constant 1 : i64
  %factor = arith.constant 1103515245 : i64
  %modulus = arith.constant 2147483648 : i64
  %true = arith.constant true
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%k = %seed) -> (i64) {
    %x, %o = janus.mul_overflow %k, %factor
    %f = arith.xori %o, %true : i1
    janus.guard %f, <overflow>, site 0
    %next = janus.floor_mod %x, %modulus
    scf.yield %next : i64
  }
  return %r : i64
}

// -----

// A sum that may wrap says nothing.
// CHECK-LABEL: func.func @wrapping
func.func @wrapping(%i: i64, %n: i64) {
  %c1 = arith.constant 1 : i64
  %c0 = arith.constant 0 : i64
  %next = arith.addi %i, %c1 : i64
  %positive = arith.cmpi sge, %next, %c1 : i64
  // CHECK: site 0
  janus.guard %positive, <bounds>, site 0
  %before = arith.cmpi sge, %i, %c0 : i64
  // CHECK: site 1
  janus.guard %before, <bounds>, site 1
  %up = arith.addi %i, %c1 : i64
  %larger = arith.cmpi sgt, %up, %i : i64
  // CHECK: site 2
  janus.guard %larger, <bounds>, site 2
  return
}

// -----

// What replaces an op is not taken for one that has been erased: the last comparison is not known.
// CHECK-LABEL: func.func @new_in_place_of_old
// CHECK: %[[N:.*]] = arith.subi %{{.*}}, %arg0 overflow<nsw>
// CHECK: %[[C:.*]] = arith.cmpi sgt, %{{.*}}, %[[N]]
// CHECK: arith.select %[[C]]
func.func @new_in_place_of_old(%k: i64) -> (i64, i64) {
  %low = arith.constant -9007199254740992 : i64
  %high = arith.constant 9007199254740992 : i64
  %c0 = arith.constant 0 : i64
  %c2 = arith.constant 2 : i64
  %c7 = arith.constant 7 : i64
  %true = arith.constant true
  %cm3 = arith.constant -3 : i64
  %c3 = arith.constant 3 : i64
  %0 = arith.cmpi sge, %k, %low : i64
  %1 = arith.cmpi sle, %k, %high : i64
  %2 = arith.andi %0, %1 : i1
  janus.guard %2, <overflow>, restart site 0
  %12 = arith.cmpi slt, %c2, %k : i64
  %13 = arith.select %12, %c2, %k : i64
  %14 = arith.cmpi slt, %c7, %13 : i64
  %15 = arith.select %14, %c7, %13 : i64
  %result, %overflow = janus.sub_overflow %c0, %k
  %16 = arith.xori %overflow, %true : i1
  janus.guard %16, <overflow>, restart site 1
  %17 = arith.cmpi sgt, %cm3, %result : i64
  %18 = arith.select %17, %c3, %k : i64
  return %15, %18 : i64, i64
}

// -----

// Three times an integer, if that fits, leaves room for one more, but not for two.
// CHECK-LABEL: func.func @multiple
func.func @multiple(%n: i64) -> (i64, i64) {
  %c1 = arith.constant 1 : i64
  %c2 = arith.constant 2 : i64
  %c3 = arith.constant 3 : i64
  %true = arith.constant true
  // CHECK: janus.mul_overflow
  // CHECK: site 0
  %x, %o = janus.mul_overflow %n, %c3
  %f = arith.xori %o, %true : i1
  janus.guard %f, <overflow>, site 0
  // CHECK: arith.addi %{{.*}}, %{{.*}} overflow<nsw>
  // CHECK-NOT: site 1{{$}}
  %y, %p = janus.add_overflow %x, %c1
  %g = arith.xori %p, %true : i1
  janus.guard %g, <overflow>, site 1
  // CHECK: janus.add_overflow
  // CHECK: site 2
  %z, %q = janus.add_overflow %x, %c2
  %h = arith.xori %q, %true : i1
  janus.guard %h, <overflow>, site 2
  return %y, %z : i64, i64
}
