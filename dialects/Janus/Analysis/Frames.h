//===- Frames.h - Where the function may be left ----------------*- C++ -*-===//

#ifndef JANUS_ANALYSIS_FRAMES_H
#define JANUS_ANALYSIS_FRAMES_H

#include "Janus/IR/JanusOps.h"

namespace mlir::janus {

/// Whether running `op` again, after execution has gone back to a point before it, may be seen from outside: it, or an
/// op in its regions, appends to the journal or writes memory. Guards and frames do not, and neither does what leaves
/// the function, since nothing runs after it.
bool hasEffect(Operation *op);

/// Whether `op` may run where the program does not ask for it. Upstream says so of some divisions too, which are
/// undefined for some divisors.
bool canSpeculate(Operation *op);

/// The nearest frame before `op` to which the function may be left right before `op`, with values that dominate it;
/// null if there is none.
FrameOp findFrame(Operation *op);

/// Appends a guard that leaves to a frame.
GuardOp createGuard(OpBuilder &b, Location loc, Value condition, GuardKind kind, FrameOp frame);

} // namespace mlir::janus

#endif // JANUS_ANALYSIS_FRAMES_H
