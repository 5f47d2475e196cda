"""Factorisations and triangular systems of small matrices, as loops over columns.

Each is defined here in JAX, column by column, and imported by tracing. Large matrices are left to JAX, whose
library routines block for the cache.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jax.extend.core import jaxpr_as_fun

from janus_mlir.emit.extents import is_static
from janus_mlir.emit.jaxpr.tracing import by_tracing

#: Above this many rows a library routine wins by far.
_LARGEST = 64


def _is_small(eqn: Any) -> bool:
    matrix = eqn.invars[0].aval
    sizes = matrix.shape[-2:]
    is_real = jnp.issubdtype(matrix.dtype, jnp.floating)
    return is_real and all(is_static(n) and n <= _LARGEST for n in sizes)


def _batched(function: Callable[..., Any], ndim: int) -> Callable[..., Any]:
    for _ in range(ndim - 2):
        function = jax.vmap(function)
    return function


def _cholesky(a: Any) -> Any:
    """Return the lower factor; NaN throughout if the matrix is not positive definite."""
    n = a.shape[0]
    rows = jnp.arange(n)

    def column(j: Any, state: Any) -> Any:
        factor, definite = state
        rest = a[:, j] - factor @ factor[j]
        pivot = rest[j]
        values = jnp.where(rows >= j, rest / jnp.sqrt(pivot), 0)
        return factor.at[:, j].set(values), definite & (pivot > 0)

    factor, definite = lax.fori_loop(0, n, column, (jnp.zeros_like(a), jnp.array(True)))
    return jnp.where(definite, factor, jnp.nan)


@by_tracing("cholesky", accepts=_is_small)
def _define_cholesky(eqn: Any) -> Callable[..., Any]:
    return _batched(_cholesky, len(eqn.invars[0].aval.shape))


@by_tracing("triangular_solve", accepts=_is_small)
def _triangular_solve(eqn: Any) -> Callable[..., Any]:
    params = eqn.params
    left_side, unit = params["left_side"], params["unit_diagonal"]
    # x a = b is a^T x^T = b^T; a transposed lower triangle is an upper one.
    transpose = params["transpose_a"] == left_side
    lower = params["lower"] != transpose

    def solve(a: Any, b: Any) -> Any:
        a, b = (a.T if transpose else a), (b if left_side else b.T)
        n = a.shape[0]

        def row(step: Any, x: Any) -> Any:
            i = step if lower else n - 1 - step
            # Rows of x that are not solved yet are zero; the other triangle of `a` is not looked at.
            value = b[i] - jnp.where((jnp.arange(n) < i) == lower, a[i], 0).at[i].set(0) @ x
            return x.at[i].set(value if unit else value / a[i, i])

        x = lax.fori_loop(0, n, row, jnp.zeros_like(b))
        return x if left_side else x.T

    return _batched(solve, len(eqn.invars[0].aval.shape))


def _lu(a: Any) -> Any:
    """Return both factors in one matrix, the row swaps and the permutation, with partial pivoting."""
    m, n = a.shape
    rows, columns = jnp.arange(m), jnp.arange(n)

    def step(k: Any, state: Any) -> Any:
        a, swaps, permutation = state
        candidates = jnp.where(rows >= k, jnp.abs(a[:, k]), -1)
        pivot = jnp.argmax(candidates).astype(jnp.int32)
        order = jnp.where(rows == k, pivot, jnp.where(rows == pivot, k, rows))
        a, permutation = a[order], permutation[order]
        head = a[k, k]
        below = rows > k
        factors = jnp.where(below & (head != 0), a[:, k] / head, a[:, k])
        a = a.at[:, k].set(factors)
        update = jnp.where(below[:, None] & (columns > k)[None, :], factors[:, None] * a[k][None, :], 0)
        return a - update, swaps.at[k].set(pivot), permutation

    start = (a, jnp.zeros(min(m, n), jnp.int32), jnp.arange(m, dtype=jnp.int32))
    return lax.fori_loop(0, min(m, n), step, start)


@by_tracing("lu", accepts=_is_small)
def _define_lu(eqn: Any) -> Callable[..., Any]:
    return _batched(_lu, len(eqn.invars[0].aval.shape))


@by_tracing("lu_pivots_to_permutation", accepts=lambda eqn: len(eqn.invars[0].aval.shape) == 1)
def _permutation(eqn: Any) -> Callable[..., Any]:
    size = eqn.params["permutation_size"]

    def permutation(swaps: Any) -> Any:
        rows = jnp.arange(size, dtype=jnp.int32)

        def swap(k: Any, order: Any) -> Any:
            return order[jnp.where(rows == k, swaps[k], jnp.where(rows == swaps[k], k, rows))]

        return lax.fori_loop(0, swaps.shape[0], swap, rows)

    return permutation


@by_tracing("custom_linear_solve")
def _custom_linear_solve(eqn: Any) -> Callable[..., Any]:
    lengths, solve = eqn.params["const_lengths"], eqn.params["jaxprs"].solve
    first = lengths.matvec + lengths.vecmat

    def function(*args: Any) -> Any:
        constants = args[first : first + lengths.solve]
        right_hand_sides = args[first + lengths.solve + lengths.transpose_solve :]
        return jaxpr_as_fun(solve)(*constants, *right_hand_sides)

    return function
