//===- LaxDialect.cpp - The lax dialect -----------------------------------===//

#include "Lax/IR/LaxDialect.h"

using namespace mlir;
using namespace mlir::lax;

#include "Lax/IR/LaxDialect.cpp.inc"

void LaxDialect::initialize() {}
