//===- ScalarMath.cpp - One element of an elementwise op ------------------===//
//
// The table from op to scalar body, and the rules for arithmetic, bits, comparisons and elementary functions.
//
//===----------------------------------------------------------------------===//

#include "Conversion/LaxToLinalg/Lowering.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;
using namespace mlir::janus;
using namespace mlir::janus::lowering;
using arith::CmpFPredicate;
using arith::CmpIPredicate;

//===----------------------------------------------------------------------===//
// ScalarBuilder
//===----------------------------------------------------------------------===//

Value ScalarBuilder::constant(Type type, const APFloat &value) {
  APFloat converted = value;
  bool losesInfo;
  converted.convert(cast<FloatType>(type).getFloatSemantics(), APFloat::rmNearestTiesToEven, &losesInfo);
  return arith::ConstantOp::create(b, loc, FloatAttr::get(type, converted));
}

Value ScalarBuilder::constant(Type type, const APInt &value) {
  return arith::ConstantOp::create(b, loc, IntegerAttr::get(type, value));
}

Value ScalarBuilder::constant(Type type, double value) {
  if (isa<FloatType>(type))
    return constant(type, APFloat(value));
  return intConstant(type, static_cast<int64_t>(value));
}

Value ScalarBuilder::intConstant(Type type, int64_t value) {
  if (type.isIndex())
    return index(value);
  return constant(type, APInt(type.getIntOrFloatBitWidth(), value, /*isSigned=*/true, /*implicitTrunc=*/true));
}

Value ScalarBuilder::index(int64_t value) { return arith::ConstantIndexOp::create(b, loc, value); }

Value ScalarBuilder::add(Value x, Value y) {
  return isa<FloatType>(x.getType()) ? create<arith::AddFOp>(x, y) : create<arith::AddIOp>(x, y);
}
Value ScalarBuilder::sub(Value x, Value y) {
  return isa<FloatType>(x.getType()) ? create<arith::SubFOp>(x, y) : create<arith::SubIOp>(x, y);
}
Value ScalarBuilder::mul(Value x, Value y) {
  return isa<FloatType>(x.getType()) ? create<arith::MulFOp>(x, y) : create<arith::MulIOp>(x, y);
}
Value ScalarBuilder::div(Value x, Value y) { return create<arith::DivFOp>(x, y); }
Value ScalarBuilder::neg(Value x) {
  if (isa<FloatType>(x.getType()))
    return create<arith::NegFOp>(x);
  return create<arith::SubIOp>(intConstant(x.getType(), 0), x);
}
Value ScalarBuilder::select(Value condition, Value x, Value y) { return create<arith::SelectOp>(condition, x, y); }
Value ScalarBuilder::cmpf(CmpFPredicate predicate, Value x, Value y) { return create<arith::CmpFOp>(predicate, x, y); }
Value ScalarBuilder::cmpi(CmpIPredicate predicate, Value x, Value y) { return create<arith::CmpIOp>(predicate, x, y); }
Value ScalarBuilder::isNaN(Value x) { return cmpf(CmpFPredicate::UNO, x, x); }

Value ScalarBuilder::polynomial(Value x, ArrayRef<double> coefficients) {
  Value sum = constant(x.getType(), coefficients.front());
  for (double coefficient : coefficients.drop_front())
    sum = add(mul(sum, x), constant(x.getType(), coefficient));
  return sum;
}

bool lowering::isUnsignedOrBool(Type type) { return type.isUnsignedInteger() || type.isInteger(1); }

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

