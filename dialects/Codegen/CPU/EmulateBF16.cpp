//===- EmulateBF16.cpp - Arithmetic of bf16 on machines without it --------===//

#include "Codegen/CPU/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Transforms/DialectConversion.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace mlir::janus {
#define GEN_PASS_DEF_EMULATEBF16PASS
#include "Codegen/CPU/Passes.h.inc"
} // namespace mlir::janus

using namespace mlir;
using namespace mlir::janus;

namespace {

bool isBF16(Type type) { return getElementTypeOrSelf(type).isBF16(); }

/// f64 to bf16 by way of f32, as XLA does it.
struct TruncateInTwoSteps : OpRewritePattern<arith::TruncFOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(arith::TruncFOp op, PatternRewriter &rewriter) const override {
    if (!isBF16(op.getType()) || !getElementTypeOrSelf(op.getIn()).isF64())
      return failure();
    Type single = rewriter.getF32Type();
    if (auto shaped = dyn_cast<ShapedType>(op.getType()))
      single = shaped.clone(single);
    Value rounded = arith::TruncFOp::create(rewriter, op.getLoc(), single, op.getIn());
    rewriter.replaceOpWithNewOp<arith::TruncFOp>(op, op.getType(), rounded);
    return success();
  }
};

class EmulateBF16Pass : public janus::impl::EmulateBF16PassBase<EmulateBF16Pass> {
  void runOnOperation() override {
    bool found = getOperation()
                     ->walk([](Operation *op) {
                       bool here =
                           llvm::any_of(op->getOperandTypes(), isBF16) || llvm::any_of(op->getResultTypes(), isBF16);
                       return here && isa<arith::ArithDialect>(op->getDialect()) ? WalkResult::interrupt()
                                                                                 : WalkResult::advance();
                     })
                     .wasInterrupted();
    if (!found)
      return;

    MLIRContext *context = &getContext();
    TypeConverter converter;
    arith::populateEmulateUnsupportedFloatsConversions(converter, {BFloat16Type::get(context)},
                                                       Float32Type::get(context));
    RewritePatternSet emulation(context);
    arith::populateEmulateUnsupportedFloatsPatterns(emulation, converter);
    ConversionTarget target(*context);
    arith::populateEmulateUnsupportedFloatsLegality(target, converter);
    if (failed(applyPartialConversion(getOperation(), target, std::move(emulation))))
      return signalPassFailure();

    // LLVM would call a function of compiler-rt for each element.
    RewritePatternSet expansion(context);
    expansion.add<TruncateInTwoSteps>(context);
    arith::populateExpandBFloat16Patterns(expansion);
    if (failed(applyPatternsGreedily(getOperation(), std::move(expansion))))
      return signalPassFailure();
  }
};

} // namespace
