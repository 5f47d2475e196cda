//===- BufferizableGradientOps.cpp - Bufferisation of tape ops ------------===//

#include "Codegen/CPU/BufferizableOps.h"

#include "Janus/IR/JanusDialect.h"
#include "Janus/IR/JanusOps.h"

#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/DialectRegistry.h"

using namespace mlir;
using namespace mlir::janus;
using namespace mlir::bufferization;

namespace {

MemRefType denseBuffer(Type tensor) {
  auto type = cast<RankedTensorType>(tensor);
  return MemRefType::get(type.getShape(), type.getElementType());
}

/// A push becomes a copy to the top of the stack.
struct TapePushModel : public BufferizableOpInterface::ExternalModel<TapePushModel, TapePushOp> {
  bool bufferizesToMemoryRead(Operation *, OpOperand &, const AnalysisState &) const { return true; }
  bool bufferizesToMemoryWrite(Operation *, OpOperand &, const AnalysisState &) const { return false; }
  AliasingValueList getAliasingValues(Operation *, OpOperand &, const AnalysisState &) const { return {}; }

  LogicalResult bufferize(Operation *op, RewriterBase &rewriter, const BufferizationOptions &options,
                          BufferizationState &state) const {
    auto push = cast<TapePushOp>(op);
    FailureOr<Value> buffer = getBuffer(rewriter, push.getValue(), options, state);
    if (failed(buffer))
      return failure();
    MemRefType type = denseBuffer(push.getValue().getType());
    SmallVector<Value> sizes;
    for (int64_t d = 0; d < type.getRank(); ++d)
      if (type.isDynamicDim(d))
        sizes.push_back(memref::DimOp::create(rewriter, op->getLoc(), *buffer, d));
    Value top = TapeReserveOp::create(rewriter, op->getLoc(), type, push.getStackAttr(), sizes);
    memref::CopyOp::create(rewriter, op->getLoc(), *buffer, top);
    rewriter.eraseOp(op);
    return success();
  }
};

/// A pop copies too: the memory is the tape's, which the next push overwrites.
struct TapePopModel : public BufferizableOpInterface::ExternalModel<TapePopModel, TapePopOp> {
  bool bufferizesToAllocation(Operation *, Value) const { return true; }
  bool resultBufferizesToMemoryWrite(Operation *, OpResult, const AnalysisState &) const { return true; }

  LogicalResult bufferize(Operation *op, RewriterBase &rewriter, const BufferizationOptions &options,
                          BufferizationState &) const {
    auto pop = cast<TapePopOp>(op);
    MemRefType type = denseBuffer(pop.getValue().getType());
    FailureOr<Value> buffer = options.createAlloc(rewriter, op->getLoc(), type, pop.getOutputDims());
    if (failed(buffer))
      return failure();
    Value top = TapeReleaseOp::create(rewriter, op->getLoc(), type, pop.getStackAttr(), pop.getOutputDims());
    memref::CopyOp::create(rewriter, op->getLoc(), top, *buffer);
    replaceOpWithBufferizedValues(rewriter, op, *buffer);
    return success();
  }
};

struct AccumulateModel : public BufferizableOpInterface::ExternalModel<AccumulateModel, AccumulateOp> {
  bool bufferizesToMemoryRead(Operation *, OpOperand &, const AnalysisState &) const { return true; }
  bool bufferizesToMemoryWrite(Operation *, OpOperand &, const AnalysisState &) const { return false; }
  AliasingValueList getAliasingValues(Operation *, OpOperand &, const AnalysisState &) const { return {}; }

  LogicalResult bufferize(Operation *op, RewriterBase &rewriter, const BufferizationOptions &options,
                          BufferizationState &state) const {
    auto accumulate = cast<AccumulateOp>(op);
    FailureOr<Value> buffer = getBuffer(rewriter, accumulate.getValue(), options, state);
    if (failed(buffer))
      return failure();
    rewriter.modifyOpInPlace(op, [&] { accumulate.getValueMutable().assign(*buffer); });
    return success();
  }
};

/// The memory itself, which nothing may write to.
struct AccumulatedModel : public BufferizableOpInterface::ExternalModel<AccumulatedModel, AccumulatedOp> {
  bool isWritable(Operation *, Value, const AnalysisState &) const { return false; }

  LogicalResult bufferize(Operation *op, RewriterBase &rewriter, const BufferizationOptions &,
                          BufferizationState &) const {
    replaceOpWithBufferizedValues(rewriter, op, cast<AccumulatedOp>(op).getMemory());
    return success();
  }
};

} // namespace

void janus::registerBufferizableGradientModels(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, JanusDialect *) {
    TapePushOp::attachInterface<TapePushModel>(*context);
    TapePopOp::attachInterface<TapePopModel>(*context);
    AccumulateOp::attachInterface<AccumulateModel>(*context);
    AccumulatedOp::attachInterface<AccumulatedModel>(*context);
  });
}
