"""The adversarial network."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from ..data import digit_batches
from ..sizes import AN as Size
from . import Compile


class Training:
    def __init__(self, size: Size, compile: Compile) -> None:
        self.size = size
        self.generator = nn.Sequential(
            nn.Linear(size.noise, size.width), nn.ReLU(), nn.Linear(size.width, size.side**2), nn.Sigmoid()
        )
        self.discriminator = nn.Sequential(
            nn.Linear(size.side**2, size.width), nn.LeakyReLU(), nn.Linear(size.width, 1)
        )
        self.generator_optimiser, self.discriminator_optimiser = (
            torch.optim.Adam(part.parameters(), lr=size.rate, betas=(0.5, 0.999), fused=True)
            for part in (self.generator, self.discriminator)
        )
        self.discriminator_loss = compile(self._discriminator_loss)
        self.generator_loss = compile(self._generator_loss)
        self.batches = digit_batches(size.side, size.batch)
        self.items = size.batch

    def _discriminator_loss(self, real: torch.Tensor) -> torch.Tensor:
        fake = self.generator(torch.randn(self.size.batch, self.size.noise)).detach()
        return (
            functional.softplus(-self.discriminator(real)).mean()
            + functional.softplus(self.discriminator(fake)).mean()
        )

    def _generator_loss(self) -> torch.Tensor:
        fake = self.generator(torch.randn(self.size.batch, self.size.noise))
        return functional.softplus(-self.discriminator(fake)).mean()

    def step(self) -> float:
        images, _ = next(self.batches)
        caught = self.discriminator_loss(torch.from_numpy(images).flatten(1))
        self.discriminator_optimiser.zero_grad()
        caught.backward()
        self.discriminator_optimiser.step()
        deceived = self.generator_loss()
        self.generator_optimiser.zero_grad()
        deceived.backward()
        self.generator_optimiser.step()
        return float(caught.item() + deceived.item())
