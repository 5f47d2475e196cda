//===- LowerExits.cpp - Guards, exits and records to branches -------------===//

#include "Conversion/JanusToLLVM/Passes.h"
#include "Conversion/JanusToLLVM/Runtime.h"
#include "Janus/IR/JanusOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/RegionUtils.h"

namespace mlir::janus {
#define GEN_PASS_DEF_LOWEREXITSPASS
#include "Conversion/JanusToLLVM/Passes.h.inc"
} // namespace mlir::janus

using namespace mlir;
using namespace mlir::janus;

namespace {

class LowerExitsPass : public janus::impl::LowerExitsPassBase<LowerExitsPass> {
  void runOnOperation() override {
    Runtime runtime(getOperation());
    for (func::FuncOp function : loweredFunctions(getOperation())) {
      SmallVector<Operation *> exits;
      function.walk([&](Operation *op) {
        if (isa<GuardOp, DeoptOp, RecordOp, LeaveOp>(op))
          exits.push_back(op);
      });
      for (Operation *op : exits)
        if (failed(lower(op, function, runtime)))
          return signalPassFailure();
      IRRewriter rewriter(&getContext());
      (void)eraseUnreachableBlocks(rewriter, function->getRegions());
    }
  }

  static LogicalResult lower(Operation *op, func::FuncOp function, Runtime &runtime) {
    if (op->getParentOp() != function)
      return op->emitError("stands in structured control flow, which must be lowered first");
    OpBuilder b(op);
    if (auto record = dyn_cast<RecordOp>(op)) {
      if (failed(write(b, op, record.getSite(), record.getLive(), function, runtime)))
        return failure();
      op->erase();
      return success();
    }
    if (auto guard = dyn_cast<GuardOp>(op)) {
      Block *block = op->getBlock();
      Block *rest = block->splitBlock(op);
      Block *exit = b.createBlock(&function.getBody(), function.getBody().end());
      if (failed(write(b, op, guard.getSite(), guard.getLive(), function, runtime)))
        return failure();
      leaveWith(b, op->getLoc(), function, guard.getSite() + 1);
      b.setInsertionPointToEnd(block);
      auto branch = cf::CondBranchOp::create(b, op->getLoc(), guard.getCond(), rest, exit);
      branch.setBranchWeights(ArrayRef<int32_t>{1 << 20, 1});
      op->erase();
      return success();
    }
    // What follows is unreachable.
    Block *block = op->getBlock();
    block->splitBlock(op->getNextNode());
    b.setInsertionPointToEnd(block);
    int32_t status = 0;
    if (auto deopt = dyn_cast<DeoptOp>(op)) {
      if (failed(write(b, op, deopt.getSite(), deopt.getLive(), function, runtime)))
        return failure();
      status = deopt.getSite() + 1;
    } else {
      auto leaveOp = cast<LeaveOp>(op);
      if (isInternal(function))
        return op->emitError("stands in a function that others call");
      if (failed(write(b, op, leaveOp.getSite(), leaveOp.getLive(), function, runtime)))
        return failure();
    }
    leaveWith(b, op->getLoc(), function, status);
    op->erase();
    return success();
  }

  /// Appends a record of `values` to the journal.
  static LogicalResult write(OpBuilder &b, Operation *op, int32_t site, ValueRange values, func::FuncOp function,
                             Runtime &runtime) {
    Location loc = op->getLoc();
    Value call = callOf(function);
    auto owned = op->getAttrOfType<DenseI64ArrayAttr>("janus.owned");
    runtime.beginRecord(b, loc, call, site);
    unsigned first = op->getNumOperands() - values.size();
    for (auto [i, value] : llvm::enumerate(values)) {
      Type type = value.getType();
      if (auto memref = dyn_cast<MemRefType>(type)) {
        if (!memref.getLayout().isIdentity() || dtypeOf(memref.getElementType()) < 0)
          return op->emitError() << "cannot hand over a value of type " << type;
        Value address = memref::ExtractAlignedPointerAsIndexOp::create(b, loc, value);
        Value integer = arith::IndexCastOp::create(b, loc, b.getI64Type(), address);
        Value pointer = LLVM::IntToPtrOp::create(b, loc, runtime.ptr(), integer);
        if (owned && llvm::is_contained(owned.asArrayRef(), static_cast<int64_t>(first + i))) {
          runtime.pushOwned(b, loc, call, pointer);
          continue;
        }
        SmallVector<OpFoldResult> sizes;
        for (auto [d, size] : llvm::enumerate(memref.getShape())) {
          if (ShapedType::isDynamic(size))
            sizes.push_back(Value(memref::DimOp::create(b, loc, value, d)));
          else
            sizes.push_back(b.getI64IntegerAttr(size));
        }
        runtime.pushCopy(b, loc, call, memref.getElementType(), memref.getRank(), runtime.dims(b, loc, function, sizes),
                         pointer);
      } else if (isa<LLVM::LLVMPointerType>(type)) {
        runtime.pushObject(b, loc, call, value);
      } else if (type.isF64()) {
        runtime.pushFloat(b, loc, call, value);
      } else if (isa<FloatType>(type) && type.getIntOrFloatBitWidth() < 64) {
        runtime.pushFloat(b, loc, call, arith::ExtFOp::create(b, loc, b.getF64Type(), value));
      } else if (type.isIndex()) {
        runtime.pushInteger(b, loc, call, arith::IndexCastOp::create(b, loc, b.getI64Type(), value));
      } else if (type.isInteger(1)) {
        runtime.pushInteger(b, loc, call, arith::ExtUIOp::create(b, loc, b.getI64Type(), value));
      } else if (type.isInteger(64)) {
        runtime.pushInteger(b, loc, call, value);
      } else if (isa<IntegerType>(type) && type.getIntOrFloatBitWidth() < 64) {
        runtime.pushInteger(b, loc, call, arith::ExtSIOp::create(b, loc, b.getI64Type(), value));
      } else {
        return op->emitError() << "cannot hand over a value of type " << type;
      }
    }
    return success();
  }
};

} // namespace
