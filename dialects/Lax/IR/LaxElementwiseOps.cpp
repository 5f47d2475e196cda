//===- LaxElementwiseOps.cpp - Ops that act on each element alone ---------===//

#include "Lax/IR/LaxOps.h"
#include "Lax/IR/LaxVerification.h"
#include "Lax/IR/LaxVjp.h"

using namespace mlir;
using namespace mlir::lax;
using namespace mlir::lax::detail;

//===----------------------------------------------------------------------===//
// Text of SelectNOp: the type of all cases is written once
//===----------------------------------------------------------------------===//

static ParseResult parseCaseTypes(OpAsmParser &parser, Type &which, SmallVectorImpl<Type> &cases, Type &result,
                                  ArrayRef<OpAsmParser::UnresolvedOperand> operands) {
  if (parser.parseType(which) || parser.parseComma() || parser.parseType(result))
    return failure();
  cases.assign(operands.size(), result);
  return success();
}

static void printCaseTypes(OpAsmPrinter &printer, Operation *op, Type which, TypeRange cases, Type result,
                           OperandRange operands) {
  printer << which << ", " << result;
}

#define GET_OP_CLASSES
#include "Lax/IR/LaxElementwiseOps.cpp.inc"

void LaxDialect::registerElementwiseOps() {
  addOperations<
#define GET_OP_LIST
#include "Lax/IR/LaxElementwiseOps.cpp.inc"
      >();
}

//===----------------------------------------------------------------------===//
// Verifiers
//===----------------------------------------------------------------------===//

LogicalResult IntegerPowOp::verify() {
  if (static_cast<int64_t>(getY()) < 0 && getElementTypeOrSelf(getType()).isInteger())
    return emitOpError("raises an integer to a negative power");
  return success();
}

LogicalResult ReducePrecisionOp::verify() {
  if (static_cast<int64_t>(getExponentBits()) < 1)
    return emitOpError("exponent_bits is below 1");
  if (static_cast<int64_t>(getMantissaBits()) < 0)
    return emitOpError("mantissa_bits is negative");
  return success();
}

LogicalResult PowOp::verify() {
  Type base = getElementTypeOrSelf(getLhs().getType()), exponent = getElementTypeOrSelf(getRhs().getType());
  if (isa<FloatType>(exponent) && exponent != base)
    return emitOpError("has a float exponent of another element type than the base");
  return success();
}

/// The bits that an element takes in memory.
static int64_t storageBits(Type type) {
  Type element = getElementTypeOrSelf(type);
  if (auto complexType = dyn_cast<ComplexType>(element))
    return 2 * complexType.getElementType().getIntOrFloatBitWidth();
  return element.isInteger(1) ? 8 : element.getIntOrFloatBitWidth();
}

LogicalResult BitcastConvertTypeOp::verify() {
  auto from = cast<RankedTensorType>(getOperand().getType()), to = cast<RankedTensorType>(getType());
  if (from.getElementType().isInteger(1) != to.getElementType().isInteger(1))
    return emitOpError("converts between bools and other types");
  int64_t fromBits = storageBits(from), toBits = storageBits(to);
  SmallVector<int64_t> expected(from.getShape());
  if (fromBits > toBits) {
    expected.push_back(fromBits / toBits);
  } else if (fromBits < toBits) {
    if (expected.empty() || !sizesAgree(expected.back(), toBits / fromBits))
      return emitOpError() << "expects a minor dim of size " << toBits / fromBits;
    expected.pop_back();
  }
  return verifyShape(*this, "the result", to, expected);
}

LogicalResult SelectNOp::verify() {
  auto which = cast<RankedTensorType>(getWhich().getType());
  if (getCases().empty())
    return emitOpError("has no cases");
  for (Type type : getCases().getTypes())
    if (type != getType())
      return emitOpError("has a case of another type than the result");
  if (which.getElementType().isInteger(1) && getCases().size() > 2)
    return emitOpError() << "selects among " << getCases().size() << " cases with a bool";
  if (which.getShape() != cast<RankedTensorType>(getType()).getShape())
    return emitOpError("'which' and the cases differ in shape");
  return success();
}
