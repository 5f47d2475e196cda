"""ResNet-50."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from ..data import imagenet_batches
from ..sizes import ResNet50 as Size
from . import Compile
from .images import ImageTraining


class Bottleneck(nn.Module):
    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, 4 * width, 1, bias=False)
        self.norm3 = nn.BatchNorm2d(4 * width)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or inputs != 4 * width:
            self.shortcut = nn.Sequential(
                nn.Conv2d(inputs, 4 * width, 1, stride, bias=False), nn.BatchNorm2d(4 * width)
            )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = functional.relu(self.norm1(self.conv1(x)))
        y = functional.relu(self.norm2(self.conv2(y)))
        return functional.relu(self.shortcut(x) + self.norm3(self.conv3(y)))


class ResNet(nn.Module):
    def __init__(self, size: Size) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, size.width, 7, 2, padding=3, bias=False)
        self.norm = nn.BatchNorm2d(size.width)
        blocks = []
        channels = size.width
        for stage, count in enumerate(size.blocks):
            width = size.width * 2**stage
            for block in range(count):
                blocks.append(Bottleneck(channels, width, 2 if stage > 0 and block == 0 else 1))
                channels = 4 * width
        self.blocks = nn.Sequential(*blocks)
        self.dense = nn.Linear(channels, size.classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        x = functional.relu(self.norm(self.stem(images)))
        x = self.blocks(functional.max_pool2d(x, 3, 2, padding=1))
        return self.dense(x.mean(dim=(2, 3)))


class Training(ImageTraining):
    def __init__(self, size: Size, compile: Compile) -> None:
        batches = imagenet_batches(size.side, size.classes, size.batch)
        model = ResNet(size).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        super().__init__(model, size.rate, batches, size.batch, size.evaluate_every, compile)
