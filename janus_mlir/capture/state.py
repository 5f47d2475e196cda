"""The machine state of symbolic execution: frames of variables and a heap, cheap to fork."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field, fields, replace
from functools import cache
from typing import Any, cast

from janus_mlir.capture.function import FunctionContext
from janus_mlir.capture.graph import Value
from janus_mlir.capture.heap import Content, GeneratorContent
from janus_mlir.capture.values import Abstract, Known, Storage
from janus_mlir.locations import Span

#: Variable of a frame that holds what the function returns, once it has ended.
RESULT = "%return"

#: Variables of a frame in the middle of whose instruction a call has returned, or raised.
INLINE = "%inline"
RAISED = "%raised"

#: The pc of a frame in the middle of whose instruction a call has raised.
RAISED_PC = -1

#: Position of the machine: depth of the frame and pc in its code.
Where = tuple[int, int]


@dataclass(slots=True, eq=False)
class Frame:
    """An active function: its code, position and variables."""

    function: FunctionContext
    pc: int
    vars: dict[str, Abstract]
    #: Variable of the caller that takes the result; None throws it away.
    result: str | None = None
    call_span: Span | None = None
    #: What a constructor call returns instead of ``__init__``'s None.
    override: Abstract | None = None
    #: The arguments of the call.
    bound: dict[str, Abstract] = field(default_factory=dict)
    #: Iterations executed in line so far, by loop head.
    unrolled: dict[int, int] = field(default_factory=dict)
    #: The frames that wait for this one's result, outermost first.
    callers: tuple[Suspended, ...] = ()
    #: Where the frame could be left last.
    snapshot: Snapshot | None = None
    #: The instruction at hand; that of a suspended frame is the call that it waits for.
    at: int = 0
    #: How many conditions of the next instruction are known to hold, so that it does not raise.
    passed: int = 0
    #: Variables with the exceptions that are being handled, outermost first.
    handling: tuple[str, ...] = ()
    #: Whether it was called in the middle of an instruction of the caller.
    inline: bool = False
    #: An exception that the instruction which waits for the frame takes for an answer.
    expects: type[BaseException] | None = None
    #: The generator that runs in this frame.
    generator: Abstract | None = None

    def clone(self) -> Frame:
        return replace(self, vars=dict(self.vars), unrolled=dict(self.unrolled))


@dataclass(frozen=True, slots=True, eq=False)
class Suspended:
    """A frame at a call whose result it waits for."""

    function: FunctionContext
    #: Position of the call.
    pc: int
    vars: dict[str, Abstract]
    #: Variable that takes the result.
    result: str | None
    override: Abstract | None


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """A frame where Python can go on in its place: what a resume function needs."""

    function: FunctionContext
    #: The beginning of a statement, or a call that has returned.
    pc: int
    vars: dict[str, Abstract]
    #: The result of that call; None at the beginning of a statement.
    value: Abstract | None
    override: Abstract | None
    callers: tuple[Suspended, ...]
    heap: dict[int, Any]
    escaped: frozenset[int]
    #: Number of effects recorded on this path so far.
    effects: int
    #: Values with a smaller uid existed before.
    mark: int
    #: An earlier point of the same frame, with no effect in between.
    earlier: Snapshot | None = None


@dataclass(frozen=True, slots=True)
class Fact:
    """What is known of a live object on the current path."""

    #: What it may be; `proven` if that has been checked, else it is what is left of what was observed.
    kinds: frozenset[tuple[Any, ...]]
    proven: bool
    #: The number or array that it holds, once read.
    value: Abstract | None = None


@dataclass(slots=True, eq=False)
class State:
    """Frames, heap and the ids of objects that exist outside already (through a recorded effect)."""

    frames: list[Frame]
    heap: dict[int, Any]
    escaped: frozenset[int] = frozenset()
    effects: int = 0
    #: What is known of live objects, by the uid of the graph value.
    facts: dict[int, Fact] = field(default_factory=dict)

    @property
    def top(self) -> Frame:
        return self.frames[-1]

    @property
    def where(self) -> Where:
        return len(self.frames) - 1, self.frames[-1].pc

    def clone(self) -> State:
        return State(
            [f.clone() for f in self.frames], dict(self.heap), self.escaped, self.effects, dict(self.facts)
        )

    def forget_values(self) -> None:
        """Forget what was read of live objects, keeping what they are: the state leaves a region."""
        self.facts = {
            uid: fact if fact.value is None else Fact(fact.kinds, fact.proven)
            for uid, fact in self.facts.items()
        }


#: Annotations of fields that hold no value of the graph, and of those that hold no abstract value.
_NO_VALUES = frozenset(
    ("Source | None", "NumberKind", "type", "np.dtype[Any]", "bool", "str", "int", "int | None")
)
_NO_OBJECTS = _NO_VALUES | {"Value", "Value | None", "tuple[Value, ...]", "Layout", "Layout | None"}
_NO_OBJECTS |= {"Extent", "tuple[Extent, ...]", "tuple[ViewStep, ...]", "tuple[tuple[int, Source], ...]"}


@cache
def _fields_of(cls: type, without: frozenset[str]) -> tuple[str, ...]:
    """Return the fields of a class of values or contents that may hold what is looked for."""
    return tuple(f.name for f in fields(cast(Any, cls)) if f.type not in without)


@cache
def _identities_of(cls: type) -> tuple[str, ...]:
    return tuple(f.name for f in fields(cast(Any, cls)) if f.name in ("id", "storage"))


class Rewriter:
    """Applies a function to every graph value inside abstract values, preserving sharing."""

    def __init__(self, function: Callable[[Value], Value]) -> None:
        self.function = function
        self.memo: dict[int, tuple[Any, Any]] = {}

    def __call__(self, obj: Any) -> Any:
        if isinstance(obj, Value):
            return self.function(obj)
        if isinstance(obj, tuple):
            items = tuple(self(x) for x in obj)
            return obj if all(a is b for a, b in zip(items, obj, strict=True)) else items
        if not isinstance(obj, (Abstract, Content, Storage)) or isinstance(obj, Known):
            return obj
        seen = self.memo.get(id(obj))
        if seen is not None:
            return seen[1]
        changes = {}
        cls: Any = type(obj)
        for name in _fields_of(cls, _NO_VALUES):
            old = getattr(obj, name)
            if isinstance(old, (Value, Abstract, Content, tuple)):
                new = self(old)
                if new is not old:
                    changes[name] = new
        result = replace(cast(Any, obj), **changes) if changes else obj
        self.memo[id(obj)] = (obj, result)
        return result

    def state(self, state: State) -> None:
        """Rewrite a state in place (its snapshots excepted)."""
        for frame in state.frames:
            for name, value in frame.vars.items():
                frame.vars[name] = self(value)
            if frame.override is not None:
                frame.override = self(frame.override)
        for key, content in state.heap.items():
            state.heap[key] = self(content)


def references(roots: Iterable[Any], heap: dict[int, Any]) -> set[int]:
    """Return the ids of all abstract objects (heap entries and arrays) that `roots` reach."""
    found: set[int] = set()
    seen: set[int] = set()
    work: list[Any] = list(roots)
    while work:
        obj = work.pop()
        if isinstance(obj, tuple):
            work.extend(obj)
            continue
        if not isinstance(obj, (Abstract, Content)) or isinstance(obj, Known) or id(obj) in seen:
            continue
        seen.add(id(obj))
        cls: Any = type(obj)
        for name in _identities_of(cls):
            item = getattr(obj, name)
            if item not in found:
                found.add(item)
                if item in heap:
                    work.append(heap[item])
        for name in _fields_of(cls, _NO_OBJECTS):
            item = getattr(obj, name)
            if isinstance(item, (Abstract, Content, tuple)):
                work.append(item)
        if isinstance(obj, GeneratorContent):
            # Its code reads them when it goes on.
            work.extend(cell for cell in obj.function.closure.values() if isinstance(cell, Abstract))
    return found


def _live(frame: Frame, suspended: bool) -> frozenset[str]:
    """Return the variables of a frame that some path reads again."""
    context = frame.function
    if frame.pc == RAISED_PC:
        return context.live_at(frame.at) | {INLINE, RAISED}
    live = context.live_at(frame.pc) | {INLINE}
    if suspended:
        # What the frame waits for may raise.
        handler = context.code.handlers[frame.at]
        return live if handler is None else live | context.live_at(handler)
    return live


def tidy(state: State, outside: Collection[int], pins: Iterable[Any] = ()) -> None:
    """Forget variables that no path reads again and heap entries that nothing reaches.

    Entries of `outside` objects stay: they hold the pending writes of the call. So does what `pins` reach.
    """
    last = len(state.frames) - 1
    roots: list[Any] = list(pins)
    for depth, frame in enumerate(state.frames):
        live = _live(frame, depth < last)
        ended = depth == last and frame.pc >= len(frame.function.code.instrs)
        for name in [n for n in frame.vars if n not in live and n != INLINE and not (ended and n == RESULT)]:
            del frame.vars[name]
        roots.extend(frame.vars.values())
        # A function made by the captured code reads its cells, though nothing refers to it any more.
        roots.extend(cell for cell in frame.function.closure.values() if isinstance(cell, Abstract))
        roots += [frame.override, frame.generator]
    roots.extend(state.heap[key] for key in state.heap if key in outside or key in state.escaped)
    alive = references(roots, state.heap)
    for key in [k for k in state.heap if k not in alive and k not in outside and k not in state.escaped]:
        del state.heap[key]
