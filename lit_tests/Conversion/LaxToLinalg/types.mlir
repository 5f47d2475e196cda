// RUN: janus-opt %s --convert-lax-to-linalg | FileCheck %s

// Bool tensors are bytes and unsigned integers signless everywhere; bool scalars stay.

// CHECK-LABEL: func @signature
// CHECK-SAME: (%[[B:.*]]: tensor<4xi8>, %[[U:.*]]: tensor<?xi32>, %[[P:.*]]: i1, %[[F:.*]]: tensor<f32>) -> (tensor<4xi8>, tensor<?xi32>, i1)
func.func @signature(%b: tensor<4xi1>, %u: tensor<?xui32>, %p: i1, %f: tensor<f32>)
    -> (tensor<4xi1>, tensor<?xui32>, i1) {
  // CHECK: return %[[B]], %[[U]], %[[P]] : tensor<4xi8>, tensor<?xi32>, i1
  return %b, %u, %p : tensor<4xi1>, tensor<?xui32>, i1
}

// CHECK-LABEL: func @constants
func.func @constants() -> (tensor<3xi1>, tensor<2xui8>, tensor<i1>) {
  // CHECK-DAG: arith.constant dense<[1, 0, 1]> : tensor<3xi8>
  %0 = arith.constant dense<[true, false, true]> : tensor<3xi1>
  // CHECK-DAG: arith.constant dense<[-1, 3]> : tensor<2xi8>
  %1 = arith.constant dense<[255, 3]> : tensor<2xui8>
  // CHECK-DAG: arith.constant dense<1> : tensor<i8>
  %2 = arith.constant dense<true> : tensor<i1>
  return %0, %1, %2 : tensor<3xi1>, tensor<2xui8>, tensor<i1>
}

// CHECK-LABEL: func @control
// CHECK-SAME: (%[[X:.*]]: tensor<i8>, %[[P:.*]]: i1)
func.func @control(%x: tensor<i1>, %p: i1) -> tensor<i1> {
  // CHECK: scf.if %[[P]] -> (tensor<i8>)
  %0 = scf.if %p -> tensor<i1> {
    scf.yield %x : tensor<i1>
  } else {
    %n = lax.not %x : tensor<i1>
    scf.yield %n : tensor<i1>
  }
  // CHECK: scf.while ({{.*}}) : (tensor<i8>) -> tensor<i8>
  %1 = scf.while (%c = %0) : (tensor<i1>) -> tensor<i1> {
    // CHECK: %[[E:.*]] = tensor.extract %{{.*}}[] : tensor<i8>
    // CHECK: arith.cmpi ne, %[[E]], %{{.*}} : i8
    %t = janus.truth %c : tensor<i1>
    scf.condition(%t) %c : tensor<i1>
  } do {
  ^bb0(%c: tensor<i1>):
    %n = lax.not %c : tensor<i1>
    scf.yield %n : tensor<i1>
  }
  // CHECK: janus.guard %[[P]], <branch>, site 3 (%{{.*}}, %[[X]] : tensor<i8>, tensor<i8>)
  janus.guard %p, <branch>, site 3 (%1, %x : tensor<i1>, tensor<i1>)
  // CHECK: ub.poison : tensor<2xi8>
  %poison = ub.poison : tensor<2xi1>
  // CHECK: janus.record site 4 (%{{.*}} : tensor<2xi8>)
  janus.record site 4 (%poison : tensor<2xi1>)
  return %1 : tensor<i1>
}

// CHECK-LABEL: func @scalars
// CHECK-SAME: (%[[P:.*]]: i1, %[[X:.*]]: tensor<i8>)
func.func @scalars(%p: i1, %x: tensor<i1>) -> (tensor<i1>, i1) {
  // CHECK: %[[B:.*]] = arith.extui %[[P]] : i1 to i8
  // CHECK: tensor.from_elements %[[B]] : tensor<i8>
  %0 = tensor.from_elements %p : tensor<i1>
  // CHECK: %[[E:.*]] = tensor.extract %[[X]][] : tensor<i8>
  // CHECK: arith.cmpi ne, %[[E]]
  %1 = tensor.extract %x[] : tensor<i1>
  return %0, %1 : tensor<i1>, i1
}
