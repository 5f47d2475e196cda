//===- LaxRandomOps.cpp - Random bits -------------------------------------===//

#include "Lax/IR/LaxOps.h"

using namespace mlir;
using namespace mlir::lax;

#define GET_OP_CLASSES
#include "Lax/IR/LaxRandomOps.cpp.inc"

void LaxDialect::registerRandomOps() {
  addOperations<
#define GET_OP_LIST
#include "Lax/IR/LaxRandomOps.cpp.inc"
      >();
}
