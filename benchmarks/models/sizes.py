"""How large each program is: ``small`` for a table in minutes on two cores, ``paper`` as published, ``tiny`` for tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class LeNet:
    batch: int
    side: int = 28
    rate: float = 0.02


@dataclass(frozen=True)
class ResNet50:
    batch: int
    side: int
    width: int
    classes: int
    blocks: tuple[int, ...] = (3, 4, 6, 3)
    rate: float = 0.01
    evaluate_every: int = 25


@dataclass(frozen=True)
class Inception3:
    batch: int
    side: int
    shrink: int  # what all widths of the published network are divided by
    classes: int
    blocks: tuple[int, int, int] = (3, 4, 2)  # of the kinds A, B and C
    rate: float = 0.01


@dataclass(frozen=True)
class LSTM:
    vocabulary: int
    width: int
    length: int
    batch: int = 20
    layers: int = 2
    rate: float = 1.0
    bound: float = 0.25  # of the gradient's norm


@dataclass(frozen=True)
class LM:
    vocabulary: int
    embedding: int
    width: int
    length: int
    batch: int
    spread: int = 1  # words made of each word of the text
    rate: float = 0.1


@dataclass(frozen=True)
class Trees:
    width: int
    limit: int  # most nodes of a tree
    vocabulary: int = 2000
    batch: int = 25
    rate: float = 0.05


@dataclass(frozen=True)
class A3C:
    width: int
    limit: int = 200  # most steps of an episode
    rate: float = 2e-3
    discount: float = 0.99
    entropy: float = 0.01


@dataclass(frozen=True)
class PPO:
    width: int
    environments: int
    horizon: int
    minibatch: int
    epochs: int = 4
    rate: float = 1e-3
    discount: float = 0.95
    smoothing: float = 0.95
    clip: float = 0.2
    divergence: float = 0.02


@dataclass(frozen=True)
class AN:
    batch: int
    noise: int = 100
    width: int = 128
    side: int = 28
    rate: float = 2e-4


@dataclass(frozen=True)
class Pix2Pix:
    side: int
    width: int
    depth: int  # how often the U-Net halves the image
    rate: float = 2e-4
    likeness: float = 100.0


#: Program -> profile -> size. Batch sizes of ``paper`` are those of the publication.
SIZES: dict[str, dict[str, Any]] = {
    "lenet": {"tiny": LeNet(batch=4), "small": LeNet(batch=50), "paper": LeNet(batch=50)},
    "resnet50": {
        "tiny": ResNet50(batch=2, side=32, width=2, classes=4, blocks=(1, 1), evaluate_every=4),
        "small": ResNet50(batch=8, side=64, width=16, classes=100),
        "paper": ResNet50(batch=64, side=224, width=64, classes=1000),
    },
    "inception3": {
        "tiny": Inception3(batch=2, side=75, shrink=32, classes=4, blocks=(1, 0, 0)),
        "small": Inception3(batch=8, side=96, shrink=8, classes=100),
        "paper": Inception3(batch=64, side=299, shrink=1, classes=1000),
    },
    "lstm": {
        "tiny": LSTM(vocabulary=50, width=8, length=3, batch=2),
        "small": LSTM(vocabulary=3000, width=200, length=20),
        "paper": LSTM(vocabulary=10_000, width=650, length=35),
    },
    "lm": {
        "tiny": LM(vocabulary=60, embedding=8, width=12, length=3, batch=2),
        # The text has 3,600 different words; `spread` makes several of each.
        "small": LM(vocabulary=14_000, spread=4, embedding=96, width=256, length=10, batch=32),
        "paper": LM(vocabulary=98_000, spread=28, embedding=512, width=2048, length=20, batch=256),
    },
    "treernn": {
        "tiny": Trees(width=4, limit=9, batch=2),
        "small": Trees(width=64, limit=60),
        "paper": Trees(width=300, limit=120),
    },
    "treelstm": {
        "tiny": Trees(width=4, limit=9, batch=2),
        "small": Trees(width=64, limit=60),
        "paper": Trees(width=150, limit=120),
    },
    "a3c": {"tiny": A3C(width=8, limit=12), "small": A3C(width=128), "paper": A3C(width=128)},
    "ppo": {
        "tiny": PPO(width=8, environments=2, horizon=4, minibatch=4, epochs=2),
        "small": PPO(width=64, environments=8, horizon=64, minibatch=128),
        "paper": PPO(width=256, environments=8, horizon=256, minibatch=256),
    },
    "an": {"tiny": AN(batch=4, width=16), "small": AN(batch=128), "paper": AN(batch=128, width=1024)},
    "pix2pix": {
        "tiny": Pix2Pix(side=16, width=4, depth=3),
        "small": Pix2Pix(side=64, width=16, depth=6),
        "paper": Pix2Pix(side=256, width=64, depth=8),
    },
}

UNITS = {
    "lenet": "images", "resnet50": "images", "inception3": "images", "lstm": "words", "lm": "words",
    "treernn": "trees", "treelstm": "trees", "a3c": "frames", "ppo": "frames", "an": "images",
    "pix2pix": "images",
}  # fmt: skip
