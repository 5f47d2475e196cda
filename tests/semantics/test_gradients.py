"""Gradients of imperative functions: compiled against JAX run eagerly on the same function."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import janus_mlir as janus
from semantics.oracle import Box, Cases, check, mat, vec

cases = Cases()


def small(n: int = 4, start: float = 1.0) -> Any:
    """Return a vector whose elements are around one."""
    return vec(n, start) / 4


# ---- straight lines ---------------------------------------------------------------------------------


@cases.add(lambda i: (small(), small(start=float(i))))
def straight(x, y):
    def loss(w):
        return jnp.sum(jnp.tanh(w * y) ** 2) + jnp.mean(w)

    return jax.value_and_grad(loss)(x)


@cases.add(lambda i: (mat(), mat(4, 2), small(2)))
def layers(x, w, b):
    def loss(w, b):
        h = jnp.maximum(x @ w + b, 0.0)
        return -jnp.mean(jax.nn.log_softmax(h)[:, 0])

    return jax.value_and_grad(loss, argnums=(0, 1))(w, b)


@cases.add(lambda i: ({"w": mat(4, 3), "b": small(3)}, mat(2, 4)))
def dict_params(params, x):
    def loss(p):
        return jnp.sum(jnp.sin(x @ p["w"] + p["b"]))

    value, slopes = jax.value_and_grad(loss)(params)
    return value, slopes["w"], slopes["b"], list(slopes)


@jax.tree_util.register_dataclass
@dataclass
class Layer:
    """Parameters with one field that is none."""

    w: Any
    b: Any
    power: int = field(default=2, metadata={"static": True})


@cases.add(lambda i: (Layer(mat(4, 3), small(3)), mat(2, 4)))
def dataclasses(layer, x):
    def loss(p):
        return jnp.sum(jnp.sin(x @ p.w + p.b) ** p.power)

    value, slopes = jax.value_and_grad(loss)(layer)
    return value, slopes.w, slopes.b, slopes.power


class Pair(NamedTuple):
    first: Any
    second: Any


@cases.add(lambda i: (small(), small(start=2.0)))
def nested_trees(x, y):
    def loss(tree):
        pair, (a, rest) = tree
        return jnp.sum(pair.first * pair.second) + jnp.sum(a * rest[0] ** 2) * rest[1]

    return jax.grad(loss)((Pair(x, y), (x, [y, 2.0])))


@cases.add(lambda i: (small(), 0.5 + i))
def python_floats(x, s):
    def loss(w, scale):
        return jnp.sum(w * scale) * scale

    return jax.value_and_grad(loss, (0, 1))(x, s)


@cases.add(lambda i: (small(),))
def has_aux(x):
    def loss(w):
        y = jnp.exp(w)
        return y.sum(), {"y": y, "n": 3, "pair": (w * 2, None)}

    (value, aux), slope = jax.value_and_grad(loss, has_aux=True)(x)
    only, again = jax.grad(loss, has_aux=True)(x)
    return value, aux["y"], aux["n"], aux["pair"], slope, only, again["y"]


@cases.add(lambda i: (small(),))
def negative_argnums(x):
    return jax.grad(lambda a, b: jnp.sum(a * b * b), argnums=-1)(x, x + 1)


# ---- branches ---------------------------------------------------------------------------------------


def signed(i: int) -> Any:
    return small() * (1 if i % 2 else -1)


@cases.add(lambda i: (signed(i),))
def branch(x):
    def loss(w):
        if jnp.sum(w) > 0:
            return jnp.sum(w * w)
        return jnp.sum(jnp.sin(w))

    return jax.value_and_grad(loss)(x)


@cases.add(lambda i: (signed(i), signed(i // 2)))
def branches(x, y):
    def loss(w, v):
        h = w * v
        if h.sum() > 0:
            h = jnp.exp(h)
            if v[0] > 0:
                h = h * w
        elif w[0] < 0:
            h = h + v
        else:
            h = -h
        return (h * v).sum()

    return jax.grad(loss, argnums=(0, 1))(x, y)


@cases.add(lambda i: (signed(i),))
def early_return(x):
    def loss(w):
        y = jnp.tanh(w)
        if y[0] > 0:
            return y.sum()
        z = y * w
        if z.max() > 100:
            return z.max()
        return jnp.sum(z) * 2

    return jax.value_and_grad(loss)(x)


@cases.add(lambda i: (signed(i),))
def ternary(x):
    def loss(w):
        s = w.sum()
        scale = w * 2 if s > 0 else w * w
        return jnp.sum(scale) if s > -100 and w[0] != 7 else s

    return jax.grad(loss)(x)


@cases.add(lambda i: (signed(i),))
def augmented(x):
    def loss(w):
        total = jnp.zeros(())
        total += w.sum()
        if w[0] > 0:
            total *= 3
            total -= w[1]
        total /= 2
        return total

    return jax.value_and_grad(loss)(x)


# ---- loops ------------------------------------------------------------------------------------------


@cases.add(lambda i: (small() / 8 + i % 3 * 0.01,))
def while_by_data(x):
    def loss(w):
        y = w
        while (y * y).sum() < 20:
            y = y * 2 + jnp.sin(w)
        return y.sum()

    return jax.value_and_grad(loss)(x)


@cases.add(lambda i: (small(), 3 + i % 4))
def counted(x, n):
    def loss(w):
        y = w
        for k in range(n):
            y = jnp.sin(y * w) + k
        return y.sum()

    return jax.value_and_grad(loss)(x)


@cases.add(lambda i: (small() + i % 2 * 0.3,))
def breaks(x):
    def loss(w):
        y = w
        for k in range(20):
            y = y + jnp.tanh(y) * w
            if y.max() > 4:
                break
            if y[0] < 0.5:
                continue
            y = y * 1.1
        return y.sum()

    return jax.value_and_grad(loss)(x)


@cases.add(lambda i: (mat(12, 4), small()))
def recurrent(rows, x):
    def loss(w):
        h = jnp.zeros(4)
        for row in rows:
            h = jnp.tanh(row * w + h)
        return (h * h).sum()

    return jax.value_and_grad(loss)(x)


@cases.add(lambda i: (mat(4, 4), small(), 4 + i % 3))
def recurrent_matrix(w, x, n):
    def loss(w):
        h = x
        for _ in range(n):
            h = jnp.tanh(h @ w)
        return (h * h).sum()

    return jax.value_and_grad(loss)(w)


@cases.add(lambda i: (small(),))
def list_of_intermediates(x):
    def loss(w):
        seen = []
        y = w
        for k in range(4):
            y = jnp.cos(y) * w
            seen.append(y.sum() * k)
        return sum(seen) + len(seen)

    return jax.value_and_grad(loss)(x)


@cases.add(lambda i: (small(), 2 + i % 2))
def nested_loops(x, n):
    def loss(w):
        y = w
        for k in range(n):
            z = y
            while z.max() < 3:
                z = z * 1.5 + w
            y = y + z / (k + 1)
        return jnp.log(y).sum()

    return jax.value_and_grad(loss)(x)


@cases.add(lambda i: (small(), i % 2))
def loop_with_branch(x, flag):
    def loss(w):
        y = w
        total = 0.0
        for k in range(9):
            if y.sum() > 3:
                y = jnp.sqrt(y) * 0.5
            else:
                y = y * w + 0.4 * flag
            total = total + y[k % 4]
        return total

    return jax.value_and_grad(loss)(x)


@cases.add(lambda i: (small(),))
def newton(x):
    def loss(a):
        root = a
        for _ in range(50):
            step = (root * root - a) / (2 * root)
            root = root - step
            if jnp.abs(step).max() < 1e-6:
                break
        return root.sum()

    return jax.value_and_grad(loss)(x)


# ---- values, objects, closures ----------------------------------------------------------------------


class Model:
    """A perceptron with its parameters as attributes."""

    def __init__(self) -> None:
        self.params = {"w": mat(4, 3), "b": small(3)}
        self.calls = 0

    def __call__(self, params: Any, x: Any) -> Any:
        return jnp.tanh(x @ params["w"] + params["b"])


def training() -> Iterator[Any]:
    model = Model()
    for i in range(9):
        yield model, mat(2, 4, start=float(i % 3))


@cases.world(lambda _: training())
def train_step(model, x):
    def loss(params):
        y = model(params, x)
        return (y * y).sum(), y

    (value, y), slopes = jax.value_and_grad(loss, has_aux=True)(model.params)
    model.params = {k: v - 0.1 * slopes[k] for k, v in model.params.items()}
    model.calls += 1
    return value, y


@cases.add(lambda i: (small(), Box(scale=2.0 + i % 2, table=[1.0, 2.0])))
def objects(x, box):
    def loss(w):
        return jnp.sum(w * box.scale + w * w * box.table[1])

    return jax.grad(loss)(x)


@cases.add(lambda i: (small(), small(start=float(i))))
def closures(x, y):
    scale = y.sum()

    def outer(k):
        def inner(w):
            return jnp.sum(jnp.sin(w * k) * scale)

        return inner

    return jax.grad(outer(2.0))(x), jax.grad(outer(y))(x)


def helper(x: Any, n: int) -> Any:
    if n == 0:
        return x
    return helper(jnp.sin(x) * x, n - 1)


@cases.add(lambda i: (small(),))
def recursion(x):
    return jax.value_and_grad(lambda w: helper(w, 4).sum())(x)


class Node:
    """A node of a binary tree."""

    def __init__(self, value: float, left: Any = None, right: Any = None) -> None:
        self.value = value
        self.left = left
        self.right = right


def tree_sum(node: Any, w: Any) -> Any:
    if node.left is None:
        return w * node.value
    return jnp.tanh(tree_sum(node.left, w) * w + tree_sum(node.right, w))


TREE = Node(1.0, Node(0.5), Node(2.0, Node(0.25), Node(1.5)))


@cases.add(lambda i: (small(),))
def trees(x):
    return jax.value_and_grad(lambda w: tree_sum(TREE, w).sum())(x)


@cases.add(lambda i: (signed(i), []))
def effects(x, seen):
    def loss(w):
        y = w * w
        if w[0] > 0:
            y = y * 2
        seen.append(3)
        print("loss")
        return y.sum()

    return jax.grad(loss)(x), len(seen)


@cases.add(lambda i: (small(),))
def default_arguments(x):
    def loss(w, scale=2.0, *, shift=1.0):
        return jnp.sum(w * scale + shift) ** 2

    return jax.grad(loss)(x), jax.grad(loss)(x, shift=3.0), jax.grad(loss)(x, 1.0)


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
        return w.max() + jnp.maximum(w, 3.0).sum() + jnp.minimum(w, w[::-1]).sum() + jnp.abs(w).sum()

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


@cases.add(lambda i: (mat(5, 4), small()))
def scan_inside(rows, x):
    def loss(w):
        def step(carry, row):
            carry = jnp.tanh(carry * row + w)
            return carry, carry.sum()

        last, sums = jax.lax.scan(step, w, rows)
        return last.sum() + (sums * sums).sum()

    return jax.value_and_grad(loss)(x)


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


# ---- the API outside of janus.jit ---------------------------------------------------------------------


def _loss(model: Any, x: Any) -> Any:
    h = x
    for k in range(3):
        h = jnp.tanh(h @ model.params["w"] + model.params["b"])
        if h.sum() > 100:
            return h.sum()
    return (h * h).sum() * model.scale


def test_attribute_paths() -> None:
    model = Box(params={"w": mat(4, 4), "b": small()}, scale=2.0)
    x = mat(2, 4)

    def by_jax(params: Any) -> Any:
        return _loss(Box(params=params, scale=2.0), x)

    value, slopes = jax.value_and_grad(by_jax)(model.params)
    step = janus.value_and_grad(_loss, wrt="model.params")
    original = model.params
    for _ in range(6):
        ours, gradients = step(model, x)
        assert model.params is original
        np.testing.assert_allclose(ours, value, rtol=1e-5)
        assert list(gradients) == ["b", "w"]
        for name in gradients:
            np.testing.assert_allclose(gradients[name], slopes[name], rtol=1e-4, atol=1e-6)


def test_attribute_paths_inside() -> None:
    def world(_: Any) -> Iterator[Any]:
        model = Box(params={"w": mat(4, 4), "b": small()}, scale=2.0)
        for i in range(8):
            yield model, mat(2, 4, start=float(i % 2))

    both = janus.value_and_grad(_loss, wrt=("model.params", "model.scale"))

    def step(model: Any, x: Any) -> Any:
        value, (slopes, scale) = both(model, x)
        model.params = {k: v - 0.01 * slopes[k] for k, v in model.params.items()}
        return value, scale

    check(step, world)


def test_outside_of_jit() -> None:
    def loss(w: Any, n: Any) -> Any:
        y = w
        while y.sum() < 50:
            y = y * 2 + n
        return y.sum()

    ours = janus.value_and_grad(loss)
    for i in range(7):
        x = small(start=float(i % 3 + 1))
        value, slope = ours(x, 1.0)
        expected, gradient = jax.value_and_grad(loss)(x, 1.0)
        np.testing.assert_allclose(value, expected, rtol=1e-6)
        np.testing.assert_allclose(slope, gradient, rtol=1e-6)
    again = jax.jit(jax.grad(lambda w: janus.grad(lambda v: jnp.sum(v**3))(w).sum()))(small())
    np.testing.assert_allclose(again, 6 * small(), rtol=1e-6)


def test_refuses() -> None:
    with pytest.raises(ValueError, match="no attribute"):
        janus.grad(_loss, wrt="model")
    with pytest.raises(TypeError):
        janus.grad(lambda w: w)(jnp.ones(2))
