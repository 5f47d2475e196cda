"""What the tests of the runtime share: native entries, and a short way to write journals."""

from __future__ import annotations

import ctypes
import struct
import subprocess
import sysconfig
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from janus_mlir._native import _runtime
from janus_mlir.runtime import find_dtype

ROOT = Path(__file__).parents[2]

BEGIN, I64, F64, ALLOC, OWNED, COPY, SCRATCH, STATUS = range(8)


def code(dtype: Any) -> int:
    entry = find_dtype(dtype)
    assert entry is not None
    return entry.code


class Entries:
    """The functions of ``entries.c``, by address."""

    def __init__(self, directory: Path) -> None:
        library = directory / "entries.so"
        compiler = (sysconfig.get_config_var("CC") or "cc").split()[0]
        source = Path(__file__).with_name("entries.c")
        subprocess.run(
            [compiler, "-O2", "-shared", "-fPIC", f"-I{ROOT / 'csrc'}", str(source), "-o", str(library)],
            check=True,
        )
        self.library = ctypes.CDLL(str(library))
        addresses = list(_runtime.abi_symbols().values())
        self.library.bind_runtime((ctypes.c_void_p * len(addresses))(*addresses))

    def __getattr__(self, name: str) -> int:
        address = ctypes.cast(getattr(self.library, name), ctypes.c_void_p).value
        assert address is not None
        return address


class Script:
    """A journal, written step by step; an instance is what `run_script` is called with."""

    def __init__(self) -> None:
        self.words: list[int] = []
        self.kept: list[np.ndarray] = []
        self.blocks = 0

    def begin(self, site: int) -> Script:
        self.words += [BEGIN, site]
        return self

    def i64(self, value: int) -> Script:
        self.words += [I64, value]
        return self

    def f64(self, value: float) -> Script:
        self.words += [F64, struct.unpack("q", struct.pack("d", value))[0]]
        return self

    def alloc(self, array: Any) -> Script:
        array = np.asarray(array)
        self.kept.append(array)
        self.words += [ALLOC, code(array.dtype), array.ndim, *array.shape, array.ctypes.data, array.nbytes]
        self.blocks += 1
        return self

    def owned(self, number: int | None = None) -> Script:
        self.words += [OWNED, self.blocks - 1 if number is None else number]
        return self

    def copy(self, array: Any) -> Script:
        array = np.ascontiguousarray(array) if np.ndim(array) else np.asarray(array)
        self.kept.append(array)
        self.words += [COPY, code(array.dtype), array.ndim, *array.shape, array.ctypes.data]
        return self

    def scratch(self, size: int) -> Script:
        self.words += [SCRATCH, size]
        return self

    def raw(self, *words: int) -> Script:
        self.words += words
        return self

    def status(self, status: int = 0) -> np.ndarray:
        self.words += [STATUS, status]
        array = np.array(self.words, np.int64)
        ALIVE.append((array, self.kept))
        return array


#: Scripts hold the addresses of what they copy from.
ALIVE: list[Any] = []


def no_function(*args: Any, **kwargs: Any) -> Any:
    raise AssertionError("the Python function was called")


def no_miss(args: tuple[Any, ...], kwargs: dict[str, Any] | None) -> Any:
    raise AssertionError(f"no version applied to {args} {kwargs}")


def jit(
    names: Sequence[str],
    *versions: _runtime.Version,
    function: Callable[..., Any] = no_function,
    on_miss: Callable[..., Any] = no_miss,
    companion: object = None,
) -> _runtime.JitFunction:
    made = _runtime.JitFunction(function, companion, (names, 0, len(names), 0, False, False), on_miss)
    made.set_versions(versions)
    return made


SCRIPT_PROGRAM = [("array", 0, "numpy", 4, [-1], False, 0), ("bind_tensor", 0, [])]
