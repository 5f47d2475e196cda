//===- Shape.cpp - Broadcast, reshape, transpose and the like -------------===//

#include "Conversion/LaxToLinalg/Lowering.h"

using namespace mlir;
using namespace mlir::janus;
using namespace mlir::janus::lowering;

namespace {

struct LowerIota : public LaxPattern<lax::IotaOp> {
  using LaxPattern::LaxPattern;

  LogicalResult matchAndRewrite(lax::IotaOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    RankedTensorType type = convertedType(op.getResult());
    Type original = elementType(op.getResult());
    if (!original.isIntOrFloat())
      return op.emitOpError("of complex numbers has no lowering to linalg");
    Sizes sizes = resultSizes(rewriter, type, adaptor.getOutputDims());
    Value result = buildFromIndices(rewriter, op.getLoc(), sizes, type.getElementType(),
                                    [&](OpBuilder &builder, Location loc, ValueRange indices) -> Value {
                                      ScalarBuilder b(builder, loc);
                                      Type i64 = builder.getI64Type();
                                      Value index = b.create<arith::IndexCastOp>(i64, indices[op.getDimension()]);
                                      return convertScalar(b, index, i64, original);
                                    });
    rewriter.replaceOp(op, castTensor(rewriter, op.getLoc(), result, type));
    return success();
  }
};

/// A tensor of `sizes` whose elements are those of `operand` at `source`, functions of their positions.
Value readAt(OpBuilder &builder, Location loc, Value operand, ArrayRef<AffineExpr> source, const Sizes &sizes) {
  unsigned rank = sizes.size();
  SmallVector<AffineMap> maps = {AffineMap::get(rank, 0, source, builder.getContext()),
                                 builder.getMultiDimIdentityMap(rank)};
  SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::parallel);
  Value output = emptyTensor(builder, loc, sizes, getElementTypeOrSelf(operand.getType()));
  return buildGeneric(builder, loc, operand, output, maps, iterators,
                      [](OpBuilder &b, Location loc, ValueRange args) { linalg::YieldOp::create(b, loc, args[0]); })
      .getResult(0);
}

struct LowerBroadcast : public LaxPattern<lax::BroadcastInDimOp> {
  using LaxPattern::LaxPattern;

  LogicalResult matchAndRewrite(lax::BroadcastInDimOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    RankedTensorType type = convertedType(op.getResult());
    auto from = cast<RankedTensorType>(adaptor.getOperand().getType());
    unsigned rank = type.getRank();
    Sizes sizes = resultSizes(rewriter, type, adaptor.getOutputDims());
    // A dim that is repeated is read at zero.
    SmallVector<AffineExpr> source;
    for (auto [size, dim] : llvm::zip_equal(from.getShape(), op.getBroadcastDimensions()))
      source.push_back(size == 1 && type.getDimSize(dim) != 1 ? rewriter.getAffineConstantExpr(0)
                                                              : rewriter.getAffineDimExpr(dim));
    Value result = readAt(rewriter, loc, adaptor.getOperand(), source, sizes);
    rewriter.replaceOp(op, castTensor(rewriter, loc, result, type));
    return success();
  }
};

struct LowerReshape : public LaxPattern<lax::ReshapeOp> {
  using LaxPattern::LaxPattern;

  LogicalResult matchAndRewrite(lax::ReshapeOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    RankedTensorType type = convertedType(op.getResult());
    Sizes sizes = resultSizes(rewriter, type, adaptor.getOutputDims());
    rewriter.replaceOp(op, reshapeTensor(rewriter, op.getLoc(), adaptor.getOperand(), type, sizes));
    return success();
  }
};

/// Drops or inserts unit dims; `unitDims` are those of the shape of higher rank.
SmallVector<ReassociationIndices> unitGroups(int64_t rank, ArrayRef<int64_t> unitDims) {
  SmallVector<ReassociationIndices> groups;
  ReassociationIndices leading;
  for (int64_t dim = 0; dim < rank; ++dim) {
    if (!llvm::is_contained(unitDims, dim)) {
      leading.push_back(dim);
      groups.push_back(leading);
      leading.clear();
    } else if (groups.empty()) {
      leading.push_back(dim);
    } else {
      groups.back().push_back(dim);
    }
  }
  return groups;
}

struct LowerSqueeze : public LaxPattern<lax::SqueezeOp> {
  using LaxPattern::LaxPattern;

  LogicalResult matchAndRewrite(lax::SqueezeOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    if (op.getDimensions().empty()) {
      rewriter.replaceOp(op, adaptor.getOperand());
      return success();
    }
    auto from = cast<RankedTensorType>(adaptor.getOperand().getType());
    RankedTensorType type = convertedType(op.getResult());
    // Dims that vanish are 1, whatever the type knows.
    SmallVector<int64_t> shape(from.getShape());
    for (int64_t dim : op.getDimensions())
      shape[dim] = 1;
    Value operand = castTensor(rewriter, op.getLoc(), adaptor.getOperand(), from.clone(shape));
    Value result =
        tensor::CollapseShapeOp::create(rewriter, op.getLoc(), operand, unitGroups(from.getRank(), op.getDimensions()));
    rewriter.replaceOp(op, castTensor(rewriter, op.getLoc(), result, type));
    return success();
  }
};

struct LowerExpandDims : public LaxPattern<lax::ExpandDimsOp> {
  using LaxPattern::LaxPattern;

