"""Attributes: of modules and classes, of objects from outside, of objects that the captured code makes."""

from __future__ import annotations

import dataclasses
import enum
import functools
import inspect
import types
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from janus_mlir.capture import live as live_objects
from janus_mlir.capture import numpy as npy
from janus_mlir.capture.boundary.sites import SiteWriter
from janus_mlir.capture.boundary.sources import Attribute, Derived, Global, HasKey, pinned
from janus_mlir.capture.breaks import Break, Failed
from janus_mlir.capture.dynamic import compressed
from janus_mlir.capture.exceptions import exception_attribute
from janus_mlir.capture.heap import DictContent, ObjectContent
from janus_mlir.capture.namespaces import class_value, global_value, write_class, write_global
from janus_mlir.capture.values import (
    Abstract,
    AttributesRef,
    Boxed,
    ComplexValue,
    CompressedRef,
    DictRef,
    ExtentNumber,
    FunctionValue,
    IteratorRef,
    JaxArray,
    Known,
    ListRef,
    LiveObject,
    MemberValue,
    MethodValue,
    Number,
    NumpyArray,
    NumpyScalar,
    ObjectRef,
    PartialValue,
    SetRef,
    TextValue,
    TupleValue,
    ViewValue,
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
        "flax",
        "janus_mlir",
    }
)
_MISSING = object()

#: What an attribute that was deleted is set to.
GONE = Known(object())


def get_attribute(m: Machine, value: Abstract, name: str) -> Abstract:
    """Return ``value.name``."""
    match value:
        case Known():
            return _known(m, value, name)
        case LiveObject():
            return live_objects.get_attribute(m, value, name)
        case ObjectRef():
            return _object(m, value, name)
        case JaxArray():
            from janus_mlir.capture.jax.methods import attribute

            return attribute(m, value, name)
        case NumpyArray() | NumpyScalar():
            return npy.attribute(m, value, name) or MemberValue(value, name)
        case CompressedRef():
            return compressed.attribute(m, value, name) or MemberValue(value, name)
        case TupleValue():
            return _tuple(m, value, name)
        case ComplexValue() if name in ("real", "imag"):
            return value.real if name == "real" else value.imag
        case ComplexValue():
            return MemberValue(value, name)
        case Number() | ExtentNumber() if name in ("real", "imag", "numerator", "denominator"):
            return _part_of_number(m, value, name)
        case DictRef() if name == "default_factory" and value.factory is not None:
            return value.factory
        case ListRef() if name == "maxlen" and value.cls is not list:
            return Known(value.limit)
        case (
            ListRef()
            | DictRef()
            | SetRef()
            | IteratorRef()
            | Number()
            | ExtentNumber()
            | Boxed()
            | TextValue()
            | ViewValue()
        ):
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
        case FunctionValue() if name == "__wrapped__" and value.template.wrapped is not None:
            return value.template.wrapped  # type: ignore[no-any-return]
        case PartialValue() if name in ("func", "args"):
            return value.function if name == "func" else TupleValue(value.args)
    from janus_mlir.capture.jax.values import AtIndex

    if isinstance(value, AtIndex):
        return MemberValue(value, name)
    raise Break("JN216", f"attribute `{name}` of a {type(value).__name__}")


def _part_of_number(m: Machine, value: Abstract, name: str) -> Abstract:
    from janus_mlir.capture.numbers import as_int, make
    from janus_mlir.capture.scalars import number_kind

    whole = number_kind(value) != "float"
    if name == "imag":
        return Known(0 if whole else 0.0)
    if whole:
        return Known(1) if name == "denominator" else make("int", as_int(m, value))
    if name == "real":
        return value
    raise Break("JN208", f"AttributeError: {name}")


def attribute_names(m: Machine, value: ObjectRef) -> list[str]:
    """Return the names in the ``__dict__`` of an object, in order."""
    cls = m.outside.classes[value.id]
    if not cls.__dictoffset__ or any(vars(base).get("__slots__") for base in cls.__mro__):
        raise Break("JN216", f"the attributes of a `{cls.__qualname__}`")
    names = [name for name, _ in m.get(value.id).written]
    if value.id not in m.initial:
        return names
    found = m.outside.dict_names(value.id)
    return [*found, *(name for name in names if name not in found)]


