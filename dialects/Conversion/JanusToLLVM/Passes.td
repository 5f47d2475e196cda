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

    A function with `janus.internal` gets the call in flight as first argument, and a status as first result, which is not zero
    where the call has been left. Its callers pass the one on; `janus-lower-calls` looks at the other.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::arith::ArithDialect"];
}

def LowerHeapPass : Pass<"janus-lower-heap", "::mlir::ModuleOp"> {
  let summary = "Turn reads of live objects into calls of the runtime, and objects into pointers";
  let description = [{
    Constant objects are loaded from the table `janus_objects`, which the loader resolves. Each read of an attribute has a small
    memory of its own, in which the runtime keeps how instances of the class seen last are read.

    ```mlir
    %left = janus.get_attr %node "left"
    // becomes
    %left = llvm.call @janus_rt_get_attr(%node, %memory) : (!llvm.ptr, !llvm.ptr) -> !llvm.ptr
    ```
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::arith::ArithDialect"];
}

def LowerCallsPass : Pass<"janus-lower-calls", "::mlir::ModuleOp"> {
  let summary = "Let calls of captured functions pass exits on, and bound their depth";
  let description = [{
    After each call of a function with `janus.internal` the status is tested, and the caller leaves with it if it is not
    zero. Such a function counts its depth against what the runtime allows, and looks whether the C stack goes on; if not, it
    leaves the call with status -2, to be done by Python. When it returns, it gives its memory back.
    There must be no structured control flow.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::cf::ControlFlowDialect", "::mlir::arith::ArithDialect",
                           "::mlir::ub::UBDialect"];
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

    Of a product with a constant it is the range of the other factor that is checked.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::arith::ArithDialect"];
}

def LowerDivisionPass : Pass<"janus-lower-division"> {
  let summary = "Turn janus.floor_mod into truncating division, and divisions by powers of two into shifts";
  let description = [{
    ```mlir
    %r = janus.floor_mod %a, %c8
    %q = arith.floordivsi %a, %c8 : i64
    // becomes
    %r = arith.andi %a, %c7 : i64
    %q = arith.shrsi %a, %c3 : i64
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

def LowerPartsPass : Pass<"janus-lower-parts", "::mlir::ModuleOp"> {
  let summary = "Let the runtime share the pieces of kernels among threads";
  let description = [{
    A call of a function with `janus.part`, which does the pieces of a kernel from its first argument up to its second, becomes a
    call of the runtime with a thunk of that function, the other arguments in memory, and the number of pieces.

    ```mlir
    llvm.call @kernel_0_part(%zero, %pieces, %a, %b) : (i64, i64, !llvm.ptr, !llvm.ptr) -> ()
    // becomes
    llvm.call @janus_rt_parallel(%thunk, %arguments, %pieces) : (!llvm.ptr, !llvm.ptr, i64) -> ()
    ```
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

#endif // JANUS_CONVERSION_JANUSTOLLVM_PASSES_TD
