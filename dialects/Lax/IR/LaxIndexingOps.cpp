//===- LaxIndexingOps.cpp - Slices, gather, scatter -----------------------===//

#include "Lax/IR/LaxIndexing.h"
#include "Lax/IR/LaxOps.h"
#include "Lax/IR/LaxVerification.h"

#include "mlir/Interfaces/ViewLikeInterface.h"

using namespace mlir;
using namespace mlir::lax;
using namespace mlir::lax::detail;

#define GET_OP_CLASSES
#include "Lax/IR/LaxIndexingOps.cpp.inc"

void LaxDialect::registerIndexingOps() {
  addOperations<
#define GET_OP_LIST
#include "Lax/IR/LaxIndexingOps.cpp.inc"
      >();
}

//===----------------------------------------------------------------------===//
// SliceOp
//===----------------------------------------------------------------------===//

LogicalResult SliceOp::verify() {
  auto type = cast<RankedTensorType>(getOperand().getType());
  int64_t rank = type.getRank();
  ArrayRef<int64_t> starts = getStartIndices(), limits = getLimitIndices(), strides = getStrides();
  if (failed(verifyCount(*this, "start_indices", starts, rank)) ||
      failed(verifyCount(*this, "limit_indices", limits, rank)) ||
      failed(verifyCount(*this, "strides", strides, rank)) || failed(verifyAtLeast(*this, "strides", strides, 1)))
    return failure();
  if (llvm::count_if(starts, ShapedType::isDynamic) != static_cast<int64_t>(getDynamicStarts().size()) ||
      llvm::count_if(limits, ShapedType::isDynamic) != static_cast<int64_t>(getDynamicLimits().size()))
    return emitOpError("expects one operand for each dynamic start and limit");

  SmallVector<int64_t> expected;
  for (int64_t i = 0; i < rank; ++i) {
    int64_t start = starts[i], limit = limits[i], size = type.getDimSize(i);
    bool startKnown = !ShapedType::isDynamic(start), limitKnown = !ShapedType::isDynamic(limit);
    if ((startKnown && start < 0) || (limitKnown && limit < 0))
      return emitOpError() << "has a negative bound in dim " << i;
    if (startKnown && limitKnown && start > limit)
      return emitOpError() << "starts at " << start << " above its limit " << limit << " in dim " << i;
    int64_t last = limitKnown ? limit : startKnown ? start : 0;
    if (!ShapedType::isDynamic(size) && last > size)
      return emitOpError() << "reaches " << last << " in dim " << i << " of size " << size;
    expected.push_back(startKnown && limitKnown ? llvm::divideCeil(limit - start, strides[i]) : ShapedType::kDynamic);
  }
  return verifyShape(*this, "the result", getType(), expected);
}

//===----------------------------------------------------------------------===//
// DynamicSliceOp and DynamicUpdateSliceOp
//===----------------------------------------------------------------------===//

/// The start indices of a dynamic slice, and whether the slice fits into the operand.
static LogicalResult verifyDynamicSlice(Operation *op, Type operand, Type slice, ValueRange starts) {
  auto operandType = cast<RankedTensorType>(operand), sliceType = cast<RankedTensorType>(slice);
  if (static_cast<int64_t>(starts.size()) != operandType.getRank())
    return op->emitOpError() << "has " << starts.size() << " start indices for an operand of rank "
                             << operandType.getRank();
  for (Value start : starts)
    if (start.getType() != starts.front().getType())
      return op->emitOpError("has start indices of different types");
  for (auto [dim, sizes] : llvm::enumerate(llvm::zip_equal(operandType.getShape(), sliceType.getShape()))) {
    auto [size, sliceSize] = sizes;
    if (!ShapedType::isDynamic(size) && !ShapedType::isDynamic(sliceSize) && sliceSize > size)
      return op->emitOpError() << "has a slice of size " << sliceSize << " in dim " << dim << " of size " << size;
  }
  return success();
}

