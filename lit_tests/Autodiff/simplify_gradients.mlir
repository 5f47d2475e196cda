// RUN: janus-opt %s --janus-simplify-gradients --canonicalize --split-input-file | FileCheck %s

// Of a sum, the slice is changed.
// CHECK-LABEL: func.func @slice
// CHECK-NEXT: %[[before:.*]] = lax.dynamic_slice %arg0[%arg2]
// CHECK-NEXT: %[[sum:.*]] = lax.add %[[before]], %arg1 : tensor<2xf32>
// CHECK-NEXT: %[[after:.*]] = lax.dynamic_update_slice %arg0, %[[sum]][%arg2]
// CHECK-NEXT: return %[[after]]
func.func @slice(%sum: tensor<100xf32>, %g: tensor<2xf32>, %i: tensor<i32>) -> tensor<100xf32> {
  %zeros = arith.constant dense<0.0> : tensor<100xf32>
  %0 = lax.dynamic_update_slice %zeros, %g[%i] : tensor<100xf32>, tensor<2xf32>[tensor<i32>]
  %1 = lax.add %0, %sum : tensor<100xf32>
  return %1 : tensor<100xf32>
}

// -----

// A pad is a slice of zeros.
// CHECK-LABEL: func.func @pad
// CHECK: lax.slice %arg0 start = [3, 0] limit = [4, 8]
// CHECK: lax.add {{.*}} : tensor<1x8xf32>
// CHECK: lax.dynamic_update_slice %arg0
func.func @pad(%sum: tensor<10x8xf32>, %g: tensor<1x8xf32>) -> tensor<10x8xf32> {
  %zero = arith.constant dense<0.0> : tensor<f32>
  %0 = lax.pad %g, %zero low = [3, 0] high = [6, 0] interior = [0, 0] : tensor<1x8xf32>, tensor<f32> -> tensor<10x8xf32>
  %1 = lax.add %sum, %0 : tensor<10x8xf32>
  return %1 : tensor<10x8xf32>
}

// -----

// What is padded with something else, spread out or nearly everything is added as a whole.
// CHECK-LABEL: func.func @refused
// CHECK-NOT: slice
func.func @refused(%sum: tensor<10xf32>, %g: tensor<1xf32>, %h: tensor<5xf32>, %l: tensor<9xf32>)
    -> (tensor<10xf32>, tensor<10xf32>, tensor<10xf32>) {
  %zero = arith.constant dense<0.0> : tensor<f32>
  %one = arith.constant dense<1.0> : tensor<f32>
  %0 = lax.pad %g, %one low = [3] high = [6] interior = [0] : tensor<1xf32>, tensor<f32> -> tensor<10xf32>
  %1 = lax.add %sum, %0 : tensor<10xf32>
  %2 = lax.pad %h, %zero low = [0] high = [1] interior = [1] : tensor<5xf32>, tensor<f32> -> tensor<10xf32>
  %3 = lax.add %sum, %2 : tensor<10xf32>
  %4 = lax.pad %l, %zero low = [0] high = [1] interior = [0] : tensor<9xf32>, tensor<f32> -> tensor<10xf32>
  %5 = lax.add %sum, %4 : tensor<10xf32>
  return %1, %3, %5 : tensor<10xf32>, tensor<10xf32>, tensor<10xf32>
}

// -----

// Of an accumulator too; the start is clamped.
// CHECK-LABEL: func.func @accumulate
// CHECK-DAG: %[[zero:.*]] = arith.constant 0 : index
// CHECK-DAG: %[[last:.*]] = arith.constant 98 : index
// CHECK: arith.maxsi %{{.*}}, %[[zero]]
// CHECK: %[[at:.*]] = arith.minsi %{{.*}}, %[[last]]
// CHECK: %[[part:.*]] = memref.subview %arg0[%[[at]]] [2] [1]
// CHECK: janus.accumulate %arg1 into %[[part]]
func.func @accumulate(%memory: memref<100xf32>, %g: tensor<2xf32>, %i: tensor<i32>) {
  %zeros = arith.constant dense<0.0> : tensor<100xf32>
  %0 = lax.dynamic_update_slice %zeros, %g[%i] : tensor<100xf32>, tensor<2xf32>[tensor<i32>]
  janus.accumulate %0 into %memory : tensor<100xf32>, memref<100xf32>
  return
}

// -----

// CHECK-LABEL: func.func @product
// CHECK-NEXT: %[[r:.*]] = lax.dot_general %arg1, %arg0 contracting = [0] x [0]
// CHECK-NEXT: return %[[r]]
func.func @product(%a: tensor<20x8xf32>, %b: tensor<20x4xf32>) -> tensor<4x8xf32> {
  %0 = lax.dot_general %a, %b contracting = [0] x [0] : (tensor<20x8xf32>, tensor<20x4xf32>) -> tensor<8x4xf32>
  %1 = lax.transpose %0 permutation = [1, 0] : tensor<8x4xf32> -> tensor<4x8xf32>
  return %1 : tensor<4x8xf32>
}
