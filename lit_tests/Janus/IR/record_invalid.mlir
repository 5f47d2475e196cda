// RUN: janus-opt %s --split-input-file --verify-diagnostics

func.func @negative_site() {
  // expected-error @+1 {{attribute 'site' failed to satisfy constraint}}
  janus.record site -1
  return
}

// -----

func.func @vector_is_no_live_value(%v: vector<4xf32>) {
  // expected-error @+1 {{operand #0 must be variadic of tensor, buffer, number or object, but got 'vector<4xf32>'}}
  janus.record site 1 (%v : vector<4xf32>)
  return
}
