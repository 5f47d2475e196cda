"""Primitives that change shapes and move elements."""

from __future__ import annotations

from typing import Any

import numpy as np
from mlir import ir

from janus_mlir.capture.graph import TensorType
from janus_mlir.emit.extents import is_static
from janus_mlir.emit.jaxpr.avals import tensor_type
from janus_mlir.emit.jaxpr.importer import Importer
from janus_mlir.emit.jaxpr.registry import rule


@rule("broadcast_in_dim", accepts=lambda eqn: len(eqn.invars) == 1 or not eqn.params.get("shape_has_tracers"))
def _broadcast_in_dim(im: Importer, eqn: Any) -> list[ir.Value]:
    source, result = tensor_type(eqn.invars[0].aval), tensor_type(eqn.outvars[0].aval)
    if source.shape == result.shape:
        return [im.read(eqn.invars[0])]
    if not source.shape:  # literals become splats
        return [im.broadcast(eqn.invars[0], result.shape)]
    dims = eqn.params["broadcast_dimensions"]
    return im.builder.lax("broadcast_in_dim", [im.read(eqn.invars[0])], [result], broadcast_dimensions=dims)


@rule("iota")
def _iota(im: Importer, eqn: Any) -> list[ir.Value]:
    return im.builder.lax("iota", [], im.results(eqn), dimension=eqn.params["dimension"])


@rule("reshape")
def _reshape(im: Importer, eqn: Any) -> list[ir.Value]:
    (source,) = (tensor_type(v.aval) for v in eqn.invars[:1])
    operand = im.read(eqn.invars[0])
    order = eqn.params.get("dimensions")
    if order is not None and tuple(order) != tuple(range(source.rank)):
        moved = TensorType(source.dtype, tuple(source.shape[k] for k in order))
        operand = im.builder.lax1("transpose", [operand], moved, permutation=order)
    return im.builder.lax("reshape", [operand], im.results(eqn))


@rule("squeeze", "rev")
def _dimensions(im: Importer, eqn: Any) -> list[ir.Value]:
    rank = len(eqn.invars[0].aval.shape)
    return im.same(eqn, dimensions=[d % rank for d in eqn.params["dimensions"]])


@rule("expand_dims")
def _expand_dims(im: Importer, eqn: Any) -> list[ir.Value]:
    return im.same(eqn, dimensions=eqn.params["dimensions"])


@rule("transpose")
def _transpose(im: Importer, eqn: Any) -> list[ir.Value]:
    return im.same(eqn, permutation=eqn.params["permutation"])


@rule("concatenate")
def _concatenate(im: Importer, eqn: Any) -> list[ir.Value]:
    return im.same(eqn, dimension=eqn.params["dimension"])


@rule("split")
def _split(im: Importer, eqn: Any) -> list[ir.Value]:
    return im.same(eqn, sizes=eqn.params["sizes"], axis=eqn.params["axis"])


@rule("stack", "unstack")
def _stack(im: Importer, eqn: Any) -> list[ir.Value]:
    return im.same(eqn, axis=eqn.params["axis"])


@rule("tile", accepts=lambda eqn: all(is_static(r) for r in eqn.params["reps"]))
def _tile(im: Importer, eqn: Any) -> list[ir.Value]:
    return im.same(eqn, reps=eqn.params["reps"])


@rule("pad")
def _pad(im: Importer, eqn: Any) -> list[ir.Value]:
    low, high, interior = ([row[k] for row in eqn.params["padding_config"]] for k in range(3))
    return im.same(eqn, low=low, high=high, interior=interior)


@rule("slice")
def _slice(im: Importer, eqn: Any) -> list[ir.Value]:
    params = eqn.params
    return im.same(
        eqn,
        start_indices=params["start_indices"],
        limit_indices=params["limit_indices"],
        strides=params.get("strides"),
    )


@rule("empty", "empty2")
def _empty(im: Importer, eqn: Any) -> list[ir.Value]:
    return [im.builder.zeros(result) for result in im.results(eqn)]


@rule("iota_2x32_shape")
def _iota_2x32_shape(im: Importer, eqn: Any) -> list[ir.Value]:
    """Emit the halves of a row-major 64-bit count."""
    result = tensor_type(eqn.outvars[0].aval)
    count: Any = 1
    for extent in result.shape:
        count = count * extent
    if is_static(count) and count <= 2**32:
        flat = im.builder.lax1("iota", [], TensorType("ui32", (count,)), dimension=0)
        low = im.builder.lax1("reshape", [flat], result)
        return [im.builder.constant(np.zeros(1, np.uint32), result), low]
    wide = TensorType("ui64", result.shape)
    flat = im.builder.lax1("iota", [], TensorType("ui64", (count,)), dimension=0)
    counts = im.builder.lax1("reshape", [flat], wide)
    shift = im.builder.constant(np.uint64(32), TensorType("ui64", ()))
    shifts = im.builder.lax1("broadcast_in_dim", [shift], wide, broadcast_dimensions=[])
    high = im.builder.lax1("shift_right_logical", [counts, shifts], wide)
    return [im.builder.lax1("convert_element_type", [half], result) for half in (high, counts)]
