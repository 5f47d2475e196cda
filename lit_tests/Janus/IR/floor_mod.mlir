// RUN: janus-opt %s | janus-opt | FileCheck %s
// RUN: janus-opt %s --mlir-print-op-generic | janus-opt | FileCheck %s
// RUN: janus-opt %s --canonicalize | FileCheck %s --check-prefix=FOLD
// RUN: janus-opt %s --int-range-optimizations | FileCheck %s --check-prefix=RANGE
// RUN: janus-opt %s --loop-invariant-code-motion | FileCheck %s --check-prefix=MOVED

// CHECK-LABEL: func.func @mod
// FOLD-LABEL: func.func @mod
func.func @mod(%a: i64, %b: i64) -> i64 {
  // CHECK: janus.floor_mod %{{.*}}, %{{.*}}
  // FOLD: janus.floor_mod
  %r = janus.floor_mod %a, %b
  return %r : i64
}

// FOLD-LABEL: func.func @by_one
func.func @by_one(%a: i64) -> i64 {
  %c1 = arith.constant 1 : i64
  // FOLD: %[[R:.*]] = arith.constant 0 : i64
  // FOLD: return %[[R]]
  %r = janus.floor_mod %a, %c1
  return %r : i64
}

// FOLD-LABEL: func.func @constants
func.func @constants() -> (i64, i64, i64, i64) {
  %a = arith.constant 7 : i64
  %b = arith.constant -7 : i64
  %c = arith.constant 3 : i64
  %d = arith.constant -3 : i64
  // FOLD-DAG: %[[R1:.*]] = arith.constant 1 : i64
  // FOLD-DAG: %[[R2:.*]] = arith.constant 2 : i64
  // FOLD-DAG: %[[R3:.*]] = arith.constant -2 : i64
  // FOLD-DAG: %[[R4:.*]] = arith.constant -1 : i64
  // FOLD: return %[[R1]], %[[R2]], %[[R3]], %[[R4]]
  %0 = janus.floor_mod %a, %c
  %1 = janus.floor_mod %b, %c
  %2 = janus.floor_mod %a, %d
  %3 = janus.floor_mod %b, %d
  return %0, %1, %2, %3 : i64, i64, i64, i64
}

// FOLD-LABEL: func.func @by_zero
func.func @by_zero() -> i64 {
  %a = arith.constant 7 : i64
  %c0 = arith.constant 0 : i64
  // FOLD: janus.floor_mod
  %r = janus.floor_mod %a, %c0
  return %r : i64
}

// RANGE-LABEL: func.func @below
func.func @below(%a: i64, %b: i64) -> (i1, i1, i1) {
  %c0 = arith.constant 0 : i64
  %c3 = arith.constant 3 : i64
  %d = arith.constant -3 : i64
  // RANGE: %[[TRUE:.*]] = arith.constant true
  // RANGE: %[[OPEN:.*]] = arith.cmpi
  // RANGE: return %[[TRUE]], %[[TRUE]], %[[OPEN]]
  %0 = janus.floor_mod %a, %c3
  %1 = arith.cmpi slt, %0, %c3 : i64
  %2 = janus.floor_mod %a, %d
  %3 = arith.cmpi sle, %2, %c0 : i64
  %4 = janus.floor_mod %a, %b
  %5 = arith.cmpi slt, %4, %c3 : i64
  return %1, %3, %5 : i1, i1, i1
}

// MOVED-LABEL: func.func @only_where_defined
func.func @only_where_defined(%a: i64, %b: i64, %lb: index, %ub: index, %s: index) {
  %c3 = arith.constant 3 : i64
  %d = arith.constant -1 : i64
  // MOVED: janus.floor_mod %arg0, %c3_i64
  // MOVED: scf.for
  // MOVED: janus.floor_mod %arg0, %arg1
  // MOVED: janus.floor_mod %arg0, %c-1_i64
  scf.for %i = %lb to %ub step %s {
    %0 = janus.floor_mod %a, %b
    %1 = janus.floor_mod %a, %c3
    %2 = janus.floor_mod %a, %d
    janus.record site 0 (%0, %1, %2 : i64, i64, i64)
  }
  return
}
