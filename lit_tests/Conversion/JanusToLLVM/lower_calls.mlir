// RUN: janus-opt %s --janus-lower-entry --janus-lower-memory --janus-lower-exits --janus-lower-calls | FileCheck %s

// CHECK-LABEL: func.func @main
// CHECK-SAME: (%{{.*}}: !llvm.ptr, %[[CALL:.*]]: !llvm.ptr) -> i32
func.func @main(%n: i64) attributes {janus.entry, janus.return_site = 0 : i32} {
  // CHECK: %[[R:.*]]:2 = call @f(%[[CALL]], %{{.*}}) : (!llvm.ptr, i64) -> (i32, i64)
  // CHECK: arith.cmpi eq, %[[R]]#0
  // CHECK: cf.cond_br %{{.*}} weights([1048576, 1]), ^[[REST:.*]], ^[[LEFT:.*]]
  %r = func.call @f(%n) : (i64) -> i64
  // CHECK: ^[[REST]]:
  // CHECK: llvm.call @janus_rt_push_i64(%[[CALL]], %[[R]]#1)
  janus.leave site 0 (%r : i64)
  // CHECK: ^[[LEFT]]:
  // CHECK-NEXT: return %[[R]]#0
  return
}

// The depth is counted, memory comes from the frames and is given back, and an exit leaves all callers.
// CHECK-LABEL: func.func private @f
// CHECK-SAME: (%[[CALL:.*]]: !llvm.ptr, %[[N:.*]]: i64) -> (i32, i64) attributes {janus.internal}
// CHECK-DAG: %[[TOPAT:.*]] = llvm.getelementptr %[[CALL]][0]
// CHECK-DAG: %[[TOP:.*]] = llvm.load %[[TOPAT]] : !llvm.ptr -> !llvm.ptr
// CHECK-DAG: llvm.call_intrinsic "llvm.frameaddress.p0"
// CHECK: cf.cond_br %{{.*}} weights([1048576, 1]), ^[[BODY:.*]], ^[[DEEP:.*]]
// CHECK: ^[[BODY]]:
// CHECK: call @janus_frame(%[[CALL]]
// CHECK: llvm.store %[[TOP]], %[[TOPAT]]
// CHECK: return %{{.*}}, %[[N]]
// CHECK: arith.constant 5 : i32
// CHECK-NEXT: ub.poison : i64
// CHECK: ^[[DEEP]]:
// CHECK-NEXT: arith.constant -2 : i32
func.func private @f(%n: i64) -> i64 attributes {janus.internal} {
  %zero = arith.constant 0 : i64
  %a = memref.alloc() {janus.memory = "scratch"} : memref<100xi8>
  %p = arith.cmpi sgt, %n, %zero : i64
  janus.guard %p, <value>, site 4
  return %n : i64
}
