// RUN: janus-opt %s --janus-hoist-guards --canonicalize --cse --split-input-file | FileCheck %s

// CHECK-LABEL: func.func @invariant
func.func @invariant(%p: i1) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c9 = arith.constant 9 : index
  // The loop is known to run.
  // CHECK: janus.guard %arg0, <overflow>, restart site 1
  // CHECK-NEXT: scf.for
  // CHECK-NEXT: janus.record
  scf.for %i = %c0 to %c9 step %c1 {
    janus.guard %p, <overflow>, restart site 1
    janus.record site 2
  }
  return
}

// -----

// CHECK-LABEL: func.func @bounds
func.func @bounds(%x: tensor<?xf64>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %d = tensor.dim %x, %c0 : tensor<?xf64>
  // CHECK-DAG: %[[RUNS:.*]] = arith.cmpi sgt, %arg1, %c0
  // CHECK-DAG: %[[LAST:.*]] = arith.subi %arg1, %c1
  // CHECK-DAG: %[[FIRST:.*]] = arith.cmpi ugt, %{{.*}}, %c0
  // CHECK-DAG: %[[IN:.*]] = arith.cmpi ult, %[[LAST]], %{{.*}}
  // CHECK: %[[BOTH:.*]] = arith.andi %[[FIRST]], %[[IN]]
  // CHECK: %[[OK:.*]] = arith.select %[[RUNS]], %[[BOTH]], %true
  // CHECK: janus.guard %[[OK]], <bounds>, restart site 1
  // CHECK-NEXT: scf.for
  // CHECK-NEXT: janus.record
  scf.for %i = %c0 to %n step %c1 {
    %in = arith.cmpi ult, %i, %d : index
    janus.guard %in, <bounds>, restart site 1
    janus.record site 2 (%i : index)
  }
  return
}

// -----

// What is affine stays affine: neither end may overflow.
// CHECK-LABEL: func.func @overflow
func.func @overflow(%n: i64, %k: i64) {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %true = arith.constant true
  // CHECK: janus.add_overflow %{{.*}}, %arg1
  // CHECK: janus.guard %{{.*}}, <overflow>, restart site 1
  // CHECK: scf.for
  // CHECK-NOT: janus.guard
  scf.for %i = %c0 to %n step %c1 : i64 {
    %j, %overflow = janus.add_overflow %i, %k
    %fits = arith.xori %overflow, %true : i1
    janus.guard %fits, <overflow>, restart site 1
    janus.record site 2 (%j : i64)
  }
  return
}

// -----

// A site in the loop is of no use in front of it, but the frame there is.
// CHECK-LABEL: func.func @frame
func.func @frame(%p: i1, %x: f64) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c9 = arith.constant 9 : index
  janus.frame site 7 (%x : f64)
  // CHECK: janus.guard %arg0, <bounds>, site 7 (%arg1 : f64)
  // CHECK-NEXT: scf.for
  scf.for %i = %c0 to %c9 step %c1 {
    janus.guard %p, <bounds>, site 1 (%i : index)
    janus.record site 2
  }
  return
}

// -----

// The first part of a while loop always runs, the second if the condition holds at first.
// CHECK-LABEL: func.func @while
func.func @while(%p: i1, %q: i1, %n: i64) {
  %c0 = arith.constant 0 : i64
  %c3 = arith.constant 3 : i64
  // CHECK: janus.guard %arg0, <overflow>, restart site 1
  // CHECK: %[[RUNS:.*]] = arith.cmpi sgt, %arg2, %c0
  // CHECK: %[[OK:.*]] = arith.select %[[RUNS]], %arg1, %true
  // CHECK: janus.guard %[[OK]], <overflow>, restart site 2
  // CHECK: scf.while
  // CHECK-NOT: janus.guard
  scf.while (%i = %c0) : (i64) -> i64 {
    janus.guard %p, <overflow>, restart site 1
    %more = arith.cmpi slt, %i, %n : i64
    scf.condition(%more) %i : i64
  } do {
  ^bb0(%i: i64):
    janus.guard %q, <overflow>, restart site 2
    janus.record site 3
    %j = arith.addi %i, %c3 : i64
    scf.yield %j : i64
  }
  return
}

// -----

// Out of two loops, one after the other.
// CHECK-LABEL: func.func @nested
func.func @nested(%p: i1, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // CHECK: janus.guard %{{.*}}, <overflow>, restart site 1
  // CHECK-NEXT: scf.for
  // CHECK-NEXT: scf.for
  // CHECK-NEXT: janus.record
  scf.for %i = %c0 to %n step %c1 {
    scf.for %j = %c0 to %n step %c1 {
      janus.guard %p, <overflow>, restart site 1
      janus.record site 2
    }
  }
  return
}

// -----

// CHECK-LABEL: func.func @left_alone
func.func @left_alone(%p: i1, %q: i1, %n: index, %d: index, %t: tensor<8xi1>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c8 = arith.constant 8 : index
  // Not in every iteration.
  // CHECK: scf.for
  // CHECK-NEXT: scf.if
  // CHECK-NEXT: janus.guard
  scf.for %i = %c0 to %c8 step %c1 {
    scf.if %q {
      janus.guard %p, <overflow>, restart site 1
    }
  }
  // The site is only right within the loop.
  // CHECK: scf.for
  // CHECK-NEXT: janus.guard
  scf.for %i = %c0 to %c8 step %c1 {
    janus.guard %p, <overflow>, site 2
    janus.record site 3
  }
  // The last value is not known to be reached.
  // CHECK: scf.for
  // CHECK-NEXT: arith.cmpi
  // CHECK-NEXT: janus.guard
  scf.for %i = %c0 to %n step %c2 {
    %in = arith.cmpi slt, %i, %d : index
    janus.guard %in, <bounds>, restart site 4
  }
  // True at both ends does not mean true between.
  // CHECK: scf.for
  // CHECK-NEXT: arith.cmpi
  // CHECK-NEXT: janus.guard
  scf.for %i = %c0 to %n step %c1 {
    %other = arith.cmpi ne, %i, %d : index
    janus.guard %other, <value>, restart site 5
  }
  // The function may return before the guard is reached.
  // CHECK: scf.for
  // CHECK: janus.leave
  // CHECK: janus.guard
  scf.for %i = %c0 to %n step %c1 {
    %v = tensor.extract %t[%i] : tensor<8xi1>
    scf.if %v {
      janus.leave site 6
    }
    janus.guard %p, <overflow>, restart site 7
  }
  // A failing branch guard has to be known by its site.
  janus.frame site 8
  // CHECK: scf.for
  // CHECK-NEXT: janus.guard
  scf.for %i = %c0 to %c8 step %c1 {
    janus.guard %p, <branch>, site 9
    janus.record site 3
  }
  return
}
