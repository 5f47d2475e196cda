// RUN: janus-opt %s | janus-opt | FileCheck %s
// RUN: janus-opt %s --mlir-print-op-generic | janus-opt | FileCheck %s

// CHECK-LABEL: func @unary
func.func @unary(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  // CHECK: lax.neg %{{.*}} : tensor<?x8xf32>
  %0 = lax.neg %x : tensor<?x8xf32>
  %1 = lax.abs %0 : tensor<?x8xf32>
  %2 = lax.sign %1 : tensor<?x8xf32>
  %3 = lax.floor %2 : tensor<?x8xf32>
  %4 = lax.ceil %3 : tensor<?x8xf32>
  // CHECK: lax.round %{{.*}} "to_nearest_even" : tensor<?x8xf32>
  %5 = lax.round %4 "to_nearest_even" : tensor<?x8xf32>
  // CHECK: lax.round %{{.*}} "away_from_zero" : tensor<?x8xf32>
  %6 = lax.round %5 "away_from_zero" : tensor<?x8xf32>
  %7 = lax.exp %6 : tensor<?x8xf32>
  %8 = lax.exp2 %7 : tensor<?x8xf32>
  %9 = lax.expm1 %8 : tensor<?x8xf32>
  %10 = lax.log %9 : tensor<?x8xf32>
  %11 = lax.log1p %10 : tensor<?x8xf32>
  %12 = lax.sqrt %11 : tensor<?x8xf32>
  %13 = lax.rsqrt %12 : tensor<?x8xf32>
  %14 = lax.cbrt %13 : tensor<?x8xf32>
  %15 = lax.square %14 : tensor<?x8xf32>
  // CHECK: lax.integer_pow %{{.*}} y = -3 : tensor<?x8xf32>
  %16 = lax.integer_pow %15 y = -3 : tensor<?x8xf32>
  %17 = lax.sin %16 : tensor<?x8xf32>
  %18 = lax.cos %17 : tensor<?x8xf32>
  %19 = lax.tan %18 : tensor<?x8xf32>
  %20 = lax.asin %19 : tensor<?x8xf32>
  %21 = lax.acos %20 : tensor<?x8xf32>
  %22 = lax.atan %21 : tensor<?x8xf32>
  %23 = lax.sinh %22 : tensor<?x8xf32>
  %24 = lax.cosh %23 : tensor<?x8xf32>
  %25 = lax.tanh %24 : tensor<?x8xf32>
  %26 = lax.asinh %25 : tensor<?x8xf32>
  %27 = lax.acosh %26 : tensor<?x8xf32>
  %28 = lax.atanh %27 : tensor<?x8xf32>
  %29 = lax.logistic %28 : tensor<?x8xf32>
  %30 = lax.erf %29 : tensor<?x8xf32>
  %31 = lax.erfc %30 : tensor<?x8xf32>
  %32 = lax.erf_inv %31 : tensor<?x8xf32>
  %33 = lax.lgamma %32 : tensor<?x8xf32>
  %34 = lax.digamma %33 : tensor<?x8xf32>
  // CHECK: lax.reduce_precision %{{.*}} exponent_bits = 8 mantissa_bits = 7 : tensor<?x8xf32>
  %35 = lax.reduce_precision %34 exponent_bits = 8 mantissa_bits = 7 : tensor<?x8xf32>
  %36 = lax.copy %35 : tensor<?x8xf32>
  // CHECK: lax.stop_gradient
  %37 = lax.stop_gradient %36 : tensor<?x8xf32>
  return %37 : tensor<?x8xf32>
}

// CHECK-LABEL: func @conversions
func.func @conversions(%x: tensor<8xf32>, %b: tensor<8x4xui8>) {
  // CHECK: lax.is_finite %{{.*}} : tensor<8xf32>
  %0 = lax.is_finite %x : tensor<8xf32>
  // CHECK: lax.not %{{.*}} : tensor<8xi1>
  %1 = lax.not %0 : tensor<8xi1>
  // CHECK: lax.convert_element_type %{{.*}} : tensor<8xi1> -> tensor<8xui64>
  %2 = lax.convert_element_type %1 : tensor<8xi1> -> tensor<8xui64>
  // CHECK: lax.bitcast_convert_type %{{.*}} : tensor<8xf32> -> tensor<8xui32>
  %3 = lax.bitcast_convert_type %x : tensor<8xf32> -> tensor<8xui32>
  // CHECK: lax.bitcast_convert_type %{{.*}} : tensor<8x4xui8> -> tensor<8xf32>
  %4 = lax.bitcast_convert_type %b : tensor<8x4xui8> -> tensor<8xf32>
  %5 = lax.population_count %3 : tensor<8xui32>
  %6 = lax.clz %3 : tensor<8xui32>
  return
}

