//===- JanusOps.td - The ops of the janus dialect -----------*- tablegen -*-===//

#ifndef JANUS_IR_JANUSOPS_TD
#define JANUS_IR_JANUSOPS_TD

include "Janus/IR/JanusAttrs.td"
include "Janus/IR/JanusDialect.td"
include "Janus/IR/JanusGradientOps.td"
include "Janus/IR/JanusHeapOps.td"
include "Janus/IR/JanusTypes.td"
include "mlir/Dialect/LLVMIR/LLVMOpBase.td"
include "mlir/Interfaces/InferIntRangeInterface.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class Janus_Op<string mnemonic, list<Trait> traits = []> : Op<Janus_Dialect, mnemonic, traits>;

//===----------------------------------------------------------------------===//
// Exits
//===----------------------------------------------------------------------===//

// What can be live at an exit: tensors before bufferisation, buffers after it, Python numbers, and objects, which are
// pointers at the end.
def Janus_Live : AnyTypeOf<[AnyRankedTensor, AnyStridedMemRef, AnyInteger, Index, AnyFloat, AnyComplex, Janus_Object,
                            LLVM_AnyPointer],
                           "tensor, buffer, number or object">;

// Leaving the function and appending to the journal happen in program order: both write the control
// state. The live values are read, which matters once they are buffers.
def Janus_ControlState : Resource<"::mlir::janus::ControlState">;

// A site at which the runtime discards the journal and starts the call again, in Python. Going there is right at any
// point of the function, so that a guard with such a site may be executed earlier than it stands.
defvar Janus_RestartDescription = [{
    With `restart` the site discards the journal and starts the whole call again in Python. That is right at any point of the
    call, while leaving to another site is right only where the op stands, or after it as long as no effect is recorded.
  }];

class Janus_ExitOp<string mnemonic, list<Trait> traits = []>
    : Janus_Op<mnemonic, !listconcat([MemoryEffects<[MemWrite<Janus_ControlState>, MemRead<DefaultResource>]>],
                                     traits)>;

def Janus_Site : ConfinedAttr<I32Attr, [IntNonNegative]>;

def Janus_GuardOp : Janus_ExitOp<"guard"> {
  let summary = "go on only if a condition holds";
  let description = [{
    Execution passes only if `cond` is true. Otherwise the function is left at exit site `site` with
    the live values, from which the runtime rebuilds the Python frame and goes on in the interpreter.

    A guard is no terminator and may stand in any region. What follows it in program order
    may rely on `cond`. It is dropped only where its condition is known to be true.

    ```mlir
    janus.guard %p, <branch>, site 3 (%l, %m : tensor<32x10xf32>, tensor<f32>)
    janus.guard %fits, <overflow>, restart site 4
    ```

  }] # Janus_RestartDescription;
  let arguments = (ins I1:$cond, Janus_GuardKindAttr:$kind, Janus_Site:$site, Variadic<Janus_Live>:$live,
                       UnitAttr:$restart);
  let assemblyFormat = "$cond `,` $kind `,` (`restart` $restart^)? `site` $site (` ` `(` $live^ `:` type($live) `)`)? attr-dict";
  let hasCanonicalizeMethod = 1;
}

def Janus_DeoptOp : Janus_ExitOp<"deopt"> {
  let summary = "always leave the compiled code";
  let description = [{
    A guard that always fails: code never seen in the profile, a construct that is not compiled, a call
    into unknown code. `reason` is the stable code that `explain()` shows.

    The op is no terminator; what follows it in its block is unreachable and may be
    erased, and values that the block must yield are `ub.poison`.

    ```mlir
    janus.deopt "unknown-call", site 2 (%x : tensor<4xf32>)
    ```
  }];
  let arguments = (ins StrAttr:$reason, Janus_Site:$site, Variadic<Janus_Live>:$live);
  let assemblyFormat = "$reason `,` `site` $site (` ` `(` $live^ `:` type($live) `)`)? attr-dict";
  let hasVerifier = 1;
  let hasCanonicalizeMethod = 1;
}

def Janus_FrameOp : Janus_ExitOp<"frame"> {
  let summary = "a point at which execution may leave to a site";
  let description = [{
    Says that from here, and from what follows until the next effect, the function may be left to `site` with these values: Python
    then goes on as if the compiled code had run up to this op. By itself it does nothing. It lets a pass
    assume something about what follows: the guard of the assumption leaves to the frame.

    ```mlir
    janus.frame site 4 (%x, %s : tensor<4xf32>, f64)
    scf.if %rare {
      ...
    } {janus.profile = #janus.branch<taken = 0, not_taken = 120>}
    // pruned:
    janus.guard %not_rare, <branch>, site 4 (%x, %s : tensor<4xf32>, f64)
    ```

    Frames that no guard has used are erased at the end of phase `speculated`.

  }] # Janus_RestartDescription;
  let arguments = (ins Janus_Site:$site, Variadic<Janus_Live>:$live, UnitAttr:$restart);
  let assemblyFormat = "(`restart` $restart^)? `site` $site (` ` `(` $live^ `:` type($live) `)`)? attr-dict";
}

