"""The ``lax`` ops whose operands or attributes depend on which extents are static.

Each form takes the operands and parameters that stand for all extents alike, ints or symbolic, and returns
those of the MLIR op: symbolic extents become operands of type ``index``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from mlir import ir

from janus_mlir.capture.graph import TensorType
from janus_mlir.emit.extents import is_static

if TYPE_CHECKING:
    from janus_mlir.emit.builder import Builder

__all__ = ["LAX_FORMS"]

Operands = list[ir.Value]
Form = Callable[["Builder", Operands, Sequence[TensorType], dict[str, Any]], tuple[Operands, dict[str, Any]]]


def _mixed(builder: Builder, extents: Sequence[Any]) -> tuple[Operands, list[int]]:
    """Return the operands for the symbolic `extents`, and all of them with a mark in their place."""
    dynamic = ir.ShapedType.get_dynamic_size()
    return builder.extents.dynamic(extents), [int(e) if is_static(e) else dynamic for e in extents]


def _segments(*sizes: int) -> ir.Attribute:
    return ir.DenseI32ArrayAttr.get(list(sizes))


def _with_output_dims(
    builder: Builder, operands: Operands, results: Sequence[TensorType], attributes: dict[str, Any]
) -> tuple[Operands, dict[str, Any]]:
    return [*operands, *builder.extents.dynamic(results[0].shape)], attributes


def _slice(
    builder: Builder, operands: Operands, results: Sequence[TensorType], attributes: dict[str, Any]
) -> tuple[Operands, dict[str, Any]]:
    starts, start_indices = _mixed(builder, attributes["start_indices"])
    limits, limit_indices = _mixed(builder, attributes["limit_indices"])
    strides = attributes.get("strides")
    return [*operands, *starts, *limits], {
        "start_indices": start_indices,
        "limit_indices": limit_indices,
        "strides": [1] * len(start_indices) if strides is None else strides,
        "operandSegmentSizes": _segments(1, len(starts), len(limits)),
    }


def _dynamic_slice(
    builder: Builder, operands: Operands, results: Sequence[TensorType], attributes: dict[str, Any]
) -> tuple[Operands, dict[str, Any]]:
    dims = builder.extents.dynamic(results[0].shape)
    segments = _segments(1, len(operands) - 1, len(dims))
    return [*operands, *dims], {"operandSegmentSizes": segments}


def _pad(
    builder: Builder, operands: Operands, results: Sequence[TensorType], attributes: dict[str, Any]
) -> tuple[Operands, dict[str, Any]]:
    lows, low = _mixed(builder, attributes["low"])
    highs, high = _mixed(builder, attributes["high"])
    return [*operands, *lows, *highs], {
        "low": low,
        "high": high,
        "interior": attributes["interior"],
        "operandSegmentSizes": _segments(1, 1, len(lows), len(highs)),
    }


def _split(
    builder: Builder, operands: Operands, results: Sequence[TensorType], attributes: dict[str, Any]
) -> tuple[Operands, dict[str, Any]]:
    dynamic, sizes = _mixed(builder, attributes["sizes"])
    return [*operands, *dynamic], {"sizes": sizes, "axis": attributes["axis"]}


def _gather(
    builder: Builder, operands: Operands, results: Sequence[TensorType], attributes: dict[str, Any]
) -> tuple[Operands, dict[str, Any]]:
    _, sizes = _mixed(builder, attributes["slice_sizes"])
    attributes = {**attributes, "slice_sizes": sizes}
    fill = attributes.pop("fill_value", None)
    if fill is not None:
        attributes["fill_value"] = _number(builder.element(results[0].dtype), fill)
    return [*operands, *builder.extents.dynamic(results[0].shape)], attributes


def _number(type: ir.Type, value: Any) -> ir.Attribute:
    if isinstance(type, ir.IntegerType):
        return ir.IntegerAttr.get(type, int(np.asarray(value).item()))
    return ir.FloatAttr.get(type, float(np.asarray(value).item()))


LAX_FORMS: dict[str, Form] = {
    "broadcast_in_dim": _with_output_dims,
    "dynamic_slice": _dynamic_slice,
    "gather": _gather,
    "iota": _with_output_dims,
    "pad": _pad,
    "reshape": _with_output_dims,
    "slice": _slice,
    "split": _split,
}
