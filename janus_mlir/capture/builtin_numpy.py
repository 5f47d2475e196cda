"""NumPy functions whose results have a size that only run time knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from janus_mlir.capture import compressed
from janus_mlir.capture import numpy as npy
from janus_mlir.capture.builtin_table import registers
from janus_mlir.capture.values import Abstract, CompressedRef, NumpyArray

if TYPE_CHECKING:
    from janus_mlir.capture.machine import Machine


def _sized_at_run_time(function: Any, handler: Any) -> None:
    def call(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
        if len(args) == 1 and isinstance(args[0], NumpyArray) and not kwargs:
            found: Abstract = handler(m, args)
            return found
        if any(isinstance(a, CompressedRef) for a in args):
            return compressed.call(m, function, args, kwargs)
        return npy.call(m, function, args, kwargs)

    registers(function)(call)


_sized_at_run_time(np.nonzero, compressed.nonzero)
_sized_at_run_time(np.where, compressed.nonzero)
_sized_at_run_time(np.flatnonzero, compressed.flatnonzero)
_sized_at_run_time(np.unique, compressed.unique)
