//===- ApproximateMath.cpp - Vectors of transcendental functions ----------===//

#include "Codegen/CPU/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace mlir::janus {
#define GEN_PASS_DEF_APPROXIMATEMATHPASS
#include "Codegen/CPU/Passes.h.inc"
} // namespace mlir::janus

using namespace mlir;
using namespace mlir::janus;

namespace {

class ApproximateMathPass : public janus::impl::ApproximateMathPassBase<ApproximateMathPass> {
  void runOnOperation() override {
    // Those whose approximations keep to a few units in the last place over the whole range, NaN and infinities
    // included. The others (sin and cos of large arguments lose all digits) stay calls.
    static constexpr StringLiteral accurate[] = {"math.exp", "math.log", "math.log1p", "math.expm1", "math.tanh",
                                                 "math.erf"};
    SmallVector<Operation *> ops;
    getOperation()->walk([&](Operation *op) {
      if (!llvm::is_contained(accurate, op->getName().getStringRef()))
        return;
      auto type = dyn_cast<VectorType>(op->getResult(0).getType());
      if (type && type.getElementType().isF32())
        ops.push_back(op);
    });
    if (ops.empty())
      return;
    RewritePatternSet patterns(&getContext());
    populateMathPolynomialApproximationPatterns(
        patterns, [](StringRef name) { return llvm::is_contained(accurate, name); });
    GreedyRewriteConfig config;
    config.setStrictness(GreedyRewriteStrictness::ExistingAndNewOps).enableFolding(false);
    (void)applyOpPatternsGreedily(ops, std::move(patterns), config);
  }
};

} // namespace
