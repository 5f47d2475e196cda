//===- JanusHeapOps.td - Reading live Python objects --------*- tablegen -*-===//

#ifndef JANUS_IR_JANUSHEAPOPS_TD
#define JANUS_IR_JANUSHEAPOPS_TD

include "Janus/IR/JanusDialect.td"
include "Janus/IR/JanusTypes.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

// The Python heap. Reads of it are not moved over exits and records, which write the control state.
def Janus_Heap : Resource<"::mlir::janus::Heap">;

class Janus_HeapOp<string mnemonic, list<Trait> traits = []>
    : Op<Janus_Dialect, mnemonic, !listconcat([MemoryEffects<[MemRead<Janus_Heap>]>], traits)>;

// An entry of the table of objects that belongs to the module.
def Janus_Entry : ConfinedAttr<I32Attr, [IntNonNegative]>;

def Janus_ObjectOp : Op<Janus_Dialect, "object", [Pure]> {
  let summary = "a constant object";
  let description = [{
    Entry `entry` of the table of objects that is handed over with the module: None, a class, a function, a key. No two entries are
    the same object.

    ```mlir
    %none = janus.object 0
    ```
  }];
  let arguments = (ins Janus_Entry:$entry);
  let results = (outs Janus_Object:$result);
  let assemblyFormat = "$entry attr-dict";
}

def Janus_GetAttrOp : Janus_HeapOp<"get_attr"> {
  let summary = "read an attribute";
  let description = [{
    The attribute `name` as the ordinary lookup finds it in the instance (its dict or a slot) or, as plain data, in its class. Null where
    there is none, and where the lookup would run code: a descriptor, a property, a `__getattr__`, a `__getattribute__`.

    ```mlir
    %left = janus.get_attr %node "left"
    %missing = janus.is_null %left
    ```
  }];
  let arguments = (ins Janus_Object:$object, StrAttr:$name);
  let results = (outs Janus_Object:$result);
  let assemblyFormat = "$object $name attr-dict";
  let hasVerifier = 1;
}

def Janus_GetItemOp : Janus_HeapOp<"get_item"> {
  let summary = "read an item of a list, tuple or dict";
  let description = [{
    With an integer, the item of an exact list or tuple, counted from the end if the integer is negative. With an object, the
    value of an exact dict under that key. Null where there is no such item, and for any other container.

    ```mlir
    %first = janus.get_item %children[%zero : i64]
    %left = janus.get_item %tree[%key : !janus.object]
    ```
  }];
  let arguments = (ins Janus_Object:$object, AnyTypeOf<[I64, Janus_Object]>:$index);
  let results = (outs Janus_Object:$result);
  let assemblyFormat = "$object `[` $index `:` type($index) `]` attr-dict";
}

def Janus_LengthOp : Janus_HeapOp<"length"> {
  let summary = "the length of a container";
  let description = [{
    The length of an exact list, tuple, dict or str. `ok` is false, and the length 0, for anything else.

    ```mlir
    %n, %ok = janus.length %children
    ```
  }];
  let arguments = (ins Janus_Object:$object);
  let results = (outs I64:$length, I1:$ok);
  let assemblyFormat = "$object attr-dict";
}

def Janus_TypeIsOp : Janus_HeapOp<"type_is"> {
  let summary = "whether an object is an instance of exactly this class";
  let description = [{
    The class is an entry of the table of objects. Subclasses do not count; null is an instance of nothing.

    ```mlir
    %leaf = janus.type_is %node "Leaf" class 3
    ```
  }];
  let arguments = (ins Janus_Object:$object, StrAttr:$name, Janus_Entry:$entry);
  let results = (outs I1:$result);
  let assemblyFormat = "$object $name `class` $entry attr-dict";
}

def Janus_MethodIsOp : Janus_HeapOp<"method_is"> {
  let summary = "whether an attribute is this method of the object";
  let description = [{
    Whether looking `name` up on the object gives the function `function` bound to it: the class has it, and the instance does not
    hide it. Nothing is called.

    ```mlir
    %same = janus.method_is %node "forward" %function
    ```
  }];
  let arguments = (ins Janus_Object:$object, StrAttr:$name, Janus_Object:$function);
  let results = (outs I1:$result);
  let assemblyFormat = "$object $name $function attr-dict";
}

def Janus_EqualsOp : Janus_HeapOp<"equals"> {
  let summary = "whether two strings are equal";
  let description = [{
    Both objects are exact strings; the result is false if one is not.

    ```mlir
    %plus = janus.equals %op, %key
    ```
  }];
  let arguments = (ins Janus_Object:$lhs, Janus_Object:$rhs);
  let results = (outs I1:$result);
  let assemblyFormat = "$lhs `,` $rhs attr-dict";
  let hasFolder = 1;
}

def Janus_IsOp : Op<Janus_Dialect, "is", [Pure, Commutative]> {
  let summary = "whether two objects are one";
  let description = [{
    ```mlir
    %p = janus.is %a, %b
    ```
  }];
  let arguments = (ins Janus_Object:$lhs, Janus_Object:$rhs);
  let results = (outs I1:$result);
  let assemblyFormat = "$lhs `,` $rhs attr-dict";
  let hasFolder = 1;
}

