"""Methods of builtin types on abstract values."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any

import numpy as np

from janus_mlir.capture import numpy as npy
from janus_mlir.capture.breaks import Break, Failed
from janus_mlir.capture.containers import (
    append,
    constant_key,
    dict_entries,
    dict_get,
    list_items,
    new_dict,
    new_list,
    replace_items,
    set_item,
)
from janus_mlir.capture.graph import BOOL, FLOAT
from janus_mlir.capture.heap import SetContent
from janus_mlir.capture.iteration import exhaust, get_iterator
from janus_mlir.capture.jax_methods import call_at_method
from janus_mlir.capture.jax_values import AtIndex
from janus_mlir.capture.numbers import (
    make,
)
from janus_mlir.capture.operators import compare, truth
from janus_mlir.capture.text import build_string, format_value
from janus_mlir.capture.values import (
    Abstract,
    AttributesRef,
    DictRef,
    JaxArray,
    Known,
    ListRef,
    Number,
    NumpyArray,
    NumpyScalar,
    SetRef,
    TupleValue,
)

if TYPE_CHECKING:
    from janus_mlir.capture.machine import Machine


from janus_mlir.capture.builtin_basic import DictView, SuperPair


def call_member(
    m: Machine, self: Abstract, name: str, args: list[Abstract], kwargs: dict[str, Abstract]
) -> Abstract:
    """Call a method of a builtin type on an abstract value."""
    match self:
        case AtIndex():
            return call_at_method(m, self, name, args, kwargs)
        case JaxArray():
            from janus_mlir.capture.jax_methods import call_array_method

            return call_array_method(m, self, name, args, kwargs)
        case NumpyArray() | NumpyScalar():
            return npy.method(m, self, name, args, kwargs)
        case ListRef():
            return _list_method(m, self, name, args, kwargs)
        case AttributesRef() if name not in ("get", "keys", "values", "items", "copy"):
            raise Break("JN216", "the `__dict__` of an object is changed")
        case DictRef():
            return _dict_method(m, self, name, args, kwargs)
        case SetRef():
            return _set_method(m, self, name, args, kwargs)
        case TupleValue() if self.cls is SuperPair:
            return Known(None)
        case TupleValue() if name in ("index", "count", "_asdict", "_replace"):
            return _tuple_method(m, self, name, args, kwargs)
        case Number() if name == "is_integer" and self.kind == "float":
            truncated = m.b.one("math.floor", [self.ref], FLOAT)
            return make("bool", m.b.one("arith.cmpf", [truncated, self.ref], BOOL, predicate="oeq"))
        case Known():
            return _known_method(m, self, name, args, kwargs)
    raise Break("JN301", f"method `{name}` of a {type(self).__name__}")


def _known_method(
    m: Machine, self: Known, name: str, args: list[Abstract], kwargs: dict[str, Abstract]
) -> Abstract:
    live = self.value
    if isinstance(live, str) and name == "join" and len(args) == 1:
        items = exhaust(m, get_iterator(m, args[0]))
        parts: list[Abstract] = []
        for i, item in enumerate(items):
            parts += [Known(live)] if i else []
            parts.append(item)
        return build_string(parts)
    if isinstance(live, str) and name == "format":
        return _format_method(m, live, args, kwargs)
    if isinstance(live, (str, bytes, int, float, frozenset, range, np.dtype)) and not isinstance(
        live, enum.Enum
    ):
        values = [_plain(m, a) for a in args]
        named = {k: _plain(m, v) for k, v in kwargs.items()}
        try:
            return _plain_result(m, getattr(live, name)(*values, **named))
        except Exception as error:  # the user's own error, which Python will raise again
            raise Failed.of(error) from None
    raise Break("JN301", f"method `{name}` of a {type(live).__name__}")


def _plain(m: Machine, value: Abstract) -> Any:
    if isinstance(value, Known):
        return value.value
    if isinstance(value, TupleValue):
        return tuple(_plain(m, item) for item in value.items)
    raise Break("JN213", "a string operation on run-time values")


def _plain_result(m: Machine, value: Any) -> Abstract:
    if type(value) is list:
        return new_list(m, tuple(_plain_result(m, v) for v in value))
    return Known(value)


def _format_method(m: Machine, text: str, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    import string

    parts: list[Abstract] = []
    automatic = 0
    for literal, field, spec, conversion in string.Formatter().parse(text):
        parts.append(Known(literal))
        if field is None:
            continue
        if field == "":
            value, automatic = args[automatic : automatic + 1], automatic + 1
        elif field.isdigit():
            value = args[int(field) : int(field) + 1]
        else:
            value = [kwargs[field]] if field in kwargs else []
        if not value or (spec and "{" in spec):
            raise Break("JN213", "str.format with unusual fields")
        parts.append(format_value(m, value[0], conversion, Known(spec) if spec else None))
    return build_string(parts)


def _list_method(
    m: Machine, self: ListRef, name: str, args: list[Abstract], kwargs: dict[str, Abstract]
) -> Abstract:
    if kwargs:
        raise Break("JN301", f"list.{name} with keyword arguments")
    if name == "append" and len(args) == 1:
        append(m, self, args[0])
        return Known(None)
    if name == "extend" and len(args) == 1:
        for item in exhaust(m, get_iterator(m, args[0])):
            append(m, self, item)
        return Known(None)
    items = list_items(m, self)
    if name == "copy" and not args:
        return new_list(m, items)
    if name == "clear" and not args:
        replace_items(m, self, (), "list.clear", "{0}.clear()")
        return Known(None)
    if name == "reverse" and not args:
        replace_items(m, self, items[::-1], "list.reverse", "{0}.reverse()")
        return Known(None)
    if name == "pop" and len(args) <= 1 and all(isinstance(a, Known) for a in args):
        index = args[0].value if args else -1  # type: ignore[attr-defined]
        if not items or not -len(items) <= index < len(items):
            raise Failed.by(([0] if items else []).pop, 5)
        rest = list(items)
        found = rest.pop(index)
        replace_items(m, self, tuple(rest), "list.pop", "{0}.pop({1})", Known(index))
        return found
    if name == "insert" and len(args) == 2 and isinstance(args[0], Known):
        new = list(items)
        new.insert(args[0].value, args[1])
        replace_items(m, self, tuple(new), "list.insert", "{0}.insert({1}, {2})", *args)
        return Known(None)
    if name in ("index", "count"):
        return _tuple_method(m, TupleValue(items), name, args, kwargs)
    raise Break("JN301", f"list.{name}")


def _tuple_method(
    m: Machine, self: TupleValue, name: str, args: list[Abstract], kwargs: dict[str, Abstract]
) -> Abstract:
    fields = getattr(self.cls, "_fields", ())
    if name == "_asdict" and not args:
        return new_dict(m, tuple(zip(fields, self.items, strict=True)))
    if name == "_replace" and not args and all(k in fields for k in kwargs):
        return TupleValue(
            tuple(kwargs.get(f, old) for f, old in zip(fields, self.items, strict=True)), self.cls
        )
    if len(args) == 1:
        equal = [truth(m, compare(m, "eq", item, args[0])) for item in self.items]
        if all(isinstance(e, bool) for e in equal):
            if name == "count":
                return Known(sum(bool(e) for e in equal))
            if True in equal:
                return Known(equal.index(True))
            raise Break("JN208", "value not in the sequence")
    raise Break("JN301", f"tuple.{name}")


def _dict_method(
    m: Machine, self: DictRef, name: str, args: list[Abstract], kwargs: dict[str, Abstract]
) -> Abstract:
    if name == "get" and 1 <= len(args) <= 2:
        found = dict_get(m, self, constant_key(args[0]))
        return found if found is not None else (args[1] if len(args) == 2 else Known(None))
    if name == "setdefault" and len(args) == 2:
        found = dict_get(m, self, constant_key(args[0]))
        if found is None:
            set_item(m, self, args[0], args[1])
        return found if found is not None else args[1]
    if name == "update":
        if args:
            other = args[0]
            if not isinstance(other, DictRef):
                raise Break("JN214", "dict.update of something that is not a dict")
            for key, item in dict_entries(m, other):
                set_item(m, self, Known(key), item)
        for key, item in kwargs.items():
            set_item(m, self, Known(key), item)
        return Known(None)
    if name == "pop" and args:
        key = constant_key(args[0])
        found = dict_get(m, self, key)
        if found is None:
            if len(args) == 2:
                return args[1]
            raise Failed(KeyError, args[0])
        from janus_mlir.capture.containers import delete_item

        delete_item(m, self, args[0])
        return found
    entries = dict_entries(m, self)
    if name == "copy" and not args:
        return new_dict(m, entries)
    if name == "keys" and not args:
        return TupleValue(tuple(Known(k) for k, _ in entries), DictView)
    if name == "values" and not args:
        return TupleValue(tuple(v for _, v in entries), DictView)
    if name == "items" and not args:
        return TupleValue(tuple(TupleValue((Known(k), v)) for k, v in entries), DictView)
    raise Break("JN301", f"dict.{name}")


def _set_method(
    m: Machine, self: SetRef, name: str, args: list[Abstract], kwargs: dict[str, Abstract]
) -> Abstract:
    content: SetContent = m.get(self.id)
    if name == "add" and len(args) == 1 and not m.is_outside(self.id):
        key = constant_key(args[0])
        if key not in content.items:
            m.put(self.id, SetContent((*content.items, key)))
        return Known(None)
    raise Break("JN301", f"set.{name}")
