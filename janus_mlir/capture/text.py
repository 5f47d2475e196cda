"""Strings made of run-time values: they exist only where Python sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from janus_mlir.capture.breaks import Break
from janus_mlir.capture.values import (
    Abstract,
    DictRef,
    ExtentNumber,
    JaxArray,
    Known,
    ListRef,
    Number,
    NumpyArray,
    NumpyScalar,
    TextValue,
    TupleValue,
)

if TYPE_CHECKING:
    from janus_mlir.capture.machine import Machine


def snapshot(m: Machine, value: Abstract) -> Abstract:
    """Return a copy of `value` that later changes do not reach, for formatting at commit."""
    match value:
        case Known() | Number() | ExtentNumber() | JaxArray() | NumpyScalar() | TextValue():
            return value
        case NumpyArray():
            return m.new_array(m.read(value), value.dtype)
        case TupleValue():
            return TupleValue(tuple(snapshot(m, item) for item in value.items), value.cls)
        case ListRef():
            from janus_mlir.capture.containers import list_items, new_list

            return new_list(m, tuple(snapshot(m, item) for item in list_items(m, value)))
        case DictRef():
            from janus_mlir.capture.containers import dict_entries, new_dict

            return new_dict(m, tuple((k, snapshot(m, v)) for k, v in dict_entries(m, value)))
    raise Break("JN213", f"formatting of a {type(value).__name__}")


def format_value(m: Machine, value: Abstract, conversion: str | None, spec: Abstract | None) -> Abstract:
    """Return ``format(conversion(value), spec)``."""
    if spec is not None and not (isinstance(spec, Known) and isinstance(spec.value, str)):
        raise Break("JN213", "a format specification that is only known at run time")
    text = spec.value if isinstance(spec, Known) else ""
    if isinstance(value, Known):
        convert: Any = {"s": str, "r": repr, "a": ascii, None: lambda x: x}[conversion]
        if isinstance(value.value, (str, int, float, bool, type(None))):
            try:
                return Known(format(convert(value.value), text))
            except (ValueError, TypeError) as error:
                raise Break("JN208", str(error)) from None
    return TextValue(((snapshot(m, value), conversion, text),))


def build_string(parts: list[Abstract]) -> Abstract:
    """Join the parts of an f-string."""
    pieces: list[Any] = []
    for part in parts:
        new = list(part.parts) if isinstance(part, TextValue) else None
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
