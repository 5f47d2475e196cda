"""The functions of ``math``."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from janus_mlir.capture import numpy as npy
from janus_mlir.capture.breaks import Break, Failed
from janus_mlir.capture.builtins.table import Handler, arity, handles, registers
from janus_mlir.capture.graph import BOOL, FLOAT, Value
from janus_mlir.capture.iteration import collect
from janus_mlir.capture.library import lists as library
from janus_mlir.capture.library import numbers as library_numbers
from janus_mlir.capture.numbers import (
    as_float,
    as_int,
    fold_call,
    guard_finite,
    is_number,
    make,
    number_binary,
    to_float,
    to_int,
)
from janus_mlir.capture.scalars import number_kind
from janus_mlir.capture.values import (
    Abstract,
    JaxArray,
    Known,
    Number,
    NumpyArray,
    NumpyScalar,
    TupleValue,
    constants,
)

if TYPE_CHECKING:
    from janus_mlir.capture.machine import Machine

#: ``math`` functions of one float: MLIR op, and the condition that CPython demands.
_MATH: dict[str, tuple[str, str]] = {
    "sqrt": ("math.sqrt", "nonnegative"), "exp": ("math.exp", "finite result"),
    "log2": ("math.log2", "positive"), "log10": ("math.log10", "positive"), "log1p": ("math.log1p", "above -1"),
    "sin": ("math.sin", "finite"), "cos": ("math.cos", "finite"), "tan": ("math.tan", "finite"),
    "tanh": ("math.tanh", ""), "atan": ("math.atan", ""), "fabs": ("math.absf", ""), "expm1": ("math.expm1", "finite result"),
    "erf": ("math.erf", ""), "sinh": ("math.sinh", "finite result"), "cosh": ("math.cosh", "finite result"),
}  # fmt: skip


def _math(name: str, op: str, domain: str) -> Handler:
    function = getattr(math, name)

    def handler(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
        if all(isinstance(a, Known) for a in args) and not kwargs:
            return fold_call(function, *args)
        arity(args, kwargs, 1)
        x = as_float(m, _plain_float(m, args[0]))
        # Of NaN they are NaN.
        bounds = {"nonnegative": ("uge", 0.0), "positive": ("ugt", 0.0), "above -1": ("ugt", -1.0)}
        if domain in bounds:
            predicate, bound = bounds[domain]
            inside = m.b.one("arith.cmpf", [x, m.const(bound)], BOOL, predicate=predicate)
            text = f"the argument of math.{name} is in its domain"
            m.check(inside, "domain", text, Failed.by(function, -1.0))
        if domain == "finite":
            guard_finite(m, x, f"the argument of math.{name} is finite")
        result = m.b.one(op, [x], FLOAT)
        if domain == "finite result":
            guard_finite(m, result, f"math.{name} does not overflow")
        return make("float", result)

    return handler


def _plain_float(m: Machine, value: Abstract) -> Abstract:
    if is_number(value):
        return value
    if isinstance(value, JaxArray):
        from janus_mlir.capture.jax.methods import to_number

        return to_number(m, value, "float")
    if isinstance(value, (NumpyArray, NumpyScalar)):
        return npy.to_number(m, value, "float")
    raise Break("JN208", "a number is expected")


for _name, (_op, _domain) in _MATH.items():
    registers(getattr(math, _name))(_math(_name, _op, _domain))


def _float_test(name: str) -> Handler:
    def handler(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
        if all(isinstance(a, Known) for a in args):
            return fold_call(getattr(math, name), *args)
        arity(args, kwargs, 1)
        x = as_float(m, _plain_float(m, args[0]))
        if name == "isnan":
            return make("bool", m.b.one("arith.cmpf", [x, x], BOOL, predicate="uno"))
        infinity = m.const(float("inf"))
        predicate = "oeq" if name == "isinf" else "olt"
        return make(
            "bool",
            m.b.one("arith.cmpf", [m.b.one("math.absf", [x], FLOAT), infinity], BOOL, predicate=predicate),
        )

    return handler


for _name in ("isnan", "isinf", "isfinite"):
    registers(getattr(math, _name))(_float_test(_name))


def _to_whole(name: str, op: str) -> Handler:
    def handler(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
        if all(isinstance(a, Known) for a in args):
            return fold_call(getattr(math, name), *args)
        arity(args, kwargs, 1)
        value = _plain_float(m, args[0])
        if not (isinstance(value, Number) and value.kind == "float"):
            return to_int(m, value)
        return to_int(m, make("float", m.b.one(op, [value.ref], FLOAT)))

    return handler


for _name, _op in (("floor", "math.floor"), ("ceil", "math.ceil"), ("trunc", "math.trunc")):
    registers(getattr(math, _name))(_to_whole(_name, _op))


def _known(args: list[Abstract], kwargs: dict[str, Abstract]) -> bool:
    return all(isinstance(a, Known) for a in [*args, *kwargs.values()])


def _floats(m: Machine, args: list[Abstract]) -> list[Value]:
    return [as_float(m, _plain_float(m, a)) for a in args]


def _guard(m: Machine, predicate: str, x: Value, bound: float, text: str) -> None:
    m.guard(m.b.one("arith.cmpf", [x, m.const(bound)], BOOL, predicate=predicate), "domain", text=text)


@registers(math.hypot)
def _hypot(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    if _known(args, kwargs):
        return fold_call(math.hypot, *args)
    arity(args, kwargs, 2)
    return make("float", _length(m, _floats(m, args)))


def _length(m: Machine, values: list[Value]) -> Value:
    """Return the Euclidean length of a vector; the largest part is divided out, so that squares do not overflow."""
    one = m.b.one
    parts = [one("math.absf", [x], FLOAT) for x in values]
    largest = parts[0]
    for x in parts[1:]:
        bigger = one("arith.cmpf", [x, largest], BOOL, predicate="ogt")
        largest = one("arith.select", [bigger, x, largest], FLOAT)
    for x in parts:
        guard_finite(m, x, "the argument is finite")
    zero = one("arith.cmpf", [largest, m.const(0.0)], BOOL, predicate="oeq")
    scale = one("arith.select", [zero, m.const(1.0), largest], FLOAT)
    total = m.const(0.0)
    for x in parts:
        ratio = one("arith.divf", [x, scale], FLOAT)
        total = one("arith.addf", [total, one("arith.mulf", [ratio, ratio], FLOAT)], FLOAT)
    result = one("arith.mulf", [scale, one("math.sqrt", [total], FLOAT)], FLOAT)
    return one("arith.select", [zero, m.const(0.0), result], FLOAT)


@registers(math.dist)
def _dist(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    arity(args, kwargs, 2)
    rows = [m.items(a) for a in args]
    if rows[0] is None or rows[1] is None or len(rows[0]) != len(rows[1]) or not rows[0]:
        raise Break("JN301", "math.dist of unknown points")
    gaps = [number_binary(m, "sub", to_float(m, x), to_float(m, y)) for x, y in zip(*rows, strict=True)]
    return make("float", _length(m, _floats(m, gaps)))


@registers(math.atan2)
def _atan2(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    if _known(args, kwargs):
        return fold_call(math.atan2, *args)
    arity(args, kwargs, 2)
    return make("float", m.b.one("math.atan2", _floats(m, args), FLOAT))


@registers(math.copysign)
def _copysign(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    if _known(args, kwargs):
        return fold_call(math.copysign, *args)
    arity(args, kwargs, 2)
    return make("float", m.b.one("math.copysign", _floats(m, args), FLOAT))


@registers(math.fmod)
def _fmod(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    if _known(args, kwargs):
        return fold_call(math.fmod, *args)
    arity(args, kwargs, 2)
    x, y = _floats(m, args)
    guard_finite(m, x, "the argument of math.fmod is finite")
    _guard(m, "une", y, 0.0, "the divisor is not zero")
    return make("float", m.b.one("arith.remf", [x, y], FLOAT))


@registers(math.pow)
def _pow(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    if _known(args, kwargs):
        return fold_call(math.pow, *args)
    arity(args, kwargs, 2)
    return number_binary(m, "pow", *(to_float(m, _plain_float(m, a)) for a in args))


def _scaled(function: Any, factor: float) -> None:
    def handler(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
        if _known(args, kwargs):
            return fold_call(function, *args)
        arity(args, kwargs, 1)
        return make("float", m.b.one("arith.mulf", [*_floats(m, args), m.const(factor)], FLOAT))

    registers(function)(handler)


_scaled(math.degrees, 180.0 / math.pi)
_scaled(math.radians, math.pi / 180.0)

_one_argument_log = _math("log", "math.log", "positive")


@registers(math.log)
def _log(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    if len(args) == 2 and not _known(args, kwargs):
        arity(args, kwargs, 2)
        parts = [_one_argument_log(m, [a], {}) for a in args]
        return number_binary(m, "truediv", parts[0], parts[1])
    return _one_argument_log(m, args, kwargs) if len(args) == 1 else fold_call(math.log, *args)


def _bounded(name: str, op: str, low: float, high: float) -> None:
    function = getattr(math, name)

    def handler(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
        if _known(args, kwargs):
            return fold_call(function, *args)
        arity(args, kwargs, 1)
        (x,) = _floats(m, args)
        _guard(m, "oge", x, low, f"the argument of math.{name} is in its domain")
        _guard(m, "ole", x, high, f"the argument of math.{name} is in its domain")
        return make("float", m.b.one(op, [x], FLOAT))

    registers(function)(handler)


_bounded("asin", "math.asin", -1.0, 1.0)
_bounded("acos", "math.acos", -1.0, 1.0)
if hasattr(math, "cbrt"):
    registers(math.cbrt)(_math("cbrt", "math.cbrt", ""))


@registers(math.modf)
def _modf(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    if _known(args, kwargs):
        found = fold_call(math.modf, *args)
        return TupleValue(tuple(map(Known, found.value)))
    arity(args, kwargs, 1)
    (x,) = _floats(m, args)
    guard_finite(m, x, "the argument of math.modf is finite")
    whole = m.b.one("math.trunc", [x], FLOAT)
    rest = m.b.one("math.copysign", [m.b.one("arith.subf", [x, whole], FLOAT), x], FLOAT)
    return TupleValue((make("float", rest), make("float", m.b.one("math.copysign", [whole, x], FLOAT))))


@registers(math.isclose)
def _isclose(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    relative = kwargs.pop("rel_tol", Known(1e-9))
    absolute = kwargs.pop("abs_tol", Known(0.0))
    arity(args, kwargs, 2)
    if _known([*args, relative, absolute], {}):
        return fold_call(
            lambda a, b, r, t: math.isclose(a, b, rel_tol=r, abs_tol=t), *args, relative, absolute
        )
    for tolerance in (relative, absolute):
        if not (isinstance(tolerance, Known) and tolerance.value >= 0):
            raise Break("JN301", "math.isclose with run-time tolerances")
    return library.call(m, library_numbers.isclose, *(_plain_float(m, a) for a in args), relative, absolute)


@registers(math.prod)
def _prod(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    start = kwargs.pop("start", Known(1))
    arity(args, kwargs, 1)
    items = collect(m, args[0])
    if not isinstance(items, list):
        return library.call(m, library.product, items, start)
    from janus_mlir.capture.operators import binary

    for item in items:
        start = binary(m, "mul", start, item)
    return start


@registers(math.fsum)
def _fsum(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    arity(args, kwargs, 1)
    items = m.items(args[0])
    numbers = constants(items) if items is not None else None
    if numbers is None:
        raise Break("JN301", "math.fsum of run-time values")
    return Known(math.fsum(numbers))


def _of_ints(function: Any, python: Any, count: int | None) -> None:
    def handler(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
        if _known(args, kwargs):
            return fold_call(function, *args)
        if kwargs or (count is not None and len(args) != count) or len(args) < 1:
            raise Break("JN301", f"math.{function.__name__} with unusual arguments")
        if any(number_kind(a) not in ("int", "bool") for a in args):
            raise Break("JN301", f"math.{function.__name__} of something that is not an int")
        numbers = [make("int", as_int(m, a)) if isinstance(a, Number) else a for a in args]
        if count is not None:
            return library.call(m, python, *numbers)
        result: Abstract = numbers[0] if len(numbers) > 1 else Known(0 if function is math.gcd else 1)
        for other in numbers[1:] if len(numbers) > 1 else numbers:
            result = library.call(m, python, result, other)
        return result

    registers(function)(handler)


_of_ints(math.gcd, library_numbers.gcd, None)
_of_ints(math.lcm, library_numbers.lcm, None)
_of_ints(math.isqrt, library_numbers.isqrt, 1)
_of_ints(math.factorial, library_numbers.factorial, 1)
_of_ints(math.comb, library_numbers.comb, 2)
_of_ints(math.perm, library_numbers.perm, 2)


def _math_constant(function: Any) -> Handler:
    def handler(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
        if _known(args, kwargs) and not kwargs:
            return fold_call(function, *args)
        raise Break("JN301", f"math.{function.__name__} of run-time values")

    return handler


for _name in dir(math):
    _function = getattr(math, _name)
    if callable(_function) and not handles(_function) and not _name.startswith("_"):
        registers(_function)(_math_constant(_function))
