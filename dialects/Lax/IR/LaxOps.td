//===- LaxOps.td - The ops of the lax dialect ---------------*- tablegen -*-===//

#ifndef LAX_IR_LAXOPS_TD
#define LAX_IR_LAXOPS_TD

include "Lax/IR/LaxDialect.td"

#endif // LAX_IR_LAXOPS_TD
