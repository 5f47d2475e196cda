"""Jaxprs read defensively: types, literals and liveness, whatever the version of JAX."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import random
from jax.extend.core import Literal

from janus_mlir.capture.graph import TensorType
from janus_mlir.emit.errors import EmitError
from janus_mlir.runtime import words

__all__ = ["array_of", "is_key", "live_equations", "open_jaxpr", "tensor_type"]

#: Element type by dtype. Extended dtypes, PRNG keys among them, are no NumPy dtypes.
_ELEMENTS = {
    np.dtype(dtype): element
    for dtype, element in {
        "bool": "i1",
        "int8": "i8",
        "int16": "i16",
        "int32": "i32",
        "int64": "i64",
        "uint8": "ui8",
        "uint16": "ui16",
        "uint32": "ui32",
        "uint64": "ui64",
        "float16": "f16",
        jnp.bfloat16: "bf16",
        "float32": "f32",
        "float64": "f64",
    }.items()
}


def is_key(aval: Any) -> bool:
    """Whether `aval` is an array of PRNG keys."""
    return words.is_key(getattr(aval, "dtype", None))


def tensor_type(aval: Any) -> TensorType:
    """Return the type of an abstract value; keys and complex numbers are their words, in trailing dims."""
    dtype = getattr(aval, "dtype", None)
    element = _ELEMENTS.get(dtype)
    if element is not None:
        return TensorType(element, tuple(aval.shape))
    if dtype is not None and words.words(dtype):
        return TensorType(_ELEMENTS[words.word(dtype)], (*aval.shape, *words.words(dtype)))
    raise EmitError.element_type(str(aval if dtype is None else dtype))


def array_of(value: Any, aval: Any) -> np.ndarray[Any, Any]:
    """Return the NumPy array of a literal or of a constant."""
    if is_key(aval):
        return np.asarray(random.key_data(value))
    if words.is_complex(aval.dtype):
        return np.asarray(value, dtype=aval.dtype)[..., None].view(words.word(aval.dtype))
    return np.asarray(value, dtype=aval.dtype)


def open_jaxpr(jaxpr: Any) -> tuple[Any, list[Any]]:
    """Return a jaxpr, closed or not, as an open one and its constants."""
    inner = getattr(jaxpr, "jaxpr", None)
    return (jaxpr, []) if inner is None else (inner, list(jaxpr.consts))


def live_equations(jaxpr: Any) -> list[Any]:
    """Return the equations of an open jaxpr that its results or effects need."""
    needed = {v for v in jaxpr.outvars if not isinstance(v, Literal)}
    live = []
    for eqn in reversed(jaxpr.eqns):
        if eqn.effects or not needed.isdisjoint(eqn.outvars):
            live.append(eqn)
            needed.update(v for v in eqn.invars if not isinstance(v, Literal))
    live.reverse()
    return live
