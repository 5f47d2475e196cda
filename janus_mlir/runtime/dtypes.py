"""Element types: the one table of their codes, names and spellings.

The codes are those of ``JanusDType`` in ``csrc/runtime/abi.h``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ml_dtypes
import numpy as np

__all__ = ["DTYPES", "DType", "dtype_by_code", "dtype_by_mlir", "dtype_by_name", "find_dtype"]


@dataclass(frozen=True, slots=True)
class DType:
    """One element type.

    Attributes
    ----------
    code : int
        As native code and the runtime know it.
    name : str
        As NumPy spells it.
    mlir : str
        As MLIR spells the element type of a tensor at the ``captured`` level.
    numpy : numpy.dtype
        In native byte order.
    """

    code: int
    name: str
    mlir: str
    numpy: np.dtype[Any]

    @property
    def itemsize(self) -> int:
        """Bytes of one element."""
        return self.numpy.itemsize

    def __str__(self) -> str:
        return self.name


def _dtype(code: int, mlir: str, scalar: Any) -> DType:
    numpy_dtype = np.dtype(scalar)
    return DType(code, numpy_dtype.name, mlir, numpy_dtype)


#: Every element type, in order of its code.
DTYPES: tuple[DType, ...] = (
    _dtype(0, "i1", np.bool_),
    _dtype(1, "i8", np.int8),
    _dtype(2, "i16", np.int16),
    _dtype(3, "i32", np.int32),
    _dtype(4, "i64", np.int64),
    _dtype(5, "ui8", np.uint8),
    _dtype(6, "ui16", np.uint16),
    _dtype(7, "ui32", np.uint32),
    _dtype(8, "ui64", np.uint64),
    _dtype(9, "f16", np.float16),
    _dtype(10, "bf16", ml_dtypes.bfloat16),
    _dtype(11, "f32", np.float32),
    _dtype(12, "f64", np.float64),
    _dtype(13, "complex<f32>", np.complex64),
    _dtype(14, "complex<f64>", np.complex128),
)

_BY_NAME = {dtype.name: dtype for dtype in DTYPES}
_BY_MLIR = {dtype.mlir: dtype for dtype in DTYPES}
_BY_NUMBER = {dtype.numpy.num: dtype for dtype in DTYPES}


def dtype_by_code(code: int) -> DType:
    """Return the type of a code."""
    if not 0 <= code < len(DTYPES):
        raise ValueError(f"no element type has the code {code}")
    return DTYPES[code]


def dtype_by_name(name: str) -> DType:
    """Return the type that NumPy calls `name`; KeyError where there is none."""
    return _BY_NAME[name]


def dtype_by_mlir(text: str) -> DType:
    """Return the type that MLIR spells `text`; KeyError where there is none."""
    return _BY_MLIR[text]


def find_dtype(dtype: Any) -> DType | None:
    """Return the entry of whatever ``numpy.dtype`` takes, or None where Janus has no such type.

    Types in foreign byte order, structured types, and types that only look alike (``longlong`` beside
    ``int64``) have no entry: the runtime's guards turn them away as well.
    """
    try:
        found = np.dtype(dtype)
    except TypeError:
        return None
    entry = _BY_NUMBER.get(found.num)
    if entry is None or not found.isnative or found.fields is not None:
        return None
    return entry
