//===- Host.h - This machine, as the code generator sees it -----*- C++ -*-===//

#ifndef JANUS_COMPILER_HOST_H
#define JANUS_COMPILER_HOST_H

#include "llvm/ExecutionEngine/Orc/JITTargetMachineBuilder.h"

#include <string>

namespace mlir::janus {

struct Host {
  std::string triple, cpu, features;
  /// Of the widest vector register.
  int vectorBits = 128;
};

const Host &getHost();

/// What makes target machines for this one, at -O`optLevel`.
llvm::orc::JITTargetMachineBuilder createTargetMachineBuilder(int optLevel);

} // namespace mlir::janus

#endif // JANUS_COMPILER_HOST_H
