// RUN: janus-opt %s --janus-lower-exits | FileCheck %s

// CHECK-LABEL: func.func @f
// CHECK-SAME: (%{{.*}}: !llvm.ptr, %[[CALL:.*]]: !llvm.ptr) -> i32
func.func @f(%slots: !llvm.ptr, %call: !llvm.ptr) -> i32 attributes {janus.entry, janus.return_site = 0 : i32} {
  %x = memref.alloc() : memref<4xf32>
  %n = llvm.load %slots : !llvm.ptr -> i64
  %zero = arith.constant 0 : i64
  %c = arith.cmpi sgt, %n, %zero : i64
  // CHECK: cf.cond_br %{{.*}} weights([1048576, 1]), ^[[REST:.*]], ^[[EXIT:.*]]
  janus.guard %c, <value>, site 4 (%n : i64)
  // CHECK: ^[[REST]]:
  // CHECK: llvm.call @janus_rt_begin_record(%[[CALL]], %{{.*}})
  // CHECK: llvm.call @janus_rt_push_copy
  janus.record site 1 (%x : memref<4xf32>)
  // CHECK: llvm.call @janus_rt_begin_record
  // CHECK: llvm.call @janus_rt_push_owned
  // CHECK: %[[Z:.*]] = arith.constant 0 : i32
  // CHECK: return %[[Z]]
  janus.leave site 0 (%x : memref<4xf32>) {janus.owned = array<i64: 0>}
  %status = arith.constant 0 : i32
  return %status : i32
  // CHECK: ^[[EXIT]]:
  // CHECK: llvm.call @janus_rt_begin_record
  // CHECK: llvm.call @janus_rt_push_i64
  // CHECK: %[[S:.*]] = arith.constant 5 : i32
  // CHECK: return %[[S]]
}
