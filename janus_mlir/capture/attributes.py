"""Attributes: of modules and classes, of objects from outside, of objects that the captured code makes."""

from __future__ import annotations

import enum
import functools
import inspect
import types
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from janus_mlir.capture import numpy as npy
from janus_mlir.capture.breaks import Break, Failed
from janus_mlir.capture.exceptions import exception_attribute
from janus_mlir.capture.heap import ObjectContent
from janus_mlir.capture.sites import SiteWriter
from janus_mlir.capture.sources import Attribute, Global, pinned
from janus_mlir.capture.values import (
    Abstract,
    DictRef,
    ExtentNumber,
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
    SetRef,
    TextValue,
    TupleValue,
)

if TYPE_CHECKING:
    from janus_mlir.capture.machine import Machine

#: Packages whose module attributes nobody rebinds; reading them needs no guard.
_STABLE = frozenset(
    {
        "numpy",
        "jax",
        "jaxlib",
        "math",
        "functools",
        "itertools",
        "operator",
        "builtins",
        "typing",
        "ml_dtypes",
        "optax",
        "janus_mlir",
    }
)
_MISSING = object()


def get_attribute(m: Machine, value: Abstract, name: str) -> Abstract:
    """Return ``value.name``."""
    match value:
        case Known():
            return _known(m, value, name)
        case ObjectRef():
            return _object(m, value, name)
        case JaxArray():
            return _jax(m, value, name)
        case NumpyArray() | NumpyScalar():
            return npy.attribute(m, value, name) or MemberValue(value, name)
        case TupleValue():
            return _tuple(m, value, name)
        case ListRef() | DictRef() | SetRef() | IteratorRef() | Number() | ExtentNumber() | TextValue():
            return MemberValue(value, name)
        case MethodValue():
            if name == "__self__":
                return value.self
            if name == "__func__":
                return value.function
            return get_attribute(m, value.function, name)
        case FunctionValue() if value.source is not None:
            live = value.source.fetch(m.arguments)
            if not hasattr(live, name):
                raise Break("JN216", f"attribute `{name}` of a function")
            return m.outside.wrap(getattr(live, name), Attribute(value.source, name))
        case FunctionValue() if name == "__name__":
            return Known(value.template.name)
    from janus_mlir.capture.jax_values import AtIndex

    if isinstance(value, AtIndex):
        return MemberValue(value, name)
    raise Break("JN216", f"attribute `{name}` of a {type(value).__name__}")


def _known(m: Machine, value: Known, name: str) -> Abstract:
    live = value.value
    if isinstance(live, types.ModuleType):
        return _module(m, live, name)
    if isinstance(live, enum.Enum) and name in ("name", "value"):
        return m.outside.wrap(getattr(live, name), Attribute(pinned(str(live), live), name))
    if isinstance(live, type):
        return _class(m, live, name)
    if isinstance(live, (str, bytes, int, float, complex, range, frozenset)):
        found = inspect.getattr_static(type(live), name, _MISSING)
        if found is _MISSING:
            raise Failed.by(getattr, live, name)
        return MemberValue(value, name) if callable(found) else Known(getattr(live, name))
    if isinstance(live, (np.dtype, types.FunctionType, functools.partial, np.ufunc)):
        try:
            return m.outside.wrap(
                getattr(live, name), Attribute(pinned(getattr(live, "__name__", "object"), live), name)
            )
        except AttributeError:
            raise Break("JN208", f"AttributeError: {name}") from None
    return MemberValue(value, name)


def _module(m: Machine, module: types.ModuleType, name: str) -> Abstract:
    try:
        live = getattr(module, name)
    except AttributeError:
        raise Break("JN208", f"module `{module.__name__}` has no attribute `{name}`") from None
    if module.__name__.partition(".")[0] in _STABLE:
        source = pinned(f"{module.__name__}.{name}", live)
        return m.outside.wrap(live, source)
    namespace = pinned(module.__name__, vars(module))
    if name not in vars(module):
        raise Break("JN216", f"attribute `{name}` of module `{module.__name__}` is made on demand")
    from janus_mlir.capture.namespaces import global_value

    written = global_value(m, namespace, name)
    return written if written is not None else m.outside.wrap(live, Global(namespace, name))


