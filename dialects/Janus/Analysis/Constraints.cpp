//===- Constraints.cpp - What is known of integers ------------------------===//

#include "Janus/Analysis/Constraints.h"

#include "mlir/Analysis/DataFlow/IntegerRangeAnalysis.h"
#include "mlir/Analysis/DataFlowFramework.h"
#include "mlir/IR/Matchers.h"
#include "llvm/Support/CheckedArithmetic.h"

using namespace mlir;
using namespace mlir::janus;

/// Bounds of a search: what real programs need is found within a few steps.
static constexpr unsigned kMaxDepth = 8;
static constexpr unsigned kMaxSteps = 400;
/// No loop runs longer: at four iterations a nanosecond it would take two years. So what starts low and is counted up
/// by little does not overflow.
static constexpr int64_t kMostTrips = int64_t(1) << 58;
static constexpr int64_t kMin = std::numeric_limits<int64_t>::min(), kMax = std::numeric_limits<int64_t>::max();

static bool isWide(Value value) { return value.getType().isIndex() || value.getType().isSignlessInteger(64); }

static std::optional<int64_t> constantOf(Value value) {
  APInt constant;
  if (!isWide(value) || !matchPattern(value, m_ConstantInt(&constant)))
    return std::nullopt;
  return constant.getSExtValue();
}

static bool isNoSignedWrap(Operation *op) {
  auto flags = dyn_cast<arith::ArithIntegerOverflowFlagsInterface>(op);
  return flags && flags.hasNoSignedWrap();
}

/// The smaller or larger one of two values, written as such or as a comparison and a selection.
static bool matchExtremum(Value value, bool &isMax, Value &a, Value &b) {
  Operation *op = value.getDefiningOp();
  if (isa_and_nonnull<arith::MaxSIOp, arith::MinSIOp>(op)) {
    isMax = isa<arith::MaxSIOp>(op);
    a = op->getOperand(0);
    b = op->getOperand(1);
    return true;
  }
  auto select = dyn_cast_or_null<arith::SelectOp>(op);
  auto comparison = select ? select.getCondition().getDefiningOp<arith::CmpIOp>() : nullptr;
  if (!comparison)
    return false;
  a = comparison.getLhs();
  b = comparison.getRhs();
  bool same = select.getTrueValue() == a && select.getFalseValue() == b;
  if (!same && !(select.getTrueValue() == b && select.getFalseValue() == a))
    return false;
  switch (comparison.getPredicate()) {
  case arith::CmpIPredicate::sgt:
  case arith::CmpIPredicate::sge:
    isMax = same;
    return true;
  case arith::CmpIPredicate::slt:
  case arith::CmpIPredicate::sle:
    isMax = !same;
    return true;
  default:
    return false;
  }
}

//===----------------------------------------------------------------------===//
// Terms and edges
//===----------------------------------------------------------------------===//

std::optional<int64_t> Constraints::rangeBound(Value value, bool upper) {
  if (std::optional<int64_t> constant = constantOf(value))
    return constant;
  if (!isWide(value))
    return std::nullopt;
  // A product with a constant that is exact is a multiple of it.
  if (auto product = value.getDefiningOp<MulOverflowOp>();
      product && value == product.getResult() && llvm::is_contained(exact, product.getOverflow()))
    if (std::optional<int64_t> factor = constantOf(product.getRhs()); factor && *factor > 1)
      return (upper ? kMax : kMin) / *factor * *factor;
  auto *lattice = solver ? solver->lookupState<dataflow::IntegerValueRangeLattice>(value) : nullptr;
  if (!lattice || lattice->getValue().isUninitialized())
    return upper ? kMax : kMin;
  const ConstantIntRanges &range = lattice->getValue().getValue();
  return (upper ? range.smax() : range.smin()).getSExtValue();
}

