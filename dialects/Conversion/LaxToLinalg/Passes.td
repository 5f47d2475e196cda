//===- Passes.td - Conversion of lax to linalg --------------*- tablegen -*-===//

#ifndef CONVERSION_LAXTOLINALG_PASSES_TD
#define CONVERSION_LAXTOLINALG_PASSES_TD

include "mlir/Pass/PassBase.td"

def LaxToLinalgPass : Pass<"convert-lax-to-linalg", "::mlir::ModuleOp"> {
  let summary = "Lower the lax dialect to linalg on tensors";
  let description = [{
    Replaces every `lax` op, and `janus.truth`, by `linalg`, `tensor`, `scf`, `arith` and `math` on tensors with
    static or dynamic dims, with the semantics of `jax.lax`.

    Two families of element types vanish everywhere, function signatures, carried values of loops and
    operands of `janus` ops included: a tensor of bools (`i1`) becomes one of `i8` that holds 0 and 1, and
    an unsigned element type becomes the signless one of the same width. Builtin scalars of type `i1` stay.

    Each elementwise op becomes one `linalg.generic`; contractions and convolutions become
    `linalg.generic` with the transpositions of the operands folded into the indexing maps. Gathers read with
    `tensor.extract` inside of a `linalg.generic`; scatters, scans and sorts are `scf` loops over tensors.

    What the pass cannot lower is an error at the op.

    ```mlir
    %0 = lax.lt %a, %b : tensor<8xui32>
    ```

    becomes

    ```mlir
    %e = tensor.empty() : tensor<8xi8>
    %0 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]}
        ins(%a, %b : tensor<8xi32>, tensor<8xi32>) outs(%e : tensor<8xi8>) {
    ^bb0(%x: i32, %y: i32, %out: i8):
      %c = arith.cmpi ult, %x, %y : i32
      %r = arith.extui %c : i1 to i8
      linalg.yield %r : i8
    } -> tensor<8xi8>
    ```
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
    "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect"
  ];
}

#endif // CONVERSION_LAXTOLINALG_PASSES_TD
