"""Builtins on objects: ``isinstance``, ``getattr``, ``print``, ``super`` and the like."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import jax

from janus_mlir.capture import live
from janus_mlir.capture import numpy as npy
from janus_mlir.capture.boundary.sites import SiteWriter
from janus_mlir.capture.breaks import Break, Failed
from janus_mlir.capture.containers import (
    constant_key,
    length,
)
from janus_mlir.capture.exceptions import ExceptionBase, Raised
from janus_mlir.capture.graph import Value
from janus_mlir.capture.numbers import compare_numbers, fold_call, is_number
from janus_mlir.capture.text import format_value, snapshot
from janus_mlir.capture.values import (
    Abstract,
    CellRef,
    FunctionValue,
    JaxArray,
    Known,
    LiveObject,
    LiveType,
    MemberValue,
    MethodValue,
    Number,
    NumpyScalar,
    ObjectRef,
    RangeValue,
    TupleValue,
    constants,
)

if TYPE_CHECKING:
    from janus_mlir.capture.machine import Machine


from janus_mlir.capture.builtins.table import arity, registers


@registers(len)
def _len(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    arity(args, kwargs, 1)
    return length(m, args[0])


@registers(range)
def _range(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    arity(args, kwargs, 1, 3)
    parts = [_index(m, a) for a in args]
    if len(parts) == 1:
        parts = [Known(0), parts[0]]
    if len(parts) == 2:
        parts.append(Known(1))
    if isinstance(parts[2], Known) and parts[2].value == 0:
        raise Failed.by(range, 0, 1, 0)
    counts = compare_numbers(m, "ne", parts[2], Known(0))
    if isinstance(counts, Value):
        m.check(counts, "domain", "the step is not zero", Failed.by(range, 0, 1, 0))
    return RangeValue(*parts)


def _index(m: Machine, value: Abstract) -> Abstract:
    if isinstance(value, NumpyScalar) and value.dtype.kind in "iu":
        return npy.to_number(m, value, "int")
    if is_number(value) and not (isinstance(value, Known) and not isinstance(value.value, int)):
        if isinstance(value, Number) and value.kind != "int":
            raise Break("JN208", "an int is expected")
        return value
    raise Break("JN301", "an int is expected")


@registers(print)
def _print(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    options = constants(kwargs.values())
    if options is None:
        raise Break("JN304", "print with run-time options")
    named = dict(zip(kwargs, options, strict=True))
    frozen = [snapshot(m, _printed(m, a)) for a in args]

    def statement(w: SiteWriter) -> str:
        w.escapes = False
        parts = [w.expr(a) for a in frozen] + [f"{k}={w.constant(v)}" for k, v in named.items()]
        return f"{w.constant(print)}({', '.join(parts)})"

    m.effect("print", statement)
    return Known(None)


def _printed(m: Machine, value: Abstract) -> Abstract:
    """Return what is printed in place of an object: the text that its class makes of it."""
    return format_value(m, value, "s", None) if isinstance(value, ObjectRef) else value


@registers(issubclass)
def _issubclass(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    arity(args, kwargs, 2)
    target = classes_of(args[1])
    if not isinstance(args[0], Known) or not isinstance(args[0].value, type) or target is None:
        raise Break("JN301", "issubclass of an unknown class")
    return fold_call(lambda cls: issubclass(cls, target), args[0])


@registers(isinstance)
def _isinstance(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    arity(args, kwargs, 2)
    target = classes_of(args[1])
    if target is None:
        raise Break("JN301", "isinstance of an unknown class")
    if isinstance(args[0], LiveObject):
        return live.instance_of(m, args[0], target)
    return Known(is_instance(m, args[0], target))


def is_instance(m: Machine, value: Abstract, target: Any) -> bool:
    """Return ``isinstance(value, target)``."""
    from janus_mlir.capture.calls import class_of

    if isinstance(value, LiveObject):
        return live.is_instance(m, value, target)
    if isinstance(value, Known):
        return isinstance(value.value, target)
    cls = class_of(value, m)
    if cls is None:
        raise Break("JN301", "isinstance of an object of unknown class")
    if isinstance(value, JaxArray) and jax.Array in (target if isinstance(target, tuple) else (target,)):
        return True
    return issubclass(cls, target)


def classes_of(value: Abstract) -> Any:
    """Return the class, or tuple of classes, that ``isinstance`` is given, None if it is not known."""
    if isinstance(value, Known) and isinstance(value.value, (type, types.UnionType, tuple)):
        return value.value
    if isinstance(value, TupleValue):
        found = [classes_of(item) for item in value.items]
        return None if None in found else tuple(found)
    return None


@registers(type)
def _type(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    from janus_mlir.capture.calls import class_of

    arity(args, kwargs, 1)
    if isinstance(args[0], LiveObject):
        return LiveType(args[0])
    cls = class_of(args[0], m)
    if cls is None:
        raise Break("JN301", "type() of an unknown object")
    return Known(cls)


@registers(callable)
def _callable(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    arity(args, kwargs, 1)
    match args[0]:
        case FunctionValue() | MethodValue() | MemberValue():
            return Known(True)
        case Known(value=live):
            return Known(callable(live))
        case ObjectRef() as obj:
            return Known(issubclass(m.outside.classes[obj.id], Callable))  # type: ignore[arg-type]
    return Known(False)


@registers(getattr)
def _getattr(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    from janus_mlir.capture.attributes import get_attribute

    arity(args, kwargs, 2, 3)
    name = constant_key(args[1])
    if len(args) == 3 and not has_attribute(m, args[0], name):
        return args[2]
    return get_attribute(m, args[0], name)


@registers(hasattr)
def _hasattr(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    arity(args, kwargs, 2)
    if isinstance(args[0], LiveObject):
        return live.has_attribute(m, args[0], constant_key(args[1]))
    return Known(has_attribute(m, args[0], constant_key(args[1])))


def has_attribute(m: Machine, value: Abstract, name: str) -> bool:
    """Return ``hasattr(value, name)``."""
    from janus_mlir.capture.attributes import GONE, get_attribute
    from janus_mlir.capture.calls import class_of

    if isinstance(value, ObjectRef) and m.get(value.id).get(name) is GONE:
        return hasattr(m.outside.classes[value.id], name)
    if isinstance(value, ObjectRef) and hasattr(m.outside.classes[value.id], "__getattr__"):
        try:
            get_attribute(m, value, name)
        except (Failed, Raised) as error:
            cls = m.outside.classes[error.exception.id] if isinstance(error, Raised) else error.cls
            if not issubclass(cls, AttributeError):
                raise
            return False
        return True
    if isinstance(value, ObjectRef) and value.id in m.initial:
        content = m.get(value.id)
        live = m.outside.live(value.id)
        if content.get(name) is not None or hasattr(live, name):
            get_attribute(m, value, name)
            return True
        m.outside.guard_absent(value.id, name)
        return False
    if isinstance(value, ObjectRef):
        cls = m.outside.classes[value.id]
        return m.get(value.id).get(name) is not None or hasattr(cls, name)
    if isinstance(value, Known):
        return hasattr(value.value, name)
    known = class_of(value, m)
    if known is None:
        raise Break("JN216", "hasattr of an unknown object")
    return hasattr(known, name)


@registers(setattr)
def _setattr(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    from janus_mlir.capture.attributes import set_attribute

    arity(args, kwargs, 3)
    set_attribute(m, args[0], constant_key(args[1]), args[2])
    return Known(None)


@registers(delattr)
def _delattr(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    from janus_mlir.capture.attributes import delete_attribute

    arity(args, kwargs, 2)
    delete_attribute(m, args[0], constant_key(args[1]))
    return Known(None)


@registers(vars)
def _vars(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    from janus_mlir.capture.attributes import attributes_dict

    arity(args, kwargs, 1)
    return attributes_dict(m, args[0])


@registers(id)
def _id(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    raise Break("JN301", "id()")


@registers(super)
def _super(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    frame = m.state.top
    if not args:
        params = list(frame.function.code.params)
        cell = frame.function.closure.get("__class__")
        if not params or cell is None:
            raise Break("JN301", "super() outside a method")
        from janus_mlir.capture.boundary.sources import Cell
        from janus_mlir.capture.instructions import read_variable

        if isinstance(cell, CellRef):
            own = m.get(cell.id).value
        elif isinstance(cell, Cell):
            own = Known(cell.fetch(()))
        else:
            raise Break("JN301", "super() of a class made in compiled code")
        args = [own, read_variable(m, params[0])]
    of_class = len(args) == 2 and isinstance(args[1], Known) and isinstance(args[1].value, type)
    if len(args) != 2 or not isinstance(args[0], Known) or not (of_class or isinstance(args[1], ObjectRef)):
        raise Break("JN301", "super() with unusual arguments")
    return TupleValue((args[0], args[1]), SuperPair)


class SuperPair:
    """Marks the pair (class, object) of a ``super()`` value."""


def _super_of_class(m: Machine, start: type, self: Known, name: str) -> Abstract:
    """Return ``super(start, cls).name``, in a metaclass or a class method."""
    in_metaclass = isinstance(self.value, start)
    mro = (type(self.value) if in_metaclass else self.value).__mro__
    for cls in mro[mro.index(start) + 1 :]:
        if name not in vars(cls):
            continue
        found = vars(cls)[name]
        if cls is type and name == "__call__":
            return MemberValue(self, "__call__")
        if isinstance(found, classmethod) and isinstance(found.__func__, types.FunctionType):
            return MethodValue(Known(found.__func__), self)
        if isinstance(found, staticmethod):
            return Known(found.__func__)
        if isinstance(found, types.FunctionType):
            return MethodValue(Known(found), self) if in_metaclass else Known(found)
        break
    raise Break("JN216", f"super().{name}")


def super_attribute(m: Machine, pair: TupleValue, name: str) -> Abstract:
    """Return ``super(cls, self).name``."""
    start, self = pair.items
    assert isinstance(start, Known)
    if isinstance(self, Known):
        return _super_of_class(m, start.value, self, name)
    assert isinstance(self, ObjectRef)
    mro = m.outside.classes[self.id].__mro__
    for cls in mro[mro.index(start.value) + 1 :]:
        if name in vars(cls):
            found = vars(cls)[name]
            if issubclass(cls, BaseException) and cls.__module__ == "builtins" and callable(found):
                return MemberValue(TupleValue((self,), ExceptionBase), name)
            if cls is object and name == "__init__":
                return MemberValue(TupleValue((), SuperPair), "__init__")
            if isinstance(found, types.FunctionType):
                return MethodValue(Known(found), self)
            if isinstance(found, property) and found.fget is not None:
                from janus_mlir.capture.calls import call_inline

                return call_inline(m, Known(found.fget), [self])
            break
    raise Break("JN216", f"super().{name}")
