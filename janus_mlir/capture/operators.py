"""Operators on abstract values: which family of semantics applies, and user-defined operator methods."""

from __future__ import annotations

import collections
import enum
import operator
import types
from typing import TYPE_CHECKING, Any

import numpy as np

from janus_mlir.capture import boxed, complexes, counters, live, sets
from janus_mlir.capture import numpy as npy
from janus_mlir.capture.breaks import Break, Failed
from janus_mlir.capture.dynamic import compressed, rows, tables
from janus_mlir.capture.graph import BOOL, Value
from janus_mlir.capture.heap import VectorContent
from janus_mlir.capture.library import lists as library
from janus_mlir.capture.numbers import (
    checked_length,
    compare_numbers,
    is_number,
    make,
    number_binary,
    number_unary,
    truth_of,
)
from janus_mlir.capture.scalars import number_kind, same_constant
from janus_mlir.capture.slots import REFLECTED, SLOTS, as_plain
from janus_mlir.capture.text import percent
from janus_mlir.capture.values import (
    Abstract,
    Boxed,
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
    UnionValue,
    ViewValue,
    constants,
)
from janus_mlir.runtime.words import words

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
    if boxed.involves(a, b):
        return _boxed(m, op, a, b)
    return _sequences(m, op, a, b)


def _jax(m: Machine, op: str, *operands: Abstract) -> Abstract:
    from janus_mlir.capture.jax.calls import call_jax

    return call_jax(m, getattr(operator, op), list(operands), {})


def _boxed(m: Machine, op: str, a: Abstract, b: Abstract) -> Abstract:
    """Return ``a op b`` where one of them is a string, or list of strings, of the run time."""
    classes = {_class_of(a), _class_of(b)}
    if op == "add" and classes in ({str}, {list}):
        return boxed.invoke(m, operator.add, [a, b], classes.pop() or str)
    if op == "mul" and classes == {str, int}:
        return boxed.invoke(m, operator.mul, [a, b], str)
    if op == "mod" and isinstance(a, Known) and isinstance(a.value, str):
        return percent(m, a.value, b)
    raise Break("JN212", f"operator {op} on {kind_name(a)} and {kind_name(b)}")


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
            return boxed.settled(m, _join_text(a, b))
    if op == "mul" and isinstance(a, ListRef) and a.cls is list and number_kind(b) == "int":  # noqa: SIM102
        if isinstance(m.get(a.id), VectorContent) or not isinstance(b, Known):
            return library.call(m, library.repeated, a, b)
    if op == "mul" and isinstance(b, ListRef) and not isinstance(b, Known) and number_kind(a) == "int":
        return _sequences(m, op, b, a)
    if op == "mul" and isinstance(a, TextValue) and isinstance(b, Known) and type(b.value) is int:
        return TextValue(a.parts * b.value)
    if op == "mul" and any(isinstance(x, Number) and x.kind != "float" for x in (a, b)):
        text = a if isinstance(b, Number) else b
        if boxed.is_text(text) or (isinstance(text, Known) and type(text.value) is str):
            return boxed.invoke(m, operator.mul, [a, b], str)
    if isinstance(a, DictRef) and isinstance(b, DictRef):
        if counters.is_counter(a) and counters.is_counter(b) and op in counters.OPERATORS:
            return counters.binary(m, op, a, b)
        if op == "or_":
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
    raise Break("JN212", f"operator {op} on {kind_name(a)} and {kind_name(b)}")


def _merged(m: Machine, a: DictRef, b: DictRef) -> Abstract:
    from janus_mlir.capture.containers import dict_entries
    from janus_mlir.capture.heap import DictContent

    # The operand whose class is not plain `dict` decides, also if it is the second.
    decides = b if a.cls is dict else a
    if collections.Counter in (a.cls, b.cls) or (decides is a and b.cls not in (dict, a.cls)):
        raise Break("JN212", f"operator or_ of a {a.cls.__name__} and a {b.cls.__name__}")
    if any(tables.content_of(m, x) is not None for x in (a, b)):
        copied = tables.copied(m, a)
        made = DictRef(cls=decides.cls, factory=decides.factory)
        m.put(made.id, m.get(copied.id))
        tables.update(m, made, b)
        return made
    content = DictContent(dict_entries(m, a))
    for key, value in dict_entries(m, b):
        content = content.set(key, value)
    handle = DictRef(cls=decides.cls, factory=decides.factory)
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
    if isinstance(a, DictRef) and op == "or_" and not counters.is_counter(a):
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
    raise Break("JN212", f"operator {op} on {kind_name(a)}")


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
        one = rows.same(m, a, b)
        if isinstance(one, Value):
            return make("bool", one if op == "is_" else m.b.one("arith.xori", [one, m.const(True)], BOOL))
        same = identical(m, a, b) if one is None else one
        return Known(same if op == "is_" else not same)
    if a is b and op in ("eq", "ne") and _equals_itself(a):
        return Known(op == "eq")
    if isinstance(a, UnionValue) or isinstance(b, UnionValue):
        from janus_mlir.capture import unions

        found = unions.compare_numbers(m, op, a, b)
        if found is not None:
            return make("bool", found)
        a, b = unions.as_text(m, a), unions.as_text(m, b)
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
    if (boxed.involves(a, b) or (boxed.is_text(a) or boxed.is_text(b))) and boxed.same_family(a, b):
        ordered = boxed.compare(m, op, a, b)
        return Known(ordered) if isinstance(ordered, bool) else make("bool", ordered)
    if is_number(a) and is_number(b):
        result = compare_numbers(m, op, a, b)
        return Known(result) if isinstance(result, bool) else make("bool", result)
    if isinstance(a, Known) and isinstance(b, Known):
        if op in ("eq", "ne") and not (_foldable(a.value) and _foldable(b.value)):
            if a.value is b.value:
                return Known(op == "eq")
            if isinstance(a.value, np.dtype) or isinstance(b.value, np.dtype):
                return Known(bool(getattr(operator, op)(a.value, b.value)))
            raise Break("JN212", f"comparison of {kind_name(a)} and {kind_name(b)}")
        return _known(op, a.value, b.value)
    from janus_mlir.capture.comparisons import compare_sequences

    return compare_sequences(m, op, a, b)


