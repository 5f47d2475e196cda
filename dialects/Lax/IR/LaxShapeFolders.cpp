//===- LaxShapeFolders.cpp - Simplification of shape and indexing ops -----===//

#include "Lax/IR/LaxConstantFolding.h"
#include "Lax/IR/LaxOps.h"
#include "Lax/IR/LaxVerification.h"

#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::lax;
using namespace mlir::lax::detail;

// Through a dynamic size, ops may contradict each other in code that never runs; what would merge them into an op that
// does not verify leaves them alone.

static RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

static bool isStatic(Type type) { return cast<RankedTensorType>(type).hasStaticShape(); }

/// Whether a list counts 0, 1, 2, ....
static bool isIota(ArrayRef<int64_t> dims) {
  return llvm::all_of(llvm::enumerate(dims), [](auto it) { return static_cast<int64_t>(it.index()) == it.value(); });
}

static bool allEqual(ArrayRef<int64_t> values, int64_t wanted) {
  return llvm::all_of(values, [&](int64_t value) { return value == wanted; });
}

/// The splat of the same element in another shape.
static Attribute foldSplat(Attribute operand, Type result) {
  auto constant = dyn_cast_or_null<SplatElementsAttr>(operand);
  if (!constant || !isStatic(result))
    return {};
  return constant.resizeSplat(cast<ShapedType>(result));
}

/// The constant with its elements in the same order and another shape.
static Attribute foldReshape(Attribute operand, Type result) {
  if (Attribute splat = foldSplat(operand, result))
    return splat;
  auto constant = dyn_cast_or_null<DenseIntOrFPElementsAttr>(operand);
  if (!constant || !isStatic(result))
    return {};
  return constant.reshape(cast<ShapedType>(result));
}

//===----------------------------------------------------------------------===//
// BroadcastInDimOp
//===----------------------------------------------------------------------===//

OpFoldResult BroadcastInDimOp::fold(FoldAdaptor adaptor) {
  // A dynamic dim of the operand is that of the result, so equal types mean equal shapes.
  if (getOperand().getType() == getType() && isIota(getBroadcastDimensions()))
    return getOperand();
  return foldSplat(adaptor.getOperand(), getType());
}

namespace {

/// A broadcast of a broadcast is one broadcast.
struct MergeBroadcasts : OpRewritePattern<BroadcastInDimOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(BroadcastInDimOp op, PatternRewriter &rewriter) const override {
    auto inner = op.getOperand().getDefiningOp<BroadcastInDimOp>();
    if (!inner)
      return failure();
    // A dynamic dim that the inner one makes out of a 1 stays as it is in the outer.
    SmallVector<int64_t> dims;
    for (auto [from, dim] : llvm::enumerate(inner.getBroadcastDimensions())) {
      dims.push_back(op.getBroadcastDimensions()[dim]);
      int64_t size = typeOf(inner.getOperand()).getDimSize(from);
      if (size != 1 && !sizesAgree(size, typeOf(op.getResult()).getDimSize(dims.back())))
        return failure();
    }
    rewriter.replaceOpWithNewOp<BroadcastInDimOp>(op, op.getType(), inner.getOperand(), dims, op.getOutputDims());
    return success();
  }
};

} // namespace

void BroadcastInDimOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<MergeBroadcasts>(context);
}

//===----------------------------------------------------------------------===//
// Same elements in the same order
//===----------------------------------------------------------------------===//

OpFoldResult ReshapeOp::fold(FoldAdaptor adaptor) {
  // With one dynamic dim, the element count leaves no choice (unless another dim is empty; there are no elements then,
  // and the shape is still the one asked for only if the dynamic dims agree, so that case is left alone).
  RankedTensorType type = typeOf(getResult());
  bool determined = type.hasStaticShape() || (type.getNumDynamicDims() == 1 && !llvm::is_contained(type.getShape(), 0));
  if (getOperand().getType() == type && determined)
    return getOperand();
  return foldReshape(adaptor.getOperand(), type);
}

namespace {

/// A reshape of what only has another shape is a reshape of the original.
struct MergeReshapes : OpRewritePattern<ReshapeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ReshapeOp op, PatternRewriter &rewriter) const override {
    Operation *inner = op.getOperand().getDefiningOp();
    if (!inner || !isa<ReshapeOp, SqueezeOp, ExpandDimsOp>(inner))
      return failure();
    RankedTensorType from = typeOf(inner->getOperand(0)), to = typeOf(op.getResult());
    if (from.hasStaticShape() && to.hasStaticShape() && from.getNumElements() != to.getNumElements())
      return failure();
    rewriter.modifyOpInPlace(op, [&] { op.getOperandMutable().assign(inner->getOperand(0)); });
    return success();
  }
};

} // namespace

void ReshapeOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<MergeReshapes>(context);
}

OpFoldResult SqueezeOp::fold(FoldAdaptor adaptor) {
  if (getDimensions().empty() && getOperand().getType() == getType())
    return getOperand();
  if (auto inner = getOperand().getDefiningOp<ExpandDimsOp>())
    if (inner.getDimensions() == getDimensions() && inner.getOperand().getType() == getType())
      return inner.getOperand();
  return foldReshape(adaptor.getOperand(), getType());
}

