"""Lists, tuples, dicts and sets of abstract values, made by the captured code or living outside."""

from __future__ import annotations

import enum
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from janus_mlir.capture import live
from janus_mlir.capture import numpy as npy
from janus_mlir.capture.breaks import Break, Failed
from janus_mlir.capture.graph import BOOL, Value
from janus_mlir.capture.heap import DictContent, ListContent, SetContent
from janus_mlir.capture.numbers import compare_numbers, is_number, make, number_binary
from janus_mlir.capture.sites import SiteWriter
from janus_mlir.capture.values import (
    Abstract,
    AttributesRef,
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


def new_dict(m: Machine, entries: tuple[tuple[Any, Abstract], ...]) -> DictRef:
    """Return a new dict."""
    handle = DictRef()
    m.put(handle.id, DictContent(entries))
    return handle


def build_dict(m: Machine, pairs: list[tuple[Abstract | None, Abstract]]) -> Abstract:
    """Return a dict display; no key means ``**value``."""
    content = DictContent(())
    for key, value in pairs:
        if key is None:
            if not isinstance(value, DictRef):
                raise Break("JN214", "** of something that is not a dict")
            for k, v in dict_entries(m, value):
                content = content.set(k, v)
        else:
            content = content.set(constant_key(key), value)
    handle = DictRef()
    m.put(handle.id, content)
    return handle


def build_set(m: Machine, items: tuple[Abstract, ...]) -> Abstract:
    """Return a set of constants."""
    values: list[Any] = []
    for item in items:
        key = constant_key(item)
        if key not in values:
            values.append(key)
    handle = SetRef()
    m.put(handle.id, SetContent(tuple(values)))
    return handle


def add_item(m: Machine, value: Abstract, item: Abstract) -> None:
    """Add to a set that a comprehension makes."""
    assert isinstance(value, SetRef)
    content: SetContent = m.get(value.id)
    key = constant_key(item)
    if key not in content.items:
        m.put(value.id, SetContent((*content.items, key)))


def constant_key(value: Abstract) -> Any:
    """Return the Python value of a dict key or set element that is a constant."""
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
    content: ListContent = m.get(value.id)
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
        case SetRef():
            content: SetContent = m.get(value.id)
            return [Known(k) for k in _set_order(content)]
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


def _set_order(content: SetContent) -> list[Any]:
    """Iteration order of a set follows hashes; it is only used where the elements are small ints or single."""
    if len(content.items) > 1:
        raise Break("JN214", "iteration over a set")
    return list(content.items)


def length(m: Machine, value: Abstract) -> Abstract:
    """Return ``len(value)``."""
    match value:
        case LiveObject():
            return live.length(m, value)
        case ListRef():
            content: ListContent = m.get(value.id)
            if content.items is not None:
                return Known(len(content.items))
            if content.appended is None:
                raise Break("JN218", "a list whose length depends on the way taken")
            return number_binary(m, "add", m.outside.list_length(value.id), Known(len(content.appended)))
        case DictRef():
            return Known(len(dict_entries(m, value)))
        case SetRef():
            return Known(len(m.get(value.id).items))
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
                return call_inline(m, function, [value])
    raise Break("JN212", f"len() of a {type(value).__name__}")


def _position(index: Abstract) -> int | None:
    if isinstance(index, Known) and type(index.value) in (int, bool):
        return int(index.value)
    return None


def get_item(m: Machine, value: Abstract, index: Abstract, *, checked: bool = False) -> Abstract:
    """Return ``value[index]``; `checked`: an int index is known to be in range."""
    index = live.settled(m, index)
    match value:
        case LiveObject():
            return live.get_item(m, value, index)
        case JaxArray():
            from janus_mlir.capture.jax_methods import jax_getitem

            return jax_getitem(m, value, index)
        case NumpyArray() | NumpyScalar():
            return npy.getitem(m, value, index)
        case TupleValue():
            return _sequence_item(m, value, list(value.items), index)
        case ListRef():
            position = _position(index)
            content: ListContent = m.get(value.id)
            if content.items is None and position is not None and content.appended is not None:
                if not content.appended:
                    return m.outside.load_index(value.id, position)
                if -len(content.appended) <= position < 0:
                    return content.appended[position]
            return _sequence_item(m, value, list(list_items(m, value)), index)
        case DictRef():
            found = dict_get(m, value, constant_key(index))
            if found is None:
                raise Failed(KeyError, index)
            return found
        case RangeValue():
            items = items_of(m, value)
            assert items is not None
            return _sequence_item(m, value, items, index)
        case Known() if isinstance(index, Known):
            if isinstance(value.value, (tuple, str, bytes, range)):
                from janus_mlir.capture.numbers import fold_call

                return fold_call(lambda v, i: v[i], value, index)
            if isinstance(value.value, type) and issubclass(value.value, enum.Enum):
                return Known(value.value[index.value])
        case Known() if isinstance(value.value, (tuple, range)):
            return _sequence_item(m, value, [Known(v) for v in value.value], index)
        case MemberValue(self=JaxArray() as array, name="at"):
            from janus_mlir.capture.jax_values import AtIndex

            return AtIndex(array, index)
        case ObjectRef():
            from janus_mlir.capture.attributes import class_attribute
            from janus_mlir.capture.calls import call_inline

            function = class_attribute(m, value, "__getitem__")
            if function is not None:
                return call_inline(m, function, [value, index])
    raise Break("JN215", f"a subscript of a {type(value).__name__}")


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
    if isinstance(index, (Number, ExtentNumber)) and items and all(is_number(i) for i in items):
        return _choose(m, items, index, [] if isinstance(value, ListRef) else ())
    raise Break("JN215", "a subscript that is only known at run time")


def _choose(m: Machine, items: list[Abstract], index: Abstract, like: Any) -> Abstract:
    """Return one of a few numbers by a run-time index."""
    from janus_mlir.capture.numbers import select_number

    count = Known(len(items))
    negative = compare_numbers(m, "lt", index, Known(0))
    index = select_number(m, negative, number_binary(m, "add", index, count), index)
    for op, bound in (("ge", Known(0)), ("lt", count)):
        inside = compare_numbers(m, op, index, bound)
        if isinstance(inside, Value):
            m.check(inside, "bounds", "the index is in range", Failed.by(lambda: like[1]))
    result = items[-1]
    for i in range(len(items) - 2, -1, -1):
        result = select_number(m, compare_numbers(m, "eq", index, Known(i)), items[i], result)
    return result


def dict_get(m: Machine, value: DictRef, key: Any) -> Abstract | None:
    """Return the value of a constant key, None if there is none."""
    content: DictContent = m.get(value.id)
    found = content.get(key)
    if found is None and not content.complete and m.outside.dict_has(value.id, key):
        found = m.outside.load_entry(value.id, key)
    return found


def contains(m: Machine, container: Abstract, item: Abstract, *, negate: bool) -> Abstract:
    """Return ``item in container`` (or its negation)."""
    from janus_mlir.capture.operators import compare, truth

    result: bool | Value
    if isinstance(container, DictRef):
        result = dict_get(m, container, constant_key(item)) is not None
    elif isinstance(container, SetRef):
        result = constant_key(item) in m.get(container.id).items
    elif isinstance(container, Known) and isinstance(item, Known):
        try:
            result = item.value in container.value
        except Exception as error:  # the user's own error, which Python will raise again
            raise Failed.of(error) from None
    elif isinstance(container, ObjectRef) and (own := _membership(m, container)) is not None:
        from janus_mlir.capture.calls import call_inline

        result = truth(m, call_inline(m, own, [container, item]))
    elif isinstance(container, (JaxArray, NumpyArray)):
        raise Break("JN212", f"membership in a {type(container).__name__}")
    else:
        from janus_mlir.capture.iteration import exhaust, get_iterator

        items = items_of(m, container)
        if items is None and isinstance(container, ObjectRef):
            items = exhaust(m, get_iterator(m, container))
        if items is None:
            raise Break("JN212", f"membership in a {type(container).__name__}")
        result = False
        for other in items:
            if isinstance(other, (JaxArray, NumpyArray)):
                raise Break("JN212", "membership in a container of arrays")
            equal = truth(m, compare(m, "eq", other, item))
            if equal is True:
                result = True
                break
            if equal is not False:
                result = equal if isinstance(result, bool) else m.b.one("arith.ori", [result, equal], BOOL)
    if isinstance(result, bool):
        return Known(result != negate)
    if negate:
        result = m.b.one("arith.xori", [result, m.const(True)], BOOL)
    return make("bool", result)


def _membership(m: Machine, value: ObjectRef) -> Abstract | None:
    from janus_mlir.capture.attributes import class_attribute

    return class_attribute(m, value, "__contains__")


def _unpacking(count: int) -> Any:
    """Return a function that unpacks a list into `count` variables."""
    names = ", ".join(f"x{i}" for i in range(count))
    namespace: dict[str, Any] = {}
    exec(f"def unpack(items):\n    [{names}] = items\n", namespace)
    return namespace["unpack"]


def unpack(m: Machine, value: Abstract, count: int, star: int | None) -> list[Abstract]:
    """Return the values for the targets of an unpacking assignment."""
    if isinstance(value, LiveObject):
        if star is not None:
            raise Break("JN218", "starred unpacking of a live object")
        return live.unpack(m, value, count)
    if isinstance(value, (JaxArray, NumpyArray)):
        if not value.shape or not isinstance(value.shape[0], int):
            raise Break("JN218", "unpacking along a symbolic extent")
        items = [get_item(m, value, Known(i)) for i in range(value.shape[0])]
    else:
        found = items_of(m, value)
        if found is None:
            from janus_mlir.capture.iteration import exhaust, get_iterator

            found = exhaust(m, get_iterator(m, value))
        items = found
    if star is None:
        if len(items) != count:
            raise Failed.by(_unpacking(count), items)
        return items
    after = count - star - 1
    if len(items) < count - 1:
        text = f"not enough values to unpack (expected at least {count - 1}, got {len(items)})"
        raise Failed(ValueError, text)
    middle = new_list(m, tuple(items[star : len(items) - after]))
    return [*items[:star], middle, *items[len(items) - after :]]


# ---- writing -----------------------------------------------------------------------------


def _mutation(m: Machine, value: Any, text: str, template: str, *operands: Abstract) -> None:
    """Record the change of an object that exists outside; `template` has ``{0}`` for it and ``{1}``... for operands."""
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
    content: ListContent = m.get(value.id)
    if content.items is not None:
        m.put(value.id, ListContent((*content.items, item)))
    elif content.appended is not None:
        m.put(value.id, ListContent(None, (*content.appended, item)))
    _mutation(m, value, "list.append", "{0}.append({1})", item)


def replace_items(
    m: Machine, value: ListRef, items: tuple[Abstract, ...], text: str, template: str, *operands: Abstract
) -> None:
    """Give a list new contents, which outside is done by `template`."""
    m.put(value.id, ListContent(items))
    _mutation(m, value, text, template, *operands)


def set_item(m: Machine, value: Abstract, index: Abstract, item: Abstract) -> None:
    """Do ``value[index] = item``."""
    match value:
        case NumpyArray():
            npy.setitem(m, value, index, item)
        case ListRef():
            position = _position(index)
            if position is None:
                raise Break("JN215", "a list item is set at a run-time index")
            items = list(list_items(m, value))
            if not -len(items) <= position < len(items):
                raise Failed(IndexError, "list assignment index out of range")
            items[position] = item
            replace_items(m, value, tuple(items), "list item", "{0}[{1}] = {2}", index, item)
        case AttributesRef():
            raise Break("JN216", "the `__dict__` of an object is changed")
        case DictRef():
            key = constant_key(index)
            content: DictContent = m.get(value.id)
            if not content.complete:
                dict_get(m, value, key)
            m.put(value.id, content.set(key, item))
            if m.is_outside(value.id):
                source = m.outside.source(value.id)
                if source is not None:
                    from janus_mlir.capture.sources import Key

                    m.note_written(Key(source, key))
            _mutation(m, value, f"item {key!r}", "{0}[{1}] = {2}", Known(key), item)
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
            position = _position(index)
            items = list(list_items(m, value))
            if isinstance(index, Known) and isinstance(index.value, slice):
                del items[index.value]
                replace_items(m, value, tuple(items), "list items deleted", "del {0}[{1}]", index)
                return
            if position is None or not -len(items) <= position < len(items):
                raise Break("JN215", "deletion at a run-time index")
            del items[position]
            replace_items(m, value, tuple(items), "list item deleted", "del {0}[{1}]", index)
        case AttributesRef():
            raise Break("JN216", "the `__dict__` of an object is changed")
        case DictRef():
            key = constant_key(index)
            if dict_get(m, value, key) is None:
                raise Failed(KeyError, index)
            entries = dict_entries(m, value)
            content: DictContent = replace(DictContent(entries), complete=True).remove(key)
            m.put(value.id, content)
            _mutation(m, value, f"item {key!r} deleted", "del {0}[{1}]", Known(key))
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
    "SliceValue", "TextValue", "append", "build_dict", "build_set", "constant_key", "contains", "delete_item",
    "dict_entries", "dict_get", "expand", "get_item", "items_of", "length", "list_items", "new_dict", "new_list",
    "replace_items", "set_item", "unpack",
]  # fmt: skip
