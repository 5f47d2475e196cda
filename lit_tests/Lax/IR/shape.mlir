// RUN: janus-opt %s | janus-opt | FileCheck %s
// RUN: janus-opt %s --mlir-print-op-generic | janus-opt | FileCheck %s

// CHECK-LABEL: func @create
// CHECK-SAME: %[[N:.*]]: index
func.func @create(%n: index, %x: tensor<8xf32>, %one: tensor<1xf32>) {
  // CHECK: lax.iota dimension = 0 : tensor<8xi32>
  %0 = lax.iota dimension = 0 : tensor<8xi32>
  // CHECK: lax.iota dimension = 1 shape(%[[N]]) : tensor<?x4xf32>
  %1 = lax.iota dimension = 1 shape(%n) : tensor<?x4xf32>
  // CHECK: lax.broadcast_in_dim %{{.*}} dims = [1] : tensor<8xf32> -> tensor<4x8xf32>
  %2 = lax.broadcast_in_dim %x dims = [1] : tensor<8xf32> -> tensor<4x8xf32>
  // CHECK: lax.broadcast_in_dim %{{.*}} dims = [1] shape(%[[N]], %[[N]]) : tensor<1xf32> -> tensor<?x?xf32>
  %3 = lax.broadcast_in_dim %one dims = [1] shape(%n, %n) : tensor<1xf32> -> tensor<?x?xf32>
  return
}

// CHECK-LABEL: func @arrange
// CHECK-SAME: %[[N:.*]]: index
func.func @arrange(%n: index, %x: tensor<?x8xf32>, %y: tensor<1x8x1xf32>) {
  // CHECK: lax.reshape %{{.*}} shape(%[[N]]) : tensor<?x8xf32> -> tensor<?xf32>
  %0 = lax.reshape %x shape(%n) : tensor<?x8xf32> -> tensor<?xf32>
  // CHECK: lax.reshape %{{.*}} : tensor<1x8x1xf32> -> tensor<2x4xf32>
  %1 = lax.reshape %y : tensor<1x8x1xf32> -> tensor<2x4xf32>
  // CHECK: lax.squeeze %{{.*}} dims = [0, 2] : tensor<1x8x1xf32> -> tensor<8xf32>
  %2 = lax.squeeze %y dims = [0, 2] : tensor<1x8x1xf32> -> tensor<8xf32>
  // CHECK: lax.expand_dims %{{.*}} dims = [0, 2] : tensor<8xf32> -> tensor<1x8x1xf32>
  %3 = lax.expand_dims %2 dims = [0, 2] : tensor<8xf32> -> tensor<1x8x1xf32>
  // CHECK: lax.transpose %{{.*}} permutation = [1, 0] : tensor<?x8xf32> -> tensor<8x?xf32>
  %4 = lax.transpose %x permutation = [1, 0] : tensor<?x8xf32> -> tensor<8x?xf32>
  // CHECK: lax.rev %{{.*}} dims = [0] : tensor<?x8xf32>
  %5 = lax.rev %x dims = [0] : tensor<?x8xf32>
  return
}

// CHECK-LABEL: func @join
// CHECK-SAME: %[[N:.*]]: index
func.func @join(%n: index, %x: tensor<4x8xf32>, %y: tensor<?x8xf32>, %zero: tensor<f32>) {
  // CHECK: lax.concatenate %{{.*}}, %{{.*}} dimension = 0 : (tensor<4x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  %0 = lax.concatenate %x, %y dimension = 0 : (tensor<4x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  // CHECK: lax.split %{{.*}} axis = 0 sizes = [1, 3] : tensor<4x8xf32> -> tensor<1x8xf32>, tensor<3x8xf32>
  %1:2 = lax.split %x axis = 0 sizes = [1, 3] : tensor<4x8xf32> -> tensor<1x8xf32>, tensor<3x8xf32>
  // CHECK: lax.split %{{.*}} axis = 0 sizes = [1, %[[N]]] : tensor<?x8xf32> -> tensor<1x8xf32>, tensor<?x8xf32>
  %2:2 = lax.split %y axis = 0 sizes = [1, %n] : tensor<?x8xf32> -> tensor<1x8xf32>, tensor<?x8xf32>
  // CHECK: lax.stack %{{.*}}, %{{.*}} axis = 1 : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x2x8xf32>
  %3 = lax.stack %x, %x axis = 1 : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x2x8xf32>
  // CHECK: lax.unstack %{{.*}} axis = 1 : tensor<4x2x8xf32> -> tensor<4x8xf32>, tensor<4x8xf32>
  %4:2 = lax.unstack %3 axis = 1 : tensor<4x2x8xf32> -> tensor<4x8xf32>, tensor<4x8xf32>
  // CHECK: lax.tile %{{.*}} reps = [2, 1] : tensor<?x8xf32> -> tensor<?x8xf32>
  %5 = lax.tile %y reps = [2, 1] : tensor<?x8xf32> -> tensor<?x8xf32>
  // CHECK: lax.pad %{{.*}}, %{{.*}} low = [0, -1] high = [1, 0] interior = [0, 1] : tensor<4x8xf32>, tensor<f32> -> tensor<5x14xf32>
  %6 = lax.pad %x, %zero low = [0, -1] high = [1, 0] interior = [0, 1]
      : tensor<4x8xf32>, tensor<f32> -> tensor<5x14xf32>
  // CHECK: lax.pad %{{.*}}, %{{.*}} low = [%[[N]], 0] high = [0, %[[N]]] interior = [0, 0] : tensor<4x8xf32>, tensor<f32> -> tensor<?x?xf32>
  %7 = lax.pad %x, %zero low = [%n, 0] high = [0, %n] interior = [0, 0]
      : tensor<4x8xf32>, tensor<f32> -> tensor<?x?xf32>
  // CHECK: lax.optimization_barrier %{{.*}}, %{{.*}} : tensor<4x8xf32>, tensor<f32>
  %8:2 = lax.optimization_barrier %x, %zero : tensor<4x8xf32>, tensor<f32>
  return
}
