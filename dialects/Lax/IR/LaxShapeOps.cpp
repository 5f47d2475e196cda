//===- LaxShapeOps.cpp - Ops that arrange elements ------------------------===//

#include "Lax/IR/LaxOps.h"
#include "Lax/IR/LaxVerification.h"

#include "mlir/Interfaces/ViewLikeInterface.h"

using namespace mlir;
using namespace mlir::lax;
using namespace mlir::lax::detail;

#define GET_OP_CLASSES
#include "Lax/IR/LaxShapeOps.cpp.inc"

void LaxDialect::registerShapeOps() {
  addOperations<
#define GET_OP_LIST
#include "Lax/IR/LaxShapeOps.cpp.inc"
      >();
}

static RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

//===----------------------------------------------------------------------===//
// Creation and broadcasting
//===----------------------------------------------------------------------===//

LogicalResult IotaOp::verify() {
  if (failed(verifyDim(*this, "dimension", getDimension(), typeOf(getResult()).getRank())))
    return failure();
  return verifyOutputDims(*this, getOutputDims(), getType());
}

LogicalResult BroadcastInDimOp::verify() {
  RankedTensorType from = typeOf(getOperand()), to = typeOf(getResult());
  ArrayRef<int64_t> dims = getBroadcastDimensions();
  if (failed(verifyCount(*this, "broadcast_dimensions", dims, from.getRank())) ||
      failed(verifyDims(*this, "broadcast_dimensions", dims, to.getRank(), DimOrder::Ascending)) ||
      failed(verifyOutputDims(*this, getOutputDims(), to)))
    return failure();
  for (auto [dim, target] : llvm::enumerate(dims)) {
    int64_t size = from.getDimSize(dim), wanted = to.getDimSize(target);
    if (size != 1 && !sizesAgree(size, wanted))
      return emitOpError() << "broadcasts dim " << dim << " of size " << size << " to size " << wanted;
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Same elements in the same order
//===----------------------------------------------------------------------===//

LogicalResult ReshapeOp::verify() {
  RankedTensorType from = typeOf(getOperand()), to = typeOf(getResult());
  if (failed(verifyOutputDims(*this, getOutputDims(), to)))
    return failure();
  if (from.hasStaticShape() && to.hasStaticShape() && from.getNumElements() != to.getNumElements())
    return emitOpError() << "makes " << to.getNumElements() << " elements of " << from.getNumElements();
  return success();
}

LogicalResult SqueezeOp::verify() {
  RankedTensorType from = typeOf(getOperand());
  if (failed(verifyDims(*this, "dimensions", getDimensions(), from.getRank())))
    return failure();
  SmallVector<int64_t> expected;
  for (auto [dim, size] : llvm::enumerate(from.getShape())) {
    if (!llvm::is_contained(getDimensions(), static_cast<int64_t>(dim)))
      expected.push_back(size);
    else if (!sizesAgree(size, 1))
      return emitOpError() << "drops dim " << dim << " of size " << size;
  }
  return verifyShape(*this, "the result", getType(), expected);
}

LogicalResult ExpandDimsOp::verify() {
  RankedTensorType from = typeOf(getOperand());
  int64_t rank = from.getRank() + getDimensions().size();
  if (failed(verifyDims(*this, "dimensions", getDimensions(), rank)))
    return failure();
  SmallVector<int64_t> expected;
  for (int64_t dim = 0, source = 0; dim < rank; ++dim)
    expected.push_back(llvm::is_contained(getDimensions(), dim) ? 1 : from.getDimSize(source++));
  return verifyShape(*this, "the result", getType(), expected);
}

//===----------------------------------------------------------------------===//
// Permutation
//===----------------------------------------------------------------------===//

LogicalResult TransposeOp::verify() {
  RankedTensorType from = typeOf(getOperand());
  if (failed(verifyCount(*this, "permutation", getPermutation(), from.getRank())) ||
      failed(verifyDims(*this, "permutation", getPermutation(), from.getRank())))
    return failure();
  SmallVector<int64_t> expected;
  for (int64_t dim : getPermutation())
    expected.push_back(from.getDimSize(dim));
  return verifyShape(*this, "the result", getType(), expected);
}

LogicalResult RevOp::verify() {
  return verifyDims(*this, "dimensions", getDimensions(), typeOf(getOperand()).getRank());
}

//===----------------------------------------------------------------------===//
// Joining and splitting
//===----------------------------------------------------------------------===//

/// Operands exist and agree with the result in element type.
static LogicalResult verifyJoin(Operation *op) {
  if (op->getNumOperands() == 0)
    return op->emitOpError("joins no operands");
  Type element = getElementTypeOrSelf(op->getResult(0).getType());
  for (Type type : op->getOperandTypes())
    if (getElementTypeOrSelf(type) != element)
      return op->emitOpError("has an operand of another element type than the result");
  return success();
}

LogicalResult ConcatenateOp::verify() {
  if (failed(verifyJoin(*this)))
    return failure();
  RankedTensorType first = typeOf(getOperands().front());
  int64_t axis = getDimension();
  if (failed(verifyDim(*this, "dimension", axis, first.getRank())))
    return failure();
  SmallVector<int64_t> expected(first.getShape());
  expected[axis] = 0;
  for (Value operand : getOperands()) {
    RankedTensorType type = typeOf(operand);
    if (type.getRank() != first.getRank())
      return emitOpError("has operands of different ranks");
    for (int64_t dim = 0; dim < first.getRank(); ++dim) {
      if (dim == axis)
        expected[dim] = addSizes(expected[dim], type.getDimSize(dim));
      else if (!sizesAgree(expected[dim], type.getDimSize(dim)))
        return emitOpError() << "has operands of sizes " << expected[dim] << " and " << type.getDimSize(dim)
                             << " in dim " << dim;
      else if (ShapedType::isDynamic(expected[dim]))
        expected[dim] = type.getDimSize(dim);
    }
  }
  return verifyShape(*this, "the result", getType(), expected);
}

LogicalResult SplitOp::verify() {
  RankedTensorType from = typeOf(getOperand());
  int64_t axis = getAxis();
  ArrayRef<int64_t> sizes = getSizes();
  if (failed(verifyDim(*this, "axis", axis, from.getRank())) ||
      failed(verifyCount(*this, "sizes", sizes, getPieces().size())))
    return failure();
  if (llvm::count_if(sizes, ShapedType::isDynamic) != static_cast<int64_t>(getDynamicSizes().size()))
    return emitOpError("expects one operand for each dynamic size");
  int64_t total = 0;
  for (auto [piece, size] : llvm::zip_equal(getPieces(), sizes)) {
    if (!ShapedType::isDynamic(size) && size < 0)
      return emitOpError("has a negative size");
    if (getElementTypeOrSelf(piece.getType()) != from.getElementType())
      return emitOpError("has a piece of another element type than the operand");
    SmallVector<int64_t> expected(from.getShape());
    expected[axis] = size;
    if (failed(verifyShape(*this, "a piece", piece.getType(), expected)))
      return failure();
    total = addSizes(total, size);
  }
  if (!sizesAgree(total, from.getDimSize(axis)))
    return emitOpError() << "cuts " << total << " off an axis of size " << from.getDimSize(axis);
  return success();
}

/// The type of a slice of a stack along an axis.
static LogicalResult verifyStack(Operation *op, Type stack, Type slice, int64_t count, int64_t axis) {
  auto sliceType = cast<RankedTensorType>(slice);
  if (failed(verifyDim(op, "axis", axis, sliceType.getRank() + 1)))
    return failure();
  SmallVector<int64_t> expected(sliceType.getShape());
  expected.insert(expected.begin() + axis, count);
  return verifyShape(op, "the stack", stack, expected);
}

LogicalResult StackOp::verify() {
  if (failed(verifyJoin(*this)))
    return failure();
  for (Type type : getOperandTypes())
    if (type != getOperands().front().getType())
      return emitOpError("has operands of different types");
  return verifyStack(*this, getType(), getOperands().front().getType(), getNumOperands(), getAxis());
}

LogicalResult UnstackOp::verify() {
  RankedTensorType from = typeOf(getOperand());
  int64_t axis = getAxis();
  if (failed(verifyDim(*this, "axis", axis, from.getRank())))
    return failure();
  if (static_cast<int64_t>(getSlices().size()) != from.getDimSize(axis))
    return emitOpError() << "has " << getSlices().size() << " results for an axis of size " << from.getDimSize(axis);
  for (Value slice : getSlices()) {
    if (getElementTypeOrSelf(slice.getType()) != from.getElementType())
      return emitOpError("has a result of another element type than the operand");
    if (failed(verifyStack(*this, from, slice.getType(), getSlices().size(), axis)))
      return failure();
  }
  return success();
}

LogicalResult TileOp::verify() {
  RankedTensorType from = typeOf(getOperand());
  if (failed(verifyCount(*this, "reps", getReps(), from.getRank())) ||
      failed(verifyAtLeast(*this, "reps", getReps(), 0)))
    return failure();
  SmallVector<int64_t> expected;
  for (auto [size, reps] : llvm::zip_equal(from.getShape(), getReps()))
    expected.push_back(mulSizes(size, reps));
  return verifyShape(*this, "the result", getType(), expected);
}

//===----------------------------------------------------------------------===//
// Padding
//===----------------------------------------------------------------------===//

LogicalResult PadOp::verify() {
  RankedTensorType from = typeOf(getOperand());
  int64_t rank = from.getRank();
  if (typeOf(getPaddingValue()).getRank() != 0)
    return emitOpError("the padding value is not of rank 0");
  if (failed(verifyCount(*this, "low", getLow(), rank)) || failed(verifyCount(*this, "high", getHigh(), rank)) ||
      failed(verifyCount(*this, "interior", getInterior(), rank)) ||
      failed(verifyAtLeast(*this, "interior", getInterior(), 0)))
    return failure();
  if (llvm::count_if(getLow(), ShapedType::isDynamic) != static_cast<int64_t>(getDynamicLow().size()) ||
      llvm::count_if(getHigh(), ShapedType::isDynamic) != static_cast<int64_t>(getDynamicHigh().size()))
    return emitOpError("expects one operand for each dynamic low and high");
  SmallVector<int64_t> expected;
  for (int64_t i = 0; i < rank; ++i) {
    int64_t size = dilateSize(from.getDimSize(i), getInterior()[i] + 1);
    int64_t padded = addSizes(addSizes(size, getLow()[i]), getHigh()[i]);
    if (!ShapedType::isDynamic(padded) && padded < 0)
      return emitOpError() << "removes more than there is in dim " << i;
    expected.push_back(padded);
  }
  return verifyShape(*this, "the result", getType(), expected);
}
