"""Arithmetic and decisions on extents, which may be symbolic."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce
from operator import mul
from typing import Any

from janus_mlir.capture.graph import Extent
from janus_mlir.capture.numpy.context import Context, would_raise
from janus_mlir.capture.numpy.lax import Lax, Shape
from janus_mlir.capture.values import Abstract, ExtentNumber, Known, TupleValue


def is_static(extent: Extent) -> bool:
    """Whether an extent is a plain number."""
    return isinstance(extent, int)


def product(extents: Iterable[Extent]) -> Extent:
    """Number of elements of a shape."""
    return reduce(mul, extents, 1)


def as_number(extent: Extent) -> Abstract:
    """An extent as the Python int that the program sees."""
    return Known(int(extent)) if is_static(extent) else ExtentNumber(extent)


def as_tuple(shape: Sequence[Extent]) -> TupleValue:
    """A shape as the tuple that the program sees."""
    return TupleValue(tuple(map(as_number, shape)))


def equal(ctx: Context, a: Extent, b: Extent) -> bool:
    """Whether two extents are equal; if that cannot be told, assume it under a guard."""
    if is_static(a) and is_static(b):
        return bool(a == b)
    if a == b:
        return True
    difference = a - b
    if is_static(difference) or _nonzero(difference):
        return False
    lx = Lax(ctx.b)
    ctx.guard(lx.cmpi("eq", lx.extent(a), lx.extent(b)), "shape")
    return True


def _nonzero(difference: Extent) -> bool:
    return bool(at_least(difference, 1) or at_least(-difference, 1))


def at_least(a: Extent, b: Extent) -> bool | None:
    """Whether ``a >= b``; None if it depends on the variables."""
    if is_static(a) and is_static(b):
        return bool(a >= b)
    try:
        return bool(a >= b)
    except Exception as error:  # the exception class of jax is not public; its name is stable
        if type(error).__name__ != "InconclusiveDimensionOperation":
            raise
        return None


def require_at_least(ctx: Context, a: Extent, b: Extent) -> bool:
    """Whether ``a >= b``; if that cannot be told, assume it under a guard."""
    known = at_least(a, b)
    if known is None:
        lx = Lax(ctx.b)
        ctx.guard(lx.cmpi("sge", lx.extent(a), lx.extent(b)), "shape")
        return True
    return known


def broadcast_shapes(ctx: Context, *shapes: Shape) -> Shape:
    """The shape that `shapes` broadcast to."""
    rank = max(map(len, shapes), default=0)
    result: list[Extent] = []
    for i in range(-rank, 0):
        extent: Extent = 1
        for shape in shapes:
            if -i > len(shape):
                continue
            other = shape[i]
            if is_static(other) and other == 1:
                continue
            if is_static(extent) and extent == 1:
                extent = other
            elif not equal(ctx, extent, other):
                would_raise(f"operands of shapes {shapes} do not broadcast")
            elif is_static(other):
                extent = other
        result.append(extent)
    return tuple(result)


def normalize_axis(axis: Any, rank: int) -> int:
    """A non-negative axis."""
    if not isinstance(axis, int) or isinstance(axis, bool):
        would_raise(f"axis {axis!r}")
    if not -rank <= axis < rank:
        would_raise(f"axis {axis} is out of bounds for an array of rank {rank}")
    return axis % rank


def normalize_axes(axis: Any, rank: int) -> tuple[int, ...]:
    """Non-negative axes from None (all), a number or a tuple."""
    if axis is None:
        return tuple(range(rank))
    axes = (
        tuple(normalize_axis(a, rank) for a in axis)
        if isinstance(axis, tuple | list)
        else (normalize_axis(axis, rank),)
    )
    if len(set(axes)) != len(axes):
        would_raise(f"repeated axis in {axis!r}")
    return axes
