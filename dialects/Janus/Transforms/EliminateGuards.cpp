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

/// An i1 value in a form in which equal conditions are equal: either a value of its own, `{kValue, v, null}`, or
/// one of the comparisons `eq`, `slt` and `ult`, from which all others follow by swapping and negating.
using Condition = std::tuple<int, Value, Value>;
constexpr int kValue = -1;

/// `value` is `condition`, or its opposite.
struct Literal {
  Condition condition;
  bool negated;
};

/// What is known at the point that the walk has reached.
using Facts = llvm::ScopedHashTable<Condition, bool>;

Literal normalize(arith::CmpIOp comparison) {
  using Predicate = arith::CmpIPredicate;
  Value lhs = comparison.getLhs(), rhs = comparison.getRhs();
  auto literal = [](Predicate predicate, Value a, Value b, bool negated) {
    return Literal{{static_cast<int>(predicate), a, b}, negated};
  };
  switch (comparison.getPredicate()) {
  case Predicate::eq:
  case Predicate::ne:
    if (rhs.getAsOpaquePointer() < lhs.getAsOpaquePointer())
      std::swap(lhs, rhs);
    return literal(Predicate::eq, lhs, rhs, comparison.getPredicate() == Predicate::ne);
  case Predicate::slt:
    return literal(Predicate::slt, lhs, rhs, false);
  case Predicate::sgt:
    return literal(Predicate::slt, rhs, lhs, false);
  case Predicate::sge:
    return literal(Predicate::slt, lhs, rhs, true);
  case Predicate::sle:
    return literal(Predicate::slt, rhs, lhs, true);
  case Predicate::ult:
    return literal(Predicate::ult, lhs, rhs, false);
  case Predicate::ugt:
    return literal(Predicate::ult, rhs, lhs, false);
  case Predicate::uge:
    return literal(Predicate::ult, lhs, rhs, true);
  case Predicate::ule:
    return literal(Predicate::ult, rhs, lhs, true);
  }
  llvm_unreachable("all predicates are handled");
}

/// Strips negations, and brings comparisons of scalars into their one form.
Literal normalize(Value value) {
  bool negated = false;
  while (auto xori = value.getDefiningOp<arith::XOrIOp>()) {
    if (matchPattern(xori.getRhs(), m_One()))
      value = xori.getLhs();
    else if (matchPattern(xori.getLhs(), m_One()))
      value = xori.getRhs();
    else
      break;
    negated = !negated;
  }
  if (auto comparison = value.getDefiningOp<arith::CmpIOp>()) {
    Literal literal = normalize(comparison);
    literal.negated ^= negated;
    return literal;
  }
  return {{kValue, value, Value()}, negated};
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

  bool droppedAny = false;

private:
  void visit(Block &block) {
    for (Operation &op : llvm::make_early_inc_range(block)) {
      if (auto guard = dyn_cast<GuardOp>(op)) {
        if (known(guard.getCond()) == true) {
          guard.erase();
          droppedAny = true;
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
      for (Region &region : op.getRegions())
        visit(region);
    }
  }

  void visitUnder(Region &region, Value condition, bool value) {
    Facts::ScopeTy scope(facts);
    learn(condition, value);
    visit(region);
  }

  void learn(Value value, bool fact, unsigned depth = 0) {
    auto [condition, negated] = normalize(value);
    fact ^= negated;
    facts.insert(condition, fact);
    if (depth == kMaxDepth)
      return;
    Value root = std::get<1>(condition);
    if (std::get<0>(condition) != kValue)
      return;
    // A conjunction that holds makes both sides true; a disjunction that does not makes both false.
    if (auto conjunction = root.getDefiningOp<arith::AndIOp>(); conjunction && fact) {
      learn(conjunction.getLhs(), true, depth + 1);
      learn(conjunction.getRhs(), true, depth + 1);
    } else if (auto disjunction = root.getDefiningOp<arith::OrIOp>(); disjunction && !fact) {
      learn(disjunction.getLhs(), false, depth + 1);
      learn(disjunction.getRhs(), false, depth + 1);
    }
  }

  std::optional<bool> known(Value value, unsigned depth = 0) {
    APInt constant;
    if (matchPattern(value, m_ConstantInt(&constant)))
      return constant.isOne();
    auto [condition, negated] = normalize(value);
    std::optional<bool> fact = knownCondition(condition, depth);
    return fact ? std::optional<bool>(*fact != negated) : std::nullopt;
  }

  std::optional<bool> knownCondition(const Condition &condition, unsigned depth) {
    if (facts.count(condition))
      return facts.lookup(condition);
    if (std::get<0>(condition) != kValue || depth == kMaxDepth)
      return std::nullopt;
    Value root = std::get<1>(condition);
    if (auto conjunction = root.getDefiningOp<arith::AndIOp>())
      return combine(conjunction.getLhs(), conjunction.getRhs(), /*dominant=*/false, depth + 1);
    if (auto disjunction = root.getDefiningOp<arith::OrIOp>())
      return combine(disjunction.getLhs(), disjunction.getRhs(), /*dominant=*/true, depth + 1);
    return std::nullopt;
  }

  /// A conjunction is false where one side is, a disjunction true where one side is: `dominant` is that value.
  std::optional<bool> combine(Value lhs, Value rhs, bool dominant, unsigned depth) {
    std::optional<bool> a = known(lhs, depth), b = known(rhs, depth);
    if (a == dominant || b == dominant)
      return dominant;
    if (a && b)
      return !dominant;
    return std::nullopt;
  }

  /// Bounds the work on conditions that share subterms.
  static constexpr unsigned kMaxDepth = 8;

  Facts facts;
};

struct EliminateGuardsPass : public janus::impl::EliminateGuardsPassBase<EliminateGuardsPass> {
  void runOnOperation() override {
    Eliminator eliminator;
    for (Region &region : getOperation()->getRegions())
      eliminator.visit(region);
    if (!eliminator.droppedAny)
      markAllAnalysesPreserved();
  }
};

} // namespace
