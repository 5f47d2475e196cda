//===- LaxIndexingOps.td - Slices, gather, scatter ------------------------===//

#ifndef LAX_INDEXING_OPS
#define LAX_INDEXING_OPS

include "Lax/IR/LaxBase.td"

//===----------------------------------------------------------------------===//
// Slices
//===----------------------------------------------------------------------===//

def Lax_SliceOp : Lax_Op<"slice", [
    Lax_Differentiable, AttrSizedOperandSegments, AllElementTypesMatch<["operand", "result"]>,
    AllRanksMatch<["operand", "result"]>]> {
  let summary = "Slice with known bounds";
  let description = [{
    Every `strides[i]`-th element from `start_indices[i]` up to, excluding, `limit_indices[i]` along each dim i. The
    bounds lie within the operand, `0 <= start <= limit <= size`, and strides are positive. A bound that is not static is an operand;
    it is the caller's to see that it lies within the operand.

    ```mlir
    %1 = lax.slice %0 start = [1, 0] limit = [3, 8] strides = [1, 2] : tensor<4x8xf32> -> tensor<2x4xf32>
    %2 = lax.slice %0 start = [1, 0] limit = [%n, 8] strides = [1, 1] : tensor<?x8xf32> -> tensor<?x8xf32>
    ```
  }] # Lax_Doc<"slice">.link;
  let arguments = (ins Lax_AnyTensor:$operand, Variadic<Index>:$dynamic_starts, Variadic<Index>:$dynamic_limits,
                       DenseI64ArrayAttr:$start_indices, DenseI64ArrayAttr:$limit_indices, DenseI64ArrayAttr:$strides);
  let results = (outs Lax_AnyTensor:$result);
  let assemblyFormat = [{
    $operand `start` `=` custom<DynamicIndexList>($dynamic_starts, $start_indices)
    `limit` `=` custom<DynamicIndexList>($dynamic_limits, $limit_indices) `strides` `=` $strides attr-dict
    `:` type($operand) `->` type($result)
  }];
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Lax_DynamicSliceOp : Lax_Op<"dynamic_slice", [
    Lax_Differentiable, AttrSizedOperandSegments, AllElementTypesMatch<["operand", "result"]>,
    AllRanksMatch<["operand", "result"]>]> {
  let summary = "Slice with computed start";
  let description = [{
    The slice of the shape of the result (`slice_sizes`) that starts at the start indices, one for each dim. A start
    is brought to the nearest one at which the slice lies within the operand: `clamp(0, start, size - slice_size)`.

    ```mlir
    %1 = lax.dynamic_slice %0[%i, %j] : tensor<4x8xf32>[tensor<i32>, tensor<i32>] -> tensor<2x2xf32>
    %2 = lax.dynamic_slice %0[%i, %j] shape(%n) : tensor<?x8xf32>[tensor<i32>, tensor<i32>] -> tensor<?x2xf32>
    ```
  }] # Lax_Doc<"dynamic_slice">.link;
  let arguments = (ins Lax_AnyTensor:$operand, Variadic<Lax_ScalarIntTensor>:$start_indices,
                       Variadic<Index>:$output_dims);
  let results = (outs Lax_AnyTensor:$result);
  let assemblyFormat = [{
    $operand `[` $start_indices `]` (`shape` `(` $output_dims^ `)`)? attr-dict
    `:` type($operand) (`[` type($start_indices)^ `]`)? `->` type($result)
  }];
  let hasVerifier = 1;
  let hasFolder = 1;
  let hasCanonicalizer = 1;
}

def Lax_DynamicUpdateSliceOp : Lax_Op<"dynamic_update_slice", [
    Lax_Differentiable, AllTypesMatch<["operand", "result"]>, AllElementTypesMatch<["operand", "update"]>,
    AllRanksMatch<["operand", "update"]>]> {
  let summary = "Tensor with a slice replaced";
  let description = [{
    The operand with the slice of the shape of the update that starts at the start indices replaced by the update.
    A start is brought to the nearest one at which the slice lies within the operand:
    `clamp(0, start, size - update_size)`.

    ```mlir
    %1 = lax.dynamic_update_slice %0, %u[%i, %j] : tensor<4x8xf32>, tensor<2x2xf32>[tensor<i32>, tensor<i32>]
    ```
  }] # Lax_Doc<"dynamic_update_slice">.link;
  let arguments = (ins Lax_AnyTensor:$operand, Lax_AnyTensor:$update, Variadic<Lax_ScalarIntTensor>:$start_indices);
  let results = (outs Lax_AnyTensor:$result);
  let assemblyFormat = [{
    $operand `,` $update `[` $start_indices `]` attr-dict
    `:` type($operand) `,` type($update) (`[` type($start_indices)^ `]`)?
  }];
  let hasVerifier = 1;
  let hasFolder = 1;
}

//===----------------------------------------------------------------------===//
// Gather
//===----------------------------------------------------------------------===//

def Lax_GatherOp : Lax_Op<"gather", [Lax_Differentiable, AllElementTypesMatch<["operand", "result"]>]> {
  let summary = "Slices at computed places";
  let description = [{
    Takes slices of `slice_sizes` from the operand, one for each index vector, and puts them together. The last dim of
    `start_indices` holds the index vectors; its other dims are the batch dims.

    - `start_index_map[k]` is the dim of the operand that component k of an index vector addresses.
    - `collapsed_slice_dims` and `operand_batching_dims` are dims of the operand with slice size 1 (or 0) that the
      slices lose.
    - `offset_dims` are the dims of the result that hold the remaining dims of the slices, in order; the other dims of
      the result are the batch dims, in order.
    - `operand_batching_dims[k]` runs in step with dim `start_indices_batching_dims[k]` of the indices.

    The result at index `r`, with `b` its batch part and `o` its offset part, is the operand at `s + o'`, where `s` is
    scattered from `start_indices[b, :]` by `start_index_map` and from `b` by the batching dims, and `o'` is `o` with
    zeros at the lost dims.

    `mode` says what happens to a slice that does not lie within the operand: `clip` moves it to the nearest place
    where it does, `fill` makes the whole slice `fill_value` (default: NaN, the least signed value, the
    greatest unsigned value, true), `promise_in_bounds` says that it does not occur (the result is then
    unspecified, but nothing outside the operand is read).

    A slice size may be dynamic (`?`) where it is the size of the operand's dim.

    ```mlir
    %1 = lax.gather %x, %i offset_dims = [1] collapsed_slice_dims = [0] start_index_map = [0] slice_sizes = [1, 8]
        mode = "clip" : tensor<4x8xf32>, tensor<3x1xi32> -> tensor<3x8xf32>
    ```
  }] # Lax_Doc<"gather">.link;
  let arguments = (ins
    Lax_AnyTensor:$operand, Lax_IndexTensor:$start_indices, Variadic<Index>:$output_dims,
    DenseI64ArrayAttr:$offset_dims, DenseI64ArrayAttr:$collapsed_slice_dims, DenseI64ArrayAttr:$start_index_map,
    Lax_OptionalDims:$operand_batching_dims, Lax_OptionalDims:$start_indices_batching_dims,
    DenseI64ArrayAttr:$slice_sizes, Lax_IndexMode:$mode, OptionalAttr<TypedAttrInterface>:$fill_value,
    Lax_OptionalFlag:$indices_are_sorted, Lax_OptionalFlag:$unique_indices);
  let results = (outs Lax_AnyTensor:$result);
  let assemblyFormat = [{
    $operand `,` $start_indices (`shape` `(` $output_dims^ `)`)?
    `offset_dims` `=` $offset_dims `collapsed_slice_dims` `=` $collapsed_slice_dims
    `start_index_map` `=` $start_index_map
    (`operand_batching_dims` `=` $operand_batching_dims^)?
    (`start_indices_batching_dims` `=` $start_indices_batching_dims^)?
    `slice_sizes` `=` $slice_sizes `mode` `=` $mode (`fill_value` `=` $fill_value^)?
    (`indices_are_sorted` `=` $indices_are_sorted^)? (`unique_indices` `=` $unique_indices^)? attr-dict
    `:` type($operand) `,` type($start_indices) `->` type($result)
  }];
  let extraClassDeclaration = [{
    /// The dims of the result that are not `offset_dims`, ascending.
    ::llvm::SmallVector<int64_t> getBatchDims();
    /// The dims of the operand that the slices keep, ascending; the k-th lies at `offset_dims[k]` of the result.
    ::llvm::SmallVector<int64_t> getKeptOperandDims();
    /// What `mode = "fill"` fills with: `fill_value` or its default, an attribute of the element type. Null for
    /// complex.
    ::mlir::TypedAttr getFillValueOrDefault();
  }];
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Scatter
//===----------------------------------------------------------------------===//

class Lax_ScatterBaseOp<string mnemonic, string combiner, string text, TypeConstraint tensor, string semantics>
    : Lax_Op<mnemonic, [Lax_ScatterOpInterface, Lax_Differentiable, AllTypesMatch<["operand", "result"]>,
                        AllElementTypesMatch<["operand", "updates"]>]> {
  let summary = text;
  let description = semantics # [{

    The inverse of `lax.gather` in its indices: the slices of `updates`, one for each index vector in the last dim of
    `scatter_indices`, go to the places that a gather by the same numbers would take them from.
    `update_window_dims` are the dims of the updates that run within a slice (a gather's `offset_dims`),
    `inserted_window_dims` the dims of the operand that the slices lack (`collapsed_slice_dims`),
    `scatter_dims_to_operand_dims` the dim of the operand for each component of an index vector (`start_index_map`),
    and `operand_batching_dims[k]` runs in step with dim `scatter_indices_batching_dims[k]` of the indices.

    `mode` says what happens to a slice that does not lie within the operand: `clip` moves it to the nearest place
    where it does, `fill` drops it, `promise_in_bounds` says that it does not occur (nothing outside the operand is
    written all the same).

    ```mlir
    %1 = lax.}] # mnemonic # [{ %x, %i, %u update_window_dims = [1] inserted_window_dims = [0]
        scatter_dims_to_operand_dims = [0] mode = "fill" : tensor<4x8xf32>, tensor<3x1xi32>, tensor<3x8xf32>
    ```
  }] # Lax_Doc<mnemonic>.link;
  let arguments = (ins
    tensor:$operand, Lax_IndexTensor:$scatter_indices, tensor:$updates,
    DenseI64ArrayAttr:$update_window_dims, DenseI64ArrayAttr:$inserted_window_dims,
    DenseI64ArrayAttr:$scatter_dims_to_operand_dims, Lax_OptionalDims:$operand_batching_dims,
    Lax_OptionalDims:$scatter_indices_batching_dims, Lax_IndexMode:$mode,
    Lax_OptionalFlag:$indices_are_sorted, Lax_OptionalFlag:$unique_indices);
  let results = (outs tensor:$result);
  let assemblyFormat = [{
    $operand `,` $scatter_indices `,` $updates
    `update_window_dims` `=` $update_window_dims `inserted_window_dims` `=` $inserted_window_dims
    `scatter_dims_to_operand_dims` `=` $scatter_dims_to_operand_dims
    (`operand_batching_dims` `=` $operand_batching_dims^)?
    (`scatter_indices_batching_dims` `=` $scatter_indices_batching_dims^)?
    `mode` `=` $mode
    (`indices_are_sorted` `=` $indices_are_sorted^)? (`unique_indices` `=` $unique_indices^)? attr-dict
    `:` type($operand) `,` type($scatter_indices) `,` type($updates)
  }];
  let extraClassDeclaration = "static Combiner getCombiner() { return Combiner::" # combiner # "; }";
}

def Lax_ScatterOp : Lax_ScatterBaseOp<"scatter", "Replace", "Tensor with slices replaced", Lax_AnyTensor,
    "The operand with slices at computed places replaced by the updates. Where updates meet, one of them stays.">;
def Lax_ScatterAddOp : Lax_ScatterBaseOp<"scatter_add", "Add", "Tensor with updates added", Lax_NumberTensor,
    "The operand with updates added to slices at computed places.">;
def Lax_ScatterSubOp : Lax_ScatterBaseOp<"scatter_sub", "Sub", "Tensor with updates subtracted", Lax_NumberTensor,
    "The operand with updates subtracted from slices at computed places.">;
def Lax_ScatterMulOp : Lax_ScatterBaseOp<"scatter_mul", "Mul", "Tensor with updates multiplied in",
    Lax_NumberTensor, "The operand with slices at computed places multiplied by the updates.">;
def Lax_ScatterMinOp : Lax_ScatterBaseOp<"scatter_min", "Min", "Tensor with minima of updates", Lax_OrderedTensor,
    "The operand with slices at computed places replaced by their minimum with the updates.">;
def Lax_ScatterMaxOp : Lax_ScatterBaseOp<"scatter_max", "Max", "Tensor with maxima of updates", Lax_OrderedTensor,
    "The operand with slices at computed places replaced by their maximum with the updates.">;

#endif // LAX_INDEXING_OPS
