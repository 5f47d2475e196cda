"""Builtins that make or consume iterators and containers."""

from __future__ import annotations

import collections
import copy
import functools
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from janus_mlir.capture import boxed, sets
from janus_mlir.capture.attributes import attribute_names, get_attribute
from janus_mlir.capture.breaks import Break, Failed
from janus_mlir.capture.builtins.numbers import choose_value, keyed
from janus_mlir.capture.builtins.table import arity, registers
from janus_mlir.capture.containers import (
    constant_key,
    dict_entries,
    items_of,
    list_items,
    new_dict,
    new_list,
    set_item,
)
from janus_mlir.capture.dynamic import tables
from janus_mlir.capture.generators import ask, generator_content, stopped
from janus_mlir.capture.graph import Value
from janus_mlir.capture.heap import DictContent, IteratorContent, ListContent, ObjectContent, VectorContent
from janus_mlir.capture.iteration import (
    collect,
    exhaust,
    get_iterator,
    make_iterator,
    next_item,
    reversed_range,
)
from janus_mlir.capture.library import lists as library
from janus_mlir.capture.numbers import compare_numbers, fold_call
from janus_mlir.capture.operators import truth
from janus_mlir.capture.scalars import number_kind
from janus_mlir.capture.text import format_value
from janus_mlir.capture.values import (
    Abstract,
    Boxed,
    DictRef,
    ExtentNumber,
    FunctionValue,
    IteratorRef,
    JaxArray,
    Known,
    ListRef,
    Number,
    NumpyArray,
    NumpyScalar,
    ObjectRef,
    PartialValue,
    RangeValue,
    SetRef,
    SliceValue,
    TextValue,
    TupleValue,
    fresh_id,
)

if TYPE_CHECKING:
    from janus_mlir.capture.machine import Machine


