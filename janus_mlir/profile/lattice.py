"""What is known of a value, from exactly this value down to nothing: the lattice that speculation moves in.

    value  ->  static shape  ->  partly dynamic shape  ->  type  ->  nothing

Numbers, strings and None have no shape and go from their value to their type at once. Arrays are never known
by value. `join` makes the smallest step down that covers both of what it is given.
"""

from __future__ import annotations

import enum
import types
from typing import Any, NamedTuple

import numpy as np

from janus_mlir.runtime.jax_arrays import array_type

__all__ = ["ARRAYS", "SCALARS", "Knowledge", "Level", "join", "knowledge_of"]

#: Types whose values are compared.
SCALARS = frozenset({bool, int, float, str, bytes, types.NoneType})
#: Types that have a dtype and a shape.
ARRAYS = frozenset({np.ndarray, array_type})


class Level(enum.IntEnum):
    """How much is known; a higher level says less."""

    VALUE = 0
    STATIC_SHAPE = 1
    DYNAMIC_SHAPE = 2
    TYPE = 3
    NOTHING = 4


class Knowledge(NamedTuple):
    """An element of the lattice.

    Attributes
    ----------
    level : Level
    cls : type or None
        The exact type; None at the level NOTHING.
    value : object
        At the level VALUE.
    dtype : dtype, optional
    shape : tuple, optional
        Extents of arrays down to the level DYNAMIC_SHAPE, where None stands for those that vary.
    """

    level: Level
    cls: type | None
    value: Any = None
    dtype: Any = None
    shape: tuple[int | None, ...] | None = None

    def __str__(self) -> str:
        if self.level is Level.VALUE:
            return repr(self.value)
        if self.cls is None:
            return "anything"
        if self.shape is None:
            return self.cls.__name__
        extents = ", ".join("?" if extent is None else str(extent) for extent in self.shape)
        return f"{self.dtype}[{extents}]"


_VALUE, _STATIC, _TYPE = Level.VALUE, Level.STATIC_SHAPE, Level.TYPE
#: Longer texts are known by type: what is recorded must not keep much memory.
_LONGEST_TEXT = 64


def knowledge_of(value: Any) -> Knowledge:
    """Return all that is to be known of a value, without keeping it alive (but for numbers and short texts)."""
    cls = type(value)
    if cls in SCALARS:
        if (cls is str or cls is bytes) and len(value) > _LONGEST_TEXT:
            return Knowledge(_TYPE, cls)
        return Knowledge(_VALUE, cls, value)
    if cls in ARRAYS:
        return Knowledge(_STATIC, cls, None, value.dtype, value.shape)
    return Knowledge(_TYPE, cls)


def join(a: Knowledge, b: Knowledge) -> Knowledge:
    """Return what holds of both, at the first level that can say it."""
    if a == b:
        return a
    if a.cls is not b.cls or a.cls is None:
        return Knowledge(Level.NOTHING, None)
    if a.shape is None or b.shape is None or a.dtype != b.dtype or len(a.shape) != len(b.shape):
        return Knowledge(Level.TYPE, a.cls)
    shape = tuple(x if x == y else None for x, y in zip(a.shape, b.shape, strict=True))
    return Knowledge(Level.DYNAMIC_SHAPE, a.cls, None, a.dtype, shape)
