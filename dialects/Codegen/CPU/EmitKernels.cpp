//===- EmitKernels.cpp - Linalg ops to vector code ------------------------===//

#include "Codegen/CPU/LibraryCalls.h"
#include "Codegen/CPU/NestEmitter.h"
#include "Codegen/CPU/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace mlir::janus {
#define GEN_PASS_DEF_EMITKERNELSPASS
#include "Codegen/CPU/Passes.h.inc"
} // namespace mlir::janus

using namespace mlir;
using namespace mlir::janus;
using namespace mlir::janus::cpu;

namespace {

/// The fill right before `op` whose target is output `output` of `op`, with nothing but other fills in between.
linalg::FillOp fillBefore(linalg::GenericOp op, Value output) {
  for (Operation *previous = op->getPrevNode(); previous; previous = previous->getPrevNode()) {
    if (auto fill = dyn_cast<linalg::FillOp>(previous)) {
      if (fill.getOutputs()[0] == output)
        return fill;
      continue;
    }
    if (!isPure(previous))
      return nullptr;
  }
  return nullptr;
}

class EmitKernelsPass : public janus::impl::EmitKernelsPassBase<EmitKernelsPass> {
  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    SmallVector<linalg::GenericOp> generics;
    getOperation().walk([&](linalg::GenericOp op) { generics.push_back(op); });
    for (linalg::GenericOp op : generics)
      if (failed(emit(op, rewriter)))
        return signalPassFailure();

    // Fills that no reduction took up.
    SmallVector<linalg::FillOp> fills;
    getOperation().walk([&](linalg::FillOp op) { fills.push_back(op); });
    for (linalg::FillOp fill : fills) {
      rewriter.setInsertionPoint(fill);
      FailureOr<linalg::GenericOp> op =
          linalg::generalizeNamedOp(rewriter, cast<linalg::LinalgOp>(fill.getOperation()));
      if (failed(op) || failed(emit(*op, rewriter)))
        return signalPassFailure();
    }
  }

  static LogicalResult emit(linalg::GenericOp op, RewriterBase &rewriter) {
    rewriter.setInsertionPoint(op);
    FailureOr<LoopNest> nest = analyzeLoopNest(op);
    auto attr = op->getAttrOfType<DictionaryAttr>(kStrategyAttrName);
    if (failed(nest) || (attr && attr.get("kind") == rewriter.getStringAttr("loops"))) {
      if (failed(linalg::linalgOpToLoops(rewriter, cast<linalg::LinalgOp>(op.getOperation()))))
        return op.emitError("does not lower to loops");
      rewriter.eraseOp(op);
      return success();
    }
    FailureOr<Strategy> strategy = attr ? Strategy::fromAttr(attr, *nest) : chooseStrategy(*nest, Target::host());
    if (failed(strategy))
      return op.emitError() << "'" << kStrategyAttrName << "' does not fit the op";
    if (strategy->kind == "library") {
      std::optional<Gemm> gemm = matchGemm(*nest);
      if (!gemm)
        return op.emitError() << "'" << kStrategyAttrName << "' calls a library for what is no matrix product";
      emitGemm(rewriter, *nest, *gemm);
      rewriter.eraseOp(op);
      return success();
    }
    SmallVector<Value> initial(op.getNumDpsInits());
    SmallVector<linalg::FillOp> taken;
    // A blocked reduction comes back to its outputs, so that they must be in memory from the start.
    if (nest->hasReduction() && !strategy->isBlocked())
      for (unsigned i = 0; i < initial.size(); ++i) {
        linalg::FillOp fill = nest->readsOutput(i) ? fillBefore(op, op.getOutputs()[i]) : linalg::FillOp();
        // An input that is the output as well would see the fill.
        if (!fill || llvm::is_contained(op.getInputs(), op.getOutputs()[i]))
          continue;
        initial[i] = fill.getInputs()[0];
        taken.push_back(fill);
      }
    NestEmitter(rewriter, *nest, *strategy, initial).emit();
    rewriter.eraseOp(op);
    for (linalg::FillOp fill : taken)
      if (fill->getBlock())
        rewriter.eraseOp(fill);
    return success();
  }
};

} // namespace
