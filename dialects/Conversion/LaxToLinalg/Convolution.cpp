//===- Convolution.cpp - conv_general_dilated -----------------------------===//

#include "Conversion/LaxToLinalg/Lowering.h"

using namespace mlir;
using namespace mlir::janus;
using namespace mlir::janus::lowering;

namespace {

/// Pads and dilates the input with zeros, splits grouped dims in two, and contracts over the window and the input
/// features by affine maps. The loops are the dims of the result in its layout, then the window, then the features.
struct LowerConvolution : public LaxPattern<lax::ConvGeneralDilatedOp> {
  using LaxPattern::LaxPattern;

  LogicalResult matchAndRewrite(lax::ConvGeneralDilatedOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    MLIRContext *context = op.getContext();
    Type lhsType = elementType(op.getLhs()), rhsType = elementType(op.getRhs()), type = elementType(op.getResult());
    if (!lhsType.isIntOrFloat() || !rhsType.isIntOrFloat() || !type.isIntOrFloat())
      return op.emitOpError("on complex numbers has no lowering to linalg");
    ArrayRef<int64_t> lhsSpec = op.getLhsSpec(), rhsSpec = op.getRhsSpec(), outSpec = op.getOutSpec();
    unsigned rank = lhsSpec.size(), spatial = rank - 2;

    Value lhs = padInput(op, adaptor.getLhs(), rewriter), rhs = adaptor.getRhs();
    Sizes lhsSizes = tensor::getMixedSizes(rewriter, loc, lhs), rhsSizes = tensor::getMixedSizes(rewriter, loc, rhs);

    // A group is a dim of its own, before the one that it was split from.
    int64_t featureGroups = op.getFeatureGroupCount(), batchGroups = op.getBatchGroupCount();
    int64_t groups = std::max(featureGroups, batchGroups);
    int64_t lhsGroupDim = -1, rhsGroupDim = -1;
    if (groups > 1) {
      lhsGroupDim = featureGroups > 1 ? lhsSpec[1] : lhsSpec[0];
      rhsGroupDim = rhsSpec[0];
      lhs = splitDim(rewriter, loc, lhs, lhsGroupDim, groups);
      rhs = splitDim(rewriter, loc, rhs, rhsGroupDim, groups);
    }

    // The loops over the result.
    OpFoldResult one = rewriter.getIndexAttr(1), zero = rewriter.getIndexAttr(0);
    SmallVector<utils::IteratorType> iterators;
    SmallVector<AffineExpr> outExprs;
    Sizes sizes;
    AffineExpr batch, feature, group, inputFeature;
    SmallVector<AffineExpr> position(spatial), window(spatial);
    auto addLoop = [&](utils::IteratorType iterator) {
      iterators.push_back(iterator);
      return getAffineDimExpr(iterators.size() - 1, context);
    };
    auto addResultLoop = [&](OpFoldResult size) {
      sizes.push_back(size);
      outExprs.push_back(addLoop(utils::IteratorType::parallel));
      return outExprs.back();
    };
    unsigned mergedDim = 0;
    for (int64_t dim = 0; dim < rank; ++dim) {
      if (dim == outSpec[0]) {
        batch = addResultLoop(divSizes(rewriter, loc, lhsSizes[lhsSpec[0]], rewriter.getIndexAttr(batchGroups)));
      } else if (dim == outSpec[1]) {
        if (groups > 1) {
          mergedDim = sizes.size();
          group = addResultLoop(rewriter.getIndexAttr(groups));
        }
        feature = addResultLoop(divSizes(rewriter, loc, rhsSizes[rhsSpec[0]], rewriter.getIndexAttr(groups)));
      } else {
        unsigned s = std::distance(outSpec.begin(), llvm::find(outSpec, dim)) - 2;
        // floor((padded - dilated window) / stride) + 1
        OpFoldResult reach = mulSizes(rewriter, loc, subSizes(rewriter, loc, rhsSizes[rhsSpec[s + 2]], one),
                                      rewriter.getIndexAttr(op.getRhsDilation()[s]));
        OpFoldResult room = subSizes(rewriter, loc, subSizes(rewriter, loc, lhsSizes[lhsSpec[s + 2]], reach), one);
        OpFoldResult steps = divSizes(rewriter, loc, room, rewriter.getIndexAttr(op.getWindowStrides()[s]));
        position[s] = addResultLoop(maxSizes(rewriter, loc, addSizes(rewriter, loc, steps, one), zero));
      }
    }
    for (unsigned s = 0; s < spatial; ++s)
      window[s] = addLoop(utils::IteratorType::reduction);
    inputFeature = addLoop(utils::IteratorType::reduction);

    // No window fits: nor need the operands be as large as the maps say.
    if (llvm::any_of(sizes, isZeroInteger)) {
      RankedTensorType resultType = convertedType(op.getResult());
      Sizes final = sizes;
      if (groups > 1) {
        final[mergedDim] = mulSizes(rewriter, loc, final[mergedDim], final[mergedDim + 1]);
        final.erase(final.begin() + mergedDim + 1);
      }
      Value empty = emptyTensor(rewriter, loc, final, resultType.getElementType());
      rewriter.replaceOp(op, castTensor(rewriter, loc, empty, resultType));
      return success();
    }

    SmallVector<AffineExpr> lhsExprs(rank), rhsExprs(rank);
    lhsExprs[lhsSpec[0]] = batch;
    lhsExprs[lhsSpec[1]] = inputFeature;
    rhsExprs[rhsSpec[0]] = feature;
    rhsExprs[rhsSpec[1]] = inputFeature;
    for (unsigned s = 0; s < spatial; ++s) {
      lhsExprs[lhsSpec[s + 2]] = position[s] * op.getWindowStrides()[s] + window[s] * op.getRhsDilation()[s];
      rhsExprs[rhsSpec[s + 2]] = window[s];
    }
    if (groups > 1) {
      lhsExprs.insert(lhsExprs.begin() + lhsGroupDim, group);
      rhsExprs.insert(rhsExprs.begin() + rhsGroupDim, group);
    }
    unsigned loops = iterators.size();
    SmallVector<AffineMap> maps;
    for (ArrayRef<AffineExpr> exprs : {ArrayRef(lhsExprs), ArrayRef(rhsExprs), ArrayRef(outExprs)})
      maps.push_back(AffineMap::get(loops, 0, exprs, context));

    Value result = buildContraction(rewriter, loc, lhs, rhs, lhsType, rhsType, type, sizes, maps, iterators);
    if (groups > 1)
      result = mergeDims(rewriter, loc, result, mergedDim);
    rewriter.replaceOp(op, castTensor(rewriter, loc, result, convertedType(op.getResult())));
    return success();
  }

private:
  static Value padInput(lax::ConvGeneralDilatedOp op, Value input, OpBuilder &b) {
    Location loc = op.getLoc();
    unsigned rank = op.getLhsSpec().size();
    SmallVector<OpFoldResult> low(rank, b.getIndexAttr(0)), high(rank, b.getIndexAttr(0));
    SmallVector<int64_t> interior(rank, 0);
    for (auto [s, dim] : llvm::enumerate(op.getLhsSpec().drop_front(2))) {
      low[dim] = b.getIndexAttr(op.getPadding()[2 * s]);
      high[dim] = b.getIndexAttr(op.getPadding()[2 * s + 1]);
      interior[dim] = op.getLhsDilation()[s] - 1;
    }
    Value zero = zeroScalar(b, loc, getElementTypeOrSelf(input.getType()));
    return padTensor(b, loc, input, zero, low, high, interior);
  }
};

} // namespace

void lowering::populateConvolutionPatterns(const LaxTypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<LowerConvolution>(converter, patterns.getContext());
}
