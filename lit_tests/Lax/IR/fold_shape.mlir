// RUN: janus-opt %s --canonicalize --split-input-file | FileCheck %s

// CHECK-LABEL: func @identities
// CHECK-SAME: (%[[N:.*]]: index, %[[X:.*]]: tensor<?x8xf32>, %[[Y:.*]]: tensor<4x8xf32>
func.func @identities(%n: index, %x: tensor<?x8xf32>, %y: tensor<4x8xf32>, %i: tensor<i32>)
    -> (tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>, tensor<4x8xf32>, tensor<4x8xf32>, tensor<4x8xf32>, tensor<4x8xf32>, tensor<4x8xf32>) {
  // CHECK: return %[[X]], %[[X]], %[[X]], %[[Y]], %[[Y]], %[[Y]], %[[Y]], %[[Y]]
  %zero = arith.constant dense<0.0> : tensor<f32>
  %0 = lax.broadcast_in_dim %x dims = [0, 1] shape(%n) : tensor<?x8xf32> -> tensor<?x8xf32>
  %1 = lax.reshape %x shape(%n) : tensor<?x8xf32> -> tensor<?x8xf32>
  %2 = lax.transpose %x permutation = [0, 1] : tensor<?x8xf32> -> tensor<?x8xf32>
  %3 = lax.slice %y start = [0, 0] limit = [4, 8] strides = [1, 1] : tensor<4x8xf32> -> tensor<4x8xf32>
  %4 = lax.dynamic_slice %y[%i, %i] : tensor<4x8xf32>[tensor<i32>, tensor<i32>] -> tensor<4x8xf32>
  %5 = lax.pad %y, %zero low = [0, 0] high = [0, 0] interior = [0, 0] : tensor<4x8xf32>, tensor<f32> -> tensor<4x8xf32>
  %6 = lax.concatenate %y dimension = 0 : (tensor<4x8xf32>) -> tensor<4x8xf32>
  %7 = lax.reduce_sum %y axes = [] : tensor<4x8xf32> -> tensor<4x8xf32>
  return %0, %1, %2, %3, %4, %5, %6, %7 : tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>, tensor<4x8xf32>, tensor<4x8xf32>, tensor<4x8xf32>, tensor<4x8xf32>, tensor<4x8xf32>
}

// -----

// CHECK-LABEL: func @merge
// CHECK-SAME: (%[[N:.*]]: index, %[[X:.*]]: tensor<2x3x4xf32>, %[[Y:.*]]: tensor<3xf32>)
func.func @merge(%n: index, %x: tensor<2x3x4xf32>, %y: tensor<3xf32>)
    -> (tensor<24xf32>, tensor<3x4x2xf32>, tensor<2x3x4xf32>, tensor<?x5x3xf32>) {
  // CHECK: %[[R:.*]] = lax.reshape %[[X]] : tensor<2x3x4xf32> -> tensor<24xf32>
  // CHECK: %[[T:.*]] = lax.transpose %[[X]] permutation = [1, 2, 0] : tensor<2x3x4xf32> -> tensor<3x4x2xf32>
  // CHECK: %[[B:.*]] = lax.broadcast_in_dim %[[Y]] dims = [2] shape(%[[N]]) : tensor<3xf32> -> tensor<?x5x3xf32>
  // CHECK: return %[[R]], %[[T]], %[[X]], %[[B]]
  %0 = lax.reshape %x : tensor<2x3x4xf32> -> tensor<6x4xf32>
  %1 = lax.reshape %0 : tensor<6x4xf32> -> tensor<24xf32>
  %2 = lax.transpose %x permutation = [2, 0, 1] : tensor<2x3x4xf32> -> tensor<4x2x3xf32>
  %3 = lax.transpose %2 permutation = [2, 0, 1] : tensor<4x2x3xf32> -> tensor<3x4x2xf32>
  %4 = lax.transpose %2 permutation = [1, 2, 0] : tensor<4x2x3xf32> -> tensor<2x3x4xf32>
  %5 = lax.broadcast_in_dim %y dims = [1] : tensor<3xf32> -> tensor<5x3xf32>
  %6 = lax.broadcast_in_dim %5 dims = [1, 2] shape(%n) : tensor<5x3xf32> -> tensor<?x5x3xf32>
  return %1, %3, %4, %6 : tensor<24xf32>, tensor<3x4x2xf32>, tensor<2x3x4xf32>, tensor<?x5x3xf32>
}

// -----

