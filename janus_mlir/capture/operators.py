"""Operators on abstract values: which family of semantics applies, and user-defined operator methods."""

from __future__ import annotations

import dataclasses
import enum
import operator
import sys
import types
from typing import TYPE_CHECKING, Any

import numpy as np

from janus_mlir.capture import complexes, compressed, library, live, sets
from janus_mlir.capture import numpy as npy
from janus_mlir.capture.breaks import Break, Failed
from janus_mlir.capture.graph import BOOL, Value
from janus_mlir.capture.heap import VectorContent
from janus_mlir.capture.numbers import (
    compare_numbers,
    is_number,
    make,
    number_binary,
    number_unary,
    select_number,
    truth_of,
)
from janus_mlir.capture.scalars import NEVER_NUMBERS, differ, number_kind, same_constant
from janus_mlir.capture.slots import REFLECTED, SLOTS, as_plain
from janus_mlir.capture.text import percent
from janus_mlir.capture.values import (
    Abstract,
    ComplexValue,
    CompressedRef,
    DictRef,
    ExtentNumber,
    FunctionValue,
    HeapRef,
    JaxArray,
    Known,
    ListRef,
    LiveObject,
    LiveType,
    MethodValue,
    Number,
    NumpyArray,
    NumpyScalar,
    ObjectRef,
    RangeValue,
    SetRef,
    TextValue,
    TupleValue,
    ViewValue,
    constants,
)

if TYPE_CHECKING:
    from janus_mlir.capture.machine import Machine

_ARRAYS = (NumpyArray, NumpyScalar)


def binary(m: Machine, op: str, a: Abstract, b: Abstract) -> Abstract:
    """Return ``a op b``."""
    if isinstance(a, JaxArray) or isinstance(b, JaxArray):
        return _jax(m, op, a, b)
    if isinstance(a, CompressedRef) or isinstance(b, CompressedRef):
        return compressed.elementwise(m, lambda x, y: npy.binary(m, op, x, y), [a, b])
    if isinstance(a, ObjectRef) or isinstance(b, ObjectRef):
        return _user_binary(m, op, a, b)
    a, b = as_plain(a, b), as_plain(b, a)
    if isinstance(a, _ARRAYS) or isinstance(b, _ARRAYS):
        return npy.binary(m, op, a, b)
    if complexes.involves(a, b):
        return complexes.binary(m, op, a, b)
    if is_number(a) and is_number(b):
        return number_binary(m, op, a, b)
    return _sequences(m, op, a, b)


def _jax(m: Machine, op: str, *operands: Abstract) -> Abstract:
    from janus_mlir.capture.jaxcalls import call_jax

    return call_jax(m, getattr(operator, op), list(operands), {})


def _sequences(m: Machine, op: str, a: Abstract, b: Abstract) -> Abstract:
    from janus_mlir.capture.containers import list_items, new_list

    if isinstance(a, Known) and isinstance(b, Known):
        return _known(op, a.value, b.value)
    if op == "add":
        if isinstance(a, TupleValue) and isinstance(b, TupleValue):
            return TupleValue((*a.items, *b.items))
        if isinstance(a, TupleValue) and isinstance(b, Known) and type(b.value) is tuple:
            return TupleValue((*a.items, *map(Known, b.value)))
        if isinstance(b, TupleValue) and isinstance(a, Known) and type(a.value) is tuple:
            return TupleValue((*map(Known, a.value), *b.items))
        if isinstance(a, ListRef) and isinstance(b, ListRef) and a.cls is b.cls is list:
            if any(isinstance(m.get(x.id), VectorContent) for x in (a, b)):
                return library.call(m, library.concatenated, a, b)
            return new_list(m, (*list_items(m, a), *list_items(m, b)))
        if isinstance(a, (Known, TextValue)) and isinstance(b, (Known, TextValue)):
            return _join_text(a, b)
    if op == "mul" and isinstance(a, ListRef) and a.cls is list and number_kind(b) == "int":  # noqa: SIM102
        if isinstance(m.get(a.id), VectorContent) or not isinstance(b, Known):
            return library.call(m, library.repeated, a, b)
    if op == "mul" and isinstance(b, ListRef) and not isinstance(b, Known) and number_kind(a) == "int":
        return _sequences(m, op, b, a)
    if op == "mul" and isinstance(a, TextValue) and isinstance(b, Known) and type(b.value) is int:
        return TextValue(a.parts * b.value)
    if op == "or_" and isinstance(a, DictRef) and isinstance(b, DictRef):
        return _merged(m, a, b)
    if op in sets.OPERATORS:
        found = sets.binary(m, op, a, b)
        if found is not None:
            return found
    if op == "mul" and isinstance(b, Known) and type(b.value) is int:
        if isinstance(a, TupleValue):
            return TupleValue(a.items * b.value)
        if isinstance(a, ListRef):
            return new_list(m, list_items(m, a) * b.value)
    if op == "mul" and isinstance(a, Known) and type(a.value) is int and isinstance(b, (TupleValue, ListRef)):
        return _sequences(m, op, b, a)
    if op == "mod" and isinstance(a, Known) and isinstance(a.value, str):
        given = constants(b.items) if isinstance(b, TupleValue) else None
        if given is not None:
            return _known(op, a.value, tuple(given))
        return percent(m, a.value, b)
    raise Break("JN212", f"operator {op} on {_kind(a)} and {_kind(b)}")


