//===- Bufferize.cpp - Tensors to buffers ---------------------------------===//

#include "Codegen/CPU/Accumulation.h"
#include "Codegen/CPU/Passes.h"
#include "Janus/IR/JanusOps.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotAnalysis.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace mlir::janus {
#define GEN_PASS_DEF_BUFFERIZEPASS
#include "Codegen/CPU/Passes.h.inc"
} // namespace mlir::janus

using namespace mlir;
using namespace mlir::janus;

namespace {

class BufferizePass : public janus::impl::BufferizePassBase<BufferizePass> {
  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>())
      markBranches(function);
    bufferization::OneShotBufferizationOptions options;
    // A loop may carry a new buffer; PlanMemory bounds how many there are.
    options.allowReturnAllocsFromLoops = true;
    options.unknownTypeConverterFn = [](TensorType type, Attribute memorySpace,
                                        const bufferization::BufferizationOptions &) -> BaseMemRefType {
      return bufferization::getMemRefTypeWithStaticIdentityLayout(type, memorySpace);
    };
    bufferization::BufferizationState state;
    if (failed(bufferization::runOneShotBufferize(getOperation(), options, state)))
      return signalPassFailure();

    OpBuilder b(&getContext());
    SmallVector<Operation *> exits;
    getOperation().walk([&](Operation *op) {
      if (isa<GuardOp, DeoptOp, RecordOp, LeaveOp>(op) && llvm::any_of(op->getOperands(), isStrided))
        exits.push_back(op);
    });
    for (Operation *op : exits)
      makeDense(op, b);

    lowerAccumulators(b);

