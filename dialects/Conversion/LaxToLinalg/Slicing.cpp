//===- Slicing.cpp - Slices, concatenation and splitting ------------------===//

#include "Conversion/LaxToLinalg/Lowering.h"

using namespace mlir;
using namespace mlir::janus;
using namespace mlir::janus::lowering;

namespace {

struct LowerSlice : public LaxPattern<lax::SliceOp> {
  using LaxPattern::LaxPattern;

  LogicalResult matchAndRewrite(lax::SliceOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Sizes starts = getMixedValues(op.getStartIndices(), adaptor.getDynamicStarts(), rewriter);
    Sizes limits = getMixedValues(op.getLimitIndices(), adaptor.getDynamicLimits(), rewriter);
    Sizes sizes, strides;
    for (auto [start, limit, stride] : llvm::zip_equal(starts, limits, op.getStrides())) {
      strides.push_back(rewriter.getIndexAttr(stride));
      OpFoldResult span =
          addSizes(rewriter, loc, subSizes(rewriter, loc, limit, start), rewriter.getIndexAttr(stride - 1));
      sizes.push_back(divSizes(rewriter, loc, span, strides.back()));
    }
    Value slice = extractSlice(rewriter, loc, adaptor.getOperand(), starts, sizes, strides);
    rewriter.replaceOp(op, castTensor(rewriter, loc, slice, convertedType(op.getResult())));
    return success();
  }
};

/// The start indices, moved to where a slice of `sizes` lies within `operand`.
SmallVector<OpFoldResult> clampStarts(OpBuilder &b, Location loc, Value operand, ArrayRef<OpFoldResult> sizes,
                                      ValueRange starts, ValueRange originals) {
  Sizes bounds = tensor::getMixedSizes(b, loc, operand);
  SmallVector<OpFoldResult> offsets;
  for (auto [bound, size, start, original] : llvm::zip_equal(bounds, sizes, starts, originals)) {
    OpFoldResult last = subSizes(b, loc, bound, size);
    if (isZeroInteger(last)) {
      offsets.push_back(b.getIndexAttr(0));
      continue;
    }
    Value scalar = extractScalar(b, loc, start);
    offsets.push_back(clampStart(b, loc, scalar, getElementTypeOrSelf(original.getType()), last));
  }
  return offsets;
}

struct LowerDynamicSlice : public LaxPattern<lax::DynamicSliceOp> {
  using LaxPattern::LaxPattern;

  LogicalResult matchAndRewrite(lax::DynamicSliceOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    RankedTensorType type = convertedType(op.getResult());
    Sizes sizes = resultSizes(rewriter, type, adaptor.getOutputDims());
    SmallVector<OpFoldResult> offsets =
        clampStarts(rewriter, loc, adaptor.getOperand(), sizes, adaptor.getStartIndices(), op.getStartIndices());
    Value slice = extractSlice(rewriter, loc, adaptor.getOperand(), offsets, sizes);
    rewriter.replaceOp(op, castTensor(rewriter, loc, slice, type));
    return success();
  }
};

struct LowerDynamicUpdateSlice : public LaxPattern<lax::DynamicUpdateSliceOp> {
  using LaxPattern::LaxPattern;

  LogicalResult matchAndRewrite(lax::DynamicUpdateSliceOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Sizes sizes = tensor::getMixedSizes(rewriter, loc, adaptor.getUpdate());
    SmallVector<OpFoldResult> offsets =
        clampStarts(rewriter, loc, adaptor.getOperand(), sizes, adaptor.getStartIndices(), op.getStartIndices());
    rewriter.replaceOp(op, insertSlice(rewriter, loc, adaptor.getUpdate(), adaptor.getOperand(), offsets));
    return success();
  }
};

struct LowerConcatenate : public LaxPattern<lax::ConcatenateOp> {
  using LaxPattern::LaxPattern;

