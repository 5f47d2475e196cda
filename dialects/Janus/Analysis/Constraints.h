//===- Constraints.h - What is known of integers ----------------*- C++ -*-===//
//
// Facts of the form `a - b <= c` on scalar integers, as mathematics has them: nothing wraps. Together with the ranges
// of the dataflow analysis and the definitions of values they decide comparisons and overflow flags.
//
//===----------------------------------------------------------------------===//

#ifndef JANUS_ANALYSIS_CONSTRAINTS_H
#define JANUS_ANALYSIS_CONSTRAINTS_H

#include "Janus/IR/JanusOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/DenseMap.h"

namespace mlir {
class DataFlowSolver;
} // namespace mlir

namespace mlir::janus {

/// `root + offset`; a constant if there is no root.
struct LinearTerm {
  Value root;
  int64_t offset = 0;
};

class Constraints {
public:
  /// `solver` has run the integer range analysis, or is null.
  explicit Constraints(DataFlowSolver *solver) : solver(solver) {}

  /// Facts learnt within the life of a scope are forgotten with it.
  class Scope {
  public:
    explicit Scope(Constraints &constraints)
        : constraints(constraints), edges(constraints.undo.size()), flags(constraints.exact.size()) {}
    ~Scope() { constraints.forget(edges, flags); }

  private:
    Constraints &constraints;
    size_t edges, flags;
  };

  /// Learns what a comparison says that holds, or does not.
  void learn(arith::CmpIOp comparison, bool holds);
  /// Learns that `a <= b + c`.
  void learnAtMost(Value a, Value b, int64_t c);
  void learnEqual(Value a, Value b);
  /// Learns that the result of an overflow op, whose flag this is, is exact.
  void learnExact(Value flag);
  /// Learns what the loop says of its induction variable and of numbers that are counted in it.
  void enter(scf::ForOp loop);
  void enter(scf::WhileOp loop);

  /// Whether the comparison holds, if that is known.
  std::optional<bool> decide(arith::CmpIOp comparison);
  /// Whether the result of an overflow op is known to be exact.
  bool isExact(Operation *overflowOp);
  /// Whether `a <= b + c` is known.
  bool isAtMost(Value a, Value b, int64_t c);
  bool isNonNegative(Value value);
  /// The least and the greatest value that `value` can be known to take.
  std::pair<int64_t, int64_t> bounds(Value value);

private:
  struct Edge {
    Value to;
    int64_t weight;
  };

  LinearTerm linear(Value value);
  /// The two sides of an exact sum, or difference; null values if it is none.
  std::tuple<Value, Value, bool> matchSum(Value value);
  void addEdge(Value a, Value b, int64_t weight);
  void forget(size_t edges, size_t flags);
  /// The least c for which `a - b <= c` can be derived; a null value stands for 0.
  std::optional<int64_t> distance(Value a, Value b);
  std::optional<int64_t> search(Value a, Value b, unsigned depth);
  std::optional<int64_t> rangeBound(Value value, bool upper);
  /// By how much `value` can differ from the loop-carried `argument` in one iteration.
  std::optional<std::pair<int64_t, int64_t>> increment(Value value, Value argument, unsigned depth, bool needExact,
                                                       scf::WhileOp whileLoop);
  void learnCounter(Value argument, Value init, Value next, int64_t trips, scf::WhileOp whileLoop);

  DataFlowSolver *solver;
  llvm::DenseMap<Value, SmallVector<Edge, 2>> outgoing;
  /// In the order in which edges were added: whose edge it was.
  SmallVector<Value> undo;
  /// Overflow flags that are known to be false.
  SmallVector<Value> exact;
  SmallVector<Value> path;
  unsigned budget = 0;
};

} // namespace mlir::janus

#endif // JANUS_ANALYSIS_CONSTRAINTS_H
