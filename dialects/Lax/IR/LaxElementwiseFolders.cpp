//===- LaxElementwiseFolders.cpp - Simplification of elementwise ops ------===//
//
// What is here is exact: the same bits come out as at run time. Transcendental functions are therefore not computed,
// and `x + 0` stays, for it turns -0.0 into 0.0.
//
//===----------------------------------------------------------------------===//

#include "Lax/IR/LaxConstantFolding.h"
#include "Lax/IR/LaxOps.h"

#include "mlir/IR/Matchers.h"

#include <cmath>

using namespace mlir;
using namespace mlir::lax;
using namespace mlir::lax::detail;

static constexpr auto kNearestEven = APFloat::rmNearestTiesToEven;

static bool isInteger(Type type) { return getElementTypeOrSelf(type).isInteger(); }

//===----------------------------------------------------------------------===//
// Unary
//===----------------------------------------------------------------------===//

OpFoldResult NegOp::fold(FoldAdaptor adaptor) {
  if (auto inner = getOperand().getDefiningOp<NegOp>())
    return inner.getOperand();
  return foldUnary(adaptor.getOperand(), getType(), [](const Scalar &x) -> std::optional<Scalar> {
    if (const auto *real = std::get_if<APFloat>(&x))
      return Scalar(neg(*real));
    return Scalar(-std::get<APInt>(x));
  });
}

OpFoldResult AbsOp::fold(FoldAdaptor adaptor) {
  if (getOperand().getDefiningOp<AbsOp>())
    return getOperand();
  bool isUnsigned = isUnsignedElement(getType());
  return foldUnary(adaptor.getOperand(), getType(), [&](const Scalar &x) -> std::optional<Scalar> {
    if (const auto *real = std::get_if<APFloat>(&x))
      return Scalar(abs(*real));
    const APInt &integer = std::get<APInt>(x);
    return Scalar(isUnsigned ? integer : integer.abs());
  });
}

OpFoldResult SignOp::fold(FoldAdaptor adaptor) {
  bool isUnsigned = isUnsignedElement(getType());
  return foldUnary(adaptor.getOperand(), getType(), [&](const Scalar &x) -> std::optional<Scalar> {
    if (const auto *real = std::get_if<APFloat>(&x)) {
      if (real->isZero() || real->isNaN())
        return x;
      return Scalar(APFloat::getOne(real->getSemantics(), real->isNegative()));
    }
    const APInt &integer = std::get<APInt>(x);
    unsigned width = integer.getBitWidth();
    if (!isUnsigned && integer.isNegative())
      return Scalar(APInt::getAllOnes(width));
    return Scalar(APInt(width, !integer.isZero()));
  });
}

static Attribute foldRounding(Attribute operand, Type type, APFloat::roundingMode mode) {
  return foldUnary(operand, type, [&](const Scalar &x) -> std::optional<Scalar> {
    APFloat real = std::get<APFloat>(x);
    real.roundToIntegral(mode);
    return Scalar(real);
  });
}

/// What is an integer already needs no rounding.
static bool isRounded(Value value) {
  Operation *op = value.getDefiningOp();
  return op && isa<FloorOp, CeilOp, RoundOp>(op);
}

OpFoldResult FloorOp::fold(FoldAdaptor adaptor) {
  if (isRounded(getOperand()))
    return getOperand();
  return foldRounding(adaptor.getOperand(), getType(), APFloat::rmTowardNegative);
}

OpFoldResult CeilOp::fold(FoldAdaptor adaptor) {
  if (isRounded(getOperand()))
    return getOperand();
  return foldRounding(adaptor.getOperand(), getType(), APFloat::rmTowardPositive);
}

OpFoldResult RoundOp::fold(FoldAdaptor adaptor) {
  if (isRounded(getOperand()))
    return getOperand();
  return foldRounding(adaptor.getOperand(), getType(),
                      getRoundingMethod() == "away_from_zero" ? APFloat::rmNearestTiesToAway : kNearestEven);
}

