//===- LaxShapeOps.td - Ops that arrange elements -------------------------===//

#ifndef LAX_SHAPE_OPS
#define LAX_SHAPE_OPS

include "Lax/IR/LaxBase.td"

//===----------------------------------------------------------------------===//
// Creation and broadcasting
//===----------------------------------------------------------------------===//

def Lax_IotaOp : Lax_Op<"iota", [Lax_NotDifferentiable]> {
  let summary = "Indices along a dim";
  let description = [{
    The tensor whose element at index `(i0, i1, ...)` is `i_dimension`.

    ```mlir
    %0 = lax.iota dimension = 0 : tensor<8xi32>
    %1 = lax.iota dimension = 1 shape(%n) : tensor<?x4xf32>
    ```
  }] # Lax_Doc<"iota_p">.link;
  let arguments = (ins I64Attr:$dimension, Variadic<Index>:$output_dims);
  let results = (outs Lax_NumberTensor:$result);
  let assemblyFormat = [{
    `dimension` `=` $dimension (`shape` `(` $output_dims^ `)`)? attr-dict `:` type($result)
  }];
  let hasVerifier = 1;
}

def Lax_BroadcastInDimOp : Lax_Op<"broadcast_in_dim", [Lax_Differentiable,
    AllElementTypesMatch<["operand", "result"]>]> {
  let summary = "Broadcast to a shape";
  let description = [{
    Dim i of the operand becomes dim `broadcast_dimensions[i]` of the result: as it is, or repeated if its size is 1.
    All other dims of the result repeat the operand. `broadcast_dimensions` ascends strictly. A dynamic dim of the
    operand has the size of its dim in the result at run time; only a static size 1 is repeated.

    ```mlir
    %1 = lax.broadcast_in_dim %0 dims = [1] : tensor<8xf32> -> tensor<4x8xf32>
    %2 = lax.broadcast_in_dim %0 dims = [1] shape(%n) : tensor<8xf32> -> tensor<?x8xf32>
    ```
  }] # Lax_Doc<"broadcast_in_dim">.link;
  let arguments = (ins Lax_AnyTensor:$operand, DenseI64ArrayAttr:$broadcast_dimensions,
                       Variadic<Index>:$output_dims);
  let results = (outs Lax_AnyTensor:$result);
  let assemblyFormat = [{
    $operand `dims` `=` $broadcast_dimensions (`shape` `(` $output_dims^ `)`)? attr-dict
    `:` type($operand) `->` type($result)
  }];
  let hasVerifier = 1;
  let hasFolder = 1;
  let hasCanonicalizer = 1;
}

//===----------------------------------------------------------------------===//
// Same elements in the same order
//===----------------------------------------------------------------------===//

def Lax_ReshapeOp : Lax_Op<"reshape", [Lax_Differentiable, AllElementTypesMatch<["operand", "result"]>]> {
  let summary = "Another shape for the same elements";
  let description = [{
    The elements of the operand, in row-major order, in the shape of the result (`new_sizes`), whose element count is
    the same.

    ```mlir
    %1 = lax.reshape %0 : tensor<4x8xf32> -> tensor<32xf32>
    %2 = lax.reshape %0 shape(%n) : tensor<?x8xf32> -> tensor<?xf32>
    ```
  }] # Lax_Doc<"reshape">.link;
  let arguments = (ins Lax_AnyTensor:$operand, Variadic<Index>:$output_dims);
  let results = (outs Lax_AnyTensor:$result);
  let assemblyFormat = [{
    $operand (`shape` `(` $output_dims^ `)`)? attr-dict `:` type($operand) `->` type($result)
  }];
  let hasVerifier = 1;
  let hasFolder = 1;
  let hasCanonicalizer = 1;
}

