// RUN: janus-opt %s --janus-cpu-emit-kernels --split-input-file --verify-diagnostics | FileCheck %s

#id = affine_map<(i) -> (i)>
#none = affine_map<(i) -> ()>

// Vectors of eight, then what remains of nineteen in smaller ones. Rounding is not left to LLVM.
// CHECK-LABEL: func.func @map
// CHECK: scf.for
// CHECK: vector.load %{{.*}} : memref<19xf32>, vector<8xf32>
// CHECK: arith.addf %{{[^ ]*}}, %{{[^ ]*}} : vector<8xf32>
// CHECK: vector.store
// CHECK: vector.load %{{.*}} : memref<19xf32>, vector<2xf32>
// CHECK: memref.load
func.func @map(%x: memref<19xf32>, %y: memref<19xf32>) {
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : memref<19xf32>) outs(%y : memref<19xf32>)
      attrs = {janus.strategy = {kind = "map", lanes = 8 : i64, order = array<i64: 0>, tile = array<i64: 8>,
                                 vector_loop = 0 : i64}} {
    ^bb0(%a: f32, %o: f32):
      %s = arith.addf %a, %a : f32
      linalg.yield %s : f32
  }
  return
}

// -----

#id = affine_map<(i) -> (i)>
#none = affine_map<(i) -> ()>

// The fill is where the accumulator starts, and nothing is stored before the end.
// CHECK-LABEL: func.func @sum
// CHECK-NOT: memref.store
// CHECK: scf.for {{.*}} iter_args({{.*}}) -> (vector<8xf32>, vector<8xf32>, f32)
// CHECK: vector.reduction <add>
// CHECK: memref.store
// CHECK-NOT: memref.store
func.func @sum(%x: memref<?xf32>, %y: memref<f32>) {
  %z = arith.constant 0.0 : f32
  linalg.fill ins(%z : f32) outs(%y : memref<f32>)
  linalg.generic {indexing_maps = [#id, #none], iterator_types = ["reduction"]}
      ins(%x : memref<?xf32>) outs(%y : memref<f32>)
      attrs = {janus.strategy = {kind = "reduce", lanes = 8 : i64, order = array<i64: 0>, tile = array<i64: 16>,
                                 vector_loop = 0 : i64}} {
    ^bb0(%a: f32, %o: f32):
      %s = arith.addf %o, %a : f32
      linalg.yield %s : f32
  }
  return
}

// -----

#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (k, n)>
#c = affine_map<(m, n, k) -> (m, n)>

// CHECK-LABEL: func.func @packed
// CHECK: %[[P:.*]] = memref.alloca() {alignment = 64 : i64} : memref<512xf32>
// CHECK: scf.for
// CHECK: vector.store %{{.*}}, %[[P]]
// CHECK: scf.for {{.*}} -> (vector<8xf32>, vector<8xf32>)
// CHECK: vector.load %[[P]]
// A term and the sum it is added to may become one multiply-add.
// CHECK: arith.mulf {{.*}} fastmath<contract> : vector<8xf32>
// CHECK: arith.addf {{.*}} fastmath<contract> : vector<8xf32>
func.func @packed(%x: memref<4x64xf32>, %y: memref<64x8xf32>, %z: memref<4x8xf32>) {
  linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %y : memref<4x64xf32>, memref<64x8xf32>) outs(%z : memref<4x8xf32>)
      attrs = {janus.strategy = {kind = "contract", lanes = 8 : i64, order = array<i64: 1, 0, 2>,
                                 tile = array<i64: 2, 8, 1>, vector_loop = 1 : i64, pack = array<i64: 1>}} {
    ^bb0(%l: f32, %r: f32, %o: f32):
      %m = arith.mulf %l, %r : f32
      %s = arith.addf %o, %m : f32
      linalg.yield %s : f32
  }
  return
}

// -----

#id = affine_map<(i) -> (i)>

// A strategy that would miscompile is refused.
func.func @wrong(%x: memref<19xf32>, %y: memref<19xf32>) {
  // expected-error @+1 {{'janus.strategy' does not fit the op}}
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : memref<19xf32>) outs(%y : memref<19xf32>)
      attrs = {janus.strategy = {kind = "map", lanes = 8 : i64, order = array<i64: 0>, tile = array<i64: 12>,
                                 vector_loop = 0 : i64}} {
    ^bb0(%a: f32, %o: f32):
      %s = arith.addf %a, %a : f32
      linalg.yield %s : f32
  }
  return
}

// -----

#a = affine_map<(m, n, k) -> (m, k)>
#bt = affine_map<(m, n, k) -> (n, k)>
#c = affine_map<(m, n, k) -> (m, n)>