OpFoldResult IsFiniteOp::fold(FoldAdaptor adaptor) {
  return foldUnary(adaptor.getOperand(), getType(), [](const Scalar &x) -> std::optional<Scalar> {
    return Scalar(APInt(1, std::get<APFloat>(x).isFinite()));
  });
}

OpFoldResult SqrtOp::fold(FoldAdaptor adaptor) {
  // The C library's square root is correctly rounded, as the instruction is. Narrower types go through f32, whose
  // precision is more than twice theirs, so that the second rounding does no harm.
  return foldUnary(adaptor.getOperand(), getType(), [](const Scalar &x) -> std::optional<Scalar> {
    const APFloat &real = std::get<APFloat>(x);
    if (real.isNaN() || (real.isNegative() && !real.isZero()))
      return std::nullopt;
    if (&real.getSemantics() == &APFloat::IEEEdouble())
      return Scalar(APFloat(std::sqrt(real.convertToDouble())));
    APFloat root(std::sqrt(real.convertToFloat()));
    bool losesInfo;
    root.convert(real.getSemantics(), kNearestEven, &losesInfo);
    return Scalar(root);
  });
}

static std::optional<Scalar> multiply(const Scalar &a, const Scalar &b) {
  if (const auto *real = std::get_if<APFloat>(&a))
    return Scalar(*real * std::get<APFloat>(b));
  return Scalar(std::get<APInt>(a) * std::get<APInt>(b));
}

OpFoldResult SquareOp::fold(FoldAdaptor adaptor) {
  return foldUnary(adaptor.getOperand(), getType(), [](const Scalar &x) { return multiply(x, x); });
}

OpFoldResult IntegerPowOp::fold(FoldAdaptor adaptor) {
  if (getY() == 1)
    return getOperand();
  if (getY() == 0)
    return makeSplat(getType(), 1);
  return {};
}

OpFoldResult NotOp::fold(FoldAdaptor adaptor) {
  if (auto inner = getOperand().getDefiningOp<NotOp>())
    return inner.getOperand();
  return foldUnary(adaptor.getOperand(), getType(),
                   [](const Scalar &x) -> std::optional<Scalar> { return Scalar(~std::get<APInt>(x)); });
}

OpFoldResult ConvertElementTypeOp::fold(FoldAdaptor adaptor) {
  if (getOperand().getType() == getType())
    return getOperand();
  Type from = getElementTypeOrSelf(getOperand().getType()), to = getElementTypeOrSelf(getType());
  return foldUnary(adaptor.getOperand(), getType(), [&](const Scalar &x) { return convertScalar(x, from, to); });
}

OpFoldResult BitcastConvertTypeOp::fold(FoldAdaptor adaptor) {
  if (getOperand().getType() == getType())
    return getOperand();
  Type from = getElementTypeOrSelf(getOperand().getType()), to = getElementTypeOrSelf(getType());
  if (!from.isIntOrFloat() || !to.isIntOrFloat() || from.getIntOrFloatBitWidth() != to.getIntOrFloatBitWidth())
    return {};
  return foldUnary(adaptor.getOperand(), getType(), [&](const Scalar &x) -> std::optional<Scalar> {
    const auto *real = std::get_if<APFloat>(&x);
    APInt bits = real ? real->bitcastToAPInt() : std::get<APInt>(x);
    if (auto floatType = dyn_cast<FloatType>(to))
      return Scalar(APFloat(floatType.getFloatSemantics(), bits));
    return Scalar(bits);
  });
}

OpFoldResult CopyOp::fold(FoldAdaptor) { return getOperand(); }

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

OpFoldResult AddOp::fold(FoldAdaptor adaptor) {
  // Constants stand on the right of commutative ops.
  if (isInteger(getType()) && isSplatOf(adaptor.getRhs(), 0))
    return getLhs();
  return foldBinary(adaptor.getLhs(), adaptor.getRhs(), getType(),
                    [](const Scalar &a, const Scalar &b) -> std::optional<Scalar> {
                      if (const auto *real = std::get_if<APFloat>(&a))
                        return Scalar(*real + std::get<APFloat>(b));
                      return Scalar(std::get<APInt>(a) + std::get<APInt>(b));
                    });
}

