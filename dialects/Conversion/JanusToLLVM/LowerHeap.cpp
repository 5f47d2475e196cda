//===- LowerHeap.cpp - Reads of live objects to calls of the runtime ------===//

#include "Conversion/JanusToLLVM/Passes.h"
#include "Conversion/JanusToLLVM/Runtime.h"
#include "Janus/IR/JanusOps.h"

#include "mlir/Conversion/LLVMCommon/MemRefBuilder.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/TypeSwitch.h"

namespace mlir::janus {
#define GEN_PASS_DEF_LOWERHEAPPASS
#include "Conversion/JanusToLLVM/Passes.h.inc"
} // namespace mlir::janus

using namespace mlir;
using namespace mlir::janus;

namespace {

/// The table of constant objects, an array of pointers.
constexpr llvm::StringLiteral kObjectTable = "janus_objects";
/// Index of a Python object's class among its words.
constexpr int32_t kTypeWord = 1;
/// Operands of janus_rt_invoke: the call, the function, three arguments, and how many of them there are.
constexpr size_t kInvokeOperands = 6;
/// Words of a JanusAttribute.
constexpr int64_t kAttributeWords = 5;

class LowerHeapPass : public janus::impl::LowerHeapPassBase<LowerHeapPass> {
  void runOnOperation() override {
    SmallVector<Operation *> reads;
    getOperation().walk([&](Operation *op) {
      if (isa<ObjectOp, NullOp, GetAttrOp, GetItemOp, LengthOp, TypeIsOp, MethodIsOp, EqualsOp, IsOp, IsNullOp, UnboxOp,
              BoxOp, InvokeOp, AddressOp, ObjectAtOp>(op))
        reads.push_back(op);
    });
    // From here on operands are pointers: the typed accessors of the ops must not be used for them.
    makePointers();
    Runtime runtime(getOperation());
    for (Operation *op : reads) {
      OpBuilder b(op);
      SmallVector<Value> values;
      if (failed(lower(op, b, runtime, values)))
        return signalPassFailure();
      op->replaceAllUsesWith(values);
      op->erase();
    }
  }

  /// Makes every value of type !janus.object a pointer, and drops the casts between the two.
  void makePointers() {
    Type ptr = LLVM::LLVMPointerType::get(&getContext());
    auto change = [&](Value value) {
      if (isa<ObjectType>(value.getType()))
        value.setType(ptr);
    };
    auto changed = [&](ArrayRef<Type> types) {
      return llvm::map_to_vector(types, [&](Type type) { return isa<ObjectType>(type) ? ptr : type; });
    };
    SmallVector<Operation *> casts;
    getOperation().walk([&](Operation *op) {
      for (Region &region : op->getRegions())
        for (Block &block : region)
          for (BlockArgument argument : block.getArguments())
            change(argument);
      for (OpResult result : op->getResults())
        change(result);
      if (auto function = dyn_cast<func::FuncOp>(op)) {
        FunctionType type = function.getFunctionType();
        function.setFunctionType(
            FunctionType::get(&getContext(), changed(type.getInputs()), changed(type.getResults())));
      }
      if (isa<UnrealizedConversionCastOp>(op) && op->getNumOperands() == 1 && op->getNumResults() == 1)
        casts.push_back(op);
    });
    for (Operation *op : casts)
      if (op->getOperand(0).getType() == ptr && op->getResult(0).getType() == ptr) {
        op->getResult(0).replaceAllUsesWith(op->getOperand(0));
        op->erase();
      }
  }

