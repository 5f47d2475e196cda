//===- LaxDialect.cpp - The lax dialect -----------------------------------===//

#include "Lax/IR/LaxDialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace mlir::lax;

#include "Lax/IR/LaxDialect.cpp.inc"

void LaxDialect::initialize() {
  registerContractionOps();
  registerElementwiseOps();
  registerIndexingOps();
  registerRandomOps();
  registerReductionOps();
  registerShapeOps();
  registerWindowOps();
}

Operation *LaxDialect::materializeConstant(OpBuilder &builder, Attribute value, Type type, Location loc) {
  return arith::ConstantOp::materialize(builder, value, type, loc);
}
