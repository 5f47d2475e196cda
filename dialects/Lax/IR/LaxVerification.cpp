//===- LaxVerification.cpp - Checks that lax ops share --------------------===//

#include "Lax/IR/LaxVerification.h"

#include "llvm/ADT/SmallBitVector.h"

using namespace mlir;
using namespace mlir::lax::detail;

LogicalResult mlir::lax::detail::verifyDims(Operation *op, StringRef name, ArrayRef<int64_t> dims, int64_t rank,
                                            DimOrder order) {
  llvm::SmallBitVector seen(rank);
  int64_t last = -1;
  for (int64_t dim : dims) {
    if (dim < 0 || dim >= rank)
      return op->emitOpError() << name << " holds " << dim << ", which is not in [0, " << rank << ")";
    if (seen.test(dim))
      return op->emitOpError() << name << " holds " << dim << " twice";
    if (order == DimOrder::Ascending && dim < last)
      return op->emitOpError() << name << " does not ascend";
    seen.set(dim);
    last = dim;
  }
  return success();
}

LogicalResult mlir::lax::detail::verifyDim(Operation *op, StringRef name, int64_t dim, int64_t rank) {
  if (dim < 0 || dim >= rank)
    return op->emitOpError() << name << " is " << dim << ", which is not in [0, " << rank << ")";
  return success();
}

LogicalResult mlir::lax::detail::verifyCount(Operation *op, StringRef name, ArrayRef<int64_t> values, int64_t count) {
  if (static_cast<int64_t>(values.size()) != count)
    return op->emitOpError() << name << " holds " << values.size() << " elements, expected " << count;
  return success();
}

LogicalResult mlir::lax::detail::verifyAtLeast(Operation *op, StringRef name, ArrayRef<int64_t> values, int64_t least) {
  for (int64_t value : values)
    if (value < least)
      return op->emitOpError() << name << " holds " << value << ", expected at least " << least;
  return success();
}

LogicalResult mlir::lax::detail::verifyOutputDims(Operation *op, ValueRange outputDims, Type result) {
  int64_t dynamic = cast<RankedTensorType>(result).getNumDynamicDims();
  if (static_cast<int64_t>(outputDims.size()) != dynamic)
    return op->emitOpError() << "has " << outputDims.size() << " output dims, but the result has " << dynamic
                             << " dynamic dims";
  return success();
}

LogicalResult mlir::lax::detail::verifyShape(Operation *op, StringRef name, Type actual, ArrayRef<int64_t> expected) {
  auto type = cast<RankedTensorType>(actual);
  if (type.getRank() != static_cast<int64_t>(expected.size()))
    return op->emitOpError() << name << " has rank " << type.getRank() << ", expected " << expected.size();
  for (auto [dim, sizes] : llvm::enumerate(llvm::zip_equal(type.getShape(), expected))) {
    auto [is, want] = sizes;
    if (!sizesAgree(is, want))
      return op->emitOpError() << name << " has size " << is << " in dim " << dim << ", expected " << want;
  }
  return success();
}

int64_t mlir::lax::detail::addSizes(int64_t a, int64_t b) {
  return ShapedType::isDynamic(a) || ShapedType::isDynamic(b) ? ShapedType::kDynamic : a + b;
}

int64_t mlir::lax::detail::mulSizes(int64_t a, int64_t b) {
  if (a == 0 || b == 0)
    return 0;
  return ShapedType::isDynamic(a) || ShapedType::isDynamic(b) ? ShapedType::kDynamic : a * b;
}

int64_t mlir::lax::detail::dilateSize(int64_t size, int64_t dilation) {
  if (ShapedType::isDynamic(size) || size == 0)
    return size;
  return (size - 1) * dilation + 1;
}

int64_t mlir::lax::detail::windowCount(int64_t size, int64_t window, int64_t stride, int64_t low, int64_t high,
                                       int64_t baseDilation, int64_t windowDilation) {
  if (ShapedType::isDynamic(size) || ShapedType::isDynamic(window))
    return ShapedType::kDynamic;
  int64_t padded = dilateSize(size, baseDilation) + low + high;
  int64_t reach = dilateSize(window, windowDilation);
  return padded < reach ? 0 : (padded - reach) / stride + 1;
}

LogicalResult mlir::lax::detail::verifyWindow(Operation *op, Type input, Type result, ArrayRef<int64_t> window,
                                              ArrayRef<int64_t> strides, ArrayRef<int64_t> padding,
                                              ArrayRef<int64_t> baseDilation, ArrayRef<int64_t> windowDilation) {
  auto type = cast<RankedTensorType>(input);
  int64_t rank = type.getRank();
  if (failed(verifyCount(op, "window_dimensions", window, rank)) ||
      failed(verifyCount(op, "window_strides", strides, rank)) ||
      failed(verifyCount(op, "padding", padding, 2 * rank)) ||
      failed(verifyCount(op, "base_dilation", baseDilation, rank)) ||
      failed(verifyCount(op, "window_dilation", windowDilation, rank)) ||
      failed(verifyAtLeast(op, "window_dimensions", window, 1)) ||
      failed(verifyAtLeast(op, "window_strides", strides, 1)) ||
      failed(verifyAtLeast(op, "base_dilation", baseDilation, 1)) ||
      failed(verifyAtLeast(op, "window_dilation", windowDilation, 1)))
    return failure();
  SmallVector<int64_t> expected;
  for (int64_t i = 0; i < rank; ++i)
    expected.push_back(windowCount(type.getDimSize(i), window[i], strides[i], padding[2 * i], padding[2 * i + 1],
                                   baseDilation[i], windowDilation[i]));
  return verifyShape(op, "the result", result, expected);
}
