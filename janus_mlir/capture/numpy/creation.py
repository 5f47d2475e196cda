"""Functions that make arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from janus_mlir.capture.graph import Extent
from janus_mlir.capture.numpy.arguments import Arguments, dtype_argument, shape_argument
from janus_mlir.capture.numpy.context import Context, bad_argument, value_dependent, would_raise
from janus_mlir.capture.numpy.dtypes import FLOAT64, INT64, DType, element
from janus_mlir.capture.numpy.extents import at_least, broadcast_shapes, product
from janus_mlir.capture.numpy.lax import Lax
from janus_mlir.capture.numpy.layout import elementwise_layout, is_contiguous
from janus_mlir.capture.numpy.operands import (
    array_of_items,
    fit,
    fresh,
    operand,
    promote,
    sequence,
)
from janus_mlir.capture.numpy.shape import require_c_order
from janus_mlir.capture.numpy.views import index_view, whole
from janus_mlir.capture.values import Abstract, ExtentNumber, JaxArray, Known, NumpyArray, TupleValue


def _check_shape(shape: Sequence[Extent]) -> tuple[Extent, ...]:
    for extent in shape:
        if at_least(extent, 0) is False:
            would_raise("negative dimensions")
    return tuple(shape)


def _filled(ctx: Context, bound: Arguments, value: int) -> Abstract:
    bound.refuse("device", "like")
    require_c_order(bound)
    shape = _check_shape(shape_argument(ctx, bound.need("shape"), "shape"))
    dtype = bound.dtype() or FLOAT64
    return ctx.new_array(Lax(ctx.b).full(value, element(dtype), shape), dtype)


def zeros(ctx: Context, bound: Arguments) -> Abstract:
    """``np.zeros``, and ``np.empty``, whose content is arbitrary."""
    return _filled(ctx, bound, 0)


def ones(ctx: Context, bound: Arguments) -> Abstract:
    """``np.ones``."""
    return _filled(ctx, bound, 1)


def full(ctx: Context, bound: Arguments) -> Abstract:
    """``np.full``."""
    bound.refuse("device", "like")
    require_c_order(bound)
    shape = _check_shape(shape_argument(ctx, bound.need("shape"), "shape"))
    value = operand(ctx, bound.need("fill_value"))
    dtype = bound.dtype() or value.strong
    if value.number is not None and value.dtype is float and dtype.kind in "iu":
        bad_argument("full of integers with a float")
    if len(broadcast_shapes(ctx, value.shape, shape)) != len(shape):
        would_raise("fill value does not fit")
    return ctx.new_array(fit(ctx, Lax(ctx.b), value.tensor(ctx, dtype), shape), dtype)


def _like(ctx: Context, bound: Arguments, value: Abstract) -> Abstract:
    bound.refuse("device")
    if bound.constant("order", "K") not in ("K", "C"):
        bad_argument(f"{bound.name}(order=...)")
    given = bound.need("a")
    like = operand(ctx, given)
    shape = like.shape
    same = "shape" not in bound
    if not same:
        shape = _check_shape(shape_argument(ctx, bound.need("shape"), "shape"))
    dtype = bound.dtype() or like.strong
    fill = operand(ctx, value)
    if fill.number is not None and fill.dtype is float and dtype.kind in "iu":
        bad_argument(f"{bound.name} of integers with a float")
    if len(broadcast_shapes(ctx, fill.shape, shape)) != len(shape):
        would_raise("fill value does not fit")
    result = ctx.new_array(fit(ctx, Lax(ctx.b), fill.tensor(ctx, dtype), shape), dtype)
    if bound.constant("order", "K") == "K" and like.array is not None:
        layout = elementwise_layout(ctx, [like.array], len(shape)) if same else None
        if layout != tuple(range(len(shape))) and not is_contiguous(ctx, like.array):
            ctx.layouts[result.storage] = layout
    return result


def zeros_like(ctx: Context, bound: Arguments) -> Abstract:
    """``np.zeros_like`` and ``np.empty_like``."""
    return _like(ctx, bound, Known(0))


def ones_like(ctx: Context, bound: Arguments) -> Abstract:
    """``np.ones_like``."""
    return _like(ctx, bound, Known(1))


def full_like(ctx: Context, bound: Arguments) -> Abstract:
    """``np.full_like``."""
    return _like(ctx, bound, bound.need("fill_value"))


def _literal(ctx: Context, array: np.ndarray[Any, Any]) -> NumpyArray:
    return ctx.new_array(Lax(ctx.b).literal(array, element(array.dtype)), array.dtype)


def arange(ctx: Context, bound: Arguments) -> Abstract:
    """``np.arange`` of known numbers, or of one symbolic extent."""
    bound.refuse("device", "like")
    given = [bound.get(name) for name in ("start", "stop", "step")]
    dtype = bound.dtype()
    if given[0] is None and given[1] is None:
        would_raise("arange() without arguments")
    if isinstance(given[0], ExtentNumber) and given[1] is None and given[2] is None:
        found = dtype or INT64
        return ctx.new_array(Lax(ctx.b).iota(element(found), (given[0].expr,), 0), found)
    for value in given:
        if value is not None and not isinstance(value, Known):
            value_dependent("arange of a computed number")
    numbers: dict[str, Any] = {}
    for name, value in zip(("start", "stop", "step"), given, strict=True):
        if value is not None:
            numbers[name] = value.value  # type: ignore[attr-defined]
    if "stop" not in numbers:
        numbers["stop"] = numbers.pop("start")
    try:
        make: Any = np.arange
        found_array = make(numbers.get("start", 0), numbers["stop"], numbers.get("step", 1), dtype=dtype)
    except (TypeError, ValueError, ZeroDivisionError) as error:
        would_raise(str(error))
    size = found_array.size
    if found_array.dtype.kind in "iu" and size > 16:
        return _integer_range(ctx, found_array)
    return _literal(ctx, found_array)


def _integer_range(ctx: Context, array: np.ndarray[Any, Any]) -> NumpyArray:
    """An arithmetic progression without its elements in the program text."""
    lx = Lax(ctx.b)
    name = element(array.dtype)
    first, step = int(array[0]), int(array[1]) - int(array[0])
    index = lx.iota(name, array.shape, 0)
    if step != 1:
        index = lx.mul(index, lx.like(index, step))
    if first:
        index = lx.add(index, lx.like(index, first))
    return ctx.new_array(index, array.dtype)


def linspace(ctx: Context, bound: Arguments) -> Abstract:
    """``np.linspace``; of computed bounds with a known count."""
    bound.refuse("device")
    if bound.constant("axis", 0) != 0 or bound.flag("retstep"):
        bad_argument("linspace(axis=..., retstep=...)")
    count = bound.constant("num", 50)
    if not isinstance(count, int) or count < 0:
        would_raise("number of samples")
    endpoint = bound.flag("endpoint", True)
    dtype = bound.dtype()
    start, stop = bound.need("start"), bound.need("stop")
    if isinstance(start, Known) and isinstance(stop, Known):
        try:
            return _literal(ctx, np.linspace(start.value, stop.value, count, endpoint=endpoint, dtype=dtype))
        except (TypeError, ValueError) as error:
            would_raise(str(error))
    a, z = operand(ctx, start), operand(ctx, stop)
    if a.shape or z.shape:
        bad_argument("linspace between arrays")
    # NumPy: result_type of the ends times 1.0 and float(num), which is at least float64 for Python numbers.
    found = np.result_type(promote(a, z), float(count))
    if found != FLOAT64 or (dtype or found).kind != "f":
        bad_argument(f"linspace in {dtype or found}")
    lx = Lax(ctx.b)
    low, high = a.tensor(ctx, FLOAT64), z.tensor(ctx, FLOAT64)
    steps = count - 1 if endpoint else count
    index = lx.iota("f64", (count,), 0)
    delta = lx.sub(high, low)
    if steps > 0:
        step = lx.div(delta, lx.like(delta, float(steps)))
        # A step that underflows to zero is handled apart by NumPy.
        ctx.guard(lx.truth(lx.compare("ne", step, lx.like(step, 0.0))), "value")
        index = lx.mul(index, lx.broadcast(step, (count,)))
    else:
        index = lx.mul(index, lx.broadcast(delta, (count,)))
    content = lx.add(index, lx.broadcast(low, (count,)))
    if endpoint and count > 1:
        content = lx.dynamic_update_slice(content, lx.reshape(high, (1,)), [lx.tensor(lx.integer(count - 1))])
    result = dtype or found
    return ctx.new_array(lx.convert(content, element(result)), result)


def eye(ctx: Context, bound: Arguments) -> Abstract:
    """``np.eye`` and ``np.identity``."""
    bound.refuse("device", "like")
    require_c_order(bound)
    rows = bound.constant("N")
    columns = bound.constant("M", rows)
    offset = bound.constant("k", 0)
    dtype = bound.dtype() or FLOAT64
    lx = Lax(ctx.b)
    shape = _check_shape((rows, columns))
    row = lx.iota("i64", shape, 0)
    diagonal = lx.compare("eq", lx.add(row, lx.like(row, offset)), lx.iota("i64", shape, 1))
    return ctx.new_array(lx.convert(diagonal, element(dtype)), dtype)


def array(ctx: Context, bound: Arguments) -> Abstract:
    """``np.array``, ``asarray`` and ``ascontiguousarray``."""
    bound.refuse("like", "device", "subok")
    given = bound.get("a")
    if given is None:
        would_raise("array of nothing")
    # True: always copy; None: only if needed; False: never.
    always = (
        None if bound.name == "ascontiguousarray" else bound.constant("copy", bound.name == "array" or None)
    )
    order = bound.constant("order", "C" if bound.name == "ascontiguousarray" else "K")
    if order not in ("K", "C", "A"):
        bad_argument(f"{bound.name}(order=...)")
    least = bound.constant("ndmin", 0)
    dtype = bound.dtype()
    if isinstance(given, NumpyArray):
        result = _converted(ctx, bound, given, dtype or given.dtype, always, order)
    elif sequence(ctx, given) is not None:
        result = array_of_items(ctx, given, dtype)
    else:
        if isinstance(given, JaxArray) and not always:
            # NumPy shares the memory, read-only.
            bad_argument(f"{bound.name} of a JAX array")
        x = operand(ctx, given)
        found = dtype or x.strong
        if x.number is not None and x.dtype is float and found.kind in "iu" and x.known is None:
            bad_argument("integer array of a float")
        result = ctx.new_array(x.tensor(ctx, found), found)
    if bound.name == "ascontiguousarray":
        least = 1
    if len(result.shape) < least:
        specs = ["new"] * (least - len(result.shape)) + whole(result.shape)
        return index_view(ctx, result, specs)
    return result


def _converted(
    ctx: Context, bound: Arguments, given: NumpyArray, dtype: DType, always: Any, order: str
) -> NumpyArray:
    contiguous = order != "C" or is_contiguous(ctx, given)
    if not contiguous and ctx.layouts.get(given.storage, ()) is None and not always:
        bad_argument(f"{bound.name} of an array whose memory order is not known")
    if dtype == given.dtype and not always and contiguous:
        return given
    if always is False:
        would_raise("a copy is needed")
    x = operand(ctx, given)
    return fresh(ctx, x.tensor(ctx, dtype), dtype, [x] if order != "C" else [])


def astype(ctx: Context, bound: Arguments) -> Abstract:
    """``ndarray.astype``."""
    x = operand(ctx, bound.need("a"))
    dtype = dtype_argument(ctx, bound.need("dtype"))
    order = bound.constant("order", "K")
    if order not in ("K", "C"):
        bad_argument("astype(order=...)")
    casting = bound.constant("casting", "unsafe")
    if not np.can_cast(x.strong, dtype, casting):
        would_raise(f"astype to {dtype} with casting={casting!r}")
    if not bound.flag("copy", True) and dtype == x.strong and x.array is not None and order == "K":
        return x.array
    content = x.tensor(ctx, dtype)
    if x.array is None:
        return ctx.new_scalar(content, dtype)
    return fresh(ctx, content, dtype, [x] if order == "K" else [])


def meshgrid(ctx: Context, arrays: Sequence[Abstract], bound: Arguments) -> Abstract:
    """``np.meshgrid``, whose result is a tuple."""
    if bound.flag("sparse") or not bound.flag("copy", True):
        bad_argument("meshgrid(sparse=..., copy=...)")
    indexing = bound.constant("indexing", "xy")
    operands = [operand(ctx, value) for value in arrays]
    lx = Lax(ctx.b)
    flat = [lx.reshape(x.tensor(ctx), (product(x.shape),)) for x in operands]
    axes = list(range(len(flat)))
    if indexing == "xy" and len(flat) > 1:
        axes[0], axes[1] = 1, 0
    shape = [1] * len(flat)
    for x, axis in zip(operands, axes, strict=True):
        shape[axis] = product(x.shape)
    return TupleValue(
        tuple(
            ctx.new_array(lx.broadcast(tensor, tuple(shape), (axis,)), x.strong)
            for tensor, axis, x in zip(flat, axes, operands, strict=True)
        )
    )
