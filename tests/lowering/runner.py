"""Runs a JAX function through phase "linalg" and upstream's plainest lowering, apart from Janus's own code generation."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from typing import Any

import jax
import ml_dtypes
import numpy as np
from emit.harness import call_graph
from mlir import ir
from mlir.execution_engine import ExecutionEngine
from mlir.passmanager import PassManager

from janus_mlir._native import _compiler
from janus_mlir.emit import emit_module, new_context

__all__ = ["check", "compare", "run_function", "run_text"]

Array = np.ndarray[Any, Any]

_PIPELINE = (
    "builtin.module(func.func(empty-tensor-to-alloc-tensor),"
    "one-shot-bufferize{bufferize-function-boundaries allow-return-allocs-from-loops"
    " function-boundary-type-conversion=identity-layout-map},"
    "func.func(convert-linalg-to-loops),expand-strided-metadata,lower-affine,convert-scf-to-cf,"
    "arith-expand{include-bf16},convert-math-to-llvm{approximate-log1p=false},convert-math-to-libm,finalize-memref-to-llvm,"
    "convert-cf-to-llvm,convert-func-to-llvm,convert-arith-to-llvm,convert-index-to-llvm,convert-ub-to-llvm,"
    "reconcile-unrealized-casts)"
)

_DTYPES: dict[str, Any] = {
    "i8": np.int8,
    "i16": np.int16,
    "i32": np.int32,
    "i64": np.int64,
    "f16": np.float16,
    "bf16": ml_dtypes.bfloat16,
    "f32": np.float32,
    "f64": np.float64,
}


def _descriptor(rank: int) -> type[ctypes.Structure]:
    fields: list[tuple[str, Any]] = [
        ("allocated", ctypes.c_void_p),
        ("aligned", ctypes.c_void_p),
        ("offset", ctypes.c_int64),
    ]
    if rank:
        fields += [("sizes", ctypes.c_int64 * rank), ("strides", ctypes.c_int64 * rank)]
    return type(f"MemRef{rank}", (ctypes.Structure,), {"_fields_": fields})


def _pack(array: Array) -> ctypes.Structure:
    descriptor = _descriptor(array.ndim)()
    descriptor.allocated = descriptor.aligned = array.ctypes.data
    descriptor.offset = 0
    if array.ndim:
        descriptor.sizes = (ctypes.c_int64 * array.ndim)(*array.shape)
        descriptor.strides = (ctypes.c_int64 * array.ndim)(*(s // array.itemsize for s in array.strides))
    return descriptor


def _unpack(descriptor: Any, rank: int, element: str) -> Array:
    dtype = np.dtype(_DTYPES[element])
    sizes = tuple(descriptor.sizes) if rank else ()
    strides = tuple(descriptor.strides) if rank else ()
    if 0 in sizes:
        return np.empty(sizes, dtype)
    span = 1 + sum((n - 1) * s for n, s in zip(sizes, strides, strict=True))
    start = descriptor.aligned + descriptor.offset * dtype.itemsize
    raw = np.ctypeslib.as_array((ctypes.c_uint8 * (span * dtype.itemsize)).from_address(start)).view(dtype)
    return np.lib.stride_tricks.as_strided(raw, sizes, tuple(s * dtype.itemsize for s in strides)).copy()


class _Unranked(ctypes.Structure):
    _fields_ = (("rank", ctypes.c_int64), ("descriptor", ctypes.c_void_p))


def _copy(itemsize: int, source: Any, target: Any) -> None:
    """Copy between strided buffers: the function that upstream lowers `memref.copy` to."""
    views = []
    for unranked in (source[0], target[0]):
        rank = unranked.rank
        descriptor = _descriptor(rank).from_address(unranked.descriptor)
        sizes = tuple(descriptor.sizes) if rank else ()
        strides = tuple(descriptor.strides) if rank else ()
        if 0 in sizes:
            return
        span = 1 + sum((n - 1) * s for n, s in zip(sizes, strides, strict=True))
        start = descriptor.aligned + descriptor.offset * itemsize
        raw = np.ctypeslib.as_array((ctypes.c_uint8 * (span * itemsize)).from_address(start)).view(
            f"V{itemsize}"
        )
        views.append(np.lib.stride_tricks.as_strided(raw, sizes, tuple(s * itemsize for s in strides)))
    views[1][...] = views[0]


_MEMREF_COPY = ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.POINTER(_Unranked), ctypes.POINTER(_Unranked))(
    _copy
)


def _execute(module: ir.Module, name: str, arguments: Sequence[Array]) -> list[Array]:
    """Run a function of a module in phase "linalg" on arrays in their stored dtypes."""
    function = next(
        op for op in module.body.operations if ir.StringAttr(op.attributes["sym_name"]).value == name
    )
    function.attributes["llvm.emit_c_interface"] = ir.UnitAttr.get()
    types = [ir.RankedTensorType(t) for t in ir.FunctionType(function.type).results]
    results = [(t.rank, str(t.element_type)) for t in types]
    PassManager.parse(_PIPELINE).run(module.operation)
    engine = ExecutionEngine(module, opt_level=1)
    engine.raw_register_runtime("memrefCopy", ctypes.cast(_MEMREF_COPY, ctypes.c_void_p))
    fields = [(f"r{k}", _descriptor(rank)) for k, (rank, _) in enumerate(results)]
    result = type("Results", (ctypes.Structure,), {"_fields_": fields})()
    # Inputs are the caller's: one-shot bufferisation may write to them.
    owned = [np.array(a, order="C", copy=True) for a in arguments]
    packed = [_pack(a) for a in owned]
    slots = [ctypes.pointer(ctypes.pointer(d)) for d in (result, *packed)]
    engine.invoke(name, *slots)
    return [_unpack(getattr(result, f"r{k}"), rank, element) for k, (rank, element) in enumerate(results)]


def _stored(array: Any) -> Array:
    array = np.asarray(array)
    if array.dtype == np.bool_:
        return array.view(np.int8)
    if array.dtype.kind == "u":
        return array.view(f"i{array.itemsize}")
    return array


def run_text(text: str, name: str, *arguments: Any) -> list[Array]:
    """Lower a module written as text and run one of its functions; bools come back as bytes."""
    context = new_context()
    with context, ir.Location.unknown():
        module = ir.Module.parse(text)
        _compiler.run_phase(module, "linalg")
        return _execute(module, name, [_stored(a) for a in arguments])


def run_function(function: Callable[..., Any], *arguments: Any, shapes: Any = None) -> list[Array]:
    """Lower and run a JAX function, traced on `shapes` where they are given; return the leaves of its result."""
    jaxpr = jax.make_jaxpr(lambda *a: jax.tree.leaves(function(*a)))(*(shapes or arguments))
    built = emit_module(call_graph(jaxpr), new_context())
    with built.module.context, ir.Location.unknown():
        _compiler.run_phase(built.module, "linalg")
        results = _execute(built.module, "f", [_stored(a) for a in jax.tree.leaves(arguments)])
    return [r.view(np.dtype(aval.dtype)) for r, aval in zip(results, jaxpr.out_avals, strict=True)]


def compare(actual: Array, expected: Any, tolerance: float | None = None) -> None:
    """Require the same shape, dtype and, up to a relative tolerance for floats, values; NaN equals NaN."""
    expected = np.asarray(expected)
    assert actual.shape == expected.shape
    assert actual.dtype == expected.dtype
    if expected.dtype.kind in "biu":
        np.testing.assert_array_equal(actual, expected)
        return
    if tolerance is None:
        tolerance = {8: 1e-12, 4: 2e-6, 2: 2e-2}[expected.dtype.itemsize]
    wide = (actual.astype(np.float64), expected.astype(np.float64))
    np.testing.assert_allclose(*wide, rtol=tolerance, atol=tolerance)


def check(
    function: Callable[..., Any], *arguments: Any, tolerance: float | None = None, shapes: Any = None
) -> None:
    """Compare a JAX function run by XLA with the same function lowered by Janus."""
    with jax.enable_x64(True):
        expected = jax.tree.leaves(jax.jit(function)(*arguments))
        actual = run_function(function, *arguments, shapes=shapes)
    assert len(actual) == len(expected)
    for a, e in zip(actual, expected, strict=True):
        compare(a, e, tolerance)
