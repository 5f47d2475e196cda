"""pix2pix as one pure step: key, weights, running averages and moments go in and come out."""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp

from ..data import image_pairs
from ..layers import Weights, binary_cross_entropy
from ..programs.pix2pix import Pix2Pix
from ..sizes import Pix2Pix as Size
from .nn import State, adam, adam_state, batch_norm, batch_norm_state, conv, conv_transpose


def down(weights: Weights, state: State, name: str, x: jax.Array) -> jax.Array:
    x = conv(weights, name, x, 2)
    if f"{name}.norm.scale" in weights:
        x = batch_norm(weights, state, f"{name}.norm", x, True)
    return jax.nn.leaky_relu(x, 0.2)


def paint(size: Size, weights: Weights, state: State, x: jax.Array, key: jax.Array) -> jax.Array:
    skipped = []
    for level in range(size.depth):
        x = down(weights, state, f"down{level}", x)
        skipped.append(x)
    skipped.pop()
    for level in range(size.depth - 1):
        key, draw = jax.random.split(key)
        x = batch_norm(weights, state, f"up{level}.norm", conv_transpose(weights, f"up{level}", x), True)
        if level < 3:
            x = jnp.where(jax.random.bernoulli(draw, 0.5, x.shape), 2 * x, 0.0)
        x = jnp.concatenate([jax.nn.relu(x), skipped.pop()], axis=-1)
    return jnp.tanh(conv_transpose(weights, "last", x))


def judge(weights: Weights, state: State, outlines: jax.Array, image: jax.Array) -> jax.Array:
    x = jnp.concatenate([outlines, image], axis=-1)
    for level in range(3):
        x = down(weights, state, f"down{level}", x)
    return conv(weights, "last", x)


@functools.partial(jax.jit, static_argnums=(0,), donate_argnums=(1,))
def train_step(size: Size, everything: Any, outlines: jax.Array, image: jax.Array) -> Any:
    key, generator, discriminator, averages, judged_averages, moments, judged_moments = everything
    key, draw = jax.random.split(key)

    def generator_loss(weights: Weights) -> Any:
        new, judged = dict(averages), dict(judged_averages)
        fake = paint(size, weights, new, outlines, draw)
        judgement = judge(discriminator, judged, outlines, fake)
        loss = binary_cross_entropy(judgement, True) + size.likeness * jnp.abs(fake - image).mean()
        return loss, (fake, new, judged)

    (painted, (fake, averages, judged_averages)), gradients = jax.value_and_grad(
        generator_loss, has_aux=True
    )(generator)
    generator, moments = adam(generator, moments, gradients, size.rate, decay=0.5)

    def discriminator_loss(weights: Weights) -> Any:
        new = dict(judged_averages)
        real_loss = binary_cross_entropy(judge(weights, new, outlines, image), True)
        fake_loss = binary_cross_entropy(judge(weights, new, outlines, fake), False)
        return 0.5 * (real_loss + fake_loss), new

    (judged, judged_averages), gradients = jax.value_and_grad(discriminator_loss, has_aux=True)(discriminator)
    discriminator, judged_moments = adam(discriminator, judged_moments, gradients, size.rate, decay=0.5)
    everything = key, generator, discriminator, averages, judged_averages, moments, judged_moments
    return painted + judged, everything


class Training:
    def __init__(self, size: Size) -> None:
        self.size = size
        network = Pix2Pix(size)
        generator, discriminator = network.generator.weights, network.discriminator.weights
        self.everything: Any = (
            network.key, generator, discriminator, batch_norm_state(generator), batch_norm_state(discriminator),
            adam_state(generator), adam_state(discriminator),
        )  # fmt: skip
        self.batches = image_pairs(size.side)
        self.items = 1

    def step(self) -> float:
        loss, self.everything = train_step(self.size, self.everything, *next(self.batches))
        return float(loss)
