"""Context managers: of user classes, and made of generator functions by `contextlib.contextmanager`."""

from __future__ import annotations

import contextlib
import types
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from janus_mlir.capture.breaks import Break, Failed
from janus_mlir.capture.exceptions import Raised, TracebackValue
from janus_mlir.capture.generators import resume_inline, throw_inline
from janus_mlir.capture.values import Abstract, IteratorRef, Known, ObjectRef

if TYPE_CHECKING:
    from janus_mlir.capture.machine import Machine

#: The code of what `contextlib.contextmanager` returns.
_HELPER = contextlib.contextmanager(lambda: iter(())).__code__


@dataclass(frozen=True, slots=True, eq=False)
class GeneratorManager(Abstract):
    """A context manager that a generator drives."""

    generator: IteratorRef


@dataclass(frozen=True, slots=True, eq=False)
class QuietManager(Abstract):
    """A context manager that makes no difference to compiled code."""


def decorated_generator(live: Any) -> types.FunctionType | None:
    """Return the generator function behind one that `contextlib.contextmanager` has made, None if it is no such."""
    if isinstance(live, types.FunctionType) and live.__code__ is _HELPER and live.__closure__:
        inner = live.__closure__[_HELPER.co_freevars.index("func")].cell_contents
        return inner if isinstance(inner, types.FunctionType) else None
    return None


def _method(m: Machine, manager: Abstract, name: str) -> Abstract:
    from janus_mlir.capture.attributes import class_attribute

    found = class_attribute(m, manager, name) if isinstance(manager, ObjectRef) else None
    if found is None:
        raise Break("JN209", "a context manager that is not of a plain Python class")
    return found


def enter_context(m: Machine, manager: Abstract, dst: str) -> None:
    """Do what ``with`` does first; the caller's pc points behind it already."""
    from janus_mlir.capture.instructions import write_variable

    if isinstance(manager, GeneratorManager):
        item = resume_inline(m, manager.generator)
        if item is None:
            raise Failed(RuntimeError, "generator didn't yield")
        write_variable(m, dst, item)
        return
    if isinstance(manager, QuietManager):
        write_variable(m, dst, Known(None))
        return
    _method(m, manager, "__exit__")
    _call(m, _method(m, manager, "__enter__"), [manager], dst)


def exit_context(m: Machine, manager: Abstract) -> None:
    """Do what ``with`` does where its body ends normally."""
    if isinstance(manager, GeneratorManager):
        if resume_inline(m, manager.generator) is not None:
            raise Failed(RuntimeError, "generator didn't stop")
        return
    if isinstance(manager, QuietManager):
        return
    none = Known(None)
    _call(m, _method(m, manager, "__exit__"), [manager, none, none, none], None)


def exit_with_exception(m: Machine, manager: Abstract, exception: Abstract, dst: str) -> None:
    """Do what ``with`` does where its body raises; `dst` gets whether the exception ends here."""
    from janus_mlir.capture.instructions import write_variable

    assert isinstance(exception, ObjectRef)
    if isinstance(manager, GeneratorManager):
        try:
            item = throw_inline(m, manager.generator, exception)
        except Raised as other:
            if other.exception.id != exception.id:
                raise
            write_variable(m, dst, Known(False))
            return
        if item is not None:
            raise Failed(RuntimeError, "generator didn't stop after throw()")
        write_variable(m, dst, Known(True))
        return
    if isinstance(manager, QuietManager):
        write_variable(m, dst, Known(False))
        return
    cls = Known(m.outside.classes[exception.id])
    _call(m, _method(m, manager, "__exit__"), [manager, cls, exception, TracebackValue()], dst)


def _call(m: Machine, function: Abstract, args: list[Abstract], dst: str | None) -> None:
    from janus_mlir.capture.calls import Entered, call
    from janus_mlir.capture.instructions import write_variable

    result = call(m, function, args, {}, dst)  # type: ignore[arg-type]
    if dst is not None and not isinstance(result, Entered):
        write_variable(m, dst, result)
