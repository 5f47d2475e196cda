"""Functions over many sizes and element types: edges of tiles and vectors, empty arrays, narrow types."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from emit.corpus import Case
from jax import lax

__all__ = ["SIZES", "TYPES"]


def _array(shape: tuple[int, ...], dtype: Any = np.float32) -> np.ndarray[Any, Any]:
    rng = np.random.default_rng(len(shape) + sum(shape))
    if np.dtype(dtype) == np.bool_:
        return rng.integers(0, 2, shape).astype(np.bool_)
    if np.issubdtype(dtype, np.integer):
        info = np.iinfo(dtype)
        return rng.integers(max(info.min, -50), min(info.max, 50), shape).astype(dtype)
    return rng.standard_normal(shape).astype(dtype)


def _softmax_loss(w: Any, x: Any) -> Any:
    return jnp.mean(jax.nn.logsumexp(x @ w, axis=1) ** 2)


def _sizes() -> list[Case]:
    cases: list[Case] = []
    for n in (0, 1, 7, 33, 1000):
        v = _array((n,))
        cases += [
            (f"map_{n}", lambda x: jnp.tanh(x) * 2 + x, (v,)),
            (f"sum_{n}", jnp.sum, (v,)),
            (f"compare_{n}", lambda x: (x > 0) | jnp.isnan(x), (v,)),
            (f"cumsum_{n}", jnp.cumsum, (v,)),
            (f"concatenate_{n}", lambda x: jnp.concatenate([x, x[::2], x]), (v,)),
            (f"sort_{n}", jnp.sort, (v,)),
        ]
    for m, n in ((0, 3), (3, 0), (1, 1), (5, 17), (64, 64), (33, 130), (200, 3)):
        x = _array((m, n))
        cases += [
            (f"rows_{m}_{n}", lambda x: x.sum(1), (x,)),
            (f"columns_{m}_{n}", lambda x: x.sum(0), (x,)),
            (f"transpose_{m}_{n}", lambda x: x.T + 1, (x,)),
            (f"normalise_{m}_{n}", lambda x: (x - x.mean(0)) * lax.rsqrt(x.var(0) + 1e-3), (x,)),
        ]
        if n:
            cases += [
                (f"softmax_{m}_{n}", jax.nn.softmax, (x,)),
                (f"max_{m}_{n}", lambda x: x.max(1), (x,)),
                (f"argmax_{m}_{n}", lambda x: jnp.argmax(x, 1), (x,)),
            ]
    for m, k, n in ((1, 1, 1), (1, 300, 1), (5, 7, 9), (64, 64, 64), (65, 33, 130), (256, 8, 16), (3, 0, 4)):
        a, b = _array((m, k)), _array((k, n))
        cases += [
            (f"matmul_{m}_{k}_{n}", jnp.matmul, (a, b)),
            (f"matmul_nt_{m}_{k}_{n}", lambda a, b: a @ b.T, (a, b.T.copy())),
            (f"matmul_tn_{m}_{k}_{n}", lambda a, b: a.T @ b, (a.T.copy(), b)),
            (f"dense_{m}_{k}_{n}", lambda a, b: jax.nn.relu(a @ b + b.sum(0)), (a, b)),
        ]
        if k:
            cases.append((f"gradient_{m}_{k}_{n}", jax.grad(_softmax_loss), (b, a)))
    for batch in (1, 3):
        a, b = _array((batch, 4, 17, 8)), _array((batch, 4, 8, 19))
        cases.append((f"batched_{batch}", jnp.matmul, (a, b)))
    for size, channels in ((9, 1), (16, 5), (12, 16)):
        x, kernel = _array((2, size, size, channels)), _array((3, 3, channels, 8))
        for strides in ((1, 1), (2, 2)):

            def conv(x: Any, k: Any, strides: tuple[int, int] = strides) -> Any:
                return lax.conv_general_dilated(
                    x, k, strides, "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
                )

            def loss(k: Any, x: Any, conv: Any = conv) -> Any:
                return (conv(x, k) ** 2).mean()

            cases.append((f"conv_{size}_{channels}_{strides[0]}", conv, (x, kernel)))
            cases.append(
                (f"conv_gradient_{size}_{channels}_{strides[0]}", jax.grad(loss, (0, 1)), (kernel, x))
            )
    return cases


def _types() -> list[Case]:
    cases: list[Case] = []
    for name in (
        "bool",
        "int8",
        "int16",
        "int32",
        "uint8",
        "uint16",
        "uint32",
        "float16",
        "bfloat16",
        "float32",
    ):
        dtype = jnp.dtype(name)
        x = _array((5, 19), np.float32).astype(dtype) if name == "bfloat16" else _array((5, 19), dtype)
        y = x[::-1].copy()
        cases += [
            (f"identity_{name}", lambda x: x, (x,)),
            (f"where_{name}", lambda x, y: jnp.where(x == y, x, y), (x, y)),
            (f"max_{name}", lambda x, y: (jnp.maximum(x, y), x.max(0), jnp.argmax(x, 1)), (x, y)),
            (f"less_{name}", lambda x, y: (x < y, x >= y, x != y), (x, y)),
            (f"to_float_{name}", lambda x: x.astype(jnp.float32), (x,)),
            (f"to_int_{name}", lambda x: x.astype(jnp.int32), (x,)),
            (f"to_unsigned_{name}", lambda x: jnp.abs(x).astype(jnp.uint8), (x,)),
            (f"to_bool_{name}", lambda x: x.astype(bool), (x,)),
            (f"sort_{name}", lambda x: jnp.sort(x, 1), (x,)),
            (f"take_{name}", lambda x: x[jnp.array([3, 0])], (x,)),
            (f"pad_{name}", lambda x: jnp.pad(x, 1), (x,)),
            (f"scan_{name}", lambda x: lax.scan(lambda c, a: (a, c), x[0], x), (x,)),
            (f"cond_{name}", lambda x: lax.cond(x[0, 0] == x[1, 1], lambda v: v[0], lambda v: v[1], x), (x,)),
        ]
        if name == "bool":
            cases += [
                ("logic_bool", lambda x, y: (x & y, x | y, x ^ y, ~x, x.all(0), x.any(1)), (x, y)),
                ("sum_bool", lambda x: (x.sum(), x.mean()), (x,)),
            ]
            continue
        cases += [
            (f"arithmetic_{name}", lambda x, y: (x + y, x - y, x * y, -x), (x, y)),
            (f"sum_{name}", lambda x: (x.sum(), x.sum(0), x.prod(1)), (x,)),
            (f"sign_{name}", lambda x: (jnp.sign(x), jnp.abs(x)), (x,)),
            (f"cumsum_{name}", lambda x: jnp.cumsum(x, 1), (x,)),
            (f"scatter_{name}", lambda x: x.at[jnp.array([1, 1])].add(x[:2]), (x,)),
        ]
        if "float" in name:
            cases += [
                (f"division_{name}", lambda x, y: x / y, (x, y)),
                (f"elementary_{name}", lambda x: (jnp.exp(x), jnp.tanh(x), jnp.log(jnp.abs(x))), (x,)),
                (f"matmul_{name}", lambda x, y: x @ y.T, (x, y)),
                (f"softmax_{name}", jax.nn.softmax, (x,)),
            ]
        else:
            cases += [
                (f"division_{name}", lambda x, y: (x // (y | 1), x % (y | 1)), (x, y)),
                (f"division_by_zero_{name}", lambda x, y: (lax.div(x, y - y), lax.rem(x, y - y)), (x, y)),
                (f"shift_{name}", lambda x, y: (x << 1, x >> 2, lax.shift_left(x, y)), (x, y)),
                (f"bits_{name}", lambda x, y: (x & y, x | y, x ^ y, ~x, lax.population_count(x)), (x, y)),
                (f"matmul_{name}", lambda x, y: x @ y.T, (x, y)),
            ]
    return cases


SIZES: list[Case] = _sizes()
TYPES: list[Case] = _types()
