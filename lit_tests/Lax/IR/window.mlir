// RUN: janus-opt %s | janus-opt | FileCheck %s
// RUN: janus-opt %s --mlir-print-op-generic | janus-opt | FileCheck %s

// CHECK-LABEL: func @windows
func.func @windows(%x: tensor<?x8x8x3xf32>, %y: tensor<4x8xf32>, %s: tensor<2x4xf32>) {
  // CHECK: lax.reduce_window_sum %{{.*}} window [1, 2, 2, 1] (strides = [1, 2, 2, 1]) : tensor<?x8x8x3xf32> -> tensor<?x4x4x3xf32>
  %0 = lax.reduce_window_sum %x window [1, 2, 2, 1] (strides = [1, 2, 2, 1])
      : tensor<?x8x8x3xf32> -> tensor<?x4x4x3xf32>
  // CHECK: lax.reduce_window_max %{{.*}} window [2, 2] : tensor<4x8xf32> -> tensor<3x7xf32>
  %1 = lax.reduce_window_max %y window [2, 2] : tensor<4x8xf32> -> tensor<3x7xf32>
  // CHECK: lax.reduce_window_min %{{.*}} window [2, 2] (padding = [1, 0, 0, 1], base_dilation = [2, 1], window_dilation = [1, 3]) {tag} : tensor<4x8xf32> -> tensor<7x6xf32>
  %2 = lax.reduce_window_min %y window [2, 2] (padding = [1, 0, 0, 1], base_dilation = [2, 1],
      window_dilation = [1, 3]) {tag} : tensor<4x8xf32> -> tensor<7x6xf32>
  // CHECK: lax.select_and_scatter_add %{{.*}}, %{{.*}} "ge" window [2, 2] (strides = [2, 2]) : tensor<2x4xf32>, tensor<4x8xf32>
  %3 = lax.select_and_scatter_add %s, %y "ge" window [2, 2] (strides = [2, 2]) : tensor<2x4xf32>, tensor<4x8xf32>
  // CHECK: lax.select_and_gather_add %{{.*}}, %{{.*}} "le" window [2, 2] (strides = [2, 2]) : tensor<4x8xf32> -> tensor<2x4xf32>
  %4 = lax.select_and_gather_add %y, %y "le" window [2, 2] (strides = [2, 2]) : tensor<4x8xf32> -> tensor<2x4xf32>
  return
}
