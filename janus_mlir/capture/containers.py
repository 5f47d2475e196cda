"""Lists, tuples, dicts and sets of abstract values, made by the captured code or living outside."""

from __future__ import annotations

import collections
import enum
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from janus_mlir.capture import boxed, live, sets
from janus_mlir.capture import numpy as npy
from janus_mlir.capture.boundary.sites import SiteWriter
from janus_mlir.capture.breaks import Break, Failed
from janus_mlir.capture.dynamic import compressed, rows, tables, vectors
from janus_mlir.capture.graph import Value
from janus_mlir.capture.heap import DictContent, ListContent, SetContent, TableContent, VectorContent
from janus_mlir.capture.numbers import checked_length, compare_numbers, number_binary
from janus_mlir.capture.values import (
    Abstract,
    AttributesRef,
    Boxed,
    CompressedRef,
    DictRef,
    ExtentNumber,
    IteratorRef,
    JaxArray,
    Known,
    ListRef,
    LiveObject,
    MemberValue,
    Number,
    NumpyArray,
    NumpyScalar,
    ObjectRef,
    RangeValue,
    SetRef,
    SliceValue,
    TextValue,
    TupleValue,
    ViewValue,
    bounds,
)

if TYPE_CHECKING:
    from janus_mlir.capture.machine import Machine

_KEYS = (str, int, float, bool, bytes, type(None), enum.Enum, type)


# ---- making -----------------------------------------------------------------------------


def new_list(m: Machine, items: tuple[Abstract, ...]) -> ListRef:
    """Return a new list."""
    handle = ListRef()
    m.put(handle.id, ListContent(items))
    return handle


def new_dict(m: Machine, entries: tuple[tuple[Any, Abstract], ...], cls: type = dict) -> DictRef:
    """Return a new dict, or ordered one."""
    handle = DictRef(cls=cls)
    m.put(handle.id, DictContent(entries))
    return handle


def build_dict(m: Machine, pairs: list[tuple[Abstract | None, Abstract]]) -> Abstract:
    """Return a dict display; no key means ``**value``."""
    if any(key is not None and tables.is_run_time_key(key) for key, _ in pairs) or any(
        key is None and tables.content_of(m, value) is not None for key, value in pairs
    ):
        return _build_table(m, pairs)
    content = DictContent(())
    for key, value in pairs:
        if key is None:
            if not isinstance(value, DictRef):
                raise Break("JN214", "** of something that is not a dict")
            for k, v in dict_entries(m, value):
                content = content.set(k, v)
        else:
            content = content.set(constant_key(key), rows.taken(m, value))
    handle = DictRef()
    m.put(handle.id, content)
    return handle


def _build_table(m: Machine, pairs: list[tuple[Abstract | None, Abstract]]) -> Abstract:
    made = new_dict(m, ())
    with m.keep(made):
        for key, value in pairs:
            if key is not None:
                set_item(m, made, key, value)
            elif isinstance(value, DictRef):
                tables.update(m, made, value)
            else:
                raise Break("JN214", "** of something that is not a dict")
    return made


def build_set(m: Machine, items: tuple[Abstract, ...]) -> Abstract:
    """Return a set."""
    if any(map(tables.is_run_time_key, items)):
        return tables.make_set(m, new_list(m, items), set)
    values: list[Any] = []
    for item in items:
        key = constant_key(item)
        if key not in values:
            values.append(key)
    handle = SetRef()
    m.put(handle.id, SetContent(tuple(values), added=True))
    return handle


def constant_key(value: Abstract, m: Machine | None = None) -> Any:
    """Return the Python value of a dict key or set element that is a constant."""
    if m is not None and isinstance(value, Number):
        m.need_constants([value])
    if isinstance(value, Known) and (isinstance(value.value, _KEYS) or callable(value.value)):
        return value.value
    if isinstance(value, TupleValue) and value.cls is tuple:
        return tuple(constant_key(item) for item in value.items)
    if isinstance(value, Known) and isinstance(value.value, (tuple, frozenset)):
        return value.value
    raise Break("JN214", "a dict key or set element that is only known at run time")


def expand(m: Machine, items: list[tuple[Abstract, bool]]) -> tuple[Abstract, ...]:
    """Return the items of a display or call, starred ones expanded."""
    from janus_mlir.capture.iteration import exhaust, get_iterator

    result: list[Abstract] = []
    for value, starred in items:
        if starred:
            result.extend(exhaust(m, get_iterator(m, value)))
        else:
            result.append(value)
    return tuple(result)


# ---- reading ----------------------------------------------------------------------------


