//===- RaiseLoops.cpp - Counting while loops to for loops -----------------===//

#include "Janus/IR/JanusOps.h"
#include "Janus/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace mlir::janus {
#define GEN_PASS_DEF_RAISELOOPSPASS
#include "Janus/Transforms/Passes.h.inc"
} // namespace mlir::janus

using namespace mlir;
using namespace mlir::janus;

namespace {

/// A loop that counts: which of the values it carries is the counter, how far it counts, and what goes on while it
/// does.
struct Counter {
  unsigned number;
  Value upper;
  arith::CmpIOp comparison;
  /// The branch on the same condition, if there is one: what it does, an iteration does.
  scf::IfOp branch;
};

/// What an iteration takes a value for that it passes on: the region that decides, and the branch in it, are looked
/// through.
Value resolve(scf::WhileOp loop, scf::IfOp branch, Value value) {
  for (;;) {
    if (auto argument = dyn_cast<BlockArgument>(value); argument && argument.getOwner() == loop.getAfterBody())
      value = loop.getConditionOp().getArgs()[argument.getArgNumber()];
    else if (branch && value.getDefiningOp() == branch)
      value = branch.thenYield().getResults()[cast<OpResult>(value).getResultNumber()];
    else
      return value;
  }
}

/// Whether the value of each iteration is that of the last one plus one.
bool countsByOne(scf::WhileOp loop, scf::IfOp branch, BlockArgument counter) {
  Value next = resolve(loop, branch, loop.getYieldOp().getResults()[counter.getArgNumber()]);
  Operation *sum = next.getDefiningOp();
  if (!isa_and_nonnull<arith::AddIOp, AddOverflowOp>(sum) || next != sum->getResult(0))
    return false;
  Value base = sum->getOperand(0), one = sum->getOperand(1);
  if (matchPattern(base, m_One()))
    std::swap(base, one);
  return matchPattern(one, m_One()) && resolve(loop, branch, base) == counter;
}

std::optional<Counter> findCounter(scf::WhileOp loop) {
  Block *before = loop.getBeforeBody();
  scf::ConditionOp condition = loop.getConditionOp();
  auto comparison = condition.getCondition().getDefiningOp<arith::CmpIOp>();
  if (!comparison || comparison->getBlock() != before)
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
  // What is computed to decide is computed in each iteration, and again behind the loop if it is asked for there.
  scf::IfOp branch;
  for (Operation &op : before->without_terminator()) {
    auto found = dyn_cast<scf::IfOp>(op);
    if (found && !branch && found.getCondition() == comparison && found.elseBlock() &&
        llvm::hasSingleElement(*found.elseBlock()))
      branch = found;
    else if (!isPure(&op) || op.getNumRegions() != 0)
      return std::nullopt;
  }
  if (!countsByOne(loop, branch, argument))
    return std::nullopt;
  return Counter{argument.getArgNumber(), upper, comparison, branch};
}

/// Computes behind a loop what its first region forwards where it ends.
class Ending {
public:
  Ending(scf::WhileOp loop, Counter counter, RewriterBase &rewriter)
      : loop(loop), counter(counter), rewriter(rewriter) {}

  /// `last` is the counter's last value, `results` those of the other values that are carried.
  Value compute(Value value, function_ref<Value()> last, ValueRange results) {
    if (auto argument = dyn_cast<BlockArgument>(value); argument && argument.getOwner() == loop.getBeforeBody()) {
      unsigned number = argument.getArgNumber();
      return number == counter.number ? last() : Value(results[number > counter.number ? number - 1 : number]);
    }
    Operation *op = value.getDefiningOp();
    if (!op || op->getBlock() != loop.getBeforeBody())
      return value;
    if (Value known = mapping.lookupOrNull(value))
      return known;
    if (op == counter.branch)
      return compute(counter.branch.elseYield().getResults()[cast<OpResult>(value).getResultNumber()], last, results);
    for (Value operand : op->getOperands())
      if (!mapping.contains(operand))
        if (Value computed = compute(operand, last, results); computed != operand)
          mapping.map(operand, computed);
    rewriter.clone(*op, mapping);
    return mapping.lookup(value);
  }

private:
  scf::WhileOp loop;
  Counter counter;
  RewriterBase &rewriter;
  IRMapping mapping;
};

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

  scf::ConditionOp condition = loop.getConditionOp();
  Value greatest;
  auto last = [&]() {
    if (!greatest)
      greatest = arith::MaxSIOp::create(rewriter, loc, lower, counter.upper);
    return greatest;
  };
  Ending ending(loop, counter, rewriter);
  SmallVector<Value> results;
  for (auto [forwarded, result] : llvm::zip_equal(condition.getArgs(), loop.getResults()))
    results.push_back(result.use_empty() ? Value() : ending.compute(forwarded, last, made.getResults()));

  // The iteration: what was computed to decide, then what was done.
  Block *body = made.getBody();
  if (!body->empty())
    rewriter.eraseOp(body->getTerminator());
  SmallVector<Value> carried(made.getRegionIterArgs());
  carried.insert(carried.begin() + counter.number, made.getInductionVar());
  SmallVector<Value> yielded;
  for (auto [number, value] : llvm::enumerate(loop.getYieldOp().getResults()))
    if (number != counter.number)
      yielded.push_back(value);
  scf::YieldOp yield = loop.getYieldOp();
  rewriter.setInsertionPoint(yield);
  scf::YieldOp::create(rewriter, yield.getLoc(), yielded);
  rewriter.eraseOp(yield);
  rewriter.inlineBlockBefore(loop.getBeforeBody(), body, body->end(), carried);
  if (counter.branch) {
    scf::YieldOp done = counter.branch.thenYield();
    SmallVector<Value> values(done.getResults());
    rewriter.inlineBlockBefore(counter.branch.thenBlock(), counter.branch, {});
    rewriter.replaceOp(counter.branch, values);
    rewriter.eraseOp(done);
  }
  SmallVector<Value> arguments(condition.getArgs());
  rewriter.setInsertionPoint(counter.comparison);
  rewriter.eraseOp(condition);
  if (!counter.comparison->use_empty())
    rewriter.replaceOp(counter.comparison, arith::ConstantIntOp::create(rewriter, loc, 1, 1).getResult());
  else
    rewriter.eraseOp(counter.comparison);
  rewriter.inlineBlockBefore(loop.getAfterBody(), body, body->end(), arguments);
  for (auto [result, value] : llvm::zip_equal(loop.getResults(), results))
    if (value)
      rewriter.replaceAllUsesWith(result, value);
  rewriter.eraseOp(loop);
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
