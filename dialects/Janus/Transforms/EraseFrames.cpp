//===- EraseFrames.cpp - Drop frames once speculation is over -------------===//

#include "Janus/IR/JanusOps.h"
#include "Janus/Transforms/Passes.h"

namespace mlir::janus {
#define GEN_PASS_DEF_ERASEFRAMESPASS
#include "Janus/Transforms/Passes.h.inc"
} // namespace mlir::janus

using namespace mlir;
using namespace mlir::janus;

namespace {
struct EraseFramesPass : public janus::impl::EraseFramesPassBase<EraseFramesPass> {
  void runOnOperation() override {
    getOperation()->walk([](FrameOp frame) { frame.erase(); });
  }
};
} // namespace