@registers(iter)
def _iter(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    arity(args, kwargs, 1)
    return get_iterator(m, args[0])


@registers(next)
def _next(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    arity(args, kwargs, 1, 2)
    if not isinstance(args[0], (IteratorRef, ObjectRef)):
        raise Break("JN301", "next() of an outside iterator")
    if isinstance(args[0], IteratorRef) and generator_content(m, args[0]) is not None:
        asked = ask(m, args[0])
        if asked.item is not None:
            return asked.item
        if len(args) == 2:
            return args[1]
        raise stopped(asked.returned)
    step = next_item(m, args[0])
    if step.more is True:
        return step.advance(m)
    if step.more is False:
        if len(args) == 2:
            return args[1]
        raise Failed(StopIteration)
    if len(args) == 2:
        return library.call(m, library.first, *args)
    m.check(step.more, "trips", "the iterator has another item", Failed(StopIteration))
    return step.advance(m)


@registers(enumerate)
def _enumerate(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    start = kwargs.pop("start", args[1] if len(args) > 1 else Known(0))
    arity(args[:1], kwargs, 1)
    inner = get_iterator(m, args[0])
    return make_iterator(m, IteratorContent("enumerate", (), (inner,), start))


@registers(zip)
def _zip(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    strict = kwargs.pop("strict", Known(False))
    arity(args, kwargs, len(args))
    iterators = tuple(get_iterator(m, a) for a in args)
    if isinstance(strict, Known) and not strict.value:
        return make_iterator(m, IteratorContent("zip", (), iterators))
    columns = [exhaust(m, it) for it in iterators]
    if len({len(column) for column in columns}) > 1:
        raise Break("JN208", "zip() arguments of different lengths")
    rows = tuple(TupleValue(row) for row in zip(*columns, strict=True))
    return make_iterator(m, IteratorContent("sequence", rows))


@registers(map)
def _map(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    if kwargs or len(args) < 2:
        raise Break("JN301", "map() with unusual arguments")
    parts = (args[0], *(get_iterator(m, a) for a in args[1:]))
    return make_iterator(m, IteratorContent("map", (), parts))


@registers(filter)
def _filter(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    arity(args, kwargs, 2)
    by_truth = isinstance(args[0], Known) and args[0].value is None
    items = collect(m, args[1])
    if isinstance(items, list):
        with m.keep(*items):
            flags = [truth(m, keyed(m, args[0], item)) for item in items]
        if all(isinstance(flag, bool) for flag in flags):
            kept = [item for item, flag in zip(items, flags, strict=True) if flag]
            return make_iterator(m, IteratorContent("sequence", tuple(kept)))
        items = new_list(m, tuple(items))
    if by_truth:
        return get_iterator(m, library.call(m, library.true_items, items))
    return get_iterator(m, library.call(m, library.filtered, args[0], items))


@registers(reversed)
def _reversed(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    arity(args, kwargs, 1)
    if isinstance(args[0], RangeValue):
        return reversed_range(m, args[0])
    if isinstance(args[0], ListRef) and isinstance(m.get(args[0].id), VectorContent):
        return get_iterator(m, library.call(m, library.reversed_list, args[0]))
    if isinstance(args[0], (JaxArray, NumpyArray)):
        return _reversed_array(m, args[0])
    if isinstance(args[0], Boxed) and args[0].cls in (list, tuple, bytes):
        backwards = boxed.get_item(m, args[0], Known(slice(None, None, -1)))
        assert isinstance(backwards, Boxed)
        return boxed.iterate(m, backwards)
    items = items_of(m, args[0])
    if items is None:
        raise Break("JN218", "reversed() of an object")
    return make_iterator(m, IteratorContent("sequence", tuple(reversed(items))))


def _reversed_array(m: Machine, array: Abstract) -> Abstract:
    from janus_mlir.capture.containers import get_item

    return get_iterator(m, get_item(m, array, Known(slice(None, None, -1))))


@registers(sorted)
def _sorted(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    arity(args, {}, 1)
    return sort_items(m, args[0], kwargs)


#: Items up to which a list sorted at run time is a list of that length again.
_MAX_SORTED = 16


def sort_items(m: Machine, value: Abstract, kwargs: dict[str, Abstract]) -> ListRef:
    """Return the items of an iterable as a sorted list."""
    key = kwargs.pop("key", None)
    reverse = kwargs.pop("reverse", Known(False))
    if kwargs or not isinstance(reverse, Known):
        raise Break("JN301", "sorted() with unusual arguments")
    none = isinstance(key, Known) and key.value is None
    items = _unordered(m, value)
    if items is None:
        items = collect(m, value)
    if isinstance(items, list):
        with m.keep(*items):
            keys = [keyed(m, key, item) for item in items]
        plain = [_plain_key(k) for k in keys]
        known = [k for k in plain if k is not None]
        if len(known) == len(plain):
            try:
                order = sorted(range(len(items)), key=lambda i: known[i][0], reverse=bool(reverse.value))
            except TypeError as error:
                raise Failed.of(error) from None
            return new_list(m, tuple(items[i] for i in order))
        if len(items) <= _MAX_NETWORK and all(number_kind(k) is not None for k in keys):
            chosen = _sort_in_line(m, items, keys, bool(reverse.value))
            if chosen is not None:
                return chosen
        listed = new_list(m, tuple(items))
        by: Abstract = listed if key is None or none else new_list(m, tuple(keys))
    else:
        listed = items
        by = items if key is None or none else library.call(m, library.keys_of, items, key)
    with m.keep(listed):
        positions = library.call(m, library.merge_order, by, Known(bool(reverse.value)))
    with m.keep(listed, positions):
        return _in_order(m, listed, positions, len(items) if isinstance(items, list) else None)


#: Numbers of keys that are sorted by comparing neighbours, without a loop.
_MAX_NETWORK = 6


def _sort_in_line(
    m: Machine, items: list[Abstract], keys: list[Abstract], descending: bool
) -> ListRef | None:
    """Sort by comparing neighbours and swapping them, which is stable; None if items cannot be chosen from."""
    if (
        len({number_kind(k) for k in keys}) > 1
        or len({type(i) for i in items}) > 1
        or not all(isinstance(i, (Known, Number, ExtentNumber, TupleValue)) for i in items)
    ):
        return None
    items, keys = list(items), list(keys)
    for key in keys:
        if number_kind(key) == "float":
            ordered = compare_numbers(m, "eq", key, key)
            if ordered is False:
                raise Break("JN218", "sorting of NaN")
            if isinstance(ordered, Value):
                m.guard(ordered, "domain", text="no sort key is NaN")
    for end in range(len(items) - 1, 0, -1):
        for i in range(end):
            swap = compare_numbers(
                m, "lt", *((keys[i], keys[i + 1]) if descending else (keys[i + 1], keys[i]))
            )
            if swap is False:
                continue
            for row in (items, keys):
                a, b = row[i], row[i + 1]
                row[i] = b if swap is True else choose_value(m, swap, b, a)
                row[i + 1] = a if swap is True else choose_value(m, swap, a, b)
    return new_list(m, tuple(items))


def _in_order(m: Machine, listed: Abstract, positions: Abstract, count: int | None) -> ListRef:
    """Return the items of a list at the positions in another."""
    from janus_mlir.capture.containers import get_item

    assert isinstance(listed, ListRef)
    if count is not None and count <= _MAX_SORTED:
        return new_list(m, tuple(get_item(m, listed, get_item(m, positions, Known(i))) for i in range(count)))
    made = library.call(m, library.in_order, listed, positions)
    assert isinstance(made, ListRef)
    return made


def _plain_key(key: Abstract) -> tuple[Any] | None:
    """Return a constant sort key (in a tuple), None if it is only known at run time."""
    try:
        return (constant_key(key),)
    except Break:
        return None


def _unordered(m: Machine, value: Abstract) -> list[Abstract] | ListRef | None:
    """Return the elements of a set in any order, for a consumer to whom it is all the same."""
    table = tables.content_of(m, value)
    if isinstance(value, SetRef) and table is not None:
        return collect(m, table.keys)
    if isinstance(value, SetRef):
        return [Known(k) for k in sets.elements(m, value)]
    return None


@registers(list)
def _list(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    arity(args, kwargs, 0, 1)
    if not args:
        return new_list(m, ())
    if isinstance(args[0], ListRef):
        content = m.get(args[0].id)
        if isinstance(content, VectorContent):
            return library.call(m, library.to_list, args[0])
    items = collect(m, args[0])
    return new_list(m, tuple(items)) if isinstance(items, list) else items


@registers(tuple)
def _tuple(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    arity(args, kwargs, 0, 1)
    if args and isinstance(args[0], TupleValue) and args[0].cls is tuple:
        return args[0]
    return TupleValue(tuple(exhaust(m, get_iterator(m, args[0]))) if args else ())


@registers(dict)
def _dict(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> DictRef:
    if len(args) > 1:
        raise Break("JN208", "dict() takes one positional argument")
    handle = new_dict(m, ())
    if args and isinstance(args[0], DictRef) and tables.content_of(m, args[0]) is not None:
        copied = tables.copied(m, args[0])
        m.put(handle.id, m.get(copied.id))
    elif args and isinstance(args[0], DictRef):
        for name, item in dict_entries(m, args[0]):
            set_item(m, handle, Known(name), item)
    elif args:
        from janus_mlir.capture.members import store_pairs

        store_pairs(m, handle, args[0])
    for name, item in kwargs.items():
        set_item(m, handle, Known(name), item)
    return handle


@registers(set)
def _set(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    arity(args, kwargs, 0, 1)
    return sets.make(m, args, set)


@registers(frozenset)
def _frozenset(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    arity(args, kwargs, 0, 1)
    return sets.make(m, args, frozenset)


@registers(collections.deque)
def _deque(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    limit = kwargs.pop("maxlen", args[1] if len(args) > 1 else Known(None))
    arity(args[:1], kwargs, 0, 1)
    if not isinstance(limit, Known):
        raise Break("JN301", "a deque of a run-time maximal length")
    items = collect(m, args[0]) if args else []
    if not isinstance(items, list):
        raise Break("JN301", "a deque of a run-time number of items")
    if limit.value is not None:
        items = items[max(0, len(items) - limit.value) :]
    handle = ListRef(cls=collections.deque, limit=limit.value)
    m.put(handle.id, ListContent(tuple(items)))
    return handle


@registers(collections.defaultdict)
def _default_dict(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    filled = _dict(m, args[1:], kwargs)
    handle = DictRef(cls=collections.defaultdict, factory=args[0] if args else Known(None))
    m.put(handle.id, m.get(filled.id))
    return handle


@registers(collections.OrderedDict)
def _ordered_dict(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    handle = DictRef(cls=collections.OrderedDict)
    m.put(handle.id, m.get(_dict(m, args, kwargs).id))
    return handle


@registers(collections.Counter)
def _counter(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    handle = DictRef(cls=collections.Counter)
    if args and isinstance(args[0], DictRef) or not args:
        m.put(handle.id, m.get(_dict(m, args, kwargs).id))
        return handle
    arity(args, kwargs, 1)
    items = collect(m, args[0])
    if not isinstance(items, list) or any(map(tables.is_run_time_key, items)):
        m.put(handle.id, DictContent(()))
        tables.count(m, handle, items if isinstance(items, ListRef) else new_list(m, tuple(items)))
        return handle
    counts: dict[Any, int] = {}
    for item in items:
        key = constant_key(item)
        counts[key] = counts.get(key, 0) + 1
    m.put(handle.id, DictContent(tuple((k, Known(n)) for k, n in counts.items())))
    return handle


@registers(slice)
def _slice(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    arity(args, kwargs, 1, 3)
    if all(isinstance(a, Known) for a in args):
        return fold_call(slice, *args)
    none = Known(None)
    parts = [none, args[0], none] if len(args) == 1 else [*args, none][:3]
    return SliceValue(*parts)


@registers(str)
def _str(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    arity(args, kwargs, 0, 1)
    return format_value(m, args[0], "s", None) if args else Known("")


@registers(repr)
def _repr(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    arity(args, kwargs, 1)
    return format_value(m, args[0], "r", None)


@registers(format)
def _format(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    arity(args, kwargs, 1, 2)
    return format_value(m, args[0], None, args[1] if len(args) == 2 else None)


@registers(copy.copy)
def _copy(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    arity(args, kwargs, 1)
    return _copied(m, args[0], None)


@registers(copy.deepcopy)
def _deepcopy(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    arity(args, kwargs, 1)
    return _copied(m, args[0], {})


def _copied(m: Machine, value: Abstract, memo: dict[int, Abstract] | None) -> Abstract:
    """Copy a value as the `copy` module does; with a memo, deeply."""
    from janus_mlir.capture import numpy as npy

    def inner(item: Abstract) -> Abstract:
        return item if memo is None else _copied(m, item, memo)

    match value:
        case Known() | Number() | ExtentNumber() | NumpyScalar() | TextValue() | FunctionValue() | JaxArray():
            # A copied JAX array is another object of the same content.
            return (
                replace(value, id=fresh_id(), source=None, choice=None, choices=())
                if isinstance(value, JaxArray)
                else value
            )
        case NumpyArray():
            if memo is not None and value.id in memo:
                return memo[value.id]
            made = npy.method(m, value, "copy", [], {})
            if memo is not None:
                memo[value.id] = made
            return made
        case TupleValue():
            items = tuple(map(inner, value.items))
            if all(a is b for a, b in zip(items, value.items, strict=True)):
                return value
            return TupleValue(items, value.cls)
        case ListRef() | DictRef() | SetRef() | ObjectRef():
            if memo is not None and value.id in memo:
                return memo[value.id]
            return _copied_object(m, value, memo)
    raise Break("JN301", f"copy of a {type(value).__name__}")


def _copied_object(m: Machine, value: Any, memo: dict[int, Abstract] | None) -> Abstract:
    handle = replace(value, id=fresh_id())
    if memo is not None:
        memo[value.id] = handle

    def inner(item: Abstract) -> Abstract:
        return item if memo is None else _copied(m, item, memo)

    match value:
        case ListRef():
            content = m.get(value.id)
            if isinstance(content, VectorContent):
                m.lending.unite(value.id, handle.id)
            else:
                content = ListContent(tuple(map(inner, list_items(m, value))))
            m.put(handle.id, content)
        case DictRef():
            if tables.content_of(m, value) is not None:
                return tables.copied(m, value)
            m.put(handle.id, DictContent(tuple((k, inner(v)) for k, v in dict_entries(m, value))))
        case SetRef():
            m.put(handle.id, m.get(value.id))
        case ObjectRef():
            names = attribute_names(m, value)
            m.outside.classes[handle.id] = m.outside.classes[value.id]
            copied = tuple((name, inner(get_attribute(m, value, name))) for name in names)
            m.put(handle.id, ObjectContent(copied))
    result: Abstract = handle
    return result


@registers(functools.wraps)
def _wraps(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    arity(args, kwargs, 1)
    return PartialValue(Known(functools.update_wrapper), (), (("wrapped", args[0]),))


@registers(functools.update_wrapper)
def _update_wrapper(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    wrapped = kwargs.get("wrapped") or args[1]
    wrapper = args[0]
    if not isinstance(wrapper, FunctionValue) or len(args) + len(kwargs) != 2:
        raise Break("JN301", "functools.update_wrapper of a function from outside")
    template = copy.copy(wrapper.template)
    template.wrapped = wrapped
    if isinstance(wrapped, FunctionValue):
        template.name = wrapped.template.name
    elif isinstance(wrapped, Known) and hasattr(wrapped.value, "__name__"):
        template.name = wrapped.value.__name__
    else:
        raise Break("JN301", "functools.update_wrapper by an object without a name")
    return replace(wrapper, template=template)


@registers(functools.reduce)
def _reduce(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    from janus_mlir.capture.calls import call_inline

    arity(args, kwargs, 2, 3)
    items = collect(m, args[1])
    if not isinstance(items, list):
        if len(args) == 2:
            raise Break("JN218", "reduce() of a run-time number of items without a first one")
        return library.call(m, library.reduce, args[0], items, args[2])
    if len(args) == 3:
        items.insert(0, args[2])
    if not items:
        raise Failed.by(functools.reduce, max, ())
    total = items[0]
    with m.keep(*items):
        for item in items[1:]:
            total = call_inline(m, args[0], [total, item])
    return total
