//===- EliminateGuards.cpp - Drop guards that are known to hold -----------===//

#include "Janus/IR/JanusOps.h"
#include "Janus/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/ScopedHashTable.h"

namespace mlir::janus {
#define GEN_PASS_DEF_ELIMINATEGUARDSPASS
#include "Janus/Transforms/Passes.h.inc"
} // namespace mlir::janus

using namespace mlir;
using namespace mlir::janus;

namespace {

/// What is known of i1 values at the point that the walk has reached.
using Facts = llvm::ScopedHashTable<Value, bool>;

/// The other operand where `value` is `xori %a, true`, else null.
Value negated(Value value) {
  auto xori = value.getDefiningOp<arith::XOrIOp>();
  if (!xori || !value.getType().isInteger(1))
    return {};
  if (matchPattern(xori.getRhs(), m_One()))
    return xori.getLhs();
  if (matchPattern(xori.getLhs(), m_One()))
    return xori.getRhs();
  return {};
}

class Eliminator {
public:
  /// Walks one region; what it learns there is forgotten at the end.
  void visit(Region &region) {
    for (Block &block : region) {
      // Where a region has several blocks, each starts with what holds around the region.
      Facts::ScopeTy scope(facts);
      visit(block);
    }
  }

  unsigned dropped = 0;

private:
  void visit(Block &block) {
    for (Operation &op : llvm::make_early_inc_range(block)) {
      if (auto guard = dyn_cast<GuardOp>(op)) {
        if (known(guard.getCond()) == true) {
          guard.erase();
          ++dropped;
        } else {
          learn(guard.getCond(), true);
        }
        continue;
      }
      if (auto branch = dyn_cast<scf::IfOp>(op)) {
        visitUnder(branch.getThenRegion(), branch.getCondition(), true);
        visitUnder(branch.getElseRegion(), branch.getCondition(), false);
        continue;
      }
      // An op that is isolated from above sees none of the values known here, but may be walked all the same.
      for (Region &region : op.getRegions())
        visit(region);
    }
  }

  void visitUnder(Region &region, Value condition, bool value) {
    Facts::ScopeTy scope(facts);
    learn(condition, value);
    visit(region);
  }

  void learn(Value value, bool fact) {
    facts.insert(value, fact);
    if (Value operand = negated(value))
      return learn(operand, !fact);
    if (auto conjunction = value.getDefiningOp<arith::AndIOp>(); conjunction && fact) {
      learn(conjunction.getLhs(), true);
      learn(conjunction.getRhs(), true);
    } else if (auto disjunction = value.getDefiningOp<arith::OrIOp>(); disjunction && !fact) {
      learn(disjunction.getLhs(), false);
      learn(disjunction.getRhs(), false);
    }
  }

  std::optional<bool> known(Value value) {
    APInt constant;
    if (matchPattern(value, m_ConstantInt(&constant)))
      return constant.isOne();
    if (facts.count(value))
      return facts.lookup(value);
    if (Value operand = negated(value)) {
      if (std::optional<bool> fact = known(operand))
        return !*fact;
      return std::nullopt;
    }
    if (auto conjunction = value.getDefiningOp<arith::AndIOp>())
      return combine(conjunction.getLhs(), conjunction.getRhs(), /*dominant=*/false);
    if (auto disjunction = value.getDefiningOp<arith::OrIOp>())
      return combine(disjunction.getLhs(), disjunction.getRhs(), /*dominant=*/true);
    return std::nullopt;
  }

  /// A conjunction is false where one side is, a disjunction true where one side is: `dominant` is that value.
  std::optional<bool> combine(Value lhs, Value rhs, bool dominant) {
    std::optional<bool> a = known(lhs), b = known(rhs);
    if (a == dominant || b == dominant)
      return dominant;
    if (a && b)
      return !dominant;
    return std::nullopt;
  }

  Facts facts;
};

struct EliminateGuardsPass : public janus::impl::EliminateGuardsPassBase<EliminateGuardsPass> {
  void runOnOperation() override {
    Eliminator eliminator;
    for (Region &region : getOperation()->getRegions())
      eliminator.visit(region);
    if (eliminator.dropped == 0)
      markAllAnalysesPreserved();
  }
};

} // namespace
