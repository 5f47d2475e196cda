//===- LaxVjp.cpp - What reverse rules are written in ---------------------===//

#include "Lax/IR/LaxVjp.h"

#include "Lax/IR/LaxOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace mlir::lax;

bool lax::isDifferentiable(Type type) {
  if (auto tensor = dyn_cast<RankedTensorType>(type))
    type = tensor.getElementType();
  return isa<FloatType, ComplexType>(type);
}

//===----------------------------------------------------------------------===//
// Terms
//===----------------------------------------------------------------------===//

namespace {

bool isTensor(Term x) { return isa<RankedTensorType>(x.value.getType()); }

template <typename LaxT, typename ScalarT> Term unary(Term x) {
  Vjp &v = *x.vjp;
  if (isTensor(x))
    return {v, v.create<LaxT>(x.value.getType(), x.value)};
  return {v, v.create<ScalarT>(x.value)};
}

template <typename LaxT, typename ScalarT> Term binary(Term x, Term y) {
  Vjp &v = *x.vjp;
  if (isTensor(x))
    return {v, v.create<LaxT>(x.value.getType(), x.value, y.value)};
  return {v, v.create<ScalarT>(x.value, y.value)};
}

template <typename LaxT> Term comparison(Term x, Term y, arith::CmpFPredicate predicate) {
  Vjp &v = *x.vjp;
  if (isTensor(x))
    return {v, v.create<LaxT>(cast<RankedTensorType>(x.value.getType()).clone(v.b.getI1Type()), x.value, y.value)};
  return {v, v.create<arith::CmpFOp>(predicate, x.value, y.value)};
}

} // namespace

Term lax::operator+(Term x, Term y) { return binary<AddOp, arith::AddFOp>(x, y); }
Term lax::operator-(Term x, Term y) { return binary<SubOp, arith::SubFOp>(x, y); }
Term lax::operator*(Term x, Term y) { return binary<MulOp, arith::MulFOp>(x, y); }
Term lax::operator/(Term x, Term y) { return binary<DivOp, arith::DivFOp>(x, y); }
Term lax::operator-(Term x) { return unary<NegOp, arith::NegFOp>(x); }
Term lax::operator+(Term x, double y) { return x + constantLike(x, y); }
Term lax::operator-(Term x, double y) { return x - constantLike(x, y); }
Term lax::operator*(Term x, double y) { return x * constantLike(x, y); }
Term lax::operator/(Term x, double y) { return x / constantLike(x, y); }
Term lax::operator+(double x, Term y) { return constantLike(y, x) + y; }
Term lax::operator-(double x, Term y) { return constantLike(y, x) - y; }
Term lax::operator*(double x, Term y) { return constantLike(y, x) * y; }
Term lax::operator/(double x, Term y) { return constantLike(y, x) / y; }

Term lax::abs(Term x) { return unary<AbsOp, math::AbsFOp>(x); }
Term lax::conj(Term x) { return {*x.vjp, x.vjp->create<ConjOp>(x.value.getType(), x.value)}; }
Term lax::cos(Term x) { return unary<CosOp, math::CosOp>(x); }
Term lax::cosh(Term x) { return unary<CoshOp, math::CoshOp>(x); }
Term lax::exp(Term x) { return unary<ExpOp, math::ExpOp>(x); }
Term lax::floor(Term x) { return unary<FloorOp, math::FloorOp>(x); }
Term lax::log(Term x) { return unary<LogOp, math::LogOp>(x); }
Term lax::rsqrt(Term x) { return unary<RsqrtOp, math::RsqrtOp>(x); }
Term lax::sin(Term x) { return unary<SinOp, math::SinOp>(x); }
Term lax::sinh(Term x) { return unary<SinhOp, math::SinhOp>(x); }
Term lax::pow(Term x, Term y) { return binary<PowOp, math::PowFOp>(x, y); }
Term lax::digamma(Term x) { return {*x.vjp, x.vjp->create<DigammaOp>(x.value.getType(), x.value)}; }

