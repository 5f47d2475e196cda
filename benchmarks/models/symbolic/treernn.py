"""The TreeRNN over padded arrays of places, see `forest`."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from ..layers import Weights, cross_entropy
from ..programs.treernn import TreeRNN
from ..sizes import Trees as Size
from .forest import Forest, ForestTraining, evaluate
from .nn import linear


def loss_of(weights: Weights, forest: Forest) -> jax.Array:
    def node(left: jax.Array, right: jax.Array) -> jax.Array:
        return jnp.tanh(linear(weights, "node", jnp.concatenate([left, right], axis=-1)))

    hidden = evaluate(node, weights["embedding.table"][forest[2]], forest)
    return cross_entropy(linear(weights, "output", hidden), forest[3])


class Training(ForestTraining):
    def __init__(self, size: Size) -> None:
        super().__init__(size, TreeRNN(size, np.random.default_rng(0)).weights, loss_of)
