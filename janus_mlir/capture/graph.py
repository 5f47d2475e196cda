"""The captured program: a small SSA graph that capture builds and ``emit`` turns into MLIR.

An op carries the MLIR name it will have (``lax.add``, ``arith.addi``, ``janus.guard``, ``scf.if``),
so emission is mechanical. Capture stays free of MLIR: loop bodies are captured several times
until their carried types are stable, and discarding a Python list is cheaper than erasing IR.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Literal

from janus_mlir.locations import Span

#: A tensor extent: an int, or a ``jax.export`` symbolic dimension expression.
Extent = Any

ScalarName = Literal["i64", "f64", "i1", "index", "object"]


@dataclass(frozen=True, slots=True)
class TensorType:
    """Type of an array value: element type by MLIR name (``f32``, ``ui8``, ``i1``) and extents."""

    dtype: str
    shape: tuple[Extent, ...]

    @property
    def rank(self) -> int:
        return len(self.shape)


@dataclass(frozen=True, slots=True)
class ScalarType:
    """Type of a Python number, ``i64`` (int), ``f64`` (float) or ``i1`` (bool), or of a live ``object``."""

    name: ScalarName


Type = TensorType | ScalarType

INT = ScalarType("i64")
FLOAT = ScalarType("f64")
BOOL = ScalarType("i1")
OBJECT = ScalarType("object")

_uids = count()


class Value:
    """One SSA value. Compared by identity.

    `step` says of an int that it is another one plus a constant.
    """

    __slots__ = ("hint", "step", "type", "uid")

    def __init__(self, type: Type, hint: str = "") -> None:
        self.type = type
        self.hint = hint
        self.uid = next(_uids)
        self.step: tuple[Value, int] | None = None

    def __repr__(self) -> str:
        return f"%{self.uid}:{self.type}"


@dataclass(slots=True, eq=False)
class Block:
    """A region of one block: arguments and ops; the last op is ``yield`` or ``condition``."""

    args: list[Value] = field(default_factory=list)
    ops: list[Op] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Op:
    """One operation. ``attrs`` holds plain Python values under the MLIR (or JAX) parameter names."""

    name: str
    operands: list[Value]
    results: list[Value]
    attrs: dict[str, Any]
    regions: list[Block]
    span: Span | None
    #: Call sites through which inlined code was reached, innermost first.
    callers: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Input:
    """An argument of the native entry: where its value comes from, as text, and the SSA value."""

    value: Value
    source: str


@dataclass(slots=True, eq=False)
class Function:
    """A function that ``func.call`` ops (attribute `callee`) call: it may call itself.

    The body ends with a ``return``. It may use values that are defined outside, wherever the function is called:
    emission makes parameters of them.
    """

    name: str
    params: list[Value] = field(default_factory=list)
    body: Block = field(default_factory=Block)


@dataclass(slots=True, eq=False)
class Graph:
    """A whole captured function."""

    name: str
    inputs: list[Input] = field(default_factory=list)
    body: Block = field(default_factory=Block)
    #: Site of the function's ordinary return, whose values the body's ``return`` op carries.
    return_site: int | None = None
    #: Functions that are called, not inlined.
    functions: list[Function] = field(default_factory=list)
    #: Python objects that ops name by their position: None, classes, functions, keys.
    objects: list[Any] = field(default_factory=list)

    def object_entry(self, live: Any) -> int:
        """Return the position of `live` among the objects that ops name."""
        for i, known in enumerate(self.objects):
            if known is live:
                return i
        self.objects.append(live)
        return len(self.objects) - 1


class Builder:
    """Appends ops to the current block of a graph."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.block = graph.body
        self.span: Span | None = None
        self.callers: tuple[Span, ...] = ()

    def op(
        self,
        name: str,
        /,
        operands: Sequence[Value] = (),
        results: Sequence[Type] = (),
        *,
        regions: Sequence[Block] = (),
        **attrs: Any,
    ) -> list[Value]:
        """Append an op and return its results."""
        values = [Value(t) for t in results]
        self.block.ops.append(Op(name, list(operands), values, attrs, list(regions), self.span, self.callers))
        return values

    def one(self, name: str, /, operands: Sequence[Value], result: Type, **attrs: Any) -> Value:
        """Append an op with one result and return it."""
        return self.op(name, operands, [result], **attrs)[0]

    def region(self, name: str, operands: Sequence[Value], results: Sequence[Value], block: Block) -> None:
        """Append an op with one region that defines `results`."""
        self.block.ops.append(Op(name, list(operands), list(results), {}, [block], self.span, self.callers))

    def input(self, type: Type, source: str) -> Value:
        """Append an argument to the native entry."""
        value = Value(type, source)
        self.graph.inputs.append(Input(value, source))
        return value

    @contextmanager
    def inside(self, block: Block) -> Iterator[Block]:
        """Append to `block` within the ``with`` statement."""
        outer, self.block = self.block, block
        try:
            yield block
        finally:
            self.block = outer


def graph_text(graph: Graph) -> str:
    """Return a captured function in words, for when its IR cannot be made."""
    lines = [f"{graph.name}({', '.join(f'{i.value!r} = {i.source}' for i in graph.inputs)})"]

    def add(block: Block, indent: str) -> None:
        for op in block.ops:
            results = f"{', '.join(map(repr, op.results))} = " if op.results else ""
            attrs = {k: v for k, v in op.attrs.items() if isinstance(v, (bool, int, float, str, tuple))}
            operands = ", ".join(map(repr, op.operands))
            lines.append(f"{indent}{results}{op.name}({operands}) {attrs or ''} {op.span or ''}".rstrip())
            for region in op.regions:
                lines.append(f"{indent}  region({', '.join(map(repr, region.args))})")
                add(region, indent + "    ")

    add(graph.body, "  ")
    return "\n".join(lines)
