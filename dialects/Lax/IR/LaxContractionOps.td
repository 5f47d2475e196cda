//===- LaxContractionOps.td - Dot products and convolutions ---------------===//

#ifndef LAX_CONTRACTION_OPS
#define LAX_CONTRACTION_OPS

include "Lax/IR/LaxBase.td"

def Lax_DotGeneralOp : Lax_Op<"dot_general", [Lax_Differentiable]> {
  let summary = "Generalised dot product";
  let description = [{
    Sum of products over the contracting dims, once for each index of the batch dims. The result has the batch dims,
    then the remaining dims of `lhs`, then those of `rhs`, each in order. The element type of the result is the
    primitive's `preferred_element_type`; products are accumulated in it, in at least `f32` for floats. Operands keep the full
    precision of their types, whatever the primitive's `precision` allows.

    ```mlir
    %2 = lax.dot_general %0, %1 contracting = [1] x [0] : (tensor<4x8xf32>, tensor<8x2xf32>) -> tensor<4x2xf32>
    %5 = lax.dot_general %3, %4 batch = [0] x [0] contracting = [2] x [1]
        : (tensor<3x4x8xf32>, tensor<3x8x2xf32>) -> tensor<3x4x2xf32>
    ```
  }] # Lax_Doc<"dot_general">.link;
  let arguments = (ins Lax_AnyTensor:$lhs, Lax_AnyTensor:$rhs,
                       DenseI64ArrayAttr:$lhs_contracting, DenseI64ArrayAttr:$rhs_contracting,
                       Lax_OptionalDims:$lhs_batch, Lax_OptionalDims:$rhs_batch);
  let results = (outs Lax_AnyTensor:$result);
  let assemblyFormat = [{
    $lhs `,` $rhs (`batch` `=` $lhs_batch^ `x` $rhs_batch)? `contracting` `=` $lhs_contracting `x` $rhs_contracting
    attr-dict `:` functional-type(operands, results)
  }];
  let extraClassDeclaration = [{
    /// The dims of `lhs` that are neither contracted nor batch dims, ascending.
    ::llvm::SmallVector<int64_t> getLhsFree();
    /// The dims of `rhs` that are neither contracted nor batch dims, ascending.
    ::llvm::SmallVector<int64_t> getRhsFree();
  }];
  let hasVerifier = 1;
}

def Lax_ConvGeneralDilatedOp : Lax_Op<"conv_general_dilated", [Lax_Differentiable]> {
  let summary = "Generalised convolution";
  let description = [{
    Convolution (cross-correlation: the kernel is not reversed) with strides, padding and dilation.

    - `lhs_spec` holds the batch, the feature and the spatial dims of the input, `out_spec` those of the result, and
      `rhs_spec` the output feature, the input feature and the spatial dims of the kernel.
    - `padding` holds low and high for each spatial dim, in order; negative padding removes elements.
    - `lhs_dilation` puts `d - 1` zeros between neighbours of the input before padding, `rhs_dilation` of the kernel.
    - `feature_group_count` splits the features of the input, and the output features of the kernel, into groups
      that are convolved apart; `batch_group_count` does the same with the batch of the input.

    In text, strides and dilations of 1 throughout and padding of 0 throughout are left out. The element type of the
    result is the primitive's `preferred_element_type`, accumulated as in `lax.dot_general`.

    ```mlir
    %2 = lax.conv_general_dilated %x, %k specs = [0, 3, 1, 2] x [3, 2, 0, 1] -> [0, 3, 1, 2]
        window (strides = [2, 2], padding = [1, 1, 1, 1])
        : (tensor<1x8x8x3xf32>, tensor<3x3x3x16xf32>) -> tensor<1x4x4x16xf32>
    ```
  }] # Lax_Doc<"conv_general_dilated">.link;
  let arguments = (ins
    Lax_NumberTensor:$lhs, Lax_NumberTensor:$rhs,
    DenseI64ArrayAttr:$window_strides, DenseI64ArrayAttr:$padding, DenseI64ArrayAttr:$lhs_dilation,
    DenseI64ArrayAttr:$rhs_dilation, DenseI64ArrayAttr:$lhs_spec, DenseI64ArrayAttr:$rhs_spec,
    DenseI64ArrayAttr:$out_spec, DefaultValuedAttr<I64Attr, "1">:$feature_group_count,
    DefaultValuedAttr<I64Attr, "1">:$batch_group_count);
  let results = (outs Lax_NumberTensor:$result);
  let assemblyFormat = [{
    $lhs `,` $rhs `specs` `=`
    custom<ConvNumbers>($lhs_spec, $rhs_spec, $out_spec, $window_strides, $padding, $lhs_dilation, $rhs_dilation)
    (`feature_group_count` `=` $feature_group_count^)? (`batch_group_count` `=` $batch_group_count^)?
    attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

#endif // LAX_CONTRACTION_OPS
