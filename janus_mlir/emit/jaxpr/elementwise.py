"""Primitives that act on each element alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from mlir import ir

from janus_mlir.capture.graph import TensorType
from janus_mlir.emit.jaxpr.avals import tensor_type
from janus_mlir.emit.jaxpr.importer import Importer
from janus_mlir.emit.jaxpr.registry import rule


@rule(
    "abs", "acos", "acosh", "add", "and", "asin", "asinh", "atan", "atan2", "atanh", "cbrt", "ceil", "clamp",
    "clz", "cos", "cosh", "digamma", "div", "eq", "erf", "erf_inv", "erfc", "exp", "exp2", "expm1", "floor",
    "ge", "gt", "is_finite", "le", "lgamma", "log", "log1p", "logistic", "lt", "max", "min", "mulhi", "ne",
    "neg", "nextafter", "not", "or", "population_count", "pow", "rem", "rsqrt", "shift_left",
    "shift_right_arithmetic", "shift_right_logical", "sign", "sin", "sinh", "sqrt", "square", "sub", "tan",
    "tanh", "xor",
)  # fmt: skip
def _elementwise(im: Importer, eqn: Any) -> list[ir.Value]:
    return im.elementwise(eqn)


@rule("add_any")
def _add_any(im: Importer, eqn: Any) -> list[ir.Value]:
    return im.elementwise(eqn, "add")


@rule("mul")
def _mul(im: Importer, eqn: Any) -> list[ir.Value]:
    result = tensor_type(eqn.outvars[0].aval)
    operands = [im.broadcast(v, result.shape) for v in eqn.invars]
    # `out_dtype` asks for a product in another type than the operands'.
    for k, v in enumerate(eqn.invars):
        if tensor_type(v.aval).dtype != result.dtype:
            operands[k] = im.builder.lax1("convert_element_type", [operands[k]], result)
    return im.builder.lax("mul", operands, [result])


@rule("integer_pow")
def _integer_pow(im: Importer, eqn: Any) -> list[ir.Value]:
    return im.elementwise(eqn, y=eqn.params["y"])


@rule("one_minus_square")
def _one_minus_square(im: Importer, eqn: Any) -> list[ir.Value]:
    """Emit ``(1 + x) * (1 - x)``, which JAX has as one primitive since 0.11."""
    builder = im.builder
    (x,) = im.args(eqn)
    type = tensor_type(eqn.outvars[0].aval)
    one = builder.constant(np.ones((), eqn.outvars[0].aval.dtype), TensorType(type.dtype, ()))
    if type.shape:
        one = builder.lax1("broadcast_in_dim", [one], type, broadcast_dimensions=[])
    return builder.lax(
        "mul", [builder.lax1("add", [one, x], type), builder.lax1("sub", [one, x], type)], [type]
    )


@rule("round")
def _round(im: Importer, eqn: Any) -> list[ir.Value]:
    method = eqn.params["rounding_method"]
    return im.elementwise(eqn, rounding_method=getattr(method, "name", str(method)).lower())


@rule("reduce_precision")
def _reduce_precision(im: Importer, eqn: Any) -> list[ir.Value]:
    params = eqn.params
    return im.elementwise(eqn, exponent_bits=params["exponent_bits"], mantissa_bits=params["mantissa_bits"])


@rule("convert_element_type")
def _convert(im: Importer, eqn: Any) -> list[ir.Value]:
    source, result = tensor_type(eqn.invars[0].aval), tensor_type(eqn.outvars[0].aval)
    if source.dtype == result.dtype:  # a change of weakness
        return im.args(eqn)
    return im.same(eqn)


@rule("bitcast_convert_type")
def _bitcast(im: Importer, eqn: Any) -> list[ir.Value]:
    return im.same(eqn)


@rule("select_n")
def _select(im: Importer, eqn: Any) -> list[ir.Value]:
    which, *_ = (tensor_type(v.aval) for v in eqn.invars)
    if which.dtype not in ("i1", "i32"):
        result = tensor_type(eqn.outvars[0].aval)
        operands = [im.broadcast(v, result.shape) for v in eqn.invars]
        operands[0] = im.builder.lax1("convert_element_type", operands[:1], TensorType("i32", result.shape))
        return im.builder.lax("select_n", operands, [result])
    return im.elementwise(eqn)


@rule("stop_gradient")
def _stop_gradient(im: Importer, eqn: Any) -> list[ir.Value]:
    return im.same(eqn)


@rule(
    "copy", "copy_p", "device_put", "from_edtype", "layout_constraint", "name", "optimization_barrier",
    "pbroadcast", "pvary", "random_clone", "random_unwrap", "random_wrap", "reshard", "sharding_constraint",
    "tie", "to_edtype",
    keys=True,
)  # fmt: skip
def _identity(im: Importer, eqn: Any) -> list[ir.Value]:
    return im.args(eqn)[: len(eqn.outvars)]


@rule("dim_as_value")
def _dim_as_value(im: Importer, eqn: Any) -> list[ir.Value]:
    extent = im.builder.extents.value(eqn.params["dim"])
    return [im.builder.from_index(extent, tensor_type(eqn.outvars[0].aval))]


@rule("dimension_size")
def _dimension_size(im: Importer, eqn: Any) -> list[ir.Value]:
    extent = im.builder.extents.value(eqn.invars[0].aval.shape[eqn.params["dimension"]])
    return [im.builder.from_index(extent, tensor_type(eqn.outvars[0].aval))]


def platform_index(platforms: Sequence[Sequence[str] | None]) -> int:
    """Return which of the groups of platforms holds the CPU; None stands for all others."""
    default = next((k for k, names in enumerate(platforms) if names is None), len(platforms) - 1)
    return next((k for k, names in enumerate(platforms) if names is not None and "cpu" in names), default)


@rule("platform_index")
def _platform_index(im: Importer, eqn: Any) -> list[ir.Value]:
    index = platform_index(eqn.params["platforms"])
    return [im.builder.constant(np.int32(index), TensorType("i32", ()))]
