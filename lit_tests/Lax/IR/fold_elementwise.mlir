// RUN: janus-opt %s --canonicalize --split-input-file | FileCheck %s

// CHECK-LABEL: func @involutions
// CHECK-SAME: (%[[X:.*]]: tensor<8xf32>, %[[P:.*]]: tensor<8xi1>)
func.func @involutions(%x: tensor<8xf32>, %p: tensor<8xi1>) -> (tensor<8xf32>, tensor<8xi1>, tensor<8xf32>) {
  // CHECK: %[[A:.*]] = lax.abs %[[X]]
  // CHECK: return %[[X]], %[[P]], %[[A]]
  %0 = lax.neg %x : tensor<8xf32>
  %1 = lax.neg %0 : tensor<8xf32>
  %2 = lax.not %p : tensor<8xi1>
  %3 = lax.not %2 : tensor<8xi1>
  %4 = lax.abs %x : tensor<8xf32>
  %5 = lax.abs %4 : tensor<8xf32>
  return %1, %3, %5 : tensor<8xf32>, tensor<8xi1>, tensor<8xf32>
}

// -----

// CHECK-LABEL: func @identities
// CHECK-SAME: (%[[X:.*]]: tensor<?xf32>, %[[I:.*]]: tensor<8xi32>, %[[Y:.*]]: tensor<8xf32>)
func.func @identities(%x: tensor<?xf32>, %i: tensor<8xi32>, %y: tensor<8xf32>)
    -> (tensor<?xf32>, tensor<?xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xi32>, tensor<8xi32>) {
  // CHECK: return %[[X]], %[[X]], %[[Y]], %[[Y]], %[[Y]], %[[I]], %[[I]]
  %one = arith.constant dense<1.0> : tensor<8xf32>
  %zero = arith.constant dense<0.0> : tensor<8xf32>
  %izero = arith.constant dense<0> : tensor<8xi32>
  %0 = lax.copy %x : tensor<?xf32>
  %1 = lax.convert_element_type %x : tensor<?xf32> -> tensor<?xf32>
  %2 = lax.mul %one, %y : tensor<8xf32>
  %3 = lax.sub %y, %zero : tensor<8xf32>
  %4 = lax.div %y, %one : tensor<8xf32>
  %5 = lax.add %izero, %i : tensor<8xi32>
  %6 = lax.shift_left %i, %izero : tensor<8xi32>
  return %0, %1, %2, %3, %4, %5, %6
      : tensor<?xf32>, tensor<?xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xi32>, tensor<8xi32>
}

// -----

// x + 0.0 turns -0.0 into 0.0, so does x - -0.0, and x * 0.0 may be NaN.
// CHECK-LABEL: func @inexact
func.func @inexact(%x: tensor<8xf32>) -> (tensor<8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xi1>) {
  %zero = arith.constant dense<0.0> : tensor<8xf32>
  %negative = arith.constant dense<-0.0> : tensor<8xf32>
  // CHECK: lax.add
  %0 = lax.add %x, %zero : tensor<8xf32>
  // CHECK: lax.sub
  %1 = lax.sub %x, %negative : tensor<8xf32>
  // CHECK: lax.mul
  %2 = lax.mul %x, %zero : tensor<8xf32>
  // CHECK: lax.sub
  %3 = lax.sub %x, %x : tensor<8xf32>
  // CHECK: lax.eq
  %4 = lax.eq %x, %x : tensor<8xf32>
  return %0, %1, %2, %3, %4 : tensor<8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xi1>
}

// -----

