"""Joining dicts and sets of which ways have left different keys: they become tables."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from janus_mlir.capture import join_lists
from janus_mlir.capture.breaks import NotJoinable
from janus_mlir.capture.dynamic import tables
from janus_mlir.capture.heap import DictContent, ListContent, SetContent, TableContent
from janus_mlir.capture.values import ListRef

if TYPE_CHECKING:
    from janus_mlir.capture.join import Joiner


def join_tables(joiner: Joiner, key: int, a: Any, b: Any) -> TableContent:
    """Join the contents of a dict or set of which one is a table, or which have got different keys."""
    if isinstance(a, TableContent) and isinstance(b, TableContent):
        if a.keys.id == b.keys.id and a.values is not None and b.values is not None:
            if a.values.id == b.values.id:
                return a
        elif a.keys.id == b.keys.id:
            return replace(a, ordered=a.ordered and b.ordered)
    else:
        joiner.widened = True
    columns = [
        _columns(joiner, key, content, heap) for content, heap in ((a, joiner.heap_a), (b, joiner.heap_b))
    ]
    made: list[ListRef | None] = []
    for one, two in zip(*columns, strict=True):
        if one is None or two is None:
            made.append(None)
            continue
        joined = ListRef()
        joiner.heap[joined.id] = join_lists.join(joiner, joined.id, one, two)
        made.append(joined)
    keys, values = made
    if keys is None or (columns[0][1] is None) != (columns[1][1] is None):
        raise NotJoinable("contents of an object differ (TableContent)")
    return TableContent(
        keys, values, all(getattr(c, "ordered", True) or isinstance(c, SetContent) for c in (a, b))
    )


def _columns(joiner: Joiner, key: int, content: Any, heap: dict[int, Any]) -> tuple[Any, Any]:
    """Return the keys and values of a dict, or the elements of a set, as contents of lists."""
    match content:
        case TableContent():
            values = None if content.values is None else heap[content.values.id]
            return heap[content.keys.id], values
        case SetContent(items=tuple() as items):
            return ListContent(tuple(map(tables.constant, items))), None
        case DictContent():
            entries = content.entries
            if not content.complete:
                whole = DictContent(joiner.m.outside.load_dict(key))
                for name, value in entries:
                    whole = whole.set(name, value)
                entries = whole.entries
            return ListContent(tuple(tables.constant(k) for k, _ in entries)), ListContent(
                tuple(v for _, v in entries)
            )
    raise NotJoinable(f"contents of an object differ ({type(content).__name__})")


def by_number(keys: Iterable[Any] | None) -> bool:
    """Whether the keys of a dict, or elements of a set, are all numbers, or tuples of such."""
    return keys is not None and all(
        isinstance(k, (int, float)) or (type(k) is tuple and by_number(k)) for k in keys
    )
