"""Subscripts: basic indexing as views, integer arrays as gather and scatter, bool masks as selection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from janus_mlir.capture.graph import INT, Extent, Value
from janus_mlir.capture.numpy.casts import cast, tensor_to_number
from janus_mlir.capture.numpy.context import Context, bad_argument, value_dependent, would_raise
from janus_mlir.capture.numpy.dtypes import BOOL, element
from janus_mlir.capture.numpy.extents import (
    at_least,
    broadcast_shapes,
    equal,
    is_static,
    require_at_least,
)
from janus_mlir.capture.numpy.lax import Lax, Shape, shape_of
from janus_mlir.capture.numpy.operands import Operand, array_of_items, fit, operand, sequence
from janus_mlir.capture.numpy.spans import constant_difference
from janus_mlir.capture.numpy.views import index_view
from janus_mlir.capture.values import (
    Abstract,
    ExtentNumber,
    JaxArray,
    Known,
    Number,
    NumpyArray,
    NumpyScalar,
    SliceValue,
    TupleValue,
)


@dataclass(frozen=True, slots=True)
class _Whole:
    """``...``."""


@dataclass(frozen=True, slots=True)
class _New:
    """``None``."""


@dataclass(frozen=True, slots=True)
class _Integer:
    """An integer: an extent, or an INT at run time."""

    value: Any


@dataclass(frozen=True, slots=True)
class _Slice:
    """A slice with abstract bounds."""

    bounds: SliceValue


@dataclass(frozen=True, slots=True)
class _Array:
    """An integer array; `value` is a tensor of i64."""

    value: Value
    known: Any = None


@dataclass(frozen=True, slots=True)
class _Mask:
    """A bool array."""

    value: Value


_Entry = _Whole | _New | _Integer | _Slice | _Array | _Mask


def _entries(ctx: Context, index: Abstract) -> list[_Entry]:
    if isinstance(index, TupleValue):
        return [_entry(ctx, item) for item in index.items]
    if isinstance(index, Known) and isinstance(index.value, tuple):
        return [_entry(ctx, Known(item)) for item in index.value]
    return [_entry(ctx, index)]


def _entry(ctx: Context, index: Abstract) -> _Entry:
    match index:
        case Known(value=None):
            return _New()
        case Known(value=value) if value is Ellipsis:
            return _Whole()
        case Known(value=bool() | np.bool_()) | Number(kind="bool"):
            bad_argument("bool scalar as an index")
        case Known(value=int() | np.integer() as value):
            return _Integer(int(value))
        case Known(value=slice() as value):
            return _Slice(SliceValue(Known(value.start), Known(value.stop), Known(value.step)))
        case ExtentNumber(expr=expr):
            return _Integer(expr)
        case Number(kind="int", ref=ref):
            return _Integer(ref)
        case SliceValue():
            return _Slice(index)
        case NumpyScalar() | NumpyArray() | JaxArray():
            return _array_entry(ctx, operand(ctx, index))
    if sequence(ctx, index) is not None:
        array = array_of_items(ctx, index)
        return _array_entry(ctx, operand(ctx, array))
    would_raise(f"{type(index).__name__} as an index")


def _array_entry(ctx: Context, x: Operand) -> _Entry:
    assert x.value is not None
    if x.strong == BOOL:
        if not x.shape:
            bad_argument("bool scalar as an index")
        return _Mask(x.value)
    if x.strong.kind not in "iu":
        would_raise(f"index of dtype {x.strong}")
    if x.strong.kind == "u" and x.strong.itemsize == 8:
        bad_argument("index of dtype uint64")
    tensor = Lax(ctx.b).convert(x.value, "i64")
    if not x.shape and not x.is_array:
        return _Integer(tensor_to_number(ctx, tensor, "int"))
    return _Array(tensor)


def _expand(entries: Sequence[_Entry], rank: int) -> list[_Entry]:
    """Replace the ellipsis (or what is missing at the end) by full slices."""
    used = 0
    for entry in entries:
        if isinstance(entry, _Mask):
            used += len(shape_of(entry.value))
        elif not isinstance(entry, _New | _Whole):
            used += 1
    if used > rank:
        would_raise("too many indices")
    if sum(isinstance(entry, _Whole) for entry in entries) > 1:
        would_raise("more than one ellipsis")
    full = [_Slice(SliceValue(Known(None), Known(None), Known(None)))] * (rank - used)
    result: list[_Entry] = []
    seen = False
    for entry in entries:
        if isinstance(entry, _Whole):
            result.extend(full)
            seen = True
        else:
            result.append(entry)
    return result if seen else [*result, *full]


def _wrap(ctx: Context, index: Any, extent: Extent) -> Any:
    """An integer index as one from the start; out of bounds breaks or leaves compiled code."""
    lx = Lax(ctx.b)
    if not isinstance(index, Value):
        if is_static(index):
            if not require_at_least(ctx, extent, -index if index < 0 else index + 1):
                would_raise(f"index {index} is out of bounds for size {extent}")
            return extent + index if index < 0 else index
        if at_least(index, 0) is True and at_least(extent, index + 1) is True:
            return index
        index = lx.extent(index)
    size = lx.extent(extent)
    negative = lx.cmpi("slt", index, lx.integer(0))
    shifted = lx.b.one("arith.addi", [index, size], INT)
    wrapped = lx.b.one("arith.select", [negative, shifted, index], INT)
    # Unsigned, so that one comparison covers both ends.
    ctx.guard(lx.cmpi("ult", wrapped, size), "bounds")
    return wrapped


def _slice_spec(ctx: Context, bounds: SliceValue, extent: Extent) -> tuple[Any, Extent, int]:
    """Start, size and step of a slice of an axis."""
    step = _static_bound(bounds.step, 1)
    if not isinstance(step, int) or step == 0:
        would_raise("slice step")
    start, stop = _static_bound(bounds.start, None), _static_bound(bounds.stop, None)
    if isinstance(start, Value) or isinstance(stop, Value):
        return _moving_slice(ctx, start, stop, step, extent)
    if all(is_static(d) for d in (extent, start or 0, stop or 0)):
        lo, hi, step = slice(start, stop, step).indices(extent)
        return lo, len(range(lo, hi, step)), step
    if step < 0:
        if start is not None or stop is not None:
            bad_argument("slice with negative step and bounds on a symbolic extent")
        if step != -1:
            return extent - 1, (extent - 1) // -step + 1, step
        return extent - 1, extent, step
    lo = 0 if start is None else _clamp(ctx, start, extent)
    hi = extent if stop is None else _clamp(ctx, stop, extent)
    if not require_at_least(ctx, hi, lo):
        return lo, 0, step
    size = hi - lo
    return lo, size if step == 1 else (size + step - 1) // step, step


def _clamp(ctx: Context, bound: Extent, extent: Extent) -> Extent:
    """A slice bound from the start, brought into range; a guard decides where the extent is symbolic."""
    if is_static(bound) and bound < 0 or at_least(bound, 0) is False:
        return extent + bound if require_at_least(ctx, extent + bound, 0) else 0
    if not require_at_least(ctx, bound, 0):
        return extent + bound if require_at_least(ctx, extent + bound, 0) else 0
    return bound if require_at_least(ctx, extent, bound) else extent


def _static_bound(bound: Abstract, default: Any) -> Any:
    match bound:
        case Known(value=None):
            return default
        case Known(value=bool()):
            return int(bound.value)
        case Known(value=int() | np.integer() as value):
            return int(value)
        case ExtentNumber(expr=expr):
            return expr
        case Number(kind="int", ref=ref):
            return ref
        case NumpyScalar():
            value_dependent("slice bound is a NumPy scalar")
    would_raise("slice bound is not an integer")


def _moving_slice(ctx: Context, start: Any, stop: Any, step: int, extent: Extent) -> tuple[Any, Extent, int]:
    """A slice of constant length at a computed place: ``x[i:i + 3]``."""
    if step != 1 or not isinstance(start, Value) or not isinstance(stop, Value):
        value_dependent("slice with a computed bound")
    size = constant_difference(ctx.b, stop, start)
    if size is None:
        value_dependent("slice whose length is computed")
    if size <= 0:
        return 0, 0, 1
    lx = Lax(ctx.b)
    # Outside of these bounds NumPy counts from the end or cuts the slice short.
    ctx.guard(lx.cmpi("sge", start, lx.integer(0)), "bounds")
    ctx.guard(lx.cmpi("sle", stop, lx.extent(extent)), "bounds")
    return start, size, 1


def _basic(ctx: Context, array: NumpyArray, entries: Sequence[_Entry]) -> NumpyArray:
    specs: list[Any] = []
    axis = 0
    for entry in entries:
        if isinstance(entry, _New):
            specs.append("new")
            continue
        extent = array.shape[axis]
        axis += 1
        if isinstance(entry, _Integer):
            specs.append(("drop", _wrap(ctx, entry.value, extent)))
        else:
            assert isinstance(entry, _Slice)
            specs.append(_slice_spec(ctx, entry.bounds, extent))
    return index_view(ctx, array, specs)


def _is_basic(entries: Sequence[_Entry]) -> bool:
    return not any(isinstance(entry, _Array | _Mask) for entry in entries)


def getitem(ctx: Context, value: Abstract, index: Abstract) -> Abstract:
    """``value[index]``."""
    if not isinstance(value, NumpyArray):
        return _scalar_item(ctx, value, index)
    entries = _entries(ctx, index)
    explicit = any(isinstance(entry, _Whole) for entry in entries)
    expanded = _expand(entries, len(value.shape))
    if _is_basic(expanded):
        view = _basic(ctx, value, expanded)
        if not view.shape and not explicit:
            return ctx.new_scalar(ctx.read(view), value.dtype)
        return view
    if any(isinstance(entry, _Mask) for entry in expanded):
        value_dependent("indexing by a bool array")
    base, places, position, shape = _advanced(ctx, value, expanded)
    lx = Lax(ctx.b)
    content = lx.gather(ctx.read(base), places.indices, places.axes, position, shape)
    if not shape and not explicit:
        return ctx.new_scalar(content, value.dtype)
    result = ctx.new_array(content, value.dtype)
    if len(shape) > 1:
        ctx.layouts[result.storage] = None
    return result


def _scalar_item(ctx: Context, value: Abstract, index: Abstract) -> Abstract:
    x = operand(ctx, value)
    entries = _entries(ctx, index)
    if not all(isinstance(entry, _Whole | _New) for entry in entries):
        would_raise("index of a scalar")
    if not entries:
        return value
    return ctx.new_array(
        Lax(ctx.b).reshape(x.tensor(ctx), (1,) * sum(isinstance(e, _New) for e in entries)), x.strong
    )


@dataclass(frozen=True, slots=True)
class _Places:
    """Where an advanced index points: vectors in the last dim of `indices`, along `axes`."""

    indices: Value
    axes: tuple[int, ...]
    batch: Shape


def _advanced(
    ctx: Context, array: NumpyArray, entries: Sequence[_Entry]
) -> tuple[NumpyArray, _Places, int, Shape]:
    """The view left by the slices, the places in it, where the index dims go, and the shape of the result."""
    lx = Lax(ctx.b)
    basic: list[_Entry] = []
    arrays: list[tuple[int, Value]] = []
    at: list[int] = []
    full = _Slice(SliceValue(Known(None), Known(None), Known(None)))
    for number, entry in enumerate(entries):
        if isinstance(entry, _Array | _Integer):
            if isinstance(entry, _Array):
                tensor = entry.value
            else:
                ref = entry.value if isinstance(entry.value, Value) else lx.extent(entry.value)
                tensor = lx.tensor(ref)
            arrays.append((len(basic), tensor))
            at.append(number)
            basic.append(full)
        else:
            basic.append(entry)
    base = _basic(ctx, array, basic)
    batch = broadcast_shapes(ctx, *(shape_of(tensor) for _, tensor in arrays))
    columns = [
        lx.reshape(fit(ctx, lx, _wrap_all(ctx, lx, tensor, base.shape[axis]), batch), (*batch, 1))
        for axis, tensor in arrays
    ]
    indices = lx.concatenate(columns, len(batch))
    axes = tuple(axis for axis, _ in arrays)
    adjacent = at == list(range(at[0], at[-1] + 1))
    position = axes[0] if adjacent else 0
    rest = [d for i, d in enumerate(base.shape) if i not in axes]
    shape = (*rest[:position], *batch, *rest[position:])
    return base, _Places(indices, axes, batch), position, shape


def _wrap_all(ctx: Context, lx: Lax, tensor: Value, extent: Extent) -> Value:
    shape = shape_of(tensor)
    size = lx.broadcast(lx.tensor(lx.extent(extent)), shape)
    zero = lx.like(tensor, 0)
    wrapped = lx.select(lx.compare("lt", tensor, zero), lx.add(tensor, size), tensor)
    inside = lx.compare("lt", lx.convert(wrapped, "ui64"), lx.convert(size, "ui64"))
    ctx.guard(lx.all(inside), "bounds")
    return wrapped


def _source(ctx: Context, array: NumpyArray, src: Abstract) -> tuple[Value, Shape]:
    """Content of what is assigned, in the dtype of `array`, without superfluous leading axes."""
    x = operand(ctx, src)
    if x.number is not None and x.dtype is float and array.dtype.kind in "iu" and x.known is None:
        # NumPy truncates, and raises for NaN, infinity and what is out of range.
        lx = Lax(ctx.b)
        tensor = x.tensor(ctx)
        info = np.iinfo(array.dtype)
        inside = lx.logical(
            "and",
            lx.compare("gt", tensor, lx.like(tensor, float(info.min) - 1.0)),
            lx.compare("lt", tensor, lx.like(tensor, float(info.max) + 1.0)),
        )
        ctx.guard(lx.truth(inside), "domain")
        return cast(ctx, tensor, element(array.dtype)), ()
    content = x.tensor(ctx, array.dtype)
    return content, shape_of(content)


def _fit_source(ctx: Context, content: Value, shape: Shape) -> Value:
    lx = Lax(ctx.b)
    own = shape_of(content)
    extra = len(own) - len(shape)
    if extra > 0:
        if not all(is_static(d) and d == 1 for d in own[:extra]):
            would_raise("cannot broadcast the assigned value")
        content = lx.reshape(content, own[extra:])
        own = own[extra:]
    for have, want in zip(own, shape[len(shape) - len(own) :], strict=True):
        if not (is_static(have) and have == 1) and not equal(ctx, have, want):
            would_raise("cannot broadcast the assigned value")
    return fit(ctx, lx, content, shape)


def setitem(ctx: Context, value: Abstract, index: Abstract, src: Abstract) -> None:
    """``value[index] = src``."""
    if not isinstance(value, NumpyArray):
        would_raise("assignment to an item of a scalar")
    entries = _entries(ctx, index)
    if any(isinstance(entry, _Mask) for entry in entries):
        _set_masked(ctx, value, entries, src)
        return
    expanded = _expand(entries, len(value.shape))
    content, _ = _source(ctx, value, src)
    if _is_basic(expanded):
        view = _basic(ctx, value, expanded)
        if sequence(ctx, src) is not None and len(shape_of(content)) > len(view.shape):
            would_raise("setting an array element with a sequence")
        ctx.write(view, _fit_source(ctx, content, view.shape))
        return
    base, places, position, shape = _advanced(ctx, value, expanded)
    updates = _fit_source(ctx, content, shape)
    lx = Lax(ctx.b)
    ctx.write(base, lx.scatter("scatter", ctx.read(base), places.indices, updates, places.axes, position))


def _set_masked(ctx: Context, array: NumpyArray, entries: Sequence[_Entry], src: Abstract) -> None:
    """``array[mask, ...] = src`` where `src` is the same for all hits."""
    real = [entry for entry in entries if not isinstance(entry, _Whole)]
    if len(real) != 1 or isinstance(entries[0], _Whole) and len(entries) > 1:
        bad_argument("bool mask together with other indices")
    mask = real[0]
    assert isinstance(mask, _Mask)
    lx = Lax(ctx.b)
    covered = shape_of(mask.value)
    rank = len(array.shape)
    if len(covered) > rank or not all(equal(ctx, d, array.shape[i]) for i, d in enumerate(covered)):
        would_raise("bool index of another shape")
    content, own = _source(ctx, array, src)
    rest = tuple(array.shape[len(covered) :])
    if len(own) > len(rest):
        # One value for each hit: the first dim counts them.
        if not (len(own) == len(rest) + 1 and is_static(own[0]) and own[0] == 1):
            value_dependent("assignment of one value for each hit of a mask")
        content = lx.reshape(content, own[1:])
    content = _fit_source(ctx, content, rest)
    content = lx.broadcast(content, tuple(array.shape))
    hit = lx.broadcast(
        lx.reshape(mask.value, array.shape[: len(covered)]), tuple(array.shape), range(len(covered))
    )
    ctx.write(array, lx.select(hit, content, ctx.read(array)))


def at(ctx: Context, name: str, array: NumpyArray, index: Abstract, src: Abstract) -> None:
    """``ufunc.at``: repeated places accumulate; `name` is ``scatter_add`` or its like."""
    expanded = _expand(_entries(ctx, index), len(array.shape))
    if any(isinstance(entry, _Mask) for entry in expanded):
        bad_argument("ufunc.at with a bool mask")
    if _is_basic(expanded):
        bad_argument("ufunc.at without an integer array")
    x = operand(ctx, src)
    weak = None if isinstance(x.dtype, np.dtype) else x.dtype(0)
    if x.strong != array.dtype and (weak is None or np.result_type(array.dtype, weak) != array.dtype):
        bad_argument("ufunc.at with values of another dtype")
    base, places, position, shape = _advanced(ctx, array, expanded)
    lx = Lax(ctx.b)
    updates = _fit_source(ctx, x.tensor(ctx, array.dtype), shape)
    ctx.write(base, lx.scatter(name, ctx.read(base), places.indices, updates, places.axes, position))
