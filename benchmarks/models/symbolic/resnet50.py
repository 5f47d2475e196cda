"""ResNet-50 as a pure function: running averages go in and come out, and evaluation is a function of its own."""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..data import imagenet_batches
from ..layers import Weights, cross_entropy, max_pool
from ..programs.resnet50 import ResNet
from ..sizes import ResNet50 as Size
from .nn import State, batch_norm, batch_norm_state, conv, linear, momentum, zeros_like


def forward(
    size: Size, weights: Weights, state: State, images: jax.Array, training: bool
) -> tuple[jax.Array, State]:
    state = dict(state)

    def unit(name: str, norm: str, x: jax.Array, stride: int = 1) -> jax.Array:
        return batch_norm(weights, state, norm, conv(weights, name, x, stride), training)

    x = max_pool(jax.nn.relu(unit("stem", "stem_norm", images, 2)), 3, 2, "SAME")
    for stage, count in enumerate(size.blocks):
        for block in range(count):
            name = f"stage{stage}.{block}"
            stride = 2 if stage > 0 and block == 0 else 1
            y = jax.nn.relu(unit(f"{name}.conv1", f"{name}.norm1", x))
            y = jax.nn.relu(unit(f"{name}.conv2", f"{name}.norm2", y, stride))
            y = unit(f"{name}.conv3", f"{name}.norm3", y)
            if f"{name}.shortcut.weight" in weights:
                x = unit(f"{name}.shortcut", f"{name}.norm", x, stride)
            x = jax.nn.relu(x + y)
    return linear(weights, "dense", x.mean(axis=(1, 2))), state


@functools.partial(jax.jit, static_argnums=(0,), donate_argnums=(1, 2, 3))
def train_step(
    size: Size, weights: Weights, velocity: Weights, state: State, images: jax.Array, labels: jax.Array
) -> Any:
    def loss_of(weights: Weights) -> tuple[jax.Array, State]:
        logits, new = forward(size, weights, state, images, True)
        return cross_entropy(logits, labels), new

    (loss, state), gradients = jax.value_and_grad(loss_of, has_aux=True)(weights)
    return loss, *momentum(weights, velocity, gradients, size.rate), state


@functools.partial(jax.jit, static_argnums=(0,))
def evaluate(size: Size, weights: Weights, state: State, images: jax.Array, labels: jax.Array) -> jax.Array:
    logits, _ = forward(size, weights, state, images, False)
    return jnp.mean(jnp.argmax(logits, axis=-1) == labels)


class Training:
    def __init__(self, size: Size) -> None:
        self.size = size
        self.weights = ResNet(size, np.random.default_rng(0)).weights
        self.velocity = zeros_like(self.weights)
        self.state = batch_norm_state(self.weights)
        self.batches = imagenet_batches(size.side, size.classes, size.batch)
        self.items = size.batch
        self.steps = 0
        self.accuracy = 0.0

    def step(self) -> float:
        images, labels = next(self.batches)
        loss, self.weights, self.velocity, self.state = train_step(
            self.size, self.weights, self.velocity, self.state, images, labels
        )
        self.steps += 1
        if self.steps % self.size.evaluate_every == 0:
            self.accuracy = float(evaluate(self.size, self.weights, self.state, images, labels))
        return float(loss)