namespace {

#define RULE(name)                                                                                                     \
  Value name([[maybe_unused]] ScalarBuilder &b, [[maybe_unused]] Operation *op, [[maybe_unused]] ValueRange args,      \
             [[maybe_unused]] ArrayRef<Type> types, [[maybe_unused]] Type result)

bool isFloat(Value value) { return isa<FloatType>(value.getType()); }

RULE(buildAdd) { return b.add(args[0], args[1]); }
RULE(buildSub) { return b.sub(args[0], args[1]); }
RULE(buildMul) { return b.mul(args[0], args[1]); }
RULE(buildNeg) { return b.neg(args[0]); }
RULE(buildSquare) { return b.mul(args[0], args[0]); }
RULE(buildCopy) { return args[0]; }

/// Neither a zero divisor nor the one quotient that overflows may trap: both divide by one instead.
struct SafeDivision {
  Value divisor, byZero;
};
SafeDivision guardDivision(ScalarBuilder &b, Value x, Value y, bool isUnsigned) {
  Type type = x.getType();
  Value byZero = b.cmpi(CmpIPredicate::eq, y, b.intConstant(type, 0));
  Value unsafe = byZero;
  if (!isUnsigned) {
    unsigned width = type.getIntOrFloatBitWidth();
    Value least = b.cmpi(CmpIPredicate::eq, x, b.constant(type, APInt::getSignedMinValue(width)));
    Value minusOne = b.cmpi(CmpIPredicate::eq, y, b.intConstant(type, -1));
    unsafe = b.create<arith::OrIOp>(byZero, b.create<arith::AndIOp>(least, minusOne));
  }
  return {b.select(unsafe, b.intConstant(type, 1), y), byZero};
}

RULE(buildDiv) {
  if (isFloat(args[0]))
    return b.div(args[0], args[1]);
  bool isUnsigned = isUnsignedOrBool(types[0]);
  auto [divisor, byZero] = guardDivision(b, args[0], args[1], isUnsigned);
  Value quotient = isUnsigned ? b.create<arith::DivUIOp>(args[0], divisor) : b.create<arith::DivSIOp>(args[0], divisor);
  return b.select(byZero, b.intConstant(quotient.getType(), -1), quotient);
}

RULE(buildRem) {
  if (isFloat(args[0]))
    return b.create<arith::RemFOp>(args[0], args[1]);
  bool isUnsigned = isUnsignedOrBool(types[0]);
  auto [divisor, byZero] = guardDivision(b, args[0], args[1], isUnsigned);
  Value remainder =
      isUnsigned ? b.create<arith::RemUIOp>(args[0], divisor) : b.create<arith::RemSIOp>(args[0], divisor);
  return b.select(byZero, args[0], remainder);
}

Value buildMaximum(ScalarBuilder &b, Value x, Value y, Type original) {
  if (isFloat(x))
    return b.create<arith::MaximumFOp>(x, y);
  return isUnsignedOrBool(original) ? b.create<arith::MaxUIOp>(x, y) : b.create<arith::MaxSIOp>(x, y);
}
Value buildMinimum(ScalarBuilder &b, Value x, Value y, Type original) {
  if (isFloat(x))
    return b.create<arith::MinimumFOp>(x, y);
  return isUnsignedOrBool(original) ? b.create<arith::MinUIOp>(x, y) : b.create<arith::MinSIOp>(x, y);
}
RULE(buildMax) { return buildMaximum(b, args[0], args[1], types[0]); }
RULE(buildMin) { return buildMinimum(b, args[0], args[1], types[0]); }
RULE(buildClamp) { return buildMinimum(b, buildMaximum(b, args[0], args[1], types[1]), args[2], types[1]); }

RULE(buildAbs) {
  if (isFloat(args[0]))
    return b.create<math::AbsFOp>(args[0]);
  if (isUnsignedOrBool(types[0]))
    return args[0];
  return b.create<math::AbsIOp>(args[0]);
}

RULE(buildSign) {
  Type type = args[0].getType();
  Value zero = b.constant(type, 0.0), one = b.constant(type, 1.0);
  if (isFloat(args[0])) {
    Value keep = b.cmpf(CmpFPredicate::UEQ, args[0], zero); // zero or NaN
    return b.select(keep, args[0], b.create<math::CopySignOp>(one, args[0]));
  }
  if (isUnsignedOrBool(types[0]))
    return b.select(b.cmpi(CmpIPredicate::eq, args[0], zero), zero, one);
  Value nonNegative = b.select(b.cmpi(CmpIPredicate::sgt, args[0], zero), one, zero);
  return b.select(b.cmpi(CmpIPredicate::slt, args[0], zero), b.intConstant(type, -1), nonNegative);
}

RULE(buildRound) {
  if (cast<lax::RoundOp>(op).getRoundingMethod() == "to_nearest_even")
    return b.create<math::RoundEvenOp>(args[0]);
  return b.create<math::RoundOp>(args[0]);
}

RULE(buildIsFinite) {
  Value infinity = b.constant(args[0].getType(), std::numeric_limits<double>::infinity());
  return b.cmpf(CmpFPredicate::OLT, b.create<math::AbsFOp>(args[0]), infinity);
}

RULE(buildMulhi) {
  Type type = args[0].getType();
  unsigned width = type.getIntOrFloatBitWidth();
  Type wide = IntegerType::get(type.getContext(), 2 * width);
  auto extend = [&](Value value) {
    return isUnsignedOrBool(types[0]) ? b.create<arith::ExtUIOp>(wide, value) : b.create<arith::ExtSIOp>(wide, value);
  };
  Value product = b.mul(extend(args[0]), extend(args[1]));
  return b.create<arith::TruncIOp>(type, b.create<arith::ShRUIOp>(product, b.intConstant(wide, width)));
}

/// x to a constant power by squaring.
RULE(buildIntegerPow) {
  int64_t exponent = cast<lax::IntegerPowOp>(op).getY();
  Type type = args[0].getType();
  if (exponent == 0)
    return b.constant(type, 1.0);
  Value power, square = args[0];
  for (uint64_t left = exponent < 0 ? -static_cast<uint64_t>(exponent) : exponent; left; left >>= 1) {
    if (left & 1)
      power = power ? b.mul(power, square) : square;
    if (left > 1)
      square = b.mul(square, square);
  }
  return exponent < 0 ? b.div(b.constant(type, 1.0), power) : power;
}

/// Integer to the power of an integer by squaring: a loop over the bits of the exponent, unrolled.
Value buildIntPower(ScalarBuilder &b, Value x, Value y, bool isUnsigned) {
  Type type = x.getType();
  Value one = b.intConstant(type, 1), zero = b.intConstant(type, 0);
  Value power = one, square = x, left = y;
  for (unsigned bit = 0, width = type.getIntOrFloatBitWidth(); bit < width; ++bit) {
    Value odd = b.cmpi(CmpIPredicate::ne, b.create<arith::AndIOp>(left, one), zero);
    power = b.select(odd, b.mul(power, square), power);
    square = b.mul(square, square);
    left = b.create<arith::ShRUIOp>(left, one);
  }
  if (isUnsigned)
    return power;
  // A negative exponent: 1 and -1 have an integer reciprocal, the others truncate to zero.
  Value minusOne = b.intConstant(type, -1);
  Value isOne = b.cmpi(CmpIPredicate::eq, x, one), isMinusOne = b.cmpi(CmpIPredicate::eq, x, minusOne);
  Value odd = b.cmpi(CmpIPredicate::ne, b.create<arith::AndIOp>(y, one), zero);
  Value alternating = b.select(odd, minusOne, one);
  Value reciprocal = b.select(isOne, one, b.select(isMinusOne, alternating, zero));
  return b.select(b.cmpi(CmpIPredicate::slt, y, zero), reciprocal, power);
}

RULE(buildPow) {
  if (!isFloat(args[0]))
    return buildIntPower(b, args[0], args[1], isUnsignedOrBool(types[1]));
  Value exponent = args[1];
  if (!isFloat(exponent))
    exponent = convertScalar(b, exponent, types[1], args[0].getType());
  return b.create<math::PowFOp>(args[0], exponent);
}

//===----------------------------------------------------------------------===//
// Bits
//===----------------------------------------------------------------------===//

RULE(buildNot) {
  Type type = args[0].getType();
  return b.create<arith::XOrIOp>(args[0], b.intConstant(type, -1));
}
RULE(buildAnd) { return b.create<arith::AndIOp>(args[0], args[1]); }
RULE(buildOr) { return b.create<arith::OrIOp>(args[0], args[1]); }
RULE(buildXor) { return b.create<arith::XOrIOp>(args[0], args[1]); }
RULE(buildPopulationCount) { return b.create<math::CtPopOp>(args[0]); }
RULE(buildClz) { return b.create<math::CountLeadingZerosOp>(args[0]); }

/// A shift by the bit width or more is poison in arith: such a lane shifts by zero and is replaced.
template <typename ShiftOp> Value buildShift(ScalarBuilder &b, Value x, Value amount, Value beyond) {
  Type type = x.getType();
  Value inside = b.cmpi(CmpIPredicate::ult, amount, b.intConstant(type, type.getIntOrFloatBitWidth()));
  Value shifted = b.create<ShiftOp>(x, b.select(inside, amount, b.intConstant(type, 0)));
  return b.select(inside, shifted, beyond);
}
RULE(buildShiftLeft) { return buildShift<arith::ShLIOp>(b, args[0], args[1], b.intConstant(args[0].getType(), 0)); }
RULE(buildShiftRightLogical) {
  return buildShift<arith::ShRUIOp>(b, args[0], args[1], b.intConstant(args[0].getType(), 0));
}
RULE(buildShiftRightArithmetic) {
  Type type = args[0].getType();
  Value last = b.intConstant(type, type.getIntOrFloatBitWidth() - 1);
  Value amount = b.create<arith::MinUIOp>(args[1], last);
  return b.create<arith::ShRSIOp>(args[0], amount);
}

//===----------------------------------------------------------------------===//
// Comparisons and selection
//===----------------------------------------------------------------------===//

template <CmpFPredicate onFloats, CmpIPredicate onSigned, CmpIPredicate onUnsigned> RULE(buildCompare) {
  if (isFloat(args[0]))
    return b.cmpf(onFloats, args[0], args[1]);
  return b.cmpi(isUnsignedOrBool(types[0]) ? onUnsigned : onSigned, args[0], args[1]);
}

Value selectAmong(ScalarBuilder &b, Value which, ValueRange cases, int64_t first) {
  if (cases.size() == 1)
    return cases.front();
  size_t half = cases.size() / 2;
  Value below = b.cmpi(CmpIPredicate::slt, which, b.intConstant(which.getType(), first + half));
  return b.select(below, selectAmong(b, which, cases.take_front(half), first),
                  selectAmong(b, which, cases.drop_front(half), first + half));
}

RULE(buildSelectN) {
  if (types[0].isInteger(1))
    return args.size() == 2 ? args[1] : b.select(args[0], args[2], args[1]);
  return selectAmong(b, args[0], args.drop_front(), 0);
}

//===----------------------------------------------------------------------===//
// Elementary functions
//===----------------------------------------------------------------------===//

template <typename MathOp> RULE(buildUnary) { return b.create<MathOp>(args[0]); }
template <typename MathOp> RULE(buildBinary) { return b.create<MathOp>(args[0], args[1]); }

RULE(buildLogistic) {
  Value one = b.constant(args[0].getType(), 1.0);
  return b.div(one, b.add(one, b.create<math::ExpOp>(b.neg(args[0]))));
}

llvm::StringMap<ScalarRule> buildRules() {
  llvm::StringMap<ScalarRule> rules;
  auto add = [&](StringRef name, ScalarFn build) { rules[name] = {build, /*widenHalf=*/true}; };
  auto addExact = [&](StringRef name, ScalarFn build) { rules[name] = {build, /*widenHalf=*/false}; };
  add("add", buildAdd);
  add("add_any", buildAdd);
  add("sub", buildSub);
  add("mul", buildMul);
  add("div", buildDiv);
  add("rem", buildRem);
  add("neg", buildNeg);
  add("abs", buildAbs);
  add("sign", buildSign);
  add("square", buildSquare);
  add("max", buildMax);
  add("min", buildMin);
  add("clamp", buildClamp);
  add("round", buildRound);
  add("is_finite", buildIsFinite);
  add("mulhi", buildMulhi);
  add("integer_pow", buildIntegerPow);
  add("pow", buildPow);
  add("not", buildNot);
  add("and", buildAnd);
  add("or", buildOr);
  add("xor", buildXor);
  add("population_count", buildPopulationCount);
  add("clz", buildClz);
  add("shift_left", buildShiftLeft);
  add("shift_right_logical", buildShiftRightLogical);
  add("shift_right_arithmetic", buildShiftRightArithmetic);
  add("eq", buildCompare<CmpFPredicate::OEQ, CmpIPredicate::eq, CmpIPredicate::eq>);
  add("ne", buildCompare<CmpFPredicate::UNE, CmpIPredicate::ne, CmpIPredicate::ne>);
  add("lt", buildCompare<CmpFPredicate::OLT, CmpIPredicate::slt, CmpIPredicate::ult>);
  add("le", buildCompare<CmpFPredicate::OLE, CmpIPredicate::sle, CmpIPredicate::ule>);
  add("gt", buildCompare<CmpFPredicate::OGT, CmpIPredicate::sgt, CmpIPredicate::ugt>);
  add("ge", buildCompare<CmpFPredicate::OGE, CmpIPredicate::sge, CmpIPredicate::uge>);
  addExact("select_n", buildSelectN);
  addExact("copy", buildCopy);
  addExact("stop_gradient", buildCopy);
  add("floor", buildUnary<math::FloorOp>);
  add("ceil", buildUnary<math::CeilOp>);
  add("exp", buildUnary<math::ExpOp>);
  add("exp2", buildUnary<math::Exp2Op>);
  add("expm1", buildUnary<math::ExpM1Op>);
  add("log", buildUnary<math::LogOp>);
  add("log1p", buildUnary<math::Log1pOp>);
  add("sqrt", buildUnary<math::SqrtOp>);
  add("rsqrt", buildUnary<math::RsqrtOp>);
  add("cbrt", buildUnary<math::CbrtOp>);
  add("sin", buildUnary<math::SinOp>);
  add("cos", buildUnary<math::CosOp>);
  add("tan", buildUnary<math::TanOp>);
  add("asin", buildUnary<math::AsinOp>);
  add("acos", buildUnary<math::AcosOp>);
  add("atan", buildUnary<math::AtanOp>);
  add("sinh", buildUnary<math::SinhOp>);
  add("cosh", buildUnary<math::CoshOp>);
  add("tanh", buildUnary<math::TanhOp>);
  add("asinh", buildUnary<math::AsinhOp>);
  add("acosh", buildUnary<math::AcoshOp>);
  add("atanh", buildUnary<math::AtanhOp>);
  add("erf", buildUnary<math::ErfOp>);
  add("erfc", buildUnary<math::ErfcOp>);
  add("atan2", buildBinary<math::Atan2Op>);
  add("logistic", buildLogistic);
  addConversionRules(rules);
  addSpecialRules(rules);
  return rules;
}

} // namespace

