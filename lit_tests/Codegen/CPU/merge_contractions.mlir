// RUN: janus-opt %s --janus-cpu-merge-contractions | FileCheck %s

#a = affine_map<(i, j, k) -> (k, i)>
#b = affine_map<(i, j, k) -> (k, j)>
#c = affine_map<(i, j, k) -> (i, j)>

// Three products, of 2, 3 and 2 steps each, are one of 7.
// CHECK-LABEL: func.func @three
// CHECK: %[[X:.*]] = tensor.concat dim(0) %arg1, %arg3, %arg1 : {{.*}} -> tensor<7x16xf32>
// CHECK: %[[Y:.*]] = tensor.concat dim(0) %arg2, %arg4, %arg2 : {{.*}} -> tensor<7x8xf32>
// CHECK: %[[R:.*]] = linalg.generic {{.*}} ins(%[[X]], %[[Y]] : {{.*}}) outs(%arg0 :
// CHECK-NOT: linalg.generic
// CHECK: return %[[R]]
func.func @three(%start: tensor<16x8xf32>, %x: tensor<2x16xf32>, %y: tensor<2x8xf32>, %u: tensor<3x16xf32>,
                 %v: tensor<3x8xf32>) -> tensor<16x8xf32> {
  %0 = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %y : tensor<2x16xf32>, tensor<2x8xf32>) outs(%start : tensor<16x8xf32>) {
    ^bb0(%p: f32, %q: f32, %r: f32):
      %m = arith.mulf %p, %q : f32
      %s = arith.addf %r, %m : f32
      linalg.yield %s : f32
  } -> tensor<16x8xf32>
  %1 = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%u, %v : tensor<3x16xf32>, tensor<3x8xf32>) outs(%0 : tensor<16x8xf32>) {
    ^bb0(%p: f32, %q: f32, %r: f32):
      %m = arith.mulf %p, %q : f32
      %s = arith.addf %r, %m : f32
      linalg.yield %s : f32
  } -> tensor<16x8xf32>
  %2 = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %y : tensor<2x16xf32>, tensor<2x8xf32>) outs(%1 : tensor<16x8xf32>) {
    ^bb0(%p: f32, %q: f32, %r: f32):
      %m = arith.mulf %p, %q : f32
      %s = arith.addf %r, %m : f32
      linalg.yield %s : f32
  } -> tensor<16x8xf32>
  return %2 : tensor<16x8xf32>
}

// The first sum is needed as well.
// CHECK-LABEL: func.func @both
// CHECK-NOT: tensor.concat
func.func @both(%start: tensor<16x8xf32>, %x: tensor<2x16xf32>, %y: tensor<2x8xf32>)
    -> (tensor<16x8xf32>, tensor<16x8xf32>) {
  %0 = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %y : tensor<2x16xf32>, tensor<2x8xf32>) outs(%start : tensor<16x8xf32>) {
    ^bb0(%p: f32, %q: f32, %r: f32):
      %m = arith.mulf %p, %q : f32
      %s = arith.addf %r, %m : f32
      linalg.yield %s : f32
  } -> tensor<16x8xf32>
  %1 = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %y : tensor<2x16xf32>, tensor<2x8xf32>) outs(%0 : tensor<16x8xf32>) {
    ^bb0(%p: f32, %q: f32, %r: f32):
      %m = arith.mulf %p, %q : f32
      %s = arith.addf %r, %m : f32
      linalg.yield %s : f32
  } -> tensor<16x8xf32>
  return %0, %1 : tensor<16x8xf32>, tensor<16x8xf32>
}

// Long operands and a small result: copies would cost more.
// CHECK-LABEL: func.func @long
// CHECK-NOT: tensor.concat
func.func @long(%start: tensor<16x8xf32>, %x: tensor<64x16xf32>, %y: tensor<64x8xf32>) -> tensor<16x8xf32> {
  %0 = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %y : tensor<64x16xf32>, tensor<64x8xf32>) outs(%start : tensor<16x8xf32>) {
    ^bb0(%p: f32, %q: f32, %r: f32):
      %m = arith.mulf %p, %q : f32
      %s = arith.addf %r, %m : f32
      linalg.yield %s : f32
  } -> tensor<16x8xf32>
  %1 = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %y : tensor<64x16xf32>, tensor<64x8xf32>) outs(%0 : tensor<16x8xf32>) {
    ^bb0(%p: f32, %q: f32, %r: f32):
      %m = arith.mulf %p, %q : f32
      %s = arith.addf %r, %m : f32
      linalg.yield %s : f32
  } -> tensor<16x8xf32>
  return %1 : tensor<16x8xf32>
}