def _known(m: Machine, value: Known, name: str) -> Abstract:
    live = value.value
    if isinstance(live, types.ModuleType):
        return _module(m, live, name)
    if isinstance(live, enum.Enum) and name in ("name", "value"):
        return m.outside.wrap(getattr(live, name), Attribute(pinned(str(live), live), name))
    if isinstance(live, enum.Enum):
        return _enum_member(m, value, name)
    if isinstance(live, type):
        return _class(m, live, name)
    if isinstance(live, (str, bytes, int, float, complex, range, frozenset)):
        found = inspect.getattr_static(type(live), name, _MISSING)
        if found is _MISSING:
            raise Failed.by(getattr, live, name)
        return MemberValue(value, name) if callable(found) else Known(getattr(live, name))
    if isinstance(live, np.ufunc) and isinstance(getattr(live, name, None), types.BuiltinFunctionType):
        return Known(getattr(live, name))  # a new object each time
    if isinstance(live, (np.dtype, types.FunctionType, functools.partial, np.ufunc)):
        try:
            return m.outside.wrap(
                getattr(live, name), Attribute(pinned(getattr(live, "__name__", "object"), live), name)
            )
        except AttributeError:
            raise Break("JN208", f"AttributeError: {name}") from None
    return MemberValue(value, name)


def _enum_member(m: Machine, value: Known, name: str) -> Abstract:
    from janus_mlir.capture.calls import call_inline

    cls = type(value.value)
    found = inspect.getattr_static(cls, name, _MISSING)
    if isinstance(found, types.FunctionType):
        m.outside.wrap(found, Attribute(pinned(cls.__qualname__, cls), name))
        return MethodValue(Known(found), value)
    if type(found) is property and found.fget is not None:
        return call_inline(m, Known(found.fget), [value])
    if found is _MISSING and name not in vars(value.value):
        raise Failed.by(getattr, value.value, name)
    if callable(found):
        return MemberValue(value, name)
    return m.outside.wrap(getattr(value.value, name), Attribute(pinned(str(value.value), value.value), name))


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
    written = global_value(m, namespace, name)
    return written if written is not None else m.outside.wrap(live, Global(namespace, name))


def _class(m: Machine, cls: type, name: str) -> Abstract:
    written = class_value(m, cls, name)
    if written is not None:
        return written
    found = inspect.getattr_static(cls, name, _MISSING)
    if found is _MISSING:
        raise Break("JN216", f"`{cls.__qualname__}` has no plain attribute `{name}`")
    live = getattr(cls, name)
    source = Attribute(pinned(cls.__qualname__, cls), name)
    if issubclass(cls, (np.generic, jax.Array)) or cls.__module__ in ("builtins", "numpy", "itertools"):
        return Known(live)
    if isinstance(found, classmethod):
        m.outside.wrap(live.__func__, Attribute(source, "__func__"))
        return MethodValue(Known(live.__func__), Known(cls))
    return m.outside.wrap(live, source)


def _tuple(m: Machine, value: TupleValue, name: str) -> Abstract:
    from janus_mlir.capture.builtins.basic import SuperPair, super_attribute

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
    cls = m.outside.classes[value.id]
    written = content.get(name)
    if written is not None and written is not GONE and not _data_descriptor(cls, name):
        return written
    if name == "__class__":
        return Known(cls)
    if name == "__dict__":
        return attributes_dict(m, value)
    if issubclass(cls, BaseException):
        base = exception_attribute(m, value, name)
        if base is not None:
            return base
    found = inspect.getattr_static(cls, name, _MISSING)
    outside = value.id in m.initial
    from janus_mlir.capture.calls import call_inline

    if _custom_lookup(cls):
        raise Break("JN216", f"`{cls.__qualname__}` defines `__getattribute__`")
    if isinstance(found, property):
        return _property(m, value, cls, name, found)
    getter = _function_of(found, "__get__")
    if getter is not None and _data_descriptor(cls, name):
        return call_inline(m, getter, [_descriptor(m, cls, name, found), value, Known(cls)])
    in_dict = outside and name in (getattr(m.outside.live(value.id), "__dict__", None) or ())
    in_dict = in_dict and written is not GONE
    inherited = class_value(m, cls, name)
    if in_dict and inherited is not None:
        # Fetching would fall back to the class, which may be another value at another call.
        source = m.outside.source(value.id)
        assert source is not None
        own = HasKey(Attribute(source, "__dict__"), name)
        m.outside.check("is", own, True, kind="value", expected="is True")
    if in_dict or (outside and isinstance(found, (types.MemberDescriptorType, types.GetSetDescriptorType))):
        return m.outside.load_entry(value.id, name)
    if inherited is not None:
        if outside and written is not GONE:
            _guard_not_in_dict(m, value, name)
        return inherited
    if (
        outside
        and written is not GONE
        and (found is _MISSING or hasattr(found, "func") or getter is not None)
    ):
        _guard_not_in_dict(m, value, name)
    if found is _MISSING:
        hook = class_attribute(m, value, "__getattr__")
        if hook is not None:
            return call_inline(m, hook, [value, Known(name)], expects=AttributeError)
        raise _no_attribute(m, value, name)
    if isinstance(found, functools.cached_property):
        result = call_inline(m, Known(found.func), [value])
        store(m, value, name, result)
        return result
    if getter is not None:
        return call_inline(m, getter, [_descriptor(m, cls, name, found), value, Known(cls)])
    if isinstance(found, types.MemberDescriptorType):
        raise Break("JN208", f"the slot `{name}` is empty")
    return _from_class(m, value, cls, name, found)


