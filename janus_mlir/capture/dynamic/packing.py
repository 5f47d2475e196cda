"""Items of lists of run-time length as tensors: which layout an abstract value has, and its parts."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from janus_mlir.capture.breaks import Break
from janus_mlir.capture.dynamic import rows
from janus_mlir.capture.dynamic.layouts import (
    ArrayLayout,
    EmptyLayout,
    Layout,
    NumberLayout,
    ObjectLayout,
    RowLayout,
    ScalarLayout,
    SequenceLayout,
    TextLayout,
    UnionLayout,
    are_objects,
    count,
    merge,
    parts,
)
from janus_mlir.capture.graph import BOOL, INT, OBJECT, Value
from janus_mlir.capture.heap import ListContent, RowContent
from janus_mlir.capture.numbers import make
from janus_mlir.capture.numpy.lax import Lax
from janus_mlir.capture.scalars import CLASSES, number_kind
from janus_mlir.capture.speculation import Respecialise
from janus_mlir.capture.values import (
    Abstract,
    Boxed,
    HeapRef,
    JaxArray,
    Known,
    ListRef,
    NumpyArray,
    NumpyScalar,
    Storage,
    TextValue,
    TupleValue,
    UnionValue,
)
from janus_mlir.runtime.words import words

if TYPE_CHECKING:
    from janus_mlir.capture.machine import Machine


# ---- layouts of abstract values -----------------------------------------------------------------------


def tag_of(m: Machine, layout: Layout) -> int:
    """Return the tag, in a union, of what has the layout of a number or scalar."""
    if isinstance(layout, NumberLayout):
        sample: Abstract = Known(CLASSES[layout.kind]())
    elif isinstance(layout, ScalarLayout):
        sample = NumpyScalar(Value(INT), layout.dtype)
    elif isinstance(layout, ObjectLayout):
        sample = Boxed(Value(OBJECT), layout.cls)
    else:
        assert isinstance(layout, TextLayout)
        return m.tags.text(layout)
    tag = m.tags.of(sample)
    assert tag is not None
    return tag


def layout_of(m: Machine, value: Abstract, heap: dict[int, Any], *, any_array: bool = False) -> Layout | None:
    """Return the layout for items like `value`, None if a list of run-time length cannot hold it.

    A JAX array from outside stays itself, unless the list is nothing but a place to collect `any_array`.
    """
    if isinstance(value, Boxed):
        if value.cls not in _HELD:
            return None
        return hold_texts(m) if value.cls is str else ObjectLayout(value.cls)
    kind = number_kind(value)
    if kind is not None:
        return NumberLayout(kind)
    match value:
        case Known(value=str()) if m.speculation.text_objects:
            return ObjectLayout(str)
        case Known():
            if isinstance(value.value, (int, float, complex)):
                return None
            tag = m.tags.of(value)
            return None if tag is None else UnionLayout(((tag, None),))
        case NumpyScalar():
            return ScalarLayout(value.dtype)
        case JaxArray():
            if not _static(value.shape) or value.live is not None or (value.outside() and not any_array):
                return None
            if words(value.dtype):
                return None
            return ArrayLayout(value.dtype, value.shape, value.weak)
        case NumpyArray():
            inside = value.source is None and value.live is None and value.storage not in m.initial
            whole = inside and not value.view
            return ArrayLayout(value.dtype, value.shape) if whole and _static(value.shape) else None
        case TupleValue():
            if value.cls is not tuple and not hasattr(value.cls, "_make"):
                return None
            return _sequence_layout(m, value.cls, value.items, heap, any_array)
        case ListRef():
            content = heap.get(value.id)
            if isinstance(content, RowContent):
                return rows.layout(m, content)
            if value.id in m.initial or not isinstance(content, ListContent) or content.items is None:
                return None
            return _sequence_layout(m, list, content.items, heap, any_array)
        case TextValue():
            return ObjectLayout(str) if m.speculation.text_objects else text_layout(value) or hold_texts(m)
        case UnionValue():
            options: list[tuple[int, Layout | None]] = []
            texts = False
            for tag, option in value.options:
                inner = layout_of(m, option, heap)
                if inner == ObjectLayout(str):
                    texts = True
                elif isinstance(option, Known) and number_kind(option) is None:
                    options.append((tag, None))
                elif isinstance(inner, (NumberLayout, ScalarLayout, ObjectLayout, TextLayout)):
                    options.append((tag, inner))
                else:
                    return None
            if texts:
                options.append((tag_of(m, ObjectLayout(str)), ObjectLayout(str)))
                options.sort(key=lambda pair: pair[0])
            return options[0][1] if len(options) == 1 else UnionLayout(tuple(options))
    return None


#: Classes of objects of which a list of run-time length holds the addresses.
_HELD = (str, bytes, int)


def hold_texts(m: Machine) -> Layout:
    """Return the layout of strings as objects, which all strings in lists of run-time length are then."""
    if not m.speculation.text_objects:
        m.speculation.text_objects = True
        raise Respecialise
    return ObjectLayout(str)


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


def _sequence_layout(
    m: Machine, cls: type, items: Sequence[Abstract], heap: dict[int, Any], any_array: bool
) -> Layout | None:
    found = [layout_of(m, item, heap, any_array=any_array) for item in items]
    if any(layout is None for layout in found):
        return None
    return SequenceLayout(cls, tuple(layout for layout in found if layout is not None))


def common_layout(
    m: Machine,
    items: Sequence[Abstract],
    heap: dict[int, Any],
    first: Layout | None = None,
    *,
    any_array: bool = False,
) -> Layout | None:
    """Return a layout that holds all of `items` (and what `first` holds), None if there is none."""
    layout = first
    for item in items:
        one = layout_of(m, item, heap, any_array=any_array)
        if one is None:
            return None
        layout = one if layout is None else merged(m, layout, one)
        if layout is None:
            return None
    return layout


def hold_texts_of(m: Machine, layout: Layout) -> None:
    """See to it that all strings are objects if those of a layout are."""
    if any(are_objects(layout)):
        hold_texts(m)


def merged(m: Machine, a: Layout, b: Layout) -> Layout | None:
    """Return a layout that holds items of both, None if there is none."""
    if isinstance(a, EmptyLayout):
        rows.require(m, a.pool, b)
    if isinstance(b, EmptyLayout):
        rows.require(m, b.pool, a)
    if isinstance(a, RowLayout) and isinstance(b, RowLayout) and a != b:
        rows.unite(m, a.pool, b.pool)
    layout = merge(a, b, lambda part: tag_of(m, part))
    if layout is None and of_texts(m, a) and of_texts(m, b):
        return hold_texts(m)
    return layout


def of_texts(m: Machine, layout: Layout) -> bool:
    """Whether all items are strings."""
    if isinstance(layout, UnionLayout):
        return all(
            isinstance(m.tags.constant(tag), str) if option is None else of_texts(m, option)
            for tag, option in layout.options
        )
    return isinstance(layout, TextLayout) or layout == ObjectLayout(str)


def owned(m: Machine, items: Sequence[Abstract], heap: dict[int, Any]) -> Iterator[Abstract]:
    """Yield the mutable or identified things that the items consist of: arrays and lists."""
    for item in items:
        match item:
            case NumpyArray() | JaxArray():
                yield item
            case TupleValue():
                yield from owned(m, item.items, heap)
            case ListRef():
                content = heap.get(item.id)
                if isinstance(content, RowContent):
                    continue
                yield item
                if isinstance(content, ListContent) and content.items is not None:
                    yield from owned(m, content.items, heap)


def ids_of(value: Abstract) -> tuple[int, ...]:
    """Return the ids by which an array or list is known."""
    if isinstance(value, NumpyArray):
        return value.storage, value.id
    return (value.id,) if isinstance(value, (JaxArray, HeapRef)) else ()


def owned_ids(
    m: Machine, items: Sequence[Abstract], heap: dict[int, Any], *, lists: bool = True
) -> list[int]:
    """Return the ids of what the items consist of, of lists in them only if `lists`."""
    found = owned(m, items, heap)
    return [id for value in found if lists or not isinstance(value, ListRef) for id in ids_of(value)]


def inner_lists(m: Machine, items: Sequence[Abstract], heap: dict[int, Any]) -> list[int]:
    """Return the ids of lists among what the items consist of."""
    return [value.id for value in owned(m, items, heap) if isinstance(value, ListRef)]


def lend(
    m: Machine,
    list_id: int,
    items: Sequence[Abstract],
    heap: dict[int, Any],
    escaped: Collection[int],
    front: int | None = None,
) -> None:
    """Note that the arrays that `items` consist of become items of a list (the first ones), and may have other names."""
    arrays = [value for value in owned(m, items, heap) if not isinstance(value, ListRef)]
    ids = [id for value in arrays for id in ids_of(value)]
    m.lending.lend(list_id, ids, escaped, whole=front is not None)
    if any(isinstance(value, JaxArray) and value.outside() for value in arrays):
        m.lending.blur(list_id, front)


# ---- items as tensors -----------------------------------------------------------------------------------


def pack(m: Machine, layout: Layout, value: Abstract, heap: dict[int, Any]) -> Iterator[Value]:
    """Yield the parts of an item in the layout."""
    lx = Lax(m.b)
    match layout:
        case NumberLayout():
            yield lx.tensor(m.number_ref(value))
        case ScalarLayout():
            assert isinstance(value, NumpyScalar)
            yield value.ref
        case ObjectLayout():
            yield lx.tensor(address(m, value))
        case RowLayout():
            row = heap[value.id] if isinstance(value, ListRef) else None
            assert isinstance(row, RowContent)
            yield lx.tensor(row.row)
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
                yield from pack(m, part, item, heap)
        case TextLayout():
            assert isinstance(value, TextValue)
            numbers = [part[0] for part in value.parts if not isinstance(part, str)]
            for part, item in zip(layout.items, numbers, strict=True):
                yield from pack(m, part, item, heap)
        case UnionLayout():
            yield from _pack_union(m, layout, value, heap)


def address(m: Machine, value: Abstract) -> Value:
    """Return the address of an immutable object."""
    from janus_mlir.capture import boxed

    return m.b.one("janus.address", [boxed.box(m, value)], INT)


def _pack_union(m: Machine, layout: UnionLayout, value: Abstract, heap: dict[int, Any]) -> Iterator[Value]:
    lx = Lax(m.b)
    held = tag_of(m, ObjectLayout(str))
    if isinstance(value, UnionValue):
        which, options = value.which, dict(value.options)
    else:
        own = layout_of(m, value, heap)
        tag = held if own == ObjectLayout(str) else m.tags.of(value)
        assert tag is not None
        which, options = m.const(tag), {tag: value}
    if (held, ObjectLayout(str)) in layout.options and isinstance(value, UnionValue):
        which, options = _text_option(m, which, options, held)
    yield lx.tensor(which)
    for tag, option in layout.options:
        if option is None:
            continue
        if tag in options:
            yield from pack(m, option, options[tag], heap)
        else:
            for part in parts(option):
                yield lx.full(0, part.dtype, part.shape)


def _text_option(
    m: Machine, which: Value, options: dict[int, Abstract], held: int
) -> tuple[Value, dict[int, Abstract]]:
    """Make one option of all that are strings: an object of the run time."""
    from janus_mlir.capture import boxed

    kept: dict[int, Abstract] = {}
    found: Value | None = None
    of_text: Value | None = None
    for tag, option in options.items():
        if not (boxed.is_text(option) or (isinstance(option, Known) and type(option.value) is str)):
            kept[tag] = option
            continue
        ref = boxed.box(m, option)
        hit = m.b.one("arith.cmpi", [which, m.const(tag)], BOOL, predicate="eq")
        found = ref if found is None else m.b.one("arith.select", [hit, ref, found], OBJECT)
        of_text = hit if of_text is None else m.b.one("arith.ori", [of_text, hit], BOOL)
    if found is None or of_text is None:
        return which, options
    kept[held] = Boxed(found, str)
    return m.b.one("arith.select", [of_text, m.const(held), which], INT), kept


def unpack(m: Machine, layout: Layout, refs: Iterator[Value]) -> Abstract:
    """Return the item whose parts are `refs`."""
    lx = Lax(m.b)
    match layout:
        case NumberLayout():
            return make(layout.kind, lx.number(next(refs)))
        case ScalarLayout():
            return m.new_scalar(next(refs), layout.dtype)
        case RowLayout():
            made = ListRef()
            m.put(made.id, RowContent(m.pools[layout.pool], lx.number(next(refs))))
            return made
        case EmptyLayout():
            raise Break("JN218", "an item of a list that has none so far")
        case ObjectLayout():
            return Boxed(m.b.one("janus.object_at", [lx.number(next(refs))], OBJECT), layout.cls)
        case ArrayLayout():
            if layout.weak is not None:
                return JaxArray(next(refs), layout.dtype, layout.shape, layout.weak)
            return m.new_array(next(refs), layout.dtype)
        case SequenceLayout():
            items = tuple(unpack(m, part, refs) for part in layout.items)
            if layout.cls is not list:
                return TupleValue(items, layout.cls)
            return m.make_list(list(items))
        case TextLayout():
            numbers = iter([unpack(m, part, refs) for part in layout.items])
            return TextValue(tuple(p if isinstance(p, str) else (next(numbers), *p) for p in layout.pieces))
        case UnionLayout():
            which = lx.number(next(refs))
            options = []
            for tag, option in layout.options:
                value = Known(m.tags.constant(tag)) if option is None else unpack(m, option, refs)
                options.append((tag, value))
            return options[0][1] if len(options) == 1 else UnionValue(which, tuple(options))
    raise AssertionError(layout)


def widen(m: Machine, old: Layout, new: Layout, refs: Iterator[Value], size: int) -> Iterator[Value]:
    """Yield the buffers of a list in another layout."""
    if old == new:
        for _ in range(count(old)):
            yield next(refs)
        return
    if isinstance(old, SequenceLayout) and isinstance(new, SequenceLayout):
        for x, y in zip(old.items, new.items, strict=True):
            yield from widen(m, x, y, refs, size)
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
