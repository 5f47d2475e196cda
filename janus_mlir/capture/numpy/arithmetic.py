"""Kernels of arithmetic, rounding, comparison, logic and bits."""

from __future__ import annotations

import numpy as np

from janus_mlir.capture.graph import Value
from janus_mlir.capture.numpy.context import bad_argument, would_raise
from janus_mlir.capture.numpy.dtypes import bits, is_float, is_signed
from janus_mlir.capture.numpy.kernel import KERNELS, Kernel, KernelFunction, kernel


@kernel(np.add)
def add(k: Kernel, x: Value, y: Value) -> Value:
    """Sum; of bools their disjunction."""
    return k.either(x, y) if k.dtype(x) == "i1" else k.add(x, y)


@kernel(np.subtract)
def subtract(k: Kernel, x: Value, y: Value) -> Value:
    """Difference."""
    return k.sub(x, y)


@kernel(np.multiply)
def multiply(k: Kernel, x: Value, y: Value) -> Value:
    """Product; of bools their conjunction."""
    return k.both(x, y) if k.dtype(x) == "i1" else k.mul(x, y)


@kernel(np.true_divide)
def true_divide(k: Kernel, x: Value, y: Value) -> Value:
    """Quotient as floats, whatever the operands."""
    return k.div(k.cast(x, k.out), k.cast(y, k.out))


def _integer_division(k: Kernel, x: Value, y: Value) -> tuple[Value, Value]:
    """Quotient rounded down and remainder with the sign of `y`; 0 and 0 where `y` is 0."""
    zero = k.like(x, 0)
    divisor = k.known_at(1)
    checked = divisor is None or divisor == 0
    is_zero = k.compare("eq", y, zero)
    if checked:
        y = k.select(is_zero, k.like(y, 1), y)
    quotient, remainder = k.div(x, y), k.binary("rem", x, y)
    if is_signed(k.dtype(x)):
        opposite = k.logical("xor", k.compare("lt", remainder, zero), k.compare("lt", y, zero))
        adjust = k.both(k.compare("ne", remainder, zero), opposite)
        quotient = k.sub(quotient, k.convert(adjust, k.dtype(x)))
        remainder = k.select(adjust, k.add(remainder, y), remainder)
    if checked:
        # The remainder by the substituted 1 is already 0.
        quotient = k.select(is_zero, zero, quotient)
    return quotient, remainder


def _float_division(k: Kernel, x: Value, y: Value) -> tuple[Value, Value]:
    """NumPy's ``npy_divmod``."""
    zero = k.like(x, 0.0)
    rest = k.binary("rem", x, y)
    quotient = k.div(k.sub(x, rest), y)
    has_rest = k.compare("ne", rest, zero)
    opposite = k.logical("xor", k.compare("lt", y, zero), k.compare("lt", rest, zero))
    adjust = k.both(has_rest, opposite)
    quotient = k.select(adjust, k.sub(quotient, k.like(x, 1.0)), quotient)
    modulus = k.select(has_rest, k.select(adjust, k.add(rest, y), rest), k.copysign(zero, y))
    floor = k.unary("floor", quotient)
    high = k.compare("gt", k.sub(quotient, floor), k.like(x, 0.5))
    floor = k.select(high, k.add(floor, k.like(x, 1.0)), floor)
    ratio = k.div(x, y)
    floor = k.select(k.compare("ne", quotient, zero), floor, k.copysign(zero, ratio))
    by_zero = k.compare("eq", y, zero)
    return k.select(by_zero, ratio, floor), k.select(by_zero, rest, modulus)


@kernel(np.divmod)
def divide_with_remainder(k: Kernel, x: Value, y: Value) -> tuple[Value, Value]:
    """Quotient rounded down and remainder with the sign of the divisor."""
    return _float_division(k, x, y) if is_float(k.dtype(x)) else _integer_division(k, x, y)


@kernel(np.floor_divide)
def floor_divide(k: Kernel, x: Value, y: Value) -> Value:
    """Quotient rounded down."""
    return divide_with_remainder(k, x, y)[0]


@kernel(np.remainder)
def remainder(k: Kernel, x: Value, y: Value) -> Value:
    """Remainder with the sign of the divisor."""
    return divide_with_remainder(k, x, y)[1]


@kernel(np.fmod)
def fmod(k: Kernel, x: Value, y: Value) -> Value:
    """Remainder with the sign of the dividend; 0 where an integer divisor is 0."""
    if is_float(k.dtype(x)):
        return k.binary("rem", x, y)
    is_zero = k.compare("eq", y, k.like(y, 0))
    return k.binary("rem", x, k.select(is_zero, k.like(y, 1), y))


