// RUN: janus-opt %s --split-input-file --verify-diagnostics

func.func @unknown(%f: !janus.object, %x: f64) {
  // expected-error @+1 {{has called @square, which is no function of this module}}
  %r = janus.call_indirect %f(%x) {janus.profile = #janus.callee<function = @square, entry = 3, count = 40>} : (f64) -> f64
  return
}

// -----

func.func private @square(f32) -> f64
func.func @other_type(%f: !janus.object, %x: f64) {
  // expected-error @+1 {{of type '(f64) -> f64' has called @square of type '(f32) -> f64'}}
  %r = janus.call_indirect %f(%x) {janus.profile = #janus.callee<function = @square, entry = 3, count = 40>} : (f64) -> f64
  return
}

// -----

func.func @negative_entry(%f: !janus.object) {
  // expected-error @+1 {{entries of the table of objects are not negative}}
  janus.call_indirect %f() {janus.profile = #janus.callee<function = @f, entry = -3, count = 40>} : () -> ()
  return
}
