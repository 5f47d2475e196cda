"""Runs a JAX function through capture graph, MLIR and native code, without the reader and the dispatcher."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.export
import jax.numpy as jnp
import numpy as np
from emit import native

from janus_mlir.capture.graph import Builder, Graph, TensorType
from janus_mlir.compile import compile_graph
from janus_mlir.emit import Module, emit_module
from janus_mlir.emit.jaxpr.avals import tensor_type

__all__ = [
    "call_graph",
    "check",
    "compare",
    "compile_function",
    "expected",
    "import_function",
    "resized",
    "symbolic",
]

Arrays = list[np.ndarray[Any, Any]]


def call_graph(jaxpr: Any, name: str = "f") -> Graph:
    """Return a graph that calls `jaxpr` on its inputs and returns its results."""
    graph = Graph(name)
    builder = Builder(graph)
    inputs = [builder.input(tensor_type(aval), f"x{k}") for k, aval in enumerate(jaxpr.in_avals)]
    types: Sequence[TensorType] = [tensor_type(aval) for aval in jaxpr.out_avals]
    results = builder.op("jax.call", inputs, types, jaxpr=jaxpr)
    graph.return_site = 0
    builder.op("return", results)
    return graph


def import_function(function: Callable[..., Any], *args: Any, context: Any = None) -> Module:
    """Return the module of `function` traced on arguments or on their shapes and dtypes."""
    jaxpr = jax.make_jaxpr(function)(*args)
    return emit_module(call_graph(jaxpr), context)


def compile_function(function: Callable[..., Any], *args: Any) -> Callable[..., Arrays]:
    """Return the native form of `function`, traced on arguments or on their shapes and dtypes."""
    graph = call_graph(jax.make_jaxpr(function)(*args))
    compiled = compile_graph(graph, symbols=native.symbols())

    def call(*args: Any) -> Arrays:
        status, records = native.Call().run(graph, compiled.address, jax.tree.leaves(args))
        assert status == 0
        ((site, values),) = records
        assert site == graph.return_site
        return [
            value.view(np.bool_) if aval.dtype == np.bool_ else value.view(aval.dtype)
            for value, aval in zip(values, graph.body.ops[0].attrs["jaxpr"].out_avals, strict=True)
        ]

    return call


def compare(actual: Arrays, expected: Any) -> None:
    """Assert that native results are JAX's: exactly, for floats up to rounding."""
    leaves = jax.tree.leaves(expected)
    assert len(actual) == len(leaves)
    for a, e in zip(actual, leaves, strict=True):
        e = np.asarray(e)
        assert a.dtype == e.dtype
        assert a.shape == e.shape
        if not np.issubdtype(a.dtype, np.inexact) and a.dtype.kind != "V":
            np.testing.assert_array_equal(a, e)
            continue
        tolerance = 2e-2 if a.dtype.itemsize == 2 else 2e-5
        scale = np.abs(e[np.isfinite(e.astype(np.float64))].astype(np.float64)).max(initial=1.0)
        np.testing.assert_allclose(
            a.astype(np.float64), e.astype(np.float64), rtol=tolerance, atol=tolerance * scale
        )


def check(function: Callable[..., Any], args: Sequence[Any]) -> None:
    """Assert that `function` gives the same natively and in JAX."""
    compare(compile_function(function, *args)(*args), expected(function, args))


def expected(function: Callable[..., Any], args: Sequence[Any]) -> Any:
    """Return what JAX computes for NumPy arguments; in one compilation, where eager JAX would compile each op."""
    return jax.jit(function)(*jax.tree.map(jnp.asarray, tuple(args)))


def _leading(args: Any, shape_of: Callable[[np.ndarray[Any, Any], bool], Any]) -> Any:
    """Map `shape_of` over the arrays of `args`, with whether the leading extent is the batch's.

    The batch is the leading extent of the first array that is an argument of its own. Arrays in containers
    are parameters.
    """
    first = next(a.shape[0] for a in args if isinstance(a, np.ndarray))
    return tuple(
        shape_of(a, a.ndim > 0 and a.shape[0] == first)
        if isinstance(a, np.ndarray)
        else jax.tree.map(lambda leaf: shape_of(leaf, False), a)
        for a in args
    )


def symbolic(args: Any) -> Any:
    """Return the shapes and dtypes of `args`, with ``b`` for the extent of the batch."""
    (batch,) = jax.export.symbolic_shape("b")

    def shape_of(a: np.ndarray[Any, Any], batched: bool) -> Any:
        return jax.ShapeDtypeStruct((batch, *a.shape[1:]) if batched else a.shape, a.dtype)

    return _leading(args, shape_of)


def resized(args: Any, extent: int) -> Any:
    """Return `args` with a batch of `extent`."""
    return _leading(args, lambda a, batched: np.resize(a, (extent, *a.shape[1:])) if batched else a)
