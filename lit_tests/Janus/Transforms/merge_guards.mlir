// RUN: janus-opt %s --janus-merge-guards --split-input-file | FileCheck %s

// CHECK-LABEL: func.func @same_kind
func.func @same_kind(%a: i1, %x: i64, %y: i64) {
  %true = arith.constant true
  // CHECK: %[[R:.*]], %[[O:.*]] = janus.add_overflow
  // CHECK-NEXT: %[[FITS:.*]] = arith.xori %[[O]]
  // CHECK-NEXT: %[[BOTH:.*]] = arith.andi %arg0, %[[FITS]]
  // CHECK-NEXT: janus.guard %[[BOTH]], <overflow>, site 1 (%arg1 : i64)
  // CHECK-NEXT: return
  janus.guard %a, <overflow>, site 1 (%x : i64)
  %r, %overflow = janus.add_overflow %x, %y
  %fits = arith.xori %overflow, %true : i1
  janus.guard %fits, <overflow>, site 2 (%y : i64)
  return
}

// -----

// Branches, if they go on at the same place.
// CHECK-LABEL: func.func @same_site
func.func @same_site(%a: i1, %b: i1, %x: i64) {
  // CHECK: janus.guard %{{.*}}, <branch>, site 1 (%arg2 : i64)
  // CHECK-NEXT: return
  janus.guard %a, <branch>, site 1 (%x : i64)
  janus.guard %b, <branch>, site 1 (%x : i64)
  return
}

// -----

// CHECK-LABEL: func.func @left_alone
func.func @left_alone(%a: i1, %b: i1, %i: index, %t: tensor<?xi1>, %x: i64, %y: i64) {
  // By the site the runtime knows which branch it was.
  // CHECK: site 1
  janus.guard %a, <branch>, site 1
  // CHECK: site 2
  janus.guard %b, <branch>, site 2
  // CHECK: site 3
  janus.guard %a, <bounds>, site 3
  // The record must not be repeated.
  janus.record site 4
  // CHECK: site 5
  janus.guard %b, <bounds>, site 5
  // The access relies on the guard before it.
  %v = tensor.extract %t[%i] : tensor<?xi1>
  // CHECK: site 6
  janus.guard %v, <bounds>, site 6
  // Another kind.
  // CHECK: site 7
  janus.guard %a, <overflow>, site 7
  // A division relies on the guard before it.
  %c0 = arith.constant 0 : i64
  %nonzero = arith.cmpi ne, %y, %c0 : i64
  // CHECK: site 8
  janus.guard %nonzero, <zero>, site 8
  %q = arith.divsi %x, %y : i64
  %p = arith.cmpi ne, %q, %c0 : i64
  // CHECK: site 9
  janus.guard %p, <zero>, site 9
  return
}

// -----

// A division relies on the guard before it, whichever way it rounds.
// CHECK-LABEL: func.func @divisions
func.func @divisions(%x: i64, %y: i64) {
  %c0 = arith.constant 0 : i64
  %nonzero = arith.cmpi ne, %y, %c0 : i64
  // CHECK: site 0
  janus.guard %nonzero, <overflow>, site 0
  %q = arith.floordivsi %x, %y : i64
  %p = arith.cmpi ne, %q, %c0 : i64
  // CHECK: site 1
  janus.guard %p, <overflow>, site 1
  %r = arith.remsi %x, %y : i64
  %s = arith.cmpi ne, %r, %c0 : i64
  // CHECK: site 2
  janus.guard %s, <overflow>, site 2
  %t = janus.floor_mod %x, %y
  %u = arith.cmpi ne, %t, %c0 : i64
  // CHECK: site 3
  janus.guard %u, <overflow>, site 3
  return
}
