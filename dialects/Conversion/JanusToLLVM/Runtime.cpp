//===- Runtime.cpp - Calls of the runtime from generated code -------------===//

#include "Conversion/JanusToLLVM/Runtime.h"

#include "Janus/IR/JanusDialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/UB/IR/UBOps.h"

using namespace mlir;
using namespace mlir::janus;

int32_t janus::dtypeOf(Type element) {
  if (auto integer = dyn_cast<IntegerType>(element)) {
    switch (integer.getWidth()) {
    case 1:
      return 0;
    case 8:
      return 1;
    case 16:
      return 2;
    case 32:
      return 3;
    case 64:
      return 4;
    default:
      return -1;
    }
  }
  if (element.isIndex())
    return 4;
  if (element.isF16())
    return 9;
  if (element.isBF16())
    return 10;
  if (element.isF32())
    return 11;
  if (element.isF64())
    return 12;
  if (auto complex = dyn_cast<ComplexType>(element))
    return complex.getElementType().isF32() ? 13 : complex.getElementType().isF64() ? 14 : -1;
  return -1;
}

int64_t janus::itemSizeOf(Type element) {
  if (auto complex = dyn_cast<ComplexType>(element))
    return 2 * itemSizeOf(complex.getElementType());
  return element.isIndex() ? 8 : llvm::divideCeil(element.getIntOrFloatBitWidth(), 8);
}

bool janus::isInternal(Operation *function) { return function && function->hasAttr(kInternalAttr); }

SmallVector<func::FuncOp> janus::loweredFunctions(ModuleOp module) {
  SmallVector<func::FuncOp> functions;
  for (auto function : module.getOps<func::FuncOp>()) {
    bool entry = function->hasAttr(kEntryAttr) && function.getNumArguments() == 2 && function.getNumResults() == 1 &&
                 llvm::all_of(function.getArgumentTypes(), llvm::IsaPred<LLVM::LLVMPointerType>);
    bool internal = isInternal(function) && function.getNumArguments() > 0 && function.getNumResults() > 0 &&
                    isa<LLVM::LLVMPointerType>(function.getArgument(0).getType());
    if (entry || internal)
      functions.push_back(function);
  }
  return functions;
}

Value janus::callOf(func::FuncOp function) { return function.getArgument(isInternal(function) ? 0 : 1); }

void janus::leaveWith(OpBuilder &b, Location loc, func::FuncOp function, Value status) {
  SmallVector<Value> values{status};
  // Nobody looks at the results of a call that has been left.
  for (Type type : function.getResultTypes().drop_front())
    values.push_back(ub::PoisonOp::create(b, loc, type));
  func::ReturnOp::create(b, loc, values);
}

void janus::leaveWith(OpBuilder &b, Location loc, func::FuncOp function, int32_t status) {
  leaveWith(b, loc, function, arith::ConstantIntOp::create(b, loc, status, 32));
}

Value janus::frameField(OpBuilder &b, Location loc, Value call, FrameField field) {
  return LLVM::GEPOp::create(b, loc, LLVM::LLVMPointerType::get(b.getContext()), b.getI64Type(), call,
                             ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(field)});
}

Value Runtime::constant(OpBuilder &b, Location loc, int32_t value) {
  return arith::ConstantIntOp::create(b, loc, value, 32);
}

Value Runtime::call(OpBuilder &b, Location loc, StringRef name, Type result, ValueRange arguments) {
  auto callee = module.lookupSymbol<LLVM::LLVMFuncOp>(name);
  if (!callee) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(module.getBody());
    SmallVector<Type> types(arguments.getTypes());
    callee = LLVM::LLVMFuncOp::create(
        b, loc, name, LLVM::LLVMFunctionType::get(result ? result : LLVM::LLVMVoidType::get(b.getContext()), types));
  }
  auto op = LLVM::CallOp::create(b, loc, callee, arguments);
  return result ? op.getResult() : Value();
}

void Runtime::beginRecord(OpBuilder &b, Location loc, Value jcall, int32_t site) {
  call(b, loc, "janus_rt_begin_record", {}, {jcall, constant(b, loc, site)});
}

