// RUN: janus-opt %s --janus-lower-parts | FileCheck %s

// CHECK: llvm.func @janus_rt_parallel(!llvm.ptr, !llvm.ptr, i64)
llvm.func @part(%from: i64, %to: i64, %x: !llvm.ptr, %n: i64) attributes {janus.part} {
  llvm.return
}

// CHECK-LABEL: llvm.func internal @part_thunk(%arg0: i64, %arg1: i64, %arg2: !llvm.ptr)
// CHECK: %[[XAT:.*]] = llvm.getelementptr %arg2[0, 0]
// CHECK: %[[X:.*]] = llvm.load %[[XAT]] : !llvm.ptr -> !llvm.ptr
// CHECK: %[[NAT:.*]] = llvm.getelementptr %arg2[0, 1]
// CHECK: %[[N:.*]] = llvm.load %[[NAT]] : !llvm.ptr -> i64
// CHECK: llvm.call @part(%arg0, %arg1, %[[X]], %[[N]])

// CHECK-LABEL: llvm.func @kernel
// CHECK: %[[MEMORY:.*]] = llvm.alloca %{{.*}} x !llvm.struct<(ptr, i64)>
// CHECK-COUNT-2: llvm.store
// CHECK: %[[THUNK:.*]] = llvm.mlir.addressof @part_thunk
// CHECK: llvm.call @janus_rt_parallel(%[[THUNK]], %[[MEMORY]], %arg1)
// Other calls stay.
// CHECK: llvm.call @other
llvm.func @kernel(%x: !llvm.ptr, %pieces: i64, %n: i64) {
  %zero = llvm.mlir.constant(0 : i64) : i64
  llvm.call @part(%zero, %pieces, %x, %n) : (i64, i64, !llvm.ptr, i64) -> ()
  llvm.call @other() : () -> ()
  llvm.return
}
llvm.func @other()
