"""Lists whose length only run time knows: items in tensors of some capacity, and the length as a number.

Such a list comes about where ways meet on which a list has got different numbers of items. Items are numbers,
arrays, constants, and tuples of these. The list copies arrays, so one that has another name besides is not taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from janus_mlir.capture.breaks import Break
from janus_mlir.capture.graph import BOOL, INT, Block, TensorType, Value
from janus_mlir.capture.heap import ListContent, VectorContent
from janus_mlir.capture.layouts import (
    ArrayLayout,
    Layout,
    NumberLayout,
    ScalarLayout,
    SequenceLayout,
    TextLayout,
    UnionLayout,
    count,
    item_bytes,
    merge,
    parts,
)
from janus_mlir.capture.numbers import make
from janus_mlir.capture.numpy.lax import Lax, shape_of, tensor_type
from janus_mlir.capture.scalars import number_kind
from janus_mlir.capture.speculation import Respecialise
from janus_mlir.capture.values import (
    Abstract,
    ExtentNumber,
    JaxArray,
    Known,
    ListRef,
    Number,
    NumpyArray,
    NumpyScalar,
    Storage,
    TextValue,
    TupleValue,
    UnionValue,
)

if TYPE_CHECKING:
    from janus_mlir.capture.machine import Machine

#: Bytes that one part of a list may take.
_MAX_BYTES = 1 << 27


# ---- layouts of abstract values -----------------------------------------------------------------------


def tag_of(m: Machine, layout: Layout) -> int:
    """Return the tag, in a union, of what has the layout of a number or scalar."""
    if isinstance(layout, NumberLayout):
        sample: Abstract = Known({"int": 0, "float": 0.0, "bool": False}[layout.kind])
    elif isinstance(layout, ScalarLayout):
        sample = NumpyScalar(Value(INT), layout.dtype)
    else:
        assert isinstance(layout, TextLayout)
        return m.tags.text(layout)
    tag = m.tags.of(sample)
    assert tag is not None
    return tag


def layout_of(m: Machine, value: Abstract, heap: dict[int, Any]) -> Layout | None:
    """Return the layout for items like `value`, None if a list of run-time length cannot hold it."""
    kind = number_kind(value)
    if kind is not None:
        return NumberLayout(kind)
    match value:
        case Known():
            if isinstance(value.value, (int, float, complex)):
                return None
            tag = m.tags.of(value)
            return None if tag is None else UnionLayout(((tag, None),))
        case NumpyScalar():
            return ScalarLayout(value.dtype)
        case JaxArray():
            if not _static(value.shape) or value.outside() or value.live is not None:
                return None  # an array from outside stays itself
            return ArrayLayout(value.dtype, value.shape, value.weak)
        case NumpyArray():
            inside = value.source is None and value.live is None and value.storage not in m.initial
            whole = inside and not value.view
            return ArrayLayout(value.dtype, value.shape) if whole and _static(value.shape) else None
        case TupleValue():
            if value.cls is not tuple and not hasattr(value.cls, "_make"):
                return None
            return _sequence_layout(m, value.cls, value.items, heap)
        case ListRef():
            content = heap.get(value.id)
            if value.id in m.initial or not isinstance(content, ListContent) or content.items is None:
                return None
            return _sequence_layout(m, list, content.items, heap)
        case TextValue():
            return text_layout(value)
        case UnionValue():
            options: list[tuple[int, Layout | None]] = []
            for tag, option in value.options:
                if isinstance(option, Known):
                    options.append((tag, None))
                    continue
                inner = layout_of(m, option, heap)
                if not isinstance(inner, (NumberLayout, ScalarLayout, TextLayout)):
                    return None
                options.append((tag, inner))
            return UnionLayout(tuple(options))
    return None


def text_layout(value: TextValue) -> TextLayout | None:
    """Return the layout of a string made of numbers, None if it is made of other things."""
    pieces: list[Any] = []
    items: list[Layout] = []
    for part in value.parts:
        if isinstance(part, str):
            pieces.append(part)
            continue
        inner, conversion, spec = part
        kind = number_kind(inner)
        if kind is None and not isinstance(inner, NumpyScalar):
            return None
        pieces.append((conversion, spec))
        items.append(NumberLayout(kind) if kind is not None else ScalarLayout(inner.dtype))
    return TextLayout(tuple(pieces), tuple(items))


def _static(shape: Sequence[Any]) -> bool:
    return all(isinstance(extent, int) for extent in shape)


def _sequence_layout(m: Machine, cls: type, items: Sequence[Abstract], heap: dict[int, Any]) -> Layout | None:
    found = [layout_of(m, item, heap) for item in items]
    if any(layout is None for layout in found):
        return None
    return SequenceLayout(cls, tuple(layout for layout in found if layout is not None))


def common_layout(
    m: Machine, items: Sequence[Abstract], heap: dict[int, Any], first: Layout | None = None
) -> Layout | None:
    """Return a layout that holds all of `items` (and what `first` holds), None if there is none."""
    layout = first
    for item in items:
        one = layout_of(m, item, heap)
        if one is None:
            return None
        layout = one if layout is None else merge(layout, one, lambda part: tag_of(m, part))
        if layout is None:
            return None
    return layout


def owned_arrays(m: Machine, items: Sequence[Abstract], heap: dict[int, Any]) -> Iterator[int]:
    """Yield the ids of the mutable or identified things that the items consist of."""
    for item in items:
        match item:
            case NumpyArray():
                yield item.storage
                yield item.id
            case JaxArray():
                yield item.id
            case TupleValue():
                yield from owned_arrays(m, item.items, heap)
            case ListRef():
                yield item.id
                content = heap.get(item.id)
                if isinstance(content, ListContent) and content.items is not None:
                    yield from owned_arrays(m, content.items, heap)


# ---- items as tensors -----------------------------------------------------------------------------------


def _pack(m: Machine, layout: Layout, value: Abstract, heap: dict[int, Any]) -> Iterator[Value]:
    """Yield the parts of an item in the layout."""
    lx = Lax(m.b)
    match layout:
        case NumberLayout():
            yield lx.tensor(m.number_ref(value))
        case ScalarLayout():
            assert isinstance(value, NumpyScalar)
            yield value.ref
        case ArrayLayout():
            if isinstance(value, JaxArray):
                yield value.ref
            else:
                assert isinstance(value, NumpyArray)
                storage = heap[value.storage]
                assert isinstance(storage, Storage)
                yield storage.ref
        case SequenceLayout():
            if isinstance(value, TupleValue):
                items = value.items
            else:
                assert isinstance(value, ListRef)
                items = heap[value.id].items
            for part, item in zip(layout.items, items, strict=True):
                yield from _pack(m, part, item, heap)
        case TextLayout():
            assert isinstance(value, TextValue)
            numbers = [part[0] for part in value.parts if not isinstance(part, str)]
            for part, item in zip(layout.items, numbers, strict=True):
                yield from _pack(m, part, item, heap)
        case UnionLayout():
            yield from _pack_union(m, layout, value, heap)


def _pack_union(m: Machine, layout: UnionLayout, value: Abstract, heap: dict[int, Any]) -> Iterator[Value]:
    lx = Lax(m.b)
    if isinstance(value, UnionValue):
        which, options = value.which, dict(value.options)
    else:
        tag = m.tags.of(value)
        assert tag is not None
        which, options = m.const(tag), {tag: value}
    yield lx.tensor(which)
    for tag, option in layout.options:
        if option is None:
            continue
        if tag in options:
            yield from _pack(m, option, options[tag], heap)
        else:
            for part in parts(option):
                yield lx.full(0, part.dtype, part.shape)


def _unpack(m: Machine, layout: Layout, refs: Iterator[Value]) -> Abstract:
    """Return the item whose parts are `refs`."""
    lx = Lax(m.b)
    match layout:
        case NumberLayout():
            return make(layout.kind, lx.number(next(refs)))
        case ScalarLayout():
            return m.new_scalar(next(refs), layout.dtype)
        case ArrayLayout():
            if layout.weak is not None:
                return JaxArray(next(refs), layout.dtype, layout.shape, layout.weak)
            return m.new_array(next(refs), layout.dtype)
        case SequenceLayout():
            items = tuple(_unpack(m, part, refs) for part in layout.items)
            if layout.cls is not list:
                return TupleValue(items, layout.cls)
            return m.make_list(list(items))
        case TextLayout():
            numbers = iter([_unpack(m, part, refs) for part in layout.items])
            return TextValue(tuple(p if isinstance(p, str) else (next(numbers), *p) for p in layout.pieces))
        case UnionLayout():
            which = lx.number(next(refs))
            options = []
            for tag, option in layout.options:
                value = Known(m.tags.constant(tag)) if option is None else _unpack(m, option, refs)
                options.append((tag, value))
            return options[0][1] if len(options) == 1 else UnionValue(which, tuple(options))
    raise AssertionError(layout)


def _widen(m: Machine, old: Layout, new: Layout, refs: Iterator[Value], size: int) -> Iterator[Value]:
    """Yield the buffers of a list in another layout."""
    if old == new:
        for _ in range(count(old)):
            yield next(refs)
        return
    if isinstance(old, SequenceLayout) and isinstance(new, SequenceLayout):
        for x, y in zip(old.items, new.items, strict=True):
            yield from _widen(m, x, y, refs, size)
        return
    assert isinstance(new, UnionLayout)
    lx = Lax(m.b)
    known: dict[int, list[Value]] = {}
    if isinstance(old, UnionLayout):
        yield next(refs)
        for tag, option in old.options:
            known[tag] = [next(refs) for _ in range(0 if option is None else count(option))]
    else:
        tag = tag_of(m, old)
        yield lx.full(tag, "i64", (size,))
        known[tag] = [next(refs) for _ in range(count(old))]
    for tag, option in new.options:
        if option is None:
            continue
        if tag in known:
            yield from known[tag]
        else:
            for part in parts(option):
                yield lx.full(0, part.dtype, (size, *part.shape))


# ---- whole lists --------------------------------------------------------------------------------------------


def capacity(m: Machine, layout: Layout, at_least: int = 0) -> int:
    """Return the number of items for which lists of a layout get room."""
    most = max(4, _MAX_BYTES // item_bytes(layout))
    if at_least > most:
        raise Break("JN218", "a list of run-time length that is too large")
    while m.speculation.capacity < at_least:
        m.speculation.capacity *= 8
        if m.speculation.capacity >= at_least:
            raise Respecialise
    return min(m.speculation.capacity, most)


def from_items(
    m: Machine, layout: Layout, items: Sequence[Abstract], heap: dict[int, Any], size: int
) -> tuple[Value, ...]:
    """Return the buffers of a list of the given items."""
    lx = Lax(m.b)
    columns: list[list[Value]] = [[] for _ in parts(layout)]
    for item in items:
        for column, ref in zip(columns, _pack(m, layout, item, heap), strict=True):
            column.append(ref)
    buffers = []
    for part, column in zip(parts(layout), columns, strict=True):
        rows = [lx.reshape(ref, (1, *part.shape)) for ref in column]
        if len(rows) < size:
            rows.append(lx.full(0, part.dtype, (size - len(rows), *part.shape)))
        buffers.append(lx.concatenate(rows, 0))
    return tuple(buffers)


@dataclass(slots=True, eq=False)
class Packing:
    """The buffers of a list that is brought into a common layout where ways meet."""

    machine: Machine
    content: ListContent | VectorContent
    heap: dict[int, Any]
    layout: Layout
    size: int
    _made: dict[int, tuple[Block, tuple[Value, ...]]] = field(default_factory=dict)

    def buffers(self) -> tuple[Value, ...]:
        """Emit the buffers in the current block (once)."""
        m = self.machine
        found = self._made.get(id(m.b.block))
        if found is None:
            if isinstance(self.content, VectorContent):
                refs = iter(self.content.buffers)
                made = tuple(_widen(m, self.content.layout, self.layout, refs, self.size))
            else:
                assert self.content.items is not None
                made = from_items(m, self.layout, self.content.items, self.heap, self.size)
            found = self._made[id(m.b.block)] = (m.b.block, made)
        return found[1]


@dataclass(frozen=True, slots=True, eq=False)
class Packed(Abstract):
    """One buffer of a `Packing`, as an operand of a phi."""

    packing: Packing
    index: int


def size_of(content: VectorContent) -> int:
    """Return the capacity of a list."""
    size = shape_of(content.buffers[0])[0] if content.buffers else 1 << 40
    assert isinstance(size, int)
    return size


def vectorise(m: Machine, ref: ListRef, room: int = 0) -> VectorContent:
    """Return the content of a list as one of run-time length, and make it so."""
    from janus_mlir.capture.containers import list_items

    content = m.get(ref.id)
    if isinstance(content, VectorContent):
        return content
    items = list_items(m, ref)
    layout = common_layout(m, items, m.state.heap)
    if layout is None or _shared(m, ref, items):
        raise Break("JN218", "a list of run-time length of such items")
    size = capacity(m, layout, len(items) + room)
    buffers = from_items(m, layout, items, m.state.heap, size)
    made = VectorContent(layout, buffers, m.const(len(items)))
    m.put(ref.id, made)
    return made


def _shared(m: Machine, ref: ListRef, items: Sequence[Abstract]) -> bool:
    """Whether something that the list would copy has another name."""
    from janus_mlir.capture.state import references

    owned = list(owned_arrays(m, items, m.state.heap))
    if not owned:
        return False
    if len(set(owned)) != len(owned):
        return True
    return bool(set(owned) & others(m.state, {ref.id}, references))


def others(state: Any, without: set[int], references: Any) -> set[int]:
    """Return the ids that are reached without the contents of some heap entries."""
    heap = {key: content for key, content in state.heap.items() if key not in without}
    roots = [v for frame in state.frames for v in frame.vars.values()]
    roots += [frame.override for frame in state.frames] + [heap[k] for k in state.escaped if k in heap]
    found: set[int] = references(roots, heap)
    return found


def resized(m: Machine, content: VectorContent, layout: Layout) -> VectorContent:
    """Return the content in a wider layout."""
    if layout == content.layout:
        return content
    size = size_of(content)
    if capacity(m, layout) < size:
        raise Break("JN218", "a list of run-time length that is too large")
    refs = iter(content.buffers)
    return VectorContent(layout, tuple(_widen(m, content.layout, layout, refs, size)), content.length)


def position(m: Machine, content: VectorContent, index: Abstract) -> Value:
    """Return an index, counted from the start; out of range leaves compiled code."""
    from janus_mlir.capture.numbers import as_int

    if not (isinstance(index, (Number, ExtentNumber)) or number_kind(index) in ("int", "bool")):
        raise Break("JN215", "a subscript that is no int")
    if number_kind(index) == "float":
        raise Break("JN208", "a list index that is a float")
    ref = as_int(m, index)
    if isinstance(index, Known) and index.value < 0 or not isinstance(index, Known):
        shifted = m.b.one("arith.addi", [ref, content.length], INT)
        negative = m.b.one("arith.cmpi", [ref, m.const(0)], BOOL, predicate="slt")
        ref = m.b.one("arith.select", [negative, shifted, ref], INT)
    inside = m.b.one("arith.cmpi", [ref, content.length], BOOL, predicate="ult")
    m.guard(inside, "bounds", text="the index is in range")
    return ref


def _starts(lx: Lax, index: Value, rank: int) -> list[Value]:
    zero = lx.full(0, "i64")
    return [lx.tensor(index), *([zero] * (rank - 1))]


def read(m: Machine, content: VectorContent, index: Value) -> Abstract:
    """Return the item at an index that is in range."""
    lx = Lax(m.b)
    refs = []
    for buffer in content.buffers:
        shape = shape_of(buffer)
        row = lx.dynamic_slice(buffer, _starts(lx, index, len(shape)), (1, *shape[1:]))
        refs.append(lx.reshape(row, shape[1:]))
    return _unpack(m, content.layout, iter(refs))


def write(m: Machine, content: VectorContent, index: Value, item: Abstract) -> VectorContent:
    """Return the content with the item at an index (within the capacity) replaced."""
    layout = common_layout(m, [item], m.state.heap, content.layout)
    if layout is None:
        raise Break("JN218", "a list of run-time length gets an item of another kind")
    content = resized(m, content, layout)
    lx = Lax(m.b)
    buffers = []
    for buffer, ref in zip(content.buffers, _pack(m, layout, item, m.state.heap), strict=True):
        t = tensor_type(buffer)
        row = lx.reshape(ref, (1, *t.shape[1:]))
        buffers.append(lx.dynamic_update_slice(buffer, row, _starts(lx, index, t.rank)))
    return VectorContent(layout, tuple(buffers), content.length)


def borrow(m: Machine, ref: ListRef, item: Abstract) -> Abstract:
    """Note that arrays of `item` are items of the list: what happens to them would have to be seen there."""
    for id_ in owned_arrays(m, [item], m.state.heap):
        m.borrowed[id_] = ref.id
    return item


def take_over(m: Machine, item: Abstract) -> None:
    """Refuse to copy an array that has a name already."""
    from janus_mlir.capture.state import references, tidy

    owned = list(owned_arrays(m, [item], m.state.heap))
    if not owned:
        return
    state = m.state.clone()
    state.top.pc = m.next_pc
    tidy(state, m.kept(), m.pins)
    if len(set(owned)) != len(owned) or set(owned) & others(state, set(), references):
        raise Break("JN218", "an array that has another name goes into a list of run-time length")


def append_item(m: Machine, content: VectorContent, item: Abstract) -> VectorContent:
    """Return the content with an item more."""
    take_over(m, item)
    room = m.b.one("arith.cmpi", [content.length, m.const(size_of(content))], BOOL, predicate="slt")
    m.guard(room, "bounds", text="the list has room for another item", grows=True)
    made = write(m, content, content.length, item)
    return VectorContent(made.layout, made.buffers, m.b.one("arith.addi", [made.length, m.const(1)], INT))


def without_last(m: Machine, content: VectorContent) -> VectorContent:
    """Return the content without its last item (it has one)."""
    length = m.b.one("arith.subi", [content.length, m.const(1)], INT)
    return VectorContent(content.layout, content.buffers, length)


def without_first(m: Machine, content: VectorContent) -> VectorContent:
    """Return the content without its first item (it has one)."""
    lx = Lax(m.b)
    buffers = []
    for buffer in content.buffers:
        t = tensor_type(buffer)
        shape = (t.shape[0] - 1, *t.shape[1:])
        rest = lx.slice(buffer, (1, *([0] * (t.rank - 1))), shape)
        buffers.append(lx.concatenate([rest, lx.full(0, t.dtype, (1, *t.shape[1:]))], 0))
    length = m.b.one("arith.subi", [content.length, m.const(1)], INT)
    return VectorContent(content.layout, tuple(buffers), length)


def nonempty(m: Machine, content: VectorContent) -> None:
    """Leave compiled code if the list is empty."""
    some = m.b.one("arith.cmpi", [content.length, m.const(0)], BOOL, predicate="sgt")
    m.guard(some, "bounds", text="the list is not empty")


__all__ = [
    "Packed", "Packing", "TensorType", "append_item", "borrow", "capacity", "common_layout", "layout_of", "nonempty",
    "others", "owned_arrays", "position", "read", "size_of", "vectorise", "without_first", "without_last", "write",
]  # fmt: skip