def _merged(m: Machine, a: DictRef, b: DictRef) -> Abstract:
    from janus_mlir.capture.containers import dict_entries
    from janus_mlir.capture.heap import DictContent

    content = DictContent(dict_entries(m, a))
    for key, value in dict_entries(m, b):
        content = content.set(key, value)
    handle = DictRef(cls=a.cls, factory=a.factory)
    m.put(handle.id, content)
    return handle


def _join_text(a: Abstract, b: Abstract) -> Abstract:
    parts: list[Any] = []
    for value in (a, b):
        if isinstance(value, TextValue):
            parts.extend(value.parts)
        elif isinstance(value, Known) and isinstance(value.value, str):
            parts.append(value.value)
        else:
            raise Break("JN208", "a string and something else are added")
    return TextValue(tuple(parts))


def _known(op: str, *values: Any) -> Abstract:
    """Apply an operator to constants; only where the types are immutable builtins."""
    if not all(_foldable(v) for v in values):
        raise Break("JN212", f"operator {op} on {' and '.join(type(v).__name__ for v in values)}")
    try:
        return Known(getattr(operator, op)(*values))
    except Exception as error:  # the user's own error, which Python will raise again
        raise Failed.of(error) from None


def _foldable(value: Any) -> bool:

    return (
        value is None
        or isinstance(
            value, (str, bytes, int, float, complex, type, types.UnionType, range, slice, enum.Enum)
        )
        or (type(value) in (tuple, frozenset) and all(_foldable(v) for v in value))
        or type(value).__module__ == "numpy"
    )


def inplace(m: Machine, op: str, a: Abstract, b: Abstract) -> Abstract:
    """Return what ``a op= b`` leaves in ``a``."""
    if isinstance(a, NumpyArray) and not isinstance(b, JaxArray):
        return npy.inplace(m, op, a, b)
    if isinstance(a, ListRef) and op == "add":
        from janus_mlir.capture.members import extend

        extend(m, a, b)
        return a
    if isinstance(a, CompressedRef):
        changed = compressed.elementwise(m, lambda *xs: npy.inplace(m, op, *xs), [a, b])
        assert isinstance(changed, CompressedRef)
        m.put(a.id, m.get(changed.id))
        return a
    if isinstance(a, DictRef) and op == "or_":
        from janus_mlir.capture.members import call_member

        call_member(m, a, "update", [b], {})
        return a
    if isinstance(a, SetRef) and a.cls is set and op in sets.IN_PLACE:
        return sets.update(m, a, sets.IN_PLACE[op], b)
    if isinstance(a, DictRef):
        raise Break("JN212", f"in-place operator {op} on a dict")
    if isinstance(a, ObjectRef):
        from janus_mlir.capture.attributes import class_attribute

        function = class_attribute(m, a, f"__i{SLOTS[op]}__")
        if function is not None:
            from janus_mlir.capture.calls import call_inline

            return call_inline(m, function, [a, b])
    try:
        return binary(m, op, a, b)
    except Failed as failed:
        # Python names the operator that stands in the source.
        raise Break(failed.reason_code, failed.detail) if failed.cls is TypeError else failed from None


