// RUN: janus-opt %s --split-input-file --verify-diagnostics

func.func @negative_site() {
  // expected-error @+1 {{attribute 'site' failed to satisfy constraint: 32-bit signless integer attribute whose value is non-negative}}
  janus.frame site -1
  return
}

// -----

func.func @live_value_of_unknown_type(%f: () -> ()) {
  // expected-error @+1 {{operand #0 must be variadic of tensor, buffer, number or object, but got '() -> ()'}}
  janus.frame site 0 (%f : () -> ())
  return
}

// -----

func.func @missing_site() {
  // expected-error @+1 {{expected 'site'}}
  janus.frame 3
  return
}
