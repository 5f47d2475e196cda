from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy_checks import check, refuses

FLOATS = np.array([0.0, -0.0, 1.0, -1.5, 2.5, -2.5, 3.7, 1e-3, -7.0, 100.0, np.inf, -np.inf, np.nan])
OTHER = np.array([1.0, 2.0, -0.0, 0.5, -1.5, 0.0, -3.0, 7.0, np.nan, np.inf, 2.0, -1.0, 1.0])
INTS = np.array([0, 1, -1, 7, -7, 100, -128, 127, 5, -5, 3])
OTHERS = np.array([0, 2, -1, -3, 3, 0, -1, 7, 2, -2, 1])


def dtypes(usual: list[str], others: list[str]) -> list[Any]:
    """Dtypes to go through, `others` in the exhaustive tests only."""
    return [*usual, *(pytest.param(dtype, marks=pytest.mark.exhaustive) for dtype in others)]


DTYPES = dtypes(["f8", "f4", "f2", "i8", "i1", "u4", "?"], ["i4", "i2", "u8", "u2", "u1"])
#: For what is tried with numbers as well.
WITH_NUMBERS = dtypes(["f4", "i8", "u1"], ["f8", "f2", "i4"])


def sample(dtype: str, other: bool = False) -> np.ndarray[Any, Any]:
    if dtype[0] == "f":
        return (OTHER if other else FLOATS).astype(dtype)
    return (OTHERS if other else INTS).astype(dtype)


UNARY = [
    "negative",
    "positive",
    "absolute",
    "fabs",
    "sign",
    "square",
    "reciprocal",
    "floor",
    "ceil",
    "rint",
    "trunc",
    "invert",
    "logical_not",
    "isnan",
    "isfinite",
    "isinf",
    "signbit",
    "conjugate",
    "modf",
    "bitwise_count",
    "sqrt",
    "cbrt",
    "exp",
    "exp2",
    "expm1",
    "log",
    "log2",
    "log10",
    "log1p",
    "sin",
    "cos",
    "tan",
    "arcsin",
    "arccos",
    "arctan",
    "sinh",
    "cosh",
    "tanh",
    "arcsinh",
    "arccosh",
    "arctanh",
    "deg2rad",
    "rad2deg",
    "radians",
    "degrees",
]
BINARY = [
    "add",
    "subtract",
    "multiply",
    "true_divide",
    "floor_divide",
    "remainder",
    "fmod",
    "divmod",
    "maximum",
    "minimum",
    "fmax",
    "fmin",
    "equal",
    "not_equal",
    "less",
    "less_equal",
    "greater",
    "greater_equal",
    "logical_and",
    "logical_or",
    "logical_xor",
    "bitwise_and",
    "bitwise_or",
    "bitwise_xor",
    "left_shift",
    "right_shift",
    "copysign",
    "arctan2",
    "hypot",
    "logaddexp",
    "logaddexp2",
    "heaviside",
    "float_power",
    "nextafter",
]


def supported(name: str, *dtypes: str) -> bool:
    ufunc = getattr(np, name)
    try:
        ufunc.resolve_dtypes((*map(np.dtype, dtypes), *(None,) * ufunc.nout))
    except TypeError:
        return False
    if name == "nextafter":
        return not set(dtypes) & {"f2", "?", "i1", "u1"}
    return name != "reciprocal" or dtypes[0][0] == "f"


@pytest.mark.parametrize("name", UNARY)
@pytest.mark.parametrize("dtype", DTYPES)
def test_unary(name: str, dtype: str) -> None:
    if not supported(name, dtype):
        refuses(lambda np, x: getattr(np, name)(x), [sample(dtype)])
        return
    check(lambda np, x: getattr(np, name)(x), [sample(dtype)])


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize("dtype", DTYPES)
def test_binary(name: str, dtype: str) -> None:
    if not supported(name, dtype, dtype):
        refuses(lambda np, x, y: getattr(np, name)(x, y), [sample(dtype), sample(dtype, True)])
        return
    check(lambda np, x, y: getattr(np, name)(x, y), [sample(dtype), sample(dtype, True)])


