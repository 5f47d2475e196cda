"""Runs captured NumPy code natively."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from emit import native
from numpy_evaluate import GuardFailed
from numpy_machine import Machine, Proxy, leaves

from janus_mlir.capture.graph import TensorType, Value
from janus_mlir.capture.numpy.dtypes import dtype_of
from janus_mlir.capture.values import ExtentNumber, Number, NumpyArray, NumpyScalar
from janus_mlir.compile import compile_graph


def _value(proxy: Proxy) -> Value | None:
    match proxy.value:
        case NumpyArray():
            content: Value = proxy.content
            return content
        case NumpyScalar(ref=ref) | Number(ref=ref):
            return ref
        case ExtentNumber():
            return None
    raise AssertionError(proxy.value)


def _python(proxy: Proxy, found: Any, extents: Mapping[str, int]) -> Any:
    match proxy.value:
        case NumpyArray(dtype=dtype):
            return found.view(dtype)
        case NumpyScalar(dtype=dtype):
            return found.view(dtype)[()]
        case Number(kind=kind):
            return {"int": int, "float": float, "bool": bool}[kind](found)
        case ExtentNumber(expr=expr):
            return int(expr._evaluate(extents))
    raise AssertionError(proxy.value)


def evaluate(
    machine: Machine, proxies: Sequence[Proxy], result: Any, inputs: Sequence[Any], extents: Mapping[str, int]
) -> tuple[Any, list[Any]]:
    """Compile the captured graph and run it: the result, and the contents of the inputs afterwards."""
    outputs = [*proxies, *leaves(result)]
    returned = [(p, v) for p in outputs if (v := _value(p)) is not None]
    machine.graph.return_site = 0
    machine.b.op("return", [v for _, v in returned])
    compiled = compile_graph(machine.graph, symbols=native.symbols())
    status, records = native.Call().run(machine.graph, compiled.address, inputs)
    if status:
        guards = [op for op in machine.graph.body.ops if op.name == "janus.guard"]
        raise GuardFailed(guards[status - 2].attrs["kind"])
    ((_, values),) = records
    found: dict[int, Any] = {}
    for (proxy, value), content in zip(returned, values, strict=True):
        if isinstance(value.type, TensorType):
            content = np.asarray(content)
            assert content.dtype.itemsize == dtype_of(value.type.dtype).itemsize, (content.dtype, value)
        found[id(proxy)] = _python(proxy, content, extents)

    def concrete(item: Any) -> Any:
        if isinstance(item, tuple | list):
            return type(item)(map(concrete, item))
        if isinstance(item, Proxy):
            return found[id(item)] if id(item) in found else _python(item, None, extents)
        return item

    return concrete(result), [concrete(p) for p in proxies]