  LogicalResult matchAndRewrite(lax::ConcatenateOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    RankedTensorType type = convertedType(op.getResult());
    ValueRange operands = adaptor.getOperands();
    if (operands.size() == 1) {
      rewriter.replaceOp(op, castTensor(rewriter, loc, operands[0], type));
      return success();
    }
    uint64_t dim = op.getDimension();
    Sizes sizes = tensor::getMixedSizes(rewriter, loc, operands[0]);
    SmallVector<OpFoldResult> offsets = {rewriter.getIndexAttr(0)}; // one more than there are operands
    for (Value operand : operands)
      offsets.push_back(addSizes(rewriter, loc, offsets.back(), tensor::getMixedSize(rewriter, loc, operand, dim)));
    sizes[dim] = offsets.back();
    Value result = emptyTensor(rewriter, loc, sizes, type.getElementType());
    for (auto [operand, offset] : llvm::zip(operands, offsets)) {
      SmallVector<OpFoldResult> at(sizes.size(), rewriter.getIndexAttr(0));
      at[dim] = offset;
      result = insertSlice(rewriter, loc, operand, result, at);
    }
    rewriter.replaceOp(op, castTensor(rewriter, loc, result, type));
    return success();
  }
};

struct LowerSplit : public LaxPattern<lax::SplitOp> {
  using LaxPattern::LaxPattern;

  LogicalResult matchAndRewrite(lax::SplitOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    uint64_t axis = op.getAxis();
    Sizes pieces = getMixedValues(op.getSizes(), adaptor.getDynamicSizes(), rewriter);
    Sizes sizes = tensor::getMixedSizes(rewriter, loc, adaptor.getOperand());
    SmallVector<OpFoldResult> offsets(sizes.size(), rewriter.getIndexAttr(0));
    SmallVector<Value> results;
    for (auto [piece, result] : llvm::zip_equal(pieces, op.getPieces())) {
      sizes[axis] = piece;
      Value slice = extractSlice(rewriter, loc, adaptor.getOperand(), offsets, sizes);
      results.push_back(castTensor(rewriter, loc, slice, convertedType(result)));
      offsets[axis] = addSizes(rewriter, loc, offsets[axis], piece);
    }
    rewriter.replaceOp(op, results);
    return success();
  }
};

struct LowerStack : public LaxPattern<lax::StackOp> {
  using LaxPattern::LaxPattern;

  LogicalResult matchAndRewrite(lax::StackOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    RankedTensorType type = convertedType(op.getResult());
    uint64_t axis = op.getAxis();
    OpFoldResult zero = rewriter.getIndexAttr(0), one = rewriter.getIndexAttr(1);
    Sizes sizes = tensor::getMixedSizes(rewriter, loc, adaptor.getOperands()[0]);
    sizes.insert(sizes.begin() + axis, rewriter.getIndexAttr(adaptor.getOperands().size()));
    Value result = emptyTensor(rewriter, loc, sizes, type.getElementType());
    Sizes slab = sizes;
    slab[axis] = one;
    SmallVector<OpFoldResult> offsets(sizes.size(), zero), strides(sizes.size(), one);
    for (auto [i, operand] : llvm::enumerate(adaptor.getOperands())) {
      offsets[axis] = rewriter.getIndexAttr(i);
      result = tensor::InsertSliceOp::create(rewriter, loc, operand, result, offsets, slab, strides);
    }
    rewriter.replaceOp(op, castTensor(rewriter, loc, result, type));
    return success();
  }
};

struct LowerUnstack : public LaxPattern<lax::UnstackOp> {
  using LaxPattern::LaxPattern;

  LogicalResult matchAndRewrite(lax::UnstackOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    uint64_t axis = op.getAxis();
    Sizes sizes = tensor::getMixedSizes(rewriter, loc, adaptor.getOperand());
    sizes[axis] = rewriter.getIndexAttr(1);
    SmallVector<OpFoldResult> offsets(sizes.size(), rewriter.getIndexAttr(0));
    SmallVector<OpFoldResult> strides(sizes.size(), rewriter.getIndexAttr(1));
    SmallVector<Value> results;
    for (auto [i, result] : llvm::enumerate(op.getSlices())) {
      offsets[axis] = rewriter.getIndexAttr(i);
      RankedTensorType type = convertedType(result);
      results.push_back(
          tensor::ExtractSliceOp::create(rewriter, loc, type, adaptor.getOperand(), offsets, sizes, strides));
    }
    rewriter.replaceOp(op, results);
    return success();
  }
};

} // namespace

void lowering::populateSlicingPatterns(const LaxTypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<LowerSlice, LowerDynamicSlice, LowerDynamicUpdateSlice, LowerConcatenate, LowerSplit, LowerStack,
               LowerUnstack>(converter, patterns.getContext());
}
