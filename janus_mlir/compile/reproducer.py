"""Files that repeat a failure of the compiler, or tell what led to one."""

from __future__ import annotations

import itertools
import re
import tempfile
import traceback
from pathlib import Path

from janus_mlir.capture.graph import Graph, graph_text
from janus_mlir.config import config
from janus_mlir.emit import emit_module
from janus_mlir.errors import CompileError

__all__ = ["compile_failure", "crash_report", "file_name"]

#: Numbers the failures of a process, so that files of functions of one name do not meet.
_serial = itertools.count()


def file_name(name: str) -> str:
    """Return the name of a function in a form that a file may have."""
    return re.sub(r"[^\w.-]", "_", name) or "function"


def _path(name: str, suffix: str) -> Path:
    root = config.dump_ir
    folder = Path(root) if root is not None else Path(tempfile.mkdtemp(prefix="janus-"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{file_name(name)}.{next(_serial)}.{suffix}"


def compile_failure(graph: Graph, phase: str, what: str, diagnostics: str) -> CompileError:
    """Write what repeats a failure on a captured function, and return the error that names it.

    Parameters
    ----------
    graph : Graph
    phase : str
        The phase that `janus-opt` is to run.
    what, diagnostics : str
        What failed, and the compiler's words for it.
    """
    lines = [f"{what} failed on {graph.name!r}", diagnostics.strip()]
    try:
        text = str(emit_module(graph, verify=False).module.operation.get_asm(enable_debug_info=True))
        suffix = "reproducer.mlir"
    except Exception as error:  # whatever failed may well fail again: then what was captured has to do
        text, suffix = f"{graph_text(graph)}\n\nno IR: {type(error).__name__}: {error}\n", "graph.txt"
    try:
        path = _path(graph.name, suffix)
        if suffix.endswith(".mlir"):
            command = f"janus-opt --janus-phase-{phase} {path}"
            path.write_text(f"// {command}\n{text}", encoding="utf-8")
            lines.append(f"To reproduce: {command}")
        else:
            path.write_text(text, encoding="utf-8")
            lines.append(f"What was captured is in {path}")
    except OSError as error:
        lines.append(f"No reproducer was written: {error}")
    return CompileError("\n".join(lines), phase=phase)


def crash_report(name: str, place: str, arguments: list[str], error: BaseException) -> str:
    """Write down an unforeseen error of capture, and return a sentence that says where."""
    text = "".join(
        [
            f"{name} ({place})\n\narguments:\n",
            *(f"  {argument}\n" for argument in arguments),
            "\n",
            *traceback.format_exception(error),
        ]
    )
    try:
        path = _path(name, "crash.txt")
        path.write_text(text, encoding="utf-8")
    except OSError as problem:
        return f"no report was written: {problem}"
    return f"a report is in {path}"
