// RUN: janus-opt %s --split-input-file --verify-diagnostics

func.func @no_tensor(%a: i64) {
  // expected-error @+1 {{invalid kind of type specified: expected builtin.tensor, but found 'i64'}}
  %0 = janus.dense %a : i64
  return
}

// -----

func.func @unranked(%a: tensor<*xf32>) {
  // expected-error @+1 {{invalid kind of type specified: expected builtin.tensor, but found 'tensor<*xf32>'}}
  %0 = janus.dense %a : tensor<*xf32>
  return
}
