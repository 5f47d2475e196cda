"""How the items of a list of run-time length are laid out: which tensors hold the parts of an item."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from janus_mlir.capture.graph import TensorType
from janus_mlir.capture.values import NumberKind
from janus_mlir.runtime.dtypes import find_dtype

_ELEMENTS: dict[str, str] = {"int": "i64", "float": "f64", "bool": "i1"}


class Layout:
    """Base of layouts: compared by value."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class NumberLayout(Layout):
    """A Python number."""

    kind: NumberKind


@dataclass(frozen=True, slots=True)
class ScalarLayout(Layout):
    """A NumPy scalar."""

    dtype: np.dtype[Any]


@dataclass(frozen=True, slots=True)
class ArrayLayout(Layout):
    """An array of its own memory: of NumPy, or of JAX (`weak` is then a bool)."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    weak: bool | None = None


@dataclass(frozen=True, slots=True)
class SequenceLayout(Layout):
    """A tuple (or named tuple), or a list, of a fixed number of items."""

    cls: type
    items: tuple[Layout, ...]


@dataclass(frozen=True, slots=True)
class TextLayout(Layout):
    """A string with run-time numbers in it: `pieces` are text, or conversion and format of the next number."""

    pieces: tuple[Any, ...]
    items: tuple[Layout, ...]


@dataclass(frozen=True, slots=True)
class ObjectLayout(Layout):
    """An immutable object of class `cls` that native code holds: its address."""

    cls: type


@dataclass(frozen=True, slots=True)
class RowLayout(Layout):
    """A list, which is a row of a pool; see `rows`."""

    pool: Any


@dataclass(frozen=True, slots=True)
class EmptyLayout(Layout):
    """No item so far, in a pool of lists."""

    pool: Any


@dataclass(frozen=True, slots=True)
class UnionLayout(Layout):
    """One of several things by tag; constants have no layout of their own."""

    options: tuple[tuple[int, Layout | None], ...]


def parts(layout: Layout) -> Iterator[TensorType]:
    """Yield the type of each part of an item."""
    match layout:
        case NumberLayout():
            yield TensorType(_ELEMENTS[layout.kind], ())
        case ScalarLayout():
            yield TensorType(_element(layout.dtype), ())
        case ArrayLayout():
            yield TensorType(_element(layout.dtype), layout.shape)
        case ObjectLayout() | RowLayout():
            yield TensorType("i64", ())
        case SequenceLayout() | TextLayout():
            for item in layout.items:
                yield from parts(item)
        case UnionLayout():
            yield TensorType("i64", ())
            for _, option in layout.options:
                if option is not None:
                    yield from parts(option)


def are_objects(layout: Layout) -> Iterator[bool]:
    """Yield, for each part of an item, whether it is the address of an object."""
    match layout:
        case SequenceLayout() | TextLayout():
            for item in layout.items:
                yield from are_objects(item)
        case UnionLayout():
            yield False
            for _, option in layout.options:
                if option is not None:
                    yield from are_objects(option)
        case _:
            yield isinstance(layout, ObjectLayout)


def _element(dtype: np.dtype[Any]) -> str:
    found = find_dtype(dtype)
    assert found is not None
    return found.mlir


def count(layout: Layout) -> int:
    """Return the number of parts of an item."""
    return sum(1 for _ in parts(layout))


def item_bytes(layout: Layout) -> int:
    """Return about how much memory the largest part of an item takes."""
    return max((8 * int(np.prod(part.shape, dtype=np.int64)) for part in parts(layout)), default=8)


def has_arrays(layout: Layout) -> bool:
    """Whether items hold arrays, or lists: objects that can be told apart by `is`."""
    match layout:
        case ArrayLayout():
            return True
        case SequenceLayout():
            return layout.cls is list or any(map(has_arrays, layout.items))
    return False


def merge(a: Layout, b: Layout, tag_of: Any) -> Layout | None:
    """Return a layout that holds items of both, None if there is none; `tag_of` gives the tag of a layout."""
    if a == b:
        return a
    if isinstance(a, SequenceLayout) and isinstance(b, SequenceLayout):
        if a.cls is not b.cls or len(a.items) != len(b.items):
            return None
        items = [merge(x, y, tag_of) for x, y in zip(a.items, b.items, strict=True)]
        if any(item is None for item in items):
            return None
        return SequenceLayout(a.cls, tuple(item for item in items if item is not None))
    options: dict[int, Layout | None] = {}
    for layout in (a, b):
        if isinstance(layout, UnionLayout):
            pairs = layout.options
        elif isinstance(layout, (NumberLayout, ScalarLayout, TextLayout, ObjectLayout)):
            pairs = ((tag_of(layout), layout),)
        else:
            return None
        options.update(pairs)
    if len(options) > 12:
        return None
    return UnionLayout(tuple(sorted(options.items(), key=lambda pair: pair[0])))