def Lax_SqueezeOp : Lax_Op<"squeeze", [Lax_Differentiable, AllElementTypesMatch<["operand", "result"]>]> {
  let summary = "Removal of dims of size 1";
  let description = [{
    Drops the `dimensions`, each of size 1.

    ```mlir
    %1 = lax.squeeze %0 dims = [0, 2] : tensor<1x8x1xf32> -> tensor<8xf32>
    ```
  }] # Lax_Doc<"squeeze">.link;
  let arguments = (ins Lax_AnyTensor:$operand, DenseI64ArrayAttr:$dimensions);
  let results = (outs Lax_AnyTensor:$result);
  let assemblyFormat = "$operand `dims` `=` $dimensions attr-dict `:` type($operand) `->` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Lax_ExpandDimsOp : Lax_Op<"expand_dims", [Lax_Differentiable, AllElementTypesMatch<["operand", "result"]>]> {
  let summary = "Insertion of dims of size 1";
  let description = [{
    Inserts dims of size 1, so that they are the `dimensions` of the result.

    ```mlir
    %1 = lax.expand_dims %0 dims = [0, 2] : tensor<8xf32> -> tensor<1x8x1xf32>
    ```
  }] # Lax_Doc<"expand_dims">.link;
  let arguments = (ins Lax_AnyTensor:$operand, DenseI64ArrayAttr:$dimensions);
  let results = (outs Lax_AnyTensor:$result);
  let assemblyFormat = "$operand `dims` `=` $dimensions attr-dict `:` type($operand) `->` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

//===----------------------------------------------------------------------===//
// Permutation
//===----------------------------------------------------------------------===//

def Lax_TransposeOp : Lax_Op<"transpose", [Lax_Differentiable, AllElementTypesMatch<["operand", "result"]>]> {
  let summary = "Permutation of dims";
  let description = [{
    Dim i of the result is dim `permutation[i]` of the operand.

    ```mlir
    %1 = lax.transpose %0 permutation = [1, 0] : tensor<4x8xf32> -> tensor<8x4xf32>
    ```
  }] # Lax_Doc<"transpose">.link;
  let arguments = (ins Lax_AnyTensor:$operand, DenseI64ArrayAttr:$permutation);
  let results = (outs Lax_AnyTensor:$result);
  let assemblyFormat = "$operand `permutation` `=` $permutation attr-dict `:` type($operand) `->` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Lax_RevOp : Lax_Op<"rev", [Lax_Differentiable, AllTypesMatch<["operand", "result"]>]> {
  let summary = "Reversal";
  let description = [{
    Reverses the order of the elements along each of the `dimensions`.

    ```mlir
    %1 = lax.rev %0 dims = [0] : tensor<4x8xf32>
    ```
  }] # Lax_Doc<"rev">.link;
  let arguments = (ins Lax_AnyTensor:$operand, DenseI64ArrayAttr:$dimensions);
  let results = (outs Lax_AnyTensor:$result);
  let assemblyFormat = "$operand `dims` `=` $dimensions attr-dict `:` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

//===----------------------------------------------------------------------===//
// Joining and splitting
//===----------------------------------------------------------------------===//

def Lax_ConcatenateOp : Lax_Op<"concatenate", [Lax_Differentiable]> {
  let summary = "Tensors end to end";
  let description = [{
    Joins the operands along `dimension`; all other dims agree.

    ```mlir
    %r = lax.concatenate %0, %1 dimension = 0 : (tensor<4x8xf32>, tensor<2x8xf32>) -> tensor<6x8xf32>
    ```
  }] # Lax_Doc<"concatenate">.link;
  let arguments = (ins Variadic<Lax_AnyTensor>:$operands, I64Attr:$dimension);
  let results = (outs Lax_AnyTensor:$result);
  let assemblyFormat = "$operands `dimension` `=` $dimension attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Lax_SplitOp : Lax_Op<"split", [Lax_Differentiable]> {
  let summary = "Tensor cut into pieces";
  let description = [{
    Cuts the operand along `axis` into pieces of the given `sizes`, which add up to the size of the axis. A size that
    is not static is an operand.

    ```mlir
    %a, %b = lax.split %0 axis = 0 sizes = [1, 3] : tensor<4x8xf32> -> tensor<1x8xf32>, tensor<3x8xf32>
    ```
  }] # Lax_Doc<"split">.link;
  let arguments = (ins Lax_AnyTensor:$operand, Variadic<Index>:$dynamic_sizes, DenseI64ArrayAttr:$sizes,
                       I64Attr:$axis);
  let results = (outs Variadic<Lax_AnyTensor>:$pieces);
  let assemblyFormat = [{
    $operand `axis` `=` $axis `sizes` `=` custom<DynamicIndexList>($dynamic_sizes, $sizes) attr-dict
    `:` type($operand) `->` type($pieces)
  }];
  let hasVerifier = 1;
}

def Lax_StackOp : Lax_Op<"stack", [Lax_Differentiable]> {
  let summary = "Tensors side by side along a new dim";
  let description = [{
    Joins operands of one type along a new dim `axis` of the result.

    ```mlir
    %r = lax.stack %0, %1 axis = 0 : (tensor<8xf32>, tensor<8xf32>) -> tensor<2x8xf32>
    ```
  }] # Lax_Doc<"stack">.link;
  let arguments = (ins Variadic<Lax_AnyTensor>:$operands, I64Attr:$axis);
  let results = (outs Lax_AnyTensor:$result);
  let assemblyFormat = "$operands `axis` `=` $axis attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def Lax_UnstackOp : Lax_Op<"unstack", [Lax_Differentiable]> {
  let summary = "The slices of a dim";
  let description = [{
    One result for each index of the static dim `axis` of the operand: the slice there, without that dim.

    ```mlir
    %a, %b = lax.unstack %0 axis = 0 : tensor<2x8xf32> -> tensor<8xf32>, tensor<8xf32>
    ```
  }] # Lax_Doc<"unstack">.link;
  let arguments = (ins Lax_AnyTensor:$operand, I64Attr:$axis);
  let results = (outs Variadic<Lax_AnyTensor>:$slices);
  let assemblyFormat = "$operand `axis` `=` $axis attr-dict `:` type($operand) `->` type($slices)";
  let hasVerifier = 1;
}

def Lax_TileOp : Lax_Op<"tile", [Lax_Differentiable,
    AllElementTypesMatch<["operand", "result"]>, AllRanksMatch<["operand", "result"]>]> {
  let summary = "Repetition of a tensor";
  let description = [{
    Repeats the whole operand `reps[i]` times along dim i.

    ```mlir
    %1 = lax.tile %0 reps = [2, 1] : tensor<4x8xf32> -> tensor<8x8xf32>
    ```
  }] # Lax_Doc<"tile">.link;
  let arguments = (ins Lax_AnyTensor:$operand, DenseI64ArrayAttr:$reps);
  let results = (outs Lax_AnyTensor:$result);
  let assemblyFormat = "$operand `reps` `=` $reps attr-dict `:` type($operand) `->` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

//===----------------------------------------------------------------------===//
// Padding
//===----------------------------------------------------------------------===//

def Lax_PadOp : Lax_Op<"pad", [
    Lax_Differentiable, AttrSizedOperandSegments, AllElementTypesMatch<["operand", "padding_value", "result"]>,
    AllRanksMatch<["operand", "result"]>]> {
  let summary = "Padding around and between the elements";
  let description = [{
    Puts `interior[i]` copies of the padding value between neighbours along dim i, then `low[i]` before and `high[i]`
    after. Negative `low` and `high` remove elements (interior padding included). These are the columns of the
    primitive's `padding_config`. A `low` or `high` that is not static is an operand.

    ```mlir
    %1 = lax.pad %0, %zero low = [0, 1] high = [1, 0] interior = [0, 1]
        : tensor<4x8xf32>, tensor<f32> -> tensor<5x16xf32>
    ```
  }] # Lax_Doc<"pad">.link;
  let arguments = (ins Lax_AnyTensor:$operand, Lax_AnyTensor:$padding_value,
                       Variadic<Index>:$dynamic_low, Variadic<Index>:$dynamic_high,
                       DenseI64ArrayAttr:$low, DenseI64ArrayAttr:$high, DenseI64ArrayAttr:$interior);
  let results = (outs Lax_AnyTensor:$result);
  let assemblyFormat = [{
    $operand `,` $padding_value `low` `=` custom<DynamicIndexList>($dynamic_low, $low)
    `high` `=` custom<DynamicIndexList>($dynamic_high, $high) `interior` `=` $interior attr-dict
    `:` type($operand) `,` type($padding_value) `->` type($result)
  }];
  let hasVerifier = 1;
  let hasFolder = 1;
}

//===----------------------------------------------------------------------===//
// Ordering of evaluation
//===----------------------------------------------------------------------===//

def Lax_OptimizationBarrierOp : Lax_Op<"optimization_barrier", [
    Lax_Differentiable,
    RangedTypesMatchWith<"results have the types of the operands", "operands", "results", "$_self">]> {
  let summary = "Barrier to optimisation across values";
  let description = [{
    The operands. Results are available only when all operands are; nothing is simplified across.

    ```mlir
    %2:2 = lax.optimization_barrier %0, %1 : tensor<8xf32>, tensor<i32>
    ```
  }] # Lax_Doc<"optimization_barrier">.link;
  let arguments = (ins Variadic<Lax_AnyTensor>:$operands);
  let results = (outs Variadic<Lax_AnyTensor>:$results);
  let assemblyFormat = "$operands attr-dict `:` type($operands)";
}

#endif // LAX_SHAPE_OPS
