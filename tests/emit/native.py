"""The native ABI in ctypes: calls compiled code without the dispatcher."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

import numpy as np

from janus_mlir._native import _runtime
from janus_mlir.capture.graph import Graph, ScalarType, TensorType
from janus_mlir.emit.extents import is_static

__all__ = ["Call", "symbols"]

_STORAGE = (
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "bfloat16",
    "float32", "float64", "complex64", "complex128",
)  # fmt: skip

_NUMPY = {
    "i1": "bool", "i8": "int8", "i16": "int16", "i32": "int32", "i64": "int64", "ui8": "uint8",
    "ui16": "uint16", "ui32": "uint32", "ui64": "uint64", "f16": "float16", "bf16": "bfloat16",
    "f32": "float32", "f64": "float64",
}  # fmt: skip


def _dtype(name: str) -> np.dtype[Any]:
    if name == "bfloat16":
        import ml_dtypes

        return np.dtype(ml_dtypes.bfloat16)
    return np.dtype(name)


class Call:
    """The records of one call. At most one is active: the callbacks have no other way to find it."""

    active: Call | None = None

    def __init__(self) -> None:
        self.records: list[tuple[int, list[Any]]] = []
        self.blocks: dict[int, tuple[Any, np.ndarray[Any, Any]]] = {}

    def array(self, dtype: int, rank: int, dims: Any) -> np.ndarray[Any, Any]:
        shape = tuple(dims[k] for k in range(rank))
        item = _dtype(_STORAGE[dtype])
        size = int(np.prod(shape, dtype=np.int64)) * item.itemsize
        raw = np.full(size + 64, 0xA5, np.uint8)
        start = -raw.ctypes.data % 64
        return raw[start : start + size].view(item).reshape(shape)

    def run(
        self, graph: Graph, address: int, arguments: Sequence[Any]
    ) -> tuple[int, list[tuple[int, list[Any]]]]:
        """Call the native entry of `graph` and return its status and records."""
        slots: list[int] = []
        keep = []
        for graph_input, argument in zip(graph.inputs, arguments, strict=True):
            type = graph_input.value.type
            if isinstance(type, ScalarType):
                bits = np.float64(argument).view(np.int64) if type.name == "f64" else np.int64(argument)
                slots.append(int(bits))
                continue
            assert isinstance(type, TensorType)
            array = np.array(argument, dtype=_dtype(_NUMPY[type.dtype]), order="C", copy=True)
            keep.append(array)
            slots.append(array.ctypes.data)
            slots.extend(array.shape[k] for k, extent in enumerate(type.shape) if not is_static(extent))
        entry = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.POINTER(ctypes.c_int64), ctypes.c_void_p)(address)
        Call.active = self
        try:
            status = entry((ctypes.c_int64 * max(len(slots), 1))(*slots), None)
        finally:
            Call.active = None
        return status, self.records


def _begin(_: Any, site: int) -> None:
    assert Call.active is not None
    Call.active.records.append((site, []))


def _push(_: Any, value: Any) -> None:
    assert Call.active is not None
    Call.active.records[-1][1].append(value)


def _alloc(_: Any, dtype: int, rank: int, dims: Any) -> int:
    assert Call.active is not None
    array = Call.active.array(dtype, rank, dims)
    Call.active.blocks[array.ctypes.data] = (array.base, array)
    return array.ctypes.data


def _push_owned(_: Any, pointer: int) -> None:
    assert Call.active is not None
    Call.active.records[-1][1].append(Call.active.blocks[pointer][1])


def _push_copy(_: Any, dtype: int, rank: int, dims: Any, pointer: int) -> None:
    assert Call.active is not None
    array = Call.active.array(dtype, rank, dims)
    if array.nbytes:
        ctypes.memmove(array.ctypes.data, pointer, array.nbytes)
    Call.active.records[-1][1].append(array)


def _scratch(_: Any, size: int) -> int:
    assert Call.active is not None
    array = Call.active.array(1, 1, [size])
    Call.active.blocks[-1 - len(Call.active.blocks)] = (array.base, array)
    return array.ctypes.data


_I32, _I64, _PTR = ctypes.c_int32, ctypes.c_int64, ctypes.c_void_p
_DIMS = ctypes.POINTER(ctypes.c_int64)

_FUNCTIONS = {
    "janus_rt_begin_record": ctypes.CFUNCTYPE(None, _PTR, _I32)(_begin),
    "janus_rt_push_i64": ctypes.CFUNCTYPE(None, _PTR, _I64)(_push),
    "janus_rt_push_f64": ctypes.CFUNCTYPE(None, _PTR, ctypes.c_double)(_push),
    "janus_rt_alloc": ctypes.CFUNCTYPE(_PTR, _PTR, _I32, _I32, _DIMS)(_alloc),
    "janus_rt_push_owned": ctypes.CFUNCTYPE(None, _PTR, _PTR)(_push_owned),
    "janus_rt_push_copy": ctypes.CFUNCTYPE(None, _PTR, _I32, _I32, _DIMS, _PTR)(_push_copy),
    "janus_rt_scratch": ctypes.CFUNCTYPE(_PTR, _PTR, _I64)(_scratch),
}


def symbols() -> dict[str, int]:
    """Return the addresses of the runtime functions."""
    own = {name: ctypes.cast(function, _PTR).value or 0 for name, function in _FUNCTIONS.items()}
    # Threads know nothing of journals.
    return own | {"janus_rt_parallel": _runtime.abi_symbols()["janus_rt_parallel"]}
