// RUN: janus-opt %s | janus-opt | FileCheck %s
// RUN: janus-opt %s --mlir-print-op-generic | janus-opt | FileCheck %s

// CHECK-LABEL: func @dot_general
func.func @dot_general(%a: tensor<?x8xf32>, %b: tensor<8x2xf32>, %c: tensor<3x4x8xbf16>, %d: tensor<3x8x2xbf16>) {
  // CHECK: lax.dot_general %{{.*}}, %{{.*}} contracting = [1] x [0] : (tensor<?x8xf32>, tensor<8x2xf32>) -> tensor<?x2xf32>
  %0 = lax.dot_general %a, %b contracting = [1] x [0] : (tensor<?x8xf32>, tensor<8x2xf32>) -> tensor<?x2xf32>
  // CHECK: lax.dot_general %{{.*}}, %{{.*}} batch = [0] x [0] contracting = [2] x [1] : (tensor<3x4x8xbf16>, tensor<3x8x2xbf16>) -> tensor<3x4x2xf32>
  %1 = lax.dot_general %c, %d batch = [0] x [0] contracting = [2] x [1]
      : (tensor<3x4x8xbf16>, tensor<3x8x2xbf16>) -> tensor<3x4x2xf32>
  // CHECK: contracting = [] x [] : (tensor<?x8xf32>, tensor<8x2xf32>) -> tensor<?x8x8x2xf32>
  %2 = lax.dot_general %a, %b contracting = [] x [] : (tensor<?x8xf32>, tensor<8x2xf32>) -> tensor<?x8x8x2xf32>
  return
}

// CHECK-LABEL: func @conv
func.func @conv(%x: tensor<?x8x8x4xf32>, %k: tensor<3x3x4x16xf32>, %g: tensor<3x3x2x16xf32>) {
  // CHECK: lax.conv_general_dilated %{{.*}}, %{{.*}} specs = [0, 3, 1, 2] x [3, 2, 0, 1] -> [0, 3, 1, 2] : (tensor<?x8x8x4xf32>, tensor<3x3x4x16xf32>) -> tensor<?x6x6x16xf32>
  %0 = lax.conv_general_dilated %x, %k specs = [0, 3, 1, 2] x [3, 2, 0, 1] -> [0, 3, 1, 2]
      : (tensor<?x8x8x4xf32>, tensor<3x3x4x16xf32>) -> tensor<?x6x6x16xf32>
  // CHECK: -> [0, 3, 1, 2] window (strides = [2, 2], padding = [1, 1, 1, 1]) : (
  %1 = lax.conv_general_dilated %x, %k specs = [0, 3, 1, 2] x [3, 2, 0, 1] -> [0, 3, 1, 2]
      window (strides = [2, 2], padding = [1, 1, 1, 1])
      : (tensor<?x8x8x4xf32>, tensor<3x3x4x16xf32>) -> tensor<?x4x4x16xf32>
  // CHECK: window (lhs_dilation = [2, 2], rhs_dilation = [2, 1]) feature_group_count = 2 : (
  %2 = lax.conv_general_dilated %x, %g specs = [0, 3, 1, 2] x [3, 2, 0, 1] -> [0, 3, 1, 2]
      window (lhs_dilation = [2, 2], rhs_dilation = [2, 1]) feature_group_count = 2
      : (tensor<?x8x8x4xf32>, tensor<3x3x2x16xf32>) -> tensor<?x11x13x16xf32>
  // CHECK: batch_group_count = 4 : (
  %3 = lax.conv_general_dilated %x, %k specs = [0, 3, 1, 2] x [3, 2, 0, 1] -> [0, 3, 1, 2] batch_group_count = 4
      : (tensor<?x8x8x4xf32>, tensor<3x3x4x16xf32>) -> tensor<?x6x6x16xf32>
  return
}
