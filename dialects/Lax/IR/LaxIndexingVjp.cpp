//===- LaxIndexingVjp.cpp - Reverse rules of slices, gather, scatter ------===//
//
// What reads a part of a tensor adds to that part of its cotangent in place, where there is one.
//
//===----------------------------------------------------------------------===//

#include "Lax/IR/LaxOps.h"
#include "Lax/IR/LaxVjp.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace mlir::lax;

//===----------------------------------------------------------------------===//
// Slices
//===----------------------------------------------------------------------===//

/// Adds `g` to the slice of the cotangent of operand 0 that starts at `starts`.
static void addToSlice(Vjp &v, Value g, ArrayRef<Value> starts) {
  Type type = v.op->getOperand(0).getType();
  Value total = v.partial(0);
  if (!total) {
    v.add(0, v.create<DynamicUpdateSliceOp>(type, v.zeros(v.op->getOperand(0)), g, starts));
    return;
  }
  auto sliceType = cast<RankedTensorType>(g.getType());
  SmallVector<Value> sizes;
  for (int64_t d = 0; d < sliceType.getRank(); ++d)
    if (sliceType.isDynamicDim(d))
      sizes.push_back(v.index(v.sizeHere(g, d)));
  Value old = v.create<DynamicSliceOp>(sliceType, total, starts, sizes);
  v.replace(0, v.create<DynamicUpdateSliceOp>(type, total, v.term(old) + v.term(g), starts));
}

LogicalResult SliceOp::buildVjp(Vjp &v) {
  Value g = v.cotangent();
  int64_t rank = getType().getRank();
  SmallVector<OpFoldResult> starts = getMixedValues(getStartIndices(), getDynamicStarts(), v.b);
  bool dense = llvm::all_of(getStrides(), [](int64_t stride) { return stride == 1; });
  for (OpFoldResult &start : starts)
    if (auto value = dyn_cast<Value>(start))
      start = v.primal(value);
  if (dense && v.partial(0)) {
    SmallVector<Value> tensors;
    for (OpFoldResult start : starts) {
      Value number = v.create<arith::IndexCastOp>(v.b.getI64Type(), v.index(start));
      tensors.push_back(v.create<tensor::FromElementsOp>(RankedTensorType::get({}, v.b.getI64Type()), number));
    }
    addToSlice(v, g, tensors);
    return success();
  }
  SmallVector<OpFoldResult> high;
  SmallVector<int64_t> interior;
  for (int64_t d = 0; d < rank; ++d) {
    interior.push_back(getStrides()[d] - 1);
    // What the slice spans, from its first element to its last.
    OpFoldResult count = v.sizeHere(g, d);
    OpFoldResult span;
    if (auto known = getConstantIntValue(count)) {
      span = v.b.getIndexAttr(*known ? (*known - 1) * getStrides()[d] + 1 : 0);
    } else {
      OpFoldResult one = v.b.getIndexAttr(1), zero = v.b.getIndexAttr(0);
      Value reach = v.index(v.plus(v.times(v.minus(count, one), getStrides()[d]), one));
      span = Value(v.create<arith::MaxSIOp>(reach, v.index(zero)));
    }
    high.push_back(v.minus(v.minus(v.size(getOperand(), d), starts[d]), span));
  }
  v.add(0, v.cast(v.pad(g, 0, starts, high, interior), getOperand().getType()));
  return success();
}

LogicalResult DynamicSliceOp::buildVjp(Vjp &v) {
  SmallVector<Value> starts;
  for (Value start : getStartIndices())
    starts.push_back(v.primal(start));
  addToSlice(v, v.cotangent(), starts);
  return success();
}

LogicalResult DynamicUpdateSliceOp::buildVjp(Vjp &v) {
  SmallVector<Value> starts;
  for (Value start : getStartIndices())
    starts.push_back(v.primal(start));
  Value g = v.cotangent();
  if (v.wants(1))
    v.add(1, v.create<DynamicSliceOp>(getUpdate().getType(), g, starts, v.dynamicSizes(getUpdate())));
  if (v.wants(0))
    v.add(0, v.create<DynamicUpdateSliceOp>(getType(), g, v.zeros(getUpdate()), starts));
  return success();
}

//===----------------------------------------------------------------------===//
// Gather and scatter
//===----------------------------------------------------------------------===//

LogicalResult GatherOp::buildVjp(Vjp &v) {
  Value indices = v.operand(1), g = v.cotangent();
  auto scatter = [&](Value into) -> Value {
    return v.create<ScatterAddOp>(getOperand().getType(), into, indices, g, getOffsetDims(), getCollapsedSliceDims(),
                                  getStartIndexMap(), getOperandBatchingDims(), getStartIndicesBatchingDims(),
                                  getMode(), getIndicesAreSorted(), getUniqueIndices());
  };
  if (Value total = v.partial(0))
    v.replace(0, scatter(total));
  else
    v.add(0, scatter(v.zeros(getOperand())));
  return success();
}

