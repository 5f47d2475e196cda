"""Lists in lists of run-time length: rows of a pool, known by a number.

A list that the call makes becomes a row where it becomes an item of another list, or of a dict, if `Speculation.pooled` says so:
because without that a list of run-time length would have to copy it. All names of the list mean the row from then on: its heap
content is a `RowContent`, and to read or replace the content is to read or write the row. Which lists share a pool, and what the
items of a pool are like, is found out by trying.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from janus_mlir.capture.breaks import Break
from janus_mlir.capture.dynamic.layouts import EmptyLayout, Layout, RowLayout, has_arrays, item_bytes, parts
from janus_mlir.capture.graph import BOOL, INT, Value
from janus_mlir.capture.heap import ListContent, PoolContent, RowContent, VectorContent
from janus_mlir.capture.numpy.lax import Lax, shape_of, tensor_type
from janus_mlir.capture.speculation import Respecialise
from janus_mlir.capture.values import Abstract, DictRef, ListRef, TupleValue, fresh_id

if TYPE_CHECKING:
    from janus_mlir.capture.machine import Machine

#: Bytes that one part of the items of a pool may take.
_MAX_BYTES = 1 << 27


# ---- pools -------------------------------------------------------------------------------------------


def prepare(m: Machine) -> None:
    """Make the pools that captures before this one have asked for, empty."""
    lx = Lax(m.b)
    for key, layout in m.speculation.pools.items():
        if m.speculation.same_pool.get(key) is not None:
            continue
        rows = extent(m, layout)
        buffers = tuple(lx.full(0, part.dtype, (rows, rows, *part.shape)) for part in _parts(layout))
        id = m.pools[key] = fresh_id()
        m.pool_keys[id] = key
        m.outside.initial[id] = PoolContent(layout, buffers, lx.full(0, "i64", (rows,)), m.const(0))


def extent(m: Machine, layout: Layout | None) -> int:
    """Return how many rows a pool has, and how many items a row."""
    size = 8 if layout is None else item_bytes(layout)
    most = int((_MAX_BYTES / size) ** 0.5)
    return max(min(m.speculation.capacity // 2, most), 4)


def _parts(layout: Layout | None) -> list[Any]:
    return [] if layout is None else list(parts(layout))


def _root(m: Machine, key: Any) -> Any:
    while (parent := m.speculation.same_pool.get(key)) is not None:
        key = parent
    return key


def unite(m: Machine, a: Any, b: Any) -> None:
    """Let the lists of two pools be rows of one."""
    a, b = _root(m, a), _root(m, b)
    if a == b:
        raise Break("JN218", "lists of different kinds in a list of run-time length")
    m.speculation.same_pool[b] = a
    both = m.speculation.pools[a], m.speculation.pools[b]
    if both[1] is not None:
        _learn(m, a, both[1])
    raise Respecialise


def _learn(m: Machine, key: Any, layout: Layout) -> None:
    """Let a pool have room for items of a layout as well."""
    from janus_mlir.capture.dynamic.packing import merged

    if isinstance(layout, EmptyLayout):
        return
    known = m.speculation.pools.get(key)
    now = layout if known is None else merged(m, known, layout)
    if now is None or has_arrays(now):
        raise Break("JN218", "items of different kinds in lists within a list of run-time length")
    m.speculation.pools[key] = now


def require(m: Machine, key: Any, layout: Layout | None) -> None:
    """Start again if a pool is not there, or has no room for items of a layout."""
    known = key in m.pools
    before = m.speculation.pools.get(key)
    if layout is not None:
        _learn(m, key, layout)
    elif not known:
        m.speculation.pools.setdefault(key, None)
    if not known or m.speculation.pools[key] != before:
        raise Respecialise


def layout(m: Machine, content: RowContent) -> RowLayout:
    """Return the layout of a list among the items of another one."""
    return RowLayout(m.pool_keys[content.storage])


# ---- rows --------------------------------------------------------------------------------------------


def would_take(m: Machine, item: ListRef) -> bool:
    """Whether a list can become a row of a pool, and is none so far."""
    content = m.state.heap.get(item.id)
    made = item.cls is list and not m.is_outside(item.id)
    return m.speculation.pooled and made and isinstance(content, (ListContent, VectorContent))


def taken(m: Machine, item: Abstract) -> Abstract:
    """Make lists rows of a pool, since they become items of something."""
    if m.pure or m.inner:
        return item
    if isinstance(item, TupleValue) and item.source is None:
        for part in item.items:
            taken(m, part)
    elif isinstance(item, ListRef) and item.cls is list and not m.is_outside(item.id):
        if not m.speculation.pooled:
            m.speculation.nested = True
            return item
        content = m.state.heap.get(item.id)
        if isinstance(content, ListContent) and content.items is not None:
            for part in content.items:
                taken(m, part)
            _convert(m, item, content)
        elif isinstance(content, VectorContent):
            _convert(m, item, content)
    return item


def stored(m: Machine, container: Abstract, item: Abstract) -> Abstract:
    """Note that something becomes an item of a list or dict; return it as that."""
    from janus_mlir.capture import live

    if isinstance(container, (ListRef, DictRef)) and not m.is_outside(container.id):
        return live.held(m, taken(m, item))
    return item


def _convert(m: Machine, ref: ListRef, content: ListContent | VectorContent) -> None:
    from janus_mlir.capture.dynamic.packing import common_layout, owned_ids

    key = _root(m, (m.b.span, tuple(m.b.callers or ())))
    found: Layout | None
    if isinstance(content, VectorContent):
        found = None if isinstance(content.layout, EmptyLayout) else content.layout
    else:
        items = content.items or ()
        if owned_ids(m, items, m.state.heap):
            return
        found = common_layout(m, items, m.state.heap)
        if items and found is None:
            return
    if found is not None and has_arrays(found):
        return
    require(m, key, found)
    pool = m.get(m.pools[key])
    assert isinstance(pool, PoolContent)
    rows = m.const(tensor_type(pool.lengths).shape[0])
    room = m.b.one("arith.cmpi", [pool.used, rows], BOOL, predicate="slt")
    m.guard(room, "bounds", text="there is room for another list", grows=True)
    row = pool.used
    used = m.b.one("arith.addi", [row, m.const(1)], INT, exact=True)
    m.state.heap[m.pools[key]] = PoolContent(pool.layout, pool.buffers, pool.lengths, used)
    now = RowContent(m.pools[key], row)
    _write(m, now, content)
    m.state.heap[ref.id] = now


def view(m: Machine, id: int, content: RowContent) -> VectorContent:
    """Return the content of a list that is a row."""
    pool = m.get(content.storage)
    assert isinstance(pool, PoolContent)
    known = m.row_views.get(id)
    if known is not None and known[0] is pool and known[1] is content.row and known[2] is m.b.block:
        found: VectorContent = known[3]
        return found
    lx = Lax(m.b)
    buffers = []
    for buffer in pool.buffers:
        shape = shape_of(buffer)
        part = lx.dynamic_slice(buffer, _starts(lx, content.row, len(shape)), (1, *shape[1:]))
        buffers.append(lx.reshape(part, shape[1:]))
    length = lx.dynamic_slice(pool.lengths, [lx.tensor(content.row)], (1,))
    base = lx.number(lx.reshape(length, ()))
    made = VectorContent(pool.layout or EmptyLayout(m.pool_keys[content.storage]), tuple(buffers), base)
    m.row_views[id] = pool, content.row, m.b.block, made
    return made


def _starts(lx: Lax, row: Value, rank: int) -> list[Value]:
    return [lx.tensor(row), *([lx.full(0, "i64")] * (rank - 1))]


def store(m: Machine, id: int, row: RowContent, content: Any) -> None:
    """Replace the content of a list that is a row."""
    known = m.row_views.get(id)
    if known is not None and known[3] is content and known[0] is m.get(row.storage):
        return
    if not isinstance(content, (ListContent, VectorContent)):
        raise Break("JN218", "an item of a list of run-time length becomes something else")
    _write(m, row, content)


def _write(m: Machine, row: RowContent, content: ListContent | VectorContent) -> None:
    from janus_mlir.capture.dynamic import vectors
    from janus_mlir.capture.dynamic.packing import common_layout, merged, widen

    key = m.pool_keys[row.storage]
    pool = m.get(row.storage)
    assert isinstance(pool, PoolContent)
    lx = Lax(m.b)
    size = tensor_type(pool.lengths).shape[0]
    buffers: tuple[Value, ...] = ()
    if isinstance(content, ListContent):
        items = content.items or ()
        if items:
            found = common_layout(m, items, m.state.heap, pool.layout)
            if found is None:
                raise Break("JN218", "items of different kinds in lists within a list of run-time length")
            require(m, key, found)
            _give_room(m, len(items), size)
            buffers = vectors.from_items(m, found, items, m.state.heap, size)
        length = m.const(len(items))
    elif isinstance(content.layout, EmptyLayout):
        length = vectors.length(m, content)
    else:
        found = content.layout if pool.layout is None else merged(m, pool.layout, content.layout)
        if found is None:
            raise Break("JN218", "items of different kinds in lists within a list of run-time length")
        require(m, key, found)
        length = vectors.length(m, content)
        have = vectors.size_of(content)
        if not isinstance(have, int):
            raise Break("JN218", "a list of run-time length with room for as many items")
        wide = tuple(widen(m, content.layout, found, iter(content.buffers), have))
        if have > size:
            if content.count is not None:
                _give_room(m, content.count, size)
            else:
                fits = m.b.one("arith.cmpi", [length, m.const(size)], BOOL, predicate="sle")
                m.guard(fits, "bounds", text="the list has room for its items", grows=True)
            buffers = tuple(lx.slice(b, (0,) * len(shape_of(b)), (size, *shape_of(b)[1:])) for b in wide)
        else:
            buffers = vectors.enlarged(m, wide, size)
    # The guard may have put another state in place.
    pool = m.get(row.storage)
    written = []
    for i, buffer in enumerate(pool.buffers):
        if not buffers:
            written.append(buffer)
            continue
        shape = shape_of(buffer)
        update = lx.reshape(buffers[i], (1, *shape[1:]))
        written.append(lx.dynamic_update_slice(buffer, update, _starts(lx, row.row, len(shape))))
    number = lx.reshape(lx.tensor(length), (1,))
    lengths = lx.dynamic_update_slice(pool.lengths, number, [lx.tensor(row.row)])
    m.state.heap[row.storage] = PoolContent(pool.layout, tuple(written), lengths, pool.used)


def _give_room(m: Machine, count: int, size: int) -> None:
    if count <= size:
        return
    if extent(m, None) <= size and m.speculation.capacity > 8 * count:
        raise Break("JN218", "a list of run-time length that is too large")
    m.speculation.capacity *= 8
    raise Respecialise


def is_row(m: Machine, value: Abstract) -> bool:
    """Whether a value is a list that is a row of a pool."""
    return isinstance(value, ListRef) and isinstance(m.state.heap.get(value.id), RowContent)


def same(m: Machine, a: Abstract, b: Abstract) -> bool | Value | None:
    """Return whether two lists are one; None if neither is a row."""
    one, two = (m.state.heap.get(x.id) if isinstance(x, ListRef) else None for x in (a, b))
    if isinstance(one, RowContent) and isinstance(two, RowContent):
        if one.storage != two.storage:
            return False
        return one.row is two.row or m.b.one("arith.cmpi", [one.row, two.row], BOOL, predicate="eq")
    return False if isinstance(one, RowContent) or isinstance(two, RowContent) else None


__all__ = [
    "is_row",
    "layout",
    "prepare",
    "require",
    "same",
    "store",
    "stored",
    "taken",
    "unite",
    "view",
    "would_take",
]
