// RUN: janus-opt %s --janus-cpu-bufferize --split-input-file | FileCheck %s

// Arguments are read-only: an insertion copies first.
// CHECK-LABEL: func.func @insert
// CHECK-SAME: (%[[X:.*]]: memref<4xf32>)
// CHECK: %[[A:.*]] = memref.alloc()
// CHECK: linalg.generic {{.*}} ins(%[[X]] : memref<4xf32>) outs(%[[A]] : memref<4xf32>)
// CHECK: memref.store %{{.*}}, %[[A]]
// CHECK: janus.leave site 0 (%[[A]] : memref<4xf32>)
func.func @insert(%x: memref<4xf32>) {
  %t = bufferization.to_tensor %x restrict : memref<4xf32> to tensor<4xf32>
  %c1 = arith.constant 1 : index
  %v = arith.constant 2.0 : f32
  %u = tensor.insert %v into %t[%c1] : tensor<4xf32>
  janus.leave site 0 (%u : tensor<4xf32>)
  return
}

// -----

// What a record holds is not overwritten while a later exit still reads it.
// CHECK-LABEL: func.func @guard_reads
// CHECK: %[[A:.*]] = memref.alloc()
// CHECK: linalg.fill {{.*}} outs(%[[A]]
// CHECK: %[[B:.*]] = memref.alloc()
// CHECK: memref.store %{{.*}}, %[[B]]
// CHECK: janus.guard %{{.*}}, <branch>, site 1 (%[[A]], %[[B]] : memref<4xf32>, memref<4xf32>)
func.func @guard_reads(%c: i1) {
  %z = arith.constant 0.0 : f32
  %c1 = arith.constant 1 : index
  %e = tensor.empty() : tensor<4xf32>
  %f = linalg.fill ins(%z : f32) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %u = tensor.insert %z into %f[%c1] : tensor<4xf32>
  janus.guard %c, <branch>, site 1 (%f, %u : tensor<4xf32>, tensor<4xf32>)
  return
}

// -----

// Exits take dense arrays; a guard copies only when it fails.
// CHECK-LABEL: func.func @strided
// CHECK: %[[S:.*]] = memref.subview
// CHECK: scf.if
// CHECK: %[[D:.*]] = memref.alloc() : memref<4xf32>
// CHECK: linalg.generic {{.*}} ins(%[[S]] {{.*}} outs(%[[D]]
// CHECK: janus.deopt "shape", site 3 (%[[D]] : memref<4xf32>)
func.func @strided(%x: memref<4x8xf32>, %c: i1) {
  %t = bufferization.to_tensor %x restrict : memref<4x8xf32> to tensor<4x8xf32>
  %s = tensor.extract_slice %t[0, 2] [4, 1] [1, 1] : tensor<4x8xf32> to tensor<4xf32>
  janus.guard %c, <shape>, site 3 (%s : tensor<4xf32>)
  return
}

// -----

#a = affine_map<(i, j) -> (i)>
#b = affine_map<(i, j) -> (j)>
#c = affine_map<(i, j) -> (i, j)>

// A product for an accumulator is added to it as it arises.
// CHECK-LABEL: func.func @accumulated
// CHECK-NOT: memref.alloc
// CHECK: linalg.generic {{.*}} outs(%arg2 : memref<4x5xf32>)
// CHECK: arith.mulf
// CHECK-NOT: linalg.generic
func.func @accumulated(%x: memref<4xf32>, %y: memref<5xf32>, %memory: memref<4x5xf32>) {
  %p = bufferization.to_tensor %x restrict : memref<4xf32> to tensor<4xf32>
  %q = bufferization.to_tensor %y restrict : memref<5xf32> to tensor<5xf32>
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x5xf32>
  %zeros = linalg.fill ins(%zero : f32) outs(%e : tensor<4x5xf32>) -> tensor<4x5xf32>
  %0 = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel"]}
      ins(%p, %q : tensor<4xf32>, tensor<5xf32>) outs(%zeros : tensor<4x5xf32>) {
    ^bb0(%u: f32, %v: f32, %r: f32):
      %m = arith.mulf %u, %v : f32
      %s = arith.addf %r, %m : f32
      linalg.yield %s : f32
  } -> tensor<4x5xf32>
  janus.accumulate %0 into %memory : tensor<4x5xf32>, memref<4x5xf32>
  return
}
