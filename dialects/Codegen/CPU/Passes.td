//===- Passes.td - Code generation for CPUs -----------------*- tablegen -*-===//

#ifndef JANUS_CODEGEN_CPU_PASSES_TD
#define JANUS_CODEGEN_CPU_PASSES_TD

include "mlir/Pass/PassBase.td"

def AccumulateContractionsPass : Pass<"janus-cpu-accumulate-contractions", "::mlir::func::FuncOp"> {
  let summary = "Let contractions start from what they are added to";
  let description = [{
    A contraction that is added to a tensor which nothing else needs, such as the sum of the contractions before, starts from that
    instead of from zero, and no temporary holds it.

    ```mlir
    %0 = linalg.generic ... ins(%a, %b) outs(%zeros) { acc + a * b }
    %1 = linalg.generic ... ins(%sum, %0) { arith.addf }
    // becomes
    %1 = linalg.generic ... ins(%a, %b) outs(%sum) { acc + a * b }
    ```
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect"];
}

def MergeContractionsPass : Pass<"janus-cpu-merge-contractions", "::mlir::func::FuncOp"> {
  let summary = "Make a sum of contractions one contraction";
  let description = [{
    Contractions that start from one another, as the gradients of a weight that is used in every step of an unrolled loop do,
    become one contraction of their concatenated operands, if these are smaller than the result: it is then read and
    written once, not once for each.

    ```mlir
    %1 = linalg.generic ... ins(%a0, %b0) outs(%0) { acc + a * b }    // 20x400, 20x800 -> 400x800
    %2 = linalg.generic ... ins(%a1, %b1) outs(%1) { acc + a * b }
    // becomes
    %a = tensor.concat dim(0) %a0, %a1
    %b = tensor.concat dim(0) %b0, %b1
    %2 = linalg.generic ... ins(%a, %b) outs(%0) { acc + a * b }
    ```
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect"];
}

def FuseElementwisePass : Pass<"janus-cpu-fuse-elementwise", "::mlir::func::FuncOp"> {
  let summary = "Bring linalg ops to generic form and fuse elementwise producers into their consumers";
  let description = [{
    Pads and concatenations become fills and inserted slices, named linalg ops become `linalg.generic`, elementwise `arith` and
    `math` on tensors do too. Then each elementwise producer is fused into its consumer, reductions included, where that
    computes nothing twice that is dear, and no op grows beyond a bound.

    ```mlir
    %0 = linalg.generic ... { math.exp }
    %1 = linalg.generic ... { arith.addf }   // reads %0: one op afterwards
    ```
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect",
                           "::mlir::arith::ArithDialect", "::mlir::math::MathDialect", "::mlir::affine::AffineDialect"];
}

def TransposeOperandsPass : Pass<"janus-cpu-transpose-operands", "::mlir::func::FuncOp"> {
  let summary = "Transpose what contractions read across their vectors";
  let description = [{
    Vectors of a matrix product run along the rows of the result, and so of the second operand. One that is used
    transposed, as weights are for gradients, has its elements for a vector far apart. If contractions read each
    element often enough, it is transposed once for all of them, before loops that do not change it.

    ```mlir
    %r = linalg.generic ... ins(%a, %b) ...      // (m, k), (n, k) -> (m, n)
    // becomes
    %t = linalg.generic ... ins(%b) ...          // (k, n)
    %r = linalg.generic ... ins(%a, %t) ...      // (m, k), (k, n) -> (m, n)
    ```
  }];
  let options = [Option<"minReads", "min-reads", "int64_t", "48", "How often elements must be read for it to pay">];
  let dependentDialects = ["::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect"];
}

def PrepareEntryPass : Pass<"janus-cpu-prepare-entry", "::mlir::ModuleOp"> {
  let summary = "Make tensors that functions pass buffers, and the return of the entry a janus.leave";
  let description = [{
    The entry function takes its tensors as buffers that are never written, and hands all of its results over as
    the record of its return site, so that leaving early and returning are one mechanism. Poisoned tensors, which
    stand for values of unreachable code, become empty ones.

    ```mlir
    func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> attributes {janus.entry, janus.return_site = 0 : i32} {
      return %x : tensor<4xf32>
    }
    // becomes
    func.func @f(%x: memref<4xf32>) attributes {janus.entry, janus.return_site = 0 : i32} {
      %t = bufferization.to_tensor %x restrict : memref<4xf32> to tensor<4xf32>
      janus.leave site 0 (%t : tensor<4xf32>)
      return
    }
    ```

    The other functions of the program, which were not inlined, are marked `janus.internal`, and pass their tensors in buffers too. A result of static
    shape goes to a buffer of the caller's, an argument after all others; one of dynamic shape is handed over in memory that
    the next call may use again, so that the caller copies it at once.

    ```mlir
    func.func private @g(%x: tensor<4xf32>, %node: !janus.object) -> tensor<4xf32>
    // becomes
    func.func private @g(%x: memref<4xf32>, %node: !janus.object, %result: memref<4xf32>) attributes {janus.internal}
    ```
  }];
  let dependentDialects = ["::mlir::bufferization::BufferizationDialect", "::mlir::tensor::TensorDialect"];
}

def BufferizePass : Pass<"janus-cpu-bufferize", "::mlir::ModuleOp"> {
  let summary = "One-shot bufferisation of the entry, janus exits included";
  let description = [{
    Runs upstream's one-shot analysis, in which exits read their live tensors, and turns the copies that remain into linalg ops, which the
    later passes vectorise like any other.
  }];
  let dependentDialects = ["::mlir::bufferization::BufferizationDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::linalg::LinalgDialect", "::mlir::scf::SCFDialect"];
}

def OutlineKernelsPass : Pass<"janus-cpu-outline-kernels", "::mlir::ModuleOp"> {
  let summary = "Move each linalg op on buffers into a private function, one for all that are alike";
  let description = [{
    A fill goes along with the reduction that starts from it. Functions are compared by their text, so that a kernel
    is compiled once however often it is used. Ops of a few steps stay where they are.

    ```mlir
    linalg.fill ins(%zero) outs(%c)
    linalg.generic ... ins(%a, %b) outs(%c)
    // becomes
    call @kernel_0(%a, %b, %c) : (memref<64x32xf32>, memref<32x10xf32>, memref<64x10xf32>) -> ()
    ```
  }];
  let dependentDialects = ["::mlir::func::FuncDialect", "::mlir::linalg::LinalgDialect"];
}

def StrategyPass : Pass<"janus-cpu-strategy", "::mlir::ModuleOp"> {
  let summary = "Decide for each linalg op how it runs, as an attribute";
  let description = [{
    Puts `janus.strategy` on each `linalg.generic` on buffers: the kind, which loop fills vectors, how many lanes, the
    register tile, and the order of loops. Loops are those of the op with loops of one step dropped and
    loops that walk all buffers as one merged. The choice is the cheapest under a model of loads, arithmetic,
    latency and remainders. Large matrix products whose rows are dense become calls of BLAS ("library"), which packs
    better than generated code. Long sums get a `chain`, the most terms that are added one after the other before
    their sum goes to a total, since the error of a sum grows with that number. An op that has the attribute keeps it.

    ```mlir
    linalg.generic {..., janus.strategy = {kind = "contract", lanes = 8 : i64, order = [0, 1, 2],
                                           tile = [6, 16, 1], vector_loop = 1 : i64}}
    ```
  }];
  let options = [Option<"vectorBits", "vector-bits", "int64_t", "0", "Width of vectors; 0 is the host's">,
                 Option<"useLibrary", "library", "bool", "true", "Leave large matrix products to BLAS">];
}

def EmitKernelsPass : Pass<"janus-cpu-emit-kernels", "::mlir::ModuleOp"> {
  let summary = "Write linalg ops on buffers as vector code, as their strategy says";
  let description = [{
    Each op becomes loops around a register tile of vectors: operands that do not vary along the vector loop are loaded once and
    broadcast, accumulators are carried through the reductions in registers, sizes that are no multiple of the
    tile are finished in smaller pieces. Reductions along the vector loop keep several vectors of partial results, and
    those with a `chain` sum pieces of that length by themselves; that reassociates, and nothing else does. A library call needs the addresses of its buffers, and the function
    `scipy_cblas_sgemm` or `scipy_cblas_dgemm`, which is declared.
  }];
  let dependentDialects = ["::mlir::vector::VectorDialect", "::mlir::scf::SCFDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::arith::ArithDialect", "::mlir::affine::AffineDialect",
                           "::mlir::LLVM::LLVMDialect"];
}

def ApproximateMathPass : Pass<"janus-cpu-approximate-math", "::mlir::ModuleOp"> {
  let summary = "Expand transcendental functions of f32";
  let description = [{
    Functions of `math` on f32 become polynomials of a few units in the last place, for vectors and for scalars alike, so
    that an element has the same value whether it fell into a vector or into a remainder; LLVM would call libm
    for each element. f16 and bf16 are computed in f32. Other types are left to LLVM's intrinsics, and `log1p` and `expm1`,
    which have none, become calls of libm.
  }];
  let dependentDialects = ["::mlir::vector::VectorDialect", "::mlir::math::MathDialect", "::mlir::arith::ArithDialect",
                           "::mlir::func::FuncDialect"];
}

def EmulateBF16Pass : Pass<"janus-cpu-emulate-bf16", "::mlir::ModuleOp"> {
  let summary = "Compute bf16 in f32";
  let description = [{
    Arithmetic on bf16 becomes arithmetic on f32 between conversions, and the conversions become shifts and a rounding of the
    bits, to nearest with ties to even. Few CPUs have bf16; on the others LLVM would call a function for each element.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

def PlanMemoryPass : Pass<"janus-cpu-plan-memory", "::mlir::func::FuncOp"> {
  let summary = "Decide where each buffer of the entry lives";
  let description = [{
    Buffers of static size share one arena: two overlap in it if they are never live together. A buffer that is
    returned is allocated as a result and handed over without a copy. What the runtime is to do for the remaining allocations is
    said by the attribute `janus.memory`:

    | value | memory |
    |---|---|
    | `"scratch"` | of this call, taken once |
    | `"result"` | of a value that escapes, handed over by an op whose `janus.owned` lists it |
    | `"reuse"` | of this call, grown when needed and used again each time the allocation is reached |
    | `"handover"` | of a result on its way to the caller |
    | `"alternate"` | two like "reuse", in turn: the value is carried to the next iteration of a loop |

    ```mlir
    %arena = memref.alloc() {alignment = 64 : i64, janus.memory = "scratch"} : memref<4096xi8>
    %c0 = arith.constant 0 : index
    %t = memref.view %arena[%c0][] : memref<4096xi8> to memref<64x10xf32>
    ```
  }];
  let dependentDialects = ["::mlir::memref::MemRefDialect", "::mlir::arith::ArithDialect"];
}

def DistributeKernelsPass : Pass<"janus-cpu-distribute-kernels", "::mlir::ModuleOp"> {
  let summary = "Cut large kernels into pieces that threads can share";
  let description = [{
    A kernel that takes a core longer than `min-time` nanoseconds, by a rough count of arithmetic and memory, is cut along a dimension
    that no reduction runs over, into pieces of equal size that the cores share evenly and of which none reads much that the others
    read too. What an element is computed from, and in which order, does not depend on how many threads there are at run time. A
    function with `janus.part` does the pieces of a range; the kernel calls it for all of them. Of what BLAS does each piece is a call
    of its own.

    ```mlir
    func.func private @kernel_0(%a: memref<512x512xf32>, ...) { linalg.generic ... }
    // becomes
    func.func private @kernel_0_part(%from: index, %to: index, %a: memref<512x512xf32>, ...) attributes {janus.part} {
      scf.for %i = %from to %to step %c1 {
        %piece = memref.subview %a[%first, 0] [64, 512] [1, 1] : ...
        linalg.generic ...
      }
    }
    func.func private @kernel_0(%a: memref<512x512xf32>, ...) { call @kernel_0_part(%c0, %c8, %a, ...) ... }
    ```
  }];
  let options = [Option<"minTime", "min-time", "int64_t", "25000", "The nanoseconds from which a kernel is cut">,
                 Option<"maxPieces", "max-pieces", "int64_t", "16", "The most pieces of a kernel of known size">,
                 Option<"cores", "cores", "int64_t", "0", "That the pieces are meant for; 0 is the machine's">];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect"];
}

#endif // JANUS_CODEGEN_CPU_PASSES_TD
