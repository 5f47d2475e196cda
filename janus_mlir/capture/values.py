"""Abstract values: what capture knows of each Python value.

Values are immutable handles. The contents of everything that Python can mutate (lists, dicts,
objects, NumPy storage, iterators) live in the machine state's heap under the handle's ``id``,
so that a state can be forked at a dynamic branch by copying one dict.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Literal

import numpy as np

from janus_mlir.capture.boundary.sources import Source
from janus_mlir.capture.graph import Extent, Value

NumberKind = Literal["int", "float", "bool"]

_ids = count(1)


def fresh_id() -> int:
    """Return an identity for a newly created abstract object."""
    return next(_ids)


class Abstract:
    """Base class of abstract values."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, eq=False)
class Known(Abstract):
    """A value known at capture time: a literal, or an outside object under a guard.

    Only immutable or opaque objects (numbers, strings, functions, classes, modules, dtypes) are
    ``Known``; things with contents that capture follows have handles of their own.
    """

    value: Any
    source: Source | None = None


def constants(values: Iterable[Abstract]) -> list[Any] | None:
    """Return the Python objects that all of the values are, None if some are only known at run time."""
    found = []
    for value in values:
        if not isinstance(value, Known):
            return None
        found.append(value.value)
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Number(Abstract):
    """A Python number computed at run time (graph scalar of type i64, f64 or i1)."""

    kind: NumberKind
    ref: Value
    source: Source | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Boxed(Abstract):
    """An immutable object of class `cls` that native code holds; see `janus_mlir.capture.boxed`."""

    ref: Value
    cls: type


@dataclass(frozen=True, slots=True, eq=False)
class ComplexValue(Abstract):
    """A ``complex`` of which the parts (Python floats) are known or computed at run time."""

    real: Abstract
    imag: Abstract


@dataclass(frozen=True, slots=True, eq=False)
class ExtentNumber(Abstract):
    """A Python int that is a symbolic array extent or an expression over such."""

    expr: Extent


@dataclass(frozen=True, slots=True, eq=False)
class JaxArray(Abstract):
    """A ``jax.Array``: immutable, so the graph value says it all."""

    ref: Value
    dtype: np.dtype[Any]
    shape: tuple[Extent, ...]
    weak: bool = False
    source: Source | None = None
    id: int = field(default_factory=fresh_id)
    #: Where control flow has met: which of the outside arrays `choices` it is (by its id), 0 if none of them.
    choice: Value | None = None
    choices: tuple[tuple[int, Source], ...] = ()
    #: The live object that it was read from; null at run time if it was made by the call.
    live: Value | None = None

    def outside(self) -> tuple[tuple[int, Source], ...]:
        """Return the outside arrays that this may be, each with its id."""
        return self.choices if self.source is None else ((self.id, self.source),)


@dataclass(frozen=True, slots=True)
class ViewStep:
    """One basic NumPy view operation from an array to a view of the same memory.

    ``kind``/``args``: ``("index", ((start, size, step) | ("drop", i) | "new", ...))`` per axis,
    ``("transpose", perm)``, ``("reshape", shape)``. Starts may be ints or INT graph values.
    """

    kind: Literal["index", "transpose", "reshape"]
    args: tuple[Any, ...]


@dataclass(frozen=True, slots=True, eq=False)
class NumpyArray(Abstract):
    """A ``numpy.ndarray``: a view path into storage whose current content is in the heap.

    ``storage`` names a heap entry `Storage`; an array that owns its memory has an empty `view`.
    """

    storage: int
    dtype: np.dtype[Any]
    shape: tuple[Extent, ...]
    view: tuple[ViewStep, ...] = ()
    source: Source | None = None
    id: int = field(default_factory=fresh_id)
    #: The live object that it was read from; null at run time if it was made by the call.
    live: Value | None = None


@dataclass(frozen=True, slots=True, eq=False)
class LiveObject(Abstract):
    """An outside object that only run time knows; `seen` is what has been observed of such (see `live`)."""

    ref: Value
    seen: Any


@dataclass(frozen=True, slots=True, eq=False)
class LiveType(Abstract):
    """The class of a live object."""

    value: LiveObject


@dataclass(frozen=True, slots=True, eq=False)
class Null(Abstract):
    """No object: what an array that the call has made was read from."""


@dataclass(frozen=True, slots=True, eq=False)
class NumpyScalar(Abstract):
    """A NumPy scalar object such as ``np.float64``; `ref` is a rank-0 tensor."""

    ref: Value
    dtype: np.dtype[Any]
    source: Source | None = None


@dataclass(frozen=True, slots=True, eq=False)
class UnionValue(Abstract):
    """One of several values, by a tag that run time knows; see `janus_mlir.capture.unions`."""

    which: Value
    options: tuple[tuple[int, Abstract], ...]


