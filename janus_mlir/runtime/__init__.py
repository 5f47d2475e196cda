"""The runtime seen from Python: element types, and JAX arrays at the boundary.

The dispatcher itself is the extension ``janus_mlir._native._runtime``. Importing this package does not
import JAX; `janus_mlir.runtime.jax_arrays` does.
"""

from __future__ import annotations

from .dtypes import DTYPES, DType, dtype_by_code, dtype_by_mlir, dtype_by_name, find_dtype

__all__ = ["DTYPES", "DType", "dtype_by_code", "dtype_by_mlir", "dtype_by_name", "find_dtype"]
