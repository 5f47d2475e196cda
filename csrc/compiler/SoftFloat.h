//===- SoftFloat.h - Conversions that the code generator calls --*- C++ -*-===//

#ifndef JANUS_COMPILER_SOFTFLOAT_H
#define JANUS_COMPILER_SOFTFLOAT_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <cstdint>

namespace mlir::janus {

/// Functions to and from 16-bit floats that LLVM emits calls of where the machine has no instruction. Compilers'
/// support libraries have them only in recent versions, and then not in a shared one.
struct SoftFloatFunction {
  llvm::StringLiteral name;
  uint64_t address;
};
llvm::ArrayRef<SoftFloatFunction> getSoftFloatFunctions();

} // namespace mlir::janus

#endif // JANUS_COMPILER_SOFTFLOAT_H
