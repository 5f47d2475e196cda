//===- LaxElementwiseOps.td - Ops that act on each element alone ----------===//

#ifndef LAX_ELEMENTWISE_OPS
#define LAX_ELEMENTWISE_OPS

include "Lax/IR/LaxBase.td"

//===----------------------------------------------------------------------===//
// Base classes
//===----------------------------------------------------------------------===//

/// One operand, and a result of its type.
class Lax_UnaryOp<string mnemonic, string text, TypeConstraint tensor, string semantics,
                  list<Trait> traits = [], string exampleType = "tensor<8xf32>", string primitive = mnemonic>
    : Lax_Op<mnemonic, !listconcat([Lax_Elementwise, AllTypesMatch<["operand", "result"]>], traits)> {
  let summary = text;
  let description = semantics # "\n\n```mlir\n%1 = lax." # mnemonic # " %0 : " # exampleType # "\n```"
                    # Lax_Doc<primitive>.link;
  let arguments = (ins tensor:$operand);
  let results = (outs tensor:$result);
  let assemblyFormat = "$operand attr-dict `:` type($result)";
}

/// Two operands, and a result of their type.
class Lax_BinaryOp<string mnemonic, string text, TypeConstraint tensor, string semantics,
                   list<Trait> traits = [], string exampleType = "tensor<8xf32>", string primitive = mnemonic>
    : Lax_Op<mnemonic, !listconcat([Lax_Elementwise, AllTypesMatch<["lhs", "rhs", "result"]>], traits)> {
  let summary = text;
  let description = semantics # "\n\n```mlir\n%2 = lax." # mnemonic # " %0, %1 : " # exampleType # "\n```"
                    # Lax_Doc<primitive>.link;
  let arguments = (ins tensor:$lhs, tensor:$rhs);
  let results = (outs tensor:$result);
  let assemblyFormat = "$lhs `,` $rhs attr-dict `:` type($result)";
}

/// Two operands of one type, and a bool for each pair of elements.
class Lax_ComparisonOp<string mnemonic, string text, TypeConstraint tensor, string semantics,
                       list<Trait> traits = []>
    : Lax_Op<mnemonic, !listconcat([Lax_Elementwise, Lax_NotDifferentiable, AllTypesMatch<["lhs", "rhs"]>,
                                    Lax_SameShapeAs<"lhs", "result", "::mlir::IntegerType::get($_ctxt, 1)">],
                                   traits)> {
  let summary = text;
  let description = semantics # "\n\n```mlir\n%2 = lax." # mnemonic # " %0, %1 : tensor<8xf32>  "
                    # "// %2 : tensor<8xi1>\n```" # Lax_Doc<mnemonic>.link;
  let arguments = (ins tensor:$lhs, tensor:$rhs);
  let results = (outs Lax_BoolTensor:$result);
  let assemblyFormat = "$lhs `,` $rhs attr-dict `:` type($lhs)";
  let hasFolder = 1;
}

//===----------------------------------------------------------------------===//
// Unary: sign, rounding, classification
//===----------------------------------------------------------------------===//

let hasFolder = 1 in {
def Lax_NegOp : Lax_UnaryOp<"neg", "Negation", Lax_NumberTensor,
    "Flips the sign; integers wrap, so the least signed value is its own negation.", [Lax_Vjp<["-$g"]>]>;

def Lax_AbsOp : Lax_UnaryOp<"abs", "Absolute value", Lax_RealTensor,
    "Clears the sign; the least signed integer is its own absolute value.", [Lax_Vjp<["select(lt($x, constantLike($x, 0)), -$g, $g)"]>]>;

def Lax_SignOp : Lax_UnaryOp<"sign", "Sign", Lax_RealTensor,
    "-1, 0 or 1 by the sign of the element; a float zero keeps its sign, and NaN stays NaN.",
    [Lax_NotDifferentiable]>;

def Lax_FloorOp : Lax_UnaryOp<"floor", "Greatest integer not above", Lax_FloatTensor,
    "Rounds towards negative infinity.", [Lax_NotDifferentiable]>;

def Lax_CeilOp : Lax_UnaryOp<"ceil", "Least integer not below", Lax_FloatTensor,
    "Rounds towards positive infinity.", [Lax_NotDifferentiable]>;
} // hasFolder

