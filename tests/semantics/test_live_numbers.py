"""Numbers of live objects that have been the same everywhere, until they are not."""

from __future__ import annotations

from typing import Any

import pytest

import janus_mlir as janus


class Node:
    """A node of a binary tree whose value is scaled."""

    def __init__(self, value: float, scale: Any, left: Any, right: Any) -> None:
        self.value, self.scale, self.left, self.right = value, scale, left, right


def scaled(node: Any) -> float:
    return 0.0 if node is None else node.scale * node.value + scaled(node.left) + scaled(node.right)


def twice_scaled(node: Any) -> float:
    return scaled(node) * 2


def scaled_tree(depth: int, scale: Any) -> Any:
    if depth == 0:
        return None
    return Node(float(depth), scale, scaled_tree(depth - 1, scale), scaled_tree(depth - 1, scale))


@pytest.mark.parametrize("scale", [2.5, 3, -0.0, True])
def test_a_number_that_is_the_same_everywhere(scale: Any) -> None:
    """Such a number becomes a constant of the compiled code, as long as it is one."""
    tree = scaled_tree(6, scale)
    compiled = janus.jit(twice_scaled, warmup=1)
    for i in range(14):
        if i == 5:
            tree.left.scale = scale + 1
        if i == 9:
            tree.right.left.scale = 1.5 if type(scale) is int else 4
        assert repr(compiled(tree)) == repr(twice_scaled(tree))
    if janus.config.stress is None:
        assert "a number that was always the same is another" in str(compiled.explain())
        # Each surprise costs one call: what was learnt by it serves the next.
        assert compiled.stats.deopts <= 2 and compiled.stats.versions == 1, compiled.explain()


def test_zeros_that_differ_in_sign() -> None:
    tree = scaled_tree(6, 0.0)
    compiled = janus.jit(twice_scaled, warmup=1)
    for i in range(8):
        if i == 4:
            tree.scale, tree.value = -0.0, 0.0
        assert repr(compiled(tree)) == repr(twice_scaled(tree))