LogicalResult AddAnyOp::canonicalize(AddAnyOp op, PatternRewriter &rewriter) {
  rewriter.replaceOpWithNewOp<AddOp>(op, op.getType(), op.getLhs(), op.getRhs());
  return success();
}

OpFoldResult SubOp::fold(FoldAdaptor adaptor) {
  if (isPositiveZero(adaptor.getRhs()))
    return getLhs();
  if (isInteger(getType()) && getLhs() == getRhs())
    if (Attribute zero = makeSplat(getType(), 0))
      return zero;
  return foldBinary(adaptor.getLhs(), adaptor.getRhs(), getType(),
                    [](const Scalar &a, const Scalar &b) -> std::optional<Scalar> {
                      if (const auto *real = std::get_if<APFloat>(&a))
                        return Scalar(*real - std::get<APFloat>(b));
                      return Scalar(std::get<APInt>(a) - std::get<APInt>(b));
                    });
}

OpFoldResult MulOp::fold(FoldAdaptor adaptor) {
  if (isSplatOf(adaptor.getRhs(), 1))
    return getLhs();
  if (isInteger(getType()) && isSplatOf(adaptor.getRhs(), 0))
    return adaptor.getRhs();
  return foldBinary(adaptor.getLhs(), adaptor.getRhs(), getType(), multiply);
}

OpFoldResult DivOp::fold(FoldAdaptor adaptor) {
  if (isSplatOf(adaptor.getRhs(), 1))
    return getLhs();
  bool isUnsigned = isUnsignedElement(getType());
  return foldBinary(adaptor.getLhs(), adaptor.getRhs(), getType(),
                    [&](const Scalar &a, const Scalar &b) -> std::optional<Scalar> {
                      if (const auto *real = std::get_if<APFloat>(&a))
                        return Scalar(*real / std::get<APFloat>(b));
                      const APInt &divisor = std::get<APInt>(b), &dividend = std::get<APInt>(a);
                      if (divisor.isZero())
                        return Scalar(APInt::getAllOnes(divisor.getBitWidth()));
                      // APInt wraps the least value divided by -1.
                      return Scalar(isUnsigned ? dividend.udiv(divisor) : dividend.sdiv(divisor));
                    });
}

OpFoldResult RemOp::fold(FoldAdaptor adaptor) {
  bool isUnsigned = isUnsignedElement(getType());
  return foldBinary(adaptor.getLhs(), adaptor.getRhs(), getType(),
                    [&](const Scalar &a, const Scalar &b) -> std::optional<Scalar> {
                      if (const auto *real = std::get_if<APFloat>(&a)) {
                        APFloat remainder = *real;
                        remainder.mod(std::get<APFloat>(b));
                        return Scalar(remainder);
                      }
                      const APInt &divisor = std::get<APInt>(b), &dividend = std::get<APInt>(a);
                      if (divisor.isZero())
                        return a;
                      return Scalar(isUnsigned ? dividend.urem(divisor) : dividend.srem(divisor));
                    });
}

OpFoldResult MaxOp::fold(FoldAdaptor adaptor) {
  if (getLhs() == getRhs())
    return getLhs();
  bool isUnsigned = isUnsignedElement(getType());
  return foldBinary(adaptor.getLhs(), adaptor.getRhs(), getType(),
                    [&](const Scalar &a, const Scalar &b) -> std::optional<Scalar> {
                      if (const auto *real = std::get_if<APFloat>(&a))
                        return Scalar(maximum(*real, std::get<APFloat>(b)));
                      const APInt &x = std::get<APInt>(a), &y = std::get<APInt>(b);
                      return Scalar(isUnsigned ? llvm::APIntOps::umax(x, y) : llvm::APIntOps::smax(x, y));
                    });
}

