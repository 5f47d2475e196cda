"""What is constant about the difference of two computed integers."""

from __future__ import annotations

from collections.abc import Iterator

from janus_mlir.capture.graph import Block, Builder, Op, Value

#: An integer as a sum of products: coefficient of each multiset of value ids; the empty one is the constant.
Linear = dict[tuple[int, ...], int]

_ADD = ("arith.addi", "janus.add_overflow")
_SUB = ("arith.subi", "janus.sub_overflow")
_MUL = ("arith.muli", "janus.mul_overflow")
_LIMIT = 64


def constant_difference(b: Builder, x: Value, y: Value) -> int | None:
    """``x - y`` if it is the same whatever the values they are computed from."""
    definitions = {op.results[0].uid: op for op in _all_ops(b.graph.body) if op.results}
    if b.block is not b.graph.body:
        definitions |= {op.results[0].uid: op for op in _all_ops(b.block) if op.results}
    left, right = _linear(definitions, x, 0), _linear(definitions, y, 0)
    if left is None or right is None:
        return None
    difference = dict(left)
    for key, coefficient in right.items():
        difference[key] = difference.get(key, 0) - coefficient
    if any(coefficient for key, coefficient in difference.items() if key):
        return None
    return difference.get((), 0)


def _all_ops(block: Block) -> Iterator[Op]:
    for op in block.ops:
        yield op
        for region in op.regions:
            yield from _all_ops(region)


def _linear(definitions: dict[int, Op], value: Value, depth: int) -> Linear | None:
    op = definitions.get(value.uid)
    if op is not None and depth < _LIMIT:
        if op.name == "constant":
            return {(): int(op.attrs["value"])}
        if op.name in (*_ADD, *_SUB, *_MUL):
            left = _linear(definitions, op.operands[0], depth + 1)
            right = _linear(definitions, op.operands[1], depth + 1)
            if left is None or right is None:
                return None
            return _combine(op.name, left, right)
    return {(value.uid,): 1}


def _combine(name: str, left: Linear, right: Linear) -> Linear | None:
    if name in _MUL:
        if len(left) * len(right) > _LIMIT:
            return None
        product: Linear = {}
        for x, a in left.items():
            for y, c in right.items():
                key = tuple(sorted((*x, *y)))
                product[key] = product.get(key, 0) + a * c
        return product
    result = dict(left)
    for key, coefficient in right.items():
        result[key] = result.get(key, 0) + (coefficient if name in _ADD else -coefficient)
    return result
