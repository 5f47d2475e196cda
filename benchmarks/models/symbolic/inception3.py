"""Inception-v3 as a pure function. Its plan, which says what follows what, is taken from the imperative model."""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..data import imagenet_batches
from ..layers import Weights, average_pool, cross_entropy, max_pool
from ..programs.inception3 import Forked, Inception, Mixed, Unit
from ..sizes import Inception3 as Size
from .nn import State, batch_norm, batch_norm_state, linear, momentum, zeros_like


def forward(plan: Inception, weights: Weights, state: State, images: jax.Array) -> tuple[jax.Array, State]:
    state = dict(state)

    def apply(unit: Unit, x: jax.Array) -> jax.Array:
        name = unit.norm.scale.removesuffix(".scale")
        return jax.nn.relu(batch_norm(weights, state, name, unit.conv(weights, x), True))

    def run(units: list[Unit], x: jax.Array) -> jax.Array:
        return functools.reduce(lambda x, unit: apply(unit, x), units, x)

    x = max_pool(run(plan.stem1, images), 3, 2)
    x = max_pool(run(plan.stem2, x), 3, 2)
    for block in plan.blocks:
        if isinstance(block, Forked):
            parts = [run(block.single, x)]
            for stem, tips in block.forks:
                y = run(stem, x)
                parts += [apply(tip, y) for tip in tips]
            parts.append(run(block.pooled, average_pool(x, 3, 1, "SAME")))
        else:
            parts = [run(chain, x) for chain in block.chains]
            if isinstance(block, Mixed):
                parts.append(run(block.pooled, average_pool(x, 3, 1, "SAME")))
            else:
                parts.append(max_pool(x, 3, 2))
        x = jnp.concatenate(parts, axis=-1)
    return linear(weights, "dense", x.mean(axis=(1, 2))), state


@functools.partial(jax.jit, static_argnums=(0, 1), donate_argnums=(2, 3, 4))
def train_step(
    plan: Inception,
    rate: float,
    weights: Weights,
    velocity: Weights,
    state: State,
    images: jax.Array,
    labels: jax.Array,
) -> Any:
    def loss_of(weights: Weights) -> tuple[jax.Array, State]:
        logits, new = forward(plan, weights, state, images)
        return cross_entropy(logits, labels), new

    (loss, state), gradients = jax.value_and_grad(loss_of, has_aux=True)(weights)
    return loss, *momentum(weights, velocity, gradients, rate), state


class Training:
    def __init__(self, size: Size) -> None:
        self.rate = size.rate
        self.plan = Inception(size, np.random.default_rng(0))
        self.weights = self.plan.weights
        self.velocity = zeros_like(self.weights)
        self.state = batch_norm_state(self.weights)
        self.batches = imagenet_batches(size.side, size.classes, size.batch)
        self.items = size.batch

    def step(self) -> float:
        images, labels = next(self.batches)
        loss, self.weights, self.velocity, self.state = train_step(
            self.plan, self.rate, self.weights, self.velocity, self.state, images, labels
        )
        return float(loss)
