//===- ObjectCode.h - From the llvm dialect to object files -----*- C++ -*-===//

#ifndef JANUS_COMPILER_OBJECTCODE_H
#define JANUS_COMPILER_OBJECTCODE_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBuffer.h"

namespace mlir::janus {

/// An archive of object files with the code of a module in phase "llvm". What is large is cut at its kernels and
/// compiled by as many threads as this process may use.
llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>> compileToArchive(ModuleOp module, int optLevel);

} // namespace mlir::janus

#endif // JANUS_COMPILER_OBJECTCODE_H
