//===- LaxVerification.h - Checks that lax ops share ------------*- C++ -*-===//
//
// Private to the implementation of the dialect.
//
//===----------------------------------------------------------------------===//

#ifndef LAX_IR_LAXVERIFICATION_H
#define LAX_IR_LAXVERIFICATION_H

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Operation.h"

namespace mlir::lax::detail {

/// How the dims of a list may stand.
enum class DimOrder { Any, Ascending };

/// Dims lie in [0, rank), none twice.
LogicalResult verifyDims(Operation *op, StringRef name, ArrayRef<int64_t> dims, int64_t rank,
                         DimOrder order = DimOrder::Any);

/// One dim in [0, rank).
LogicalResult verifyDim(Operation *op, StringRef name, int64_t dim, int64_t rank);

/// `values` holds `count` elements.
LogicalResult verifyCount(Operation *op, StringRef name, ArrayRef<int64_t> values, int64_t count);

/// All of `values` are at least `least`.
LogicalResult verifyAtLeast(Operation *op, StringRef name, ArrayRef<int64_t> values, int64_t least);

/// One operand for each dynamic dim of the result.
LogicalResult verifyOutputDims(Operation *op, ValueRange outputDims, Type result);

/// The sizes of `actual` agree with those expected wherever both are static.
LogicalResult verifyShape(Operation *op, StringRef name, Type actual, ArrayRef<int64_t> expected);

/// Two sizes that agree or of which one is dynamic.
inline bool sizesAgree(int64_t a, int64_t b) { return ShapedType::isDynamic(a) || ShapedType::isDynamic(b) || a == b; }

/// Sum, product and dilation of sizes of which some may be dynamic.
int64_t addSizes(int64_t a, int64_t b);
int64_t mulSizes(int64_t a, int64_t b);
int64_t dilateSize(int64_t size, int64_t dilation);

/// Number of places of a window along one dim.
int64_t windowCount(int64_t size, int64_t window, int64_t stride, int64_t low, int64_t high, int64_t baseDilation,
                    int64_t windowDilation);

/// Checks a window over all dims of `input` and the shape of the result.
LogicalResult verifyWindow(Operation *op, Type input, Type result, ArrayRef<int64_t> window, ArrayRef<int64_t> strides,
                           ArrayRef<int64_t> padding, ArrayRef<int64_t> baseDilation, ArrayRef<int64_t> windowDilation);

} // namespace mlir::lax::detail

#endif // LAX_IR_LAXVERIFICATION_H
