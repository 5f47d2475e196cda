"""Slices and elements at computed places."""

from __future__ import annotations

from typing import Any

from mlir import ir

from janus_mlir.capture.graph import TensorType
from janus_mlir.emit.extents import is_static
from janus_mlir.emit.jaxpr.avals import tensor_type
from janus_mlir.emit.jaxpr.importer import Importer
from janus_mlir.emit.jaxpr.registry import rule

# JAX documents that a broken promise clamps a gather and drops an update. Programs rely on it: no promise.
_GATHER_MODES = {"CLIP": "clip", "FILL_OR_DROP": "fill", "PROMISE_IN_BOUNDS": "clip"}
_SCATTER_MODES = {"CLIP": "clip", "FILL_OR_DROP": "fill", "PROMISE_IN_BOUNDS": "fill"}


def _mode(eqn: Any) -> str:
    mode = eqn.params["mode"]
    return getattr(mode, "name", None) or {"clip": "CLIP", "promise_in_bounds": "PROMISE_IN_BOUNDS"}.get(
        str(mode), "FILL_OR_DROP"
    )


@rule("dynamic_slice")
def _dynamic_slice(im: Importer, eqn: Any) -> list[ir.Value]:
    operands = 1 + len(eqn.invars[0].aval.shape)
    return im.builder.lax("dynamic_slice", im.args(eqn)[:operands], im.results(eqn))


@rule("dynamic_update_slice")
def _dynamic_update_slice(im: Importer, eqn: Any) -> list[ir.Value]:
    return im.same(eqn)


def _is_one_slice(eqn: Any) -> bool:
    """Whether a gather takes one clamped slice: a single index vector, all other dims whole."""
    dims = eqn.params["dimension_numbers"]
    return (
        len(eqn.invars[1].aval.shape) == 1
        and not dims.operand_batching_dims
        and _GATHER_MODES.get(_mode(eqn)) == "clip"
    )


def _gather_accepts(eqn: Any) -> bool:
    if _mode(eqn) not in _GATHER_MODES:
        return False
    operand = eqn.invars[0].aval.shape
    # A symbolic slice size other than the whole dim is imported for a single slice only.
    return _is_one_slice(eqn) or all(
        is_static(size) or size == extent
        for size, extent in zip(eqn.params["slice_sizes"], operand, strict=True)
    )


@rule("gather", accepts=_gather_accepts)
def _gather(im: Importer, eqn: Any) -> list[ir.Value]:
    params = eqn.params
    dims = params["dimension_numbers"]
    if _is_one_slice(eqn):
        return [_one_slice(im, eqn)]
    return im.same(
        eqn,
        offset_dims=dims.offset_dims,
        collapsed_slice_dims=dims.collapsed_slice_dims,
        start_index_map=dims.start_index_map,
        operand_batching_dims=dims.operand_batching_dims,
        start_indices_batching_dims=dims.start_indices_batching_dims,
        slice_sizes=params["slice_sizes"],
        mode=_GATHER_MODES[_mode(eqn)],
        fill_value=params.get("fill_value"),
        indices_are_sorted=bool(params.get("indices_are_sorted")),
        unique_indices=bool(params.get("unique_indices")),
    )


def _one_slice(im: Importer, eqn: Any) -> ir.Value:
    """Emit a gather of one slice as a dynamic slice, which every later stage handles best."""
    builder = im.builder
    dims = eqn.params["dimension_numbers"]
    operand, indices = im.args(eqn)
    source, index = (tensor_type(v.aval) for v in eqn.invars)
    result = tensor_type(eqn.outvars[0].aval)
    sizes = tuple(eqn.params["slice_sizes"])
    scalar = TensorType(index.dtype, ())
    zero = builder.constant(eqn.invars[1].aval.dtype.type(0), scalar)
    starts = [zero] * source.rank
    for component, dim in enumerate(dims.start_index_map):
        one = builder.lax1(
            "slice",
            [indices],
            TensorType(index.dtype, (1,)),
            start_indices=[component],
            limit_indices=[component + 1],
        )
        starts[dim] = builder.lax1("squeeze", [one], scalar, dimensions=[0])
    if sizes == source.shape:
        window = operand
    else:
        window = builder.lax1("dynamic_slice", [operand, *starts], TensorType(source.dtype, sizes))
    if not dims.collapsed_slice_dims:
        return window
    return builder.lax1("squeeze", [window], result, dimensions=dims.collapsed_slice_dims)


@rule(
    "scatter", "scatter-add", "scatter-sub", "scatter-mul", "scatter-min", "scatter-max",
    "scatter_add", "scatter_sub", "scatter_mul", "scatter_min", "scatter_max",
    accepts=lambda eqn: _mode(eqn) in _SCATTER_MODES,
)  # fmt: skip
def _scatter(im: Importer, eqn: Any) -> list[ir.Value]:
    params = eqn.params
    dims = params["dimension_numbers"]
    return im.same(
        eqn,
        update_window_dims=dims.update_window_dims,
        inserted_window_dims=dims.inserted_window_dims,
        scatter_dims_to_operand_dims=dims.scatter_dims_to_operand_dims,
        operand_batching_dims=dims.operand_batching_dims,
        scatter_indices_batching_dims=dims.scatter_indices_batching_dims,
        mode=_SCATTER_MODES[_mode(eqn)],
        indices_are_sorted=bool(params.get("indices_are_sorted")),
        unique_indices=bool(params.get("unique_indices")),
    )
