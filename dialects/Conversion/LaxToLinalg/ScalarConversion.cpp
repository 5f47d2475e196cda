//===- ScalarConversion.cpp - Conversions and bit patterns of one element -===//

#include "Conversion/LaxToLinalg/Lowering.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;
using namespace mlir::janus;
using namespace mlir::janus::lowering;
using arith::CmpFPredicate;
using arith::CmpIPredicate;

Value lowering::toLogical(ScalarBuilder &b, Value stored, Type original) {
  if (!original.isInteger(1))
    return stored;
  return b.cmpi(CmpIPredicate::ne, stored, b.intConstant(stored.getType(), 0));
}

Value lowering::toStorage(ScalarBuilder &b, Value logical, Type original) {
  if (!original.isInteger(1))
    return logical;
  return b.create<arith::ExtUIOp>(b.b.getI8Type(), logical);
}

//===----------------------------------------------------------------------===//
// By value
//===----------------------------------------------------------------------===//

namespace {

/// f64 to f32, rounded to odd: a second rounding, to f16 or bf16, then gives what a single one would.
Value narrowToOdd(ScalarBuilder &b, Value value) {
  Type i32 = b.b.getI32Type(), f32 = b.b.getF32Type();
  Value narrow = b.create<arith::TruncFOp>(f32, value);
  Value back = b.create<arith::ExtFOp>(value.getType(), narrow);
  Value bits = b.create<arith::BitcastOp>(i32, narrow);
  Value inexact = b.cmpf(CmpFPredicate::ONE, back, value);
  Value one = b.intConstant(i32, 1);
  Value even = b.cmpi(CmpIPredicate::eq, b.create<arith::AndIOp>(bits, one), b.intConstant(i32, 0));
  Value up = b.cmpf(CmpFPredicate::OGT, b.create<math::AbsFOp>(back), b.create<math::AbsFOp>(value));
  Value odd = b.add(bits, b.select(up, b.intConstant(i32, -1), one));
  Value adjusted = b.select(b.create<arith::AndIOp>(inexact, even), odd, bits);
  return b.create<arith::BitcastOp>(f32, adjusted);
}

Value floatToFloat(ScalarBuilder &b, Value value, FloatType to) {
  auto from = cast<FloatType>(value.getType());
  if (from.getWidth() == 64 && to.getWidth() == 16)
    return b.create<arith::TruncFOp>(to, narrowToOdd(b, value));
  if (from.getWidth() == 16 && to.getWidth() == 64)
    return castFloat(b, castFloat(b, value, b.b.getF32Type()), to);
  return castFloat(b, value, to);
}

/// Truncates towards zero; what lies outside becomes the nearest integer of the type, and NaN zero.
Value floatToInt(ScalarBuilder &b, Value value, IntegerType to, bool isUnsigned) {
  value = castFloat(b, value, accumulatorType(value.getType()));
  Type type = value.getType();
  unsigned width = to.getWidth();
  APInt least = isUnsigned ? APInt::getZero(width) : APInt::getSignedMinValue(width);
  APInt greatest = isUnsigned ? APInt::getMaxValue(width) : APInt::getSignedMaxValue(width);
  Value low = b.constant(type, isUnsigned ? 0.0 : -std::ldexp(1.0, width - 1));
  Value high = b.constant(type, std::ldexp(1.0, isUnsigned ? width : width - 1)); // one above the greatest
  Value below = b.cmpf(CmpFPredicate::OLT, value, low), above = b.cmpf(CmpFPredicate::OGE, value, high);
  Value inside =
      b.create<arith::AndIOp>(b.cmpf(CmpFPredicate::OGE, value, low), b.cmpf(CmpFPredicate::OLT, value, high));
  Value safe = b.select(inside, value, b.constant(type, 0.0));
  Value integer = isUnsigned ? b.create<arith::FPToUIOp>(to, safe) : b.create<arith::FPToSIOp>(to, safe);
  return b.select(above, b.constant(to, greatest), b.select(below, b.constant(to, least), integer));
}

/// f32, not NaN, to bf16. `truncf` of `sitofp` would fold to a conversion from integer to bf16, which is no
/// instruction.
Value narrowToBFloat(ScalarBuilder &b, Value value) {
  Type i32 = b.b.getI32Type();
  Value bits = b.create<arith::BitcastOp>(i32, value), half = b.intConstant(i32, 16);
  Value odd = b.create<arith::AndIOp>(b.create<arith::ShRUIOp>(bits, half), b.intConstant(i32, 1));
  Value rounded = b.add(b.add(bits, b.intConstant(i32, 0x7FFF)), odd);
  Value high = b.create<arith::TruncIOp>(b.b.getI16Type(), b.create<arith::ShRUIOp>(rounded, half));
  return b.create<arith::BitcastOp>(b.b.getBF16Type(), high);
}

Value intToFloat(ScalarBuilder &b, Value value, bool isUnsigned, FloatType to) {
  Type type = accumulatorType(to);
  Value wide = isUnsigned ? b.create<arith::UIToFPOp>(type, value) : b.create<arith::SIToFPOp>(type, value);
  return to.isBF16() ? narrowToBFloat(b, wide) : castFloat(b, wide, to);
}

} // namespace

