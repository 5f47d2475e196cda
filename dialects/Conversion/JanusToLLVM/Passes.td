//===- Passes.td - From janus to LLVM -----------------------*- tablegen -*-===//

#ifndef JANUS_CONVERSION_JANUSTOLLVM_PASSES_TD
#define JANUS_CONVERSION_JANUSTOLLVM_PASSES_TD

include "mlir/Pass/PassBase.td"

def LowerEntryPass : Pass<"janus-lower-entry", "::mlir::ModuleOp"> {
  let summary = "Give the entry the signature that the runtime calls";
  let description = [{
    The entry becomes `int32_t name(const int64_t *slots, JanusCall *call)`. A buffer argument takes one slot for its
    address and one for each dynamic dimension, a number takes one.

    ```mlir
    func.func @f(%x: memref<?xf32>, %n: i64) attributes {janus.entry, ...}
    // becomes, with three slots,
    func.func @f(%slots: !llvm.ptr, %call: !llvm.ptr) -> i32 attributes {janus.entry, ...}
    ```
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::arith::ArithDialect"];
}

def LowerMemoryPass : Pass<"janus-lower-memory", "::mlir::ModuleOp"> {
  let summary = "Turn the entry's allocations into calls of the runtime";
  let description = [{
    Each `memref.alloc` of the entry becomes what its `janus.memory` says. A call that finds no memory
    leaves the function with status -1. The entry must have the runtime's signature and no structured control flow.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::cf::ControlFlowDialect"];
}

def LowerExitsPass : Pass<"janus-lower-exits", "::mlir::ModuleOp"> {
  let summary = "Turn guards, exits and records into branches and calls of the runtime";
  let description = [{
    A guard becomes a compare and a branch that is marked as hardly ever taken, to a block that records the live
    values and returns the site's number plus one. The entry must have the runtime's signature and no structured
    control flow.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::cf::ControlFlowDialect", "::mlir::arith::ArithDialect",
                           "::mlir::memref::MemRefDialect"];
}

def LowerOverflowPass : Pass<"janus-lower-overflow"> {
  let summary = "Turn janus.add_overflow and its like into LLVM's intrinsics";
  let description = [{
    ```mlir
    %r, %o = janus.add_overflow %a, %b
    // becomes
    %s = "llvm.intr.sadd.with.overflow"(%a, %b) : (i64, i64) -> !llvm.struct<(i64, i1)>
    ```
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

#endif // JANUS_CONVERSION_JANUSTOLLVM_PASSES_TD
