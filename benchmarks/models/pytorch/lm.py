"""The language model, with the library's own recurrent layer with projection, which torch.compile unrolls."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from ..data import sequences
from ..sizes import LM as Size
from . import Compile


class LanguageModel(nn.Module):
    def __init__(self, size: Size) -> None:
        super().__init__()
        self.embedding = nn.Embedding(size.vocabulary, size.embedding)
        self.lstm = nn.LSTM(size.embedding, size.width, batch_first=True, proj_size=size.embedding)
        self.output = nn.Linear(size.embedding, size.vocabulary)
        self.state = torch.zeros(1, size.batch, size.embedding), torch.zeros(1, size.batch, size.width)

    def forward(self, words: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        outputs, (hidden, memory) = self.lstm(self.embedding(words), self.state)
        self.state = hidden.detach(), memory.detach()
        return functional.cross_entropy(self.output(outputs).flatten(0, 1), targets.flatten())


class Training:
    def __init__(self, size: Size, compile: Compile) -> None:
        model = LanguageModel(size)
        self.loss = compile(model)
        self.optimiser = torch.optim.Adagrad(
            model.parameters(), lr=size.rate, initial_accumulator_value=0.1, fused=True
        )
        self.batches = sequences(size.vocabulary, size.batch, size.length, size.spread)
        self.items = size.batch * size.length

    def step(self) -> float:
        words, targets = (torch.from_numpy(part).long() for part in next(self.batches))
        loss = self.loss(words, targets)
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        return float(loss.item())
