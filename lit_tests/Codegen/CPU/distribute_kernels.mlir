// RUN: janus-opt %s --janus-cpu-distribute-kernels=cores=2 --split-input-file | FileCheck %s

#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (k, n)>
#c = affine_map<(m, n, k) -> (m, n)>

// Rows of the result, with the rows of A that they need and all of B; the fill goes along.
// CHECK-LABEL: func.func private @matmul_part
// CHECK-SAME: (%[[FROM:.*]]: index, %[[TO:.*]]: index, %[[A:.*]]: memref<512x512xf32>, %[[B:.*]]: memref<512x512xf32>, %[[C:.*]]: memref<512x512xf32>)
// CHECK-SAME: janus.part
// CHECK: scf.for %[[I:.*]] = %[[FROM]] to %[[TO]]
// CHECK: %[[FIRST:.*]] = arith.muli %[[I]], %{{.*}} : index
// CHECK: %[[PA:.*]] = memref.subview %[[A]][%[[FIRST]], 0] [128, 512] [1, 1]
// CHECK: %[[PC:.*]] = memref.subview %[[C]][%[[FIRST]], 0] [128, 512] [1, 1]
// CHECK: linalg.fill {{.*}} outs(%[[PC]]
// CHECK: linalg.generic {{.*}} ins(%[[PA]], %[[B]] : {{.*}}) outs(%[[PC]]
// CHECK-LABEL: func.func private @matmul(
// CHECK-NOT: linalg
// CHECK: call @matmul_part(%c0, %c4, %arg0, %arg1, %arg2)
func.func private @matmul(%a: memref<512x512xf32>, %b: memref<512x512xf32>, %c: memref<512x512xf32>) {
  %z = arith.constant 0.0 : f32
  linalg.fill ins(%z : f32) outs(%c : memref<512x512xf32>)
  linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : memref<512x512xf32>, memref<512x512xf32>) outs(%c : memref<512x512xf32>) {
    ^bb0(%x: f32, %y: f32, %o: f32):
      %p = arith.mulf %x, %y : f32
      %s = arith.addf %o, %p : f32
      linalg.yield %s : f32
  }
  return
}

// -----

#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (k, n)>
#c = affine_map<(m, n, k) -> (m, n)>

// Few rows meet much of B: each piece has columns of it.
// CHECK-LABEL: func.func private @wide_part
// CHECK: %[[PB:.*]] = memref.subview %{{.*}}[0, %{{.*}}] [400, {{[0-9]+}}] [1, 1] : memref<400x800xf32>
// CHECK: linalg.generic {{.*}} ins(%arg2, %[[PB]] :
func.func private @wide(%a: memref<20x400xf32>, %b: memref<400x800xf32>, %c: memref<20x800xf32>) {
  linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : memref<20x400xf32>, memref<400x800xf32>) outs(%c : memref<20x800xf32>) {
    ^bb0(%x: f32, %y: f32, %o: f32):
      %p = arith.mulf %x, %y : f32
      %s = arith.addf %o, %p : f32
      linalg.yield %s : f32
  }
  return
}

// -----

#in = affine_map<(n, h, f, k) -> (n, h * 2 + k)>
#filter = affine_map<(n, h, f, k) -> (k, f)>
#out = affine_map<(n, h, f, k) -> (n, h, f)>

// The one image is cut by its rows: windows reach over a piece's end.
// CHECK-LABEL: func.func private @windows_part
// CHECK: memref.subview %{{.*}}[0, %{{.*}}] [1, 513] [1, 1] : memref<1x8193xf32>
// CHECK: memref.subview %{{.*}}[0, %{{.*}}, 0] [1, 256, 256] [1, 1, 1] : memref<1x4096x256xf32>
func.func private @windows(%x: memref<1x8193xf32>, %w: memref<3x256xf32>, %y: memref<1x4096x256xf32>) {
  linalg.generic {indexing_maps = [#in, #filter, #out],
                  iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%x, %w : memref<1x8193xf32>, memref<3x256xf32>) outs(%y : memref<1x4096x256xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %p = arith.mulf %a, %b : f32
      %s = arith.addf %o, %p : f32
      linalg.yield %s : f32
  }
  return
}

// -----

#id = affine_map<(i) -> (i)>

// Of any size: the last piece may be shorter.
// CHECK-LABEL: func.func private @map_part
// CHECK: %[[TOTAL:.*]] = memref.dim
// CHECK: %[[REST:.*]] = arith.subi %[[TOTAL]]
// CHECK: %[[LENGTH:.*]] = arith.minsi %[[REST]]
// CHECK: memref.subview %{{.*}}[%{{.*}}] [%[[LENGTH]]] [1] : memref<?xf32>
// CHECK-LABEL: func.func private @map(
// CHECK: %[[PIECES:.*]] = arith.ceildivsi
// CHECK: call @map_part(%{{.*}}, %[[PIECES]], %arg0, %arg1)
func.func private @map(%x: memref<?xf32>, %y: memref<?xf32>) {
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : memref<?xf32>) outs(%y : memref<?xf32>) {
    ^bb0(%a: f32, %o: f32):
      %s = arith.addf %a, %a : f32
      linalg.yield %s : f32
  }
  return
}

