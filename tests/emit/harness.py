"""Runs a JAX function through capture graph, MLIR and native code, without the reader and the dispatcher."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.export
import numpy as np

from janus_mlir.capture.graph import Builder, Graph, TensorType
from janus_mlir.emit import Module, emit_module
from janus_mlir.emit.jaxpr.avals import tensor_type

__all__ = ["call_graph", "import_function"]


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


def symbolic(args: Any) -> Any:
    """Return the shapes and dtypes of `args`, ``b`` for the leading extent of the first array.

    Arrays beside it of the same extent have it too; those in containers are parameters and keep their shapes.
    """
    (batch,) = jax.export.symbolic_shape("b")
    first = next(a.shape[0] for a in args if isinstance(a, np.ndarray))

    def shape_of(value: Any, *, top: bool) -> Any:
        if not isinstance(value, np.ndarray):
            return jax.tree.map(lambda leaf: shape_of(leaf, top=False), value)
        shape = value.shape
        if top and shape and shape[0] == first:
            shape = (batch, *shape[1:])
        return jax.ShapeDtypeStruct(shape, value.dtype)

    return tuple(shape_of(a, top=True) for a in args)
