"""Complex numbers of which the parts are run-time floats, computed as CPython computes them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from janus_mlir.capture.breaks import Break, Failed
from janus_mlir.capture.graph import BOOL, Value
from janus_mlir.capture.numbers import as_float, compare_numbers, make, number_binary, number_unary
from janus_mlir.capture.scalars import number_kind
from janus_mlir.capture.values import Abstract, ComplexValue, Known, NumpyScalar

if TYPE_CHECKING:
    from janus_mlir.capture.machine import Machine

#: Exponents up to which powers are products in CPython.
_MAX_POWER = 100


def involves(*values: Abstract) -> bool:
    """Whether one of some values is a complex number of run-time parts, or may have to become one."""
    run_time = any(not isinstance(value, Known) for value in values)
    return run_time and any(is_complex(value) for value in values)


def is_complex(value: Abstract) -> bool:
    return isinstance(value, ComplexValue) or (isinstance(value, Known) and type(value.value) is complex)


def as_complex(m: Machine, value: Abstract) -> ComplexValue:
    """Return a number as a complex one."""
    if isinstance(value, ComplexValue):
        return value
    if isinstance(value, Known) and type(value.value) is complex:
        return ComplexValue(Known(value.value.real), Known(value.value.imag))
    if number_kind(value) is None:
        raise Break("JN212", f"an operation on a complex number and a {type(value).__name__}")
    real = Known(float(value.value)) if isinstance(value, Known) else make("float", as_float(m, value))
    return ComplexValue(real, Known(0.0))


def binary(m: Machine, op: str, a: Abstract, b: Abstract) -> Abstract:
    """Return ``a op b``."""
    if op == "pow":
        return _power(m, as_complex(m, a), b)
    x, y = as_complex(m, a), as_complex(m, b)
    match op:
        case "add" | "sub":
            return ComplexValue(number_binary(m, op, x.real, y.real), number_binary(m, op, x.imag, y.imag))
        case "mul":
            return _product(m, x, y)
        case "truediv":
            return _quotient(m, x, y)
    raise Break("JN208", f"operator {op} is not defined for complex numbers")


def _product(m: Machine, x: ComplexValue, y: ComplexValue) -> ComplexValue:
    def times(a: Abstract, b: Abstract) -> Abstract:
        return number_binary(m, "mul", a, b)

    real = number_binary(m, "sub", times(x.real, y.real), times(x.imag, y.imag))
    imag = number_binary(m, "add", times(x.real, y.imag), times(x.imag, y.real))
    return ComplexValue(real, imag)


def _quotient(m: Machine, x: ComplexValue, y: ComplexValue) -> Abstract:
    """Divide as CPython's ``_Py_c_quot`` does: by the larger part of the divisor first."""
    one = m.b.one
    a, b, c, d = (as_float(m, part) for part in (x.real, x.imag, y.real, y.imag))
    zero = m.const(0.0)
    parts = [one("arith.cmpf", [part, zero], BOOL, predicate="une") for part in (c, d)]
    failed = Failed(ZeroDivisionError, "complex division by zero")
    m.check(one("arith.ori", parts, BOOL), "zero", "the divisor is not zero", failed)
    by_real = one(
        "arith.cmpf",
        [one("math.absf", [c], c.type), one("math.absf", [d], d.type)],
        BOOL,
        predicate="oge",
    )

    def pick(first: Value, second: Value) -> Value:
        return one("arith.select", [by_real, first, second], first.type)

    def f(op: str, p: Value, q: Value) -> Value:
        return one(f"arith.{op}f", [p, q], p.type)

    large, small = pick(c, d), pick(d, c)
    ratio = f("div", small, large)
    divisor = f("add", large, f("mul", small, ratio))
    real = f("div", pick(f("add", a, f("mul", b, ratio)), f("add", f("mul", a, ratio), b)), divisor)
    imag = f("div", pick(f("sub", b, f("mul", a, ratio)), f("sub", f("mul", b, ratio), a)), divisor)
    return ComplexValue(make("float", real), make("float", imag))


