// RUN: janus-opt %s --janus-lower-memory --split-input-file --verify-diagnostics | FileCheck %s

// CHECK-LABEL: func.func @f
// CHECK-SAME: (%{{.*}}: !llvm.ptr, %[[CALL:.*]]: !llvm.ptr) -> i32
// CHECK: llvm.call @janus_rt_scratch(%[[CALL]], %{{.*}})
// CHECK: cf.cond_br %{{.*}} weights([1048576, 1]), ^{{.*}}, ^[[OOM:.*]]
// CHECK: llvm.call @janus_rt_alloc(%[[CALL]]
// CHECK: call @janus_reuse(%[[CALL]]
// CHECK: ^[[OOM]]:
// CHECK: arith.constant -1 : i32
func.func @f(%slots: !llvm.ptr, %call: !llvm.ptr) -> i32 attributes {janus.entry, janus.return_site = 0 : i32} {
  %n = arith.constant 7 : index
  %a = memref.alloc() {janus.memory = "scratch"} : memref<64xi8>
  %b = memref.alloc() {janus.memory = "result"} : memref<2x3xf32>
  %c = memref.alloc(%n) {janus.memory = "alternate"} : memref<?xf32>
  %status = arith.constant 0 : i32
  return %status : i32
}

// -----

func.func @f(%slots: !llvm.ptr, %call: !llvm.ptr) -> i32 attributes {janus.entry, janus.return_site = 0 : i32} {
  // expected-error @+1 {{says not where it lives}}
  %a = memref.alloc() : memref<64xi8>
  %status = arith.constant 0 : i32
  return %status : i32
}
