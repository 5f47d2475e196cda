//===- Activity.h - What depends on what --------------------------*- C++ -*-===//

#ifndef JANUS_AUTODIFF_ACTIVITY_H
#define JANUS_AUTODIFF_ACTIVITY_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/BitVector.h"
#include "llvm/ADT/DenseSet.h"

namespace mlir::janus {

/// Whether the derivative of the results is zero wherever it exists, or there is none.
bool hasZeroDerivative(Operation *op);

/// Whether `op` pushes or pops what has cotangents, itself or in its regions. Each push has a pop: both are reversed.
bool usesTape(Operation *op);

/// Which results of recursive functions depend on which arguments.
class CallSummaries {
public:
  void compute(ArrayRef<std::pair<StringRef, func::FuncOp>> functions);
  /// The arguments that result `result` of `function` depends on; null for a function that is not known.
  const llvm::BitVector *find(StringRef function, unsigned result) const;

private:
  llvm::StringMap<SmallVector<llvm::BitVector>> reaching;
};

/// The values of a function that depend on the given arguments and reach the given results.
class Activity {
public:
  Activity(func::FuncOp function, const llvm::BitVector &arguments, const llvm::BitVector &results,
           const CallSummaries &calls);

  bool isActive(Value value) const { return varied.contains(value) && useful.contains(value); }
  /// To be told before a value vanishes: its place in memory may become another's.
  void forget(Value value) {
    varied.erase(value);
    useful.erase(value);
  }
  bool isVaried(Value value) const { return varied.contains(value); }
  bool isUseful(Value value) const { return useful.contains(value); }

private:
  friend class CallSummaries;
  Activity(func::FuncOp function, const CallSummaries &calls) : function(function), calls(calls) {}
  void spreadVaried();
  void spreadUseful();
  bool vary(Value from, Value to);
  bool use(Value from, Value to);
  bool varyThrough(Operation *op);
  bool useThrough(Operation *op);

  func::FuncOp function;
  const CallSummaries &calls;
  DenseSet<Value> varied, useful;
};

} // namespace mlir::janus

#endif // JANUS_AUTODIFF_ACTIVITY_H
