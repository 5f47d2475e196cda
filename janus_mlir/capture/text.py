"""Strings made of run-time values: they exist only where Python sees them."""

from __future__ import annotations

import dataclasses
import inspect
import re
import types
from typing import TYPE_CHECKING, Any

from janus_mlir.capture.breaks import Break, Failed
from janus_mlir.capture.exceptions import base_text
from janus_mlir.capture.heap import VectorContent
from janus_mlir.capture.jax.tracers import becomes_number
from janus_mlir.capture.scalars import number_kind
from janus_mlir.capture.values import (
    Abstract,
    Boxed,
    DictRef,
    ExtentNumber,
    JaxArray,
    Known,
    ListRef,
    MethodValue,
    Number,
    NumpyArray,
    NumpyScalar,
    ObjectRef,
    SetRef,
    TextCall,
    TextValue,
    TupleValue,
    UnionValue,
    ViewValue,
)

if TYPE_CHECKING:
    from janus_mlir.capture.machine import Machine


def snapshot(m: Machine, value: Abstract) -> Abstract:
    """Return a copy of `value` that later changes do not reach, for formatting at commit."""
    match value:
        case JaxArray():
            becomes_number(m, value.ref)
            return value
        case Known() | Number() | Boxed() | ExtentNumber() | NumpyScalar() | TextValue() | SetRef():
            return value
        case UnionValue() if all(isinstance(o, (Known, Number, NumpyScalar)) for _, o in value.options):
            return value
        case NumpyArray():
            return m.new_array(m.read(value), value.dtype)
        case TupleValue():
            return TupleValue(tuple(snapshot(m, item) for item in value.items), value.cls)
        case ListRef():
            from janus_mlir.capture.containers import list_items, new_list

            content = m.get(value.id)
            if isinstance(content, VectorContent):
                copied = ListRef(cls=value.cls, limit=value.limit)
                m.put(copied.id, content)
                return copied
            if value.cls is not list:
                raise Break("JN213", f"formatting of a {value.cls.__name__}")
            return new_list(m, tuple(snapshot(m, item) for item in list_items(m, value)))
        case DictRef():
            from janus_mlir.capture.containers import dict_entries, new_dict

            if value.cls is not dict:
                raise Break("JN213", f"formatting of a {value.cls.__name__}")
            return new_dict(m, tuple((k, snapshot(m, v)) for k, v in dict_entries(m, value)))
        case ViewValue():
            from janus_mlir.capture.containers import dict_entries, new_dict

            frozen = new_dict(m, tuple((k, snapshot(m, v)) for k, v in dict_entries(m, value.dict)))
            return ViewValue(frozen, value.kind)
    raise Break("JN213", f"formatting of a {type(value).__name__}")


def format_value(m: Machine, value: Abstract, conversion: str | None, spec: Abstract | None) -> Abstract:
    """Return ``format(conversion(value), spec)``."""
    if spec is not None and not (isinstance(spec, Known) and isinstance(spec.value, str)):
        raise Break("JN213", "a format specification that is only known at run time")
    text = spec.value if isinstance(spec, Known) else ""
    if isinstance(value, ObjectRef):
        return _format_object(m, value, conversion, text)
    if isinstance(value, Known):
        convert: Any = {"s": str, "r": repr, "a": ascii, None: lambda x: x}[conversion]
        if isinstance(value.value, (str, int, float, bool, type(None))):
            try:
                return Known(format(convert(value.value), text))
            except (ValueError, TypeError) as error:
                raise Failed.of(error) from None
    return TextValue(((snapshot(m, value), conversion, text),))


def _format_object(m: Machine, value: ObjectRef, conversion: str | None, spec: str) -> Abstract:
    """Return the text that the class of an object makes of it."""
    from janus_mlir.capture.attributes import class_attribute

    if conversion is None:
        custom = class_attribute(m, value, "__format__")
        if custom is not None:
            return _own_text(m, custom, value, Known(spec))
    if spec:
        raise Break("JN213", "an object with a format specification")
    return object_text(m, value, "r" if conversion in ("r", "a") else "s")


#: Exceptions whose text is made of ``args`` only.
_BASE_TEXTS = (BaseException, KeyError, AttributeError, NameError)


def object_text(m: Machine, value: ObjectRef, conversion: str) -> Abstract:
    """Return ``str(value)`` (conversion ``s``) or ``repr(value)`` (``r``) of an object."""
    from janus_mlir.capture.attributes import get_attribute

    cls = m.outside.classes[value.id]
    for name in ("__str__", "__repr__") if conversion == "s" else ("__repr__",):
        found = inspect.getattr_static(cls, name, None)
        if found is object.__str__:
            continue
        if getattr(found, "__objclass__", None) in _BASE_TEXTS:
            return base_text(m, value, "s" if name == "__str__" else "r")
        if not isinstance(found, types.FunctionType):
            break
        method = get_attribute(m, value, name)
        assert isinstance(method, MethodValue)
        generated = getattr(found, "__wrapped__", found).__code__.co_filename == "<string>"
        if generated and dataclasses.is_dataclass(cls):
            return _dataclass_text(m, value, cls)
        return _own_text(m, method.function, value)
    raise Break("JN213", f"text of a {cls.__name__}")


