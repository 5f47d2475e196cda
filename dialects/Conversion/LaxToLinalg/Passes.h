//===- Passes.h - Conversion of lax to linalg -------------------*- C++ -*-===//

#ifndef CONVERSION_LAXTOLINALG_PASSES_H
#define CONVERSION_LAXTOLINALG_PASSES_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace mlir::janus {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "Conversion/LaxToLinalg/Passes.h.inc"

} // namespace mlir::janus

#endif // CONVERSION_LAXTOLINALG_PASSES_H