LinearTerm Constraints::linear(Value value) {
  LinearTerm term{value, 0};
  for (unsigned steps = 0; steps < kMaxSteps; ++steps) {
    if (std::optional<int64_t> constant = constantOf(term.root)) {
      std::optional<int64_t> sum = llvm::checkedAdd(term.offset, *constant);
      return sum ? LinearTerm{Value(), *sum} : term;
    }
    Operation *op = term.root.getDefiningOp();
    if (!op)
      return term;
    if (auto cast = dyn_cast<arith::IndexCastOp>(op)) {
      if (!isWide(cast.getIn()))
        return term;
      term.root = cast.getIn();
      continue;
    }
    bool subtracts = isa<arith::SubIOp, SubOverflowOp>(op);
    if (!subtracts && !isa<arith::AddIOp, AddOverflowOp>(op))
      return term;
    if (isa<AddOverflowOp, SubOverflowOp>(op) && term.root != op->getResult(0))
      return term;
    if (!isWide(term.root))
      return term;
    Value base = op->getOperand(0);
    std::optional<int64_t> constant = constantOf(op->getOperand(1));
    if (!constant && !subtracts) {
      base = op->getOperand(1);
      constant = constantOf(op->getOperand(0));
    }
    if (!constant || *constant == kMin || !isExact(op))
      return term;
    std::optional<int64_t> sum = llvm::checkedAdd(term.offset, subtracts ? -*constant : *constant);
    if (!sum)
      return term;
    term = {base, *sum};
  }
  return term;
}

void Constraints::addEdge(Value a, Value b, int64_t weight) {
  outgoing[a].push_back({b, weight});
  undo.push_back(a);
}

void Constraints::forget(size_t edges, size_t flags) {
  while (undo.size() > edges)
    outgoing[undo.pop_back_val()].pop_back();
  exact.truncate(flags);
}

void Constraints::learnAtMost(Value a, Value b, int64_t c) {
  LinearTerm x = a ? linear(a) : LinearTerm{}, y = b ? linear(b) : LinearTerm{};
  // x + i <= y + j + c
  std::optional<int64_t> weight = llvm::checkedAdd(y.offset, c);
  if (weight)
    weight = llvm::checkedSub(*weight, x.offset);
  if (weight && (x.root || y.root))
    addEdge(x.root, y.root, *weight);
}

void Constraints::learnEqual(Value a, Value b) {
  if (!isWide(a))
    return;
  learnAtMost(a, b, 0);
  learnAtMost(b, a, 0);
}

void Constraints::learnExact(Value flag) { exact.push_back(flag); }

void Constraints::learn(arith::CmpIOp comparison, bool holds) {
  using Predicate = arith::CmpIPredicate;
  Value a = comparison.getLhs(), b = comparison.getRhs();
  if (!isWide(a))
    return;
  Predicate predicate = holds ? comparison.getPredicate() : arith::invertPredicate(comparison.getPredicate());
  switch (predicate) {
  case Predicate::eq:
    return learnEqual(a, b);
  case Predicate::ne:
    return;
  case Predicate::slt:
    return learnAtMost(a, b, -1);
  case Predicate::sle:
    return learnAtMost(a, b, 0);
  case Predicate::sgt:
    return learnAtMost(b, a, -1);
  case Predicate::sge:
    return learnAtMost(b, a, 0);
  case Predicate::ugt:
  case Predicate::uge:
    std::swap(a, b);
    [[fallthrough]];
  case Predicate::ult:
  case Predicate::ule: {
    // Below something that is not negative, a number is not negative either.
    if (!isNonNegative(b))
      return;
    bool strict = predicate == Predicate::ult || predicate == Predicate::ugt;
    learnAtMost(Value(), a, 0);
    learnAtMost(a, b, strict ? -1 : 0);
    return;
  }
  }
}

//===----------------------------------------------------------------------===//
// Searching
//===----------------------------------------------------------------------===//

std::optional<int64_t> Constraints::distance(Value a, Value b) {
  // A search may ask for another one on its way: whether a sum is exact.
  unsigned saved = std::exchange(budget, path.empty() ? kMaxSteps : budget);
  std::optional<int64_t> result = search(a, b, 0);
  if (path.empty())
    budget = saved;
  return result;
}

