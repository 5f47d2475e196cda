"""Lists from outside whose length varies: the entry program copies their items into arrays of some capacity.

Only lists of numbers, NumPy scalars, strings and tuples of these have such a form: copies of numbers cannot be told from the
originals, and of strings the addresses are copied.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from janus_mlir.capture.dynamic.layouts import (
    Layout,
    NumberLayout,
    ObjectLayout,
    ScalarLayout,
    SequenceLayout,
    UnionLayout,
    merge,
)
from janus_mlir.capture.scalars import CLASSES, DTYPES, NUMBER_TAGS
from janus_mlir.capture.values import NumberKind
from janus_mlir.runtime.dtypes import find_dtype

_KINDS: dict[type, NumberKind] = {cls: kind for kind, cls in CLASSES.items()}


def layout_of(items: Sequence[Any]) -> Layout | None:
    """Return the layout that all of some live items have, None if they have none or different ones."""
    layout: Layout | None = None
    for item in items:
        one = _item_layout(item)
        layout = one if layout is None or one is None else merge(layout, one, _tag)
        if layout is None or (isinstance(layout, UnionLayout) and layout.options[0][0] == _NO_TAG):
            return None
    return layout


def _tag(layout: Layout) -> int:
    """Return the tag of a number in a union of numbers; NumPy scalars are in none."""
    return NUMBER_TAGS[layout.kind] if isinstance(layout, NumberLayout) else _NO_TAG


#: The tag of what cannot be in a union.
_NO_TAG = -1


def _item_layout(item: Any) -> Layout | None:
    cls = type(item)
    if cls in _KINDS:
        return NumberLayout(_KINDS[cls])
    if cls is str:
        return ObjectLayout(str)
    if isinstance(item, np.generic):
        found = find_dtype(item.dtype)
        return ScalarLayout(item.dtype) if found is not None and item.dtype.kind in "iufb" else None
    if cls is tuple or (isinstance(item, tuple) and hasattr(cls, "_make")):
        parts = [_item_layout(part) for part in item]
        known = tuple(part for part in parts if part is not None)
        return SequenceLayout(cls, known) if known and len(known) == len(parts) else None
    return None


@dataclass(frozen=True, slots=True)
class Columns:
    """Makes the arrays of a list's items; a list that does not have the layout raises an exception."""

    layout: Layout
    capacity: int

    def __call__(self, items: Sequence[Any]) -> tuple[np.ndarray[Any, Any], ...]:
        if len(items) > self.capacity:
            raise ValueError("too many items")
        return tuple(self._columns(self.layout, items))

    def _columns(self, layout: Layout, items: Sequence[Any]) -> Iterator[np.ndarray[Any, Any]]:
        if isinstance(layout, SequenceLayout):
            _require(items, layout.cls)
            if any(len(item) != len(layout.items) for item in items):
                raise ValueError("tuples of other lengths")
            columns = list(zip(*items, strict=True)) if items else [()] * len(layout.items)
            for part, column in zip(layout.items, columns, strict=True):
                yield from self._columns(part, column)
            return
        if isinstance(layout, UnionLayout):
            yield from self._union(layout, items)
        elif isinstance(layout, NumberLayout):
            yield self._column(CLASSES[layout.kind], DTYPES[layout.kind], items)
        elif isinstance(layout, ObjectLayout):
            _require(items, layout.cls)
            held = np.zeros(self.capacity, np.object_)
            held[: len(items)] = items
            # The memory of such an array is the addresses; it keeps the objects alive.
            yield np.ndarray(self.capacity, np.int64, held)
        else:
            assert isinstance(layout, ScalarLayout)
            yield self._column(layout.dtype.type, layout.dtype, items)

    def _column(self, cls: type, dtype: np.dtype[Any], items: Sequence[Any]) -> np.ndarray[Any, Any]:
        _require(items, cls)
        made = np.zeros(self.capacity, dtype)
        made[: len(items)] = items
        return made

    def _union(self, layout: UnionLayout, items: Sequence[Any]) -> Iterator[np.ndarray[Any, Any]]:
        kinds = {option.kind for _, option in layout.options if isinstance(option, NumberLayout)}
        if not kinds.issuperset(_KINDS.get(type(item)) for item in items):
            raise TypeError("an item of another type")
        yield self._column(int, DTYPES["int"], [NUMBER_TAGS[_KINDS[type(item)]] for item in items])
        for _, option in layout.options:
            assert isinstance(option, NumberLayout)
            cls = CLASSES[option.kind]
            own = [item if type(item) is cls else cls() for item in items]
            yield self._column(cls, DTYPES[option.kind], own)


def _require(items: Sequence[Any], cls: type) -> None:
    if not {cls}.issuperset(map(type, items)):
        raise TypeError("an item of another type")


__all__ = ["Columns", "layout_of"]
