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