def list_items(m: Machine, value: ListRef) -> tuple[Abstract, ...]:
    """Return the items of a list, reading an outside list if need be."""
    content = m.get(value.id)
    if isinstance(content, VectorContent):
        content = vectors.take_apart(m, value, content)
    assert isinstance(content, ListContent)
    if content.items is None:
        if content.appended is None:
            raise Break("JN218", "a list whose length depends on the way taken")
        content = ListContent((*m.outside.load_list(value.id), *content.appended))
        m.put(value.id, content)
    assert content.items is not None
    return content.items


def dict_entries(m: Machine, value: DictRef) -> tuple[tuple[Any, Abstract], ...]:
    """Return the entries of a dict, reading an outside dict if need be."""
    content: DictContent = m.get(value.id)
    if isinstance(content, TableContent):
        raise Break("JN214", "a dict with keys that are only known at run time, used in this way,")
    if content.complete:
        return content.entries
    whole = DictContent(m.outside.load_dict(value.id))
    for key, item in content.entries:
        whole = whole.set(key, item)
    m.put(value.id, whole)
    return whole.entries


def items_of(m: Machine, value: Abstract) -> list[Abstract] | None:
    """Return the elements of an abstract sequence or container (keys of a dict), None if it is something else."""
    match value:
        case TupleValue():
            return list(value.items)
        case ListRef():
            return list(list_items(m, value))
        case DictRef():
            return [Known(k) for k, _ in dict_entries(m, value)]
        case ViewValue():
            entries = dict_entries(m, value.dict)
            if value.kind == "keys":
                return [Known(k) for k, _ in entries]
            if value.kind == "values":
                return [v for _, v in entries]
            return [TupleValue((Known(k), v)) for k, v in entries]
        case SetRef():
            return [Known(k) for k in sets.ordered(sets.content(m, value))]
        case Known() if isinstance(value.value, (tuple, str, bytes, range)):
            return [Known(item) for item in value.value]
        case Known() if isinstance(value.value, type) and issubclass(value.value, enum.Enum):
            return [Known(item) for item in value.value]
        case RangeValue():
            from janus_mlir.capture.iteration import exhaust, get_iterator

            return exhaust(m, get_iterator(m, value))
        case IteratorRef():
            from janus_mlir.capture.iteration import exhaust

            return exhaust(m, value)
    return None


def length(m: Machine, value: Abstract) -> Abstract:
    """Return ``len(value)``."""
    match value:
        case LiveObject():
            return live.length(m, value)
        case Boxed() | TextValue():
            return boxed.length(m, boxed.as_object(m, value))
        case ListRef():
            content = m.get(value.id)
            if isinstance(content, VectorContent):
                return vectors.length_number(m, content)
            assert isinstance(content, ListContent)
            if content.items is not None:
                return Known(len(content.items))
            grown = content.growth()
            if grown is None:
                raise Break("JN218", "a list whose length depends on the way taken")
            return number_binary(m, "add", m.outside.list_length(value.id), grown)
        case DictRef() | SetRef() if (table := tables.content_of(m, value)) is not None:
            return length(m, table.keys)
        case DictRef():
            return Known(len(dict_entries(m, value)))
        case ViewValue():
            return length(m, value.dict)
        case CompressedRef():
            return compressed.count(m, value)
        case SetRef():
            return Known(len(sets.elements(m, value)))
        case TupleValue():
            return Known(len(value.items))
        case JaxArray() | NumpyArray():
            if not value.shape:
                raise Break("JN208", "len() of an unsized array")
            from janus_mlir.capture.iteration import extent_value

            return extent_value(value.shape[0])
        case RangeValue():
            from janus_mlir.capture.iteration import range_length

            return range_length(m, value)
        case Known():
            from janus_mlir.capture.numbers import fold_call

            return fold_call(len, value)
        case ObjectRef():
            from janus_mlir.capture.attributes import class_attribute
            from janus_mlir.capture.calls import call_inline

            function = class_attribute(m, value, "__len__")
            if function is not None:
                return checked_length(m, call_inline(m, function, [value]))
    raise Break("JN212", f"len() of a {type(value).__name__}")


def _position(index: Abstract) -> int | None:
    if isinstance(index, Known) and type(index.value) in (int, bool):
        return int(index.value)
    return None


