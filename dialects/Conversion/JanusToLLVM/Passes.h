//===- Passes.h - From janus to LLVM ----------------------------*- C++ -*-===//

#ifndef JANUS_CONVERSION_JANUSTOLLVM_PASSES_H
#define JANUS_CONVERSION_JANUSTOLLVM_PASSES_H

#include "mlir/Pass/Pass.h"

namespace mlir::janus {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "Conversion/JanusToLLVM/Passes.h.inc"

} // namespace mlir::janus

#endif // JANUS_CONVERSION_JANUSTOLLVM_PASSES_H