std::tuple<Value, Value, bool> Constraints::matchSum(Value value) {
  Operation *op = value ? value.getDefiningOp() : nullptr;
  if (!isa_and_nonnull<arith::AddIOp, AddOverflowOp, arith::SubIOp, SubOverflowOp>(op) || value != op->getResult(0) ||
      !isWide(value) || !isExact(op))
    return {Value(), Value(), false};
  return {op->getOperand(0), op->getOperand(1), isa<arith::SubIOp, SubOverflowOp>(op)};
}

std::optional<int64_t> Constraints::search(Value a, Value b, unsigned depth) {
  if (a == b)
    return 0;
  if (depth >= kMaxDepth || budget == 0 || llvm::is_contained(path, a))
    return std::nullopt;
  --budget;
  std::optional<int64_t> best;
  auto improve = [&](std::optional<int64_t> first, int64_t second) {
    std::optional<int64_t> sum = first ? llvm::checkedAdd(*first, second) : std::nullopt;
    if (sum && (!best || *sum < *best))
      best = sum;
  };
  // a <= high and low <= b.
  std::optional<int64_t> high = a ? rangeBound(a, true) : std::optional<int64_t>(0);
  std::optional<int64_t> low = b ? rangeBound(b, false) : std::optional<int64_t>(0);
  if (high && low)
    if (std::optional<int64_t> difference = llvm::checkedSub(*high, *low))
      improve(difference, 0);
  path.push_back(a);
  if (auto found = outgoing.find(a); found != outgoing.end()) {
    // By copy: what the search asks on its way may add to the map.
    SmallVector<Edge, 4> edges(found->second.begin(), found->second.end());
    for (const Edge &edge : edges)
      improve(search(edge.to, b, depth + 1), edge.weight);
  }
  // How far two values that `a` or `b` is made of lie from the other end.
  auto narrow = [&](Value value) {
    // Of the other side of a sum a quick look is enough.
    LinearTerm term = linear(value);
    std::optional<int64_t> low = search(Value(), term.root, depth + 2), high = search(term.root, Value(), depth + 2);
    if (low)
      low = llvm::checkedSub(term.offset, *low);
    if (high)
      high = llvm::checkedAdd(*high, term.offset);
    return std::make_pair(low.value_or(kMin), high.value_or(kMax));
  };
  using Sides = std::pair<std::optional<int64_t>, std::optional<int64_t>>;
  auto above = [&](Value value) -> std::optional<int64_t> {
    LinearTerm term = linear(value);
    std::optional<int64_t> found = search(term.root, b, depth + 1);
    return found ? llvm::checkedAdd(*found, term.offset) : std::nullopt;
  };
  auto below = [&](Value value) -> std::optional<int64_t> {
    LinearTerm term = linear(value);
    std::optional<int64_t> found = search(a, term.root, depth + 1);
    return found ? llvm::checkedSub(*found, term.offset) : std::nullopt;
  };
  auto both = [&](Sides sides) {
    if (sides.first && sides.second)
      improve(std::max(*sides.first, *sides.second), 0);
  };
  auto either = [&](Sides sides) {
    improve(sides.first, 0);
    improve(sides.second, 0);
  };
  bool isMax = false;
  Value x, y;
  if (a && matchExtremum(a, isMax, x, y)) {
    Sides sides{above(x), above(y)};
    isMax ? both(sides) : either(sides);
  } else if (auto select = a ? a.getDefiningOp<arith::SelectOp>() : nullptr) {
    both({above(select.getTrueValue()), above(select.getFalseValue())});
  }
  // A sum lies within the bounds of one side from the other one.
  if (auto [base, other, subtracts] = matchSum(a); base) {
    auto [low, high] = narrow(other);
    if (std::optional<int64_t> way = subtracts ? llvm::checkedSub<int64_t>(0, low) : std::optional<int64_t>(high))
      improve(above(base), *way);
  }
  path.pop_back();
  if (auto [base, other, subtracts] = matchSum(b); base) {
    auto [low, high] = narrow(other);
    if (std::optional<int64_t> way = subtracts ? std::optional<int64_t>(high) : llvm::checkedSub<int64_t>(0, low))
      improve(below(base), *way);
  }
  // What is at most one side of a maximum is at most the maximum.
  if (b && matchExtremum(b, isMax, x, y)) {
    Sides sides{below(x), below(y)};
    isMax ? either(sides) : both(sides);
  }
  return best;
}

