"""What outside objects are: their dtypes, names and sizes, as guards need to know them."""

from __future__ import annotations

import collections
import enum
import functools
import types
from typing import Any

import numpy as np

from janus_mlir.capture.boundary.sources import Source
from janus_mlir.capture.breaks import Break
from janus_mlir.capture.graph import TensorType
from janus_mlir.runtime.dtypes import find_dtype
from janus_mlir.runtime.words import word, words

FUNCTIONS = (types.FunctionType, types.BuiltinFunctionType, types.MethodWrapperType, np.ufunc, type)
CONTAINERS = frozenset(
    {list, dict, collections.deque, collections.defaultdict, collections.OrderedDict, collections.Counter}
)
#: Types of elements by which sets are compared.
ELEMENTS = frozenset({int, float, bool, str, bytes, type(None)})
OPAQUE_CONSTANTS = (
    types.ModuleType,
    np.dtype,
    enum.Enum,
    range,
    types.EllipsisType,
    types.NotImplementedType,
)


#: Ints up to which one may be a symbolic extent: what is computed of such is not guarded against overflow.
MAX_SIZE = 1 << 16


def dtype_code(dtype: np.dtype[Any]) -> int:
    """Return the runtime's code of a dtype that it has."""
    found = find_dtype(dtype)
    assert found is not None
    return found.code


def mlir_name(dtype: np.dtype[Any]) -> str:
    """Return the MLIR element type of a dtype that the runtime has."""
    found = find_dtype(dtype)
    assert found is not None
    return found.mlir


def tensor_type(dtype: Any, shape: tuple[Any, ...]) -> TensorType:
    """Return the type that an array of JAX's has in native code."""
    return TensorType(mlir_name(word(dtype)), (*shape, *words(dtype)))


def require_dtype(dtype: np.dtype[Any], source: Source) -> None:
    if find_dtype(dtype) is None or not dtype.isnative or dtype.kind == "c":
        raise Break("JN402", f"`{source.text}` has dtype {dtype}")


def is_function_like(live: Any) -> bool:
    """Callables that are compared by identity: jitted functions, partials, JAX and Janus wrappers."""
    module = type(live).__module__ or ""
    return (
        isinstance(live, functools.partial)
        or module.startswith(("jaxlib", "jax.", "jax_", "janus_mlir", "functools"))
        or type(live).__name__ in ("_ArrayFunctionDispatcher", "PjitFunction", "custom_jvp", "custom_vjp")
        or isinstance(live, (staticmethod, classmethod, property))
    )


def array_of_size(size: int) -> np.ndarray[Any, Any]:
    """Return an array whose extent is a number above 1, as capture takes symbolic extents to be."""
    if not 1 < size <= MAX_SIZE:
        raise ValueError("too small or too large for a symbolic extent")
    return np.empty(size, np.int8)


def attribute_names(live: Any) -> tuple[str, ...]:
    return tuple(vars(live))


def name_of(live: Any) -> str:
    if isinstance(live, types.ModuleType):
        return f"module {live.__name__}"  # its repr has the path of the file
    return str(getattr(live, "__qualname__", None) or getattr(live, "__name__", None) or repr(live))


__all__ = [
    "CONTAINERS", "ELEMENTS", "MAX_SIZE", "FUNCTIONS", "OPAQUE_CONSTANTS",
    "array_of_size", "attribute_names", "dtype_code", "is_function_like", "mlir_name", "name_of", "require_dtype", "tensor_type",
]  # fmt: skip
