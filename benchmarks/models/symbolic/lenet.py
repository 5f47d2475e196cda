"""LeNet-5 as a pure step; the learning rate comes in from outside, where the rule is plain Python."""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
import numpy as np

from ..data import digit_batches
from ..layers import Weights, cross_entropy, max_pool
from ..programs.lenet import LeNet
from ..sizes import LeNet as Size
from .nn import conv, linear, momentum, zeros_like


def loss_of(weights: Weights, images: jax.Array, labels: jax.Array) -> jax.Array:
    x = max_pool(jnp.tanh(conv(weights, "conv1", images)), 2, 2)
    x = max_pool(jnp.tanh(conv(weights, "conv2", x, padding="VALID")), 2, 2)
    x = x.reshape(x.shape[0], -1)
    x = jnp.tanh(linear(weights, "dense1", x))
    x = jnp.tanh(linear(weights, "dense2", x))
    return cross_entropy(linear(weights, "dense3", x), labels)


@functools.partial(jax.jit, donate_argnums=(0, 1))
def train_step(
    weights: Weights, velocity: Weights, rate: float, images: jax.Array, labels: jax.Array
) -> tuple[jax.Array, Weights, Weights]:
    loss, gradients = jax.value_and_grad(loss_of)(weights, images, labels)
    return loss, *momentum(weights, velocity, gradients, rate)


class Training:
    def __init__(self, size: Size) -> None:
        self.weights = LeNet(size.side, np.random.default_rng(0)).weights
        self.velocity = zeros_like(self.weights)
        self.rate = size.rate
        self.running, self.threshold = 2.3, 1.15
        self.batches = digit_batches(size.side, size.batch)
        self.items = size.batch

    def step(self) -> float:
        images, labels = next(self.batches)
        result, self.weights, self.velocity = train_step(
            self.weights, self.velocity, self.rate, images, labels
        )
        loss = float(result)
        self.running = 0.95 * self.running + 0.05 * loss
        if self.running < self.threshold:
            self.threshold = self.running / 2
            self.rate = self.rate * 0.9
        return loss