def Janus_RecordOp : Janus_ExitOp<"record"> {
  let summary = "append a held-back effect to the journal";
  let description = [{
    Appends a record for `site` with these values to the journal of the call. The runtime carries
    out the effects (stores to Python objects, prints, ...) in the order of the journal when the call commits, or up to the exit
    when it leaves early.

    ```mlir
    janus.record site 5 (%w : tensor<784x10xf32>)
    ```
  }];
  let arguments = (ins Janus_Site:$site, Variadic<Janus_Live>:$live);
  let assemblyFormat = "`site` $site (` ` `(` $live^ `:` type($live) `)`)? attr-dict";
}

def Janus_LeaveOp : Janus_ExitOp<"leave"> {
  let summary = "return early, from any region";
  let description = [{
    Appends a record for `site` with these values and leaves the function normally. It is the early `return` of a
    Python function, and may stand in the body of an `scf.if` or a loop.

    The op is no terminator; what follows it in its block is unreachable and may be
    erased, and values that the block must yield are `ub.poison`.

    ```mlir
    scf.if %done {
      janus.leave site 7 (%acc : tensor<f32>)
    }
    ```
  }];
  let arguments = (ins Janus_Site:$site, Variadic<Janus_Live>:$live);
  let assemblyFormat = "`site` $site (` ` `(` $live^ `:` type($live) `)`)? attr-dict";
  let hasCanonicalizeMethod = 1;
}

//===----------------------------------------------------------------------===//
// Python numbers
//===----------------------------------------------------------------------===//

class Janus_OverflowOp<string mnemonic, string operation, string symbol, list<Trait> traits = []>
    : Janus_Op<mnemonic, !listconcat([
          Pure, DeclareOpInterfaceMethods<InferIntRangeInterface, ["inferResultRanges"]>], traits)> {
  let summary = "64-bit " # operation # " with an overflow flag";
  let description = [{
    The }] # operation # [{ of two signed 64-bit integers: the result modulo 2^64, and whether the
    mathematical result lies outside 64 bits. A Python `int` is computed so, under a guard that the flag is false.

    ```mlir
    %r, %overflow = janus.}] # mnemonic # [{ %a, %b
    ```

    means `%r = %a }] # symbol # [{ %b`.
  }];
  let arguments = (ins I64:$lhs, I64:$rhs);
  let results = (outs I64:$result, I1:$overflow);
  let assemblyFormat = "$lhs `,` $rhs attr-dict";
  let hasFolder = 1;
}

def Janus_AddOverflowOp : Janus_OverflowOp<"add_overflow", "sum", "+", [Commutative]>;
def Janus_SubOverflowOp : Janus_OverflowOp<"sub_overflow", "difference", "-">;
def Janus_MulOverflowOp : Janus_OverflowOp<"mul_overflow", "product", "*", [Commutative]>;

def Janus_FloorModOp : Janus_Op<"floor_mod", [
    NoMemoryEffect, DeclareOpInterfaceMethods<ConditionallySpeculatable>,
    DeclareOpInterfaceMethods<InferIntRangeInterface, ["inferResultRanges"]>]> {
  let summary = "64-bit remainder with the sign of the divisor";
  let description = [{
    What is left of `%a` after the division `arith.floordivsi`, which rounds down: Python's `a % b`. As there, the divisor must not be
    zero, and the quotient must fit 64 bits.

    ```mlir
    %r = janus.floor_mod %a, %b   // -7, 3: 2; 7, -3: -2
    ```
  }];
  let arguments = (ins I64:$lhs, I64:$rhs);
  let results = (outs I64:$result);
  let assemblyFormat = "$lhs `,` $rhs attr-dict";
  let hasFolder = 1;
}

def Janus_Truth_Tensor : RankedTensorOf<[AnyInteger, Index, AnyFloat, AnyComplex]>;

def Janus_TruthOp : Janus_Op<"truth", [Pure]> {
  let summary = "the truth value of a tensor with one element";
  let description = [{
    Whether the one element of the tensor is not zero, as Python's `bool(x)` has it: NaN is true, and -0.0 is
    false. Static dims must be 1; that dynamic dims are 1 is for the code before it to guard.

    ```mlir
    %p = janus.truth %big : tensor<i1>
    ```
  }];
  let arguments = (ins Janus_Truth_Tensor:$input);
  let results = (outs I1:$result);
  let assemblyFormat = "$input `:` type($input) attr-dict";
  let hasVerifier = 1;
  let hasFolder = 1;
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

def Janus_DenseOp : Janus_Op<"dense", [Pure, SameOperandsAndResultType]> {
  let summary = "the same tensor, which lies dense in memory";
  let description = [{
    The tensor itself, known to become a buffer of identity layout. Bufferisation copies what is no such buffer, and drops the op
    otherwise. It finds the layout of what an `scf.if` gives by asking for that of both sides, each time anew, and
    need not ask further where this op stands.

    ```mlir
    %d = janus.dense %t : tensor<?xi64>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$input);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$input `:` type($input) attr-dict";
}

#endif // JANUS_IR_JANUSOPS_TD
