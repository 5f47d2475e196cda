//===- LowerOverflow.cpp - Checked integer arithmetic ---------------------===//

#include "Conversion/JanusToLLVM/Passes.h"
#include "Janus/IR/JanusOps.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

namespace mlir::janus {
#define GEN_PASS_DEF_LOWEROVERFLOWPASS
#include "Conversion/JanusToLLVM/Passes.h.inc"
} // namespace mlir::janus

using namespace mlir;
using namespace mlir::janus;

namespace {

template <typename From, typename To> void lower(From op) {
  OpBuilder b(op);
  Type pair = LLVM::LLVMStructType::getLiteral(op.getContext(), {b.getI64Type(), b.getI1Type()});
  Value both = To::create(b, op.getLoc(), pair, op.getLhs(), op.getRhs());
  op.getResult().replaceAllUsesWith(LLVM::ExtractValueOp::create(b, op.getLoc(), both, 0).getResult());
  op.getOverflow().replaceAllUsesWith(LLVM::ExtractValueOp::create(b, op.getLoc(), both, 1).getResult());
  op.erase();
}

class LowerOverflowPass : public janus::impl::LowerOverflowPassBase<LowerOverflowPass> {
  void runOnOperation() override {
    getOperation()->walk([](Operation *op) {
      if (auto add = dyn_cast<AddOverflowOp>(op))
        lower<AddOverflowOp, LLVM::SAddWithOverflowOp>(add);
      else if (auto sub = dyn_cast<SubOverflowOp>(op))
        lower<SubOverflowOp, LLVM::SSubWithOverflowOp>(sub);
      else if (auto mul = dyn_cast<MulOverflowOp>(op))
        lower<MulOverflowOp, LLVM::SMulWithOverflowOp>(mul);
    });
  }
};

} // namespace