def Janus_IsNullOp : Op<Janus_Dialect, "is_null", [Pure]> {
  let summary = "whether a read found nothing";
  let description = [{
    ```mlir
    %missing = janus.is_null %left
    ```
  }];
  let arguments = (ins Janus_Object:$object);
  let results = (outs I1:$result);
  let assemblyFormat = "$object attr-dict";
  let hasFolder = 1;
}

def Janus_NullOp : Op<Janus_Dialect, "null", [Pure]> {
  let summary = "no object";
  let description = [{
    What a failed read gives. It stands for "made by the compiled code" where a value may also be an array that exists outside.

    ```mlir
    %made = janus.null
    ```
  }];
  let results = (outs Janus_Object:$result);
  let assemblyFormat = "attr-dict";
}

def Janus_BoxKind : I32EnumAttr<"BoxKind", "which Python type holds an array or a number", [
    I32EnumAttrCase<"Number", 0, "number">,
    I32EnumAttrCase<"NumPy", 1, "numpy">,
    I32EnumAttrCase<"NumPyScalar", 2, "npscalar">,
    I32EnumAttrCase<"Jax", 3, "jax">,
    I32EnumAttrCase<"JaxWeak", 4, "jax_weak">
  ]> {
  let cppNamespace = "::mlir::janus";
}

def Janus_UnboxOp : Janus_HeapOp<"unbox"> {
  let summary = "the array or number that an object holds";
  let description = [{
    As `number`: the value of an exact int within 64 bits (`i64`), float (`f64`) or bool (`i1`). Otherwise the elements of
    a NumPy array, of a NumPy scalar (rank 0), or of a JAX array on the host that is or is not weakly typed. Kind, dtype, rank and static
    extents are checked; `ok` is false, and the value empty, where the object is something else. `dtype` is the
    runtime's code of the Python dtype, since the element type loses signs and bools on its way to memory.
    An array is read in place and never written.

    ```mlir
    %n, %ok = janus.unbox %word number : i64
    %x, %ok2 = janus.unbox %leaf numpy dtype 11 : tensor<4x?xf32>
    ```
  }];
  let arguments = (ins Janus_Object:$object, Janus_BoxKind:$kind, DefaultValuedAttr<I32Attr, "-1">:$dtype);
  let results = (outs AnyTypeOf<[AnyRankedTensor, AnyStridedMemRef, I64, F64, I1]>:$value, I1:$ok);
  let assemblyFormat = "$object $kind (`dtype` $dtype^)? attr-dict `:` type($value)";
  let hasVerifier = 1;
}

def Janus_BoxOp : Janus_HeapOp<"box"> {
  let summary = "a number as a Python object";
  let description = [{
    An int (`i64`), float (`f64`) or bool (`i1`), which lives until the call ends. Null when memory has run out.

    ```mlir
    %o = janus.box %n : i64
    ```
  }];
  let arguments = (ins AnyTypeOf<[I64, F64, I1]>:$value);
  let results = (outs Janus_Object:$result);
  let assemblyFormat = "$value attr-dict `:` type($value)";
}

def Janus_AddressOp : Op<Janus_Dialect, "address", [Pure]> {
  let summary = "an object as a number";
  let description = [{
    The address of an object, as which it is an element of a tensor: an item of a list whose length only run time knows. It is good for
    as long as the object lives, which is to the end of the call for everything that native code has. Null has address 0.

    ```mlir
    %n = janus.address %word
    ```
  }];
  let arguments = (ins Janus_Object:$object);
  let results = (outs I64:$address);
  let assemblyFormat = "$object attr-dict";
  let hasFolder = 1;
}

def Janus_ObjectAtOp : Op<Janus_Dialect, "object_at", [Pure]> {
  let summary = "the object at an address";
  let description = [{
    The object of which `janus.address` has given the number.

    ```mlir
    %word = janus.object_at %n
    ```
  }];
  let arguments = (ins I64:$address);
  let results = (outs Janus_Object:$object);
  let assemblyFormat = "$address attr-dict";
  let hasFolder = 1;
}

def Janus_InvokeOp : Janus_HeapOp<"invoke"> {
  let summary = "call a Python function without effects";
  let description = [{
    Calls a builtin that has no effect and looks at nothing that changes, such as `operator.add` on ints or a method of strings, with at
    most three arguments. The result lives until the call ends. Null where it raises, where the function or an argument is null, and
    when memory has run out.

    ```mlir
    %sum = janus.invoke %add(%a, %b)
    ```
  }];
  let arguments = (ins Janus_Object:$callee, Variadic<Janus_Object>:$arguments);
  let results = (outs Janus_Object:$result);
  let assemblyFormat = "$callee `(` $arguments `)` attr-dict";
  let hasVerifier = 1;
}

def Janus_CallIndirectOp : Op<Janus_Dialect, "call_indirect", [DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "call an object";
  let description = [{
    Calls a Python object as captured code calls a function: the results are those of its IR function. Native code has no such
    call. By the end of phase `speculated` it has become a direct call of the function that the object was seen to be, or a way
    back to Python.

    ```mlir
    %r = janus.call_indirect %f(%x) {janus.profile = #janus.callee<function = @f, entry = 3, count = 40>} : (f64) -> f64
    ```
  }];
  let arguments = (ins Janus_Object:$callee, Variadic<AnyType>:$arguments);
  let results = (outs Variadic<AnyType>:$results);
  let assemblyFormat = "$callee `(` $arguments `)` attr-dict `:` functional-type($arguments, $results)";
}

#endif // JANUS_IR_JANUSHEAPOPS_TD
