"""Writes to module namespaces, classes and outside closure cells: held back like all effects, read back within the call."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

from janus_mlir.capture.boundary.sites import SiteWriter
from janus_mlir.capture.boundary.sources import Attribute, Cell, CellOf, Global, Pinned, Source, pinned
from janus_mlir.capture.breaks import Break
from janus_mlir.capture.heap import ObjectContent
from janus_mlir.capture.speculation import Respecialise
from janus_mlir.capture.values import (
    Abstract,
    Boxed,
    DictRef,
    ExtentNumber,
    Known,
    ListRef,
    Number,
    TextValue,
    TupleValue,
)

if TYPE_CHECKING:
    from janus_mlir.capture.machine import Machine


def _read(m: Machine, key: Source, name: str) -> Abstract | None:
    content: ObjectContent = m.get(m.outside.namespace_id(key))
    return content.get(name)


def _write(m: Machine, key: Source, name: str, value: Abstract) -> None:
    id_ = m.outside.namespace_id(key)
    content: ObjectContent = m.get(id_)
    m.put(id_, content.set(name, value))


def global_value(m: Machine, namespace: Pinned, name: str) -> Abstract | None:
    """Return what the call has written to a global so far."""
    return _read(m, namespace, name)


def write_global(m: Machine, namespace: Pinned, name: str, value: Abstract) -> None:
    """Write a global."""
    _write(m, namespace, name, value)
    m.note_written(Global(namespace, name))

    def statement(w: SiteWriter) -> str:
        return f"{w.constant(namespace.object)}[{name!r}] = {w.expr(value)}"

    m.effect(f"global {name}", statement)


def class_value(m: Machine, cls: type, name: str) -> Abstract | None:
    """Return what the call has written to an attribute that a class has, or inherits, so far."""
    for base in cls.__mro__:
        key = pinned(base.__qualname__, base)
        if m.outside.has_namespace(key):
            if name == "__dict__":
                raise Break("JN216", "the `__dict__` of a class is read after a change")
            written = _read(m, key, name)
            if written is not None:
                return written
        if name in vars(base):
            return None
    return None


#: Values that may become an attribute of a class: instances see them as they are.
_PLAIN = (bool, int, float, str, bytes, tuple, type(None))


def write_class(m: Machine, cls: type, name: str, value: Abstract) -> None:
    """Write an attribute of a class, which has one of that name, or inherits it."""
    found = inspect.getattr_static(cls, name, _MISSING)
    plain = isinstance(value, (Number, ExtentNumber, Boxed, TextValue, TupleValue, ListRef, DictRef))
    plain = plain or (isinstance(value, Known) and isinstance(value.value, _PLAIN))
    if type(cls) is not type or id(cls) in m.made_classes or not (cls.__flags__ & _HEAP_TYPE):
        raise Break("JN216", f"an attribute of the class `{cls.__qualname__}` is set")
    if (
        not plain
        or found is _MISSING
        or hasattr(type(found), "__get__")
        or (name.startswith("__") and name.endswith("__"))
    ):
        raise Break("JN216", f"`{cls.__qualname__}.{name}` is set")
    key = pinned(cls.__qualname__, cls)
    _write(m, key, name, value)
    m.live.writes.add(name)
    m.note_written(Attribute(key, name))
    m.effect(
        f"{cls.__qualname__}.{name} = ...", lambda w: f"setattr({w.constant(cls)}, {name!r}, {w.expr(value)})"
    )


_MISSING = object()

#: The flag of classes that Python code has made, which can be changed.
_HEAP_TYPE = 1 << 9


def cell_value(m: Machine, cell: Cell | CellOf) -> Abstract | None:
    """Return what the call has written to an outside closure variable so far."""
    return _read(m, cell, "cell_contents")


def write_cell(m: Machine, cell: Source, value: Abstract) -> None:
    """Write an outside closure variable."""
    assert isinstance(cell, (Cell, CellOf))
    if m.speculation.by_code:
        # Functions that are known by their code only may share this very variable.
        m.speculation.by_object |= m.speculation.by_code
        m.speculation.by_code.clear()
        raise Respecialise
    _write(m, cell, "cell_contents", value)
    m.note_written(cell)

    def statement(w: SiteWriter) -> str:
        if isinstance(cell, Cell):
            return f"{w.constant(cell.cell.object)}.cell_contents = {w.expr(value)}"
        return f"{w.object(cell.base)}.__closure__[{cell.index}].cell_contents = {w.expr(value)}"

    m.effect(f"nonlocal {cell.name}", statement)
