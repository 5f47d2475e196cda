"""Janus: a just-in-time compiler for imperative Python on NumPy and JAX arrays, built on MLIR."""

from janus_mlir.api import Lowered, Stats, jit
from janus_mlir.config import config
from janus_mlir.errors import CaptureError, CompileError, JanusError
from janus_mlir.gradients import grad, value_and_grad
from janus_mlir.report import Report

__all__ = [
    "CaptureError",
    "CompileError",
    "JanusError",
    "Lowered",
    "Report",
    "Stats",
    "config",
    "grad",
    "jit",
    "value_and_grad",
]
