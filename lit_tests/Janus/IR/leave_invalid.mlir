// RUN: janus-opt %s --split-input-file --verify-diagnostics

func.func @site_is_i32() {
  // expected-error @+1 {{attribute 'site' failed to satisfy constraint: 32-bit signless integer attribute}}
  "janus.leave"() <{site = 1 : i64}> : () -> ()
  return
}

// -----

func.func @too_many_types(%x: i64) {
  // expected-error @+1 {{number of operands and types do not match: got 1 operands and 2 types}}
  janus.leave site 1 (%x : i64, i64)
  return
}
