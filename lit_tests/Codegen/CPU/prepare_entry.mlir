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

// CHECK-LABEL: func.func private @numbers
// CHECK-SAME: attributes {janus.internal}
// CHECK: return %{{.*}} : i64
func.func private @numbers(%n: i64) -> i64 {
  return %n : i64
}

// -----

// A result goes to a buffer of the caller's, or is copied from where the callee has left it.
// CHECK-LABEL: func.func private @tensors
// CHECK-SAME: (%[[X:.*]]: memref<4xf32>, %[[Y:.*]]: memref<?xf32>, %[[N:.*]]: i64, %[[OUT:.*]]: memref<4xf32>) -> (memref<?xf32>, i64) attributes {janus.internal}
// CHECK: %[[XT:.*]] = bufferization.to_tensor %[[X]] restrict
// CHECK: %[[XM:.*]] = bufferization.to_buffer %[[XT]] read_only
// CHECK: %[[PLACE:.*]] = memref.alloc() : memref<4xf32>
// CHECK: %[[R:.*]]:2 = call @tensors(%[[XM]], %{{.*}}, %[[N]], %[[PLACE]])
// CHECK: %[[OWN:.*]] = memref.alloc(%{{.*}}) : memref<?xf32>
// CHECK: memref.copy %[[R]]#0, %[[OWN]]
// CHECK: %[[YT:.*]] = bufferization.to_tensor %[[OWN]] restrict writable
// CHECK: %[[XR:.*]] = bufferization.to_tensor %[[PLACE]] restrict writable
// CHECK: %[[HAND:.*]] = memref.alloc(%{{.*}}) {janus.handover = 0 : i32, janus.memory = "handover"} : memref<?xf32>
// CHECK: bufferization.materialize_in_destination %[[YT]] in restrict writable %[[HAND]]
// CHECK: bufferization.materialize_in_destination %[[XR]] in restrict writable %[[OUT]]
// CHECK: return %[[HAND]], %[[R]]#1
func.func private @tensors(%x: tensor<4xf32>, %y: tensor<?xf32>, %n: i64) -> (tensor<?xf32>, tensor<4xf32>, i64) {
  %r:3 = call @tensors(%x, %y, %n) : (tensor<4xf32>, tensor<?xf32>, i64) -> (tensor<?xf32>, tensor<4xf32>, i64)
  return %r#0, %r#1, %r#2 : tensor<?xf32>, tensor<4xf32>, i64
}

// -----

// expected-error @+1 {{has no body}}
func.func private @elsewhere(%x: tensor<4xf32>) -> tensor<4xf32>