OpFoldResult MinOp::fold(FoldAdaptor adaptor) {
  if (getLhs() == getRhs())
    return getLhs();
  bool isUnsigned = isUnsignedElement(getType());
  return foldBinary(adaptor.getLhs(), adaptor.getRhs(), getType(),
                    [&](const Scalar &a, const Scalar &b) -> std::optional<Scalar> {
                      if (const auto *real = std::get_if<APFloat>(&a))
                        return Scalar(minimum(*real, std::get<APFloat>(b)));
                      const APInt &x = std::get<APInt>(a), &y = std::get<APInt>(b);
                      return Scalar(isUnsigned ? llvm::APIntOps::umin(x, y) : llvm::APIntOps::smin(x, y));
                    });
}

//===----------------------------------------------------------------------===//
// Bits and bools
//===----------------------------------------------------------------------===//

/// Whether a constant has all bits set throughout.
static bool isAllOnes(Attribute constant) { return isSplatOf(constant, -1); }

OpFoldResult AndOp::fold(FoldAdaptor adaptor) {
  if (getLhs() == getRhs() || isAllOnes(adaptor.getRhs()))
    return getLhs();
  if (isSplatOf(adaptor.getRhs(), 0))
    return adaptor.getRhs();
  return foldBinary(adaptor.getLhs(), adaptor.getRhs(), getType(),
                    [](const Scalar &a, const Scalar &b) -> std::optional<Scalar> {
                      return Scalar(std::get<APInt>(a) & std::get<APInt>(b));
                    });
}

OpFoldResult OrOp::fold(FoldAdaptor adaptor) {
  if (getLhs() == getRhs() || isSplatOf(adaptor.getRhs(), 0))
    return getLhs();
  if (isAllOnes(adaptor.getRhs()))
    return adaptor.getRhs();
  return foldBinary(adaptor.getLhs(), adaptor.getRhs(), getType(),
                    [](const Scalar &a, const Scalar &b) -> std::optional<Scalar> {
                      return Scalar(std::get<APInt>(a) | std::get<APInt>(b));
                    });
}

OpFoldResult XorOp::fold(FoldAdaptor adaptor) {
  if (isSplatOf(adaptor.getRhs(), 0))
    return getLhs();
  if (getLhs() == getRhs())
    if (Attribute zero = makeSplat(getType(), 0))
      return zero;
  return foldBinary(adaptor.getLhs(), adaptor.getRhs(), getType(),
                    [](const Scalar &a, const Scalar &b) -> std::optional<Scalar> {
                      return Scalar(std::get<APInt>(a) ^ std::get<APInt>(b));
                    });
}

// APInt's shifts by an APInt read the amount as unsigned and saturate it at the bit width, as lax does.

OpFoldResult ShiftLeftOp::fold(FoldAdaptor adaptor) {
  if (isSplatOf(adaptor.getRhs(), 0))
    return getLhs();
  return foldBinary(adaptor.getLhs(), adaptor.getRhs(), getType(),
                    [](const Scalar &a, const Scalar &b) -> std::optional<Scalar> {
                      return Scalar(std::get<APInt>(a).shl(std::get<APInt>(b)));
                    });
}

OpFoldResult ShiftRightLogicalOp::fold(FoldAdaptor adaptor) {
  if (isSplatOf(adaptor.getRhs(), 0))
    return getLhs();
  return foldBinary(adaptor.getLhs(), adaptor.getRhs(), getType(),
                    [](const Scalar &a, const Scalar &b) -> std::optional<Scalar> {
                      return Scalar(std::get<APInt>(a).lshr(std::get<APInt>(b)));
                    });
}

OpFoldResult ShiftRightArithmeticOp::fold(FoldAdaptor adaptor) {
  if (isSplatOf(adaptor.getRhs(), 0))
    return getLhs();
  return foldBinary(adaptor.getLhs(), adaptor.getRhs(), getType(),
                    [](const Scalar &a, const Scalar &b) -> std::optional<Scalar> {
                      return Scalar(std::get<APInt>(a).ashr(std::get<APInt>(b)));
                    });
}

//===----------------------------------------------------------------------===//
// Comparisons
//===----------------------------------------------------------------------===//

