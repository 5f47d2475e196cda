//===- HoistGuards.cpp - Guards out of loops ------------------------------===//

#include "Janus/Analysis/Constraints.h"
#include "Janus/Analysis/Frames.h"
#include "Janus/Transforms/Passes.h"

#include "mlir/Analysis/DataFlow/IntegerRangeAnalysis.h"
#include "mlir/Analysis/DataFlow/Utils.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/ScopeExit.h"

namespace mlir::janus {
#define GEN_PASS_DEF_HOISTGUARDSPASS
#include "Janus/Transforms/Passes.h.inc"
} // namespace mlir::janus

using namespace mlir;
using namespace mlir::janus;

namespace {

/// How a value of the loop depends on the iteration.
enum class Shape {
  /// Not at all.
  Invariant,
  /// It is a multiple of the induction variable plus something invariant, and nothing wraps.
  Affine,
  Other,
};

/// The guards of one loop.
class Hoister {
public:
  Hoister(LoopLikeOpInterface loop, DataFlowSolver &solver) : loop(loop), constraints(&solver) {
    SmallVector<scf::ForOp> around;
    for (Operation *op = loop; op; op = op->getParentOp())
      if (auto forLoop = dyn_cast<scf::ForOp>(op))
        around.push_back(forLoop);
    for (scf::ForOp forLoop : llvm::reverse(around))
      constraints.enter(forLoop);
  }

  bool run() {
    // Where the function may return from within the loop, a guard of a later iteration need not be reached.
    if (loop->walk([](LeaveOp) { return WalkResult::interrupt(); }).wasInterrupted())
      return false;
    if (auto forLoop = dyn_cast<scf::ForOp>(*loop)) {
      if (matchPattern(forLoop.getStep(), m_One()) && !forLoop.getUnsignedCmp())
        counter = forLoop.getInductionVar();
      return hoistFrom(*forLoop.getBody());
    }
    auto whileLoop = cast<scf::WhileOp>(*loop);
    bool changed = hoistFrom(*whileLoop.getBeforeBody());
    return hoistFrom(*whileLoop.getAfterBody()) || changed;
  }

private:
  bool hoistFrom(Block &block) {
    bool changed = false;
    for (Operation &op : llvm::make_early_inc_range(block)) {
      if (auto guard = dyn_cast<GuardOp>(op)) {
        changed |= hoist(guard);
      } else if (isUnconditionalExit(&op)) {
        break;
      }
    }
    return changed;
  }

  bool hoist(GuardOp guard) {
    // What follows a guard that stands, or is taken out, may rely on it.
    auto learn = llvm::scope_exit([flag = overflowFlag(guard.getCond()), this] {
      if (flag)
        constraints.learnExact(flag);
    });
    FrameOp frame;
    if (!mayLeaveBefore(guard, frame) || !isConvex(guard.getCond()))
      return false;
    OpBuilder b(loop);
    Location loc = guard.getLoc();
    std::optional<Value> entered = conditionOfEntry(guard->getBlock(), b, loc);
    if (!entered)
      return false;
    Value condition;
    if (shapeOf(guard.getCond()) == Shape::Invariant) {
      IRMapping once;
      condition = cloneBefore(guard.getCond(), once, b);
    } else {
      auto forLoop = cast<scf::ForOp>(*loop);
      Type type = counter.getType();
      Value one = arith::ConstantOp::create(b, loc, b.getIntegerAttr(type, 1));
      Value last = arith::SubIOp::create(b, loc, forLoop.getUpperBound(), one);
      IRMapping atFirst, atLast;
      atFirst.map(counter, forLoop.getLowerBound());
      atLast.map(counter, last);
      Value low = cloneBefore(guard.getCond(), atFirst, b);
      Value high = cloneBefore(guard.getCond(), atLast, b);
      condition = arith::AndIOp::create(b, loc, low, high);
    }
    if (*entered) {
      Value one = arith::ConstantIntOp::create(b, loc, 1, 1);
      condition = arith::SelectOp::create(b, loc, *entered, condition, one);
    }
    if (frame)
      createGuard(b, loc, condition, guard.getKind(), frame);
    else
      GuardOp::create(b, loc, condition, guard.getKind(), guard.getSite(), guard.getLive(), guard.getRestart());
    guard.erase();
    return true;
  }

