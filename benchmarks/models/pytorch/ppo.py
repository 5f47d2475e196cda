"""Proximal policy optimisation on Pendulum."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from ..pendulum import Arrays, PendulumTraining
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


class Training(PendulumTraining):
    def __init__(self, size: Size, compile: Compile) -> None:
        super().__init__(size)
        self.agent = Agent(size)
        self.agent_act, self.loss = compile(self.agent.act), compile(self.agent.loss)
        self.optimiser = torch.optim.Adam(self.agent.parameters(), lr=size.rate, fused=True)

    def act(self, states: np.ndarray) -> Arrays:
        with torch.no_grad():
            return tuple(x.numpy() for x in self.agent_act(torch.from_numpy(states)))

    def advantages(self, rewards: np.ndarray, values: np.ndarray, ends: np.ndarray) -> Arrays:
        advantages = np.zeros_like(rewards)
        following = np.zeros_like(rewards[0])
        for t in reversed(range(len(rewards))):
            goes_on = 1 - ends[t]
            error = rewards[t] + self.size.discount * values[t + 1] * goes_on - values[t]
            following = error + self.size.discount * self.size.smoothing * goes_on * following
            advantages[t] = following
        return advantages, advantages + values[:-1]

    def learn(self, batch: list[np.ndarray]) -> tuple[float, bool]:
        loss, moved = self.loss(*map(torch.from_numpy, batch))
        if moved.item() > self.size.divergence:
            return loss.item(), False
        self.optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.agent.parameters(), 0.5)
        self.optimiser.step()
        return loss.item(), True
