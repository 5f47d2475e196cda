"""Symbolic extents: one scope of ``jax.export`` dimension variables for the process."""

from __future__ import annotations

from functools import cache
from typing import Any

from jax import export

_SCOPE = export.SymbolicScope()


@cache
def symbol(name: str) -> Any:
    """Return the symbolic dimension `name`."""
    (dim,) = export.symbolic_shape(name, scope=_SCOPE)
    return dim
