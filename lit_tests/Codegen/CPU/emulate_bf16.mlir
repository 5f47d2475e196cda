// RUN: janus-opt --janus-cpu-emulate-bf16 %s | FileCheck %s

// CHECK-LABEL: func @sum
// CHECK-NOT: arith.truncf
// CHECK-NOT: arith.extf
// CHECK: arith.addf {{.*}} : vector<8xf32>
// CHECK-NOT: arith.truncf
// CHECK: arith.trunci {{.*}} : vector<8xi32> to vector<8xi16>
// CHECK: arith.bitcast {{.*}} : vector<8xi16> to vector<8xbf16>
func.func @sum(%a: vector<8xbf16>, %b: vector<8xbf16>) -> vector<8xbf16> {
  %0 = arith.addf %a, %b : vector<8xbf16>
  return %0 : vector<8xbf16>
}

// CHECK-LABEL: func @from_double
// CHECK: arith.truncf {{.*}} : f64 to f32
// CHECK-NOT: arith.truncf
func.func @from_double(%a: f64) -> bf16 {
  %0 = arith.truncf %a : f64 to bf16
  return %0 : bf16
}

// CHECK-LABEL: func @untouched
// CHECK-NEXT: arith.addf {{.*}} : f16
func.func @untouched(%a: f16) -> f16 {
  %0 = arith.addf %a, %a : f16
  return %0 : f16
}
