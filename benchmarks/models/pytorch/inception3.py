"""Inception-v3."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from ..data import imagenet_batches
from ..sizes import Inception3 as Size
from . import Compile
from .images import ImageTraining

Kernel = tuple[int, int]


class Unit(nn.Module):
    def __init__(self, inputs: int, outputs: int, kernel: Kernel, stride: int = 1, same: bool = True) -> None:
        super().__init__()
        padding = (kernel[0] // 2, kernel[1] // 2) if same else (0, 0)
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.relu(self.norm(self.conv(x)))


class Parallel(nn.Module):
    """Parts side by side, their channels joined."""

    def __init__(self, *parts: nn.Module) -> None:
        super().__init__()
        self.parts = nn.ModuleList(parts)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([part(x) for part in self.parts], dim=1)


class Inception(nn.Module):
    def __init__(self, size: Size) -> None:
        super().__init__()
        self.shrink = size.shrink
        w = self.width
        parts: list[nn.Module] = [
            Unit(3, w(32), (3, 3), 2, same=False),
            Unit(w(32), w(32), (3, 3), same=False),
            Unit(w(32), w(64), (3, 3)),
            nn.MaxPool2d(3, 2),
            Unit(w(64), w(80), (1, 1)),
            Unit(w(80), w(192), (3, 3), same=False),
            nn.MaxPool2d(3, 2),
        ]
        channels = w(192)
        for block in range(size.blocks[0]):
            pool = 32 if block == 0 else 64
            parts.append(
                Parallel(
                    self.chain(channels, (64, (1, 1))),
                    self.chain(channels, (48, (1, 1)), (64, (5, 5))),
                    self.chain(channels, (64, (1, 1)), (96, (3, 3)), (96, (3, 3))),
                    self.pooled(channels, pool),
                )
            )
            channels = w(64) + w(64) + w(96) + w(pool)
        if size.blocks[1]:
            double = self.chain(channels, (64, (1, 1)), (96, (3, 3)))
            double.append(Unit(w(96), w(96), (3, 3), 2, same=False))
            parts.append(Parallel(Unit(channels, w(384), (3, 3), 2, same=False), double, nn.MaxPool2d(3, 2)))
            channels += w(384) + w(96)
            for full in (128, 160, 160, 192)[: size.blocks[1]]:
                tall, wide = (full, (7, 1)), (full, (1, 7))
                parts.append(
                    Parallel(
                        self.chain(channels, (192, (1, 1))),
                        self.chain(channels, (full, (1, 1)), wide, (192, (7, 1))),
                        self.chain(channels, (full, (1, 1)), tall, wide, tall, (192, (1, 7))),
                        self.pooled(channels, 192),
                    )
                )
                channels = 4 * w(192)
        if size.blocks[2]:
            first = self.chain(channels, (192, (1, 1)))
            first.append(Unit(w(192), w(320), (3, 3), 2, same=False))
            second = self.chain(channels, (192, (1, 1)), (192, (1, 7)), (192, (7, 1)))
            second.append(Unit(w(192), w(192), (3, 3), 2, same=False))
            parts.append(Parallel(first, second, nn.MaxPool2d(3, 2)))
            channels += w(320) + w(192)
            for _ in range(size.blocks[2]):
                forks = []
                for stem in (
                    self.chain(channels, (384, (1, 1))),
                    self.chain(channels, (448, (1, 1)), (384, (3, 3))),
                ):
                    stem.append(Parallel(*(Unit(w(384), w(384), kernel) for kernel in ((1, 3), (3, 1)))))
                    forks.append(stem)
                parts.append(
                    Parallel(self.chain(channels, (320, (1, 1))), *forks, self.pooled(channels, 192))
                )
                channels = w(320) + 4 * w(384) + w(192)
        self.body = nn.Sequential(*parts)
        self.dense = nn.Linear(channels, size.classes)

    def width(self, full: int) -> int:
        return max(full // self.shrink, 1)

    def chain(self, inputs: int, *kinds: tuple[int, Kernel]) -> nn.Sequential:
        units = []
        for full, kernel in kinds:
            units.append(Unit(inputs, self.width(full), kernel))
            inputs = self.width(full)
        return nn.Sequential(*units)

    def pooled(self, inputs: int, full: int) -> nn.Sequential:
        pool = nn.AvgPool2d(3, 1, padding=1, count_include_pad=False)
        return nn.Sequential(pool, Unit(inputs, self.width(full), (1, 1)))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.dense(self.body(images).mean(dim=(2, 3)))


class Training(ImageTraining):
    def __init__(self, size: Size, compile: Compile) -> None:
        batches = imagenet_batches(size.side, size.classes, size.batch)
        model = Inception(size).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        super().__init__(model, size.rate, batches, size.batch, 0, compile)
