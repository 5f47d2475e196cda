// RUN: janus-opt %s --janus-phase-llvm --split-input-file --verify-diagnostics

// expected-error @+1 {{unknown phase 'tomorrow' in 'janus.phase'}}
module attributes {janus.phase = "tomorrow"} {
}

// -----

// A tensor has no place in the llvm dialect, so the function that takes one stays as it is.
module attributes {janus.phase = "codegen"} {
  // expected-error @+1 {{'func.func' op is left over after phase 'llvm'}}
  func.func private @sink(tensor<4xf32>)
}
