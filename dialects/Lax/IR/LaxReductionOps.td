//===- LaxReductionOps.td - Reductions, scans, sorting --------------------===//

#ifndef LAX_REDUCTION_OPS
#define LAX_REDUCTION_OPS

include "Lax/IR/LaxBase.td"

//===----------------------------------------------------------------------===//
// Reductions
//===----------------------------------------------------------------------===//

class Lax_ReduceOp<string mnemonic, string combiner, string text, TypeConstraint tensor, string semantics,
                   list<Trait> traits = []>
    : Lax_Op<mnemonic, !listconcat([Lax_ReductionOpInterface, AllElementTypesMatch<["operand", "result"]>], traits)> {
  let summary = text;
  let description = semantics # " The `axes` vanish. The order of combination is not specified."
                    # "\n\n```mlir\n%1 = lax." # mnemonic
                    # " %0 axes = [0, 1] : tensor<4x8x2xf32> -> tensor<2xf32>\n```"
                    # Lax_Doc<mnemonic>.link;
  let arguments = (ins tensor:$operand, DenseI64ArrayAttr:$axes);
  let results = (outs tensor:$result);
  let assemblyFormat = "$operand `axes` `=` $axes attr-dict `:` type($operand) `->` type($result)";
  let extraClassDeclaration = "static Combiner getCombiner() { return Combiner::" # combiner # "; }";
  let hasFolder = 1;
}

def Lax_ReduceSumOp : Lax_ReduceOp<"reduce_sum", "Add", "Sum over axes", Lax_NumberTensor,
    "Sum of the elements; 0 of none.", [Lax_Differentiable]>;
def Lax_ReduceProdOp : Lax_ReduceOp<"reduce_prod", "Mul", "Product over axes", Lax_NumberTensor,
    "Product of the elements; 1 of none.", [Lax_Differentiable]>;
def Lax_ReduceMaxOp : Lax_ReduceOp<"reduce_max", "Max", "Maximum over axes", Lax_OrderedTensor,
    "Greatest element, NaN if there is one; the least value of the type (-inf for floats) of none.",
    [Lax_Differentiable]>;
def Lax_ReduceMinOp : Lax_ReduceOp<"reduce_min", "Min", "Minimum over axes", Lax_OrderedTensor,
    "Least element, NaN if there is one; the greatest value of the type (inf for floats) of none.",
    [Lax_Differentiable]>;
def Lax_ReduceAndOp : Lax_ReduceOp<"reduce_and", "And", "Conjunction over axes", Lax_BoolOrIntTensor,
    "And of the elements, bit by bit; true, or all bits set, of none.", [Lax_NotDifferentiable]>;
def Lax_ReduceOrOp : Lax_ReduceOp<"reduce_or", "Or", "Disjunction over axes", Lax_BoolOrIntTensor,
    "Or of the elements, bit by bit; false, or 0, of none.", [Lax_NotDifferentiable]>;
def Lax_ReduceXorOp : Lax_ReduceOp<"reduce_xor", "Xor", "Exclusive or over axes", Lax_BoolOrIntTensor,
    "Exclusive or of the elements, bit by bit; false, or 0, of none.", [Lax_NotDifferentiable]>;

class Lax_ArgOp<string mnemonic, string text, string semantics> : Lax_Op<mnemonic, [Lax_NotDifferentiable]> {
  let summary = text;
  let description = semantics # " `axes` names exactly one axis, not empty, which vanishes. Of equal elements the first "
                    "is taken; the first NaN is taken before any number. The element type of the result is the "
                    "primitive's `index_dtype`.\n\n```mlir\n%1 = lax." # mnemonic
                    # " %0 axes = [1] : tensor<4x8xf32> -> tensor<4xi32>\n```" # Lax_Doc<mnemonic>.link;
  let arguments = (ins Lax_OrderedTensor:$operand, DenseI64ArrayAttr:$axes);
  let results = (outs Lax_IndexTensor:$result);
  let assemblyFormat = "$operand `axes` `=` $axes attr-dict `:` type($operand) `->` type($result)";
  let extraClassDeclaration = [{
    /// The axis that is searched.
    int64_t getAxis() { return getAxes().front(); }
  }];
  let hasVerifier = 1;
}

def Lax_ArgmaxOp : Lax_ArgOp<"argmax", "Index of the greatest element", "Where the greatest element stands.">;
def Lax_ArgminOp : Lax_ArgOp<"argmin", "Index of the least element", "Where the least element stands.">;

//===----------------------------------------------------------------------===//
// Scans
//===----------------------------------------------------------------------===//

