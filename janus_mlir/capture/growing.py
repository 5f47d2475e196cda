"""Lists, dicts and sets made by the call that a recursive function reads and changes: tensors, from its first call on.

Each is known by the way to it from the function: a parameter or a variable of an outer function, then attributes and so on. Which
change, and what their items are like, is found by comparing the states of the calls and those at the returns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from janus_mlir.capture.containers import list_items
from janus_mlir.capture.dynamic import packing, tables, vectors
from janus_mlir.capture.dynamic.layouts import EmptyLayout, Layout, RowLayout, SequenceLayout, has_arrays
from janus_mlir.capture.heap import CellContent, ListContent, ObjectContent, TableContent, VectorContent
from janus_mlir.capture.procedures import Mismatch
from janus_mlir.capture.speculation import Respecialise
from janus_mlir.capture.values import (
    Abstract,
    CellRef,
    DictRef,
    FunctionValue,
    HeapRef,
    ListRef,
    SetRef,
    TupleValue,
)

if TYPE_CHECKING:
    from janus_mlir.capture.function import FunctionContext
    from janus_mlir.capture.machine import Machine

#: A container, and the way to it.
Way = tuple[ListRef | DictRef | SetRef, tuple[Any, ...]]

#: Steps of a way, at most.
_DEPTH = 6


def ways(
    m: Machine, context: FunctionContext, variables: dict[str, Abstract], heap: dict[int, Any]
) -> dict[int, Way]:
    """Return the containers that a function reaches, by id: those made by the call, and lists from outside."""
    found: dict[int, Way] = {}
    seen: set[int] = set()
    work: list[tuple[tuple[Any, ...], Any]] = [((name,), variables[name]) for name in sorted(variables)]
    work += [(("closure", name), cell) for name, cell in context.closure.items()]
    for way, value in work:
        if len(way) > _DEPTH:
            continue
        if isinstance(value, TupleValue):
            work += [((*way, i), item) for i, item in enumerate(value.items)]
        elif isinstance(value, FunctionValue):
            work += [((*way, name), cell) for name, cell in value.cells if isinstance(cell, CellRef)]
        if not isinstance(value, HeapRef) or value.id in seen:
            continue
        seen.add(value.id)
        match heap.get(value.id):
            case CellContent(value=inner):
                work.append(((*way, "cell"), inner))
            case ObjectContent(written=written):
                work += [((*way, name), item) for name, item in written]
            case TableContent(keys=keys, values=values):
                work += [((*way, "keys"), keys), ((*way, "values"), values)]
        if isinstance(value, (ListRef, DictRef, SetRef)) and (
            isinstance(value, ListRef) or not _is_outside(m, value)
        ):
            found[value.id] = value, way
    return found


def _is_outside(m: Machine, value: HeapRef) -> bool:
    return m.is_outside(value.id) or value.id in m.state.escaped


def prepare(m: Machine, key: Any, context: FunctionContext, variables: dict[str, Abstract]) -> None:
    """Bring the containers that calls of a function change into the form in which it takes them."""
    known = m.live.facts.growing.get(key)
    if not known:
        return
    # A dict shows its lists of keys and values once it is a table.
    for _ in range(2):
        for value, way in ways(m, context, variables, m.state.heap).values():
            if way not in known:
                continue
            if isinstance(value, ListRef) and _is_outside(m, value):
                if known[way] is None and not isinstance(m.get(value.id), VectorContent):
                    list_items(m, value)
                elif not vectors.try_at_run_time(m, value):
                    raise Mismatch(None, "a list of such items that recursive calls read")
            elif isinstance(value, ListRef):
                _to_vector(m, value, known[way])
            else:
                tables.make(m, value)


def _to_vector(m: Machine, value: ListRef, layout: Layout | None) -> None:
    content = m.state.heap.get(value.id)
    if isinstance(content, ListContent) and content.items is not None:
        items = content.items
        own = packing.common_layout(m, items, m.state.heap, layout)
        if own is None and not items:
            return
        if own is None or not _is_plain(own) or packing.owned_ids(m, items, m.state.heap):
            raise Mismatch(None, "a list of such items that recursive calls change")
        size = vectors.capacity(m, own, len(items))
        buffers = vectors.from_items(m, own, items, m.state.heap, size)
        m.put(value.id, VectorContent(own, buffers, m.const(len(items))))
    elif isinstance(content, VectorContent):
        own = content.layout if layout is None else packing.merged(m, content.layout, layout)
        if own is None or not _is_plain(own):
            raise Mismatch(None, "a list of such items that recursive calls change")
        have = vectors.size_of(content)
        if not isinstance(have, int):
            raise Mismatch(
                None, "a list with room for a symbolic number of items that recursive calls change"
            )
        wide = vectors.at_run_time(m, vectors.resized(m, content, own))
        size = vectors.capacity(m, own, have)
        if have < size or wide is not content:
            buffers = vectors.enlarged(m, wide.buffers, size)
            m.put(value.id, VectorContent(own, buffers, wide.base))


def _is_plain(layout: Layout) -> bool:
    """Whether items are numbers, strings and tuples of these: nothing that has an identity."""
    if isinstance(layout, SequenceLayout):
        return all(map(_is_plain, layout.items))
    return not isinstance(layout, (RowLayout, EmptyLayout)) and not has_arrays(layout)


def compare(
    m: Machine, key: Any, found: dict[int, Way], entry: dict[int, Any], other: dict[int, Any]
) -> None:
    """Start again if containers turn out to change that were not known to, or to get other items."""
    for id, (value, way) in found.items():
        one, two = entry.get(id), other.get(id)
        if one is two or two is None:
            continue
        if isinstance(value, ListRef) and _is_outside(m, value):
            if isinstance(two, VectorContent) and not isinstance(one, VectorContent):
                _learn(m, key, way, two.layout)
            elif one is None:
                _learn(m, key, way, None)
        elif one is None:
            continue
        elif isinstance(value, ListRef):
            layouts = [_layout(m, content, other) for content in (one, two)]
            some = [layout for layout in layouts if layout is not None]
            both = isinstance(one, VectorContent) and isinstance(two, VectorContent)
            if not some or (both and layouts[0] == layouts[1]):
                continue
            layout = some[0] if len(some) == 1 else packing.merged(m, *some)
            if layout is not None:
                _learn(m, key, way, layout)
        elif not isinstance(one, TableContent) or not isinstance(two, TableContent):
            _learn(m, key, way, None)


def _layout(m: Machine, content: Any, heap: dict[int, Any]) -> Layout | None:
    if isinstance(content, VectorContent):
        return content.layout
    items = content.items if isinstance(content, ListContent) else None
    return packing.common_layout(m, items, heap) if items else None


def _learn(m: Machine, key: Any, way: tuple[Any, ...], layout: Layout | None) -> None:
    known = m.live.facts.growing.setdefault(key, {})
    before = known.get(way)
    if layout is not None and before is not None:
        layout = packing.merged(m, before, layout)
    if way in known and (layout is None or layout == before):
        return
    known[way] = before if layout is None else layout
    raise Respecialise


__all__ = ["Way", "compare", "prepare", "ways"]
