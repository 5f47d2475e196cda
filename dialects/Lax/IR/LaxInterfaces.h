//===- LaxInterfaces.h - What families of lax ops have in common *- C++ -*-===//

#ifndef LAX_IR_LAXINTERFACES_H
#define LAX_IR_LAXINTERFACES_H

#include "Lax/IR/LaxTraits.h"

#include "mlir/IR/OpDefinition.h"

#include "Lax/IR/LaxInterfaces.h.inc"

#endif // LAX_IR_LAXINTERFACES_H
