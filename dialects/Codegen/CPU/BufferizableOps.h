//===- BufferizableOps.h - Bufferisation of janus ops -----------*- C++ -*-===//

#ifndef JANUS_CODEGEN_CPU_BUFFERIZABLEOPS_H
#define JANUS_CODEGEN_CPU_BUFFERIZABLEOPS_H

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace mlir::janus {

/// Tells one-shot bufferisation that exits and records read their live tensors.
void registerBufferizableOpModels(DialectRegistry &registry);

/// Tells it what tapes and accumulators do.
void registerBufferizableGradientModels(DialectRegistry &registry);

} // namespace mlir::janus

#endif // JANUS_CODEGEN_CPU_BUFFERIZABLEOPS_H
