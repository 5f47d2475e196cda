"""Contents of mutable objects during capture, kept in the machine state's heap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from janus_mlir.capture.dynamic.layouts import Layout
from janus_mlir.capture.graph import Value
from janus_mlir.capture.values import Abstract, Known, ListRef


class Content:
    """Base of heap contents: immutable, replaced as a whole."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, eq=False)
class ListContent(Content):
    """Items of a list.

    `items` is None while an outside list has not been read; `appended` are then the pending appends to it,
    or None if they depend on the way taken (the list can be appended to, but not read). `grown` is their number then.
    """

    items: tuple[Abstract, ...] | None
    appended: tuple[Abstract, ...] | None = ()
    grown: Abstract | None = None

    def growth(self) -> Abstract | None:
        """Return how many items have been appended to a list that has not been read."""
        return self.grown if self.appended is None else Known(len(self.appended))

    def read(self, items: tuple[Abstract, ...]) -> ListContent:
        """Return the content of a list that the call found with these items."""
        return self if self.items is not None else ListContent((*items, *(self.appended or ())))


@dataclass(frozen=True, slots=True, eq=False)
class VectorContent(Content):
    """Items of a list in tensors, one per part of an item: of run-time length, or longer than is spelt out.

    The length is `base` (0 if there is none) plus `offset`, which is symbolic only if there is no base. The leading extent
    of each tensor is the capacity.
    See `janus_mlir.capture.dynamic.vectors`.
    """

    layout: Layout
    buffers: tuple[Value, ...]
    base: Value | None
    offset: Any = 0

    @property
    def extent(self) -> Any:
        """The length as the extent of an array, None if only run time knows it."""
        return self.offset if self.base is None else None

    @property
    def count(self) -> int | None:
        """The length, None if only run time knows it."""
        return self.offset if self.base is None and isinstance(self.offset, int) else None


@dataclass(frozen=True, slots=True, eq=False)
class PoolContent(Content):
    """Rows of items, of which `used` are lists; `layout` is None as long as none of them has an item. See `rows`."""

    layout: Layout | None
    buffers: tuple[Value, ...]
    lengths: Value
    used: Value


@dataclass(frozen=True, slots=True, eq=False)
class RowContent(Content):
    """Items of a list that is row number `row` of the pool `storage`."""

    storage: int
    row: Value


@dataclass(frozen=True, slots=True, eq=False)
class CompressedContent(Content):
    """Elements of an array of run-time size: those of `data` where `mask` holds."""

    data: Value
    mask: Value
    dtype: Any


@dataclass(frozen=True, slots=True, eq=False)
class DictContent(Content):
    """Entries of a dict by constant key, in order.

    `complete` is False for an outside dict of which only the entries read or written so far are known.
    """

    entries: tuple[tuple[Any, Abstract], ...]
    complete: bool = True

    def get(self, key: Any) -> Abstract | None:
        for k, v in self.entries:
            if k is key or k == key:
                return v
        return None

    def set(self, key: Any, value: Abstract) -> DictContent:
        entries = list(self.entries)
        for i, (k, _) in enumerate(entries):
            if k is key or k == key:
                entries[i] = (k, value)
                return DictContent(tuple(entries), self.complete)
        return DictContent((*self.entries, (key, value)), self.complete)

    def remove(self, key: Any) -> DictContent:
        kept = tuple((k, v) for k, v in self.entries if not (k is key or k == key))
        return DictContent(kept, self.complete)


@dataclass(frozen=True, slots=True, eq=False)
class SetContent(Content):
    """Elements of a set of constants; `ordered` if they are in Python's order of iteration.

    `items` is None while an outside set has not been read; `known` then says of single elements whether it has them.
    """

    items: tuple[Any, ...] | None
    ordered: bool = False
    known: tuple[tuple[Any, bool], ...] = ()
    #: Whether elements have only been added to it, one by one: none has been in another's place.
    added: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class TableContent(Content):
    """Entries of a dict, or elements of a set, by keys of the run time; see `janus_mlir.capture.dynamic.tables`.

    `ordered` is False for a set that Python may go through in another order than one to which the keys are added in turn.
    """

    keys: ListRef
    values: ListRef | None
    ordered: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class ObjectContent(Content):
    """Attributes of an object as written by the captured code so far (all of them for an object made there)."""

    written: tuple[tuple[str, Abstract], ...] = ()

    def get(self, name: str) -> Abstract | None:
        for k, v in self.written:
            if k == name:
                return v
        return None

    def set(self, name: str, value: Abstract) -> ObjectContent:
        kept = [(k, v) for k, v in self.written if k != name]
        position = next((i for i, (k, _) in enumerate(self.written) if k == name), len(kept))
        kept.insert(position, (name, value))
        return ObjectContent(tuple(kept))

    def remove(self, name: str) -> ObjectContent:
        return ObjectContent(tuple((k, v) for k, v in self.written if k != name))


@dataclass(frozen=True, slots=True, eq=False)
class CellContent(Content):
    """Value of a variable shared with an inner function; None while unbound."""

    value: Abstract | None


@dataclass(frozen=True, slots=True, eq=False)
class GeneratorContent(Content):
    """A suspended generator: where it goes on, with which variables."""

    #: Its `FunctionContext`.
    function: Any
    pc: int
    #: The ``yield`` at which it is suspended, before the first item its beginning.
    at: int
    vars: tuple[tuple[str, Abstract], ...]
    handling: tuple[str, ...] = ()
    #: Whether a context manager drives it, which never lets go of it before its end.
    managed: bool = False


IteratorKind = Literal[
    "sequence", "list", "cycle", "range", "array", "live", "table", "enumerate", "zip", "map", "reversed"
]


@dataclass(frozen=True, slots=True, eq=False)
class IteratorContent(Content):
    """Position of an iterator.

    ``sequence``: `items` to come. ``list``: `parts[0]` is the list, whose items are looked up as they come.
    ``cycle``: `items` again and again, `position` is the next. ``range``: `parts` are (start, step) numbers, `position` and
    `length` count iterations. ``array``: leading axis of `parts[0]`. ``live``: items of the
    list or tuple `parts[0]`. ``table``: keys, values or items (`parts[1]`) of the dict `parts[0]`.
    ``enumerate``: `parts[0]` is the inner iterator and `position` the next count.
    ``zip``: `parts` are iterators. ``map``: `parts[0]` the function, the rest iterators.
    """

    kind: IteratorKind
    items: tuple[Abstract, ...] = ()
    parts: tuple[Abstract, ...] = ()
    position: Abstract | None = None
    length: Abstract | None = None
