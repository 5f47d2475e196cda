// RUN: janus-opt %s --convert-lax-to-linalg --split-input-file --verify-diagnostics

func.func @complex(%x: tensor<4xcomplex<f32>>) -> tensor<4xcomplex<f32>> {
  // expected-error @+2 {{'lax.neg' op on complex numbers has no lowering to linalg}}
  // expected-error @+1 {{failed to legalize operation 'lax.neg'}}
  %0 = lax.neg %x : tensor<4xcomplex<f32>>
  return %0 : tensor<4xcomplex<f32>>
}
