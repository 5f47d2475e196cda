"""Builtin functions, methods of builtin types, and construction of objects."""

from __future__ import annotations

import copy
import enum
import functools
import math
import operator
import types
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from janus_mlir.capture import numpy as npy
from janus_mlir.capture.breaks import Break
from janus_mlir.capture.containers import (
    append,
    build_set,
    constant_key,
    dict_entries,
    dict_get,
    get_item,
    items_of,
    length,
    list_items,
    new_dict,
    new_list,
    replace_items,
    set_item,
)
from janus_mlir.capture.graph import BOOL, FLOAT, Value
from janus_mlir.capture.heap import IteratorContent, SetContent
from janus_mlir.capture.iteration import exhaust, get_iterator, make_iterator, next_item
from janus_mlir.capture.numbers import (
    absolute,
    as_float,
    fold_call,
    guard_finite,
    is_number,
    make,
    round_number,
    select_number,
    to_float,
    to_int,
)
from janus_mlir.capture.operators import binary, compare, truth
from janus_mlir.capture.sites import SiteWriter
from janus_mlir.capture.text import build_string, format_value, snapshot
from janus_mlir.capture.values import (
    Abstract,
    DictRef,
    FunctionValue,
    IteratorRef,
    JaxArray,
    Known,
    ListRef,
    MemberValue,
    MethodValue,
    Number,
    NumpyArray,
    NumpyScalar,
    ObjectRef,
    RangeValue,
    SetRef,
    SliceValue,
    TupleValue,
)

if TYPE_CHECKING:
    from janus_mlir.capture.calls import Entered
    from janus_mlir.capture.machine import Machine

Handler = Callable[["Machine", list[Abstract], dict[str, Abstract]], Abstract]
_TABLE: dict[int, tuple[Any, Handler]] = {}


def _handles(*functions: Any) -> Callable[[Handler], Handler]:
    def register(handler: Handler) -> Handler:
        for function in functions:
            _TABLE[id(function)] = (function, handler)
        return handler

    return register


def handles(live: Any) -> bool:
    """Whether a callable is a builtin with a meaning of its own in capture."""
    entry = _TABLE.get(id(live))
    return entry is not None and entry[0] is live


def call_builtin(
    m: Machine, live: Any, args: list[Abstract], kwargs: dict[str, Abstract], dst: str
) -> Abstract:
    """Call a builtin."""
    return _TABLE[id(live)][1](m, args, kwargs)


def _arity(args: list[Abstract], kwargs: dict[str, Abstract], low: int, high: int | None = None) -> None:
    if kwargs or not low <= len(args) <= (low if high is None else high):
        raise Break("JN301", "a builtin with unusual arguments")


# ---- basic ---------------------------------------------------------------------------------


