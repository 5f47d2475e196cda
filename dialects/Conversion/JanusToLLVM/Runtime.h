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
  void pushObject(OpBuilder &b, Location loc, Value call, Value object);
  Value handover(OpBuilder &b, Location loc, Value call, int32_t index, Value bytes);
  /// Memory for the current frame of a function that others call, in a multiple of 64 bytes.
  Value frame(OpBuilder &b, Location loc, Value call, Value bytes);
  Value scratch(OpBuilder &b, Location loc, Value call, Value bytes);
  Value tapePush(OpBuilder &b, Location loc, Value call, int32_t stack, Value bytes);
  Value tapePop(OpBuilder &b, Location loc, Value call, int32_t stack, Value bytes);
  /// Memory of at least `bytes`, from the slot {pointer, capacity}, which is filled anew when it is too small.
  Value reuse(OpBuilder &b, Location loc, Value call, Value slot, Value bytes, bool inFrame);

  /// A pointer to the sizes, each an i64 or an attribute.
  Value dims(OpBuilder &b, Location loc, func::FuncOp function, ArrayRef<OpFoldResult> sizes);

  /// Calls a function of the runtime, by name; no result for a null type.
  Value call(OpBuilder &b, Location loc, StringRef name, Type result, ValueRange arguments);

private:
  Value constant(OpBuilder &b, Location loc, int32_t value);

  ModuleOp module;
};

/// The code by which the runtime knows an element type; -1 for one that it does not know.
int32_t dtypeOf(Type element);
/// Bytes of an element in memory.
int64_t itemSizeOf(Type element);

/// Fields of JanusFrames, the beginning of a JanusCall, by index of their eight bytes.
enum class FrameField : int32_t { Top = 0, Limit = 1, DepthLeft = 2, LowestStack = 3 };
Value frameField(OpBuilder &b, Location loc, Value call, FrameField field);

/// What memory of frames is aligned to, and comes in multiples of.
constexpr int64_t kFrameAlignment = 64;
Value roundUp(OpBuilder &b, Location loc, Value bytes);

/// Whether the function is called from native code, with the call in flight.
bool isInternal(Operation *function);
/// The functions with a call in flight: the entry and those that it calls, once they have their final signatures.
SmallVector<func::FuncOp> loweredFunctions(ModuleOp module);
/// The call in flight of such a function.
Value callOf(func::FuncOp function);
/// Ends a block of such a function: leaves the whole call with this status.
void leaveWith(OpBuilder &b, Location loc, func::FuncOp function, Value status);
void leaveWith(OpBuilder &b, Location loc, func::FuncOp function, int32_t status);

} // namespace mlir::janus

#endif // JANUS_CONVERSION_JANUSTOLLVM_RUNTIME_H
