//===- Reverse.h - The backward computation of one function -------*- C++ -*-===//

#ifndef JANUS_AUTODIFF_REVERSE_H
#define JANUS_AUTODIFF_REVERSE_H

#include "Autodiff/Activity.h"
#include "Autodiff/Scope.h"
#include "Janus/IR/JanusOps.h"
#include "Lax/IR/LaxVjp.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

namespace mlir::janus {

/// A recursive function split in two, for given active arguments and results.
struct Split {
  func::FuncOp forward, backward;
  llvm::BitVector arguments, results;
  /// Arguments that recursive calls pass on: given to `backward` first.
  SmallVector<unsigned> passed;
  /// Those among them that have a gradient: `backward` takes an accumulator for each, next.
  SmallVector<unsigned> accumulated;
  /// Results whose cotangents `backward` takes, last.
  SmallVector<unsigned> seeds;
  /// Arguments whose cotangents `backward` returns.
  SmallVector<unsigned> returned;
};

/// What the functions of one differentiation share.
class SplitSource {
public:
  virtual ~SplitSource() = default;
  /// The two parts of a recursive function; null if it cannot be split. The bodies may be made later.
  virtual Split *split(func::CallOp call, const llvm::BitVector &arguments, const llvm::BitVector &results) = 0;
  /// Whether the callee passes its argument on to itself as it is.
  virtual bool isPassedOn(func::CallOp call, unsigned argument) = 0;
  virtual const CallSummaries &summaries() = 0;
  int32_t stack = 0;
};

/// Builds the backward computation of a function, whose body becomes the forward computation.
class Reverse {
public:
  Reverse(func::FuncOp forward, const Activity &activity, SplitSource &source);

  /// Appends the backward computation to the function, which returns the gradients after its own results.
  LogicalResult runInline(ArrayRef<int64_t> wrt);
  /// Fills `split.backward`.
  LogicalResult runSplit(const Split &split);

  // For the rules of ops, see lax::Vjp.

  /// The value of a forward value where the cotangents are computed now.
  Value lookup(Value value);
  OpFoldResult size(Value value, int64_t dim);
  Value cotangentOf(Value value);
  void setCotangent(Value value, Value cotangent) { cotangents[value] = cotangent; }
  void accumulate(Value value, Value contribution);
  bool isActive(Value value) const { return activity.isActive(value); }
  bool hasAccumulator(Value value) const { return accumulators.contains(value); }

private:
  using Cotangents = DenseMap<Value, Value>;

  LogicalResult reverseBlock(Block &block);
  LogicalResult reverseOp(Operation *op);
  LogicalResult reverseIf(scf::IfOp op);
  LogicalResult reverseFor(scf::ForOp op);
  LogicalResult reverseWhile(scf::WhileOp op);
  LogicalResult reverseCall(func::CallOp op);
  LogicalResult reverseCustom(CustomVjpOp op);
  LogicalResult reversePush(TapePushOp op);
  LogicalResult reversePop(TapePopOp op);

  /// What `reverseFor` and `reverseWhile` have in common.
  struct LoopParts {
    Operation *op;
    Region *body;
    /// The values carried, position by position.
    SmallVector<Value> inits, arguments, yielded, results;
  };
  /// Builds the backward loop of `count` iterations. `scope` is that of the body; `start` is called at the start of an
  /// iteration.
  LogicalResult reverseLoop(const LoopParts &parts, Value count, Scope &scope, function_ref<void(Value k)> start,
                            Operation *&backward);

  void realizeBranches(scf::IfOp op, MutableArrayRef<Scope> sides, Operation *backward);
  void realizeRows(scf::ForOp op, Scope &scope, Value count, Operation *backward);

  /// To be called before an op is replaced.
  void forgetResults(Operation *op) {
    for (Value result : op->getResults()) {
      cotangents.erase(result);
      activity.forget(result);
    }
  }
  Scope &scopeOf(Value value);
  Scope inner(Region &forward, Block *backward, Scope::Kind kind);
  /// Whether a value is at hand in the backward computation, or cheap to compute from what is.
  bool isAvailable(Value value, unsigned depth = 0);
  /// A size as a value of the forward computation.
  Value forwardSize(Value value, int64_t dim);
  void makeAccumulators();
  /// Active values from outside of `op` that are used in it and have no accumulator.
  SmallVector<Value> outerActive(Operation *op);
  Value zeros(Operation *op, Value value);

  func::FuncOp forward;
  Activity activity;
  SplitSource &source;
  OpBuilder b;
  SmallVector<Scope *> scopes;
  Cotangents cotangents;
  /// Memory that sums up the cotangent of a value, by reference.
  DenseMap<Value, Value> accumulators;
  /// Cotangents that a backward loop carries, which are updated in place.
  DenseSet<Value> carried;
};

/// The rule of one op at work in a `Reverse`.
class RuleVjp : public lax::Vjp {
public:
  RuleVjp(Operation *op, OpBuilder &b, Reverse &reverse) : Vjp(op, b), reverse(reverse) {}
  Value primal(Value forward) override { return reverse.lookup(forward); }
  OpFoldResult size(Value forward, int64_t dim) override { return reverse.size(forward, dim); }
  Value cotangentOf(Value forward) override { return reverse.cotangentOf(forward); }
  void setCotangent(Value forward, Value cotangent) override { reverse.setCotangent(forward, cotangent); }
  bool isActive(Value forward) override { return reverse.isActive(forward); }
  void add(unsigned i, Value contribution) override { reverse.accumulate(op->getOperand(i), contribution); }
  Value partial(unsigned i) override {
    Value value = op->getOperand(i);
    return reverse.hasAccumulator(value) ? Value() : reverse.cotangentOf(value);
  }

private:
  Reverse &reverse;
};

/// On a sum: its first operand is not needed afterwards, and is to be updated in place.
inline constexpr llvm::StringLiteral kAccumulateAttr = "janus.accumulate";

} // namespace mlir::janus

#endif // JANUS_AUTODIFF_REVERSE_H