// CHECK-LABEL: func @dims_of_size_one
// CHECK-SAME: (%[[X:.*]]: tensor<?xf32>, %[[Y:.*]]: tensor<1x?x1xf32>)
func.func @dims_of_size_one(%x: tensor<?xf32>, %y: tensor<1x?x1xf32>) -> (tensor<?xf32>, tensor<1x?x1xf32>) {
  // CHECK: return %[[X]], %[[Y]]
  %0 = lax.expand_dims %x dims = [0, 2] : tensor<?xf32> -> tensor<1x?x1xf32>
  %1 = lax.squeeze %0 dims = [0, 2] : tensor<1x?x1xf32> -> tensor<?xf32>
  %2 = lax.squeeze %y dims = [0, 2] : tensor<1x?x1xf32> -> tensor<?xf32>
  %3 = lax.expand_dims %2 dims = [0, 2] : tensor<?xf32> -> tensor<1x?x1xf32>
  return %1, %3 : tensor<?xf32>, tensor<1x?x1xf32>
}

// -----

// CHECK-LABEL: func @constants
func.func @constants() -> (tensor<2x8xf32>, tensor<2x2xi32>, tensor<8x4xf32>, tensor<7xi1>, tensor<1x2x2xi32>) {
  // CHECK-DAG: %[[B:.*]] = arith.constant dense<2.000000e+00> : tensor<2x8xf32>
  // CHECK-DAG: %[[R:.*]] = arith.constant dense<{{\[}}[1, 2], [3, 4]]> : tensor<2x2xi32>
  // CHECK-DAG: %[[T:.*]] = arith.constant dense<2.000000e+00> : tensor<8x4xf32>
  // CHECK-DAG: %[[C:.*]] = arith.constant dense<true> : tensor<7xi1>
  // CHECK-DAG: %[[E:.*]] = arith.constant dense<{{\[\[}}[1, 2], [3, 4]]]> : tensor<1x2x2xi32>
  // CHECK: return %[[B]], %[[R]], %[[T]], %[[C]], %[[E]]
  %two = arith.constant dense<2.0> : tensor<f32>
  %i = arith.constant dense<[1, 2, 3, 4]> : tensor<4xi32>
  %x = arith.constant dense<2.0> : tensor<4x8xf32>
  %p = arith.constant dense<true> : tensor<3xi1>
  %q = arith.constant dense<true> : tensor<4xi1>
  %0 = lax.broadcast_in_dim %two dims = [] : tensor<f32> -> tensor<2x8xf32>
  %1 = lax.reshape %i : tensor<4xi32> -> tensor<2x2xi32>
  %2 = lax.transpose %x permutation = [1, 0] : tensor<4x8xf32> -> tensor<8x4xf32>
  %3 = lax.concatenate %p, %q dimension = 0 : (tensor<3xi1>, tensor<4xi1>) -> tensor<7xi1>
  %4 = lax.expand_dims %1 dims = [0] : tensor<2x2xi32> -> tensor<1x2x2xi32>
  return %0, %1, %2, %3, %4 : tensor<2x8xf32>, tensor<2x2xi32>, tensor<8x4xf32>, tensor<7xi1>, tensor<1x2x2xi32>
}

// -----

// A start is clamped as it would be at run time.
// CHECK-LABEL: func @known_starts
func.func @known_starts(%x: tensor<4x8xf32>) -> tensor<2x3xf32> {
  // CHECK: lax.slice %{{.*}} start = [2, 0] limit = [4, 3] strides = [1, 1] : tensor<4x8xf32> -> tensor<2x3xf32>
  %far = arith.constant dense<100> : tensor<i32>
  %negative = arith.constant dense<-1> : tensor<i32>
  %0 = lax.dynamic_slice %x[%far, %negative] : tensor<4x8xf32>[tensor<i32>, tensor<i32>] -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// -----

// Two dynamic dims may be other than those of the operand.
// CHECK-LABEL: func @kept
func.func @kept(%n: index, %m: index, %x: tensor<?x?xf32>) -> tensor<?x?xf32> {
  // CHECK: lax.reshape
  %0 = lax.reshape %x shape(%n, %m) : tensor<?x?xf32> -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}

// -----

// Merged, this would broadcast 4 to 5.
// CHECK-LABEL: func @contradiction
func.func @contradiction(%n: index, %x: tensor<4xf32>) -> tensor<5xf32> {
  // CHECK-COUNT-2: lax.broadcast_in_dim
  %0 = lax.broadcast_in_dim %x dims = [0] shape(%n) : tensor<4xf32> -> tensor<?xf32>
  %1 = lax.broadcast_in_dim %0 dims = [0] : tensor<?xf32> -> tensor<5xf32>
  return %1 : tensor<5xf32>
}