def _class(m: Machine, cls: type, name: str) -> Abstract:
    found = inspect.getattr_static(cls, name, _MISSING)
    if found is _MISSING:
        raise Break("JN216", f"`{cls.__qualname__}` has no plain attribute `{name}`")
    live = getattr(cls, name)
    source = Attribute(pinned(cls.__qualname__, cls), name)
    if issubclass(cls, (np.generic, jax.Array)) or cls.__module__ in ("builtins", "numpy"):
        return Known(live)
    if isinstance(found, classmethod):
        m.outside.wrap(live.__func__, Attribute(source, "__func__"))
        return MethodValue(Known(live.__func__), Known(cls))
    return m.outside.wrap(live, source)


def _jax(m: Machine, value: JaxArray, name: str) -> Abstract:
    from janus_mlir.capture.iteration import extent_value

    match name:
        case "shape":
            return TupleValue(tuple(extent_value(e) for e in value.shape))
        case "ndim":
            return Known(len(value.shape))
        case "size":
            size: Any = 1
            for extent in value.shape:
                size = size * extent
            return extent_value(size)
        case "dtype":
            return Known(value.dtype)
        case "weak_type":
            return Known(value.weak)
        case "itemsize":
            return Known(value.dtype.itemsize)
        case "T" | "mT" | "real" | "imag":
            from janus_mlir.capture.jaxcalls import call_jax

            return call_jax(m, _Getter(name), [value], {})
    return MemberValue(value, name)


class _Getter:
    """``operator.attrgetter`` with a value-based identity, so that traces of it are cached."""

    traced_by_value = True

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, x: Any) -> Any:
        return getattr(x, self.name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Getter) and other.name == self.name

    def __hash__(self) -> int:
        return hash(("_Getter", self.name))


def _tuple(m: Machine, value: TupleValue, name: str) -> Abstract:
    from janus_mlir.capture.builtin_basic import SuperPair, super_attribute

    if value.cls is SuperPair:
        return super_attribute(m, value, name)
    fields = getattr(value.cls, "_fields", ())
    if name in fields:
        return value.items[fields.index(name)]
    if value.cls is not tuple:
        found = inspect.getattr_static(value.cls, name, _MISSING)
        if isinstance(found, types.FunctionType) and name not in ("_replace", "_asdict", "_make"):
            return MethodValue(Known(found), value)
        if isinstance(found, property) and found.fget is not None:
            from janus_mlir.capture.calls import call_inline

            return call_inline(m, Known(found.fget), [value])
    return MemberValue(value, name)


# ---- objects of user classes ------------------------------------------------------------


def class_attribute(m: Machine, value: ObjectRef, name: str) -> Abstract | None:
    """Return the function that the class of `value` defines under `name`, None if it has none of its own."""
    cls = m.outside.classes[value.id]
    found = inspect.getattr_static(cls, name, _MISSING)
    if found is _MISSING or found is getattr(object, name, None):
        return None
    if not isinstance(found, types.FunctionType):
        raise Break("JN216", f"`{cls.__qualname__}.{name}` is not a plain method")
    guard_method(m, value, name, found)
    return Known(found)


def guard_method(m: Machine, value: ObjectRef, name: str, function: Any) -> None:
    """Assume that `name` is still that method of the object's class."""
    if m.outside.source(value.id) is not None:
        m.outside.guard_method(value.id, name, function)
    else:
        cls = m.outside.classes[value.id]
        m.outside.wrap(function, Attribute(pinned(cls.__qualname__, cls), name))


def _object(m: Machine, value: ObjectRef, name: str) -> Abstract:
    content: ObjectContent = m.get(value.id)
    written = content.get(name)
    if written is not None:
        return written
    cls = m.outside.classes[value.id]
    if name == "__class__":
        return Known(cls)
    if name == "__dict__":
        raise Break("JN216", "the `__dict__` of an object")
    if issubclass(cls, BaseException):
        base = exception_attribute(m, value, name)
        if base is not None:
            return base
    found = inspect.getattr_static(cls, name, _MISSING)
    outside = value.id in m.initial
    if _custom_lookup(cls):
        raise Break("JN216", f"`{cls.__qualname__}` defines `__getattribute__`")
    if isinstance(found, property):
        return _property(m, value, cls, name, found)
    in_dict = outside and name in (getattr(m.outside.live(value.id), "__dict__", None) or ())
    if in_dict or (outside and isinstance(found, (types.MemberDescriptorType, types.GetSetDescriptorType))):
        return m.outside.load_entry(value.id, name)
    if found is _MISSING:
        if outside and hasattr(cls, "__getattr__"):
            raise Break("JN216", f"`{cls.__qualname__}` defines `__getattr__`")
        raise _no_attribute(m, value, name)
    return _from_class(m, value, cls, name, found)


