//===- NestEmitter.h - Loop nests to vector code ----------------*- C++ -*-===//

#ifndef JANUS_CODEGEN_CPU_NESTEMITTER_H
#define JANUS_CODEGEN_CPU_NESTEMITTER_H

#include "Codegen/CPU/Strategy.h"

#include "mlir/IR/Builders.h"

#include <functional>
#include <map>

namespace mlir::janus::cpu {

/// Writes the loops of one nest at the insertion point of a builder: register tiles of vectors, accumulators carried
/// as loop values, remainders in smaller pieces.
class NestEmitter {
public:
  /// `initial[i]`, if not null, is the scalar that output `i` holds everywhere before the op.
  NestEmitter(OpBuilder &builder, const LoopNest &nest, const Strategy &strategy, ArrayRef<Value> initial);

  void emit();

private:
  /// A number known as the sum of a value, which may be absent, and a constant.
  struct Index {
    Value value;
    int64_t constant = 0;
  };
  using Offsets = SmallVector<Index>;
  using Steps = SmallVector<int64_t>;
  using Body = std::function<void(int64_t tile, int64_t lanes, Index iv)>;
  using ReductionBody =
      std::function<SmallVector<Value>(int64_t tile, int64_t lanes, Index iv, ArrayRef<Value> accumulators)>;

  // Arithmetic on indices.
  Value constantIndex(int64_t value);
  Value materialize(const Index &index);
  Index add(const Index &a, const Index &b);
  Index scale(const Index &a, const Index &factor);
  Offsets advance(const Offsets &offsets, unsigned loop, const Index &steps);

  // The nest.
  void prepare();
  void emitBlocks(unsigned loop, const Offsets &offsets);
  void pack(Offsets &offsets);
  void copyPanel(unsigned operand, ArrayRef<unsigned> loops, const Offsets &offsets, const Index &target,
                 ArrayRef<int64_t> targetStrides, Value panel);
  void emitParallel(unsigned level, const Offsets &offsets);
  void emitTile(const Offsets &offsets);
  void loadTransposed(const Offsets &offsets);
  SmallVector<Value> emitReductions(unsigned level, const Offsets &offsets, ArrayRef<Value> accumulators);
  void emitTileAlongReduction(const Offsets &offsets);
  SmallVector<Value> emitReductionsAlong(unsigned level, const Offsets &offsets, ArrayRef<Value> accumulators);
  void forPieces(unsigned loop, const Body &body);
  SmallVector<Value> forReductionPieces(unsigned loop, ArrayRef<Value> accumulators, const ReductionBody &body);
  SmallVector<Value> reductionLoop(unsigned loop, const Index &from, const Index &to, int64_t tile, int64_t lanes,
                                   ArrayRef<Value> accumulators, const ReductionBody &body);

  // Long sums.
  void chooseCut();
  SmallVector<Value> zerosLike(ArrayRef<Value> values);
  SmallVector<Value> addTo(ArrayRef<Value> totals, ArrayRef<Value> terms);
  std::optional<SmallVector<Value>> cutLoopInPieces(unsigned loop, const Index &from, const Index &to, int64_t lanes,
                                                    ArrayRef<Value> totals, const ReductionBody &body);

  // One point.
  SmallVector<Steps> tilePoints() const;
  Value load(unsigned operand, const Offsets &offsets, const Steps &point, int64_t width);
  void store(unsigned operand, const Offsets &offsets, const Steps &point, int64_t width, Value value);
  Index address(unsigned operand, const Offsets &offsets, const Steps &point);
  SmallVector<Value> evaluate(const Offsets &offsets, const Steps &point, int64_t width, ArrayRef<Value> accumulators);
  Value indexOf(unsigned dim, const Steps &point, int64_t width);
  Value broadcast(Value value, int64_t width);
  Value initialValue(unsigned output, const Offsets &offsets, const Steps &point, int64_t width);

  OpBuilder &b;
  Location loc;
  const LoopNest &nest;
  const Strategy &strategy;
  SmallVector<Value> initial;

  SmallVector<Value> flat;                   // per operand: the buffer as one dimension, or the scalar
  SmallVector<SmallVector<Index>> step;      // per operand and loop: elements moved
  SmallVector<SmallVector<int64_t>> strides; // per operand and loop, as far as known
  SmallVector<Index> size;                   // per loop
  SmallVector<Index> blockStart;             // per loop
  SmallVector<Value> panels;                 // per packed operand: the dense memory
  Offsets start;
  unsigned numParallel = 0;

  // The piece being written.
  Steps tile;
  int64_t lanes = 1;
  SmallVector<Index> position;
  std::map<std::pair<unsigned, Steps>, Value> loaded;
  int64_t cutLoop = -1, cutSteps = 0; // where its sums are cut, if they are
};

} // namespace mlir::janus::cpu

#endif // JANUS_CODEGEN_CPU_NESTEMITTER_H
