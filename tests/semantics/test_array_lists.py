"""Lists of arrays that grow in loops which are loops at run time: values, identities, gradients."""

from __future__ import annotations

from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import janus_mlir as janus
from semantics.oracle import Box, Cases, mat, nmat, nvec, small, vec

cases = Cases()

#: More iterations than are unrolled here.
_LONG = 14


@pytest.fixture(autouse=True)
def unroll_few() -> Iterator[None]:
    """Make short loops long: eager JAX takes its time for each iteration."""
    with janus.config(unroll_limit=8):
        yield


def _steps(i: int, n: int = _LONG, m: int = 3) -> object:
    return mat(n, m, start=i - 3.0) / 50


def _nsteps(i: int, n: int = _LONG, m: int = 3) -> object:
    return nmat(n, m, start=i - 3.0) / 50


# ---- values ------------------------------------------------------------------------------------------


@cases.add(
    lambda i: (_steps(i), small(3)),
    lambda: (_steps(1, 5), small(3)),
    lambda: (_steps(1, m=2), small(2)),
    lambda: (_steps(1).astype(jnp.float16), small(3)),
)
def stack_states(x, h):
    outs = []
    for t in range(x.shape[0]):
        h = jnp.tanh(x[t] + h)
        outs.append(h)
    return jnp.stack(outs, axis=1), jnp.concatenate(outs), jnp.array(outs)[2], jnp.vstack(outs).sum(), h


@cases.add(
    lambda i: (_nsteps(i), nvec(3)),
    lambda: (_nsteps(1, 5), nvec(3)),
    lambda: (_nsteps(1), nvec(3, dtype=np.float32)),
)
def stack_numpy_states(x, h):
    outs = []
    for row in x:
        h = np.tanh(row + h)
        outs.append(h)
    return np.stack(outs, axis=1), np.array(outs), np.mean(outs), np.hstack(outs), outs[-1].sum(), len(outs)


@cases.add(lambda i: (_steps(i), small(3)), lambda: (_steps(1, 4), small(3)))
def trajectory(x, h):
    hs = [h]
    for t in range(len(x)):
        hs.append(jnp.tanh(x[t] + hs[-1]))
    squares = [a * a for a in hs[1:]]
    return jnp.stack(hs), sum(squares), len(hs), hs[0].sum(), hs[-2]


@cases.add(lambda i: (_steps(i), _steps(i + 1)), lambda: (_steps(1, 4), _steps(2, 4)))
def walk_over_items(x, y):
    outs, sums = [], []
    for a, b in zip(x, y, strict=True):
        outs.append(a * b)
        sums.append(jnp.sum(a + b))
    total, back = jnp.zeros(3), jnp.zeros(3)
    for k, (a, s) in enumerate(zip(outs, sums, strict=True)):
        total = total * 0.5 + a * s + k
    for a in reversed(outs):
        back = back * 0.5 + a
    return total, back, jnp.stack(sums), sum(outs)


@cases.add(lambda i: (_nsteps(i),), lambda: (_nsteps(1, 4),), lambda: (_nsteps(1) * 10,))
def pairs_of_arrays(x):
    pairs = []
    for t in range(len(x)):
        pairs.append((x[t] * 2, float(x[t].sum())))
    best = pairs[0][1]
    for _, value in pairs:
        if value > best:
            best = value
    return best, len(pairs), pairs[3][0].sum()


@cases.add(lambda i: (_nsteps(i), Box(trace=None)), lambda: (_nsteps(1, 4), Box(trace=[])))
def list_kept_outside(x, box):
    rows = []
    for t in range(len(x)):
        rows.append(x[t] * 2)
    box.trace = rows
    return len(rows)


@cases.add(lambda i: (_nsteps(i), 4), lambda: (_nsteps(1), 2))
def nested_growth(x, n):
    outs = []
    for k in range(n):
        h = np.zeros(3)
        for row in x:
            h = h * 0.5 + row
        outs.append(h + k)
    return np.stack(outs)


@cases.add(
    lambda i: (_steps(i, _LONG - i % 3), small(3)),
    lambda: (_steps(1, 2 * _LONG), small(3)),
    lambda: (_steps(1, 2), small(3)),
)
def stack_of_any_length(x, h):
    hs = [h]
    for row in x:
        hs.append(jnp.tanh(row + hs[-1]))
    return jnp.stack(hs), jnp.concatenate([a * 2 for a in hs]), len(hs)


@cases.add(lambda i: (_nsteps(i, _LONG - i % 3), nvec(3)), lambda: (_nsteps(1, 2 * _LONG), nvec(3)))
def numpy_stack_of_any_length(x, h):
    outs = []
    for t in range(len(x)):
        h = np.tanh(x[t] + h)
        outs.append(h)
    return np.stack(outs, axis=1), np.array(outs), outs[-1].sum()


# ---- one array, several names --------------------------------------------------------------------------


