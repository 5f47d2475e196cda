"""pix2pix."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from ..data import image_pairs
from ..sizes import Pix2Pix as Size
from . import Compile


class Down(nn.Module):
    def __init__(self, inputs: int, outputs: int, norm: bool = True) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 4, 2, padding=1, bias=not norm)
        self.norm = nn.BatchNorm2d(outputs) if norm else nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.leaky_relu(self.norm(self.conv(x)), 0.2)


class Up(nn.Module):
    def __init__(self, inputs: int, outputs: int, dropout: bool) -> None:
        super().__init__()
        self.conv = nn.ConvTranspose2d(inputs, outputs, 4, 2, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(outputs)
        self.dropout = nn.Dropout(0.5) if dropout else nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.relu(self.dropout(self.norm(self.conv(x))))


class Generator(nn.Module):
    def __init__(self, size: Size) -> None:
        super().__init__()
        widths = [size.width * min(2**level, 8) for level in range(size.depth)]
        self.downs = nn.ModuleList(
            # The innermost image may be a single point, of which there is nothing to normalise.
            Down(inputs, outputs, 0 < level < size.depth - 1)
            for level, (inputs, outputs) in enumerate(zip([3, *widths], widths, strict=False))
        )
        ups = []
        inputs = widths[-1]
        for level, outputs in enumerate(widths[-2::-1]):
            ups.append(Up(inputs, outputs, level < 3))
            inputs = 2 * outputs
        self.ups = nn.ModuleList(ups)
        self.last = nn.ConvTranspose2d(inputs, 3, 4, 2, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        skipped = []
        for down in self.downs:
            x = down(x)
            skipped.append(x)
        skipped.pop()
        for up in self.ups:
            x = torch.cat([up(x), skipped.pop()], dim=1)
        return torch.tanh(self.last(x))


class Training:
    def __init__(self, size: Size, compile: Compile) -> None:
        self.size = size
        self.generator = Generator(size)
        width = size.width
        self.discriminator = nn.Sequential(
            Down(6, width, norm=False),
            Down(width, 2 * width),
            Down(2 * width, 4 * width),
            nn.Conv2d(4 * width, 1, 4, padding="same"),
        )
        self.generator_optimiser, self.discriminator_optimiser = (
            torch.optim.Adam(part.parameters(), lr=size.rate, betas=(0.5, 0.999), fused=True)
            for part in (self.generator, self.discriminator)
        )
        self.generator_loss = compile(self._generator_loss)
        self.discriminator_loss = compile(self._discriminator_loss)
        self.batches = image_pairs(size.side)
        self.items = 1

    def _generator_loss(
        self, outlines: torch.Tensor, image: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        fake = self.generator(outlines)
        judgement = self.discriminator(torch.cat([outlines, fake], dim=1))
        likeness = self.size.likeness * (fake - image).abs().mean()
        return functional.softplus(-judgement).mean() + likeness, fake.detach()

    def _discriminator_loss(
        self, outlines: torch.Tensor, image: torch.Tensor, fake: torch.Tensor
    ) -> torch.Tensor:
        real_loss = functional.softplus(-self.discriminator(torch.cat([outlines, image], dim=1))).mean()
        fake_loss = functional.softplus(self.discriminator(torch.cat([outlines, fake], dim=1))).mean()
        return 0.5 * (real_loss + fake_loss)

    def step(self) -> float:
        outlines, image = (torch.from_numpy(part).permute(0, 3, 1, 2) for part in next(self.batches))
        painted, fake = self.generator_loss(outlines, image)
        self.generator_optimiser.zero_grad()
        painted.backward()
        self.generator_optimiser.step()
        judged = self.discriminator_loss(outlines, image, fake)
        self.discriminator_optimiser.zero_grad()
        judged.backward()
        self.discriminator_optimiser.step()
        return float(painted.item() + judged.item())
