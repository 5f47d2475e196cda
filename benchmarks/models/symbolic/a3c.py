"""Actor and critic: episodes are padded to powers of two under a mask, so that few lengths have to be compiled."""

from __future__ import annotations

import functools
from typing import Any

import gymnasium
import jax
import jax.numpy as jnp
import numpy as np

from ..layers import Weights
from ..programs.a3c import ActorCritic
from ..sizes import A3C as Size
from .nn import adam, adam_state, linear


def policy(weights: Weights, states: jax.Array) -> tuple[jax.Array, jax.Array]:
    hidden = jax.nn.relu(linear(weights, "dense", states))
    return linear(weights, "actor", hidden), linear(weights, "critic", hidden)[..., 0]


@jax.jit
def act(weights: Weights, key: jax.Array, state: jax.Array) -> tuple[jax.Array, jax.Array]:
    logits, _ = policy(weights, state)
    key, draw = jax.random.split(key)
    return jax.random.categorical(draw, logits), key


@functools.partial(jax.jit, static_argnums=(0,), donate_argnums=(1, 2))
def learn(
    size: Size,
    weights: Weights,
    moments: Any,
    states: jax.Array,
    actions: jax.Array,
    rewards: jax.Array,
    mask: jax.Array,
) -> Any:
    count = mask.sum()

    def discount(following: jax.Array, reward: jax.Array) -> tuple[jax.Array, jax.Array]:
        following = reward + size.discount * following
        return following, following

    _, returns = jax.lax.scan(discount, jnp.zeros(()), rewards, reverse=True)
    mean = (returns * mask).sum() / count
    deviation = jnp.sqrt((mask * (returns - mean) ** 2).sum() / count)
    returns = (returns - mean) / (deviation + 1e-6)

    def loss_of(weights: Weights) -> jax.Array:
        logits, values = policy(weights, states)
        advantages = returns - values
        log_policy = jax.nn.log_softmax(logits)
        chosen = jnp.take_along_axis(log_policy, actions[:, None], axis=1)[:, 0]
        entropy = -(jnp.exp(log_policy) * log_policy).sum(axis=1)
        each = -chosen * jax.lax.stop_gradient(advantages) + 0.5 * advantages**2 - size.entropy * entropy
        return (mask * each).sum() / count

    loss, gradients = jax.value_and_grad(loss_of)(weights)
    return loss, *adam(weights, moments, gradients, size.rate)


def padded(rows: list[Any], length: int, dtype: Any) -> np.ndarray:
    array = np.asarray(rows, dtype)
    return np.concatenate([array, np.zeros((length - len(rows), *array.shape[1:]), dtype)])


class Training:
    def __init__(self, size: Size) -> None:
        self.size = size
        self.env = gymnasium.make("CartPole-v1")
        self.env.reset(seed=0)
        agent = ActorCritic(size, np.random.default_rng(0))
        self.weights, self.key = agent.weights, agent.key
        self.moments: Any = adam_state(self.weights)
        self.items = 0

    def step(self) -> float:
        states: list[Any] = []
        actions: list[int] = []
        rewards: list[float] = []
        state, _ = self.env.reset()
        done = False
        while not done and len(states) < self.size.limit:
            action, self.key = act(self.weights, self.key, state)
            following, reward, terminated, truncated, _ = self.env.step(int(action))
            states.append(state)
            actions.append(int(action))
            rewards.append(float(reward))
            state, done = following, terminated or truncated
        self.items = len(states)
        length = 1 << (self.items - 1).bit_length()
        loss, self.weights, self.moments = learn(
            self.size,
            self.weights,
            self.moments,
            padded(states, length, np.float32),
            padded(actions, length, np.int32),
            padded(rewards, length, np.float32),
            padded([1.0] * self.items, length, np.float32),
        )
        return float(loss)