@kernel(np.power)
def power(k: Kernel, x: Value, y: Value) -> Value:
    """Power; a negative exponent of an integer raises."""
    if is_float(k.dtype(x)):
        return float_power(k, x, y)
    exponent = k.known_at(1)
    if exponent is not None:
        if exponent < 0:
            would_raise("integer to a negative integer power")
        return _power_chain(k, x, int(exponent))
    inside = k.compare("lt", y, k.like(y, 64))
    if is_signed(k.dtype(y)):
        inside = k.both(inside, k.compare("ge", y, k.like(y, 0)))
    # A negative exponent raises; from 64 on more steps than these would be needed.
    k.require(inside, "domain")
    one = k.like(x, 1)
    result, square = one, x
    for step in range(6):
        bit = k.compare("ne", k.logical("and", y, k.like(y, 1 << step)), k.like(y, 0))
        result = k.select(bit, k.mul(result, square), result)
        if step < 5:
            square = k.mul(square, square)
    return result


def _power_chain(k: Kernel, x: Value, exponent: int) -> Value:
    result: Value | None = None
    square = x
    while exponent:
        if exponent & 1:
            result = square if result is None else k.mul(result, square)
        exponent >>= 1
        if exponent:
            square = k.mul(square, square)
    return k.like(x, 1) if result is None else result


@kernel(np.float_power)
def float_power(k: Kernel, x: Value, y: Value) -> Value:
    """Power of floats."""
    exponent = k.known_at(1)
    if exponent in (1, 2, 3, 4):
        return _power_chain(k, x, int(exponent))
    return k.binary("pow", x, y)


@kernel(np.negative)
def negative(k: Kernel, x: Value) -> Value:
    """Negation."""
    return k.unary("neg", x)


@kernel(np.positive, np.conjugate, exact=True)
def positive(k: Kernel, x: Value) -> Value:
    """The value itself."""
    return x


@kernel(np.absolute, np.fabs)
def absolute(k: Kernel, x: Value) -> Value:
    """Magnitude."""
    return x if k.dtype(x) == "i1" or k.dtype(x).startswith("ui") else k.unary("abs", x)


@kernel(np.sign)
def sign(k: Kernel, x: Value) -> Value:
    """-1, 0 or 1; of NaN NaN. A zero loses its sign."""
    if is_float(k.dtype(x)):
        zero = k.like(x, 0.0)
        return k.select(k.compare("eq", x, zero), zero, k.unary("sign", x))
    if not is_signed(k.dtype(x)):
        return k.convert(k.nonzero(x), k.dtype(x))
    return k.unary("sign", x)


@kernel(np.square)
def square(k: Kernel, x: Value) -> Value:
    """The value times itself."""
    return k.both(x, x) if k.dtype(x) == "i1" else k.mul(x, x)


@kernel(np.reciprocal)
def reciprocal(k: Kernel, x: Value) -> Value:
    """One over the value."""
    if not is_float(k.dtype(x)):
        bad_argument("reciprocal of integers")
    return k.div(k.like(x, 1.0), x)


def _rounding(name: str) -> KernelFunction:
    def function(k: Kernel, x: Value) -> Value:
        if not is_float(k.dtype(x)):
            return x
        return k.rint(x) if name == "rint" else k.trunc(x) if name == "trunc" else k.unary(name, x)

    return function


_ROUNDINGS: dict[np.ufunc, str] = {np.floor: "floor", np.ceil: "ceil", np.rint: "rint", np.trunc: "trunc"}
KERNELS |= {ufunc: _rounding(name) for ufunc, name in _ROUNDINGS.items()}


@kernel(np.modf)
def modf(k: Kernel, x: Value) -> tuple[Value, Value]:
    """Fractional and integral part, both with the sign of the value."""
    whole = k.trunc(x)
    infinite = k.compare("eq", k.unary("abs", x), k.like(x, np.inf))
    fraction = k.select(infinite, k.like(x, 0.0), k.sub(x, whole))
    return k.copysign(fraction, x), whole


def _extremum(name: str, ignore_nan: bool) -> KernelFunction:
    def function(k: Kernel, x: Value, y: Value) -> Value:
        if k.dtype(x) == "i1":
            return k.logical("or" if name == "max" else "and", x, y)
        result = k.binary(name, x, y)
        if ignore_nan and is_float(k.dtype(x)):
            result = k.select(k.is_nan(x), y, k.select(k.is_nan(y), x, result))
        return result

    return function


_EXTREMA: dict[np.ufunc, tuple[str, bool]] = {
    np.maximum: ("max", False),
    np.minimum: ("min", False),
    np.fmax: ("max", True),
    np.fmin: ("min", True),
}
KERNELS |= {ufunc: _extremum(name, ignore) for ufunc, (name, ignore) in _EXTREMA.items()}


def clip(k: Kernel, x: Value, lo: Value, hi: Value) -> Value:
    """The value, brought between two bounds; NaN anywhere gives NaN."""
    if k.dtype(x) == "i1":
        return k.both(k.either(x, lo), hi)
    return k.binary("min", k.binary("max", x, lo), hi)


KERNELS[np._core.umath.clip] = clip  # type: ignore[attr-defined]


