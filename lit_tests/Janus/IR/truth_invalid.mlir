// RUN: janus-opt %s --split-input-file --verify-diagnostics

func.func @two_elements(%t: tensor<2xi1>) {
  // expected-error @+1 {{'janus.truth' op takes a tensor with one element, but got 'tensor<2xi1>'}}
  %p = janus.truth %t : tensor<2xi1>
  return
}

// -----

func.func @no_elements(%t: tensor<?x0xf32>) {
  // expected-error @+1 {{'janus.truth' op takes a tensor with one element}}
  %p = janus.truth %t : tensor<?x0xf32>
  return
}

// -----

func.func @no_tensor(%t: i64) {
  // expected-error @+1 {{invalid kind of type specified: expected builtin.tensor, but found 'i64'}}
  %p = janus.truth %t : i64
  return
}
