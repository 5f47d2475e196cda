"""Actor and critic on CartPole."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import torch
from torch import nn

from ..sizes import A3C as Size
from . import Compile


class ActorCritic(nn.Module):
    def __init__(self, size: Size) -> None:
        super().__init__()
        self.entropy = size.entropy
        self.dense = nn.Linear(4, size.width)
        self.actor = nn.Linear(size.width, 2)
        self.critic = nn.Linear(size.width, 1)

    def forward(self, states: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        hidden = torch.relu(self.dense(states))
        return self.actor(hidden), self.critic(hidden)

    def loss(self, states: torch.Tensor, actions: torch.Tensor, returns: torch.Tensor) -> torch.Tensor:
        logits, values = self(states)
        advantages = returns - values[:, 0]
        log_policy = torch.log_softmax(logits, 1)
        chosen = log_policy.gather(1, actions[:, None])[:, 0]
        entropy = -(log_policy.exp() * log_policy).sum(1)
        policy_loss = -(chosen * advantages.detach()).mean()
        return policy_loss + 0.5 * (advantages**2).mean() - self.entropy * entropy.mean()


class Training:
    def __init__(self, size: Size, compile: Compile) -> None:
        self.size = size
        self.env = gymnasium.make("CartPole-v1")
        self.env.reset(seed=0)
        agent = ActorCritic(size)
        self.policy = compile(agent.forward)
        self.loss = compile(agent.loss)
        self.optimiser = torch.optim.Adam(agent.parameters(), lr=size.rate, fused=True)
        self.items = 0

    def act(self, state: np.ndarray) -> int:
        with torch.no_grad():
            logits, _ = self.policy(torch.from_numpy(state))
            return int(torch.multinomial(torch.softmax(logits, 0), 1).item())

    def step(self) -> float:
        states: list[Any] = []
        actions: list[int] = []
        rewards: list[float] = []
        state, _ = self.env.reset()
        done = False
        while not done and len(states) < self.size.limit:
            action = self.act(state)
            following, reward, terminated, truncated, _ = self.env.step(action)
            states.append(state)
            actions.append(action)
            rewards.append(float(reward))
            state, done = following, terminated or truncated
        self.items = len(states)
        returns = np.zeros(len(rewards), np.float32)
        following_return = 0.0
        for t in reversed(range(len(rewards))):
            following_return = rewards[t] + self.size.discount * following_return
            returns[t] = following_return
        returns = (returns - returns.mean()) / (returns.std() + 1e-6)
        loss = self.loss(torch.from_numpy(np.stack(states)), torch.tensor(actions), torch.from_numpy(returns))
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        return float(loss.item())
