//===- LowerCalls.cpp - Calls that may exit -------------------------------===//

#include "Conversion/JanusToLLVM/Passes.h"
#include "Conversion/JanusToLLVM/Runtime.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/IR/Matchers.h"

namespace mlir::janus {
#define GEN_PASS_DEF_LOWERCALLSPASS
#include "Conversion/JanusToLLVM/Passes.h.inc"
} // namespace mlir::janus

using namespace mlir;
using namespace mlir::janus;

namespace {

/// What a function returns that must not be entered because calls are nested too deep.
constexpr int32_t kTooDeep = -2;

class LowerCallsPass : public janus::impl::LowerCallsPassBase<LowerCallsPass> {
  void runOnOperation() override {
    for (func::FuncOp function : loweredFunctions(getOperation())) {
      if (isInternal(function))
        bound(function);
      SmallVector<func::CallOp> calls;
      function.walk([&](func::CallOp call) {
        if (isInternal(SymbolTable::lookupNearestSymbolFrom(call, call.getCalleeAttr())))
          calls.push_back(call);
      });
      for (func::CallOp call : calls) {
        if (call->getParentOp() != function) {
          call.emitError("stands in structured control flow, which must be lowered first");
          return signalPassFailure();
        }
        passOn(call, function);
      }
    }
  }

  /// Leaves the function if the callee has been left.
  static void passOn(func::CallOp call, func::FuncOp function) {
    Location loc = call.getLoc();
    Block *block = call->getBlock();
    Block *rest = block->splitBlock(call->getNextNode());
    Block *left = new Block;
    function.getBody().push_back(left);
    Value status = call.getResult(0);
    OpBuilder b = OpBuilder::atBlockEnd(left);
    leaveWith(b, loc, function, status);
    b.setInsertionPointToEnd(block);
    Value zero = arith::ConstantIntOp::create(b, loc, 0, 32);
    Value passes = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, status, zero);
    auto branch = cf::CondBranchOp::create(b, loc, passes, rest, left);
    branch.setBranchWeights(ArrayRef<int32_t>{1 << 20, 1});
  }

  static void bound(func::FuncOp function) {
    Location loc = function.getLoc();
    Value call = callOf(function);
    Type ptr = call.getType();
    SmallVector<func::ReturnOp> returns;
    function.walk([&](func::ReturnOp op) {
      if (matchPattern(op.getOperand(0), m_Zero()))
        returns.push_back(op);
    });
    Block *entry = &function.getBody().front();
    Block *body = entry->splitBlock(entry->begin());
    OpBuilder b = OpBuilder::atBlockEnd(entry);
    Type i64 = b.getI64Type();
    // Memory on the stack is only cheap in the first block.
    for (Operation &op : llvm::make_early_inc_range(*body)) {
      auto alloca = dyn_cast<LLVM::AllocaOp>(op);
      Operation *size = alloca ? alloca.getArraySize().getDefiningOp() : nullptr;
      if (!size || !matchPattern(size, m_Constant()))
        continue;
      b.clone(*size)->getResult(0);
      alloca.getArraySizeMutable().assign(entry->back().getResult(0));
      alloca->moveBefore(entry, entry->end());
    }
    auto field = [&](FrameField which) { return frameField(b, loc, call, which); };
    Value topAt = field(FrameField::Top), limitAt = field(FrameField::Limit), depthAt = field(FrameField::DepthLeft);
    Value top = LLVM::LoadOp::create(b, loc, ptr, topAt);
    Value limit = LLVM::LoadOp::create(b, loc, ptr, limitAt);
    Value depth = LLVM::LoadOp::create(b, loc, i64, depthAt);
    Value lowest = LLVM::LoadOp::create(b, loc, i64, field(FrameField::LowestStack));
    Value less = arith::SubIOp::create(b, loc, depth, arith::ConstantIntOp::create(b, loc, 1, 64));
    LLVM::StoreOp::create(b, loc, less, depthAt);
    Value here = LLVM::CallIntrinsicOp::create(b, loc, ptr, b.getStringAttr("llvm.frameaddress.p0"),
                                               ValueRange{arith::ConstantIntOp::create(b, loc, 0, 32)})
                     .getResults();
    Value deepEnough =
        arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sge, less, arith::ConstantIntOp::create(b, loc, 0, 64));
    Value stackLeft =
        arith::CmpIOp::create(b, loc, arith::CmpIPredicate::uge, LLVM::PtrToIntOp::create(b, loc, i64, here), lowest);
    Value goesOn = arith::AndIOp::create(b, loc, deepEnough, stackLeft);
    Block *tooDeep = new Block;
    function.getBody().push_back(tooDeep);
    auto branch = cf::CondBranchOp::create(b, loc, goesOn, body, tooDeep);
    branch.setBranchWeights(ArrayRef<int32_t>{1 << 20, 1});
    b.setInsertionPointToEnd(tooDeep);
    leaveWith(b, loc, function, kTooDeep);
    for (func::ReturnOp op : returns) {
      b.setInsertionPoint(op);
      LLVM::StoreOp::create(b, loc, top, topAt);
      LLVM::StoreOp::create(b, loc, limit, limitAt);
      LLVM::StoreOp::create(b, loc, depth, depthAt);
    }
  }
};

} // namespace
