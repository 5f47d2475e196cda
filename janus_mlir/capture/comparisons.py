"""Comparison of lists, tuples, dicts and dataclasses, item by item."""

from __future__ import annotations

import collections
import dataclasses
import operator
import sys
import types
from typing import TYPE_CHECKING

from janus_mlir.capture import counters, sets
from janus_mlir.capture.breaks import Break
from janus_mlir.capture.calls import class_of
from janus_mlir.capture.dynamic import tables
from janus_mlir.capture.graph import BOOL, Value
from janus_mlir.capture.heap import VectorContent
from janus_mlir.capture.library import lists as library
from janus_mlir.capture.numbers import is_number, make, select_number
from janus_mlir.capture.operators import compare, kind_name, truth, unary
from janus_mlir.capture.scalars import NEVER_NUMBERS, differ
from janus_mlir.capture.values import (
    Abstract,
    Boxed,
    DictRef,
    HeapRef,
    JaxArray,
    Known,
    ListRef,
    NumpyArray,
    ObjectRef,
    SetRef,
    TextValue,
    TupleValue,
    UnionValue,
)

if TYPE_CHECKING:
    from janus_mlir.capture.machine import Machine


def compare_sequences(m: Machine, op: str, a: Abstract, b: Abstract) -> Abstract:
    from janus_mlir.capture.containers import items_of

    if isinstance(a, SetRef) or isinstance(b, SetRef):
        return sets.compare(m, op, a, b)
    if isinstance(a, DictRef) and isinstance(b, DictRef) and op in ("eq", "ne"):
        return _equal_dicts(m, op, a, b)
    lists = [x for x in (a, b) if isinstance(x, ListRef)]
    if len(lists) == 2 and any(isinstance(m.get(x.id), VectorContent) for x in lists):
        if op in ("eq", "ne"):
            same = library.call(m, library.equal, a, b)
            return same if op == "eq" else unary(m, "not_", same)
        x, y = (a, b) if op in ("lt", "le") else (b, a)
        return library.call(m, library.less, x, y, Known(op in ("le", "ge")))
    if op in ("lt", "le", "gt", "ge") and _base(a) is _base(b) and _base(a) in (list, tuple):
        xs, ys = items_of(m, a), items_of(m, b)
        if xs is not None and ys is not None:
            return _ordered(m, op, xs, ys)
    if op in ("eq", "ne"):
        if _base(a) is _base(b) is tuple and class_of(a, None) is not class_of(b, None):
            xs, ys = items_of(m, a), items_of(m, b)
            if xs is not None and ys is not None:
                return _equal_items(m, op, xs, ys)
        if class_of(a, None) is not class_of(b, None) and not (is_number(a) or is_number(b)):
            if all(class_of(x, None) in NEVER_NUMBERS for x in (a, b)):
                return Known(op == "ne")
        elif is_number(a) != is_number(b) and any(class_of(x, None) in NEVER_NUMBERS for x in (a, b)):
            return Known(op == "ne")
        elif _plain_sequence(class_of(a, None)):
            xs, ys = items_of(m, a), items_of(m, b)
            if xs is not None and ys is not None:
                return _equal_items(m, op, xs, ys)
    raise Break("JN212", f"comparison {op} of {kind_name(a)} and {kind_name(b)}")


def _plain_sequence(cls: type | None) -> bool:
    """Whether objects of a class are equal if their items are, one by one."""
    return cls is list or (cls is not None and issubclass(cls, tuple) and cls.__eq__ is tuple.__eq__)


def _base(value: Abstract) -> type | None:
    """Return the class that decides how a value compares: a named tuple does so as a tuple."""
    cls = class_of(value, None)
    plain = (
        cls is not None
        and issubclass(cls, tuple)
        and cls.__eq__ is tuple.__eq__
        and cls.__lt__ is tuple.__lt__
    )
    return tuple if plain else cls


def _ordered(m: Machine, op: str, xs: list[Abstract], ys: list[Abstract]) -> Abstract:
    """Compare sequences item by item: the first difference decides."""
    result: Abstract = Known(bool(getattr(operator, op)(len(xs), len(ys))))
    strict = {"lt": "lt", "le": "lt", "gt": "gt", "ge": "gt"}[op]
    pairs = list(zip(xs, ys, strict=False))
    for i, (x, y) in enumerate(pairs):
        if differ(x, y):
            del pairs[i + 1 :]  # Python looks no further
            break
    plain = (Known, TupleValue, Boxed, TextValue, UnionValue)
    if not all((is_number(v) or isinstance(v, plain)) for pair in pairs for v in pair):
        raise Break("JN212", f"comparison {op} of sequences of arrays or objects")
    for x, y in reversed(pairs):
        same = truth(m, compare(m, "eq", x, y))
        if same is True:
            continue
        decided = compare(m, strict, x, y)
        result = decided if same is False else select_number(m, same, result, decided)
    return result


