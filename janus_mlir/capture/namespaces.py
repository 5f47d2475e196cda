"""Writes to module namespaces and outside closure cells: held back like all effects, read back within the call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from janus_mlir.capture.heap import ObjectContent
from janus_mlir.capture.sites import SiteWriter
from janus_mlir.capture.sources import Cell, CellOf, Global, Pinned, Source
from janus_mlir.capture.speculation import Respecialise
from janus_mlir.capture.values import Abstract

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
