//===- Contraction.cpp - dot_general --------------------------------------===//

#include "Conversion/LaxToLinalg/Lowering.h"

using namespace mlir;
using namespace mlir::janus;
using namespace mlir::janus::lowering;

Value lowering::buildContraction(OpBuilder &b, Location loc, Value lhs, Value rhs, Type lhsOriginal, Type rhsOriginal,
                                 Type result, ArrayRef<OpFoldResult> sizes, ArrayRef<AffineMap> maps,
                                 ArrayRef<utils::IteratorType> iterators) {
  Type accumulator = accumulatorType(result), stored = LaxTypeConverter::convertElementType(accumulator);
  bool boolean = result.isInteger(1);
  Value init = filledTensor(b, loc, sizes, zeroScalar(b, loc, stored));
  Value sum =
      buildGeneric(b, loc, {lhs, rhs}, init, maps, iterators, [&](OpBuilder &builder, Location loc, ValueRange args) {
        ScalarBuilder s(builder, loc);
        Value next;
        if (boolean) {
          next = s.create<arith::OrIOp>(args[2], s.create<arith::AndIOp>(args[0], args[1]));
        } else {
          Value x = convertScalar(s, toLogical(s, args[0], lhsOriginal), lhsOriginal, accumulator);
          Value y = convertScalar(s, toLogical(s, args[1], rhsOriginal), rhsOriginal, accumulator);
          next = s.add(args[2], s.mul(x, y));
        }
        linalg::YieldOp::create(builder, loc, next);
      }).getResult(0);
  return convertFloatTensor(b, loc, sum, LaxTypeConverter::convertElementType(result));
}

namespace {

/// An operand of a contraction: if it is a transpose, what is transposed, and where each dim went.
struct ContractionOperand {
  Value value;
  /// Dim i of the op's operand is dim `dims[i]` of `value`.
  SmallVector<int64_t> dims;

  ContractionOperand(Value original, Value converted, ConversionPatternRewriter &rewriter) : value(converted) {
    auto type = cast<RankedTensorType>(original.getType());
    dims = llvm::to_vector(llvm::seq<int64_t>(0, type.getRank()));
    auto transpose = original.getDefiningOp<lax::TransposeOp>();
    if (!transpose)
      return;
    if (Value source = rewriter.getRemappedValue(transpose.getOperand())) {
      value = source;
      dims.assign(transpose.getPermutation().begin(), transpose.getPermutation().end());
    }
  }

  AffineMap getMap(ArrayRef<AffineExpr> exprs, unsigned loops, MLIRContext *context) const {
    SmallVector<AffineExpr> results(exprs.size());
    for (auto [expr, dim] : llvm::zip_equal(exprs, dims))
      results[dim] = expr;
    return AffineMap::get(loops, 0, results, context);
  }
};

/// Loops over the batch dims, the free dims of both sides, and the contracted dims, in this order.
struct LowerDotGeneral : public LaxPattern<lax::DotGeneralOp> {
  using LaxPattern::LaxPattern;

  LogicalResult matchAndRewrite(lax::DotGeneralOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    MLIRContext *context = op.getContext();
    Type lhsType = elementType(op.getLhs()), rhsType = elementType(op.getRhs()), type = elementType(op.getResult());
    if (!lhsType.isIntOrFloat() || !rhsType.isIntOrFloat() || !type.isIntOrFloat())
      return op.emitOpError("on complex numbers has no lowering to linalg");

    ContractionOperand lhs(op.getLhs(), adaptor.getLhs(), rewriter), rhs(op.getRhs(), adaptor.getRhs(), rewriter);
    SmallVector<AffineExpr> lhsExprs(lhs.dims.size()), rhsExprs(rhs.dims.size());
    SmallVector<utils::IteratorType> iterators;
    Sizes sizes;
    auto addLoop = [&](utils::IteratorType iterator) {
      iterators.push_back(iterator);
      return getAffineDimExpr(iterators.size() - 1, context);
    };
    auto sizeOf = [&](const ContractionOperand &operand, int64_t dim) {
      return tensor::getMixedSize(rewriter, loc, operand.value, operand.dims[dim]);
    };
    for (auto [lhsDim, rhsDim] : llvm::zip_equal(op.getLhsBatch(), op.getRhsBatch())) {
      lhsExprs[lhsDim] = rhsExprs[rhsDim] = addLoop(utils::IteratorType::parallel);
      sizes.push_back(sizeOf(lhs, lhsDim));
    }
    for (int64_t dim : op.getLhsFree()) {
      lhsExprs[dim] = addLoop(utils::IteratorType::parallel);
      sizes.push_back(sizeOf(lhs, dim));
    }
    for (int64_t dim : op.getRhsFree()) {
      rhsExprs[dim] = addLoop(utils::IteratorType::parallel);
      sizes.push_back(sizeOf(rhs, dim));
    }
    for (auto [lhsDim, rhsDim] : llvm::zip_equal(op.getLhsContracting(), op.getRhsContracting()))
      lhsExprs[lhsDim] = rhsExprs[rhsDim] = addLoop(utils::IteratorType::reduction);

    unsigned loops = iterators.size();
    SmallVector<AffineExpr> resultExprs;
    for (unsigned dim = 0; dim < sizes.size(); ++dim)
      resultExprs.push_back(getAffineDimExpr(dim, context));
    SmallVector<AffineMap> maps = {lhs.getMap(lhsExprs, loops, context), rhs.getMap(rhsExprs, loops, context),
                                   AffineMap::get(loops, 0, resultExprs, context)};
    Value result =
        buildContraction(rewriter, loc, lhs.value, rhs.value, lhsType, rhsType, type, sizes, maps, iterators);
    rewriter.replaceOp(op, castTensor(rewriter, loc, result, convertedType(op.getResult())));
    return success();
  }
};

} // namespace

void lowering::populateContractionPatterns(const LaxTypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<LowerDotGeneral>(converter, patterns.getContext());
}
