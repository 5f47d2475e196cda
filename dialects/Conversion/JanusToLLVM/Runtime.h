//===- Runtime.h - Calls of the runtime from generated code -----*- C++ -*-===//

#ifndef JANUS_CONVERSION_JANUSTOLLVM_RUNTIME_H
#define JANUS_CONVERSION_JANUSTOLLVM_RUNTIME_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"

namespace mlir::janus {

/// Builds calls of the functions that csrc/runtime/abi.h declares.
class Runtime {
public:
  explicit Runtime(ModuleOp module) : module(module) {}

  Type ptr() { return LLVM::LLVMPointerType::get(module.getContext()); }

  void beginRecord(OpBuilder &b, Location loc, Value call, int32_t site);
  void pushInteger(OpBuilder &b, Location loc, Value call, Value i64);
  void pushFloat(OpBuilder &b, Location loc, Value call, Value f64);
  void pushOwned(OpBuilder &b, Location loc, Value call, Value pointer);
  void pushCopy(OpBuilder &b, Location loc, Value call, Type element, unsigned rank, Value dims, Value pointer);
  Value alloc(OpBuilder &b, Location loc, Value call, Type element, unsigned rank, Value dims);
  Value scratch(OpBuilder &b, Location loc, Value call, Value bytes);
  /// Memory of at least `bytes`, from the slot {pointer, capacity}, which is filled anew when it is too small.
  Value reuse(OpBuilder &b, Location loc, Value call, Value slot, Value bytes);

  /// A pointer to the sizes, each an i64 or an attribute.
  Value dims(OpBuilder &b, Location loc, func::FuncOp function, ArrayRef<OpFoldResult> sizes);

private:
  Value call(OpBuilder &b, Location loc, StringRef name, Type result, ValueRange arguments);
  Value constant(OpBuilder &b, Location loc, int32_t value);

  ModuleOp module;
};

/// The code by which the runtime knows an element type; -1 for one that it does not know.
int32_t dtypeOf(Type element);
/// Bytes of an element in memory.
int64_t itemSizeOf(Type element);
/// The entry functions of the module that have the runtime's signature.
SmallVector<func::FuncOp> loweredEntries(ModuleOp module);

} // namespace mlir::janus

#endif // JANUS_CONVERSION_JANUSTOLLVM_RUNTIME_H
