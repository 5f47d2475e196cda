"""Binary trees from the syntax trees of the standard library's source."""

from __future__ import annotations

import ast
import functools
import sysconfig
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from .data import prepared

#: What the trees are classified by: the kind of statement that they were.
KINDS = (ast.Assign, ast.Return, ast.Raise, ast.Assert, ast.Expr)

#: So many modules are read, in alphabetical order.
_MODULES = 60


class Tree:
    """A leaf with a word, or a node with two subtrees."""

    def __init__(self, word: int = 0, left: Tree | None = None, right: Tree | None = None) -> None:
        self.word = word
        self.left = left
        self.right = right
        self.label = 0

    def size(self) -> int:
        """Return the number of nodes, leaves included."""
        if self.left is None or self.right is None:
            return 1
        return 1 + self.left.size() + self.right.size()


class _Reader:
    """Turns syntax trees into binary ones; the words of leaves are numbered as they come."""

    def __init__(self, vocabulary: int) -> None:
        self.vocabulary = vocabulary
        self.words: dict[str, int] = {}

    def leaf(self, text: str) -> Tree:
        number = self.words.setdefault(text, len(self.words))
        return Tree(number if number < self.vocabulary else zlib.crc32(text.encode()) % self.vocabulary)

    def read(self, node: ast.AST) -> Tree:
        """Return the parts of `node`, joined from left to right."""
        parts: list[Tree] = []
        for _, value in ast.iter_fields(node):
            for item in value if isinstance(value, list) else [value]:
                if isinstance(item, ast.expr_context) or item is None:
                    continue
                if isinstance(item, ast.AST) and any(True for _ in ast.iter_child_nodes(item)):
                    parts.append(self.read(item))
                elif isinstance(item, ast.Name):
                    parts.append(self.leaf(item.id))
                elif isinstance(item, ast.Constant):
                    parts.append(self.leaf(type(item.value).__name__))
                else:
                    parts.append(self.leaf(item if isinstance(item, str) else type(item).__name__))
        if not parts:
            return self.leaf(type(node).__name__)
        tree = parts[0]
        for part in parts[1:]:
            tree = Tree(left=tree, right=part)
        return tree


@functools.cache
def statements(vocabulary: int, limit: int) -> tuple[Tree, ...]:
    """Return trees of 5 to `limit` nodes, labelled with the kind of statement, each kind as often."""
    reader = _Reader(vocabulary)
    library = Path(sysconfig.get_path("stdlib"))
    found: dict[int, list[Tree]] = {label: [] for label in range(len(KINDS))}
    for path in sorted(library.glob("*.py"))[:_MODULES]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, KINDS) and sum(1 for _ in ast.walk(node)) <= limit:
                tree = reader.read(node)
                tree.label = KINDS.index(type(node))
                if 5 <= tree.size() <= limit:
                    found[tree.label].append(tree)
    random = np.random.default_rng(0)
    each = min(len(trees) for trees in found.values())
    chosen = [tree for trees in found.values() for tree in trees[:each]]
    return tuple(chosen[i] for i in random.permutation(len(chosen)))


@prepared
def tree_batches(vocabulary: int, limit: int, batch: int, seed: int = 0) -> Iterator[list[Tree]]:
    """Yield lists of trees for ever."""
    trees = statements(vocabulary, limit)
    random = np.random.default_rng(seed)
    while True:
        order = random.permutation(len(trees))
        for first in range(0, len(order) - batch + 1, batch):
            yield [trees[i] for i in order[first : first + batch]]
