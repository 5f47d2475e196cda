//===- JanusDialect.td - The janus dialect ------------------*- tablegen -*-===//

#ifndef JANUS_IR_JANUSDIALECT_TD
#define JANUS_IR_JANUSDIALECT_TD

include "mlir/IR/OpBase.td"

def Janus_Dialect : Dialect {
  let name = "janus";
  let cppNamespace = "::mlir::janus";
  let summary = "Speculation: guards, exits, held-back effects, Python numbers and live objects";
  let description = [{
    The `janus` dialect says where compiled code rests on an assumption, and what leaves the
    compiled code when the assumption fails. Values and control flow come from upstream
    (`tensor`, `arith`, `math`, `scf`, `func`) and tensor algebra from `lax`.

    An *exit site* is a number. The table that says what the number means (source line,
    how to rebuild the Python locals) belongs to the runtime; the IR names the number and the *live values*.

    A module holds the entry and any number of private functions, which are called by `func.call` and may exit and record
    like the entry; leaving one leaves the whole call. What they use is passed to them. Live Python objects are values of
    type `!janus.object`, read by the heap ops; each read that can fail says so, and the code
    guards it. Other objects that compiled code names are entries of a table that belongs to the module.

    Discardable attributes, verified by the dialect:

    | attribute | on | meaning |
    |---|---|---|
    | `janus.entry` | `func.func` | the function that the dispatcher calls |
    | `janus.return_site = n : i32` | `func.func` with `janus.entry` | its `return` values are record `n` |
    | `janus.internal` | private `func.func` | called with the call's context once buffers are chosen: it may exit |
    | `janus.source = "model.w"` | argument | where the value comes from |
    | `janus.dims = ["b", ""]` | argument | the symbol of each dimension, one string per dimension |
    | `janus.profile` | `scf.if`, `scf.while`, `scf.for` | what was observed: `#janus.branch`, `#janus.trips` |
    | `janus.phase = "linalg"` | module | the last phase that has run |

    Example:

    ```mlir
    func.func @f(%x: tensor<4xf32> {janus.source = "x"}, %n: i64) -> i64
        attributes {janus.entry, janus.return_site = 0 : i32} {
      %c0 = arith.constant 0 : i64
      %positive = arith.cmpi sgt, %n, %c0 : i64
      janus.guard %positive, <branch>, site 1 (%x, %n : tensor<4xf32>, i64)
      %sum, %overflow = janus.add_overflow %n, %n
      %true = arith.constant true
      %fits = arith.xori %overflow, %true : i1
      janus.guard %fits, <overflow>, site 2 (%x, %n : tensor<4xf32>, i64)
      return %sum : i64
    }
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::ub::UBDialect"];
  let useDefaultAttributePrinterParser = 1;
  let useDefaultTypePrinterParser = 1;
  let hasConstantMaterializer = 1;
  let hasOperationAttrVerify = 1;
  let hasRegionArgAttrVerify = 1;
}

#endif // JANUS_IR_JANUSDIALECT_TD