  /// Whether the function may be left in front of the loop instead of at the guard: to the guard's own site, or to
  /// `frame` if that is set.
  bool mayLeaveBefore(GuardOp guard, FrameOp &frame) {
    bool isOutside = llvm::all_of(guard.getLive(), [&](Value value) { return loop.isDefinedOutsideOfLoop(value); });
    if (isOutside && (guard.getRestart() || !hasEffect(loop)))
      return true;
    // By the site of a failing branch the runtime knows which one to compile both ways.
    if (llvm::is_contained({GuardKind::Branch, GuardKind::Trips, GuardKind::Value, GuardKind::Type}, guard.getKind()))
      return false;
    frame = findFrame(loop);
    return frame != nullptr;
  }

  /// A condition that is true if the loop runs at least once, or nothing if it always does; failure if it cannot be
  /// told.
  std::optional<Value> conditionOfEntry(Block *block, OpBuilder &b, Location loc) {
    if (auto forLoop = dyn_cast<scf::ForOp>(*loop)) {
      if (alwaysRuns(forLoop))
        return Value();
      auto predicate = forLoop.getUnsignedCmp() ? arith::CmpIPredicate::ult : arith::CmpIPredicate::slt;
      return Value(arith::CmpIOp::create(b, loc, predicate, forLoop.getLowerBound(), forLoop.getUpperBound()));
    }
    auto whileLoop = cast<scf::WhileOp>(*loop);
    if (block == whileLoop.getBeforeBody())
      return Value();
    // What the condition is at first, if that can be computed without the loop.
    Value condition = whileLoop.getConditionOp().getCondition();
    IRMapping first;
    first.map(whileLoop.getBeforeArguments(), whileLoop.getInits());
    if (!isCloneable(condition, *whileLoop.getBeforeBody()))
      return std::nullopt;
    return cloneBefore(condition, first, b);
  }

  /// The constraints do not say: among them are facts of the loop itself, which hold once it runs.
  static bool alwaysRuns(scf::ForOp loop) {
    APInt lower, upper;
    return !loop.getUnsignedCmp() && matchPattern(loop.getLowerBound(), m_ConstantInt(&lower)) &&
           matchPattern(loop.getUpperBound(), m_ConstantInt(&upper)) && lower.slt(upper);
  }

  /// An op that may run where it did not run before.
  static bool isCheap(Operation *op) {
    return (isa<arith::ArithDialect, JanusDialect>(op->getDialect()) || isa<tensor::DimOp>(op)) && canSpeculate(op);
  }

  bool isCloneable(Value value, Block &block, unsigned depth = 0) {
    if (loop.isDefinedOutsideOfLoop(value))
      return true;
    if (auto argument = dyn_cast<BlockArgument>(value))
      return argument.getOwner() == &block;
    Operation *op = value.getDefiningOp();
    return depth < kMaxDepth && isCheap(op) &&
           llvm::all_of(op->getOperands(), [&](Value operand) { return isCloneable(operand, block, depth + 1); });
  }

  Shape shapeOf(Value value, unsigned depth = 0) {
    if (loop.isDefinedOutsideOfLoop(value))
      return Shape::Invariant;
    if (value == counter)
      return Shape::Affine;
    Operation *op = value.getDefiningOp();
    if (!op || depth == kMaxDepth || !isCheap(op))
      return Shape::Other;
    SmallVector<Shape> shapes;
    for (Value operand : op->getOperands())
      shapes.push_back(shapeOf(operand, depth + 1));
    if (llvm::all_of(shapes, [](Shape shape) { return shape == Shape::Invariant; }))
      return Shape::Invariant;
    if (llvm::is_contained(shapes, Shape::Other))
      return Shape::Other;
    if (isa<arith::IndexCastOp>(op) && op->getOperand(0).getType().isSignlessInteger(64))
      return Shape::Affine;
    if (isa<arith::IndexCastOp>(op) && value.getType().isSignlessInteger(64))
      return Shape::Affine;
    bool isSum = isa<arith::AddIOp, arith::SubIOp, AddOverflowOp, SubOverflowOp>(op);
    bool isMultiple = isa<arith::MulIOp, MulOverflowOp>(op) && llvm::is_contained(shapes, Shape::Invariant);
    bool isNumber = value == op->getResult(0) && (value.getType().isIndex() || value.getType().isSignlessInteger(64));
    return (isSum || isMultiple) && isNumber && constraints.isExact(op) ? Shape::Affine : Shape::Other;
  }

