//===- UpstreamVjp.h - Reverse rules of upstream ops --------------*- C++ -*-===//

#ifndef JANUS_AUTODIFF_UPSTREAMVJP_H
#define JANUS_AUTODIFF_UPSTREAMVJP_H

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace mlir::janus {

/// Attaches reverse rules to ops of arith, math and tensor.
void registerUpstreamVjpModels(DialectRegistry &registry);

} // namespace mlir::janus

#endif // JANUS_AUTODIFF_UPSTREAMVJP_H