const ScalarRule *lowering::lookupScalarRule(StringRef mnemonic) {
  static const llvm::StringMap<ScalarRule> rules = buildRules();
  auto it = rules.find(mnemonic);
  return it == rules.end() ? nullptr : &it->second;
}

//===----------------------------------------------------------------------===//
// Combiners
//===----------------------------------------------------------------------===//

Type lowering::accumulatorType(Type original) {
  auto type = dyn_cast<FloatType>(original);
  return type && type.getWidth() < 32 ? Float32Type::get(original.getContext()) : original;
}

Value lowering::castFloat(ScalarBuilder &b, Value value, Type type) {
  auto from = dyn_cast<FloatType>(value.getType());
  auto to = dyn_cast<FloatType>(type);
  if (!from || !to || from == to)
    return value;
  if (from.getWidth() < to.getWidth())
    return b.create<arith::ExtFOp>(to, value);
  if (from.getWidth() > to.getWidth())
    return b.create<arith::TruncFOp>(to, value);
  // f16 and bf16 have no direct conversion.
  Value wide = b.create<arith::ExtFOp>(Float32Type::get(type.getContext()), value);
  return b.create<arith::TruncFOp>(to, wide);
}

Value lowering::combineScalars(ScalarBuilder &b, lax::Combiner combiner, Value x, Value y, Type original) {
  using lax::Combiner;
  switch (combiner) {
  case Combiner::Add:
    return b.add(x, y);
  case Combiner::Sub:
    return b.sub(x, y);
  case Combiner::Mul:
    return b.mul(x, y);
  case Combiner::Max:
    return buildMaximum(b, x, y, original);
  case Combiner::Min:
    return buildMinimum(b, x, y, original);
  case Combiner::And:
    return b.create<arith::AndIOp>(x, y);
  case Combiner::Or:
    return b.create<arith::OrIOp>(x, y);
  case Combiner::Xor:
    return b.create<arith::XOrIOp>(x, y);
  case Combiner::LogAddExp: {
    // Equal infinities differ by NaN; their sum is what they are.
    Value difference = b.sub(x, y);
    Value tail = b.create<math::Log1pOp>(b.create<math::ExpOp>(b.neg(b.create<math::AbsFOp>(difference))));
    return b.select(b.isNaN(difference), b.add(x, y), b.add(b.create<arith::MaximumFOp>(x, y), tail));
  }
  case Combiner::Replace:
    return y;
  }
  llvm_unreachable("unknown combiner");
}

