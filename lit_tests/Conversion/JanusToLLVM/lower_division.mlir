// RUN: janus-opt %s --janus-lower-division | FileCheck %s

// CHECK-LABEL: func.func @powers
func.func @powers(%a: i64, %v: vector<4xi32>) -> (i64, i64, vector<4xi32>) {
  %c8 = arith.constant 8 : i64
  %splat = arith.constant dense<4> : vector<4xi32>
  // CHECK-DAG: %[[C7:.*]] = arith.constant 7 : i64
  // CHECK-DAG: %[[C3:.*]] = arith.constant 3 : i64
  // CHECK-DAG: %[[C2:.*]] = arith.constant dense<2> : vector<4xi32>
  // CHECK-DAG: arith.andi %arg0, %[[C7]]
  // CHECK-DAG: arith.shrsi %arg0, %[[C3]]
  // CHECK-DAG: arith.shrsi %arg1, %[[C2]]
  %0 = janus.floor_mod %a, %c8
  %1 = arith.floordivsi %a, %c8 : i64
  %2 = arith.floordivsi %v, %splat : vector<4xi32>
  return %0, %1, %2 : i64, i64, vector<4xi32>
}

// CHECK-LABEL: func.func @constants
func.func @constants(%a: i64) -> (i64, i64) {
  %c7 = arith.constant 7 : i64
  %d = arith.constant -8 : i64
  // CHECK: %[[R:.*]] = arith.remsi %arg0, %[[C:.*]] : i64
  // CHECK: arith.cmpi slt, %[[R]]
  // CHECK: arith.addi %[[R]], %[[C]]
  // CHECK: arith.select
  // CHECK: %[[S:.*]] = arith.remsi
  // CHECK: arith.cmpi sgt, %[[S]]
  %0 = janus.floor_mod %a, %c7
  %1 = janus.floor_mod %a, %d
  return %0, %1 : i64, i64
}

// CHECK-LABEL: func.func @values
func.func @values(%a: i64, %b: i64) -> (i64, i64) {
  // CHECK: %[[R:.*]] = arith.remsi %arg0, %arg1
  // CHECK: %[[X:.*]] = arith.xori %[[R]], %arg1
  // CHECK: arith.cmpi slt, %[[X]]
  // CHECK: arith.cmpi ne, %[[R]]
  // CHECK: arith.floordivsi
  %0 = janus.floor_mod %a, %b
  %1 = arith.floordivsi %a, %b : i64
  return %0, %1 : i64, i64
}
