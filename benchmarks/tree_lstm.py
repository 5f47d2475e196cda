"""A TreeLSTM over syntax trees of the standard library's source: one compilation for trees of every shape.

Each function of the standard library is parsed, its syntax tree made binary, and encoded by one recursive Python function
that reads `node.left`, `node.right` and `node.word` from live objects. Janus runs all trees; eager JAX runs a sample of them in
the same process, in turns with Janus.

    python benchmarks/tree_lstm.py [--trees N] [--hidden N] [--sample N]
"""

from __future__ import annotations

import argparse
import ast
import random
import sysconfig
import time
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from rich.console import Console
from rich.table import Table

import janus_mlir as janus

WORDS = sorted(
    {cls.__name__ for cls in vars(ast).values() if isinstance(cls, type) and issubclass(cls, ast.AST)}
)
INDEX = {name: number for number, name in enumerate(WORDS)}


class Node:
    """A node of a binary tree; a leaf has no children."""

    def __init__(self, word: int, left: Node | None = None, right: Node | None = None) -> None:
        self.word = word
        self.left = left
        self.right = right


class TreeLSTM:
    """Parameters of a binary TreeLSTM."""

    def __init__(self, hidden: int) -> None:
        keys = jax.random.split(jax.random.key(0), 4)
        scale = hidden**-0.5
        self.leaf = 0.5 * jax.random.normal(keys[0], (len(WORDS), 3 * hidden))
        self.inner = 0.5 * jax.random.normal(keys[1], (len(WORDS), 5 * hidden))
        self.from_left = scale * jax.random.normal(keys[2], (hidden, 5 * hidden))
        self.from_right = scale * jax.random.normal(keys[3], (hidden, 5 * hidden))


def encode(model: TreeLSTM, node: Node) -> tuple[Any, Any]:
    """Return the memory and the output of a subtree."""
    if node.left is None:
        i, o, u = jnp.split(model.leaf[node.word], 3)
        memory = jax.nn.sigmoid(i) * jnp.tanh(u)
        return memory, jax.nn.sigmoid(o) * jnp.tanh(memory)
    left_memory, left = encode(model, node.left)
    right_memory, right = encode(model, node.right)
    gates = model.inner[node.word] + left @ model.from_left + right @ model.from_right
    i, f, g, o, u = jnp.split(gates, 5)
    memory = (
        jax.nn.sigmoid(i) * jnp.tanh(u) + jax.nn.sigmoid(f) * left_memory + jax.nn.sigmoid(g) * right_memory
    )
    return memory, jax.nn.sigmoid(o) * jnp.tanh(memory)


def binary(tree: ast.AST) -> Node:
    """Return a syntax tree as a binary one: children are combined from the left."""
    word = INDEX[type(tree).__name__]
    children = [binary(child) for child in ast.iter_child_nodes(tree)]
    if not children:
        return Node(word)
    made = children[0]
    for child in children[1:]:
        made = Node(word, made, child)
    return Node(word, made, Node(word))


def size(node: Node) -> int:
    """Return the number of nodes."""
    count, work = 0, [node]
    while work:
        at = work.pop()
        count += 1
        if at.left is not None and at.right is not None:
            work += [at.left, at.right]
    return count


def depth(node: Node) -> int:
    """Return the length of the longest path."""
    deepest, work = 0, [(node, 1)]
    while work:
        at, here = work.pop()
        deepest = max(deepest, here)
        if at.left is not None and at.right is not None:
            work += [(at.left, here + 1), (at.right, here + 1)]
    return deepest


def library_trees(count: int, smallest: int = 20, largest: int = 400) -> list[Node]:
    """Return trees of functions of the standard library, drawn at random."""
    folder = Path(sysconfig.get_path("stdlib"))
    files = sorted(folder.glob("*.py"))
    random.Random(0).shuffle(files)
    trees: list[Node] = []
    for file in files:
        for found in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(found, ast.FunctionDef):
                tree = binary(found)
                if smallest <= size(tree) <= largest:
                    trees.append(tree)
        if len(trees) >= 3 * count:
            break
    return random.Random(1).sample(trees, min(count, len(trees)))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trees", type=int, default=1000)
    parser.add_argument("--hidden", type=int, default=64)
    parser.add_argument("--sample", type=int, default=8, help="trees that eager JAX runs")
    options = parser.parse_args()
    trees = library_trees(options.trees)
    sizes = [size(tree) for tree in trees]
    model = TreeLSTM(options.hidden)
    compiled = janus.jit(encode, warmup=1)

    start = time.perf_counter()
    for tree in trees[:2]:
        jax.block_until_ready(compiled(model, tree))
    first = time.perf_counter() - start

    eager_seconds, eager_nodes, worst = 0.0, 0, 0.0
    for tree in sorted(trees, key=size)[:: max(1, len(trees) // options.sample)]:
        start = time.perf_counter()
        plain = jax.block_until_ready(encode(model, tree))
        eager_seconds += time.perf_counter() - start
        eager_nodes += size(tree)
        for a, b in zip(plain, compiled(model, tree), strict=True):
            worst = max(worst, float(np.abs(np.asarray(a) - np.asarray(b)).max()))

    rounds = []
    for _ in range(5):
        start = time.perf_counter()
        for tree in trees:
            compiled(model, tree)
        rounds.append(time.perf_counter() - start)
    seconds = min(rounds)

    nodes = sum(sizes)
    eager_node, janus_node = eager_seconds / eager_nodes, seconds / nodes
    table = Table(title=f"TreeLSTM of {options.hidden} units over {len(trees)} syntax trees, forward")
    for name, justify in (("", "left"), ("eager JAX", "right"), ("janus.jit", "right")):
        table.add_column(name, justify=justify)  # type: ignore[arg-type]
    table.add_row("nodes/s", f"{1 / eager_node:,.0f}", f"{1 / janus_node:,.0f}")
    table.add_row("us per node", f"{1e6 * eager_node:,.1f}", f"{1e6 * janus_node:,.2f}")
    table.add_row("relative to eager", "1.0x", f"{eager_node / janus_node:,.0f}x")
    table.add_row("trees measured", f"{options.sample}", f"{len(trees)}")
    shape = f"{min(sizes)} to {max(sizes)} nodes, {min(map(depth, trees))} to {max(map(depth, trees))} deep"
    table.add_row("trees", "", shape)
    table.add_row("profile and compilation", "", f"{first:.2f} s")
    table.add_row("versions", "", f"{compiled.stats.versions}")
    table.add_row("guard failures, deopts", "", f"{compiled.stats.guard_failures}, {compiled.stats.deopts}")
    table.add_row("largest difference", "", f"{worst:.0e}")
    Console().print(table)


if __name__ == "__main__":
    main()
