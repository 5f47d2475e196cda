"""Kernels of elementary functions."""

from __future__ import annotations

import math

import numpy as np

from janus_mlir.capture.graph import Value
from janus_mlir.capture.numpy.kernel import KERNELS, Kernel, KernelFunction, kernel

_PRIMITIVES: tuple[tuple[np.ufunc, str], ...] = (
    (np.sqrt, "sqrt"),
    (np.cbrt, "cbrt"),
    (np.exp, "exp"),
    (np.exp2, "exp2"),
    (np.expm1, "expm1"),
    (np.log, "log"),
    (np.log1p, "log1p"),
    (np.sin, "sin"),
    (np.cos, "cos"),
    (np.tan, "tan"),
    (np.arcsin, "asin"),
    (np.arccos, "acos"),
    (np.arctan, "atan"),
    (np.sinh, "sinh"),
    (np.cosh, "cosh"),
    (np.tanh, "tanh"),
    (np.arcsinh, "asinh"),
    (np.arccosh, "acosh"),
    (np.arctanh, "atanh"),
)


def _primitive(name: str) -> KernelFunction:
    def function(k: Kernel, x: Value) -> Value:
        return k.unary(name, x)

    return function


for _ufunc, _name in _PRIMITIVES:
    KERNELS[_ufunc] = _primitive(_name)


def _logarithm(base: float) -> KernelFunction:
    def function(k: Kernel, x: Value) -> Value:
        result = k.mul(k.unary("log", x), k.like(x, 1.0 / math.log(base)))
        # Powers of the base have an integer for their logarithm, exactly, as in the C library.
        nearest = k.rint(result)
        power = k.binary("pow", k.like(x, base), nearest)
        return k.select(k.compare("eq", power, x), nearest, result)

    return function


KERNELS[np.log2] = _logarithm(2.0)
KERNELS[np.log10] = _logarithm(10.0)


@kernel(np.arctan2)
def arctan2(k: Kernel, y: Value, x: Value) -> Value:
    """Angle of a point."""
    return k.binary("atan2", y, x)


@kernel(np.hypot)
def hypot(k: Kernel, x: Value, y: Value) -> Value:
    """Length of a vector, without overflow on the way."""
    x, y = k.unary("abs", x), k.unary("abs", y)
    high, low = k.binary("max", x, y), k.binary("min", x, y)
    zero, one, infinity = k.like(x, 0.0), k.like(x, 1.0), k.like(x, math.inf)
    # NaN or zero in `high` makes the ratio meaningless; both are put right at the end.
    ratio = k.div(low, k.select(k.compare("eq", high, zero), one, high))
    result = k.mul(high, k.unary("sqrt", k.add(one, k.mul(ratio, ratio))))
    infinite = k.either(k.compare("eq", x, infinity), k.compare("eq", y, infinity))
    return k.select(infinite, infinity, result)


def _log_of_sum(k: Kernel, x: Value, y: Value, base2: bool) -> Value:
    difference = k.sub(x, y)
    scale = k.like(x, 1.0 / math.log(2.0))
    power = k.unary("exp2" if base2 else "exp", k.unary("neg", k.unary("abs", difference)))
    correction = k.unary("log1p", power)
    if base2:
        correction = k.mul(correction, scale)
    # `max` gives NaN if either is NaN; equal infinities have no difference.
    result = k.add(k.binary("max", x, y), correction)
    same = k.compare("eq", x, y)
    return k.select(same, k.add(x, k.like(x, 1.0 if base2 else math.log(2.0))), result)


@kernel(np.logaddexp)
def logaddexp(k: Kernel, x: Value, y: Value) -> Value:
    """Logarithm of a sum of exponentials."""
    return _log_of_sum(k, x, y, base2=False)


@kernel(np.logaddexp2)
def logaddexp2(k: Kernel, x: Value, y: Value) -> Value:
    """Logarithm of a sum of powers of two."""
    return _log_of_sum(k, x, y, base2=True)


def _scaled(factor: float) -> KernelFunction:
    def function(k: Kernel, x: Value) -> Value:
        return k.mul(x, k.like(x, factor))

    return function


KERNELS[np.deg2rad] = KERNELS[np.radians] = _scaled(math.pi / 180.0)
KERNELS[np.rad2deg] = KERNELS[np.degrees] = _scaled(180.0 / math.pi)


@kernel(np.heaviside)
def heaviside(k: Kernel, x: Value, at_zero: Value) -> Value:
    """Step function."""
    zero, one = k.like(x, 0.0), k.like(x, 1.0)
    step = k.select(k.compare("lt", x, zero), zero, k.select(k.compare("eq", x, zero), at_zero, one))
    return k.select(k.is_nan(x), x, step)