LogicalResult DynamicSliceOp::verify() {
  if (failed(verifyOutputDims(*this, getOutputDims(), getType())))
    return failure();
  return verifyDynamicSlice(*this, getOperand().getType(), getType(), getStartIndices());
}

LogicalResult DynamicUpdateSliceOp::verify() {
  return verifyDynamicSlice(*this, getOperand().getType(), getUpdate().getType(), getStartIndices());
}

//===----------------------------------------------------------------------===//
// GatherOp
//===----------------------------------------------------------------------===//

static IndexingNumbers getNumbers(GatherOp op) {
  return {op.getOffsetDims(), op.getCollapsedSliceDims(), op.getStartIndexMap(), op.getOperandBatchingDims(),
          op.getStartIndicesBatchingDims()};
}

SmallVector<int64_t> GatherOp::getBatchDims() {
  return lax::detail::getBatchDims(getNumbers(*this), cast<RankedTensorType>(getType()).getRank());
}

SmallVector<int64_t> GatherOp::getKeptOperandDims() {
  return getKeptDims(getNumbers(*this), cast<RankedTensorType>(getOperand().getType()).getRank());
}

TypedAttr GatherOp::getFillValueOrDefault() {
  if (TypedAttr value = getFillValueAttr())
    return value;
  Type type = getElementTypeOrSelf(getType());
  if (auto floatType = dyn_cast<FloatType>(type))
    return FloatAttr::get(floatType, APFloat::getNaN(floatType.getFloatSemantics()));
  auto intType = dyn_cast<IntegerType>(type);
  if (!intType)
    return {};
  unsigned width = intType.getWidth();
  // The greatest unsigned value, which for a bool is true.
  if (intType.isUnsigned() || width == 1)
    return IntegerAttr::get(type, APInt::getAllOnes(width));
  return IntegerAttr::get(type, APInt::getSignedMinValue(width));
}

LogicalResult GatherOp::verify() {
  auto operand = cast<RankedTensorType>(getOperand().getType());
  auto result = cast<RankedTensorType>(getType());
  IndexingNumbers numbers = getNumbers(*this);
  IndexingNames names{"offset_dims", "collapsed_slice_dims", "start_index_map", "start_indices_batching_dims"};
  if (failed(verifyOutputDims(*this, getOutputDims(), result)) ||
      failed(verifyIndexingNumbers(*this, numbers, names, operand, cast<RankedTensorType>(getStartIndices().getType()),
                                   result, "the result")) ||
      failed(verifyCount(*this, "slice_sizes", getSliceSizes(), operand.getRank())))
    return failure();

  for (auto [dim, sizes] : llvm::enumerate(llvm::zip_equal(getSliceSizes(), operand.getShape()))) {
    auto [sliceSize, size] = sizes;
    if (ShapedType::isDynamic(sliceSize))
      continue;
    if (sliceSize < 0 || (!ShapedType::isDynamic(size) && sliceSize > size))
      return emitOpError() << "has slice size " << sliceSize << " in dim " << dim << " of size " << size;
  }
  for (ArrayRef<int64_t> lost : {numbers.collapsedSliceDims, numbers.operandBatchingDims})
    for (int64_t dim : lost)
      if (getSliceSizes()[dim] != 0 && getSliceSizes()[dim] != 1)
        return emitOpError() << "drops dim " << dim << " of slice size " << getSliceSizes()[dim]
                             << ", expected at most 1";
  for (auto [operandDim, resultDim] : llvm::zip_equal(getKeptOperandDims(), getOffsetDims()))
    if (!sizesAgree(getSliceSizes()[operandDim], result.getDimSize(resultDim)))
      return emitOpError() << "the result has size " << result.getDimSize(resultDim) << " in dim " << resultDim
                           << ", but slices have " << getSliceSizes()[operandDim];
  if (TypedAttr value = getFillValueAttr())
    if (value.getType() != result.getElementType())
      return emitOpError("has a fill_value of another type than the elements");
  return success();
}
