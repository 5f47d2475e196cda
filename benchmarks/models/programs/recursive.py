"""What the two recursive networks share: the loss of a batch of trees, and training on it."""

from __future__ import annotations

import jax
import jax.numpy as jnp

import janus_mlir as janus

from ..layers import Linear, Weights, cross_entropy
from ..optimisers import Adagrad
from ..sizes import Trees as Size
from ..trees import Tree, tree_batches


class TreeClassifier:
    """Classifies trees by what `encode` makes of them."""

    weights: Weights
    output: Linear

    def encode(self, weights: Weights, tree: Tree) -> jax.Array:
        """Return the vector of a tree."""
        raise NotImplementedError

    def loss(self, weights: Weights, trees: list[Tree]) -> jax.Array:
        total = jnp.zeros(())
        for tree in trees:
            logits = self.output(weights, self.encode(weights, tree))
            total = total + cross_entropy(logits, jnp.asarray(tree.label))
        return total / len(trees)


@janus.jit
def train_step(model: TreeClassifier, optimiser: Adagrad, trees: list[Tree]) -> float:
    loss, gradients = janus.value_and_grad(model.loss)(model.weights, trees)
    optimiser.update(model.weights, gradients)
    return float(loss)


COMPILED = (train_step,)


class TreeTraining:
    """Training on batches of trees, by Adagrad."""

    def __init__(self, model: TreeClassifier, size: Size) -> None:
        self.model = model
        self.optimiser = Adagrad(model.weights, size.rate)
        self.batches = tree_batches(size.vocabulary, size.limit, size.batch)
        self.items = size.batch

    def step(self) -> float:
        return train_step(self.model, self.optimiser, next(self.batches))
