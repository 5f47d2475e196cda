//===- Strategy.h - How a loop nest is to be run ----------------*- C++ -*-===//

#ifndef JANUS_CODEGEN_CPU_STRATEGY_H
#define JANUS_CODEGEN_CPU_STRATEGY_H

#include "Codegen/CPU/LoopNest.h"
#include "Codegen/CPU/Target.h"

namespace mlir::janus::cpu {

/// The decision for one linalg op, kept on it as the dictionary attribute `janus.strategy`. Loops are those of
/// `LoopNest`, numbered outermost first.
struct Strategy {
  /// "map" (no reduction), "reduce", "contract" (a reduction of products), or "loops" (left to upstream's loops).
  std::string kind = "loops";
  /// The loop whose steps fill a vector, or -1 for scalar code.
  int64_t vectorLoop = -1;
  /// Elements of a vector.
  int64_t lanes = 1;
  /// Steps of each loop done at once, held in registers; for the vector loop a multiple of `lanes`.
  SmallVector<int64_t> tile;
  /// The loops, outermost first; parallel ones come before reductions.
  SmallVector<int64_t> order;

  DictionaryAttr toAttr(MLIRContext *ctx) const;
  static FailureOr<Strategy> fromAttr(DictionaryAttr attr, const LoopNest &nest);
};

inline constexpr llvm::StringLiteral kStrategyAttrName = "janus.strategy";

/// Chooses how to run `nest` on `target`.
Strategy chooseStrategy(const LoopNest &nest, const Target &target);

} // namespace mlir::janus::cpu

#endif // JANUS_CODEGEN_CPU_STRATEGY_H
