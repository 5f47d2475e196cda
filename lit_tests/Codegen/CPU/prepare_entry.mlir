// RUN: janus-opt %s --janus-cpu-prepare-entry --split-input-file --verify-diagnostics | FileCheck %s

// CHECK-LABEL: func.func @f
// CHECK-SAME: (%[[X:.*]]: memref<4x?xf32> {janus.source = "x"}, %[[N:.*]]: i64)
// CHECK: %[[T:.*]] = bufferization.to_tensor %[[X]] restrict : memref<4x?xf32> to tensor<4x?xf32>
// CHECK: janus.leave site 2 (%[[T]], %[[N]] : tensor<4x?xf32>, i64)
// CHECK-NEXT: return
func.func @f(%x: tensor<4x?xf32> {janus.source = "x"}, %n: i64) -> (tensor<4x?xf32>, i64)
    attributes {janus.entry, janus.return_site = 2 : i32} {
  return %x, %n : tensor<4x?xf32>, i64
}

// -----

// CHECK-LABEL: func.func @poison
// CHECK-NOT: ub.poison
// CHECK: tensor.empty() : tensor<4xf32>
func.func @poison(%c: i1, %x: tensor<4xf32>) -> tensor<4xf32> attributes {janus.entry, janus.return_site = 0 : i32} {
  %r = scf.if %c -> tensor<4xf32> {
    janus.deopt "unseen-branch", site 1
    %p = ub.poison : tensor<4xf32>
    scf.yield %p : tensor<4xf32>
  } else {
    scf.yield %x : tensor<4xf32>
  }
  return %r : tensor<4xf32>
}

// -----

// Functions of numbers only are left alone.
// CHECK-LABEL: func.func private @numbers
// CHECK: return %{{.*}} : i64
func.func private @numbers(%n: i64) -> i64 {
  return %n : i64
}

// -----

// expected-error @+1 {{recursive functions are not supported}}
func.func private @tensors(%x: tensor<4xf32>) -> tensor<4xf32> {
  %r = call @tensors(%x) : (tensor<4xf32>) -> tensor<4xf32>
  return %r : tensor<4xf32>
}
