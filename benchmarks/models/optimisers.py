"""Optimisers that change a dictionary of weights, and keep what they remember on themselves."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from .layers import Weights


class Momentum:
    """Gradient descent with momentum."""

    def __init__(self, weights: Weights, rate: float) -> None:
        self.rate = rate
        self.velocity = {name: jnp.zeros_like(w) for name, w in weights.items()}

    def update(self, weights: Weights, gradients: Weights) -> None:
        for name, gradient in gradients.items():
            self.velocity[name] = 0.9 * self.velocity[name] + gradient
            weights[name] = weights[name] - self.rate * self.velocity[name]


class ClippedDescent:
    """Gradient descent on gradients of bounded norm, for recurrent networks."""

    def __init__(self, rate: float, bound: float) -> None:
        self.rate = rate
        self.bound = bound
        self.clipped = 0

    def update(self, weights: Weights, gradients: Weights) -> None:
        norm = global_norm(gradients)
        scale = self.rate
        if norm > self.bound:  # decided by the data
            scale = self.rate * self.bound / float(norm)
            self.clipped += 1
        for name, gradient in gradients.items():
            weights[name] = weights[name] - scale * gradient


class Adagrad:
    """Adagrad."""

    def __init__(self, weights: Weights, rate: float) -> None:
        self.rate = rate
        self.square = {name: jnp.full_like(w, 0.1) for name, w in weights.items()}

    def update(self, weights: Weights, gradients: Weights) -> None:
        for name, gradient in gradients.items():
            self.square[name] = self.square[name] + gradient * gradient
            weights[name] = weights[name] - self.rate * gradient * jax.lax.rsqrt(self.square[name])


class Adam:
    """Adam, with its moments and its count of steps."""

    def __init__(self, weights: Weights, rate: float, decay: float = 0.9) -> None:
        self.rate = rate
        self.decay = decay
        self.steps = 0
        self.mean = {name: jnp.zeros_like(w) for name, w in weights.items()}
        self.square = {name: jnp.zeros_like(w) for name, w in weights.items()}

    def update(self, weights: Weights, gradients: Weights) -> None:
        self.steps += 1
        scale = self.rate * (1 - 0.999**self.steps) ** 0.5 / (1 - self.decay**self.steps)
        for name, gradient in gradients.items():
            self.mean[name] = self.decay * self.mean[name] + (1 - self.decay) * gradient
            self.square[name] = 0.999 * self.square[name] + 0.001 * gradient * gradient
            weights[name] = weights[name] - scale * self.mean[name] / (jnp.sqrt(self.square[name]) + 1e-8)


def global_norm(gradients: Weights) -> jax.Array:
    total = jnp.zeros(())
    for gradient in gradients.values():
        total = total + jnp.sum(gradient * gradient)
    return jnp.sqrt(total)
