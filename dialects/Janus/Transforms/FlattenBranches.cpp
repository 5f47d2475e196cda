//===- FlattenBranches.cpp - Both sides of short branches -----------------===//

#include "Janus/Analysis/Frames.h"
#include "Janus/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace mlir::janus {
#define GEN_PASS_DEF_FLATTENBRANCHESPASS
#include "Janus/Transforms/Passes.h.inc"
} // namespace mlir::janus

using namespace mlir;
using namespace mlir::janus;

namespace {

/// Ops of both sides beyond which a branch that is foreseen well costs less than doing them all.
constexpr unsigned kMaxOps = 12;

/// Counts what a side computes. Fails if something may only be done where the branch goes there.
bool countOps(Region &region, unsigned &ops, bool &hasGuard) {
  if (region.empty())
    return true;
  for (Operation &op : region.front().without_terminator()) {
    if (isa<FrameOp>(op))
      continue;
    if (isa<GuardOp>(op)) {
      hasGuard = true;
      continue;
    }
    bool isScalar = llvm::all_of(op.getResultTypes(), [](Type type) { return type.isIntOrIndexOrFloat(); });
    if (!isScalar || !isa<arith::ArithDialect, JanusDialect>(op.getDialect()) || !canSpeculate(&op))
      return false;
    ++ops;
  }
  return ops <= kMaxOps;
}

struct FlattenBranchesPass : public janus::impl::FlattenBranchesPassBase<FlattenBranchesPass> {
  void runOnOperation() override {
    // From within outwards: a branch that has become flat may stand in one that becomes so in turn.
    getOperation()->walk<WalkOrder::PostOrder>([](scf::IfOp branch) {
      unsigned ops = 0;
      bool hasGuard = false;
      // What has no guard is left to LLVM, which knows the machine.
      if (countOps(branch.getThenRegion(), ops, hasGuard) && countOps(branch.getElseRegion(), ops, hasGuard) &&
          hasGuard)
        flatten(branch);
    });
  }

  static void flatten(scf::IfOp branch) {
    OpBuilder b(branch);
    Value taken = branch.getCondition();
    for (bool isThen : {true, false}) {
      Region &region = isThen ? branch.getThenRegion() : branch.getElseRegion();
      if (region.empty())
        continue;
      for (Operation &op : llvm::make_early_inc_range(region.front().without_terminator())) {
        if (isa<FrameOp>(op)) {
          op.erase();
          continue;
        }
        op.moveBefore(branch);
        auto guard = dyn_cast<GuardOp>(op);
        if (!guard)
          continue;
        // A side that is not taken holds whatever its guard says.
        b.setInsertionPoint(guard);
        Value elsewhere = taken;
        if (isThen)
          elsewhere =
              arith::XOrIOp::create(b, guard.getLoc(), taken, arith::ConstantIntOp::create(b, guard.getLoc(), true, 1));
        guard.getCondMutable().assign(arith::OrIOp::create(b, guard.getLoc(), elsewhere, guard.getCond()).getResult());
      }
    }
    b.setInsertionPoint(branch);
    for (OpResult result : branch.getResults()) {
      unsigned number = result.getResultNumber();
      result.replaceAllUsesWith(arith::SelectOp::create(b, branch.getLoc(), taken,
                                                        branch.thenYield().getOperand(number),
                                                        branch.elseYield().getOperand(number))
                                    .getResult());
    }
    branch.erase();
  }
};

} // namespace
