//===- ScalarSpecial.cpp - Special functions of one element ---------------===//
//
// The approximations that XLA uses, so that results agree with jax.
//
//===----------------------------------------------------------------------===//

#include "Conversion/LaxToLinalg/Lowering.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::janus;
using namespace mlir::janus::lowering;
using arith::CmpFPredicate;
using arith::CmpIPredicate;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double pi = llvm::numbers::pi;

//===----------------------------------------------------------------------===//
// erf_inv: M. Giles, "Approximating the erfinv function"
//===----------------------------------------------------------------------===//

Value erfInvSingle(ScalarBuilder &b, Value x, Value w) {
  Type type = x.getType();
  Value central = b.cmpf(CmpFPredicate::OLT, w, b.constant(type, 5.0));
  Value near = b.polynomial(b.sub(w, b.constant(type, 2.5)),
                            {2.81022636e-08, 3.43273939e-07, -3.5233877e-06, -4.39150654e-06, 0.00021858087,
                             -0.00125372503, -0.00417768164, 0.246640727, 1.50140941});
  Value far = b.polynomial(b.sub(b.create<math::SqrtOp>(w), b.constant(type, 3.0)),
                           {-0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773,
                            -0.0076224613, 0.00943887047, 1.00167406, 2.83297682});
  return b.mul(b.select(central, near, far), x);
}

Value erfInvDouble(ScalarBuilder &b, Value x, Value w) {
  Type type = x.getType();
  Value root = b.create<math::SqrtOp>(w);
  Value near = b.polynomial(
      b.sub(w, b.constant(type, 3.125)),
      {-3.6444120640178196996e-21, -1.685059138182016589e-19,  1.2858480715256400167e-18,  1.115787767802518096e-17,
       -1.333171662854620906e-16,  2.0972767875968561637e-17,  6.6376381343583238325e-15,  -4.0545662729752068639e-14,
       -8.1519341976054721522e-14, 2.6335093153082322977e-12,  -1.2975133253453532498e-11, -5.4154120542946279317e-11,
       1.051212273321532285e-09,   -4.1126339803469836976e-09, -2.9070369957882005086e-08, 4.2347877827932403518e-07,
       -1.3654692000834678645e-06, -1.3882523362786468719e-05, 0.0001867342080340571352,   -0.00074070253416626697512,
       -0.0060336708714301490533,  0.24015818242558961693,     1.6536545626831027356});
  Value middle = b.polynomial(
      b.sub(root, b.constant(type, 3.25)),
      {2.2137376921775787049e-09, 9.0756561938885390979e-08, -2.7517406297064545428e-07, 1.8239629214389227755e-08,
       1.5027403968909827627e-06, -4.013867526981545969e-06, 2.9234449089955446044e-06, 1.2475304481671778723e-05,
       -4.7318229009055733981e-05, 6.8284851459573175448e-05, 2.4031110387097893999e-05, -0.0003550375203628474796,
       0.00095328937973738049703, -0.0016882755560235047313, 0.0024914420961078508066, -0.0037512085075692412107,
       0.005370914553590063617, 1.0052589676941592334, 3.0838856104922207635});
  Value far = b.polynomial(b.sub(root, b.constant(type, 5.0)),
                           {-2.7109920616438573243e-11, -2.5556418169965252055e-10, 1.5076572693500548083e-09,
                            -3.7894654401267369937e-09, 7.6157012080783393804e-09, -1.4960026627149240478e-08,
                            2.9147953450901080826e-08, -6.7711997758452339498e-08, 2.2900482228026654717e-07,
                            -9.9298272942317002539e-07, 4.5260625972231537039e-06, -1.9681778105531670567e-05,
                            7.5995277030017761139e-05, -0.00021503011930044477347, -0.00013871931833623122026,
                            1.0103004648645343977, 4.8499064014085844221});
  Value isNear = b.cmpf(CmpFPredicate::OLT, w, b.constant(type, 6.25));
  Value isMiddle = b.cmpf(CmpFPredicate::OLT, w, b.constant(type, 16.0));
  return b.mul(b.select(isNear, near, b.select(isMiddle, middle, far)), x);
}

Value buildErfInv(ScalarBuilder &b, Operation *op, ValueRange args, ArrayRef<Type> types, Type result) {
  Value x = args[0];
  Type type = x.getType();
  Value w = b.neg(b.create<math::Log1pOp>(b.mul(b.neg(x), x)));
  Value inside = type.isF64() ? erfInvDouble(b, x, w) : erfInvSingle(b, x, w);
  Value atEnd = b.cmpf(CmpFPredicate::OEQ, b.create<math::AbsFOp>(x), b.constant(type, 1.0));
  return b.select(atEnd, b.mul(x, b.constant(type, infinity)), inside);
}

//===----------------------------------------------------------------------===//
// lgamma and digamma: Lanczos
//===----------------------------------------------------------------------===//

