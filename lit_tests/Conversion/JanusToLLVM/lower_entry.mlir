// RUN: janus-opt %s --janus-lower-entry | FileCheck %s

// CHECK-LABEL: func.func @f
// CHECK-SAME: (%[[S:.*]]: !llvm.ptr, %{{.*}}: !llvm.ptr) -> i32
// CHECK: llvm.getelementptr %[[S]][0]
// CHECK: llvm.load %{{.*}} : !llvm.ptr -> !llvm.ptr
// CHECK: llvm.getelementptr %[[S]][1]
// CHECK: llvm.load %{{.*}} : !llvm.ptr -> i64
// CHECK: builtin.unrealized_conversion_cast {{.*}} to memref<4x?xf32>
// CHECK: llvm.getelementptr %[[S]][2]
// CHECK: llvm.load %{{.*}} : !llvm.ptr -> f64
// CHECK: llvm.getelementptr %[[S]][3]
// CHECK: arith.cmpi ne
// CHECK: %[[Z:.*]] = arith.constant 0 : i32
// CHECK: return %[[Z]] : i32
func.func @f(%x: memref<4x?xf32>, %a: f64, %b: i1) attributes {janus.entry, janus.return_site = 0 : i32} {
  janus.leave site 0 (%x, %a, %b : memref<4x?xf32>, f64, i1)
  return
}

// CHECK-LABEL: func.func private @kernel(%{{.*}}: memref<4xf32>)
func.func private @kernel(%x: memref<4xf32>) {
  return
}
