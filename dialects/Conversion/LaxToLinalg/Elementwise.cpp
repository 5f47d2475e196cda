//===- Elementwise.cpp - Elementwise ops to linalg.generic ----------------===//

#include "Conversion/LaxToLinalg/Lowering.h"

using namespace mlir;
using namespace mlir::janus;
using namespace mlir::janus::lowering;

namespace {

/// Any op with a scalar rule: one `linalg.generic` whose body is the rule.
struct LowerElementwise : public ConversionPattern {
  LowerElementwise(const TypeConverter &converter, MLIRContext *context)
      : ConversionPattern(converter, MatchAnyOpTypeTag(), /*benefit=*/1, context) {}

  LogicalResult matchAndRewrite(Operation *op, ArrayRef<Value> operands,
                                ConversionPatternRewriter &rewriter) const override {
    if (!isa_and_nonnull<lax::LaxDialect>(op->getDialect()))
      return failure();
    const ScalarRule *rule = lookupScalarRule(op->getName().stripDialect());
    if (!rule)
      return failure();
    if (isa<lax::CopyOp, lax::StopGradientOp>(op)) {
      rewriter.replaceOp(op, operands[0]);
      return success();
    }

    Type result = cast<RankedTensorType>(op->getResult(0).getType()).getElementType();
    SmallVector<Type> types;
    for (Value operand : op->getOperands())
      types.push_back(cast<RankedTensorType>(operand.getType()).getElementType());
    if (!result.isIntOrFloat() || !llvm::all_of(types, [](Type type) { return type.isIntOrFloat(); }))
      return op->emitOpError("on complex numbers has no lowering to linalg");

    auto resultType = cast<RankedTensorType>(getTypeConverter()->convertType(op->getResult(0).getType()));
    // Any operand of full rank knows the sizes; the selector of select_n may have rank 0.
    Value shaped = *llvm::find_if(operands, [&](Value operand) {
      return cast<RankedTensorType>(operand.getType()).getRank() == resultType.getRank();
    });
    Sizes sizes = tensor::getMixedSizes(rewriter, op->getLoc(), shaped);
    for (auto [i, size] : llvm::enumerate(resultType.getShape()))
      if (!ShapedType::isDynamic(size))
        sizes[i] = rewriter.getIndexAttr(size);
    if (op->hasAttr("janus.accumulate")) {
      // A sum into its first operand, which nothing needs afterwards.
      AffineMap identity = rewriter.getMultiDimIdentityMap(resultType.getRank());
      SmallVector<utils::IteratorType> iterators(resultType.getRank(), utils::IteratorType::parallel);
      auto sum = buildGeneric(rewriter, op->getLoc(), operands[1], operands[0], {identity, identity}, iterators,
                              [&](OpBuilder &builder, Location loc, ValueRange stored) {
                                ScalarBuilder b(builder, loc);
                                Type wide = accumulatorType(result);
                                Value element = b.add(castFloat(b, stored[1], wide), castFloat(b, stored[0], wide));
                                linalg::YieldOp::create(builder, loc, castFloat(b, element, result));
                              });
      rewriter.replaceOp(op, sum.getResults());
      return success();
    }
    Value value =
        buildElementwise(rewriter, op->getLoc(), operands, sizes, resultType.getElementType(),
                         [&](OpBuilder &builder, Location loc, ValueRange stored) {
                           ScalarBuilder b(builder, loc);
                           SmallVector<Value> args;
                           for (auto [value, type] : llvm::zip_equal(stored.take_front(types.size()), types)) {
                             Value arg = toLogical(b, value, type);
                             args.push_back(rule->widenHalf ? castFloat(b, arg, accumulatorType(type)) : arg);
                           }
                           Value element = rule->build(b, op, args, types, result);
                           linalg::YieldOp::create(builder, loc, toStorage(b, castFloat(b, element, result), result));
                         });
    rewriter.replaceOp(op, castTensor(rewriter, op->getLoc(), value, resultType));
    return success();
  }
};

/// A change of width besides the type: the narrow elements of one wide element form the minor dim.
struct LowerBitcast : public LaxPattern<lax::BitcastConvertTypeOp> {
  using LaxPattern::LaxPattern;

