//===- JanusOps.cpp - Exits and truth values ------------------------------===//

#include "Janus/IR/JanusOps.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace mlir::janus;

#define GET_OP_CLASSES
#include "Janus/IR/JanusOps.cpp.inc"

//===----------------------------------------------------------------------===//
// Exits
//===----------------------------------------------------------------------===//

bool mlir::janus::isUnconditionalExit(Operation *op) {
  if (isa<DeoptOp, LeaveOp>(op))
    return true;
  auto guard = dyn_cast<GuardOp>(op);
  return guard && matchPattern(guard.getCond(), m_Zero());
}

/// Erases what follows an unconditional exit in its block, as far as the terminator does not use it.
static LogicalResult eraseUnreachable(Operation *exit, PatternRewriter &rewriter) {
  bool changed = false;
  Operation *terminator = &exit->getBlock()->back();
  for (Operation *op = terminator; op != exit;) {
    Operation *previous = op->getPrevNode();
    if (!op->hasTrait<OpTrait::IsTerminator>() && op->use_empty()) {
      rewriter.eraseOp(op);
      changed = true;
    }
    op = previous;
  }
  return success(changed);
}

LogicalResult GuardOp::canonicalize(GuardOp op, PatternRewriter &rewriter) {
  if (matchPattern(op.getCond(), m_One())) {
    rewriter.eraseOp(op);
    return success();
  }
  return isUnconditionalExit(op) ? eraseUnreachable(op, rewriter) : failure();
}

LogicalResult DeoptOp::canonicalize(DeoptOp op, PatternRewriter &rewriter) { return eraseUnreachable(op, rewriter); }

LogicalResult LeaveOp::canonicalize(LeaveOp op, PatternRewriter &rewriter) { return eraseUnreachable(op, rewriter); }

LogicalResult DeoptOp::verify() {
  if (getReason().empty())
    return emitOpError() << "needs a reason";
  return success();
}

//===----------------------------------------------------------------------===//
// TruthOp
//===----------------------------------------------------------------------===//

LogicalResult TruthOp::verify() {
  for (int64_t size : cast<RankedTensorType>(getInput().getType()).getShape())
    if (!ShapedType::isDynamic(size) && size != 1)
      return emitOpError() << "takes a tensor with one element, but got " << getInput().getType();
  return success();
}

OpFoldResult TruthOp::fold(FoldAdaptor adaptor) {
  auto truth = [&](bool value) { return BoolAttr::get(getContext(), value); };
  if (auto dense = dyn_cast_or_null<DenseElementsAttr>(adaptor.getInput()); dense && dense.getNumElements() == 1) {
    Type element = dense.getElementType();
    if (isa<FloatType>(element))
      return truth(!(*dense.value_begin<APFloat>()).isZero());
    if (isa<IntegerType, IndexType>(element))
      return truth(!(*dense.value_begin<APInt>()).isZero());
    return {};
  }
  // truth(from_elements(%p)) is %p where %p is a truth value already.
  auto source = getInput().getDefiningOp<tensor::FromElementsOp>();
  if (source && source.getElements().size() == 1 && source.getElements()[0].getType().isSignlessInteger(1))
    return source.getElements()[0];
  return {};
}
