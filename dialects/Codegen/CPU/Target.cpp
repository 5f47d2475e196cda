//===- Target.cpp - What code generation knows of the machine -------------===//

#include "Codegen/CPU/Target.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/TargetParser/Host.h"

using namespace mlir::janus::cpu;

Target Target::host(int64_t vectorBits) {
  static const int64_t hostBits = [] {
    llvm::StringMap<bool> features = llvm::sys::getHostCPUFeatures();
    if (features.lookup("avx512f"))
      return 512;
    if (features.lookup("avx2") && features.lookup("fma"))
      return 256;
    return 128;
  }();
  Target target;
  target.vectorBits = vectorBits != 0 ? vectorBits : hostBits;
  // AVX-512 and AArch64 have 32 registers, SSE and AVX2 16.
#if defined(__aarch64__)
  target.vectorRegisters = 32;
#else
  target.vectorRegisters = target.vectorBits >= 512 ? 32 : 16;
#endif
  return target;
}