// CHECK-LABEL: func @integers
func.func @integers() -> (tensor<8xi32>, tensor<8xi32>, tensor<8xui32>, tensor<8xi32>, tensor<3xi64>, tensor<4xi8>) {
  // CHECK-DAG: %[[ALL:.*]] = arith.constant dense<-1> : tensor<8xi32>
  // CHECK-DAG: %[[LEAST:.*]] = arith.constant dense<-2147483648> : tensor<8xi32>
  // CHECK-DAG: %[[U:.*]] = arith.constant dense<2147483647> : tensor<8xui32>
  // CHECK-DAG: %[[ZERO:.*]] = arith.constant dense<0> : tensor<8xi32>
  // CHECK-DAG: %[[SMALL:.*]] = arith.constant dense<[11, 22, 33]> : tensor<3xi64>
  // CHECK-DAG: %[[SIGN:.*]] = arith.constant dense<[-1, 0, 1, -1]> : tensor<4xi8>
  // CHECK: return %[[ALL]], %[[LEAST]], %[[U]], %[[ZERO]], %[[SMALL]], %[[SIGN]]
  %zero = arith.constant dense<0> : tensor<8xi32>
  %seven = arith.constant dense<7> : tensor<8xi32>
  %least = arith.constant dense<-2147483648> : tensor<8xi32>
  %minus = arith.constant dense<-1> : tensor<8xi32>
  %u = arith.constant dense<4294967295> : tensor<8xui32>
  %two = arith.constant dense<2> : tensor<8xui32>
  %wide = arith.constant dense<32> : tensor<8xi32>
  %a = arith.constant dense<[1, 2, 3]> : tensor<3xi64>
  %b = arith.constant dense<[10, 20, 30]> : tensor<3xi64>
  %c = arith.constant dense<[-5, 0, 9, -128]> : tensor<4xi8>
  %0 = lax.div %seven, %zero : tensor<8xi32>
  %1 = lax.div %least, %minus : tensor<8xi32>
  %2 = lax.div %u, %two : tensor<8xui32>
  %3 = lax.shift_left %seven, %wide : tensor<8xi32>
  %4 = lax.add %a, %b : tensor<3xi64>
  %5 = lax.sign %c : tensor<4xi8>
  return %0, %1, %2, %3, %4, %5 : tensor<8xi32>, tensor<8xi32>, tensor<8xui32>, tensor<8xi32>, tensor<3xi64>, tensor<4xi8>
}

// -----

// CHECK-LABEL: func @floats
func.func @floats() -> (tensor<8xf32>, tensor<8xf32>, tensor<4xf32>, tensor<4xf32>, tensor<2xi1>, tensor<f16>) {
  // CHECK-DAG: %[[SUM:.*]] = arith.constant dense<3.500000e+00> : tensor<8xf32>
  // CHECK-DAG: %[[REM:.*]] = arith.constant dense<-5.000000e-01> : tensor<8xf32>
  // CHECK-DAG: %[[AWAY:.*]] = arith.constant dense<[3.000000e+00, -3.000000e+00, 4.000000e+00, 1.000000e+00]> : tensor<4xf32>
  // CHECK-DAG: %[[EVEN:.*]] = arith.constant dense<[2.000000e+00, -2.000000e+00, 4.000000e+00, 0.000000e+00]> : tensor<4xf32>
  // CHECK-DAG: %[[LT:.*]] = arith.constant dense<[true, false]> : tensor<2xi1>
  // CHECK-DAG: %[[ROOT:.*]] = arith.constant dense<1.414060e+00> : tensor<f16>
  // CHECK: return %[[SUM]], %[[REM]], %[[AWAY]], %[[EVEN]], %[[LT]], %[[ROOT]]
  %a = arith.constant dense<1.0> : tensor<8xf32>
  %b = arith.constant dense<2.5> : tensor<8xf32>
  %c = arith.constant dense<-5.5> : tensor<8xf32>
  %d = arith.constant dense<[2.5, -2.5, 3.5, 0.5]> : tensor<4xf32>
  %e = arith.constant dense<[1.0, 0x7FC00000]> : tensor<2xf32>
  %f = arith.constant dense<[2.0, 2.0]> : tensor<2xf32>
  %g = arith.constant dense<2.0> : tensor<f16>
  %0 = lax.add %a, %b : tensor<8xf32>
  %1 = lax.rem %c, %b : tensor<8xf32>
  %2 = lax.round %d "away_from_zero" : tensor<4xf32>
  %3 = lax.round %d "to_nearest_even" : tensor<4xf32>
  %4 = lax.lt %e, %f : tensor<2xf32>
  %5 = lax.sqrt %g : tensor<f16>
  return %0, %1, %2, %3, %4, %5 : tensor<8xf32>, tensor<8xf32>, tensor<4xf32>, tensor<4xf32>, tensor<2xi1>, tensor<f16>
}

// -----

