"""Reductions over axes and running reductions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from janus_mlir.capture.graph import Extent, Value
from janus_mlir.capture.numpy.arguments import Arguments
from janus_mlir.capture.numpy.casts import cast
from janus_mlir.capture.numpy.context import Context, bad_argument, would_raise
from janus_mlir.capture.numpy.dtypes import BOOL, FLOAT16, FLOAT32, FLOAT64, INT64, UINT64, DType, element
from janus_mlir.capture.numpy.extents import (
    at_least,
    is_static,
    normalize_axes,
    normalize_axis,
    product,
    require_at_least,
)
from janus_mlir.capture.numpy.lax import Lax, shape_of, tensor_type
from janus_mlir.capture.numpy.layout import is_contiguous
from janus_mlir.capture.numpy.operands import Operand, fresh, operand, write_into
from janus_mlir.capture.values import Abstract, Known, NumpyArray


def accumulator(dtype: DType) -> DType:
    """Dtype in which ``sum`` and ``prod`` of `dtype` are computed by default."""
    if dtype.kind == "b" or (dtype.kind == "i" and dtype.itemsize < 8):
        return INT64
    if dtype.kind == "u" and dtype.itemsize < 8:
        return UINT64
    return dtype


def keep_dims(lx: Lax, x: Value, shape: Sequence[Extent], axes: Sequence[int]) -> Value:
    """Put extents of 1 back in the place of reduced axes."""
    return lx.reshape(x, tuple(1 if i in axes else d for i, d in enumerate(shape)))


def finish(
    ctx: Context,
    bound: Arguments,
    x: Operand,
    content: Value,
    dtype: DType,
    axes: Sequence[int],
) -> Abstract:
    """Apply ``keepdims`` and ``out`` to a reduced tensor; rank 0 gives a scalar."""
    lx = Lax(ctx.b)
    keep = bound.flag("keepdims")
    if keep:
        content = keep_dims(lx, content, x.shape, axes)
    out = bound.out()
    if out is not None:
        if tuple(out.shape) != shape_of(content):
            would_raise(f"{bound.name}(out=...) has the wrong shape")
        if not np.can_cast(dtype, out.dtype, "same_kind"):
            would_raise(f"{bound.name}(out=...) has the wrong dtype")
        write_into(ctx, out, content)
        return out
    if not shape_of(content) and not keep:
        return ctx.new_scalar(content, dtype)
    result = ctx.new_array(content, dtype)
    if x.array is not None and len(x.shape) > 1 and not is_contiguous(ctx, x.array):
        ctx.layouts[result.storage] = None
    return result


def _axes(bound: Arguments, rank: int) -> tuple[int, ...]:
    return normalize_axes(bound.constant("axis"), rank)


def _require_nonempty(ctx: Context, bound: Arguments, shape: Sequence[Extent], axes: Sequence[int]) -> None:
    for axis in axes:
        if not require_at_least(ctx, shape[axis], 1):
            would_raise(f"{bound.name}() of nothing")


def sum_tensor(ctx: Context, x: Value, axes: Sequence[int], name: str = "sum") -> Value:
    """Sum (or ``prod``); float16 accumulates in float32."""
    lx = Lax(ctx.b)
    if tensor_type(x).dtype == "f16":
        return lx.convert(lx.reduce(name, lx.convert(x, "f32"), axes), "f16")
    return lx.reduce(name, x, axes)


def _fold(ctx: Context, bound: Arguments, name: str) -> Abstract:
    bound.refuse("where")
    x = operand(ctx, bound.need("a"))
    axes = _axes(bound, len(x.shape))
    dtype = bound.dtype() or accumulator(x.strong)
    lx = Lax(ctx.b)
    tensor = x.tensor(ctx, x.strong)
    if dtype == BOOL:
        combine = "or" if name == "sum" else "and"
        content = lx.reduce(combine, cast(ctx, tensor, "i1"), axes)
    else:
        content = sum_tensor(ctx, cast(ctx, tensor, element(dtype)), axes, name)
    if "initial" in bound:
        start = operand(ctx, bound.need("initial"))
        initial = lx.broadcast(start.tensor(ctx, dtype), shape_of(content))
        content = lx.add(content, initial) if name == "sum" else lx.mul(content, initial)
    return finish(ctx, bound, x, content, dtype, axes)


def sum_(ctx: Context, bound: Arguments) -> Abstract:
    """``np.sum``."""
    ctx.computes()
    return _fold(ctx, bound, "sum")


def prod(ctx: Context, bound: Arguments) -> Abstract:
    """``np.prod``."""
    ctx.computes()
    return _fold(ctx, bound, "prod")


def _extremum(ctx: Context, bound: Arguments, name: str) -> Abstract:
    bound.refuse("where")
    x = operand(ctx, bound.need("a"))
    axes = _axes(bound, len(x.shape))
    lx = Lax(ctx.b)
    if "initial" in bound:
        start = operand(ctx, bound.need("initial"))
        if start.shape:
            bad_argument(f"{bound.name}(initial=...)")
    else:
        start = None
        _require_nonempty(ctx, bound, x.shape, axes)
    content = extremum_tensor(lx, x.tensor(ctx), name, axes)
    if start is not None:
        initial = lx.broadcast(start.tensor(ctx, x.strong), shape_of(content))
        content = lx.binary(name, content, initial)
    return finish(ctx, bound, x, content, x.strong, axes)


def extremum_tensor(lx: Lax, x: Value, name: str, axes: Sequence[int]) -> Value:
    """Greatest (``max``) or least element over axes."""
    if tensor_type(x).dtype == "i1":
        name = "or" if name == "max" else "and"
    return lx.reduce(name, x, axes)


def max_(ctx: Context, bound: Arguments) -> Abstract:
    """``np.max``."""
    return _extremum(ctx, bound, "max")


def min_(ctx: Context, bound: Arguments) -> Abstract:
    """``np.min``."""
    return _extremum(ctx, bound, "min")


def ptp(ctx: Context, bound: Arguments) -> Abstract:
    """``np.ptp``."""
    x = operand(ctx, bound.need("a"))
    if x.strong == BOOL:
        would_raise("ptp of bools")
    axes = _axes(bound, len(x.shape))
    _require_nonempty(ctx, bound, x.shape, axes)
    lx = Lax(ctx.b)
    tensor = x.tensor(ctx)
    content = lx.sub(lx.reduce("max", tensor, axes), lx.reduce("min", tensor, axes))
    return finish(ctx, bound, x, content, x.strong, axes)


def _logical(ctx: Context, bound: Arguments, name: str) -> Abstract:
    bound.refuse("where")
    x = operand(ctx, bound.need("a"))
    axes = _axes(bound, len(x.shape))
    content = Lax(ctx.b).reduce(name, cast(ctx, x.tensor(ctx), "i1"), axes)
    return finish(ctx, bound, x, content, BOOL, axes)


def any_(ctx: Context, bound: Arguments) -> Abstract:
    """``np.any``."""
    return _logical(ctx, bound, "or")


def all_(ctx: Context, bound: Arguments) -> Abstract:
    """``np.all``."""
    return _logical(ctx, bound, "and")


def count_nonzero(ctx: Context, bound: Arguments) -> Abstract:
    """``np.count_nonzero``."""
    x = operand(ctx, bound.need("a"))
    axes = _axes(bound, len(x.shape))
    lx = Lax(ctx.b)
    content = lx.reduce("sum", lx.convert(cast(ctx, x.tensor(ctx), "i1"), "i64"), axes)
    return finish(ctx, bound, x, content, INT64, axes)


def _count(ctx: Context, shape: Sequence[Extent], axes: Sequence[int], name: str, ddof: float = 0) -> Value:
    """Number of elements that are averaged, less `ddof`, as a rank-0 float; never below zero."""
    lx = Lax(ctx.b)
    extent = product(shape[axis] for axis in axes)
    if is_static(extent):
        return lx.full(max(float(extent) - ddof, 0.0), name)
    count = lx.convert(lx.convert(lx.tensor(lx.extent(extent)), "f64"), name)
    if ddof == 0:
        return count
    return lx.binary("max", lx.sub(count, lx.full(ddof, name)), lx.full(0.0, name))


def _mean_types(bound: Arguments, dtype: DType) -> tuple[DType, DType]:
    """Dtypes of the accumulation and of the result of ``mean``, ``var`` and ``std``."""
    asked = bound.dtype()
    if asked is not None:
        return (FLOAT32 if asked == FLOAT16 else asked), asked
    if dtype.kind in "iub":
        return FLOAT64, FLOAT64
    return (FLOAT32 if dtype == FLOAT16 else dtype), dtype


def mean_tensor(ctx: Context, x: Value, axes: Sequence[int]) -> Value:
    """Mean of a float tensor over axes."""
    lx = Lax(ctx.b)
    shape = shape_of(x)
    total = lx.reduce("sum", x, axes)
    count = _count(ctx, shape, axes, tensor_type(x).dtype)
    return lx.div(total, lx.broadcast(count, shape_of(total)))


def mean(ctx: Context, bound: Arguments) -> Abstract:
    """``np.mean``."""
    ctx.computes()
    bound.refuse("where")
    x = operand(ctx, bound.need("a"))
    axes = _axes(bound, len(x.shape))
    work, dtype = _mean_types(bound, x.strong)
    if work.kind != "f":
        bad_argument(f"mean(dtype={work})")
    content = mean_tensor(ctx, cast(ctx, x.tensor(ctx), element(work)), axes)
    return finish(ctx, bound, x, cast(ctx, content, element(dtype)), dtype, axes)


def _variance(ctx: Context, bound: Arguments, root: bool) -> Abstract:
    ctx.computes()
    bound.refuse("where", "mean")
    x = operand(ctx, bound.need("a"))
    axes = _axes(bound, len(x.shape))
    work, dtype = _mean_types(bound, x.strong)
    if work.kind != "f":
        bad_argument(f"{bound.name}(dtype={work})")
    ddof = bound.constant("ddof", bound.constant("correction", 0))
    lx = Lax(ctx.b)
    name = element(work)
    tensor = cast(ctx, x.tensor(ctx), name)
    shape = shape_of(tensor)
    center = keep_dims(lx, mean_tensor(ctx, tensor, axes), shape, axes)
    deviation = lx.sub(tensor, lx.broadcast(center, shape))
    total = lx.reduce("sum", lx.mul(deviation, deviation), axes)
    count = _count(ctx, shape, axes, name, float(ddof))
    content = lx.div(total, lx.broadcast(count, shape_of(total)))
    if root:
        content = lx.unary("sqrt", content)
    return finish(ctx, bound, x, cast(ctx, content, element(dtype)), dtype, axes)


def var(ctx: Context, bound: Arguments) -> Abstract:
    """``np.var``."""
    return _variance(ctx, bound, root=False)


def std(ctx: Context, bound: Arguments) -> Abstract:
    """``np.std``."""
    return _variance(ctx, bound, root=True)


def average(ctx: Context, bound: Arguments) -> Abstract:
    """``np.average``."""
    ctx.computes()
    if bound.flag("returned"):
        bad_argument("average(returned=True)")
    if "weights" not in bound:
        return mean(ctx, bound)
    x, w = operand(ctx, bound.need("a")), operand(ctx, bound.need("weights"))
    axis = bound.constant("axis")
    lx = Lax(ctx.b)
    if tuple(x.shape) != tuple(w.shape):
        if not isinstance(axis, int) or len(w.shape) != 1:
            bad_argument("average(weights=...) of another shape")
        axis = normalize_axis(axis, len(x.shape))
        if w.shape[0] != x.shape[axis]:
            would_raise("weights of another length")
    axes = _axes(bound, len(x.shape))
    dtype = np.result_type(x.strong, w.strong, *([FLOAT64] if x.strong.kind in "iub" else []))
    if dtype.kind != "f" or dtype == FLOAT16:
        bad_argument(f"average in {dtype}")
    weights = w.tensor(ctx, dtype)
    if len(w.shape) != len(x.shape):
        weights = lx.broadcast(weights, tuple(x.shape), axes)
    scale = lx.reduce("sum", weights, axes)
    # NumPy raises ZeroDivisionError.
    ctx.guard(lx.all(lx.compare("ne", scale, lx.like(scale, 0.0))), "zero")
    content = lx.div(lx.reduce("sum", lx.mul(x.tensor(ctx, dtype), weights), axes), scale)
    return finish(ctx, bound, x, content, dtype, axes)


def _arg(ctx: Context, bound: Arguments, name: str) -> Abstract:
    x = operand(ctx, bound.need("a"))
    axis = bound.constant("axis")
    lx = Lax(ctx.b)
    tensor = x.tensor(ctx)
    rank = len(x.shape)
    if tensor_type(tensor).dtype == "i1":
        tensor = lx.convert(tensor, "ui8")
    if axis is None:
        _require_nonempty(ctx, bound, x.shape, range(rank))
        tensor = lx.reshape(tensor, (product(x.shape),))
        return finish(ctx, bound, x, lx.arg(name, tensor, 0), INT64, range(rank))
    if rank == 0 and axis in (0, -1):
        tensor, rank = lx.reshape(tensor, (1,)), 1
        return finish(ctx, bound, x, lx.arg(name, tensor, 0), INT64, ())
    axis = normalize_axis(axis, rank)
    _require_nonempty(ctx, bound, x.shape, (axis,))
    return finish(ctx, bound, x, lx.arg(name, tensor, axis), INT64, (axis,))


def argmax(ctx: Context, bound: Arguments) -> Abstract:
    """``np.argmax``."""
    return _arg(ctx, bound, "argmax")


def argmin(ctx: Context, bound: Arguments) -> Abstract:
    """``np.argmin``."""
    return _arg(ctx, bound, "argmin")


def _running(ctx: Context, bound: Arguments, name: str) -> Abstract:
    ctx.computes()
    x = operand(ctx, bound.need("a"))
    dtype = bound.dtype() or accumulator(x.strong)
    if dtype == BOOL:
        bad_argument(f"{bound.name}(dtype=bool)")
    axis = bound.constant("axis")
    lx = Lax(ctx.b)
    tensor = cast(ctx, x.tensor(ctx), element(dtype))
    if axis is None or not x.shape:
        tensor, axis = lx.reshape(tensor, (product(x.shape),)), 0
    axis = normalize_axis(axis, len(shape_of(tensor)))
    if dtype == FLOAT16:
        content = lx.convert(lx.cumulative(name, lx.convert(tensor, "f32"), axis), "f16")
    else:
        content = lx.cumulative(name, tensor, axis)
    out = bound.out()
    if out is not None:
        if tuple(out.shape) != shape_of(content) or not np.can_cast(dtype, out.dtype, "same_kind"):
            would_raise(f"{bound.name}(out=...) does not fit")
        write_into(ctx, out, content)
        return out
    return fresh(ctx, content, dtype, [x] if len(shape_of(content)) == len(x.shape) else [])


def cumsum(ctx: Context, bound: Arguments) -> Abstract:
    """``np.cumsum``."""
    return _running(ctx, bound, "cumsum")


def cumprod(ctx: Context, bound: Arguments) -> Abstract:
    """``np.cumprod``."""
    return _running(ctx, bound, "cumprod")


def sort_tensor(ctx: Context, x: Value, axis: int) -> Value:
    """Ascending order along `axis`, NaN last."""
    lx = Lax(ctx.b)
    if tensor_type(x).dtype == "i1":
        return cast(ctx, lx.sort([lx.convert(x, "ui8")], axis)[0], "i1")
    return lx.sort([x], axis)[0]


def _sort_axis(bound: Arguments, rank: int) -> int:
    axis = bound.constant("axis", -1)
    if rank == 0:
        would_raise(f"{bound.name}() of an array of rank 0")
    return normalize_axis(axis, rank)


def sort(ctx: Context, bound: Arguments) -> Abstract:
    """``np.sort``."""
    bound.refuse("order")
    x = operand(ctx, bound.need("a"))
    lx = Lax(ctx.b)
    tensor = x.tensor(ctx)
    axis_given = bound.values.get("axis")
    if isinstance(axis_given, Known) and axis_given.value is None:
        tensor = lx.reshape(tensor, (product(x.shape),))
        return ctx.new_array(sort_tensor(ctx, tensor, 0), x.strong)
    content = sort_tensor(ctx, tensor, _sort_axis(bound, len(x.shape)))
    return fresh(ctx, content, x.strong, [x])


def sort_in_place(ctx: Context, array: NumpyArray, bound: Arguments) -> Abstract:
    """``ndarray.sort``."""
    bound.refuse("order")
    ctx.write(array, sort_tensor(ctx, ctx.read(array), _sort_axis(bound, len(array.shape))))
    return Known(None)


def argsort(ctx: Context, bound: Arguments) -> Abstract:
    """``np.argsort``; the default kind is not stable, so equal elements leave compiled code."""
    bound.refuse("order")
    x = operand(ctx, bound.need("a"))
    kind = bound.constant("kind", "quicksort")
    stable = kind in ("stable", "mergesort") or bound.flag("stable")
    lx = Lax(ctx.b)
    tensor = x.tensor(ctx)
    axis_given = bound.values.get("axis")
    if isinstance(axis_given, Known) and axis_given.value is None:
        tensor, axis = lx.reshape(tensor, (product(x.shape),)), 0
    else:
        axis = _sort_axis(bound, len(x.shape))
    shape = shape_of(tensor)
    if tensor_type(tensor).dtype == "i1":
        tensor = lx.convert(tensor, "ui8")
    keys, order = lx.sort([tensor, lx.iota("i64", shape, axis)], axis)
    if not stable and at_least(1, shape[axis]) is not True:
        _require_distinct(ctx, lx, keys, axis)
    return ctx.new_array(order, INT64)


def _require_distinct(ctx: Context, lx: Lax, keys: Value, axis: int) -> None:
    shape = shape_of(keys)
    sizes = tuple(d - 1 if i == axis else d for i, d in enumerate(shape))
    lower = lx.slice(keys, (0,) * len(shape), sizes)
    upper = lx.slice(keys, tuple(1 if i == axis else 0 for i in range(len(shape))), sizes)
    # Less, and not just different: NaNs, which are last, are equal for sorting.
    below = lx.compare("lt", lower, upper)
    if tensor_type(keys).dtype[0] == "f":
        below = lx.logical("or", below, lx.logical("and", lx.compare("eq", lower, lower), lx.is_nan(upper)))
    ctx.guard(lx.all(below), "value")


def median(ctx: Context, bound: Arguments) -> Abstract:
    """``np.median`` over all elements or one axis of static size."""
    bound.refuse("out", "overwrite_input")
    x = operand(ctx, bound.need("a"))
    lx = Lax(ctx.b)
    axis = bound.constant("axis")
    work = FLOAT64 if x.strong.kind in "iub" else x.strong
    if work == FLOAT16 or x.strong == BOOL:
        bad_argument(f"median of {x.strong}")
    tensor = x.tensor(ctx)
    axes = normalize_axes(axis, len(x.shape))
    if len(axes) != 1:
        if len(axes) != len(x.shape):
            bad_argument("median over several axes")
        tensor, at = lx.reshape(tensor, (product(x.shape),)), 0
    else:
        at = axes[0]
    shape = shape_of(tensor)
    size = shape[at]
    if not is_static(size) or size == 0:
        bad_argument("median over a symbolic or empty extent")
    ordered = cast(ctx, lx.sort([tensor], at)[0], element(work))

    def pick(index: int) -> Value:
        starts = tuple(index if i == at else 0 for i in range(len(shape)))
        row = lx.slice(ordered, starts, tuple(1 if i == at else d for i, d in enumerate(shape)))
        return lx.reshape(row, tuple(d for i, d in enumerate(shape) if i != at))

    middle = pick(size // 2)
    if size % 2 == 0:
        low = pick(size // 2 - 1)
        total = lx.add(low, middle)
        middle = lx.div(total, lx.like(total, 2.0))
    last = pick(size - 1)
    if work.kind == "f":
        middle = lx.select(lx.is_nan(last), last, middle)
    return finish(ctx, bound, x, middle, work, axes)
