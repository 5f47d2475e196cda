// RUN: janus-opt %s --janus-batch-contractions --split-input-file | FileCheck %s

// One operand is kept by the forward computation, backwards; the other one is kept now, in the same order.
// CHECK-LABEL: func.func @kept
// CHECK-SAME:    (%[[XS:.*]]: tensor<5x2x3xf32>, %[[Y:.*]]: tensor<2x4xf32>)
func.func @kept(%xs: tensor<5x2x3xf32>, %y: tensor<2x4xf32>) -> (tensor<3x4xf32>, tensor<2x4xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %c5 = arith.constant 5 : index
  %zeros = arith.constant dense<0.0> : tensor<3x4xf32>
  // CHECK: %[[EMPTY:.*]] = tensor.empty() : tensor<5x2x4xf32>
  // CHECK: %[[R:.*]]:3 = scf.for %[[I:.*]] = {{.*}} iter_args(%[[S:.*]] = %{{.*}}, %{{.*}} = %[[Y]], %[[G:.*]] = %[[EMPTY]])
  // CHECK:   %[[AT:.*]] = arith.subi %{{.*}}, %[[I]]
  // CHECK:   %[[Z:.*]] = lax.sin
  // CHECK:   %[[ROWS:.*]] = tensor.insert_slice %[[Z]] into %[[G]][%[[AT]], 0, 0] [1, 2, 4] [1, 1, 1]
  // CHECK:   scf.yield %[[S]], %[[Z]], %[[ROWS]]
  // CHECK: %[[A:.*]] = tensor.collapse_shape %[[XS]] {{\[\[}}0, 1], [2]]
  // CHECK: %[[B:.*]] = tensor.collapse_shape %[[R]]#2 {{\[\[}}0, 1], [2]]
  // CHECK: %[[W:.*]] = lax.dot_general %[[A]], %[[B]] contracting = [0] x [0] : (tensor<10x3xf32>, tensor<10x4xf32>)
  // CHECK: return %[[W]], %[[R]]#1
  %r:2 = scf.for %i = %c0 to %c5 step %c1 iter_args(%s = %zeros, %g = %y) -> (tensor<3x4xf32>, tensor<2x4xf32>) {
    %at = arith.subi %c4, %i : index
    %x = tensor.extract_slice %xs[%at, 0, 0] [1, 2, 3] [1, 1, 1] : tensor<5x2x3xf32> to tensor<2x3xf32>
    %z = lax.sin %g : tensor<2x4xf32>
    %p = lax.dot_general %x, %z contracting = [0] x [0] : (tensor<2x3xf32>, tensor<2x4xf32>) -> tensor<3x4xf32>
    %t = lax.add %s, %p : tensor<3x4xf32>
    scf.yield %t, %z : tensor<3x4xf32>, tensor<2x4xf32>
  }
  return %r#0, %r#1 : tensor<3x4xf32>, tensor<2x4xf32>
}

// -----

// Nothing is kept yet, and the sum starts from something.
// CHECK-LABEL: func.func @start
// CHECK:   tensor.insert_slice
// CHECK:   tensor.insert_slice
// CHECK: %[[T:.*]] = lax.dot_general
// CHECK: lax.add %arg0, %[[T]]
func.func @start(%w: tensor<3x4xf32>, %x: tensor<2x3xf32>, %y: tensor<2x4xf32>) -> tensor<3x4xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c5 = arith.constant 5 : index
  %r:3 = scf.for %i = %c0 to %c5 step %c1 iter_args(%s = %w, %a = %x, %b = %y)
      -> (tensor<3x4xf32>, tensor<2x3xf32>, tensor<2x4xf32>) {
    %c = lax.sin %a : tensor<2x3xf32>
    %d = lax.sin %b : tensor<2x4xf32>
    %p = lax.dot_general %c, %d contracting = [0] x [0] : (tensor<2x3xf32>, tensor<2x4xf32>) -> tensor<3x4xf32>
    %t = lax.add %p, %s : tensor<3x4xf32>
    scf.yield %t, %c, %d : tensor<3x4xf32>, tensor<2x3xf32>, tensor<2x4xf32>
  }
  return %r#0 : tensor<3x4xf32>
}

// -----

// The sum is read within the loop; there are rows enough; the number of iterations is not known.
// CHECK-LABEL: func.func @left_alone
// CHECK-NOT: collapse_shape
func.func @left_alone(%w: tensor<3x4xf32>, %x: tensor<2x3xf32>, %v: tensor<300x3xf32>, %u: tensor<300x4xf32>, %n: index)
    -> (tensor<3x4xf32>, tensor<3x4xf32>, tensor<3x4xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c5 = arith.constant 5 : index
  %y = arith.constant dense<1.0> : tensor<2x4xf32>
  %r:2 = scf.for %i = %c0 to %c5 step %c1 iter_args(%s = %w, %q = %w) -> (tensor<3x4xf32>, tensor<3x4xf32>) {
    %p = lax.dot_general %x, %y contracting = [0] x [0] : (tensor<2x3xf32>, tensor<2x4xf32>) -> tensor<3x4xf32>
    %t = lax.add %s, %p : tensor<3x4xf32>
    %m = lax.mul %t, %t : tensor<3x4xf32>
    scf.yield %t, %m : tensor<3x4xf32>, tensor<3x4xf32>
  }
  %k = scf.for %i = %c0 to %c5 step %c1 iter_args(%s = %w) -> (tensor<3x4xf32>) {
    %p = lax.dot_general %v, %u contracting = [0] x [0] : (tensor<300x3xf32>, tensor<300x4xf32>) -> tensor<3x4xf32>
    %t = lax.add %s, %p : tensor<3x4xf32>
    scf.yield %t : tensor<3x4xf32>
  }
  %l = scf.for %i = %c0 to %n step %c1 iter_args(%s = %w) -> (tensor<3x4xf32>) {
    %p = lax.dot_general %x, %y contracting = [0] x [0] : (tensor<2x3xf32>, tensor<2x4xf32>) -> tensor<3x4xf32>
    %t = lax.add %s, %p : tensor<3x4xf32>
    scf.yield %t : tensor<3x4xf32>
  }
  return %r#1, %k, %l : tensor<3x4xf32>, tensor<3x4xf32>, tensor<3x4xf32>
}