// CHECK: llvm.func @scipy_cblas_sgemm(i32, i32, i32, i32, i32, i32, f32, !llvm.ptr, i32, !llvm.ptr, i32, f32, !llvm.ptr, i32)
// CHECK-LABEL: func.func @library
// CHECK-SAME: (%[[X:.*]]: memref<70x80xf32>, %[[Y:.*]]: memref<90x80xf32>, %[[Z:.*]]: memref<70x90xf32>)
func.func @library(%x: memref<70x80xf32>, %y: memref<90x80xf32>, %z: memref<70x90xf32>) {
  // CHECK-DAG: %[[ORDER:.*]] = arith.constant 101 : i32
  // CHECK-DAG: %[[PLAIN:.*]] = arith.constant 111 : i32
  // CHECK-DAG: %[[TRANSPOSED:.*]] = arith.constant 112 : i32
  // CHECK: memref.extract_aligned_pointer_as_index %[[X]]
  // CHECK: memref.extract_aligned_pointer_as_index %[[Y]]
  // CHECK: memref.extract_aligned_pointer_as_index %[[Z]]
  // CHECK: llvm.call @scipy_cblas_sgemm(%[[ORDER]], %[[PLAIN]], %[[TRANSPOSED]],
  // CHECK-NOT: scf.for
  linalg.generic {indexing_maps = [#a, #bt, #c], iterator_types = ["parallel", "parallel", "reduction"],
                  janus.strategy = {kind = "library", lanes = 1 : i64, order = array<i64: 0, 1, 2>,
                                    tile = array<i64: 1, 1, 1>, vector_loop = -1 : i64}}
      ins(%x, %y : memref<70x80xf32>, memref<90x80xf32>) outs(%z : memref<70x90xf32>) {
    ^bb0(%l: f32, %r: f32, %o: f32):
      %m = arith.mulf %l, %r : f32
      %s = arith.addf %o, %m : f32
      linalg.yield %s : f32
  }
  return
}

// -----

#id = affine_map<(i, j) -> (i, j)>
#column = affine_map<(i, j) -> (j)>

// A long sum: pieces of 100 terms start from nothing, and their sums go to the total.
// CHECK-LABEL: func.func @long
// CHECK: %[[TOTAL:.*]] = scf.for %[[I:.*]] = %{{.*}} to %{{.*}} step %c100{{.*}} iter_args(%[[SUM:.*]] = %{{.*}}) -> (vector<8xf32>)
// CHECK: arith.constant -0.000000e+00 : f32
// CHECK: %[[PIECE:.*]] = scf.for %{{.*}} = %[[I]]
// CHECK: arith.addf %{{.*}} fastmath<contract>
// CHECK: %[[NEXT:.*]] = arith.addf %[[SUM]], %[[PIECE]] : vector<8xf32>
// CHECK: scf.yield %[[NEXT]]
// CHECK: vector.store %[[TOTAL]]
func.func @long(%x: memref<1000x8xf32>, %y: memref<8xf32>) {
  linalg.generic {indexing_maps = [#id, #column], iterator_types = ["reduction", "parallel"]}
      ins(%x : memref<1000x8xf32>) outs(%y : memref<8xf32>)
      attrs = {janus.strategy = {chain = 100 : i64, kind = "reduce", lanes = 8 : i64, order = array<i64: 1, 0>,
                                 tile = array<i64: 1, 8>, vector_loop = 1 : i64}} {
    ^bb0(%a: f32, %o: f32):
      %s = arith.addf %o, %a : f32
      linalg.yield %s : f32
  }
  return
}

// -----

#id = affine_map<(i) -> (i)>
#none = affine_map<(i) -> ()>

// Of a length known at run time the last piece is shorter. What fills no vector goes to the total as it is.
// CHECK-LABEL: func.func @long_dynamic
// CHECK: scf.for {{.*}} step %c256{{.*}} -> (vector<8xf32>, f32)
// CHECK: arith.minsi
// CHECK: scf.for {{.*}} -> (vector<8xf32>, f32)
// CHECK: scf.for {{.*}} -> (vector<8xf32>, f32)
// CHECK-NOT: scf.for
func.func @long_dynamic(%x: memref<?xf32>, %y: memref<f32>) {
  linalg.generic {indexing_maps = [#id, #none], iterator_types = ["reduction"]}
      ins(%x : memref<?xf32>) outs(%y : memref<f32>)
      attrs = {janus.strategy = {chain = 32 : i64, kind = "reduce", lanes = 8 : i64, order = array<i64: 0>,
                                 tile = array<i64: 8>, vector_loop = 0 : i64}} {
    ^bb0(%a: f32, %o: f32):
      %s = arith.addf %o, %a : f32
      linalg.yield %s : f32
  }
  return
}

// -----

#id = affine_map<(i, j) -> (i, j)>
#column = affine_map<(i, j) -> (j)>

// Each block is summed by itself, though it is short enough.
// CHECK-LABEL: func.func @long_blocked
// CHECK: scf.for
// CHECK: %[[BEFORE:.*]] = vector.load
// CHECK: %[[BLOCK:.*]] = scf.for {{.*}} iter_args(%{{.*}} = %[[ZERO:.*]]) -> (vector<8xf32>)
// CHECK: %[[AFTER:.*]] = arith.addf %[[BEFORE]], %[[BLOCK]]
// CHECK: vector.store %[[AFTER]]
func.func @long_blocked(%x: memref<1000x8xf32>, %y: memref<8xf32>) {
  linalg.generic {indexing_maps = [#id, #column], iterator_types = ["reduction", "parallel"]}
      ins(%x : memref<1000x8xf32>) outs(%y : memref<8xf32>)
      attrs = {janus.strategy = {block = array<i64: 100, 0>, chain = 256 : i64, kind = "reduce", lanes = 8 : i64,
                                 order = array<i64: 1, 0>, tile = array<i64: 1, 8>, vector_loop = 1 : i64}} {
    ^bb0(%a: f32, %o: f32):
      %s = arith.addf %o, %a : f32
      linalg.yield %s : f32
  }
  return
}

// -----

#id = affine_map<(i) -> (i)>
#none = affine_map<(i) -> ()>

func.func @largest_in_pieces(%x: memref<1000xf32>, %y: memref<f32>) {
  // expected-error @+1 {{'janus.strategy' does not fit the op}}
  linalg.generic {indexing_maps = [#id, #none], iterator_types = ["reduction"]}
      ins(%x : memref<1000xf32>) outs(%y : memref<f32>)
      attrs = {janus.strategy = {chain = 32 : i64, kind = "reduce", lanes = 8 : i64, order = array<i64: 0>,
                                 tile = array<i64: 8>, vector_loop = 0 : i64}} {
    ^bb0(%a: f32, %o: f32):
      %s = arith.maximumf %o, %a : f32
      linalg.yield %s : f32
  }
  return
}
