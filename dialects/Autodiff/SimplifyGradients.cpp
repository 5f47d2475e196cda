//===- SimplifyGradients.cpp - Sums of gradients in place -----------------===//

#include "Autodiff/Passes.h"

#include "Janus/IR/JanusOps.h"
#include "Lax/IR/LaxConstantFolding.h"
#include "Lax/IR/LaxOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace mlir::janus {
#define GEN_PASS_DEF_SIMPLIFYGRADIENTSPASS
#include "Autodiff/Passes.h.inc"
} // namespace mlir::janus

using namespace mlir;
using namespace mlir::janus;

namespace {

bool isZero(Value value) {
  Attribute constant;
  return matchPattern(value, m_Constant(&constant)) && lax::detail::isPositiveZero(constant);
}

/// Zeros but for a slice: the cotangent of what a slice was taken of.
struct SliceOfZeros {
  Value update;
  /// Where the slice starts: scalars (which are clamped), or numbers if there are none.
  SmallVector<Value> starts;
  SmallVector<int64_t> offsets;

  static std::optional<SliceOfZeros> match(Value value) {
    if (auto op = value.getDefiningOp<lax::DynamicUpdateSliceOp>()) {
      if (!isZero(op.getOperand()))
        return std::nullopt;
      return SliceOfZeros{op.getUpdate(), llvm::to_vector(op.getStartIndices()), {}};
    }
    auto pad = value.getDefiningOp<lax::PadOp>();
    if (!pad || !isZero(pad.getPaddingValue()) || !pad.getDynamicLow().empty() || !pad.getDynamicHigh().empty())
      return std::nullopt;
    auto negative = [](int64_t count) { return count < 0; };
    if (llvm::any_of(pad.getLow(), negative) || llvm::any_of(pad.getHigh(), negative) ||
        llvm::any_of(pad.getInterior(), [](int64_t count) { return count != 0; }))
      return std::nullopt;
    return SliceOfZeros{pad.getOperand(), {}, llvm::to_vector(pad.getLow())};
  }
};

/// Whether a slice is so much smaller than all of it that it pays to leave the rest alone.
bool isSmall(Type slice, Type whole) {
  auto part = cast<ShapedType>(slice), all = cast<ShapedType>(whole);
  return part.hasStaticShape() && all.hasStaticShape() && 2 * part.getNumElements() <= all.getNumElements();
}

/// What is added to a slice leaves the rest as it is.
struct AddToSlice : OpRewritePattern<lax::AddOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(lax::AddOp op, PatternRewriter &rewriter) const override {
    for (unsigned side : {1u, 0u}) {
      Value other = op->getOperand(1 - side), value = op->getOperand(side);
      if (!value.hasOneUse())
        continue;
      if (auto scatter = value.getDefiningOp<lax::ScatterAddOp>(); scatter && isZero(scatter.getOperand())) {
        Operation *again = rewriter.clone(*scatter);
        again->setOperand(0, other);
        rewriter.replaceOp(op, again);
        return success();
      }
      std::optional<SliceOfZeros> slice = SliceOfZeros::match(value);
      if (!slice || !isSmall(slice->update.getType(), op.getType()))
        continue;
      Location loc = op.getLoc();
      if (slice->starts.empty()) {
        auto scalar = RankedTensorType::get({}, rewriter.getI32Type());
        for (int64_t offset : slice->offsets)
          slice->starts.push_back(arith::ConstantOp::create(
              rewriter, loc, DenseElementsAttr::get(scalar, rewriter.getI32IntegerAttr(offset))));
      }
      Type type = slice->update.getType();
      Value before = lax::DynamicSliceOp::create(rewriter, loc, type, other, slice->starts, ValueRange{});
      Value sum = lax::AddOp::create(rewriter, loc, type, before, slice->update);
      rewriter.replaceOpWithNewOp<lax::DynamicUpdateSliceOp>(op, op.getType(), other, sum, slice->starts);
      return success();
    }
    return failure();
  }
};

/// The same, of memory.
struct AccumulateSlice : OpRewritePattern<AccumulateOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(AccumulateOp op, PatternRewriter &rewriter) const override {
    auto memory = cast<MemRefType>(op.getMemory().getType());
    std::optional<SliceOfZeros> slice = SliceOfZeros::match(op.getValue());
    if (!slice || !memory.getLayout().isIdentity() || !isSmall(slice->update.getType(), memory))
      return failure();
    auto isSigned = [](Value start) {
      auto type = dyn_cast<IntegerType>(getElementTypeOrSelf(start.getType()));
      return type && type.isSignless() && type.getWidth() <= 64;
    };
    if (!llvm::all_of(slice->starts, isSigned))
      return failure();
    Location loc = op.getLoc();
    auto type = cast<RankedTensorType>(slice->update.getType());
    SmallVector<OpFoldResult> offsets, sizes, strides(type.getRank(), rewriter.getIndexAttr(1));
    for (int64_t d = 0; d < type.getRank(); ++d) {
      sizes.push_back(rewriter.getIndexAttr(type.getDimSize(d)));
      int64_t last = memory.getDimSize(d) - type.getDimSize(d);
      if (slice->starts.empty() || last == 0) {
        offsets.push_back(rewriter.getIndexAttr(slice->starts.empty() ? slice->offsets[d] : 0));
        continue;
      }
      Value start = tensor::ExtractOp::create(rewriter, loc, slice->starts[d], ValueRange{});
      start = arith::IndexCastOp::create(rewriter, loc, rewriter.getIndexType(), start);
      start = arith::MaxSIOp::create(rewriter, loc, start, arith::ConstantIndexOp::create(rewriter, loc, 0));
      start = arith::MinSIOp::create(rewriter, loc, start, arith::ConstantIndexOp::create(rewriter, loc, last));
      offsets.push_back(start);
    }
    Value part = memref::SubViewOp::create(rewriter, loc, op.getMemory(), offsets, sizes, strides);
    rewriter.replaceOpWithNewOp<AccumulateOp>(op, slice->update, part);
    return success();
  }
};

/// A product is computed the other way round rather than transposed: then it can be added where it belongs.
struct TransposeOfProduct : OpRewritePattern<lax::TransposeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(lax::TransposeOp op, PatternRewriter &rewriter) const override {
    auto product = op.getOperand().getDefiningOp<lax::DotGeneralOp>();
    if (!product || !product->hasOneUse())
      return failure();
    int64_t batch = product.getLhsBatch().size(), left = product.getLhsFree().size(),
            right = product.getRhsFree().size();
    SmallVector<int64_t> swapped = llvm::to_vector(llvm::seq<int64_t>(0, batch));
    llvm::append_range(swapped, llvm::seq<int64_t>(batch + left, batch + left + right));
    llvm::append_range(swapped, llvm::seq<int64_t>(batch, batch + left));
    if (op.getPermutation() != ArrayRef<int64_t>(swapped))
      return failure();
    rewriter.replaceOpWithNewOp<lax::DotGeneralOp>(op, op.getType(), product.getRhs(), product.getLhs(),
                                                   product.getRhsContracting(), product.getLhsContracting(),
                                                   product.getRhsBatch(), product.getLhsBatch());
    return success();
  }
};

class SimplifyGradientsPass : public janus::impl::SimplifyGradientsPassBase<SimplifyGradientsPass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<AddToSlice, AccumulateSlice, TransposeOfProduct>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