def _function_of(found: Any, name: str) -> Known | None:
    """Return the method that makes a user's descriptor of an object, None if it is not such."""
    method = inspect.getattr_static(type(found), name, None)
    return Known(method) if isinstance(method, types.FunctionType) and not _is_builtin(type(found)) else None


def _is_builtin(cls: type) -> bool:
    return cls.__module__ in ("builtins", "functools", "enum")


def _data_descriptor(cls: type, name: str) -> bool:
    found = inspect.getattr_static(cls, name, None)
    return _function_of(found, "__set__") is not None or isinstance(found, property)


def _descriptor(m: Machine, cls: type, name: str, found: Any) -> Abstract:
    return m.outside.wrap(found, Derived(pinned(cls.__qualname__, cls), name, _StaticAttribute(name)))


class _StaticAttribute:
    """Finds an attribute of a class without asking descriptors."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, cls: type) -> Any:
        return inspect.getattr_static(cls, self.name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _StaticAttribute) and other.name == self.name

    def __hash__(self) -> int:
        return hash(self.name)


def _guard_not_in_dict(m: Machine, value: ObjectRef, name: str) -> None:
    """Assume that an outside object has no attribute of its own under a name that its class answers for."""
    source = m.outside.source(value.id)
    if source is not None and hasattr(m.outside.live(value.id), "__dict__"):
        m.outside.guard_no_key(Attribute(source, "__dict__"), name)


def attributes_dict(m: Machine, value: Abstract) -> Abstract:
    """Return the ``__dict__`` of an object, for reading only."""
    if not isinstance(value, ObjectRef) or not hasattr(m.outside.classes[value.id], "__dict__"):
        raise Break("JN216", "the `__dict__` of an object")
    cls = m.outside.classes[value.id]
    if issubclass(cls, BaseException) or any("__slots__" in vars(c) for c in cls.__mro__[:-1]):
        raise Break("JN216", "the `__dict__` of an object")
    content: ObjectContent = m.get(value.id)
    entries: dict[str, Abstract] = {}
    if value.id in m.initial:
        for name in m.outside.attribute_names(value.id):
            entries[name] = m.outside.load_entry(value.id, name)
    for name, item in content.written:
        if item is GONE:
            entries.pop(name, None)
        else:
            entries[name] = item
    handle = AttributesRef()
    m.put(handle.id, DictContent(tuple(entries.items())))
    m.exposed.add(value.id)
    return handle


def _no_attribute(m: Machine, value: ObjectRef, name: str) -> Exception:
    """Return the exception for an attribute that an object does not have."""
    cls = m.outside.classes[value.id]
    if value.id in m.initial:
        m.outside.guard_absent(value.id, name)
    return Failed(AttributeError, f"{cls.__name__!r} object has no attribute {name!r}")


#: Packages whose classes look attributes up as `object` does, but for what bound methods look like.
_PLAIN_LOOKUP = frozenset({"equinox", "flax"})


def _custom_lookup(cls: type) -> bool:
    """Whether a class of objects decides itself how attributes are found."""
    own = getattr(cls, "__getattribute__", None)
    if cls is types.SimpleNamespace:
        return False
    if str(getattr(own, "__module__", "")).partition(".")[0] in _PLAIN_LOOKUP:
        return False
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


def _is_frozen(cls: type, own: types.FunctionType) -> bool:
    """Whether the ``__setattr__`` of a class is that of a frozen dataclass, for all of its attributes."""
    parameters = vars(cls).get("__dataclass_params__")
    return parameters is not None and parameters.frozen and own.__code__.co_filename == "<string>"


def set_attribute(m: Machine, value: Abstract, name: str, item: Abstract) -> None:
    """Do ``value.name = item``."""
    if isinstance(value, Known) and isinstance(value.value, types.ModuleType):
        module = value.value
        write_global(m, pinned(module.__name__, vars(module)), name, item)
        return
    if isinstance(value, Known) and isinstance(value.value, type):
        write_class(m, value.value, name, item)
        return
    if isinstance(value, LiveObject):
        live_objects.set_attribute(m, value, name, item)
        return
    if not isinstance(value, ObjectRef):
        raise Break("JN216", f"an attribute of a {type(value).__name__} is set")
    cls = m.outside.classes[value.id]
    own = getattr(cls, "__setattr__", None)
    if own is not object.__setattr__ and _set_by_flax(m, value, name, item):
        return
    if isinstance(own, types.FunctionType) and _is_frozen(cls, own):
        raise Failed(dataclasses.FrozenInstanceError, f"cannot assign to field {name!r}")
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
    setter = _function_of(found, "__set__")
    if setter is not None:
        from janus_mlir.capture.calls import call_inline

        call_inline(m, setter, [_descriptor(m, cls, name, found), value, item])
        return
    if hasattr(type(found), "__set__") and not isinstance(found, types.MemberDescriptorType):
        raise Break("JN216", f"`{cls.__qualname__}.{name}` is a descriptor")
    if not isinstance(found, types.MemberDescriptorType) and not _has_dict(cls):
        raise Break("JN208", f"`{cls.__qualname__}` has no slot `{name}`")
    store(m, value, name, item)


def _set_by_flax(m: Machine, value: ObjectRef, name: str, item: Abstract) -> bool:
    """Set an attribute of an object of flax.nnx, whose classes check what they are given."""
    from janus_mlir.capture.calls import call_inline
    from janus_mlir.capture.jax.copies import is_stateful, is_variable

    cls = m.outside.classes[value.id]
    own: Any = cls.__setattr__
    if not is_stateful(cls) or not own.__module__.startswith("flax."):
        return False
    plain = isinstance(item, Number) or (
        isinstance(item, Known) and isinstance(item.value, (int, float, str, type(None)))
    )
    found = inspect.getattr_static(cls, name, _MISSING)
    if not plain or is_variable(cls) or found is not _MISSING or name not in attribute_names(m, value):
        call_inline(m, Known(own), [value, Known(name), item])
    else:
        store(m, value, name, item)  # nothing that is checked of numbers depends on their values
    return True


def _has_dict(cls: type) -> bool:
    return any("__slots__" not in vars(c) for c in cls.__mro__[:-1])


def store(m: Machine, value: ObjectRef, name: str, item: Abstract) -> None:
    """Set an attribute as `object` does."""
    if value.id in m.exposed:
        raise Break("JN216", "an attribute is set while the `__dict__` is in use")
    cls = m.outside.classes[value.id]
    content: ObjectContent = m.get(value.id)
    m.put(value.id, content.set(name, item))
    if not m.is_outside(value.id):
        return
    m.outside.mark_written(value.id)
    m.live.writes.add(name)
    source = m.outside.source(value.id)
    if source is not None:
        m.note_written(Attribute(source, name))
    text = f"{source.text if source is not None else cls.__name__}.{name}"
    m.effect(f"{text} = ...", lambda w: _assignment(w, value, name, item))


def _assignment(w: SiteWriter, value: ObjectRef, name: str, item: Abstract) -> str:
    new = w.expr(item)
    own: Any = w.machine.object_class(value.id).__setattr__
    if own is not object.__setattr__ and own is not BaseException.__setattr__:
        return f"object.__setattr__({w.expr(value)}, {name!r}, {new})"
    return (
        f"{w.expr(value)}.{name} = {new}"
        if name.isidentifier()
        else f"setattr({w.expr(value)}, {name!r}, {new})"
    )


def delete_attribute(m: Machine, value: Abstract, name: str) -> None:
    """Do ``del value.name``."""
    if not isinstance(value, ObjectRef) or value.id in m.exposed:
        raise Break("JN216", f"attribute `{name}` is deleted")
    cls = m.outside.classes[value.id]
    found = inspect.getattr_static(cls, name, _MISSING)
    if getattr(cls, "__delattr__", None) is not object.__delattr__ or found is not _MISSING:
        raise Break("JN216", f"attribute `{name}` is deleted")
    get_attribute(m, value, name)
    content: ObjectContent = m.get(value.id)
    if not m.is_outside(value.id):
        m.put(value.id, content.remove(name))
        return
    m.put(value.id, content.set(name, GONE))
    m.outside.mark_written(value.id)
    m.effect(f"del {name}", lambda w: f"delattr({w.expr(value)}, {name!r})")
