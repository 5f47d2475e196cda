//===- LaxConstantFolding.h - Constants of lax ops --------------*- C++ -*-===//
//
// Private to the implementation of the dialect.
//
//===----------------------------------------------------------------------===//

#ifndef LAX_IR_LAXCONSTANTFOLDING_H
#define LAX_IR_LAXCONSTANTFOLDING_H

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"

#include <optional>
#include <variant>

namespace mlir::lax::detail {

/// An element of a constant: an integer or bool, or a float.
using Scalar = std::variant<APInt, APFloat>;

using UnaryFn = llvm::function_ref<std::optional<Scalar>(const Scalar &)>;
using BinaryFn = llvm::function_ref<std::optional<Scalar>(const Scalar &, const Scalar &)>;

/// Computes a constant of type `result` element by element. Null unless the operands are constants that are splats or
/// small, and `fn` has a value for all of their elements.
Attribute foldUnary(Attribute operand, Type result, UnaryFn fn);
Attribute foldBinary(Attribute lhs, Attribute rhs, Type result, BinaryFn fn);

/// The element that a constant repeats.
std::optional<Scalar> getSplat(Attribute constant);

/// Whether a constant repeats the integer or float `value`; a float zero of either sign is not told apart.
bool isSplatOf(Attribute constant, int64_t value);
/// Whether a constant is zero throughout and, if of floats, not negative zero.
bool isPositiveZero(Attribute constant);

/// The constant of a static type that repeats an integer; null if the type is dynamic or complex.
Attribute makeSplat(Type type, int64_t value);
/// The constant of a static type that repeats an element.
Attribute makeSplat(Type type, const Scalar &value);

/// `lax.convert_element_type` of one element.
std::optional<Scalar> convertScalar(const Scalar &value, Type from, Type to);

/// Whether elements of the type are integers that are read as unsigned: bools and `uiN`.
bool isUnsignedElement(Type type);

} // namespace mlir::lax::detail

#endif // LAX_IR_LAXCONSTANTFOLDING_H
