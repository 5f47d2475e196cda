"""Methods of ufuncs and calls of scalar types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from janus_mlir.capture.numpy import indexing, reductions, ufuncs
from janus_mlir.capture.numpy.arguments import bind
from janus_mlir.capture.numpy.context import Context, bad_argument, unknown_function, would_raise
from janus_mlir.capture.numpy.dtypes import element
from janus_mlir.capture.numpy.lax import Lax
from janus_mlir.capture.numpy.operands import as_array, operand, sequence
from janus_mlir.capture.numpy.shape import with_new_axes
from janus_mlir.capture.values import Abstract, Known, NumpyArray

_REDUCTIONS = {
    np.add: reductions.sum_,
    np.multiply: reductions.prod,
    np.maximum: reductions.max_,
    np.minimum: reductions.min_,
    np.logical_and: reductions.all_,
    np.logical_or: reductions.any_,
}
_ACCUMULATIONS = {np.add: reductions.cumsum, np.multiply: reductions.cumprod}
_AT = {np.add: "scatter_add", np.subtract: "scatter_sub"}


def ufunc_method(
    ctx: Context, ufunc: np.ufunc, name: str, args: Sequence[Abstract], kwargs: Mapping[str, Abstract]
) -> Abstract:
    """``ufunc.reduce``, ``accumulate``, ``outer`` and ``at``."""
    label = f"{ufunc.__name__}.{name}"
    if name == "reduce" and ufunc in _REDUCTIONS:
        bound = bind(ctx, label, "a axis dtype out keepdims initial where", args, kwargs)
        if ufunc in (np.maximum, np.minimum, np.logical_and, np.logical_or):
            bound.refuse("dtype")
        if "axis" not in bound.values:
            bound.values = {**bound.values, "axis": Known(0)}
        return _REDUCTIONS[ufunc](ctx, bound)
    if name == "accumulate" and ufunc in _ACCUMULATIONS:
        bound = bind(ctx, label, "a axis dtype out", args, kwargs)
        if "axis" not in bound:
            bound.values = {**bound.values, "axis": Known(0)}
        return _ACCUMULATIONS[ufunc](ctx, bound)
    if name == "outer" and ufunc.nin == 2 and len(args) == 2:
        a, b = as_array(ctx, args[0]), as_array(ctx, args[1])
        rank = len(a.shape)
        spread = with_new_axes(ctx, a, range(rank, rank + len(b.shape)))
        return ufuncs.call(ctx, ufunc, [spread, b], kwargs)
    if name == "at" and ufunc in _AT and len(args) == 3 and not kwargs:
        target = args[0]
        if not isinstance(target, NumpyArray):
            would_raise(f"{label} of other than an array")
        if target.dtype.kind not in "iuf" or element(target.dtype) == "f16":
            bad_argument(f"{label} of {target.dtype}")
        indexing.at(ctx, _AT[ufunc], target, args[1], args[2])
        return Known(None)
    unknown_function(f"numpy.{label}")


def scalar_type_call(
    ctx: Context, cls: type[Any], args: Sequence[Abstract], kwargs: Mapping[str, Abstract]
) -> Abstract:
    """``np.float32(x)`` and its like: a scalar, or an array of an array."""
    if kwargs or len(args) > 1:
        bad_argument(f"{cls.__name__} with several arguments")
    dtype = np.dtype(cls)
    element(dtype)
    if cls is not dtype.type:
        unknown_function(f"numpy.{cls.__name__}")
    if not args:
        return Known(cls())
    value = args[0]
    if isinstance(value, Known) and not isinstance(value.value, tuple | list):
        try:
            with np.errstate(all="ignore"):
                return Known(cls(value.value))
        except (TypeError, ValueError, OverflowError) as error:
            would_raise(str(error))
    x = operand(ctx, value)
    if x.number is not None and x.dtype is float and dtype.kind in "iu":
        # Like int(): raises for NaN and what is out of range.
        content = x.tensor(ctx)
        lx = Lax(ctx.b)
        info = np.iinfo(dtype)
        inside = lx.logical(
            "and",
            lx.compare("gt", content, lx.like(content, float(info.min) - 1.0)),
            lx.compare("lt", content, lx.like(content, float(info.max) + 1.0)),
        )
        ctx.guard(lx.truth(inside), "domain")
        return ctx.new_scalar(lx.convert(content, element(dtype)), dtype)
    if x.is_array and x.strong == dtype:
        bad_argument(f"{cls.__name__} of an array of that dtype")
    content = x.tensor(ctx, dtype)
    if x.shape or sequence(ctx, value) is not None:
        return ctx.new_array(content, dtype)
    return ctx.new_scalar(content, dtype)
