"""NumPy functions whose results have a size that only run time knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from janus_mlir.capture import numpy as npy
from janus_mlir.capture.breaks import Break
from janus_mlir.capture.builtins.table import registers
from janus_mlir.capture.dynamic import compressed
from janus_mlir.capture.managers import QuietManager
from janus_mlir.capture.values import Abstract, CompressedRef, Known, NumpyArray, constants

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


@registers(np.errstate)
def _error_state(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    """Native code neither warns nor raises of itself, so that only asking for exceptions makes a difference."""
    wanted = constants(kwargs.values())
    if args or wanted is None or not {"ignore", "warn"}.issuperset(wanted):
        raise Break("JN301", "np.errstate with other than 'ignore' and 'warn'")
    return QuietManager()


_sized_at_run_time(np.nonzero, compressed.nonzero)
_sized_at_run_time(np.where, compressed.nonzero)
_sized_at_run_time(np.flatnonzero, compressed.flatnonzero)
_sized_at_run_time(np.argwhere, compressed.argwhere)


@registers(np.unique)
def _unique(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    counts = kwargs.pop("return_counts", Known(False))
    if kwargs or not isinstance(counts, Known):
        raise Break("JN404", "unique() with options")
    return compressed.unique(m, args, counts=bool(counts.value))
