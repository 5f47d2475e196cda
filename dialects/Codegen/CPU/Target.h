//===- Target.h - What code generation knows of the machine -----*- C++ -*-===//

#ifndef JANUS_CODEGEN_CPU_TARGET_H
#define JANUS_CODEGEN_CPU_TARGET_H

#include <cstdint>

namespace mlir::janus::cpu {

struct Target {
  /// Width of a vector register.
  int64_t vectorBits = 128;
  /// How many vector registers there are.
  int64_t vectorRegisters = 16;
  /// What a loop may touch and still find in the first-level cache.
  int64_t l1Bytes = 32 * 1024;
  /// The same of the second level.
  int64_t l2Bytes = 512 * 1024;

  /// The machine this process runs on, or one like it with vectors of `vectorBits` when that is not 0.
  static Target host(int64_t vectorBits = 0);
};

} // namespace mlir::janus::cpu

#endif // JANUS_CODEGEN_CPU_TARGET_H
