"""How much work it is to tell where the arrays of a captured function lie.

MLIR's bufferisation finds the memory of what an ``scf.if`` gives by asking for that of both sides, each time anew: branches
that change an array one after the other cost it twice as much each. What would take it minutes is not compiled.
"""

from __future__ import annotations

from janus_mlir.capture.graph import Block, Graph, Op, TensorType, Value

__all__ = ["too_deep"]

#: Questions about one value that are few enough: they take well below a second.
_MOST = 50_000
_CHANGED = (
    "lax.dynamic_update_slice",
    "lax.dynamic_slice",
    "lax.reshape",
    "lax.squeeze",
    "lax.expand_dims",
    "lax.slice",
)
_CHOSEN = ("arith.select", "lax.select_n")


def too_deep(graph: Graph) -> bool:
    """Whether some array of a graph depends on so many branches in a row that it cannot be compiled."""
    found: dict[int, int] = {}
    for block in (*(f.body for f in graph.functions), graph.body):
        _block(block, found)
    return max(found.values(), default=0) > _MOST


def _block(block: Block, found: dict[int, int]) -> list[Value]:
    """Count for all values of a block; return what it hands out."""
    for op in block.ops:
        _op(op, found)
    return list(block.ops[-1].operands) if block.ops else []


def _op(op: Op, found: dict[int, int]) -> None:
    def cost(value: Value | None) -> int:
        return found.get(value.uid, 1) if value is not None and isinstance(value.type, TensorType) else 1

    if op.name == "scf.if":
        sides = [_block(region, found) for region in op.regions]
        for i, result in enumerate(op.results):
            found[result.uid] = 1 + sum(cost(side[i] if i < len(side) else None) for side in sides)
    elif op.name == "scf.while":
        first = op.regions[0]
        for argument, init in zip(first.args, op.operands, strict=False):
            found[argument.uid] = 1 + cost(init)
        handed = _block(first, found)[1:]
        for region in op.regions[1:]:
            _block(region, found)
        for result, value in zip(op.results, handed, strict=False):
            found[result.uid] = 1 + cost(value)
    else:
        for region in op.regions:
            _block(region, found)
        operands = op.operands[:1] if op.name in _CHANGED else op.operands[-2:] if op.name in _CHOSEN else []
        for result in op.results:
            found[result.uid] = min(1 + sum(map(cost, operands)), 10 * _MOST)
