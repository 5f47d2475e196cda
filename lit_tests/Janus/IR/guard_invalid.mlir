// RUN: janus-opt %s --split-input-file --verify-diagnostics

func.func @unknown_kind(%c: i1) {
  // expected-error @+2 {{expected ::mlir::janus::GuardKind to be one of: branch, value, type, shape, bounds, overflow, zero, trips, domain}}
  // expected-error @+1 {{failed to parse}}
  janus.guard %c, <mood>, site 0
  return
}

// -----

// expected-note @+1 {{prior use here}}
func.func @condition_is_i1(%c: i64) {
  // expected-error @+1 {{use of value '%c' expects different type than prior uses: 'i1' vs 'i64'}}
  janus.guard %c, <branch>, site 0
  return
}

// -----

func.func @negative_site(%c: i1) {
  // expected-error @+1 {{attribute 'site' failed to satisfy constraint: 32-bit signless integer attribute whose value is non-negative}}
  janus.guard %c, <branch>, site -1
  return
}

// -----

func.func @live_value_of_unknown_type(%c: i1, %f: () -> ()) {
  // expected-error @+1 {{operand #1 must be variadic of tensor, buffer, number or object, but got '() -> ()'}}
  janus.guard %c, <branch>, site 0 (%f : () -> ())
  return
}

// -----

func.func @missing_site(%c: i1) {
  // expected-error @+1 {{expected 'site'}}
  janus.guard %c, <branch>, 3
  return
}

// -----

func.func @generic_without_kind(%c: i1) {
  // expected-error @+1 {{requires attribute 'kind'}}
  "janus.guard"(%c) <{site = 0 : i32}> : (i1) -> ()
  return
}
