"""What all versions of the program on Pendulum share: playing, and going through minibatches."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np

from .sizes import PPO as Size

Arrays = tuple[np.ndarray, ...]


class PendulumTraining:
    """Plays for a while, then learns from minibatches until the policy has moved too far."""

    def __init__(self, size: Size) -> None:
        self.size = size
        self.envs = gymnasium.make_vec("Pendulum-v1", num_envs=size.environments, vectorization_mode="sync")
        self.states, _ = self.envs.reset(seed=0)
        self.random = np.random.default_rng(0)
        self.items = size.environments * size.horizon

    def act(self, states: np.ndarray) -> Arrays:
        """Return actions, the logarithms of their likelihood, and values."""
        raise NotImplementedError

    def advantages(self, rewards: np.ndarray, values: np.ndarray, ends: np.ndarray) -> Any:
        """Return advantages and returns; `values` has one row more than the others."""
        raise NotImplementedError

    def learn(self, batch: list[np.ndarray]) -> tuple[float, bool]:
        """Learn from a minibatch; return the loss and whether to go on."""
        raise NotImplementedError

    def play(self) -> Arrays:
        """Play for a while; return states, actions, likelihoods, advantages and returns, a row for each step."""
        rows = []
        for _ in range(self.size.horizon):
            actions, likelihood, values = self.act(self.states)
            following, rewards, terminated, truncated, _ = self.envs.step(2 * actions[:, None])
            ends = (terminated | truncated).astype(np.float32)
            rewards = (0.1 * rewards + 0.8).astype(np.float32)
            rows.append((self.states, actions, likelihood, values, rewards, ends))
            self.states = following
        states, actions, likelihood, values, rewards, ends = map(np.stack, zip(*rows, strict=True))
        _, _, last = self.act(self.states)
        advantages, returns = self.advantages(rewards, np.concatenate([values, last[None]]), ends)
        advantages = (advantages - advantages.mean()) / (advantages.std() + 1e-6)
        columns = states, actions, likelihood, advantages, returns
        return tuple(column.reshape(-1, *column.shape[2:]) for column in columns)

    def step(self) -> float:
        columns = self.play()
        losses = []
        going_on = True
        for _ in range(self.size.epochs):
            order = self.random.permutation(self.items)
            for first in range(0, self.items, self.size.minibatch):
                chosen = order[first : first + self.size.minibatch]
                loss, going_on = self.learn([column[chosen] for column in columns])
                losses.append(loss)
                if not going_on:
                    break
            if not going_on:
                break
        return float(np.mean(losses))