def _dataclass_text(m: Machine, value: ObjectRef, cls: type) -> Abstract:
    """Return what the ``__repr__`` that `dataclasses` has made says."""
    from janus_mlir.capture.attributes import get_attribute

    parts: list[Abstract] = [Known(f"{cls.__qualname__}(")]
    for i, field in enumerate(f for f in dataclasses.fields(cls) if f.repr):
        parts.append(Known(f"{', ' if i else ''}{field.name}="))
        parts.append(format_value(m, get_attribute(m, value, field.name), "r", None))
    return build_string([*parts, Known(")")])


def _own_text(m: Machine, function: Abstract, *args: Abstract) -> Abstract:
    from janus_mlir.capture.calls import call_inline

    result = call_inline(m, function, list(args))
    if isinstance(result, TextValue) or (isinstance(result, Known) and isinstance(result.value, str)):
        return result
    raise Break("JN213", "a text that is not a string")


def build_string(parts: list[Abstract]) -> Abstract:
    """Join the parts of an f-string."""
    pieces: list[Any] = []
    for part in parts:
        new = list(part.parts) if isinstance(part, TextValue) else None
        if isinstance(part, Boxed):
            new = [(part, None, "")]
        if isinstance(part, Known):
            new = [part.value]
        if new is None:
            raise Break("JN213", "an f-string of unknown parts")
        for piece in new:
            if isinstance(piece, str) and pieces and isinstance(pieces[-1], str):
                pieces[-1] += piece
            else:
                pieces.append(piece)
    if all(isinstance(p, str) for p in pieces):
        return Known("".join(pieces))
    return TextValue(tuple(pieces))


def join_texts(m: Machine, separator: Abstract, items: ListRef) -> Abstract:
    """Return ``separator.join(items)`` of a list of run-time length."""
    from janus_mlir.capture.dynamic import packing
    from janus_mlir.capture.library import lists as library

    content = m.get(items.id)
    assert isinstance(content, VectorContent)
    if not packing.of_texts(m, content.layout):
        raise Break("JN213", "str.join of items that are not all strings")
    packing.hold_texts(m)
    return library.call(m, library.joined, items, separator)


#: String methods that give a string, whatever the text is.
METHODS = frozenset(
    {
        "upper", "lower", "strip", "lstrip", "rstrip", "title", "capitalize", "swapcase", "replace", "center", "ljust",
        "rjust", "zfill", "removeprefix", "removesuffix", "casefold", "expandtabs",
    }
)  # fmt: skip


def text_method(m: Machine, text: TextValue, name: str, args: list[Abstract]) -> Abstract:
    """Call a method of a string that is only known at run time."""
    if name not in METHODS or not all(isinstance(a, (Known, TextValue, Number)) for a in args):
        raise Break("JN213", f"str.{name} of a string that is only known at run time")
    return TextValue(((TextCall(text, name, tuple(args)), None, ""),))


_CONVERSIONS = {
    "d": "int float bool",
    "i": "int float bool",
    "x": "int",
    "o": "int",
    "X": "int",
    "s": "",
    "r": "",
}


def percent(m: Machine, text: str, value: Abstract) -> Abstract:
    """Return ``text % value`` with run-time values."""
    items = list(value.items) if isinstance(value, TupleValue) else [value]
    conversions = re.findall(r"%(?:%|[-+ 0#]*\d*(?:\.\d+)?([a-zA-Z]))", text)
    wanted = [c for c in conversions if c]
    if re.sub(r"%(?:%|[-+ 0#]*\d*(?:\.\d+)?[a-zA-Z])", "", text).count("%") or len(wanted) != len(items):
        raise Break("JN213", "%-formatting with unusual fields")
    for conversion, item in zip(wanted, items, strict=True):
        kinds = _CONVERSIONS.get(conversion, "int float bool" if conversion in "eEfFgG" else "none")
        if kinds and number_kind(item) not in kinds.split():
            raise Break("JN213", f"%-formatting of a {type(item).__name__} by {conversion}")
        if conversion in "di" and number_kind(item) == "float":
            raise Break("JN213", "%-formatting of a float as an int")
    frozen = tuple(snapshot(m, item) for item in items)
    return TextValue(((TextCall(Known(text), "%", frozen), None, ""),))