// CHECK-LABEL: func @conversions
func.func @conversions() -> (tensor<4xi8>, tensor<4xui8>, tensor<4xi1>, tensor<2xf32>, tensor<2xf32>, tensor<i32>) {
  // CHECK-DAG: %[[S:.*]] = arith.constant dense<[127, -128, 0, -2]> : tensor<4xi8>
  // CHECK-DAG: %[[U:.*]] = arith.constant dense<[255, 0, 0, 0]> : tensor<4xui8>
  // CHECK-DAG: %[[B:.*]] = arith.constant dense<true> : tensor<4xi1>
  // CHECK-DAG: %[[T:.*]] = arith.constant dense<[1.000000e+00, 0.000000e+00]> : tensor<2xf32>
  // CHECK-DAG: %[[F:.*]] = arith.constant dense<[2.550000e+02, 1.000000e+00]> : tensor<2xf32>
  // CHECK-DAG: %[[BITS:.*]] = arith.constant dense<1065353216> : tensor<i32>
  // CHECK: return %[[S]], %[[U]], %[[B]], %[[T]], %[[F]], %[[BITS]]
  %x = arith.constant dense<[1.0e9, -1.0e9, 0x7FC00000, -2.7]> : tensor<4xf32>
  %p = arith.constant dense<[true, false]> : tensor<2xi1>
  %u = arith.constant dense<[255, 1]> : tensor<2xui8>
  %one = arith.constant dense<1.0> : tensor<f32>
  %0 = lax.convert_element_type %x : tensor<4xf32> -> tensor<4xi8>
  %1 = lax.convert_element_type %x : tensor<4xf32> -> tensor<4xui8>
  %2 = lax.convert_element_type %x : tensor<4xf32> -> tensor<4xi1>
  %3 = lax.convert_element_type %p : tensor<2xi1> -> tensor<2xf32>
  %4 = lax.convert_element_type %u : tensor<2xui8> -> tensor<2xf32>
  %5 = lax.bitcast_convert_type %one : tensor<f32> -> tensor<i32>
  return %0, %1, %2, %3, %4, %5 : tensor<4xi8>, tensor<4xui8>, tensor<4xi1>, tensor<2xf32>, tensor<2xf32>, tensor<i32>
}

// -----

// CHECK-LABEL: func @select
// CHECK-SAME: (%[[P:.*]]: tensor<8xi1>, %[[X:.*]]: tensor<8xf32>, %[[Y:.*]]: tensor<8xf32>)
func.func @select(%p: tensor<8xi1>, %x: tensor<8xf32>, %y: tensor<8xf32>)
    -> (tensor<8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>) {
  // CHECK: %[[R:.*]] = lax.select_n %[[P]], %[[Y]], %[[X]] : tensor<8xi1>, tensor<8xf32>
  // CHECK: return %[[Y]], %[[X]], %[[X]], %[[R]]
  %true = arith.constant dense<true> : tensor<8xi1>
  %low = arith.constant dense<-3> : tensor<8xi32>
  %not = lax.not %p : tensor<8xi1>
  %0 = lax.select_n %true, %x, %y : tensor<8xi1>, tensor<8xf32>
  %1 = lax.select_n %low, %x, %y, %y : tensor<8xi32>, tensor<8xf32>
  %2 = lax.select_n %p, %x, %x : tensor<8xi1>, tensor<8xf32>
  %3 = lax.select_n %not, %x, %y : tensor<8xi1>, tensor<8xf32>
  return %0, %1, %2, %3 : tensor<8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>
}

// -----

// CHECK-LABEL: func @bits
// CHECK-SAME: (%[[I:.*]]: tensor<8xi32>)
func.func @bits(%i: tensor<8xi32>) -> (tensor<8xi32>, tensor<8xi32>, tensor<8xi32>, tensor<8xi1>) {
  // CHECK-DAG: %[[ZERO:.*]] = arith.constant dense<0> : tensor<8xi32>
  // CHECK-DAG: %[[FALSE:.*]] = arith.constant dense<false> : tensor<8xi1>
  // CHECK: return %[[I]], %[[I]], %[[ZERO]], %[[FALSE]]
  %ones = arith.constant dense<-1> : tensor<8xi32>
  %0 = lax.and %i, %ones : tensor<8xi32>
  %1 = lax.or %i, %i : tensor<8xi32>
  %2 = lax.xor %i, %i : tensor<8xi32>
  %3 = lax.lt %i, %i : tensor<8xi32>
  return %0, %1, %2, %3 : tensor<8xi32>, tensor<8xi32>, tensor<8xi32>, tensor<8xi1>
}

// -----

// CHECK-LABEL: func @add_any
func.func @add_any(%x: tensor<8xf32>, %y: tensor<8xf32>) -> tensor<8xf32> {
  // CHECK: lax.add %{{.*}}, %{{.*}} : tensor<8xf32>
  %0 = lax.add_any %x, %y : tensor<8xf32>
  return %0 : tensor<8xf32>
}
