"""A recursive network on syntax trees: recursion over tree objects, no two of the same shape."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from ..layers import Embedding, Linear, Weights
from ..sizes import Trees as Size
from ..trees import KINDS, Tree
from .recursive import COMPILED, TreeClassifier, TreeTraining

__all__ = ["COMPILED", "Training"]


class TreeRNN(TreeClassifier):
    def __init__(self, size: Size, random: np.random.Generator) -> None:
        self.weights: Weights = {}
        self.embedding = Embedding(self.weights, "embedding", size.vocabulary, size.width, random)
        self.node = Linear(self.weights, "node", 2 * size.width, size.width, random)
        self.output = Linear(self.weights, "output", size.width, len(KINDS), random)

    def encode(self, weights: Weights, tree: Tree) -> jax.Array:
        """Return the vector of a tree."""
        if tree.left is None or tree.right is None:
            return self.embedding(weights, tree.word)
        left = self.encode(weights, tree.left)
        right = self.encode(weights, tree.right)
        return jnp.tanh(self.node(weights, jnp.concatenate([left, right])))


class Training(TreeTraining):
    def __init__(self, size: Size) -> None:
        super().__init__(TreeRNN(size, np.random.default_rng(0)), size)