  LogicalResult matchAndRewrite(lax::ExpandDimsOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    if (op.getDimensions().empty()) {
      rewriter.replaceOp(op, adaptor.getOperand());
      return success();
    }
    Location loc = op.getLoc();
    RankedTensorType type = convertedType(op.getResult());
    Sizes from = tensor::getMixedSizes(rewriter, loc, adaptor.getOperand()), sizes;
    for (int64_t dim = 0, next = 0; dim < type.getRank(); ++dim)
      sizes.push_back(llvm::is_contained(op.getDimensions(), dim) ? OpFoldResult(rewriter.getIndexAttr(1))
                                                                  : from[next++]);
    auto expanded = RankedTensorType::get(decomposeMixedValues(sizes).first, type.getElementType());
    Value result = tensor::ExpandShapeOp::create(rewriter, loc, expanded, adaptor.getOperand(),
                                                 unitGroups(type.getRank(), op.getDimensions()), sizes);
    rewriter.replaceOp(op, castTensor(rewriter, loc, result, type));
    return success();
  }
};

struct LowerTranspose : public LaxPattern<lax::TransposeOp> {
  using LaxPattern::LaxPattern;

  LogicalResult matchAndRewrite(lax::TransposeOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    RankedTensorType type = convertedType(op.getResult());
    unsigned rank = type.getRank();
    Sizes from = tensor::getMixedSizes(rewriter, loc, adaptor.getOperand()), sizes;
    SmallVector<AffineExpr> source(rank);
    for (auto [dim, operandDim] : llvm::enumerate(op.getPermutation())) {
      sizes.push_back(from[operandDim]);
      source[operandDim] = rewriter.getAffineDimExpr(dim);
    }
    Value result = readAt(rewriter, loc, adaptor.getOperand(), source, sizes);
    rewriter.replaceOp(op, castTensor(rewriter, loc, result, type));
    return success();
  }
};

/// Reads at computed indices: an indexing map with a negative coefficient would not survive tiling.
struct LowerRev : public LaxPattern<lax::RevOp> {
  using LaxPattern::LaxPattern;

  LogicalResult matchAndRewrite(lax::RevOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value operand = adaptor.getOperand();
    Sizes sizes = tensor::getMixedSizes(rewriter, loc, operand);
    DenseMap<int64_t, Value> last;
    for (int64_t dim : op.getDimensions())
      last[dim] = toIndexValue(rewriter, loc, subSizes(rewriter, loc, sizes[dim], rewriter.getIndexAttr(1)));
    Value result = buildFromIndices(rewriter, loc, sizes, convertedType(op.getResult()).getElementType(),
                                    [&](OpBuilder &b, Location loc, ValueRange indices) -> Value {
                                      SmallVector<Value> source(indices);
                                      for (int64_t dim : op.getDimensions())
                                        source[dim] = arith::SubIOp::create(b, loc, last[dim], indices[dim]);
                                      return extractScalar(b, loc, operand, source);
                                    });
    rewriter.replaceOp(op, castTensor(rewriter, loc, result, convertedType(op.getResult())));
    return success();
  }
};

/// Repetition as a broadcast along a new dim before each dim, which is then merged with it.
struct LowerTile : public LaxPattern<lax::TileOp> {
  using LaxPattern::LaxPattern;

  LogicalResult matchAndRewrite(lax::TileOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    RankedTensorType type = convertedType(op.getResult());
    Sizes from = tensor::getMixedSizes(rewriter, loc, adaptor.getOperand()), sizes;
    SmallVector<AffineExpr> source;
    for (auto [size, reps] : llvm::zip_equal(from, op.getReps())) {
      sizes.push_back(rewriter.getIndexAttr(reps));
      source.push_back(rewriter.getAffineDimExpr(sizes.size()));
      sizes.push_back(size);
    }
    unsigned rank = sizes.size();
    Value result = readAt(rewriter, loc, adaptor.getOperand(), source, sizes);
    SmallVector<ReassociationIndices> groups;
    for (int64_t dim = 0; dim < rank; dim += 2)
      groups.push_back({dim, dim + 1});
    if (!groups.empty())
      result = tensor::CollapseShapeOp::create(rewriter, loc, result, groups);
    rewriter.replaceOp(op, castTensor(rewriter, loc, result, type));
    return success();
  }
};

struct LowerPad : public LaxPattern<lax::PadOp> {
  using LaxPattern::LaxPattern;

  LogicalResult matchAndRewrite(lax::PadOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Sizes low = getMixedValues(op.getLow(), adaptor.getDynamicLow(), rewriter);
    Sizes high = getMixedValues(op.getHigh(), adaptor.getDynamicHigh(), rewriter);
    Value padding = extractScalar(rewriter, loc, adaptor.getPaddingValue());
    // A constant padding is worth knowing: contractions and windows treat zero specially.
    if (DenseElementsAttr dense; matchPattern(adaptor.getPaddingValue(), m_Constant(&dense)) && dense.isSplat())
      padding = constantScalar(rewriter, loc, cast<TypedAttr>(dense.getSplatValue<Attribute>()));
    Value result = padTensor(rewriter, loc, adaptor.getOperand(), padding, low, high, op.getInterior());
    rewriter.replaceOp(op, castTensor(rewriter, loc, result, convertedType(op.getResult())));
    return success();
  }
};

} // namespace

void lowering::populateShapePatterns(const LaxTypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<LowerIota, LowerBroadcast, LowerReshape, LowerSqueeze, LowerExpandDims, LowerTranspose, LowerRev,
               LowerTile, LowerPad>(converter, patterns.getContext());
}
