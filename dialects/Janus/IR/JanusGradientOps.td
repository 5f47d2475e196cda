//===- JanusGradientOps.td - Gradients, tapes, accumulators -*- tablegen -*-===//

#ifndef JANUS_IR_JANUSGRADIENTOPS_TD
#define JANUS_IR_JANUSGRADIENTOPS_TD

include "Janus/IR/JanusDialect.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "mlir/IR/SymbolInterfaces.td"

//===----------------------------------------------------------------------===//
// Asking for gradients
//===----------------------------------------------------------------------===//

def Janus_ValueAndGradOp : Op<Janus_Dialect, "value_and_grad", [DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "results of a function and the gradient of the first";
  let description = [{
    Calls `callee` and returns its results, followed by the gradient of the first result with respect to each argument in `wrt`.
    The first result is a scalar, a float or a float tensor of rank 0; a gradient has the type of its argument. Effects and exits of
    the callee happen once. `janus-differentiate` replaces the op by the call of a generated function; a callee
    that contains the op itself is differentiated again.

    ```mlir
    %loss, %aux, %dw = janus.value_and_grad @loss(%w, %x) {wrt = array<i64: 0>}
        : (tensor<4xf32>, tensor<4xf32>) -> (tensor<f32>, tensor<4xf32>, tensor<4xf32>)
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$callee, Variadic<AnyType>:$arguments, DenseI64ArrayAttr:$wrt);
  let results = (outs Variadic<AnyType>:$outputs);
  let assemblyFormat = "$callee `(` $arguments `)` attr-dict `:` functional-type($arguments, $outputs)";
}

def Janus_CustomVjpOp : Op<Janus_Dialect, "custom_vjp", [DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "a call with a derivative of its own";
  let description = [{
    Calls `primal`. Where it is differentiated, `pullback` computes the cotangents: it takes the arguments, then a cotangent for
    each result that has one (floats and tensors of them), and returns one for each argument that has one. It stands for functions
    with rules of their own, such as those of `jax.custom_vjp`. `janus-differentiate` leaves plain calls.

    ```mlir
    %y = janus.custom_vjp @f @f_pullback(%x, %n) : (tensor<4xf32>, i64) -> tensor<4xf32>
    // func.func private @f_pullback(%x: tensor<4xf32>, %n: i64, %g: tensor<4xf32>) -> tensor<4xf32>
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$primal, FlatSymbolRefAttr:$pullback, Variadic<AnyType>:$arguments);
  let results = (outs Variadic<AnyType>:$outputs);
  let assemblyFormat = "$primal $pullback `(` $arguments `)` attr-dict `:` functional-type($arguments, $outputs)";
}

//===----------------------------------------------------------------------===//
// Tape
//===----------------------------------------------------------------------===//

// The stacks of a call: what is pushed is popped in the opposite order.
def Janus_Tape : Resource<"::mlir::janus::Tape">;
def Janus_Stack : ConfinedAttr<I32Attr, [IntNonNegative]>;

def Janus_TapePushOp : Op<Janus_Dialect, "tape_push", [MemoryEffects<[MemWrite<Janus_Tape>]>]> {
  let summary = "keep a tensor for the backward computation";
  let description = [{
    Pushes a copy of the tensor on a stack of this native call. The stacks are memory of the call: they grow as
    needed and are released when it ends, by whatever way.

    ```mlir
    janus.tape_push %h stack 0 : tensor<8xf32>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$value, Janus_Stack:$stack);
  let assemblyFormat = "$value `stack` $stack attr-dict `:` type($value)";
}

def Janus_TapePopOp : Op<Janus_Dialect, "tape_pop", [MemoryEffects<[MemWrite<Janus_Tape>]>]> {
  let summary = "take back what was pushed last";
  let description = [{
    Pops a tensor of the type and sizes of the one that was pushed last.

    ```mlir
    %h = janus.tape_pop stack 0 : tensor<8xf32>
    %x = janus.tape_pop stack 0 shape(%n) : tensor<?xf32>
    ```
  }];
  let arguments = (ins Janus_Stack:$stack, Variadic<Index>:$output_dims);
  let results = (outs AnyRankedTensor:$value);
  let assemblyFormat = "`stack` $stack (`shape` `(` $output_dims^ `)`)? attr-dict `:` type($value)";
  let hasVerifier = 1;
}

class Janus_TapeMemoryOp<string mnemonic, string text, string semantics>
    : Op<Janus_Dialect, mnemonic, [MemoryEffects<[MemWrite<Janus_Tape>]>]> {
  let summary = text;
  let description = semantics # "\n\n```mlir\n%m = janus." # mnemonic # " stack 0 : memref<8xf32>\n```\n";
  let arguments = (ins Janus_Stack:$stack, Variadic<Index>:$output_dims);
  let results = (outs AnyMemRef:$memory);
  let assemblyFormat = "`stack` $stack (`shape` `(` $output_dims^ `)`)? attr-dict `:` type($memory)";
}

def Janus_TapeReserveOp : Janus_TapeMemoryOp<"tape_reserve", "memory on top of a stack",
    "What `janus.tape_push` becomes with buffers: memory on top of the stack, for the caller to fill.">;
def Janus_TapeReleaseOp : Janus_TapeMemoryOp<"tape_release", "the memory that was reserved last",
    "What `janus.tape_pop` becomes with buffers: the memory that was reserved last, which stays as it is until the next "
    "reservation on the stack.">;

//===----------------------------------------------------------------------===//
// Accumulators
//===----------------------------------------------------------------------===//

// A gradient that recursive calls add to in place, by reference.

def Janus_AccumulatorOp : Op<Janus_Dialect, "accumulator", [MemoryEffects<[MemAlloc]>]> {
  let summary = "memory in which a gradient is summed up, zero at first";
  let description = [{
    ```mlir
    %dw = janus.accumulator : memref<4x4xf32>
    ```
  }];
  let arguments = (ins Variadic<Index>:$output_dims);
  let results = (outs AnyMemRef:$memory);
  let assemblyFormat = "(`shape` `(` $output_dims^ `)`)? attr-dict `:` type($memory)";
}

def Janus_AccumulateOp : Op<Janus_Dialect, "accumulate"> {
  let summary = "add a tensor to an accumulator";
  let description = [{
    ```mlir
    janus.accumulate %g into %dw : tensor<4x4xf32>, memref<4x4xf32>
    ```
  }];
  let arguments = (ins Arg<AnyTypeOf<[AnyRankedTensor, AnyMemRef]>, "", [MemRead]>:$value,
                       Arg<AnyMemRef, "", [MemRead, MemWrite]>:$memory);
  let assemblyFormat = "$value `into` $memory attr-dict `:` type($value) `,` type($memory)";
}

def Janus_AccumulatedOp : Op<Janus_Dialect, "accumulated"> {
  let summary = "the sum in an accumulator";
  let description = [{
    The contents, once nothing more is added.

    ```mlir
    %g = janus.accumulated %dw : memref<4x4xf32>  // %g : tensor<4x4xf32>
    ```
  }];
  let arguments = (ins Arg<AnyMemRef, "", [MemRead]>:$memory);
  let results = (outs AnyRankedTensor:$value);
  let assemblyFormat = "$memory attr-dict `:` type($memory) `->` type($value)";
}

#endif // JANUS_IR_JANUSGRADIENTOPS_TD