  LogicalResult lower(Operation *op, OpBuilder &b, Runtime &runtime, SmallVectorImpl<Value> &values) {
    Location loc = op->getLoc();
    Type ptr = runtime.ptr(), i64 = b.getI64Type();
    auto truth = [&](Value number) -> Value {
      return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, number,
                                   arith::ConstantIntOp::create(b, loc, 0, 64));
    };
    auto null = [&]() -> Value { return LLVM::ZeroOp::create(b, loc, ptr); };
    auto same = [&](Value a, Value c) -> Value { return LLVM::ICmpOp::create(b, loc, LLVM::ICmpPredicate::eq, a, c); };
    return llvm::TypeSwitch<Operation *, LogicalResult>(op)
        .Case([&](ObjectOp object) {
          values.push_back(entryOf(b, loc, object.getEntry()));
          return success();
        })
        .Case([&](NullOp) {
          values.push_back(null());
          return success();
        })
        .Case([&](GetAttrOp read) {
          values.push_back(runtime.call(b, loc, "janus_rt_get_attr", ptr,
                                        {read->getOperand(0), attributeMemory(b, loc, read.getName())}));
          return success();
        })
        .Case([&](MethodIsOp test) {
          values.push_back(
              truth(runtime.call(b, loc, "janus_rt_method_is", i64,
                                 {test->getOperand(0), attributeMemory(b, loc, test.getName()), test->getOperand(1)})));
          return success();
        })
        .Case([&](GetItemOp read) {
          bool byKey = isa<LLVM::LLVMPointerType>(read->getOperand(1).getType());
          values.push_back(runtime.call(b, loc, byKey ? "janus_rt_get_key" : "janus_rt_get_item", ptr,
                                        {read->getOperand(0), read->getOperand(1)}));
          return success();
        })
        .Case([&](LengthOp read) {
          Value length = runtime.call(b, loc, "janus_rt_length", i64, {read->getOperand(0)});
          Value zero = arith::ConstantIntOp::create(b, loc, 0, 64);
          Value ok = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sge, length, zero);
          values.push_back(arith::MaxSIOp::create(b, loc, length, zero));
          values.push_back(ok);
          return success();
        })
        .Case([&](TypeIsOp test) {
          // Null has no class: some other memory is looked at in its place.
          Value isNull = same(test->getOperand(0), null());
          Value table = LLVM::AddressOfOp::create(b, loc, ptr, objectTable(b, loc));
          Value object = LLVM::SelectOp::create(b, loc, isNull, table, test->getOperand(0));
          Value at = LLVM::GEPOp::create(b, loc, ptr, ptr, object, ArrayRef<LLVM::GEPArg>{kTypeWord});
          Value equal = same(LLVM::LoadOp::create(b, loc, ptr, at), entryOf(b, loc, test.getEntry()));
          Value no = arith::ConstantIntOp::create(b, loc, 0, 1);
          values.push_back(LLVM::SelectOp::create(b, loc, isNull, no, equal));
          return success();
        })
        .Case([&](EqualsOp test) {
          values.push_back(
              truth(runtime.call(b, loc, "janus_rt_equals", i64, {test->getOperand(0), test->getOperand(1)})));
          return success();
        })
        .Case([&](IsOp test) {
          values.push_back(same(test->getOperand(0), test->getOperand(1)));
          return success();
        })
        .Case([&](IsNullOp test) {
          values.push_back(same(test->getOperand(0), null()));
          return success();
        })
        .Case([&](BoxOp box) {
          Value number = box->getOperand(0);
          Value call = callOf(op->getParentOfType<func::FuncOp>());
          if (number.getType().isInteger(1))
            number = arith::ExtUIOp::create(b, loc, i64, number);
          StringRef name = box->getOperand(0).getType().isInteger(1) ? "janus_rt_box_bool"
                           : number.getType().isF64()                ? "janus_rt_box_float"
                                                                     : "janus_rt_box_int";
          values.push_back(runtime.call(b, loc, name, ptr, {call, number}));
          return success();
        })
        .Case([&](InvokeOp invoke) {
          SmallVector<Value> operands{callOf(op->getParentOfType<func::FuncOp>())};
          llvm::append_range(operands, invoke->getOperands());
          operands.push_back(arith::ConstantIntOp::create(b, loc, invoke->getNumOperands() - 1, 64));
          while (operands.size() < kInvokeOperands)
            operands.insert(operands.end() - 1, null());
          values.push_back(runtime.call(b, loc, "janus_rt_invoke", ptr, operands));
          return success();
        })
        .Case([&](AddressOp) {
          values.push_back(LLVM::PtrToIntOp::create(b, loc, i64, op->getOperand(0)));
          return success();
        })
        .Case([&](ObjectAtOp) {
          values.push_back(LLVM::IntToPtrOp::create(b, loc, ptr, op->getOperand(0)));
          return success();
        })
        .Case([&](UnboxOp read) {
          if (isa<MemRefType>(read.getValue().getType()))
            return unboxArray(read, b, runtime, values);
          unboxNumber(read, b, runtime, values);
          return success();
        });
  }

  StringRef objectTable(OpBuilder &b, Location loc) {
    if (!getOperation().lookupSymbol(kObjectTable)) {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(getOperation().getBody());
      LLVM::GlobalOp::create(b, loc, LLVM::LLVMPointerType::get(&getContext()), /*isConstant=*/true,
                             LLVM::Linkage::External, kObjectTable, Attribute());
    }
    return kObjectTable;
  }

  Value entryOf(OpBuilder &b, Location loc, int32_t entry) {
    Type ptr = LLVM::LLVMPointerType::get(&getContext());
    Value table = LLVM::AddressOfOp::create(b, loc, ptr, objectTable(b, loc));
    Value at = LLVM::GEPOp::create(b, loc, ptr, ptr, table, ArrayRef<LLVM::GEPArg>{entry});
    return LLVM::LoadOp::create(b, loc, ptr, at);
  }

  /// The address of a JanusAttribute for one read.
  Value attributeMemory(OpBuilder &b, Location loc, StringRef name) {
    Type ptr = LLVM::LLVMPointerType::get(&getContext());
    std::string text = ("janus_name_" + name).str();
    std::string memory = "janus_attribute_" + std::to_string(attributes++);
    {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(getOperation().getBody());
      if (!getOperation().lookupSymbol(text)) {
        std::string terminated = name.str() + '\0';
        LLVM::GlobalOp::create(b, loc, LLVM::LLVMArrayType::get(b.getI8Type(), terminated.size()), /*isConstant=*/true,
                               LLVM::Linkage::Internal, text, b.getStringAttr(terminated));
      }
      auto type = LLVM::LLVMArrayType::get(ptr, kAttributeWords);
      auto global =
          LLVM::GlobalOp::create(b, loc, type, /*isConstant=*/false, LLVM::Linkage::Internal, memory, Attribute());
      Block *block = b.createBlock(&global.getInitializerRegion());
      b.setInsertionPointToStart(block);
      Value words = LLVM::ZeroOp::create(b, loc, type);
      Value named = LLVM::AddressOfOp::create(b, loc, ptr, text);
      LLVM::ReturnOp::create(b, loc, LLVM::InsertValueOp::create(b, loc, words, named, ArrayRef<int64_t>{0}));
    }
    return LLVM::AddressOfOp::create(b, loc, ptr, memory);
  }

  static void unboxNumber(UnboxOp read, OpBuilder &b, Runtime &runtime, SmallVectorImpl<Value> &values) {
    Location loc = read.getLoc();
    Type type = read.getValue().getType();
    bool isBool = type.isInteger(1);
    Type stored = isBool ? b.getI64Type() : type;
    StringRef name = isBool ? "janus_rt_unbox_bool" : type.isF64() ? "janus_rt_unbox_float" : "janus_rt_unbox_int";
    // The C ABI returns a pair of words in registers, as LLVM does.
    Type pair = LLVM::LLVMStructType::getLiteral(b.getContext(), {stored, b.getI64Type()});
    Value both = runtime.call(b, loc, name, pair, {read->getOperand(0)});
    Value zero = arith::ConstantIntOp::create(b, loc, 0, 64);
    for (int64_t i : {0, 1}) {
      Value value = LLVM::ExtractValueOp::create(b, loc, both, ArrayRef<int64_t>{i});
      if (i == 1 || isBool)
        value = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, value, zero);
      values.push_back(value);
    }
  }

  LogicalResult unboxArray(UnboxOp read, OpBuilder &b, Runtime &runtime, SmallVectorImpl<Value> &values) {
    Location loc = read.getLoc();
    Type ptr = runtime.ptr(), i64 = b.getI64Type();
    auto type = cast<MemRefType>(read.getValue().getType());
    if (!type.getLayout().isIdentity())
      return read.emitError("gives an array that is not dense");
    auto function = read->getParentOfType<func::FuncOp>();
    int64_t rank = type.getRank();
    SmallVector<int64_t> wanted{static_cast<int64_t>(read.getKind()), static_cast<int32_t>(read.getDtype()), rank};
    for (int64_t size : type.getShape())
      wanted.push_back(ShapedType::isDynamic(size) ? -1 : size);
    std::string name = "janus_array_" + std::to_string(arrays++);
    Value found;
    {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(getOperation().getBody());
      LLVM::GlobalOp::create(b, loc, LLVM::LLVMArrayType::get(i64, wanted.size()), /*isConstant=*/true,
                             LLVM::Linkage::Internal, name, b.getI64TensorAttr(wanted));
      b.setInsertionPointToStart(&function.getBody().front());
      found = LLVM::AllocaOp::create(b, loc, ptr, LLVM::LLVMArrayType::get(i64, rank + 1),
                                     Value(arith::ConstantIntOp::create(b, loc, 1, 64)));
    }
    Value ok =
        runtime.call(b, loc, "janus_rt_unbox_array", i64,
                     {callOf(function), read->getOperand(0), LLVM::AddressOfOp::create(b, loc, ptr, name), found});
    Value pointer = LLVM::LoadOp::create(b, loc, ptr, found);
    SmallVector<Value> sizes, strides(rank);
    for (auto [d, size] : llvm::enumerate(type.getShape())) {
      if (ShapedType::isDynamic(size)) {
        Value at = LLVM::GEPOp::create(b, loc, ptr, i64, found, ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(d) + 1});
        sizes.push_back(LLVM::LoadOp::create(b, loc, i64, at));
      } else {
        sizes.push_back(LLVM::ConstantOp::create(b, loc, i64, size));
      }
    }
    Value stride = LLVM::ConstantOp::create(b, loc, i64, 1);
    for (int64_t d = rank - 1; d >= 0; --d) {
      strides[d] = stride;
      stride = LLVM::MulOp::create(b, loc, stride, sizes[d]);
    }
    SmallVector<Value> parts{pointer, pointer, LLVM::ConstantOp::create(b, loc, i64, 0)};
    parts.append(sizes);
    parts.append(strides);
    LLVMTypeConverter converter(&getContext());
    Value descriptor = MemRefDescriptor::pack(b, loc, converter, type, parts);
    values.push_back(UnrealizedConversionCastOp::create(b, loc, type, descriptor).getResult(0));
    values.push_back(
        arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, ok, arith::ConstantIntOp::create(b, loc, 0, 64)));
    return success();
  }

  unsigned attributes = 0, arrays = 0;
};

} // namespace
