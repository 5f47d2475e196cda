"""Factorisations and triangular systems of small matrices, as loops over columns.

Each is defined here in JAX, column by column, and imported by tracing. Large matrices are left to JAX, whose
library routines block for the cache.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.extend.core import jaxpr_as_fun

from janus_mlir.emit.extents import is_static
from janus_mlir.emit.jaxpr.registry import RULES
from janus_mlir.emit.jaxpr.tracing import by_tracing, traced_rule

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


def _qr(a: Any, full: bool) -> Any:
    """Return both factors by reflections, with the signs that LAPACK gives them."""
    m, n = a.shape
    rows = jnp.arange(m)

    def reflect(k: Any, state: Any) -> Any:
        q, r = state
        column = r[:, k]
        below = rows > k
        head, rest = column[k], jnp.where(below, column, 0)
        square = rest @ rest
        plain = square == 0  # nothing to reflect: the sign of what is there stays
        norm = jnp.sqrt(head * head + square)
        diagonal = jnp.where(head < 0, norm, -norm)
        v = jnp.where(below, column / jnp.where(plain, 1, head - diagonal), jnp.where(rows == k, 1, 0))
        tau = jnp.where(plain, 0, (diagonal - head) / jnp.where(plain, 1, diagonal))
        return q - tau * jnp.outer(q @ v, v), r - tau * jnp.outer(v, v @ r)

    q, r = lax.fori_loop(0, min(m, n), reflect, (jnp.eye(m, dtype=a.dtype), a))
    size = m if full else min(m, n)
    return q[:, :size], jnp.triu(r[:size])


def _is_plain_qr(eqn: Any) -> bool:
    return _is_small(eqn) and not eqn.params["pivoting"]


@by_tracing("qr", accepts=_is_plain_qr)
def _define_qr(eqn: Any) -> Callable[..., Any]:
    full = eqn.params["full_matrices"]
    return _batched(lambda a: _qr(a, full), len(eqn.invars[0].aval.shape))


#: Rounds of rotations, each over all pairs of columns, after which columns are taken for orthogonal.
_MAX_ROUNDS = 30


def _orthogonal_columns(a: Any) -> tuple[Any, Any]:
    """Return ``a @ v`` with orthogonal columns and the rotation `v`, by one-sided Jacobi iteration."""
    n = a.shape[1]
    left, right = (jnp.asarray(half) for half in np.triu_indices(n, 1))
    smallest = float(np.finfo(a.dtype).eps)

    def rotate(k: Any, state: Any) -> Any:
        a, v, worst = state
        p, q = left[k], right[k]
        x, y = a[:, p], a[:, q]
        product, scale = x @ y, jnp.sqrt((x @ x) * (y @ y))
        skew = jnp.abs(product) / jnp.where(scale > 0, scale, 1)
        done = (product == 0) | (skew <= smallest)
        ratio = (y @ y - x @ x) / (2 * jnp.where(done, 1, product))
        tangent = jnp.where(ratio < 0, -1, 1) / (jnp.abs(ratio) + jnp.sqrt(1 + ratio * ratio))
        tangent = jnp.where(done, 0, tangent)
        cosine = 1 / jnp.sqrt(1 + tangent * tangent)
        sine = cosine * tangent

        def turned(w: Any) -> Any:
            x, y = w[:, p], w[:, q]
            return w.at[:, p].set(cosine * x - sine * y).at[:, q].set(sine * x + cosine * y)

        return turned(a), turned(v), jnp.maximum(worst, jnp.where(done, 0, skew))

    def round_(state: Any) -> Any:
        a, v, _, count = state
        return (*lax.fori_loop(0, len(left), rotate, (a, v, jnp.zeros((), a.dtype))), count + 1)

    start = (a, jnp.eye(n, dtype=a.dtype), jnp.ones((), a.dtype), 0)
    a, v, _, _ = lax.while_loop(lambda s: (s[2] > smallest) & (s[3] < _MAX_ROUNDS), round_, start)
    return a, v


@jax.custom_vjp
def _singular_values(a: Any) -> Any:
    return _singular_vectors(a)[0]


def _singular_vectors(a: Any) -> tuple[Any, tuple[Any, Any]]:
    """Return the singular values, and both singular vectors to each."""
    wide = a.shape[0] < a.shape[1]
    columns, right = _orthogonal_columns(a.T if wide else a)
    values = jnp.sqrt(jnp.sum(columns * columns, axis=0))
    order = jnp.argsort(-values)
    values, columns, right = values[order], columns[:, order], right[:, order]
    left = columns / jnp.where(values > 0, values, 1)
    return values, ((right, left) if wide else (left, right))


def _pull_back(vectors: tuple[Any, Any], slopes: Any) -> tuple[Any]:
    left, right = vectors
    return ((left * slopes) @ right.T,)


_singular_values.defvjp(_singular_vectors, _pull_back)


def _only_values(eqn: Any) -> bool:
    """Whether no singular vectors are asked for, whose signs LAPACK chooses."""
    params = eqn.params
    return _is_small(eqn) and not params["compute_uv"] and params["subset_by_index"] is None


def _define_singular_values(eqn: Any) -> Callable[..., Any]:
    return _batched(lambda a: (_singular_values(a),), len(eqn.invars[0].aval.shape))


RULES["svd"] = traced_rule(_define_singular_values, accepts=_only_values, own_derivative=False)


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
