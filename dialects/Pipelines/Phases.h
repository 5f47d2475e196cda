//===- Phases.h - The phases of compilation ---------------------*- C++ -*-===//
//
// A module passes through the phases in order; its attribute `janus.phase` names the last one that has run, and a
// module without it stands at "captured". Phases.cpp holds the one table of phases and pass order.
//
//===----------------------------------------------------------------------===//

#ifndef JANUS_PIPELINES_PHASES_H
#define JANUS_PIPELINES_PHASES_H

#include "mlir/Support/LLVM.h"
#include "llvm/ADT/StringRef.h"

namespace mlir {
class ModuleOp;
} // namespace mlir

namespace mlir::janus {

struct Phase {
  /// The word used everywhere: `--janus-phase-<name>`, `janus.phase`, dump files, `as_text(phase=...)`.
  StringLiteral name;
  /// What holds of a module that has been through the phase.
  StringLiteral summary;
  /// The passes, as `--pass-pipeline` writes them, anchored on the module.
  StringLiteral pipeline;
  /// The dialects of which no op may be left afterwards, separated by spaces.
  StringLiteral gone;
};

/// All phases, first to last.
ArrayRef<Phase> getPhases();

/// Brings the module from its phase to `name`, on as many threads as this process may use. What comes in and what goes
/// out is verified; what the passes between leave is, where `verifyEach` asks for it: that takes as long as all passes.
/// Emits a diagnostic and fails if there is no such phase, if the module is past it, or if a pass fails.
LogicalResult runToPhase(ModuleOp module, StringRef name, bool verifyEach);

/// Registers the pass `janus-phase-<name>` for each phase.
void registerPhases();

} // namespace mlir::janus

#endif // JANUS_PIPELINES_PHASES_H
