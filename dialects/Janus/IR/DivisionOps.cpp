//===- DivisionOps.cpp - Folding and ranges of remainders -----------------===//

#include "Janus/IR/JanusOps.h"

#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::janus;

OpFoldResult FloorModOp::fold(FoldAdaptor adaptor) {
  auto divisor = dyn_cast_or_null<IntegerAttr>(adaptor.getRhs());
  if (!divisor || divisor.getValue().isZero())
    return {};
  if (divisor.getValue().isOne())
    return IntegerAttr::get(getType(), 0);
  auto dividend = dyn_cast_or_null<IntegerAttr>(adaptor.getLhs());
  if (!dividend)
    return {};
  APInt remainder = dividend.getValue().srem(divisor.getValue());
  if (!remainder.isZero() && remainder.isNegative() != divisor.getValue().isNegative())
    remainder += divisor.getValue();
  return IntegerAttr::get(getType(), remainder);
}

Speculation::Speculatability FloorModOp::getSpeculatability() {
  // Dividing the least integer by -1 is undefined as well.
  APInt divisor;
  bool isSafe = matchPattern(getRhs(), m_ConstantInt(&divisor)) && !divisor.isZero() && !divisor.isAllOnes();
  return isSafe ? Speculation::Speculatable : Speculation::NotSpeculatable;
}

void FloorModOp::inferResultRanges(ArrayRef<ConstantIntRanges> ranges, SetIntRangeFn setResultRange) {
  // Of the dividend nothing is said, so that the range of a loop-carried remainder is known at once: a range that
  // changed from one visit to the next would be given up.
  const ConstantIntRanges &divisor = ranges[1];
  APInt low = APInt::getSignedMinValue(64), high = APInt::getSignedMaxValue(64);
  if (divisor.smin().isStrictlyPositive()) {
    low = APInt::getZero(64);
    high = divisor.smax() - 1;
  } else if (divisor.smax().isNegative()) {
    low = divisor.smin() + 1;
    high = APInt::getZero(64);
  }
  setResultRange(getResult(), ConstantIntRanges::fromSigned(low, high));
}
