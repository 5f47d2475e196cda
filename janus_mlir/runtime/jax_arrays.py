"""JAX arrays at the boundary of native code.

The one module that knows JAX's internals for this purpose. Reading: `is_on_host` says which arrays native
code may read in place; importing the module registers it with the runtime. Writing: `make_wrap` gives a
function that turns a fresh NumPy array into a JAX array without a copy.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from janus_mlir._native import _runtime

__all__ = ["array_type", "is_on_host", "make_wrap"]

_SHAPES_REMEMBERED = 256

#: ``batched_device_put`` of JAX as ``put(aval, sharding, [array], [device])``, uncommitted.
_Put = Callable[[Any, Any, list[Any], list[Any]], Any]


@functools.cache
def _cpu_device() -> Any:
    return jax.devices("cpu")[0]


@functools.cache
def _host_sharding() -> Any:
    return jax.sharding.SingleDeviceSharding(_cpu_device())


@functools.cache
def _host_memory_kind() -> str | None:
    kind: str | None = _host_sharding().memory_kind
    return kind


def is_on_host(array: Any) -> bool:
    """Say whether all of a JAX array lies in the memory of the first CPU device."""
    sharding = getattr(array, "_sharding", None) or array.sharding
    if type(sharding) is not jax.sharding.SingleDeviceSharding:
        return False
    device = getattr(sharding, "_device", None) or next(iter(sharding.device_set))
    return device is _cpu_device() and sharding.memory_kind == _host_memory_kind()


def _find_array_type() -> type:
    try:
        from jax._src.array import ArrayImpl
    except ImportError:
        # Arrays of any process are of this type; making one starts the backend, hence only here.
        return type(jax.numpy.zeros(()))
    return ArrayImpl


#: The concrete type of JAX arrays.
array_type: type = _find_array_type()


@functools.cache
def _fast_put() -> _Put | None:
    """Find JAX's internal zero-copy path, or None where this JAX has none that does what is wanted."""
    try:
        jaxlib: Any = importlib.import_module("jax._src.lib")
        put: Callable[..., Any] = jaxlib.xla_client.batched_device_put

        def fast(aval: Any, sharding: Any, arrays: list[Any], devices: list[Any]) -> Any:
            # Uncommitted, as results of computations are; 64-bit types stay what they are with x64 off.
            return put(aval, sharding, arrays, devices, False, enable_x64=True)

        for dtype in (np.float32, np.float64):
            sample = np.full((2, 3), 1.5, dtype)
            aval = _make_aval(sample.shape, sample.dtype, weak_type=True)
            made: Any = fast(aval, _host_sharding(), [sample], [_cpu_device()])
            found = np.asarray(made)
            if not made.weak_type or found.dtype != sample.dtype or type(made) is not array_type:
                return None
            if not np.array_equal(found, sample):
                return None
    except (ImportError, AttributeError, TypeError, ValueError, RuntimeError):
        # Internals may be renamed or take other arguments in any release: the public API remains.
        return None
    return fast


def _make_aval(shape: tuple[int, ...], dtype: np.dtype[Any], weak_type: bool) -> Any:
    from jax._src.core import ShapedArray

    return ShapedArray(shape, dtype, weak_type=weak_type)


def make_wrap(
    shape: tuple[int, ...] | None, dtype: Any, weak_type: bool = False
) -> Callable[[np.ndarray[Any, Any]], jax.Array]:
    """Return a function that makes JAX arrays of the memory of fresh NumPy arrays.

    Parameters
    ----------
    shape : tuple of int or None
        The shape of all arrays, None where it varies.
    dtype : numpy dtype
        Their element type.
    weak_type : bool
        Whether the JAX arrays are weakly typed.

    Returns
    -------
    callable
        Takes an array over: nobody else may write to it, or keep a writeable view. 64-byte aligned memory is
        not copied.
    """
    numpy_dtype = np.dtype(dtype)
    put = _fast_put()
    if put is None:
        return _make_public_wrap(weak_type)
    sharding = _host_sharding()
    devices = [_cpu_device()]
    if shape is not None:
        aval = _make_aval(shape, numpy_dtype, weak_type)

        def wrap_static(array: np.ndarray[Any, Any]) -> jax.Array:
            result: jax.Array = put(aval, sharding, [array], devices)
            return result

        return wrap_static
    avals: dict[tuple[int, ...], Any] = {}

    def wrap_dynamic(array: np.ndarray[Any, Any]) -> jax.Array:
        aval = avals.get(array.shape)
        if aval is None:
            if len(avals) >= _SHAPES_REMEMBERED:
                avals.clear()
            aval = avals[array.shape] = _make_aval(array.shape, numpy_dtype, weak_type)
        result: jax.Array = put(aval, sharding, [array], devices)
        return result

    return wrap_dynamic


def _make_public_wrap(weak_type: bool) -> Callable[[np.ndarray[Any, Any]], jax.Array]:
    """Make the wrap from public functions, at several times the cost."""
    if weak_type:
        # No public function makes an array of rank above 0 weakly typed.
        from jax._src.lax.lax import _convert_element_type as convert

    # Where it is depends on the release.
    enable_x64: Any = getattr(jax, "enable_x64", None)
    if enable_x64 is None:
        enable_x64 = importlib.import_module("jax.experimental").enable_x64

    def wrap(array: np.ndarray[Any, Any]) -> jax.Array:
        with enable_x64(True), jax.default_device(_cpu_device()):
            result = jax.numpy.asarray(array)
            if weak_type:
                result = convert(result, array.dtype, weak_type=True)
        return result

    return wrap


_runtime.register_jax(array_type, is_on_host)
