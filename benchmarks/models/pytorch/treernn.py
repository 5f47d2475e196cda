"""The TreeRNN by recursion. torch.compile is given what is computed at one node: with the recursion it compiles for each tree."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from ..sizes import Trees as Size
from ..trees import KINDS, Tree, tree_batches
from . import Compile


class TreeRNN(nn.Module):
    def __init__(self, size: Size, compile: Compile) -> None:
        super().__init__()
        self.embedding = nn.Embedding(size.vocabulary, size.width)
        self.node = nn.Linear(2 * size.width, size.width)
        self.output = nn.Linear(size.width, len(KINDS))
        self.join = compile(self._join)

    def _join(self, left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
        return torch.tanh(self.node(torch.cat([left, right])))

    def visit(self, tree: Tree) -> torch.Tensor:
        if tree.left is None or tree.right is None:
            return self.embedding.weight[tree.word]
        return self.join(self.visit(tree.left), self.visit(tree.right))

    def forward(self, trees: list[Tree]) -> torch.Tensor:
        total = torch.zeros(())
        for tree in trees:
            total = total + functional.cross_entropy(self.output(self.visit(tree)), torch.tensor(tree.label))
        return total / len(trees)


class TreeTraining:
    """Training on trees, by Adagrad."""

    def __init__(self, model: nn.Module, size: Size) -> None:
        self.model = model
        self.optimiser = torch.optim.Adagrad(
            model.parameters(), lr=size.rate, initial_accumulator_value=0.1, fused=True
        )
        self.batches = tree_batches(size.vocabulary, size.limit, size.batch)
        self.items = size.batch

    def step(self) -> float:
        loss = self.model(next(self.batches))
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        return float(loss.item())


class Training(TreeTraining):
    def __init__(self, size: Size, compile: Compile) -> None:
        super().__init__(TreeRNN(size, compile), size)
