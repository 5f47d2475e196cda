"""Inception-v3: blocks of parallel convolutions of different shapes, each with batch normalisation."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

import janus_mlir as janus

from ..data import imagenet_batches
from ..layers import BatchNorm, Conv, Linear, Weights, average_pool, cross_entropy, max_pool
from ..optimisers import Momentum
from ..sizes import Inception3 as Size


class Unit:
    """Convolution, batch normalisation, ReLU."""

    def __init__(
        self,
        builder: Builder,
        inputs: int,
        outputs: int,
        kernel: tuple[int, int],
        stride: int = 1,
        padding: str = "SAME",
    ) -> None:
        name = builder.next_name()
        self.conv = Conv(
            builder.weights, name, inputs, outputs, kernel, builder.random, stride, padding, bias=False
        )
        self.norm = BatchNorm(builder.weights, f"{name}.norm", outputs)

    def __call__(self, weights: Weights, x: jax.Array) -> jax.Array:
        return jax.nn.relu(self.norm(weights, self.conv(weights, x)))


class Builder:
    """Makes chains of units, and knows how far the widths are shrunk."""

    def __init__(self, shrink: int, random: np.random.Generator) -> None:
        self.weights: Weights = {}
        self.random = random
        self.shrink = shrink
        self.count = 0

    def next_name(self) -> str:
        self.count += 1
        return f"unit{self.count}"

    def width(self, full: int) -> int:
        return max(full // self.shrink, 1)

    def chain(self, inputs: int, *kinds: tuple[int, tuple[int, int]]) -> list[Unit]:
        """Return units of the given (full width, kernel) one after another."""
        units = []
        for full, kernel in kinds:
            units.append(Unit(self, inputs, self.width(full), kernel))
            inputs = self.width(full)
        return units


def run(units: list[Unit], weights: Weights, x: jax.Array) -> jax.Array:
    for unit in units:
        x = unit(weights, x)
    return x


class Mixed:
    """Chains side by side, and one behind a pooling layer."""

    def __init__(self, chains: list[list[Unit]], pooled: list[Unit]) -> None:
        self.chains = chains
        self.pooled = pooled

    def __call__(self, weights: Weights, x: jax.Array) -> jax.Array:
        parts = [run(chain, weights, x) for chain in self.chains]
        parts.append(run(self.pooled, weights, average_pool(x, 3, 1, "SAME")))
        return jnp.concatenate(parts, axis=-1)


class Reduction:
    """Chains side by side whose last unit halves the image, and a pooling layer that does so too."""

    def __init__(self, chains: list[list[Unit]]) -> None:
        self.chains = chains

    def __call__(self, weights: Weights, x: jax.Array) -> jax.Array:
        parts = [run(chain, weights, x) for chain in self.chains]
        parts.append(max_pool(x, 3, 2))
        return jnp.concatenate(parts, axis=-1)


class Forked:
    """The widest blocks: some chains end in two units side by side."""

    def __init__(self, single: list[Unit], forks: list[tuple[list[Unit], list[Unit]]], pooled: list[Unit]):
        self.single = single
        self.forks = forks
        self.pooled = pooled

    def __call__(self, weights: Weights, x: jax.Array) -> jax.Array:
        parts = [run(self.single, weights, x)]
        for stem, tips in self.forks:
            y = run(stem, weights, x)
            for tip in tips:
                parts.append(tip(weights, y))
        parts.append(run(self.pooled, weights, average_pool(x, 3, 1, "SAME")))
        return jnp.concatenate(parts, axis=-1)


class Inception:
    def __init__(self, size: Size, random: np.random.Generator) -> None:
        builder = Builder(size.shrink, random)
        self.weights = builder.weights
        width = builder.width
        self.stem1 = [
            Unit(builder, 3, width(32), (3, 3), 2, "VALID"),
            Unit(builder, width(32), width(32), (3, 3), 1, "VALID"),
            Unit(builder, width(32), width(64), (3, 3)),
        ]
        self.stem2 = [
            Unit(builder, width(64), width(80), (1, 1)),
            Unit(builder, width(80), width(192), (3, 3), 1, "VALID"),
        ]
        self.blocks: list[Mixed | Reduction | Forked] = []
        channels = width(192)
        for block in range(size.blocks[0]):
            channels = self._block_a(builder, channels, 32 if block == 0 else 64)
        if size.blocks[1]:
            channels = self._reduction_a(builder, channels)
            for full in (128, 160, 160, 192)[: size.blocks[1]]:
                channels = self._block_b(builder, channels, full)
        if size.blocks[2]:
            channels = self._reduction_b(builder, channels)
            for _ in range(size.blocks[2]):
                channels = self._block_c(builder, channels)
        self.dense = Linear(self.weights, "dense", channels, size.classes, random)

    def _block_a(self, builder: Builder, inputs: int, pool: int) -> int:
        chains = [
            builder.chain(inputs, (64, (1, 1))),
            builder.chain(inputs, (48, (1, 1)), (64, (5, 5))),
            builder.chain(inputs, (64, (1, 1)), (96, (3, 3)), (96, (3, 3))),
        ]
        self.blocks.append(Mixed(chains, builder.chain(inputs, (pool, (1, 1)))))
        return sum(map(builder.width, (64, 64, 96, pool)))

    def _reduction_a(self, builder: Builder, inputs: int) -> int:
        width = builder.width
        double = builder.chain(inputs, (64, (1, 1)), (96, (3, 3)))
        double.append(Unit(builder, width(96), width(96), (3, 3), 2, "VALID"))
        single = [Unit(builder, inputs, width(384), (3, 3), 2, "VALID")]
        self.blocks.append(Reduction([single, double]))
        return width(384) + width(96) + inputs

    def _block_b(self, builder: Builder, inputs: int, full: int) -> int:
        chains = [
            builder.chain(inputs, (192, (1, 1))),
            builder.chain(inputs, (full, (1, 1)), (full, (1, 7)), (192, (7, 1))),
            builder.chain(
                inputs, (full, (1, 1)), (full, (7, 1)), (full, (1, 7)), (full, (7, 1)), (192, (1, 7))
            ),
        ]
        self.blocks.append(Mixed(chains, builder.chain(inputs, (192, (1, 1)))))
        return 4 * builder.width(192)

    def _reduction_b(self, builder: Builder, inputs: int) -> int:
        width = builder.width
        first = builder.chain(inputs, (192, (1, 1)))
        first.append(Unit(builder, width(192), width(320), (3, 3), 2, "VALID"))
        second = builder.chain(inputs, (192, (1, 1)), (192, (1, 7)), (192, (7, 1)))
        second.append(Unit(builder, width(192), width(192), (3, 3), 2, "VALID"))
        self.blocks.append(Reduction([first, second]))
        return width(320) + width(192) + inputs

    def _block_c(self, builder: Builder, inputs: int) -> int:
        width = builder.width
        forks = []
        for stem in (
            builder.chain(inputs, (384, (1, 1))),
            builder.chain(inputs, (448, (1, 1)), (384, (3, 3))),
        ):
            tips = [Unit(builder, width(384), width(384), kernel) for kernel in ((1, 3), (3, 1))]
            forks.append((stem, tips))
        single = builder.chain(inputs, (320, (1, 1)))
        self.blocks.append(Forked(single, forks, builder.chain(inputs, (192, (1, 1)))))
        return width(320) + 4 * width(384) + width(192)

    def loss(self, weights: Weights, images: jax.Array, labels: jax.Array) -> jax.Array:
        x = max_pool(run(self.stem1, weights, images), 3, 2)
        x = max_pool(run(self.stem2, weights, x), 3, 2)
        for block in self.blocks:
            x = block(weights, x)
        return cross_entropy(self.dense(weights, x.mean(axis=(1, 2))), labels)


@janus.jit
def train_step(model: Inception, optimiser: Momentum, images: jax.Array, labels: jax.Array) -> float:
    loss, gradients = janus.value_and_grad(model.loss)(model.weights, images, labels)
    optimiser.update(model.weights, gradients)
    return float(loss)


COMPILED = (train_step,)


class Training:
    def __init__(self, size: Size) -> None:
        self.model = Inception(size, np.random.default_rng(0))
        self.optimiser = Momentum(self.model.weights, size.rate)
        self.batches = imagenet_batches(size.side, size.classes, size.batch)
        self.items = size.batch

    def step(self) -> float:
        images, labels = next(self.batches)
        return train_step(self.model, self.optimiser, jnp.asarray(images), jnp.asarray(labels))