OpFoldResult ExpandDimsOp::fold(FoldAdaptor adaptor) {
  if (getDimensions().empty() && getOperand().getType() == getType())
    return getOperand();
  if (auto inner = getOperand().getDefiningOp<SqueezeOp>())
    if (inner.getDimensions() == getDimensions() && inner.getOperand().getType() == getType())
      return inner.getOperand();
  return foldReshape(adaptor.getOperand(), getType());
}

//===----------------------------------------------------------------------===//
// Permutation
//===----------------------------------------------------------------------===//

OpFoldResult TransposeOp::fold(FoldAdaptor adaptor) {
  if (isIota(getPermutation()) && getOperand().getType() == getType())
    return getOperand();
  if (auto inner = getOperand().getDefiningOp<TransposeOp>()) {
    SmallVector<int64_t> permutation;
    for (auto [to, dim] : llvm::enumerate(getPermutation())) {
      permutation.push_back(inner.getPermutation()[dim]);
      if (!sizesAgree(typeOf(inner.getOperand()).getDimSize(permutation.back()), typeOf(getResult()).getDimSize(to)))
        return {};
    }
    setPermutation(permutation);
    getOperandMutable().assign(inner.getOperand());
    return getResult();
  }
  return foldSplat(adaptor.getOperand(), getType());
}

OpFoldResult RevOp::fold(FoldAdaptor adaptor) {
  RankedTensorType type = typeOf(getOperand());
  if (llvm::all_of(getDimensions(), [&](int64_t dim) { return type.getDimSize(dim) == 1; }))
    return getOperand();
  return foldSplat(adaptor.getOperand(), type);
}

//===----------------------------------------------------------------------===//
// Joining, tiling, padding
//===----------------------------------------------------------------------===//

OpFoldResult ConcatenateOp::fold(FoldAdaptor adaptor) {
  if (getOperands().size() == 1 && getOperands().front().getType() == getType())
    return getOperands().front();
  auto first = dyn_cast_or_null<SplatElementsAttr>(adaptor.getOperands().front());
  if (!first)
    return {};
  // Splats are compared by their element: operands differ in type.
  for (Attribute operand : adaptor.getOperands()) {
    auto constant = dyn_cast_or_null<SplatElementsAttr>(operand);
    if (!constant || constant.getSplatValue<Attribute>() != first.getSplatValue<Attribute>())
      return {};
  }
  return foldSplat(first, getType());
}

OpFoldResult TileOp::fold(FoldAdaptor adaptor) {
  if (allEqual(getReps(), 1) && getOperand().getType() == getType())
    return getOperand();
  return foldSplat(adaptor.getOperand(), getType());
}

OpFoldResult PadOp::fold(FoldAdaptor adaptor) {
  if (allEqual(getLow(), 0) && allEqual(getHigh(), 0) && allEqual(getInterior(), 0) &&
      getOperand().getType() == getType())
    return getOperand();
  auto operand = dyn_cast_or_null<SplatElementsAttr>(adaptor.getOperand());
  auto value = dyn_cast_or_null<SplatElementsAttr>(adaptor.getPaddingValue());
  if (operand && value && operand.getSplatValue<Attribute>() == value.getSplatValue<Attribute>())
    return foldSplat(operand, getType());
  return {};
}

//===----------------------------------------------------------------------===//
// Slices
//===----------------------------------------------------------------------===//

OpFoldResult SliceOp::fold(FoldAdaptor adaptor) {
  RankedTensorType type = typeOf(getOperand());
  // Of a static size, all that remains is all there was; of a dynamic one, that cannot be seen.
  if (type == getType() && type.hasStaticShape())
    return getOperand();
  return foldSplat(adaptor.getOperand(), getType());
}

OpFoldResult DynamicSliceOp::fold(FoldAdaptor adaptor) {
  // The start is clamped to 0 if the slice is everything.
  if (getOperand().getType() == getType() && isStatic(getType()))
    return getOperand();
  return foldSplat(adaptor.getOperand(), getType());
}

namespace {

/// With constant starts, the bounds are known.
struct DynamicSliceToSlice : OpRewritePattern<DynamicSliceOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(DynamicSliceOp op, PatternRewriter &rewriter) const override {
    RankedTensorType operandType = typeOf(op.getOperand()), type = typeOf(op.getResult());
    if (!operandType.hasStaticShape() || !type.hasStaticShape())
      return failure();
    SmallVector<int64_t> starts, limits;
    for (auto [dim, start] : llvm::enumerate(op.getStartIndices())) {
      DenseIntElementsAttr constant;
      if (!matchPattern(start, m_Constant(&constant)))
        return failure();
      APInt value = constant.getSplatValue<APInt>();
      int64_t size = type.getDimSize(dim), last = operandType.getDimSize(dim) - size;
      bool isUnsigned = constant.getElementType().isUnsignedInteger();
      int64_t index = isUnsigned ? static_cast<int64_t>(value.getLimitedValue(last)) : value.getSExtValue();
      starts.push_back(std::clamp<int64_t>(index, 0, last));
      limits.push_back(starts.back() + size);
    }
    SmallVector<int64_t> strides(starts.size(), 1);
    rewriter.replaceOpWithNewOp<SliceOp>(op, type, op.getOperand(), ValueRange{}, ValueRange{}, starts, limits,
                                         strides);
    return success();
  }
};

} // namespace

void DynamicSliceOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<DynamicSliceToSlice>(context);
}

OpFoldResult DynamicUpdateSliceOp::fold(FoldAdaptor) {
  if (getUpdate().getType() == getType() && isStatic(getType()))
    return getUpdate();
  return {};
}
