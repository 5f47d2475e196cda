//===- LaxWindowOps.td - Ops on sliding windows ---------------------------===//

#ifndef LAX_WINDOW_OPS
#define LAX_WINDOW_OPS

include "Lax/IR/LaxBase.td"

class Lax_ReduceWindowOp<string mnemonic, string combiner, string text, TypeConstraint tensor, string semantics>
    : Lax_Op<mnemonic, [Lax_WindowReductionOpInterface, Lax_Differentiable, AllElementTypesMatch<["operand", "result"]>,
                        AllRanksMatch<["operand", "result"]>]> {
  let summary = text;
  let description = semantics # [{

    The window has `window_dimensions[i]` elements along dim i, `window_dilation[i]` apart, and moves by
    `window_strides[i]`. The operand is spread by `base_dilation` and surrounded by `padding` (low and high for each
    dim, in order; negative padding removes elements); what that adds is the neutral element. In text, strides and
    dilations of 1 throughout and padding of 0 throughout are left out.

    ```mlir
    %1 = lax.}] # mnemonic # [{ %0 window [1, 2, 2, 1] (strides = [1, 2, 2, 1])
        : tensor<1x8x8x3xf32> -> tensor<1x4x4x3xf32>
    ```
  }] # Lax_Doc<mnemonic # "_p">.link;
  let arguments = (ins tensor:$operand, DenseI64ArrayAttr:$window_dimensions, DenseI64ArrayAttr:$window_strides,
                       DenseI64ArrayAttr:$padding, DenseI64ArrayAttr:$base_dilation,
                       DenseI64ArrayAttr:$window_dilation);
  let results = (outs tensor:$result);
  let assemblyFormat = [{
    $operand `window`
    custom<Window>($window_dimensions, $window_strides, $padding, $base_dilation, $window_dilation)
    attr-dict `:` type($operand) `->` type($result)
  }];
  let extraClassDeclaration = "static Combiner getCombiner() { return Combiner::" # combiner # "; }";
}

def Lax_ReduceWindowSumOp : Lax_ReduceWindowOp<"reduce_window_sum", "Add", "Sum over windows", Lax_NumberTensor,
    "The sum of each window.">;
def Lax_ReduceWindowMaxOp : Lax_ReduceWindowOp<"reduce_window_max", "Max", "Maximum over windows", Lax_OrderedTensor,
    "The greatest element of each window, NaN if there is one.">;
def Lax_ReduceWindowMinOp : Lax_ReduceWindowOp<"reduce_window_min", "Min", "Minimum over windows", Lax_OrderedTensor,
    "The least element of each window, NaN if there is one.">;

def Lax_SelectAndScatterAddOp : Lax_Op<"select_and_scatter_add", [
    Lax_Differentiable, AllTypesMatch<["operand", "result"]>, AllElementTypesMatch<["operand", "source"]>,
    AllRanksMatch<["operand", "source"]>]> {
  let summary = "Derivative of a window maximum or minimum";
  let description = [{
    From zeros of the shape of the operand: each element of `source` is added where `select_prim` (`ge` for the
    greatest, `le` for the least; the first of equals) selects in its window of the operand. Padding is never selected.

    ```mlir
    %r = lax.select_and_scatter_add %source, %x "ge" window [2, 2] (strides = [2, 2]) : tensor<2x4xf32>, tensor<4x8xf32>
    ```
  }] # Lax_Doc<"select_and_scatter_add_p">.link;
  let arguments = (ins Lax_RealTensor:$source, Lax_RealTensor:$operand, Lax_SelectPrim:$select_prim,
                       DenseI64ArrayAttr:$window_dimensions, DenseI64ArrayAttr:$window_strides,
                       DenseI64ArrayAttr:$padding);
  let results = (outs Lax_RealTensor:$result);
  let assemblyFormat = [{
    $source `,` $operand $select_prim `window`
    custom<PlainWindow>($window_dimensions, $window_strides, $padding)
    attr-dict `:` type($source) `,` type($operand)
  }];
  let hasVerifier = 1;
}

def Lax_SelectAndGatherAddOp : Lax_Op<"select_and_gather_add", [
    Lax_Differentiable, AllTypesMatch<["tangents", "operand"]>, AllElementTypesMatch<["operand", "result"]>,
    AllRanksMatch<["operand", "result"]>]> {
  let summary = "Directional derivative of a window maximum or minimum";
  let description = [{
    For each window, the element of `tangents` at the place that `select_prim` (`ge` for the greatest, `le` for the
    least; the first of equals) selects in the window of the operand; 0 for a window of padding alone.

    ```mlir
    %r = lax.select_and_gather_add %t, %x "ge" window [2, 2] (strides = [2, 2]) : tensor<4x8xf32> -> tensor<2x4xf32>
    ```
  }] # Lax_Doc<"select_and_gather_add_p">.link;
  let arguments = (ins Lax_RealTensor:$tangents, Lax_RealTensor:$operand, Lax_SelectPrim:$select_prim,
                       DenseI64ArrayAttr:$window_dimensions, DenseI64ArrayAttr:$window_strides,
                       DenseI64ArrayAttr:$padding, DenseI64ArrayAttr:$base_dilation,
                       DenseI64ArrayAttr:$window_dilation);
  let results = (outs Lax_RealTensor:$result);
  let assemblyFormat = [{
    $tangents `,` $operand $select_prim `window`
    custom<Window>($window_dimensions, $window_strides, $padding, $base_dilation, $window_dilation)
    attr-dict `:` type($operand) `->` type($result)
  }];
  let hasVerifier = 1;
}

#endif // LAX_WINDOW_OPS
