//===- LaxToLinalg.cpp - The pass convert-lax-to-linalg -------------------===//

#include "Conversion/LaxToLinalg/Lowering.h"
#include "Conversion/LaxToLinalg/Passes.h"
#include "Janus/IR/JanusOps.h"

#include "mlir/Dialect/Math/IR/Math.h"

namespace mlir::janus {
#define GEN_PASS_DEF_LAXTOLINALGPASS
#include "Conversion/LaxToLinalg/Passes.h.inc"
} // namespace mlir::janus

using namespace mlir;
using namespace mlir::janus;
using namespace mlir::janus::lowering;

namespace {

struct LaxToLinalgPass : public janus::impl::LaxToLinalgPassBase<LaxToLinalgPass> {
  void runOnOperation() override {
    MLIRContext *context = &getContext();
    LaxTypeConverter converter;
    RewritePatternSet patterns(context);
    ConversionTarget target(*context);
    target.addIllegalDialect<lax::LaxDialect>();
    target.addIllegalOp<TruthOp>();
    populateTypeConversionPatterns(converter, patterns, target);
    populateElementwisePatterns(converter, patterns);
    populateShapePatterns(converter, patterns);
    populateSlicingPatterns(converter, patterns);
    populateGatherPatterns(converter, patterns);
    populateScatterPatterns(converter, patterns);
    populateReductionPatterns(converter, patterns);
    populateContractionPatterns(converter, patterns);
    populateConvolutionPatterns(converter, patterns);
    populateWindowPatterns(converter, patterns);
    populateSortPatterns(converter, patterns);
    populateRandomPatterns(converter, patterns);
    if (failed(applyFullConversion(getOperation(), target, std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
