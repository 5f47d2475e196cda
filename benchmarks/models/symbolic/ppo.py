"""Proximal policy optimisation as pure functions; whether to go on is read back from the device after each minibatch."""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..layers import Weights
from ..pendulum import Arrays, PendulumTraining
from ..programs.ppo import Agent
from ..sizes import PPO as Size
from .nn import adam, adam_state, global_norm, linear


def mean_of(weights: Weights, states: jax.Array) -> jax.Array:
    x = jnp.tanh(linear(weights, "actor1", states))
    return linear(weights, "actor3", jnp.tanh(linear(weights, "actor2", x)))[:, 0]


def value_of(weights: Weights, states: jax.Array) -> jax.Array:
    x = jnp.tanh(linear(weights, "critic1", states))
    return linear(weights, "critic3", jnp.tanh(linear(weights, "critic2", x)))[:, 0]


@jax.jit
def act(weights: Weights, key: jax.Array, states: jax.Array) -> tuple[jax.Array, ...]:
    mean = mean_of(weights, states)
    key, draw = jax.random.split(key)
    noise = jax.random.normal(draw, mean.shape)
    deviation = weights["deviation"]
    actions = mean + jnp.exp(deviation) * noise
    return actions, -0.5 * noise**2 - deviation, value_of(weights, states), key


@functools.partial(jax.jit, static_argnums=(0,))
def advantages_of(size: Size, rewards: jax.Array, values: jax.Array, ends: jax.Array) -> Any:
    def back(following: jax.Array, row: Any) -> tuple[jax.Array, jax.Array]:
        reward, value, next_value, end = row
        error = reward + size.discount * next_value * (1 - end) - value
        following = error + size.discount * size.smoothing * (1 - end) * following
        return following, following

    rows = rewards, values[:-1], values[1:], ends
    _, advantages = jax.lax.scan(back, jnp.zeros_like(rewards[0]), rows, reverse=True)
    return advantages, advantages + values[:-1]


@functools.partial(jax.jit, static_argnums=(0,), donate_argnums=(1, 2))
def train_step(size: Size, weights: Weights, moments: Any, *batch: jax.Array) -> Any:
    states, actions, likelihood, advantages, returns = batch

    def loss_of(weights: Weights) -> tuple[jax.Array, jax.Array]:
        deviation = weights["deviation"]
        noise = (actions - mean_of(weights, states)) * jnp.exp(-deviation)
        difference = -0.5 * noise**2 - deviation - likelihood
        ratio = jnp.exp(difference)
        clipped = jnp.clip(ratio, 1 - size.clip, 1 + size.clip)
        gain = jnp.minimum(ratio * advantages, clipped * advantages).mean()
        error = ((value_of(weights, states) - returns) ** 2).mean()
        return 0.5 * error - gain, (ratio - 1 - difference).mean()

    (loss, moved), gradients = jax.value_and_grad(loss_of, has_aux=True)(weights)
    too_far = moved > size.divergence
    scale = jnp.minimum(1.0, 0.5 / (global_norm(gradients) + 1e-6))
    gradients = jax.tree.map(lambda g: scale * g, gradients)
    weights, moments = jax.lax.cond(
        too_far,
        lambda: (weights, moments),
        lambda: adam(weights, moments, gradients, size.rate),
    )
    return loss, too_far, weights, moments


class Training(PendulumTraining):
    def __init__(self, size: Size) -> None:
        super().__init__(size)
        agent = Agent(size, np.random.default_rng(0))
        self.weights, self.key = agent.weights, agent.key
        self.moments: Any = adam_state(self.weights)

    def act(self, states: np.ndarray) -> Arrays:
        *found, self.key = act(self.weights, self.key, states)
        return tuple(map(np.asarray, found))

    def advantages(self, rewards: np.ndarray, values: np.ndarray, ends: np.ndarray) -> Arrays:
        return tuple(map(np.asarray, advantages_of(self.size, rewards, values, ends)))

    def learn(self, batch: list[np.ndarray]) -> tuple[float, bool]:
        loss, stop, self.weights, self.moments = train_step(self.size, self.weights, self.moments, *batch)
        return float(loss), not bool(stop)
