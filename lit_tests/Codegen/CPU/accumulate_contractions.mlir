// RUN: janus-opt %s --janus-cpu-accumulate-contractions --split-input-file | FileCheck %s

#a = affine_map<(i, j, k) -> (k, i)>
#b = affine_map<(i, j, k) -> (k, j)>
#c = affine_map<(i, j, k) -> (i, j)>
#id = affine_map<(i, j) -> (i, j)>

// The second product starts from the first.
// CHECK-LABEL: func.func @two
// CHECK: %[[one:.*]] = linalg.generic {{.*}} ins(%arg0, %arg1
// CHECK: %[[two:.*]] = linalg.generic {{.*}} ins(%arg2, %arg3 {{.*}} outs(%[[one]]
// CHECK-NOT: linalg.generic
// CHECK: return %[[two]]
func.func @two(%x: tensor<3x4xf32>, %y: tensor<3x5xf32>, %u: tensor<3x4xf32>, %v: tensor<3x5xf32>) -> tensor<4x5xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x5xf32>
  %zeros = linalg.fill ins(%zero : f32) outs(%e : tensor<4x5xf32>) -> tensor<4x5xf32>
  %0 = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %y : tensor<3x4xf32>, tensor<3x5xf32>) outs(%zeros : tensor<4x5xf32>) {
    ^bb0(%p: f32, %q: f32, %r: f32):
      %m = arith.mulf %p, %q : f32
      %s = arith.addf %r, %m : f32
      linalg.yield %s : f32
  } -> tensor<4x5xf32>
  %1 = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%u, %v : tensor<3x4xf32>, tensor<3x5xf32>) outs(%zeros : tensor<4x5xf32>) {
    ^bb0(%p: f32, %q: f32, %r: f32):
      %m = arith.mulf %p, %q : f32
      %s = arith.addf %r, %m : f32
      linalg.yield %s : f32
  } -> tensor<4x5xf32>
  %2 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%0, %1 : tensor<4x5xf32>, tensor<4x5xf32>) outs(%e : tensor<4x5xf32>) {
    ^bb0(%p: f32, %q: f32, %r: f32):
      %s = arith.addf %p, %q : f32
      linalg.yield %s : f32
  } -> tensor<4x5xf32>
  return %2 : tensor<4x5xf32>
}

// -----

#a = affine_map<(i, j, k) -> (k, i)>
#b = affine_map<(i, j, k) -> (k, j)>
#c = affine_map<(i, j, k) -> (i, j)>
#id = affine_map<(i, j) -> (i, j)>

// An argument is not this function's to write to, and a product that is used twice stays.
// CHECK-LABEL: func.func @refused
// CHECK: linalg.fill
// CHECK: linalg.generic {{.*}} ins(%arg0, %arg1 {{.*}} outs(%{{.*}} : tensor<4x5xf32>)
// CHECK: linalg.generic
// CHECK: arith.addf
func.func @refused(%x: tensor<3x4xf32>, %y: tensor<3x5xf32>, %start: tensor<4x5xf32>) -> tensor<4x5xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x5xf32>
  %zeros = linalg.fill ins(%zero : f32) outs(%e : tensor<4x5xf32>) -> tensor<4x5xf32>
  %0 = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %y : tensor<3x4xf32>, tensor<3x5xf32>) outs(%zeros : tensor<4x5xf32>) {
    ^bb0(%p: f32, %q: f32, %r: f32):
      %m = arith.mulf %p, %q : f32
      %s = arith.addf %r, %m : f32
      linalg.yield %s : f32
  } -> tensor<4x5xf32>
  %1 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%start, %0 : tensor<4x5xf32>, tensor<4x5xf32>) outs(%e : tensor<4x5xf32>) {
    ^bb0(%p: f32, %q: f32, %r: f32):
      %s = arith.addf %p, %q : f32
      linalg.yield %s : f32
  } -> tensor<4x5xf32>
  return %1 : tensor<4x5xf32>
}

// -----

#a = affine_map<(i, j, k) -> (k, i)>
#b = affine_map<(i, j, k) -> (k, j)>
#c = affine_map<(i, j, k) -> (i, j)>
#id = affine_map<(i, j) -> (i, j)>

// A loop adds to what it carries.
// CHECK-LABEL: func.func @loop
// CHECK: scf.for {{.*}} iter_args(%[[sum:.*]] =
// CHECK: linalg.generic {{.*}} outs(%[[sum]]
// CHECK-NEXT: bb0
// CHECK: arith.mulf
// CHECK-NOT: linalg.generic
// CHECK: scf.yield
func.func @loop(%x: tensor<3x4xf32>, %y: tensor<3x5xf32>, %n: index) -> tensor<4x5xf32> {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %e = tensor.empty() : tensor<4x5xf32>
  %zeros = linalg.fill ins(%zero : f32) outs(%e : tensor<4x5xf32>) -> tensor<4x5xf32>
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%sum = %zeros) -> tensor<4x5xf32> {
    %0 = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
        ins(%x, %y : tensor<3x4xf32>, tensor<3x5xf32>) outs(%zeros : tensor<4x5xf32>) {
      ^bb0(%p: f32, %q: f32, %r: f32):
        %m = arith.mulf %p, %q : f32
        %s = arith.addf %r, %m : f32
        linalg.yield %s : f32
    } -> tensor<4x5xf32>
    %1 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
        ins(%0 : tensor<4x5xf32>) outs(%sum : tensor<4x5xf32>) {
      ^bb0(%p: f32, %q: f32):
        %s = arith.addf %q, %p : f32
        linalg.yield %s : f32
    } -> tensor<4x5xf32>
    scf.yield %1 : tensor<4x5xf32>
  }
  return %r : tensor<4x5xf32>
}
