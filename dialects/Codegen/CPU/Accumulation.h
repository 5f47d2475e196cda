//===- Accumulation.h - Sums that are added to something --------*- C++ -*-===//

#ifndef JANUS_CODEGEN_CPU_ACCUMULATION_H
#define JANUS_CODEGEN_CPU_ACCUMULATION_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace mlir::janus::cpu {

/// Whether the op adds something to each element of its only output, and reads that for nothing else.
bool addsToOutput(linalg::GenericOp op);

/// Whether the op adds products of its two inputs to its output, along at least one loop, and does nothing else.
bool isProductSum(linalg::GenericOp op);

/// Whether the op fills its output with zeros.
bool isZeroFill(Operation *op);

} // namespace mlir::janus::cpu

#endif // JANUS_CODEGEN_CPU_ACCUMULATION_H
