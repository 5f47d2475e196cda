"""What live objects are: observed in the program as it is now, to be checked by native code.

A `Seen` gathers the objects that a value of the captured code stands for, by following from the arguments the same attributes and
items as the code does.
"""

from __future__ import annotations

import inspect
import types
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np

from janus_mlir.capture.boundary.sources import Source
from janus_mlir.capture.graph import BOOL, FLOAT, INT
from janus_mlir.capture.speculation import Respecialise
from janus_mlir.capture.state import Fact
from janus_mlir.runtime.dtypes import find_dtype

__all__ = [
    "ARRAYS", "NONE", "NUMBERS", "Kind", "Kinds", "LiveFacts", "Observer", "Seen",
    "kind_of", "looks_up_itself",
]  # fmt: skip

#: What a live object may be: a name, and what belongs to it (class; dtype, extents and weakness of an array).
Kind = tuple[Any, ...]
Kinds = frozenset[Kind]

NONE: Kind = ("none", type(None))
_PLAIN = {int: "int", float: "float", bool: "bool", str: "str", list: "list", tuple: "tuple", dict: "dict"}
ARRAYS = ("numpy", "jax", "npscalar")
NUMBERS = {"int": INT, "float": FLOAT, "bool": BOOL}
#: Objects that one value is observed for.
_MAX_SEEN = 4_000
_MISSING = object()


def kind_of(live: Any) -> Kind:
    """Return what an object is, as far as compiled code is concerned."""
    cls = type(live)
    if live is None:
        return NONE
    if cls in _PLAIN:
        return (_PLAIN[cls], cls)
    if (
        cls is np.ndarray
        and find_dtype(live.dtype) is not None
        and live.dtype.isnative
        and live.dtype.kind != "c"
    ):
        return ("numpy", cls, live.dtype, live.shape, False)
    if isinstance(live, np.generic) and find_dtype(live.dtype) is not None and live.dtype.kind != "c":
        return ("npscalar", cls, live.dtype, (), False)
    if isinstance(live, jax.Array) and not isinstance(live, jax.core.Tracer):
        dtype = np.dtype(live.dtype) if not jax.numpy.issubdtype(live.dtype, jax.dtypes.extended) else None
        if dtype is not None and find_dtype(dtype) is not None and dtype.kind != "c":
            return ("jax", cls, dtype, live.shape, bool(live.aval.weak_type))
    return ("object", cls)


class Seen:
    """The objects that a value stands for, as far as they have been observed."""

    def __init__(self, key: Any, known: Iterable[Kind]) -> None:
        self.key = key
        self.kinds: set[Kind] = set(known)
        #: The kinds that code has been captured for.
        self.used: Kinds | None = None
        self.objects: dict[int, Any] = {}
        #: How often an object was found, the same ones counted again.
        self.count = 0
        self.children: dict[Any, Seen] = {}
        self.into: list[Seen] = []

    def guess(self) -> Kinds:
        """Return the kinds to be ready for."""
        self.used = frozenset(self.kinds)
        return self.used

    def constant(self) -> tuple[float, int] | None:
        """Return the one number that was found everywhere, and how often; None if there is none."""
        found = iter(self.objects.values())
        first = next(found, None)
        if type(first) not in (int, float, bool):
            return None
        assert isinstance(first, (int, float))
        if isinstance(first, int) and not -(2**63) <= first < 2**63:
            return None
        # By type and spelling: 1 is not 1.0, and -0.0 is not 0.0.
        alike = all(type(other) is type(first) and repr(other) == repr(first) for other in found)
        return (first, self.count) if alike else None


def looks_up_itself(cls: type) -> bool:
    """Whether a class has a say in how attributes of its instances are looked up."""
    return getattr(cls, "__getattribute__", None) is not object.__getattribute__ or hasattr(
        cls, "__getattr__"
    )


def _steps(live: Any, step: Any) -> Iterator[Any]:
    """Yield what an attribute or item of an object is, running no code of the user's."""
    kind, name = step
    if kind == "attr":
        cls = type(live)
        if looks_up_itself(cls):
            return
        found = inspect.getattr_static(cls, name, _MISSING)
        computed = found is not _MISSING and hasattr(type(found), "__get__")
        if computed and not isinstance(found, types.MemberDescriptorType):
            return
        value = getattr(live, name, _MISSING)
        if value is not _MISSING:
            yield value
    elif type(live) is dict:
        if kind == "key" and name in live:
            yield live[name]
    elif type(live) in (list, tuple):
        if kind == "item" and -len(live) <= name < len(live):
            yield live[name]
        elif kind == "items":
            yield from live


