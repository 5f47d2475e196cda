// RUN: janus-opt %s --janus-cpu-transpose-operands | FileCheck %s

#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (k, n)>
#bt = affine_map<(m, n, k) -> (n, k)>
#c = affine_map<(m, n, k) -> (m, n)>

// CHECK-DAG: #[[$SWAPPED:.*]] = affine_map<(d0, d1) -> (d1, d0)>
// CHECK-DAG: #[[$B:.*]] = affine_map<(d0, d1, d2) -> (d2, d1)>

// Two products with 32 rows each: 64 reads of each element.
// CHECK-LABEL: func.func @two
// CHECK: %[[T:.*]] = linalg.generic {indexing_maps = [#[[$SWAPPED]], {{.*}} ins(%arg2 : tensor<64x16xf32>) outs(%{{.*}} : tensor<16x64xf32>)
// CHECK: linalg.generic {indexing_maps = [#{{.*}}, #[[$B]], #{{.*}}], {{.*}} ins(%arg0, %[[T]]
// CHECK: linalg.generic {indexing_maps = [#{{.*}}, #[[$B]], #{{.*}}], {{.*}} ins(%arg1, %[[T]]
func.func @two(%x: tensor<32x16xf32>, %y: tensor<32x16xf32>, %w: tensor<64x16xf32>, %s: tensor<32x64xf32>)
    -> (tensor<32x64xf32>, tensor<32x64xf32>) {
  %0 = linalg.generic {indexing_maps = [#a, #bt, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<32x16xf32>, tensor<64x16xf32>) outs(%s : tensor<32x64xf32>) {
    ^bb0(%p: f32, %q: f32, %r: f32):
      %m = arith.mulf %p, %q : f32
      %t = arith.addf %r, %m : f32
      linalg.yield %t : f32
  } -> tensor<32x64xf32>
  %1 = linalg.generic {indexing_maps = [#a, #bt, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%y, %w : tensor<32x16xf32>, tensor<64x16xf32>) outs(%s : tensor<32x64xf32>) {
    ^bb0(%p: f32, %q: f32, %r: f32):
      %m = arith.mulf %p, %q : f32
      %t = arith.addf %r, %m : f32
      linalg.yield %t : f32
  } -> tensor<32x64xf32>
  return %0, %1 : tensor<32x64xf32>, tensor<32x64xf32>
}

// Once for all iterations.
// CHECK-LABEL: func.func @loop
// CHECK: %[[T:.*]] = linalg.generic {{.*}} ins(%arg0 : tensor<64x64xf32>)
// CHECK: scf.for
// CHECK: linalg.generic {{.*}} ins(%{{.*}}, %[[T]]
func.func @loop(%w: tensor<64x64xf32>, %x: tensor<8x64xf32>, %z: tensor<8x64xf32>, %n: index) -> tensor<8x64xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%at = %x) -> tensor<8x64xf32> {
    %0 = linalg.generic {indexing_maps = [#a, #bt, #c], iterator_types = ["parallel", "parallel", "reduction"]}
        ins(%at, %w : tensor<8x64xf32>, tensor<64x64xf32>) outs(%z : tensor<8x64xf32>) {
      ^bb0(%p: f32, %q: f32, %r: f32):
        %m = arith.mulf %p, %q : f32
        %t = arith.addf %r, %m : f32
        linalg.yield %t : f32
    } -> tensor<8x64xf32>
    scf.yield %0 : tensor<8x64xf32>
  }
  return %r : tensor<8x64xf32>
}

// Read eight times, or as it lies: left alone.
// CHECK-LABEL: func.func @few
// CHECK-COUNT-2: linalg.generic
// CHECK-NOT: linalg.generic
func.func @few(%w: tensor<64x64xf32>, %x: tensor<8x64xf32>, %y: tensor<99x64xf32>, %z: tensor<8x64xf32>,
               %zz: tensor<99x64xf32>) -> (tensor<8x64xf32>, tensor<99x64xf32>) {
  %0 = linalg.generic {indexing_maps = [#a, #bt, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<8x64xf32>, tensor<64x64xf32>) outs(%z : tensor<8x64xf32>) {
    ^bb0(%p: f32, %q: f32, %r: f32):
      %m = arith.mulf %p, %q : f32
      %t = arith.addf %r, %m : f32
      linalg.yield %t : f32
  } -> tensor<8x64xf32>
  %1 = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%y, %w : tensor<99x64xf32>, tensor<64x64xf32>) outs(%zz : tensor<99x64xf32>) {
    ^bb0(%p: f32, %q: f32, %r: f32):
      %m = arith.mulf %p, %q : f32
      %t = arith.addf %r, %m : f32
      linalg.yield %t : f32
  } -> tensor<99x64xf32>
  return %0, %1 : tensor<8x64xf32>, tensor<99x64xf32>
}
