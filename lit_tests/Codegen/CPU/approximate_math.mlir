// RUN: janus-opt %s --janus-cpu-approximate-math | FileCheck %s

// CHECK: func.func private @expm1(f64) -> f64

// CHECK-LABEL: func.func @vectors
// CHECK-NOT: math.exp
// CHECK: math.fma {{.*}} : vector<8xf32>
// CHECK: return
func.func @vectors(%x: vector<8xf32>) -> vector<8xf32> {
  %0 = math.exp %x : vector<8xf32>
  return %0 : vector<8xf32>
}

// An f64 stays a call; log1p and expm1 have no intrinsic and go to libm by element.
// CHECK-LABEL: func.func @doubles
// CHECK: math.exp %{{.*}} : vector<2xf64>
// CHECK-COUNT-2: call @expm1
func.func @doubles(%x: vector<2xf64>) -> vector<2xf64> {
  %0 = math.exp %x : vector<2xf64>
  %1 = math.expm1 %0 : vector<2xf64>
  return %1 : vector<2xf64>
}

// Large arguments would lose all digits.
// CHECK-LABEL: func.func @sine
// CHECK: math.sin
func.func @sine(%x: vector<8xf32>) -> vector<8xf32> {
  %0 = math.sin %x : vector<8xf32>
  return %0 : vector<8xf32>
}
