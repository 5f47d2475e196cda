//===- LoopNest.h - Linalg ops as strided loop nests ------------*- C++ -*-===//
//
// A view of a `linalg.generic` on buffers that the strategy and the emitter share: loops with sizes and kinds, and
// for each buffer the distance in elements that one step of each loop moves. Adjacent loops that walk every buffer
// as one are merged and loops of one step are dropped, so that the same code serves any rank.
//
//===----------------------------------------------------------------------===//

#ifndef JANUS_CODEGEN_CPU_LOOPNEST_H
#define JANUS_CODEGEN_CPU_LOOPNEST_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <optional>

namespace mlir::janus::cpu {

struct NestOperand {
  Value value;
  /// False for a scalar operand, which has no strides.
  bool isBuffer = false;
  bool isOutput = false;
  Type element;
  /// Elements moved by one step of each loop of the nest; ShapedType::kDynamic where known at run time only.
  SmallVector<int64_t> strides;
};

struct LoopNest {
  linalg::GenericOp op;
  /// Steps of each loop; ShapedType::kDynamic where known at run time only.
  SmallVector<int64_t> sizes;
  SmallVector<bool> reduction;
  /// The dimensions of the op, outermost first, that each loop runs over.
  SmallVector<SmallVector<unsigned>> dims;
  /// Inputs, then outputs, in the order of the op's operands.
  SmallVector<NestOperand> operands;
  /// Whether the body can run on vectors: elementwise ops and `linalg.index` only.
  bool vectorizable = false;

  unsigned numLoops() const { return sizes.size(); }
  unsigned numInputs() const {
    return llvm::count_if(operands, [](const NestOperand &o) { return !o.isOutput; });
  }
  bool hasReduction() const { return llvm::is_contained(reduction, true); }
  /// Whether output `i` is read by the body, that is, accumulated into.
  bool readsOutput(unsigned i) const;
};

/// Describes `op`, which must be on buffers. Fails when an indexing map is not linear, or a buffer is not strided.
FailureOr<LoopNest> analyzeLoopNest(linalg::GenericOp op);

/// When every output of `nest` is `combine(output, f(inputs))` for a combiner that may be reordered, the kinds.
std::optional<SmallVector<vector::CombiningKind>> matchCombiners(const LoopNest &nest);

/// Whether every output of `nest` is a sum of floating-point numbers that may be reordered.
bool sumsFloats(const LoopNest &nest);

/// The coefficient of dimension `dim` in `expr`, or nothing if `expr` is not linear in it.
std::optional<int64_t> linearCoefficient(AffineExpr expr, unsigned dim);

} // namespace mlir::janus::cpu

#endif // JANUS_CODEGEN_CPU_LOOPNEST_H