bool Constraints::isAtMost(Value a, Value b, int64_t c) {
  LinearTerm x = a ? linear(a) : LinearTerm{}, y = b ? linear(b) : LinearTerm{};
  std::optional<int64_t> slack = llvm::checkedAdd(y.offset, c);
  if (slack)
    slack = llvm::checkedSub(*slack, x.offset);
  std::optional<int64_t> found = slack ? distance(x.root, y.root) : std::nullopt;
  return found && *found <= *slack;
}

bool Constraints::isNonNegative(Value value) { return isAtMost(Value(), value, 0); }

std::pair<int64_t, int64_t> Constraints::bounds(Value value) {
  int64_t low = kMin, high = kMax;
  LinearTerm term = linear(value);
  if (!term.root)
    return {term.offset, term.offset};
  if (std::optional<int64_t> above = distance(term.root, Value()))
    if (std::optional<int64_t> sum = llvm::checkedAdd(*above, term.offset))
      high = *sum;
  if (std::optional<int64_t> below = distance(Value(), term.root))
    if (std::optional<int64_t> sum = llvm::checkedSub(term.offset, *below))
      low = *sum;
  return {low, high};
}

//===----------------------------------------------------------------------===//
// Deciding
//===----------------------------------------------------------------------===//

std::optional<bool> Constraints::decide(arith::CmpIOp comparison) {
  using Predicate = arith::CmpIPredicate;
  Value a = comparison.getLhs(), b = comparison.getRhs();
  if (!isWide(a))
    return std::nullopt;
  Predicate predicate = comparison.getPredicate();
  switch (predicate) {
  case Predicate::ult:
  case Predicate::ule:
  case Predicate::ugt:
  case Predicate::uge:
    // Among numbers that are not negative there is one order.
    if (!isNonNegative(a) || !isNonNegative(b))
      return std::nullopt;
    break;
  default:
    break;
  }
  auto order = [&](Value x, Value y, bool strict) -> std::optional<bool> {
    if (isAtMost(x, y, strict ? -1 : 0))
      return true;
    if (isAtMost(y, x, strict ? 0 : -1))
      return false;
    return std::nullopt;
  };
  switch (predicate) {
  case Predicate::ult:
  case Predicate::slt:
    return order(a, b, true);
  case Predicate::ule:
  case Predicate::sle:
    return order(a, b, false);
  case Predicate::ugt:
  case Predicate::sgt:
    return order(b, a, true);
  case Predicate::uge:
  case Predicate::sge:
    return order(b, a, false);
  case Predicate::eq:
  case Predicate::ne: {
    bool isEq = predicate == Predicate::eq;
    if (isAtMost(a, b, -1) || isAtMost(b, a, -1))
      return !isEq;
    if (isAtMost(a, b, 0) && isAtMost(b, a, 0))
      return isEq;
    return std::nullopt;
  }
  }
  llvm_unreachable("all predicates are handled");
}