Term lax::integerPow(Term x, int64_t y) {
  Vjp &v = *x.vjp;
  if (isTensor(x))
    return {v, v.create<IntegerPowOp>(x.value.getType(), x.value, v.b.getI64IntegerAttr(y))};
  return pow(x, constantLike(x, y));
}

Term lax::sign(Term x) {
  if (isTensor(x))
    return {*x.vjp, x.vjp->create<SignOp>(x.value.getType(), x.value)};
  Term zero = constantLike(x, 0);
  return select(gt(x, zero), constantLike(x, 1), select(lt(x, zero), constantLike(x, -1), x));
}

Term lax::eq(Term x, Term y) { return comparison<EqOp>(x, y, arith::CmpFPredicate::OEQ); }
Term lax::lt(Term x, Term y) { return comparison<LtOp>(x, y, arith::CmpFPredicate::OLT); }
Term lax::gt(Term x, Term y) { return comparison<GtOp>(x, y, arith::CmpFPredicate::OGT); }
Term lax::both(Term x, Term y) { return binary<AndOp, arith::AndIOp>(x, y); }

Term lax::select(Term condition, Term x, Term y) {
  Vjp &v = *x.vjp;
  if (isTensor(condition))
    return {v, v.create<SelectNOp>(x.value.getType(), condition.value, ValueRange{y.value, x.value})};
  return {v, v.create<arith::SelectOp>(condition.value, x.value, y.value)};
}

Term lax::share(Term x, Term r, Term y) {
  Term one = constantLike(x, 1);
  return select(eq(x, r), one, constantLike(x, 0)) / select(eq(y, r), constantLike(x, 2), one);
}

Term lax::trigamma(Term x) {
  // Reflected into the right half, shifted up by 10, then the asymptotic series.
  Term half = constantLike(x, 0.5);
  Term left = lt(x, half);
  Term at = select(left, 1 - x, x);
  Term sum = constantLike(x, 0);
  for (int k = 0; k < 10; ++k)
    sum = sum + integerPow(at + k, -2);
  Term inverse = 1.0 / (at + 10);
  Term square = inverse * inverse;
  Term series = constantLike(x, 5.0 / 66);
  for (double coefficient : {-1.0 / 30, 1.0 / 42, -1.0 / 30, 1.0 / 6})
    series = series * square + coefficient;
  sum = sum + (inverse + square * 0.5 + series * square * inverse);
  Term sine = sin(x * 3.14159265358979323846);
  return select(left, 9.86960440108935861883 / (sine * sine) - sum, sum);
}

Term lax::constantLike(Term like, double value) {
  Vjp &v = *like.vjp;
  SmallVector<Value> sizes;
  if (auto type = dyn_cast<RankedTensorType>(like.value.getType()))
    for (int64_t d = 0; d < type.getRank(); ++d)
      if (type.isDynamicDim(d))
        sizes.push_back(v.index(v.sizeHere(like.value, d)));
  return {v, v.constant(like.value.getType(), value, sizes)};
}

//===----------------------------------------------------------------------===//
// Values and sizes
//===----------------------------------------------------------------------===//

Value Vjp::cotangent(unsigned i) {
  Value result = op->getResult(i);
  Value found = cotangentOf(result);
  return found ? found : zeros(result);
}