def Lax_RoundOp : Lax_Op<"round", [Lax_Elementwise, Lax_NotDifferentiable, AllTypesMatch<["operand", "result"]>]> {
  let summary = "Nearest integer";
  let description = [{
    Rounds to the nearest integer. `rounding_method` says where halves go: `away_from_zero` or `to_nearest_even`.

    ```mlir
    %1 = lax.round %0 "to_nearest_even" : tensor<8xf32>
    ```
  }] # Lax_Doc<"round">.link;
  let arguments = (ins Lax_FloatTensor:$operand, Lax_RoundingMethod:$rounding_method);
  let results = (outs Lax_FloatTensor:$result);
  let assemblyFormat = "$operand $rounding_method attr-dict `:` type($result)";
  let hasFolder = 1;
}

def Lax_IsFiniteOp : Lax_Op<"is_finite", [
    Lax_Elementwise, Lax_NotDifferentiable,
    Lax_SameShapeAs<"operand", "result", "::mlir::IntegerType::get($_ctxt, 1)">]> {
  let summary = "Neither infinite nor NaN";
  let description = [{
    True where the element is neither an infinity nor NaN.

    ```mlir
    %1 = lax.is_finite %0 : tensor<8xf32>  // %1 : tensor<8xi1>
    ```
  }] # Lax_Doc<"is_finite">.link;
  let arguments = (ins Lax_FloatTensor:$operand);
  let results = (outs Lax_BoolTensor:$result);
  let assemblyFormat = "$operand attr-dict `:` type($operand)";
  let hasFolder = 1;
}

//===----------------------------------------------------------------------===//
// Unary: exponentials, logarithms, powers, roots
//===----------------------------------------------------------------------===//

def Lax_ExpOp : Lax_UnaryOp<"exp", "Exponential", Lax_FloatTensor, "e to the power of the element.",
    [Lax_Vjp<["$g * $r"]>]>;
def Lax_Exp2Op : Lax_UnaryOp<"exp2", "Power of two", Lax_FloatTensor, "2 to the power of the element.",
    [Lax_Vjp<["$g * ($r * 0.69314718055994530942)"]>]>;
def Lax_Expm1Op : Lax_UnaryOp<"expm1", "exp(x) - 1", Lax_FloatTensor,
    "`exp(x) - 1`, accurate near zero.", [Lax_Vjp<["$g * ($r + 1)"]>]>;
def Lax_LogOp : Lax_UnaryOp<"log", "Natural logarithm", Lax_FloatTensor,
    "Natural logarithm: -inf at zero, NaN below.", [Lax_Vjp<["$g / $x"]>]>;
def Lax_Log1pOp : Lax_UnaryOp<"log1p", "log(1 + x)", Lax_FloatTensor, "`log(1 + x)`, accurate near zero.",
    [Lax_Vjp<["$g / ($x + 1)"]>]>;
def Lax_SqrtOp : Lax_UnaryOp<"sqrt", "Square root", Lax_FloatTensor, "Square root: NaN below zero.",
    [Lax_Vjp<["$g * (0.5 / $r)"]>]> {
  let hasFolder = 1;
}
def Lax_RsqrtOp : Lax_UnaryOp<"rsqrt", "Reciprocal square root", Lax_FloatTensor,
    "`1 / sqrt(x)`: an infinity at zero, NaN below.", [Lax_Vjp<["$g * (-0.5 * ($r / $x))"]>]>;
def Lax_CbrtOp : Lax_UnaryOp<"cbrt", "Cube root", Lax_FloatTensor, "Cube root, with the sign of the element.",
    [Lax_Vjp<["$g * ((1.0 / 3.0) * ($r / $x))"]>]>;
def Lax_SquareOp : Lax_UnaryOp<"square", "Square", Lax_NumberTensor, "The element times itself.",
    [Lax_Vjp<["$g * (2 * $x)"]>]> {
  let hasFolder = 1;
}

