//===- LaxOps.h - The ops of the lax dialect --------------------*- C++ -*-===//

#ifndef LAX_IR_LAXOPS_H
#define LAX_IR_LAXOPS_H

#include "Lax/IR/LaxDialect.h"
#include "Lax/IR/LaxInterfaces.h"
#include "Lax/IR/LaxTraits.h"

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#define GET_OP_CLASSES
#include "Lax/IR/LaxContractionOps.h.inc"
#define GET_OP_CLASSES
#include "Lax/IR/LaxElementwiseOps.h.inc"
#define GET_OP_CLASSES
#include "Lax/IR/LaxIndexingOps.h.inc"
#define GET_OP_CLASSES
#include "Lax/IR/LaxRandomOps.h.inc"
#define GET_OP_CLASSES
#include "Lax/IR/LaxReductionOps.h.inc"
#define GET_OP_CLASSES
#include "Lax/IR/LaxShapeOps.h.inc"
#define GET_OP_CLASSES
#include "Lax/IR/LaxWindowOps.h.inc"

#endif // LAX_IR_LAXOPS_H