// -----

#id = affine_map<(i) -> (i)>

// Those of any size that only small ones are given to stay whole.
// CHECK-LABEL: func.func private @alike(
// CHECK: linalg.generic
// CHECK-NOT: _part
func.func private @alike(%x: memref<?xf32>, %y: memref<?xf32>) {
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : memref<?xf32>) outs(%y : memref<?xf32>) {
    ^bb0(%a: f32, %o: f32):
      %s = arith.addf %a, %a : f32
      linalg.yield %s : f32
  }
  return
}
func.func @entry(%x: memref<16xf32>, %y: memref<16xf32>, %u: memref<99xf32>, %v: memref<99xf32>) {
  %0 = memref.cast %x : memref<16xf32> to memref<?xf32>
  %1 = memref.cast %y : memref<16xf32> to memref<?xf32>
  call @alike(%0, %1) : (memref<?xf32>, memref<?xf32>) -> ()
  %2 = memref.cast %u : memref<99xf32> to memref<?xf32>
  %3 = memref.cast %v : memref<99xf32> to memref<?xf32>
  call @alike(%2, %3) : (memref<?xf32>, memref<?xf32>) -> ()
  return
}

// -----

#id = affine_map<(i, j) -> (i, j)>
#row = affine_map<(i, j) -> (i)>
#column = affine_map<(i, j) -> (j)>
#none = affine_map<(i, j) -> ()>
#reversed = affine_map<(i, j) -> (1023 - i, j)>

// Too little to do.
// CHECK-LABEL: func.func private @small(
// CHECK: linalg.generic
func.func private @small(%x: memref<16x16xf32>, %y: memref<16x16xf32>) {
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : memref<16x16xf32>) outs(%y : memref<16x16xf32>) {
    ^bb0(%a: f32, %o: f32):
      %s = arith.addf %a, %a : f32
      linalg.yield %s : f32
  }
  return
}

// One sum of everything: another order would be another result.
// CHECK-LABEL: func.func private @sum(
// CHECK: linalg.generic
func.func private @sum(%x: memref<1024x4096xf32>, %y: memref<f32>) {
  linalg.generic {indexing_maps = [#id, #none], iterator_types = ["reduction", "reduction"]}
      ins(%x : memref<1024x4096xf32>) outs(%y : memref<f32>) {
    ^bb0(%a: f32, %o: f32):
      %s = arith.addf %o, %a : f32
      linalg.yield %s : f32
  }
  return
}

// The sums of columns are cut by columns.
// CHECK-LABEL: func.func private @columns_part
// CHECK: memref.subview %{{.*}}[0, %{{.*}}] [1024, 256] [1, 1]
// CHECK: memref.subview %{{.*}}[%{{.*}}] [256] [1]
func.func private @columns(%x: memref<1024x4096xf32>, %y: memref<4096xf32>) {
  linalg.generic {indexing_maps = [#id, #column], iterator_types = ["reduction", "parallel"]}
      ins(%x : memref<1024x4096xf32>) outs(%y : memref<4096xf32>) {
    ^bb0(%a: f32, %o: f32):
      %s = arith.addf %o, %a : f32
      linalg.yield %s : f32
  }
  return
}

// Steps of the first dimension go back in the input; the second can be cut.
// CHECK-LABEL: func.func private @flip_part
// CHECK: memref.subview %{{.*}}[0, %{{.*}}] [1024, 256] [1, 1]
func.func private @flip(%x: memref<1024x4096xf32>, %y: memref<1024x4096xf32>) {
  linalg.generic {indexing_maps = [#reversed, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : memref<1024x4096xf32>) outs(%y : memref<1024x4096xf32>) {
    ^bb0(%a: f32, %o: f32):
      linalg.yield %a : f32
  }
  return
}

// What an element is depends on where it is: in the whole, not in the piece.
// CHECK-LABEL: func.func private @iota_part
// CHECK: %[[FIRST:.*]] = arith.muli
// CHECK: %[[I:.*]] = linalg.index 0
// CHECK: %[[AT:.*]] = arith.addi %[[I]], %[[FIRST]]
// CHECK: %[[J:.*]] = linalg.index 1
// CHECK: arith.muli %[[AT]], %[[J]]
func.func private @iota(%y: memref<1024x4096xi64>) {
  linalg.generic {indexing_maps = [#id], iterator_types = ["parallel", "parallel"]}
      outs(%y : memref<1024x4096xi64>) {
    ^bb0(%o: i64):
      %i = linalg.index 0 : index
      %j = linalg.index 1 : index
      %p = arith.muli %i, %j : index
      %n = arith.index_cast %p : index to i64
      linalg.yield %n : i64
  }
  return
}

// Not outlined.
// CHECK-LABEL: func.func @entry(
// CHECK: linalg.generic
func.func @entry(%x: memref<1024x4096xf32>, %y: memref<1024x4096xf32>) {
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : memref<1024x4096xf32>) outs(%y : memref<1024x4096xf32>) {
    ^bb0(%a: f32, %o: f32):
      linalg.yield %a : f32
  }
  return
}
