"""LeNet-5."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from ..data import digit_batches
from ..sizes import LeNet as Size
from . import Compile


class LeNet(nn.Module):
    def __init__(self, side: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5, padding=2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.dense1 = nn.Linear(((side // 2 - 4) // 2) ** 2 * 16, 120)
        self.dense2 = nn.Linear(120, 84)
        self.dense3 = nn.Linear(84, 10)

    def forward(self, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        x = functional.max_pool2d(torch.tanh(self.conv1(images)), 2)
        x = functional.max_pool2d(torch.tanh(self.conv2(x)), 2).flatten(1)
        x = torch.tanh(self.dense2(torch.tanh(self.dense1(x))))
        return functional.cross_entropy(self.dense3(x), labels)


class Training:
    def __init__(self, size: Size, compile: Compile) -> None:
        model = LeNet(size.side)
        self.optimiser = torch.optim.SGD(model.parameters(), lr=size.rate, momentum=0.9, fused=True)
        self.loss = compile(model)
        self.running, self.threshold = 2.3, 1.15
        self.batches = digit_batches(size.side, size.batch)
        self.items = size.batch

    def step(self) -> float:
        images, labels = next(self.batches)
        result = self.loss(torch.from_numpy(images).permute(0, 3, 1, 2), torch.from_numpy(labels).long())
        self.optimiser.zero_grad()
        result.backward()
        self.optimiser.step()
        loss = result.item()
        self.running = 0.95 * self.running + 0.05 * loss
        if self.running < self.threshold:
            self.threshold = self.running / 2
            for group in self.optimiser.param_groups:
                group["lr"] *= 0.9
        return loss
