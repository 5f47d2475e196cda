//===- Reductions.cpp - Reductions, argmax and running totals -------------===//

#include "Conversion/LaxToLinalg/Lowering.h"

using namespace mlir;
using namespace mlir::janus;
using namespace mlir::janus::lowering;

namespace {

//===----------------------------------------------------------------------===//
// Reductions
//===----------------------------------------------------------------------===//

/// Loops over the operand: the reduced dims are reduction iterators, the others index the result.
struct ReductionLoops {
  AffineMap operandMap, resultMap;
  SmallVector<utils::IteratorType> iterators;
  Sizes resultSizes;

  ReductionLoops(OpBuilder &b, Location loc, Value operand, ArrayRef<int64_t> axes) {
    Sizes sizes = tensor::getMixedSizes(b, loc, operand);
    unsigned rank = sizes.size();
    SmallVector<AffineExpr> kept;
    for (unsigned dim = 0; dim < rank; ++dim) {
      bool reduced = llvm::is_contained(axes, static_cast<int64_t>(dim));
      iterators.push_back(reduced ? utils::IteratorType::reduction : utils::IteratorType::parallel);
      if (reduced)
        continue;
      kept.push_back(b.getAffineDimExpr(dim));
      resultSizes.push_back(sizes[dim]);
    }
    operandMap = b.getMultiDimIdentityMap(rank);
    resultMap = AffineMap::get(rank, 0, kept, b.getContext());
  }
};

struct LowerReduction : public OpInterfaceConversionPattern<lax::ReductionOpInterface> {
  using OpInterfaceConversionPattern::OpInterfaceConversionPattern;

  LogicalResult matchAndRewrite(lax::ReductionOpInterface op, ArrayRef<Value> operands,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op->getLoc();
    Value operand = operands[0];
    Type original = getElementTypeOrSelf(op.getInput().getType());
    if (!original.isIntOrFloat())
      return op->emitOpError("on complex numbers has no lowering to linalg");
    auto type = cast<RankedTensorType>(getTypeConverter()->convertType(op->getResult(0).getType()));
    lax::Combiner combiner = op.getCombiner();
    ReductionLoops loops(rewriter, loc, operand, op.getAxes());
    Value neutral = constantScalar(rewriter, loc, neutralElement(rewriter, combiner, original));
    Value init = filledTensor(rewriter, loc, loops.resultSizes, neutral);
    Value result = buildGeneric(rewriter, loc, operand, init, {loops.operandMap, loops.resultMap}, loops.iterators,
                                [&](OpBuilder &builder, Location loc, ValueRange args) {
                                  ScalarBuilder b(builder, loc);
                                  Value element = castFloat(b, args[0], args[1].getType());
                                  Value sum = combineScalars(b, combiner, element, args[1], original);
                                  linalg::YieldOp::create(builder, loc, sum);
                                })
                       .getResult(0);
    result = convertFloatTensor(rewriter, loc, result, type.getElementType());
    rewriter.replaceOp(op, castTensor(rewriter, loc, result, type));
    return success();
  }
};

/// Carries the best value and its index along. The first best is kept, and NaN beats all numbers.
template <typename OpT> struct LowerArg : public LaxPattern<OpT> {
  using LaxPattern<OpT>::LaxPattern;

  LogicalResult matchAndRewrite(OpT op, typename LaxPattern<OpT>::OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    constexpr bool greatest = std::is_same_v<OpT, lax::ArgmaxOp>;
    Location loc = op.getLoc();
    int64_t axis = op.getAxis();
    Value operand = adaptor.getOperand();
    Type original = this->elementType(op.getOperand());
    RankedTensorType type = this->convertedType(op.getResult());
    ReductionLoops loops(rewriter, loc, operand, axis);
    TypedAttr neutral = neutralElement(rewriter, greatest ? lax::Combiner::Max : lax::Combiner::Min, original);
    Value best = filledTensor(rewriter, loc, loops.resultSizes, constantScalar(rewriter, loc, neutral));
    Value index = filledTensor(rewriter, loc, loops.resultSizes, zeroScalar(rewriter, loc, type.getElementType()));
    SmallVector<AffineMap> maps = {loops.operandMap, loops.resultMap, loops.resultMap};
    linalg::GenericOp generic = buildGeneric(
        rewriter, loc, operand, {best, index}, maps, loops.iterators,
        [&](OpBuilder &builder, Location loc, ValueRange args) {
          ScalarBuilder b(builder, loc);
          Value element = castFloat(b, args[0], args[1].getType());
          Value better;
          if (isa<FloatType>(element.getType())) {
            better = b.cmpf(greatest ? arith::CmpFPredicate::OGT : arith::CmpFPredicate::OLT, element, args[1]);
            Value bestIsNumber = b.cmpf(arith::CmpFPredicate::ORD, args[1], args[1]);
            Value firstNaN = b.create<arith::AndIOp>(b.isNaN(element), bestIsNumber);
            better = b.create<arith::OrIOp>(better, firstNaN);
          } else {
            using arith::CmpIPredicate;
            CmpIPredicate onUnsigned = greatest ? CmpIPredicate::ugt : CmpIPredicate::ult;
            CmpIPredicate onSigned = greatest ? CmpIPredicate::sgt : CmpIPredicate::slt;
            better = b.cmpi(isUnsignedOrBool(original) ? onUnsigned : onSigned, element, args[1]);
          }
          Value here = b.create<arith::IndexCastOp>(args[2].getType(), b.create<linalg::IndexOp>(axis));
          SmallVector<Value> results = {b.select(better, element, args[1]), b.select(better, here, args[2])};
          linalg::YieldOp::create(builder, loc, results);
        });
    rewriter.replaceOp(op, castTensor(rewriter, loc, generic.getResult(1), type));
    return success();
  }
};

//===----------------------------------------------------------------------===//
// Running totals
//===----------------------------------------------------------------------===//

/// A loop along the axis. Along the minor axis the total is a scalar in a loop for each row; along any other, a slab
/// that is combined as a whole.
struct LowerCumulative : public OpInterfaceConversionPattern<lax::CumulativeOpInterface> {
  using OpInterfaceConversionPattern::OpInterfaceConversionPattern;

