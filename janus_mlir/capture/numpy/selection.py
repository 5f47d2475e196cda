"""Functions that choose, compare and look up elements."""

from __future__ import annotations

import numpy as np

from janus_mlir.capture.graph import Value
from janus_mlir.capture.numpy import ufuncs
from janus_mlir.capture.numpy.arguments import Arguments
from janus_mlir.capture.numpy.casts import cast
from janus_mlir.capture.numpy.context import Context, bad_argument, value_dependent, would_raise
from janus_mlir.capture.numpy.dtypes import BOOL, element
from janus_mlir.capture.numpy.extents import broadcast_shapes, equal, is_static, normalize_axis, product
from janus_mlir.capture.numpy.indexing import getitem
from janus_mlir.capture.numpy.lax import Lax, shape_of
from janus_mlir.capture.numpy.operands import Operand, as_array, fit, fresh, operand, promote
from janus_mlir.capture.numpy.views import reshape
from janus_mlir.capture.values import Abstract, Known, NumpyArray, TupleValue

_CLIP: np.ufunc = np._core.umath.clip  # type: ignore[attr-defined]


def where(ctx: Context, bound: Arguments) -> Abstract:
    """``np.where`` with three arguments; always an array."""
    if "x" not in bound or "y" not in bound:
        value_dependent("where(condition)")
    c, x, y = (operand(ctx, bound.need(name)) for name in ("condition", "x", "y"))
    dtype = promote(x, y)
    shape = broadcast_shapes(ctx, c.shape, x.shape, y.shape)
    lx = Lax(ctx.b)
    cond = fit(ctx, lx, cast(ctx, c.tensor(ctx), "i1"), shape)
    one, two = (fit(ctx, lx, o.tensor(ctx, dtype), shape) for o in (x, y))
    return fresh(ctx, lx.select(cond, one, two), dtype, (c, x, y))


def clip(ctx: Context, bound: Arguments) -> Abstract:
    """``np.clip``."""
    bound.refuse("where", "casting")
    x = operand(ctx, bound.need("a"))
    low = bound.get("a_min") or bound.get("min")
    high = bound.get("a_max") or bound.get("max")
    if x.strong.kind in "iu":
        # Bounds that the dtype cannot exceed do not count.
        info = np.iinfo(x.strong)
        if isinstance(low, Known) and type(low.value) is int and low.value <= info.min:
            low = None
        if isinstance(high, Known) and type(high.value) is int and high.value >= info.max:
            high = None
    out = bound.out()
    targets = [out] if out is not None else []
    dtype = bound.dtype()
    if low is None and high is None:
        return ufuncs.apply(ctx, np.positive, [x], targets, dtype)
    if low is None or high is None:
        single = high if low is None else low
        assert single is not None
        ufunc = np.minimum if low is None else np.maximum
        return ufuncs.apply(ctx, ufunc, [x, operand(ctx, single)], targets, dtype)
    return ufuncs.apply(ctx, _CLIP, [x, operand(ctx, low), operand(ctx, high)], targets, dtype)


def round_(ctx: Context, bound: Arguments) -> Abstract:
    """``np.round``."""
    x = operand(ctx, bound.need("a"))
    decimals = bound.constant("decimals", 0)
    if not isinstance(decimals, int):
        bad_argument("round(decimals=...)")
    out = bound.out()
    targets = [out] if out is not None else []
    if x.strong.kind in "iu":
        if decimals < 0:
            bad_argument("round of integers to tens")
        return ufuncs.apply(ctx, np.positive, [x], targets)
    if x.strong == BOOL:
        bad_argument("round of bools")
    if decimals == 0:
        return ufuncs.apply(ctx, np.rint, [x], targets)
    if targets or element(x.strong) == "f16":
        bad_argument("round(decimals=..., out=...)")
    # float64 is exact for the powers of ten that matter; the scale is of the array's dtype.
    scale = Operand(float, (), number=Known(float(10 ** abs(decimals))), known=float(10 ** abs(decimals)))
    lx = Lax(ctx.b)
    tensor = x.tensor(ctx)
    factor = lx.broadcast(scale.tensor(ctx, x.strong), tuple(x.shape))
    there, back = ("mul", "div") if decimals > 0 else ("div", "mul")
    content = lx.binary(back, lx.rint(lx.binary(there, tensor, factor)), factor)
    if not x.is_array:
        return ctx.new_scalar(content, x.strong)
    return ctx.new_scalar(content, x.strong) if not x.shape else fresh(ctx, content, x.strong, [x])