Value lowering::convertScalar(ScalarBuilder &b, Value value, Type from, Type to) {
  bool fromUnsigned = isUnsignedOrBool(from), toBool = to.isInteger(1);
  if (auto type = dyn_cast<FloatType>(to)) {
    if (isa<FloatType>(from))
      return floatToFloat(b, value, type);
    return intToFloat(b, value, fromUnsigned, type);
  }
  Type target = toBool ? to : LaxTypeConverter::convertElementType(to);
  if (isa<FloatType>(from)) {
    if (toBool)
      return b.cmpf(CmpFPredicate::UNE, value, b.constant(value.getType(), 0.0));
    return floatToInt(b, value, cast<IntegerType>(target), to.isUnsignedInteger());
  }
  if (toBool && !from.isInteger(1))
    return b.cmpi(CmpIPredicate::ne, value, b.intConstant(value.getType(), 0));
  unsigned fromWidth = value.getType().getIntOrFloatBitWidth(), toWidth = target.getIntOrFloatBitWidth();
  if (fromWidth > toWidth)
    return b.create<arith::TruncIOp>(target, value);
  if (fromWidth == toWidth)
    return value;
  return fromUnsigned ? b.create<arith::ExtUIOp>(target, value) : b.create<arith::ExtSIOp>(target, value);
}

//===----------------------------------------------------------------------===//
// By bits
//===----------------------------------------------------------------------===//

