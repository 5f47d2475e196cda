//===- BufferizableOps.cpp - Bufferisation of janus ops -------------------===//

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

/// An unboxed array is read where it lies, and belongs to someone else.
struct UnboxModel : public BufferizableOpInterface::ExternalModel<UnboxModel, UnboxOp> {
  bool isWritable(Operation *, Value, const AnalysisState &) const { return false; }

  FailureOr<BufferLikeType> getBufferType(Operation *, Value value, const BufferizationOptions &,
                                          const BufferizationState &, SmallVector<Value> &) const {
    auto type = cast<RankedTensorType>(value.getType());
    return cast<BufferLikeType>(Type(MemRefType::get(type.getShape(), type.getElementType())));
  }

  LogicalResult bufferize(Operation *op, RewriterBase &rewriter, const BufferizationOptions &,
                          BufferizationState &) const {
    auto unbox = cast<UnboxOp>(op);
    auto type = dyn_cast<RankedTensorType>(unbox.getValue().getType());
    if (!type)
      return success();
    auto memref = MemRefType::get(type.getShape(), type.getElementType());
    auto made = UnboxOp::create(rewriter, op->getLoc(), memref, rewriter.getI1Type(), unbox.getObject(),
                                unbox.getKind(), unbox.getDtype());
    replaceOpWithBufferizedValues(rewriter, op, made.getResults());
    return success();
  }
};

/// A dense tensor is the buffer of its operand, or a copy where that has strides.
struct DenseModel : public BufferizableOpInterface::ExternalModel<DenseModel, DenseOp> {
  bool bufferizesToMemoryRead(Operation *, OpOperand &, const AnalysisState &) const { return false; }
  bool bufferizesToMemoryWrite(Operation *, OpOperand &, const AnalysisState &) const { return false; }
  AliasingValueList getAliasingValues(Operation *op, OpOperand &, const AnalysisState &) const {
    return {{op->getResult(0), BufferRelation::Equivalent}};
  }

  FailureOr<BufferLikeType> getBufferType(Operation *, Value value, const BufferizationOptions &,
                                          const BufferizationState &, SmallVector<Value> &) const {
    auto type = cast<RankedTensorType>(value.getType());
    return cast<BufferLikeType>(Type(MemRefType::get(type.getShape(), type.getElementType())));
  }

  LogicalResult bufferize(Operation *op, RewriterBase &rewriter, const BufferizationOptions &options,
                          BufferizationState &state) const {
    FailureOr<Value> buffer = getBuffer(rewriter, op->getOperand(0), options, state);
    if (failed(buffer))
      return failure();
    Value dense = *buffer;
    auto tensor = cast<RankedTensorType>(op->getResult(0).getType());
    auto type = MemRefType::get(tensor.getShape(), tensor.getElementType());
    if (dense.getType() != type) {
      Location loc = op->getLoc();
      SmallVector<Value> sizes;
      for (int64_t d = 0; d < type.getRank(); ++d)
        if (type.isDynamicDim(d))
          sizes.push_back(memref::DimOp::create(rewriter, loc, *buffer, d));
      dense = memref::AllocOp::create(rewriter, loc, type, sizes);
      memref::CopyOp::create(rewriter, loc, *buffer, dense);
    }
    replaceOpWithBufferizedValues(rewriter, op, dense);
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
    UnboxOp::attachInterface<UnboxModel>(*context);
    DenseOp::attachInterface<DenseModel>(*context);
  });
}
