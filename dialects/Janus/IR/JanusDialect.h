//===- JanusDialect.h - The janus dialect -----------------------*- C++ -*-===//

#ifndef JANUS_IR_JANUSDIALECT_H
#define JANUS_IR_JANUSDIALECT_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/Dialect.h"

#include "Janus/IR/JanusDialect.h.inc"

namespace mlir::janus {

/// Discardable attributes that the dialect defines; JanusDialect.td says what they mean.
constexpr llvm::StringLiteral kEntryAttr = "janus.entry";
constexpr llvm::StringLiteral kReturnSiteAttr = "janus.return_site";
constexpr llvm::StringLiteral kInternalAttr = "janus.internal";
constexpr llvm::StringLiteral kSourceAttr = "janus.source";
constexpr llvm::StringLiteral kDimsAttr = "janus.dims";
constexpr llvm::StringLiteral kProfileAttr = "janus.profile";
constexpr llvm::StringLiteral kPhaseAttr = "janus.phase";

} // namespace mlir::janus

#endif // JANUS_IR_JANUSDIALECT_H
