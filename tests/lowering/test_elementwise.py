"""Elementwise ops, element by element against XLA."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest
from jax import lax
from lowering.runner import check, run_function

FLOATS = [np.float32, np.float64, np.float16, ml_dtypes.bfloat16]
INTS = [np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64]

_SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, 2.5, -2.5, 3.0, np.inf, -np.inf, np.nan, 1e-3, 10.0, -7.25]


def _floats(dtype: Any, *, special: bool = True) -> Any:
    values = np.random.default_rng(0).standard_normal(20) * 2
    return np.concatenate([values, _SPECIAL if special else []]).astype(dtype)


def _ints(dtype: Any) -> Any:
    info = np.iinfo(dtype)
    values = [0, 1, 2, 3, 5, 7, 100, info.max, info.max - 1, info.min, info.min + 1, info.max // 3]
    if info.min < 0:
        values += [-1, -2, -7, -100]
    return np.array(values, dtype)


def _pairs(values: Any) -> tuple[Any, Any]:
    x, y = np.meshgrid(values, values)
    return x.copy(), y.copy()


_UNARY: dict[str, Callable[..., Any]] = {
    name: getattr(lax, name)
    for name in [
        "neg",
        "abs",
        "sign",
        "floor",
        "ceil",
        "exp",
        "exp2",
        "expm1",
        "log",
        "log1p",
        "sqrt",
        "rsqrt",
        "cbrt",
        "square",
        "sin",
        "cos",
        "tan",
        "asin",
        "acos",
        "atan",
        "sinh",
        "cosh",
        "tanh",
        "asinh",
        "acosh",
        "atanh",
        "logistic",
        "erf",
        "erfc",
        "erf_inv",
        "is_finite",
    ]
} | {
    "round_even": lambda x: lax.round(x, lax.RoundingMethod.TO_NEAREST_EVEN),
    "round_away": lambda x: lax.round(x, lax.RoundingMethod.AWAY_FROM_ZERO),
    "cube": lambda x: lax.integer_pow(x, 3),
    "power_7": lambda x: lax.integer_pow(x, 7),
    "power_minus_2": lambda x: lax.integer_pow(x, -2),
    "power_0": lambda x: lax.integer_pow(x, 0),
}


@pytest.mark.parametrize("dtype", FLOATS)
def test_unary(dtype: Any) -> None:
    x = _floats(dtype)
    # XLA rounds x * log(2) to bf16 before it takes exp2; the lowering computes in f32.
    loose = {4: 2e-5, 8: 1e-11, 2: 3e-2}[np.dtype(dtype).itemsize]
    check(lambda x: [f(x) for f in _UNARY.values()], x, tolerance=loose)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_gamma(dtype: Any) -> None:
    x = np.concatenate([_floats(dtype), np.linspace(-5.3, 12, 40).astype(dtype)])
    check(lambda x: [lax.lgamma(x), lax.digamma(x)], x, tolerance=1e-5 if dtype == np.float32 else 1e-11)


@pytest.mark.parametrize("dtype", FLOATS)
def test_binary_float(dtype: Any) -> None:
    x, y = _pairs(_floats(dtype)[10:])
    check(
        lambda x, y: [
            f(x, y)
            for f in (
                lax.add, lax.sub, lax.mul, lax.div, lax.rem, lax.max, lax.min, lax.pow, lax.atan2, lax.nextafter,
                lax.eq, lax.ne, lax.lt, lax.le, lax.gt, lax.ge,
            )
        ],
        x,
        y,
        tolerance={4: 1e-5, 8: 1e-12, 2: 2e-2}[np.dtype(dtype).itemsize],
    )  # fmt: skip


@pytest.mark.parametrize("dtype", INTS)
def test_binary_int(dtype: Any) -> None:
    x, y = _pairs(_ints(dtype))
    check(
        lambda x, y: [
            f(x, y)
            for f in (
                lax.add, lax.sub, lax.mul, lax.div, lax.rem, lax.max, lax.min, lax.bitwise_and, lax.bitwise_or,
                lax.bitwise_xor, lax.eq, lax.ne, lax.lt, lax.le, lax.gt, lax.ge, lax.shift_left,
                lax.shift_right_logical, lax.shift_right_arithmetic,
            )
        ],
        x,
        y,
    )  # fmt: skip
    check(
        lambda x: [
            lax.neg(x), jnp.abs(x), lax.sign(x), lax.square(x), lax.integer_pow(x, 5), lax.bitwise_not(x),
            lax.population_count(x), lax.clz(x),
        ],
        _ints(dtype),
    )  # fmt: skip


def test_bools() -> None:
    x, y = _pairs(np.array([False, True]))
    check(
        lambda x, y: [
            lax.bitwise_and(x, y), lax.bitwise_or(x, y), lax.bitwise_xor(x, y), lax.bitwise_not(x), lax.eq(x, y),
            lax.ne(x, y), lax.lt(x, y), lax.ge(x, y), lax.max(x, y), lax.min(x, y), lax.select(x, y, x),
        ],
        x,
        y,
    )  # fmt: skip


@pytest.mark.parametrize("dtype", [np.float32, np.int32, np.uint8, np.float16])
def test_selection(dtype: Any) -> None:
    x = _floats(dtype) if np.dtype(dtype).kind == "f" else _ints(dtype)
    y = x[::-1].copy()
    which = np.arange(x.size, dtype=np.int32) % 3
    check(
        lambda x, y, p, i: [
            lax.select(p, x, y),
            lax.select_n(i, x, y, x * y),
            lax.clamp(np.array(1, dtype), x, np.array(3, dtype)),
            lax.select_n(p[0], x, y),
        ],
        x,
        y,
        which == 1,
        which,
    )


_ALL = [np.bool_, *INTS, *FLOATS]


@pytest.mark.parametrize("dtype", _ALL)
def test_convert(dtype: Any) -> None:
    if dtype == np.bool_:
        x = np.array([True, False])
    elif np.dtype(dtype).kind in "iu":
        x = _ints(dtype)
    else:
        big = np.array(
            [1e10, -1e10, 3e4, -3e4, 200.7, -200.7, 2.0**31, -(2.0**31), 2.0**63, 65504, 65519.99, 65520]
        )
        x = np.concatenate([_floats(dtype), big.astype(dtype)])
    check(lambda x: [lax.convert_element_type(x, to) for to in _ALL], x, tolerance=0)


def test_narrow_double() -> None:
    # Values that a rounding to f32 on the way would carry over a tie.
    x = np.array([1 + 2.0**-11 + 2.0**-40, 1 + 2.0**-11 - 2.0**-40, 1 + 2.0**-8 + 2.0**-50, 1e300, 1e-300])
    with jax.enable_x64(True):
        half, brain = run_function(lambda x: [x.astype(np.float16), x.astype(ml_dtypes.bfloat16)], x)
    assert half.astype(np.float64).tolist() == x.astype(np.float16).astype(np.float64).tolist()
    assert brain.astype(np.float64)[:3].tolist() == [1.0, 1.0, 1 + 2.0**-7]


def test_bitcast() -> None:
    x = _floats(np.float32)[:16]
    check(
        lambda x: [
            lax.bitcast_convert_type(x, np.uint32), lax.bitcast_convert_type(x, np.int32),
            lax.bitcast_convert_type(x, np.uint8), lax.bitcast_convert_type(x, np.float16),
            lax.bitcast_convert_type(x.reshape(8, 2), np.uint64), lax.bitcast_convert_type(x.reshape(8, 2), np.float64),
        ],
        x,
        tolerance=0,
    )  # fmt: skip


@pytest.mark.parametrize("dtype", FLOATS)
def test_reduce_precision(dtype: Any) -> None:
    x = np.concatenate([_floats(dtype), np.array([1e30, 1e-30, 65519, 3.1415926, 1e-6]).astype(dtype)])
    formats = [(5, 10), (8, 7), (4, 3)] if np.dtype(dtype).itemsize > 2 else [(4, 3)]
    check(lambda x: [lax.reduce_precision(x, *f) for f in formats], x, tolerance=0)