def _isclose(ctx: Context, bound: Arguments) -> tuple[Value, tuple[Operand, Operand]]:
    a, b = operand(ctx, bound.need("a")), operand(ctx, bound.need("b"))
    rtol, atol = bound.constant("rtol", 1e-5), bound.constant("atol", 1e-8)
    if not all(isinstance(t, int | float) for t in (rtol, atol)):
        bad_argument(f"{bound.name}(rtol=..., atol=...)")
    lx = Lax(ctx.b)
    shape = broadcast_shapes(ctx, a.shape, b.shape)
    # Both sides are compared in their common float dtype, `b` being at least float64 if it is no float.
    dtype_b = b.strong if b.strong.kind == "f" else np.result_type(b.strong, 1.0)
    weak_a = a if a.strong.kind in "iufb" else None
    if weak_a is None:
        bad_argument(f"{bound.name} of {a.strong}")
    dtype = np.result_type(a.strong, dtype_b)
    if element(dtype) == "f16":
        bad_argument(f"{bound.name} of float16")
    x, y = (fit(ctx, lx, o.tensor(ctx, dtype), shape) for o in (a, b))
    tolerance = lx.add(lx.like(y, float(atol)), lx.mul(lx.like(y, float(rtol)), lx.unary("abs", y)))
    near = lx.compare("le", lx.unary("abs", lx.sub(x, y)), tolerance)
    result = lx.logical("and", near, lx.is_finite(y))
    result = lx.logical("or", result, lx.compare("eq", x, y))
    if bound.flag("equal_nan"):
        result = lx.logical("or", result, lx.logical("and", lx.is_nan(x), lx.is_nan(y)))
    return result, (a, b)


def isclose(ctx: Context, bound: Arguments) -> Abstract:
    """``np.isclose``."""
    content, operands = _isclose(ctx, bound)
    if not shape_of(content):
        return ctx.new_scalar(content, BOOL)
    return fresh(ctx, content, BOOL, operands)


def allclose(ctx: Context, bound: Arguments) -> Value:
    """``np.allclose``, as a BOOL."""
    content, _ = _isclose(ctx, bound)
    return Lax(ctx.b).all(content)


def array_equal(ctx: Context, bound: Arguments) -> Value:
    """``np.array_equal``, as a BOOL."""
    bound.refuse("equal_nan")
    a, b = operand(ctx, bound.need("a1")), operand(ctx, bound.need("a2"))
    lx = Lax(ctx.b)
    if len(a.shape) != len(b.shape) or any(
        is_static(m) and is_static(n) and m != n for m, n in zip(a.shape, b.shape, strict=True)
    ):
        return lx.truth(lx.full(False, "i1"))
    if not all(equal(ctx, m, n) for m, n in zip(a.shape, b.shape, strict=True)):
        return lx.truth(lx.full(False, "i1"))
    dtypes = ufuncs.resolve(np.equal, (a, b))
    [content] = ufuncs.compute(ctx, np.equal, (a, b), dtypes, tuple(a.shape))
    return lx.all(content)


def nan_to_num(ctx: Context, bound: Arguments) -> Abstract:
    """``np.nan_to_num``."""
    if not bound.flag("copy", True):
        bad_argument("nan_to_num(copy=False)")
    x = operand(ctx, bound.need("x"))
    lx = Lax(ctx.b)
    content = x.tensor(ctx)
    if x.strong.kind == "f":
        info = np.finfo(x.strong)
        for name, default in (("nan", 0.0), ("posinf", float(info.max)), ("neginf", float(info.min))):
            value = operand(ctx, bound.values[name]) if name in bound else operand(ctx, Known(default))
            if value.shape:
                bad_argument(f"nan_to_num({name}=...)")
            fill = lx.broadcast(value.tensor(ctx, x.strong), tuple(x.shape))
            if name == "nan":
                hit = lx.is_nan(content)
            else:
                hit = lx.compare("eq", content, lx.like(content, np.inf if name == "posinf" else -np.inf))
            content = lx.select(hit, fill, content)
    if not shape_of(content):
        return ctx.new_scalar(content, x.strong)
    return fresh(ctx, content, x.strong, [x])


