"""A language model with a large vocabulary: an LSTM with projection, its state kept on the object."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

import janus_mlir as janus

from ..data import sequences
from ..layers import Embedding, LSTMCell, Weights, cross_entropy, normal
from ..optimisers import Adagrad
from ..sizes import LM as Size


class LanguageModel:
    def __init__(self, size: Size, random: np.random.Generator) -> None:
        self.weights: Weights = {}
        self.embedding = Embedding(self.weights, "embedding", size.vocabulary, size.embedding, random)
        self.cell = LSTMCell(
            self.weights, "lstm", size.embedding, size.width, random, projection=size.embedding
        )
        self.weights["softmax"] = normal(random, (size.vocabulary, size.embedding), 0.05)
        self.weights["softmax_bias"] = jnp.zeros(size.vocabulary)
        self.hidden = jnp.zeros((size.batch, size.embedding))
        self.memory = jnp.zeros((size.batch, size.width))

    def loss(self, weights: Weights, words: jax.Array, targets: jax.Array) -> jax.Array:
        embedded = self.embedding(weights, words)
        hidden, memory = self.hidden, self.memory
        outputs = []
        for t in range(words.shape[1]):
            hidden, memory = self.cell(weights, embedded[:, t], hidden, memory)
            outputs.append(hidden)
        self.hidden = jax.lax.stop_gradient(hidden)
        self.memory = jax.lax.stop_gradient(memory)
        logits = jnp.stack(outputs, axis=1) @ weights["softmax"].T + weights["softmax_bias"]
        return cross_entropy(logits, targets)


class Perplexity:
    """A running mean of the loss; a loss that is not finite ends the training."""

    def __init__(self) -> None:
        self.words = 0
        self.total = 0.0

    def observe(self, loss: float, words: int) -> None:
        if not np.isfinite(loss):
            raise FloatingPointError(f"the loss is {loss}")
        self.words += words
        self.total += loss * words


@janus.jit
def train_step(
    model: LanguageModel, optimiser: Adagrad, perplexity: Perplexity, words: jax.Array, targets: jax.Array
) -> float:
    loss, gradients = janus.value_and_grad(model.loss)(model.weights, words, targets)
    optimiser.update(model.weights, gradients)
    perplexity.observe(float(loss), words.size)
    return float(loss)


COMPILED = (train_step,)


class Training:
    def __init__(self, size: Size) -> None:
        self.model = LanguageModel(size, np.random.default_rng(0))
        self.optimiser = Adagrad(self.model.weights, size.rate)
        self.perplexity = Perplexity()
        self.batches = sequences(size.vocabulary, size.batch, size.length, size.spread)
        self.items = size.batch * size.length

    def step(self) -> float:
        words, targets = next(self.batches)
        return train_step(
            self.model, self.optimiser, self.perplexity, jnp.asarray(words), jnp.asarray(targets)
        )