def _no_attribute(m: Machine, value: ObjectRef, name: str) -> Exception:
    """Return the exception for an attribute that an object does not have."""
    cls = m.outside.classes[value.id]
    if value.id in m.initial:
        m.outside.guard_absent(value.id, name)
    return Failed(AttributeError, f"{cls.__name__!r} object has no attribute {name!r}")


def _custom_lookup(cls: type) -> bool:
    """Whether a class of objects decides itself how attributes are found."""
    own = getattr(cls, "__getattribute__", None)
    return own is not object.__getattribute__ and own is not BaseException.__getattribute__


def _property(m: Machine, value: ObjectRef, cls: type, name: str, found: property) -> Abstract:
    from janus_mlir.capture.calls import call_inline

    if found.fget is None:
        raise Failed(AttributeError, f"property {name!r} of {cls.__qualname__!r} object has no getter")
    m.outside.wrap(found, Attribute(pinned(cls.__qualname__, cls), name))
    return call_inline(m, Known(found.fget), [value])


def _from_class(m: Machine, value: ObjectRef, cls: type, name: str, found: Any) -> Abstract:
    if isinstance(found, types.FunctionType):
        guard_method(m, value, name, found)
        return MethodValue(Known(found), value)
    if isinstance(found, staticmethod):
        m.outside.wrap(found.__func__, Attribute(pinned(cls.__qualname__, cls), name))
        return Known(found.__func__)
    if isinstance(found, classmethod):
        bound = Attribute(pinned(cls.__qualname__, cls), name)
        m.outside.wrap(found.__func__, Attribute(bound, "__func__"))
        return MethodValue(Known(found.__func__), Known(cls))
    if value.id in m.initial and not hasattr(type(found), "__get__"):
        return m.outside.load_entry(value.id, name)
    if callable(found) and not hasattr(type(found), "__set__"):
        from janus_mlir.capture.calls import unwrap_callable

        function = unwrap_callable(found)
        if function is not None:
            guard_method(m, value, name, found)
            return MethodValue(Known(found), value)
    if hasattr(type(found), "__get__"):
        return MemberValue(value, name)
    return m.outside.wrap(getattr(cls, name), Attribute(pinned(cls.__qualname__, cls), name))


def set_attribute(m: Machine, value: Abstract, name: str, item: Abstract) -> None:
    """Do ``value.name = item``."""
    if isinstance(value, Known) and isinstance(value.value, types.ModuleType):
        from janus_mlir.capture.namespaces import write_global

        module = value.value
        write_global(m, pinned(module.__name__, vars(module)), name, item)
        return
    if not isinstance(value, ObjectRef):
        raise Break("JN216", f"an attribute of a {type(value).__name__} is set")
    cls = m.outside.classes[value.id]
    own = getattr(cls, "__setattr__", None)
    if own is not object.__setattr__ and own is not BaseException.__setattr__:
        raise Break("JN216", f"`{cls.__qualname__}` defines `__setattr__`")
    found = inspect.getattr_static(cls, name, _MISSING)
    if isinstance(found, property):
        from janus_mlir.capture.calls import call_inline

        if found.fset is None:
            raise Failed(AttributeError, f"property {name!r} of {cls.__qualname__!r} object has no setter")
        m.outside.wrap(found, Attribute(pinned(cls.__qualname__, cls), name))
        call_inline(m, Known(found.fset), [value, item])
        return
    if hasattr(type(found), "__set__") and not isinstance(found, types.MemberDescriptorType):
        raise Break("JN216", f"`{cls.__qualname__}.{name}` is a descriptor")
    content: ObjectContent = m.get(value.id)
    m.put(value.id, content.set(name, item))
    if not m.is_outside(value.id):
        return
    m.outside.mark_written(value.id)
    source = m.outside.source(value.id)
    if source is not None:
        m.note_written(Attribute(source, name))
    text = f"{source.text if source is not None else cls.__name__}.{name}"
    m.effect(f"{text} = ...", lambda w: _assignment(w, value, name, item))


def _assignment(w: SiteWriter, value: ObjectRef, name: str, item: Abstract) -> str:
    new = w.expr(item)
    return (
        f"{w.expr(value)}.{name} = {new}"
        if name.isidentifier()
        else f"setattr({w.expr(value)}, {name!r}, {new})"
    )


def delete_attribute(m: Machine, value: Abstract, name: str) -> None:
    """Do ``del value.name``."""
    raise Break("JN216", f"attribute `{name}` is deleted")
