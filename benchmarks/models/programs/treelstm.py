"""A TreeLSTM on syntax trees: recursion over tree objects, no two of the same shape."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from ..layers import Embedding, Linear, Weights, normal
from ..sizes import Trees as Size
from ..trees import KINDS, Tree
from .recursive import COMPILED, TreeClassifier, TreeTraining

__all__ = ["COMPILED", "Training"]


class TreeLSTM(TreeClassifier):
    """The binary TreeLSTM of Tai, Socher and Manning, with a classifier at the root."""

    def __init__(self, size: Size, random: np.random.Generator) -> None:
        self.weights: Weights = {}
        self.width = size.width
        self.embedding = Embedding(self.weights, "embedding", size.vocabulary, size.width, random)
        self.leaf = Linear(self.weights, "leaf", size.width, 3 * size.width, random)
        self.weights["node"] = normal(random, (2 * size.width, 5 * size.width), (0.5 / size.width) ** 0.5)
        self.weights["node_bias"] = jnp.zeros(5 * size.width)
        self.output = Linear(self.weights, "output", size.width, len(KINDS), random)

    def visit(self, weights: Weights, tree: Tree) -> tuple[jax.Array, jax.Array]:
        """Return hidden state and memory of a tree."""
        if tree.left is None or tree.right is None:
            enter, leave, candidate = jnp.split(self.leaf(weights, self.embedding(weights, tree.word)), 3)
            memory = jax.nn.sigmoid(enter) * jnp.tanh(candidate)
        else:
            left, left_memory = self.visit(weights, tree.left)
            right, right_memory = self.visit(weights, tree.right)
            gates = jnp.concatenate([left, right]) @ weights["node"] + weights["node_bias"]
            enter, keep_left, keep_right, leave, candidate = jnp.split(gates, 5)
            memory = (
                jax.nn.sigmoid(enter) * jnp.tanh(candidate)
                + jax.nn.sigmoid(keep_left + 1.0) * left_memory
                + jax.nn.sigmoid(keep_right + 1.0) * right_memory
            )
        return jax.nn.sigmoid(leave) * jnp.tanh(memory), memory

    def encode(self, weights: Weights, tree: Tree) -> jax.Array:
        hidden, _ = self.visit(weights, tree)
        return hidden


class Training(TreeTraining):
    def __init__(self, size: Size) -> None:
        super().__init__(TreeLSTM(size, np.random.default_rng(0)), size)
