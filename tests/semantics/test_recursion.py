"""Recursive functions and loops over live objects, compared with plain Python."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

import janus_mlir as janus

from .oracle import Box, Cases, check, nvec, vec

cases = Cases()


class Node:
    """A node of a binary tree."""

    def __init__(self, value: Any, left: Any = None, right: Any = None) -> None:
        self.value = value
        self.left = left
        self.right = right


class Slotted:
    """A node whose attributes are slots."""

    __slots__ = ("left", "right", "value")

    def __init__(self, value: Any, left: Any = None, right: Any = None) -> None:
        self.value, self.left, self.right = value, left, right


class Leaf:
    """A leaf of an expression."""

    def __init__(self, value: float) -> None:
        self.value = value

    def evaluate(self, x: float) -> float:
        return self.value * x


class Add:
    """A sum."""

    def __init__(self, a: Any, b: Any) -> None:
        self.a, self.b = a, b

    def evaluate(self, x: float) -> float:
        return self.a.evaluate(x) + self.b.evaluate(x)


class Neg:
    """A negation."""

    def __init__(self, a: Any) -> None:
        self.a = a

    def evaluate(self, x: float) -> float:
        return -self.a.evaluate(x)


class Many:
    """A node with any number of children."""

    def __init__(self, value: Any, *children: Any) -> None:
        self.value = value
        self.children = list(children)


def grown(seed: int, depth: int = 4, value: Any = int, cls: type = Node) -> Any:
    """Return a random binary tree."""
    rng = random.Random(seed)

    def grow(depth: int) -> Any:
        left, right = None, None
        if depth > 0 and rng.random() < 0.8:
            left, right = grow(depth - 1), grow(depth - 1)
        return cls(value(rng.randint(-9, 9)), left, right)

    return grow(depth)


def bush(seed: int, depth: int = 3, value: Any = int) -> Many:
    """Return a random tree with up to three children a node."""
    rng = random.Random(seed)

    def grow(depth: int) -> Many:
        count = rng.randint(0, 3) if depth else 0
        return Many(value(rng.randint(-9, 9)), *(grow(depth - 1) for _ in range(count)))

    return grow(depth)


def chain(n: int, value: Any = int) -> Any:
    """Return a linked list of n nodes."""
    node = None
    for i in range(n):
        node = Node(value(i), node)
    return node


def row(number: float) -> Any:
    """Return a JAX vector."""
    return vec(3, float(number))


def nrow(number: float) -> Any:
    """Return a NumPy vector."""
    return nvec(3, float(number))


# ---- numbers ------------------------------------------------------------------------------------------


@cases.add(lambda n: n % 12, lambda: 91, lambda: True)
def fib(n: int) -> int:
    if n < 2:
        return n
    return fib(n - 1) + fib(n - 2) if n < 40 else n


@cases.add(lambda n: (n + 3, n + 9))
def gcd(a: int, b: int) -> int:
    return a if b == 0 else gcd(b, a % b)


@cases.add(lambda n: (n % 3, n % 4))
def ackermann(m: int, n: int) -> int:
    if m == 0:
        return n + 1
    if n == 0:
        return ackermann(m - 1, 1)
    return ackermann(m - 1, ackermann(m, n - 1))


@cases.add(lambda n: n % 20, lambda: 30)
def factorial(n: int) -> int:
    return 1 if n <= 1 else n * factorial(n - 1)


@cases.add(lambda n: (1.5 + n, n % 7))
def power(x: float, n: int) -> float:
    if n == 0:
        return 1.0
    half = power(x, n // 2)
    return half * half * (x if n % 2 else 1.0)


@cases.add(lambda n: n % 9)
def even(n: int) -> bool:
    return True if n == 0 else odd(n - 1)


def odd(n: int) -> bool:
    return False if n == 0 else even(n - 1)


@cases.add(lambda n: n % 6)
def divided(n: int) -> tuple[int, int]:
    if n == 0:
        return 0, 1
    a, b = divided(n - 1)
    return b, a + b


@cases.add(lambda n: (n % 5, vec(3)))
def iterated(n: int, x: Any) -> Any:
    if n == 0:
        return x
    return iterated(n - 1, jnp.tanh(x) + 1.0)


@cases.add(lambda n: n % 7)
def closure(n: int) -> int:
    step = n + 1

    def inner(k: int) -> int:
        return 0 if k == 0 else step + inner(k - 1)

    return inner(n)


# ---- trees ---------------------------------------------------------------------------------------------


@cases.add(lambda n: grown(n), lambda: None, lambda: Node(2**62, Node(2**62, None, None), None))
def total(node: Any) -> int:
    if node is None:
        return 0
    return node.value + total(node.left) + total(node.right)


def slotted(node: Any) -> int:
    return 0 if node is None else node.value + slotted(node.left) + slotted(node.right)


@cases.add(lambda n: grown(n, value=row), lambda: Node(vec(4), None, None))
def embedded(node: Any) -> Any:
    if node.left is None:
        return node.value
    return jnp.tanh(embedded(node.left) + 0.5 * embedded(node.right))


@cases.add(lambda n: grown(n, value=nrow), lambda: Node(nvec(3, dtype=np.float32), None, None))
def numpied(node: Any) -> Any:
    if node.left is None:
        return node.value
    return np.maximum(numpied(node.left), -numpied(node.right))


@cases.add(lambda n: (vec(20), grown(n, value=abs)))
def looked_up(table: Any, node: Any) -> Any:
    here = table[node.value]
    if node.left is None:
        return here
    return here + looked_up(table, node.left) * looked_up(table, node.right)


@cases.add(lambda n: grown(n))
def depth(node: Any) -> int:
    if not node:
        return 0
    return 1 + max(depth(node.left), depth(node.right))


@cases.add(lambda n: (grown(n), 0))
def weighted(node: Any, level: int) -> float:
    if node is None:
        return 0.0
    return node.value / (1 + level) + weighted(node.left, level + 1) + weighted(node.right, level + 1)


@cases.add(lambda n: (Add(Leaf(1.0 * n), Neg(Add(Leaf(2.0), Leaf(3.0)))) if n % 2 else Neg(Leaf(1.5)), 2.0))
def evaluated(tree: Any, x: float) -> float:
    return tree.evaluate(x)


@cases.add(lambda n: (Add(Leaf(1.0 * n), Neg(Add(Leaf(2.0), Leaf(3.0)))) if n % 2 else Neg(Leaf(1.5)), 2.0))
def dispatched(tree: Any, x: float) -> float:
    if isinstance(tree, Leaf):
        return tree.value * x
    if isinstance(tree, Neg):
        return -dispatched(tree.a, x)
    return dispatched(tree.a, x) + dispatched(tree.b, x)


@cases.add(lambda n: bush(n))
def many(node: Any) -> int:
    result = node.value
    for child in node.children:
        result += many(child)
    return result


@cases.add(lambda n: bush(n, value=row))
def child_sum(node: Any) -> Any:
    state = jnp.zeros(3)
    for child in node.children:
        state = state + child_sum(child)
    return jnp.tanh(state + node.value)


@cases.add(lambda n: bush(n))
def counted(node: Any) -> int:
    result = len(node.children)
    for i in range(len(node.children)):
        result += counted(node.children[i])
    return result


@cases.add(lambda n: ((1, (2, None, None), (3, (4, None, None), None)) if n % 2 else (5, None, None),))
def of_tuples(tree: Any) -> int:
    if tree is None:
        return 0
    return tree[0] + of_tuples(tree[1]) + of_tuples(tree[2])


@cases.add(lambda n: {"value": n, "left": {"value": 2, "left": None, "right": None}, "right": None})
def of_dicts(tree: Any) -> int:
    if tree is None:
        return 0
    return tree["value"] + of_dicts(tree["left"]) + of_dicts(tree["right"])


@cases.add(
    lambda n: Node("+", Node("k", None, None), Node("*", Node("k"), Node("k"))) if n % 2 else Node("k")
)
def operated(node: Any) -> int:
    if node.value == "+":
        return operated(node.left) + operated(node.right)
    if node.value == "*":
        return operated(node.left) * operated(node.right)
    return 3


@cases.add(lambda n: (Box(w=jnp.eye(3) * 0.5), grown(n, value=row)))
def with_model(model: Any, node: Any) -> Any:
    if node.left is None:
        return jnp.tanh(node.value)
    return jnp.tanh((with_model(model, node.left) + with_model(model, node.right)) @ model.w)


class Encoder:
    """A model with a recursive method."""

    def __init__(self) -> None:
        self.scale = jnp.float32(0.5)
        self.calls = 0

    def encode(self, node: Any) -> Any:
        if node.left is None:
            return node.value * self.scale
        return self.encode(node.left) + self.encode(node.right)


@cases.add(lambda n: (Encoder(), grown(n, value=row)))
def method(model: Any, node: Any) -> Any:
    return model.encode(node) * 2.0


@cases.add(lambda n: grown(n))
def found(node: Any) -> Any:
    """Return the leftmost node."""
    if node.left is None:
        return node
    return found(node.left)


# ---- effects --------------------------------------------------------------------------------------------


@cases.add(lambda n: (grown(n), []))
def flattened(node: Any, out: list[Any]) -> None:
    if node is None:
        return
    flattened(node.left, out)
    out.append(node.value)
    flattened(node.right, out)


@cases.add(lambda n: (grown(n), Box(nodes=n)))
def counting(node: Any, box: Any) -> int:
    box.nodes += 1
    if node.left is None:
        return 1
    return counting(node.left, box) + counting(node.right, box)


@cases.add(lambda n: grown(n))
def printed(node: Any) -> int:
    print("visit", node.value)
    if node.left is None:
        return node.value
    return printed(node.left) - printed(node.right)


@cases.add(lambda n: grown(n), compiled=False)
def marked(node: Any) -> int:
    if node is None:
        return 0
    node.value += 1
    return node.value + marked(node.left) + marked(node.right)


@cases.add(lambda n: grown(n))
def annotated(node: Any) -> int:
    if node is None:
        return 0
    result = node.value + annotated(node.left) + annotated(node.right)
    node.size = result
    return result


@cases.add(lambda n: (n % 8, {}), compiled=False)
def memoised(n: int, memo: dict[int, int]) -> int:
    if n < 2:
        return n
    if n not in memo:
        memo[n] = memoised(n - 1, memo) + memoised(n - 2, memo)
    return memo[n]


# ---- loops ------------------------------------------------------------------------------------------------


@cases.add(lambda n: chain(3 + n % 5))
def walked(node: Any) -> int:
    result = 0
    while node is not None:
        result += node.value
        node = node.left
    return result


@cases.add(lambda n: chain(3 + n % 5, value=row))
def walked_arrays(node: Any) -> Any:
    state = jnp.zeros(3)
    while node is not None:
        state = jnp.tanh(state + node.value)
        node = node.left
    return state


@cases.add(lambda i: (np.arange(6.0) + i,), lambda: (np.arange(1.0),), lambda: (np.arange(5.0),))
def halves_of_an_array(x):
    if len(x) <= 1:
        return x.sum()
    return halves_of_an_array(x[: len(x) // 2]) + halves_of_an_array(x[len(x) // 2 :])


# ---- batches --------------------------------------------------------------------------------------------


def batch(n: int, count: int, value: Any = row) -> list[Any]:
    """Return trees of different shapes."""
    return [grown(7 * n + k, value=value) for k in range(count)]


def embed_all(trees: Any, w: Any) -> Any:
    result = jnp.zeros(3)
    for tree in trees:
        result = result + w * embedded(tree)
    return result.sum() / len(trees)


@cases.add(lambda n: (batch(n, 3), vec(3)))
def batch_of_trees(trees: list[Any], w: Any) -> Any:
    return embed_all(trees, w)


@cases.add(lambda n: (tuple(batch(n, 3)), [1.0, float(n), 2.0]))
def weighted_batch(trees: tuple[Any, ...], weights: list[float]) -> Any:
    result = jnp.zeros(3)
    for i, (tree, weight) in enumerate(zip(trees, weights, strict=True)):
        result = result + weight * embedded(tree) * i
    return result


@cases.add(lambda n: batch(n, 4, int))
def collected(trees: list[Any]) -> list[int]:
    return [total(tree) for tree in trees]


@cases.add(lambda n: batch(n, 3))
def collected_arrays(trees: list[Any]) -> list[Any]:
    result = []
    for tree in trees:
        result.append(embedded(tree))
    return result


@cases.add(lambda n: batch(n, 3, int))
def labelled(trees: list[Any]) -> int:
    highest = 0
    for tree in trees:
        tree.label = total(tree)
        highest = max(highest, tree.label)
    return highest


@cases.add(lambda n: [*batch(n, 2), row(n), *batch(n + 1, 2)], compiled=False)
def mixed_batch(items: list[Any]) -> Any:
    result = jnp.zeros(3)
    for item in items:
        result = result + (embedded(item) if isinstance(item, Node) else item)
    return result


@cases.add(lambda n: (batch(n, 3), Box(w=vec(3, 1.0) / 8)))
def trained(trees: list[Any], model: Any) -> float:
    loss, slope = janus.value_and_grad(lambda w: embed_all(trees, w))(model.w)
    model.w = model.w - 0.1 * slope
    return float(loss)


test_program = cases.test()


# ---- what changes ---------------------------------------------------------------------------------------


class Other(Node):
    """A node of another class."""


def test_class_changes_after_warmup() -> None:
    def world(_: Any) -> Iterator[Any]:
        for i in range(6):
            yield grown(i)
        for i in range(6):
            yield grown(i, cls=Other)
        for i in range(6):
            yield grown(i)

    check(total, world)


def test_attribute_is_missing() -> None:
    def world(_: Any) -> Iterator[Any]:
        for i in range(6):
            yield grown(i)
        broken = grown(3)
        del broken.left.right
        yield broken
        yield grown(4)

    check(total, world)


def test_dtype_of_a_leaf_changes() -> None:
    def world(_: Any) -> Iterator[Any]:
        for i in range(6):
            yield grown(i, value=row)
        yield Node(vec(3), Node(vec(3, dtype=np.int32)), Node(vec(3)))
        for i in range(4):
            yield grown(i, value=row)

    check(embedded, world)


def test_deep_recursion_is_python_s() -> None:
    compiled = janus.jit(total, warmup=2)
    for i in range(6):
        assert compiled(grown(i)) == total(grown(i))
    with pytest.raises(RecursionError):
        compiled(chain(5 * sys.getrecursionlimit()))
    assert compiled(chain(300)) == sum(range(300))


def test_one_version_for_trees_of_all_shapes() -> None:
    compiled = janus.jit(embedded, warmup=2)
    for i in range(60):
        tree = grown(i, depth=1 + i % 6, value=row)
        np.testing.assert_allclose(compiled(tree), embedded(tree), rtol=1e-5)
    if janus.config.stress is None:
        assert compiled.stats.versions == 1, compiled.explain()
        assert compiled.stats.deopts == 0, compiled.explain()


@pytest.mark.parametrize("function", [batch_of_trees, trained, collected])
def test_one_version_for_batches(function: Any) -> None:
    compiled = janus.jit(function, warmup=0)
    for i in range(8):
        trees = batch(i, 9, int if function is collected else row)
        both = []
        for f in (function, compiled):
            w = vec(3, 1.0)
            rest = {batch_of_trees: (w,), trained: (Box(w=w),), collected: ()}[function]
            both.append((f(trees, *rest), *(getattr(r, "w", w) for r in rest)))
        for ours, plain in zip(*both, strict=True):
            np.testing.assert_allclose(ours, plain, rtol=1e-4)
    if janus.config.stress is None:
        stats = compiled.stats
        assert (stats.compilations, stats.guard_failures, stats.deopts) == (1, 0, 0), compiled.explain()


def test_the_array_of_a_leaf_is_returned_itself() -> None:
    compiled = janus.jit(embedded, warmup=2)
    for i in range(8):
        compiled(grown(i, value=row))
    leaf = Node(vec(3))
    assert compiled(leaf) is leaf.value


def test_slots() -> None:
    compiled = janus.jit(slotted, warmup=2)
    for i in range(12):
        tree = grown(i, cls=Slotted)
        assert compiled(tree) == slotted(tree)
    if janus.config.stress is None:
        assert compiled.stats.versions == 1 and compiled.stats.deopts == 0, compiled.explain()


def test_one_version_for_lists_of_all_lengths() -> None:
    for function, value in ((walked, int), (walked_arrays, row)):
        compiled = janus.jit(function, warmup=2)
        for n in (3, 5, 4, 9, 2, 40, 1, 300):
            nodes = chain(n, value=value)
            np.testing.assert_allclose(compiled(nodes), function(nodes), rtol=1e-5)
        if janus.config.stress is None:
            assert compiled.stats.versions == 1, compiled.explain()
