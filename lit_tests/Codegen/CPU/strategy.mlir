// RUN: janus-opt %s --janus-cpu-strategy="vector-bits=256" --split-input-file | FileCheck %s --check-prefixes=CHECK,AVX2
// RUN: janus-opt %s --janus-cpu-strategy="vector-bits=512" --split-input-file | FileCheck %s --check-prefixes=CHECK,AVX512

#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (k, n)>
#bt = affine_map<(m, n, k) -> (n, k)>
#c = affine_map<(m, n, k) -> (m, n)>

// CHECK-LABEL: func.func @matmul
// AVX2: janus.strategy = {kind = "contract", lanes = 8 : i64, {{.*}}tile = array<i64: 6, 16, 1>, vector_loop = 1 : i64}
// AVX512: janus.strategy = {kind = "contract", lanes = 16 : i64, {{.*}}vector_loop = 1 : i64}
func.func @matmul(%x: memref<96x64xf32>, %y: memref<64x96xf32>, %z: memref<96x96xf32>) {
  linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %y : memref<96x64xf32>, memref<64x96xf32>) outs(%z : memref<96x96xf32>) {
    ^bb0(%l: f32, %r: f32, %o: f32):
      %m = arith.mulf %l, %r : f32
      %s = arith.addf %o, %m : f32
      linalg.yield %s : f32
  }
  return
}

// -----

#a = affine_map<(m, n, k) -> (m, k)>
#bt = affine_map<(m, n, k) -> (n, k)>
#c = affine_map<(m, n, k) -> (m, n)>

// The second operand is transposed into a dense panel.
// CHECK-LABEL: func.func @transposed
// CHECK: pack = array<i64: 1>
func.func @transposed(%x: memref<96x64xf32>, %y: memref<96x64xf32>, %z: memref<96x96xf32>) {
  linalg.generic {indexing_maps = [#a, #bt, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %y : memref<96x64xf32>, memref<96x64xf32>) outs(%z : memref<96x96xf32>) {
    ^bb0(%l: f32, %r: f32, %o: f32):
      %m = arith.mulf %l, %r : f32
      %s = arith.addf %o, %m : f32
      linalg.yield %s : f32
  }
  return
}

// -----

#id = affine_map<(i, j) -> (i, j)>
#row = affine_map<(i, j) -> (i)>

// Loops that walk as one are merged: one loop of 64 * 10 steps.
// CHECK-LABEL: func.func @map
// CHECK: janus.strategy = {kind = "map", {{.*}}order = array<i64: 0>, {{.*}}vector_loop = 0 : i64}
func.func @map(%x: memref<64x10xf32>, %y: memref<64x10xf32>) {
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : memref<64x10xf32>) outs(%y : memref<64x10xf32>) {
    ^bb0(%a: f32, %o: f32):
      %s = arith.addf %a, %a : f32
      linalg.yield %s : f32
  }
  return
}

// -----

#id = affine_map<(i, j) -> (i, j)>
#row = affine_map<(i, j) -> (i)>

// A sum along rows keeps vectors of partial sums.
// CHECK-LABEL: func.func @sum
// CHECK: janus.strategy = {kind = "reduce", {{.*}}vector_loop = 1 : i64}
func.func @sum(%x: memref<64x1000xf32>, %y: memref<64xf32>) {
  linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%x : memref<64x1000xf32>) outs(%y : memref<64xf32>) {
    ^bb0(%a: f32, %o: f32):
      %s = arith.addf %o, %a : f32
      linalg.yield %s : f32
  }
  return
}

// -----

#id = affine_map<(i) -> (i)>
#none = affine_map<(i) -> ()>

