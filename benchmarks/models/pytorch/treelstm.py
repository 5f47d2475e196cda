"""The TreeLSTM by recursion; torch.compile is given what happens at one node, as for the TreeRNN."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from ..sizes import Trees as Size
from ..trees import KINDS, Tree
from . import Compile
from .treernn import TreeTraining

State = tuple[torch.Tensor, torch.Tensor]


class TreeLSTM(nn.Module):
    def __init__(self, size: Size, compile: Compile) -> None:
        super().__init__()
        self.embedding = nn.Embedding(size.vocabulary, size.width)
        self.leaf = nn.Linear(size.width, 3 * size.width)
        self.node = nn.Linear(2 * size.width, 5 * size.width)
        self.output = nn.Linear(size.width, len(KINDS))
        self.at_leaf, self.at_node = compile(self._at_leaf), compile(self._at_node)

    def _at_leaf(self, vector: torch.Tensor) -> State:
        enter, leave, candidate = self.leaf(vector).chunk(3)
        memory = torch.sigmoid(enter) * torch.tanh(candidate)
        return torch.sigmoid(leave) * torch.tanh(memory), memory

    def _at_node(self, left: State, right: State) -> State:
        gates = self.node(torch.cat([left[0], right[0]]))
        enter, keep_left, keep_right, leave, candidate = gates.chunk(5)
        memory = (
            torch.sigmoid(enter) * torch.tanh(candidate)
            + torch.sigmoid(keep_left + 1) * left[1]
            + torch.sigmoid(keep_right + 1) * right[1]
        )
        return torch.sigmoid(leave) * torch.tanh(memory), memory

    def visit(self, tree: Tree) -> State:
        if tree.left is None or tree.right is None:
            return self.at_leaf(self.embedding.weight[tree.word])
        return self.at_node(self.visit(tree.left), self.visit(tree.right))

    def forward(self, trees: list[Tree]) -> torch.Tensor:
        total = torch.zeros(())
        for tree in trees:
            hidden, _ = self.visit(tree)
            total = total + functional.cross_entropy(self.output(hidden), torch.tensor(tree.label))
        return total / len(trees)


class Training(TreeTraining):
    def __init__(self, size: Size, compile: Compile) -> None:
        super().__init__(TreeLSTM(size, compile), size)