@pytest.mark.parametrize(
    "pair", [("f4", "i8"), ("i4", "u4"), ("u8", "i8"), ("?", "f4"), ("i1", "?"), ("f2", "i2")]
)
@pytest.mark.parametrize(
    "name",
    [
        "add",
        "subtract",
        "multiply",
        "true_divide",
        "floor_divide",
        "remainder",
        "maximum",
        "less",
        "equal",
        "greater_equal",
    ],
)
def test_mixed_dtypes(name: str, pair: tuple[str, str]) -> None:
    # Which zero an extremum of zeros is depends on the vector unit.
    x, y = sample(pair[0])[:10], sample(pair[1], True)[:10]
    x, y = np.where(x == 0, x.dtype.type(0), x), np.where(y == 0, y.dtype.type(0), y)
    if not supported(name, *pair):
        return
    check(lambda np, x, y: getattr(np, name)(x, y), [x, y])
    check(lambda np, x, y: getattr(np, name)(x, y), [x[:, None], y])
    check(lambda np, x, y: getattr(np, name)(x, y), [x[3], y])
    check(lambda np, x, y: getattr(np, name)(x, y), [x[3], y[4]])


OPERATORS = {
    "add": lambda np, x, y: x + y,
    "sub": lambda np, x, y: x - y,
    "rsub": lambda np, x, y: y - x,
    "mul": lambda np, x, y: x * y,
    "truediv": lambda np, x, y: x / y,
    "floordiv": lambda np, x, y: x // y,
    "mod": lambda np, x, y: x % y,
    "rmod": lambda np, x, y: y % x,
    "divmod": lambda np, x, y: divmod(x, y),
    "lt": lambda np, x, y: x < y,
    "ge": lambda np, x, y: x >= y,
    "eq": lambda np, x, y: x == y,
    "ne": lambda np, x, y: y != x,
}


@pytest.mark.parametrize("name", OPERATORS)
@pytest.mark.parametrize("dtype", WITH_NUMBERS)
@pytest.mark.parametrize("number", [3, 2.5, True, np.float32(1.5), np.int8(3)])
def test_operators_with_numbers(name: str, dtype: str, number: Any) -> None:
    x = sample(dtype)[:9]
    function = OPERATORS[name]
    check(lambda np, x: function(np, x, number), [x])
    check(lambda np, x: function(np, x, number), [x[3]])
    if not isinstance(number, bool):
        check(function, [x, number])
        check(function, [x[4], number])


@pytest.mark.parametrize("exponent", [0, 1, 2, 3, 5, -1, -2, 0.5, 2.0, -1.5, 1.0, 0.0])
@pytest.mark.parametrize("dtype", WITH_NUMBERS)
def test_power(exponent: Any, dtype: str) -> None:
    x = sample(dtype)[:9]
    if dtype[0] != "f" and isinstance(exponent, int) and exponent < 0:
        refuses(lambda np, x: x**exponent, [x])
        return
    check(lambda np, x: x**exponent, [x])
    check(lambda np, x: np.power(x, exponent), [x[3:]])
    check(lambda np, x: x**exponent, [x[3]])
    if exponent != 0.5 and not (isinstance(exponent, int) and exponent < 0):
        check(lambda np, x, y: x**y, [x, exponent])


def test_power_of_arrays() -> None:
    check(lambda np, x, y: x**y, [np.array([2, 3, -3, 0]), np.array([5, 40, 63, 0])])
    check(lambda np, x, y: y**x, [np.array([2.0, 3.0]), 2])
    check(lambda np, x: 2**x, [np.array([2, 3, 62])])
    check(lambda np, x: 2.0**x, [np.array([2, 3, -62])])


@pytest.mark.parametrize("source", DTYPES)
@pytest.mark.parametrize("target", DTYPES)
def test_astype(source: str, target: str) -> None:
    x = sample(source)
    if source[0] == "f" and target in ("u4", "u8"):
        x = np.abs(x[:10])
    check(lambda np, x: x.astype(target), [x])
    check(lambda np, x: x.astype(target), [x[3]])


def test_casts_out_of_range() -> None:
    x = np.array([3e9, -3e9, 1e20, -1e20, 70000.2, -7e4, 300.7, 9.3e18, np.nan, -np.inf])
    for target in ("i8", "i4", "i2", "i1", "u2", "u1", "?"):
        check(lambda np, x, target=target: x.astype(target), [x])
        check(lambda np, x, target=target: x.astype(target), [x.astype("f4")])


