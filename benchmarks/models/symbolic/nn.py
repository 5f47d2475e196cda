"""Layers and optimisers as pure functions, which take weights and state and return new ones."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from ..layers import Weights

State = dict[str, jax.Array]


def linear(weights: Weights, name: str, x: jax.Array) -> jax.Array:
    return x @ weights[f"{name}.weight"] + weights[f"{name}.bias"]


def conv(weights: Weights, name: str, x: jax.Array, stride: int = 1, padding: str = "SAME") -> jax.Array:
    y = jax.lax.conv_general_dilated(
        x,
        weights[f"{name}.weight"],
        (stride, stride),
        padding,
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )
    bias = weights.get(f"{name}.bias")
    return y if bias is None else y + bias


def conv_transpose(weights: Weights, name: str, x: jax.Array) -> jax.Array:
    y = jax.lax.conv_transpose(x, weights[f"{name}.weight"], (2, 2), "SAME")
    bias = weights.get(f"{name}.bias")
    return y if bias is None else y + bias


def batch_norm(weights: Weights, state: State, name: str, x: jax.Array, training: bool) -> jax.Array:
    """Normalise `x`; in training, put the new running averages into the dictionary `state`."""
    if training:
        mean, variance = x.mean(axis=(0, 1, 2)), x.var(axis=(0, 1, 2))
        state[f"{name}.mean"] = 0.9 * state[f"{name}.mean"] + 0.1 * jax.lax.stop_gradient(mean)
        state[f"{name}.variance"] = 0.9 * state[f"{name}.variance"] + 0.1 * jax.lax.stop_gradient(variance)
    else:
        mean, variance = state[f"{name}.mean"], state[f"{name}.variance"]
    scale = weights[f"{name}.scale"] * jax.lax.rsqrt(variance + 1e-5)
    return (x - mean) * scale + weights[f"{name}.shift"]


def batch_norm_state(weights: Weights) -> State:
    """Return the running averages at the beginning for all batch normalisations among `weights`."""
    state = {}
    for name, weight in weights.items():
        if name.endswith(".shift"):
            stem = name.removesuffix(".shift")
            state[f"{stem}.mean"] = jnp.zeros_like(weight)
            state[f"{stem}.variance"] = jnp.ones_like(weight)
    return state


def lstm(
    weights: Weights, name: str, x: jax.Array, hidden: jax.Array, cell: jax.Array
) -> tuple[jax.Array, jax.Array]:
    gates = jnp.concatenate([x, hidden], axis=-1) @ weights[f"{name}.kernel"] + weights[f"{name}.bias"]
    enter, forget, candidate, leave = jnp.split(gates, 4, axis=-1)
    cell = jax.nn.sigmoid(forget + 1.0) * cell + jax.nn.sigmoid(enter) * jnp.tanh(candidate)
    hidden = jax.nn.sigmoid(leave) * jnp.tanh(cell)
    projection = weights.get(f"{name}.projection")
    return hidden if projection is None else hidden @ projection, cell


def zeros_like(weights: Weights) -> Weights:
    return jax.tree.map(jnp.zeros_like, weights)


def momentum(weights: Weights, velocity: Weights, gradients: Weights, rate: Any) -> tuple[Weights, Weights]:
    velocity = jax.tree.map(lambda v, g: 0.9 * v + g, velocity, gradients)
    return jax.tree.map(lambda w, v: w - rate * v, weights, velocity), velocity


def adagrad(weights: Weights, square: Weights, gradients: Weights, rate: float) -> tuple[Weights, Weights]:
    square = jax.tree.map(lambda s, g: s + g * g, square, gradients)
    return jax.tree.map(lambda w, s, g: w - rate * g * jax.lax.rsqrt(s), weights, square, gradients), square


AdamState = tuple[Weights, Weights, jax.Array]


def adam_state(weights: Weights) -> AdamState:
    return zeros_like(weights), zeros_like(weights), jnp.zeros(())


def adam(
    weights: Weights, state: AdamState, gradients: Weights, rate: float, decay: float = 0.9
) -> tuple[Weights, AdamState]:
    mean, square, count = state
    count = count + 1
    scale = rate * jnp.sqrt(1 - 0.999**count) / (1 - decay**count)
    mean = jax.tree.map(lambda m, g: decay * m + (1 - decay) * g, mean, gradients)
    square = jax.tree.map(lambda s, g: 0.999 * s + 0.001 * g * g, square, gradients)
    weights = jax.tree.map(lambda w, m, s: w - scale * m / (jnp.sqrt(s) + 1e-8), weights, mean, square)
    return weights, (mean, square, count)


def global_norm(gradients: Weights) -> jax.Array:
    return jnp.sqrt(sum(jnp.sum(g * g) for g in gradients.values()))
