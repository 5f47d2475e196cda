//===- LowerParts.cpp - Calls of kernel parts to the thread pool ----------===//

#include "Conversion/JanusToLLVM/Passes.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinOps.h"

namespace mlir::janus {
#define GEN_PASS_DEF_LOWERPARTSPASS
#include "Conversion/JanusToLLVM/Passes.h.inc"
} // namespace mlir::janus

using namespace mlir;
using namespace mlir::janus;

namespace {

class LowerPartsPass : public janus::impl::LowerPartsPassBase<LowerPartsPass> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    SmallVector<LLVM::CallOp> calls;
    module.walk([&](LLVM::CallOp call) {
      auto callee = call.getCallee() ? module.lookupSymbol<LLVM::LLVMFuncOp>(*call.getCallee()) : nullptr;
      if (callee && callee->hasAttr("janus.part"))
        calls.push_back(call);
    });
    for (LLVM::CallOp call : calls)
      lower(call, module);
  }

  static void lower(LLVM::CallOp call, ModuleOp module) {
    Location loc = call.getLoc();
    auto part = module.lookupSymbol<LLVM::LLVMFuncOp>(*call.getCallee());
    OpBuilder b(call);
    Type ptr = LLVM::LLVMPointerType::get(b.getContext()), i64 = b.getI64Type();
    Type nothing = LLVM::LLVMVoidType::get(b.getContext());
    ValueRange shared = call.getArgOperands().drop_front(2);
    SmallVector<Type> types(shared.getTypes());
    Type record = LLVM::LLVMStructType::getLiteral(b.getContext(), types);

    // What all pieces share is handed over in memory, where the thunk finds it.
    std::string name = (part.getName() + "_thunk").str();
    if (!module.lookupSymbol(name)) {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointAfter(part);
      auto thunk = LLVM::LLVMFuncOp::create(b, loc, name, LLVM::LLVMFunctionType::get(nothing, {i64, i64, ptr}),
                                            LLVM::Linkage::Internal);
      Block *body = thunk.addEntryBlock(b);
      b.setInsertionPointToStart(body);
      SmallVector<Value> arguments{body->getArgument(0), body->getArgument(1)};
      for (auto [i, type] : llvm::enumerate(types))
        arguments.push_back(LLVM::LoadOp::create(b, loc, type, fieldOf(b, loc, record, body->getArgument(2), i)));
      LLVM::CallOp::create(b, loc, part, arguments);
      LLVM::ReturnOp::create(b, loc, ValueRange{});
    }
    static constexpr StringLiteral entry = "janus_rt_parallel";
    auto runtime = module.lookupSymbol<LLVM::LLVMFuncOp>(entry);
    if (!runtime) {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(module.getBody());
      runtime = LLVM::LLVMFuncOp::create(b, loc, entry, LLVM::LLVMFunctionType::get(nothing, {ptr, ptr, i64}));
    }
    Value memory;
    {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(&call->getParentOfType<LLVM::LLVMFuncOp>().getBody().front());
      memory = LLVM::AllocaOp::create(b, loc, ptr, record, Value(LLVM::ConstantOp::create(b, loc, i64, 1)));
    }
    for (auto [i, value] : llvm::enumerate(shared))
      LLVM::StoreOp::create(b, loc, value, fieldOf(b, loc, record, memory, i));
    Value thunk = LLVM::AddressOfOp::create(b, loc, ptr, name);
    LLVM::CallOp::create(b, loc, runtime, ValueRange{thunk, memory, call.getArgOperands()[1]});
    call.erase();
  }

  static Value fieldOf(OpBuilder &b, Location loc, Type record, Value memory, int32_t field) {
    Type ptr = LLVM::LLVMPointerType::get(b.getContext());
    return LLVM::GEPOp::create(b, loc, ptr, record, memory, ArrayRef<LLVM::GEPArg>{0, field});
  }
};

} // namespace