def _comparison(name: str) -> KernelFunction:
    def function(k: Kernel, x: Value, y: Value) -> Value:
        dx, dy = k.dtype(x), k.dtype(y)
        if dx != dy:
            return _mixed(k, name, x, y)
        if dx == "i1" and name not in ("eq", "ne"):
            x, y = k.convert(x, "ui8"), k.convert(y, "ui8")
        return k.compare(name, x, y)

    return function


def _mixed(k: Kernel, name: str, x: Value, y: Value) -> Value:
    """Comparison of a signed and an unsigned 64-bit integer by value."""
    signed = x if is_signed(k.dtype(x)) else y
    below = k.compare("lt", signed, k.like(signed, 0))
    result = k.compare(name, k.convert(x, "ui64"), k.convert(y, "ui64"))
    less, greater = name in ("lt", "le", "ne"), name in ("gt", "ge", "ne")
    outcome = less if signed is x else greater
    return k.select(below, k.like(result, outcome), result)


_COMPARISONS: dict[np.ufunc, str] = {
    np.equal: "eq",
    np.not_equal: "ne",
    np.less: "lt",
    np.less_equal: "le",
    np.greater: "gt",
    np.greater_equal: "ge",
}
for _ufunc, _name in _COMPARISONS.items():
    kernel(_ufunc, exact=True)(_comparison(_name))


def _truth(name: str) -> KernelFunction:
    def function(k: Kernel, x: Value, y: Value) -> Value:
        return k.logical(name, k.nonzero(x), k.nonzero(y))

    return function


_CONNECTIVES: dict[np.ufunc, str] = {np.logical_and: "and", np.logical_or: "or", np.logical_xor: "xor"}
for _ufunc, _name in _CONNECTIVES.items():
    kernel(_ufunc, exact=True)(_truth(_name))


@kernel(np.logical_not, exact=True)
def logical_not(k: Kernel, x: Value) -> Value:
    """Whether the value is zero."""
    return k.invert(k.nonzero(x))


def _bitwise(name: str) -> KernelFunction:
    def function(k: Kernel, x: Value, y: Value) -> Value:
        return k.logical(name, x, y)

    return function


_BITWISE: dict[np.ufunc, str] = {np.bitwise_and: "and", np.bitwise_or: "or", np.bitwise_xor: "xor"}
KERNELS |= {ufunc: _bitwise(name) for ufunc, name in _BITWISE.items()}


@kernel(np.invert)
def invert(k: Kernel, x: Value) -> Value:
    """Complement."""
    return k.invert(x)


@kernel(np.left_shift)
def left_shift(k: Kernel, x: Value, y: Value) -> Value:
    """Shift to the left; ``lax`` agrees with NumPy on shifts out of range."""
    return k.binary("shift_left", x, y)


@kernel(np.right_shift)
def right_shift(k: Kernel, x: Value, y: Value) -> Value:
    """Shift to the right, keeping the sign."""
    arithmetic = is_signed(k.dtype(x))
    return k.binary("shift_right_arithmetic" if arithmetic else "shift_right_logical", x, y)


@kernel(np.bitwise_count)
def bitwise_count(k: Kernel, x: Value) -> Value:
    """Number of set bits of the magnitude."""
    magnitude = k.unary("abs", x) if is_signed(k.dtype(x)) else x
    return k.convert(k.unary("population_count", magnitude), k.out)


@kernel(np.isnan, exact=True)
def isnan(k: Kernel, x: Value) -> Value:
    """Whether the value is NaN."""
    return k.is_nan(x) if is_float(k.dtype(x)) else k.full(False, "i1", x.type.shape)  # type: ignore[union-attr]


@kernel(np.isfinite, exact=True)
def isfinite(k: Kernel, x: Value) -> Value:
    """Whether the value is neither infinite nor NaN."""
    return k.is_finite(x) if is_float(k.dtype(x)) else k.full(True, "i1", x.type.shape)  # type: ignore[union-attr]


@kernel(np.isinf, exact=True)
def isinf(k: Kernel, x: Value) -> Value:
    """Whether the value is infinite."""
    if not is_float(k.dtype(x)):
        return k.full(False, "i1", x.type.shape)  # type: ignore[union-attr]
    return k.compare("eq", k.unary("abs", x), k.like(x, np.inf))


@kernel(np.signbit)
def signbit(k: Kernel, x: Value) -> Value:
    """Whether the sign bit is set."""
    return k.is_negative(x)


@kernel(np.copysign)
def copysign(k: Kernel, x: Value, y: Value) -> Value:
    """Magnitude of `x` with the sign of `y`."""
    return k.copysign(x, y)


@kernel(np.nextafter, exact=True)
def nextafter(k: Kernel, x: Value, y: Value) -> Value:
    """Next float after `x` towards `y`."""
    if bits(k.dtype(x)) == 16:
        bad_argument("nextafter of float16")
    return k.binary("nextafter", x, y)
