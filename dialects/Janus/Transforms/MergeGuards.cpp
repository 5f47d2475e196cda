//===- MergeGuards.cpp - Neighbouring guards to one -----------------------===//

#include "Janus/Analysis/Frames.h"
#include "Janus/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/SetVector.h"

namespace mlir::janus {
#define GEN_PASS_DEF_MERGEGUARDSPASS
#include "Janus/Transforms/Passes.h.inc"
} // namespace mlir::janus

using namespace mlir;
using namespace mlir::janus;

namespace {

struct MergeGuardsPass : public janus::impl::MergeGuardsPassBase<MergeGuardsPass> {
  void runOnOperation() override {
    SmallVector<Block *> blocks;
    getOperation()->walk([&](Block *block) { blocks.push_back(block); });
    for (Block *block : blocks)
      mergeIn(*block);
  }

  void mergeIn(Block &block) {
    GuardOp first;
    for (Operation &op : llvm::make_early_inc_range(block)) {
      auto guard = dyn_cast<GuardOp>(op);
      if (!guard) {
        // After an effect, going back to the first guard would repeat it; what has regions may leave by itself.
        if (op.getNumRegions() != 0 || hasEffect(&op))
          first = nullptr;
        continue;
      }
      if (first && isAlike(first, guard) && merge(first, guard))
        continue;
      first = guard;
    }
  }

  /// Whether failing at the second guard may be reported as failing at the first.
  static bool isAlike(GuardOp first, GuardOp second) {
    if (first.getSite() == second.getSite() && first.getLive() == second.getLive())
      return true;
    // By the site of these the runtime knows what to assume no longer.
    bool isLesson =
        llvm::is_contained({GuardKind::Branch, GuardKind::Trips, GuardKind::Value, GuardKind::Type}, first.getKind());
    return first.getKind() == second.getKind() && !isLesson;
  }

  /// Checks the condition of `second` at `first` too, if it can be computed there.
  static bool merge(GuardOp first, GuardOp second) {
    llvm::SetVector<Operation *> needed;
    if (!collect(second.getCond(), first, needed))
      return false;
    SmallVector<Operation *> ordered(needed.begin(), needed.end());
    llvm::sort(ordered, [](Operation *a, Operation *b) { return a->isBeforeInBlock(b); });
    for (Operation *op : ordered)
      op->moveBefore(first);
    OpBuilder b(first);
    Value both = arith::AndIOp::create(b, second.getLoc(), first.getCond(), second.getCond());
    first.getCondMutable().assign(both);
    second.erase();
    return true;
  }

  /// The ops after `first` that compute `value`; fails if one of them may rely on `first`.
  static bool collect(Value value, GuardOp first, llvm::SetVector<Operation *> &needed) {
    Operation *op = value.getDefiningOp();
    if (!op || op->getBlock() != first->getBlock() || op->isBeforeInBlock(first) || needed.contains(op))
      return true;
    if (needed.size() == kMaxMoved || !isa<arith::ArithDialect, JanusDialect>(op->getDialect()) || !canSpeculate(op))
      return false;
    needed.insert(op);
    return llvm::all_of(op->getOperands(), [&](Value operand) { return collect(operand, first, needed); });
  }

  static constexpr unsigned kMaxMoved = 8;
};

} // namespace