def _equal_dicts(m: Machine, op: str, a: DictRef, b: DictRef) -> Abstract:
    from janus_mlir.capture.containers import dict_entries

    if counters.is_counter(a) and counters.is_counter(b):
        return counters.equal(m, op, a, b)
    ordered = a.cls is b.cls is collections.OrderedDict
    if any(tables.content_of(m, x) is not None for x in (a, b)):
        if ordered:
            raise Break("JN214", "a comparison of two OrderedDicts, which looks at their order,")
        same = tables.equal(m, a, b)
        return same if op == "eq" else unary(m, "not_", same)
    first, second = dict(dict_entries(m, a)), dict(dict_entries(m, b))
    if first.keys() != second.keys() or (ordered and list(first) != list(second)):
        return Known(op == "ne")
    if a.id == b.id:
        return Known(op == "eq")
    return _equal_items(m, op, list(first.values()), [second[k] for k in first])


def _equal_items(m: Machine, op: str, xs: list[Abstract], ys: list[Abstract]) -> Abstract:
    if len(xs) != len(ys):
        return Known(op == "ne")
    result: bool | Value = True
    for x, y in zip(xs, ys, strict=True):
        if isinstance(x, (JaxArray, NumpyArray, HeapRef)) and isinstance(y, type(x)) and x.id == y.id:
            continue  # containers take the same object for equal
        if isinstance(x, (JaxArray, NumpyArray)) or isinstance(y, (JaxArray, NumpyArray)):
            raise Break("JN212", "comparison of containers of arrays")
        result = _both(m, result, truth(m, compare(m, "eq", x, y)))
        if result is False:
            break
    return _decided(m, op, result)


def equal_dataclasses(m: Machine, op: str, a: ObjectRef, b: ObjectRef) -> Abstract | None:
    """Compare two objects of one dataclass whose ``__eq__`` was generated, None if they are not such."""
    from janus_mlir.capture.attributes import get_attribute, guard_method

    cls = m.outside.classes[a.id]
    made = vars(cls).get("__eq__")
    generated = isinstance(made, types.FunctionType) and made.__code__.co_filename == "<string>"
    if cls is not m.outside.classes[b.id] or not dataclasses.is_dataclass(cls) or not generated:
        return None
    if "__ne__" in vars(cls):
        return None
    guard_method(m, a, "__eq__", made)
    names = [f.name for f in dataclasses.fields(cls) if f.compare]
    xs, ys = ([get_attribute(m, x, name) for name in names] for x in (a, b))
    if sys.version_info >= (3, 13):
        return _equal_fields(m, op, a.id == b.id, xs, ys)
    return _equal_items(m, op, xs, ys)


def _equal_fields(m: Machine, op: str, same: bool, xs: list[Abstract], ys: list[Abstract]) -> Abstract:
    """Compare as a ``__eq__`` does that dataclasses make from 3.13 on: by ``==`` of each field.

    Unlike items of containers, the same NaN or array in both is not taken for equal unasked; the objects
    themselves are.
    """
    if same:
        return Known(op == "eq")
    if any(isinstance(x, (JaxArray, NumpyArray)) for x in (*xs, *ys)):
        raise Break("JN212", "comparison of dataclasses with arrays")
    result: bool | Value = True
    for x, y in zip(xs, ys, strict=True):
        result = _both(m, result, truth(m, compare(m, "eq", x, y)))
        if result is False:
            break  # Python looks no further
    return _decided(m, op, result)


def _both(m: Machine, a: bool | Value, b: bool | Value) -> bool | Value:
    """Return the conjunction of two conditions."""
    if isinstance(a, bool):
        return b if a else False
    if isinstance(b, bool):
        return a if b else False
    return m.b.one("arith.andi", [a, b], BOOL)


def _decided(m: Machine, op: str, equal: bool | Value) -> Abstract:
    """Return the Python bool of ``==`` or ``!=`` from whether two values are equal."""
    if isinstance(equal, bool):
        return Known(equal == (op == "eq"))
    if op == "ne":
        equal = m.b.one("arith.xori", [equal, m.const(True)], BOOL)
    return make("bool", equal)


def ordered_dataclasses(m: Machine, op: str, a: ObjectRef, b: ObjectRef) -> Abstract | None:
    """Compare two objects of one dataclass whose order was generated, None if they are not such."""
    from janus_mlir.capture.attributes import get_attribute, guard_method

    cls = m.outside.classes[a.id]
    made = vars(cls).get(f"__{op}__")
    generated = isinstance(made, types.FunctionType) and made.__code__.co_filename == "<string>"
    if cls is not m.outside.classes[b.id] or not dataclasses.is_dataclass(cls) or not generated:
        return None
    guard_method(m, a, f"__{op}__", made)
    names = [f.name for f in dataclasses.fields(cls) if f.compare]
    xs, ys = ([get_attribute(m, x, name) for name in names] for x in (a, b))
    return _ordered(m, op, xs, ys)
