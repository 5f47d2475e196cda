//===- Scatter.cpp - scatter and its like ---------------------------------===//

#include "Conversion/LaxToLinalg/Lowering.h"

using namespace mlir;
using namespace mlir::janus;
using namespace mlir::janus::lowering;

namespace {

/// A loop over the index vectors, in order; each updates one slab of the operand.
class ScatterBuilder {
public:
  ScatterBuilder(lax::ScatterOpInterface op, ArrayRef<Value> operands, OpBuilder &b)
      : op(op), indices(operands[1]), updates(operands[2]), original(getElementTypeOrSelf(op.getInput().getType())) {
    Location loc = op->getLoc();
    updateSizes = tensor::getMixedSizes(b, loc, updates);
    slab.assign(cast<RankedTensorType>(operands[0].getType()).getRank(), b.getIndexAttr(1));
    int64_t rank = slab.size();
    for (int64_t dim = 0, next = 0; dim < rank; ++dim) {
      if (llvm::is_contained(op.getInsertedWindowDims(), dim) || llvm::is_contained(op.getOperandBatchingDims(), dim))
        continue;
      slab[dim] = updateSizes[op.getUpdateWindowDims()[next++]];
      window.push_back(slab[dim]);
    }
    for (int64_t dim = 0, end = updateSizes.size(); dim < end; ++dim)
      if (!llvm::is_contained(op.getUpdateWindowDims(), dim))
        scatterDims.push_back(dim);
    Sizes bounds = tensor::getMixedSizes(b, loc, operands[0]);
    for (int64_t dim : op.getScatterDimsToOperandDims())
      last.push_back(toIndexValue(b, loc, subSizes(b, loc, bounds[dim], slab[dim])));
  }

  Value build(OpBuilder &b, Value operand) {
    Sizes bounds;
    for (int64_t dim : scatterDims)
      bounds.push_back(updateSizes[dim]);
    return buildLoops(b, op->getLoc(), bounds, operand,
                      [&](OpBuilder &b, Location loc, ValueRange ivs, ValueRange carried) -> SmallVector<Value> {
                        return {updateAt(b, loc, ivs, carried[0])};
                      })[0];
  }

private:
  /// What one index vector does.
  Value updateAt(OpBuilder &builder, Location loc, ValueRange ivs, Value tensor) {
    ScalarBuilder b(builder, loc);
    bool clips = op.getMode() == "clip";
    Type indexOriginal = getElementTypeOrSelf(op.getIndices().getType()), indexType = builder.getIndexType();
    SmallVector<OpFoldResult> place(slab.size(), builder.getIndexAttr(0));
    for (auto [operandDim, indicesDim] :
         llvm::zip_equal(op.getOperandBatchingDims(), op.getScatterIndicesBatchingDims()))
      place[operandDim] = ivs[indicesDim];
    Value inside;
    for (auto [component, dim] : llvm::enumerate(op.getScatterDimsToOperandDims())) {
      SmallVector<Value> at(ivs);
      at.push_back(b.index(component));
      Value start = extractScalar(builder, loc, indices, at);
      if (clips) {
        place[dim] = clampStart(builder, loc, start, indexOriginal, last[component]);
        continue;
      }
      Value index = indexOriginal.isUnsignedInteger() ? b.create<arith::IndexCastUIOp>(indexType, start)
                                                      : b.create<arith::IndexCastOp>(indexType, start);
      place[dim] = index;
      Value within = b.create<arith::AndIOp>(b.cmpi(arith::CmpIPredicate::sge, index, b.index(0)),
                                             b.cmpi(arith::CmpIPredicate::sle, index, last[component]));
      inside = inside ? b.create<arith::AndIOp>(inside, within) : within;
    }
    if (!inside)
      return updateSlab(builder, loc, ivs, place, tensor);
    auto choice = scf::IfOp::create(
        builder, loc, inside,
        [&](OpBuilder &b, Location loc) { scf::YieldOp::create(b, loc, updateSlab(b, loc, ivs, place, tensor)); },
        [&](OpBuilder &b, Location loc) { scf::YieldOp::create(b, loc, tensor); });
    return choice.getResult(0);
  }

