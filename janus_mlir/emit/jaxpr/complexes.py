"""Complex numbers: arrays of them are arrays of their parts, with real and imaginary part in a last dim of 2.

What moves elements is done to both parts; arithmetic is defined on pairs of real arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import jax.numpy as jnp
import numpy as np
from jax import lax

from janus_mlir.emit.jaxpr.keys import OVER_WORDS, STRUCTURAL
from janus_mlir.emit.jaxpr.registry import Rule
from janus_mlir.emit.jaxpr.tracing import Define, traced_rule
from janus_mlir.runtime.words import is_complex

__all__ = ["complex_rule"]

Pair = tuple[Any, Any]
F = TypeVar("F", bound=Callable[..., Any])
_RULES: dict[str, Rule] = {}
#: Primitives, besides those that move elements, that do the same to both parts.
_LINEAR = frozenset(("cumsum", "pad", "reduce_precision", "reduce_sum", "scatter_add"))
#: Lengths up to which a Fourier transform is one product with a matrix.
_DIRECT_LENGTH = 64
_LONGEST_PRIME = 1024


def complex_rule(primitive: str) -> Rule | None:
    """Return the import of a primitive on complex numbers, if there is one."""
    if primitive in STRUCTURAL or primitive.replace("-", "_") in _LINEAR:
        return OVER_WORDS
    return _RULES.get(primitive)


def _complex(variable: Any) -> bool:
    return is_complex(getattr(variable.aval, "dtype", None))


def _parts(variable: Any, value: Any) -> Pair:
    if _complex(variable):
        return value[..., 0], value[..., 1]
    part = jnp.float64 if getattr(value, "dtype", None) == np.float64 else jnp.float32
    return jnp.asarray(value, part), jnp.zeros((), part)


def _joined(pair: Pair) -> Any:
    real, imag = jnp.broadcast_arrays(*pair)
    return jnp.stack([real, imag], axis=-1)


def _defines(
    *names: str, accepts: Callable[[Any], bool] | None = None, own_derivative: bool = False
) -> Callable[[Define], Define]:
    """Register a definition; `own_derivative` says that it has points where its derivative is not that of JAX."""

    def register(define: Define) -> Define:
        for name in names:
            _RULES[name] = traced_rule(define, accepts=accepts, own_derivative=own_derivative)
        return define

    return register


def _elementwise(*names: str, own_derivative: bool = False) -> Callable[[F], F]:
    """Register a function of pairs; it returns a pair, or the real array that is the result."""

    def register(function: F) -> F:
        def define(eqn: Any) -> Callable[..., Any]:
            def on_words(*values: Any) -> Any:
                result = function(*(_parts(v, x) for v, x in zip(eqn.invars, values, strict=True)))
                return _joined(result) if isinstance(result, tuple) else result

            return on_words

        _defines(*names, own_derivative=own_derivative)(define)
        return function

    return register


# ---- parts ------------------------------------------------------------------------------------------------


@_defines("complex")
def _make(eqn: Any) -> Callable[..., Any]:
    return lambda real, imag: _joined((real, imag))


_elementwise("real")(lambda z: z[0])
_elementwise("imag")(lambda z: z[1])
_elementwise("conj")(lambda z: (z[0], -z[1]))


@_defines("convert_element_type")
def _convert(eqn: Any) -> Callable[..., Any]:
    (source,), (target,) = eqn.invars, eqn.outvars
    dtype = target.aval.dtype

    def convert(x: Any) -> Any:
        if not _complex(source):
            part = np.float64 if dtype == np.complex128 else np.float32
            real = lax.convert_element_type(x, part)
            return _joined((real, jnp.zeros_like(real)))
        if _complex(target):
            return x.astype(np.float64 if dtype == np.complex128 else np.float32)
        if dtype == np.bool_:
            return (x != 0).any(-1)
        return lax.convert_element_type(x[..., 0], dtype)

    return convert


# ---- arithmetic -----------------------------------------------------------------------------------------


@_elementwise("add", "add_any")
def _add(x: Pair, y: Pair) -> Pair:
    return x[0] + y[0], x[1] + y[1]


@_elementwise("sub")
def _sub(x: Pair, y: Pair) -> Pair:
    return x[0] - y[0], x[1] - y[1]


@_elementwise("neg")
def _neg(x: Pair) -> Pair:
    return -x[0], -x[1]


@_elementwise("mul")
def _mul(x: Pair, y: Pair) -> Pair:
    return x[0] * y[0] - x[1] * y[1], x[0] * y[1] + x[1] * y[0]


@_elementwise("square")
def _square(x: Pair) -> Pair:
    return _mul(x, x)


@_elementwise("div")
def _div(x: Pair, y: Pair) -> Pair:
    """Divide by the larger part of the divisor first, so that nothing overflows on the way."""
    (a, b), (c, d) = x, y
    by_real = jnp.abs(c) >= jnp.abs(d)
    large, small = jnp.where(by_real, c, d), jnp.where(by_real, d, c)
    ratio = small / large
    divisor = large + small * ratio
    real = jnp.where(by_real, a + b * ratio, a * ratio + b) / divisor
    imag = jnp.where(by_real, b - a * ratio, b * ratio - a) / divisor
    return real, imag


@_defines("integer_pow")
def _integer_pow(eqn: Any) -> Callable[..., Any]:
    exponent = eqn.params["y"]

    def power(words: Any) -> Any:
        square: Pair = (words[..., 0], words[..., 1])
        result: Pair = (jnp.ones_like(square[0]), jnp.zeros_like(square[0]))
        n = abs(exponent)
        while n:
            if n & 1:
                result = _mul(result, square)
            square = _mul(square, square) if n > 1 else square
            n >>= 1
        one = (jnp.ones_like(result[0]), jnp.zeros_like(result[0]))
        return _joined(_div(one, result) if exponent < 0 else result)

    return power


@_elementwise("abs", own_derivative=True)
def _abs(z: Pair) -> Any:
    x, y = jnp.abs(z[0]), jnp.abs(z[1])
    large, small = jnp.maximum(x, y), jnp.minimum(x, y)
    ratio = small / jnp.where(large == 0, 1, large)
    return jnp.where(jnp.isinf(large), large, large * jnp.sqrt(1 + ratio * ratio))


@_elementwise("sign", own_derivative=True)
def _sign(z: Pair) -> Pair:
    size = _abs(z)
    by = jnp.where(size == 0, 1, size)
    return z[0] / by, z[1] / by


_elementwise("eq")(lambda x, y: (x[0] == y[0]) & (x[1] == y[1]))
_elementwise("ne")(lambda x, y: (x[0] != y[0]) | (x[1] != y[1]))
_elementwise("is_finite")(lambda z: jnp.isfinite(z[0]) & jnp.isfinite(z[1]))


# ---- functions --------------------------------------------------------------------------------------------


@_elementwise("exp")
def _exp(z: Pair) -> Pair:
    size = jnp.exp(z[0])
    return size * jnp.cos(z[1]), size * jnp.sin(z[1])


@_elementwise("expm1")
def _expm1(z: Pair) -> Pair:
    half = jnp.sin(z[1] / 2)
    return jnp.expm1(z[0]) * jnp.cos(z[1]) - 2 * half * half, jnp.exp(z[0]) * jnp.sin(z[1])


@_elementwise("log", own_derivative=True)
def _log(z: Pair) -> Pair:
    return jnp.log(_abs(z)), jnp.arctan2(z[1], z[0])


@_elementwise("log1p")
def _log1p(z: Pair) -> Pair:
    return 0.5 * jnp.log1p(z[0] * (2 + z[0]) + z[1] * z[1]), jnp.arctan2(z[1], 1 + z[0])


@_elementwise("sqrt", own_derivative=True)
def _sqrt(z: Pair) -> Pair:
    size = jnp.sqrt((_abs(z) + jnp.abs(z[0])) / 2)
    other = z[1] / (2 * jnp.where(size == 0, 1, size))
    right = z[0] >= 0
    return jnp.where(right, size, jnp.abs(other)), jnp.where(right, other, jnp.copysign(size, z[1]))


@_elementwise("rsqrt", own_derivative=True)
def _rsqrt(z: Pair) -> Pair:
    root = _sqrt(z)
    return _div((jnp.ones_like(root[0]), jnp.zeros_like(root[0])), root)


@_elementwise("pow", own_derivative=True)
def _pow(x: Pair, y: Pair) -> Pair:
    zero = (x[0] == 0) & (x[1] == 0)
    logarithm = _log((jnp.where(zero, 1, x[0]), x[1]))
    real, imag = _exp(_mul(y, logarithm))
    at_zero = jnp.where((y[0] == 0) & (y[1] == 0), 1.0, 0.0).astype(real.dtype)
    return jnp.where(zero, at_zero, real), jnp.where(zero, 0, imag)


@_elementwise("sin")
def _sin(z: Pair) -> Pair:
    return jnp.sin(z[0]) * jnp.cosh(z[1]), jnp.cos(z[0]) * jnp.sinh(z[1])


@_elementwise("cos")
def _cos(z: Pair) -> Pair:
    return jnp.cos(z[0]) * jnp.cosh(z[1]), -jnp.sin(z[0]) * jnp.sinh(z[1])


@_elementwise("sinh")
def _sinh(z: Pair) -> Pair:
    return jnp.sinh(z[0]) * jnp.cos(z[1]), jnp.cosh(z[0]) * jnp.sin(z[1])


@_elementwise("cosh")
def _cosh(z: Pair) -> Pair:
    return jnp.cosh(z[0]) * jnp.cos(z[1]), jnp.sinh(z[0]) * jnp.sin(z[1])


@_elementwise("tanh")
def _tanh(z: Pair) -> Pair:
    real = jnp.clip(z[0], -40, 40)  # where it is one to the last digit, and nothing overflows
    divisor = jnp.cosh(2 * real) + jnp.cos(2 * z[1])
    return jnp.sinh(2 * real) / divisor, jnp.sin(2 * z[1]) / divisor


@_elementwise("tan")
def _tan(z: Pair) -> Pair:
    real, imag = _tanh((-z[1], z[0]))
    return imag, -real


@_elementwise("logistic")
def _logistic(z: Pair) -> Pair:
    real, imag = _tanh((z[0] / 2, z[1] / 2))
    return (1 + real) / 2, imag / 2


# ---- contractions and transforms ----------------------------------------------------------------------------


@_defines("dot_general")
def _dot_general(eqn: Any) -> Callable[..., Any]:
    numbers, precision = eqn.params["dimension_numbers"], eqn.params["precision"]

    def dot(x: Any, y: Any) -> Any:
        return lax.dot_general(x, y, numbers, precision=precision)

    def product(a: Any, b: Any) -> Any:
        x, y = _parts(eqn.invars[0], a), _parts(eqn.invars[1], b)
        if not _complex(eqn.invars[0]):
            return _joined((dot(a, y[0]), dot(a, y[1])))
        if not _complex(eqn.invars[1]):
            return _joined((dot(x[0], b), dot(x[1], b)))
        return _joined((dot(x[0], y[0]) - dot(x[1], y[1]), dot(x[0], y[1]) + dot(x[1], y[0])))

    return product


@_defines("reduce_prod", accepts=lambda eqn: all(isinstance(n, int) for n in eqn.invars[0].aval.shape))
def _reduce_prod(eqn: Any) -> Callable[..., Any]:
    axes, rank = tuple(eqn.params["axes"]), len(eqn.invars[0].aval.shape)
    kept = [axis for axis in range(rank) if axis not in axes]

    def product(x: Any) -> Any:
        """Multiply the halves of what is left until one factor is."""
        x = jnp.transpose(x, (*axes, *kept, rank))
        x = x.reshape(-1, *x.shape[len(axes) :])
        if not x.shape[0]:
            return _joined((jnp.ones_like(x[..., 0]).prod(0), jnp.zeros_like(x[..., 1]).sum(0)))
        while x.shape[0] > 1:
            half = x.shape[0] // 2
            a, b = x[:half], x[half : 2 * half]
            made = _joined(_mul((a[..., 0], a[..., 1]), (b[..., 0], b[..., 1])))
            x = jnp.concatenate([made, x[2 * half :]])
        return x[0]

    return product


def _factor(n: int) -> int:
    """Return the divisor of a length nearest to its root, 1 for a prime."""
    return max(d for d in range(1, int(n**0.5) + 1) if n % d == 0)


def _feasible(n: int) -> bool:
    if n <= _DIRECT_LENGTH:
        return n > 0
    divisor = _factor(n)
    return n <= _LONGEST_PRIME if divisor == 1 else _feasible(divisor) and _feasible(n // divisor)


def _is_static_transform(eqn: Any) -> bool:
    lengths = eqn.params["fft_lengths"]
    return all(isinstance(n, int) and _feasible(n) for n in lengths) and all(
        isinstance(extent, int) for extent in eqn.invars[0].aval.shape
    )


def _turns(rows: int, columns: int, n: int, sign: int, dtype: Any) -> Pair:
    """Return the powers ``exp(sign 2 pi i j k / n)`` for rows j and columns k."""
    angle = (np.outer(np.arange(rows), np.arange(columns)) % n) * (2 * np.pi / n)
    return jnp.asarray(np.cos(angle), dtype), jnp.asarray(sign * np.sin(angle), dtype)


def _along_last(z: Pair, sign: int) -> Pair:
    """Transform along the last axis, without a factor."""
    n = z[0].shape[-1]
    divisor = 1 if n <= _DIRECT_LENGTH else _factor(n)
    if divisor == 1:
        c, s = _turns(n, n, n, sign, z[0].dtype)
        return z[0] @ c - z[1] @ s, z[0] @ s + z[1] @ c
    other = n // divisor
    # Element j = other a + b, frequency k = c + divisor d.
    rows: Pair = tuple(x.reshape(*x.shape[:-1], divisor, other).swapaxes(-1, -2) for x in z)
    inner = _along_last(rows, sign)
    turned = _mul(inner, _turns(other, divisor, n, sign, z[0].dtype))
    outer = _along_last((turned[0].swapaxes(-1, -2), turned[1].swapaxes(-1, -2)), sign)
    return tuple(x.swapaxes(-1, -2).reshape(*x.shape[:-2], n) for x in outer)


def _transform(z: Pair, axes: Sequence[int], sign: int) -> Pair:
    for axis in axes:
        moved = _along_last((jnp.moveaxis(z[0], axis, -1), jnp.moveaxis(z[1], axis, -1)), sign)
        z = jnp.moveaxis(moved[0], -1, axis), jnp.moveaxis(moved[1], -1, axis)
    return z


@_defines("fft", accepts=_is_static_transform)
def _fft(eqn: Any) -> Callable[..., Any]:
    kind, lengths = eqn.params["fft_type"].name, eqn.params["fft_lengths"]
    axes = range(-len(lengths), 0)

    def transform(x: Any) -> Any:
        if kind == "RFFT":
            real, imag = _transform((x, jnp.zeros_like(x)), axes, -1)
            half = lengths[-1] // 2 + 1
            return _joined((real[..., :half], imag[..., :half]))
        z: Pair = (x[..., 0], x[..., 1])
        if kind == "FFT":
            return _joined(_transform(z, axes, -1))
        size = float(np.prod(lengths))
        if kind == "IFFT":
            real, imag = _transform(z, axes, 1)
            return _joined((real / size, imag / size))
        # The second half of what real numbers are transformed to is the conjugate of the first, turned round.
        z = _transform(z, axes[:-1], 1)
        last = slice(1, lengths[-1] - lengths[-1] // 2)
        real = jnp.concatenate([z[0], z[0][..., last][..., ::-1]], axis=-1)
        imag = jnp.concatenate([z[1], -z[1][..., last][..., ::-1]], axis=-1)
        return _along_last((real, imag), 1)[0] / size

    return transform
