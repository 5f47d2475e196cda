//===- Inline.h - Bringing a function into a form to reverse ------*- C++ -*-===//

#ifndef JANUS_AUTODIFF_INLINE_H
#define JANUS_AUTODIFF_INLINE_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace mlir::janus {

/// The functions of `module` that call themselves, directly or through others.
llvm::SetVector<func::FuncOp> findRecursive(ModuleOp module);

/// Inlines all calls in `function` of functions that `which` chooses.
LogicalResult inlineCalls(func::FuncOp function, function_ref<bool(func::FuncOp)> which);

/// Rewrites a `while` so that its condition is carried: the first region only passes on what it is given,
///
///     scf.while (condition, values..., n) { scf.condition(condition) values..., n } do { ... yield condition,
///     values..., n + 1 }
///
/// with the number of iterations as a further, last result.
scf::WhileOp rotate(scf::WhileOp loop);

} // namespace mlir::janus

#endif // JANUS_AUTODIFF_INLINE_H
