"""Memory order of arrays, which decides whether ``reshape`` and ``ravel`` give views or copies.

NumPy itself is asked: a stand-in array with the strides of the real one (and no memory to speak of)
goes through the same view steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from janus_mlir.capture.graph import Extent
from janus_mlir.capture.numpy.context import Context, Layout
from janus_mlir.capture.values import NumpyArray, ViewStep

StandIn = np.ndarray[Any, np.dtype[np.int8]]

#: What a symbolic variable counts as: no size that makes an axis special.
_SYMBOLIC = 5


def is_contiguous(ctx: Context, array: NumpyArray) -> bool:
    """Whether `array` is known to be C-contiguous."""
    if not array.view and array.storage not in ctx.layouts:
        return True
    dummy = stand_in(ctx, array)
    return dummy is not None and dummy.flags.c_contiguous


def stand_in(ctx: Context, array: NumpyArray) -> StandIn | None:
    """An array with the strides of `array`; None if its memory order is not known."""
    storage = ctx.storage(array)
    rank = len(storage.shape)
    layout: Layout = tuple(range(rank))
    if rank > 1:
        layout = ctx.layouts.get(array.storage, layout)
    if layout is None:
        return None
    shape = tuple(map(_concrete, storage.shape))
    strides = [0] * rank
    stride = 1
    for axis in reversed(layout):
        strides[axis] = stride
        stride *= max(shape[axis], 1)
    dummy: StandIn = as_strided(np.empty(1, np.int8), shape, strides)
    for step in array.view:
        dummy = _apply(dummy, step)
    return dummy


def _concrete(extent: Extent) -> int:
    if isinstance(extent, int):
        return extent
    return int(extent._evaluate(dict.fromkeys(extent.get_vars(), _SYMBOLIC)))


def _apply(dummy: StandIn, step: ViewStep) -> StandIn:
    if step.kind == "transpose":
        return dummy.transpose(step.args)
    if step.kind == "reshape":
        return dummy.reshape(tuple(map(_concrete, step.args)), copy=False)
    shape: list[int] = []
    strides: list[int] = []
    axis = 0
    for spec in step.args:
        if spec == "new":
            shape.append(1)
            strides.append(0)
            continue
        if spec == "readonly":
            continue
        if spec[0] != "drop":
            shape.append(_concrete(spec[1]))
            strides.append(dummy.strides[axis] * spec[2])
        axis += 1
    return as_strided(dummy, tuple(shape), tuple(strides))


def reshapes_as_view(dummy: StandIn, shape: Sequence[Extent]) -> bool:
    """Whether ``reshape`` to `shape` is a view."""
    try:
        dummy.reshape(tuple(map(_concrete, shape)), copy=False)
    except ValueError:
        return False
    return True


def elementwise_layout(ctx: Context, arrays: Sequence[NumpyArray], rank: int) -> Layout:
    """Memory order of what an elementwise operation (or copy in "K" order) on `arrays` allocates."""
    standard = tuple(range(rank))
    if rank < 2 or all(not a.view and a.storage not in ctx.layouts for a in arrays):
        return standard
    tiny: list[StandIn | None] = []
    for array in arrays:
        dummy = stand_in(ctx, array)
        if dummy is None:
            return None
        order = sorted(range(dummy.ndim), key=lambda axis: -abs(dummy.strides[axis]))
        packed = np.empty([1 if dummy.shape[axis] == 1 else 2 for axis in order], np.int8)
        tiny.append(packed.transpose(np.argsort(order)))
    iterator = np.nditer([*tiny, None], flags=["zerosize_ok"], order="K")
    result = iterator.operands[-1]
    if result.ndim != rank:
        return None
    return tuple(sorted(range(rank), key=lambda axis: -result.strides[axis]))
