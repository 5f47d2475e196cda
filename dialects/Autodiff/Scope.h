//===- Scope.h - From the forward to the backward computation -----*- C++ -*-===//
//
// A scope pairs a region of the forward computation with the block that computes its cotangents. A value of the region
// that the block needs is first a placeholder there; once the block is complete, all of them are brought over at once.
//
//===----------------------------------------------------------------------===//

#ifndef JANUS_AUTODIFF_SCOPE_H
#define JANUS_AUTODIFF_SCOPE_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"

namespace mlir::janus {

struct Scope {
  enum Kind {
    /// Both are in one block.
    Direct,
    /// A side of an `scf.if`: by further results of it.
    Branch,
    /// The body of an `scf.for`: by tensors with a row for each iteration.
    Loop,
    /// By the tape.
    Tape,
  };
  struct Save {
    /// Stands at the end of the forward region and uses the value.
    Operation *marker;
    /// Stands at the start of the backward block; its result is the value there.
    Operation *placeholder;
    Value value() const { return marker->getOperand(0); }
    Value restored() const { return placeholder->getResult(0); }
  };

  Scope(Region &forward, Block *backward, Kind kind, bool stacked = false)
      : forward(&forward), backward(backward), kind(kind), stacked(stacked) {}

  Region *forward;
  Block *backward;
  Kind kind;
  /// Under a loop that keeps rows: sizes must not vary.
  bool stacked;
  DenseMap<Value, Value> restored;
  SmallVector<Save> saves;
  /// Sizes of tensors of the region, as values of it.
  DenseMap<std::pair<Value, int64_t>, Value> sizes;

  /// The value in the backward block of a value of the forward region.
  Value save(Value value);
  /// Saves by pushing at the end of the forward region and popping at the start of the backward block those saves that
  /// `which` chooses, and forgets them.
  void saveOnTape(int32_t stack, function_ref<bool(Value)> which = nullptr);
};

} // namespace mlir::janus

#endif // JANUS_AUTODIFF_SCOPE_H
