"""Contractions, convolutions and windows."""

from __future__ import annotations

from typing import Any

from mlir import ir

from janus_mlir.capture.graph import TensorType
from janus_mlir.emit.extents import is_static
from janus_mlir.emit.jaxpr.avals import tensor_type
from janus_mlir.emit.jaxpr.importer import Importer
from janus_mlir.emit.jaxpr.registry import rule


@rule("dot_general")
def _dot_general(im: Importer, eqn: Any) -> list[ir.Value]:
    (lhs_contracting, rhs_contracting), (lhs_batch, rhs_batch) = eqn.params["dimension_numbers"]
    operands, (result,) = im.args(eqn), im.results(eqn)
    types = [tensor_type(v.aval) for v in eqn.invars]
    if types[0].dtype != types[1].dtype:  # as in a product of ints and floats
        operands = [
            operand
            if type.dtype == result.dtype
            else im.builder.lax1("convert_element_type", [operand], TensorType(result.dtype, type.shape))
            for operand, type in zip(operands, types, strict=True)
        ]
    return im.builder.lax(
        "dot_general",
        operands,
        [result],
        lhs_contracting=lhs_contracting,
        rhs_contracting=rhs_contracting,
        lhs_batch=lhs_batch,
        rhs_batch=rhs_batch,
    )


def _static_padding(eqn: Any) -> bool:
    return all(is_static(p) for pair in eqn.params["padding"] for p in pair)


@rule("conv_general_dilated", accepts=_static_padding)
def _convolution(im: Importer, eqn: Any) -> list[ir.Value]:
    params = eqn.params
    dims = params["dimension_numbers"]
    return im.same(
        eqn,
        window_strides=params["window_strides"],
        padding=params["padding"],
        lhs_dilation=params["lhs_dilation"],
        rhs_dilation=params["rhs_dilation"],
        lhs_spec=dims.lhs_spec,
        rhs_spec=dims.rhs_spec,
        out_spec=dims.out_spec,
        feature_group_count=params["feature_group_count"],
        batch_group_count=params["batch_group_count"],
    )


@rule("reduce_window_sum", "reduce_window_max", "reduce_window_min", accepts=_static_padding)
def _reduce_window(im: Importer, eqn: Any) -> list[ir.Value]:
    params = eqn.params
    return im.same(
        eqn,
        window_dimensions=params["window_dimensions"],
        window_strides=params["window_strides"],
        padding=params["padding"],
        base_dilation=params["base_dilation"],
        window_dilation=params["window_dilation"],
    )


@rule("select_and_scatter_add", accepts=_static_padding)
def _select_and_scatter_add(im: Importer, eqn: Any) -> list[ir.Value]:
    params = eqn.params
    return im.same(
        eqn,
        select_prim=params["select_prim"].name,
        window_dimensions=params["window_dimensions"],
        window_strides=params["window_strides"],
        padding=params["padding"],
    )


@rule("select_and_gather_add", accepts=_static_padding)
def _select_and_gather_add(im: Importer, eqn: Any) -> list[ir.Value]:
    params = eqn.params
    return im.same(
        eqn,
        select_prim=params["select_prim"].name,
        window_dimensions=params["window_dimensions"],
        window_strides=params["window_strides"],
        padding=params["padding"],
        base_dilation=params["base_dilation"],
        window_dilation=params["window_dilation"],
    )
