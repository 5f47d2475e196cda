//===- LaxWindowVjp.cpp - Reverse rules of ops on sliding windows ---------===//

#include "Lax/IR/LaxOps.h"
#include "Lax/IR/LaxVjp.h"

#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace mlir::lax;

LogicalResult ReduceWindowSumOp::buildVjp(Vjp &v) {
  RankedTensorType in = v.typeOf(0), out = cast<RankedTensorType>(getType());
  Value g = v.cotangent();
  int64_t rank = in.getRank();
  OpFoldResult one = v.b.getIndexAttr(1);
  // Sizes are never zero here but where the result is empty, which has no cotangent to speak of.
  auto dilated = [&](OpFoldResult size, int64_t dilation) {
    return v.plus(v.times(v.minus(size, one), dilation), one);
  };
  SmallVector<OpFoldResult> low, high;
  SmallVector<int64_t> interior;
  for (int64_t d = 0; d < rank; ++d) {
    int64_t window = (getWindowDimensions()[d] - 1) * getWindowDilation()[d] + 1;
    int64_t before = window - getPadding()[2 * d] - 1;
    if (out.getDimSize(d) == 0) {
      v.add(0, v.zeros(getOperand()));
      return success();
    }
    OpFoldResult span = v.minus(dilated(v.size(getOperand(), d), getBaseDilation()[d]),
                                dilated(v.sizeHere(g, d), getWindowStrides()[d]));
    low.push_back(v.b.getIndexAttr(before));
    high.push_back(v.plus(span, v.b.getIndexAttr(window - 1 - before)));
    interior.push_back(getWindowStrides()[d] - 1);
  }
  Value padded = v.pad(g, 0, low, high, interior);
  SmallVector<int64_t> ones(rank, 1), none(2 * rank, 0);
  // The result type follows from the padded one, which may know less than the operand's.
  SmallVector<int64_t> shape;
  auto paddedType = cast<RankedTensorType>(padded.getType());
  for (int64_t d = 0; d < rank; ++d)
    shape.push_back(paddedType.isDynamicDim(d) ? ShapedType::kDynamic : in.getDimSize(d));
  Value sum = v.create<ReduceWindowSumOp>(in.clone(shape), padded, getWindowDimensions(),
                                          SmallVector<int64_t>(getBaseDilation()), none, ones,
                                          SmallVector<int64_t>(getWindowDilation()));
  v.add(0, v.cast(sum, in));
  return success();
}

template <typename OpT> static LogicalResult windowExtremumVjp(OpT op, Vjp &v, StringRef select) {
  auto plain = [](ArrayRef<int64_t> dilation) { return llvm::all_of(dilation, [](int64_t d) { return d == 1; }); };
  if (!plain(op.getBaseDilation()) || !plain(op.getWindowDilation()))
    return op.emitOpError("cannot be differentiated where it is dilated");
  v.add(0, v.create<SelectAndScatterAddOp>(op.getOperand().getType(), v.cotangent(), v.operand(0), select,
                                           op.getWindowDimensions(), op.getWindowStrides(), op.getPadding()));
  return success();
}

LogicalResult ReduceWindowMaxOp::buildVjp(Vjp &v) { return windowExtremumVjp(*this, v, "ge"); }
LogicalResult ReduceWindowMinOp::buildVjp(Vjp &v) { return windowExtremumVjp(*this, v, "le"); }

LogicalResult SelectAndScatterAddOp::buildVjp(Vjp &v) {
  if (v.wants(0)) {
    SmallVector<int64_t> ones(getWindowDimensions().size(), 1);
    v.add(0, v.create<SelectAndGatherAddOp>(getSource().getType(), v.cotangent(), v.operand(1), getSelectPrim(),
                                            getWindowDimensions(), getWindowStrides(), getPadding(), ones, ones));
  }
  return success();
}

LogicalResult SelectAndGatherAddOp::buildVjp(Vjp &v) {
  auto plain = [](ArrayRef<int64_t> dilation) { return llvm::all_of(dilation, [](int64_t d) { return d == 1; }); };
  if (!plain(getBaseDilation()) || !plain(getWindowDilation()))
    return emitOpError("cannot be differentiated where it is dilated");
  if (v.wants(0))
    v.add(0, v.create<SelectAndScatterAddOp>(getTangents().getType(), v.cotangent(), v.operand(1), getSelectPrim(),
                                             getWindowDimensions(), getWindowStrides(), getPadding()));
  return success();
}
