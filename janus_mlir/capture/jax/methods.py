"""Methods and subscripts of JAX arrays, and their way to Python numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from janus_mlir.capture.breaks import Break
from janus_mlir.capture.graph import BOOL, FLOAT, INT, TensorType
from janus_mlir.capture.jax.calls import call_jax
from janus_mlir.capture.jax.tracers import becomes_number
from janus_mlir.capture.jax.values import AtIndex, AtUpdate
from janus_mlir.capture.numbers import make
from janus_mlir.capture.values import (
    Abstract,
    JaxArray,
    Known,
    MemberValue,
    TupleValue,
)
from janus_mlir.runtime.words import words

if TYPE_CHECKING:
    from janus_mlir.capture.machine import Machine

_ARRAY_METHODS_IN_PYTHON = frozenset(
    {"item", "tolist", "block_until_ready", "__array__", "devices", "device", "addressable_data"}
)


def jax_getitem(m: Machine, value: JaxArray, index: Abstract) -> Abstract:
    """Return ``x[index]`` of a JAX array: clamped, as JAX does."""
    import operator

    return call_jax(m, operator.getitem, [value, index], {})


def call_at_method(
    m: Machine, at: AtIndex, name: str, args: list[Abstract], kwargs: dict[str, Abstract]
) -> Abstract:
    """Call a method of ``x.at[index]``, such as ``set`` or ``add``."""
    return call_jax(m, AtUpdate(name), [at.array, at.index, *args], kwargs)


def call_array_method(
    m: Machine, value: JaxArray, name: str, args: list[Abstract], kwargs: dict[str, Abstract]
) -> Abstract:
    """Call a method of a JAX array."""
    if name in ("item", "__float__", "__int__", "__bool__"):
        if args or kwargs:
            raise Break("JN403", f"`{name}` with arguments")
        return to_number(m, value, None)
    if name == "block_until_ready":
        return value
    if name in _ARRAY_METHODS_IN_PYTHON:
        raise Break("JN301", f"method `{name}` of a JAX array")
    return call_jax(m, _Method(name), [value, *args], kwargs)


class _Method:
    """``operator.methodcaller`` with a value-based identity, so that traces of it are cached."""

    traced_by_value = True

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        return getattr(x, self.name)(*args, **kwargs)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Method) and other.name == self.name

    def __hash__(self) -> int:
        return hash(("_Method", self.name))


def to_number(m: Machine, value: JaxArray, kind: str | None) -> Abstract:
    """Return ``int(x)``, ``float(x)``, ``bool(x)`` or ``x.item()`` (no `kind`) of a one-element array."""
    if m.pure:
        raise Break("JN308", "a traced array becomes a Python number")
    if any(not isinstance(e, int) or e != 1 for e in value.shape):
        raise Break("JN208", "only arrays with one element become Python numbers")
    if words(value.dtype):
        raise Break("JN402", f"an array of dtype {value.dtype} becomes a Python number")
    ref = value.ref
    if value.shape:
        assert isinstance(ref.type, TensorType)
        ref = m.b.one("lax.reshape", [ref], TensorType(ref.type.dtype, ()))
    if kind == "bool" or (kind is None and value.dtype == np.bool_):
        return make("bool", m.b.one("janus.truth", [ref], BOOL))
    floating = jax.numpy.issubdtype(value.dtype, np.floating)
    if value.dtype == np.uint64:
        raise Break("JN505", "a uint64 becomes a Python int")
    target = "f64" if floating else "i64"
    if m.differentiating and floating:
        if kind == "float":
            becomes_number(m, ref)
        ref = m.b.one("lax.stop_gradient", [ref], ref.type)  # a Python number is a constant to JAX
    assert isinstance(ref.type, TensorType)
    if ref.type.dtype != target:
        ref = m.b.one("lax.convert_element_type", [ref], TensorType(target, ()))
    number = make(
        "float" if floating else "int", m.b.one("tensor.extract", [ref], FLOAT if floating else INT)
    )
    from janus_mlir.capture.numbers import to_float, to_int

    if kind == "int":
        return to_int(m, number)
    return to_float(m, number) if kind == "float" else number


def attribute(m: Machine, value: JaxArray, name: str) -> Abstract:
    """Return an attribute of a JAX array."""
    from janus_mlir.capture.iteration import extent_value

    match name:
        case "shape":
            return TupleValue(tuple(extent_value(e) for e in value.shape))
        case "ndim":
            return Known(len(value.shape))
        case "size":
            size: Any = 1
            for extent in value.shape:
                size = size * extent
            return extent_value(size)
        case "dtype":
            return Known(value.dtype)
        case "weak_type":
            return Known(value.weak)
        case "itemsize":
            return Known(value.dtype.itemsize)
        case "T" | "mT" | "real" | "imag":
            return call_jax(m, _Getter(name), [value], {})
    return MemberValue(value, name)


class _Getter:
    """``operator.attrgetter`` with a value-based identity, so that traces of it are cached."""

    traced_by_value = True

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, x: Any) -> Any:
        return getattr(x, self.name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Getter) and other.name == self.name

    def __hash__(self) -> int:
        return hash(("_Getter", self.name))
