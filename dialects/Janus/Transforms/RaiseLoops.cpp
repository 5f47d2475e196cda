//===- RaiseLoops.cpp - Counting while loops to for loops -----------------===//

#include "Janus/IR/JanusOps.h"
#include "Janus/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"

namespace mlir::janus {
#define GEN_PASS_DEF_RAISELOOPSPASS
#include "Janus/Transforms/Passes.h.inc"
} // namespace mlir::janus

using namespace mlir;
using namespace mlir::janus;

namespace {

/// A loop that counts: which of the values it carries is the counter, and how far it counts.
struct Counter {
  unsigned number;
  Value upper;
};

std::optional<Counter> findCounter(scf::WhileOp loop) {
  Block *before = loop.getBeforeBody();
  scf::ConditionOp condition = loop.getConditionOp();
  auto comparison = condition.getCondition().getDefiningOp<arith::CmpIOp>();
  if (!comparison || comparison->getBlock() != before || comparison->getNextNode() != condition ||
      &before->front() != comparison)
    return std::nullopt;
  Value counter = comparison.getLhs(), upper = comparison.getRhs();
  switch (comparison.getPredicate()) {
  case arith::CmpIPredicate::slt:
    break;
  case arith::CmpIPredicate::sgt:
    std::swap(counter, upper);
    break;
  default:
    return std::nullopt;
  }
  auto argument = dyn_cast<BlockArgument>(counter);
  if (!argument || argument.getOwner() != before || !loop.isDefinedOutsideOfLoop(upper))
    return std::nullopt;
  // The next iteration's counter is this one's plus one.
  Operation *next = loop.getYieldOp().getResults()[argument.getArgNumber()].getDefiningOp();
  if (!isa_and_nonnull<arith::AddIOp, AddOverflowOp>(next) ||
      loop.getYieldOp().getResults()[argument.getArgNumber()] != next->getResult(0))
    return std::nullopt;
  Value base = next->getOperand(0), one = next->getOperand(1);
  if (matchPattern(base, m_One()))
    std::swap(base, one);
  auto carried = dyn_cast<BlockArgument>(base);
  if (!matchPattern(one, m_One()) || !carried || carried.getOwner() != loop.getAfterBody() ||
      condition.getArgs()[carried.getArgNumber()] != argument)
    return std::nullopt;
  return Counter{argument.getArgNumber(), upper};
}

void raise(scf::WhileOp loop, Counter counter, IRRewriter &rewriter) {
  Location loc = loop.getLoc();
  rewriter.setInsertionPoint(loop);
  Value lower = loop.getInits()[counter.number];
  Type type = lower.getType();
  Value one = type.isIndex() ? arith::ConstantIndexOp::create(rewriter, loc, 1).getResult()
                             : arith::ConstantOp::create(rewriter, loc, rewriter.getIntegerAttr(type, 1)).getResult();
  SmallVector<Value> inits;
  for (auto [number, init] : llvm::enumerate(loop.getInits()))
    if (number != counter.number)
      inits.push_back(init);
  auto made = scf::ForOp::create(rewriter, loc, lower, counter.upper, one, inits);
  if (Attribute profile = loop->getAttr(kProfileAttr))
    made->setAttr(kProfileAttr, profile);

  // What the condition forwards is the counter, a carried value, or comes from outside.
  auto translate = [&](Value value, Value counterValue, ValueRange carried) {
    auto argument = dyn_cast<BlockArgument>(value);
    if (!argument || argument.getOwner() != loop.getBeforeBody())
      return value;
    unsigned number = argument.getArgNumber();
    return number == counter.number ? counterValue : Value(carried[number > counter.number ? number - 1 : number]);
  };
  scf::ConditionOp condition = loop.getConditionOp();
  SmallVector<Value> arguments, results;
  Value last;
  if (llvm::any_of(llvm::zip(condition.getArgs(), loop.getResults()), [&](auto pair) {
        auto argument = dyn_cast<BlockArgument>(std::get<0>(pair));
        return argument && argument == loop.getBeforeBody()->getArgument(counter.number) &&
               !std::get<1>(pair).use_empty();
      }))
    last = arith::MaxSIOp::create(rewriter, loc, lower, counter.upper);
  for (Value forwarded : condition.getArgs()) {
    arguments.push_back(translate(forwarded, made.getInductionVar(), made.getRegionIterArgs()));
    // Nobody asks for the counter's last value if it was not computed.
    results.push_back(translate(forwarded, last ? last : lower, made.getResults()));
  }
  SmallVector<Value> yielded;
  scf::YieldOp yield = loop.getYieldOp();
  Block *body = made.getBody();
  if (!body->empty())
    rewriter.eraseOp(body->getTerminator());
  for (auto [number, value] : llvm::enumerate(yield.getResults()))
    if (number != counter.number)
      yielded.push_back(value);
  rewriter.setInsertionPoint(yield);
  scf::YieldOp::create(rewriter, yield.getLoc(), yielded);
  rewriter.eraseOp(yield);
  rewriter.inlineBlockBefore(loop.getAfterBody(), body, body->end(), arguments);
  rewriter.replaceOp(loop, results);
}

struct RaiseLoopsPass : public janus::impl::RaiseLoopsPassBase<RaiseLoopsPass> {
  void runOnOperation() override {
    SmallVector<scf::WhileOp> loops;
    getOperation()->walk([&](scf::WhileOp loop) { loops.push_back(loop); });
    IRRewriter rewriter(&getContext());
    for (scf::WhileOp loop : loops)
      if (std::optional<Counter> counter = findCounter(loop))
        raise(loop, *counter, rewriter);
  }
};

} // namespace
