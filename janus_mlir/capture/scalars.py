"""Which abstract values are Python numbers, and when two constants are the same."""

from __future__ import annotations

from typing import Any

import numpy as np

from janus_mlir.capture.graph import BOOL, FLOAT, INT, ScalarType
from janus_mlir.capture.values import Abstract, ExtentNumber, Known, Number, NumberKind

__all__ = [
    "CLASSES",
    "DTYPES",
    "NEVER_NUMBERS",
    "NUMBER_TAGS",
    "SCALARS",
    "differ",
    "number_kind",
    "same_constant",
]

#: Types of graph values by kind of number.
SCALARS: dict[NumberKind, ScalarType] = {"int": INT, "float": FLOAT, "bool": BOOL}
#: Python classes and NumPy dtypes by kind of number.
CLASSES: dict[NumberKind, type] = {"int": int, "float": float, "bool": bool}
DTYPES: dict[NumberKind, np.dtype[Any]] = {
    "int": np.dtype(np.int64),
    "float": np.dtype(np.float64),
    "bool": np.dtype(np.bool_),
}
#: Tags of numbers in unions, by kind.
NUMBER_TAGS: dict[NumberKind, int] = {"int": 0, "float": 1, "bool": 2}


def number_kind(value: Abstract) -> NumberKind | None:
    """Return the kind of a Python number, None if `value` is not one."""
    if isinstance(value, Number):
        return value.kind
    if isinstance(value, ExtentNumber):
        return "int"
    if isinstance(value, Known):
        kind = type(value.value)
        if kind is bool:
            return "bool"
        if kind is int:
            return "int" if -(2**63) <= value.value < 2**63 else None
        if kind is float:
            return "float"
    return None


def same_constant(a: object, b: object) -> bool:
    """Tell whether two constants are interchangeable in every observable way."""
    if a is b:
        return True
    if type(a) is not type(b):
        return False
    if isinstance(a, float):
        return isinstance(b, float) and np.float64(a).tobytes() == np.float64(b).tobytes()
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(same_constant(x, y) for x, y in zip(a, b, strict=True))
    return isinstance(a, (int, str, bytes, np.dtype)) and a == b


#: Classes whose objects equal no number, nor an object of another of these classes.
NEVER_NUMBERS = (list, tuple, dict, str, type(None), range)


def differ(a: Abstract, b: Abstract) -> bool:
    """Whether two values are constants of one plain class, and not equal."""
    if not isinstance(a, Known) or not isinstance(b, Known):
        return False
    return type(a.value) is type(b.value) in (str, int, float, bool) and a.value != b.value