Value Vjp::constant(Type type, double value, ArrayRef<Value> dynamicSizes) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  Type element = tensor ? tensor.getElementType() : type;
  auto number = [&](Type part, double x) -> Attribute {
    if (isa<FloatType>(part))
      return b.getFloatAttr(part, x);
    return b.getIntegerAttr(IntegerType::get(part.getContext(), part.getIntOrFloatBitWidth()), static_cast<int64_t>(x));
  };
  if (!tensor)
    return create<arith::ConstantOp>(llvm::cast<TypedAttr>(number(type, value)));
  auto shaped = tensor.hasStaticShape() ? tensor : RankedTensorType::get({}, element);
  DenseElementsAttr dense;
  if (auto complex = dyn_cast<ComplexType>(element)) {
    auto &semantics = llvm::cast<FloatType>(complex.getElementType()).getFloatSemantics();
    APFloat real(value), zero(0.0);
    bool lost;
    real.convert(semantics, APFloat::rmNearestTiesToEven, &lost);
    zero.convert(semantics, APFloat::rmNearestTiesToEven, &lost);
    dense = DenseElementsAttr::get(shaped, std::complex<APFloat>(real, zero));
  } else if (isa<FloatType>(element)) {
    dense = DenseElementsAttr::get(shaped, number(element, value));
  } else {
    dense = DenseElementsAttr::get(shaped, APInt(element.getIntOrFloatBitWidth(), static_cast<int64_t>(value),
                                                 /*isSigned=*/true));
  }
  Value splat = create<arith::ConstantOp>(dense);
  if (shaped == tensor)
    return splat;
  return create<BroadcastInDimOp>(tensor, splat, ArrayRef<int64_t>{}, ValueRange(dynamicSizes));
}

Value Vjp::filled(Value forward, double value) {
  SmallVector<Value> sizes;
  if (isa<RankedTensorType>(forward.getType()))
    sizes = dynamicSizes(forward);
  return constant(forward.getType(), value, sizes);
}

SmallVector<OpFoldResult> Vjp::sizes(Value forward) {
  SmallVector<OpFoldResult> found;
  for (int64_t d = 0, rank = llvm::cast<RankedTensorType>(forward.getType()).getRank(); d < rank; ++d)
    found.push_back(size(forward, d));
  return found;
}

SmallVector<Value> Vjp::dynamicSizes(Value forward) {
  auto type = llvm::cast<RankedTensorType>(forward.getType());
  SmallVector<Value> found;
  for (int64_t d = 0; d < type.getRank(); ++d)
    if (type.isDynamicDim(d))
      found.push_back(index(size(forward, d)));
  return found;
}

OpFoldResult Vjp::sizeHere(Value tensor, int64_t dim) {
  auto type = llvm::cast<RankedTensorType>(tensor.getType());
  if (!type.isDynamicDim(dim))
    return b.getIndexAttr(type.getDimSize(dim));
  return Value(create<tensor::DimOp>(tensor, dim));
}

OpFoldResult Vjp::plus(OpFoldResult x, OpFoldResult y) {
  auto a = getConstantIntValue(x), c = getConstantIntValue(y);
  if (a && c)
    return b.getIndexAttr(*a + *c);
  return Value(create<arith::AddIOp>(index(x), index(y)));
}

OpFoldResult Vjp::minus(OpFoldResult x, OpFoldResult y) {
  auto a = getConstantIntValue(x), c = getConstantIntValue(y);
  if (a && c)
    return b.getIndexAttr(*a - *c);
  return Value(create<arith::SubIOp>(index(x), index(y)));
}

OpFoldResult Vjp::times(OpFoldResult x, int64_t y) {
  if (auto a = getConstantIntValue(x))
    return b.getIndexAttr(*a * y);
  return Value(create<arith::MulIOp>(index(x), index(b.getIndexAttr(y))));
}

Value Vjp::index(OpFoldResult size) {
  if (auto value = dyn_cast<Value>(size))
    return value;
  return create<arith::ConstantIndexOp>(*getConstantIntValue(size));
}

SmallVector<Value> Vjp::dynamic(ArrayRef<OpFoldResult> sizes) {
  SmallVector<Value> found;
  for (OpFoldResult size : sizes)
    if (!getConstantIntValue(size))
      found.push_back(index(size));
  return found;
}

SmallVector<int64_t> Vjp::statics(ArrayRef<OpFoldResult> sizes) {
  SmallVector<int64_t> found;
  for (OpFoldResult size : sizes)
    found.push_back(getConstantIntValue(size).value_or(ShapedType::kDynamic));
  return found;
}

//===----------------------------------------------------------------------===//
// Building blocks
//===----------------------------------------------------------------------===//

Value Vjp::cast(Value tensor, Type type) {
  return tensor.getType() == type ? tensor : Value(create<tensor::CastOp>(type, tensor));
}

