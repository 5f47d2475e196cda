//===- Passes.td - Differentiation --------------------------*- tablegen -*-===//

#ifndef JANUS_AUTODIFF_PASSES_TD
#define JANUS_AUTODIFF_PASSES_TD

include "mlir/Pass/PassBase.td"

def DifferentiatePass : Pass<"janus-differentiate", "::mlir::ModuleOp"> {
  let summary = "Replace janus.value_and_grad by what computes it";
  let description = [{
    Reverse mode over `lax`, `arith`, `math`, `tensor`, `scf` and `func`. The callee is copied, calls in it are inlined unless they
    recur, and the backward computation follows the forward one. What it needs of the forward one it takes

    * as it is, where both stand in one block;
    * as a further result of an `scf.if`;
    * from a tensor with a row for each iteration, of an `scf.for`;
    * from a tape, out of an `scf.while`, of recursive functions, and where sizes vary from iteration to iteration;
    * or computes it again, where that is cheap and what it takes is at hand.

    Only what depends on the differentiated arguments and reaches the result is kept, and a cotangent that is zero throughout
    is never made. Guards, exits and records stay in the forward computation, so that effects happen once.

    A function `@f` that recurs becomes `@f.fwd`, which has the results of `@f` and leaves on the tape what
    `@f.bwd` takes from it in the opposite order. Arguments that recursive calls pass on as they are, are given to `@f.bwd`
    too, and their gradients are summed up in place, in a `janus.accumulator`.

    Callees that ask for gradients themselves are expanded first, so that gradients of gradients are derived from generated code.

    ```mlir
    func.func private @f(%x: tensor<f32>) -> tensor<f32> {
      %y = lax.sin %x : tensor<f32>
      return %y : tensor<f32>
    }
    %y, %g = janus.value_and_grad @f(%x) {wrt = array<i64: 0>} : (tensor<f32>) -> (tensor<f32>, tensor<f32>)
    // becomes
    %y = lax.sin %x : tensor<f32>
    %one = arith.constant dense<1.0> : tensor<f32>
    %c = lax.cos %x : tensor<f32>
    %g = lax.mul %one, %c : tensor<f32>
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::func::FuncDialect", "::mlir::math::MathDialect",
                           "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::lax::LaxDialect", "::mlir::janus::JanusDialect", "::mlir::ub::UBDialect"];
}

def SimplifyGradientsPass : Pass<"janus-simplify-gradients", "::mlir::func::FuncOp"> {
  let summary = "Add gradients up where they belong";
  let description = [{
    The gradient of what a slice, or rows, are taken of is zeros but for these: of a sum, or an accumulator, only that part is
    changed. The gradient of a weight is often a transposed product: it is computed the other way round.

    ```mlir
    %0 = lax.dynamic_update_slice %zeros, %g[%i] : tensor<100xf32>, tensor<2xf32>[tensor<i32>]
    %1 = lax.add %sum, %0 : tensor<100xf32>
    // becomes
    %0 = lax.dynamic_slice %sum[%i] : tensor<100xf32>[tensor<i32>] -> tensor<2xf32>
    %1 = lax.add %0, %g : tensor<2xf32>
    %2 = lax.dynamic_update_slice %sum, %1[%i] : tensor<100xf32>, tensor<2xf32>[tensor<i32>]
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::tensor::TensorDialect",
                           "::mlir::memref::MemRefDialect", "::mlir::lax::LaxDialect", "::mlir::janus::JanusDialect"];
}

def BatchContractionsPass : Pass<"janus-batch-contractions", "::mlir::func::FuncOp"> {
  let summary = "Contract the rows of all iterations of a loop at once";
  let description = [{
    The gradient of a weight that each iteration uses is a sum of products of few rows. All rows are kept, as the forward
    computation has done with most of them, and contracted behind the loop: one product that is worth its while instead of
    many that read and write all of the sum. Loops that count from 0 to a constant, and products over dim 0 of static shapes.

    ```mlir
    %sum = scf.for %i = %c0 to %c20 step %c1 iter_args(%s = %zeros) -> (tensor<400x800xf32>) {
      %x = tensor.extract_slice %xs[%i, 0, 0] [1, 20, 400] [1, 1, 1] : tensor<20x20x400xf32> to tensor<20x400xf32>
      %g = ...
      %p = lax.dot_general %x, %g contracting = [0] x [0] : (tensor<20x400xf32>, tensor<20x800xf32>) -> tensor<400x800xf32>
      %t = lax.add %s, %p : tensor<400x800xf32>
      scf.yield %t : tensor<400x800xf32>
    }
    // becomes
    %gs = scf.for %i = %c0 to %c20 step %c1 iter_args(%r = %empty) -> (tensor<20x20x800xf32>) {
      %g = ...
      %t = tensor.insert_slice %g into %r[%i, 0, 0] [1, 20, 800] [1, 1, 1] : tensor<20x800xf32> into tensor<20x20x800xf32>
      scf.yield %t : tensor<20x20x800xf32>
    }
    %a = tensor.collapse_shape %xs [[0, 1], [2]] : tensor<20x20x400xf32> into tensor<400x400xf32>
    %b = tensor.collapse_shape %gs [[0, 1], [2]] : tensor<20x20x800xf32> into tensor<400x800xf32>
    %sum = lax.dot_general %a, %b contracting = [0] x [0] : (tensor<400x400xf32>, tensor<400x800xf32>) -> tensor<400x800xf32>
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect",
                           "::mlir::lax::LaxDialect"];
}

#endif // JANUS_AUTODIFF_PASSES_TD
