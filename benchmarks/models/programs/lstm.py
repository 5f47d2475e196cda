"""A two-layer LSTM on words, as on the Penn Treebank: the state is kept on the object from one sequence to the next."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

import janus_mlir as janus

from ..data import sequences
from ..layers import Embedding, Linear, LSTMCell, Weights, cross_entropy
from ..optimisers import ClippedDescent
from ..sizes import LSTM as Size


class LSTM:
    def __init__(self, size: Size, random: np.random.Generator) -> None:
        self.weights: Weights = {}
        self.embedding = Embedding(self.weights, "embedding", size.vocabulary, size.width, random)
        self.cells = [
            LSTMCell(self.weights, f"lstm{layer}", size.width, size.width, random)
            for layer in range(size.layers)
        ]
        self.output = Linear(self.weights, "output", size.width, size.vocabulary, random)
        self.states = [
            (jnp.zeros((size.batch, size.width)), jnp.zeros((size.batch, size.width))) for _ in self.cells
        ]

    def loss(self, weights: Weights, words: jax.Array, targets: jax.Array) -> jax.Array:
        embedded = self.embedding(weights, words)
        states = list(self.states)
        outputs = []
        for t in range(words.shape[1]):
            x = embedded[:, t]
            for layer, cell in enumerate(self.cells):
                hidden, memory = states[layer]
                states[layer] = cell(weights, x, hidden, memory)
                x = states[layer][0]
            outputs.append(x)
        # The next sequence goes on from here, but gradients do not reach back.
        self.states = [
            (jax.lax.stop_gradient(hidden), jax.lax.stop_gradient(memory)) for hidden, memory in states
        ]
        logits = self.output(weights, jnp.stack(outputs, axis=1))
        return cross_entropy(logits, targets)


@janus.jit
def train_step(model: LSTM, optimiser: ClippedDescent, words: jax.Array, targets: jax.Array) -> float:
    loss, gradients = janus.value_and_grad(model.loss)(model.weights, words, targets)
    optimiser.update(model.weights, gradients)
    return float(loss)


COMPILED = (train_step,)


class Training:
    def __init__(self, size: Size) -> None:
        self.model = LSTM(size, np.random.default_rng(0))
        self.optimiser = ClippedDescent(size.rate, bound=size.bound)
        self.batches = sequences(size.vocabulary, size.batch, size.length)
        self.items = size.batch * size.length

    def step(self) -> float:
        words, targets = next(self.batches)
        return train_step(self.model, self.optimiser, jnp.asarray(words), jnp.asarray(targets))
