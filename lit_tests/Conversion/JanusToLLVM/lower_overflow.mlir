// RUN: janus-opt %s --janus-lower-overflow | FileCheck %s

// CHECK-LABEL: func.func @f
// CHECK: llvm.intr.sadd.with.overflow
// CHECK: llvm.intr.ssub.with.overflow
// CHECK: llvm.intr.smul.with.overflow
// CHECK: arith.addi
// CHECK-NOT: janus
func.func @f(%a: i64, %b: i64) -> (i64, i1, i1, i1) {
  %0, %o0 = janus.add_overflow %a, %b
  %1, %o1 = janus.sub_overflow %0, %b
  %2, %o2 = janus.mul_overflow %1, %b
  %3 = arith.addi %2, %a : i64
  return %3, %o0, %o1, %o2 : i64, i1, i1, i1
}

// CHECK-LABEL: func.func @by_constant
// CHECK: %[[LOW:.*]] = arith.constant -3074457345618258602 : i64
// CHECK: %[[ABOVE:.*]] = arith.subi %arg0, %[[LOW]]
// CHECK: %[[SPAN:.*]] = arith.constant 6148914691236517204 : i64
// CHECK: %[[OUTSIDE:.*]] = arith.cmpi ugt, %[[ABOVE]], %[[SPAN]]
// CHECK: %[[PRODUCT:.*]] = arith.muli %arg0
// CHECK: return %[[PRODUCT]], %[[OUTSIDE]]
func.func @by_constant(%a: i64) -> (i64, i1) {
  %c3 = arith.constant 3 : i64
  %0, %o = janus.mul_overflow %a, %c3
  return %0, %o : i64, i1
}
