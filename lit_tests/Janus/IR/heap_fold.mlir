// RUN: janus-opt %s --canonicalize | FileCheck %s

// CHECK-LABEL: func.func @known
// CHECK-DAG: %[[T:.*]] = arith.constant true
// CHECK-DAG: %[[F:.*]] = arith.constant false
// CHECK: return %[[T]], %[[F]], %[[F]], %[[T]], %[[F]], %[[T]], %[[T]]
func.func @known(%o: !janus.object) -> (i1, i1, i1, i1, i1, i1, i1) {
  %a = janus.object 0
  %b = janus.object 1
  %n = janus.null
  %0 = janus.is %o, %o
  %1 = janus.is %a, %b
  %2 = janus.is %n, %b
  %3 = janus.is_null %n
  %4 = janus.is_null %a
  %5 = janus.is %a, %a
  %6 = janus.equals %a, %a
  return %0, %1, %2, %3, %4, %5, %6 : i1, i1, i1, i1, i1, i1, i1
}

// Reads that nobody uses go; those on either side of a guard stay two.
// CHECK-LABEL: func.func @reads
// CHECK-NEXT: janus.get_attr
// CHECK-NEXT: janus.is_null
// CHECK-NEXT: janus.guard
// CHECK-NEXT: return
func.func @reads(%o: !janus.object) {
  %unused = janus.get_attr %o "right"
  %left = janus.get_attr %o "left"
  %missing = janus.is_null %left
  janus.guard %missing, <type>, site 0
  return
}

// CHECK-LABEL: func.func @addresses
// CHECK-SAME: %[[O:.*]]: !janus.object, %[[N:.*]]: i64
// CHECK-NEXT: return %[[O]], %[[N]]
func.func @addresses(%o: !janus.object, %n: i64) -> (!janus.object, i64) {
  %address = janus.address %o
  %again = janus.object_at %address
  %there = janus.object_at %n
  %number = janus.address %there
  return %again, %number : !janus.object, i64
}
