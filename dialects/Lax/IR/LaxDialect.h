//===- LaxDialect.h - The lax dialect ---------------------------*- C++ -*-===//

#ifndef LAX_IR_LAXDIALECT_H
#define LAX_IR_LAXDIALECT_H

#include "mlir/IR/Dialect.h"

#include "Lax/IR/LaxDialect.h.inc"

#endif // LAX_IR_LAXDIALECT_H
