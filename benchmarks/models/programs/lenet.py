"""LeNet-5 on handwritten digits: convolutions, and a learning rate that is lowered whenever the loss has halved."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

import janus_mlir as janus

from ..data import digit_batches
from ..layers import Conv, Linear, Weights, cross_entropy, max_pool
from ..optimisers import Momentum
from ..sizes import LeNet as Size


class LeNet:
    def __init__(self, side: int, random: np.random.Generator) -> None:
        self.weights: Weights = {}
        self.conv1 = Conv(self.weights, "conv1", 1, 6, (5, 5), random)
        self.conv2 = Conv(self.weights, "conv2", 6, 16, (5, 5), random, padding="VALID")
        flat = ((side // 2 - 4) // 2) ** 2 * 16
        self.dense1 = Linear(self.weights, "dense1", flat, 120, random)
        self.dense2 = Linear(self.weights, "dense2", 120, 84, random)
        self.dense3 = Linear(self.weights, "dense3", 84, 10, random)

    def loss(self, weights: Weights, images: jax.Array, labels: jax.Array) -> jax.Array:
        x = max_pool(jnp.tanh(self.conv1(weights, images)), 2, 2)
        x = max_pool(jnp.tanh(self.conv2(weights, x)), 2, 2)
        x = x.reshape(x.shape[0], -1)
        x = jnp.tanh(self.dense1(weights, x))
        x = jnp.tanh(self.dense2(weights, x))
        return cross_entropy(self.dense3(weights, x), labels)


class Monitor:
    """Follows the loss, and lowers the learning rate whenever it has halved."""

    def __init__(self) -> None:
        self.running = 2.3
        self.threshold = 1.15

    def observe(self, loss: float, optimiser: Momentum) -> None:
        self.running = 0.95 * self.running + 0.05 * loss
        if self.running < self.threshold:
            self.threshold = self.running / 2
            optimiser.rate = optimiser.rate * 0.9


@janus.jit
def train_step(
    model: LeNet, optimiser: Momentum, monitor: Monitor, images: jax.Array, labels: jax.Array
) -> float:
    loss, gradients = janus.value_and_grad(model.loss)(model.weights, images, labels)
    optimiser.update(model.weights, gradients)
    monitor.observe(float(loss), optimiser)
    return float(loss)


COMPILED = (train_step,)


class Training:
    def __init__(self, size: Size) -> None:
        self.model = LeNet(size.side, np.random.default_rng(0))
        self.optimiser = Momentum(self.model.weights, size.rate)
        self.monitor = Monitor()
        self.batches = digit_batches(size.side, size.batch)
        self.items = size.batch

    def step(self) -> float:
        images, labels = next(self.batches)
        return train_step(self.model, self.optimiser, self.monitor, jnp.asarray(images), jnp.asarray(labels))