void Runtime::pushInteger(OpBuilder &b, Location loc, Value jcall, Value i64) {
  call(b, loc, "janus_rt_push_i64", {}, {jcall, i64});
}

void Runtime::pushFloat(OpBuilder &b, Location loc, Value jcall, Value f64) {
  call(b, loc, "janus_rt_push_f64", {}, {jcall, f64});
}

void Runtime::pushOwned(OpBuilder &b, Location loc, Value jcall, Value pointer) {
  call(b, loc, "janus_rt_push_owned", {}, {jcall, pointer});
}

void Runtime::pushCopy(OpBuilder &b, Location loc, Value jcall, Type element, unsigned rank, Value dims,
                       Value pointer) {
  call(b, loc, "janus_rt_push_copy", {},
       {jcall, constant(b, loc, dtypeOf(element)), constant(b, loc, rank), dims, pointer});
}

Value Runtime::alloc(OpBuilder &b, Location loc, Value jcall, Type element, unsigned rank, Value dims) {
  return call(b, loc, "janus_rt_alloc", ptr(),
              {jcall, constant(b, loc, dtypeOf(element)), constant(b, loc, rank), dims});
}

void Runtime::pushObject(OpBuilder &b, Location loc, Value jcall, Value object) {
  call(b, loc, "janus_rt_push_object", {}, {jcall, object});
}

Value Runtime::handover(OpBuilder &b, Location loc, Value jcall, int32_t index, Value bytes) {
  return call(b, loc, "janus_rt_handover", ptr(), {jcall, constant(b, loc, index), bytes});
}

Value Runtime::frame(OpBuilder &b, Location loc, Value jcall, Value bytes) {
  static constexpr StringLiteral name = "janus_frame";
  if (!module.lookupSymbol(name)) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(module.getBody());
    Type i64 = b.getI64Type();
    auto helper = func::FuncOp::create(b, loc, name, b.getFunctionType({ptr(), i64}, {ptr()}));
    helper.setPrivate();
    Block *entry = helper.addEntryBlock();
    Block *fits = helper.addBlock(), *grow = helper.addBlock();
    Value theCall = entry->getArgument(0), wanted = entry->getArgument(1);
    b.setInsertionPointToStart(entry);
    Value topAt = frameField(b, loc, theCall, FrameField::Top);
    Value top = LLVM::LoadOp::create(b, loc, ptr(), topAt);
    Value limit = LLVM::LoadOp::create(b, loc, i64, frameField(b, loc, theCall, FrameField::Limit));
    Value left = arith::SubIOp::create(b, loc, limit, LLVM::PtrToIntOp::create(b, loc, i64, top));
    Value enough = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ule, wanted, left);
    auto branch = cf::CondBranchOp::create(b, loc, enough, fits, grow);
    branch.setBranchWeights(ArrayRef<int32_t>{1 << 20, 1});
    b.setInsertionPointToStart(fits);
    Value next = LLVM::GEPOp::create(b, loc, ptr(), b.getI8Type(), top, ArrayRef<LLVM::GEPArg>{wanted});
    LLVM::StoreOp::create(b, loc, next, topAt);
    func::ReturnOp::create(b, loc, top);
    b.setInsertionPointToStart(grow);
    func::ReturnOp::create(b, loc, call(b, loc, "janus_rt_grow_frames", ptr(), {theCall, wanted}));
  }
  auto helper = module.lookupSymbol<func::FuncOp>(name);
  return func::CallOp::create(b, loc, helper, ValueRange{jcall, bytes}).getResult(0);
}

Value Runtime::scratch(OpBuilder &b, Location loc, Value jcall, Value bytes) {
  return call(b, loc, "janus_rt_scratch", ptr(), {jcall, bytes});
}

Value Runtime::tapePush(OpBuilder &b, Location loc, Value jcall, int32_t stack, Value bytes) {
  return call(b, loc, "janus_rt_tape_push", ptr(), {jcall, constant(b, loc, stack), bytes});
}

Value Runtime::tapePop(OpBuilder &b, Location loc, Value jcall, int32_t stack, Value bytes) {
  return call(b, loc, "janus_rt_tape_pop", ptr(), {jcall, constant(b, loc, stack), bytes});
}

