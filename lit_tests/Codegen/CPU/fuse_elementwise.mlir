// RUN: janus-opt %s --janus-cpu-fuse-elementwise --split-input-file | FileCheck %s

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>

// A chain and the reduction behind it are one op.
// CHECK-LABEL: func.func @chain
// CHECK: linalg.generic
// CHECK-SAME: ["parallel", "reduction"]
// CHECK: math.exp
// CHECK: arith.mulf
// CHECK: arith.addf
// CHECK-NOT: linalg.generic
func.func @chain(%x: tensor<4x8xf32>, %y: tensor<4x8xf32>) -> tensor<4xf32> {
  %0 = math.exp %x : tensor<4x8xf32>
  %1 = arith.mulf %0, %y : tensor<4x8xf32>
  %z = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4xf32>
  %i = linalg.fill ins(%z : f32) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %r = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%1 : tensor<4x8xf32>) outs(%i : tensor<4xf32>) {
    ^bb0(%a: f32, %c: f32):
      %s = arith.addf %c, %a : f32
      linalg.yield %s : f32
  } -> tensor<4xf32>
  return %r : tensor<4xf32>
}

// -----

// What a contraction reads many times is computed once.
// CHECK-LABEL: func.func @contraction
// CHECK: linalg.generic
// CHECK: math.exp
// CHECK: linalg.generic
// CHECK-SAME: ["parallel", "parallel", "reduction"]
// CHECK-NOT: math.exp
func.func @contraction(%x: tensor<4x8xf32>, %y: tensor<8x5xf32>) -> tensor<4x5xf32> {
  %0 = math.exp %x : tensor<4x8xf32>
  %z = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x5xf32>
  %i = linalg.fill ins(%z : f32) outs(%e : tensor<4x5xf32>) -> tensor<4x5xf32>
  %r = linalg.matmul ins(%0, %y : tensor<4x8xf32>, tensor<8x5xf32>) outs(%i : tensor<4x5xf32>) -> tensor<4x5xf32>
  return %r : tensor<4x5xf32>
}

// -----

// A dear value with two users is computed once.
// CHECK-LABEL: func.func @shared
// CHECK-COUNT-1: math.tanh
// CHECK-NOT: math.tanh
func.func @shared(%x: tensor<8xf32>) -> (tensor<8xf32>, tensor<8xf32>) {
  %0 = math.tanh %x : tensor<8xf32>
  %1 = arith.addf %0, %x : tensor<8xf32>
  %2 = arith.mulf %0, %x : tensor<8xf32>
  return %1, %2 : tensor<8xf32>, tensor<8xf32>
}

// -----

// CHECK-LABEL: func.func @pad
// CHECK-NOT: tensor.pad
// CHECK: linalg.fill
// CHECK: tensor.insert_slice
func.func @pad(%x: tensor<4xf32>) -> tensor<6xf32> {
  %z = arith.constant 0.0 : f32
  %p = tensor.pad %x low[1] high[1] {
    ^bb0(%i: index):
      tensor.yield %z : f32
  } : tensor<4xf32> to tensor<6xf32>
  return %p : tensor<6xf32>
}

// -----

#x = affine_map<(i, j) -> (i)>
#y = affine_map<(i, j) -> (j)>
#xy = affine_map<(i, j) -> (i, j)>
#all = affine_map<(i, j) -> ()>

// An outer product that is accumulated stays apart from the sum over it: what it is added to is no partial sum.
// CHECK-LABEL: func.func @accumulated
// CHECK: %[[PRODUCT:.*]] = linalg.generic
// CHECK-SAME: iterator_types = ["parallel", "parallel"]
// CHECK: linalg.generic
// CHECK-SAME: iterator_types = ["reduction", "reduction"]
// CHECK-SAME: ins(%[[PRODUCT]]
func.func @accumulated(%x: tensor<8xf32>, %y: tensor<8xf32>, %init: tensor<8x8xf32>, %sum: tensor<f32>) -> tensor<f32> {
  %0 = linalg.generic {indexing_maps = [#x, #y, #xy], iterator_types = ["parallel", "parallel"]}
      ins(%x, %y : tensor<8xf32>, tensor<8xf32>) outs(%init : tensor<8x8xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %m = arith.mulf %a, %b : f32
      %s = arith.addf %o, %m : f32
      linalg.yield %s : f32
  } -> tensor<8x8xf32>
  %1 = linalg.generic {indexing_maps = [#xy, #all], iterator_types = ["reduction", "reduction"]}
      ins(%0 : tensor<8x8xf32>) outs(%sum : tensor<f32>) {
    ^bb0(%a: f32, %o: f32):
      %s = arith.addf %a, %o : f32
      linalg.yield %s : f32
  } -> tensor<f32>
  return %1 : tensor<f32>
}

// -----

// Sums with two users each are computed once, for doing them again would read the whole chain again.
// CHECK-LABEL: func.func @sums
// CHECK-COUNT-2: arith.addf
// CHECK-NOT: arith.addf
func.func @sums(%x: tensor<8xf32>, %y: tensor<8xf32>, %z: tensor<8xf32>) -> (tensor<8xf32>, tensor<8xf32>, tensor<8xf32>) {
  %0 = arith.addf %x, %y : tensor<8xf32>
  %1 = arith.negf %0 : tensor<8xf32>
  %2 = arith.addf %0, %z : tensor<8xf32>
  %3 = arith.negf %2 : tensor<8xf32>
  return %1, %2, %3 : tensor<8xf32>, tensor<8xf32>, tensor<8xf32>
}

// -----

#whole = affine_map<(i, j) -> (i, j)>
#first = affine_map<(i, j) -> (i)>

// A row added to each row is done again in both users: it reads no more than they would.
// CHECK-LABEL: func.func @biased
// CHECK: arith.addf
// CHECK-NEXT: arith.negf
// CHECK: arith.addf
// CHECK-NEXT: arith.mulf
func.func @biased(%x: tensor<4x8xf32>, %row: tensor<4xf32>) -> (tensor<4x8xf32>, tensor<4x8xf32>) {
  %e = tensor.empty() : tensor<4x8xf32>
  %0 = linalg.generic {indexing_maps = [#whole, #first, #whole], iterator_types = ["parallel", "parallel"]}
      ins(%x, %row : tensor<4x8xf32>, tensor<4xf32>) outs(%e : tensor<4x8xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %s = arith.addf %a, %b : f32
      linalg.yield %s : f32
  } -> tensor<4x8xf32>
  %1 = arith.negf %0 : tensor<4x8xf32>
  %2 = arith.mulf %0, %x : tensor<4x8xf32>
  return %1, %2 : tensor<4x8xf32>, tensor<4x8xf32>
}
