// RUN: janus-opt %s --janus-differentiate --split-input-file --verify-diagnostics

func.func @entry(%x: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>) {
  // expected-error @below {{needs a float scalar as first result of 'f', but it is 'tensor<2xf32>'}}
  %v, %g = janus.value_and_grad @f(%x) {wrt = array<i64: 0>} : (tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>)
  return %v, %g : tensor<2xf32>, tensor<2xf32>
}
func.func private @f(%x: tensor<2xf32>) -> tensor<2xf32> {
  return %x : tensor<2xf32>
}

// -----

func.func @entry(%x: tensor<f32>, %n: i64) -> (tensor<f32>, i64) {
  // expected-error @below {{cannot differentiate with respect to argument 1 of type 'i64'}}
  %v, %g = janus.value_and_grad @f(%x, %n) {wrt = array<i64: 1>} : (tensor<f32>, i64) -> (tensor<f32>, i64)
  return %v, %g : tensor<f32>, i64
}
func.func private @f(%x: tensor<f32>, %n: i64) -> tensor<f32> {
  return %x : tensor<f32>
}

// -----

func.func @entry(%x: tensor<8xf32>, %u: tensor<2xf32>, %i: tensor<2x1xi32>) -> (tensor<f32>, tensor<2xf32>) {
  %v, %g = janus.value_and_grad @f(%x, %u, %i) {wrt = array<i64: 1>}
      : (tensor<8xf32>, tensor<2xf32>, tensor<2x1xi32>) -> (tensor<f32>, tensor<2xf32>)
  return %v, %g : tensor<f32>, tensor<2xf32>
}
func.func private @f(%x: tensor<8xf32>, %u: tensor<2xf32>, %i: tensor<2x1xi32>) -> tensor<f32> {
  // expected-error @below {{cannot be differentiated by its updates where indices may meet}}
  %y = lax.scatter_mul %x, %i, %u update_window_dims = [] inserted_window_dims = [0]
      scatter_dims_to_operand_dims = [0] mode = "fill" : tensor<8xf32>, tensor<2x1xi32>, tensor<2xf32>
  %s = lax.reduce_sum %y axes = [0] : tensor<8xf32> -> tensor<f32>
  return %s : tensor<f32>
}

// -----

func.func private @f(%x: tensor<f32>) -> tensor<f32> {
  // expected-error @below {{differentiates a function that contains this very op}}
  %v, %g = janus.value_and_grad @f(%x) {wrt = array<i64: 0>} : (tensor<f32>) -> (tensor<f32>, tensor<f32>)
  return %g : tensor<f32>
}
