"""The TreeLSTM over padded arrays of places, see `forest`."""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..layers import Weights, cross_entropy
from ..programs.treelstm import TreeLSTM
from ..sizes import Trees as Size
from ..trees import tree_batches
from .forest import Forest, evaluate, flatten
from .nn import adagrad, linear


def loss_of(weights: Weights, forest: Forest) -> jax.Array:
    def node(left: Any, right: Any) -> Any:
        gates = jnp.concatenate([left[0], right[0]], axis=-1) @ weights["node"] + weights["node_bias"]
        enter, keep_left, keep_right, leave, candidate = jnp.split(gates, 5, axis=-1)
        memory = (
            jax.nn.sigmoid(enter) * jnp.tanh(candidate)
            + jax.nn.sigmoid(keep_left + 1.0) * left[1]
            + jax.nn.sigmoid(keep_right + 1.0) * right[1]
        )
        return jax.nn.sigmoid(leave) * jnp.tanh(memory), memory

    gates = linear(weights, "leaf", weights["embedding.table"][forest[2]])
    enter, leave, candidate = jnp.split(gates, 3, axis=-1)
    memory = jax.nn.sigmoid(enter) * jnp.tanh(candidate)
    hidden, _ = evaluate(node, (jax.nn.sigmoid(leave) * jnp.tanh(memory), memory), forest)
    return cross_entropy(linear(weights, "output", hidden), forest[3])


@functools.partial(jax.jit, static_argnums=(0,), donate_argnums=(1, 2))
def train_step(rate: float, weights: Weights, square: Weights, forest: Forest) -> Any:
    loss, gradients = jax.value_and_grad(loss_of)(weights, forest)
    return loss, *adagrad(weights, square, gradients, rate)


class Training:
    def __init__(self, size: Size) -> None:
        self.rate = size.rate
        self.weights = TreeLSTM(size, np.random.default_rng(0)).weights
        self.square = jax.tree.map(lambda w: jnp.full_like(w, 0.1), self.weights)
        self.batches = tree_batches(size.vocabulary, size.limit, size.batch)
        self.items = size.batch

    def step(self) -> float:
        loss, self.weights, self.square = train_step(
            self.rate, self.weights, self.square, flatten(next(self.batches))
        )
        return float(loss)
