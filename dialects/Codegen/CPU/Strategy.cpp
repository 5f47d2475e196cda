//===- Strategy.cpp - Decide how linalg ops run ---------------------------===//

#include "Codegen/CPU/Strategy.h"

#include "Codegen/CPU/LibraryCalls.h"
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
  SmallVector<NamedAttribute> attrs{
      b.getNamedAttr("kind", b.getStringAttr(kind)), b.getNamedAttr("lanes", b.getI64IntegerAttr(lanes)),
      b.getNamedAttr("order", b.getDenseI64ArrayAttr(order)), b.getNamedAttr("tile", b.getDenseI64ArrayAttr(tile)),
      b.getNamedAttr("vector_loop", b.getI64IntegerAttr(vectorLoop))};
  if (isBlocked())
    attrs.push_back(b.getNamedAttr("block", b.getDenseI64ArrayAttr(block)));
  if (!pack.empty())
    attrs.push_back(b.getNamedAttr("pack", b.getDenseI64ArrayAttr(pack)));
  if (chain != 0)
    attrs.push_back(b.getNamedAttr("chain", b.getI64IntegerAttr(chain)));
  return b.getDictionaryAttr(attrs);
}

bool cpu::canPack(const LoopNest &nest, unsigned operand, unsigned v) {
  const NestOperand &info = nest.operands[operand];
  if (!info.isBuffer || info.isOutput || info.strides[v] == 0 || nest.reduction[v])
    return false;
  bool reduces = false;
  for (unsigned d = 0; d < nest.numLoops(); ++d) {
    if (info.strides[d] == 0 || d == v)
      continue;
    if (!nest.reduction[d] || ShapedType::isDynamic(nest.sizes[d]))
      return false;
    reduces = true;
  }
  return reduces;
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

  strategy.block.assign(nest.numLoops(), 0);
  if (auto block = attr.getAs<DenseI64ArrayAttr>("block"))
    strategy.block.assign(block.asArrayRef().begin(), block.asArrayRef().end());
  if (auto pack = attr.getAs<DenseI64ArrayAttr>("pack"))
    strategy.pack.assign(pack.asArrayRef().begin(), pack.asArrayRef().end());
  if (auto chain = attr.getAs<IntegerAttr>("chain"))
    strategy.chain = chain.getInt();

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
  if (static_cast<int64_t>(strategy.block.size()) != n)
    return failure();
  if (strategy.chain < 0 || (strategy.chain > 0 && !sumsFloats(nest)))
    return failure();
  for (int64_t d = 0; d < n; ++d)
    if (strategy.block[d] < 0 ||
        (strategy.block[d] > 0 && (!nest.reduction[d] || ShapedType::isDynamic(nest.sizes[d]))))
      return failure();
  for (int64_t operand : strategy.pack) {
    if (operand < 0 || operand >= static_cast<int64_t>(nest.operands.size()) || strategy.vectorLoop < 0 ||
        strategy.order.front() != strategy.vectorLoop || !canPack(nest, operand, strategy.vectorLoop))
      return failure();
    int64_t elements = strategy.tile[strategy.vectorLoop];
    for (int64_t d = 0; d < n; ++d)
      if (nest.reduction[d] && nest.operands[operand].strides[d] != 0)
        elements *= strategy.block[d] ? strategy.block[d] : nest.sizes[d];
    if (elements > kMaxPackedElements)
      return failure();
  }
  if (strategy.vectorLoop >= 0) {
    if (!nest.vectorizable)
      return failure();
    if (nest.reduction[strategy.vectorLoop] && (strategy.order.back() != strategy.vectorLoop || !matchCombiners(nest)))
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
      if (std::optional<Gemm> gemm = succeeded(nest) && useLibrary ? matchGemm(*nest) : std::nullopt;
          gemm && prefersLibrary(*gemm))
        strategy.kind = "library";
      op->setAttr(kStrategyAttrName, strategy.toAttr(op.getContext()));
    });
  }
};

} // namespace