def unary(m: Machine, op: str, a: Abstract) -> Abstract:
    """Return ``op a``."""
    if op == "not_":
        value = truth(m, a)
        if isinstance(value, bool):
            return Known(not value)
        return make("bool", m.b.one("arith.xori", [value, m.const(True)], BOOL))
    if isinstance(a, JaxArray):
        return _jax(m, op, a)
    if isinstance(a, CompressedRef):
        return compressed.elementwise(m, lambda x: npy.unary(m, op, x), [a])
    if isinstance(a, _ARRAYS):
        return npy.unary(m, op, a)
    if isinstance(a, ComplexValue):
        return complexes.unary(m, op, a)
    if is_number(a):
        return number_unary(m, op, a)
    if isinstance(a, Known):
        return _known(op, a.value)
    if isinstance(a, ObjectRef):
        from janus_mlir.capture.attributes import class_attribute
        from janus_mlir.capture.calls import call_inline

        function = class_attribute(m, a, f"__{op}__")
        if function is not None:
            return call_inline(m, function, [a])
    raise Break("JN212", f"operator {op} on {_kind(a)}")


def compare(m: Machine, op: str, a: Abstract, b: Abstract) -> Abstract:
    """Return ``a op b`` of a comparison, ``is`` included."""
    if isinstance(a, (LiveObject, LiveType)) or isinstance(b, (LiveObject, LiveType)):
        if op in ("is_", "is_not"):
            return live.identical(m, a, b, negate=op == "is_not")
        a, b = live.forced(m, a), live.forced(m, b)
        if isinstance(a, (LiveObject, LiveType)) or isinstance(b, (LiveObject, LiveType)):
            if op not in ("eq", "ne"):
                raise Break("JN212", "an ordering of live objects")
            return live.equal(m, a, b, negate=op == "ne")
    if op in ("is_", "is_not"):
        same = identical(m, a, b)
        return Known(same if op == "is_" else not same)
    if isinstance(a, JaxArray) or isinstance(b, JaxArray):
        if any(isinstance(x, Known) and (x.value is None or isinstance(x.value, str)) for x in (a, b)):
            return Known(op == "ne")
        return _jax(m, op, a, b)
    if isinstance(a, CompressedRef) or isinstance(b, CompressedRef):
        return compressed.elementwise(m, lambda x, y: npy.compare(m, op, x, y), [a, b])
    if isinstance(a, ObjectRef) or isinstance(b, ObjectRef):
        return _user_compare(m, op, a, b)
    if isinstance(a, _ARRAYS) or isinstance(b, _ARRAYS):
        return npy.compare(m, op, a, b)
    a, b = as_plain(a, b), as_plain(b, a)
    if complexes.involves(a, b):
        return complexes.compare(m, op, a, b)
    if is_number(a) and is_number(b):
        result = compare_numbers(m, op, a, b)
        return Known(result) if isinstance(result, bool) else make("bool", result)
    if isinstance(a, Known) and isinstance(b, Known):
        if op in ("eq", "ne") and not (_foldable(a.value) and _foldable(b.value)):
            if a.value is b.value:
                return Known(op == "eq")
            if isinstance(a.value, np.dtype) or isinstance(b.value, np.dtype):
                return Known(bool(getattr(operator, op)(a.value, b.value)))
            raise Break("JN212", f"comparison of {_kind(a)} and {_kind(b)}")
        return _known(op, a.value, b.value)
    return _compare_sequences(m, op, a, b)


def _compare_sequences(m: Machine, op: str, a: Abstract, b: Abstract) -> Abstract:
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
        if _base(a) is _base(b) is tuple and _class_of(a) is not _class_of(b):
            xs, ys = items_of(m, a), items_of(m, b)
            if xs is not None and ys is not None:
                return _equal_items(m, op, xs, ys)
        if _class_of(a) is not _class_of(b) and not (is_number(a) or is_number(b)):
            if all(_class_of(x) in NEVER_NUMBERS for x in (a, b)):
                return Known(op == "ne")
        elif is_number(a) != is_number(b) and any(_class_of(x) in NEVER_NUMBERS for x in (a, b)):
            return Known(op == "ne")
        elif _plain_sequence(_class_of(a)):
            xs, ys = items_of(m, a), items_of(m, b)
            if xs is not None and ys is not None:
                return _equal_items(m, op, xs, ys)
    raise Break("JN212", f"comparison {op} of {_kind(a)} and {_kind(b)}")


def _plain_sequence(cls: type | None) -> bool:
    """Whether objects of a class are equal if their items are, one by one."""
    return cls is list or (cls is not None and issubclass(cls, tuple) and cls.__eq__ is tuple.__eq__)


