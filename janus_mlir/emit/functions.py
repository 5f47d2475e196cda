"""Closure conversion: what each function of a graph uses of its surroundings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from janus_mlir.capture.graph import Block, Function, Graph, Op, TensorType, Value
from janus_mlir.emit.extents import variables

__all__ = ["Closure", "closures"]


@dataclass(slots=True)
class Closure:
    """What a function is passed besides its arguments, each in a fixed order.

    Attributes
    ----------
    values : list of Value
        Values defined outside that it, or a function it calls, uses.
    extents : list of str
        Variables of symbolic extents.
    """

    values: list[Value] = field(default_factory=list)
    extents: list[str] = field(default_factory=list)


def _ops(block: Block) -> Iterator[Op]:
    for op in block.ops:
        yield op
        for region in op.regions:
            yield from _ops(region)


@dataclass(slots=True)
class _Uses:
    defined: set[Value] = field(default_factory=set)
    values: set[Value] = field(default_factory=set)
    extents: set[str] = field(default_factory=set)
    callees: list[Function] = field(default_factory=list)


def _uses(function: Function) -> _Uses:
    uses = _Uses()
    used: set[Value] = set()
    uses.defined.update(function.params)
    for op in _ops(function.body):
        used.update(op.operands)
        uses.defined.update(op.results)
        for region in op.regions:
            uses.defined.update(region.args)
        if "callee" in op.attrs:
            uses.callees.append(op.attrs["callee"])
        if "expr" in op.attrs:
            uses.extents |= variables(op.attrs["expr"])
    for value in used | uses.defined:
        if isinstance(value.type, TensorType):
            uses.extents.update(*map(variables, value.type.shape))
    uses.values = used - uses.defined
    return uses


def closures(graph: Graph) -> dict[Function, Closure]:
    """Return what each function of `graph` must be passed."""
    uses = {function: _uses(function) for function in graph.functions}
    changed = True
    while changed:
        changed = False
        for own in uses.values():
            for callee in own.callees:
                values = own.values | (uses[callee].values - own.defined)
                extents = own.extents | uses[callee].extents
                changed |= len(values) > len(own.values) or len(extents) > len(own.extents)
                own.values, own.extents = values, extents
    return {
        function: Closure(sorted(own.values, key=lambda v: v.uid), sorted(own.extents))
        for function, own in uses.items()
    }
