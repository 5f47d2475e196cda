//===- Gather.cpp - gather ------------------------------------------------===//

#include "Conversion/LaxToLinalg/Lowering.h"

using namespace mlir;
using namespace mlir::janus;
using namespace mlir::janus::lowering;

namespace {

/// Each element of the result finds its place in the operand by its own index vector.
struct LowerGather : public LaxPattern<lax::GatherOp> {
  using LaxPattern::LaxPattern;

  LogicalResult matchAndRewrite(lax::GatherOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    RankedTensorType type = convertedType(op.getResult());
    if (!type.getElementType().isIntOrFloat())
      return op.emitOpError("of complex numbers has no lowering to linalg");
    Value operand = adaptor.getOperand(), starts = adaptor.getStartIndices();
    Type startOriginal = elementType(op.getStartIndices());
    Sizes operandSizes = tensor::getMixedSizes(rewriter, loc, operand);

    // The last place for a slice in each dim that index vectors address.
    SmallVector<Value> last;
    for (int64_t dim : op.getStartIndexMap()) {
      int64_t slice = op.getSliceSizes()[dim];
      OpFoldResult room = ShapedType::isDynamic(slice)
                              ? OpFoldResult(rewriter.getIndexAttr(0))
                              : subSizes(rewriter, loc, operandSizes[dim], rewriter.getIndexAttr(slice));
      last.push_back(toIndexValue(rewriter, loc, room));
    }
    SmallVector<int64_t> batchDims = op.getBatchDims(), keptDims = op.getKeptOperandDims();
    bool fills = op.getMode() == "fill";
    Value fill;
    if (fills)
      fill = constantScalar(rewriter, loc, storedFill(op, rewriter));

    auto element = [&](OpBuilder &builder, Location loc, ValueRange indices) -> Value {
      ScalarBuilder b(builder, loc);
      SmallVector<Value> batch, place(operandSizes.size());
      for (int64_t dim : batchDims)
        batch.push_back(indices[dim]);
      for (auto [operandDim, resultDim] : llvm::zip_equal(keptDims, op.getOffsetDims()))
        place[operandDim] = indices[resultDim];
      for (auto [operandDim, indicesDim] :
           llvm::zip_equal(op.getOperandBatchingDims(), op.getStartIndicesBatchingDims()))
        place[operandDim] = batch[indicesDim];
      Value inside;
      for (auto [component, dim] : llvm::enumerate(op.getStartIndexMap())) {
        SmallVector<Value> at(batch);
        at.push_back(b.index(component));
        Value start = extractScalar(builder, loc, starts, at);
        Type indexType = builder.getIndexType();
        Value index = startOriginal.isUnsignedInteger() ? b.create<arith::IndexCastUIOp>(indexType, start)
                                                        : b.create<arith::IndexCastOp>(indexType, start);
        if (fills) {
          // A negative index is beyond all others as an unsigned one.
          Value within = b.cmpi(arith::CmpIPredicate::ule, index, last[component]);
          inside = inside ? b.create<arith::AndIOp>(inside, within) : within;
        }
        // The lower bound comes last: in an empty dim it must win.
        Value below = startOriginal.isUnsignedInteger() ? b.create<arith::MinUIOp>(index, last[component])
                                                        : b.create<arith::MinSIOp>(index, last[component]);
        Value clamped = b.create<arith::MaxSIOp>(below, b.index(0));
        place[dim] = place[dim] ? b.add(place[dim], clamped) : clamped;
      }
      for (Value &index : place)
        if (!index)
          index = b.index(0);
      Value value = extractScalar(builder, loc, operand, place);
      return inside ? b.select(inside, value, fill) : value;
    };
    Sizes sizes = resultSizes(rewriter, type, adaptor.getOutputDims());
    Value result = buildFromIndices(rewriter, loc, sizes, type.getElementType(), element);
    rewriter.replaceOp(op, castTensor(rewriter, loc, result, type));
    return success();
  }

private:
  static TypedAttr storedFill(lax::GatherOp op, OpBuilder &b) {
    TypedAttr fill = op.getFillValueOrDefault();
    auto integer = dyn_cast<IntegerAttr>(fill);
    if (!integer)
      return fill;
    Type stored = LaxTypeConverter::convertElementType(integer.getType());
    return b.getIntegerAttr(stored, integer.getValue().zextOrTrunc(stored.getIntOrFloatBitWidth()));
  }
};

} // namespace

void lowering::populateGatherPatterns(const LaxTypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<LowerGather>(converter, patterns.getContext());
}
