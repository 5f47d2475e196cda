"""Abstract values as operands: arrays, NumPy scalars and weak Python numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from janus_mlir.capture.breaks import Break
from janus_mlir.capture.graph import Extent, Value
from janus_mlir.capture.numpy.casts import cast, number_to_tensor
from janus_mlir.capture.numpy.context import Context, bad_argument, would_raise
from janus_mlir.capture.numpy.dtypes import BOOL, DType, element, python_dtype
from janus_mlir.capture.numpy.extents import is_static
from janus_mlir.capture.numpy.lax import Lax, Shape, shape_of
from janus_mlir.capture.numpy.layout import elementwise_layout
from janus_mlir.capture.scalars import CLASSES
from janus_mlir.capture.values import (
    Abstract,
    ExtentNumber,
    JaxArray,
    Known,
    Number,
    NumpyArray,
    NumpyScalar,
    TupleValue,
)


@dataclass(frozen=True, slots=True)
class Operand:
    """An operand of an array function.

    Attributes
    ----------
    dtype : np.dtype, or the class int or float
        The class stands for a Python number, which is weak in promotion.
    shape : tuple
        Extents.
    value : Value, optional
        Content as a tensor; absent for Python numbers.
    number : Abstract, optional
        The Python number.
    array : NumpyArray, optional
        The array, if it is one.
    known : object
        The number if it is known at capture, else None.
    """

    dtype: DType | type
    shape: Shape
    value: Value | None = None
    number: Abstract | None = None
    array: NumpyArray | None = None
    known: Any = None

    @property
    def strong(self) -> DType:
        """The dtype that the operand has on its own."""
        return self.dtype if isinstance(self.dtype, np.dtype) else python_dtype(self.dtype)

    @property
    def is_array(self) -> bool:
        """Whether it is an ``ndarray`` (rank 0 included)."""
        return self.array is not None

    def tensor(self, ctx: Context, dtype: DType | None = None) -> Value:
        """The content in `dtype` (its own by default)."""
        dtype = dtype or self.strong
        if self.value is None:
            assert self.number is not None
            return number_to_tensor(ctx, self.number, dtype)
        return cast(ctx, self.value, element(dtype))


def operand(ctx: Context, value: Abstract) -> Operand:
    """`value` as NumPy's functions take their array arguments."""
    match value:
        case NumpyArray():
            element(value.dtype)
            return Operand(value.dtype, value.shape, ctx.read(value), array=value)
        case NumpyScalar():
            element(value.dtype)
            return Operand(value.dtype, (), value.ref)
        case Number(kind="bool"):
            return Operand(BOOL, (), number=value)
        case Number(kind="int") | ExtentNumber():
            return Operand(int, (), number=value)
        case Number():
            return Operand(float, (), number=value)
        case Known(value=known):
            return _known(ctx, value, known)
        case JaxArray():
            element(value.dtype)
            return _converted(ctx, ctx.new_array(value.ref, value.dtype))
    items = ctx.items(value)
    if items is None:
        bad_argument(f"{type(value).__name__} as an array")
    return _converted(ctx, array_of_items(ctx, value))


def _converted(ctx: Context, array: NumpyArray) -> Operand:
    return Operand(array.dtype, array.shape, ctx.read(array), array=array)


def _known(ctx: Context, value: Known, known: Any) -> Operand:
    if isinstance(known, np.generic):
        dtype = np.dtype(known.dtype)
        constant = Lax(ctx.b).full(known, element(dtype))
        return Operand(dtype, (), constant, known=known)
    if isinstance(known, bool):
        return Operand(BOOL, (), number=value, known=known)
    if type(known) in (int, float):
        return Operand(type(known), (), number=value, known=known)
    if isinstance(known, tuple | list | range):
        return _converted(ctx, array_of_items(ctx, value))
    bad_argument(f"{type(known).__name__} as an array")


def promote(*operands: Operand) -> DType:
    """``np.result_type``: Python numbers are weak."""
    samples = [x.dtype if isinstance(x.dtype, np.dtype) else x.dtype(0) for x in operands]
    return np.result_type(*samples)


def sequence(ctx: Context, value: Abstract) -> Sequence[Abstract] | None:
    """The elements of a tuple, list or known sequence; None for anything else."""
    if isinstance(value, TupleValue):
        return value.items
    if isinstance(value, Known):
        if isinstance(value.value, tuple | list | range):
            return [Known(item) for item in value.value]
        return None
    if isinstance(value, NumpyArray | NumpyScalar | Number | ExtentNumber | JaxArray):
        return None
    return ctx.items(value)


