"""Runs captured graphs of ``lax`` ops by ``jax.lax``, to check what capture emits without the compiler."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from janus_mlir.capture.graph import Block, Op, ScalarType, TensorType, Value
from janus_mlir.capture.numpy.dtypes import dtype_of


class GuardFailed(Exception):
    """A guard of the graph does not hold for these inputs."""


class Evaluator:
    """Evaluates the ops of a block, given the values of symbolic extents."""

    def __init__(self, extents: Mapping[str, int]) -> None:
        self.extents = extents
        self.values: dict[int, Any] = {}

    def run(self, block: Block, inputs: Mapping[Value, Any]) -> None:
        with jax.enable_x64(True):
            for value, content in inputs.items():
                tensor = isinstance(value.type, TensorType)
                self.values[value.uid] = jnp.asarray(content) if tensor else content
            for op in block.ops:
                self._op(op)

    def extent(self, d: Any) -> int:
        return d if isinstance(d, int) else int(d._evaluate(self.extents))

    def __getitem__(self, value: Value) -> np.ndarray[Any, Any]:
        return np.asarray(self.values[value.uid])

    def _op(self, op: Op) -> None:
        operands = [self.values[v.uid] for v in op.operands]
        results = self._evaluate(op, operands)
        if not isinstance(results, tuple | list):
            results = [results]
        for value, result in zip(op.results, results, strict=True):
            if isinstance(value.type, TensorType):
                shape = tuple(map(self.extent, value.type.shape))
                assert np.shape(result) == shape, (op.name, np.shape(result), value.type)
                assert np.dtype(result.dtype) == dtype_of(value.type.dtype), (
                    op.name,
                    result.dtype,
                    value.type,
                )
            self.values[value.uid] = result

    def _evaluate(self, op: Op, xs: Sequence[Any]) -> Any:
        kind, _, name = op.name.partition(".")
        result = op.results[0].type if op.results else None
        if op.name == "constant":
            if isinstance(result, ScalarType):
                return op.attrs["value"]
            return jnp.asarray(op.attrs["value"])
        if op.name == "dim":
            return self.extent(op.attrs["expr"])
        if kind == "janus":
            if name == "add_overflow":
                return xs[0] + xs[1], False
            if name == "truth":
                return bool(np.asarray(xs[0]).reshape(-1)[0] != 0)
            assert name == "guard"
            if not xs[0]:
                raise GuardFailed(op.attrs["kind"])
            return []
        if kind == "arith":
            return _arith(name, op.attrs, xs)
        if op.name == "tensor.from_elements":
            assert isinstance(result, TensorType)
            return jnp.asarray(xs[0], dtype_of(result.dtype))
        if op.name == "tensor.extract":
            return np.asarray(xs[0]).item()
        assert kind == "lax" and isinstance(result, TensorType), op.name
        shape = tuple(map(self.extent, result.shape))
        return self._lax(name, op, xs, shape, dtype_of(result.dtype))

    def _numbers(self, op: Op, name: str) -> tuple[int, ...]:
        return tuple(self.extent(d) for d in op.attrs[name])

    def _lax(self, name: str, op: Op, xs: Sequence[Any], shape: tuple[int, ...], dtype: Any) -> Any:
        attrs = op.attrs
        match name:
            case "broadcast_in_dim":
                return lax.broadcast_in_dim(xs[0], shape, attrs["broadcast_dimensions"])
            case "reshape":
                return lax.reshape(xs[0], shape)
            case "expand_dims" | "squeeze":
                return getattr(lax, name)(xs[0], attrs["dimensions"])
            case "transpose":
                return lax.transpose(xs[0], attrs["permutation"])
            case "rev":
                return lax.rev(xs[0], attrs["dimensions"])
            case "slice":
                return lax.slice(
                    xs[0],
                    self._numbers(op, "start_indices"),
                    self._numbers(op, "limit_indices"),
                    attrs["strides"],
                )
            case "dynamic_slice":
                return lax.dynamic_slice(xs[0], xs[1:], shape)
            case "dynamic_update_slice":
                return lax.dynamic_update_slice(xs[0], xs[1], xs[2:])
            case "concatenate":
                return lax.concatenate(xs, attrs["dimension"])
            case "pad":
                columns = (self._numbers(op, n) for n in ("low", "high", "interior"))
                return lax.pad(xs[0], xs[1], list(zip(*columns, strict=True)))
            case "iota":
                return lax.broadcasted_iota(dtype, shape, attrs["dimension"])
            case "convert_element_type":
                return lax.convert_element_type(xs[0], dtype)
            case "bitcast_convert_type":
                return lax.bitcast_convert_type(xs[0], dtype)
            case "select_n":
                return lax.select_n(*xs)
            case "round":
                return lax.round(xs[0], lax.RoundingMethod.TO_NEAREST_EVEN)
            case "argmax" | "argmin":
                return getattr(lax, name)(xs[0], attrs["axes"][0], np.int64)
            case "sort":
                found = lax.sort(
                    tuple(xs), dimension=attrs["dimension"], is_stable=attrs["is_stable"], num_keys=1
                )
                return found
            case "dot_general":
                dims = (
                    (attrs["lhs_contracting"], attrs["rhs_contracting"]),
                    (attrs.get("lhs_batch", ()), attrs.get("rhs_batch", ())),
                )
                return lax.dot_general(xs[0], xs[1], dims, precision="highest")
            case "gather":
                numbers = lax.GatherDimensionNumbers(
                    attrs["offset_dims"], attrs["collapsed_slice_dims"], attrs["start_index_map"]
                )
                return lax.gather(xs[0], xs[1], numbers, self._numbers(op, "slice_sizes"), mode=attrs["mode"])
            case "and" | "or" | "xor" | "not":
                return getattr(lax, f"bitwise_{name}")(*xs)
            case "cumsum" | "cumprod":
                return getattr(lax, name)(xs[0], attrs["axis"], attrs["reverse"])
            case "atan2":
                return lax.atan2(*xs)
        if name.startswith("reduce_"):
            return getattr(lax, name)(xs[0], attrs["axes"])
        if name.startswith("scatter"):
            numbers = lax.ScatterDimensionNumbers(
                attrs["update_window_dims"],
                attrs["inserted_window_dims"],
                attrs["scatter_dims_to_operand_dims"],
            )
            return getattr(lax, name)(*xs, numbers, mode=attrs["mode"])
        assert not attrs, (name, attrs)
        return getattr(lax, name)(*xs)


def _arith(name: str, attrs: Mapping[str, Any], xs: Sequence[Any]) -> Any:
    match name:
        case "addi":
            return xs[0] + xs[1]
        case "select":
            return xs[1] if xs[0] else xs[2]
        case "cmpf":
            return {"une": xs[0] != xs[1]}[attrs["predicate"]]
        case "cmpi":
            x, y = xs
            return {
                "eq": x == y,
                "ne": x != y,
                "slt": x < y,
                "sge": x >= y,
                "sle": x <= y,
                "ult": x % 2**64 < y % 2**64,
            }[attrs["predicate"]]
    raise AssertionError(name)
