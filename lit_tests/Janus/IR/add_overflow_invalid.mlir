// RUN: janus-opt %s --split-input-file --verify-diagnostics

// expected-note @+1 {{prior use here}}
func.func @operands_are_i64(%a: i32, %b: i64) {
  // expected-error @+1 {{use of value '%a' expects different type than prior uses: 'i64' vs 'i32'}}
  %r, %f = janus.add_overflow %a, %b
  return
}

// -----

func.func @flag_is_i1(%a: i64) {
  // expected-error @+1 {{result #1 must be 1-bit signless integer, but got 'i64'}}
  %r, %f = "janus.add_overflow"(%a, %a) : (i64, i64) -> (i64, i64)
  return
}
