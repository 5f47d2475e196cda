//===- LaxWindowOps.cpp - Ops on sliding windows --------------------------===//

#include "Lax/IR/LaxOps.h"
#include "Lax/IR/LaxVerification.h"
#include "Lax/IR/LaxWindowFormat.h"

using namespace mlir;
using namespace mlir::lax;
using namespace mlir::lax::detail;

#define GET_OP_CLASSES
#include "Lax/IR/LaxWindowOps.cpp.inc"

void LaxDialect::registerWindowOps() {
  addOperations<
#define GET_OP_LIST
#include "Lax/IR/LaxWindowOps.cpp.inc"
      >();
}

LogicalResult SelectAndScatterAddOp::verify() {
  SmallVector<int64_t> ones(getWindowDimensions().size(), 1);
  return verifyWindow(*this, getOperand().getType(), getSource().getType(), getWindowDimensions(), getWindowStrides(),
                      getPadding(), ones, ones);
}

LogicalResult SelectAndGatherAddOp::verify() {
  return verifyWindow(*this, getOperand().getType(), getType(), getWindowDimensions(), getWindowStrides(), getPadding(),
                      getBaseDilation(), getWindowDilation());
}
