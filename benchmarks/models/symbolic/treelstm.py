"""The TreeLSTM over padded arrays of places, see `forest`."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..layers import Weights, cross_entropy
from ..programs.treelstm import TreeLSTM
from ..sizes import Trees as Size
from .forest import Forest, ForestTraining, evaluate
from .nn import linear


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


class Training(ForestTraining):
    def __init__(self, size: Size) -> None:
        super().__init__(size, TreeLSTM(size, np.random.default_rng(0)).weights, loss_of)
