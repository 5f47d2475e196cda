"""A recursive network on syntax trees: recursion over tree objects, no two of the same shape."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

import janus_mlir as janus

from ..layers import Embedding, Linear, Weights, cross_entropy
from ..optimisers import Adagrad
from ..sizes import Trees as Size
from ..trees import KINDS, Tree, tree_batches


class TreeRNN:
    def __init__(self, size: Size, random: np.random.Generator) -> None:
        self.weights: Weights = {}
        self.embedding = Embedding(self.weights, "embedding", size.vocabulary, size.width, random)
        self.node = Linear(self.weights, "node", 2 * size.width, size.width, random)
        self.output = Linear(self.weights, "output", size.width, len(KINDS), random)

    def visit(self, weights: Weights, tree: Tree) -> jax.Array:
        """Return the vector of a tree."""
        if tree.left is None or tree.right is None:
            return self.embedding(weights, tree.word)
        left = self.visit(weights, tree.left)
        right = self.visit(weights, tree.right)
        return jnp.tanh(self.node(weights, jnp.concatenate([left, right])))

    def loss(self, weights: Weights, trees: list[Tree]) -> jax.Array:
        total = jnp.zeros(())
        for tree in trees:
            logits = self.output(weights, self.visit(weights, tree))
            total = total + cross_entropy(logits, jnp.asarray(tree.label))
        return total / len(trees)


@janus.jit
def train_step(model: TreeRNN, optimiser: Adagrad, trees: list[Tree]) -> float:
    loss, gradients = janus.value_and_grad(model.loss)(model.weights, trees)
    optimiser.update(model.weights, gradients)
    return float(loss)


COMPILED = (train_step,)


class Training:
    def __init__(self, size: Size) -> None:
        self.model = TreeRNN(size, np.random.default_rng(0))
        self.optimiser = Adagrad(self.model.weights, size.rate)
        self.batches = tree_batches(size.vocabulary, size.limit, size.batch)
        self.items = size.batch

    def step(self) -> float:
        return train_step(self.model, self.optimiser, next(self.batches))
