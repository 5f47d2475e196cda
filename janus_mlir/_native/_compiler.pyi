"""The Janus compiler: dialects, phases and the JIT."""

from collections.abc import Mapping
from typing import Any

class CompileError(RuntimeError):
    """A phase or the JIT failed; the text is the diagnostics."""

class Executable:
    """Native code; it lives as long as this object."""

    def address(self, name: str) -> int:
        """Return the address of a function.

        Raises
        ------
        KeyError
            If there is none of that name.
        """

def register_dialects(context: Any) -> None:
    """Add the janus and lax dialects to a context and load them."""

def run_phase(module: Any, phase: str, verify_each: bool = True) -> None:
    """Bring a module in place from its phase up to the phase named.

    Parameters
    ----------
    module
        An `mlir.ir.Module`.
    phase
        One of `phases`.
    verify_each
        Whether to verify the module after every pass, not only at both ends.

    Raises
    ------
    CompileError
        If there is no such phase, the module is past it, or a pass fails.
    """

def jit(module: Any, symbols: Mapping[str, int], opt_level: int = 3) -> Executable:
    """Compile a module in phase "llvm" to native code.

    Parameters
    ----------
    module
        An `mlir.ir.Module`.
    symbols
        Addresses of the functions that it calls.
    opt_level
        0 to 3, as of LLVM.

    Raises
    ------
    CompileError
        If the module does not translate, or a symbol is missing.
    """

def compile(module: Any, opt_level: int = 3) -> bytes:
    """Return object files of a module in phase "llvm", as an archive: the first half of `jit`.

    Raises
    ------
    CompileError
        If the module does not translate.
    """

def load(archive: bytes, function: str, symbols: Mapping[str, int]) -> Executable:
    """Return native code for such an archive, of this or of an earlier process: the second half of `jit`.

    Parameters
    ----------
    archive
        From `compile`.
    function
        Name of a function in it.
    symbols
        Addresses of the functions that it calls.

    Raises
    ------
    CompileError
        If a symbol is missing, or `archive` holds no object files of this machine.
    """

def phases() -> list[str]:
    """Return the names of the phases, first to last."""

def host_target() -> dict[str, Any]:
    """Return triple, cpu, features and vector_bits of this machine."""
