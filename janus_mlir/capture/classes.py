"""Classes that captured code makes: class statements within functions, and ``namedtuple``.

Each execution makes another class, but nothing can tell these apart as long as neither the class nor what is made of it gets
out of the call. So one class is made at capture, by executing the statement's body, which defines functions and
constants only, and stands for all of them. Its methods close over variables of the captured program.
"""

from __future__ import annotations

import abc
import builtins
import collections
import dataclasses
import enum
import functools
import types
import typing
from typing import TYPE_CHECKING, Any

from janus_mlir.capture.breaks import Break
from janus_mlir.capture.builtins.table import arity, registers
from janus_mlir.capture.closures import FunctionTemplate, closure_cells
from janus_mlir.capture.heap import CellContent
from janus_mlir.capture.reading import code as c
from janus_mlir.capture.values import Abstract, CellRef, FunctionValue, Known, PartialValue, constants

if TYPE_CHECKING:
    from janus_mlir.capture.machine import Machine

_METACLASSES: tuple[type, ...] = (type, abc.ABCMeta, enum.EnumMeta)


def make_class(m: Machine, instr: c.MakeClass) -> Abstract:
    """Execute a class statement."""
    from janus_mlir.capture.instructions import load_global, read_variable

    if m.pure:
        raise Break("JN201", f"class {instr.name}")
    bases = constants(read_variable(m, base) for base in instr.bases)
    if bases is None or not all(type(base) in _METACLASSES or base in _FACTORIES for base in bases):
        raise Break("JN201", f"class {instr.name} with such a base")
    namespace = m.state.top.function.namespace.object
    for name in instr.code.co_names:
        if name in namespace and not isinstance(load_global(m, name), Known):
            raise Break("JN201", f"class {instr.name}, whose body reads `{name}`")
    cells = dict(closure_cells(m, instr.frees))
    values = tuple(_cell(m, cells.get(name)) for name in instr.code.co_freevars)
    body = types.FunctionType(instr.code, namespace, instr.name, None, values)
    try:
        made: Any = builtins.__build_class__(body, instr.name, *bases)
    except Exception as error:  # whatever the body raises, Python will raise again
        raise Break("JN201", f"class {instr.name}: {type(error).__name__}") from None
    if type(made) is not enum.EnumMeta and not all(_is_plain(name, v) for name, v in vars(made).items()):
        raise Break("JN201", f"class {instr.name} with an attribute that can be changed")
    m.made_classes[id(made)] = made
    for found in vars(made).values():
        for function in _functions(found):
            _connect(m, made, function, cells)
    return Known(made)


def _is_plain(name: str, value: Any) -> bool:
    """Whether all calls may share an attribute of a class."""
    functions = _functions(value)
    if functions:
        defaults = (
            v for f in functions for v in (*(f.__defaults__ or ()), *(f.__kwdefaults__ or {}).values())
        )
        return all(_is_plain("", v) for v in defaults)
    if type(value) in (tuple, frozenset):
        return all(_is_plain("", v) for v in value)
    own = (
        types.MemberDescriptorType,
        types.GetSetDescriptorType,
        dataclasses.Field,
        type,
        classmethod,
        staticmethod,
    )
    if name.startswith("__") and name.endswith("__"):
        return True
    return value is None or isinstance(value, (int, float, complex, str, bytes, *own, *_DESCRIPTORS))


#: What makes the fields of named tuples, and of abstract classes.
_DESCRIPTORS: tuple[type, ...] = (
    type(vars(collections.namedtuple("_Sample", "a"))["a"]),  # noqa: PYI024
    type(vars(abc.ABC)["_abc_impl"]),
    types.BuiltinFunctionType,
)

#: Functions that stand for a base class.
_FACTORIES: tuple[Any, ...] = (typing.NamedTuple,)


def _cell(m: Machine, cell: Any) -> types.CellType:
    """Return a cell with the value of a variable, empty if only run time knows it."""
    content = m.get(cell.id) if isinstance(cell, CellRef) else None
    if isinstance(content, CellContent) and isinstance(content.value, Known):
        return types.CellType(content.value.value)
    return types.CellType()


def _functions(found: Any) -> list[types.FunctionType]:
    """Return the functions that make up an attribute of a class."""
    parts = [found]
    if isinstance(found, property):
        parts = [found.fget, found.fset, found.fdel]
    elif isinstance(found, (staticmethod, classmethod)):
        parts = [found.__func__]
    elif isinstance(found, functools.cached_property):
        parts = [found.func]
    return [part for part in parts if isinstance(part, types.FunctionType)]


def _connect(m: Machine, cls: type, function: types.FunctionType, cells: dict[str, Any]) -> None:
    """Have calls of a method see the variables of the captured program."""
    from janus_mlir.capture.function import context_of

    names = function.__code__.co_freevars
    if not set(names) & cells.keys():
        return
    context = context_of(function)
    own = CellRef()
    m.put(own.id, CellContent(Known(cls)))
    closure = tuple((name, own if name == "__class__" else cells[name]) for name in names)
    defaults = tuple(Known(value) for value in function.__defaults__ or ())
    named = tuple((name, Known(value)) for name, value in (function.__kwdefaults__ or {}).items())
    template = FunctionTemplate(context.source, context.namespace, function.__name__)
    m.made_functions[id(function)] = FunctionValue(template, closure, defaults, named)


def is_made(m: Machine, value: object) -> bool:
    """Whether an object is a class that stands for one of the call."""
    return id(value) in m.made_classes


def _decorator(function: Any) -> Any:
    def handler(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
        if not args:
            return PartialValue(Known(function), (), tuple(kwargs.items()))
        given = constants(kwargs.values())
        if len(args) > 1 or given is None or not isinstance(args[0], Known) or not is_made(m, args[0].value):
            raise Break("JN301", f"`{function.__name__}` of a class from outside")
        made = function(args[0].value, **dict(zip(kwargs, given, strict=True)))
        m.made_classes[id(made)] = made
        return Known(made)

    return handler


for _function in (dataclasses.dataclass, functools.total_ordering):
    registers(_function)(_decorator(_function))


@registers(collections.namedtuple)
def _namedtuple(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    arity(args, {}, 2)
    given, named = constants(args), constants(kwargs.values())
    names = m.items(args[1]) if given is None else None
    if names is not None and isinstance(args[0], Known):
        listed = constants(names)
        given = None if listed is None else [args[0].value, listed]
    if given is None or named is None:
        raise Break("JN301", "namedtuple() of run-time names")
    try:
        make: Any = collections.namedtuple
        made = make(*given, **dict(zip(kwargs, named, strict=True)))
    except (TypeError, ValueError) as error:
        raise Break("JN208", str(error)) from None
    made.__module__ = str(m.state.top.function.namespace.object.get("__name__", "__main__"))
    m.made_classes[id(made)] = made
    return Known(made)


__all__ = ["is_made", "make_class"]
