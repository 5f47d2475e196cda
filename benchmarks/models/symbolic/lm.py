"""The language model with ``lax.scan`` over the words; its state goes in and comes out."""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..data import sequences
from ..layers import Weights, cross_entropy
from ..programs.lm import LanguageModel
from ..sizes import LM as Size
from .nn import adagrad, lstm

State = tuple[jax.Array, jax.Array]


def loss_of(weights: Weights, state: State, words: jax.Array, targets: jax.Array) -> Any:
    def advance(state: State, x: jax.Array) -> tuple[State, jax.Array]:
        hidden, memory = lstm(weights, "lstm", x, *state)
        return (hidden, memory), hidden

    embedded = weights["embedding.table"][words]
    state, outputs = jax.lax.scan(advance, state, embedded.swapaxes(0, 1))
    logits = outputs @ weights["softmax"].T + weights["softmax_bias"]
    return cross_entropy(logits, targets.swapaxes(0, 1)), state


@functools.partial(jax.jit, static_argnums=(0,), donate_argnums=(1, 2, 3))
def train_step(
    rate: float, weights: Weights, square: Weights, state: State, words: jax.Array, targets: jax.Array
) -> Any:
    (loss, state), gradients = jax.value_and_grad(loss_of, has_aux=True)(weights, state, words, targets)
    return loss, *adagrad(weights, square, gradients, rate), state


class Training:
    def __init__(self, size: Size) -> None:
        self.rate = size.rate
        model = LanguageModel(size, np.random.default_rng(0))
        self.weights, self.state = model.weights, (model.hidden, model.memory)
        self.square = jax.tree.map(lambda w: jnp.full_like(w, 0.1), self.weights)
        self.batches = sequences(size.vocabulary, size.batch, size.length, size.spread)
        self.items = size.batch * size.length

    def step(self) -> float:
        words, targets = next(self.batches)
        loss, self.weights, self.square, self.state = train_step(
            self.rate, self.weights, self.square, self.state, words, targets
        )
        return float(loss)
