"""Gradients of imperative functions: compiled against JAX run eagerly on the same function."""

from __future__ import annotations

import collections
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import equinox
import jax
import jax.numpy as jnp

from semantics.oracle import Box, Cases, mat, signed, small

cases = Cases()


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


@cases.add(
    lambda i: (
        collections.OrderedDict(b=small(2), a=collections.OrderedDict(d=small(3), c=small(1))),
        {"z": 1, "y": 2.0},
    )
)
def ordered_dicts(params, rest):
    def loss(p):
        parts = [p["b"], *p["a"].values()]
        order = collections.OrderedDict(y=parts[0], x=list(p))
        return sum(jnp.sum(part) * (i + 1) for i, part in enumerate(parts)), order

    doubled = jax.tree.map(lambda x: x * 2, params)
    return jax.value_and_grad(loss, has_aux=True)(params), doubled, list(rest), jax.tree.leaves(params)


@cases.add(
    lambda i: (collections.defaultdict(float, b=small(2), a=small(3)), collections.deque([small(2)])),
    compiled=False,
)
def other_containers(defaults, queue):
    def loss(p):
        return sum(jnp.sum(part) * (i + 1) for i, part in enumerate(p.values()))

    return jax.grad(loss)(defaults), jax.tree.map(lambda x: x * 2, queue)


class Pair(NamedTuple):
    first: Any
    second: Any


@cases.add(lambda i: (small(), small(start=2.0)))
def nested_trees(x, y):
    def loss(tree):
        pair, (a, rest) = tree
        return jnp.sum(pair.first * pair.second) + jnp.sum(a * rest[0] ** 2) * rest[1]

    return jax.grad(loss)((Pair(x, y), (x, [y, 2.0])))


@cases.add(lambda i: ([small(3, float(i)), small(3, 1.0), small(3, 2.0)],))
def extremes_of_lists(xs):
    def loss(xs):
        sums = [jnp.sum(x * x) for x in xs]
        low, *_, high = sorted(sums)
        best = max(xs, key=lambda x: x[0] * x[1])
        return max(sums) - 0.5 * min(sums) + low * high + jnp.sum(best**2) + max(xs[0]) * 3

    return jax.value_and_grad(loss)(xs)


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


@cases.add(lambda i: (small(),))
def argument_returned(x):
    (value, (same, twice)), slope = jax.value_and_grad(lambda w: (w[0], (w, w * 2)), has_aux=True)(x)
    return same is x, value, same, twice, slope, jax.value_and_grad(lambda v: v)(x[1])


@jax.tree_util.register_pytree_node_class
class Scaled:
    def __init__(self, array: Any, scale: float) -> None:
        self.array = array
        self.scale = scale

    def tree_flatten(self) -> Any:
        return (self.array,), self.scale

    @classmethod
    def tree_unflatten(cls, scale: float, children: Any) -> Any:
        return cls(*children, scale)


@cases.add(lambda i: ({"a": Scaled(signed(i), 2.0)},))
def own_nodes(tree):
    def loss(tree):
        node = tree["a"]
        if node.array.sum() > 0:
            return (node.array * node.scale).sum()
        return (node.array**2).sum()

    slope = jax.grad(loss)(tree)["a"]
    return slope.array, slope.scale


class Dense(equinox.Module):
    weight: Any
    bias: Any
    size: int = equinox.field(static=True)

    def __init__(self, n: int) -> None:
        self.weight = mat(n, n)
        self.bias = None
        self.size = n

    def __call__(self, x: Any) -> Any:
        return jnp.tanh(self.weight @ x) / self.size


@cases.add(lambda i: ([Dense(4), Dense(4)], signed(i)))
def equinox_modules(layers, x):
    def loss(layers):
        h = x
        for layer in layers:
            h = layer(h)
            if h.sum() < 0:
                h = h * 0.5
        return (h**2).sum()

    value, slopes = jax.value_and_grad(loss)(layers)
    return value, [(slope.weight, slope.bias, slope.size) for slope in slopes]


# ---- branches ---------------------------------------------------------------------------------------


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


@cases.add(lambda i: (mat(3, 3, start=float(i % 2)),))
def number_at_first(a):
    def loss(a):
        x, found = jnp.ones(3), 0.0
        for _ in range(40):
            y = a @ x
            new = jnp.sqrt((y * y).sum())
            x = y / new
            if jnp.abs(new - found) < 1e-4:
                break
            found = new
        return found

    return jax.value_and_grad(loss)(a)


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


def fibonacci(n: int, x: Any) -> Any:
    if n < 2:
        return x
    return fibonacci(n - 1, jnp.sin(x)) + 0.5 * fibonacci(n - 2, x)


@cases.add(lambda i: (small(), i % 5))
def branching_recursion(x, n):
    return jax.value_and_grad(lambda w: fibonacci(n, w).sum() + helper(w, n)[0])(x)


@cases.add(lambda i: (small(), i % 4))
def initial_values_used_again(x, n):
    def loss(w):
        def halves():
            y = w
            for _ in range(n):
                yield y
                y = y * 0.5

        return sum(jnp.sum(y**2) for y in halves()) + w[0]

    return jax.value_and_grad(loss)(x)


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


@cases.add(lambda i: (small(),))
def activations(x):
    def loss(w):
        cache, h = {}, w
        for name in ("first", "second", "third"):
            h = jnp.sin(h) * w
            cache[name] = h
            cache.setdefault("means", []).append(h.mean())
        total = 0.0
        for name, value in sorted(cache.items()):
            total = total + (sum(value) if name == "means" else (value**2).sum())
        return total

    return jax.value_and_grad(loss)(x)


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


test_gradients = cases.test()
