"""Functions that arrange elements: views, joining, splitting, repeating, padding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from janus_mlir.capture.graph import Extent, Value
from janus_mlir.capture.numpy import views
from janus_mlir.capture.numpy.arguments import Arguments, shape_argument
from janus_mlir.capture.numpy.context import Context, bad_argument, would_raise
from janus_mlir.capture.numpy.dtypes import DType, element
from janus_mlir.capture.numpy.extents import (
    broadcast_shapes,
    equal,
    is_static,
    normalize_axes,
    normalize_axis,
    product,
)
from janus_mlir.capture.numpy.lax import Lax, shape_of
from janus_mlir.capture.numpy.layout import is_contiguous
from janus_mlir.capture.numpy.operands import (
    Operand,
    as_array,
    fresh,
    operand,
    sequence,
    write_into,
)
from janus_mlir.capture.values import Abstract, Known, NumpyArray, TupleValue


def _array(ctx: Context, bound: Arguments, name: str = "a") -> NumpyArray:
    return as_array(ctx, bound.need(name))


def require_c_order(bound: Arguments, *allowed: str) -> None:
    """Break unless ``order`` asks for the usual order."""
    if bound.constant("order", "C") not in ("C", *allowed):
        bad_argument(f"{bound.name}(order=...)")


def reshape(ctx: Context, bound: Arguments) -> Abstract:
    """``np.reshape``."""
    require_c_order(bound)
    shape = shape_argument(ctx, bound.need("shape"), "shape")
    return views.reshape(ctx, _array(ctx, bound), shape, bound.constant("copy"))


def ravel(ctx: Context, bound: Arguments) -> Abstract:
    """``np.ravel``: a view if contiguous, else a copy."""
    require_c_order(bound)
    array = _array(ctx, bound)
    size = product(array.shape)
    if len(array.shape) == 1 and is_contiguous(ctx, array) and bound.name == "ravel":
        # NumPy makes a new view object all the same.
        return views.index_view(ctx, array, views.whole(array.shape))
    if not is_contiguous(ctx, array) and len(array.shape) == 1:
        return ctx.new_array(ctx.read(array), array.dtype)
    return views.reshape(ctx, array, (size,))


def flatten(ctx: Context, bound: Arguments) -> Abstract:
    """``ndarray.flatten``: always a copy."""
    require_c_order(bound)
    array = _array(ctx, bound)
    return ctx.new_array(Lax(ctx.b).reshape(ctx.read(array), (product(array.shape),)), array.dtype)


def transpose(ctx: Context, bound: Arguments) -> Abstract:
    """``np.transpose``."""
    array = _array(ctx, bound)
    rank = len(array.shape)
    axes = bound.constant("axes")
    if axes is None:
        return views.transpose(ctx, array, range(rank)[::-1])
    axes = normalize_axes(tuple(axes) if isinstance(axes, tuple | list) else (axes,), rank)
    if len(axes) != rank:
        would_raise("axes do not match the array")
    return views.transpose(ctx, array, axes)


def swapaxes(ctx: Context, bound: Arguments) -> Abstract:
    """``np.swapaxes``."""
    array = _array(ctx, bound)
    rank = len(array.shape)
    i, j = (normalize_axis(bound.constant(name), rank) for name in ("axis1", "axis2"))
    perm = list(range(rank))
    perm[i], perm[j] = j, i
    return views.transpose(ctx, array, perm)


def moveaxis(ctx: Context, bound: Arguments) -> Abstract:
    """``np.moveaxis``."""
    array = _array(ctx, bound)
    rank = len(array.shape)
    source = normalize_axes(_tuple(bound.constant("source")), rank)
    target = normalize_axes(_tuple(bound.constant("destination")), rank)
    if len(source) != len(target):
        would_raise("moveaxis of different numbers of axes")
    perm = [axis for axis in range(rank) if axis not in source]
    for to, origin in sorted(zip(target, source, strict=True)):
        perm.insert(to, origin)
    return views.transpose(ctx, array, perm)


def _tuple(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, tuple | list) else (value,)


def expand_dims(ctx: Context, bound: Arguments) -> Abstract:
    """``np.expand_dims``."""
    array = _array(ctx, bound)
    axes = _tuple(bound.constant("axis"))
    inserted = normalize_axes(axes, len(array.shape) + len(axes))
    return with_new_axes(ctx, array, inserted)


def with_new_axes(ctx: Context, array: NumpyArray, inserted: Sequence[int]) -> NumpyArray:
    """View with axes of extent 1 at the places `inserted` of the result."""
    specs = views.whole(array.shape)
    for axis in sorted(inserted):
        specs.insert(axis, "new")
    return views.index_view(ctx, array, specs)


def squeeze(ctx: Context, bound: Arguments) -> Abstract:
    """``np.squeeze``."""
    array = _array(ctx, bound)
    axis = bound.constant("axis")
    if axis is None:
        axes = tuple(i for i, d in enumerate(array.shape) if equal_to_one(ctx, d, assume=False))
    else:
        axes = normalize_axes(_tuple(axis), len(array.shape))
        if not all(equal_to_one(ctx, array.shape[i], assume=True) for i in axes):
            would_raise("squeeze of an axis that is not 1")
    specs = [("drop", 0) if i in axes else (0, d, 1) for i, d in enumerate(array.shape)]
    return views.index_view(ctx, array, specs)


def equal_to_one(ctx: Context, extent: Extent, assume: bool) -> bool:
    """Whether an extent is 1; a symbolic one is guarded to be so, or not to be so."""
    if is_static(extent):
        return bool(extent == 1)
    if assume:
        return equal(ctx, extent, 1)
    lx = Lax(ctx.b)
    ctx.guard(lx.cmpi("ne", lx.extent(extent), lx.integer(1)), "shape")
    return False


def at_least_rank(ctx: Context, value: Abstract, rank: int) -> NumpyArray:
    """``np.atleast_<rank>d`` of one argument."""
    array = as_array(ctx, value)
    have = len(array.shape)
    if have >= rank:
        return array
    if rank == 1:
        return views.reshape(ctx, array, (1,))
    if rank == 2:
        return with_new_axes(ctx, array, (0, 1) if have == 0 else (0,))
    return with_new_axes(ctx, array, {0: (0, 1, 2), 1: (0, 2), 2: (2,)}[have])


def broadcast_to(ctx: Context, bound: Arguments) -> Abstract:
    """``np.broadcast_to``: a read-only view."""
    array = _array(ctx, bound, "array")
    shape = shape_argument(ctx, bound.need("shape"), "shape")
    if bound.flag("subok"):
        bad_argument("broadcast_to(subok=True)")
    found = broadcast_shapes(ctx, array.shape, shape)
    if len(found) != len(shape) or not all(equal(ctx, a, b) for a, b in zip(found, shape, strict=True)):
        would_raise(f"cannot broadcast {array.shape} to {shape}")
    extra = len(shape) - len(array.shape)
    base = with_new_axes(ctx, array, range(extra)) if extra else array
    specs: list[Any] = ["readonly"]
    for have, want in zip(base.shape, shape, strict=True):
        repeats = is_static(have) and have == 1
        specs.append((0, want, 0 if repeats else 1))
    return views.index_view(ctx, base, specs)


def arrays_of(ctx: Context, value: Abstract) -> list[Abstract]:
    """The arrays of a sequence argument; an array stands for its rows."""
    items = sequence(ctx, value)
    if items is not None:
        return list(items)
    if isinstance(value, NumpyArray) and value.shape and is_static(value.shape[0]):
        rest = views.whole(value.shape[1:])
        return [views.index_view(ctx, value, [("drop", i), *rest]) for i in range(value.shape[0])]
    bad_argument("sequence of arrays")


def joined_dtype(bound: Arguments, operands: Sequence[Operand]) -> DType:
    """Dtype of ``concatenate`` and its like; Python numbers are as strong as arrays there."""
    found = np.result_type(*(x.strong for x in operands))
    dtype = bound.dtype() or found
    if not np.can_cast(found, dtype, bound.constant("casting", "same_kind")):
        would_raise(f"cannot cast {found} to {dtype}")
    element(dtype)
    return dtype


def join(ctx: Context, bound: Arguments, arrays: Sequence[NumpyArray], axis: int) -> Abstract:
    """Concatenate `arrays` along `axis`."""
    if not arrays:
        would_raise("nothing to concatenate")
    operands = [operand(ctx, array) for array in arrays]
    dtype = joined_dtype(bound, operands)
    lx = Lax(ctx.b)
    first = arrays[0].shape
    rank = len(first)
    if rank == 0:
        would_raise("cannot concatenate arrays of rank 0")
    axis = normalize_axis(axis, rank)
    tensors = []
    for x in operands:
        if len(x.shape) != rank or not all(
            equal(ctx, x.shape[i], first[i]) for i in range(rank) if i != axis
        ):
            would_raise("shapes do not fit together")
        shape = tuple(x.shape[i] if i == axis else first[i] for i in range(rank))
        tensors.append(lx.reshape(x.tensor(ctx, dtype), shape))
    content = lx.concatenate(tensors, axis)
    out = bound.out()
    if out is not None:
        if tuple(out.shape) != shape_of(content):
            would_raise("output array has the wrong shape")
        write_into(ctx, out, content)
        return out
    result = ctx.new_array(content, dtype)
    if rank > 1 and not all(is_contiguous(ctx, array) for array in arrays):
        ctx.layouts[result.storage] = None
    return result


def concatenate(ctx: Context, bound: Arguments) -> Abstract:
    """``np.concatenate``."""
    arrays = [as_array(ctx, item) for item in arrays_of(ctx, bound.need("arrays"))]
    axis = bound.values.get("axis")
    if isinstance(axis, Known) and axis.value is None:
        flat = [views.reshape(ctx, a, (product(a.shape),)) for a in arrays]
        return join(ctx, bound, flat, 0)
    return join(ctx, bound, arrays, bound.constant("axis", 0))


def stack(ctx: Context, bound: Arguments) -> Abstract:
    """``np.stack``."""
    arrays = [as_array(ctx, item) for item in arrays_of(ctx, bound.need("arrays"))]
    if not arrays:
        would_raise("nothing to stack")
    axis = normalize_axis(bound.constant("axis", 0), len(arrays[0].shape) + 1)
    for array in arrays:
        if len(array.shape) != len(arrays[0].shape):
            would_raise("shapes do not fit together")
        if not all(equal(ctx, a, b) for a, b in zip(array.shape, arrays[0].shape, strict=True)):
            would_raise("shapes do not fit together")
    return join(ctx, bound, [with_new_axes(ctx, array, (axis,)) for array in arrays], axis)


def vstack(ctx: Context, bound: Arguments) -> Abstract:
    """``np.vstack``."""
    arrays = [at_least_rank(ctx, item, 2) for item in arrays_of(ctx, bound.need("tup"))]
    return join(ctx, bound, arrays, 0)


def hstack(ctx: Context, bound: Arguments) -> Abstract:
    """``np.hstack``."""
    arrays = [at_least_rank(ctx, item, 1) for item in arrays_of(ctx, bound.need("tup"))]
    return join(ctx, bound, arrays, 0 if arrays and len(arrays[0].shape) == 1 else 1)


def dstack(ctx: Context, bound: Arguments) -> Abstract:
    """``np.dstack``."""
    arrays = [at_least_rank(ctx, item, 3) for item in arrays_of(ctx, bound.need("tup"))]
    return join(ctx, bound, arrays, 2)


def column_stack(ctx: Context, bound: Arguments) -> Abstract:
    """``np.column_stack``."""
    columns = []
    for item in arrays_of(ctx, bound.need("tup")):
        array = as_array(ctx, item)
        if len(array.shape) < 2:
            array = with_new_axes(ctx, array, (1,) if array.shape else (0, 1))
        columns.append(array)
    return join(ctx, bound, columns, 1)


def _pieces(ctx: Context, array: NumpyArray, axis: int, bounds: Sequence[int]) -> Abstract:
    """Views between consecutive bounds, which are clipped as slices are."""
    size = array.shape[axis]
    pieces: list[Abstract] = []
    for lo, hi in zip(bounds, bounds[1:], strict=False):
        start, stop, _ = slice(lo, hi).indices(size)
        specs = views.whole(array.shape)
        specs[axis] = (start, max(stop - start, 0), 1)
        pieces.append(views.index_view(ctx, array, specs))
    return ctx.make_list(pieces)


def split(ctx: Context, bound: Arguments) -> Abstract:
    """``np.split`` and ``np.array_split``."""
    array = _array(ctx, bound, "ary")
    axis = normalize_axis(bound.constant("axis", 0), len(array.shape))
    size = array.shape[axis]
    if not is_static(size):
        bad_argument(f"{bound.name} of a symbolic extent")
    sections = bound.constant("indices_or_sections")
    if isinstance(sections, tuple | list):
        return _pieces(ctx, array, axis, [0, *sections, size])
    if not isinstance(sections, int) or sections <= 0:
        would_raise("number of sections")
    if bound.name == "split" and size % sections:
        would_raise("array split does not result in an equal division")
    each, extra = divmod(size, sections)
    bounds = [0]
    for i in range(sections):
        bounds.append(bounds[-1] + each + (i < extra))
    return _pieces(ctx, array, axis, bounds)


def unstack(ctx: Context, bound: Arguments) -> Abstract:
    """``np.unstack``."""
    array = _array(ctx, bound, "x")
    axis = normalize_axis(bound.constant("axis", 0), len(array.shape))
    moved = views.transpose(ctx, array, [axis, *(i for i in range(len(array.shape)) if i != axis)])
    return TupleValue(tuple(arrays_of(ctx, moved)))


def tile(ctx: Context, bound: Arguments) -> Abstract:
    """``np.tile``."""
    x = operand(ctx, bound.need("A"))
    reps = _tuple(bound.constant("reps"))
    lx = Lax(ctx.b)
    rank = max(len(reps), len(x.shape))
    reps = (*(1,) * (rank - len(reps)), *reps)
    shape = (*(1,) * (rank - len(x.shape)), *x.shape)
    if not all(map(is_static, shape)):
        # One axis after the other: no reshape of several symbolic extents.
        content = lx.reshape(x.tensor(ctx), shape)
        for axis, count in enumerate(reps):
            if not isinstance(count, int) or not 1 <= count <= 16:
                bad_argument("tile of symbolic extents")
            content = lx.concatenate([content] * count, axis)
        return ctx.new_array(content, x.strong)
    tensor = lx.reshape(x.tensor(ctx), tuple(d for extent in shape for d in (1, extent)))
    spread = lx.broadcast(
        tensor, tuple(d for r, extent in zip(reps, shape, strict=True) for d in (r, extent))
    )
    content = lx.reshape(spread, tuple(r * extent for r, extent in zip(reps, shape, strict=True)))
    return ctx.new_array(content, x.strong)


def repeat(ctx: Context, bound: Arguments) -> Abstract:
    """``np.repeat`` by one static count."""
    x = operand(ctx, bound.need("a"))
    count = bound.constant("repeats")
    if isinstance(count, tuple | list):
        if len(count) != 1:
            bad_argument("repeat(repeats=...) by element")
        count = count[0]
    if not isinstance(count, int) or count < 0:
        would_raise("repeats")
    lx = Lax(ctx.b)
    tensor = x.tensor(ctx)
    axis = bound.constant("axis")
    if axis is None:
        tensor, axis = lx.reshape(tensor, (product(x.shape),)), 0
    shape = shape_of(tensor)
    axis = normalize_axis(axis, len(shape))
    if not all(map(is_static, shape)):
        index = lx.iota("i64", (shape[axis] * count,), 0)
        source = lx.reshape(lx.div(index, lx.like(index, max(count, 1))), (shape[axis] * count, 1))
        target = (*shape[:axis], shape[axis] * count, *shape[axis + 1 :])
        return ctx.new_array(lx.gather(tensor, source, (axis,), axis, target), x.strong)
    dims = [i if i <= axis else i + 1 for i in range(len(shape))]
    spread = lx.broadcast(tensor, (*shape[: axis + 1], count, *shape[axis + 1 :]), dims)
    content = lx.reshape(spread, (*shape[:axis], shape[axis] * count, *shape[axis + 1 :]))
    return ctx.new_array(content, x.strong)


def roll(ctx: Context, bound: Arguments) -> Abstract:
    """``np.roll``."""
    x = operand(ctx, bound.need("a"))
    axis = bound.constant("axis")
    shifts = _tuple(bound.constant("shift"))
    lx = Lax(ctx.b)
    content = x.tensor(ctx)
    if axis is None:
        content = lx.reshape(content, (product(x.shape),))
        axes: tuple[int, ...] = (0,) * len(shifts)
    else:
        axes = tuple(normalize_axis(a, len(x.shape)) for a in _tuple(axis))
        if len(shifts) == 1:
            shifts = shifts * len(axes)
        if len(axes) == 1:
            axes = axes * len(shifts)
    for shift, along in zip(shifts, axes, strict=True):
        content = _rolled(lx, content, shift, along)
    return ctx.new_array(lx.reshape(content, tuple(x.shape)), x.strong)


def _rolled(lx: Lax, content: Value, shift: Any, axis: int) -> Value:
    shape = shape_of(content)
    size = shape[axis]
    if not isinstance(shift, int) or not is_static(size):
        bad_argument("roll of a symbolic extent")
    if size == 0 or shift % size == 0:
        return content
    cut = size - shift % size

    def part(start: int, stop: int) -> Value:
        starts = tuple(start if i == axis else 0 for i in range(len(shape)))
        return lx.slice(content, starts, tuple(stop - start if i == axis else d for i, d in enumerate(shape)))

    return lx.concatenate([part(cut, size), part(0, cut)], axis)


def flip(ctx: Context, bound: Arguments) -> Abstract:
    """``np.flip``, ``flipud`` and ``fliplr``: views."""
    array = _array(ctx, bound, "m")
    if bound.name == "fliplr":
        axes: tuple[int, ...] = (normalize_axis(1, len(array.shape)),)
    elif bound.name == "flipud":
        axes = (normalize_axis(0, len(array.shape)),)
    else:
        axes = normalize_axes(bound.constant("axis"), len(array.shape))
    specs = [(d - 1, d, -1) if i in axes else (0, d, 1) for i, d in enumerate(array.shape)]
    return views.index_view(ctx, array, specs)


def pad(ctx: Context, bound: Arguments) -> Abstract:
    """``np.pad`` with mode constant or edge."""
    x = operand(ctx, bound.need("array"))
    mode = bound.constant("mode", "constant")
    rank = len(x.shape)
    widths = _pad_widths(bound.constant("pad_width"), rank)
    lx = Lax(ctx.b)
    tensor = x.tensor(ctx)
    if mode == "constant":
        fill = operand(ctx, bound.values["constant_values"]) if "constant_values" in bound else None
        if fill is not None and fill.shape:
            bad_argument("pad(constant_values=...) by side")
        value = lx.full(0, element(x.strong)) if fill is None else fill.tensor(ctx, x.strong)
        content = lx.pad(tensor, value, [lo for lo, _ in widths], [hi for _, hi in widths])
        return ctx.new_array(content, x.strong)
    bound.refuse("constant_values")
    if mode != "edge":
        bad_argument(f"pad(mode={mode!r})")
    for axis, (low, high) in enumerate(widths):
        tensor = _pad_edge(lx, tensor, axis, low, high)
    return ctx.new_array(tensor, x.strong)


def _pad_widths(widths: Any, rank: int) -> list[tuple[int, int]]:
    try:
        table = np.broadcast_to(np.asarray(widths), (rank, 2))
    except ValueError as error:
        would_raise(str(error))
    if table.dtype.kind not in "iu" or (table < 0).any():
        would_raise("pad_width")
    return [(int(lo), int(hi)) for lo, hi in table]


def _pad_edge(lx: Lax, tensor: Value, axis: int, low: int, high: int) -> Value:
    shape = shape_of(tensor)

    def edge(place: Extent, count: int) -> list[Value]:
        if not count:
            return []
        starts = tuple(place if i == axis else 0 for i in range(len(shape)))
        row = lx.slice(tensor, starts, tuple(1 if i == axis else d for i, d in enumerate(shape)))
        return [lx.broadcast(row, tuple(count if i == axis else d for i, d in enumerate(shape)))]

    return lx.concatenate([*edge(0, low), tensor, *edge(shape[axis] - 1, high)], axis)


def copy(ctx: Context, bound: Arguments) -> Abstract:
    """``ndarray.copy`` (order "C") and ``np.copy`` (order "K")."""
    x = operand(ctx, bound.need("a"))
    order = bound.constant("order", "C" if bound.name == "ndarray.copy" else "K")
    if order not in ("C", "K"):
        bad_argument(f"copy(order={order!r})")
    content = x.tensor(ctx)
    return fresh(ctx, content, x.strong, [x] if order == "K" else [])


def diff(ctx: Context, bound: Arguments) -> Abstract:
    """``np.diff``."""
    bound.refuse("prepend", "append")
    x = operand(ctx, bound.need("a"))
    count = bound.constant("n", 1)
    if not x.shape:
        would_raise("diff of a scalar")
    axis = normalize_axis(bound.constant("axis", -1), len(x.shape))
    if not isinstance(count, int) or count < 0:
        would_raise("diff order")
    if count == 0:
        return bound.need("a")
    lx = Lax(ctx.b)
    content = x.tensor(ctx)
    for _ in range(count):
        shape = shape_of(content)
        if is_static(shape[axis]) and shape[axis] == 0:
            break
        sizes = tuple(d - 1 if i == axis else d for i, d in enumerate(shape))
        upper = lx.slice(content, tuple(1 if i == axis else 0 for i in range(len(shape))), sizes)
        lower = lx.slice(content, (0,) * len(shape), sizes)
        if element(x.strong) == "i1":
            content = lx.compare("ne", upper, lower)
        elif element(x.strong) == "f16":
            wide = lx.sub(lx.convert(upper, "f32"), lx.convert(lower, "f32"))
            content = lx.convert(wide, "f16")
        else:
            content = lx.sub(upper, lower)
    return fresh(ctx, content, x.strong, [x])
