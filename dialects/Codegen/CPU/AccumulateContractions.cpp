//===- AccumulateContractions.cpp - Contractions start from what they are added to -===//

#include "Codegen/CPU/Accumulation.h"
#include "Codegen/CPU/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/Dominance.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"

namespace mlir::janus {
#define GEN_PASS_DEF_ACCUMULATECONTRACTIONSPASS
#include "Codegen/CPU/Passes.h.inc"
} // namespace mlir::janus

using namespace mlir;
using namespace mlir::janus;

static bool isIdentity(linalg::GenericOp op) {
  return op.getNumReductionLoops() == 0 &&
         llvm::all_of(op.getIndexingMapsArray(), [](AffineMap map) { return map.isIdentity(); });
}

/// What `op` adds to its first output, or its two inputs, element by element; null if it does anything else.
static std::pair<Value, Value> matchSum(linalg::GenericOp op) {
  Block *body = op.getBody();
  if (op.getNumDpsInits() != 1 || !isIdentity(op) || body->getOperations().size() != 2)
    return {};
  auto add = dyn_cast<arith::AddFOp>(body->front());
  if (!add || body->getTerminator()->getOperand(0) != add.getResult())
    return {};
  auto operandOf = [&](Value value) -> Value {
    auto argument = dyn_cast<BlockArgument>(value);
    return argument && argument.getOwner() == body ? op->getOperand(argument.getArgNumber()) : Value();
  };
  Value lhs = operandOf(add.getLhs()), rhs = operandOf(add.getRhs());
  return lhs && rhs && lhs != rhs ? std::pair(lhs, rhs) : std::pair<Value, Value>();
}

bool cpu::addsToOutput(linalg::GenericOp op) {
  if (op.getNumDpsInits() != 1)
    return false;
  Value start = op.getBody()->getArguments().back();
  auto sum = op.getBody()->getTerminator()->getOperand(0).getDefiningOp<arith::AddFOp>();
  return sum && start.hasOneUse() && *start.user_begin() == sum;
}

bool cpu::isProductSum(linalg::GenericOp op) {
  Block *body = op.getBody();
  return op.getNumDpsInputs() == 2 && op.getNumReductionLoops() > 0 && addsToOutput(op) &&
         body->getOperations().size() == 3 && isa<arith::MulFOp>(body->front());
}

bool cpu::isZeroFill(Operation *op) {
  auto fill = dyn_cast_or_null<linalg::FillOp>(op);
  return fill && matchPattern(fill.getInputs()[0], m_AnyZeroFloat());
}

namespace {

class AccumulateContractionsPass : public janus::impl::AccumulateContractionsPassBase<AccumulateContractionsPass> {
  void runOnOperation() override {
    DominanceInfo dominance(getOperation());
    IRRewriter rewriter(&getContext());
    SmallVector<linalg::GenericOp> ops;
    getOperation().walk([&](linalg::GenericOp op) {
      if (op.hasPureTensorSemantics())
        ops.push_back(op);
    });
    for (linalg::GenericOp sum : ops) {
      auto [lhs, rhs] = matchSum(sum);
      if (!lhs)
        continue;
      for (auto [start, term] : {std::pair(lhs, rhs), std::pair(rhs, lhs)})
        if (accumulate(rewriter, dominance, sum, start, term))
          break;
    }
  }

  /// Lets the contraction `term` start from `start`, where the sum of the two stands.
  static bool accumulate(IRRewriter &rewriter, DominanceInfo &dominance, linalg::GenericOp sum, Value start,
                         Value term) {
    auto product = term.getDefiningOp<linalg::GenericOp>();
    if (!product || !product->hasOneUse() || product->getBlock() != sum->getBlock() || !cpu::isProductSum(product) ||
        start.getType() != term.getType() || !cpu::isZeroFill(product.getDpsInits()[0].getDefiningOp()))
      return false;
    // What is read elsewhere, or spread out, would be copied to where the sum arises: an addition is as good.
    if (!isOwn(start, sum))
      return false;
    if (!dominance.properlyDominates(start, product))
      product->moveBefore(sum);
    product.getDpsInitsMutable()[0].set(start);
    rewriter.replaceOp(sum, product);
    return true;
  }

  /// Whether nothing else needs `start`, and it has memory that may be written.
  static bool isOwn(Value start, linalg::GenericOp sum) {
    if (!start.hasOneUse())
      return false;
    if (auto argument = dyn_cast<BlockArgument>(start))
      return isa<LoopLikeOpInterface>(argument.getOwner()->getParentOp());
    Operation *def = start.getDefiningOp();
    auto generic = dyn_cast<linalg::GenericOp>(def);
    if (def->getBlock() != sum->getBlock())
      return false;
    return isa<LoopLikeOpInterface>(def) || (generic && (cpu::isProductSum(generic) || isIdentity(generic)));
  }
};

} // namespace
