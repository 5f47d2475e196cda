"""Captured programs as MLIR: ``Graph`` -> module in phase "captured"."""

from __future__ import annotations

from typing import Any

from janus_mlir.emit.errors import EmitError
from janus_mlir.emit.jaxpr import unsupported
from janus_mlir.emit.module import Module, emit_module, new_context

__all__ = ["EmitError", "Module", "emit_module", "new_context", "supported", "unsupported"]


def supported(jaxpr: Any) -> str | None:
    """Return None if every primitive and dtype of a jaxpr can be imported, else the name of what cannot."""
    error = unsupported(jaxpr)
    return None if error is None else error.subject