def array_of_items(ctx: Context, value: Abstract, dtype: DType | None = None) -> NumpyArray:
    """A new array from nested sequences, as ``np.array`` makes it."""
    sample = _sample(ctx, value)
    try:
        like = np.array(sample, dtype=dtype)
    except (ValueError, TypeError, OverflowError) as error:
        would_raise(str(error))
    name = element(like.dtype)
    lx = Lax(ctx.b)
    if _all_known(ctx, value):
        if like.size and np.all(like == like.flat[0]) and like.dtype.kind != "f":
            return ctx.new_array(lx.full(like.flat[0], name, like.shape), like.dtype)
        return ctx.new_array(lx.literal(like, name), like.dtype)
    return ctx.new_array(_stack(ctx, lx, value, like.dtype), like.dtype)


def _all_known(ctx: Context, value: Abstract) -> bool:
    items = sequence(ctx, value)
    if items is None:
        return isinstance(value, Known)
    return all(_all_known(ctx, item) for item in items)


def _sample(ctx: Context, value: Abstract) -> Any:
    """Something for which ``np.array`` finds the same shape and dtype."""
    items = sequence(ctx, value)
    if items is not None:
        return [_sample(ctx, item) for item in items]
    match value:
        case Known(value=known):
            return known
        case ExtentNumber():
            return 0
        case Number(kind=kind):
            return CLASSES[kind]()
        case NumpyScalar(dtype=dtype):
            return dtype.type(0)
        case NumpyArray(dtype=dtype, shape=shape) | JaxArray(dtype=dtype, shape=shape):
            if not all(map(is_static, shape)):
                raise Break("JN405", "sequence of arrays of symbolic shape")
            return np.zeros(shape, dtype)
    bad_argument(f"{type(value).__name__} in an array")


def _stack(ctx: Context, lx: Lax, value: Abstract, dtype: DType) -> Value:
    items = sequence(ctx, value)
    if items is None:
        item = operand(ctx, value)
        if item.number is not None and item.dtype is float and dtype.kind in "iu":
            bad_argument("float in an integer array")
        return item.tensor(ctx, dtype)
    rows = [_stack(ctx, lx, item, dtype) for item in items]
    if not rows:
        return lx.full(0, element(dtype), (0,))
    return lx.concatenate([lx.reshape(row, (1, *shape_of(row))) for row in rows], 0)


def as_array(ctx: Context, value: Abstract) -> NumpyArray:
    """``np.asarray(value)``: the array itself, or a new one."""
    if isinstance(value, NumpyArray):
        element(value.dtype)
        return value
    item = operand(ctx, value)
    if item.array is not None:
        return item.array
    return ctx.new_array(item.tensor(ctx), item.strong)


def fresh(ctx: Context, content: Value, dtype: DType, sources: Sequence[Operand] = ()) -> NumpyArray:
    """A new array made elementwise from `sources`, in the memory order that NumPy chooses."""
    result = ctx.new_array(content, dtype)
    rank = len(result.shape)
    layout = elementwise_layout(ctx, [s.array for s in sources if s.array is not None], rank)
    if layout != tuple(range(rank)):
        ctx.layouts[result.storage] = layout
    return result


def scalar_or_array(
    ctx: Context, content: Value, dtype: DType, sources: Sequence[Operand] = ()
) -> NumpyArray | NumpyScalar:
    """A result as ufuncs return it: a scalar where the rank is 0."""
    if not shape_of(content):
        return ctx.new_scalar(content, dtype)
    return fresh(ctx, content, dtype, sources)


def fit(ctx: Context, lx: Lax, content: Value, shape: Shape) -> Value:
    """Broadcast `content` to `shape`, which it is known to broadcast to.

    Extents that were found equal under a guard are renamed first.
    """
    own = shape_of(content)
    renamed: list[Extent] = []
    for extent, target in zip(own, shape[len(shape) - len(own) :], strict=True):
        renamed.append(extent if is_static(extent) and extent == 1 else target)
    return lx.broadcast(lx.reshape(content, renamed), shape)


def write_into(ctx: Context, target: NumpyArray, content: Value) -> None:
    """Write `content` (any dtype; broadcast) into `target`."""
    lx = Lax(ctx.b)
    content = cast(ctx, content, element(target.dtype))
    ctx.write(target, fit(ctx, lx, content, target.shape))
