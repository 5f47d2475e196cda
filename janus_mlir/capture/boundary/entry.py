"""The entry program of a compiled version: how to reach outside objects, what must hold of them, what to bind.

It is built while the function is captured, in the order in which facts are used, and runs in the
native dispatcher (``runtime``). Each instruction remembers the fact it stands for, in words.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from janus_mlir.capture.boundary.sources import (
    Argument,
    Attribute,
    Cell,
    CellOf,
    Derived,
    Global,
    HasAttribute,
    HasKey,
    Index,
    Key,
    Pinned,
    Source,
)
from janus_mlir.capture.graph import Builder, Type, Value
from janus_mlir.config import config
from janus_mlir.locations import Span


@dataclass(frozen=True, slots=True)
class Fact:
    """What an instruction of the entry program demands, in words, and of which source."""

    source: Source | None
    kind: str
    expected: str
    span: Span | None


@dataclass(slots=True)
class EntryProgram:
    """Slots, instructions and bindings of one version's entry."""

    builder: Builder
    argument_count: int
    instrs: list[tuple[Any, ...]] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    binds: list[tuple[Any, ...]] = field(default_factory=list)
    slot_count: int = 0
    #: Source of each symbolic extent by its name: ``(source, axis)`` pairs seen, first one defines it.
    symbols: dict[str, tuple[int, list[tuple[Source, int]]]] = field(default_factory=dict)
    _slots: dict[Source, int] = field(default_factory=dict)
    _seen: set[Any] = field(default_factory=set)
    _bound: dict[tuple[str, Source], Value] = field(default_factory=dict)
    _env: int | None = None

    def __post_init__(self) -> None:
        self.slot_count = self.argument_count

    def _new_slot(self) -> int:
        self.slot_count += 1
        return self.slot_count - 1

    def emit(self, instr: tuple[Any, ...], source: Source | None, kind: str, expected: str = "") -> None:
        """Append an instruction (once) with the fact that it stands for."""
        try:
            if instr in self._seen:
                return
            self._seen.add(instr)
        except TypeError:
            pass  # an operand that cannot be hashed: no deduplication
        self.instrs.append(instr)
        self.facts.append(Fact(source, kind, expected, self.builder.span))

    def slot(self, source: Source) -> int:
        """Return the slot that holds the object of `source`, fetching it if it is new."""
        if isinstance(source, Argument):
            return source.index
        found = self._slots.get(source)
        if found is not None:
            return found
        base: Source | None = getattr(source, "base", None)
        origin = self.slot(base) if base is not None else -1
        slot = self._slots[source] = self._new_slot()
        match source:
            case Pinned():
                instr: tuple[Any, ...] = ("const", slot, source.object)
            case Global():
                instr = ("global", slot, source.namespace.object, source.name)
            case Cell():
                instr = ("cell", slot, source.cell.object)
            case CellOf():
                instr = ("call1", slot, origin, _CellReader(source.index))
            case Derived():
                instr = ("call1", slot, origin, source.function)
            case Attribute():
                instr = ("attr", slot, origin, source.name)
            case HasAttribute():
                instr = ("call1", slot, origin, _AttributeTest(source.name))
            case HasKey():
                instr = ("call1", slot, origin, _KeyTest(source.key))
            case Index():
                instr = ("index", slot, origin, source.index)
            case Key():
                instr = ("key", slot, origin, source.key)
            case _:
                raise AssertionError(f"unknown source {source!r}")
        self.instrs.append(instr)
        self.facts.append(Fact(source, "present", "to exist", self.builder.span))
        return slot

    def env(self) -> int:
        """Return the slot of a dict that is new in each call: objects made by the call, by abstract id."""
        if self._env is None:
            one = self.slot(Pinned("()", id(_ENV_SEED), (_ENV_SEED,)))
            self._env = self._new_slot()
            self.instrs.append(("call1", self._env, one, _new_env))
            self.facts.append(Fact(None, "env", "", None))
        return self._env

    def bind(self, how: str, source: Source, type: Type, *operands: Any) -> Value:
        """Return the native input that `source` is bound to (`how`: a bind instruction's name)."""
        value = self._bound.get((how, source))
        if value is None:
            value = self._bound[how, source] = self.builder.input(type, source.text)
            self.binds.append((how, self.slot(source), *operands))
        return value

    def is_input(self, value: Value) -> bool:
        """Tell whether a graph value is an input of native code."""
        return any(value is found.value for found in self.builder.graph.inputs)

    def symbol(self, name: str, source: Source, axis: int) -> int:
        """Return the number of the symbolic extent `name`, noting that `source` has it on `axis`."""
        number, uses = self.symbols.setdefault(name, (len(self.symbols), []))
        if (source, axis) not in uses:
            uses.append((source, axis))
        return number

    def program(self) -> list[tuple[Any, ...]]:
        """Return all instructions, bindings last."""
        if config.unguarded:
            return [i for i in self.instrs if i[0] not in _CHECKS] + self.binds
        return self.instrs + self.binds


#: Instructions that only check. (An array's shape gives the symbolic extents, and waits for JAX.)
_CHECKS = frozenset(
    {
        "type_is",
        "is",
        "is_not",
        "same",
        "distinct",
        "eq",
        "len",
        "dict_keys",
        "absent",
        "method_is",
        "npscalar",
    }
    | {"writeable", "no_overlap", "int_range"}
)


@dataclass(frozen=True, slots=True)
class _CellReader:
    """Reads a closure variable of a function."""

    index: int

    def __call__(self, function: Any) -> Any:
        return function.__closure__[self.index].cell_contents


@dataclass(frozen=True, slots=True)
class _AttributeTest:
    """Tells whether an object has an attribute."""

    name: str

    def __call__(self, obj: Any) -> bool:
        return hasattr(obj, self.name)


@dataclass(frozen=True, slots=True)
class _KeyTest:
    """Tells whether a dict has a key."""

    key: Any

    def __call__(self, obj: Any) -> bool:
        return self.key in obj


_ENV_SEED: tuple[()] = ()


def _new_env(_: object) -> dict[int, object]:
    return {}