@dataclass(slots=True)
class LiveFacts:
    """What captures of a function have found out about recursion and live objects; shared by its versions."""

    #: Functions that are called, not inlined: what of their arguments varies.
    recursive: dict[Any, set[Any]] = field(default_factory=dict)
    #: Those that are passed lists made by the call: copies of run-time length. Their outermost calls are inlined.
    by_value: set[Any] = field(default_factory=set)
    #: Lists, dicts and sets made by the call that calls change, by the way to them, and what items lists get.
    growing: dict[Any, dict[tuple[Any, ...], Any]] = field(default_factory=dict)
    #: What the items of lists are like that are passed by value, and empty in some calls.
    passed: dict[tuple[Any, ...], Any] = field(default_factory=dict)
    #: Functions that cannot be.
    inlined: dict[Any, str] = field(default_factory=dict)
    #: Variables of loops, by code and name, that walk along objects.
    walked: set[Any] = field(default_factory=set)
    #: Whether loops are left to unroll along objects, because reading them live did not work.
    walks_refused: bool = False
    #: Outside lists and tuples whose items loops read at run time, because each item goes into a recursive function.
    streamed: set[Source] = field(default_factory=set)
    #: Those where that did not work.
    stored: set[Source] = field(default_factory=set)
    kinds: dict[Any, set[Kind]] = field(default_factory=dict)
    #: What looked like one number everywhere, by the key of a `Seen`, and turned out not to be.
    varying: set[Any] = field(default_factory=set)
    #: How often objects were of no kind seen before, by place in the source and check.
    surprises: Counter[Any] = field(default_factory=Counter)
    #: Outside containers that calls write: live ones must not be these.
    written: set[Source] = field(default_factory=set)


class Observer:
    """What one capture has observed of live objects, and has done with them."""

    def __init__(self, facts: LiveFacts) -> None:
        self.facts = facts
        self.seen: dict[Any, Seen] = {}
        self.tests: dict[int, tuple[int, Fact, Fact]] = {}
        #: Attributes read of live objects, and written to any object, by name.
        self.reads: set[str] = set()
        self.writes: set[str] = set()
        #: Attributes written to live objects.
        self.live_writes: set[str] = set()
        self.reads_items = False
        self.reads_arrays = False

    def at(self, key: Any) -> Seen:
        """Return what has been observed under a key that means the same in every capture."""
        found = self.seen.get(key)
        if found is None:
            found = self.seen[key] = Seen(key, self.facts.kinds.get(key, ()))
        return found

    def feed(self, seen: Seen, objects: Iterable[Any]) -> None:
        """Add objects, and all that follows from them."""
        work = [(seen, list(objects))]
        while work:
            target, found = work.pop()
            new = []
            target.count += len(found)
            for live in found:
                if id(live) in target.objects:
                    continue
                target.kinds.add(kind_of(live))
                if len(target.objects) < _MAX_SEEN:
                    target.objects[id(live)] = live
                    new.append(live)
            if not new:
                continue
            for step, child in target.children.items():
                work.append((child, [value for live in new for value in _steps(live, step)]))
            work.extend((into, new) for into in target.into)

    def child(self, seen: Seen, step: Any) -> Seen:
        """Return what an attribute or item is observed to be."""
        found = seen.children.get(step)
        if found is None:
            found = seen.children[step] = self.at((seen.key, step))
            self.feed(found, [value for live in list(seen.objects.values()) for value in _steps(live, step)])
        return found

    def flow(self, source: Seen, target: Seen) -> None:
        """Note that what `source` stands for `target` stands for too."""
        if source is target or target in source.into:
            return
        source.into.append(target)
        target.kinds |= source.kinds
        self.feed(target, list(source.objects.values()))

    def join(self, a: Seen, b: Seen) -> Seen:
        """Return what either of two values stands for."""
        if a is b or b in a.into:
            return b
        if a in b.into:
            return a
        joined = next((s for s in (a, b) if s.key[0] == "join"), None)
        if joined is None:
            joined = self.at(("join", a.key, b.key))
        self.flow(a, joined)
        self.flow(b, joined)
        return joined

    def settle(self) -> None:
        """Start again if code has been captured for less than has been observed since."""
        changed = False
        for seen in self.seen.values():
            if seen.used is not None and seen.used != seen.kinds:
                self.facts.kinds.setdefault(seen.key, set()).update(seen.kinds)
                changed = True
            elif seen.used:
                self.facts.kinds.setdefault(seen.key, set()).update(seen.kinds)
        if changed:
            raise Respecialise