def get_item(m: Machine, value: Abstract, index: Abstract, *, checked: bool = False) -> Abstract:
    """Return ``value[index]``; `checked`: an int index is known to be in range."""
    from janus_mlir.capture import lookups

    index = live.settled(m, index)
    match value:
        case LiveObject():
            return live.get_item(m, value, index)
        case Boxed() | TextValue():
            return boxed.get_item(m, boxed.as_object(m, value), index)
        case Known(value=str()) if not isinstance(index, Known):
            return boxed.get_item(m, Boxed(boxed.box(m, value), str), index)
        case JaxArray():
            from janus_mlir.capture.jax.methods import jax_getitem

            return jax_getitem(m, value, index)
        case CompressedRef():
            return compressed.item(m, value, index)
        case NumpyArray() if isinstance(index, CompressedRef):
            return compressed.take(m, value, index)
        case NumpyArray() | NumpyScalar():
            masked = compressed.select(m, value, index) if isinstance(value, NumpyArray) else None
            return masked if masked is not None else npy.getitem(m, value, index)
        case TupleValue():
            return _sequence_item(m, value, list(value.items), index)
        case ListRef():
            position = _position(index)
            content = m.get(value.id)
            if isinstance(content, VectorContent):
                return _vector_item(m, value, content, index)
            assert isinstance(content, ListContent)
            if content.items is None and position is not None and content.appended is not None:
                if not content.appended:
                    return m.outside.load_index(value.id, position)
                if -len(content.appended) <= position < 0:
                    return content.appended[position]
            return _sequence_item(m, value, list(list_items(m, value)), index)
        case DictRef():
            if tables.content_of(m, value) is not None:
                return tables.item(m, value, index)
            if tables.is_run_time_key(index):
                chosen = lookups.lookup(m, value, index, None)
                return chosen if chosen is not None else tables.item(m, value, index)
            key = constant_key(index, m)
            found = dict_get(m, value, key)
            if found is not None:
                return found
            if value.cls is collections.Counter:
                return Known(0)
            if value.factory is not None and not (
                isinstance(value.factory, Known) and value.factory.value is None
            ):
                from janus_mlir.capture.calls import call_inline

                made = call_inline(m, value.factory, [])
                set_item(m, value, index, made)
                return made
            raise Failed(KeyError, index)
        case RangeValue():
            items = items_of(m, value)
            assert items is not None
            return _sequence_item(m, value, items, index)
        case Known() if isinstance(index, Known):
            if isinstance(value.value, (tuple, str, bytes, range)):
                from janus_mlir.capture.numbers import fold_call

                return fold_call(lambda v, i: v[i], value, index)
            if isinstance(value.value, enum.EnumMeta) or type(value.value).__module__ in _ANNOTATING:
                return Known(value.value[index.value])
        case Known() if isinstance(value.value, (tuple, range)):
            return _sequence_item(m, value, [Known(v) for v in value.value], index)
        case MemberValue(self=JaxArray() as array, name="at"):
            from janus_mlir.capture.jax.values import AtIndex

            return AtIndex(array, index)
        case ObjectRef():
            from janus_mlir.capture.attributes import class_attribute
            from janus_mlir.capture.calls import call_inline

            function = class_attribute(m, value, "__getitem__")
            if function is not None:
                return call_inline(m, function, [value, index])
    raise Break("JN215", f"a subscript of a {type(value).__name__}")


#: Where objects come from that are made for annotations; a subscript of one is another one.
_ANNOTATING = ("typing", "jaxtyping._pytree_type", "jaxtyping._array_types")


def _vector_item(m: Machine, value: ListRef, content: VectorContent, index: Abstract) -> Abstract:
    from janus_mlir.capture.library import lists as library

    if isinstance(index, SliceValue) or (isinstance(index, Known) and isinstance(index.value, slice)):
        ends = bounds(index)
        return vectors.section(m, value, content, ends) or library.call(m, library.sliced, value, *ends)
    found = vectors.read(m, content, vectors.position(m, content, index))
    return vectors.borrow(m, value, found, vectors.known_position(content, index))


def _sequence_item(m: Machine, value: Abstract, items: list[Abstract], index: Abstract) -> Abstract:
    if isinstance(index, Known) and isinstance(index.value, slice):
        try:
            chosen = tuple(items[index.value])
        except (TypeError, ValueError) as error:
            raise Failed.of(error) from None
        return new_list(m, chosen) if isinstance(value, ListRef) else TupleValue(chosen)
    position = _position(index)
    if position is not None:
        if not -len(items) <= position < len(items):
            like: Any = (
                [] if isinstance(value, ListRef) else range(0) if isinstance(value, RangeValue) else ()
            )
            raise Failed.by(lambda: like[1])
        return items[position]
    if isinstance(index, SliceValue) and isinstance(value, ListRef):
        from janus_mlir.capture.library import lists as library

        vectors.vectorise(m, value)
        return library.call(m, library.sliced, value, *bounds(index))
    if isinstance(index, (Number, ExtentNumber)) and items:
        return _choose(m, value, items, index, [] if isinstance(value, ListRef) else ())
    if not items and isinstance(index, Number) and index.kind != "float":
        nothing: Any = [] if isinstance(value, ListRef) else ()
        raise Failed.by(lambda: nothing[1])
    raise Break("JN215", "a subscript that is only known at run time")