@pytest.mark.parametrize(
    "function",
    [
        lambda np, x, y: np.add(x, y, out=x),
        lambda np, x, y: np.multiply(x, 2, out=y),
        lambda np, x, y: np.add(x, y, dtype=np.float64),
        lambda np, x, y: np.clip(x, -1, 2),
        lambda np, x, y: np.clip(x, None, y),
        lambda np, x, y: x.clip(0.5),
        lambda np, x, y: x.clip(min=0.5, max=2),
        lambda np, x, y: np.clip(x, 0.0, y, out=x),
        lambda np, x, y: np.where(x > 0, x, 0.0),
        lambda np, x, y: np.where(x > y, 1, y),
        lambda np, x, y: np.where(x, 1, 0),
        lambda np, x, y: np.where(x[0] > 0, 1.5, 2),
        lambda np, x, y: np.round(x, 2),
        lambda np, x, y: np.round(x),
        lambda np, x, y: x.round(1),
        lambda np, x, y: np.round(x, -1),
        lambda np, x, y: np.isclose(x, y),
        lambda np, x, y: np.allclose(x, y),
        lambda np, x, y: np.allclose(x, x, equal_nan=True),
        lambda np, x, y: np.array_equal(x, y),
        lambda np, x, y: np.nan_to_num(x),
        lambda np, x, y: np.nan_to_num(x, nan=1.0, posinf=2.0),
        lambda np, x, y: np.add.outer(x[:3], y[:2]),
        lambda np, x, y: np.sqrt(x[1]),
        lambda np, x, y: np.maximum(x[1], 0),
        lambda np, x, y: abs(-x),
        lambda np, x, y: +x,
        lambda np, x, y: np.float32(x[2]) + np.float64(1.5),
        lambda np, x, y: np.int64(x[4]),
        lambda np, x, y: np.int16(np.where(np.isfinite(x), x, 0)),
        lambda np, x, y: (x > 0) & (y > 0) | ~(x > 1),
        lambda np, x, y: (x > 0) ^ (y > 0),
        lambda np, x, y: [1.0] * 13 + x,
        lambda np, x, y: np.copysign(x, -1),
        lambda np, x, y: x.real,
        lambda np, x, y: np.pi * x,
        lambda np, x, y: np.sqrt(2.0),
    ],
)
def test_functions(function: Any) -> None:
    for dtype in ("f8", "f4"):
        check(function, [sample(dtype), sample(dtype, True)])
        check(function, [sample(dtype), sample(dtype, True)], symbolic=True, may_break=True)


@pytest.mark.parametrize("value", [300, -1])
def test_python_int_out_of_range(value: int) -> None:
    x = np.arange(3, dtype="u1")
    refuses(lambda np, x: x + value, [x])
    check(lambda np, x: np.clip(x, -1, 300), [x])
    for function in (lambda np, x: x < value, lambda np, x: x >= value, lambda np, x: value == x):
        check(function, [x])
        check(function, [x[0]])


def test_refused() -> None:
    x = np.arange(4)
    for function in (
        lambda np, x: np.add(x, 1.5, out=x),
        lambda np, x: np.add(x, x, where=x > 1),
        lambda np, x: x == None,  # noqa: E711
        lambda np, x: x + "a",
        lambda np, x: x + np.arange(3),
        lambda np, x: -(x > 1),
        lambda np, x: np.fft.fft(x),
        lambda np, x: np.random.rand(3),
        lambda np, x: x.astype(complex),
        lambda np, x: x.flags,
        lambda np, x: x.nothing,
        lambda np, x: [1] * x[0],
    ):
        refuses(function, [x])


def test_in_place() -> None:
    def function(np: Any, x: Any, y: Any) -> Any:
        x += y
        x *= 2
        x -= 1
        x /= 3
        y **= 2
        x[2:5] //= 2
        x %= 7
        return x

    check(function, [np.arange(6.0), np.arange(6, dtype="i4")])
    check(function, [np.arange(6, dtype="f4"), np.arange(6, dtype="i2")])

    def bits(np: Any, x: Any) -> Any:
        x |= 1
        x &= 7
        x ^= 2
        x <<= 1
        x >>= 2
        return x

    check(bits, [np.arange(6)])

    def scalar(np: Any, x: Any) -> Any:
        s = x[0]
        s += 1
        return s, x

    check(scalar, [np.arange(6)])

    def refused(np: Any, x: Any) -> Any:
        x += 0.5
        return x

    refuses(refused, [np.arange(3)])
