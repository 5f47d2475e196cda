//===- JanusTypes.td - Types of the janus dialect -----------*- tablegen -*-===//

#ifndef JANUS_IR_JANUSTYPES_TD
#define JANUS_IR_JANUSTYPES_TD

include "Janus/IR/JanusDialect.td"
include "mlir/IR/AttrTypeBase.td"

def Janus_Object : TypeDef<Janus_Dialect, "Object"> {
  let mnemonic = "object";
  let summary = "a live Python object";
  let description = [{
    A borrowed reference to a Python object that something outside the compiled code keeps alive for the length of the call, or
    null. Compiled code reads objects while the interpreter's lock is held and no Python code runs; what it writes is
    held back (`janus.record`), so that objects do not change under it.

    ```mlir
    func.func private @height(%node: !janus.object) -> i64
    ```
  }];
  let builderCall = "$_builder.getType<::mlir::janus::ObjectType>()";
}

#endif // JANUS_IR_JANUSTYPES_TD
