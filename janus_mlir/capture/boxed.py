"""Immutable Python objects made at run time: ints beyond 64 bits, and strings that differ from call to call.

Native code holds them as objects, and has the functions of CPython compute with them (``janus.invoke``), as long as those
have no effect. What such a function raises leaves compiled code, so that Python does the operation again.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from janus_mlir.capture.breaks import Break, Failed
from janus_mlir.capture.graph import BOOL, FLOAT, INT, OBJECT, Value
from janus_mlir.capture.heap import IteratorContent
from janus_mlir.capture.values import (
    Abstract,
    Boxed,
    ExtentNumber,
    Known,
    ListRef,
    Number,
    RangeValue,
    SliceValue,
    TextCall,
    TextValue,
    TupleValue,
)

if TYPE_CHECKING:
    from janus_mlir.capture.machine import Machine


@dataclass(frozen=True)
class Method:
    """Calls a method of its first argument."""

    name: str

    def __call__(self, value: Any, *args: Any) -> Any:
        return getattr(value, self.name)(*args)


@dataclass(frozen=True)
class Fixed:
    """Calls a function with more arguments, which are constants."""

    function: Any
    more: tuple[Any, ...]

    def __call__(self, value: Any) -> Any:
        return self.function(value, *self.more)


#: What containers of these classes are made of, where they come from strings.
_ELEMENTS: dict[type, type] = {str: str, bytes: int, list: str, tuple: str}
_MAX_ARGUMENTS = 3


def involves(*values: Abstract) -> bool:
    """Whether one of some values is such an object."""
    return any(isinstance(value, Boxed) for value in values)


def is_big(value: Abstract) -> bool:
    """Whether a value is an int that is held as an object, or a constant beyond 64 bits."""
    if isinstance(value, Known):
        return type(value.value) is int and not -(2**63) <= value.value < 2**63
    return isinstance(value, Boxed) and value.cls is int


def is_text(value: Abstract) -> bool:
    """Whether a value is a string that is only known at run time."""
    return isinstance(value, TextValue) or (isinstance(value, Boxed) and value.cls is str)


# ---- to objects and back -----------------------------------------------------------------------------


def box(m: Machine, value: Abstract) -> Value:
    """Return a value as an object of native code."""
    from janus_mlir.capture import live

    match value:
        case Boxed():
            return value.ref
        case Known():
            return live.constant(m, value.value)
        case Number() | ExtentNumber():
            return m.b.one("janus.box", [m.number_ref(value)], OBJECT)
        case TextValue():
            return text(m, value).ref
        case SliceValue():
            return _called(m, slice, [value.start, value.stop, value.step])
        case RangeValue():
            return _called(m, range, [value.start, value.stop, value.step])
    raise Break("JN213", f"a {type(value).__name__} beside a string or int of the run time")


def _called(m: Machine, function: Any, args: list[Abstract]) -> Value:
    from janus_mlir.capture import live

    if m.pure:
        raise Break("JN308", "a run-time check inside a function that JAX transforms")
    if len(args) > _MAX_ARGUMENTS:
        raise Break("JN213", "an operation with many operands")
    callee = live.constant(m, m.invoked.setdefault(function, function))
    return m.b.one("janus.invoke", [callee, *(box(m, a) for a in args)], OBJECT)


def invoke(m: Machine, function: Any, args: list[Abstract], cls: type, text: str = "") -> Abstract:
    """Return ``function(*args)``, an instance of `cls`; if it raises, compiled code is left."""
    ref = _called(m, function, args)
    missing = m.b.one("janus.is_null", [ref], BOOL)
    m.guard(missing, "domain", expected=False, text=text or "the operation raises no exception")
    return unboxed(m, ref, cls)


def unboxed(m: Machine, ref: Value, cls: type) -> Abstract:
    """Return an object of native code that is an instance of `cls`; a float or bool is a number again."""
    from janus_mlir.capture import live

    if cls is bool:
        return Number("bool", m.b.one("janus.is", [ref, live.constant(m, True)], BOOL))
    if cls is float:
        return Number("float", _unbox(m, ref, FLOAT, "the result is a float"))
    return Boxed(ref, cls)


def _unbox(m: Machine, ref: Value, type_: Any, text: str) -> Value:
    found, ok = m.b.op("janus.unbox", [ref], [type_, BOOL], kind="number")
    m.guard(ok, "overflow", text=text)
    return found


def small(m: Machine, value: Abstract) -> Abstract:
    """Return an int that is held as an object as a number, which it has to fit."""
    if not isinstance(value, Boxed):
        return value
    if value.cls is not int:
        raise Break("JN213", "a string where a number is expected")
    return Number("int", _unbox(m, value.ref, INT, "the int fits 64 bits"))


def text(m: Machine, value: TextValue) -> Boxed:
    """Return a string that is put together at run time as an object."""
    result: Abstract | None = None
    for part in value.parts:
        if isinstance(part, str):
            piece: Abstract = Known(part)
        else:
            piece = _piece(m, *part)
        result = piece if result is None else invoke(m, operator.add, [result, piece], str)
    if isinstance(result, Boxed):
        return result
    assert isinstance(result, Known)
    return Boxed(box(m, result), str)


def settled(m: Machine, value: Abstract) -> Abstract:
    """Return a string that has been put together as an object, if strings meet as such where control flow does."""
    if not isinstance(value, TextValue) or not m.speculation.text_objects or m.pure:
        return value
    return text(m, value) if _is_simple(value) else value


def _is_simple(value: Abstract) -> bool:
    """Whether a string that is put together can be made at run time."""
    if isinstance(value, TextValue):
        return all(isinstance(p, str) or _is_simple(p[0]) for p in value.parts)
    if isinstance(value, TextCall):
        return value.name != "%" and all(map(_is_simple, (value.text, *value.args)))
    return isinstance(value, (Number, ExtentNumber, Known, Boxed))


def _piece(m: Machine, value: Abstract, conversion: str | None, spec: str) -> Abstract:
    if isinstance(value, TextCall):
        if value.name == "chr":
            return invoke(m, chr, list(value.args), str)
        if value.name == "%":
            raise Break("JN213", "%-formatting of run-time values, used further")
        made = invoke(m, Method(value.name), [value.text, *value.args], str)
    elif isinstance(value, (Number, ExtentNumber, Known, Boxed, TextValue)):
        made = value
    else:
        raise Break("JN213", f"text of a {type(value).__name__}, used further")
    if conversion is not None or not spec:
        convert = {"s": str, "r": repr, "a": ascii, None: str}[conversion]
        if not (convert is str and is_text(made)):
            made = invoke(m, convert, [made], str)
    return invoke(m, format, [made, Known(spec)], str) if spec else made


# ---- ints --------------------------------------------------------------------------------------------------


def binary(m: Machine, op: str, a: Abstract, b: Abstract) -> Abstract:
    """Return ``a op b`` of two numbers of which one is held as an object, or is to be."""
    if "float" in (_kind(a), _kind(b)) or op == "truediv":
        return invoke(m, getattr(operator, op), [a, b], float)
    if op == "pow" and (not isinstance(b, Known) or b.value < 0):
        raise Break("JN504", "a power of ints beyond 64 bits with a run-time exponent")
    result = invoke(m, getattr(operator, op), [a, b], int)
    within = (op == "mod" and not is_big(b)) or (op == "and_" and any(map(_is_mask, (a, b))))
    return small(m, result) if within else result


def _is_mask(value: Abstract) -> bool:
    return isinstance(value, Known) and not is_big(value) and value.value >= 0


def choose(m: Machine, cond: Value, a: Abstract, b: Abstract) -> Abstract:
    """Return ``a if cond else b`` of two such objects of one class."""
    cls = next(v.cls for v in (a, b) if isinstance(v, Boxed))
    return Boxed(m.b.one("arith.select", [cond, box(m, a), box(m, b)], OBJECT), cls)


def _kind(value: Abstract) -> str | None:
    from janus_mlir.capture.scalars import number_kind

    return number_kind(value)


def compare(m: Machine, op: str, a: Abstract, b: Abstract) -> bool | Value:
    """Return ``a op b`` of such objects of comparable classes."""
    texts = all(is_text(x) or _is_str(x) for x in (a, b))
    if texts and op in ("eq", "ne"):
        same = m.b.one("janus.equals", [box(m, a), box(m, b)], BOOL)
        return same if op == "eq" else m.b.one("arith.xori", [same, m.const(True)], BOOL)
    result = invoke(m, getattr(operator, op), [a, b], bool)
    assert isinstance(result, Number)
    return result.ref


def _is_str(value: Abstract) -> bool:
    return isinstance(value, Known) and type(value.value) is str


def same_family(a: Abstract, b: Abstract) -> bool:
    """Whether two values, of which one is held as an object, are both numbers, or both strings."""
    from janus_mlir.capture.numbers import is_number

    if is_text(a) or is_text(b):
        return all(is_text(x) or _is_str(x) for x in (a, b))
    return is_number(a) and is_number(b)


def truth(m: Machine, value: Boxed) -> Value:
    """Return the truth value."""
    result = invoke(m, bool, [value], bool)
    assert isinstance(result, Number)
    return result.ref


#: Builtins that compute with ints, and what they give.
_OF_INTS: dict[Any, type] = {
    abs: int, int: int, float: float, bool: bool, math.gcd: int, math.isqrt: int, math.lcm: int, pow: int, hash: int,
    math.factorial: int, math.comb: int, operator.index: int, math.log2: float, math.log: float, math.log10: float,
    math.sqrt: float,
}  # fmt: skip
#: Builtins that take a string, and what they give.
_OF_TEXTS: dict[Any, type] = {
    ord: int, int: int, float: float, bool: bool, hash: int, list: list, sorted: list, tuple: tuple, max: str, min: str,
}  # fmt: skip


def call(m: Machine, function: Any, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract | None:
    """Call a builtin some of whose arguments are such objects; None if it has to see what it can make of them."""
    if kwargs or not args:
        return None
    if is_text(args[0]):
        return _call_of_text(m, function, args)
    if not any(map(is_big, args)):
        return None
    if function is divmod and len(args) == 2:
        return TupleValue((binary(m, "floordiv", *args), binary(m, "mod", *args)))
    if function is pow and len(args) == 2:
        return binary(m, "pow", *args)
    cls = _OF_INTS.get(function)
    if cls is None or not involves(*args):
        return None
    return invoke(m, function, args, cls)


#: What the exceptions of conversions say, before the text.
_MESSAGES: dict[Any, str] = {
    int: "invalid literal for int() with base 10: ",
    float: "could not convert string to float: ",
}


def _number_of(m: Machine, function: Any, value: Boxed) -> Abstract:
    """Return ``int(value)`` or ``float(value)`` of a string, which may raise."""
    ref = _called(m, function, [value])
    missing = m.b.one("janus.is_null", [ref], BOOL)
    message = TextValue((_MESSAGES[function], (value, "r", "")))
    m.check(missing, "domain", "the text is that of a number", Failed(ValueError, message), expected=False)
    return small(m, unboxed(m, ref, function)) if function is int else unboxed(m, ref, function)


def _call_of_text(m: Machine, function: Any, args: list[Abstract]) -> Abstract | None:
    if function is len and len(args) == 1:
        return length(m, as_object(m, args[0]))
    if function is reversed and len(args) == 1:
        backwards = get_item(m, as_object(m, args[0]), Known(slice(None, None, -1)))
        assert isinstance(backwards, Boxed)
        return iterate(m, backwards)
    if function not in _OF_TEXTS or (len(args) > 1 and function is not int):
        return None
    if isinstance(args[0], TextValue) and function is ord:
        return None
    if function in _MESSAGES and len(args) == 1:
        return _number_of(m, function, as_object(m, args[0]))
    made = invoke(m, function, args, _OF_TEXTS[function])
    return small(m, made) if function in (ord, int, hash) else made


# ---- strings, and what is split off them ------------------------------------------------------------------------


def as_object(m: Machine, value: Abstract) -> Boxed:
    """Return a string of the run time as an object."""
    if isinstance(value, TextValue):
        return text(m, value)
    assert isinstance(value, Boxed)
    return value


def length(m: Machine, value: Boxed) -> Abstract:
    """Return ``len(value)``."""
    if value.cls is int:
        raise Failed(TypeError, "object of type 'int' has no len()")
    if value.cls is bytes:
        return small(m, invoke(m, len, [value], int))
    found, _ = m.b.op("janus.length", [value.ref], [INT, BOOL])
    return Number("int", found)


def _element(m: Machine, value: Boxed, ref: Value) -> Abstract:
    """Return an object found in another."""
    missing = m.b.one("janus.is_null", [ref], BOOL)
    names: dict[type, str] = {str: "string", bytes: "index"}
    name = names.get(value.cls, value.cls.__name__)
    text = f"{name} out of range" if value.cls is bytes else f"{name} index out of range"
    m.check(missing, "bounds", "the index is in range", Failed(IndexError, text), expected=False)
    return unboxed(m, ref, _ELEMENTS[value.cls])


def get_item(m: Machine, value: Boxed, index: Abstract) -> Abstract:
    """Return ``value[index]``."""
    sliced = isinstance(index, SliceValue) or (isinstance(index, Known) and isinstance(index.value, slice))
    if value.cls is int:
        raise Failed(TypeError, "'int' object is not subscriptable")
    if not sliced and _kind(index) not in ("int", "bool"):
        raise Break("JN215", "a subscript that is no int")
    if sliced or value.cls not in (list, tuple):
        ref = _called(m, operator.getitem, [value, index])
    else:
        ref = m.b.one("janus.get_item", [value.ref, m.number_ref(index)], OBJECT)
    if not sliced:
        found = _element(m, value, ref)
        return small(m, found) if value.cls is bytes else found
    missing = m.b.one("janus.is_null", [ref], BOOL)
    m.guard(missing, "bounds", expected=False, text="the slice is valid")
    return Boxed(ref, value.cls)


def iterate(m: Machine, value: Boxed) -> Abstract:
    """Return ``iter(value)``."""
    from janus_mlir.capture.iteration import make_iterator

    return make_iterator(m, IteratorContent("array", (), (value,), Known(0), length(m, value)))


def contains(m: Machine, container: Abstract, item: Abstract) -> bool | Value:
    """Return ``item in container``."""
    result = invoke(m, operator.contains, [container, item], bool)
    assert isinstance(result, Number)
    return result.ref


#: Methods of strings that do not give a string, and what they give.
_METHODS: dict[str, type] = {
    "startswith": bool, "endswith": bool, "isdigit": bool, "isalpha": bool, "isalnum": bool, "isspace": bool,
    "isupper": bool, "islower": bool, "isnumeric": bool, "isdecimal": bool, "isidentifier": bool, "istitle": bool,
    "isascii": bool, "isprintable": bool, "find": int, "rfind": int, "index": int, "rindex": int, "count": int, "split": list,
    "rsplit": list, "splitlines": list, "partition": tuple, "rpartition": tuple, "encode": bytes, "join": str,
    "bit_length": int, "bit_count": int, "__len__": int,
}  # fmt: skip
_OF_LISTS = ("index", "count")


def method(
    m: Machine, value: Abstract, name: str, args: list[Abstract], kwargs: dict[str, Abstract]
) -> Abstract:
    """Call a method of such an object."""
    from janus_mlir.capture.text import METHODS

    cls = value.cls if isinstance(value, Boxed) else str
    if cls is str and name == "join" and len(args) == 1 and not isinstance(args[0], Boxed) and not kwargs:
        from janus_mlir.capture.dynamic import vectors
        from janus_mlir.capture.iteration import collect
        from janus_mlir.capture.text import join_texts

        found = collect(m, args[0])
        items = found if isinstance(found, ListRef) else m.make_list(found)
        assert isinstance(items, ListRef)
        vectors.vectorise(m, items)
        return join_texts(m, as_object(m, value), items)
    of_int = name in ("bit_length", "bit_count")
    known = name in METHODS or name in _METHODS if cls is str else name in _OF_LISTS
    known = (of_int if cls is int else known) and not (cls is str and of_int)
    if not known or kwargs:
        raise Break("JN213", f"{cls.__name__}.{name} of an object that is only known at run time")
    constant: Callable[..., Any] = Method(name)
    given = [a.value for a in args if isinstance(a, Known)]
    if len(given) == len(args) and all(_plain(a) for a in given):
        constant, args = Fixed(constant, tuple(given)), []
    result = str if name in METHODS else _METHODS[name]
    made = invoke(m, constant, [value, *args], result)
    return small(m, made) if result is int else made


def _plain(value: Any) -> bool:
    """Whether a constant can be told from others by comparing it."""
    return value is None or type(value) in (str, int) or (type(value) is tuple and all(map(_plain, value)))


__all__ = [
    "as_object", "binary", "box", "call", "choose", "compare", "contains", "get_item", "invoke", "involves", "is_big", "is_text",
    "iterate", "length", "method", "same_family", "settled", "small", "text", "truth", "unboxed",
]  # fmt: skip
