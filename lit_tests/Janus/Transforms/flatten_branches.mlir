// RUN: janus-opt %s --janus-flatten-branches --split-input-file | FileCheck %s

// CHECK-LABEL: func.func @sides
// CHECK-SAME: (%[[C:.*]]: i1, %[[X:.*]]: i64)
func.func @sides(%c: i1, %x: i64) -> i64 {
  %c1 = arith.constant 1 : i64
  %c3 = arith.constant 3 : i64
  %true = arith.constant true
  // CHECK-NOT: scf.if
  // CHECK: %[[A:.*]], %[[P:.*]] = janus.mul_overflow %[[X]]
  // CHECK: %[[F:.*]] = arith.xori %[[P]]
  // CHECK: %[[NOT:.*]] = arith.xori %[[C]]
  // CHECK: %[[G:.*]] = arith.ori %[[NOT]], %[[F]]
  // CHECK: janus.guard %[[G]], <overflow>, site 1 (%[[X]] : i64)
  // CHECK: %[[B:.*]], %[[Q:.*]] = janus.add_overflow %[[X]]
  // CHECK: %[[H:.*]] = arith.xori %[[Q]]
  // CHECK: %[[I:.*]] = arith.ori %[[C]], %[[H]]
  // CHECK: janus.guard %[[I]], <overflow>, site 2 (%[[X]] : i64)
  // CHECK: arith.select %[[C]], %[[A]], %[[B]]
  %r = scf.if %c -> (i64) {
    janus.frame site 0 (%x : i64)
    %a, %o = janus.mul_overflow %x, %c3
    %f = arith.xori %o, %true : i1
    janus.guard %f, <overflow>, site 1 (%x : i64)
    scf.yield %a : i64
  } else {
    %b, %o = janus.add_overflow %x, %c1
    %f = arith.xori %o, %true : i1
    janus.guard %f, <overflow>, site 2 (%x : i64)
    scf.yield %b : i64
  }
  return %r : i64
}

// -----

// CHECK-LABEL: func.func @one_side
func.func @one_side(%c: i1, %d: i1, %x: i64) {
  // CHECK-NOT: scf.if
  // CHECK: %[[E:.*]] = arith.ori %{{.*}}, %arg1
  // CHECK: janus.guard %[[E]], <bounds>, site 0
  scf.if %c {
    janus.guard %d, <bounds>, site 0
  }
  return
}

// -----

// CHECK-LABEL: func.func @left_alone
func.func @left_alone(%c: i1, %d: i1, %x: i64, %y: i64, %m: memref<i64>) -> (i64, i64, i64) {
  // Without guards LLVM decides.
  // CHECK: scf.if
  %0 = scf.if %c -> (i64) {
    %a = arith.addi %x, %y : i64
    scf.yield %a : i64
  } else {
    scf.yield %x : i64
  }
  // A division that may only be done where it is asked for.
  // CHECK: scf.if
  %1 = scf.if %c -> (i64) {
    janus.guard %d, <zero>, site 0
    %a = janus.floor_mod %x, %y
    scf.yield %a : i64
  } else {
    scf.yield %x : i64
  }
  // Effects.
  // CHECK: scf.if
  %2 = scf.if %c -> (i64) {
    janus.guard %d, <branch>, site 1
    %a = memref.load %m[] : memref<i64>
    scf.yield %a : i64
  } else {
    janus.record site 2 (%x : i64)
    scf.yield %x : i64
  }
  return %0, %1, %2 : i64, i64, i64
}
