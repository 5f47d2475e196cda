//===- BufferizableOps.cpp - Bufferisation of janus ops -------------------===//

#include "Codegen/CPU/BufferizableOps.h"

#include "Janus/IR/JanusDialect.h"
#include "Janus/IR/JanusOps.h"

#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/IR/DialectRegistry.h"

using namespace mlir;
using namespace mlir::janus;
using namespace mlir::bufferization;

namespace {

/// An op without results that reads its tensor operands.
template <typename OpTy> struct ReaderModel : public BufferizableOpInterface::ExternalModel<ReaderModel<OpTy>, OpTy> {
  bool bufferizesToMemoryRead(Operation *, OpOperand &, const AnalysisState &) const { return true; }
  bool bufferizesToMemoryWrite(Operation *, OpOperand &, const AnalysisState &) const { return false; }
  AliasingValueList getAliasingValues(Operation *, OpOperand &, const AnalysisState &) const { return {}; }

  LogicalResult bufferize(Operation *op, RewriterBase &rewriter, const BufferizationOptions &options,
                          BufferizationState &state) const {
    SmallVector<std::pair<unsigned, Value>> buffers;
    for (OpOperand &operand : op->getOpOperands()) {
      if (!isa<TensorType>(operand.get().getType()))
        continue;
      FailureOr<Value> buffer = getBuffer(rewriter, operand.get(), options, state);
      if (failed(buffer))
        return failure();
      buffers.emplace_back(operand.getOperandNumber(), *buffer);
    }
    rewriter.modifyOpInPlace(op, [&] {
      for (auto [i, buffer] : buffers)
        op->setOperand(i, buffer);
    });
    return success();
  }
};

} // namespace

void janus::registerBufferizableOpModels(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, JanusDialect *) {
    GuardOp::attachInterface<ReaderModel<GuardOp>>(*context);
    DeoptOp::attachInterface<ReaderModel<DeoptOp>>(*context);
    RecordOp::attachInterface<ReaderModel<RecordOp>>(*context);
    LeaveOp::attachInterface<ReaderModel<LeaveOp>>(*context);
  });
}
