"""Compiles linalg modules and calls them, with a stand-in for the runtime that records what it is told."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from mlir import ir

from janus_mlir._native import _compiler, _runtime

DTYPES: dict[int, Any] = {
    0: np.bool_, 1: np.int8, 2: np.int16, 3: np.int32, 4: np.int64,
    9: np.float16, 10: np.uint16, 11: np.float32, 12: np.float64,
}  # fmt: skip


@dataclass
class Journal:
    """What one call recorded, and the memory it was given."""

    records: list[tuple[int, list[Any]]] = field(default_factory=list)
    memory: dict[int, tuple[np.ndarray, Any]] = field(default_factory=dict)
    scratch: list[int] = field(default_factory=list)
    #: The stacks of the tape, and what was popped last.
    tapes: dict[int, list[np.ndarray]] = field(default_factory=dict)
    popped: list[np.ndarray] = field(default_factory=list)
    copies: int = 0

    def _aligned(self, nbytes: int) -> np.ndarray:
        # Garbage, so that reading what was never written shows.
        raw = np.full(nbytes + 64, 0x7F, np.uint8)
        start = -raw.ctypes.data % 64
        return raw[start : start + nbytes]


_journal = Journal()


def _dims(rank: int, dims: int) -> tuple[int, ...]:
    return tuple((ctypes.c_int64 * rank).from_address(dims)) if rank else ()


def _begin(_call: int, site: int) -> None:
    _journal.records.append((site, []))


def _push(_call: int, value: Any) -> None:
    _journal.records[-1][1].append(value)


def _alloc(_call: int, dtype: int, rank: int, dims: int) -> int:
    shape = _dims(rank, dims)
    kind = np.dtype(DTYPES[dtype])
    memory = _journal._aligned(int(np.prod(shape, dtype=np.int64)) * kind.itemsize)
    _journal.memory[memory.ctypes.data] = (memory, (kind, shape))
    return memory.ctypes.data


def _push_owned(_call: int, pointer: int) -> None:
    memory, (kind, shape) = _journal.memory[pointer]
    _push(_call, memory.view(kind).reshape(shape))


def _push_copy(_call: int, dtype: int, rank: int, dims: int, pointer: int) -> None:
    shape = _dims(rank, dims)
    kind = np.dtype(DTYPES[dtype])
    nbytes = int(np.prod(shape, dtype=np.int64)) * kind.itemsize
    data = ctypes.string_at(pointer, nbytes) if nbytes else b""
    _journal.copies += 1
    _push(_call, np.frombuffer(data, kind).reshape(shape).copy())


def _scratch(_call: int, nbytes: int) -> int:
    memory = _journal._aligned(nbytes)
    _journal.memory[memory.ctypes.data] = (memory, None)
    _journal.scratch.append(nbytes)
    return memory.ctypes.data


def _tape_push(_call: int, stack: int, nbytes: int) -> int:
    memory = _journal._aligned(nbytes)
    _journal.tapes.setdefault(stack, []).append(memory)
    return memory.ctypes.data


def _tape_pop(_call: int, stack: int, nbytes: int) -> int:
    memory = _journal.tapes[stack].pop()
    assert memory.nbytes == nbytes, "what is popped is not what was pushed"
    _journal.popped.append(memory)
    return memory.ctypes.data


class Frames(ctypes.Structure):
    """The beginning of a call, a ``JanusFrames``: without memory at first, and with no limit to its depth."""

    _fields_ = (
        ("top", ctypes.c_void_p),
        ("limit", ctypes.c_void_p),
        ("depth_left", ctypes.c_int64),
        ("lowest_stack", ctypes.c_void_p),
    )


_FRAMES_SIZE = 1 << 12


def _grow_frames(call: int, nbytes: int) -> int:
    frames = Frames.from_address(call)
    start = _scratch(call, max(nbytes, _FRAMES_SIZE))
    frames.top, frames.limit = start + nbytes, start + max(nbytes, _FRAMES_SIZE)
    return start


_P, _I32, _I64, _F64 = ctypes.c_void_p, ctypes.c_int32, ctypes.c_int64, ctypes.c_double
_CALLBACKS = {
    "janus_rt_begin_record": ctypes.CFUNCTYPE(None, _P, _I32)(_begin),
    "janus_rt_push_i64": ctypes.CFUNCTYPE(None, _P, _I64)(_push),
    "janus_rt_push_f64": ctypes.CFUNCTYPE(None, _P, _F64)(_push),
    "janus_rt_alloc": ctypes.CFUNCTYPE(_P, _P, _I32, _I32, _P)(_alloc),
    "janus_rt_push_owned": ctypes.CFUNCTYPE(None, _P, _P)(_push_owned),
    "janus_rt_push_copy": ctypes.CFUNCTYPE(None, _P, _I32, _I32, _P, _P)(_push_copy),
    "janus_rt_scratch": ctypes.CFUNCTYPE(_P, _P, _I64)(_scratch),
    "janus_rt_grow_frames": ctypes.CFUNCTYPE(_P, _P, _I64)(_grow_frames),
    "janus_rt_tape_push": ctypes.CFUNCTYPE(_P, _P, _I32, _I64)(_tape_push),
    "janus_rt_tape_pop": ctypes.CFUNCTYPE(_P, _P, _I32, _I64)(_tape_pop),
}
SYMBOLS = {name: ctypes.cast(f, _P).value or 0 for name, f in _CALLBACKS.items()}
# Threads know nothing of journals.
SYMBOLS["janus_rt_parallel"] = _runtime.abi_symbols()["janus_rt_parallel"]


class Compiled:
    """A module from the phase "linalg", compiled; call it with arrays and numbers."""

    def __init__(self, text: str, name: str = "f", symbols: dict[str, int] | None = None) -> None:
        with ir.Context() as context:
            _compiler.register_dialects(context)
            module = ir.Module.parse(text)
            self.types = [
                t for t in ir.FunctionType(
                    ir.TypeAttr(module.body.operations[0].attributes["function_type"]).value
                ).inputs
            ]  # fmt: skip
            self.dynamic = [
                [d for d in range(t.rank) if t.is_dynamic_dim(d)]
                if isinstance(t, ir.RankedTensorType)
                else None
                for t in self.types
            ]
            self.is_float = [str(t) == "f64" for t in self.types]
            _compiler.run_phase(module, "llvm")
            self.executable = _compiler.jit(module, symbols or SYMBOLS)
        self.address = self.executable.address(name)
        self.native = ctypes.CFUNCTYPE(_I32, _P, _P)(self.address)

    def slots(self, *args: Any) -> Any:
        """The slots that pass `args`."""
        slots: list[int] = []
        for arg, dynamic, is_float in zip(args, self.dynamic, self.is_float, strict=True):
            if dynamic is not None:
                slots.append(arg.ctypes.data)
                slots.extend(arg.shape[d] for d in dynamic)
            elif is_float:
                slots.append(int(np.float64(arg).view(np.int64)))
            else:
                slots.append(int(arg))
        return (ctypes.c_int64 * max(1, len(slots)))(*slots)

    def run(self, *args: Any) -> tuple[int, Journal]:
        """Call it; the status and the journal."""
        global _journal
        journal = _journal = Journal()
        before = [a.tobytes() if isinstance(a, np.ndarray) else None for a in args]
        status = self.native(self.slots(*args), ctypes.byref(Frames(depth_left=1 << 30)))
        for arg, bytes_before in zip(args, before, strict=True):
            assert bytes_before is None or arg.tobytes() == bytes_before, "an argument was written to"
        return status, journal

    def __call__(self, *args: Any) -> Any:
        """Call it, and give the values of the return record."""
        status, journal = self.run(*args)
        assert status == 0, status
        values = journal.records[-1][1]
        return values[0] if len(values) == 1 else tuple(values)


def unaligned(array: np.ndarray) -> np.ndarray:
    """The same array at an address that is a multiple of its item size only."""
    raw = np.empty(array.nbytes + 128, np.uint8)
    start = -raw.ctypes.data % 64 + array.itemsize
    copy = raw[start : start + array.nbytes].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy
