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

// -----

// A dense tensor is the buffer itself, or a copy of what has strides.
// CHECK-LABEL: func.func @dense
// CHECK-SAME: (%[[X:.*]]: memref<4xf32>, %[[Y:.*]]: memref<4x8xf32>)
// CHECK: %[[S:.*]] = memref.subview %[[Y]]
// CHECK: %[[D:.*]] = memref.alloc() {{.*}}: memref<4xf32>
// CHECK: linalg.generic {{.*}} ins(%[[S]] {{.*}} outs(%[[D]]
// CHECK: janus.leave site 0 (%[[X]], %[[D]] : memref<4xf32>, memref<4xf32>)
func.func @dense(%x: memref<4xf32>, %y: memref<4x8xf32>) {
  %t = bufferization.to_tensor %x restrict : memref<4xf32> to tensor<4xf32>
  %u = bufferization.to_tensor %y restrict : memref<4x8xf32> to tensor<4x8xf32>
  %s = tensor.extract_slice %u[0, 2] [4, 1] [1, 1] : tensor<4x8xf32> to tensor<4xf32>
  %d = janus.dense %t : tensor<4xf32>
  %e = janus.dense %s : tensor<4xf32>
  janus.leave site 0 (%d, %e : tensor<4xf32>, tensor<4xf32>)
  return
}

// -----

// Branches in a row that change an array, in a loop: upstream asks for layouts once, and not twice as often for each.
// CHECK-LABEL: func.func @branches
// CHECK: scf.while
// CHECK-NOT: memref.alloc
// CHECK: memref.store
// CHECK: janus.leave
func.func @branches(%c: i1, %v: i64) {
  %zero = arith.constant 0 : i64
  %i = arith.constant 1 : index
  %e = tensor.empty() : tensor<4xi64>
  %f = linalg.fill ins(%zero : i64) outs(%e : tensor<4xi64>) -> tensor<4xi64>
  %r = scf.while (%t = %f) : (tensor<4xi64>) -> tensor<4xi64> {
    scf.condition(%c) %t : tensor<4xi64>
  } do {
  ^bb0(%t0: tensor<4xi64>):
    %t1 = scf.if %c -> tensor<4xi64> {
      %u = tensor.insert %v into %t0[%i] : tensor<4xi64>
      scf.yield %u : tensor<4xi64>
    } else {
      scf.yield %t0 : tensor<4xi64>
    }
    %t2 = scf.if %c -> tensor<4xi64> {
      %u = tensor.insert %v into %t1[%i] : tensor<4xi64>
      scf.yield %u : tensor<4xi64>
    } else {
      scf.yield %t1 : tensor<4xi64>
    }
    %t3 = scf.if %c -> tensor<4xi64> {
      %u = tensor.insert %v into %t2[%i] : tensor<4xi64>
      scf.yield %u : tensor<4xi64>
    } else {
      scf.yield %t2 : tensor<4xi64>
    }
    %t4 = scf.if %c -> tensor<4xi64> {
      %u = tensor.insert %v into %t3[%i] : tensor<4xi64>
      scf.yield %u : tensor<4xi64>
    } else {
      scf.yield %t3 : tensor<4xi64>
    }
    %t5 = scf.if %c -> tensor<4xi64> {
      %u = tensor.insert %v into %t4[%i] : tensor<4xi64>
      scf.yield %u : tensor<4xi64>
    } else {
      scf.yield %t4 : tensor<4xi64>
    }
    %t6 = scf.if %c -> tensor<4xi64> {
      %u = tensor.insert %v into %t5[%i] : tensor<4xi64>
      scf.yield %u : tensor<4xi64>
    } else {
      scf.yield %t5 : tensor<4xi64>
    }
    %t7 = scf.if %c -> tensor<4xi64> {
      %u = tensor.insert %v into %t6[%i] : tensor<4xi64>
      scf.yield %u : tensor<4xi64>
    } else {
      scf.yield %t6 : tensor<4xi64>
    }
    %t8 = scf.if %c -> tensor<4xi64> {
      %u = tensor.insert %v into %t7[%i] : tensor<4xi64>
      scf.yield %u : tensor<4xi64>
    } else {
      scf.yield %t7 : tensor<4xi64>
    }
    %t9 = scf.if %c -> tensor<4xi64> {
      %u = tensor.insert %v into %t8[%i] : tensor<4xi64>
      scf.yield %u : tensor<4xi64>
    } else {
      scf.yield %t8 : tensor<4xi64>
    }
    %t10 = scf.if %c -> tensor<4xi64> {
      %u = tensor.insert %v into %t9[%i] : tensor<4xi64>
      scf.yield %u : tensor<4xi64>
    } else {
      scf.yield %t9 : tensor<4xi64>
    }
    %t11 = scf.if %c -> tensor<4xi64> {
      %u = tensor.insert %v into %t10[%i] : tensor<4xi64>
      scf.yield %u : tensor<4xi64>
    } else {
      scf.yield %t10 : tensor<4xi64>
    }
    %t12 = scf.if %c -> tensor<4xi64> {
      %u = tensor.insert %v into %t11[%i] : tensor<4xi64>
      scf.yield %u : tensor<4xi64>
    } else {
      scf.yield %t11 : tensor<4xi64>
    }
    %t13 = scf.if %c -> tensor<4xi64> {
      %u = tensor.insert %v into %t12[%i] : tensor<4xi64>
      scf.yield %u : tensor<4xi64>
    } else {
      scf.yield %t12 : tensor<4xi64>
    }
    %t14 = scf.if %c -> tensor<4xi64> {
      %u = tensor.insert %v into %t13[%i] : tensor<4xi64>
      scf.yield %u : tensor<4xi64>
    } else {
      scf.yield %t13 : tensor<4xi64>
    }
    %t15 = scf.if %c -> tensor<4xi64> {
      %u = tensor.insert %v into %t14[%i] : tensor<4xi64>
      scf.yield %u : tensor<4xi64>
    } else {
      scf.yield %t14 : tensor<4xi64>
    }
    %t16 = scf.if %c -> tensor<4xi64> {
      %u = tensor.insert %v into %t15[%i] : tensor<4xi64>
      scf.yield %u : tensor<4xi64>
    } else {
      scf.yield %t15 : tensor<4xi64>
    }
    %t17 = scf.if %c -> tensor<4xi64> {
      %u = tensor.insert %v into %t16[%i] : tensor<4xi64>
      scf.yield %u : tensor<4xi64>
    } else {
      scf.yield %t16 : tensor<4xi64>
    }
    %t18 = scf.if %c -> tensor<4xi64> {
      %u = tensor.insert %v into %t17[%i] : tensor<4xi64>
      scf.yield %u : tensor<4xi64>
    } else {
      scf.yield %t17 : tensor<4xi64>
    }
    %t19 = scf.if %c -> tensor<4xi64> {
      %u = tensor.insert %v into %t18[%i] : tensor<4xi64>
      scf.yield %u : tensor<4xi64>
    } else {
      scf.yield %t18 : tensor<4xi64>
    }
    %t20 = scf.if %c -> tensor<4xi64> {
      %u = tensor.insert %v into %t19[%i] : tensor<4xi64>
      scf.yield %u : tensor<4xi64>
    } else {
      scf.yield %t19 : tensor<4xi64>
    }
    %t21 = scf.if %c -> tensor<4xi64> {
      %u = tensor.insert %v into %t20[%i] : tensor<4xi64>
      scf.yield %u : tensor<4xi64>
    } else {
      scf.yield %t20 : tensor<4xi64>
    }
    %t22 = scf.if %c -> tensor<4xi64> {
      %u = tensor.insert %v into %t21[%i] : tensor<4xi64>
      scf.yield %u : tensor<4xi64>
    } else {
      scf.yield %t21 : tensor<4xi64>
    }
    %t23 = scf.if %c -> tensor<4xi64> {
      %u = tensor.insert %v into %t22[%i] : tensor<4xi64>
      scf.yield %u : tensor<4xi64>
    } else {
      scf.yield %t22 : tensor<4xi64>
    }
    %t24 = scf.if %c -> tensor<4xi64> {
      %u = tensor.insert %v into %t23[%i] : tensor<4xi64>
      scf.yield %u : tensor<4xi64>
    } else {
      scf.yield %t23 : tensor<4xi64>
    }
    scf.yield %t24 : tensor<4xi64>
  }
  janus.leave site 0 (%r : tensor<4xi64>)
  return
}
