// RUN: janus-opt %s | janus-opt | FileCheck %s
// RUN: janus-opt %s --mlir-print-op-generic | janus-opt | FileCheck %s

// CHECK-LABEL: func @reduce
func.func @reduce(%x: tensor<?x8x2xf32>, %p: tensor<4x8xi1>) {
  // CHECK: lax.reduce_sum %{{.*}} axes = [0, 2] : tensor<?x8x2xf32> -> tensor<8xf32>
  %0 = lax.reduce_sum %x axes = [0, 2] : tensor<?x8x2xf32> -> tensor<8xf32>
  %1 = lax.reduce_prod %x axes = [0, 1, 2] : tensor<?x8x2xf32> -> tensor<f32>
  %2 = lax.reduce_max %x axes = [1] : tensor<?x8x2xf32> -> tensor<?x2xf32>
  %3 = lax.reduce_min %x axes = [] : tensor<?x8x2xf32> -> tensor<?x8x2xf32>
  %4 = lax.reduce_and %p axes = [0] : tensor<4x8xi1> -> tensor<8xi1>
  %5 = lax.reduce_or %p axes = [0] : tensor<4x8xi1> -> tensor<8xi1>
  %6 = lax.reduce_xor %p axes = [0] : tensor<4x8xi1> -> tensor<8xi1>
  // CHECK: lax.argmax %{{.*}} axes = [1] : tensor<?x8x2xf32> -> tensor<?x2xi32>
  %7 = lax.argmax %x axes = [1] : tensor<?x8x2xf32> -> tensor<?x2xi32>
  // CHECK: lax.argmin %{{.*}} axes = [0] : tensor<4x8xi1> -> tensor<8xi64>
  %8 = lax.argmin %p axes = [0] : tensor<4x8xi1> -> tensor<8xi64>
  return
}

// CHECK-LABEL: func @scan
func.func @scan(%x: tensor<?x8xf32>) {
  // CHECK: lax.cumsum %{{.*}} axis = 1 : tensor<?x8xf32>
  %0 = lax.cumsum %x axis = 1 : tensor<?x8xf32>
  // CHECK: lax.cumprod %{{.*}} axis = 0 reverse = true : tensor<?x8xf32>
  %1 = lax.cumprod %x axis = 0 reverse = true : tensor<?x8xf32>
  %2 = lax.cummax %x axis = 1 : tensor<?x8xf32>
  %3 = lax.cummin %x axis = 1 : tensor<?x8xf32>
  // CHECK: lax.cumlogsumexp %{{.*}} axis = 1 : tensor<?x8xf32>
  %4 = lax.cumlogsumexp %x axis = 1 : tensor<?x8xf32>
  return
}

// CHECK-LABEL: func @order
func.func @order(%x: tensor<4x8xf32>, %i: tensor<4x8xi32>) {
  // CHECK: lax.sort %{{.*}} dimension = 1 num_keys = 1 is_stable = false : tensor<4x8xf32>
  %0 = lax.sort %x dimension = 1 num_keys = 1 is_stable = false : tensor<4x8xf32>
  // CHECK: lax.sort %{{.*}}, %{{.*}} dimension = 0 num_keys = 2 is_stable = true : tensor<4x8xf32>, tensor<4x8xi32>
  %1:2 = lax.sort %x, %i dimension = 0 num_keys = 2 is_stable = true : tensor<4x8xf32>, tensor<4x8xi32>
  // CHECK: lax.top_k %{{.*}} k = 2 axis = 1 : tensor<4x8xf32> -> tensor<4x2xf32>, tensor<4x2xi32>
  %v, %k = lax.top_k %x k = 2 axis = 1 : tensor<4x8xf32> -> tensor<4x2xf32>, tensor<4x2xi32>
  return
}
