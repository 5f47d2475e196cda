"""Long sums in float32 are as accurate as NumPy's pairwise ones: 0.1 added up 50,000 times drifts by 1e-4 otherwise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import janus_mlir as janus

LONG = 50_000


def tenths(*shape: int) -> jax.Array:
    return jnp.full(shape, 0.1, jnp.float32)


def product(x: jax.Array, y: jax.Array) -> jax.Array:
    return x @ y


SUMS: dict[str, tuple[Callable[..., jax.Array], tuple[jax.Array, ...]]] = {
    "all": (lambda x: x.sum(), (tenths(LONG),)),
    "rows": (lambda x: x.sum(axis=1), (tenths(3, LONG),)),
    "columns": (lambda x: x.sum(axis=0), (tenths(LONG, 8),)),
    "odd columns": (lambda x: x.sum(axis=0), (tenths(LONG + 1, 3),)),
    "images": (lambda x: x.sum(axis=(0, 1, 2)), (tenths(5, 100, 100, 3),)),
    "squares": (lambda x: (x * x).sum(axis=0), (tenths(LONG, 8),)),
    "product": (product, (tenths(7, LONG), tenths(LONG, 16))),
    "transposed product": (lambda x, y: x.T @ y, (tenths(LONG, 7), tenths(LONG, 16))),
}


def exact(function: Callable[..., jax.Array], arguments: tuple[jax.Array, ...]) -> Any:
    with jax.enable_x64(True):
        return np.asarray(function(*(jnp.asarray(x, jnp.float64) for x in arguments)))


@pytest.mark.parametrize("name", SUMS)
def test_long_sums(name: str) -> None:
    function, arguments = SUMS[name]
    got = janus.jit(function, warmup=0)(*arguments)
    np.testing.assert_allclose(np.asarray(got), exact(function, arguments), rtol=4e-6)


def test_long_sums_of_lengths_known_at_run_time() -> None:
    @janus.jit(warmup=0)
    def total(x: jax.Array) -> jax.Array:
        return x.sum(axis=0)

    for length in (LONG, LONG + 7, 3, 257, LONG - 1):
        x = tenths(length, 5)
        np.testing.assert_allclose(np.asarray(total(x)), exact(lambda x: x.sum(axis=0), (x,)), rtol=4e-6)
    assert total.stats.compiled_calls >= 4
