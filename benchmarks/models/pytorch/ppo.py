"""Proximal policy optimisation on Pendulum."""

from __future__ import annotations

import gymnasium
import numpy as np
import torch
from torch import nn

from ..sizes import PPO as Size
from . import Compile


class Agent(nn.Module):
    def __init__(self, size: Size) -> None:
        super().__init__()
        self.size = size
        self.actor, self.critic = (
            nn.Sequential(
                nn.Linear(3, size.width),
                nn.Tanh(),
                nn.Linear(size.width, size.width),
                nn.Tanh(),
                nn.Linear(size.width, 1),
            )
            for _ in range(2)
        )
        self.deviation = nn.Parameter(torch.zeros(()))

    def act(self, states: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        mean = self.actor(states)[:, 0]
        noise = torch.randn_like(mean)
        actions = mean + torch.exp(self.deviation) * noise
        return actions, -0.5 * noise**2 - self.deviation, self.critic(states)[:, 0]

    def loss(
        self,
        states: torch.Tensor,
        actions: torch.Tensor,
        likelihood: torch.Tensor,
        advantages: torch.Tensor,
        returns: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        noise = (actions - self.actor(states)[:, 0]) * torch.exp(-self.deviation)
        difference = -0.5 * noise**2 - self.deviation - likelihood
        ratio = torch.exp(difference)
        clipped = ratio.clamp(1 - self.size.clip, 1 + self.size.clip)
        gain = torch.minimum(ratio * advantages, clipped * advantages).mean()
        error = ((self.critic(states)[:, 0] - returns) ** 2).mean()
        return 0.5 * error - gain, (ratio - 1 - difference).mean()


class Training:
    def __init__(self, size: Size, compile: Compile) -> None:
        self.size = size
        self.envs = gymnasium.make_vec("Pendulum-v1", num_envs=size.environments, vectorization_mode="sync")
        self.states, _ = self.envs.reset(seed=0)
        self.agent = Agent(size)
        self.act, self.loss = compile(self.agent.act), compile(self.agent.loss)
        self.optimiser = torch.optim.Adam(self.agent.parameters(), lr=size.rate, fused=True)
        self.random = np.random.default_rng(0)
        self.items = size.environments * size.horizon

    def play(self) -> list[torch.Tensor]:
        rows = []
        with torch.no_grad():
            for _ in range(self.size.horizon):
                actions, likelihood, values = (x.numpy() for x in self.act(torch.from_numpy(self.states)))
                following, rewards, terminated, truncated, _ = self.envs.step(2 * actions[:, None])
                ends = (terminated | truncated).astype(np.float32)
                rewards = (0.1 * rewards + 0.8).astype(np.float32)
                rows.append((self.states, actions, likelihood, values, rewards, ends))
                self.states = following
            last = self.act(torch.from_numpy(self.states))[2].numpy()
        states, actions, likelihood, values, rewards, ends = map(np.stack, zip(*rows, strict=True))
        values = np.concatenate([values, last[None]])
        advantages = np.zeros_like(rewards)
        following_advantage = np.zeros_like(rewards[0])
        for t in reversed(range(len(rewards))):
            goes_on = 1 - ends[t]
            error = rewards[t] + self.size.discount * values[t + 1] * goes_on - values[t]
            following_advantage = (
                error + self.size.discount * self.size.smoothing * goes_on * following_advantage
            )
            advantages[t] = following_advantage
        returns = advantages + values[:-1]
        advantages = (advantages - advantages.mean()) / (advantages.std() + 1e-6)
        columns = states, actions, likelihood, advantages, returns
        return [torch.from_numpy(column.reshape(-1, *column.shape[2:])) for column in columns]

    def step(self) -> float:
        columns = self.play()
        losses = []
        too_far = False
        for _ in range(self.size.epochs):
            order = self.random.permutation(self.items)
            for first in range(0, self.items, self.size.minibatch):
                chosen = torch.from_numpy(order[first : first + self.size.minibatch])
                loss, moved = self.loss(*(column[chosen] for column in columns))
                losses.append(loss.item())
                too_far = moved.item() > self.size.divergence
                if too_far:
                    break
                self.optimiser.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(self.agent.parameters(), 0.5)
                self.optimiser.step()
            if too_far:
                break
        return float(np.mean(losses))
