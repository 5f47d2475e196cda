//===- RegisterAll.h - All dialects and passes of Janus ---------*- C++ -*-===//

#ifndef JANUS_PIPELINES_REGISTERALL_H
#define JANUS_PIPELINES_REGISTERALL_H

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace mlir::janus {

/// Adds the dialects of Janus and their extensions to `registry`.
__attribute__((visibility("default"))) void registerAllDialects(DialectRegistry &registry);

/// Registers the passes and phases of Janus, once per process. Upstream's passes are for the caller to register,
/// since the Python bindings do so themselves.
__attribute__((visibility("default"))) void registerAllPasses();

namespace detail {
// Generated: one call per directory that has passes or extensions.
void registerGeneratedPasses();
void registerGeneratedExtensions(DialectRegistry &registry);
} // namespace detail

} // namespace mlir::janus

#endif // JANUS_PIPELINES_REGISTERALL_H
