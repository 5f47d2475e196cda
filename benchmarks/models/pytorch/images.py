"""What ResNet-50 and Inception-v3 share: a training on ImageNet's shapes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from . import Compile

Batches = Iterator[tuple[np.ndarray, np.ndarray]]


class ImageTraining:
    def __init__(
        self,
        model: nn.Module,
        rate: float,
        batches: Batches,
        batch: int,
        evaluate_every: int,
        compile: Compile,
    ) -> None:
        self.plain = model
        self.model = compile(model)
        self.optimiser = torch.optim.SGD(model.parameters(), lr=rate, momentum=0.9, fused=True)
        self.batches = batches
        self.items = batch
        self.evaluate_every = evaluate_every
        self.steps = 0
        self.accuracy = 0.0

    def step(self) -> float:
        images, labels = next(self.batches)
        x = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)
        y = torch.from_numpy(labels).long()
        loss: Any = functional.cross_entropy(self.model(x), y)
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        self.steps += 1
        if self.evaluate_every and self.steps % self.evaluate_every == 0:
            self.plain.eval()
            with torch.no_grad():
                self.accuracy = (self.model(x).argmax(1) == y).float().mean().item()
            self.plain.train()
        return float(loss.item())
