"""The LSTM with ``lax.scan`` over the words; its state goes in and comes out."""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..data import sequences
from ..layers import Weights, cross_entropy
from ..programs.lstm import LSTM
from ..sizes import LSTM as Size
from .nn import global_norm, linear, lstm

States = list[tuple[jax.Array, jax.Array]]


def loss_of(weights: Weights, states: States, words: jax.Array, targets: jax.Array) -> Any:
    def advance(states: States, x: jax.Array) -> tuple[States, jax.Array]:
        following = []
        for layer, (hidden, memory) in enumerate(states):
            x, memory = lstm(weights, f"lstm{layer}", x, hidden, memory)
            following.append((x, memory))
        return following, x

    embedded = weights["embedding.table"][words]
    states, outputs = jax.lax.scan(advance, states, embedded.swapaxes(0, 1))
    return cross_entropy(linear(weights, "output", outputs), targets.swapaxes(0, 1)), states


@functools.partial(jax.jit, static_argnums=(0,), donate_argnums=(1, 2))
def train_step(size: Size, weights: Weights, states: States, words: jax.Array, targets: jax.Array) -> Any:
    (loss, states), gradients = jax.value_and_grad(loss_of, has_aux=True)(weights, states, words, targets)
    scale = size.rate * jnp.minimum(1.0, size.bound / global_norm(gradients))
    return loss, jax.tree.map(lambda w, g: w - scale * g, weights, gradients), states


class Training:
    def __init__(self, size: Size) -> None:
        self.size = size
        model = LSTM(size, np.random.default_rng(0))
        self.weights, self.states = model.weights, jax.tree.map(jnp.array, model.states)
        self.batches = sequences(size.vocabulary, size.batch, size.length)
        self.items = size.batch * size.length

    def step(self) -> float:
        words, targets = next(self.batches)
        loss, self.weights, self.states = train_step(self.size, self.weights, self.states, words, targets)
        return float(loss)