// CHECK-LABEL: func @binary
func.func @binary(%x: tensor<8xf32>, %y: tensor<8xf32>, %i: tensor<8xi32>, %u: tensor<8xui32>) {
  // CHECK: lax.add %{{.*}}, %{{.*}} : tensor<8xf32>
  %0 = lax.add %x, %y : tensor<8xf32>
  %1 = lax.sub %x, %y : tensor<8xf32>
  %2 = lax.mul %x, %y : tensor<8xf32>
  %3 = lax.div %x, %y : tensor<8xf32>
  %4 = lax.rem %x, %y : tensor<8xf32>
  %5 = lax.max %x, %y : tensor<8xf32>
  %6 = lax.min %x, %y : tensor<8xf32>
  %7 = lax.add_any %x, %y : tensor<8xf32>
  %8 = lax.mulhi %i, %i : tensor<8xi32>
  // CHECK: lax.pow %{{.*}}, %{{.*}} : tensor<8xf32>, tensor<8xi32>
  %9 = lax.pow %x, %i : tensor<8xf32>, tensor<8xi32>
  %10 = lax.atan2 %x, %y : tensor<8xf32>
  %11 = lax.nextafter %x, %y : tensor<8xf32>
  %12 = lax.and %i, %i : tensor<8xi32>
  %13 = lax.or %u, %u : tensor<8xui32>
  %14 = lax.xor %u, %u : tensor<8xui32>
  %15 = lax.shift_left %u, %u : tensor<8xui32>
  %16 = lax.shift_right_logical %u, %u : tensor<8xui32>
  %17 = lax.shift_right_arithmetic %i, %i : tensor<8xi32>
  return
}

// CHECK-LABEL: func @selection
func.func @selection(%x: tensor<8xf32>, %y: tensor<8xf32>, %i: tensor<8xi32>) -> tensor<8xf32> {
  // CHECK: %[[EQ:.*]] = lax.eq %{{.*}}, %{{.*}} : tensor<8xf32>
  %0 = lax.eq %x, %y : tensor<8xf32>
  %1 = lax.ne %x, %y : tensor<8xf32>
  %2 = lax.lt %x, %y : tensor<8xf32>
  %3 = lax.le %x, %y : tensor<8xf32>
  %4 = lax.gt %x, %y : tensor<8xf32>
  %5 = lax.ge %x, %y : tensor<8xf32>
  // CHECK: lax.select_n %[[EQ]], %{{.*}}, %{{.*}} : tensor<8xi1>, tensor<8xf32>
  %6 = lax.select_n %0, %x, %y : tensor<8xi1>, tensor<8xf32>
  // CHECK: lax.select_n %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} : tensor<8xi32>, tensor<8xf32>
  %7 = lax.select_n %i, %x, %y, %6 : tensor<8xi32>, tensor<8xf32>
  // CHECK: lax.clamp %{{.*}}, %{{.*}}, %{{.*}} : tensor<8xf32>
  %8 = lax.clamp %x, %y, %7 : tensor<8xf32>
  return %8 : tensor<8xf32>
}

// CHECK-LABEL: func @complex
func.func @complex(%x: tensor<8xf32>) -> tensor<8xf32> {
  // CHECK: lax.complex %{{.*}}, %{{.*}} : tensor<8xf32>
  %0 = lax.complex %x, %x : tensor<8xf32>
  // CHECK: lax.conj %{{.*}} : tensor<8xcomplex<f32>>
  %1 = lax.conj %0 : tensor<8xcomplex<f32>>
  // CHECK: lax.real %{{.*}} : tensor<8xcomplex<f32>>
  %2 = lax.real %1 : tensor<8xcomplex<f32>>
  %3 = lax.imag %1 : tensor<8xcomplex<f32>>
  %4 = lax.add %2, %3 : tensor<8xf32>
  return %4 : tensor<8xf32>
}
