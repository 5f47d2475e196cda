//===- LowerOverflow.cpp - Checked integer arithmetic ---------------------===//

#include "Conversion/JanusToLLVM/Passes.h"
#include "Janus/IR/JanusOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Matchers.h"

namespace mlir::janus {
#define GEN_PASS_DEF_LOWEROVERFLOWPASS
#include "Conversion/JanusToLLVM/Passes.h.inc"
} // namespace mlir::janus

using namespace mlir;
using namespace mlir::janus;

namespace {

template <typename From, typename To> void lower(From op) {
  OpBuilder b(op);
  Type pair = LLVM::LLVMStructType::getLiteral(op.getContext(), {b.getI64Type(), b.getI1Type()});
  Value both = To::create(b, op.getLoc(), pair, op.getLhs(), op.getRhs());
  op.getResult().replaceAllUsesWith(LLVM::ExtractValueOp::create(b, op.getLoc(), both, 0).getResult());
  op.getOverflow().replaceAllUsesWith(LLVM::ExtractValueOp::create(b, op.getLoc(), both, 1).getResult());
  op.erase();
}

/// A product with a constant fits if the other factor lies within a range: the check does not have to wait for the
/// product, which may be shifts and sums.
bool lowerByConstant(MulOverflowOp op) {
  APInt factor;
  if (!matchPattern(op.getRhs(), m_ConstantInt(&factor)) || factor.sle(1))
    return false;
  OpBuilder b(op);
  Location loc = op.getLoc();
  APInt low = APInt::getSignedMinValue(64).sdiv(factor), high = APInt::getSignedMaxValue(64).sdiv(factor);
  auto constant = [&](const APInt &value) {
    return arith::ConstantOp::create(b, loc, b.getIntegerAttr(b.getI64Type(), value)).getResult();
  };
  Value above = arith::SubIOp::create(b, loc, op.getLhs(), constant(low));
  Value outside = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ugt, above, constant(high - low));
  op.getResult().replaceAllUsesWith(arith::MulIOp::create(b, loc, op.getLhs(), op.getRhs()).getResult());
  op.getOverflow().replaceAllUsesWith(outside);
  op.erase();
  return true;
}

class LowerOverflowPass : public janus::impl::LowerOverflowPassBase<LowerOverflowPass> {
  void runOnOperation() override {
    getOperation()->walk([](Operation *op) {
      if (auto add = dyn_cast<AddOverflowOp>(op))
        lower<AddOverflowOp, LLVM::SAddWithOverflowOp>(add);
      else if (auto sub = dyn_cast<SubOverflowOp>(op))
        lower<SubOverflowOp, LLVM::SSubWithOverflowOp>(sub);
      else if (auto mul = dyn_cast<MulOverflowOp>(op); mul && !lowerByConstant(mul))
        lower<MulOverflowOp, LLVM::SMulWithOverflowOp>(mul);
    });
  }
};

} // namespace
