"""The TreeRNN over padded arrays of places, see `forest`."""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..layers import Weights, cross_entropy
from ..programs.treernn import TreeRNN
from ..sizes import Trees as Size
from ..trees import tree_batches
from .forest import Forest, evaluate, flatten
from .nn import adagrad, linear


def loss_of(weights: Weights, forest: Forest) -> jax.Array:
    def node(left: jax.Array, right: jax.Array) -> jax.Array:
        return jnp.tanh(linear(weights, "node", jnp.concatenate([left, right], axis=-1)))

    hidden = evaluate(node, weights["embedding.table"][forest[2]], forest)
    return cross_entropy(linear(weights, "output", hidden), forest[3])


@functools.partial(jax.jit, static_argnums=(0,), donate_argnums=(1, 2))
def train_step(rate: float, weights: Weights, square: Weights, forest: Forest) -> Any:
    loss, gradients = jax.value_and_grad(loss_of)(weights, forest)
    return loss, *adagrad(weights, square, gradients, rate)


class Training:
    def __init__(self, size: Size) -> None:
        self.rate = size.rate
        self.weights = TreeRNN(size, np.random.default_rng(0)).weights
        self.square = jax.tree.map(lambda w: jnp.full_like(w, 0.1), self.weights)
        self.batches = tree_batches(size.vocabulary, size.limit, size.batch)
        self.items = size.batch

    def step(self) -> float:
        loss, self.weights, self.square = train_step(
            self.rate, self.weights, self.square, flatten(next(self.batches))
        )
        return float(loss)