def _power(m: Machine, x: ComplexValue, exponent: Abstract) -> Abstract:
    if not isinstance(exponent, Known) or type(exponent.value) is not int:
        raise Break("JN212", "a power of complex numbers with an exponent that is no constant int")
    n = exponent.value
    if not 0 < n <= _MAX_POWER:
        raise Break("JN212", "a power of complex numbers with such an exponent")
    result, square = ComplexValue(Known(1.0), Known(0.0)), x
    while n:
        if n & 1:
            result = _product(m, result, square)
        n >>= 1
        if n:
            square = _product(m, square, square)
    return result


def unary(m: Machine, op: str, x: ComplexValue) -> Abstract:
    """Return ``-x`` or ``+x``."""
    if op not in ("neg", "pos"):
        raise Break("JN208", f"operator {op} is not defined for complex numbers")
    return ComplexValue(number_unary(m, op, x.real), number_unary(m, op, x.imag))


def conjugate(m: Machine, x: ComplexValue) -> Abstract:
    """Return ``x.conjugate()``."""
    return ComplexValue(x.real, number_unary(m, "neg", x.imag))


def _both(m: Machine, op: str, first: bool | Value, second: bool | Value) -> bool | Value:
    refs = [m.const(part) if isinstance(part, bool) else part for part in (first, second)]
    if isinstance(first, bool) and isinstance(second, bool):
        return first or second if op == "or" else first and second
    return m.b.one(f"arith.{op}i", refs, BOOL)


def truth(m: Machine, x: ComplexValue) -> bool | Value:
    """Return whether a number is not zero."""
    real, imag = (compare_numbers(m, "ne", part, Known(0.0)) for part in (x.real, x.imag))
    return _both(m, "or", real, imag)


def compare(m: Machine, op: str, a: Abstract, b: Abstract) -> Abstract:
    """Return ``a == b`` or ``a != b``."""
    if op not in ("eq", "ne"):
        raise Break("JN208", "complex numbers have no order")
    x, y = as_complex(m, a), as_complex(m, b)
    real, imag = compare_numbers(m, op, x.real, y.real), compare_numbers(m, op, x.imag, y.imag)
    result = _both(m, "and" if op == "eq" else "or", real, imag)
    return Known(result) if isinstance(result, bool) else make("bool", result)


def absolute(m: Machine, x: ComplexValue) -> Abstract:
    """Return ``abs(x)``; where it overflows, Python raises an exception."""
    from janus_mlir.capture.builtins.table import call_builtin

    result = call_builtin(m, math.hypot, [x.real, x.imag], {}, "")
    finite = compare_numbers(m, "lt", result, Known(math.inf))
    if isinstance(finite, Value):
        m.guard(finite, "overflow", text="the absolute value is finite")
    return result


def _plain(m: Machine, value: Abstract) -> Abstract:
    """Return a NumPy scalar as the float that ``complex()`` takes it for."""
    if isinstance(value, NumpyScalar) and value.dtype.kind in "fiub":
        from janus_mlir.capture import numpy as npy

        return npy.to_number(m, value, "float")
    return value


def construct(m: Machine, args: list[Abstract]) -> Abstract:
    """Return ``complex(real, imag)`` of real numbers, or of one number."""
    if len(args) == 1:
        return as_complex(m, args[0])
    args = [_plain(m, arg) for arg in args]
    if len(args) != 2 or any(number_kind(arg) is None for arg in args):
        raise Break("JN301", "complex() of unusual arguments")
    real, imag = (as_complex(m, arg).real for arg in args)
    return ComplexValue(real, imag)


__all__ = [
    "absolute", "as_complex", "binary", "compare", "conjugate", "construct", "involves", "is_complex", "truth", "unary",
]  # fmt: skip
