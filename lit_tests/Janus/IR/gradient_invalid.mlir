// RUN: janus-opt %s --split-input-file --verify-diagnostics

func.func @f(%x: tensor<f32>) -> tensor<f32> {
  // expected-error @below {{'g' is no function}}
  %v, %g = janus.value_and_grad @g(%x) {wrt = array<i64: 0>} : (tensor<f32>) -> (tensor<f32>, tensor<f32>)
  return %g : tensor<f32>
}

// -----

func.func private @g(%x: tensor<f32>) -> tensor<f32>
func.func @f(%x: tensor<f32>) -> tensor<f32> {
  // expected-error @below {{has no argument 1}}
  %v, %g = janus.value_and_grad @g(%x) {wrt = array<i64: 1>} : (tensor<f32>) -> (tensor<f32>, tensor<f32>)
  return %g : tensor<f32>
}

// -----

func.func private @g(%x: tensor<f32>) -> tensor<f32>
func.func @f(%x: tensor<f32>) -> tensor<f32> {
  // expected-error @below {{results must be those of 'g' and one gradient for each argument in 'wrt'}}
  %v = janus.value_and_grad @g(%x) {wrt = array<i64: 0>} : (tensor<f32>) -> tensor<f32>
  return %v : tensor<f32>
}

// -----

func.func @f() -> tensor<?xf32> {
  // expected-error @below {{needs one size for each dynamic dim of 'tensor<?xf32>'}}
  %v = janus.tape_pop stack 0 : tensor<?xf32>
  return %v : tensor<?xf32>
}

// -----

func.func private @p(tensor<4xf32>) -> tensor<f32>
func.func private @q(tensor<4xf32>) -> tensor<4xf32>
func.func @f(%x: tensor<4xf32>) -> tensor<f32> {
  // expected-error @below {{'q' must be of type '(tensor<4xf32>, tensor<f32>) -> tensor<4xf32>'}}
  %v = janus.custom_vjp @p @q(%x) : (tensor<4xf32>) -> tensor<f32>
  return %v : tensor<f32>
}