def _base(value: Abstract) -> type | None:
    """Return the class that decides how a value compares: a named tuple does so as a tuple."""
    cls = _class_of(value)
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
    if not all((is_number(v) or isinstance(v, (Known, TupleValue))) for pair in pairs for v in pair):
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

    first, second = dict(dict_entries(m, a)), dict(dict_entries(m, b))
    if first.keys() != second.keys():
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
        equal = truth(m, compare(m, "eq", x, y))
        if equal is False:
            return Known(op == "ne")
        if equal is not True:
            result = equal if isinstance(result, bool) else m.b.one("arith.andi", [result, equal], BOOL)
    if isinstance(result, bool):
        return Known(op == "eq")
    if op == "ne":
        result = m.b.one("arith.xori", [result, m.const(True)], BOOL)
    return make("bool", result)


def _class_of(value: Abstract) -> type | None:
    from janus_mlir.capture.calls import class_of

    return class_of(value, None)


def identical(m: Machine, a: Abstract, b: Abstract) -> bool:
    """Return ``a is b``."""
    from janus_mlir.capture.packing import ids_of

    if isinstance(a, Known) and isinstance(b, Known):
        shared = type(a.value) in (int, float, str, bytes, tuple, complex)
        if shared and a.value is not b.value and same_constant(a.value, b.value):
            raise Break("JN212", "identity of equal constants")
        return a.value is b.value
    if isinstance(a, HeapRef) and isinstance(b, HeapRef):
        if a.id != b.id and a.id in m.initial and b.id in m.initial:
            m.outside.mark_written(a.id)  # the two names must go on meaning different objects
        if a.id != b.id and m.lending.may_be_same((a.id,), (b.id,)):
            raise Break("JN212", "identity of items of a list of run-time length")
        return a.id == b.id
    if isinstance(a, (JaxArray, NumpyArray)) and isinstance(b, (JaxArray, NumpyArray)):
        if a.id == b.id:
            return True
        if m.lending.may_be_same(ids_of(a), ids_of(b)):
            raise Break("JN212", "identity of items of a list of run-time length")
        if any(isinstance(x, JaxArray) and x.choice is not None for x in (a, b)):
            raise Break("JN212", "identity of arrays that depend on the way taken")
        if type(a) is not type(b) or (a.source is None) != (b.source is None):
            return False
        if a.source is None:
            return False
        return m.outside.same_object(a.source, b.source)
    for x, y in ((a, b), (b, a)):
        if not isinstance(x, Known):
            continue
        plain = isinstance(y, (Known, Number, ExtentNumber, TupleValue, TextValue))
        if isinstance(y, FunctionValue) and y.source is not None and isinstance(x.value, types.FunctionType):
            break  # a function that is known by its code only may be this one
        if x.value is None or (not plain and (isinstance(x.value, (bool, type)) or callable(x.value))):
            return False
    if a is b:
        return True
    raise Break("JN212", f"identity of {_kind(a)} and {_kind(b)}")


def truth(m: Machine, value: Abstract) -> bool | Value:
    """Return the truth value, static or dynamic."""
    match value:
        case Known():
            try:
                return bool(value.value)
            except Exception as error:  # the user's own error, which Python will raise again
                raise Failed.of(error) from None
        case ExtentNumber():
            return compare_numbers(m, "ne", value, Known(0))
        case Number():
            return truth_of(m, value)
        case ComplexValue():
            return complexes.truth(m, value)
        case LiveObject():
            return live.truth(m, value)
        case JaxArray():
            if any(not isinstance(e, int) or e != 1 for e in value.shape):
                raise Break("JN208", "truth value of an array with more than one element")
            return m.b.one("janus.truth", [value.ref], BOOL)
        case NumpyArray() | NumpyScalar():
            return npy.truth(m, value)
        case TupleValue():
            return bool(value.items)
        case FunctionValue() | MethodValue():
            return True
        case TextValue():
            if any(isinstance(p, str) and p for p in value.parts):
                return True
        case ListRef() | DictRef() | SetRef() | RangeValue() | ViewValue():
            from janus_mlir.capture.containers import length

            return truth(m, length(m, value))
        case ObjectRef():
            return _user_truth(m, value)
    raise Break("JN212", f"truth value of {_kind(value)}")


def _user_truth(m: Machine, value: ObjectRef) -> bool | Value:
    from janus_mlir.capture.attributes import class_attribute
    from janus_mlir.capture.calls import call_inline

    for name in ("__bool__", "__len__"):
        function = class_attribute(m, value, name)
        if function is not None:
            result = call_inline(m, function, [value])
            if not is_number(result):
                raise Break("JN212", "truth value of an object")
            return truth(m, result)
    return True


def _user_binary(m: Machine, op: str, a: Abstract, b: Abstract) -> Abstract:
    slot = SLOTS[op]
    return _dispatch(m, a, b, f"__{slot}__", f"__r{slot}__", op)