#: Items of which one is chosen by comparing the index with each position.
_MAX_CHOICES = 16


def _choose(m: Machine, value: Abstract, items: list[Abstract], index: Abstract, like: Any) -> Abstract:
    """Return the item at a run-time index."""
    from janus_mlir.capture import unions
    from janus_mlir.capture.numbers import as_int, select_number

    if m.rolling and any(isinstance(item, (JaxArray, NumpyArray)) for item in items):
        # To choose one (of the weights of layers, say) costs more than straight-line code.
        raise Break("JN218", "an array of a list is chosen at run time")
    held = any(isinstance(i, (TupleValue, Boxed)) or rows.is_row(m, i) for i in items)
    apart = not held and all(m.tags.of(i) is not None for i in items)
    if len(items) > _MAX_CHOICES or not apart:
        ref = value if isinstance(value, ListRef) else new_list(m, tuple(items))
        content = vectors.vectorise(m, ref)
        return vectors.borrow(m, ref, vectors.read(m, content, vectors.position(m, content, index)))
    count = Known(len(items))
    negative = compare_numbers(m, "lt", index, Known(0))
    index = select_number(m, negative, number_binary(m, "add", index, count), index)
    for op, bound in (("ge", Known(0)), ("lt", count)):
        inside = compare_numbers(m, op, index, bound)
        if isinstance(inside, Value):
            m.check(inside, "bounds", "the index is in range", Failed.by(lambda: like[1]))
    found = unions.choose(m, as_int(m, index), items)
    if found is None:
        raise Break("JN215", "a subscript that is only known at run time")
    return found


def dict_get(m: Machine, value: DictRef, key: Any) -> Abstract | None:
    """Return the value of a constant key, None if there is none."""
    content: DictContent = m.get(value.id)
    if isinstance(content, TableContent):
        raise Break("JN214", "a dict with keys that are only known at run time, used in this way,")
    found = content.get(key)
    if found is None and not content.complete and m.outside.dict_has(value.id, key):
        found = m.outside.load_entry(value.id, key)
    return found


# ---- writing -----------------------------------------------------------------------------


def record_mutation(m: Machine, value: Any, text: str, template: str, *operands: Abstract) -> None:
    """Record the change of an object that exists outside; `template` has ``{0}`` for it and ``{1}``... for operands."""
    if m.lending.is_item(value.id):
        raise Break("JN218", "an item of a list of run-time length is changed in place")
    if not m.is_outside(value.id):
        return
    m.outside.mark_written(value.id)

    def statement(w: SiteWriter) -> str:
        return template.format(w.expr(value), *(w.expr(o) for o in operands))

    m.effect(text, statement)


def append(m: Machine, value: Abstract, item: Abstract) -> None:
    """Append to a list."""
    if not isinstance(value, ListRef):
        raise Break("JN215", f"append to a {type(value).__name__}")
    item = rows.stored(m, value, item)
    content = m.get(value.id)
    if isinstance(content, VectorContent):
        m.put(value.id, vectors.append_item(m, value, content, item))
    elif content.items is not None:
        m.put(value.id, ListContent((*content.items, item)))
    elif content.appended is not None:
        m.put(value.id, ListContent(None, (*content.appended, item)))
    elif content.grown is not None:
        m.put(value.id, ListContent(None, None, number_binary(m, "add", content.grown, Known(1))))
    record_mutation(m, value, "list.append", "{0}.append({1})", item)


def replace_items(
    m: Machine, value: ListRef, items: tuple[Abstract, ...], text: str, template: str, *operands: Abstract
) -> None:
    """Give a list new contents, which outside is done by `template`."""
    m.put(value.id, ListContent(items))
    record_mutation(m, value, text, template, *operands)


def replace_vector(
    m: Machine, value: ListRef, content: VectorContent, text: str, template: str, *operands: Abstract
) -> None:
    """Give a list of run-time length new contents, which outside is done by `template`."""
    m.put(value.id, content)
    record_mutation(m, value, text, template, *operands)


