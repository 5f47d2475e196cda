"""Tuned libraries that generated code calls: their addresses, loaded when a program first needs them."""

from __future__ import annotations

import ctypes
import functools

__all__ = ["library_symbols"]

#: Functions of OpenBLAS, under the names that scipy-openblas32 gives them.
_BLAS = ("scipy_cblas_sgemm", "scipy_cblas_dgemm")


@functools.cache
def _openblas() -> ctypes.CDLL:
    import scipy_openblas32

    library = ctypes.CDLL(f"{scipy_openblas32.get_lib_dir()}/lib{scipy_openblas32.get_library()}.so")
    # Generated code calls it from several threads.
    library.scipy_openblas_set_num_threads(1)
    return library


def library_symbols(code: bytes) -> dict[str, int]:
    """Return the addresses of the library functions that object files refer to."""
    names = [name for name in _BLAS if name.encode() in code]
    if not names:
        return {}
    library = _openblas()
    return {name: ctypes.cast(getattr(library, name), ctypes.c_void_p).value or 0 for name in names}
