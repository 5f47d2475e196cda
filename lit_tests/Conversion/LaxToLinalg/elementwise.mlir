// RUN: janus-opt %s --convert-lax-to-linalg --split-input-file | FileCheck %s

// CHECK: #[[$ID:.*]] = affine_map<(d0, d1) -> (d0, d1)>
// CHECK-LABEL: func @add
// CHECK-SAME: (%[[X:.*]]: tensor<?x4xf32>, %[[Y:.*]]: tensor<?x4xf32>)
func.func @add(%x: tensor<?x4xf32>, %y: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: %[[N:.*]] = tensor.dim %[[X]]
  // CHECK: %[[E:.*]] = tensor.empty(%[[N]]) : tensor<?x4xf32>
  // CHECK: linalg.generic {indexing_maps = [#[[$ID]], #[[$ID]], #[[$ID]]], iterator_types = ["parallel", "parallel"]}
  // CHECK-SAME: ins(%[[X]], %[[Y]] : {{.*}}) outs(%[[E]] : tensor<?x4xf32>)
  // CHECK: arith.addf
  %0 = lax.add %x, %y : tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}

// -----

// The element type says how integers are compared and divided; no division traps.

// CHECK-LABEL: func @unsigned
func.func @unsigned(%x: tensor<ui8>, %y: tensor<ui8>) -> (tensor<i1>, tensor<ui8>) {
  // CHECK: arith.cmpi ult, %{{.*}}, %{{.*}} : i8
  // CHECK: arith.extui %{{.*}} : i1 to i8
  %0 = lax.lt %x, %y : tensor<ui8>
  // CHECK: %[[ZERO:.*]] = arith.cmpi eq, %{{.*}}, %{{.*}} : i8
  // CHECK: %[[SAFE:.*]] = arith.select %[[ZERO]]
  // CHECK: %[[Q:.*]] = arith.divui %{{.*}}, %[[SAFE]] : i8
  // CHECK: arith.select %[[ZERO]], %{{.*}}, %[[Q]]
  %1 = lax.div %x, %y : tensor<ui8>
  return %0, %1 : tensor<i1>, tensor<ui8>
}

// -----

// Half precision is computed in f32.

// CHECK-LABEL: func @half
func.func @half(%x: tensor<4xbf16>) -> tensor<4xbf16> {
  // CHECK: %[[W:.*]] = arith.extf %{{.*}} : bf16 to f32
  // CHECK: %[[E:.*]] = math.exp %[[W]] : f32
  // CHECK: arith.truncf %[[E]] : f32 to bf16
  %0 = lax.exp %x : tensor<4xbf16>
  return %0 : tensor<4xbf16>
}
