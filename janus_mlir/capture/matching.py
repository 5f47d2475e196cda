"""The tests of ``match`` patterns."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from janus_mlir.capture.attributes import get_attribute
from janus_mlir.capture.breaks import Break, Failed
from janus_mlir.capture.containers import constant_key, dict_get, length
from janus_mlir.capture.reading import code as c
from janus_mlir.capture.values import Abstract, DictRef, Known, TupleValue

if TYPE_CHECKING:
    from janus_mlir.capture.machine import Machine

# Flags of classes, as CPython's `Py_TPFLAGS_SEQUENCE`, `_MAPPING` and `_Py_TPFLAGS_MATCH_SELF`.
_SEQUENCE = 1 << 5
_MAPPING = 1 << 6
_MATCH_SELF = 1 << 22


def match_instruction(m: Machine, instr: c.Instr) -> Abstract:
    """Execute the test of a pattern."""
    from janus_mlir.capture.instructions import read_variable

    match instr:
        case c.Length(src=src):
            return length(m, read_variable(m, src))
        case c.MatchSequence(subject=subject):
            return Known(bool(_class(m, read_variable(m, subject)).__flags__ & _SEQUENCE))
        case c.MatchMapping(subject=subject):
            return Known(bool(_class(m, read_variable(m, subject)).__flags__ & _MAPPING))
        case c.MatchKeys(subject=subject, keys=keys):
            return _keys(m, read_variable(m, subject), [read_variable(m, key) for key in keys])
        case c.MatchClass(subject=subject, cls=cls, count=count, names=names):
            return _attributes(m, read_variable(m, subject), read_variable(m, cls), count, names)
    raise AssertionError(f"no pattern's test: {type(instr).__name__}")


def _class(m: Machine, value: Abstract) -> type:
    from janus_mlir.capture.calls import class_of

    cls = class_of(value, m)
    if cls is None:
        raise Break("JN212", "a pattern for an object of unknown class")
    return cls


def _keys(m: Machine, subject: Abstract, keys: list[Abstract]) -> Abstract:
    if not isinstance(subject, DictRef):
        raise Break("JN212", "a mapping pattern for something that is not a dict")
    plain = [constant_key(key) for key in keys]
    if len(set(plain)) != len(plain):
        raise Break("JN208", "a mapping pattern with equal keys")
    values: list[Abstract] = []
    for key in plain:
        found = dict_get(m, subject, key)
        if found is None:
            return Known(None)
        values.append(found)
    return TupleValue(tuple(values))


def _attributes(m: Machine, subject: Abstract, cls: Abstract, count: int, names: tuple[str, ...]) -> Abstract:
    from janus_mlir.capture.builtins.basic import has_attribute, is_instance

    if not isinstance(cls, Known) or not isinstance(cls.value, type):
        raise Failed(TypeError, "called match pattern must be a class")
    if not is_instance(m, subject, cls.value):
        return Known(None)
    values: list[Abstract] = []
    positional: list[Any] = []
    if count:
        declared = inspect.getattr_static(cls.value, "__match_args__", None)
        if declared is None and cls.value.__flags__ & _MATCH_SELF and count == 1:
            values.append(subject)
        elif not isinstance(declared, tuple) or count > len(declared):
            raise Break("JN208", "a class pattern with too many positional patterns")
        else:
            positional = list(declared[:count])
    for name in [*positional, *names]:
        if not has_attribute(m, subject, name):
            return Known(None)
        values.append(get_attribute(m, subject, name))
    return TupleValue(tuple(values))
