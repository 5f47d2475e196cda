// RUN: janus-opt %s | janus-opt | FileCheck %s
// RUN: janus-opt %s --mlir-print-op-generic | janus-opt | FileCheck %s
// RUN: janus-opt %s --canonicalize | FileCheck %s --check-prefix=FOLD
// RUN: janus-opt %s --int-range-optimizations | FileCheck %s --check-prefix=RANGE

// CHECK-LABEL: func.func @mul
// FOLD-LABEL: func.func @mul
func.func @mul(%a: i64, %b: i64) -> (i64, i1) {
  // CHECK: %{{.*}}, %{{.*}} = janus.mul_overflow %{{.*}}, %{{.*}}
  // FOLD: janus.mul_overflow
  %r, %f = janus.mul_overflow %a, %b
  return %r, %f : i64, i1
}

// FOLD-LABEL: func.func @neutral
// FOLD-SAME: (%[[A:.*]]: i64)
func.func @neutral(%a: i64) -> (i64, i1) {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  // FOLD-NOT: janus
  // FOLD: %[[FALSE:.*]] = arith.constant false
  // FOLD: return %[[A]], %[[FALSE]]
  %r, %f = janus.mul_overflow %c1, %a
  return %r, %f : i64, i1
}

// FOLD-LABEL: func.func @constants_0
func.func @constants_0() -> (i64, i1) {
  %a = arith.constant 6 : i64
  %b = arith.constant 7 : i64
  // FOLD-DAG: %[[R:.*]] = arith.constant 42 : i64
  // FOLD-DAG: %[[F:.*]] = arith.constant false
  // FOLD: return %[[R]], %[[F]]
  %r, %f = janus.mul_overflow %a, %b
  return %r, %f : i64, i1
}

// FOLD-LABEL: func.func @constants_1
func.func @constants_1() -> (i64, i1) {
  %a = arith.constant 9223372036854775807 : i64
  %b = arith.constant 2 : i64
  // FOLD-DAG: %[[R:.*]] = arith.constant -2 : i64
  // FOLD-DAG: %[[F:.*]] = arith.constant true
  // FOLD: return %[[R]], %[[F]]
  %r, %f = janus.mul_overflow %a, %b
  return %r, %f : i64, i1
}

// FOLD-LABEL: func.func @constants_2
func.func @constants_2() -> (i64, i1) {
  %a = arith.constant -9223372036854775808 : i64
  %b = arith.constant -1 : i64
  // FOLD-DAG: %[[R:.*]] = arith.constant -9223372036854775808 : i64
  // FOLD-DAG: %[[F:.*]] = arith.constant true
  // FOLD: return %[[R]], %[[F]]
  %r, %f = janus.mul_overflow %a, %b
  return %r, %f : i64, i1
}

// FOLD-LABEL: func.func @by_zero
func.func @by_zero(%a: i64) -> (i64, i1) {
  %c0 = arith.constant 0 : i64
  // FOLD-DAG: %[[R:.*]] = arith.constant 0 : i64
  // FOLD-DAG: %[[F:.*]] = arith.constant false
  // FOLD: return %[[R]], %[[F]]
  %r, %f = janus.mul_overflow %a, %c0
  return %r, %f : i64, i1
}

// The ranges of two i32 prove that there is no overflow in 64 bits.
// RANGE-LABEL: func.func @narrow
func.func @narrow(%a: i32, %b: i32) -> (i64, i1) {
  %x = arith.extsi %a : i32 to i64
  %y = arith.extsi %b : i32 to i64
  // RANGE: %[[F:.*]] = arith.constant false
  // RANGE: %[[R:.*]], %{{.*}} = janus.mul_overflow
  // RANGE: return %[[R]], %[[F]]
  %r, %f = janus.mul_overflow %x, %y
  return %r, %f : i64, i1
}

// RANGE-LABEL: func.func @wide
func.func @wide(%a: i64, %b: i32) -> (i64, i1) {
  %y = arith.extsi %b : i32 to i64
  // RANGE: %[[R:.*]], %[[F:.*]] = janus.mul_overflow
  // RANGE: return %[[R]], %[[F]]
  %r, %f = janus.mul_overflow %a, %y
  return %r, %f : i64, i1
}