  Value combine(OpBuilder &builder, Location loc, Value old, Value update) {
    ScalarBuilder b(builder, loc);
    Type wide = accumulatorType(original);
    Value combined = combineScalars(b, op.getCombiner(), castFloat(b, old, wide), castFloat(b, update, wide), original);
    return castFloat(b, combined, old.getType());
  }

  Value updateSlab(OpBuilder &b, Location loc, ValueRange ivs, ArrayRef<OpFoldResult> place, Value tensor) {
    bool replaces = op.getCombiner() == lax::Combiner::Replace;
    if (window.empty()) {
      SmallVector<Value> at;
      for (OpFoldResult index : place)
        at.push_back(toIndexValue(b, loc, index));
      Value value = extractScalar(b, loc, updates, ivs);
      if (!replaces)
        value = combine(b, loc, extractScalar(b, loc, tensor, at), value);
      return tensor::InsertOp::create(b, loc, value, tensor, at);
    }

    Type elementType = getElementTypeOrSelf(tensor.getType());
    auto windowType = RankedTensorType::get(decomposeMixedValues(window).first, elementType);
    SmallVector<OpFoldResult> offsets(updateSizes.size(), b.getIndexAttr(0)),
        strides(updateSizes.size(), b.getIndexAttr(1));
    Sizes sizes = updateSizes;
    for (auto [dim, iv] : llvm::zip_equal(scatterDims, ivs)) {
      offsets[dim] = iv;
      sizes[dim] = b.getIndexAttr(1);
    }
    Value value = tensor::ExtractSliceOp::create(b, loc, windowType, updates, offsets, sizes, strides);
    SmallVector<OpFoldResult> slabStrides(slab.size(), b.getIndexAttr(1));
    if (!replaces) {
      Value old = tensor::ExtractSliceOp::create(b, loc, windowType, tensor, place, slab, slabStrides);
      AffineMap identity = b.getMultiDimIdentityMap(window.size());
      SmallVector<utils::IteratorType> iterators(window.size(), utils::IteratorType::parallel);
      value = buildGeneric(b, loc, value, old, {identity, identity}, iterators,
                           [&](OpBuilder &b, Location loc, ValueRange args) {
                             linalg::YieldOp::create(b, loc, combine(b, loc, args[1], args[0]));
                           })
                  .getResult(0);
    }
    return tensor::InsertSliceOp::create(b, loc, value, tensor, place, slab, slabStrides);
  }

  lax::ScatterOpInterface op;
  Value indices, updates;
  Type original;
  /// Sizes of the updates, of a slab in all dims of the operand, and of a slab without the dims that it lacks.
  Sizes updateSizes, slab, window;
  SmallVector<int64_t> scatterDims;
  /// The last place for a slab in each dim that index vectors address.
  SmallVector<Value> last;
};

struct LowerScatter : public OpInterfaceConversionPattern<lax::ScatterOpInterface> {
  using OpInterfaceConversionPattern::OpInterfaceConversionPattern;

  LogicalResult matchAndRewrite(lax::ScatterOpInterface op, ArrayRef<Value> operands,
                                ConversionPatternRewriter &rewriter) const override {
    if (!getElementTypeOrSelf(op.getInput().getType()).isIntOrFloat())
      return op->emitOpError("of complex numbers has no lowering to linalg");
    Value result = ScatterBuilder(op, operands, rewriter).build(rewriter, operands[0]);
    Type type = getTypeConverter()->convertType(op->getResult(0).getType());
    rewriter.replaceOp(op, castTensor(rewriter, op->getLoc(), result, type));
    return success();
  }
};

} // namespace

void lowering::populateScatterPatterns(const LaxTypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<LowerScatter>(converter, patterns.getContext());
}
