// RUN: janus-opt %s --janus-phase-speculated --verify-diagnostics

// expected-error @+1 {{unknown phase 'tomorrow' in 'janus.phase'}}
module attributes {janus.phase = "tomorrow"} {
}
