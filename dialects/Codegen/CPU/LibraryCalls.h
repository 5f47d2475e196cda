//===- LibraryCalls.h - Contractions for a tuned library --------*- C++ -*-===//

#ifndef JANUS_CODEGEN_CPU_LIBRARYCALLS_H
#define JANUS_CODEGEN_CPU_LIBRARYCALLS_H

#include "Codegen/CPU/LoopNest.h"

namespace mlir::janus::cpu {

/// A loop nest as BLAS has it: C[m, n] += op(A)[m, k] op(B)[k, n], row-major.
struct Gemm {
  /// Operands of the nest.
  unsigned a, b, c;
  int64_t m, n, k;
  bool transposeA, transposeB;
  /// Elements from one row to the next.
  int64_t lda, ldb, ldc;
};

/// Describes `nest` as one call of `gemm`, if it is one: f32 or f64, all sizes known, rows without gaps inside.
std::optional<Gemm> matchGemm(const LoopNest &nest);

/// Whether the library is faster at `gemm` than generated code: measured, it wins where all sizes are large.
bool prefersLibrary(const Gemm &gemm);

/// Writes the call at the insertion point of `builder`, and declares the function where it is not known yet.
void emitGemm(OpBuilder &builder, const LoopNest &nest, const Gemm &gemm);

} // namespace mlir::janus::cpu

#endif // JANUS_CODEGEN_CPU_LIBRARYCALLS_H
