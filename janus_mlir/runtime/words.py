"""Arrays of which an element is several words to native code: PRNG keys and complex numbers.

Their words are in trailing dims: an array of complex numbers is one of floats with a last dim of 2.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from janus_mlir.runtime.jax_arrays import array_type, make_wrap

__all__ = [
    "FromWords", "as_dtype", "class_of", "is_complex", "is_key", "joined", "name_of", "parted", "to_words", "word",
    "words",
]  # fmt: skip

_PARTS: dict[np.dtype[Any], np.dtype[Any]] = {
    np.dtype(np.complex64): np.dtype(np.float32),
    np.dtype(np.complex128): np.dtype(np.float64),
}
_WORD = np.dtype(np.uint32)


def is_key(dtype: Any) -> bool:
    """Whether a dtype is that of PRNG keys."""
    if dtype is None or isinstance(dtype, np.dtype):
        return False
    return bool(jax.dtypes.issubdtype(dtype, jax.dtypes.prng_key))  # type: ignore[attr-defined]


def is_complex(dtype: Any) -> bool:
    """Whether a dtype is that of complex numbers."""
    return isinstance(dtype, np.dtype) and dtype in _PARTS


def as_dtype(dtype: Any) -> Any:
    """Return the dtype of a JAX array as capture knows it: NumPy's where it has one."""
    return dtype if is_key(dtype) else np.dtype(dtype)


def words(dtype: Any) -> tuple[int, ...]:
    """Return the trailing dims that the words of an element take, none for most dtypes."""
    if is_key(dtype):
        found: tuple[int, ...] = tuple(dtype._impl.key_shape)
        return found
    return (2,) if is_complex(dtype) else ()


def word(dtype: Any) -> np.dtype[Any]:
    """Return the dtype of a word of an element, the dtype itself for most."""
    if is_key(dtype):
        return _WORD
    found: np.dtype[Any] = np.dtype(dtype)
    return _PARTS.get(found, found)


@functools.cache
def _key_type() -> type:
    return type(jax.random.key(0))


def class_of(dtype: Any) -> type:
    """Return the class of JAX's arrays of a dtype."""
    return _key_type() if is_key(dtype) else array_type


def name_of(array: Any) -> str:
    """Return the name of the dtype of an array: there may be several objects for the same dtype of keys."""
    return str(array.dtype)


# ---- between JAX and native code --------------------------------------------------------------------------


def to_words(array: Any) -> Any:
    """Return the words of an array of JAX's, sharing its memory."""
    if is_key(array.dtype):
        base = getattr(array, "_base_array", None)  # `key_data` copies
        return jax.random.key_data(array) if base is None else base
    return np.asarray(array)[..., None].view(word(array.dtype))


@dataclass(frozen=True, slots=True)
class FromWords:
    """Makes an array of JAX's of its words, which are a fresh NumPy array of complex numbers or an array of JAX's of keys."""

    dtype: Any
    weak: bool = False

    def __call__(self, array: Any) -> Any:
        if is_key(self.dtype):
            return jax.random.wrap_key_data(array, impl=self.dtype._impl.name)
        wrap: Callable[[Any], Any] = make_wrap(None, self.dtype, self.weak)
        return wrap(array.view(self.dtype)[..., 0])


# ---- within traces ------------------------------------------------------------------------------------------


def joined(array: Any, dtype: Any) -> Any:
    """Return a traced array of words as one of `dtype`, which may be what it is already."""
    if not words(dtype) or array.dtype == dtype:
        return array
    if is_key(dtype):
        return jax.random.wrap_key_data(array, impl=dtype._impl.name)
    return jax.lax.complex(array[..., 0], array[..., 1])


def parted(array: Any) -> Any:
    """Return a traced array as one of words."""
    if is_key(array.dtype):
        return jax.random.key_data(array)
    return jnp.stack([array.real, array.imag], axis=-1) if is_complex(array.dtype) else array
