//===- LowerDivision.cpp - Division that rounds down ----------------------===//

#include "Conversion/JanusToLLVM/Passes.h"
#include "Janus/IR/JanusOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"

namespace mlir::janus {
#define GEN_PASS_DEF_LOWERDIVISIONPASS
#include "Conversion/JanusToLLVM/Passes.h.inc"
} // namespace mlir::janus

using namespace mlir;
using namespace mlir::janus;

namespace {

Value constantLike(OpBuilder &b, Location loc, Value like, const APInt &value) {
  Type type = like.getType();
  TypedAttr attribute = IntegerAttr::get(getElementTypeOrSelf(type), value);
  if (auto shaped = dyn_cast<ShapedType>(type))
    attribute = DenseElementsAttr::get(shaped, value);
  return arith::ConstantOp::create(b, loc, attribute);
}

/// The constant divisor, or one of all elements, if it is a positive power of two.
std::optional<APInt> matchPowerOfTwo(Value divisor) {
  APInt value;
  if (matchPattern(divisor, m_ConstantInt(&value)) && value.isStrictlyPositive() && value.isPowerOf2())
    return value;
  return std::nullopt;
}

void lower(FloorModOp op) {
  OpBuilder b(op);
  Location loc = op.getLoc();
  Value lhs = op.getLhs(), rhs = op.getRhs();
  if (std::optional<APInt> power = matchPowerOfTwo(rhs)) {
    op.getResult().replaceAllUsesWith(
        arith::AndIOp::create(b, loc, lhs, constantLike(b, loc, rhs, *power - 1)).getResult());
    return op.erase();
  }
  Value zero = arith::ConstantIntOp::create(b, loc, 0, 64);
  Value remainder = arith::RemSIOp::create(b, loc, lhs, rhs);
  Value isOff;
  APInt divisor;
  if (matchPattern(rhs, m_ConstantInt(&divisor))) {
    auto wrong = divisor.isNegative() ? arith::CmpIPredicate::sgt : arith::CmpIPredicate::slt;
    isOff = arith::CmpIOp::create(b, loc, wrong, remainder, zero);
  } else {
    Value signs = arith::XOrIOp::create(b, loc, remainder, rhs);
    Value differ = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, signs, zero);
    Value isLeft = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, remainder, zero);
    isOff = arith::AndIOp::create(b, loc, isLeft, differ);
  }
  Value corrected = arith::AddIOp::create(b, loc, remainder, rhs);
  op.getResult().replaceAllUsesWith(arith::SelectOp::create(b, loc, isOff, corrected, remainder).getResult());
  op.erase();
}

void lower(arith::FloorDivSIOp op) {
  std::optional<APInt> power = matchPowerOfTwo(op.getRhs());
  if (!power)
    return;
  OpBuilder b(op);
  Value count = constantLike(b, op.getLoc(), op.getRhs(), APInt(power->getBitWidth(), power->logBase2()));
  op.getResult().replaceAllUsesWith(arith::ShRSIOp::create(b, op.getLoc(), op.getLhs(), count).getResult());
  op.erase();
}

class LowerDivisionPass : public janus::impl::LowerDivisionPassBase<LowerDivisionPass> {
  void runOnOperation() override {
    getOperation()->walk([](Operation *op) {
      if (auto mod = dyn_cast<FloorModOp>(op))
        lower(mod);
      else if (auto quotient = dyn_cast<arith::FloorDivSIOp>(op))
        lower(quotient);
    });
  }
};

} // namespace