    SmallVector<memref::CopyOp> copies;
    getOperation().walk([&](memref::CopyOp copy) { copies.push_back(copy); });
    for (memref::CopyOp copy : copies) {
      b.setInsertionPoint(copy);
      if (copy.getSource() != copy.getTarget())
        linalg::makeMemRefCopyOp(b, copy.getLoc(), copy.getSource(), copy.getTarget());
      copy.erase();
    }
  }

  /// Upstream asks for the layout of what both sides of an `scf.if` give whenever it needs that of a result, so that
  /// its time doubles with each branch in a row. Where there are several, all of them give dense tensors.
  static void markBranches(func::FuncOp function) {
    constexpr size_t kCheap = 6;
    SmallVector<scf::IfOp> branches;
    function.walk([&](scf::IfOp branch) {
      if (llvm::any_of(branch.getResultTypes(), llvm::IsaPred<RankedTensorType>))
        branches.push_back(branch);
    });
    if (branches.size() <= kCheap)
      return;
    OpBuilder b(function.getContext());
    for (scf::IfOp branch : branches)
      for (Region *region : branch.getRegions()) {
        Operation *yield = region->front().getTerminator();
        b.setInsertionPoint(yield);
        for (OpOperand &operand : yield->getOpOperands())
          if (isa<RankedTensorType>(operand.get().getType()))
            operand.set(DenseOp::create(b, yield->getLoc(), operand.get()));
      }
  }

  /// Accumulators are buffers of zeros, to which linalg ops add.
  void lowerAccumulators(OpBuilder &b) {
    SmallVector<Operation *> ops;
    getOperation().walk([&](Operation *op) {
      if (isa<AccumulatorOp, AccumulateOp>(op))
        ops.push_back(op);
    });
    for (Operation *op : ops) {
      b.setInsertionPoint(op);
      Location loc = op->getLoc();
      if (auto accumulator = dyn_cast<AccumulatorOp>(op)) {
        auto type = cast<MemRefType>(accumulator.getMemory().getType());
        Value memory = memref::AllocOp::create(b, loc, type, accumulator.getOutputDims());
        Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(type.getElementType()));
        linalg::FillOp::create(b, loc, zero, memory);
        accumulator.replaceAllUsesWith(memory);
      } else {
        auto accumulate = cast<AccumulateOp>(op);
        if (accumulateInPlace(accumulate))
          continue;
        int64_t rank = cast<MemRefType>(accumulate.getMemory().getType()).getRank();
        AffineMap identity = b.getMultiDimIdentityMap(rank);
        SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::parallel);
        linalg::GenericOp::create(b, loc, accumulate.getValue(), accumulate.getMemory(),
                                  ArrayRef<AffineMap>{identity, identity}, iterators,
                                  [](OpBuilder &b, Location loc, ValueRange arguments) {
                                    Value sum = arith::AddFOp::create(b, loc, arguments[1], arguments[0]);
                                    linalg::YieldOp::create(b, loc, sum);
                                  });
      }
      op->erase();
    }
  }

  /// What is computed for an accumulator only is added to it as it arises: nothing reads the sum before it is complete.
  static bool accumulateInPlace(AccumulateOp accumulate) {
    auto buffer = accumulate.getValue().getDefiningOp<memref::AllocOp>();
    if (!buffer || accumulate.getValue().getType() != accumulate.getMemory().getType())
      return false;
    Operation *fill = nullptr;
    linalg::GenericOp product;
    for (Operation *user : buffer->getUsers()) {
      if (user == accumulate)
        continue;
      auto generic = dyn_cast<linalg::GenericOp>(user);
      if (cpu::isZeroFill(user) && !fill)
        fill = user;
      else if (generic && !product && cpu::addsToOutput(generic) && generic.getDpsInits()[0] == buffer.getResult())
        product = generic;
      else
        return false;
    }
    if (!fill || !product || fill->getBlock() != product->getBlock() || product->getBlock() != accumulate->getBlock() ||
        !fill->isBeforeInBlock(product) || !product->isBeforeInBlock(accumulate) ||
        llvm::is_contained(product.getDpsInputs(), buffer.getResult()))
      return false;
    // The memory is that of a caller, or was made before.
    Operation *memory = accumulate.getMemory().getDefiningOp();
    if (memory && memory->getBlock() == product->getBlock() && !memory->isBeforeInBlock(product))
      return false;
    product.getDpsInitsMutable()[0].set(accumulate.getMemory());
    accumulate.erase();
    fill->erase();
    buffer.erase();
    return true;
  }

  static bool isStrided(Value value) {
    auto type = dyn_cast<MemRefType>(value.getType());
    return type && !type.getLayout().isIdentity();
  }

  /// The runtime takes dense arrays: copies live values that are slices of others. A guard does so only when it fails.
  static void makeDense(Operation *op, OpBuilder &b) {
    Location loc = op->getLoc();
    b.setInsertionPoint(op);
    if (auto guard = dyn_cast<GuardOp>(op)) {
      Value no = arith::ConstantIntOp::create(b, loc, 1, 1);
      auto fails = scf::IfOp::create(b, loc, arith::XOrIOp::create(b, loc, guard.getCond(), no), /*withElse=*/false);
      b.setInsertionPointToStart(fails.thenBlock());
      Operation *deopt = DeoptOp::create(b, loc, stringifyGuardKind(guard.getKind()), guard.getSite(), guard.getLive());
      op->erase();
      op = deopt;
      b.setInsertionPoint(op);
    }
    for (OpOperand &operand : op->getOpOperands()) {
      if (!isStrided(operand.get()))
        continue;
      auto type = cast<MemRefType>(operand.get().getType());
      SmallVector<Value> sizes;
      for (int64_t d = 0; d < type.getRank(); ++d)
        if (type.isDynamicDim(d))
          sizes.push_back(memref::DimOp::create(b, loc, operand.get(), d));
      Value dense = memref::AllocOp::create(b, loc, MemRefType::get(type.getShape(), type.getElementType()), sizes);
      linalg::makeMemRefCopyOp(b, loc, operand.get(), dense);
      operand.set(dense);
    }
  }
};

} // namespace
