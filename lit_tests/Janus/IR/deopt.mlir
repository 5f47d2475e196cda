// RUN: janus-opt %s | janus-opt | FileCheck %s
// RUN: janus-opt %s --mlir-print-op-generic | janus-opt | FileCheck %s
// RUN: janus-opt %s --canonicalize | FileCheck %s --check-prefix=CANON

// CHECK-LABEL: func.func @deopt
func.func @deopt(%c: i1, %x: tensor<4xf32>) -> i64 {
  %r = scf.if %c -> i64 {
    // CHECK: janus.deopt "unknown-call", site 2 (%{{.*}} : tensor<4xf32>)
    janus.deopt "unknown-call", site 2 (%x : tensor<4xf32>)
    %poison = ub.poison : i64
    scf.yield %poison : i64
  } else {
    // CHECK: janus.deopt "never-seen", site 3
    janus.deopt "never-seen", site 3
    %poison = ub.poison : i64
    scf.yield %poison : i64
  }
  return %r : i64
}

// What follows an exit in its block never runs; what the terminator uses stays.
// CANON-LABEL: func.func @unreachable
// CANON-SAME: (%[[C:.*]]: i1, %[[N:.*]]: i64)
func.func @unreachable(%c: i1, %n: i64) -> i64 {
  %r = scf.if %c -> i64 {
    // CANON: janus.record site 1
    janus.record site 1 (%n : i64)
    // CANON-NEXT: janus.deopt "never-seen", site 2
    janus.deopt "never-seen", site 2
    // CANON-NEXT: %[[SUM:.*]] = arith.addi
    %sum = arith.addi %n, %n : i64
    // CANON-NEXT: scf.yield %[[SUM]]
    janus.record site 3 (%sum : i64)
    janus.guard %c, <value>, site 4
    scf.yield %sum : i64
  } else {
    scf.yield %n : i64
  }
  return %r : i64
}