Value janus::roundUp(OpBuilder &b, Location loc, Value bytes) {
  Value more = arith::AddIOp::create(b, loc, bytes, arith::ConstantIntOp::create(b, loc, kFrameAlignment - 1, 64));
  return arith::AndIOp::create(b, loc, more, arith::ConstantIntOp::create(b, loc, -kFrameAlignment, 64));
}

Value Runtime::reuse(OpBuilder &b, Location loc, Value jcall, Value slot, Value bytes, bool inFrame) {
  StringRef name = inFrame ? "janus_reuse_in_frame" : "janus_reuse";
  if (!module.lookupSymbol(name)) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(module.getBody());
    auto helper = func::FuncOp::create(b, loc, name, b.getFunctionType({ptr(), ptr(), b.getI64Type()}, {ptr()}));
    helper.setPrivate();
    Block *entry = helper.addEntryBlock();
    Block *fits = helper.addBlock(), *grow = helper.addBlock();
    Value theCall = entry->getArgument(0), theSlot = entry->getArgument(1), wanted = entry->getArgument(2);
    b.setInsertionPointToStart(entry);
    Value capacityAt = LLVM::GEPOp::create(b, loc, ptr(), b.getI64Type(), theSlot, ArrayRef<LLVM::GEPArg>{1});
    Value capacity = LLVM::LoadOp::create(b, loc, b.getI64Type(), capacityAt);
    Value enough = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sge, capacity, wanted);
    cf::CondBranchOp::create(b, loc, enough, fits, grow);
    b.setInsertionPointToStart(fits);
    func::ReturnOp::create(b, loc, Value(LLVM::LoadOp::create(b, loc, ptr(), theSlot)));
    b.setInsertionPointToStart(grow);
    // Twice what is needed: memory of a growing buffer stays within a small multiple of its last size.
    Value doubled = arith::ShLIOp::create(b, loc, wanted, arith::ConstantIntOp::create(b, loc, 1, 64));
    Value memory = inFrame ? frame(b, loc, theCall, roundUp(b, loc, doubled)) : scratch(b, loc, theCall, doubled);
    LLVM::StoreOp::create(b, loc, memory, theSlot);
    LLVM::StoreOp::create(b, loc, doubled, capacityAt);
    func::ReturnOp::create(b, loc, memory);
  }
  auto helper = module.lookupSymbol<func::FuncOp>(name);
  return func::CallOp::create(b, loc, helper, ValueRange{jcall, slot, bytes}).getResult(0);
}

Value Runtime::dims(OpBuilder &b, Location loc, func::FuncOp function, ArrayRef<OpFoldResult> sizes) {
  auto arrayType = LLVM::LLVMArrayType::get(b.getI64Type(), std::max<size_t>(1, sizes.size()));
  if (std::optional<SmallVector<int64_t>> constants = getConstantIntValues(sizes)) {
    if (constants->empty())
      constants->push_back(0);
    std::string name = "janus_dims";
    for (int64_t size : *constants)
      name += "_" + std::to_string(size);
    if (!module.lookupSymbol(name)) {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(module.getBody());
      LLVM::GlobalOp::create(b, loc, arrayType, /*isConstant=*/true, LLVM::Linkage::Internal, name,
                             b.getI64TensorAttr(*constants));
    }
    return LLVM::AddressOfOp::create(b, loc, ptr(), name);
  }
  Value array;
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(&function.getBody().front());
    array = LLVM::AllocaOp::create(b, loc, ptr(), arrayType, Value(arith::ConstantIntOp::create(b, loc, 1, 64)));
  }
  for (auto [i, size] : llvm::enumerate(sizes)) {
    Value at =
        LLVM::GEPOp::create(b, loc, ptr(), b.getI64Type(), array, ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(i)});
    std::optional<int64_t> known = getConstantIntValue(size);
    Value value = known ? Value(arith::ConstantIntOp::create(b, loc, *known, 64)) : cast<Value>(size);
    if (value.getType().isIndex())
      value = arith::IndexCastOp::create(b, loc, b.getI64Type(), value);
    LLVM::StoreOp::create(b, loc, value, at);
  }
  return array;
}