  LogicalResult matchAndRewrite(lax::CumulativeOpInterface op, ArrayRef<Value> operands,
                                ConversionPatternRewriter &rewriter) const override {
    Type original = getElementTypeOrSelf(op.getInput().getType());
    if (!original.isIntOrFloat())
      return op->emitOpError("on complex numbers has no lowering to linalg");
    Sizes sizes = tensor::getMixedSizes(rewriter, op->getLoc(), operands[0]);
    bool minor = op.getAxis() + 1 == sizes.size();
    Value result = minor ? scanRows(op, operands[0], sizes, original, rewriter)
                         : scanSlabs(op, operands[0], sizes, original, rewriter);
    Type type = getTypeConverter()->convertType(op->getResult(0).getType());
    rewriter.replaceOp(op, castTensor(rewriter, op->getLoc(), result, type));
    return success();
  }

private:
  /// The place of step `step` along an axis of this size.
  static Value place(OpBuilder &b, Location loc, lax::CumulativeOpInterface op, Value step, OpFoldResult size) {
    if (!op.getReverse())
      return step;
    Value last = toIndexValue(b, loc, subSizes(b, loc, size, b.getIndexAttr(1)));
    return arith::SubIOp::create(b, loc, last, step);
  }

  static Value scanRows(lax::CumulativeOpInterface op, Value operand, ArrayRef<OpFoldResult> sizes, Type original,
                        OpBuilder &b) {
    Location loc = op->getLoc();
    Type stored = getElementTypeOrSelf(operand.getType());
    Value output = emptyTensor(b, loc, sizes, stored);
    Value neutral = constantScalar(b, loc, neutralElement(b, op.getCombiner(), original));
    SmallVector<Value> results = buildLoops(
        b, loc, sizes.drop_back(), output,
        [&](OpBuilder &b, Location loc, ValueRange ivs, ValueRange carried) -> SmallVector<Value> {
          SmallVector<Value> row = buildLoops(
              b, loc, sizes.take_back(), {carried[0], neutral},
              [&](OpBuilder &builder, Location loc, ValueRange step, ValueRange state) -> SmallVector<Value> {
                ScalarBuilder s(builder, loc);
                SmallVector<Value> at(ivs);
                at.push_back(place(builder, loc, op, step[0], sizes.back()));
                Value element = castFloat(s, extractScalar(builder, loc, operand, at), state[1].getType());
                Value total = combineScalars(s, op.getCombiner(), state[1], element, original);
                Value updated = tensor::InsertOp::create(builder, loc, castFloat(s, total, stored), state[0], at);
                return {updated, total};
              });
          return {row[0]};
        });
    return results[0];
  }

  static Value scanSlabs(lax::CumulativeOpInterface op, Value operand, ArrayRef<OpFoldResult> sizes, Type original,
                         OpBuilder &b) {
    Location loc = op->getLoc();
    uint64_t axis = op.getAxis();
    Type stored = getElementTypeOrSelf(operand.getType());
    Sizes slab(sizes);
    slab[axis] = b.getIndexAttr(1);
    Value output = emptyTensor(b, loc, sizes, stored);
    Value neutral = constantScalar(b, loc, neutralElement(b, op.getCombiner(), original));
    Value total = filledTensor(b, loc, slab, neutral);
    SmallVector<Value> results = buildLoops(
        b, loc, sizes[axis], {output, total},
        [&](OpBuilder &b, Location loc, ValueRange step, ValueRange state) -> SmallVector<Value> {
          SmallVector<OpFoldResult> offsets(sizes.size(), b.getIndexAttr(0));
          offsets[axis] = place(b, loc, op, step[0], sizes[axis]);
          Value elements = extractSlice(b, loc, operand, offsets, slab);
          AffineMap identity = b.getMultiDimIdentityMap(sizes.size());
          SmallVector<utils::IteratorType> iterators(sizes.size(), utils::IteratorType::parallel);
          Value combined =
              buildGeneric(b, loc, elements, state[1], {identity, identity}, iterators,
                           [&](OpBuilder &builder, Location loc, ValueRange args) {
                             ScalarBuilder s(builder, loc);
                             Value element = castFloat(s, args[0], args[1].getType());
                             linalg::YieldOp::create(builder, loc,
                                                     combineScalars(s, op.getCombiner(), args[1], element, original));
                           })
                  .getResult(0);
          Value narrowed = convertFloatTensor(b, loc, combined, stored);
          return {insertSlice(b, loc, narrowed, state[0], offsets), combined};
        });
    return results[0];
  }
};

} // namespace

void lowering::populateReductionPatterns(const LaxTypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<LowerReduction, LowerArg<lax::ArgmaxOp>, LowerArg<lax::ArgminOp>, LowerCumulative>(
      converter, patterns.getContext());
}