def take(ctx: Context, bound: Arguments) -> Abstract:
    """``np.take``."""
    bound.refuse("out")
    if bound.constant("mode", "raise") != "raise":
        bad_argument("take(mode=...)")
    array = as_array(ctx, bound.need("a"))
    axis = bound.constant("axis")
    if axis is None:
        array, axis = reshape(ctx, array, (product(array.shape),)), 0
    axis = normalize_axis(axis, len(array.shape))
    indices = bound.need("indices")
    index = operand(ctx, indices)
    if index.strong.kind not in "iu":
        would_raise("take with indices that are not integers")
    whole = [Known(slice(None))] * axis
    if index.is_array:
        found = getitem(ctx, array, TupleValue((*whole, as_array(ctx, indices))))
    else:
        found = getitem(ctx, array, TupleValue((*whole, indices)))
    if isinstance(found, NumpyArray):
        return ctx.new_array(ctx.read(found), found.dtype)
    return found


def take_along_axis(ctx: Context, bound: Arguments) -> Abstract:
    """``np.take_along_axis``."""
    array, indices = as_array(ctx, bound.need("arr")), as_array(ctx, bound.need("indices"))
    given = bound.values.get("axis")
    if isinstance(given, Known) and given.value is None:
        array, axis = reshape(ctx, array, (product(array.shape),)), 0
    else:
        axis = normalize_axis(bound.constant("axis", -1), len(array.shape))
    if len(indices.shape) != len(array.shape):
        would_raise("indices and array have different rank")
    if indices.dtype.kind not in "iu":
        would_raise("indices are not integers")
    lx = Lax(ctx.b)
    rank = len(array.shape)
    columns: list[Abstract] = []
    for i, extent in enumerate(array.shape):
        if i == axis:
            columns.append(indices)
            continue
        shape = tuple(extent if j == i else 1 for j in range(rank))
        columns.append(ctx.new_array(lx.iota("i64", shape, i), np.dtype(np.int64)))
    return getitem(ctx, array, TupleValue(tuple(columns)))


def searchsorted(ctx: Context, bound: Arguments) -> Abstract:
    """``np.searchsorted`` by counting, which agrees with bisection on sorted keys without NaN."""
    bound.refuse("sorter")
    a, v = operand(ctx, bound.need("a")), operand(ctx, bound.need("v"))
    side = bound.constant("side", "left")
    if len(a.shape) != 1 or side not in ("left", "right"):
        would_raise("searchsorted")
    dtype = np.result_type(a.strong, v.strong)
    lx = Lax(ctx.b)
    keys, values = a.tensor(ctx, dtype), v.tensor(ctx, dtype)
    if dtype == BOOL:
        bad_argument("searchsorted of bools")
    shape = (*v.shape, a.shape[0])
    left = lx.broadcast(keys, shape, (len(v.shape),))
    right = lx.broadcast(values, shape, tuple(range(len(v.shape))))
    before = lx.compare("lt" if side == "left" else "le", left, right)
    if dtype.kind == "f":
        ordered = lx.logical("and", lx.compare("eq", left, left), lx.compare("eq", right, right))
        ctx.guard(lx.all(ordered), "value")
    _require_sorted(ctx, lx, keys)
    content = lx.reduce("sum", lx.convert(before, "i64"), (len(v.shape),))
    found = np.dtype(np.int64)
    return ctx.new_array(content, found) if v.is_array else ctx.new_scalar(content, found)


def _require_sorted(ctx: Context, lx: Lax, keys: Value) -> None:
    """Counting agrees with bisection on sorted keys only."""
    size = shape_of(keys)[0]
    if is_static(size) and size < 2:
        return
    lower, upper = lx.slice(keys, (0,), (size - 1,)), lx.slice(keys, (1,), (size - 1,))
    ctx.guard(lx.all(lx.compare("le", lower, upper)), "value")
