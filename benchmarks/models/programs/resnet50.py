"""ResNet-50: batch normalisation that branches on training or evaluation, with running averages on the layers."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

import janus_mlir as janus

from ..data import imagenet_batches
from ..layers import BatchNorm, Conv, Linear, Weights, cross_entropy, max_pool
from ..optimisers import Momentum
from ..sizes import ResNet50 as Size


class Bottleneck:
    def __init__(
        self, weights: Weights, name: str, inputs: int, width: int, stride: int, random: np.random.Generator
    ) -> None:
        self.conv1 = Conv(weights, f"{name}.conv1", inputs, width, (1, 1), random, bias=False)
        self.norm1 = BatchNorm(weights, f"{name}.norm1", width)
        self.conv2 = Conv(weights, f"{name}.conv2", width, width, (3, 3), random, stride, bias=False)
        self.norm2 = BatchNorm(weights, f"{name}.norm2", width)
        self.conv3 = Conv(weights, f"{name}.conv3", width, 4 * width, (1, 1), random, bias=False)
        self.norm3 = BatchNorm(weights, f"{name}.norm3", 4 * width)
        self.shortcut: Conv | None = None
        if stride != 1 or inputs != 4 * width:
            self.shortcut = Conv(
                weights, f"{name}.shortcut", inputs, 4 * width, (1, 1), random, stride, bias=False
            )
            self.norm = BatchNorm(weights, f"{name}.norm", 4 * width)

    def __call__(self, weights: Weights, x: jax.Array) -> jax.Array:
        y = jax.nn.relu(self.norm1(weights, self.conv1(weights, x)))
        y = jax.nn.relu(self.norm2(weights, self.conv2(weights, y)))
        y = self.norm3(weights, self.conv3(weights, y))
        if self.shortcut is not None:
            x = self.norm(weights, self.shortcut(weights, x))
        return jax.nn.relu(x + y)

    def norms(self) -> list[BatchNorm]:
        found = [self.norm1, self.norm2, self.norm3]
        if self.shortcut is not None:
            found.append(self.norm)
        return found


class ResNet:
    def __init__(self, size: Size, random: np.random.Generator) -> None:
        self.weights: Weights = {}
        self.stem = Conv(self.weights, "stem", 3, size.width, (7, 7), random, 2, bias=False)
        self.norm = BatchNorm(self.weights, "stem_norm", size.width)
        self.blocks = []
        channels = size.width
        for stage, count in enumerate(size.blocks):
            width = size.width * 2**stage
            for block in range(count):
                stride = 2 if stage > 0 and block == 0 else 1
                self.blocks.append(
                    Bottleneck(self.weights, f"stage{stage}.{block}", channels, width, stride, random)
                )
                channels = 4 * width
        self.dense = Linear(self.weights, "dense", channels, size.classes, random)

    def __call__(self, weights: Weights, images: jax.Array) -> jax.Array:
        x = jax.nn.relu(self.norm(weights, self.stem(weights, images)))
        x = max_pool(x, 3, 2, "SAME")
        for block in self.blocks:
            x = block(weights, x)
        return self.dense(weights, x.mean(axis=(1, 2)))

    def loss(self, weights: Weights, images: jax.Array, labels: jax.Array) -> jax.Array:
        return cross_entropy(self(weights, images), labels)

    def train(self, training: bool) -> None:
        """Say whether batch normalisation goes by the batch or by the running averages."""
        self.norm.training = training
        for block in self.blocks:
            for norm in block.norms():
                norm.training = training


@janus.jit
def train_step(model: ResNet, optimiser: Momentum, images: jax.Array, labels: jax.Array) -> float:
    loss, gradients = janus.value_and_grad(model.loss)(model.weights, images, labels)
    optimiser.update(model.weights, gradients)
    return float(loss)


@janus.jit
def evaluate(model: ResNet, images: jax.Array, labels: jax.Array) -> float:
    return float(jnp.mean(jnp.argmax(model(model.weights, images), axis=-1) == labels))


COMPILED = (train_step, evaluate)


class Training:
    def __init__(self, size: Size) -> None:
        self.model = ResNet(size, np.random.default_rng(0))
        self.optimiser = Momentum(self.model.weights, size.rate)
        self.batches = imagenet_batches(size.side, size.classes, size.batch)
        self.items = size.batch
        self.evaluate_every = size.evaluate_every
        self.steps = 0
        self.accuracy = 0.0

    def step(self) -> float:
        images, labels = map(jnp.asarray, next(self.batches))
        loss = train_step(self.model, self.optimiser, images, labels)
        self.steps += 1
        if self.steps % self.evaluate_every == 0:
            self.model.train(False)
            self.accuracy = evaluate(self.model, images, labels)
            self.model.train(True)
        return loss