@dataclass(frozen=True, slots=True, eq=False)
class TupleValue(Abstract):
    """A tuple, or an instance of a NamedTuple class `cls`."""

    items: tuple[Abstract, ...]
    cls: type = tuple
    source: Source | None = None


@dataclass(frozen=True, slots=True, eq=False)
class SliceValue(Abstract):
    """A ``slice`` object with abstract bounds (``Known(None)`` where absent)."""

    start: Abstract
    stop: Abstract
    step: Abstract


@dataclass(frozen=True, slots=True, eq=False)
class RangeValue(Abstract):
    """A ``range`` with abstract bounds."""

    start: Abstract
    stop: Abstract
    step: Abstract


@dataclass(frozen=True, slots=True, eq=False)
class TextValue(Abstract):
    """A string built at run time: parts are ``str`` or ``(value, conversion, spec)``.

    It exists only in Python, when a held-back effect is committed or a frame is rebuilt.
    """

    parts: tuple[Any, ...]


@dataclass(frozen=True, slots=True, eq=False)
class TextCall(Abstract):
    """A method of a string (or an operator on it) that gives a string; only a `TextValue` holds it."""

    text: Abstract
    name: str
    args: tuple[Abstract, ...]


@dataclass(frozen=True, slots=True, eq=False)
class ViewValue(Abstract):
    """``keys()``, ``values()`` or ``items()`` of a dict."""

    dict: DictRef
    kind: str


@dataclass(frozen=True, slots=True, eq=False)
class HeapRef(Abstract):
    """Base of handles to mutable contents in the heap."""

    id: int = field(default_factory=fresh_id)


@dataclass(frozen=True, slots=True, eq=False)
class ListRef(HeapRef):
    """A list, or a deque with at most `limit` items."""

    cls: type = list
    limit: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class DictRef(HeapRef):
    """A dict, or an instance of one of its classes in `collections`; `factory` makes what is missing."""

    cls: type = dict
    factory: Abstract | None = None


@dataclass(frozen=True, slots=True, eq=False)
class AttributesRef(DictRef):
    """The attributes of an object as a dict, for reading only."""


@dataclass(frozen=True, slots=True, eq=False)
class SetRef(HeapRef):
    """A set (or frozenset) of known elements."""

    cls: type = set


@dataclass(frozen=True, slots=True, eq=False)
class ObjectRef(HeapRef):
    """An instance of a user class."""


@dataclass(frozen=True, slots=True, eq=False)
class IteratorRef(HeapRef):
    """An iterator; its position is heap content."""


@dataclass(frozen=True, slots=True, eq=False)
class CellRef(HeapRef):
    """A variable shared with an inner function."""


@dataclass(frozen=True, slots=True, eq=False)
class CompressedRef(HeapRef):
    """A one-dimensional NumPy array of a run-time number of elements; see `janus_mlir.capture.dynamic.compressed`."""


@dataclass(frozen=True, slots=True, eq=False)
class Storage:
    """Heap content of NumPy memory: the current content as a tensor, and its owner outside, if any."""

    ref: Value
    dtype: np.dtype[Any]
    shape: tuple[Extent, ...]


@dataclass(frozen=True, slots=True, eq=False)
class FunctionValue(Abstract):
    """A function made inside the captured code (lambda, nested def), or outside and known by its code only."""

    template: Any
    cells: tuple[tuple[str, CellRef | Source], ...]
    defaults: tuple[Abstract, ...]
    kwdefaults: tuple[tuple[str, Abstract], ...]
    id: int = field(default_factory=fresh_id)
    #: Where it comes from, if it was made outside and only its code is known.
    source: Source | None = None


@dataclass(frozen=True, slots=True, eq=False)
class MethodValue(Abstract):
    """A bound method: `function` (``Known`` or ``FunctionValue``) on `self`."""

    function: Abstract
    self: Abstract


@dataclass(frozen=True, slots=True, eq=False)
class PartialValue(Abstract):
    """A ``functools.partial`` that the captured code makes."""

    function: Abstract
    args: tuple[Abstract, ...]
    kwargs: tuple[tuple[str, Abstract], ...]


@dataclass(frozen=True, slots=True, eq=False)
class MemberValue(Abstract):
    """A method of a built-in type on an abstract value, such as ``xs.append`` or ``x.sum``."""

    self: Abstract
    name: str


def bounds(index: Abstract) -> tuple[Abstract, Abstract, Abstract]:
    """Return start, stop and step of a slice, which are None where absent."""
    if isinstance(index, SliceValue):
        return index.start, index.stop, index.step
    assert isinstance(index, Known)
    return Known(index.value.start), Known(index.value.stop), Known(index.value.step)
