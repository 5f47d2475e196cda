"""View paths: reading a view out of its base's content, writing it back, and making views.

An index step is a tuple with, in order, ``(start, size, step)`` or ``("drop", start)`` for each axis of what
is viewed, and ``"new"`` for each inserted axis. A start is an extent or an INT value. A step of 0 repeats the
element at the start (``broadcast_to``). ``"readonly"`` anywhere says that NumPy refuses writes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from janus_mlir.capture.graph import Builder, Extent, Value
from janus_mlir.capture.numpy.context import Context, ambiguous_layout, would_raise
from janus_mlir.capture.numpy.extents import equal, is_static, product, require_at_least
from janus_mlir.capture.numpy.lax import Lax, Shape, shape_of, tensor_type
from janus_mlir.capture.numpy.layout import reshapes_as_view, stand_in
from janus_mlir.capture.values import NumpyArray, ViewStep


def apply_view(b: Builder, value: Value, steps: Sequence[ViewStep]) -> Value:
    """Content of a view, from the content of its base."""
    lx = Lax(b)
    for step in steps:
        value = _read(lx, value, step)
    return value


def write_view(b: Builder, base: Value, steps: Sequence[ViewStep], new: Value) -> Value:
    """Content of the base after `new` was written to the view."""
    lx = Lax(b)
    contents = [base]
    for step in steps[:-1]:
        contents.append(_read(lx, contents[-1], step))
    for content, step in zip(reversed(contents), reversed(steps), strict=False):
        new = _write(lx, content, step, new)
    return new


def _read(lx: Lax, value: Value, step: ViewStep) -> Value:
    if step.kind == "transpose":
        return lx.transpose(value, step.args)
    if step.kind == "reshape":
        return lx.reshape(value, step.args)
    starts, sizes, strides = _bounds(step)
    if 0 in strides:
        repeated = list(sizes)
        sizes = [1 if stride == 0 else size for size, stride in zip(sizes, strides, strict=True)]
        strides = [stride or 1 for stride in strides]
        value = lx.broadcast(_strided(lx, value, starts, sizes, strides), tuple(repeated))
        return lx.reshape(value, _index_shape(step))
    reverse = [i for i, stride in enumerate(strides) if stride < 0]
    if any(isinstance(start, Value) for start in starts):
        if all(stride == 1 for stride in strides):
            value = lx.dynamic_slice(value, _tensors(lx, starts), sizes)
        else:
            # The strided axes are sliced after the dynamic ones are.
            shape = shape_of(value)
            moving = [isinstance(start, Value) for start in starts]
            value = lx.dynamic_slice(
                value,
                _tensors(lx, [s if m else 0 for s, m in zip(starts, moving, strict=True)]),
                [size if m else d for size, d, m in zip(sizes, shape, moving, strict=True)],
            )
            value = _strided(
                lx, value, [0 if m else s for s, m in zip(starts, moving, strict=True)], sizes, strides
            )
    else:
        value = _strided(lx, value, starts, sizes, strides)
    return lx.reshape(lx.rev(value, reverse), _index_shape(step))


def _bounds(step: ViewStep) -> tuple[list[Any], list[Extent], list[int]]:
    """Starts, sizes and strides for each axis of what is viewed."""
    starts: list[Any] = []
    sizes: list[Extent] = []
    strides: list[int] = []
    for spec in step.args:
        if isinstance(spec, str):
            continue
        if spec[0] == "drop":
            spec = (spec[1], 1, 1)
        starts.append(spec[0])
        sizes.append(spec[1])
        strides.append(spec[2])
    return starts, sizes, strides


def _index_shape(step: ViewStep) -> Shape:
    return tuple(
        1 if spec == "new" else spec[1]
        for spec in step.args
        if spec == "new" or (not isinstance(spec, str) and spec[0] != "drop")
    )


def _tensors(lx: Lax, starts: Sequence[Any]) -> list[Value]:
    return [lx.tensor(start if isinstance(start, Value) else lx.extent(start)) for start in starts]


def _ascending(starts: Sequence[Any], sizes: Sequence[Extent], strides: Sequence[int]) -> list[Extent]:
    """The lowest index of each axis; a negative stride starts at the highest."""
    return [
        start + (size - 1) * stride if stride < 0 else start
        for start, size, stride in zip(starts, sizes, strides, strict=True)
    ]


def _strided(
    lx: Lax, value: Value, starts: Sequence[Extent], sizes: Sequence[Extent], strides: Sequence[int]
) -> Value:
    if any(is_static(size) and size == 0 for size in sizes):
        starts, strides = [0] * len(sizes), [1] * len(sizes)
    return lx.slice(value, _ascending(starts, sizes, strides), sizes, [abs(s) for s in strides])


def _write(lx: Lax, content: Value, step: ViewStep, new: Value) -> Value:
    if step.kind == "transpose":
        inverse = sorted(range(len(step.args)), key=lambda i: step.args[i])
        return lx.transpose(new, inverse)
    if step.kind == "reshape":
        return lx.reshape(new, shape_of(content))
    if "readonly" in step.args:
        would_raise("assignment destination is read-only")
    starts, sizes, strides = _bounds(step)
    if any(is_static(size) and size == 0 for size in sizes):
        return content
    new = lx.reshape(new, sizes)
    reverse = [i for i, stride in enumerate(strides) if stride < 0]
    new = lx.rev(new, reverse)
    if not any(isinstance(start, Value) for start in starts):
        starts = _ascending(starts, sizes, strides)
    shape = shape_of(content)
    if tuple(sizes) == shape:
        return new
    gaps = [i for i, stride in enumerate(strides) if abs(stride) != 1]
    if not gaps:
        return lx.dynamic_update_slice(content, new, _tensors(lx, starts))
    return _write_strided(lx, content, new, starts, sizes, [abs(s) for s in strides])


def _write_strided(
    lx: Lax,
    content: Value,
    new: Value,
    starts: Sequence[Any],
    sizes: Sequence[Extent],
    strides: Sequence[int],
) -> Value:
    """Spread `new` over its span, put it over what was there, and update that span."""
    spans = [1 + (size - 1) * stride for size, stride in zip(sizes, strides, strict=True)]
    tensors = _tensors(lx, starts)
    there = lx.dynamic_slice(content, tensors, spans)
    name = tensor_type(content).dtype
    zeros = [0] * len(spans)
    gaps = [stride - 1 for stride in strides]
    spread = lx.pad(new, lx.full(0, name), zeros, zeros, gaps)
    there_shape = shape_of(there)
    hit: Value | None = None
    for axis, stride in enumerate(strides):
        if stride == 1:
            continue
        index = lx.iota("i64", there_shape, axis)
        on = lx.compare("eq", lx.binary("rem", index, lx.like(index, stride)), lx.like(index, 0))
        hit = on if hit is None else lx.logical("and", hit, on)
    assert hit is not None
    return lx.dynamic_update_slice(content, lx.select(hit, spread, there), tensors)


def index_view(ctx: Context, array: NumpyArray, specs: Sequence[Any]) -> NumpyArray:
    """View of `array` by index specs, one for each axis and ``"new"`` for inserted ones."""
    step = ViewStep("index", tuple(specs))
    return ctx.view(array, step, _index_shape(step))


def whole(shape: Sequence[Extent]) -> list[Any]:
    """Index specs that take all of every axis."""
    return [(0, extent, 1) for extent in shape]


def transpose(ctx: Context, array: NumpyArray, perm: Sequence[int]) -> NumpyArray:
    """View with permuted axes."""
    perm = tuple(perm)
    return ctx.view(array, ViewStep("transpose", perm), tuple(array.shape[p] for p in perm))


def complete_shape(ctx: Context, shape: Sequence[Extent], target: Sequence[Extent]) -> Shape:
    """`target` with -1 replaced by what is left of `shape`; checks the number of elements."""
    total = product(shape)
    unknown = [i for i, d in enumerate(target) if is_static(d) and d < 0]
    if len(unknown) > 1 or any(target[i] != -1 for i in unknown):
        would_raise(f"cannot reshape {tuple(shape)} into {tuple(target)}")
    result = list(target)
    if unknown:
        rest = product(d for i, d in enumerate(target) if i not in unknown)
        if is_static(rest) and rest == 0:
            would_raise(f"cannot reshape {tuple(shape)} into {tuple(target)}")
        result[unknown[0]] = total // rest
    if not equal(ctx, product(result), total):
        would_raise(f"cannot reshape {tuple(shape)} into {tuple(target)}")
    return tuple(result)


def reshape(
    ctx: Context, array: NumpyArray, target: Sequence[Extent], copy: bool | None = None
) -> NumpyArray:
    """``array.reshape(target)``: a view where NumPy makes one, else a copy."""
    shape = complete_shape(ctx, array.shape, target)
    if copy is not True and is_reshape_view(ctx, array, shape):
        return ctx.view(array, ViewStep("reshape", shape), shape)
    if copy is False:
        would_raise("reshape needs a copy")
    return ctx.new_array(Lax(ctx.b).reshape(ctx.read(array), shape), array.dtype)


def is_reshape_view(ctx: Context, array: NumpyArray, shape: Sequence[Extent]) -> bool:
    """Whether ``reshape`` to `shape` gives a view."""
    if not array.view and array.storage not in ctx.layouts:
        return True
    if len([d for d in array.shape if not (is_static(d) and d == 1)]) == 0:
        return True
    dummy = stand_in(ctx, array)
    if dummy is None:
        ambiguous_layout("reshape of an array whose memory order is not known")
    if dummy.flags.c_contiguous:
        return True
    if not all(map(is_static, array.shape)):
        # An extent of 1 could make a view of what is a copy otherwise.
        for extent in array.shape:
            if not is_static(extent) and not require_at_least(ctx, extent, 2):
                ambiguous_layout("reshape of a view with symbolic extents")
        if sum(not is_static(extent) for extent in (*array.shape, *shape)) and tuple(shape) != (
            product(array.shape),
        ):
            ambiguous_layout("reshape of a view with symbolic extents")
    return reshapes_as_view(dummy, shape)