def _user_compare(m: Machine, op: str, a: Abstract, b: Abstract) -> Abstract:
    from janus_mlir.capture.attributes import class_attribute

    if op in ("eq", "ne") and isinstance(a, ObjectRef) and isinstance(b, ObjectRef):
        same = _equal_dataclasses(m, op, a, b)
        if same is not None:
            return same
    if op in ("lt", "le", "gt", "ge") and isinstance(a, ObjectRef) and isinstance(b, ObjectRef):
        ordered = _ordered_dataclasses(m, op, a, b)
        if ordered is not None:
            return ordered
    first = class_attribute(m, a, f"__{op}__") if isinstance(a, ObjectRef) else None
    if op in ("eq", "ne") and first is None:
        second = class_attribute(m, b, f"__{REFLECTED[op]}__") if isinstance(b, ObjectRef) else None
        if second is None and op == "eq":
            return Known(identical(m, a, b))
        if second is None:
            equal = _user_compare(m, "eq", a, b)
            return unary(m, "not_", equal)
    return _dispatch(m, a, b, f"__{op}__", f"__{REFLECTED[op]}__", op)


def _equal_dataclasses(m: Machine, op: str, a: ObjectRef, b: ObjectRef) -> Abstract | None:
    """Compare two objects of one dataclass whose ``__eq__`` was generated, None if they are not such."""
    from janus_mlir.capture.attributes import get_attribute, guard_method

    cls = m.outside.classes[a.id]
    made = vars(cls).get("__eq__")
    generated = isinstance(made, types.FunctionType) and made.__code__.co_filename == "<string>"
    if cls is not m.outside.classes[b.id] or not dataclasses.is_dataclass(cls) or not generated:
        return None
    if "__ne__" in vars(cls) or sys.version_info >= (3, 13):
        return None  # from 3.13 on fields are compared one by one, without regard to identity
    guard_method(m, a, "__eq__", made)
    names = [f.name for f in dataclasses.fields(cls) if f.compare]
    fields = [[get_attribute(m, x, name) for name in names] for x in (a, b)]
    return _equal_items(m, op, *fields)


def _ordered_dataclasses(m: Machine, op: str, a: ObjectRef, b: ObjectRef) -> Abstract | None:
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


def _dispatch(m: Machine, a: Abstract, b: Abstract, name: str, reflected: str, op: str) -> Abstract:
    from janus_mlir.capture.attributes import class_attribute
    from janus_mlir.capture.calls import call_inline

    order = [(a, name, b), (b, reflected, a)]
    if isinstance(a, ObjectRef) and isinstance(b, ObjectRef):
        ca, cb = m.outside.classes.get(a.id), m.outside.classes.get(b.id)
        if ca is not None and cb is not None and ca is not cb and issubclass(cb, ca):
            order.reverse()
    for self, method, other in order:
        if not isinstance(self, ObjectRef):
            if isinstance(self, (NumpyArray, NumpyScalar)):
                raise Break("JN212", f"operator {op} on an array and an object")
            continue
        function = class_attribute(m, self, method)
        if function is None:
            continue
        result = call_inline(m, function, [self, other])
        if not (isinstance(result, Known) and result.value is NotImplemented):
            return result
    raise _unsupported(m, op, a, b)


_SYMBOLS = {
    "add": "+", "sub": "-", "mul": "*", "matmul": "@", "truediv": "/", "floordiv": "//", "mod": "%",
    "lshift": "<<", "rshift": ">>", "and_": "&", "or_": "|", "xor": "^", "pow": "** or pow()",
    "lt": "<", "le": "<=", "gt": ">", "ge": ">=",
}  # fmt: skip


def _unsupported(m: Machine, op: str, a: Abstract, b: Abstract) -> Break:
    from janus_mlir.capture.calls import class_of

    first, second = class_of(a, m), class_of(b, m)
    if first is None or second is None or op not in _SYMBOLS:
        return Break("JN208", f"operator {op} is not defined for {_kind(a)} and {_kind(b)}")
    names = f"{first.__name__!r} and {second.__name__!r}"
    if op in REFLECTED:
        return Failed(TypeError, f"{_SYMBOLS[op]!r} not supported between instances of {names}")
    return Failed(TypeError, f"unsupported operand type(s) for {_SYMBOLS[op]}: {names}")


def _kind(value: Abstract) -> str:
    if isinstance(value, Known):
        return f"a {type(value.value).__name__}"
    return f"a {type(value).__name__}"
