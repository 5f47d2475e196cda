// RUN: janus-opt %s --split-input-file --verify-diagnostics

// expected-note @+1 {{prior use here}}
func.func @operands_are_i64(%a: i32, %b: i64) {
  // expected-error @+1 {{use of value '%a' expects different type than prior uses: 'i64' vs 'i32'}}
  %r = janus.floor_mod %a, %b
  return
}

// -----

func.func @result_is_i64(%a: i64) {
  // expected-error @+1 {{result #0 must be 64-bit signless integer, but got 'i1'}}
  %r = "janus.floor_mod"(%a, %a) : (i64, i64) -> i1
  return
}
