// RUN: janus-opt %s --janus-cpu-outline-kernels --split-input-file | FileCheck %s

#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (k, n)>
#c = affine_map<(m, n, k) -> (m, n)>

// The fill goes along; equal ops share a kernel.
// CHECK-LABEL: func.func @matmuls
// CHECK-NOT: linalg
// CHECK: call @kernel_0
// CHECK-NOT: linalg
// CHECK: call @kernel_0
// CHECK: func.func private @kernel_0
// CHECK: linalg.fill
// CHECK: linalg.generic
// CHECK-NOT: @kernel_1
func.func @matmuls(%x: memref<8x8xf32>) {
  %z = arith.constant 0.0 : f32
  %p = memref.alloc() : memref<8x8xf32>
  linalg.fill ins(%z : f32) outs(%p : memref<8x8xf32>)
  linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %x : memref<8x8xf32>, memref<8x8xf32>) outs(%p : memref<8x8xf32>) {
    ^bb0(%l: f32, %r: f32, %o: f32):
      %m = arith.mulf %l, %r : f32
      %s = arith.addf %o, %m : f32
      linalg.yield %s : f32
  }
  %q = memref.alloc() : memref<8x8xf32>
  linalg.fill ins(%z : f32) outs(%q : memref<8x8xf32>)
  linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %x : memref<8x8xf32>, memref<8x8xf32>) outs(%q : memref<8x8xf32>) {
    ^bb0(%l: f32, %r: f32, %o: f32):
      %m = arith.mulf %l, %r : f32
      %s = arith.addf %o, %m : f32
      linalg.yield %s : f32
  }
  return
}

// -----

#id = affine_map<(d0) -> (d0)>

// An op of a few steps stays.
// CHECK-LABEL: func.func @tiny
// CHECK: linalg.generic
// CHECK-NOT: call
func.func @tiny(%x: memref<3xf32>, %y: memref<3xf32>) {
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : memref<3xf32>) outs(%y : memref<3xf32>) {
    ^bb0(%a: f32, %o: f32):
      %s = arith.addf %a, %a : f32
      linalg.yield %s : f32
  }
  return
}

// -----

// Of many fills of all shapes there is one kernel, for any size.
// CHECK-LABEL: func.func @fills
// CHECK-COUNT-5: call @kernel_0
// CHECK: func.func private @kernel_0(%{{.*}}: memref<?xf32>)
// CHECK-NOT: @kernel_1
func.func @fills(%a: memref<8xf32>, %b: memref<4x4xf32>, %c: memref<2x3x4xf32>, %d: memref<9xf32>, %e: memref<?xf32>) {
  %z = arith.constant 0.0 : f32
  linalg.fill ins(%z : f32) outs(%a : memref<8xf32>)
  linalg.fill ins(%z : f32) outs(%b : memref<4x4xf32>)
  linalg.fill ins(%z : f32) outs(%c : memref<2x3x4xf32>)
  linalg.fill ins(%z : f32) outs(%d : memref<9xf32>)
  linalg.fill ins(%z : f32) outs(%e : memref<?xf32>)
  return
}

// -----

// Slices differ in where they begin, kernels do not.
// CHECK-LABEL: func.func @slices
// CHECK: call @[[kernel:kernel_[0-9]+]](
// CHECK: call @[[kernel]](
// CHECK: func.func private @[[kernel]](%{{.*}}: memref<20x8xf32, strided<[80, 1], offset: ?>>, %{{.*}}: memref<20x8xf32>)
// CHECK-NOT: func.func
#id = affine_map<(i, j) -> (i, j)>
func.func @slices(%x: memref<20x80xf32>, %y: memref<20x8xf32>) {
  %0 = memref.subview %x[0, 0] [20, 8] [1, 1] : memref<20x80xf32> to memref<20x8xf32, strided<[80, 1]>>
  %1 = memref.subview %x[0, 8] [20, 8] [1, 1] : memref<20x80xf32> to memref<20x8xf32, strided<[80, 1], offset: 8>>
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%0 : memref<20x8xf32, strided<[80, 1]>>) outs(%y : memref<20x8xf32>) {
    ^bb0(%a: f32, %b: f32):
      %s = arith.addf %b, %a : f32
      linalg.yield %s : f32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%1 : memref<20x8xf32, strided<[80, 1], offset: 8>>) outs(%y : memref<20x8xf32>) {
    ^bb0(%a: f32, %b: f32):
      %s = arith.addf %b, %a : f32
      linalg.yield %s : f32
  }
  return
}
