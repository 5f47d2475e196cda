//===- OverflowOps.cpp - Folding and ranges of checked arithmetic ---------===//

#include "Janus/IR/JanusOps.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/Utils/InferIntRangeCommon.h"

using namespace mlir;
using namespace mlir::janus;

namespace {
/// An APInt operation that says whether it overflowed.
using CheckedOperation = APInt (APInt::*)(const APInt &, bool &) const;
} // namespace

/// Folds an operation on two constants.
static LogicalResult foldConstants(MLIRContext *context, Attribute lhs, Attribute rhs, CheckedOperation operation,
                                   SmallVectorImpl<OpFoldResult> &results) {
  auto a = dyn_cast_or_null<IntegerAttr>(lhs);
  auto b = dyn_cast_or_null<IntegerAttr>(rhs);
  if (!a || !b)
    return failure();
  bool overflow = false;
  APInt value = (a.getValue().*operation)(b.getValue(), overflow);
  results.push_back(IntegerAttr::get(IntegerType::get(context, 64), value));
  results.push_back(BoolAttr::get(context, overflow));
  return success();
}

/// Folds to `value`, which cannot overflow.
static LogicalResult foldTo(MLIRContext *context, OpFoldResult value, SmallVectorImpl<OpFoldResult> &results) {
  results.push_back(value);
  results.push_back(BoolAttr::get(context, false));
  return success();
}

static bool isConstant(Attribute attribute, int64_t value) {
  auto integer = dyn_cast_or_null<IntegerAttr>(attribute);
  return integer && integer.getValue().getSExtValue() == value;
}

/// The flag is known to be false where the operation does not overflow on any corner of the two signed ranges. It is
/// monotonous in each argument separately, so the corners bound it.
static void inferFlagRange(ArrayRef<ConstantIntRanges> ranges, CheckedOperation operation, Value flag,
                           SetIntRangeFn setResultRange) {
  bool mayOverflow = false;
  for (const APInt &a : {ranges[0].smin(), ranges[0].smax()})
    for (const APInt &b : {ranges[1].smin(), ranges[1].smax()}) {
      bool overflow = false;
      (void)(a.*operation)(b, overflow);
      mayOverflow |= overflow;
    }
  setResultRange(flag, mayOverflow ? ConstantIntRanges::maxRange(1) : ConstantIntRanges::constant(APInt::getZero(1)));
}

//===----------------------------------------------------------------------===//
// AddOverflowOp
//===----------------------------------------------------------------------===//

LogicalResult AddOverflowOp::fold(FoldAdaptor adaptor, SmallVectorImpl<OpFoldResult> &results) {
  if (isConstant(adaptor.getRhs(), 0))
    return foldTo(getContext(), getLhs(), results);
  if (isConstant(adaptor.getLhs(), 0))
    return foldTo(getContext(), getRhs(), results);
  return foldConstants(getContext(), adaptor.getLhs(), adaptor.getRhs(), &APInt::sadd_ov, results);
}

void AddOverflowOp::inferResultRanges(ArrayRef<ConstantIntRanges> ranges, SetIntRangeFn setResultRange) {
  setResultRange(getResult(), intrange::inferAdd(ranges));
  inferFlagRange(ranges, &APInt::sadd_ov, getOverflow(), setResultRange);
}

//===----------------------------------------------------------------------===//
// SubOverflowOp
//===----------------------------------------------------------------------===//

LogicalResult SubOverflowOp::fold(FoldAdaptor adaptor, SmallVectorImpl<OpFoldResult> &results) {
  if (isConstant(adaptor.getRhs(), 0))
    return foldTo(getContext(), getLhs(), results);
  if (getLhs() == getRhs())
    return foldTo(getContext(), IntegerAttr::get(getResult().getType(), 0), results);
  return foldConstants(getContext(), adaptor.getLhs(), adaptor.getRhs(), &APInt::ssub_ov, results);
}

void SubOverflowOp::inferResultRanges(ArrayRef<ConstantIntRanges> ranges, SetIntRangeFn setResultRange) {
  setResultRange(getResult(), intrange::inferSub(ranges));
  inferFlagRange(ranges, &APInt::ssub_ov, getOverflow(), setResultRange);
}

//===----------------------------------------------------------------------===//
// MulOverflowOp
//===----------------------------------------------------------------------===//

LogicalResult MulOverflowOp::fold(FoldAdaptor adaptor, SmallVectorImpl<OpFoldResult> &results) {
  Value values[] = {getLhs(), getRhs()};
  Attribute constants[] = {adaptor.getLhs(), adaptor.getRhs()};
  for (int i : {0, 1}) {
    if (isConstant(constants[i], 1))
      return foldTo(getContext(), values[1 - i], results);
    if (isConstant(constants[i], 0))
      return foldTo(getContext(), IntegerAttr::get(getResult().getType(), 0), results);
  }
  return foldConstants(getContext(), constants[0], constants[1], &APInt::smul_ov, results);
}

void MulOverflowOp::inferResultRanges(ArrayRef<ConstantIntRanges> ranges, SetIntRangeFn setResultRange) {
  setResultRange(getResult(), intrange::inferMul(ranges));
  inferFlagRange(ranges, &APInt::smul_ov, getOverflow(), setResultRange);
}
