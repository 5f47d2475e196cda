"""Native code for captured programs: runs the phases and the JIT."""

from __future__ import annotations

from janus_mlir.compile.driver import PHASES, Compiled, compile_graph, lower_text
from janus_mlir.compile.reproducer import crash_report

__all__ = ["PHASES", "Compiled", "compile_graph", "crash_report", "lower_text"]