/// The gather from `operand` that reads what the scatter writes; 0 where it drops an update.
static Value gatherUpdates(Vjp &v, Value operand) {
  auto scatter = cast<ScatterOpInterface>(v.op);
  auto updates = cast<RankedTensorType>(scatter.getUpdates().getType());
  auto type = cast<RankedTensorType>(operand.getType());
  SmallVector<int64_t> sliceSizes(type.getRank(), 1);
  unsigned next = 0;
  for (int64_t d = 0; d < type.getRank(); ++d)
    if (!llvm::is_contained(scatter.getInsertedWindowDims(), d) &&
        !llvm::is_contained(scatter.getOperandBatchingDims(), d))
      sliceSizes[d] = updates.getDimSize(scatter.getUpdateWindowDims()[next++]);
  Type element = type.getElementType();
  TypedAttr fill;
  if (isa<FloatType>(element))
    fill = v.b.getFloatAttr(element, 0);
  else if (isa<IntegerType>(element))
    fill = v.b.getIntegerAttr(element, 0);
  return v.create<GatherOp>(updates.clone(element), operand, v.primal(scatter.getIndices()),
                            v.dynamicSizes(scatter.getUpdates()), scatter.getUpdateWindowDims(),
                            scatter.getInsertedWindowDims(), scatter.getScatterDimsToOperandDims(),
                            scatter.getOperandBatchingDims(), scatter.getScatterIndicesBatchingDims(), sliceSizes,
                            scatter.getMode(), fill, false, scatter.getUniqueIndices());
}

/// The same scatter of `updates` into `operand`, as another op of the family.
template <typename OpT> static Value scatterAgain(Vjp &v, Value operand, Value updates) {
  auto scatter = cast<ScatterOpInterface>(v.op);
  return v.create<OpT>(operand.getType(), operand, v.primal(scatter.getIndices()), updates,
                       scatter.getUpdateWindowDims(), scatter.getInsertedWindowDims(),
                       scatter.getScatterDimsToOperandDims(), scatter.getOperandBatchingDims(),
                       scatter.getScatterIndicesBatchingDims(), scatter.getMode(), false, scatter.getUniqueIndices());
}

LogicalResult ScatterAddOp::buildVjp(Vjp &v) {
  if (v.wants(0))
    v.add(0, v.cotangent());
  if (v.wants(2))
    v.add(2, gatherUpdates(v, v.cotangent()));
  return success();
}

LogicalResult ScatterSubOp::buildVjp(Vjp &v) {
  if (v.wants(0))
    v.add(0, v.cotangent());
  if (v.wants(2))
    v.add(2, -v.term(gatherUpdates(v, v.cotangent())));
  return success();
}

LogicalResult ScatterMulOp::buildVjp(Vjp &v) {
  if (v.wants(0))
    v.add(0, scatterAgain<ScatterMulOp>(v, v.cotangent(), v.operand(2)));
  if (v.wants(2)) {
    if (!getUniqueIndices())
      return emitOpError("cannot be differentiated by its updates where indices may meet");
    v.add(2, gatherUpdates(v, v.g() * v.operand(0)));
  }
  return success();
}

LogicalResult ScatterOp::buildVjp(Vjp &v) {
  auto updates = cast<RankedTensorType>(getUpdates().getType());
  if (v.wants(0))
    v.add(0, scatterAgain<ScatterOp>(v, v.cotangent(), v.zeros(getUpdates())));
  if (!v.wants(2))
    return success();
  Term g = v.term(gatherUpdates(v, v.cotangent()));
  if (!getUniqueIndices()) {
    // Where updates met, the one that stayed takes the cotangent: numbered updates are scattered and read back.
    Type i64 = v.b.getI64Type();
    Value count = v.index(v.b.getIndexAttr(1));
    SmallVector<OpFoldResult> sizes = v.sizes(getUpdates());
    for (OpFoldResult size : sizes)
      count = v.create<arith::MulIOp>(count, v.index(size));
    auto flat = RankedTensorType::get({ShapedType::kDynamic}, i64);
    Value numbers = v.create<IotaOp>(flat, 0, ValueRange{count});
    Value ids = v.cast(v.reshape(numbers, sizes), updates.clone(i64));
    // One up, so that 0 is no number.
    Value one = v.constant(updates.clone(i64), 1, v.dynamicSizes(getUpdates()));
    ids = v.create<AddOp>(ids.getType(), ids, one);
    Value blank = v.constant(getType().clone(i64), 0, v.dynamicSizes(getOperand()));
    Value stayed = gatherUpdates(v, scatterAgain<ScatterOp>(v, blank, ids));
    Value mine = v.create<EqOp>(updates.clone(v.b.getI1Type()), stayed, ids);
    g = select(v.term(mine), g, constantLike(g, 0));
  }
  v.add(2, g);
  return success();
}

/// What is the extremum shares the cotangent: the old element and the updates that equal it.
static LogicalResult scatterExtremumVjp(Vjp &v) {
  Term r = v.result(), x = v.operand(0), updates = v.operand(2);
  Type element = getElementTypeOrSelf(x.value.getType());
  Term old = v.term(v.convert(eq(x, r), element));
  Term chosen = v.term(v.convert(eq(updates, v.term(gatherUpdates(v, r))), element));
  Term part = v.g() / v.term(scatterAgain<ScatterAddOp>(v, old, chosen));
  if (v.wants(0))
    v.add(0, part * old);
  if (v.wants(2))
    v.add(2, v.term(gatherUpdates(v, part)) * chosen);
  return success();
}

LogicalResult ScatterMinOp::buildVjp(Vjp &v) { return scatterExtremumVjp(v); }
LogicalResult ScatterMaxOp::buildVjp(Vjp &v) { return scatterExtremumVjp(v); }
