//===- Passes.h - Code generation for CPUs ----------------------*- C++ -*-===//

#ifndef JANUS_CODEGEN_CPU_PASSES_H
#define JANUS_CODEGEN_CPU_PASSES_H

#include "mlir/Pass/Pass.h"

namespace mlir::janus {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "Codegen/CPU/Passes.h.inc"

} // namespace mlir::janus

#endif // JANUS_CODEGEN_CPU_PASSES_H
