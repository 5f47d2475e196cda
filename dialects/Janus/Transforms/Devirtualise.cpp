//===- Devirtualise.cpp - Calls of objects to guarded direct ones ---------===//

#include "Janus/Analysis/Frames.h"
#include "Janus/Transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/IR/PatternMatch.h"

namespace mlir::janus {
#define GEN_PASS_DEF_DEVIRTUALISEPASS
#include "Janus/Transforms/Passes.h.inc"
} // namespace mlir::janus

using namespace mlir;
using namespace mlir::janus;

namespace {

struct DevirtualisePass : public janus::impl::DevirtualisePassBase<DevirtualisePass> {
  using DevirtualisePassBase::DevirtualisePassBase;

  void runOnOperation() override {
    SmallVector<CallIndirectOp> calls;
    getOperation()->walk([&](CallIndirectOp call) { calls.push_back(call); });
    IRRewriter rewriter(&getContext());
    for (CallIndirectOp call : calls) {
      rewriter.setInsertionPoint(call);
      FrameOp frame = findFrame(call);
      auto profile = call->getAttrOfType<CalleeAttr>(kProfileAttr);
      if (frame && profile && profile.getCount() >= threshold) {
        callDirectly(call, profile, frame, rewriter);
      } else if (frame && !frame.getRestart()) {
        leave(call, frame, rewriter);
      } else {
        call.emitOpError() << "cannot be made by native code, and there is no frame to leave to";
        signalPassFailure();
      }
    }
  }

  static void callDirectly(CallIndirectOp call, CalleeAttr profile, FrameOp frame, IRRewriter &rewriter) {
    Location loc = call.getLoc();
    Value expected = ObjectOp::create(rewriter, loc, profile.getEntry());
    Value same = IsOp::create(rewriter, loc, call.getCallee(), expected);
    createGuard(rewriter, loc, same, GuardKind::Value, frame);
    rewriter.replaceOpWithNewOp<func::CallOp>(call, profile.getFunction(), call.getResultTypes(), call.getArguments());
  }

  /// What follows is never reached.
  static void leave(CallIndirectOp call, FrameOp frame, IRRewriter &rewriter) {
    Location loc = call.getLoc();
    DeoptOp::create(rewriter, loc, "unknown-call", frame.getSite(), frame.getLive());
    SmallVector<Value> results;
    for (Type type : call.getResultTypes())
      results.push_back(ub::PoisonOp::create(rewriter, loc, type));
    rewriter.replaceOp(call, results);
  }
};

} // namespace
