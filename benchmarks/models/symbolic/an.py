"""The adversarial network as one pure step: key, weights and moments go in and come out."""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp

from ..data import digit_batches
from ..layers import Weights, binary_cross_entropy
from ..programs.an import AdversarialNetwork
from ..sizes import AN as Size
from .nn import adam, adam_state, linear


def generate(weights: Weights, noise: jax.Array) -> jax.Array:
    return jax.nn.sigmoid(linear(weights, "dense2", jax.nn.relu(linear(weights, "dense1", noise))))


def discriminate(weights: Weights, images: jax.Array) -> jax.Array:
    return linear(weights, "dense2", jax.nn.leaky_relu(linear(weights, "dense1", images)))


def discriminator_loss(weights: Weights, real: jax.Array, fake: jax.Array) -> jax.Array:
    return binary_cross_entropy(discriminate(weights, real), True) + binary_cross_entropy(
        discriminate(weights, fake), False
    )


def generator_loss(weights: Weights, discriminator: Weights, noise: jax.Array) -> jax.Array:
    return binary_cross_entropy(discriminate(discriminator, generate(weights, noise)), True)


@functools.partial(jax.jit, static_argnums=(0,), donate_argnums=(1, 2, 3, 4, 5))
def train_step(
    size: Size,
    key: jax.Array,
    generator: Weights,
    discriminator: Weights,
    generator_state: Any,
    discriminator_state: Any,
    images: jax.Array,
) -> Any:
    def draw(key: jax.Array) -> tuple[jax.Array, jax.Array]:
        key, part = jax.random.split(key)
        return key, jax.random.normal(part, (size.batch, size.noise))

    key, noise = draw(key)
    caught, gradients = jax.value_and_grad(discriminator_loss)(
        discriminator, images, generate(generator, noise)
    )
    discriminator, discriminator_state = adam(
        discriminator, discriminator_state, gradients, size.rate, decay=0.5
    )
    key, noise = draw(key)
    deceived, gradients = jax.value_and_grad(generator_loss)(generator, discriminator, noise)
    generator, generator_state = adam(generator, generator_state, gradients, size.rate, decay=0.5)
    return caught + deceived, (key, generator, discriminator, generator_state, discriminator_state)


class Training:
    def __init__(self, size: Size) -> None:
        self.size = size
        network = AdversarialNetwork(size)
        generator, discriminator = network.generator.weights, network.discriminator.weights
        self.state: Any = (
            network.key, generator, discriminator, adam_state(generator), adam_state(discriminator),
        )  # fmt: skip
        self.batches = digit_batches(size.side, size.batch)
        self.items = size.batch

    def step(self) -> float:
        images, _ = next(self.batches)
        loss, self.state = train_step(self.size, *self.state, jnp.asarray(images.reshape(len(images), -1)))
        return float(loss)
