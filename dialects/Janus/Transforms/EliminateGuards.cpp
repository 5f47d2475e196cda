//===- EliminateGuards.cpp - Drop guards that are known to hold -----------===//

#include "Janus/Analysis/Constraints.h"
#include "Janus/IR/JanusOps.h"
#include "Janus/Transforms/Passes.h"

#include "mlir/Analysis/DataFlow/IntegerRangeAnalysis.h"
#include "mlir/Analysis/DataFlow/Utils.h"
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

/// Returns `value` without the negations around it, which `negated` counts.
Value stripNegations(Value value, bool &negated) {
  while (auto xori = value.getDefiningOp<arith::XOrIOp>()) {
    if (matchPattern(xori.getRhs(), m_One()))
      value = xori.getLhs();
    else if (matchPattern(xori.getLhs(), m_One()))
      value = xori.getRhs();
    else
      break;
    negated = !negated;
  }
  return value;
}

/// Strips negations, and brings comparisons of scalars into their one form.
Literal normalize(Value value) {
  bool negated = false;
  value = stripNegations(value, negated);
  if (auto comparison = value.getDefiningOp<arith::CmpIOp>()) {
    Literal literal = normalize(comparison);
    literal.negated ^= negated;
    return literal;
  }
  return {{kValue, value, Value()}, negated};
}

class Eliminator {
public:
  explicit Eliminator(DataFlowSolver &solver) : constraints(&solver) {}

  /// Walks one region; what it learns there is forgotten at the end.
  void visit(Region &region) {
    for (Block &block : region) {
      // Where a region has several blocks, each starts with what holds around the region.
      Facts::ScopeTy scope(facts);
      Constraints::Scope constraintScope(constraints);
      visit(block);
    }
  }

  /// Erases what is not needed any more, and tells whether there was anything.
  bool finish() {
    for (Operation *op : gone)
      op->erase();
    return !gone.empty();
  }

private:
  void visit(Block &block) {
    for (Operation &op : llvm::make_early_inc_range(block)) {
      if (auto guard = dyn_cast<GuardOp>(op)) {
        if (known(guard.getCond()) == true) {
          gone.push_back(guard);
        } else {
          learn(guard.getCond(), true);
        }
      } else if (auto comparison = dyn_cast<arith::CmpIOp>(op)) {
        if (std::optional<bool> fact = constraints.decide(comparison))
          replace(comparison, *fact);
      } else if (isa<AddOverflowOp, SubOverflowOp, MulOverflowOp>(op)) {
        if (constraints.isExact(&op))
          makePlain(&op);
      } else if (auto branch = dyn_cast<scf::IfOp>(op)) {
        visitUnder(branch.getThenRegion(), branch.getCondition(), true);
        visitUnder(branch.getElseRegion(), branch.getCondition(), false);
      } else if (auto loop = dyn_cast<scf::ForOp>(op)) {
        Constraints::Scope scope(constraints);
        constraints.enter(loop);
        visit(loop.getRegion());
      } else if (auto loop = dyn_cast<scf::WhileOp>(op)) {
        visitLoop(loop);
      } else {
        for (Region &region : op.getRegions())
          visit(region);
      }
    }
  }

  void visitLoop(scf::WhileOp loop) {
    Facts::ScopeTy scope(facts);
    Constraints::Scope constraintScope(constraints);
    constraints.enter(loop);
    visit(*loop.getBeforeBody());
    // The body runs after the condition was found true, on the values that it forwards.
    scf::ConditionOp condition = loop.getConditionOp();
    for (auto [argument, forwarded] : llvm::zip(loop.getAfterArguments(), condition.getArgs()))
      constraints.learnEqual(argument, forwarded);
    learn(condition.getCondition(), true);
    visit(*loop.getAfterBody());
  }

  void replace(arith::CmpIOp comparison, bool fact) {
    OpBuilder b(comparison);
    comparison.replaceAllUsesWith(arith::ConstantIntOp::create(b, comparison.getLoc(), fact, 1).getResult());
    gone.push_back(comparison);
  }

  /// Turns an operation that does not overflow into one that does not check.
  void makePlain(Operation *op) {
    OpBuilder b(op);
    Location loc = op->getLoc();
    Value lhs = op->getOperand(0), rhs = op->getOperand(1);
    auto exact = arith::IntegerOverflowFlags::nsw;
    Value plain = isa<AddOverflowOp>(op)   ? arith::AddIOp::create(b, loc, lhs, rhs, exact).getResult()
                  : isa<SubOverflowOp>(op) ? arith::SubIOp::create(b, loc, lhs, rhs, exact).getResult()
                                           : arith::MulIOp::create(b, loc, lhs, rhs, exact).getResult();
    op->getResult(0).replaceAllUsesWith(plain);
    op->getResult(1).replaceAllUsesWith(arith::ConstantIntOp::create(b, loc, false, 1).getResult());
    gone.push_back(op);
  }

  void visitUnder(Region &region, Value condition, bool value) {
    Facts::ScopeTy scope(facts);
    Constraints::Scope constraintScope(constraints);
    learn(condition, value);
    visit(region);
  }

  void learn(Value value, bool fact, unsigned depth = 0) {
    bool isOpposite = false;
    Value stripped = stripNegations(value, isOpposite);
    if (auto comparison = stripped.getDefiningOp<arith::CmpIOp>())
      constraints.learn(comparison, fact != isOpposite);
    auto [condition, negated] = normalize(value);
    fact ^= negated;
    facts.insert(condition, fact);
    if (depth == kMaxDepth)
      return;
    Value root = std::get<1>(condition);
    if (Operation *flagged = root.getDefiningOp();
        isa_and_nonnull<AddOverflowOp, SubOverflowOp, MulOverflowOp>(flagged) && !fact && root == flagged->getResult(1))
      constraints.learnExact(root);
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
    auto [condition, negated] = normalize(value);
    APInt constant;
    if (std::get<0>(condition) == kValue && matchPattern(std::get<1>(condition), m_ConstantInt(&constant)))
      return constant.isOne() != negated;
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
  Constraints constraints;
  /// Erased at the end: a new op in the place of an old one would inherit the range that the analysis has found for it.
  SmallVector<Operation *> gone;
};

struct EliminateGuardsPass : public janus::impl::EliminateGuardsPassBase<EliminateGuardsPass> {
  void runOnOperation() override {
    bool hasGuards = getOperation()->walk([](GuardOp) { return WalkResult::interrupt(); }).wasInterrupted();
    if (!hasGuards)
      return markAllAnalysesPreserved();
    DataFlowSolver solver;
    dataflow::loadBaselineAnalyses(solver);
    solver.load<dataflow::IntegerRangeAnalysis>();
    if (failed(solver.initializeAndRun(getOperation())))
      return signalPassFailure();
    Eliminator eliminator(solver);
    for (Region &region : getOperation()->getRegions())
      eliminator.visit(region);
    if (!eliminator.finish())
      markAllAnalysesPreserved();
  }
};

} // namespace