class Lax_CumulativeOp<string mnemonic, string combiner, string text, TypeConstraint tensor, string semantics>
    : Lax_Op<mnemonic, [Lax_CumulativeOpInterface, Lax_Differentiable, AllTypesMatch<["operand", "result"]>]> {
  let summary = text;
  let description = semantics # " Each element of the result combines the elements of the operand up to and including "
                    "its place along `axis`, or from its place on if `reverse`.\n\n```mlir\n%1 = lax." # mnemonic
                    # " %0 axis = 1 : tensor<4x8xf32>\n%2 = lax." # mnemonic
                    # " %0 axis = 1 reverse = true : tensor<4x8xf32>\n```" # Lax_Doc<mnemonic>.link;
  let arguments = (ins tensor:$operand, I64Attr:$axis, Lax_OptionalFlag:$reverse);
  let results = (outs tensor:$result);
  let assemblyFormat = "$operand `axis` `=` $axis (`reverse` `=` $reverse^)? attr-dict `:` type($result)";
  let extraClassDeclaration = "static Combiner getCombiner() { return Combiner::" # combiner # "; }";
}

def Lax_CumsumOp : Lax_CumulativeOp<"cumsum", "Add", "Running sum", Lax_NumberTensor, "Running sum.">;
def Lax_CumprodOp : Lax_CumulativeOp<"cumprod", "Mul", "Running product", Lax_NumberTensor, "Running product.">;
def Lax_CummaxOp : Lax_CumulativeOp<"cummax", "Max", "Running maximum", Lax_OrderedTensor,
    "Running maximum; NaN from the first NaN on.">;
def Lax_CumminOp : Lax_CumulativeOp<"cummin", "Min", "Running minimum", Lax_OrderedTensor,
    "Running minimum; NaN from the first NaN on.">;
def Lax_CumlogsumexpOp : Lax_CumulativeOp<"cumlogsumexp", "LogAddExp", "Running log of a sum of exponentials",
    Lax_FloatTensor, "Running `log(sum(exp(x)))`, without overflow.">;

//===----------------------------------------------------------------------===//
// Sorting
//===----------------------------------------------------------------------===//

def Lax_SortOp : Lax_Op<"sort", [
    Lax_Differentiable,
    RangedTypesMatchWith<"results have the types of the operands", "operands", "results", "$_self">]> {
  let summary = "Sort along a dim";
  let description = [{
    Sorts tensors of one shape together along `dimension`, ascending, by the first `num_keys` of them
    lexicographically; the others are carried along. All NaNs are equal and above all numbers, and -0.0 equals 0.0. If
    `is_stable`, equal keys keep their order.

    ```mlir
    %1 = lax.sort %0 dimension = 1 num_keys = 1 is_stable = true : tensor<4x8xf32>
    %k, %v = lax.sort %keys, %values dimension = 0 num_keys = 1 is_stable = true : tensor<8xf32>, tensor<8xi32>
    ```
  }] # Lax_Doc<"sort">.link;
  let arguments = (ins Variadic<Lax_OrderedTensor>:$operands, I64Attr:$dimension, I64Attr:$num_keys,
                       BoolAttr:$is_stable);
  let results = (outs Variadic<Lax_OrderedTensor>:$results);
  let assemblyFormat = [{
    $operands `dimension` `=` $dimension `num_keys` `=` $num_keys `is_stable` `=` $is_stable attr-dict
    `:` type($operands)
  }];
  let hasVerifier = 1;
}

def Lax_TopKOp : Lax_Op<"top_k", [Lax_Differentiable,
    AllElementTypesMatch<["operand", "values"]>, AllShapesMatch<["values", "indices"]>]> {
  let summary = "The greatest elements along an axis";
  let description = [{
    The `k` greatest elements along `axis`, descending, and their indices. NaN is above all numbers; of equal elements
    the first comes first.

    ```mlir
    %v, %i = lax.top_k %0 k = 2 axis = 1 : tensor<4x8xf32> -> tensor<4x2xf32>, tensor<4x2xi32>
    ```
  }] # Lax_Doc<"top_k">.link;
  let arguments = (ins Lax_OrderedTensor:$operand, I64Attr:$k, I64Attr:$axis);
  let results = (outs Lax_OrderedTensor:$values, RankedTensorOf<[I32]>:$indices);
  let assemblyFormat = [{
    $operand `k` `=` $k `axis` `=` $axis attr-dict `:` type($operand) `->` type($values) `,` type($indices)
  }];
  let hasVerifier = 1;
}

#endif // LAX_REDUCTION_OPS