/// Folds a comparison of constants, and of an integer with itself. `holds` takes what `compare` tells.
template <typename OpT>
static OpFoldResult foldComparison(OpT op, Attribute lhs, Attribute rhs,
                                   llvm::function_ref<bool(APFloat::cmpResult)> holds) {
  Type operandType = op.getLhs().getType();
  if (op.getLhs() == op.getRhs() && isInteger(operandType))
    if (Attribute value = makeSplat(op.getType(), holds(APFloat::cmpEqual)))
      return value;
  bool isUnsigned = isUnsignedElement(operandType);
  return foldBinary(lhs, rhs, op.getType(), [&](const Scalar &a, const Scalar &b) -> std::optional<Scalar> {
    APFloat::cmpResult order;
    if (const auto *real = std::get_if<APFloat>(&a)) {
      order = real->compare(std::get<APFloat>(b));
    } else {
      const APInt &x = std::get<APInt>(a), &y = std::get<APInt>(b);
      bool isLess = isUnsigned ? x.ult(y) : x.slt(y);
      order = x == y ? APFloat::cmpEqual : isLess ? APFloat::cmpLessThan : APFloat::cmpGreaterThan;
    }
    return Scalar(APInt(1, holds(order)));
  });
}

OpFoldResult EqOp::fold(FoldAdaptor adaptor) {
  return foldComparison(*this, adaptor.getLhs(), adaptor.getRhs(),
                        [](APFloat::cmpResult order) { return order == APFloat::cmpEqual; });
}

OpFoldResult NeOp::fold(FoldAdaptor adaptor) {
  return foldComparison(*this, adaptor.getLhs(), adaptor.getRhs(),
                        [](APFloat::cmpResult order) { return order != APFloat::cmpEqual; });
}

OpFoldResult LtOp::fold(FoldAdaptor adaptor) {
  return foldComparison(*this, adaptor.getLhs(), adaptor.getRhs(),
                        [](APFloat::cmpResult order) { return order == APFloat::cmpLessThan; });
}

OpFoldResult LeOp::fold(FoldAdaptor adaptor) {
  return foldComparison(*this, adaptor.getLhs(), adaptor.getRhs(), [](APFloat::cmpResult order) {
    return order == APFloat::cmpLessThan || order == APFloat::cmpEqual;
  });
}

OpFoldResult GtOp::fold(FoldAdaptor adaptor) {
  return foldComparison(*this, adaptor.getLhs(), adaptor.getRhs(),
                        [](APFloat::cmpResult order) { return order == APFloat::cmpGreaterThan; });
}

OpFoldResult GeOp::fold(FoldAdaptor adaptor) {
  return foldComparison(*this, adaptor.getLhs(), adaptor.getRhs(), [](APFloat::cmpResult order) {
    return order == APFloat::cmpGreaterThan || order == APFloat::cmpEqual;
  });
}

//===----------------------------------------------------------------------===//
// Selection
//===----------------------------------------------------------------------===//

OpFoldResult SelectNOp::fold(FoldAdaptor adaptor) {
  if (llvm::all_equal(getCases()))
    return getCases().front();
  std::optional<Scalar> which = getSplat(adaptor.getWhich());
  if (!which)
    return {};
  const APInt &integer = std::get<APInt>(*which);
  int64_t index = integer.getBitWidth() == 1 ? integer.getZExtValue() : integer.getSExtValue();
  return getCases()[std::clamp<int64_t>(index, 0, getCases().size() - 1)];
}

namespace {

/// Two cases by a negated bool are the two cases the other way round.
struct SelectByNegation : OpRewritePattern<SelectNOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(SelectNOp op, PatternRewriter &rewriter) const override {
    auto negation = op.getWhich().getDefiningOp<NotOp>();
    if (!negation || op.getCases().size() != 2 || !getElementTypeOrSelf(negation.getType()).isInteger(1))
      return failure();
    rewriter.replaceOpWithNewOp<SelectNOp>(op, op.getType(), negation.getOperand(),
                                           ValueRange{op.getCases()[1], op.getCases()[0]});
    return success();
  }
};

} // namespace

void SelectNOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<SelectByNegation>(context);
}
