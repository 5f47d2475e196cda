//===- JanusAttrs.td - Guard kinds and profile facts --------*- tablegen -*-===//

#ifndef JANUS_IR_JANUSATTRS_TD
#define JANUS_IR_JANUSATTRS_TD

include "Janus/IR/JanusDialect.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/IR/EnumAttr.td"

def Janus_GuardKind : I32EnumAttr<"GuardKind", "what a guard assumes", [
    I32EnumAttrCase<"Branch", 0, "branch">,
    I32EnumAttrCase<"Value", 1, "value">,
    I32EnumAttrCase<"Type", 2, "type">,
    I32EnumAttrCase<"Shape", 3, "shape">,
    I32EnumAttrCase<"Bounds", 4, "bounds">,
    I32EnumAttrCase<"Overflow", 5, "overflow">,
    I32EnumAttrCase<"Zero", 6, "zero">,
    I32EnumAttrCase<"Trips", 7, "trips">,
    I32EnumAttrCase<"Domain", 8, "domain">
  ]> {
  let cppNamespace = "::mlir::janus";
  let genSpecializedAttr = 0;
}

def Janus_GuardKindAttr : EnumAttr<Janus_Dialect, Janus_GuardKind, "kind"> {
  let assemblyFormat = "`<` $value `>`";
  let description = [{
    What a guard assumes:

    * `branch`: a condition goes the way it went in the profile;
    * `value`, `type`, `shape`: a value, a type, a shape is the one seen;
    * `bounds`: an index lies within its sequence;
    * `overflow`: an integer stays within 64 bits;
    * `zero`: a divisor is not zero;
    * `trips`: a loop runs as often as it did;
    * `domain`: an argument is one for which Python raises no exception.
  }];
}

class Janus_Attr<string name, string attrMnemonic> : AttrDef<Janus_Dialect, name> {
  let mnemonic = attrMnemonic;
}

def Janus_BranchAttr : Janus_Attr<"Branch", "branch"> {
  let summary = "how often each side of a branch was taken";
  let description = [{
    The profile of an `scf.if`, as its attribute `janus.profile`. Counts are not negative.

    ```mlir
    scf.if %p {
      ...
    } {janus.profile = #janus.branch<taken = 97, not_taken = 3>}
    ```
  }];
  let parameters = (ins "int64_t":$taken, "int64_t":$not_taken);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def Janus_TripsAttr : Janus_Attr<"Trips", "trips"> {
  let summary = "the fewest and the most iterations seen of a loop";
  let description = [{
    The profile of an `scf.while` or `scf.for`, as its attribute `janus.profile`, with
    `0 <= min <= max`, over `executions` runs of the loop.

    ```mlir
    scf.for %i = %lb to %ub step %s {
      ...
    } {janus.profile = #janus.trips<min = 1, max = 16, executions = 40>}
    ```
  }];
  let parameters = (ins "int64_t":$min, "int64_t":$max, DefaultValuedParameter<"int64_t", "1">:$executions);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def Janus_CalleeAttr : Janus_Attr<"Callee", "callee"> {
  let summary = "the one function that a call has called";
  let description = [{
    The profile of a `janus.call_indirect`, as its attribute `janus.profile`: the function of this module that the called object stands
    for, the object's entry in the table of objects, and how often it was called.

    ```mlir
    %r = janus.call_indirect %f(%x) {janus.profile = #janus.callee<function = @f, entry = 3, count = 40>} : (f64) -> f64
    ```
  }];
  let parameters = (ins "::mlir::FlatSymbolRefAttr":$function, "int32_t":$entry, "int64_t":$count);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def Janus_ConstantObjectAttr : Janus_Attr<"ConstantObject", "constant_object"> {
  let summary = "the one object that a read has found";
  let description = [{
    The profile of a `janus.get_attr` or `janus.get_item`, as its attribute `janus.profile`: the object's entry in the table of objects, and
    how often it was found.

    ```mlir
    %o = janus.get_attr %model "activation" {janus.profile = #janus.constant_object<entry = 4, count = 40>}
    ```
  }];
  let parameters = (ins "int32_t":$entry, "int64_t":$count);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def Janus_ConstantNumberAttr : Janus_Attr<"ConstantNumber", "constant_number"> {
  let summary = "the one number that a read has found";
  let description = [{
    The profile of a `janus.unbox` of kind `number`, as its attribute `janus.profile`: the number, and how often it was found.

    ```mlir
    %n, %ok = janus.unbox %o number {janus.profile = #janus.constant_number<value = 3 : i64, count = 40>} : i64
    ```
  }];
  let parameters = (ins "::mlir::TypedAttr":$value, "int64_t":$count);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

#endif // JANUS_IR_JANUSATTRS_TD
