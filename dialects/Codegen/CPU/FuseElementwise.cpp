//===- FuseElementwise.cpp - Generic form and elementwise fusion ----------===//

#include "Codegen/CPU/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Tensor/Transforms/Transforms.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace mlir::janus {
#define GEN_PASS_DEF_FUSEELEMENTWISEPASS
#include "Codegen/CPU/Passes.h.inc"
} // namespace mlir::janus

using namespace mlir;
using namespace mlir::janus;

namespace {

/// Bounds on a fused op: beyond them its operands and temporaries do not stay in registers.
constexpr unsigned kMaxOperands = 16;
constexpr unsigned kMaxBodyOps = 96;

unsigned bodySize(Operation *op) { return op->getRegion(0).front().getOperations().size(); }

/// How many operands are read in full, element by element of what the op is computed over.
unsigned countFullReads(linalg::GenericOp op) {
  return llvm::count_if(op.getDpsInputOperands(), [&](OpOperand *operand) {
    return op.getMatchingIndexingMap(operand).getNumResults() == op.getNumLoops();
  });
}

/// Whether computing `producer` again for each of several uses costs next to nothing: no more is read than its result
/// would be, broadcast operands aside (or one after another a chain of sums would be, whole, in all its users), and
/// there is no arithmetic to speak of.
bool isCheap(linalg::GenericOp producer) {
  if (countFullReads(producer) > 1)
    return false;
  unsigned work = 0;
  for (Operation &op : producer.getBody()->without_terminator()) {
    if (isa_and_nonnull<math::MathDialect>(op.getDialect()) || isa<arith::DivFOp>(op) || op.getNumRegions() != 0)
      return false;
    ++work;
  }
  return work <= 2;
}

bool shouldFuse(OpOperand *use) {
  auto producer = use->get().getDefiningOp<linalg::GenericOp>();
  auto consumer = dyn_cast<linalg::GenericOp>(use->getOwner());
  if (!producer || !consumer || producer->getBlock() != consumer->getBlock())
    return false;
  // What is added to something, as an outer product is to zero, would be added up along the consumer's reductions.
  if (llvm::any_of(producer.getRegionOutputArgs(), [](BlockArgument init) { return !init.use_empty(); }))
    return false;
  if (producer->getNumOperands() + consumer->getNumOperands() > kMaxOperands + 2 ||
      bodySize(producer) + bodySize(consumer) > kMaxBodyOps)
    return false;
  // Several uses: each would compute it again.
  SmallPtrSet<Operation *, 4> users(producer->user_begin(), producer->user_end());
  if (users.size() > 1 && !isCheap(producer))
    return false;
  // A contraction or window reads each element many times: computing it each time must be free, that is a mere change
  // of index or type.
  bool readOften =
      consumer.getNumLoops() > static_cast<unsigned>(cast<RankedTensorType>(use->get().getType()).getRank());
  if (!readOften)
    return true;
  if (consumer.getNumReductionLoops() == 0) {
    // A broadcast. Dear functions are computed once, on the small side.
    return isCheap(producer);
  }
  return bodySize(producer) == 1;
}

class FuseElementwisePass : public janus::impl::FuseElementwisePassBase<FuseElementwisePass> {
  void runOnOperation() override {
    MLIRContext *context = &getContext();
    {
      RewritePatternSet patterns(context);
      linalg::populateDecomposePadPatterns(patterns);
      tensor::populateDecomposeTensorConcatPatterns(patterns);
      linalg::populateElementwiseToLinalgConversionPatterns(patterns);
      (void)applyPatternsGreedily(getOperation(), std::move(patterns));
    }
    IRRewriter rewriter(context);
    SmallVector<linalg::LinalgOp> named;
    getOperation().walk([&](linalg::LinalgOp op) {
      if (!isa<linalg::GenericOp, linalg::FillOp>(op.getOperation()))
        named.push_back(op);
    });
    for (linalg::LinalgOp op : named) {
      rewriter.setInsertionPoint(op);
      if (failed(linalg::generalizeNamedOp(rewriter, op))) {
        op.emitError("has no generic form");
        return signalPassFailure();
      }
    }
    RewritePatternSet patterns(context);
    linalg::populateElementwiseOpsFusionPatterns(patterns, shouldFuse);
    linalg::populateEraseUnusedOperandsAndResultsPatterns(patterns);
    linalg::populateConstantFoldLinalgOperations(patterns, [](OpOperand *use) {
      auto type = dyn_cast<RankedTensorType>(use->get().getType());
      return type && type.hasStaticShape() && type.getNumElements() <= 4096;
    });
    linalg::GenericOp::getCanonicalizationPatterns(patterns, context);
    tensor::EmptyOp::getCanonicalizationPatterns(patterns, context);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      getOperation().emitWarning("elementwise fusion did not come to an end");
  }
};

} // namespace
