//===- UnrollLoops.cpp - Loops of few iterations to straight-line code ----===//

#include "Janus/Analysis/Frames.h"
#include "Janus/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"

namespace mlir::janus {
#define GEN_PASS_DEF_UNROLLLOOPSPASS
#include "Janus/Transforms/Passes.h.inc"
} // namespace mlir::janus

using namespace mlir;
using namespace mlir::janus;

namespace {

unsigned countOps(Region &region) {
  unsigned count = 0;
  region.walk([&](Operation *) { ++count; });
  return count;
}

/// Clones the ops of `block`, but its terminator, with its arguments replaced; returns what the terminator would be
/// given.
SmallVector<Value> cloneBody(Block &block, ValueRange arguments, IRRewriter &rewriter) {
  IRMapping mapping;
  mapping.map(block.getArguments(), arguments);
  for (Operation &op : block.without_terminator())
    rewriter.clone(op, mapping);
  return llvm::map_to_vector(block.getTerminator()->getOperands(),
                             [&](Value value) { return mapping.lookupOrDefault(value); });
}

struct UnrollLoopsPass : public janus::impl::UnrollLoopsPassBase<UnrollLoopsPass> {
  using UnrollLoopsPassBase::UnrollLoopsPassBase;

  void runOnOperation() override {
    SmallVector<Operation *> loops;
    // Inner loops first: what they become counts for the outer ones.
    getOperation()->walk([&](Operation *op) {
      if (isa<scf::ForOp, scf::WhileOp>(op))
        loops.push_back(op);
    });
    IRRewriter rewriter(&getContext());
    for (Operation *op : loops) {
      if (auto loop = dyn_cast<scf::ForOp>(op))
        unroll(loop, rewriter);
      else
        unroll(cast<scf::WhileOp>(op), rewriter);
    }
  }

  /// The number of iterations that the profile has always seen, if that is worth an assumption.
  std::optional<int64_t> stableTrips(Operation *loop) {
    auto profile = loop->getAttrOfType<TripsAttr>(kProfileAttr);
    if (!profile || profile.getMin() != profile.getMax() || profile.getExecutions() < threshold)
      return std::nullopt;
    return profile.getMin();
  }

  bool isSmall(int64_t trips, unsigned ops) {
    return trips >= 0 && static_cast<uint64_t>(trips) <= maxTrips && static_cast<uint64_t>(trips) * ops <= maxOps;
  }

  void unroll(scf::ForOp loop, IRRewriter &rewriter) {
    unsigned ops = countOps(loop.getRegion());
    APInt lower, upper, step;
    if (loop.getUnsignedCmp() || !matchPattern(loop.getLowerBound(), m_ConstantInt(&lower)) ||
        !matchPattern(loop.getStep(), m_ConstantInt(&step)) || !step.isStrictlyPositive())
      return;
    std::optional<int64_t> trips;
    FrameOp frame;
    if (matchPattern(loop.getUpperBound(), m_ConstantInt(&upper))) {
      if (std::optional<APInt> count = loop.getStaticTripCount())
        trips = count->getActiveBits() < 63 ? std::optional<int64_t>(count->getZExtValue()) : std::nullopt;
    } else {
      trips = stableTrips(loop);
      frame = trips ? findFrame(loop) : nullptr;
      if (!frame)
        return;
    }
    if (!trips || !isSmall(*trips, ops))
      return;
    Location loc = loop.getLoc();
    rewriter.setInsertionPoint(loop);
    Type type = loop.getInductionVar().getType();
    auto constant = [&](const APInt &value) -> Value {
      return arith::ConstantOp::create(rewriter, loc, rewriter.getIntegerAttr(type, value));
    };
    // It runs `trips` times if the bound lies above the last value of the induction variable, and not above the next
    // one.
    APInt next = lower;
    bool overflow = false;
    SmallVector<APInt> values;
    for (int64_t i = 0; i < *trips; ++i) {
      values.push_back(next);
      next = next.sadd_ov(step, overflow);
      if (overflow)
        return;
    }
    if (frame) {
      Value bound = loop.getUpperBound();
      Value condition = arith::CmpIOp::create(rewriter, loc, arith::CmpIPredicate::sle, bound, constant(next));
      if (*trips > 0) {
        Value above = arith::CmpIOp::create(rewriter, loc, arith::CmpIPredicate::sgt, bound, constant(values.back()));
        condition = arith::AndIOp::create(rewriter, loc, condition, above);
      }
      createGuard(rewriter, loc, condition, GuardKind::Trips, frame);
    }
    SmallVector<Value> carried(loop.getInitArgs());
    for (const APInt &value : values) {
      SmallVector<Value> arguments{constant(value)};
      arguments.append(carried);
      carried = cloneBody(*loop.getBody(), arguments, rewriter);
    }
    rewriter.replaceOp(loop, carried);
  }

  void unroll(scf::WhileOp loop, IRRewriter &rewriter) {
    std::optional<int64_t> trips = stableTrips(loop);
    unsigned ops = countOps(loop.getBefore()) + countOps(loop.getAfter());
    if (!trips || !isSmall(*trips, ops))
      return;
    FrameOp frame = findFrame(loop);
    // Where one iteration has an effect, only a new start is right after it.
    if (!frame || (!frame.getRestart() && hasEffect(loop)))
      return;
    Location loc = loop.getLoc();
    rewriter.setInsertionPoint(loop);
    SmallVector<Value> carried(loop.getInits());
    for (int64_t i = 0;; ++i) {
      SmallVector<Value> forwarded = cloneBody(*loop.getBeforeBody(), carried, rewriter);
      Value condition = forwarded.front();
      forwarded.erase(forwarded.begin());
      if (i == *trips) {
        Value one = arith::ConstantIntOp::create(rewriter, loc, 1, 1);
        condition = arith::XOrIOp::create(rewriter, loc, condition, one);
      }
      createGuard(rewriter, loc, condition, GuardKind::Trips, frame);
      if (i == *trips) {
        rewriter.replaceOp(loop, forwarded);
        return;
      }
      carried = cloneBody(*loop.getAfterBody(), forwarded, rewriter);
    }
  }
};

} // namespace
