//===- LowerMemory.cpp - Allocations to calls of the runtime --------------===//

#include "Conversion/JanusToLLVM/Passes.h"
#include "Conversion/JanusToLLVM/Runtime.h"
#include "Janus/IR/JanusOps.h"

#include "mlir/Conversion/LLVMCommon/MemRefBuilder.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace mlir::janus {
#define GEN_PASS_DEF_LOWERMEMORYPASS
#include "Conversion/JanusToLLVM/Passes.h.inc"
} // namespace mlir::janus

using namespace mlir;
using namespace mlir::janus;

namespace {

/// What a function that finds no memory returns.
constexpr int32_t kOutOfMemory = -1;

class LowerMemoryPass : public janus::impl::LowerMemoryPassBase<LowerMemoryPass> {
  void runOnOperation() override {
    Runtime runtime(getOperation());
    for (func::FuncOp function : loweredFunctions(getOperation())) {
      SmallVector<Operation *> allocs;
      function.walk([&](Operation *op) {
        if (isa<memref::AllocOp, TapeReserveOp, TapeReleaseOp>(op))
          allocs.push_back(op);
      });
      Block *outOfMemory = nullptr;
      for (Operation *alloc : allocs)
        if (failed(lower(alloc, function, runtime, outOfMemory)))
          return signalPassFailure();
    }
  }

  LogicalResult lower(Operation *alloc, func::FuncOp function, Runtime &runtime, Block *&outOfMemory) {
    OpBuilder b(alloc);
    Location loc = alloc->getLoc();
    auto type = cast<MemRefType>(alloc->getResult(0).getType());
    auto memory = alloc->getAttrOfType<StringAttr>("janus.memory");
    auto stack = alloc->getAttrOfType<IntegerAttr>("stack");
    if (!(memory || stack) || !type.getLayout().isIdentity() || dtypeOf(type.getElementType()) < 0)
      return alloc->emitError("says not where it lives; janus-cpu-plan-memory decides that");
    Value call = callOf(function);
    Type i64 = b.getI64Type();

    SmallVector<Value> sizes;
    SmallVector<OpFoldResult> mixed;
    ValueRange dynamic = alloc->getOperands();
    for (int64_t size : type.getShape()) {
      if (ShapedType::isDynamic(size)) {
        sizes.push_back(arith::IndexCastOp::create(b, loc, i64, dynamic.front()));
        mixed.push_back(sizes.back());
        dynamic = dynamic.drop_front();
      } else {
        sizes.push_back(arith::ConstantIntOp::create(b, loc, size, 64));
        mixed.push_back(b.getI64IntegerAttr(size));
      }
    }
    SmallVector<Value> strides(sizes.size());
    Value count = arith::ConstantIntOp::create(b, loc, 1, 64);
    for (int64_t d = type.getRank() - 1; d >= 0; --d) {
      strides[d] = count;
      count = arith::MulIOp::create(b, loc, count, sizes[d]);
    }

    Value pointer;
    if (memory && memory == "result") {
      pointer =
          runtime.alloc(b, loc, call, type.getElementType(), type.getRank(), runtime.dims(b, loc, function, mixed));
    } else {
      Value itemSize = arith::ConstantIntOp::create(b, loc, itemSizeOf(type.getElementType()), 64);
      Value bytes = arith::MulIOp::create(b, loc, count, itemSize);
      bool inFrame = isInternal(function);
      if (stack)
        pointer = isa<TapeReserveOp>(alloc) ? runtime.tapePush(b, loc, call, stack.getInt(), bytes)
                                            : runtime.tapePop(b, loc, call, stack.getInt(), bytes);
      else if (auto place = alloc->getAttrOfType<IntegerAttr>("janus.handover"))
        pointer = runtime.handover(b, loc, call, place.getInt(), bytes);
      else if (memory != "scratch")
        pointer = runtime.reuse(b, loc, call, slot(b, loc, function, memory == "alternate"), bytes, inFrame);
      else if (inFrame)
        pointer = runtime.frame(b, loc, call, roundUp(b, loc, bytes));
      else
        pointer = runtime.scratch(b, loc, call, bytes);
    }
    Value null = LLVM::ZeroOp::create(b, loc, runtime.ptr());
    Value found = LLVM::ICmpOp::create(b, loc, LLVM::ICmpPredicate::ne, pointer, null);
    SmallVector<Value> parts{pointer, pointer, arith::ConstantIntOp::create(b, loc, 0, 64)};
    parts.append(sizes);
    parts.append(strides);
    LLVMTypeConverter converter(function.getContext());
    Value descriptor = MemRefDescriptor::pack(b, loc, converter, type, parts);
    alloc->replaceAllUsesWith(UnrealizedConversionCastOp::create(b, loc, type, descriptor));

    if (!outOfMemory) {
      OpBuilder::InsertionGuard guard(b);
      outOfMemory = b.createBlock(&function.getBody(), function.getBody().end());
      leaveWith(b, loc, function, kOutOfMemory);
    }
    Block *block = alloc->getBlock();
    Block *rest = block->splitBlock(alloc);
    alloc->erase();
    b.setInsertionPointToEnd(block);
    auto branch = cf::CondBranchOp::create(b, loc, found, rest, outOfMemory);
    branch.setBranchWeights(ArrayRef<int32_t>{1 << 20, 1});
    return success();
  }

  /// A pair {pointer, capacity} on the stack, empty when the function is entered. One that alternates is two pairs
  /// of which each time the other is taken.
  static Value slot(OpBuilder &b, Location loc, func::FuncOp function, bool alternates) {
    Type ptr = LLVM::LLVMPointerType::get(b.getContext()), i64 = b.getI64Type();
    auto at = [&](Value base, int32_t i) -> Value {
      return LLVM::GEPOp::create(b, loc, ptr, i64, base, ArrayRef<LLVM::GEPArg>{i});
    };
    Value cell;
    {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(&function.getBody().front());
      Value one = arith::ConstantIntOp::create(b, loc, 1, 64);
      cell = LLVM::AllocaOp::create(b, loc, ptr, LLVM::LLVMArrayType::get(i64, 5), one);
      Value none = arith::ConstantIntOp::create(b, loc, -1, 64);
      LLVM::StoreOp::create(b, loc, none, at(cell, 1));
      LLVM::StoreOp::create(b, loc, none, at(cell, 3));
      LLVM::StoreOp::create(b, loc, arith::ConstantIntOp::create(b, loc, 0, 64), at(cell, 4));
    }
    if (!alternates)
      return cell;
    Value which = LLVM::LoadOp::create(b, loc, i64, at(cell, 4));
    Value other = arith::XOrIOp::create(b, loc, which, arith::ConstantIntOp::create(b, loc, 2, 64));
    LLVM::StoreOp::create(b, loc, other, at(cell, 4));
    return LLVM::GEPOp::create(b, loc, ptr, i64, cell, ArrayRef<LLVM::GEPArg>{other});
  }
};

} // namespace
