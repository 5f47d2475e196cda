// RUN: janus-opt %s | janus-opt | FileCheck %s
// RUN: janus-opt %s --mlir-print-op-generic | janus-opt | FileCheck %s
// RUN: janus-opt %s --canonicalize | FileCheck %s --check-prefix=FOLD

// CHECK-LABEL: func.func @truth
// FOLD-LABEL: func.func @truth
func.func @truth(%a: tensor<i1>, %b: tensor<1x1xf32>, %c: tensor<?xi64>, %d: tensor<ui8>) -> (i1, i1, i1, i1) {
  // CHECK: janus.truth %{{.*}} : tensor<i1>
  // CHECK-NEXT: janus.truth %{{.*}} : tensor<1x1xf32>
  // CHECK-NEXT: janus.truth %{{.*}} : tensor<?xi64>
  // CHECK-NEXT: janus.truth %{{.*}} : tensor<ui8>
  // FOLD-COUNT-4: janus.truth
  %0 = janus.truth %a : tensor<i1>
  %1 = janus.truth %b : tensor<1x1xf32>
  %2 = janus.truth %c : tensor<?xi64>
  %3 = janus.truth %d : tensor<ui8>
  return %0, %1, %2, %3 : i1, i1, i1, i1
}

// NaN is true, -0.0 is false, as in Python.
// FOLD-LABEL: func.func @constants
func.func @constants() -> (i1, i1, i1, i1, i1) {
  %nan = arith.constant dense<0x7FC00000> : tensor<f32>
  %negative_zero = arith.constant dense<-0.0> : tensor<1xf64>
  %zero = arith.constant dense<0> : tensor<1x1xi64>
  %seven = arith.constant dense<7> : tensor<i8>
  %true = arith.constant dense<true> : tensor<i1>
  // FOLD-DAG: %[[T:.*]] = arith.constant true
  // FOLD-DAG: %[[F:.*]] = arith.constant false
  // FOLD: return %[[T]], %[[F]], %[[F]], %[[T]], %[[T]]
  %0 = janus.truth %nan : tensor<f32>
  %1 = janus.truth %negative_zero : tensor<1xf64>
  %2 = janus.truth %zero : tensor<1x1xi64>
  %3 = janus.truth %seven : tensor<i8>
  %4 = janus.truth %true : tensor<i1>
  return %0, %1, %2, %3, %4 : i1, i1, i1, i1, i1
}

// FOLD-LABEL: func.func @from_elements
// FOLD-SAME: (%[[P:.*]]: i1, %{{.*}}: i64)
func.func @from_elements(%p: i1, %n: i64) -> (i1, i1) {
  %t = tensor.from_elements %p : tensor<i1>
  %u = tensor.from_elements %n : tensor<i64>
  // FOLD: %[[Q:.*]] = janus.truth %{{.*}} : tensor<i64>
  // FOLD: return %[[P]], %[[Q]]
  %0 = janus.truth %t : tensor<i1>
  %1 = janus.truth %u : tensor<i64>
  return %0, %1 : i1, i1
}
