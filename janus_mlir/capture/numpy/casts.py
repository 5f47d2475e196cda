"""Conversion of elements as NumPy's casts do it on x86-64."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from janus_mlir.capture.graph import Value
from janus_mlir.capture.numpy.context import Context, would_raise
from janus_mlir.capture.numpy.dtypes import DType, bits, element, is_float, is_integer, is_signed
from janus_mlir.capture.numpy.lax import Lax, tensor_type
from janus_mlir.capture.values import Abstract, ExtentNumber, Known, Number


def cast(ctx: Context, x: Value, dtype: str) -> Value:
    """Convert a tensor to an element type, as ``astype`` does."""
    lx = Lax(ctx.b)
    source = tensor_type(x).dtype
    if source == dtype:
        return x
    if dtype == "i1":
        return lx.compare("ne", x, lx.like(x, 0))
    if is_float(source) and is_integer(dtype):
        return _float_to_integer(ctx, lx, x, dtype)
    if dtype == "f16" and is_integer(source):
        # NumPy goes through float32, which rounds twice.
        return lx.convert(lx.convert(x, "f32"), "f16")
    return lx.convert(x, dtype)


def _float_to_integer(ctx: Context, lx: Lax, x: Value, dtype: str) -> Value:
    """Truncate; what is out of range becomes what the machine's conversion instruction makes of it."""
    if tensor_type(x).dtype == "f16":
        x = lx.convert(x, "f32")
    width = bits(dtype)
    if width < 32:
        return lx.convert(_float_to_integer(ctx, lx, x, "i32"), dtype)
    if not is_signed(dtype):
        # The outcome out of range depends on how NumPy was compiled.
        inside = lx.logical(
            "and", lx.compare("gt", x, lx.like(x, -1.0)), lx.compare("lt", x, lx.like(x, 2.0**width))
        )
        ctx.guard(lx.all(inside), "domain")
        return lx.convert(x, dtype)
    least = -(2.0 ** (width - 1))
    inside = lx.logical(
        "and", lx.compare("ge", x, lx.like(x, least)), lx.compare("lt", x, lx.like(x, -least))
    )
    safe = lx.convert(lx.select(inside, x, lx.like(x, 0.0)), dtype)
    return lx.select(inside, safe, lx.like(safe, int(least)))


def number_to_tensor(ctx: Context, number: Abstract, dtype: DType) -> Value:
    """A Python number as a rank-0 tensor of `dtype`, as NumPy converts weak operands.

    An int that does not fit raises OverflowError in NumPy: a break or, at run time, a guard.
    """
    lx = Lax(ctx.b)
    name = element(dtype)
    match number:
        case Known(value=value):
            return lx.full(convert_known(value, dtype), name)
        case ExtentNumber(expr=expr):
            return _integer_to_tensor(ctx, lx, lx.extent(expr), name)
        case Number(kind="int", ref=ref):
            return _integer_to_tensor(ctx, lx, ref, name)
        case Number(kind="float", ref=ref):
            return cast(ctx, lx.tensor(ref), name)
        case Number(ref=ref):
            return cast(ctx, lx.tensor(ref), name)
    raise TypeError(f"{number!r} is not a number")


def _integer_to_tensor(ctx: Context, lx: Lax, ref: Value, name: str) -> Value:
    if name == "ui64":
        ctx.guard(lx.cmpi("sge", ref, lx.integer(0)), "overflow")
    elif is_integer(name) and name != "i64":
        width = bits(name)
        lo, hi = (-(1 << (width - 1)), (1 << (width - 1)) - 1) if is_signed(name) else (0, (1 << width) - 1)
        ctx.guard(lx.cmpi("sge", ref, lx.integer(lo)), "overflow")
        ctx.guard(lx.cmpi("sle", ref, lx.integer(hi)), "overflow")
    tensor = lx.tensor(ref)
    if is_float(name):
        # Through double, as PyFloat_AsDouble does it.
        tensor = lx.convert(tensor, "f64")
    return cast(ctx, tensor, name)


def convert_known(value: Any, dtype: DType) -> np.ndarray[Any, Any]:
    """A Python number or NumPy scalar as a rank-0 array of `dtype`."""
    if isinstance(value, np.generic):
        with np.errstate(all="ignore"):
            return np.asarray(value).astype(dtype)
    if isinstance(value, float) and dtype.kind in "iu":
        if not (math.isfinite(value) and np.iinfo(dtype).min <= math.trunc(value) <= np.iinfo(dtype).max):
            would_raise(f"{value!r} as {dtype}")
        value = math.trunc(value)
    try:
        with np.errstate(all="ignore"):
            return np.asarray(value, dtype=dtype)
    except (OverflowError, ValueError, TypeError) as error:
        would_raise(str(error))


def tensor_to_number(ctx: Context, x: Value, kind: str) -> Value:
    """The element of a rank-0 tensor as a Python int, float or bool."""
    lx = Lax(ctx.b)
    name = tensor_type(x).dtype
    if kind == "bool":
        return lx.truth(x)
    if kind == "float":
        return lx.number(lx.convert(x, "f64"))
    if is_float(name):
        x = lx.convert(x, "f64")
        inside = lx.logical(
            "and", lx.compare("ge", x, lx.like(x, -(2.0**63))), lx.compare("lt", x, lx.like(x, 2.0**63))
        )
        ctx.guard(lx.truth(inside), "overflow")
        return lx.number(lx.convert(x, "i64"))
    ref = lx.number(lx.convert(x, "i64"))
    if name == "ui64":
        ctx.guard(lx.cmpi("sge", ref, lx.integer(0)), "overflow")
    return ref
