//===- Passes.h - Passes of differentiation ------------------------*- C++ -*-===//

#ifndef JANUS_AUTODIFF_PASSES_H
#define JANUS_AUTODIFF_PASSES_H

#include "mlir/Pass/Pass.h"

namespace mlir::janus {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "Autodiff/Passes.h.inc"

} // namespace mlir::janus

#endif // JANUS_AUTODIFF_PASSES_H