constexpr double lanczosGamma = 7.0;
constexpr double lanczosBase = 0.99999999999980993227684700473478;
constexpr double lanczos[] = {676.520368121885098567009190444019, -1259.13921672240287047156078755283,
                              771.3234287776530788486528258894,   -176.61502916214059906584551354,
                              12.507343278686904814458936853,     -0.13857109526572011689554707,
                              9.984369578019570859563e-6,         1.50563273514931155834e-7};

/// What lgamma and digamma share: whether to reflect, the shifted argument, and log(gamma + 1/2 + z).
struct Lanczos {
  Value reflect, z, t, logT;
};

Lanczos buildLanczos(ScalarBuilder &b, Value x) {
  Type type = x.getType();
  constexpr double shift = lanczosGamma + 0.5;
  Lanczos l;
  l.reflect = b.cmpf(CmpFPredicate::OLT, x, b.constant(type, 0.5));
  l.z = b.select(l.reflect, b.neg(x), b.sub(x, b.constant(type, 1.0)));
  l.t = b.add(b.constant(type, shift), l.z);
  l.logT = b.add(b.constant(type, std::log(shift)), b.create<math::Log1pOp>(b.div(l.z, b.constant(type, shift))));
  return l;
}

Value buildLgamma(ScalarBuilder &b, Operation *op, ValueRange args, ArrayRef<Type> types, Type result) {
  Value x = args[0];
  Type type = x.getType();
  auto constant = [&](double value) { return b.constant(type, value); };
  Lanczos l = buildLanczos(b, x);
  Value sum = constant(lanczosBase);
  for (auto [i, coefficient] : llvm::enumerate(lanczos))
    sum = b.add(sum, b.div(constant(coefficient), b.add(l.z, constant(double(i) + 1))));
  Value logY = b.mul(b.sub(b.add(l.z, constant(0.5)), b.div(l.t, l.logT)), l.logT);
  logY = b.add(b.add(logY, constant(std::log(2 * pi) / 2)), b.create<math::LogOp>(sum));

  // Below 1/2: log(pi) - log|sin(pi x)| - lgamma(1 - x).
  Value magnitude = b.create<math::AbsFOp>(x);
  Value fraction = b.sub(magnitude, b.create<math::FloorOp>(magnitude));
  Value reduced =
      b.select(b.cmpf(CmpFPredicate::OGT, fraction, constant(0.5)), b.sub(constant(1.0), fraction), fraction);
  Value logSine = b.create<math::LogOp>(b.create<math::SinOp>(b.mul(constant(pi), reduced)));
  Value finite = b.cmpf(CmpFPredicate::OLT, b.create<math::AbsFOp>(logSine), constant(infinity));
  Value reflection = b.select(finite, b.sub(b.sub(constant(std::log(pi)), logSine), logY), b.neg(logSine));
  Value value = b.select(l.reflect, reflection, logY);
  return b.select(b.cmpf(CmpFPredicate::OEQ, magnitude, constant(infinity)), constant(infinity), value);
}

Value buildDigamma(ScalarBuilder &b, Operation *op, ValueRange args, ArrayRef<Type> types, Type result) {
  Value x = args[0];
  Type type = x.getType();
  auto constant = [&](double value) { return b.constant(type, value); };
  Lanczos l = buildLanczos(b, x);
  Value numerator = constant(0.0), denominator = constant(lanczosBase);
  for (auto [i, coefficient] : llvm::enumerate(lanczos)) {
    Value shifted = b.add(l.z, constant(double(i) + 1));
    numerator = b.sub(numerator, b.div(constant(coefficient), b.mul(shifted, shifted)));
    denominator = b.add(denominator, b.div(constant(coefficient), shifted));
  }
  Value y = b.sub(b.add(l.logT, b.div(numerator, denominator)), b.div(constant(lanczosGamma), l.t));

  // Below 1/2: digamma(1 - x) - pi cot(pi x), with x reduced to [-1/2, 1/2].
  Value nearest = b.create<math::AbsFOp>(b.create<math::FloorOp>(b.add(x, constant(0.5))));
  Value angle = b.mul(constant(pi), b.add(x, nearest));
  Value cotangent = b.div(b.mul(constant(pi), b.create<math::CosOp>(angle)), b.create<math::SinOp>(angle));
  Value value = b.select(l.reflect, b.sub(y, cotangent), y);
  Value pole = b.create<arith::AndIOp>(b.cmpf(CmpFPredicate::OLE, x, constant(0.0)),
                                       b.cmpf(CmpFPredicate::OEQ, x, b.create<math::FloorOp>(x)));
  return b.select(pole, constant(std::numeric_limits<double>::quiet_NaN()), value);
}

} // namespace

void lowering::addSpecialRules(llvm::StringMap<ScalarRule> &rules) {
  rules["erf_inv"] = {buildErfInv};
  rules["lgamma"] = {buildLgamma};
  rules["digamma"] = {buildDigamma};
}
