//===- Frames.cpp - Where the function may be left ------------------------===//

#include "Janus/Analysis/Frames.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using namespace mlir::janus;

bool janus::hasEffect(Operation *op) {
  return op
      ->walk([](Operation *inner) {
        if (isa<GuardOp, FrameOp, DeoptOp, LeaveOp>(inner) || inner->hasTrait<OpTrait::HasRecursiveMemoryEffects>() ||
            isMemoryEffectFree(inner))
          return WalkResult::advance();
        if (auto effects = dyn_cast<MemoryEffectOpInterface>(inner);
            effects && !effects.hasEffect<MemoryEffects::Write>() && !effects.hasEffect<MemoryEffects::Free>())
          return WalkResult::advance();
        return WalkResult::interrupt();
      })
      .wasInterrupted();
}

bool janus::canSpeculate(Operation *op) {
  if (op->getNumRegions() != 0 || !isMemoryEffectFree(op) || !isSpeculatable(op))
    return false;
  if (!isa<arith::FloorDivSIOp, arith::RemSIOp, arith::RemUIOp>(op))
    return true;
  // Dividing the least integer by -1 is undefined as well.
  APInt divisor;
  return matchPattern(op->getOperand(1), m_ConstantInt(&divisor)) && !divisor.isZero() && !divisor.isAllOnes();
}

FrameOp janus::findFrame(Operation *op) {
  // Past an effect only a frame that discards the effects will do.
  bool onlyRestart = false;
  while (true) {
    for (Operation *before = op->getPrevNode(); before; before = before->getPrevNode()) {
      if (auto frame = dyn_cast<FrameOp>(before); frame && (frame.getRestart() || !onlyRestart))
        return frame;
      onlyRestart |= hasEffect(before);
    }
    // The first block of a region is entered from its parent; the others from who knows where.
    Operation *parent = op->getParentOp();
    if (!op->getBlock()->isEntryBlock() || !isa_and_nonnull<scf::IfOp, scf::ForOp, scf::WhileOp>(parent))
      return nullptr;
    // Iterations that have been completed run again.
    if (isa<LoopLikeOpInterface>(parent))
      onlyRestart |= hasEffect(parent);
    op = parent;
  }
}

GuardOp janus::createGuard(OpBuilder &b, Location loc, Value condition, GuardKind kind, FrameOp frame) {
  return GuardOp::create(b, loc, condition, kind, frame.getSite(), frame.getLive(), frame.getRestart());
}
