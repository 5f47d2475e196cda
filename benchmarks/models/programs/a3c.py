"""Actor and critic on a balanced pole: how long an episode lasts, and so what is learnt from, is decided by the data."""

from __future__ import annotations

from typing import Any

import gymnasium
import jax
import jax.numpy as jnp
import numpy as np

import janus_mlir as janus

from ..layers import Linear, Weights
from ..optimisers import Adam
from ..sizes import A3C as Size


class ActorCritic:
    """A policy and a value of states, on one hidden layer; draws its actions itself."""

    def __init__(self, size: Size, random: np.random.Generator) -> None:
        self.weights: Weights = {}
        self.discount = size.discount
        self.entropy = size.entropy
        self.dense = Linear(self.weights, "dense", 4, size.width, random)
        self.actor = Linear(self.weights, "actor", size.width, 2, random)
        self.critic = Linear(self.weights, "critic", size.width, 1, random)
        self.key = jax.random.PRNGKey(0)

    def __call__(self, weights: Weights, states: jax.Array) -> tuple[jax.Array, jax.Array]:
        hidden = jax.nn.relu(self.dense(weights, states))
        return self.actor(weights, hidden), self.critic(weights, hidden)

    @janus.jit
    def act(self, state: np.ndarray) -> int:
        logits, _ = self(self.weights, jnp.asarray(state))
        self.key, draw = jax.random.split(self.key)
        return int(jax.random.categorical(draw, logits))

    def loss(self, weights: Weights, states: jax.Array, actions: jax.Array, returns: jax.Array) -> jax.Array:
        logits, values = self(weights, states)
        advantages = returns - values[:, 0]
        log_policy = jax.nn.log_softmax(logits)
        chosen = jnp.take_along_axis(log_policy, actions[:, None], axis=1)[:, 0]
        entropy = -(jnp.exp(log_policy) * log_policy).sum(axis=1)
        policy_loss = -(chosen * jax.lax.stop_gradient(advantages)).mean()
        return policy_loss + 0.5 * (advantages**2).mean() - self.entropy * entropy.mean()


@janus.jit
def learn(
    agent: ActorCritic, optimiser: Adam, states: np.ndarray, actions: np.ndarray, rewards: np.ndarray
) -> float:
    """Learn from one episode."""
    returns = np.zeros(len(rewards), np.float32)
    following = 0.0
    for t in reversed(range(len(rewards))):
        following = rewards[t] + agent.discount * following
        returns[t] = following
    returns = (returns - returns.mean()) / (returns.std() + 1e-6)
    loss, gradients = janus.value_and_grad(agent.loss)(
        agent.weights, jnp.asarray(states), jnp.asarray(actions), jnp.asarray(returns)
    )
    optimiser.update(agent.weights, gradients)
    return float(loss)


COMPILED = (ActorCritic.act, learn)


def play(env: Any, agent: ActorCritic, limit: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Play an episode to its end."""
    states, actions, rewards = [], [], []
    state, _ = env.reset()
    done = False
    while not done and len(states) < limit:
        action = agent.act(state)
        following, reward, terminated, truncated, _ = env.step(action)
        states.append(state)
        actions.append(action)
        rewards.append(reward)
        state, done = following, terminated or truncated
    return np.stack(states), np.array(actions, np.int32), np.array(rewards, np.float32)


class Training:
    def __init__(self, size: Size) -> None:
        self.env = gymnasium.make("CartPole-v1")
        self.env.reset(seed=0)
        self.limit = size.limit
        self.agent = ActorCritic(size, np.random.default_rng(0))
        self.optimiser = Adam(self.agent.weights, size.rate)
        self.items = 0

    def step(self) -> float:
        states, actions, rewards = play(self.env, self.agent, self.limit)
        self.items = len(states)
        return learn(self.agent, self.optimiser, states, actions, rewards)
