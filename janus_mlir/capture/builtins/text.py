"""Builtins between numbers and text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from janus_mlir.capture.breaks import Break
from janus_mlir.capture.builtins.table import Handler, arity, registers
from janus_mlir.capture.numbers import as_int, fold_call
from janus_mlir.capture.scalars import number_kind
from janus_mlir.capture.text import format_value
from janus_mlir.capture.values import Abstract, Known, ListRef, TextCall, TextValue, TupleValue, constants

if TYPE_CHECKING:
    from janus_mlir.capture.machine import Machine


@registers(ord)
def _ord(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    arity(args, kwargs, 1)
    if isinstance(args[0], Known):
        return fold_call(ord, *args)
    if isinstance(args[0], TextValue) and len(args[0].parts) == 1:
        part = args[0].parts[0]
        if isinstance(part, tuple) and isinstance(part[0], TextCall) and part[0].name == "chr":
            return part[0].args[0]
    raise Break("JN213", "ord() of a string that is only known at run time")


@registers(chr)
def _chr(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    arity(args, kwargs, 1)
    if isinstance(args[0], Known):
        return fold_call(chr, *args)
    if number_kind(args[0]) != "int":
        raise Break("JN208", "chr() of something that is not an int")
    from janus_mlir.capture.graph import BOOL

    inside = m.b.one("arith.cmpi", [as_int(m, args[0]), m.const(0x110000)], BOOL, predicate="ult")
    m.guard(inside, "domain", text="the argument of chr() is a code point")
    return TextValue(((TextCall(Known(""), "chr", (args[0],)), None, ""),))


def _in_base(function: Any, spec: str) -> Handler:
    def handler(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
        arity(args, kwargs, 1)
        if isinstance(args[0], Known):
            return fold_call(function, *args)
        if number_kind(args[0]) != "int":
            raise Break("JN301", f"{function.__name__}() of something that is not an int")
        return format_value(m, args[0], None, Known(spec))

    return handler


for _function, _spec in ((bin, "#b"), (oct, "#o"), (hex, "#x")):
    registers(_function)(_in_base(_function, _spec))


@registers(ascii)
def _ascii(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    arity(args, kwargs, 1)
    return format_value(m, args[0], "a", None)


@registers(bytes)
def _bytes(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    arity(args, kwargs, 0, 2)
    values = []
    for arg in args:
        items = m.items(arg) if isinstance(arg, (ListRef, TupleValue)) else None
        given = constants(items) if items is not None else None
        if given is not None:
            values.append(Known(given))
        elif isinstance(arg, Known):
            values.append(arg)
        else:
            raise Break("JN301", "bytes() of run-time values")
    return fold_call(bytes, *values)


@registers(hash)
def _hash(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    arity(args, kwargs, 1)
    if isinstance(args[0], Known) and isinstance(args[0].value, (str, bytes, int, float, bool, type(None))):
        return fold_call(hash, *args)
    raise Break("JN301", "hash() of run-time values")
