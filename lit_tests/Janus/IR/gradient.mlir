// RUN: janus-opt %s | janus-opt | FileCheck %s

// CHECK-LABEL: func.func @gradients
func.func @gradients(%x: tensor<4xf32>, %n: i64) -> (tensor<f32>, i64, tensor<4xf32>) {
  // CHECK: %{{.*}}:3 = janus.value_and_grad @loss(%arg0, %arg1) {wrt = array<i64: 0>} : (tensor<4xf32>, i64) -> (tensor<f32>, i64, tensor<4xf32>)
  %v, %aux, %g = janus.value_and_grad @loss(%x, %n) {wrt = array<i64: 0>}
      : (tensor<4xf32>, i64) -> (tensor<f32>, i64, tensor<4xf32>)
  return %v, %aux, %g : tensor<f32>, i64, tensor<4xf32>
}
func.func private @loss(%x: tensor<4xf32>, %n: i64) -> (tensor<f32>, i64) {
  // CHECK: janus.custom_vjp @primal @pullback(%arg0) : (tensor<4xf32>) -> tensor<f32>
  %s = janus.custom_vjp @primal @pullback(%x) : (tensor<4xf32>) -> tensor<f32>
  return %s, %n : tensor<f32>, i64
}
func.func private @primal(tensor<4xf32>) -> tensor<f32>
func.func private @pullback(tensor<4xf32>, tensor<f32>) -> tensor<4xf32>

// CHECK-LABEL: func.func @tape
func.func @tape(%x: tensor<4xf32>, %y: tensor<?xf32>, %n: index) -> (tensor<?xf32>, tensor<4xf32>) {
  // CHECK: janus.tape_push %arg0 stack 0 : tensor<4xf32>
  janus.tape_push %x stack 0 : tensor<4xf32>
  // CHECK: janus.tape_push %arg1 stack 1 : tensor<?xf32>
  janus.tape_push %y stack 1 : tensor<?xf32>
  // CHECK: janus.tape_pop stack 1 shape(%arg2) : tensor<?xf32>
  %b = janus.tape_pop stack 1 shape(%n) : tensor<?xf32>
  // CHECK: janus.tape_pop stack 0 : tensor<4xf32>
  %a = janus.tape_pop stack 0 : tensor<4xf32>
  // CHECK: janus.tape_reserve stack 0 : memref<4xf32>
  %r = janus.tape_reserve stack 0 : memref<4xf32>
  // CHECK: janus.tape_release stack 0 : memref<4xf32>
  %s = janus.tape_release stack 0 : memref<4xf32>
  return %b, %a : tensor<?xf32>, tensor<4xf32>
}

// CHECK-LABEL: func.func @accumulators
func.func @accumulators(%x: tensor<4xf32>) -> tensor<4xf32> {
  // CHECK: %[[m:.*]] = janus.accumulator : memref<4xf32>
  %m = janus.accumulator : memref<4xf32>
  // CHECK: janus.accumulate %arg0 into %[[m]] : tensor<4xf32>, memref<4xf32>
  janus.accumulate %x into %m : tensor<4xf32>, memref<4xf32>
  // CHECK: janus.accumulated %[[m]] : memref<4xf32> -> tensor<4xf32>
  %s = janus.accumulated %m : memref<4xf32> -> tensor<4xf32>
  return %s : tensor<4xf32>
}