def Lax_IntegerPowOp : Lax_Op<"integer_pow", [Lax_Elementwise, Lax_Differentiable,
    AllTypesMatch<["operand", "result"]>]> {
  let summary = "Power with a constant integer exponent";
  let description = [{
    The element to the power of the constant `y`, by repeated multiplication. `y` may be negative for floats only:
    the result is then the reciprocal of the positive power. `x` to the power of 0 is 1, NaN included.

    ```mlir
    %1 = lax.integer_pow %0 y = 3 : tensor<8xf32>
    ```
  }] # Lax_Doc<"integer_pow">.link;
  let arguments = (ins Lax_NumberTensor:$operand, I64Attr:$y);
  let results = (outs Lax_NumberTensor:$result);
  let assemblyFormat = "$operand `y` `=` $y attr-dict `:` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

//===----------------------------------------------------------------------===//
// Unary: trigonometric and hyperbolic
//===----------------------------------------------------------------------===//

def Lax_SinOp : Lax_UnaryOp<"sin", "Sine", Lax_FloatTensor, "Sine of an angle in radians.",
    [Lax_Vjp<["$g * cos($x)"]>]>;
def Lax_CosOp : Lax_UnaryOp<"cos", "Cosine", Lax_FloatTensor, "Cosine of an angle in radians.",
    [Lax_Vjp<["-($g * sin($x))"]>]>;
def Lax_TanOp : Lax_UnaryOp<"tan", "Tangent", Lax_FloatTensor, "Tangent of an angle in radians.",
    [Lax_Vjp<["$g * (1 + $r * $r)"]>]>;
def Lax_AsinOp : Lax_UnaryOp<"asin", "Inverse sine", Lax_FloatTensor, "Inverse sine: NaN outside [-1, 1].",
    [Lax_Vjp<["$g * rsqrt(1 - $x * $x)"]>]>;
def Lax_AcosOp : Lax_UnaryOp<"acos", "Inverse cosine", Lax_FloatTensor, "Inverse cosine: NaN outside [-1, 1].",
    [Lax_Vjp<["-($g * rsqrt(1 - $x * $x))"]>]>;
def Lax_AtanOp : Lax_UnaryOp<"atan", "Inverse tangent", Lax_FloatTensor, "Inverse tangent, in [-pi/2, pi/2].",
    [Lax_Vjp<["$g / (1 + $x * $x)"]>]>;
def Lax_SinhOp : Lax_UnaryOp<"sinh", "Hyperbolic sine", Lax_FloatTensor, "`(exp(x) - exp(-x)) / 2`.",
    [Lax_Vjp<["$g * cosh($x)"]>]>;
def Lax_CoshOp : Lax_UnaryOp<"cosh", "Hyperbolic cosine", Lax_FloatTensor, "`(exp(x) + exp(-x)) / 2`.",
    [Lax_Vjp<["$g * sinh($x)"]>]>;
def Lax_TanhOp : Lax_UnaryOp<"tanh", "Hyperbolic tangent", Lax_FloatTensor, "`sinh(x) / cosh(x)`, in [-1, 1].",
    [Lax_Vjp<["($g + $g * $r) * (1 - $r)"]>]>;
def Lax_AsinhOp : Lax_UnaryOp<"asinh", "Inverse hyperbolic sine", Lax_FloatTensor, "Inverse of `sinh`.",
    [Lax_Vjp<["$g * rsqrt($x * $x + 1)"]>]>;
def Lax_AcoshOp : Lax_UnaryOp<"acosh", "Inverse hyperbolic cosine", Lax_FloatTensor,
    "Inverse of `cosh`: NaN below 1.", [Lax_Vjp<["$g * rsqrt(($x - 1) * ($x + 1))"]>]>;
def Lax_AtanhOp : Lax_UnaryOp<"atanh", "Inverse hyperbolic tangent", Lax_FloatTensor,
    "Inverse of `tanh`: infinities at -1 and 1, NaN beyond.", [Lax_Vjp<["(1 / (1 + $x)) * ($g / (1 - $x))"]>]>;

//===----------------------------------------------------------------------===//
// Unary: special functions
//===----------------------------------------------------------------------===//

def Lax_LogisticOp : Lax_UnaryOp<"logistic", "Logistic sigmoid", Lax_FloatTensor, "`1 / (1 + exp(-x))`.",
    [Lax_Vjp<["$g * ($r * (1 - $r))"]>]>;
def Lax_ErfOp : Lax_UnaryOp<"erf", "Error function", Lax_FloatTensor,
    "`2 / sqrt(pi)` times the integral of `exp(-t * t)` from 0 to x.",
    [Lax_Vjp<["$g * (1.12837916709551257390 * exp(-($x * $x)))"]>]>;
def Lax_ErfcOp : Lax_UnaryOp<"erfc", "Complementary error function", Lax_FloatTensor,
    "`1 - erf(x)`, accurate for large x.", [Lax_Vjp<["-($g * (1.12837916709551257390 * exp(-($x * $x))))"]>]>;
def Lax_ErfInvOp : Lax_UnaryOp<"erf_inv", "Inverse error function", Lax_FloatTensor,
    "Inverse of `erf`: infinities at -1 and 1, NaN beyond.",
    [Lax_Vjp<["$g * (0.88622692545275801365 * exp($r * $r))"]>]>;
def Lax_LgammaOp : Lax_UnaryOp<"lgamma", "Logarithm of the absolute gamma function", Lax_FloatTensor,
    "`log(abs(gamma(x)))`: infinity at the poles 0, -1, -2, ....", [Lax_Vjp<["$g * digamma($x)"]>]>;
def Lax_DigammaOp : Lax_UnaryOp<"digamma", "Digamma function", Lax_FloatTensor,
    "Derivative of `lgamma`: NaN at the poles 0, -1, -2, ....", [Lax_Vjp<["$g * trigamma($x)"]>]>;

//===----------------------------------------------------------------------===//
// Unary: bits and bools
//===----------------------------------------------------------------------===//

def Lax_NotOp : Lax_UnaryOp<"not", "Complement", Lax_BoolOrIntTensor,
    "Logical negation of bools, complement of the bits of integers.", [Lax_NotDifferentiable], "tensor<8xi1>",
    "bitwise_not"> {
  let hasFolder = 1;
}
def Lax_PopulationCountOp : Lax_UnaryOp<"population_count", "Number of set bits", Lax_IntTensor,
    "How many bits of the element are set.", [Lax_NotDifferentiable], "tensor<8xi32>">;
def Lax_ClzOp : Lax_UnaryOp<"clz", "Number of leading zero bits", Lax_IntTensor,
    "How many bits above the highest set bit are zero; the bit width for zero.", [Lax_NotDifferentiable],
    "tensor<8xi32>">;

//===----------------------------------------------------------------------===//
// Unary: conversions and markers
//===----------------------------------------------------------------------===//

def Lax_ConvertElementTypeOp : Lax_Op<"convert_element_type", [
    Lax_Elementwise, Lax_Differentiable, AllShapesMatch<["operand", "result"]>]> {
  let summary = "Conversion by value";
  let description = [{
    Converts each element to the element type of the result (`new_dtype`).

    - To bool: true where the element is not zero (NaN is true).
    - From bool: 0 or 1.
    - Integer to integer: wraps to the width of the result.
    - Integer to float, float to float: rounds to nearest, ties to even.
    - Float to integer: truncates towards zero; what lies outside becomes the nearest value of the type, and NaN 0.
    - Complex to real drops the imaginary part.

    ```mlir
    %1 = lax.convert_element_type %0 : tensor<8xf32> -> tensor<8xi32>
    ```
  }] # Lax_Doc<"convert_element_type">.link;
  let arguments = (ins Lax_AnyTensor:$operand);
  let results = (outs Lax_AnyTensor:$result);
  let assemblyFormat = "$operand attr-dict `:` type($operand) `->` type($result)";
  let hasFolder = 1;
}

def Lax_BitcastConvertTypeOp : Lax_Op<"bitcast_convert_type", [Lax_NotDifferentiable]> {
  let summary = "Conversion by bit pattern";
  let description = [{
    Reads the bits of each element as the element type of the result (`new_dtype`). Types of equal width keep the
    shape. To a type k times narrower, a new minor dim of size k appears, least significant part first; to a
    type k times wider, the minor dim, whose size must be k, vanishes.

    ```mlir
    %1 = lax.bitcast_convert_type %0 : tensor<8xf32> -> tensor<8xui32>
    %2 = lax.bitcast_convert_type %0 : tensor<8xf32> -> tensor<8x4xui8>
    ```
  }] # Lax_Doc<"bitcast_convert_type">.link;
  let arguments = (ins Lax_AnyTensor:$operand);
  let results = (outs Lax_AnyTensor:$result);
  let assemblyFormat = "$operand attr-dict `:` type($operand) `->` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Lax_ReducePrecisionOp : Lax_Op<"reduce_precision", [Lax_Elementwise, Lax_Differentiable,
    AllTypesMatch<["operand", "result"]>]> {
  let summary = "Rounding to a narrower float format";
  let description = [{
    Rounds to the values of a float format with the given numbers of exponent and mantissa bits, in the type of the
    operand. What overflows the format becomes an infinity.

    ```mlir
    %1 = lax.reduce_precision %0 exponent_bits = 8 mantissa_bits = 7 : tensor<8xf32>
    ```
  }] # Lax_Doc<"reduce_precision">.link;
  let arguments = (ins Lax_FloatTensor:$operand, I64Attr:$exponent_bits, I64Attr:$mantissa_bits);
  let results = (outs Lax_FloatTensor:$result);
  let assemblyFormat = [{
    $operand `exponent_bits` `=` $exponent_bits `mantissa_bits` `=` $mantissa_bits attr-dict `:` type($result)
  }];
  let hasVerifier = 1;
}

def Lax_CopyOp : Lax_UnaryOp<"copy", "Copy", Lax_AnyTensor,
    "The operand. (Tensors are values, so a copy is nothing.)", [Lax_Vjp<["$g"]>], "tensor<8xf32>", "copy_p"> {
  let hasFolder = 1;
}

def Lax_StopGradientOp : Lax_UnaryOp<"stop_gradient", "Barrier to differentiation", Lax_AnyTensor,
    "The operand; its derivative is zero.", [Lax_NotDifferentiable]>;

//===----------------------------------------------------------------------===//
// Complex numbers
//===----------------------------------------------------------------------===//

class Lax_ComplexPartOp<string mnemonic, string text, string semantics>
    : Lax_Op<mnemonic, [Lax_Elementwise, Lax_Differentiable, Lax_SameShapeAs<"operand", "result",
        "::llvm::cast<::mlir::ComplexType>(::mlir::getElementTypeOrSelf($_self)).getElementType()">]> {
  let summary = text;
  let description = semantics # "\n\n```mlir\n%1 = lax." # mnemonic # " %0 : tensor<8xcomplex<f32>>"
                    # "  // %1 : tensor<8xf32>\n```" # Lax_Doc<mnemonic>.link;
  let arguments = (ins Lax_ComplexTensor:$operand);
  let results = (outs Lax_FloatTensor:$result);
  let assemblyFormat = "$operand attr-dict `:` type($operand)";
}

def Lax_RealOp : Lax_ComplexPartOp<"real", "Real part", "The real part of each element.">;
def Lax_ImagOp : Lax_ComplexPartOp<"imag", "Imaginary part", "The imaginary part of each element.">;
def Lax_ConjOp : Lax_UnaryOp<"conj", "Complex conjugate", Lax_ComplexTensor,
    "Each element with its imaginary part negated.", [Lax_Vjp<["conj($g)"]>], "tensor<8xcomplex<f32>>">;

def Lax_ComplexOp : Lax_Op<"complex", [
    Lax_Elementwise, Lax_Differentiable, AllTypesMatch<["lhs", "rhs"]>,
    Lax_SameShapeAs<"lhs", "result", "::mlir::ComplexType::get(::mlir::getElementTypeOrSelf($_self))">]> {
  let summary = "Complex number from its parts";
  let description = [{
    The complex number with real part `lhs` and imaginary part `rhs`.

    ```mlir
    %2 = lax.complex %0, %1 : tensor<8xf32>  // %2 : tensor<8xcomplex<f32>>
    ```
  }] # Lax_Doc<"complex">.link;
  let arguments = (ins RankedTensorOf<[F32, F64]>:$lhs, RankedTensorOf<[F32, F64]>:$rhs);
  let results = (outs Lax_ComplexTensor:$result);
  let assemblyFormat = "$lhs `,` $rhs attr-dict `:` type($lhs)";
}

//===----------------------------------------------------------------------===//
// Binary: arithmetic
//===----------------------------------------------------------------------===//

let hasFolder = 1 in {
def Lax_AddOp : Lax_BinaryOp<"add", "Sum", Lax_NumberTensor, "`lhs + rhs`; integers wrap.",
    [Commutative, Lax_Vjp<["$g", "$g"]>]>;
def Lax_SubOp : Lax_BinaryOp<"sub", "Difference", Lax_NumberTensor, "`lhs - rhs`; integers wrap.",
    [Lax_Vjp<["$g", "-$g"]>]>;
def Lax_MulOp : Lax_BinaryOp<"mul", "Product", Lax_NumberTensor, "`lhs * rhs`; integers wrap.",
    [Commutative, Lax_Vjp<["$g * $y", "$g * $x"]>]>;
def Lax_DivOp : Lax_BinaryOp<"div", "Quotient", Lax_NumberTensor,
    "`lhs / rhs`. Integers truncate towards zero; an integer divided by zero gives -1 (all bits set), and the least "
    "signed value divided by -1 is itself.", [Lax_Vjp<["$g / $y", "(-$g * $x) * integerPow($y, -2)"]>]>;
def Lax_RemOp : Lax_BinaryOp<"rem", "Remainder", Lax_RealTensor,
    "`lhs - rhs * trunc(lhs / rhs)`: the remainder with the sign of `lhs`, exact for floats (C's `fmod`). For "
    "integers, the remainder by zero is `lhs`, and that of the least signed value by -1 is 0.",
    [Lax_Vjp<["$g", "-$g * (sign($x / $y) * floor(abs($x / $y)))"]>]>;
def Lax_MaxOp : Lax_BinaryOp<"max", "Greater of two", Lax_OrderedTensor,
    "The greater element; NaN if either is NaN; 0.0 is above -0.0.",
    [Commutative, Lax_Vjp<["$g * share($x, $r, $y)", "$g * share($y, $r, $x)"]>]>;
def Lax_MinOp : Lax_BinaryOp<"min", "Lesser of two", Lax_OrderedTensor,
    "The lesser element; NaN if either is NaN; -0.0 is below 0.0.",
    [Commutative, Lax_Vjp<["$g * share($x, $r, $y)", "$g * share($y, $r, $x)"]>]>;
} // hasFolder

def Lax_AddAnyOp : Lax_BinaryOp<"add_any", "Sum of cotangents", Lax_NumberTensor,
    "`lhs + rhs`, as the transposition of a program emits it. Canonicalises to `lax.add`.",
    [Commutative, Lax_Vjp<["$g", "$g"]>],
    "tensor<8xf32>", "add_any_p"> {
  let hasCanonicalizeMethod = 1;
}

def Lax_MulhiOp : Lax_BinaryOp<"mulhi", "High half of a product", Lax_IntTensor,
    "The upper half of the double-width product.", [Commutative, Lax_NotDifferentiable], "tensor<8xui32>">;

def Lax_PowOp : Lax_Op<"pow", [
    Lax_Elementwise, Lax_Differentiable, AllTypesMatch<["lhs", "result"]>, AllShapesMatch<["lhs", "rhs", "result"]>]> {
  let summary = "Power";
  let description = [{
    `lhs` to the power of `rhs`. The exponent is a float of the same type, or an integer. Anything to the power of
    zero is 1, and so is 1 to any power.

    ```mlir
    %2 = lax.pow %0, %1 : tensor<8xf32>, tensor<8xf32>
    %3 = lax.pow %0, %n : tensor<8xf32>, tensor<8xi32>
    ```
  }] # Lax_Doc<"pow">.link;
  let arguments = (ins Lax_RealTensor:$lhs, Lax_RealTensor:$rhs);
  let results = (outs Lax_RealTensor:$result);
  let assemblyFormat = "$lhs `,` $rhs attr-dict `:` type($lhs) `,` type($rhs)";
  let hasVerifier = 1;
}

def Lax_Atan2Op : Lax_BinaryOp<"atan2", "Angle of a point", Lax_FloatTensor,
    "The angle of the point (`rhs`, `lhs`), in [-pi, pi].",
    [Lax_Vjp<["$g * ($y / ($x * $x + $y * $y))", "$g * (-$x / ($x * $x + $y * $y))"]>]>;
def Lax_NextafterOp : Lax_BinaryOp<"nextafter", "Neighbouring float", Lax_FloatTensor,
    "The next representable value after `lhs` in the direction of `rhs`.", [Lax_NotDifferentiable]>;

//===----------------------------------------------------------------------===//
// Binary: bits and bools
//===----------------------------------------------------------------------===//

let hasFolder = 1 in {
def Lax_AndOp : Lax_BinaryOp<"and", "Conjunction", Lax_BoolOrIntTensor,
    "Logical and of bools, bitwise and of integers.", [Commutative, Lax_NotDifferentiable], "tensor<8xi1>",
    "bitwise_and">;
def Lax_OrOp : Lax_BinaryOp<"or", "Disjunction", Lax_BoolOrIntTensor,
    "Logical or of bools, bitwise or of integers.", [Commutative, Lax_NotDifferentiable], "tensor<8xi1>",
    "bitwise_or">;
def Lax_XorOp : Lax_BinaryOp<"xor", "Exclusive or", Lax_BoolOrIntTensor,
    "Logical exclusive or of bools, bitwise exclusive or of integers.", [Commutative, Lax_NotDifferentiable],
    "tensor<8xi1>", "bitwise_xor">;
def Lax_ShiftLeftOp : Lax_BinaryOp<"shift_left", "Shift to the left", Lax_IntTensor,
    "`lhs << rhs`; zero if `rhs`, read as unsigned, is not below the bit width.", [Lax_NotDifferentiable],
    "tensor<8xi32>">;
def Lax_ShiftRightLogicalOp : Lax_BinaryOp<"shift_right_logical", "Shift to the right, filling with zeros",
    Lax_IntTensor, "`lhs >> rhs` filled with zeros; zero if `rhs`, read as unsigned, is not below the bit width.",
    [Lax_NotDifferentiable], "tensor<8xui32>">;
def Lax_ShiftRightArithmeticOp : Lax_BinaryOp<"shift_right_arithmetic",
    "Shift to the right, filling with the sign", Lax_IntTensor,
    "`lhs >> rhs` filled with the highest bit; all of it if `rhs`, read as unsigned, is not below the bit width.",
    [Lax_NotDifferentiable], "tensor<8xi32>">;
} // hasFolder

//===----------------------------------------------------------------------===//
// Comparisons
//===----------------------------------------------------------------------===//

def Lax_EqOp : Lax_ComparisonOp<"eq", "Equal", Lax_AnyTensor,
    "True where the elements are equal; false where either is NaN.", [Commutative]>;
def Lax_NeOp : Lax_ComparisonOp<"ne", "Not equal", Lax_AnyTensor,
    "True where the elements differ or either is NaN.", [Commutative]>;
def Lax_LtOp : Lax_ComparisonOp<"lt", "Less", Lax_OrderedTensor, "True where `lhs < rhs`; false at NaN.">;
def Lax_LeOp : Lax_ComparisonOp<"le", "Less or equal", Lax_OrderedTensor,
    "True where `lhs <= rhs`; false at NaN.">;
def Lax_GtOp : Lax_ComparisonOp<"gt", "Greater", Lax_OrderedTensor, "True where `lhs > rhs`; false at NaN.">;
def Lax_GeOp : Lax_ComparisonOp<"ge", "Greater or equal", Lax_OrderedTensor,
    "True where `lhs >= rhs`; false at NaN.">;

//===----------------------------------------------------------------------===//
// Selection
//===----------------------------------------------------------------------===//

def Lax_SelectNOp : Lax_Op<"select_n", [Lax_Elementwise, Lax_Differentiable]> {
  let summary = "Choice among tensors, element by element";
  let description = [{
    Takes each element from the case that `which` names there: false or 0 is the *first* case. A bool selects between
    two cases, an `i32` among any number; it lies in range (an index out of range takes the nearest case).

    ```mlir
    %r = lax.select_n %which, %on_false, %on_true : tensor<8xi1>, tensor<8xf32>
    ```
  }] # Lax_Doc<"select_n">.link;
  let arguments = (ins Lax_SelectorTensor:$which, Variadic<Lax_AnyTensor>:$cases);
  let results = (outs Lax_AnyTensor:$result);
  let assemblyFormat = [{
    $which `,` $cases attr-dict `:` custom<CaseTypes>(type($which), type($cases), type($result), ref($cases))
  }];
  let hasVerifier = 1;
  let hasFolder = 1;
  let hasCanonicalizer = 1;
}

def Lax_ClampOp : Lax_Op<"clamp", [Lax_Elementwise, Lax_Differentiable,
    AllTypesMatch<["min", "operand", "max", "result"]>]> {
  let summary = "Restriction to an interval";
  let description = [{
    `min(max(operand, min), max)`, element by element; NaN if any of the three is NaN.

    ```mlir
    %r = lax.clamp %min, %x, %max : tensor<8xf32>
    ```
  }] # Lax_Doc<"clamp">.link;
  let arguments = (ins Lax_OrderedTensor:$min, Lax_OrderedTensor:$operand, Lax_OrderedTensor:$max);
  let results = (outs Lax_OrderedTensor:$result);
  let assemblyFormat = "$min `,` $operand `,` $max attr-dict `:` type($result)";
}

#endif // LAX_ELEMENTWISE_OPS
