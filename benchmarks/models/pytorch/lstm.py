"""The LSTM, with the library's own recurrent layer, which torch.compile unrolls."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from ..data import sequences
from ..sizes import LSTM as Size
from . import Compile


class LSTM(nn.Module):
    def __init__(self, size: Size) -> None:
        super().__init__()
        self.embedding = nn.Embedding(size.vocabulary, size.width)
        self.lstm = nn.LSTM(size.width, size.width, size.layers, batch_first=True)
        self.output = nn.Linear(size.width, size.vocabulary)
        shape = size.layers, size.batch, size.width
        self.state = torch.zeros(shape), torch.zeros(shape)

    def forward(self, words: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        outputs, (hidden, memory) = self.lstm(self.embedding(words), self.state)
        self.state = hidden.detach(), memory.detach()
        return functional.cross_entropy(self.output(outputs).flatten(0, 1), targets.flatten())


class Training:
    def __init__(self, size: Size, compile: Compile) -> None:
        self.size = size
        self.model = LSTM(size)
        self.loss = compile(self.model)
        self.optimiser = torch.optim.SGD(self.model.parameters(), lr=size.rate, fused=True)
        self.batches = sequences(size.vocabulary, size.batch, size.length)
        self.items = size.batch * size.length

    def step(self) -> float:
        words, targets = (torch.from_numpy(part).long() for part in next(self.batches))
        loss = self.loss(words, targets)
        self.optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), self.size.bound)
        self.optimiser.step()
        return float(loss.item())