namespace {

Type bitsOf(Type type) { return IntegerType::get(type.getContext(), type.getIntOrFloatBitWidth()); }

Value buildConvert(ScalarBuilder &b, Operation *op, ValueRange args, ArrayRef<Type> types, Type result) {
  return convertScalar(b, args[0], types[0], result);
}

Value buildNextafter(ScalarBuilder &b, Operation *op, ValueRange args, ArrayRef<Type> types, Type result) {
  Value from = args[0], to = args[1];
  Type type = from.getType(), bits = bitsOf(type);
  unsigned width = bits.getIntOrFloatBitWidth();
  Value fromBits = b.create<arith::BitcastOp>(bits, from), toBits = b.create<arith::BitcastOp>(bits, to);
  Value sign = b.constant(bits, APInt::getSignMask(width)), rest = b.constant(bits, APInt::getSignedMaxValue(width));
  Value fromAbs = b.create<arith::AndIOp>(fromBits, rest), toAbs = b.create<arith::AndIOp>(toBits, rest);
  Value fromSign = b.create<arith::AndIOp>(fromBits, sign), toSign = b.create<arith::AndIOp>(toBits, sign);
  Value zero = b.intConstant(bits, 0), one = b.intConstant(bits, 1);
  // From a zero: the least magnitude with the sign of `to`. Else one bit towards zero or away from it.
  Value fromZero = b.create<arith::OrIOp>(toSign, one);
  Value towardsZero =
      b.create<arith::OrIOp>(b.cmpi(CmpIPredicate::ne, fromSign, toSign), b.cmpi(CmpIPredicate::ugt, fromAbs, toAbs));
  Value stepped = b.add(fromBits, b.select(towardsZero, b.intConstant(bits, -1), one));
  Value next = b.select(b.cmpi(CmpIPredicate::eq, fromAbs, zero), fromZero, stepped);
  // Compared as bits, so that f16 and bf16 need no arithmetic: equal, or both zero.
  Value equal = b.create<arith::OrIOp>(b.cmpi(CmpIPredicate::eq, fromBits, toBits),
                                       b.cmpi(CmpIPredicate::eq, b.create<arith::OrIOp>(fromAbs, toAbs), zero));
  next = b.select(equal, toBits, next);
  auto floatType = cast<FloatType>(type);
  APInt infinity = APFloat::getInf(floatType.getFloatSemantics()).bitcastToAPInt();
  APInt nan = APFloat::getQNaN(floatType.getFloatSemantics()).bitcastToAPInt();
  Value isNaN = b.create<arith::OrIOp>(b.cmpi(CmpIPredicate::ugt, fromAbs, b.constant(bits, infinity)),
                                       b.cmpi(CmpIPredicate::ugt, toAbs, b.constant(bits, infinity)));
  next = b.select(isNaN, b.constant(bits, nan), next);
  return b.create<arith::BitcastOp>(type, next);
}

/// Rounds the mantissa to nearest even, then sends exponents beyond the narrower format to infinity and zero.
Value buildReducePrecision(ScalarBuilder &b, Operation *op, ValueRange args, ArrayRef<Type> types, Type result) {
  auto reduce = cast<lax::ReducePrecisionOp>(op);
  auto type = cast<FloatType>(args[0].getType());
  Type bits = bitsOf(type);
  unsigned width = type.getWidth(), mantissa = type.getFPMantissaWidth() - 1, exponent = width - 1 - mantissa;
  unsigned toMantissa = reduce.getMantissaBits(), toExponent = reduce.getExponentBits();
  Value original = b.create<arith::BitcastOp>(bits, args[0]), value = original;
  if (toMantissa < mantissa) {
    unsigned dropped = mantissa - toMantissa;
    APInt lastBit = APInt::getOneBitSet(width, dropped);
    Value last =
        b.create<arith::AndIOp>(b.create<arith::ShRUIOp>(value, b.intConstant(bits, dropped)), b.intConstant(bits, 1));
    Value bias = b.add(last, b.constant(bits, lastBit.lshr(1) - 1));
    value = b.create<arith::AndIOp>(b.add(value, bias), b.constant(bits, ~(lastBit - 1)));
  }
  APInt exponentMask = APFloat::getInf(type.getFloatSemantics()).bitcastToAPInt();
  if (toExponent < exponent) {
    APInt bias(width, (uint64_t(1) << (exponent - 1)) - 1);
    APInt toBias(width, toExponent ? (uint64_t(1) << (toExponent - 1)) - 1 : 0);
    Value sign = b.create<arith::AndIOp>(value, b.constant(bits, APInt::getSignMask(width)));
    Value valueExponent = b.create<arith::AndIOp>(value, b.constant(bits, exponentMask));
    Value overflows = b.cmpi(CmpIPredicate::ugt, valueExponent, b.constant(bits, (bias + toBias).shl(mantissa)));
    Value underflows = b.cmpi(CmpIPredicate::ule, valueExponent, b.constant(bits, (bias - toBias).shl(mantissa)));
    value = b.select(overflows, b.create<arith::OrIOp>(sign, b.constant(bits, exponentMask)), value);
    value = b.select(underflows, sign, value);
  }
  Value magnitude = b.create<arith::AndIOp>(original, b.constant(bits, APInt::getSignedMaxValue(width)));
  Value isNaN = b.cmpi(CmpIPredicate::ugt, magnitude, b.constant(bits, exponentMask));
  return b.create<arith::BitcastOp>(type, b.select(isNaN, original, value));
}

} // namespace

void lowering::addConversionRules(llvm::StringMap<ScalarRule> &rules) {
  rules["convert_element_type"] = {buildConvert, /*widenHalf=*/false};
  rules["nextafter"] = {buildNextafter, /*widenHalf=*/false};
  rules["reduce_precision"] = {buildReducePrecision, /*widenHalf=*/false};
}
