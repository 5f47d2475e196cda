//===- Strategy.h - How a loop nest is to be run ----------------*- C++ -*-===//

#ifndef JANUS_CODEGEN_CPU_STRATEGY_H
#define JANUS_CODEGEN_CPU_STRATEGY_H

#include "Codegen/CPU/LoopNest.h"
#include "Codegen/CPU/Target.h"

namespace mlir::janus::cpu {

/// The decision for one linalg op, kept on it as the dictionary attribute `janus.strategy`. Loops are those of
/// `LoopNest`, numbered outermost first.
struct Strategy {
  /// "map" (no reduction), "reduce", "contract" (a reduction of products), "library" (a call of BLAS; the rest says how
  /// it would be run otherwise), or "loops" (left to upstream's loops).
  std::string kind = "loops";
  /// The loop whose steps fill a vector, or -1 for scalar code.
  int64_t vectorLoop = -1;
  /// Elements of a vector.
  int64_t lanes = 1;
  /// Steps of each loop done at once, held in registers; for the vector loop a multiple of `lanes`.
  SmallVector<int64_t> tile;
  /// The loops, outermost first; parallel ones come before reductions.
  SmallVector<int64_t> order;
  /// For each loop, 0 or how many of its steps make a block. Blocked loops, which are reductions, run outside of all
  /// others a block at a time, so that what one block reads stays in the cache.
  SmallVector<int64_t> block;
  /// Operands of which the panel that one tile of the vector loop reads is copied to dense memory first. The vector
  /// loop is then the first in `order`.
  SmallVector<int64_t> pack;

  /// The most terms that are added one after the other to a sum of floating-point numbers before the result goes to a
  /// total; 0 is no limit.
  int64_t chain = 0;

  bool isBlocked() const {
    return llvm::any_of(block, [](int64_t steps) { return steps != 0; });
  }
  DictionaryAttr toAttr(MLIRContext *ctx) const;
  static FailureOr<Strategy> fromAttr(DictionaryAttr attr, const LoopNest &nest);
};

inline constexpr llvm::StringLiteral kStrategyAttrName = "janus.strategy";

/// The most elements that `pack` may copy at a time.
inline constexpr int64_t kMaxPackedElements = 64 * 1024;

/// Whether the panel of `operand` that a tile of loop `v` reads depends on reductions of known size besides, and only
/// on them.
bool canPack(const LoopNest &nest, unsigned operand, unsigned v);

/// Chooses how to run `nest` on `target`.
Strategy chooseStrategy(const LoopNest &nest, const Target &target);

} // namespace mlir::janus::cpu

#endif // JANUS_CODEGEN_CPU_STRATEGY_H