@_handles(len)
def _len(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    _arity(args, kwargs, 1)
    return length(m, args[0])


@_handles(range)
def _range(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    _arity(args, kwargs, 1, 3)
    parts = [_index(m, a) for a in args]
    if len(parts) == 1:
        parts = [Known(0), parts[0]]
    if len(parts) == 2:
        parts.append(Known(1))
    if isinstance(parts[2], Known) and parts[2].value == 0:
        raise Break("JN208", "range() arg 3 must not be zero")
    return RangeValue(*parts)


def _index(m: Machine, value: Abstract) -> Abstract:
    if isinstance(value, NumpyScalar) and value.dtype.kind in "iu":
        return npy.to_number(m, value, "int")
    if is_number(value) and not (isinstance(value, Known) and not isinstance(value.value, int)):
        if isinstance(value, Number) and value.kind != "int":
            raise Break("JN208", "an int is expected")
        return value
    raise Break("JN301", "an int is expected")


@_handles(print)
def _print(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    if not all(isinstance(v, Known) for v in kwargs.values()):
        raise Break("JN304", "print with run-time options")
    frozen = [snapshot(m, a) for a in args]

    def statement(w: SiteWriter) -> str:
        w.escapes = False
        parts = [w.expr(a) for a in frozen] + [f"{k}={w.constant(v.value)}" for k, v in kwargs.items()]  # type: ignore[attr-defined]
        return f"{w.constant(print)}({', '.join(parts)})"

    m.effect("print", statement)
    return Known(None)


@_handles(isinstance)
def _isinstance(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    from janus_mlir.capture.calls import class_of

    _arity(args, kwargs, 2)
    cls = class_of(args[0], m)
    target = _classes(args[1])
    if cls is None or target is None:
        raise Break("JN301", "isinstance of an unknown class")
    if isinstance(args[0], Known):
        return Known(isinstance(args[0].value, target))
    if isinstance(args[0], JaxArray):
        sample = jax.Array if jax.Array in (target if isinstance(target, tuple) else (target,)) else None
        return Known(sample is not None or issubclass(cls, target))
    return Known(issubclass(cls, target))


def _classes(value: Abstract) -> Any:
    if isinstance(value, Known) and isinstance(value.value, (type, types.UnionType, tuple)):
        return value.value
    if isinstance(value, TupleValue):
        found = [_classes(item) for item in value.items]
        return None if None in found else tuple(found)
    return None


@_handles(type)
def _type(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    from janus_mlir.capture.calls import class_of

    _arity(args, kwargs, 1)
    cls = class_of(args[0], m)
    if cls is None:
        raise Break("JN301", "type() of an unknown object")
    return Known(cls)


@_handles(callable)
def _callable(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    _arity(args, kwargs, 1)
    match args[0]:
        case FunctionValue() | MethodValue() | MemberValue():
            return Known(True)
        case Known(value=live):
            return Known(callable(live))
        case ObjectRef() as obj:
            return Known(callable(getattr(m.outside.classes[obj.id], "__call__", None)))
    return Known(False)


@_handles(getattr)
def _getattr(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    from janus_mlir.capture.attributes import get_attribute

    _arity(args, kwargs, 2, 3)
    name = constant_key(args[1])
    if len(args) == 3 and not _has(m, args[0], name):
        return args[2]
    return get_attribute(m, args[0], name)


@_handles(hasattr)
def _hasattr(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    _arity(args, kwargs, 2)
    return Known(_has(m, args[0], constant_key(args[1])))


def _has(m: Machine, value: Abstract, name: str) -> bool:
    from janus_mlir.capture.attributes import get_attribute
    from janus_mlir.capture.calls import class_of

    if isinstance(value, ObjectRef) and value.id in m.initial:
        content = m.get(value.id)
        live = m.outside.live(value.id)
        if content.get(name) is not None or hasattr(live, name):
            get_attribute(m, value, name)
            return True
        raise Break("JN207", f"`{name}` is absent from an object")
    if isinstance(value, Known):
        return hasattr(value.value, name)
    cls = class_of(value, m)
    if cls is None or isinstance(value, ObjectRef):
        raise Break("JN207", "hasattr of an unknown object")
    return hasattr(cls, name)


@_handles(setattr)
def _setattr(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    from janus_mlir.capture.attributes import set_attribute

    _arity(args, kwargs, 3)
    set_attribute(m, args[0], constant_key(args[1]), args[2])
    return Known(None)


@_handles(id)
def _id(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    raise Break("JN301", "id()")


@_handles(super)
def _super(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    frame = m.state.top
    if not args:
        params = list(frame.function.code.params)
        cell = frame.function.closure.get("__class__")
        if not params or cell is None:
            raise Break("JN301", "super() outside a method")
        from janus_mlir.capture.instructions import read_variable
        from janus_mlir.capture.sources import Cell

        if not isinstance(cell, Cell):
            raise Break("JN301", "super() of a class made in compiled code")
        args = [Known(cell.fetch(())), read_variable(m, params[0])]
    if len(args) != 2 or not isinstance(args[0], Known) or not isinstance(args[1], ObjectRef):
        raise Break("JN301", "super() with unusual arguments")
    return TupleValue((args[0], args[1]), SuperPair)


class DictView:
    """Marks the items of ``keys()``, ``values()`` or ``items()`` of a dict: good for iteration only."""


class SuperPair:
    """Marks the pair (class, object) of a ``super()`` value."""


def super_attribute(m: Machine, pair: TupleValue, name: str) -> Abstract:
    """Return ``super(cls, self).name``."""
    start, self = pair.items
    assert isinstance(start, Known) and isinstance(self, ObjectRef)
    mro = m.outside.classes[self.id].__mro__
    for cls in mro[mro.index(start.value) + 1 :]:
        if name in vars(cls):
            found = vars(cls)[name]
            if cls is object and name == "__init__":
                return MemberValue(TupleValue((), SuperPair), "__init__")
            if isinstance(found, types.FunctionType):
                return MethodValue(Known(found), self)
            if isinstance(found, property) and found.fget is not None:
                from janus_mlir.capture.calls import call_inline

                return call_inline(m, Known(found.fget), [self])
            break
    raise Break("JN207", f"super().{name}")


# ---- numbers ---------------------------------------------------------------------------------


@_handles(int)
def _int(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    return _number(m, args, kwargs, "int", int, to_int)


@_handles(float)
def _float(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    return _number(m, args, kwargs, "float", float, to_float)


def _number(
    m: Machine,
    args: list[Abstract],
    kwargs: dict[str, Abstract],
    kind: Any,
    function: Any,
    convert: Callable[[Machine, Abstract], Abstract],
) -> Abstract:
    if all(isinstance(a, Known) for a in args) and not kwargs:
        return fold_call(function, *args)
    _arity(args, kwargs, 1)
    value = args[0]
    if isinstance(value, (NumpyArray, NumpyScalar)):
        return npy.to_number(m, value, kind)
    if isinstance(value, JaxArray):
        from janus_mlir.capture.jaxcalls import to_number

        return to_number(m, value, kind)
    if is_number(value):
        return convert(m, value)
    raise Break("JN301", f"{kind}() of a {type(value).__name__}")


@_handles(bool)
def _bool(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    _arity(args, kwargs, 0, 1)
    if not args:
        return Known(False)
    value = truth(m, args[0])
    return Known(value) if isinstance(value, bool) else make("bool", value)


@_handles(abs)
def _abs(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    _arity(args, kwargs, 1)
    value = args[0]
    if isinstance(value, JaxArray):
        return _jax(m, abs, args)
    if isinstance(value, (NumpyArray, NumpyScalar)):
        return npy.call(m, np.absolute, args, {})
    if is_number(value):
        return absolute(m, value)
    raise Break("JN301", "abs() of an object")


def _jax(m: Machine, function: Any, args: list[Abstract]) -> Abstract:
    from janus_mlir.capture.jaxcalls import call_jax

    return call_jax(m, function, args, {})


@_handles(round)
def _round(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    if len(args) == 1 and is_number(args[0]) and not kwargs:
        return round_number(m, args[0])
    if all(isinstance(a, Known) for a in args) and not kwargs:
        return fold_call(round, *args)
    raise Break("JN301", "round() to digits, or of an array")


@_handles(divmod)
def _divmod(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    _arity(args, kwargs, 2)
    return TupleValue((binary(m, "floordiv", *args), binary(m, "mod", *args)))


@_handles(pow)
def _pow(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    _arity(args, kwargs, 2)
    return binary(m, "pow", *args)


def _extreme(op: str) -> Handler:
    def handler(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
        key = kwargs.pop("key", None)
        default = kwargs.pop("default", None)
        if kwargs:
            raise Break("JN301", "min/max with unusual arguments")
        items = exhaust(m, get_iterator(m, args[0])) if len(args) == 1 else args
        if not items:
            if default is not None:
                return default
            raise Break("JN208", "min/max of an empty sequence")
        best = items[0]
        best_key = _keyed(m, key, best)
        for item in items[1:]:
            item_key = _keyed(m, key, item)
            better = truth(m, compare(m, op, item_key, best_key))
            if isinstance(better, bool):
                if better:
                    best, best_key = item, item_key
                continue
            best = _choose(m, better, item, best)
            best_key = best if key is None else _choose(m, better, item_key, best_key)
        return best

    return handler


def _keyed(m: Machine, key: Abstract | None, item: Abstract) -> Abstract:
    from janus_mlir.capture.calls import call_inline

    if key is None or (isinstance(key, Known) and key.value is None):
        return item
    return call_inline(m, key, [item])


def _choose(m: Machine, cond: Value, a: Abstract, b: Abstract) -> Abstract:
    if is_number(a) and is_number(b):
        return select_number(m, cond, a, b)
    raise Break("JN504", "a run-time choice between objects")


_handles(min)(_extreme("lt"))
_handles(max)(_extreme("gt"))


@_handles(sum)
def _sum(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    start = kwargs.pop("start", args[1] if len(args) > 1 else Known(0))
    _arity(args[:1], kwargs, 1)
    total = start
    for item in exhaust(m, get_iterator(m, args[0])):
        total = binary(m, "add", total, item)
    return total


def _quantifier(stop: bool) -> Handler:
    def handler(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
        _arity(args, kwargs, 1)
        result: bool | Value = not stop
        for item in exhaust(m, get_iterator(m, args[0])):
            value = truth(m, item)
            if isinstance(value, bool):
                if value is stop:
                    if isinstance(result, bool):
                        return Known(stop)
                    return Known(stop)
                continue
            name = "arith.ori" if stop else "arith.andi"
            result = value if isinstance(result, bool) else m.b.one(name, [result, value], BOOL)
        return Known(result) if isinstance(result, bool) else make("bool", result)

    return handler


_handles(any)(_quantifier(True))
_handles(all)(_quantifier(False))


# ---- iteration ---------------------------------------------------------------------------------


@_handles(iter)
def _iter(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    _arity(args, kwargs, 1)
    return get_iterator(m, args[0])


@_handles(next)
def _next(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    _arity(args, kwargs, 1, 2)
    if not isinstance(args[0], IteratorRef):
        raise Break("JN301", "next() of an outside iterator")
    step = next_item(m, args[0])
    if step.more is True:
        return step.advance(m)
    if step.more is False and len(args) == 2:
        return args[1]
    raise Break("JN208", "next() of an iterator that may be exhausted")


@_handles(enumerate)
def _enumerate(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    start = kwargs.pop("start", args[1] if len(args) > 1 else Known(0))
    _arity(args[:1], kwargs, 1)
    inner = get_iterator(m, args[0])
    return make_iterator(m, IteratorContent("enumerate", (), (inner,), start))


@_handles(zip)
def _zip(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    strict = kwargs.pop("strict", Known(False))
    _arity(args, kwargs, len(args))
    iterators = tuple(get_iterator(m, a) for a in args)
    if isinstance(strict, Known) and not strict.value:
        return make_iterator(m, IteratorContent("zip", (), iterators))
    columns = [exhaust(m, it) for it in iterators]
    if len({len(column) for column in columns}) > 1:
        raise Break("JN208", "zip() arguments of different lengths")
    rows = tuple(TupleValue(row) for row in zip(*columns, strict=True))
    return make_iterator(m, IteratorContent("sequence", rows))


@_handles(map)
def _map(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    if kwargs or len(args) < 2:
        raise Break("JN301", "map() with unusual arguments")
    parts = (args[0], *(get_iterator(m, a) for a in args[1:]))
    return make_iterator(m, IteratorContent("map", (), parts))


@_handles(filter)
def _filter(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    _arity(args, kwargs, 2)
    kept = []
    for item in exhaust(m, get_iterator(m, args[1])):
        value = truth(m, _keyed(m, args[0], item))
        if not isinstance(value, bool):
            raise Break("JN222", "filter() by a run-time condition")
        if value:
            kept.append(item)
    return make_iterator(m, IteratorContent("sequence", tuple(kept)))


@_handles(reversed)
def _reversed(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    _arity(args, kwargs, 1)
    items = items_of(m, args[0])
    if items is None:
        raise Break("JN222", "reversed() of an object")
    return make_iterator(m, IteratorContent("sequence", tuple(reversed(items))))


@_handles(sorted)
def _sorted(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    key = kwargs.pop("key", None)
    reverse = kwargs.pop("reverse", Known(False))
    _arity(args, kwargs, 1)
    items = exhaust(m, get_iterator(m, args[0]))
    keys = [_keyed(m, key, item) for item in items]
    if not isinstance(reverse, Known) or not all(isinstance(k, (Known, TupleValue)) for k in keys):
        raise Break("JN222", "sorted() by run-time values")
    try:
        plain = [constant_key(k) for k in keys]
        order = sorted(range(len(items)), key=lambda i: plain[i], reverse=bool(reverse.value))
    except TypeError as error:
        raise Break("JN208", str(error)) from None
    return new_list(m, tuple(items[i] for i in order))


# ---- containers -----------------------------------------------------------------------------------


@_handles(list)
def _list(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    _arity(args, kwargs, 0, 1)
    return new_list(m, tuple(exhaust(m, get_iterator(m, args[0]))) if args else ())


@_handles(tuple)
def _tuple(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    _arity(args, kwargs, 0, 1)
    if args and isinstance(args[0], TupleValue) and args[0].cls is tuple:
        return args[0]
    return TupleValue(tuple(exhaust(m, get_iterator(m, args[0]))) if args else ())


@_handles(dict)
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
                raise Break("JN205", "dict() of something that is not pairs")
            set_item(m, handle, found[0], found[1])
    for name, item in kwargs.items():
        set_item(m, handle, Known(name), item)
    return handle


@_handles(set)
def _set(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    _arity(args, kwargs, 0, 1)
    return build_set(m, tuple(exhaust(m, get_iterator(m, args[0]))) if args else ())


@_handles(slice)
def _slice(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    _arity(args, kwargs, 1, 3)
    if all(isinstance(a, Known) for a in args):
        return fold_call(slice, *args)
    none = Known(None)
    parts = [none, args[0], none] if len(args) == 1 else [*args, none][:3]
    return SliceValue(*parts)


@_handles(str)
def _str(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    _arity(args, kwargs, 0, 1)
    return format_value(m, args[0], "s", None) if args else Known("")


@_handles(repr)
def _repr(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    _arity(args, kwargs, 1)
    return format_value(m, args[0], "r", None)


@_handles(format)
def _format(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    _arity(args, kwargs, 1, 2)
    return format_value(m, args[0], None, args[1] if len(args) == 2 else None)


@_handles(copy.copy)
def _copy(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    _arity(args, kwargs, 1)
    match args[0]:
        case ListRef() as value:
            return new_list(m, list_items(m, value))
        case DictRef() as value:
            return new_dict(m, dict_entries(m, value))
        case TupleValue() | Known() | Number() as value:
            return value
    raise Break("JN301", "copy of an object")


@_handles(functools.reduce)
def _reduce(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    from janus_mlir.capture.calls import call_inline

    _arity(args, kwargs, 2, 3)
    items = exhaust(m, get_iterator(m, args[1]))
    if len(args) == 3:
        items.insert(0, args[2])
    if not items:
        raise Break("JN208", "reduce() of an empty sequence")
    total = items[0]
    for item in items[1:]:
        total = call_inline(m, args[0], [total, item])
    return total


# ---- operator and math --------------------------------------------------------------------------------


def _register_operators() -> None:
    names = ("add", "sub", "mul", "matmul", "truediv", "floordiv", "mod", "pow", "and_", "or_", "xor", "lshift", "rshift")
    for name in names:

        def apply(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract], op: str = name) -> Abstract:
            _arity(args, kwargs, 2)
            return binary(m, op, *args)

        _handles(getattr(operator, name))(apply)
    for name in ("lt", "le", "eq", "ne", "gt", "ge"):

        def test(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract], op: str = name) -> Abstract:
            _arity(args, kwargs, 2)
            return compare(m, op, *args)

        _handles(getattr(operator, name))(test)

    @_handles(operator.getitem)
    def getitem(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
        _arity(args, kwargs, 2)
        return get_item(m, *args)


_register_operators()

#: ``math`` functions of one float: MLIR op, and the condition that CPython demands.
_MATH: dict[str, tuple[str, str]] = {
    "sqrt": ("math.sqrt", "nonnegative"), "exp": ("math.exp", "finite result"), "log": ("math.log", "positive"),
    "log2": ("math.log2", "positive"), "log10": ("math.log10", "positive"), "log1p": ("math.log1p", "above -1"),
    "sin": ("math.sin", "finite"), "cos": ("math.cos", "finite"), "tan": ("math.tan", "finite"),
    "tanh": ("math.tanh", ""), "atan": ("math.atan", ""), "fabs": ("math.absf", ""), "expm1": ("math.expm1", "finite result"),
    "erf": ("math.erf", ""), "sinh": ("math.sinh", "finite result"), "cosh": ("math.cosh", "finite result"),
}  # fmt: skip


def _math(name: str, op: str, domain: str) -> Handler:
    function = getattr(math, name)

    def handler(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
        if all(isinstance(a, Known) for a in args) and not kwargs:
            return fold_call(function, *args)
        _arity(args, kwargs, 1)
        x = as_float(m, _plain_float(m, args[0]))
        bounds = {"nonnegative": ("oge", 0.0), "positive": ("ogt", 0.0), "above -1": ("ogt", -1.0)}
        if domain in bounds:
            predicate, bound = bounds[domain]
            inside = m.b.one("arith.cmpf", [x, m.const(bound)], BOOL, predicate=predicate)
            m.guard(inside, "domain", text=f"the argument of math.{name} is in its domain")
        if domain == "finite":
            guard_finite(m, x, f"the argument of math.{name} is finite")
        result = m.b.one(op, [x], FLOAT)
        if domain == "finite result":
            guard_finite(m, result, f"math.{name} does not overflow")
        return make("float", result)

    return handler


def _plain_float(m: Machine, value: Abstract) -> Abstract:
    if is_number(value):
        return value
    if isinstance(value, JaxArray):
        from janus_mlir.capture.jaxcalls import to_number

        return to_number(m, value, "float")
    if isinstance(value, (NumpyArray, NumpyScalar)):
        return npy.to_number(m, value, "float")
    raise Break("JN208", "a number is expected")


for _name, (_op, _domain) in _MATH.items():
    _handles(getattr(math, _name))(_math(_name, _op, _domain))


def _float_test(name: str) -> Handler:
    def handler(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
        if all(isinstance(a, Known) for a in args):
            return fold_call(getattr(math, name), *args)
        _arity(args, kwargs, 1)
        x = as_float(m, _plain_float(m, args[0]))
        if name == "isnan":
            return make("bool", m.b.one("arith.cmpf", [x, x], BOOL, predicate="uno"))
        infinity = m.const(float("inf"))
        predicate = "oeq" if name == "isinf" else "olt"
        return make("bool", m.b.one("arith.cmpf", [m.b.one("math.absf", [x], FLOAT), infinity], BOOL, predicate=predicate))

    return handler


for _name in ("isnan", "isinf", "isfinite"):
    _handles(getattr(math, _name))(_float_test(_name))


def _to_whole(name: str, op: str) -> Handler:
    def handler(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
        if all(isinstance(a, Known) for a in args):
            return fold_call(getattr(math, name), *args)
        _arity(args, kwargs, 1)
        value = _plain_float(m, args[0])
        if not (isinstance(value, Number) and value.kind == "float"):
            return to_int(m, value)
        return to_int(m, make("float", m.b.one(op, [value.ref], FLOAT)))

    return handler


for _name, _op in (("floor", "math.floor"), ("ceil", "math.ceil"), ("trunc", "math.trunc")):
    _handles(getattr(math, _name))(_to_whole(_name, _op))


def _math_constant(function: Any) -> Handler:
    def handler(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
        if all(isinstance(a, Known) for a in args) and not kwargs:
            return fold_call(function, *args)
        raise Break("JN301", f"math.{function.__name__} of run-time values")

    return handler


for _name in dir(math):
    _function = getattr(math, _name)
    if callable(_function) and not handles(_function) and not _name.startswith("_"):
        _handles(_function)(_math_constant(_function))


# ---- methods of builtin types ------------------------------------------------------------------------------


def call_member(
    m: Machine, self: Abstract, name: str, args: list[Abstract], kwargs: dict[str, Abstract]
) -> Abstract:
    """Call a method of a builtin type on an abstract value."""
    match self:
        case JaxArray():
            from janus_mlir.capture.jaxcalls import call_array_method

            return call_array_method(m, self, name, args, kwargs)
        case NumpyArray() | NumpyScalar():
            return npy.method(m, self, name, args, kwargs)
        case ListRef():
            return _list_method(m, self, name, args, kwargs)
        case DictRef():
            return _dict_method(m, self, name, args, kwargs)
        case SetRef():
            return _set_method(m, self, name, args, kwargs)
        case TupleValue() if self.cls is SuperPair:
            return Known(None)
        case TupleValue() if name in ("index", "count", "_asdict", "_replace"):
            return _tuple_method(m, self, name, args, kwargs)
        case Number() if name == "is_integer" and self.kind == "float":
            truncated = m.b.one("math.floor", [self.ref], FLOAT)
            return make("bool", m.b.one("arith.cmpf", [truncated, self.ref], BOOL, predicate="oeq"))
        case Known():
            return _known_method(m, self, name, args, kwargs)
    raise Break("JN301", f"method `{name}` of a {type(self).__name__}")


def _known_method(
    m: Machine, self: Known, name: str, args: list[Abstract], kwargs: dict[str, Abstract]
) -> Abstract:
    live = self.value
    if isinstance(live, str) and name == "join" and len(args) == 1:
        items = exhaust(m, get_iterator(m, args[0]))
        parts: list[Abstract] = []
        for i, item in enumerate(items):
            parts += [Known(live)] if i else []
            parts.append(item)
        return build_string(parts)
    if isinstance(live, str) and name == "format":
        return _format_method(m, live, args, kwargs)
    if isinstance(live, (str, bytes, int, float, frozenset, range, np.dtype)) and not isinstance(live, enum.Enum):
        values = [_plain(m, a) for a in args]
        named = {k: _plain(m, v) for k, v in kwargs.items()}
        try:
            return _plain_result(m, getattr(live, name)(*values, **named))
        except Exception as error:  # the user's own error, which Python will raise again
            raise Break("JN208", f"{type(error).__name__}: {error}") from None
    raise Break("JN301", f"method `{name}` of a {type(live).__name__}")


def _plain(m: Machine, value: Abstract) -> Any:
    if isinstance(value, Known):
        return value.value
    if isinstance(value, TupleValue):
        return tuple(_plain(m, item) for item in value.items)
    raise Break("JN213", "a string operation on run-time values")


def _plain_result(m: Machine, value: Any) -> Abstract:
    if type(value) is list:
        return new_list(m, tuple(_plain_result(m, v) for v in value))
    return Known(value)


def _format_method(m: Machine, text: str, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    import string

    parts: list[Abstract] = []
    automatic = 0
    for literal, field, spec, conversion in string.Formatter().parse(text):
        parts.append(Known(literal))
        if field is None:
            continue
        if field == "":
            value, automatic = args[automatic : automatic + 1], automatic + 1
        elif field.isdigit():
            value = args[int(field) : int(field) + 1]
        else:
            value = [kwargs[field]] if field in kwargs else []
        if not value or (spec and "{" in spec):
            raise Break("JN213", "str.format with unusual fields")
        parts.append(format_value(m, value[0], conversion, Known(spec) if spec else None))
    return build_string(parts)


def _list_method(
    m: Machine, self: ListRef, name: str, args: list[Abstract], kwargs: dict[str, Abstract]
) -> Abstract:
    if kwargs:
        raise Break("JN301", f"list.{name} with keyword arguments")
    if name == "append" and len(args) == 1:
        append(m, self, args[0])
        return Known(None)
    if name == "extend" and len(args) == 1:
        for item in exhaust(m, get_iterator(m, args[0])):
            append(m, self, item)
        return Known(None)
    items = list_items(m, self)
    if name == "copy" and not args:
        return new_list(m, items)
    if name == "clear" and not args:
        replace_items(m, self, (), "list.clear", "{0}.clear()")
        return Known(None)
    if name == "reverse" and not args:
        replace_items(m, self, items[::-1], "list.reverse", "{0}.reverse()")
        return Known(None)
    if name == "pop" and len(args) <= 1 and all(isinstance(a, Known) for a in args):
        index = args[0].value if args else -1  # type: ignore[attr-defined]
        if not items or not -len(items) <= index < len(items):
            raise Break("JN208", "pop from an empty list")
        rest = list(items)
        found = rest.pop(index)
        replace_items(m, self, tuple(rest), "list.pop", "{0}.pop({1})", Known(index))
        return found
    if name == "insert" and len(args) == 2 and isinstance(args[0], Known):
        new = list(items)
        new.insert(args[0].value, args[1])
        replace_items(m, self, tuple(new), "list.insert", "{0}.insert({1}, {2})", *args)
        return Known(None)
    if name in ("index", "count"):
        return _tuple_method(m, TupleValue(items), name, args, kwargs)
    raise Break("JN301", f"list.{name}")


def _tuple_method(
    m: Machine, self: TupleValue, name: str, args: list[Abstract], kwargs: dict[str, Abstract]
) -> Abstract:
    fields = getattr(self.cls, "_fields", ())
    if name == "_asdict" and not args:
        return new_dict(m, tuple(zip(fields, self.items, strict=True)))
    if name == "_replace" and not args and all(k in fields for k in kwargs):
        return TupleValue(tuple(kwargs.get(f, old) for f, old in zip(fields, self.items, strict=True)), self.cls)
    if len(args) == 1:
        equal = [truth(m, compare(m, "eq", item, args[0])) for item in self.items]
        if all(isinstance(e, bool) for e in equal):
            if name == "count":
                return Known(sum(bool(e) for e in equal))
            if True in equal:
                return Known(equal.index(True))
            raise Break("JN208", "value not in the sequence")
    raise Break("JN301", f"tuple.{name}")


def _dict_method(
    m: Machine, self: DictRef, name: str, args: list[Abstract], kwargs: dict[str, Abstract]
) -> Abstract:
    if name == "get" and 1 <= len(args) <= 2:
        found = dict_get(m, self, constant_key(args[0]))
        return found if found is not None else (args[1] if len(args) == 2 else Known(None))
    if name == "setdefault" and len(args) == 2:
        found = dict_get(m, self, constant_key(args[0]))
        if found is None:
            set_item(m, self, args[0], args[1])
        return found if found is not None else args[1]
    if name == "update":
        if args:
            other = args[0]
            if not isinstance(other, DictRef):
                raise Break("JN205", "dict.update of something that is not a dict")
            for key, item in dict_entries(m, other):
                set_item(m, self, Known(key), item)
        for key, item in kwargs.items():
            set_item(m, self, Known(key), item)
        return Known(None)
    if name == "pop" and args:
        key = constant_key(args[0])
        found = dict_get(m, self, key)
        if found is None:
            if len(args) == 2:
                return args[1]
            raise Break("JN208", f"KeyError: {key!r}")
        from janus_mlir.capture.containers import delete_item

        delete_item(m, self, args[0])
        return found
    entries = dict_entries(m, self)
    if name == "copy" and not args:
        return new_dict(m, entries)
    if name == "keys" and not args:
        return TupleValue(tuple(Known(k) for k, _ in entries), DictView)
    if name == "values" and not args:
        return TupleValue(tuple(v for _, v in entries), DictView)
    if name == "items" and not args:
        return TupleValue(tuple(TupleValue((Known(k), v)) for k, v in entries), DictView)
    raise Break("JN301", f"dict.{name}")


def _set_method(
    m: Machine, self: SetRef, name: str, args: list[Abstract], kwargs: dict[str, Abstract]
) -> Abstract:
    content: SetContent = m.get(self.id)
    if name == "add" and len(args) == 1 and not m.is_outside(self.id):
        key = constant_key(args[0])
        if key not in content.items:
            m.put(self.id, SetContent((*content.items, key)))
        return Known(None)
    raise Break("JN301", f"set.{name}")


# ---- construction ---------------------------------------------------------------------------------------------


def construct(
    m: Machine, cls: type, args: list[Abstract], kwargs: dict[str, Abstract], dst: str
) -> Abstract | Entered:
    """Call a class."""
    from janus_mlir.capture.calls import make_instance

    if issubclass(cls, BaseException):
        raise Break("JN208", f"{cls.__name__} is made here")
    if issubclass(cls, tuple) and hasattr(cls, "_fields") and cls.__new__.__code__.co_filename.startswith("<"):  # type: ignore[attr-defined]
        return _named_tuple(m, cls, args, kwargs)
    if issubclass(cls, enum.Enum) and len(args) == 1 and isinstance(args[0], Known):
        return fold_call(cls, args[0])
    if cls is functools.partial:
        raise Break("JN301", "functools.partial")
    if cls.__module__ in ("builtins", "collections") or issubclass(cls, tuple):
        raise Break("JN301", f"`{cls.__qualname__}`")
    return make_instance(m, cls, args, kwargs, dst)


def _named_tuple(m: Machine, cls: Any, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    fields = cls._fields
    values = dict(zip(fields, args, strict=False))
    for name, item in kwargs.items():
        if name in values or name not in fields:
            raise Break("JN208", f"{cls.__name__}() got an unexpected argument `{name}`")
        values[name] = item
    for name in fields:
        if name not in values:
            if name not in cls._field_defaults:
                raise Break("JN208", f"{cls.__name__}() misses argument `{name}`")
            values[name] = Known(cls._field_defaults[name])
    return TupleValue(tuple(values[f] for f in fields), cls)


