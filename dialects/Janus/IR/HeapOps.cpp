//===- HeapOps.cpp - Folding and verification of reads --------------------===//

#include "Janus/IR/JanusOps.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"

using namespace mlir;
using namespace mlir::janus;

LogicalResult GetAttrOp::verify() {
  if (getName().empty())
    return emitOpError() << "needs the name of an attribute";
  return success();
}

/// Whether the two are known to be the same object (true) or different ones (false).
static std::optional<bool> areSame(Value lhs, Value rhs) {
  if (lhs == rhs)
    return true;
  auto isNull = [](Value value) { return bool(value.getDefiningOp<NullOp>()); };
  auto a = lhs.getDefiningOp<ObjectOp>(), b = rhs.getDefiningOp<ObjectOp>();
  if (a && b)
    return a.getEntry() == b.getEntry();
  if ((a && isNull(rhs)) || (b && isNull(lhs)))
    return false;
  if (isNull(lhs) && isNull(rhs))
    return true;
  return std::nullopt;
}

OpFoldResult IsOp::fold(FoldAdaptor) {
  if (std::optional<bool> same = areSame(getLhs(), getRhs()))
    return BoolAttr::get(getContext(), *same);
  return {};
}

OpFoldResult IsNullOp::fold(FoldAdaptor) {
  if (getObject().getDefiningOp<ObjectOp>())
    return BoolAttr::get(getContext(), false);
  if (getObject().getDefiningOp<NullOp>())
    return BoolAttr::get(getContext(), true);
  return {};
}

OpFoldResult EqualsOp::fold(FoldAdaptor) {
  // That an object equals itself holds for strings only, and only constants are known to be used as such.
  auto a = getLhs().getDefiningOp<ObjectOp>(), b = getRhs().getDefiningOp<ObjectOp>();
  if (a && b && a.getEntry() == b.getEntry())
    return BoolAttr::get(getContext(), true);
  return {};
}

OpFoldResult AddressOp::fold(FoldAdaptor) {
  auto at = getObject().getDefiningOp<ObjectAtOp>();
  return at ? at.getAddress() : nullptr;
}

OpFoldResult ObjectAtOp::fold(FoldAdaptor) {
  auto of = getAddress().getDefiningOp<AddressOp>();
  return of ? of.getObject() : nullptr;
}

LogicalResult InvokeOp::verify() {
  constexpr size_t kMostArguments = 3;
  if (getArguments().size() > kMostArguments)
    return emitOpError() << "has " << getArguments().size() << " arguments, of " << kMostArguments << " at most";
  return success();
}

LogicalResult CallIndirectOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto profile = (*this)->getAttrOfType<CalleeAttr>(kProfileAttr);
  if (!profile)
    return success();
  auto function = symbols.lookupNearestSymbolFrom<FunctionOpInterface>(*this, profile.getFunction());
  if (!function)
    return emitOpError() << "has called " << profile.getFunction() << ", which is no function of this module";
  auto called = FunctionType::get(getContext(), getArguments().getTypes(), getResultTypes());
  if (function.getFunctionType() != called)
    return emitOpError() << "of type " << called << " has called " << profile.getFunction() << " of type "
                         << function.getFunctionType();
  return success();
}

LogicalResult UnboxOp::verify() {
  auto shaped = dyn_cast<ShapedType>(getValue().getType());
  if (bool(shaped) == (getKind() == BoxKind::Number))
    return emitOpError() << "of kind '" << stringifyBoxKind(getKind()) << "' does not give " << getValue().getType();
  if (!shaped)
    return success();
  if (static_cast<int32_t>(getDtype()) < 0)
    return emitOpError() << "of an array needs its dtype";
  if (getKind() == BoxKind::NumPyScalar && shaped.getRank() != 0)
    return emitOpError() << "of a NumPy scalar has rank 0, but got " << shaped;
  return success();
}
