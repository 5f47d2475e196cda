"""Element types: NumPy dtypes and their MLIR names."""

from __future__ import annotations

from typing import Any

import numpy as np

from janus_mlir.capture.breaks import Break

DType = np.dtype[Any]

BOOL = np.dtype(np.bool_)
INT64 = np.dtype(np.int64)
UINT64 = np.dtype(np.uint64)
FLOAT16 = np.dtype(np.float16)
FLOAT32 = np.dtype(np.float32)
FLOAT64 = np.dtype(np.float64)

_PREFIX = {"i": "i", "u": "ui", "f": "f"}
_BY_NAME: dict[str, DType] = {}


def element(dtype: DType) -> str:
    """Return the MLIR name of a dtype, or break if arrays of it are not compiled."""
    if dtype == BOOL:
        return "i1"
    prefix = _PREFIX.get(dtype.kind)
    if prefix is None or dtype.itemsize > 8 or not dtype.isnative:
        raise Break("JN402", str(dtype))
    return f"{prefix}{8 * dtype.itemsize}"


def dtype_of(name: str) -> DType:
    """Return the dtype with the MLIR name `name`."""
    known = _BY_NAME.get(name)
    if known is None:
        raise Break("JN402", name)
    return known


for _dtype in map(np.dtype, "?bhilBHILefd"):
    _BY_NAME[element(_dtype)] = _dtype


def is_float(name: str) -> bool:
    """Whether an MLIR element type is a float."""
    return name[0] in "fb"


def is_integer(name: str) -> bool:
    """Whether an MLIR element type is an integer other than bool."""
    return name[0] in "iu" and name != "i1"


def is_signed(name: str) -> bool:
    """Whether an MLIR element type is a signed integer."""
    return name[0] == "i" and name != "i1"


def bits(name: str) -> int:
    """Width of an MLIR element type."""
    return int(name.lstrip("uifb"))


def python_dtype(cls: type) -> DType:
    """Dtype that a Python number of class `cls` has on its own."""
    return np.dtype({bool: np.bool_, int: np.int64, float: np.float64}[cls])
