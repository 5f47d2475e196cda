"""Lists of run-time length where values leave native code: the Python that makes them of the tensors with their items."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from janus_mlir.capture.boundary.site import ValueSpec
from janus_mlir.capture.breaks import Break
from janus_mlir.capture.dynamic.layouts import (
    ArrayLayout,
    Layout,
    NumberLayout,
    ObjectLayout,
    RowLayout,
    ScalarLayout,
    SequenceLayout,
    TextLayout,
    UnionLayout,
    are_objects,
    parts,
)
from janus_mlir.capture.graph import TensorType, Value
from janus_mlir.capture.heap import PoolContent, VectorContent
from janus_mlir.capture.numpy.lax import tensor_type
from janus_mlir.capture.reading.rebuild import fill_rows, text_column, union_column
from janus_mlir.runtime.dtypes import dtype_by_mlir
from janus_mlir.runtime.jax_arrays import make_wrap

if TYPE_CHECKING:
    from janus_mlir.capture.boundary.sites import SiteWriter


def items(w: SiteWriter, content: VectorContent) -> str:
    """Return the expression of the items of a list."""
    from janus_mlir.capture.dynamic import vectors

    count = content.count
    length = repr(count) if count is not None else w.expr(vectors.length_number(w.machine, content))
    kinds = zip(content.buffers, parts(content.layout), are_objects(content.layout), strict=True)
    return _column(w, content.layout, iter([_buffer(w, *kind) for kind in kinds]), length)


def pool(w: SiteWriter, storage: int) -> str:
    """Return the name of a list of the lists that are rows of a pool."""
    known = w.pools.get(storage)
    if known is not None:
        return known
    if w.escapes:
        raise Break("JN506", "a list of lists of run-time length gets out before the call ends")
    content: PoolContent = w.machine.content(w.state, storage)
    used = w.value(content.used, ValueSpec("int"))
    name = w.pools[storage] = w.temp(f"[[] for _ in range({used})]")
    if content.layout is not None:
        kinds = zip(content.buffers, parts(content.layout), are_objects(content.layout), strict=True)
        buffers = [_buffer(w, ref, part, objects) for ref, part, objects in kinds]
        lengths = ValueSpec("numpy", np.dtype(np.int64), content.lengths.type.shape)  # type: ignore[union-attr]
        counts = w.temp(f"{w.value(content.lengths, lengths, fresh=True)}[:{used}]")
        shape = tensor_type(content.lengths).shape[0]
        mask = w.temp(f"{w.constant(np.arange(shape))} < {counts}[:, None]")
        names = iter([w.temp(f"{buffer}[:{used}][{mask}]") for buffer in buffers])
        items = _column(w, content.layout, names, w.temp(f"int({counts}.sum())"))
        w.lines.append(f"{w.constant(fill_rows)}({name}, {counts}.tolist(), {items})")
    return name


def _buffer(w: SiteWriter, ref: Value, part: TensorType, objects: bool) -> str:
    if objects:
        return w.value(ref, ValueSpec("objects"), fresh=True)
    spec = ValueSpec("numpy", dtype_by_mlir(part.dtype).numpy, (0, *part.shape))
    return w.value(ref, spec, fresh=True)


def _column(w: SiteWriter, layout: Layout, names: Iterator[str], length: str) -> str:
    """Return the expression of a list of items, from the arrays with their parts."""
    match layout:
        case NumberLayout() | ObjectLayout():
            return f"{next(names)}[:{length}].tolist()"
        case ScalarLayout():
            return f"list({next(names)}[:{length}])"
        case ArrayLayout(weak=None):
            return f"[i.copy() for i in {next(names)}[:{length}]]"
        case ArrayLayout():
            assert layout.weak is not None
            wrap = w.constant(make_wrap(layout.shape, layout.dtype, layout.weak))
            return f"[{wrap}(i.copy()) for i in {next(names)}[:{length}]]"
        case RowLayout():
            lists = pool(w, w.machine.pools[layout.pool])
            return f"[{lists}[i] for i in {next(names)}[:{length}].tolist()]"
        case SequenceLayout():
            columns = [_column(w, item, names, length) for item in layout.items]
            if not columns:
                return f"[{w.constant(layout.cls)}() for _ in range({length})]"
            rows = f"zip({', '.join(columns)})"
            if layout.cls is tuple:
                return f"list({rows})"
            make = layout.cls if layout.cls is list else layout.cls._make  # type: ignore[attr-defined]
            return f"list(map({w.constant(make)}, {rows}))"
        case TextLayout():
            columns = [_column(w, item, names, length) for item in layout.items]
            rows = f"zip({', '.join(columns)})" if columns else f"[()] * {length}"
            return f"{w.constant(text_column)}({w.constant(layout.pieces)}, {rows})"
        case UnionLayout():
            which = f"{next(names)}[:{length}].tolist()"
            constants, columns = {}, []
            for tag, option in layout.options:
                if option is None:
                    constants[tag] = w.machine.tags.constant(tag)
                else:
                    columns.append(f"{tag}: {_column(w, option, names, length)}")
            pick = w.constant(union_column)
            return f"{pick}({which}, {w.constant(constants)}, {{{', '.join(columns)}}})"
    raise AssertionError(layout)


__all__ = ["items", "pool"]