def _equals_itself(value: Abstract) -> bool:
    """Whether a value of the run time is no NaN, and holds none."""
    if isinstance(value, TupleValue):
        return value.cls is tuple and all(map(_equals_itself, value.items))
    plain = isinstance(value, TextValue) or (isinstance(value, Boxed) and value.cls in (str, int, bytes))
    return (
        plain
        or number_kind(value) in ("int", "bool")
        or (isinstance(value, Known) and type(value.value) is str)
    )


def _class_of(value: Abstract) -> type | None:
    from janus_mlir.capture.calls import class_of

    return class_of(value, None)


def identical(m: Machine, a: Abstract, b: Abstract) -> bool:
    """Return ``a is b``."""
    from janus_mlir.capture.dynamic.packing import ids_of

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
        if (x.value is NotImplemented or x.value is Ellipsis) and not isinstance(y, Known):
            return False
        plain = isinstance(y, (Known, Number, ExtentNumber, TupleValue, TextValue))
        if isinstance(y, FunctionValue) and y.source is not None and isinstance(x.value, types.FunctionType):
            break  # a function that is known by its code only may be this one
        if x.value is None or (not plain and (isinstance(x.value, (bool, type)) or callable(x.value))):
            return False
    if a is b:
        return True
    raise Break("JN212", f"identity of {kind_name(a)} and {kind_name(b)}")


def truth(m: Machine, value: Abstract) -> bool | Value:
    """Return the truth value, static or dynamic."""
    match value:
        case Boxed():
            return boxed.truth(m, value)
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
            if words(value.dtype):
                raise Break("JN402", f"the truth of an array of dtype {value.dtype}")
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
            return boxed.truth(m, boxed.as_object(m, value))
        case ListRef() | DictRef() | SetRef() | RangeValue() | ViewValue():
            from janus_mlir.capture.containers import length

            return truth(m, length(m, value))
        case ObjectRef():
            return _user_truth(m, value)
    raise Break("JN212", f"truth value of {kind_name(value)}")


def _user_truth(m: Machine, value: ObjectRef) -> bool | Value:
    from janus_mlir.capture.attributes import class_attribute
    from janus_mlir.capture.calls import call_inline

    for name in ("__bool__", "__len__"):
        function = class_attribute(m, value, name)
        if function is not None:
            result = call_inline(m, function, [value])
            if name == "__len__":
                result = checked_length(m, result)
            elif number_kind(result) != "bool":
                raise Break("JN212", "a `__bool__` that returns no bool")
            return truth(m, result)
    return True


def _user_binary(m: Machine, op: str, a: Abstract, b: Abstract) -> Abstract:
    slot = SLOTS[op]
    return _dispatch(m, a, b, f"__{slot}__", f"__r{slot}__", op)


def _user_compare(m: Machine, op: str, a: Abstract, b: Abstract) -> Abstract:
    from janus_mlir.capture.attributes import class_attribute
    from janus_mlir.capture.comparisons import equal_dataclasses, ordered_dataclasses

    if op in ("eq", "ne") and isinstance(a, ObjectRef) and isinstance(b, ObjectRef):
        same = equal_dataclasses(m, op, a, b)
        if same is not None:
            return same
    if op in ("lt", "le", "gt", "ge") and isinstance(a, ObjectRef) and isinstance(b, ObjectRef):
        ordered = ordered_dataclasses(m, op, a, b)
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
    if op in ("eq", "ne"):
        # Nobody knows how to compare them: they are equal if they are one object.
        same = identical(m, a, b) if isinstance(a, ObjectRef) and isinstance(b, ObjectRef) else False
        return Known(same == (op == "eq"))
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
        return Break("JN208", f"operator {op} is not defined for {kind_name(a)} and {kind_name(b)}")
    names = f"{first.__name__!r} and {second.__name__!r}"
    if op in REFLECTED:
        return Failed(TypeError, f"{_SYMBOLS[op]!r} not supported between instances of {names}")
    return Failed(TypeError, f"unsupported operand type(s) for {_SYMBOLS[op]}: {names}")


def kind_name(value: Abstract) -> str:
    """Return what a value is, for messages."""
    if isinstance(value, Known):
        return f"a {type(value.value).__name__}"
    return f"a {type(value).__name__}"
