"""Functions that captured code makes: nested ``def`` and ``lambda``."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from janus_mlir.capture.boundary.sources import Source
from janus_mlir.capture.breaks import Break
from janus_mlir.capture.heap import CellContent
from janus_mlir.capture.reading import code as c
from janus_mlir.capture.values import Abstract, CellRef, FunctionValue

if TYPE_CHECKING:
    from janus_mlir.capture.machine import Machine


class FunctionTemplate:
    """Code and namespace of a function that captured code makes."""

    def __init__(self, source: Any, namespace: Any, name: str, wrapped: Abstract | None = None) -> None:
        self.source = source
        self.namespace = namespace
        self.name = name
        #: What `functools.update_wrapper` made it look like.
        self.wrapped = wrapped


def make_function(m: Machine, instr: c.MakeFunction) -> Abstract:
    """Make a nested function or lambda."""
    if instr.source.asynchronous:
        raise Break("JN105", f"`{instr.name}` is a generator or coroutine")
    from janus_mlir.capture.instructions import read_variable

    cells = closure_cells(m, instr.source.frees)
    defaults = tuple(read_variable(m, v) for v in instr.defaults)
    kwdefaults = tuple((k, read_variable(m, v)) for k, v in instr.kwdefaults)
    template = FunctionTemplate(instr.source, m.state.top.function.namespace, instr.name)
    return FunctionValue(template, cells, defaults, kwdefaults)


def closure_cells(m: Machine, names: Iterable[str]) -> tuple[tuple[str, Any], ...]:
    """Return the cells of an inner function's closure variables."""
    frame = m.state.top
    cells: list[tuple[str, CellRef | Source]] = []
    for name in names:
        if name in frame.function.code.cells:
            cell = frame.vars.get(name)
            if not isinstance(cell, CellRef):
                cell = CellRef()
                frame.vars[name] = cell
                m.put(cell.id, CellContent(None))
            cells.append((name, cell))
        else:
            outer = frame.function.closure.get(name)
            if outer is None:
                raise Break("JN209", f"closure variable `{name}`")
            cells.append((name, outer))
    return tuple(cells)


def function_builder(value: FunctionValue) -> Callable[[tuple[Any, ...], dict[str, Any]], Any]:
    """Return a function that makes the live counterpart of a function without closure."""
    template = value.template
    code = template.source.code_object
    if code is None or code.co_freevars or template.wrapped is not None:
        raise Break("JN506", f"function `{template.name}` made in compiled code")

    def build(defaults: tuple[Any, ...], kwdefaults: dict[str, Any]) -> Any:
        made = types.FunctionType(code, template.namespace.object, template.name, defaults or None)
        made.__kwdefaults__ = kwdefaults or None
        made.__qualname__ = template.source.qualname
        return made

    return build


__all__ = ["FunctionTemplate", "closure_cells", "function_builder", "make_function"]
