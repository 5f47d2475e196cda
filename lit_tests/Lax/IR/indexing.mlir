// RUN: janus-opt %s | janus-opt | FileCheck %s
// RUN: janus-opt %s --mlir-print-op-generic | janus-opt | FileCheck %s

// CHECK-LABEL: func @slices
// CHECK-SAME: %[[N:.*]]: index
func.func @slices(%n: index, %x: tensor<4x8xf32>, %y: tensor<?x8xf32>, %i: tensor<i32>, %u: tensor<2x2xf32>,
                  %s: tensor<f32>) {
  // CHECK: lax.slice %{{.*}} start = [1, 0] limit = [3, 8] strides = [1, 3] : tensor<4x8xf32> -> tensor<2x3xf32>
  %0 = lax.slice %x start = [1, 0] limit = [3, 8] strides = [1, 3] : tensor<4x8xf32> -> tensor<2x3xf32>
  // CHECK: lax.slice %{{.*}} start = [1, %[[N]]] limit = [%[[N]], 8] strides = [1, 1] : tensor<?x8xf32> -> tensor<?x?xf32>
  %1 = lax.slice %y start = [1, %n] limit = [%n, 8] strides = [1, 1] : tensor<?x8xf32> -> tensor<?x?xf32>
  // CHECK: lax.dynamic_slice %{{.*}}[%{{.*}}, %{{.*}}] : tensor<4x8xf32>[tensor<i32>, tensor<i32>] -> tensor<2x2xf32>
  %2 = lax.dynamic_slice %x[%i, %i] : tensor<4x8xf32>[tensor<i32>, tensor<i32>] -> tensor<2x2xf32>
  // CHECK: lax.dynamic_slice %{{.*}}[%{{.*}}, %{{.*}}] shape(%[[N]]) : tensor<?x8xf32>[tensor<i32>, tensor<i32>] -> tensor<?x2xf32>
  %3 = lax.dynamic_slice %y[%i, %i] shape(%n) : tensor<?x8xf32>[tensor<i32>, tensor<i32>] -> tensor<?x2xf32>
  // CHECK: lax.dynamic_update_slice %{{.*}}, %{{.*}}[%{{.*}}, %{{.*}}] : tensor<4x8xf32>, tensor<2x2xf32>[tensor<i32>, tensor<i32>]
  %4 = lax.dynamic_update_slice %x, %u[%i, %i] : tensor<4x8xf32>, tensor<2x2xf32>[tensor<i32>, tensor<i32>]
  // CHECK: lax.dynamic_slice %{{.*}}[] : tensor<f32> -> tensor<f32>
  %5 = lax.dynamic_slice %s[] : tensor<f32> -> tensor<f32>
  return
}

// CHECK-LABEL: func @gather
func.func @gather(%n: index, %x: tensor<4x8xf32>, %b: tensor<3x4x8xf32>, %i: tensor<3x1xi32>, %y: tensor<?x?xf32>,
                  %j: tensor<?x1xi64>) {
  // CHECK: lax.gather %{{.*}}, %{{.*}} offset_dims = [1] collapsed_slice_dims = [0] start_index_map = [0] slice_sizes = [1, 8] mode = "clip" : tensor<4x8xf32>, tensor<3x1xi32> -> tensor<3x8xf32>
  %0 = lax.gather %x, %i offset_dims = [1] collapsed_slice_dims = [0] start_index_map = [0] slice_sizes = [1, 8]
      mode = "clip" : tensor<4x8xf32>, tensor<3x1xi32> -> tensor<3x8xf32>
  // CHECK: operand_batching_dims = [0] start_indices_batching_dims = [0] slice_sizes = [1, 1, 8] mode = "fill" fill_value = 0.000000e+00 : f32 indices_are_sorted = true unique_indices = true
  %1 = lax.gather %b, %i offset_dims = [1] collapsed_slice_dims = [1] start_index_map = [1]
      operand_batching_dims = [0] start_indices_batching_dims = [0] slice_sizes = [1, 1, 8] mode = "fill"
      fill_value = 0.0 : f32 indices_are_sorted = true unique_indices = true
      : tensor<3x4x8xf32>, tensor<3x1xi32> -> tensor<3x8xf32>
  // CHECK: shape(%{{.*}}, %{{.*}}) offset_dims = [1] {{.*}} : tensor<?x?xf32>, tensor<?x1xi64> -> tensor<?x?xf32>
  %2 = lax.gather %y, %j shape(%n, %n) offset_dims = [1] collapsed_slice_dims = [0] start_index_map = [0]
      slice_sizes = [1, -9223372036854775808] mode = "promise_in_bounds"
      : tensor<?x?xf32>, tensor<?x1xi64> -> tensor<?x?xf32>
  return
}

// CHECK-LABEL: func @scatter
func.func @scatter(%x: tensor<4x8xf32>, %i: tensor<3x1xi32>, %u: tensor<3x8xf32>, %b: tensor<3x4x8xf32>) {
  // CHECK: lax.scatter %{{.*}}, %{{.*}}, %{{.*}} update_window_dims = [1] inserted_window_dims = [0] scatter_dims_to_operand_dims = [0] mode = "fill" : tensor<4x8xf32>, tensor<3x1xi32>, tensor<3x8xf32>
  %0 = lax.scatter %x, %i, %u update_window_dims = [1] inserted_window_dims = [0] scatter_dims_to_operand_dims = [0]
      mode = "fill" : tensor<4x8xf32>, tensor<3x1xi32>, tensor<3x8xf32>
  // CHECK: lax.scatter_add {{.*}} operand_batching_dims = [0] scatter_indices_batching_dims = [0] mode = "clip" unique_indices = true
  %1 = lax.scatter_add %b, %i, %u update_window_dims = [1] inserted_window_dims = [1]
      scatter_dims_to_operand_dims = [1] operand_batching_dims = [0] scatter_indices_batching_dims = [0]
      mode = "clip" unique_indices = true : tensor<3x4x8xf32>, tensor<3x1xi32>, tensor<3x8xf32>
  // CHECK: lax.scatter_sub
  %2 = lax.scatter_sub %x, %i, %u update_window_dims = [1] inserted_window_dims = [0]
      scatter_dims_to_operand_dims = [0] mode = "fill" : tensor<4x8xf32>, tensor<3x1xi32>, tensor<3x8xf32>
  // CHECK: lax.scatter_mul
  %3 = lax.scatter_mul %x, %i, %u update_window_dims = [1] inserted_window_dims = [0]
      scatter_dims_to_operand_dims = [0] mode = "fill" : tensor<4x8xf32>, tensor<3x1xi32>, tensor<3x8xf32>
  // CHECK: lax.scatter_min
  %4 = lax.scatter_min %x, %i, %u update_window_dims = [1] inserted_window_dims = [0]
      scatter_dims_to_operand_dims = [0] mode = "fill" : tensor<4x8xf32>, tensor<3x1xi32>, tensor<3x8xf32>
  // CHECK: lax.scatter_max
  %5 = lax.scatter_max %x, %i, %u update_window_dims = [1] inserted_window_dims = [0]
      scatter_dims_to_operand_dims = [0] mode = "promise_in_bounds"
      : tensor<4x8xf32>, tensor<3x1xi32>, tensor<3x8xf32>
  return
}
