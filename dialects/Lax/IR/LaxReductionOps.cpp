//===- LaxReductionOps.cpp - Reductions, scans, sorting -------------------===//

#include "Lax/IR/LaxOps.h"
#include "Lax/IR/LaxVerification.h"

using namespace mlir;
using namespace mlir::lax;
using namespace mlir::lax::detail;

#define GET_OP_CLASSES
#include "Lax/IR/LaxReductionOps.cpp.inc"

void LaxDialect::registerReductionOps() {
  addOperations<
#define GET_OP_LIST
#include "Lax/IR/LaxReductionOps.cpp.inc"
      >();
}

//===----------------------------------------------------------------------===//
// Reductions
//===----------------------------------------------------------------------===//

/// A reduction over no axes is its operand.
template <typename OpT> static OpFoldResult foldReduction(OpT op) {
  if (op.getAxes().empty() && op.getOperand().getType() == op.getType())
    return op.getOperand();
  return {};
}

OpFoldResult ReduceSumOp::fold(FoldAdaptor) { return foldReduction(*this); }
OpFoldResult ReduceProdOp::fold(FoldAdaptor) { return foldReduction(*this); }
OpFoldResult ReduceMaxOp::fold(FoldAdaptor) { return foldReduction(*this); }
OpFoldResult ReduceMinOp::fold(FoldAdaptor) { return foldReduction(*this); }
OpFoldResult ReduceAndOp::fold(FoldAdaptor) { return foldReduction(*this); }
OpFoldResult ReduceOrOp::fold(FoldAdaptor) { return foldReduction(*this); }
OpFoldResult ReduceXorOp::fold(FoldAdaptor) { return foldReduction(*this); }

template <typename OpT> static LogicalResult verifyArgReduction(OpT op) {
  auto type = cast<RankedTensorType>(op.getOperand().getType());
  ArrayRef<int64_t> axes = op.getAxes();
  if (failed(verifyCount(op, "axes", axes, 1)) || failed(verifyDims(op, "axes", axes, type.getRank())))
    return failure();
  SmallVector<int64_t> expected(type.getShape());
  if (expected[axes.front()] == 0)
    return op.emitOpError("searches an empty axis");
  expected.erase(expected.begin() + axes.front());
  return verifyShape(op, "the result", op.getType(), expected);
}

LogicalResult ArgmaxOp::verify() { return verifyArgReduction(*this); }
LogicalResult ArgminOp::verify() { return verifyArgReduction(*this); }

//===----------------------------------------------------------------------===//
// Sorting
//===----------------------------------------------------------------------===//

LogicalResult SortOp::verify() {
  if (getOperands().empty())
    return emitOpError("sorts no operands");
  auto first = cast<RankedTensorType>(getOperands().front().getType());
  for (Type type : getOperandTypes())
    if (cast<RankedTensorType>(type).getShape() != first.getShape())
      return emitOpError("sorts operands of different shapes");
  int64_t numKeys = getNumKeys();
  if (numKeys < 1 || numKeys > static_cast<int64_t>(getNumOperands()))
    return emitOpError() << "num_keys is " << numKeys << ", expected 1 to " << getNumOperands();
  return verifyDim(*this, "dimension", getDimension(), first.getRank());
}

LogicalResult TopKOp::verify() {
  auto type = cast<RankedTensorType>(getOperand().getType());
  int64_t k = getK(), axis = getAxis();
  if (failed(verifyDim(*this, "axis", axis, type.getRank())))
    return failure();
  if (k < 0 || (!type.isDynamicDim(axis) && k > type.getDimSize(axis)))
    return emitOpError() << "k is " << k << ", which the axis does not hold";
  SmallVector<int64_t> expected(type.getShape());
  expected[axis] = k;
  return verifyShape(*this, "the result", getValues().getType(), expected);
}
