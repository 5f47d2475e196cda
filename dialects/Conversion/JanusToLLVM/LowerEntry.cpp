//===- LowerEntry.cpp - The signature that the runtime calls --------------===//

#include "Conversion/JanusToLLVM/Passes.h"
#include "Conversion/JanusToLLVM/Runtime.h"
#include "Janus/IR/JanusDialect.h"
#include "Janus/IR/JanusOps.h"

#include "mlir/Conversion/LLVMCommon/MemRefBuilder.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

namespace mlir::janus {
#define GEN_PASS_DEF_LOWERENTRYPASS
#include "Conversion/JanusToLLVM/Passes.h.inc"
} // namespace mlir::janus

using namespace mlir;
using namespace mlir::janus;

namespace {

class LowerEntryPass : public janus::impl::LowerEntryPassBase<LowerEntryPass> {
  void runOnOperation() override {
    SmallVector<func::FuncOp> internal;
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      if (function->hasAttr(kEntryAttr) && failed(lower(function)))
        return signalPassFailure();
      if (isInternal(function))
        internal.push_back(function);
    }
    for (func::FuncOp function : internal)
      passCall(function);
    SmallVector<func::CallOp> calls;
    getOperation().walk([&](func::CallOp call) {
      if (isInternal(SymbolTable::lookupNearestSymbolFrom(call, call.getCalleeAttr())))
        calls.push_back(call);
    });
    for (func::CallOp call : calls)
      if (failed(passCall(call)))
        return signalPassFailure();
  }

  /// A function that others call takes the call in flight first, and returns first whether it was left.
  static void passCall(func::FuncOp function) {
    OpBuilder b(function.getContext());
    Block &body = function.getBody().front();
    Type ptr = LLVM::LLVMPointerType::get(function.getContext());
    body.insertArgument(0u, ptr, function.getLoc());
    function.removeArgAttrsAttr();
    function.removeResAttrsAttr();
    SmallVector<Type> results{b.getI32Type()};
    llvm::append_range(results, function.getResultTypes());
    function.setFunctionType(b.getFunctionType(body.getArgumentTypes(), results));
    function.walk([&](func::ReturnOp op) {
      b.setInsertionPoint(op);
      op->insertOperands(0, Value(arith::ConstantIntOp::create(b, op.getLoc(), 0, 32)));
    });
  }

  /// What becomes of the status is for janus-lower-calls to say, when control flow may branch.
  static LogicalResult passCall(func::CallOp call) {
    auto caller = call->getParentOfType<func::FuncOp>();
    if (!isInternal(caller) && !caller->hasAttr(kEntryAttr))
      return call.emitError("is made by a function that has no call in flight");
    OpBuilder b(call);
    SmallVector<Value> operands{callOf(caller)};
    llvm::append_range(operands, call.getOperands());
    SmallVector<Type> results{b.getI32Type()};
    llvm::append_range(results, call.getResultTypes());
    auto made = func::CallOp::create(b, call.getLoc(), call.getCallee(), results, operands);
    call->replaceAllUsesWith(made.getResults().drop_front());
    call.erase();
    return success();
  }

  LogicalResult lower(func::FuncOp function) {
    if (function.getNumResults() != 0)
      return function.emitError("still has results; janus-cpu-prepare-entry makes them a record");
    MLIRContext *context = function.getContext();
    LLVMTypeConverter converter(context);
    Location loc = function.getLoc();
    Type ptr = LLVM::LLVMPointerType::get(context);
    Block &body = function.getBody().front();
    unsigned numArguments = body.getNumArguments();
    Value slots = body.addArgument(ptr, loc);
    body.addArgument(ptr, loc);
    OpBuilder b = OpBuilder::atBlockBegin(&body);
    Type i64 = b.getI64Type();
    int32_t next = 0;
    auto slot = [&](Type type) -> Value {
      Value at = LLVM::GEPOp::create(b, loc, ptr, i64, slots, ArrayRef<LLVM::GEPArg>{next++});
      return LLVM::LoadOp::create(b, loc, type, at);
    };
    for (unsigned i = 0; i < numArguments; ++i) {
      BlockArgument arg = body.getArgument(i);
      Type type = arg.getType();
      Value value;
      if (auto memref = dyn_cast<MemRefType>(type)) {
        if (!memref.getLayout().isIdentity())
          return function.emitError() << "argument " << i << " is not dense";
        Value pointer = slot(ptr);
        SmallVector<Value> sizes, strides(memref.getRank());
        for (int64_t size : memref.getShape())
          sizes.push_back(ShapedType::isDynamic(size) ? slot(i64) : Value(LLVM::ConstantOp::create(b, loc, i64, size)));
        Value stride = LLVM::ConstantOp::create(b, loc, i64, 1);
        for (int64_t d = memref.getRank() - 1; d >= 0; --d) {
          strides[d] = stride;
          if (d > 0)
            stride = LLVM::MulOp::create(b, loc, stride, sizes[d]);
        }
        SmallVector<Value> parts{pointer, pointer, LLVM::ConstantOp::create(b, loc, i64, 0)};
        parts.append(sizes);
        parts.append(strides);
        Value descriptor = MemRefDescriptor::pack(b, loc, converter, memref, parts);
        value = UnrealizedConversionCastOp::create(b, loc, type, descriptor).getResult(0);
      } else if (isa<ObjectType>(type)) {
        value = UnrealizedConversionCastOp::create(b, loc, type, slot(ptr)).getResult(0);
      } else if (type.isF64() || type.isInteger(64)) {
        value = slot(type);
      } else if (type.isInteger(1)) {
        value = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, slot(i64),
                                      arith::ConstantIntOp::create(b, loc, 0, 64));
      } else if (type.isIndex()) {
        value = arith::IndexCastOp::create(b, loc, type, slot(i64));
      } else if (isa<IntegerType>(type)) {
        value = arith::TruncIOp::create(b, loc, type, slot(i64));
      } else if (isa<FloatType>(type)) {
        value = arith::TruncFOp::create(b, loc, type, slot(b.getF64Type()));
      } else {
        return function.emitError() << "argument " << i << " of type " << type << " has no slot";
      }
      arg.replaceAllUsesWith(value);
    }
    body.eraseArguments(0, numArguments);
    function.removeArgAttrsAttr();
    function.setFunctionType(b.getFunctionType({ptr, ptr}, {b.getI32Type()}));
    function.walk([&](func::ReturnOp op) {
      OpBuilder at(op);
      op->setOperands(ValueRange{arith::ConstantIntOp::create(at, op.getLoc(), 0, 32)});
    });
    return success();
  }
};

} // namespace