  /// Whether the condition holds in every iteration if it holds in the first and in the last one.
  bool isConvex(Value condition, unsigned depth = 0) {
    Shape shape = shapeOf(condition);
    if (shape == Shape::Invariant)
      return true;
    Operation *op = condition.getDefiningOp();
    if (!op || !counter || depth == kMaxDepth)
      return false;
    if (isa<arith::AndIOp>(op))
      return isConvex(op->getOperand(0), depth + 1) && isConvex(op->getOperand(1), depth + 1);
    if (Value flag = overflowFlag(condition)) {
      // The result as mathematics has it lies between two bounds.
      Operation *sum = flag.getDefiningOp();
      Shape lhs = shapeOf(sum->getOperand(0)), rhs = shapeOf(sum->getOperand(1));
      bool isLinear = !isa<MulOverflowOp>(sum) || lhs == Shape::Invariant || rhs == Shape::Invariant;
      return lhs != Shape::Other && rhs != Shape::Other && isLinear && isCheap(sum);
    }
    auto comparison = dyn_cast<arith::CmpIOp>(op);
    if (!comparison)
      return false;
    Value lhs = comparison.getLhs(), rhs = comparison.getRhs();
    Shape left = shapeOf(lhs), right = shapeOf(rhs);
    if (left == Shape::Other || right == Shape::Other)
      return false;
    switch (comparison.getPredicate()) {
    case arith::CmpIPredicate::slt:
    case arith::CmpIPredicate::sle:
    case arith::CmpIPredicate::sgt:
    case arith::CmpIPredicate::sge:
      return true;
    case arith::CmpIPredicate::ult:
    case arith::CmpIPredicate::ule:
      return right == Shape::Invariant && constraints.isNonNegative(rhs);
    case arith::CmpIPredicate::ugt:
    case arith::CmpIPredicate::uge:
      return left == Shape::Invariant && constraints.isNonNegative(lhs);
    default:
      return false;
    }
  }

  /// The flag of which the condition is the opposite, if it is one of an overflow op.
  static Value overflowFlag(Value condition) {
    auto negation = condition.getDefiningOp<arith::XOrIOp>();
    if (!negation || !matchPattern(negation.getRhs(), m_One()))
      return Value();
    Operation *op = negation.getLhs().getDefiningOp();
    bool isFlag =
        isa_and_nonnull<AddOverflowOp, SubOverflowOp, MulOverflowOp>(op) && negation.getLhs() == op->getResult(1);
    return isFlag ? negation.getLhs() : Value();
  }

  /// Computes a value of the loop in front of it.
  Value cloneBefore(Value value, IRMapping &mapping, OpBuilder &b) {
    if (loop.isDefinedOutsideOfLoop(value))
      return value;
    if (Value known = mapping.lookupOrNull(value))
      return known;
    Operation *op = value.getDefiningOp();
    for (Value operand : op->getOperands())
      mapping.map(operand, cloneBefore(operand, mapping, b));
    Operation *made = b.clone(*op, mapping);
    // That nothing wraps is known of iterations, and there may be none.
    if (auto flags = dyn_cast<arith::ArithIntegerOverflowFlagsInterface>(made))
      made->setAttr(flags.getIntegerOverflowAttrName(),
                    arith::IntegerOverflowFlagsAttr::get(b.getContext(), arith::IntegerOverflowFlags::none));
    return mapping.lookup(value);
  }

  static constexpr unsigned kMaxDepth = 8;

  LoopLikeOpInterface loop;
  Constraints constraints;
  /// The induction variable, if it grows by one.
  Value counter;
};

struct HoistGuardsPass : public janus::impl::HoistGuardsPassBase<HoistGuardsPass> {
  static unsigned depthOf(Operation *op) {
    unsigned depth = 0;
    while ((op = op->getParentOp()))
      ++depth;
    return depth;
  }

  void runOnOperation() override {
    // Inner loops first, so that a guard leaves them one after the other.
    SmallVector<LoopLikeOpInterface> loops;
    getOperation()->walk([&](GuardOp guard) {
      Operation *parent = guard->getParentOp();
      while (parent && isa<scf::ForOp, scf::WhileOp, scf::IfOp>(parent)) {
        if (auto loop = dyn_cast<LoopLikeOpInterface>(parent); loop && !llvm::is_contained(loops, loop))
          loops.push_back(loop);
        parent = parent->getParentOp();
      }
    });
    if (loops.empty())
      return markAllAnalysesPreserved();
    llvm::stable_sort(loops, [](Operation *a, Operation *b) { return depthOf(a) > depthOf(b); });
    DataFlowSolver solver;
    dataflow::loadBaselineAnalyses(solver);
    solver.load<dataflow::IntegerRangeAnalysis>();
    if (failed(solver.initializeAndRun(getOperation())))
      return signalPassFailure();
    bool changed = false;
    for (LoopLikeOpInterface loop : loops)
      changed |= Hoister(loop, solver).run();
    if (!changed)
      markAllAnalysesPreserved();
  }
};

} // namespace
