// RUN: janus-opt %s --janus-devirtualise --split-input-file --verify-diagnostics

func.func @without_frame(%f: !janus.object) {
  // expected-error @+1 {{cannot be made by native code, and there is no frame to leave to}}
  janus.call_indirect %f() : () -> ()
  return
}

// -----

// Starting again would come back here for ever.
func.func @restart(%f: !janus.object) {
  janus.frame restart site 1
  // expected-error @+1 {{cannot be made by native code, and there is no frame to leave to}}
  janus.call_indirect %f() : () -> ()
  return
}

// -----

// What has been recorded would be done twice.
func.func @effect_between(%f: !janus.object, %x: f64) {
  janus.frame site 1
  janus.record site 2 (%x : f64)
  // expected-error @+1 {{cannot be made by native code, and there is no frame to leave to}}
  janus.call_indirect %f() : () -> ()
  return
}