// A difference may not be reordered, and what has a strategy keeps it.
// CHECK-LABEL: func.func @ordered
// CHECK: janus.strategy = {kind = "reduce", lanes = 1 : i64, {{.*}}vector_loop = -1 : i64}
// CHECK: janus.strategy = {kind = "loops"}
func.func @ordered(%x: memref<1000xf32>, %y: memref<f32>) {
  linalg.generic {indexing_maps = [#id, #none], iterator_types = ["reduction"]}
      ins(%x : memref<1000xf32>) outs(%y : memref<f32>) {
    ^bb0(%a: f32, %o: f32):
      %s = arith.subf %o, %a : f32
      linalg.yield %s : f32
  }
  linalg.generic {indexing_maps = [#id, #none], iterator_types = ["reduction"]}
      ins(%x : memref<1000xf32>) outs(%y : memref<f32>) attrs = {janus.strategy = {kind = "loops"}} {
    ^bb0(%a: f32, %o: f32):
      %s = arith.addf %o, %a : f32
      linalg.yield %s : f32
  }
  return
}

// -----

#at = affine_map<(m, n, k) -> (k, m)>
#b = affine_map<(m, n, k) -> (k, n)>
#c = affine_map<(m, n, k) -> (m, n)>

// A product as large as this is for BLAS: the first operand is transposed, the second has rows of a larger matrix.
// CHECK-LABEL: func.func @large
// CHECK: janus.strategy = {{[{].*}}kind = "library"
func.func @large(%x: memref<512x512xf32>, %y: memref<512x512xf32, strided<[640, 1], offset: 64>>, %z: memref<512x512xf32>) {
  linalg.generic {indexing_maps = [#at, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %y : memref<512x512xf32>, memref<512x512xf32, strided<[640, 1], offset: 64>>) outs(%z : memref<512x512xf32>) {
    ^bb0(%l: f32, %r: f32, %o: f32):
      %m = arith.mulf %l, %r : f32
      %s = arith.addf %o, %m : f32
      linalg.yield %s : f32
  }
  return
}

// -----

#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (k, n)>
#c = affine_map<(m, n, k) -> (m, n)>

// Few rows are not; nor is a product of anything else than the elements.
// CHECK-LABEL: func.func @few_rows
// CHECK: janus.strategy = {{[{].*}}kind = "contract"
func.func @few_rows(%x: memref<32x4096xf32>, %y: memref<4096x4096xf32>, %z: memref<32x4096xf32>) {
  linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %y : memref<32x4096xf32>, memref<4096x4096xf32>) outs(%z : memref<32x4096xf32>) {
    ^bb0(%l: f32, %r: f32, %o: f32):
      %m = arith.mulf %l, %r : f32
      %s = arith.addf %o, %m : f32
      linalg.yield %s : f32
  }
  return
}

// -----

#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (k, n)>
#c = affine_map<(m, n, k) -> (m, n)>

// CHECK-LABEL: func.func @other_body
// CHECK: janus.strategy = {{[{].*}}kind = "contract"
func.func @other_body(%x: memref<512x512xf32>, %y: memref<512x512xf32>, %z: memref<512x512xf32>) {
  linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %y : memref<512x512xf32>, memref<512x512xf32>) outs(%z : memref<512x512xf32>) {
    ^bb0(%l: f32, %r: f32, %o: f32):
      %n = arith.negf %l : f32
      %m = arith.mulf %n, %r : f32
      %s = arith.addf %o, %m : f32
      linalg.yield %s : f32
  }
  return
}

// -----

#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (k, n)>
#c = affine_map<(m, n, k) -> (m, n)>

// A long reduction is packed a block at a time; so much of the first operand stays in the cache for all panels.
// CHECK-LABEL: func.func @long
// CHECK: block = array<i64: 0, 0, 300>
// CHECK: pack = array<i64: 1>
func.func @long(%x: memref<200x3000xf32>, %y: memref<3000x200xf32>, %z: memref<200x200xf32>) {
  linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %y : memref<200x3000xf32>, memref<3000x200xf32>) outs(%z : memref<200x200xf32>) {
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

// Long sums are cut; largest elements need not be, nor short sums, nor integers.
// CHECK-LABEL: func.func @long
// CHECK: janus.strategy = {chain = 256 : i64, kind = "reduce"
// CHECK: arith.addf
// CHECK: janus.strategy = {kind
// CHECK: arith.maximumf
// CHECK: janus.strategy = {kind
// CHECK: arith.addi
#attributes = {indexing_maps = [#id, #column], iterator_types = ["reduction", "parallel"]}
func.func @long(%x: memref<1000x64xf32>, %y: memref<64xf32>, %n: memref<1000x64xi32>, %m: memref<64xi32>) {
  linalg.generic #attributes ins(%x : memref<1000x64xf32>) outs(%y : memref<64xf32>) {
    ^bb0(%a: f32, %o: f32):
      %s = arith.addf %o, %a : f32
      linalg.yield %s : f32
  }
  linalg.generic #attributes ins(%x : memref<1000x64xf32>) outs(%y : memref<64xf32>) {
    ^bb0(%a: f32, %o: f32):
      %s = arith.maximumf %o, %a : f32
      linalg.yield %s : f32
  }
  linalg.generic #attributes ins(%n : memref<1000x64xi32>) outs(%m : memref<64xi32>) {
    ^bb0(%a: i32, %o: i32):
      %s = arith.addi %o, %a : i32
      linalg.yield %s : i32
  }
  return
}
