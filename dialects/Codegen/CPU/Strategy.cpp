//===- Strategy.cpp - Decide how linalg ops run ---------------------------===//

#include "Codegen/CPU/Strategy.h"

#include "Codegen/CPU/Passes.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"

namespace mlir::janus {
#define GEN_PASS_DEF_STRATEGYPASS
#include "Codegen/CPU/Passes.h.inc"
} // namespace mlir::janus

using namespace mlir;
using namespace mlir::janus;
using namespace mlir::janus::cpu;

DictionaryAttr Strategy::toAttr(MLIRContext *ctx) const {
  Builder b(ctx);
  return b.getDictionaryAttr({b.getNamedAttr("kind", b.getStringAttr(kind)),
                              b.getNamedAttr("lanes", b.getI64IntegerAttr(lanes)),
                              b.getNamedAttr("order", b.getDenseI64ArrayAttr(order)),
                              b.getNamedAttr("tile", b.getDenseI64ArrayAttr(tile)),
                              b.getNamedAttr("vector_loop", b.getI64IntegerAttr(vectorLoop))});
}

FailureOr<Strategy> Strategy::fromAttr(DictionaryAttr attr, const LoopNest &nest) {
  auto kind = attr.getAs<StringAttr>("kind");
  auto lanes = attr.getAs<IntegerAttr>("lanes");
  auto order = attr.getAs<DenseI64ArrayAttr>("order");
  auto tile = attr.getAs<DenseI64ArrayAttr>("tile");
  auto vectorLoop = attr.getAs<IntegerAttr>("vector_loop");
  if (!kind || !lanes || !order || !tile || !vectorLoop)
    return failure();
  Strategy strategy;
  strategy.kind = kind.getValue().str();
  strategy.lanes = lanes.getInt();
  strategy.vectorLoop = vectorLoop.getInt();
  strategy.tile.assign(tile.asArrayRef().begin(), tile.asArrayRef().end());
  strategy.order.assign(order.asArrayRef().begin(), order.asArrayRef().end());

  // An attribute may come from anywhere: what would miscompile is refused.
  int64_t n = nest.numLoops();
  if (static_cast<int64_t>(strategy.tile.size()) != n || static_cast<int64_t>(strategy.order.size()) != n ||
      strategy.vectorLoop >= n || strategy.vectorLoop < -1 || strategy.lanes < 1 ||
      !llvm::isPowerOf2_64(strategy.lanes) || (strategy.vectorLoop == -1 && strategy.lanes != 1))
    return failure();
  SmallVector<bool> seen(n, false);
  bool reductions = false;
  for (int64_t loop : strategy.order) {
    if (loop < 0 || loop >= n || seen[loop])
      return failure();
    seen[loop] = true;
    if (reductions && !nest.reduction[loop])
      return failure();
    reductions |= nest.reduction[loop];
  }
  for (int64_t d = 0; d < n; ++d) {
    int64_t unit = d == strategy.vectorLoop ? strategy.lanes : 1;
    if (strategy.tile[d] < unit || strategy.tile[d] % unit != 0)
      return failure();
    if (nest.reduction[d] && d != strategy.vectorLoop && strategy.tile[d] != 1)
      return failure();
  }
  if (strategy.vectorLoop >= 0) {
    if (!nest.vectorizable)
      return failure();
    if (nest.reduction[strategy.vectorLoop] &&
        (strategy.order.back() != strategy.vectorLoop || !matchCombiners(nest)))
      return failure();
  }
  return strategy;
}

namespace {

class StrategyPass : public janus::impl::StrategyPassBase<StrategyPass> {
public:
  using StrategyPassBase::StrategyPassBase;

  void runOnOperation() override {
    Target target = Target::host(vectorBits);
    getOperation().walk([&](linalg::GenericOp op) {
      if (op->hasAttr(kStrategyAttrName) || !op.hasPureBufferSemantics())
        return;
      FailureOr<LoopNest> nest = analyzeLoopNest(op);
      Strategy strategy;
      if (succeeded(nest))
        strategy = chooseStrategy(*nest, target);
      op->setAttr(kStrategyAttrName, strategy.toAttr(op.getContext()));
    });
  }
};

} // namespace
