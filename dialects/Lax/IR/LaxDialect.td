//===- LaxDialect.td - The lax dialect ----------------------*- tablegen -*-===//

#ifndef LAX_IR_LAXDIALECT_TD
#define LAX_IR_LAXDIALECT_TD

include "mlir/IR/OpBase.td"

def Lax_Dialect : Dialect {
  let name = "lax";
  let cppNamespace = "::mlir::lax";
  let summary = "Tensor algebra: the primitives of jax.lax";
}

#endif // LAX_IR_LAXDIALECT_TD
