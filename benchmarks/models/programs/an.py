"""An adversarial network that draws digits: a generator and a discriminator, trained in turns."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

import janus_mlir as janus

from ..data import digit_batches
from ..layers import Linear, Weights, binary_cross_entropy
from ..optimisers import Adam
from ..sizes import AN as Size


class Generator:
    def __init__(self, size: Size, random: np.random.Generator) -> None:
        self.weights: Weights = {}
        self.dense1 = Linear(self.weights, "dense1", size.noise, size.width, random)
        self.dense2 = Linear(self.weights, "dense2", size.width, size.side**2, random)

    def __call__(self, weights: Weights, noise: jax.Array) -> jax.Array:
        return jax.nn.sigmoid(self.dense2(weights, jax.nn.relu(self.dense1(weights, noise))))


class Discriminator:
    def __init__(self, size: Size, random: np.random.Generator) -> None:
        self.weights: Weights = {}
        self.dense1 = Linear(self.weights, "dense1", size.side**2, size.width, random)
        self.dense2 = Linear(self.weights, "dense2", size.width, 1, random)

    def __call__(self, weights: Weights, images: jax.Array) -> jax.Array:
        return self.dense2(weights, jax.nn.leaky_relu(self.dense1(weights, images)))


class AdversarialNetwork:
    """The two players, their optimisers, and the source of noise, which is used up as it is drawn from."""

    def __init__(self, size: Size) -> None:
        random = np.random.default_rng(0)
        self.size = size
        self.generator = Generator(size, random)
        self.discriminator = Discriminator(size, random)
        self.generator_optimiser = Adam(self.generator.weights, size.rate, decay=0.5)
        self.discriminator_optimiser = Adam(self.discriminator.weights, size.rate, decay=0.5)
        self.key = jax.random.PRNGKey(0)

    def noise(self) -> jax.Array:
        self.key, draw = jax.random.split(self.key)
        return jax.random.normal(draw, (self.size.batch, self.size.noise))

    def discriminator_loss(self, weights: Weights, real: jax.Array, fake: jax.Array) -> jax.Array:
        return binary_cross_entropy(self.discriminator(weights, real), True) + binary_cross_entropy(
            self.discriminator(weights, fake), False
        )

    def generator_loss(self, weights: Weights, noise: jax.Array) -> jax.Array:
        fake = self.generator(weights, noise)
        return binary_cross_entropy(self.discriminator(self.discriminator.weights, fake), True)


@janus.jit
def train_step(network: AdversarialNetwork, images: jax.Array) -> tuple[float, float]:
    fake = network.generator(network.generator.weights, network.noise())
    caught, gradients = janus.value_and_grad(network.discriminator_loss)(
        network.discriminator.weights, images, fake
    )
    network.discriminator_optimiser.update(network.discriminator.weights, gradients)
    deceived, gradients = janus.value_and_grad(network.generator_loss)(
        network.generator.weights, network.noise()
    )
    network.generator_optimiser.update(network.generator.weights, gradients)
    return float(caught), float(deceived)


COMPILED = (train_step,)


class Training:
    def __init__(self, size: Size) -> None:
        self.network = AdversarialNetwork(size)
        self.batches = digit_batches(size.side, size.batch)
        self.items = size.batch

    def step(self) -> float:
        images, _ = next(self.batches)
        return sum(train_step(self.network, jnp.asarray(images.reshape(len(images), -1))))
