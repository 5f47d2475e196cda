//===- PruneBranches.cpp - One-sided branches to guards -------------------===//

#include "Janus/Analysis/Frames.h"
#include "Janus/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/PatternMatch.h"

namespace mlir::janus {
#define GEN_PASS_DEF_PRUNEBRANCHESPASS
#include "Janus/Transforms/Passes.h.inc"
} // namespace mlir::janus

using namespace mlir;
using namespace mlir::janus;

namespace {

struct PruneBranchesPass : public janus::impl::PruneBranchesPassBase<PruneBranchesPass> {
  using PruneBranchesPassBase::PruneBranchesPassBase;

  void runOnOperation() override {
    // Outer branches first: what is pruned needs no look inside.
    SmallVector<scf::IfOp> branches;
    getOperation()->walk<WalkOrder::PreOrder>([&](scf::IfOp branch) { branches.push_back(branch); });
    llvm::SmallPtrSet<Operation *, 16> gone;
    IRRewriter rewriter(&getContext());
    for (scf::IfOp branch : branches)
      if (!gone.contains(branch))
        prune(branch, gone, rewriter);
  }

  void prune(scf::IfOp branch, llvm::SmallPtrSetImpl<Operation *> &gone, IRRewriter &rewriter) {
    auto profile = branch->getAttrOfType<BranchAttr>(kProfileAttr);
    if (!profile || (profile.getTaken() == 0) == (profile.getNotTaken() == 0) ||
        profile.getTaken() + profile.getNotTaken() < threshold)
      return;
    bool taken = profile.getTaken() > 0;
    Region &never = taken ? branch.getElseRegion() : branch.getThenRegion();
    Region &always = taken ? branch.getThenRegion() : branch.getElseRegion();
    FrameOp frame;
    if (!never.empty())
      frame = dyn_cast<FrameOp>(never.front().front());
    if (!frame)
      frame = findFrame(branch);
    if (!frame)
      return;

    rewriter.setInsertionPoint(branch);
    Location loc = branch.getLoc();
    Value condition = branch.getCondition();
    if (!taken) {
      Value one = arith::ConstantIntOp::create(rewriter, loc, 1, 1);
      condition = arith::XOrIOp::create(rewriter, loc, condition, one);
    }
    createGuard(rewriter, loc, condition, GuardKind::Branch, frame);
    never.walk([&](Operation *op) { gone.insert(op); });
    SmallVector<Value> results;
    if (!always.empty()) {
      Operation *terminator = always.front().getTerminator();
      results = llvm::to_vector(terminator->getOperands());
      rewriter.eraseOp(terminator);
      rewriter.inlineBlockBefore(&always.front(), branch);
    }
    rewriter.replaceOp(branch, results);
  }
};

} // namespace
