"""Import of jaxprs: each JAX primitive becomes ops of ``lax``, ``scf`` and ``arith``."""

from __future__ import annotations

# Imported for the rules they register.
from janus_mlir.emit.jaxpr import (
    contraction,
    control,
    elementwise,
    indexing,
    linalg,
    loops,
    reduction,
    shape,
    special,
)
from janus_mlir.emit.jaxpr.importer import Importer, unsupported

__all__ = [
    "Importer",
    "contraction",
    "control",
    "elementwise",
    "indexing",
    "linalg",
    "loops",
    "reduction",
    "shape",
    "special",
    "unsupported",
]
