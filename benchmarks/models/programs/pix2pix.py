"""pix2pix, one image at a time: a U-Net paints a photograph over its outlines, and a discriminator judges patches."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

import janus_mlir as janus

from ..data import image_pairs
from ..layers import BatchNorm, Conv, ConvTranspose, Weights, binary_cross_entropy
from ..optimisers import Adam
from ..sizes import Pix2Pix as Size


class Down:
    """Halves the image."""

    def __init__(
        self,
        weights: Weights,
        name: str,
        inputs: int,
        outputs: int,
        random: np.random.Generator,
        norm: bool = True,
    ) -> None:
        self.conv = Conv(weights, name, inputs, outputs, (4, 4), random, 2, bias=not norm)
        self.norm = BatchNorm(weights, f"{name}.norm", outputs) if norm else None

    def __call__(self, weights: Weights, x: jax.Array) -> jax.Array:
        x = self.conv(weights, x)
        if self.norm is not None:
            x = self.norm(weights, x)
        return jax.nn.leaky_relu(x, 0.2)


class Up:
    """Doubles the image, and drops half of what comes out where asked to."""

    def __init__(
        self,
        weights: Weights,
        name: str,
        inputs: int,
        outputs: int,
        random: np.random.Generator,
        dropout: bool,
    ) -> None:
        self.conv = ConvTranspose(weights, name, inputs, outputs, random, bias=False)
        self.norm = BatchNorm(weights, f"{name}.norm", outputs)
        self.dropout = dropout

    def __call__(self, weights: Weights, x: jax.Array, key: jax.Array) -> jax.Array:
        x = self.norm(weights, self.conv(weights, x))
        if self.dropout and self.norm.training:
            x = jnp.where(jax.random.bernoulli(key, 0.5, x.shape), 2 * x, 0.0)
        return jax.nn.relu(x)


class Generator:
    """A U-Net."""

    def __init__(self, size: Size, random: np.random.Generator) -> None:
        self.weights: Weights = {}
        widths = [size.width * min(2**level, 8) for level in range(size.depth)]
        self.downs = [
            Down(self.weights, f"down{level}", inputs, outputs, random, norm=0 < level < size.depth - 1)
            for level, (inputs, outputs) in enumerate(zip([3, *widths], widths, strict=False))
        ]
        self.ups = []
        inputs = widths[-1]
        for level, outputs in enumerate(widths[-2::-1]):
            self.ups.append(Up(self.weights, f"up{level}", inputs, outputs, random, dropout=level < 3))
            inputs = 2 * outputs  # what comes from below, and what skips over
        self.last = ConvTranspose(self.weights, "last", inputs, 3, random)

    def __call__(self, weights: Weights, x: jax.Array, key: jax.Array) -> jax.Array:
        skipped = []
        for down in self.downs:
            x = down(weights, x)
            skipped.append(x)
        skipped.pop()
        for up in self.ups:
            key, draw = jax.random.split(key)
            x = jnp.concatenate([up(weights, x, draw), skipped.pop()], axis=-1)
        return jnp.tanh(self.last(weights, x))


class Discriminator:
    """Judges overlapping patches of an image beside its outlines."""

    def __init__(self, size: Size, random: np.random.Generator) -> None:
        self.weights: Weights = {}
        width = size.width
        self.downs = [
            Down(self.weights, "down0", 6, width, random, norm=False),
            Down(self.weights, "down1", width, 2 * width, random),
            Down(self.weights, "down2", 2 * width, 4 * width, random),
        ]
        self.last = Conv(self.weights, "last", 4 * width, 1, (4, 4), random)

    def __call__(self, weights: Weights, outlines: jax.Array, image: jax.Array) -> jax.Array:
        x = jnp.concatenate([outlines, image], axis=-1)
        for down in self.downs:
            x = down(weights, x)
        return self.last(weights, x)


class Pix2Pix:
    """The two networks, their optimisers, and the source of randomness."""

    def __init__(self, size: Size) -> None:
        random = np.random.default_rng(0)
        self.likeness = size.likeness
        self.generator = Generator(size, random)
        self.discriminator = Discriminator(size, random)
        self.generator_optimiser = Adam(self.generator.weights, size.rate, decay=0.5)
        self.discriminator_optimiser = Adam(self.discriminator.weights, size.rate, decay=0.5)
        self.key = jax.random.PRNGKey(0)

    def generator_loss(
        self, weights: Weights, outlines: jax.Array, image: jax.Array, key: jax.Array
    ) -> tuple[jax.Array, jax.Array]:
        fake = self.generator(weights, outlines, key)
        judgement = self.discriminator(self.discriminator.weights, outlines, fake)
        loss = binary_cross_entropy(judgement, True) + self.likeness * jnp.abs(fake - image).mean()
        return loss, fake

    def discriminator_loss(
        self, weights: Weights, outlines: jax.Array, image: jax.Array, fake: jax.Array
    ) -> jax.Array:
        real_loss = binary_cross_entropy(self.discriminator(weights, outlines, image), True)
        fake_loss = binary_cross_entropy(self.discriminator(weights, outlines, fake), False)
        return 0.5 * (real_loss + fake_loss)


@janus.jit
def train_step(network: Pix2Pix, outlines: jax.Array, image: jax.Array) -> tuple[float, float]:
    network.key, draw = jax.random.split(network.key)
    (painted, fake), gradients = janus.value_and_grad(network.generator_loss, has_aux=True)(
        network.generator.weights, outlines, image, draw
    )
    network.generator_optimiser.update(network.generator.weights, gradients)
    judged, gradients = janus.value_and_grad(network.discriminator_loss)(
        network.discriminator.weights, outlines, image, fake
    )
    network.discriminator_optimiser.update(network.discriminator.weights, gradients)
    return float(painted), float(judged)


COMPILED = (train_step,)


class Training:
    def __init__(self, size: Size) -> None:
        self.network = Pix2Pix(size)
        self.batches = image_pairs(size.side)
        self.items = 1

    def step(self) -> float:
        outlines, image = next(self.batches)
        return sum(train_step(self.network, jnp.asarray(outlines), jnp.asarray(image)))