Value Vjp::broadcast(Value operand, ArrayRef<int64_t> dims, ArrayRef<OpFoldResult> sizes) {
  auto type = RankedTensorType::get(statics(sizes), getElementTypeOrSelf(operand.getType()));
  return create<BroadcastInDimOp>(type, operand, dims, dynamic(sizes));
}

Value Vjp::transpose(Value operand, ArrayRef<int64_t> permutation) {
  if (llvm::is_sorted(permutation))
    return operand;
  auto type = llvm::cast<RankedTensorType>(operand.getType());
  SmallVector<int64_t> shape;
  for (int64_t dim : permutation)
    shape.push_back(type.getDimSize(dim));
  return create<TransposeOp>(type.clone(shape), operand, permutation);
}

Value Vjp::reshape(Value operand, ArrayRef<OpFoldResult> sizes) {
  auto type = llvm::cast<RankedTensorType>(operand.getType()).clone(statics(sizes));
  if (type == operand.getType() && type.hasStaticShape())
    return operand;
  return create<ReshapeOp>(type, operand, dynamic(sizes));
}

Value Vjp::reduceSum(Value operand, ArrayRef<int64_t> axes) {
  if (axes.empty())
    return operand;
  auto type = llvm::cast<RankedTensorType>(operand.getType());
  SmallVector<int64_t> shape, sorted(axes);
  llvm::sort(sorted);
  for (int64_t d = 0; d < type.getRank(); ++d)
    if (!llvm::is_contained(sorted, d))
      shape.push_back(type.getDimSize(d));
  return create<ReduceSumOp>(type.clone(shape), operand, sorted);
}

Value Vjp::convert(Value operand, Type elementType) {
  auto type = llvm::cast<RankedTensorType>(operand.getType());
  if (type.getElementType() == elementType)
    return operand;
  return create<ConvertElementTypeOp>(type.clone(elementType), operand);
}

Value Vjp::pad(Value operand, double value, ArrayRef<OpFoldResult> low, ArrayRef<OpFoldResult> high,
               ArrayRef<int64_t> interior) {
  auto type = llvm::cast<RankedTensorType>(operand.getType());
  SmallVector<int64_t> shape;
  bool nothing = true;
  for (int64_t d = 0; d < type.getRank(); ++d) {
    auto lo = getConstantIntValue(low[d]), hi = getConstantIntValue(high[d]);
    int64_t size = type.getDimSize(d);
    nothing &= lo == 0 && hi == 0 && interior[d] == 0;
    if (lo && hi && !ShapedType::isDynamic(size))
      shape.push_back(*lo + *hi + (size ? size + (size - 1) * interior[d] : 0));
    else if (lo == 0 && hi == 0 && interior[d] == 0)
      shape.push_back(size);
    else
      shape.push_back(ShapedType::kDynamic);
  }
  if (nothing)
    return operand;
  Value scalar = constant(RankedTensorType::get({}, type.getElementType()), value);
  return create<PadOp>(type.clone(shape), operand, scalar, dynamic(low), dynamic(high), statics(low), statics(high),
                       interior);
}

Value Vjp::slice(Value operand, ArrayRef<OpFoldResult> starts, ArrayRef<OpFoldResult> limits,
                 ArrayRef<int64_t> strides) {
  auto type = llvm::cast<RankedTensorType>(operand.getType());
  SmallVector<int64_t> shape;
  bool whole = true;
  for (int64_t d = 0; d < type.getRank(); ++d) {
    auto start = getConstantIntValue(starts[d]), limit = getConstantIntValue(limits[d]);
    shape.push_back(start && limit ? llvm::divideCeil(*limit - *start, strides[d]) : ShapedType::kDynamic);
    whole &= start == 0 && limit == type.getDimSize(d) && strides[d] == 1;
  }
  if (whole)
    return operand;
  return create<SliceOp>(type.clone(shape), operand, dynamic(starts), dynamic(limits), statics(starts), statics(limits),
                         strides);
}
