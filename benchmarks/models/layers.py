"""Layers as objects. Weights live in a dictionary that the optimiser changes; whatever else a layer remembers, on the layer.

A layer is called with the weights to use, so that a gradient can be taken with respect to them.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

Weights = dict[str, jax.Array]


class Linear:
    """A dense layer."""

    def __init__(
        self, weights: Weights, name: str, inputs: int, outputs: int, random: np.random.Generator
    ) -> None:
        self.weight, self.bias = f"{name}.weight", f"{name}.bias"
        weights[self.weight] = normal(random, (inputs, outputs), (1 / inputs) ** 0.5)
        weights[self.bias] = jnp.zeros(outputs)

    def __call__(self, weights: Weights, x: jax.Array) -> jax.Array:
        return x @ weights[self.weight] + weights[self.bias]


class _Convolution:
    """A kernel, and a bias for each output channel where asked to."""

    def __init__(
        self,
        weights: Weights,
        name: str,
        shape: tuple[int, int, int, int],
        variance: float,
        random: np.random.Generator,
        bias: bool,
    ) -> None:
        self.weight = f"{name}.weight"
        self.bias = f"{name}.bias" if bias else None
        weights[self.weight] = normal(random, shape, variance**0.5)
        if self.bias is not None:
            weights[self.bias] = jnp.zeros(shape[-1])

    def biased(self, weights: Weights, y: jax.Array) -> jax.Array:
        return y if self.bias is None else y + weights[self.bias]


class Conv(_Convolution):
    """A convolution over (batch, height, width, channel)."""

    def __init__(
        self,
        weights: Weights,
        name: str,
        inputs: int,
        outputs: int,
        kernel: tuple[int, int],
        random: np.random.Generator,
        stride: int = 1,
        padding: str = "SAME",
        bias: bool = True,
    ) -> None:
        fan_in = kernel[0] * kernel[1] * inputs
        super().__init__(weights, name, (*kernel, inputs, outputs), 2 / fan_in, random, bias)
        self.strides = (stride, stride)
        self.padding = padding

    def __call__(self, weights: Weights, x: jax.Array) -> jax.Array:
        y = jax.lax.conv_general_dilated(
            x, weights[self.weight], self.strides, self.padding, dimension_numbers=("NHWC", "HWIO", "NHWC")
        )
        return self.biased(weights, y)


class ConvTranspose(_Convolution):
    """A transposed convolution, which doubles height and width."""

    def __init__(
        self,
        weights: Weights,
        name: str,
        inputs: int,
        outputs: int,
        random: np.random.Generator,
        bias: bool = True,
    ) -> None:
        super().__init__(weights, name, (4, 4, inputs, outputs), 1 / (4 * inputs), random, bias)

    def __call__(self, weights: Weights, x: jax.Array) -> jax.Array:
        return self.biased(weights, jax.lax.conv_transpose(x, weights[self.weight], (2, 2), "SAME"))


class BatchNorm:
    """Batch normalisation: by the batch in training, by running averages otherwise."""

    def __init__(self, weights: Weights, name: str, channels: int) -> None:
        self.scale, self.shift = f"{name}.scale", f"{name}.shift"
        weights[self.scale] = jnp.ones(channels)
        weights[self.shift] = jnp.zeros(channels)
        self.mean = jnp.zeros(channels)
        self.variance = jnp.ones(channels)
        self.training = True

    def __call__(self, weights: Weights, x: jax.Array) -> jax.Array:
        if self.training:
            mean = x.mean(axis=(0, 1, 2))
            variance = x.var(axis=(0, 1, 2))
            self.mean = 0.9 * self.mean + 0.1 * jax.lax.stop_gradient(mean)
            self.variance = 0.9 * self.variance + 0.1 * jax.lax.stop_gradient(variance)
        else:
            mean, variance = self.mean, self.variance
        scale = weights[self.scale] * jax.lax.rsqrt(variance + 1e-5)
        return (x - mean) * scale + weights[self.shift]


class Embedding:
    """A table with a row for each word."""

    def __init__(
        self, weights: Weights, name: str, rows: int, width: int, random: np.random.Generator
    ) -> None:
        self.table = f"{name}.table"
        weights[self.table] = normal(random, (rows, width), 0.1)

    def __call__(self, weights: Weights, words: jax.Array) -> jax.Array:
        return weights[self.table][words]


class LSTMCell:
    """One step of an LSTM, optionally with its output projected to a smaller width."""

    def __init__(
        self,
        weights: Weights,
        name: str,
        inputs: int,
        width: int,
        random: np.random.Generator,
        projection: int | None = None,
    ) -> None:
        outputs = projection or width
        self.kernel, self.bias = f"{name}.kernel", f"{name}.bias"
        self.projection = f"{name}.projection" if projection else None
        weights[self.kernel] = normal(random, (inputs + outputs, 4 * width), (1 / (inputs + outputs)) ** 0.5)
        weights[self.bias] = jnp.zeros(4 * width)
        if self.projection is not None:
            weights[self.projection] = normal(random, (width, outputs), (1 / width) ** 0.5)

    def __call__(
        self, weights: Weights, x: jax.Array, hidden: jax.Array, cell: jax.Array
    ) -> tuple[jax.Array, jax.Array]:
        gates = jnp.concatenate([x, hidden], axis=-1) @ weights[self.kernel] + weights[self.bias]
        enter, forget, candidate, leave = jnp.split(gates, 4, axis=-1)
        cell = jax.nn.sigmoid(forget + 1.0) * cell + jax.nn.sigmoid(enter) * jnp.tanh(candidate)
        hidden = jax.nn.sigmoid(leave) * jnp.tanh(cell)
        if self.projection is not None:
            hidden = hidden @ weights[self.projection]
        return hidden, cell


def normal(random: np.random.Generator, shape: tuple[int, ...], deviation: float) -> jax.Array:
    return jnp.asarray(random.normal(0, deviation, shape), dtype=jnp.float32)


def max_pool(x: jax.Array, window: int, stride: int, padding: str = "VALID") -> jax.Array:
    return jax.lax.reduce_window(
        x, -jnp.inf, jax.lax.max, (1, window, window, 1), (1, stride, stride, 1), padding
    )


def average_pool(x: jax.Array, window: int, stride: int, padding: str = "VALID") -> jax.Array:
    dims, strides = (1, window, window, 1), (1, stride, stride, 1)
    total = jax.lax.reduce_window(x, 0.0, jax.lax.add, dims, strides, padding)
    count = jax.lax.reduce_window(jnp.ones((1, *x.shape[1:3], 1)), 0.0, jax.lax.add, dims, strides, padding)
    return total / count


def cross_entropy(logits: jax.Array, labels: jax.Array) -> jax.Array:
    """Return the mean over all but the last axis."""
    chosen = jnp.take_along_axis(jax.nn.log_softmax(logits), labels[..., None], axis=-1)
    return -chosen.mean()


def binary_cross_entropy(logits: jax.Array, real: bool) -> jax.Array:
    return jax.nn.softplus(-logits if real else logits).mean()
