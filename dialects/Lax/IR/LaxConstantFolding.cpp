//===- LaxConstantFolding.cpp - Constants of lax ops ----------------------===//

#include "Lax/IR/LaxConstantFolding.h"

#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace mlir::lax::detail;

/// Constants with more elements than this are computed at run time unless they are splats.
static constexpr int64_t kMaxFoldedElements = 64;

/// Ints and floats; null for all else.
static DenseElementsAttr asConstant(Attribute attr) {
  auto elements = dyn_cast_or_null<DenseIntOrFPElementsAttr>(attr);
  return elements && elements.getElementType().isIntOrFloat() ? DenseElementsAttr(elements) : DenseElementsAttr();
}

static SmallVector<Scalar> getElements(DenseElementsAttr constant, bool splat) {
  SmallVector<Scalar> result;
  if (isa<FloatType>(constant.getElementType())) {
    if (splat)
      return {constant.getSplatValue<APFloat>()};
    for (APFloat value : constant.getValues<APFloat>())
      result.push_back(value);
  } else {
    if (splat)
      return {constant.getSplatValue<APInt>()};
    for (APInt value : constant.getValues<APInt>())
      result.push_back(value);
  }
  return result;
}

/// A constant from its elements, or from one that is repeated.
static Attribute fromElements(Type type, ArrayRef<Scalar> elements) {
  auto shaped = cast<ShapedType>(type);
  if (isa<FloatType>(shaped.getElementType())) {
    SmallVector<APFloat> values;
    for (const Scalar &element : elements)
      values.push_back(std::get<APFloat>(element));
    return DenseElementsAttr::get(shaped, values);
  }
  SmallVector<APInt> values;
  for (const Scalar &element : elements)
    values.push_back(std::get<APInt>(element));
  return DenseElementsAttr::get(shaped, values);
}

static bool isFoldable(Type type) {
  auto shaped = cast<ShapedType>(type);
  return shaped.hasStaticShape() && shaped.getElementType().isIntOrFloat();
}

Attribute mlir::lax::detail::foldUnary(Attribute operand, Type result, UnaryFn fn) {
  DenseElementsAttr constant = asConstant(operand);
  if (!constant || !isFoldable(result) || constant.getNumElements() == 0 ||
      (!constant.isSplat() && constant.getNumElements() > kMaxFoldedElements))
    return {};
  SmallVector<Scalar> elements = getElements(constant, constant.isSplat());
  for (Scalar &element : elements) {
    std::optional<Scalar> value = fn(element);
    if (!value)
      return {};
    element = *value;
  }
  return fromElements(result, elements);
}

Attribute mlir::lax::detail::foldBinary(Attribute lhs, Attribute rhs, Type result, BinaryFn fn) {
  DenseElementsAttr left = asConstant(lhs), right = asConstant(rhs);
  if (!left || !right || !isFoldable(result) || left.getNumElements() == 0)
    return {};
  bool splat = left.isSplat() && right.isSplat();
  if (!splat && left.getNumElements() > kMaxFoldedElements)
    return {};
  SmallVector<Scalar> elements;
  for (auto [a, b] : llvm::zip_equal(getElements(left, splat), getElements(right, splat))) {
    std::optional<Scalar> value = fn(a, b);
    if (!value)
      return {};
    elements.push_back(*value);
  }
  return fromElements(result, elements);
}

std::optional<Scalar> mlir::lax::detail::getSplat(Attribute attr) {
  DenseElementsAttr constant = asConstant(attr);
  if (!constant || !constant.isSplat())
    return std::nullopt;
  return getElements(constant, /*splat=*/true).front();
}

bool mlir::lax::detail::isSplatOf(Attribute attr, int64_t value) {
  std::optional<Scalar> splat = getSplat(attr);
  if (!splat)
    return false;
  if (const auto *real = std::get_if<APFloat>(&*splat)) {
    APFloat expected(real->getSemantics());
    expected.convertFromAPInt(APInt(64, value, /*isSigned=*/true), /*IsSigned=*/true, APFloat::rmNearestTiesToEven);
    return *real == expected;
  }
  const APInt &integer = std::get<APInt>(*splat);
  return integer == APInt(64, value, /*isSigned=*/true).sextOrTrunc(integer.getBitWidth());
}

bool mlir::lax::detail::isPositiveZero(Attribute attr) {
  std::optional<Scalar> splat = getSplat(attr);
  if (!splat)
    return false;
  if (const auto *real = std::get_if<APFloat>(&*splat))
    return real->isPosZero();
  return std::get<APInt>(*splat).isZero();
}

Attribute mlir::lax::detail::makeSplat(Type type, int64_t value) {
  if (!isFoldable(type))
    return {};
  Type element = getElementTypeOrSelf(type);
  APInt integer(64, value, /*isSigned=*/true);
  if (auto floatType = dyn_cast<FloatType>(element)) {
    APFloat real(floatType.getFloatSemantics());
    real.convertFromAPInt(integer, /*IsSigned=*/true, APFloat::rmNearestTiesToEven);
    return fromElements(type, Scalar(real));
  }
  return fromElements(type, Scalar(integer.sextOrTrunc(element.getIntOrFloatBitWidth())));
}

Attribute mlir::lax::detail::makeSplat(Type type, const Scalar &value) {
  return isFoldable(type) ? fromElements(type, value) : Attribute();
}

bool mlir::lax::detail::isUnsignedElement(Type type) {
  Type element = getElementTypeOrSelf(type);
  return element.isUnsignedInteger() || element.isInteger(1);
}

std::optional<Scalar> mlir::lax::detail::convertScalar(const Scalar &value, Type from, Type to) {
  if (to.isInteger(1)) {
    if (const auto *real = std::get_if<APFloat>(&value))
      return Scalar(APInt(1, !real->isZero()));
    return Scalar(APInt(1, !std::get<APInt>(value).isZero()));
  }
  if (auto floatType = dyn_cast<FloatType>(to)) {
    if (const auto *integer = std::get_if<APInt>(&value)) {
      APFloat real(floatType.getFloatSemantics());
      real.convertFromAPInt(*integer, !isUnsignedElement(from), APFloat::rmNearestTiesToEven);
      return Scalar(real);
    }
    APFloat real = std::get<APFloat>(value);
    bool losesInfo;
    real.convert(floatType.getFloatSemantics(), APFloat::rmNearestTiesToEven, &losesInfo);
    return Scalar(real);
  }
  if (!to.isInteger())
    return std::nullopt;
  unsigned width = to.getIntOrFloatBitWidth();
  if (const auto *integer = std::get_if<APInt>(&value))
    return Scalar(isUnsignedElement(from) ? integer->zextOrTrunc(width) : integer->sextOrTrunc(width));
  // APFloat's conversion saturates, and makes NaN zero.
  APSInt integer(width, isUnsignedElement(to));
  bool isExact;
  (void)std::get<APFloat>(value).convertToInteger(integer, APFloat::rmTowardZero, &isExact);
  return Scalar(APInt(integer));
}
