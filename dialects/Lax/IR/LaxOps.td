//===- LaxOps.td - All ops of the lax dialect -----------------------------===//
//
// For tools that want the dialect as a whole; C++ is generated from each file apart.
//
//===----------------------------------------------------------------------===//

#ifndef LAX_OPS
#define LAX_OPS

include "Lax/IR/LaxContractionOps.td"
include "Lax/IR/LaxElementwiseOps.td"
include "Lax/IR/LaxIndexingOps.td"
include "Lax/IR/LaxRandomOps.td"
include "Lax/IR/LaxReductionOps.td"
include "Lax/IR/LaxShapeOps.td"
include "Lax/IR/LaxWindowOps.td"

#endif // LAX_OPS
