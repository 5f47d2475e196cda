// RUN: janus-opt %s --split-input-file --verify-diagnostics

func.func @empty_reason() {
  // expected-error @+1 {{'janus.deopt' op needs a reason}}
  janus.deopt "", site 0
  return
}

// -----

func.func @negative_site() {
  // expected-error @+1 {{attribute 'site' failed to satisfy constraint}}
  janus.deopt "never-seen", site -2
  return
}

// -----

func.func @missing_type(%x: i64) {
  // expected-error @+1 {{expected ':'}}
  janus.deopt "never-seen", site 2 (%x)
  return
}
