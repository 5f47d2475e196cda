"""Builtins that make or consume iterators and containers."""

from __future__ import annotations

import copy
import functools
from dataclasses import replace
from typing import TYPE_CHECKING

from janus_mlir.capture.breaks import Break, Failed
from janus_mlir.capture.containers import (
    build_set,
    constant_key,
    dict_entries,
    items_of,
    list_items,
    new_dict,
    new_list,
    set_item,
)
from janus_mlir.capture.heap import IteratorContent
from janus_mlir.capture.iteration import exhaust, get_iterator, make_iterator, next_item, reversed_range
from janus_mlir.capture.numbers import (
    fold_call,
)
from janus_mlir.capture.operators import truth
from janus_mlir.capture.text import format_value
from janus_mlir.capture.values import (
    Abstract,
    DictRef,
    FunctionValue,
    IteratorRef,
    Known,
    ListRef,
    Number,
    ObjectRef,
    PartialValue,
    RangeValue,
    SliceValue,
    TupleValue,
)

if TYPE_CHECKING:
    from janus_mlir.capture.machine import Machine


from janus_mlir.capture.builtin_numbers import keyed
from janus_mlir.capture.builtin_table import arity, registers


@registers(iter)
def _iter(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    arity(args, kwargs, 1)
    return get_iterator(m, args[0])


@registers(next)
def _next(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    arity(args, kwargs, 1, 2)
    if not isinstance(args[0], (IteratorRef, ObjectRef)):
        raise Break("JN301", "next() of an outside iterator")
    step = next_item(m, args[0])
    if step.more is True:
        return step.advance(m)
    if step.more is False:
        if len(args) == 2:
            return args[1]
        raise Failed(StopIteration)
    raise Break("JN208", "next() of an iterator that may be exhausted")


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
    kept = []
    for item in exhaust(m, get_iterator(m, args[1])):
        value = truth(m, keyed(m, args[0], item))
        if not isinstance(value, bool):
            raise Break("JN218", "filter() by a run-time condition")
        if value:
            kept.append(item)
    return make_iterator(m, IteratorContent("sequence", tuple(kept)))


@registers(reversed)
def _reversed(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    arity(args, kwargs, 1)
    if isinstance(args[0], RangeValue):
        return reversed_range(m, args[0])
    items = items_of(m, args[0])
    if items is None:
        raise Break("JN218", "reversed() of an object")
    return make_iterator(m, IteratorContent("sequence", tuple(reversed(items))))


@registers(sorted)
def _sorted(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    key = kwargs.pop("key", None)
    reverse = kwargs.pop("reverse", Known(False))
    arity(args, kwargs, 1)
    items = exhaust(m, get_iterator(m, args[0]))
    keys = [keyed(m, key, item) for item in items]
    if not isinstance(reverse, Known) or not all(isinstance(k, (Known, TupleValue)) for k in keys):
        raise Break("JN218", "sorted() by run-time values")
    try:
        plain = [constant_key(k) for k in keys]
        order = sorted(range(len(items)), key=lambda i: plain[i], reverse=bool(reverse.value))
    except TypeError as error:
        raise Failed.of(error) from None
    return new_list(m, tuple(items[i] for i in order))


@registers(list)
def _list(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    arity(args, kwargs, 0, 1)
    return new_list(m, tuple(exhaust(m, get_iterator(m, args[0]))) if args else ())


@registers(tuple)
def _tuple(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    arity(args, kwargs, 0, 1)
    if args and isinstance(args[0], TupleValue) and args[0].cls is tuple:
        return args[0]
    return TupleValue(tuple(exhaust(m, get_iterator(m, args[0]))) if args else ())


@registers(dict)
def _dict(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    if len(args) > 1:
        raise Break("JN208", "dict() takes one positional argument")
    handle = new_dict(m, ())
    if args and isinstance(args[0], DictRef):
        for key, item in dict_entries(m, args[0]):
            set_item(m, handle, Known(key), item)
    elif args:
        for pair in exhaust(m, get_iterator(m, args[0])):
            found = items_of(m, pair)
            if found is None or len(found) != 2:
                raise Break("JN214", "dict() of something that is not pairs")
            set_item(m, handle, found[0], found[1])
    for name, item in kwargs.items():
        set_item(m, handle, Known(name), item)
    return handle


@registers(set)
def _set(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    arity(args, kwargs, 0, 1)
    return build_set(m, tuple(exhaust(m, get_iterator(m, args[0]))) if args else ())


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
    match args[0]:
        case ListRef() as value:
            return new_list(m, list_items(m, value))
        case DictRef() as value:
            return new_dict(m, dict_entries(m, value))
        case TupleValue() | Known() | Number() as value:
            return value
    raise Break("JN301", "copy of an object")


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
    items = exhaust(m, get_iterator(m, args[1]))
    if len(args) == 3:
        items.insert(0, args[2])
    if not items:
        raise Failed.by(functools.reduce, max, ())
    total = items[0]
    for item in items[1:]:
        total = call_inline(m, args[0], [total, item])
    return total
