"""Joining lists where control flow meets, and the ints that count with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from janus_mlir.capture.breaks import Break, NotJoinable
from janus_mlir.capture.dynamic import packing, vectors
from janus_mlir.capture.dynamic.layouts import parts
from janus_mlir.capture.graph import INT, TensorType, Value
from janus_mlir.capture.heap import ListContent, VectorContent
from janus_mlir.capture.values import Abstract, ExtentNumber, Known, Number

if TYPE_CHECKING:
    from janus_mlir.capture.join import Joiner

#: An int as a graph value (0 if there is none) plus a constant.
Counted = tuple[Value | None, Any]


# ---- ints that count --------------------------------------------------------------------------------


def counted(j: Joiner, a: Counted, b: Counted) -> Counted:
    """Join two ints that are a value plus a constant. Those that keep their distance share a phi."""
    if a == b:
        return a
    for first, second, root in j.counters:
        offset = _distance(a, first)
        if offset is not None and offset == _distance(b, second):
            return root, offset
    if a[0] is not None and a[1]:
        # At the head of a loop, the sum would be one of the values of an iteration.
        j.widened = True
    root = j.leaf(_sum(a), _sum(b), INT)
    j.counters.append((a, b, root))
    return root, 0


def _distance(a: Counted, b: Counted) -> int | None:
    """Return ``a - b`` if it is known."""
    found = a[1] - b[1] if a[0] is b[0] else None
    return found if isinstance(found, int) else None


def _sum(count: Counted) -> object:
    root, offset = count
    if root is None:
        return Known(offset) if isinstance(offset, int) else ExtentNumber(offset)
    return vectors.Sum(root, offset) if offset else root


def count_of(value: Abstract | None) -> Counted | None:
    """Return a position as a value plus a constant."""
    if isinstance(value, Known) and type(value.value) is int:
        return None, value.value
    if isinstance(value, Number) and value.kind == "int":
        return value.ref.step or (value.ref, 0)
    return None


def _length(content: ListContent | VectorContent) -> Counted:
    if isinstance(content, VectorContent):
        return content.base, content.offset
    return None, len(content.items or ())


# ---- lists ------------------------------------------------------------------------------------------


def join(j: Joiner, key: int, a: ListContent | VectorContent, b: ListContent | VectorContent) -> Any:
    """Join the contents of a list, which get a run-time length where their lengths differ."""
    if isinstance(a, ListContent) and isinstance(b, ListContent):
        if (a.items is None) != (b.items is None) and None not in (a.appended, b.appended):
            read = j.m.outside.load_list(key)  # as one way has done
            a, b = a.read(read), b.read(read)
        if a.items is not None and b.items is not None and len(a.items) == len(b.items):
            return ListContent(tuple(map(j.value, a.items, b.items)))
        if a.items is None or b.items is None:
            if key in j.outside and a.items is None and b.items is None:
                return _unread(j, a, b)
            raise NotJoinable("contents of an object differ (ListContent)")
    layout: Any = None
    for content, heap in ((a, j.heap_a), (b, j.heap_b)):
        if isinstance(content, ListContent):
            if content.items is None:
                raise NotJoinable("contents of an object differ (ListContent)")
            _take_over(j, key, content.items, heap)
            found = packing.common_layout(j.m, content.items, heap, layout, any_array=j.loop)
            if content.items and found is None:
                raise NotJoinable("a list of run-time length of such items")
        else:
            found = content.layout
            if layout is not None:
                found = packing.merged(j.m, layout, found)
            if found is None:
                raise NotJoinable("a list of run-time length with items of different kinds")
        layout = found
    if layout is None:
        raise NotJoinable("contents of an object differ (ListContent)")
    lengths = _length(a), _length(b)
    try:
        size = _capacity(j, a, b, lengths, layout)
    except Break as reason:
        raise NotJoinable(reason.detail) from None
    if not (isinstance(a, VectorContent) and a.layout == layout and vectors.size_of(a) == size):
        j.widened = True
    leaves = [_buffers(j, c, heap, layout, size) for c, heap in ((a, j.heap_a), (b, j.heap_b))]
    types = [TensorType(part.dtype, (size, *part.shape)) for part in parts(layout)]
    buffers = tuple(j.leaf(x, y, t) for x, y, t in zip(*leaves, types, strict=True))
    return VectorContent(layout, buffers, *counted(j, *lengths))


def _unread(j: Joiner, a: ListContent, b: ListContent) -> ListContent:
    """Join the contents of an outside list that has only been appended to."""
    if a.appended is not None and b.appended is not None and len(a.appended) == len(b.appended):
        return ListContent(None, tuple(map(j.value, a.appended, b.appended)))
    if a.appended is not None:
        j.widened = True
    one, two = a.growth(), b.growth()
    return ListContent(None, None, None if one is None or two is None else j.number(one, two))


def _capacity(j: Joiner, a: Any, b: Any, lengths: tuple[Counted, Counted], layout: Any) -> Any:
    """Return how many items there is to be room for; a loop that counts tells how far the list grows."""
    sizes = [vectors.size_of(c) for c in (a, b) if isinstance(c, VectorContent) and c.buffers]
    growth = _distance(lengths[1], lengths[0])
    known = None
    if growth and growth > 0 and lengths[0][0] is None and j.trips is not None:
        known = lengths[0][1] + growth * j.trips
    extents = [*sizes, *(offset for root, offset in lengths if root is None), 0 if known is None else known]
    if not all(isinstance(extent, int) for extent in extents):
        room = sizes[0] if known is None and sizes else known
        if room is None or any(size != room for size in sizes) or vectors.has_grown(j.m):
            raise Break("JN218", "a list of run-time length with room for as many items")
        return room
    room = max(sizes, default=0)
    longest = max(extents)
    if known is not None:
        return max(room, vectors.capacity_for(j.m, layout, longest))
    return room if room >= longest and room else max(room, vectors.capacity(j.m, layout, longest))


def _buffers(j: Joiner, content: Any, heap: dict[int, Any], layout: Any, size: Any) -> list[object]:
    if isinstance(content, VectorContent) and content.layout == layout and vectors.size_of(content) == size:
        return list(content.buffers)
    packed = vectors.Packing(j.m, content, heap, layout, size)
    return [vectors.Packed(packed, i) for i in range(len(list(parts(layout))))]


def _take_over(j: Joiner, key: int, items: tuple[Abstract, ...], heap: dict[int, Any]) -> None:
    """A list of run-time length copies its items. What is not lent to it must not have other names."""
    own = packing.inner_lists if j.loop else packing.owned_ids
    found = own(j.m, items, heap)
    if len(set(found)) != len(found):
        raise NotJoinable("an array or list is twice in a list of run-time length")
    j.copied.update(found)
    if j.loop:
        packing.lend(j.m, key, items, heap, j.escaped, front=len(items))