@cases.add(lambda i: (_steps(i, 7), small(3)), lambda: (_steps(1, 5), small(3)))
def short_list_and_last(x, h):
    outs = []
    for t in range(x.shape[0]):
        outs.append(h)
        h = jnp.tanh(jnp.sin(x[t]) + jnp.cos(h) * 2 - 1)
    outs.append(h)
    return outs, h


@cases.add(lambda i: (_steps(i), small(3)), compiled=False)
def list_and_last(x, h):
    outs = []
    for t in range(x.shape[0]):
        h = jnp.tanh(x[t] + h)
        outs.append(h)
    return outs, h


@cases.add(lambda i: (_nsteps(i), nvec(3)), compiled=False)
def changed_after_append(x, h):
    outs = []
    for row in x:
        h = h + row
        outs.append(h)
        h *= 0.5
    return np.stack(outs)


@cases.add(lambda i: (_nsteps(i), nvec(3)), compiled=False)
def changed_in_next_iteration(x, h):
    outs = []
    h = h * 2
    for row in x:
        h *= 0.5
        h = h + row
        outs.append(h)
    return np.stack(outs)


@cases.add(lambda i: (_nsteps(i),), compiled=False)
def one_array_many_times(x):
    zero = np.zeros(3)
    outs = []
    for _ in x:
        outs.append(zero)
    return outs


@cases.add(lambda i: (_steps(i), small(3)), compiled=False)
def sometimes_the_same(x, h):
    outs = []
    for row in x:
        if jnp.sum(row) > 0:
            h = h + row
        outs.append(h)
    return outs


@cases.add(lambda i: (_steps(i), small(3)), compiled=False)
def is_last(x, h):
    outs = []
    for row in x:
        h = h + row
        outs.append(h)
    return outs[-1] is h, outs[0] is outs[1], outs[-1] is outs[-1]


@cases.add(lambda i: (_steps(i), small(3)), compiled=False)
def item_twice(x, h):
    outs = []
    for row in x:
        h = h + row
        outs.append(h)
    return outs[3], outs[3]


@cases.add(lambda i: (_steps(i),), compiled=False)
def two_lists_of_one(x):
    outs, same = [], []
    for row in x:
        row = row * 2
        outs.append(row)
        same.append(row)
    return outs, same, list(outs)


@cases.add(lambda i: (_nsteps(i),), compiled=False)
def change_inner_list(x):
    rows = []
    for t in range(len(x)):
        rows.append([x[t] * 2, 0])
    rows[1][1] = 5
    row = rows[2]
    row.append(7)
    return len(rows[2]), rows[1][1]


# ---- items that no tensor holds ------------------------------------------------------------------------


@cases.add(
    lambda i: ([vec(3), vec(4), vec(5)], [mat(3, 4), mat(4, 5), mat(5, 2)]), lambda: ([vec(3)], [mat(3, 4)])
)
def items_of_all_shapes(rows, weights):
    outs = []
    for t in range(len(rows)):
        outs.append(jnp.tanh(rows[t] @ weights[t]).sum() + jnp.exp(-jnp.abs(rows[t])).sum())
    return jnp.stack(outs)


@cases.add(lambda i: (_steps(i, 8, 5),), lambda: (_steps(1, 3, 5),))
def growing_items(x):
    outs, h = [], jnp.zeros(1)
    for t in range(x.shape[0]):
        h = jnp.concatenate([h, jnp.sin(x[t, :1]) * jnp.cos(x[t, 1:2]) + jnp.exp(-x[t, 2:3]) - x[t, 3:4]])
        outs.append(h)
    return outs[-1], len(outs)


# ---- gradients -----------------------------------------------------------------------------------------


@cases.add(
    lambda i: (mat(3, 3) / 9, _steps(i, _LONG - i % 2), small(3)),
    lambda: (mat(3, 3) / 9, _steps(1, 5), small(3)),
)
def gradient_of_stack(w, x, h):
    def loss(w, h):
        outs = []
        for t in range(x.shape[0]):
            h = jnp.tanh(x[t] @ w + h)
            outs.append(h)
        return jnp.sum(jnp.stack(outs, axis=1) ** 2)

    return jax.value_and_grad(loss, argnums=(0, 1))(w, h)


@cases.add(lambda i: (mat(3, 3) / 9, _steps(i), small(3)), lambda: (mat(3, 3) / 9, _steps(1, 5), small(3)))
def gradient_through_items(w, x, h):
    def loss(w, x, h):
        hs = [h]
        for t in range(x.shape[0]):
            hs.append(jnp.tanh(x[t] @ w + hs[-1] * hs[t // 2]))
        weighted = [a * k for k, a in enumerate(hs)]
        return jnp.sum(hs[7] * hs[-1]) + sum(jnp.mean(a) for a in weighted) / 100

    return jax.grad(loss, argnums=(0, 1, 2))(w, x, h)


test_program = cases.test()