  LogicalResult matchAndRewrite(lax::BitcastConvertTypeOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value operand = adaptor.getOperand();
    RankedTensorType type = convertedType(op.getResult());
    auto from = cast<RankedTensorType>(operand.getType());
    Type fromElement = from.getElementType(), toElement = type.getElementType();
    if (!fromElement.isIntOrFloat() || !toElement.isIntOrFloat())
      return op.emitOpError("on complex numbers has no lowering to linalg");
    unsigned fromWidth = fromElement.getIntOrFloatBitWidth(), toWidth = toElement.getIntOrFloatBitWidth();
    Sizes sizes = tensor::getMixedSizes(rewriter, loc, operand);
    Value result;
    if (fromWidth == toWidth) {
      result =
          buildElementwise(rewriter, loc, operand, sizes, toElement, [&](OpBuilder &b, Location loc, ValueRange args) {
            linalg::YieldOp::create(b, loc, bitcast(b, loc, args[0], toElement));
          });
    } else if (fromWidth > toWidth) {
      result = narrow(rewriter, loc, operand, sizes, fromElement, toElement);
    } else {
      result = widen(rewriter, loc, operand, sizes, fromElement, toElement);
    }
    rewriter.replaceOp(op, castTensor(rewriter, loc, result, type));
    return success();
  }

private:
  static Value bitcast(OpBuilder &b, Location loc, Value value, Type type) {
    return value.getType() == type ? value : Value(arith::BitcastOp::create(b, loc, type, value));
  }

  static Value narrow(OpBuilder &b, Location loc, Value operand, Sizes sizes, Type from, Type to) {
    unsigned fromWidth = from.getIntOrFloatBitWidth(), toWidth = to.getIntOrFloatBitWidth();
    unsigned rank = sizes.size();
    sizes.push_back(b.getIndexAttr(fromWidth / toWidth));
    Value output = emptyTensor(b, loc, sizes, to);
    SmallVector<AffineExpr> major;
    for (unsigned dim = 0; dim < rank; ++dim)
      major.push_back(b.getAffineDimExpr(dim));
    SmallVector<AffineMap> maps = {AffineMap::get(rank + 1, 0, major, b.getContext()),
                                   b.getMultiDimIdentityMap(rank + 1)};
    SmallVector<utils::IteratorType> iterators(rank + 1, utils::IteratorType::parallel);
    return buildGeneric(b, loc, operand, output, maps, iterators,
                        [&](OpBuilder &b, Location loc, ValueRange args) {
                          Type wideBits = b.getIntegerType(fromWidth), narrowBits = b.getIntegerType(toWidth);
                          Value part = linalg::IndexOp::create(b, loc, rank);
                          Value amount =
                              arith::MulIOp::create(b, loc, part, arith::ConstantIndexOp::create(b, loc, toWidth));
                          Value shift = arith::IndexCastOp::create(b, loc, wideBits, amount);
                          Value shifted = arith::ShRUIOp::create(b, loc, bitcast(b, loc, args[0], wideBits), shift);
                          Value bits = arith::TruncIOp::create(b, loc, narrowBits, shifted);
                          linalg::YieldOp::create(b, loc, bitcast(b, loc, bits, to));
                        })
        .getResult(0);
  }

  static Value widen(OpBuilder &b, Location loc, Value operand, Sizes sizes, Type from, Type to) {
    unsigned fromWidth = from.getIntOrFloatBitWidth(), toWidth = to.getIntOrFloatBitWidth();
    sizes.pop_back();
    return buildFromIndices(b, loc, sizes, to, [&](OpBuilder &b, Location loc, ValueRange indices) -> Value {
      Type wideBits = b.getIntegerType(toWidth), narrowBits = b.getIntegerType(fromWidth);
      Value bits;
      for (unsigned part = 0; part < toWidth / fromWidth; ++part) {
        SmallVector<Value> at(indices);
        at.push_back(arith::ConstantIndexOp::create(b, loc, part));
        Value element = bitcast(b, loc, extractScalar(b, loc, operand, at), narrowBits);
        Value wide = arith::ExtUIOp::create(b, loc, wideBits, element);
        if (part == 0) {
          bits = wide;
          continue;
        }
        Value shift = arith::ConstantIntOp::create(b, loc, wideBits, part * fromWidth);
        bits = arith::OrIOp::create(b, loc, bits, arith::ShLIOp::create(b, loc, wide, shift));
      }
      return bitcast(b, loc, bits, to);
    });
  }
};

/// What constrains order of execution alone: the operands themselves.
struct LowerOptimizationBarrier : public LaxPattern<lax::OptimizationBarrierOp> {
  using LaxPattern::LaxPattern;

  LogicalResult matchAndRewrite(lax::OptimizationBarrierOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    rewriter.replaceOp(op, adaptor.getOperands());
    return success();
  }
};

} // namespace

void lowering::populateElementwisePatterns(const LaxTypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<LowerElementwise, LowerBitcast, LowerOptimizationBarrier>(converter, patterns.getContext());
}