bool Constraints::isExact(Operation *op) {
  if (isNoSignedWrap(op))
    return true;
  if (op->getNumResults() == 2 && llvm::is_contained(exact, op->getResult(1)))
    return true;
  // The searches that follow ask whether sums are exact in turn.
  if (path.size() >= kMaxDepth || llvm::is_contained(path, op->getResult(0)))
    return false;
  path.push_back(op->getResult(0));
  unsigned saved = std::exchange(budget, path.size() == 1 ? kMaxSteps : budget);
  auto [lowA, highA] = bounds(op->getOperand(0));
  auto [lowB, highB] = bounds(op->getOperand(1));
  bool result = false;
  if (isa<AddOverflowOp, arith::AddIOp>(op)) {
    result = llvm::checkedAdd(lowA, lowB).has_value() && llvm::checkedAdd(highA, highB).has_value();
  } else if (isa<SubOverflowOp, arith::SubIOp>(op)) {
    result = llvm::checkedSub(lowA, highB).has_value() && llvm::checkedSub(highA, lowB).has_value();
    // 0 <= b <= a
    result |= lowB >= 0 && isAtMost(op->getOperand(1), op->getOperand(0), 0);
  } else if (isa<MulOverflowOp, arith::MulIOp>(op)) {
    result = llvm::checkedMul(lowA, lowB) && llvm::checkedMul(lowA, highB) && llvm::checkedMul(highA, lowB) &&
             llvm::checkedMul(highA, highB);
  }
  path.pop_back();
  if (path.empty())
    budget = saved;
  return result;
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

/// Whether the function is left if the overflow op's flag is true, before anything else follows in its block.
static bool isGuarded(Operation *op) {
  for (Operation *user : op->getResult(1).getUsers()) {
    if (!isa<arith::XOrIOp>(user))
      continue;
    for (Operation *guard : user->getUsers())
      if (isa<GuardOp>(guard) && guard->getBlock() == op->getBlock())
        return true;
  }
  return false;
}

std::optional<std::pair<int64_t, int64_t>> Constraints::increment(Value value, Value argument, unsigned depth,
                                                                  bool needExact, scf::WhileOp whileLoop) {
  using Result = std::optional<std::pair<int64_t, int64_t>>;
  if (value == argument)
    return std::make_pair(int64_t(0), int64_t(0));
  if (depth == kMaxDepth)
    return std::nullopt;
  auto unite = [&](Value a, Value b) -> Result {
    Result x = increment(a, argument, depth + 1, needExact, whileLoop);
    Result y = x ? increment(b, argument, depth + 1, needExact, whileLoop) : std::nullopt;
    if (!y)
      return std::nullopt;
    return std::make_pair(std::min(x->first, y->first), std::max(x->second, y->second));
  };
  if (auto blockArgument = dyn_cast<BlockArgument>(value)) {
    // The body of a while loop sees what its condition forwards.
    if (whileLoop && blockArgument.getOwner() == whileLoop.getAfterBody())
      return increment(whileLoop.getConditionOp().getArgs()[blockArgument.getArgNumber()], argument, depth + 1,
                       needExact, whileLoop);
    return std::nullopt;
  }
  Operation *op = value.getDefiningOp();
  if (auto select = dyn_cast<arith::SelectOp>(op))
    return unite(select.getTrueValue(), select.getFalseValue());
  if (auto branch = dyn_cast<scf::IfOp>(op)) {
    unsigned number = cast<OpResult>(value).getResultNumber();
    return unite(branch.thenYield().getOperand(number), branch.elseYield().getOperand(number));
  }
  bool subtracts = isa<arith::SubIOp, SubOverflowOp>(op);
  if (!subtracts && !isa<arith::AddIOp, AddOverflowOp>(op))
    return std::nullopt;
  bool isFlagged = isa<AddOverflowOp, SubOverflowOp>(op);
  if (isFlagged && value != op->getResult(0))
    return std::nullopt;
  if (needExact && !isNoSignedWrap(op) && !(isFlagged && isGuarded(op)))
    return std::nullopt;
  Value base = op->getOperand(0), step = op->getOperand(1);
  std::optional<int64_t> low = rangeBound(step, false), high = rangeBound(step, true);
  if (!subtracts && (!low || !high)) {
    std::swap(base, step);
    low = rangeBound(step, false), high = rangeBound(step, true);
  }
  if (!low || !high)
    return std::nullopt;
  Result before = increment(base, argument, depth + 1, needExact, whileLoop);
  if (!before)
    return std::nullopt;
  std::optional<int64_t> least =
      subtracts ? llvm::checkedSub(before->first, *high) : llvm::checkedAdd(before->first, *low);
  std::optional<int64_t> most =
      subtracts ? llvm::checkedSub(before->second, *low) : llvm::checkedAdd(before->second, *high);
  if (!least || !most)
    return std::nullopt;
  return std::make_pair(*least, *most);
}

void Constraints::learnCounter(Value argument, Value init, Value next, int64_t trips, scf::WhileOp whileLoop) {
  if (!isWide(argument))
    return;
  // With a bounded number of steps nothing can wrap as long as the last value cannot.
  auto step = increment(next, argument, 0, /*needExact=*/false, whileLoop);
  auto [low, high] = bounds(init);
  auto reach = [&](int64_t start, int64_t each) -> std::optional<int64_t> {
    std::optional<int64_t> way = llvm::checkedMul(each, trips);
    return way ? llvm::checkedAdd(start, *way) : std::nullopt;
  };
  std::optional<int64_t> least = step ? reach(low, std::min<int64_t>(step->first, 0)) : std::nullopt;
  std::optional<int64_t> most = step ? reach(high, std::max<int64_t>(step->second, 0)) : std::nullopt;
  if (least && most) {
    learnAtMost(Value(), argument, *least == kMin ? kMax : -*least);
    learnAtMost(argument, Value(), *most);
    if (step->first >= 0)
      learnAtMost(init, argument, 0);
    if (step->second <= 0)
      learnAtMost(argument, init, 0);
    return;
  }
  step = increment(next, argument, 0, /*needExact=*/true, whileLoop);
  if (step && step->first >= 0)
    learnAtMost(init, argument, 0);
  if (step && step->second <= 0)
    learnAtMost(argument, init, 0);
}

void Constraints::enter(scf::ForOp loop) {
  Value iv = loop.getInductionVar(), lower = loop.getLowerBound(), upper = loop.getUpperBound();
  if (!isWide(iv) || loop.getUnsignedCmp())
    return;
  int64_t trips = kMostTrips;
  auto [lowest, unused] = bounds(lower);
  auto [unused2, highest] = bounds(upper);
  if (std::optional<int64_t> step = constantOf(loop.getStep()); step && *step > 0)
    if (std::optional<int64_t> distance = llvm::checkedSub(highest, lowest))
      trips = *distance <= 0 ? 0 : std::min(trips, *distance / *step + (*distance % *step != 0));
  for (auto [argument, init, next] : llvm::zip(loop.getRegionIterArgs(), loop.getInitArgs(), loop.getYieldedValues())) {
    learnCounter(argument, init, next, trips, nullptr);
    // What grows by at most one in each iteration keeps its distance to the induction variable.
    if (!isWide(argument) || constantOf(loop.getStep()) != 1)
      continue;
    auto step = increment(next, argument, 0, /*needExact=*/false, nullptr);
    LinearTerm from = linear(init), start = linear(lower);
    std::optional<int64_t> gap = llvm::checkedSub(from.offset, start.offset);
    if (step && step->first >= 0 && step->second <= 1 && gap && from.root == start.root)
      learnAtMost(argument, iv, *gap);
  }
  learnAtMost(lower, iv, 0);
  learnAtMost(iv, upper, -1);
  // If the bound is the larger one of two values, it is the one that the loop does not start above.
  bool isMax = false;
  Value x, y;
  if (matchExtremum(upper, isMax, x, y) && isMax) {
    if (isAtMost(y, lower, 0))
      learnAtMost(iv, x, -1);
    if (isAtMost(x, lower, 0))
      learnAtMost(iv, y, -1);
  }
}

void Constraints::enter(scf::WhileOp loop) {
  for (auto [argument, init, next] :
       llvm::zip(loop.getBeforeArguments(), loop.getInits(), loop.getYieldOp().getResults()))
    learnCounter(argument, init, next, kMostTrips, loop);
}