def set_item(m: Machine, value: Abstract, index: Abstract, item: Abstract) -> None:
    """Do ``value[index] = item``."""
    from janus_mlir.capture import lookups

    item = rows.stored(m, value, item)
    match value:
        case NumpyArray() if isinstance(item, CompressedRef):
            compressed.store(m, value, index, item)
        case NumpyArray():
            npy.setitem(m, value, index, item)
        case ListRef():
            position = _position(index)
            from janus_mlir.capture import slices

            if slices.is_slice(index):
                slices.set_slice(m, value, index, item)
                return
            if position is None or isinstance(m.get(value.id), VectorContent):
                vector = vectors.vectorise(m, value)
                vectors.take_over(m, value, item)
                m.put(value.id, vectors.write(m, vector, vectors.position(m, vector, index), item))
                record_mutation(m, value, "list item", "{0}[{1}] = {2}", index, item)
                return
            items = list(list_items(m, value))
            if not -len(items) <= position < len(items):
                raise Failed(IndexError, "list assignment index out of range")
            items[position] = item
            replace_items(m, value, tuple(items), "list item", "{0}[{1}] = {2}", index, item)
        case AttributesRef():
            raise Break("JN216", "the `__dict__` of an object is changed")
        case DictRef():
            if tables.content_of(m, value) is not None:
                tables.store(m, value, index, item)
                return
            if tables.is_run_time_key(index):
                if not lookups.store(m, value, index, item):
                    tables.store(m, value, index, item)
                return
            key = constant_key(index, m)
            content: DictContent = m.get(value.id)
            if not content.complete:
                dict_get(m, value, key)
            m.put(value.id, content.set(key, item))
            if m.is_outside(value.id):
                place = m.outside.key_source(value.id, key)
                if place is not None:
                    m.note_written(place)
            record_mutation(m, value, f"item {key!r}", "{0}[{1}] = {2}", Known(key), item)
        case ObjectRef():
            from janus_mlir.capture.attributes import class_attribute
            from janus_mlir.capture.calls import call_inline

            function = class_attribute(m, value, "__setitem__")
            if function is None:
                raise Break("JN215", "item assignment on an object")
            call_inline(m, function, [value, index, item])
        case _:
            raise Break("JN208", f"item assignment on a {type(value).__name__}")


def delete_item(m: Machine, value: Abstract, index: Abstract) -> None:
    """Do ``del value[index]``."""
    match value:
        case ListRef():
            from janus_mlir.capture import slices
            from janus_mlir.capture.library import lists as library

            position = _position(index)
            if slices.is_slice(index):
                slices.delete_slice(m, value, index)
                return
            moving = position is None and isinstance(index, (Number, ExtentNumber)) and value.cls is list
            if moving or isinstance(m.get(value.id), VectorContent):
                vectors.vectorise(m, value)
                library.call(m, library.pop_at, value, index)
                return
            items = list(list_items(m, value))
            if position is None or not -len(items) <= position < len(items):
                raise Break("JN215", "deletion at a run-time index")
            del items[position]
            replace_items(m, value, tuple(items), "list item deleted", "del {0}[{1}]", index)
        case AttributesRef():
            raise Break("JN216", "the `__dict__` of an object is changed")
        case DictRef() if tables.content_of(m, value) is not None or tables.is_run_time_key(index):
            if value.cls is collections.Counter:
                raise Break("JN214", "a key of a Counter, which may be absent,")
            tables.remove(m, value, index)
        case DictRef():
            key = constant_key(index)
            if dict_get(m, value, key) is None:
                if value.cls is collections.Counter:
                    return
                raise Failed(KeyError, index)
            entries = dict_entries(m, value)
            content: DictContent = replace(DictContent(entries), complete=True).remove(key)
            m.put(value.id, content)
            record_mutation(m, value, f"item {key!r} deleted", "del {0}[{1}]", Known(key))
        case ObjectRef():
            from janus_mlir.capture.attributes import class_attribute
            from janus_mlir.capture.calls import call_inline

            function = class_attribute(m, value, "__delitem__")
            if function is None:
                raise Break("JN215", "deletion of an item of an object")
            call_inline(m, function, [value, index])
        case _:
            raise Break("JN215", f"deletion in a {type(value).__name__}")


__all__ = [
    "SliceValue", "TextValue", "append", "build_dict", "build_set", "constant_key", "delete_item",
    "dict_entries", "dict_get", "expand", "get_item", "items_of", "length", "list_items", "new_dict", "new_list",
    "record_mutation", "replace_items", "replace_vector", "set_item",
]  # fmt: skip
