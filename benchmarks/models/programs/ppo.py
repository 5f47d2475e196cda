"""Proximal policy optimisation on a swinging pendulum: an epoch ends early when the policy has moved too far."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

import janus_mlir as janus

from ..layers import Linear, Weights
from ..optimisers import Adam, global_norm
from ..pendulum import Arrays, PendulumTraining
from ..sizes import PPO as Size


class Agent:
    """A Gaussian policy and a value of states."""

    def __init__(self, size: Size, random: np.random.Generator) -> None:
        self.weights: Weights = {}
        self.size = size
        width = size.width
        self.actor1 = Linear(self.weights, "actor1", 3, width, random)
        self.actor2 = Linear(self.weights, "actor2", width, width, random)
        self.actor3 = Linear(self.weights, "actor3", width, 1, random)
        self.critic1 = Linear(self.weights, "critic1", 3, width, random)
        self.critic2 = Linear(self.weights, "critic2", width, width, random)
        self.critic3 = Linear(self.weights, "critic3", width, 1, random)
        self.weights["deviation"] = jnp.zeros(())
        self.key = jax.random.PRNGKey(0)
        self.stopped = 0

    def policy(self, weights: Weights, states: jax.Array) -> jax.Array:
        x = jnp.tanh(self.actor1(weights, states))
        x = jnp.tanh(self.actor2(weights, x))
        return self.actor3(weights, x)[:, 0]

    def value(self, weights: Weights, states: jax.Array) -> jax.Array:
        x = jnp.tanh(self.critic1(weights, states))
        x = jnp.tanh(self.critic2(weights, x))
        return self.critic3(weights, x)[:, 0]

    @janus.jit
    def act(self, states: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
        """Return actions, the logarithms of their likelihood, and values."""
        mean = self.policy(self.weights, states)
        self.key, draw = jax.random.split(self.key)
        noise = jax.random.normal(draw, mean.shape)
        deviation = self.weights["deviation"]
        likelihood = -0.5 * noise**2 - deviation
        actions = mean + jnp.exp(deviation) * noise
        return actions, likelihood, self.value(self.weights, states)

    def loss(
        self,
        weights: Weights,
        states: jax.Array,
        actions: jax.Array,
        likelihood: jax.Array,
        advantages: jax.Array,
        returns: jax.Array,
    ) -> tuple[jax.Array, jax.Array]:
        """Return the loss, and how far the policy has moved."""
        deviation = weights["deviation"]
        noise = (actions - self.policy(weights, states)) * jnp.exp(-deviation)
        difference = -0.5 * noise**2 - deviation - likelihood
        ratio = jnp.exp(difference)
        clipped = jnp.clip(ratio, 1 - self.size.clip, 1 + self.size.clip)
        gain = jnp.minimum(ratio * advantages, clipped * advantages).mean()
        error = ((self.value(weights, states) - returns) ** 2).mean()
        return 0.5 * error - gain, (ratio - 1 - difference).mean()


@janus.jit
def advantages_of(
    agent: Agent, rewards: np.ndarray, values: np.ndarray, ends: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return generalised advantages and returns; `values` has one row more than the others."""
    advantages = np.zeros_like(rewards)
    following = np.zeros_like(rewards[0])
    for t in reversed(range(len(rewards))):
        goes_on = 1.0 - ends[t]
        error = rewards[t] + agent.size.discount * values[t + 1] * goes_on - values[t]
        following = error + agent.size.discount * agent.size.smoothing * goes_on * following
        advantages[t] = following
    return advantages, advantages + values[:-1]


@janus.jit
def train_step(agent: Agent, optimiser: Adam, *batch: jax.Array) -> tuple[float, bool]:
    """Learn from a minibatch, unless the policy has moved too far; return the loss and whether to go on."""
    (loss, moved), gradients = janus.value_and_grad(agent.loss, has_aux=True)(agent.weights, *batch)
    if moved > agent.size.divergence:  # decided by the data
        agent.stopped += 1
        return float(loss), False
    scale = jnp.minimum(1.0, 0.5 / (global_norm(gradients) + 1e-6))
    optimiser.update(agent.weights, {name: scale * gradient for name, gradient in gradients.items()})
    return float(loss), True


COMPILED = (Agent.act, advantages_of, train_step)


class Training(PendulumTraining):
    def __init__(self, size: Size) -> None:
        super().__init__(size)
        self.agent = Agent(size, np.random.default_rng(0))
        self.optimiser = Adam(self.agent.weights, size.rate)

    def act(self, states: np.ndarray) -> Arrays:
        return tuple(map(np.asarray, self.agent.act(jnp.asarray(states))))

    def advantages(self, rewards: np.ndarray, values: np.ndarray, ends: np.ndarray) -> Arrays:
        return advantages_of(self.agent, rewards, values, ends)

    def learn(self, batch: list[np.ndarray]) -> tuple[float, bool]:
        return train_step(self.agent, self.optimiser, *map(jnp.asarray, batch))
