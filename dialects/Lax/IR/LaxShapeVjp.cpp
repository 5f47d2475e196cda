//===- LaxShapeVjp.cpp - Reverse rules of ops that arrange elements -------===//

#include "Lax/IR/LaxOps.h"
#include "Lax/IR/LaxVjp.h"

#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace mlir::lax;

LogicalResult BroadcastInDimOp::buildVjp(Vjp &v) {
  RankedTensorType from = v.typeOf(0);
  SmallVector<int64_t> axes;
  for (int64_t d = 0; d < getType().getRank(); ++d) {
    auto *found = llvm::find(getBroadcastDimensions(), d);
    if (found == getBroadcastDimensions().end() ||
        (from.getDimSize(found - getBroadcastDimensions().begin()) == 1 && getType().getDimSize(d) != 1))
      axes.push_back(d);
  }
  Value sum = v.reduceSum(v.cotangent(), axes);
  v.add(0, sum.getType() == from ? sum : v.reshape(sum, v.sizesOf(0)));
  return success();
}

LogicalResult ReshapeOp::buildVjp(Vjp &v) {
  v.add(0, v.reshape(v.cotangent(), v.sizesOf(0)));
  return success();
}

LogicalResult SqueezeOp::buildVjp(Vjp &v) {
  v.add(0, v.create<ExpandDimsOp>(getOperand().getType(), v.cotangent(), getDimensionsAttr()));
  return success();
}

LogicalResult ExpandDimsOp::buildVjp(Vjp &v) {
  v.add(0, v.create<SqueezeOp>(getOperand().getType(), v.cotangent(), getDimensionsAttr()));
  return success();
}

LogicalResult TransposeOp::buildVjp(Vjp &v) {
  v.add(0, v.transpose(v.cotangent(), invertPermutationVector(getPermutation())));
  return success();
}

LogicalResult RevOp::buildVjp(Vjp &v) {
  v.add(0, v.create<RevOp>(getType(), v.cotangent(), getDimensionsAttr()));
  return success();
}

/// The part of `g` from `start` on along `axis`, of the size of `forward` there; moves `start` behind it.
static Value takeNext(Vjp &v, Value g, Value forward, int64_t axis, OpFoldResult &start) {
  auto type = cast<RankedTensorType>(g.getType());
  SmallVector<OpFoldResult> starts(type.getRank(), v.b.getIndexAttr(0)), limits;
  for (int64_t d = 0; d < type.getRank(); ++d)
    limits.push_back(v.sizeHere(g, d));
  starts[axis] = start;
  limits[axis] = start = v.plus(start, v.size(forward, axis));
  SmallVector<int64_t> ones(type.getRank(), 1);
  return v.cast(v.slice(g, starts, limits, ones), forward.getType());
}

LogicalResult ConcatenateOp::buildVjp(Vjp &v) {
  OpFoldResult start = v.b.getIndexAttr(0);
  for (auto [i, operand] : llvm::enumerate(getOperands())) {
    if (v.wants(i))
      v.add(i, takeNext(v, v.cotangent(), operand, getDimension(), start));
    else
      start = v.plus(start, v.size(operand, getDimension()));
  }
  return success();
}

LogicalResult SplitOp::buildVjp(Vjp &v) {
  SmallVector<Value> pieces;
  for (unsigned i = 0; i < getNumResults(); ++i)
    pieces.push_back(v.cotangent(i));
  v.add(0, v.create<ConcatenateOp>(getOperand().getType(), pieces, getAxisAttr()));
  return success();
}

LogicalResult StackOp::buildVjp(Vjp &v) {
  SmallVector<Type> types(getOperandTypes());
  auto slices = v.create<UnstackOp>(types, v.cotangent(), getAxisAttr());
  for (unsigned i = 0; i < getNumOperands(); ++i)
    if (v.wants(i))
      v.add(i, slices.getResult(i));
  return success();
}

LogicalResult UnstackOp::buildVjp(Vjp &v) {
  SmallVector<Value> slices;
  for (unsigned i = 0; i < getNumResults(); ++i)
    slices.push_back(v.cotangent(i));
  v.add(0, v.create<StackOp>(getOperand().getType(), slices, getAxisAttr()));
  return success();
}

LogicalResult TileOp::buildVjp(Vjp &v) {
  // Each dim as (repetition, element), and the repetitions summed.
  SmallVector<OpFoldResult> sizes;
  SmallVector<int64_t> axes;
  for (auto [d, count] : llvm::enumerate(getReps())) {
    axes.push_back(sizes.size());
    sizes.push_back(v.b.getIndexAttr(count));
    sizes.push_back(v.size(getOperand(), d));
  }
  v.add(0, v.cast(v.reduceSum(v.reshape(v.cotangent(), sizes), axes), getOperand().getType()));
  return success();
}

LogicalResult PadOp::buildVjp(Vjp &v) {
  Value g = v.cotangent();
  int64_t rank = getType().getRank();
  SmallVector<OpFoldResult> low = getMixedValues(getLow(), getDynamicLow(), v.b);
  SmallVector<OpFoldResult> high = getMixedValues(getHigh(), getDynamicHigh(), v.b);
  for (SmallVector<OpFoldResult> *sizes : {&low, &high})
    for (OpFoldResult &size : *sizes)
      if (auto value = dyn_cast<Value>(size))
        size = v.primal(value);
  // What was cut off gets zeros, what was added falls away.
  OpFoldResult zero = v.b.getIndexAttr(0);
  auto cut = [&](OpFoldResult amount) -> OpFoldResult {
    if (auto known = getConstantIntValue(amount))
      return v.b.getIndexAttr(std::max<int64_t>(0, -*known));
    return Value(v.create<arith::MaxSIOp>(v.index(zero), v.index(v.minus(zero, amount))));
  };
  SmallVector<OpFoldResult> cutLow, cutHigh, starts, limits;
  SmallVector<int64_t> none(rank, 0), strides;
  for (int64_t d = 0; d < rank; ++d) {
    cutLow.push_back(cut(low[d]));
    cutHigh.push_back(cut(high[d]));
    strides.push_back(getInterior()[d] + 1);
  }
  Value whole = v.pad(g, 0, cutLow, cutHigh, none);
  for (int64_t d = 0; d < rank; ++d) {
    starts.push_back(v.plus(low[d], cutLow[d]));
    // Behind the last element: no more than one stride.
    limits.push_back(v.minus(v.sizeHere(whole, d), v.plus(high[d], cutHigh[d])));
  }
  Value inner = v.cast(v.slice(whole, starts, limits, strides), getOperand().getType());
  if (v.wants(0))
    v.add(0, inner);
  if (v.wants(1)) {
    SmallVector<int64_t> all = llvm::to_vector(llvm::seq<int64_t>(0, rank));
    v.add(1, v.term(v.reduceSum(g, all)) - v.term(v.reduceSum(inner, all)));
  }
  return success();
}

LogicalResult OptimizationBarrierOp::buildVjp(Vjp &v) {
  for (unsigned i = 0; i < getNumOperands(); ++i)
    if (v.wants(i) && v.hasCotangent(i))
      v.add(i, v.cotangent(i));
  return success();
}
