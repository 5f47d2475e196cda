"""Gradients: numerics, custom rules, higher order and functions of JAX; compiled against JAX run eagerly."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

import janus_mlir as janus
from semantics.oracle import Cases, mat, signed, small, vec

cases = Cases()


# ---- numerics ---------------------------------------------------------------------------------------


@cases.add(lambda i: (jnp.asarray([-1.0, 0.0, 2.0, 4.0]),))
def safe_where(x):
    def loss(w):
        positive = w > 0
        safe = jnp.where(positive, w, 1.0)
        return jnp.sum(jnp.where(positive, jnp.sqrt(safe), 0.0)) + jnp.log1p(jnp.abs(w)).sum()

    return jax.value_and_grad(loss)(x)


@cases.add(lambda i: (jnp.asarray([1.0, 3.0, 3.0, -2.0]),))
def ties(x):
    def loss(w):
        return (
            w.max()
            + w @ jnp.arange(4)
            + jnp.maximum(w, 3.0).sum()
            + jnp.minimum(w, w[::-1]).sum()
            + jnp.abs(w).sum()
        )

    return jax.value_and_grad(loss)(x)


@cases.add(lambda i: (mat(), jnp.asarray([0, 2, 2])))
def indexing(x, index):
    def loss(w):
        picked = w[index] * 2
        return (picked[:, 1:] ** 2).sum() + w[0, -1] * w[1].sum() + w.at[1].set(0.0).sum() + w.T[::2].prod()

    return jax.value_and_grad(loss)(x)


@cases.add(lambda i: (mat(), jnp.asarray([0, 2, 1])))
def cross_entropy(x, labels):
    def loss(w):
        logits = jax.nn.log_softmax(w)
        return -jnp.take_along_axis(logits, labels[:, None], 1).mean() + 0.1 * jax.nn.logsumexp(w)

    return jax.value_and_grad(loss)(x)


@cases.add(lambda i: (mat(3, 3) + 2 * jnp.eye(3),))
def reductions(x):
    def loss(w):
        return jnp.var(w) + jnp.linalg.norm(w) + jnp.cumsum(w, 1).prod() * 1e-3 + jnp.sort(w, 0)[0].sum()

    return jax.value_and_grad(loss)(x)


@cases.add(lambda i: (mat(3, 3, start=float(i)) + 5 * jnp.eye(3), small(3)))
def linear_algebra(a, y):
    def loss(a, y):
        x = jnp.linalg.solve(a, y)
        return (
            x.sum() + jnp.linalg.cholesky(a @ a.T)[2, 1] + jnp.linalg.slogdet(a)[1] * jnp.linalg.inv(a)[0, 1]
        )

    return jax.value_and_grad(loss, argnums=(0, 1))(a, y)


@cases.add(lambda i: (jnp.sin(mat(12, 3)), jnp.cos(3 * mat(5, 3)) + 0.1 * i))
def extremes_of_what_is_computed_twice(w, rows):
    def loss(w):
        h = jnp.zeros(4)
        for k in range(5):
            a, b, c = jnp.split(w @ rows[k], 3)
            h = jnp.tanh(a * h + b) * c + h
            h = (h - h.mean()) * jax.lax.rsqrt(h.var() + 1e-5)
        return h.max() - h.min() ** 2

    return jax.value_and_grad(loss)(w)


@jax.custom_jvp
def clipped(x: Any) -> Any:
    return jnp.clip(x, -1, 1)


@clipped.defjvp
def _clipped_jvp(primals: Any, tangents: Any) -> Any:
    return clipped(primals[0]), tangents[0] * 2.0


@jax.custom_vjp
def doubled(x: Any, y: Any) -> Any:
    return x * y


def _doubled_forward(x: Any, y: Any) -> Any:
    return x * y, (x, y)


def _doubled_backward(kept: Any, g: Any) -> Any:
    return 5.0 * g * kept[1], 7.0 * g * kept[0]


doubled.defvjp(_doubled_forward, _doubled_backward)


@cases.add(lambda i: (small(),))
def custom_jvp(x):
    return jax.value_and_grad(lambda w: jnp.sum(clipped(w * 2) * w))(x)


@cases.add(lambda i: (small(), small(start=2.0)))
def custom_vjp(x, y):
    return jax.value_and_grad(lambda a, b: jnp.sum(doubled(a * 2, b)), argnums=(0, 1))(x, y)


@cases.add(lambda i: (small(),))
def relu_and_friends(x):
    return jax.value_and_grad(lambda w: jnp.sum(jax.nn.relu(w - 0.5) + jax.nn.softplus(w) * jax.nn.silu(w)))(
        x
    )


# ---- higher order, functions of JAX -------------------------------------------------------------------


@cases.add(lambda i: (small(),))
def second_order(x):
    def loss(w):
        return jnp.sum(jnp.sin(w) * w)

    def slope(w):
        return jnp.sum(jax.grad(loss)(w) ** 2)

    return jax.value_and_grad(slope)(x)


@cases.add(lambda i: (signed(i),))
def second_order_branch(x):
    def loss(w):
        y = w * w * w
        if w[0] > 0:
            y = jnp.exp(y)
        for _ in range(3):
            y = jnp.tanh(y + w)
        return y.sum()

    return jax.grad(lambda w: (jax.grad(loss)(w) ** 2).sum())(x)


def power(n: int, x: Any) -> Any:
    return jnp.ones(()) if n == 0 else x * power(n - 1, x) + jnp.sin(x)


@cases.add(lambda i: (small(1)[0] + i, 3))
def second_order_recursion(x, n):
    return jax.value_and_grad(lambda t: jax.grad(lambda s: power(n, s))(t))(x)


@cases.add(lambda i: (signed(i), 0.3))
def through_descent(x, rate):
    def inner(w):
        return ((w - 1) ** 2).sum() if w.sum() > 0 else (w**4).sum()

    def loss(w):
        for _ in range(2):
            w = w - rate * jax.grad(inner)(w)
        return (w**2).sum()

    return jax.value_and_grad(loss)(x)


@cases.add(lambda i: (mat(5, 4), small()))
def scan_inside(rows, x):
    def loss(w):
        def step(carry, row):
            carry = jnp.tanh(carry * row + w)
            return carry, carry.sum()

        last, sums = jax.lax.scan(step, w, rows)
        return last.sum() + (sums * sums).sum()

    return jax.value_and_grad(loss)(x)


@cases.add(lambda i: (jnp.sin(mat(3, 3, 1.0 + i)) + 2 * jnp.eye(3), jnp.cos(mat(4, 2, 1.0 + i))))
def factorisations(x, y):
    def loss(a, b):
        q, r = jnp.linalg.qr(a)
        return jnp.sum(q[0] * a[1]) + jnp.sum(r**2) + jnp.linalg.norm(b, 2) + jnp.linalg.norm(b.T, "nuc")

    return jax.value_and_grad(loss, argnums=(0, 1))(x, y)


@cases.add(lambda i: (small(), 0.1))
def descent(x, rate):
    def loss(w):
        return jnp.sum((w - 1.0) ** 4)

    for _ in range(5):
        value, slope = jax.value_and_grad(loss)(x)
        if value < 1e-3:
            break
        x = x - rate * slope
    return x


@cases.add(lambda i: (vec(4 + i % 5) / 4,))
def dynamic_sizes(x):
    def loss(w):
        y = jnp.sin(w) * w.mean()
        return jnp.sum(y[1:] * y[:-1]) + y.max() + jax.nn.softmax(w)[0]

    return jax.value_and_grad(loss)(x)


@cases.add(lambda i: (small(),))
def own_functions(x):
    slope = janus.grad(lambda w: jnp.sum(w**3))(x)
    return janus.value_and_grad(lambda w, s: (jnp.sum(w * s), s), has_aux=True)(x, slope)


test_gradients = cases.test()
