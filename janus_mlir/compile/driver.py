"""The way of one captured function through the phases to an address."""

from __future__ import annotations

import ctypes
import itertools
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlir import ir

from janus_mlir import log
from janus_mlir._native import _compiler
from janus_mlir.capture.graph import Graph
from janus_mlir.compile.cache import ObjectCache
from janus_mlir.compile.libraries import library_symbols
from janus_mlir.compile.reproducer import compile_failure, file_name
from janus_mlir.config import config
from janus_mlir.emit import Module, emit_module
from janus_mlir.emit.errors import EmitError

__all__ = ["PHASES", "Compiled", "compile_graph", "lower_text"]

#: The phases, first to last. The last one is what the JIT takes.
PHASES: tuple[str, ...] = tuple(_compiler.phases())

#: Numbers the compilations of a process, so that dumps of functions of one name do not meet.
_serial = itertools.count()


@dataclass(slots=True, eq=False, weakref_slot=True)
class Compiled:
    """Native code of one captured function.

    Attributes
    ----------
    graph : Graph
        What was compiled.
    address : int
        Of the entry function. Valid as long as this object lives.
    seconds : dict of str to float
        Time spent in ``emit``, in each phase, in ``jit`` (LLVM) and in ``link``. Code from the cache has been
        through no phase.
    """

    graph: Graph
    address: int
    seconds: dict[str, float]
    _executable: Any = field(repr=False)
    _texts: dict[str, str] = field(default_factory=dict, repr=False)

    @property
    def compile_seconds(self) -> float:
        """Time of the whole compilation."""
        return sum(self.seconds.values())

    def as_text(self, phase: str = "captured") -> str:
        """Return the IR after a phase. It is made anew when first asked for."""
        if phase not in self._texts:
            self._texts[phase] = lower_text(self.graph, phase)
        return self._texts[phase]


def compile_graph(graph: Graph, *, symbols: Mapping[str, int]) -> Compiled:
    """Compile a captured function for this machine.

    Parameters
    ----------
    graph : Graph
    symbols : mapping of str to int
        Addresses of the runtime functions that generated code calls.

    Raises
    ------
    EmitError
        If something of the graph has no MLIR form.
    CompileError
        If emission, a phase or the JIT fails. The message names a file on which ``janus-opt`` fails alike.
    """
    seconds: dict[str, float] = {}
    start = time.perf_counter()
    with _explaining(graph, PHASES[0], "emission"):
        module = emit_module(graph)
    seconds["emit"] = time.perf_counter() - start
    code = _object_code(graph, module, seconds)
    start = time.perf_counter()
    # Code does not hold references: the table does, and lives as long as the code.
    objects = (ctypes.py_object * max(1, len(graph.objects)))(*graph.objects)
    symbols = {**symbols, "janus_objects": ctypes.addressof(objects)}
    with _explaining(graph, PHASES[-1], "linking"):
        executable = _compiler.load(code, graph.name, {**symbols, **library_symbols(code)})
        address = int(executable.address(graph.name))
    seconds["link"] = time.perf_counter() - start
    if log.enabled("compile"):
        parts = ", ".join(f"{name} {1e3 * value:.1f}" for name, value in seconds.items())
        log.emit("compile", f"{graph.name}: {1e3 * sum(seconds.values()):.1f} ms ({parts})")
    return Compiled(graph, address, seconds, (executable, objects))


def _object_code(graph: Graph, module: Module, seconds: dict[str, float]) -> bytes:
    """Return the object code of an emitted graph, from the cache where it is there."""
    dump = _Dump.create(graph.name)
    cache = ObjectCache.configured()
    key = ""
    if cache is not None:
        start = time.perf_counter()
        key = cache.key(str(module))
        # Whoever asks for dumps wants to see the phases run.
        found = cache.get(key) if dump is None else None
        seconds["cache"] = time.perf_counter() - start
        if found is not None:
            log.emit("cache", f"{graph.name}: found {key}")
            return found
    for phase in PHASES:
        start = time.perf_counter()
        _run_phase(graph, module, phase)
        seconds[phase] = time.perf_counter() - start
        if dump is not None:
            dump.write(phase, str(module))
    start = time.perf_counter()
    with _explaining(graph, PHASES[-1], "code generation by LLVM"):
        code: bytes = _compiler.compile(module.module, config.opt_level)
    seconds["jit"] = time.perf_counter() - start
    if cache is not None:
        cache.put(key, code)
        log.emit("cache", f"{graph.name}: kept {key}")
    return code


def lower_text(graph: Graph, phase: str, *, debug_info: bool = False) -> str:
    """Return the IR of a captured function after a phase, as text; `debug_info` adds the source locations."""
    if phase not in PHASES:
        raise ValueError(f"there is no phase {phase!r}; phases are {', '.join(PHASES)}")
    module = emit_module(graph)
    _run_phase(graph, module, phase)
    if not debug_info:
        return str(module)
    text: str = module.module.operation.get_asm(enable_debug_info=True, pretty_debug_info=True)
    return text


def _run_phase(graph: Graph, module: Module, phase: str) -> None:
    with _explaining(graph, phase, f"phase {phase!r}"):
        _compiler.run_phase(module.module, phase, verify_each=config.debug)


@contextmanager
def _explaining(graph: Graph, phase: str, what: str) -> Iterator[None]:
    """Turn errors into the one that names a reproducer."""
    try:
        yield
    except EmitError:
        raise
    except (_compiler.CompileError, ir.MLIRError, KeyError) as error:
        raise compile_failure(graph, phase, what, str(error)) from None
    except Exception as error:  # a defect of ours: Python runs the function, and the defect can be repeated
        if config.debug:
            raise
        raise compile_failure(graph, phase, what, f"{type(error).__name__}: {error}") from error


@dataclass(frozen=True, slots=True)
class _Dump:
    """The folder that holds the IR of one compilation."""

    folder: Path

    @classmethod
    def create(cls, name: str) -> _Dump | None:
        root = config.dump_ir
        if root is None:
            return None
        folder = Path(root) / f"{file_name(name)}.{next(_serial)}"
        folder.mkdir(parents=True, exist_ok=True)
        return cls(folder)

    def write(self, phase: str, text: str) -> None:
        (self.folder / f"{PHASES.index(phase):02d}-{phase}.mlir").write_text(text, encoding="utf-8")
