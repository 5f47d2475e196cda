"""Trees as arrays, which is how ``jax.jit`` can be given them.

JAX has no recursion over Python objects. Its users flatten each tree into the order in which nodes are to be
computed, pad to a common length, and run a loop over the places of a buffer, for all trees of the batch at once.
Lengths are rounded up to powers of two, so that few of them have to be compiled.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..layers import Weights
from ..sizes import Trees as Size
from ..trees import Tree, tree_batches
from .nn import adagrad

#: For each place: left and right place, word; -1 where there is none. And the label of each tree, and the place of its root.
Forest = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def flatten(trees: list[Tree]) -> Forest:
    rows: list[list[tuple[int, int, int]]] = []
    for tree in trees:
        row: list[tuple[int, int, int]] = []
        _visit(tree, row)
        rows.append(row)
    length = 1 << (max(map(len, rows)) - 1).bit_length()
    places = np.full((len(trees), length, 3), -1, np.int32)
    for i, row in enumerate(rows):
        places[i, : len(row)] = row
    labels = np.array([tree.label for tree in trees], np.int32)
    roots = np.array([len(row) - 1 for row in rows], np.int32)
    return places[:, :, 0], places[:, :, 1], places[:, :, 2], labels, roots


def _visit(tree: Tree, row: list[tuple[int, int, int]]) -> int:
    """Append the nodes of `tree`, children first, and return the place of the root."""
    if tree.left is None or tree.right is None:
        row.append((-1, -1, tree.word))
    else:
        left, right = _visit(tree.left, row), _visit(tree.right, row)
        row.append((left, right, -1))
    return len(row) - 1


def evaluate(node: Callable[[Any, Any], Any], leaves: Any, forest: Forest) -> Any:
    """Return the values at the roots.

    `leaves` holds arrays (tree, place, ...) with what a place is if it is a leaf; `node` computes an inner one from two.
    """
    left, right, word, _, roots = forest
    trees = jnp.arange(left.shape[0])

    def advance(buffers: Any, place: jax.Array) -> tuple[Any, None]:
        a = jax.tree.map(lambda b: b[trees, left[:, place]], buffers)
        b = jax.tree.map(lambda b: b[trees, right[:, place]], buffers)
        is_leaf = (word[:, place] >= 0)[:, None]
        new = jax.tree.map(lambda leaf, inner: jnp.where(is_leaf, leaf[:, place], inner), leaves, node(a, b))
        return jax.tree.map(lambda b, n: b.at[:, place].set(n), buffers, new), None

    buffers, _ = jax.lax.scan(advance, jax.tree.map(jnp.zeros_like, leaves), jnp.arange(left.shape[1]))
    return jax.tree.map(lambda b: b[trees, roots], buffers)


class ForestTraining:
    """Training on batches of trees, by Adagrad."""

    def __init__(self, size: Size, weights: Weights, loss_of: Callable[[Weights, Forest], jax.Array]) -> None:
        def train_step(weights: Weights, square: Weights, forest: Forest) -> Any:
            loss, gradients = jax.value_and_grad(loss_of)(weights, forest)
            return loss, *adagrad(weights, square, gradients, size.rate)

        self.train_step = jax.jit(train_step, donate_argnums=(0, 1))
        self.weights = weights
        self.square = jax.tree.map(lambda w: jnp.full_like(w, 0.1), weights)
        self.batches = tree_batches(size.vocabulary, size.limit, size.batch)
        self.items = size.batch

    def step(self) -> float:
        loss, self.weights, self.square = self.train_step(
            self.weights, self.square, flatten(next(self.batches))
        )
        return float(loss)
