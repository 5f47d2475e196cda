"""Calls of classes."""

from __future__ import annotations

import dataclasses
import enum
import functools
import inspect
import types
from typing import TYPE_CHECKING, Any

from janus_mlir.capture.boundary.sources import Attribute, pinned
from janus_mlir.capture.breaks import Break
from janus_mlir.capture.exceptions import make_exception
from janus_mlir.capture.function import context_of
from janus_mlir.capture.heap import ObjectContent
from janus_mlir.capture.numbers import (
    fold_call,
)
from janus_mlir.capture.values import (
    Abstract,
    Known,
    ObjectRef,
    PartialValue,
    TupleValue,
)

if TYPE_CHECKING:
    from janus_mlir.capture.calls import Entered
    from janus_mlir.capture.machine import Machine


def construct(
    m: Machine, cls: type, args: list[Abstract], kwargs: dict[str, Abstract], dst: str
) -> Abstract | Entered:
    """Call a class."""
    if issubclass(cls, BaseException):
        return make_exception(m, cls, args, kwargs, dst)
    if (
        issubclass(cls, tuple)
        and hasattr(cls, "_fields")
        and cls.__new__.__code__.co_filename.startswith("<")
    ):
        return _named_tuple(m, cls, args, kwargs)
    if issubclass(cls, enum.Enum) and len(args) == 1 and isinstance(args[0], Known):
        return fold_call(cls, args[0])
    if cls is functools.partial and args:
        return PartialValue(args[0], tuple(args[1:]), tuple(kwargs.items()))
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


def make_instance(
    m: Machine, cls: type, args: list[Abstract], kwargs: dict[str, Abstract], dst: str
) -> Abstract | Entered:
    """Make an instance of a user class: ``__init__`` is captured."""
    if type(cls) is not type and not _plain_metaclass(cls):
        return _call_metaclass(m, cls, args, kwargs, dst)
    return instance_of(m, cls, args, kwargs, dst)


def _call_metaclass(
    m: Machine, cls: type, args: list[Abstract], kwargs: dict[str, Abstract], dst: str
) -> Abstract | Entered:
    """Call a class whose metaclass says what that does."""
    from janus_mlir.capture.calls import call

    own = inspect.getattr_static(type(cls), "__call__", None)
    if not isinstance(own, types.FunctionType):
        raise Break("JN303", f"`{cls.__qualname__}` has a metaclass")
    function = m.outside.wrap(own, Attribute(pinned(type(cls).__qualname__, type(cls)), "__call__"))
    return call(m, function, [Known(cls), *args], kwargs, dst)


def instance_of(
    m: Machine, cls: type, args: list[Abstract], kwargs: dict[str, Abstract], dst: str
) -> Abstract | Entered:
    """Do what `type.__call__` does."""
    if getattr(cls, "__new__", None) is not object.__new__ or cls.__flags__ & (1 << 20):
        raise Break("JN303", f"`{cls.__qualname__}` defines `__new__` or is abstract")
    if any(base.__module__ == "builtins" and base is not object for base in cls.__mro__):
        raise Break("JN303", f"`{cls.__qualname__}` derives from a built-in class")
    if hasattr(cls, "__del__"):
        raise Break("JN303", f"`{cls.__qualname__}` has `__del__`")
    handle = ObjectRef()
    m.put(handle.id, ObjectContent())
    m.outside.classes[handle.id] = cls
    init = inspect.getattr_static(cls, "__init__", None)
    if init is object.__init__ or init is None:
        if args or kwargs:
            raise Break("JN208", f"{cls.__name__}() takes no arguments")
        return handle
    if not isinstance(init, types.FunctionType):
        raise Break("JN303", f"`{cls.__qualname__}.__init__` is not a plain method")
    m.outside.wrap(init, Attribute(pinned(cls.__qualname__, cls), "__init__"))
    if hasattr(cls, "__dataclass_fields__") and init.__code__.co_filename == "<string>":
        return _make_dataclass(m, cls, handle, args, kwargs)
    from janus_mlir.capture.calls import enter, enter_made

    made = m.made_functions.get(id(init))
    if made is not None:
        return enter_made(m, made, [handle, *args], kwargs, dst, override=handle)
    return enter(m, context_of(init), init, [handle, *args], kwargs, dst, override=handle)


def _plain_metaclass(cls: type) -> bool:
    return type(cls).__call__ is type.__call__


def _make_dataclass(
    m: Machine, cls: type, handle: ObjectRef, args: list[Abstract], kwargs: dict[str, Abstract]
) -> Abstract:
    fields = [f for f in dataclasses.fields(cls) if f.init]
    if len(fields) != len(dataclasses.fields(cls)) or len(args) > len(fields):
        raise Break("JN303", f"dataclass `{cls.__qualname__}`")
    values: dict[str, Abstract] = dict(zip((f.name for f in fields if not f.kw_only), args, strict=False))
    for name, value in kwargs.items():
        if name in values or name not in {f.name for f in fields}:
            raise Break("JN208", f"{cls.__name__}() got an unexpected argument `{name}`")
        values[name] = value
    content = ObjectContent()
    for f in fields:
        if f.name not in values:
            values[f.name] = _field_default(m, cls, f)
        content = content.set(f.name, values[f.name])
    m.put(handle.id, content)
    post = inspect.getattr_static(cls, "__post_init__", None)
    if post is not None:
        from janus_mlir.capture.calls import call_inline

        call_inline(m, Known(post), [handle])
    return handle


def _field_default(m: Machine, cls: type, field: Any) -> Abstract:
    if field.default_factory is not dataclasses.MISSING:
        from janus_mlir.capture.calls import call_inline

        return call_inline(m, Known(field.default_factory), [])
    if field.default is dataclasses.MISSING:
        raise Break("JN208", f"{cls.__name__}() misses argument `{field.name}`")
    return m.outside.wrap(field.default, pinned(f"{cls.__name__}.{field.name}", field.default))
