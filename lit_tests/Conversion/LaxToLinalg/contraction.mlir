// RUN: janus-opt %s --convert-lax-to-linalg --canonicalize --split-input-file | FileCheck %s

// A transposed operand is read through its map.

// CHECK-DAG: #[[$A:.*]] = affine_map<(d0, d1, d2) -> (d2, d0)>
// CHECK-DAG: #[[$B:.*]] = affine_map<(d0, d1, d2) -> (d2, d1)>
// CHECK-DAG: #[[$C:.*]] = affine_map<(d0, d1, d2) -> (d0, d1)>
// CHECK-LABEL: func @transposed
// CHECK-SAME: (%[[X:.*]]: tensor<8x4xf32>, %[[Y:.*]]: tensor<8x2xf32>)
func.func @transposed(%x: tensor<8x4xf32>, %y: tensor<8x2xf32>) -> tensor<4x2xf32> {
  // CHECK: linalg.generic {indexing_maps = [#[[$A]], #[[$B]], #[[$C]]], iterator_types = ["parallel", "parallel", "reduction"]}
  // CHECK-SAME: ins(%[[X]], %[[Y]]
  // CHECK: %[[M:.*]] = arith.mulf
  // CHECK: arith.addf %{{.*}}, %[[M]]
  %t = lax.transpose %x permutation = [1, 0] : tensor<8x4xf32> -> tensor<4x8xf32>
  %0 = lax.dot_general %t, %y contracting = [1] x [0] : (tensor<4x8xf32>, tensor<8x2xf32>) -> tensor<4x2xf32>
  return %0 : tensor<4x2xf32>
}

// -----

// CHECK-LABEL: func @vectors
func.func @vectors(%x: tensor<5xf16>, %y: tensor<5xf16>) -> tensor<f16> {
  // CHECK: linalg.generic {{.*}} iterator_types = ["reduction"]} ins({{.*}} : tensor<5xf16>, tensor<5xf16>) outs({{.*}} : tensor<f32>)
  // CHECK: arith.truncf %{{.*}} : f32 to f16
  %0 = lax.dot_general %x, %y contracting = [0] x [0] : (tensor<5xf16>, tensor<5xf16>) -> tensor<f16>
  return %0 : tensor<f16>
}

// -----

// CHECK: affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d0, d1 * 2 + d4, d2 * 2 + d5, d6)>
// CHECK-LABEL: func @convolution
func.func @convolution(%x: tensor<?x8x8x3xf32>, %k: tensor<3x3x3x16xf32>) -> tensor<?x4x4x16xf32> {
  // CHECK: tensor.pad %{{.*}} low[0, 1, 1, 0] high[0, 1, 1, 0]
  // CHECK: linalg.generic
  %0 = lax.conv_general_dilated %x, %k specs = [0, 3, 1, 2] x [3, 2, 0, 1] -> [0, 3, 1, 2]
      window (strides = [2, 2], padding = [1, 1, 1, 1])
      : (tensor<?x8x8x3xf32>, tensor<3x3x3x16xf32>) -> tensor<?x4x4x16xf32>
  return %0 : tensor<?x4x4x16xf32>
}
