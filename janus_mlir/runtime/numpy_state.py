"""Whether NumPy only warns of floating-point errors: compiled code does not do so, and must not run where they are raised."""

from __future__ import annotations

import importlib
import warnings
from typing import Any

import numpy as np

from janus_mlir._native import _runtime

__all__ = ["numpy_is_quiet"]

#: The context variable that holds what `np.errstate` sets. (NumPy 2 keeps it there.)
_STATE: Any = getattr(importlib.import_module("numpy._core.umath"), "_extobj_contextvar", None)

#: Whether NumPy's floating-point warnings raise nothing now; its argument is of no interest.
numpy_is_quiet = _runtime.numpy_is_quiet

#: What NumPy's messages begin with.
_MESSAGES = (
    "divide by zero",
    "overflow",
    "underflow",
    "invalid value",
    "Mean of empty slice",
    "Degrees of freedom",
)


def _look() -> bool:
    """Return whether nothing is raised as `np.errstate` and the filters of `warnings` are now."""
    state = set(np.geterr().values())
    if not state <= {"ignore", "warn"}:
        return False
    if state == {"ignore"}:
        return True
    for action, message, category, _module, _line in warnings.filters:
        if not issubclass(RuntimeWarning, category):
            continue
        if message is None or any(message.match(text) for text in _MESSAGES):
            return action != "error"
    return getattr(warnings, "defaultaction", "default") != "error"


if _STATE is not None:
    _runtime.register_warnings(_STATE, _look, vars(warnings))