TypedAttr lowering::neutralElement(OpBuilder &b, lax::Combiner combiner, Type original) {
  using lax::Combiner;
  Type type = LaxTypeConverter::convertElementType(accumulatorType(original));
  if (auto floatType = dyn_cast<FloatType>(type)) {
    const llvm::fltSemantics &semantics = floatType.getFloatSemantics();
    switch (combiner) {
    case Combiner::Mul:
      return b.getFloatAttr(type, 1.0);
    case Combiner::Max:
    case Combiner::LogAddExp:
      return b.getFloatAttr(type, APFloat::getInf(semantics, /*Negative=*/true));
    case Combiner::Min:
      return b.getFloatAttr(type, APFloat::getInf(semantics));
    default:
      return b.getFloatAttr(type, 0.0);
    }
  }
  unsigned width = type.getIntOrFloatBitWidth();
  bool isBool = original.isInteger(1), isUnsigned = isUnsignedOrBool(original);
  APInt value = APInt::getZero(width);
  switch (combiner) {
  case Combiner::Mul:
    value = 1;
    break;
  case Combiner::Max:
    value = isUnsigned ? APInt::getZero(width) : APInt::getSignedMinValue(width);
    break;
  case Combiner::Min:
    value = isUnsigned ? APInt::getMaxValue(width) : APInt::getSignedMaxValue(width);
    break;
  case Combiner::And:
    value = APInt::getAllOnes(width);
    break;
  default:
    break;
  }
  if (isBool && !value.isZero())
    value = 1;
  return b.getIntegerAttr(type, value);
}
