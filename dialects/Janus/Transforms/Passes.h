//===- Passes.h - Passes on the janus dialect -------------------*- C++ -*-===//

#ifndef JANUS_TRANSFORMS_PASSES_H
#define JANUS_TRANSFORMS_PASSES_H

#include "mlir/Pass/Pass.h"

namespace mlir::janus {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "Janus/Transforms/Passes.h.inc"

} // namespace mlir::janus

#endif // JANUS_TRANSFORMS_PASSES_H
