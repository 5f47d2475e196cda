"""Arrays of JAX's from outside the captured code."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax
import numpy as np

from janus_mlir.capture.boundary.kinds import require_dtype
from janus_mlir.capture.boundary.sources import Attribute, Derived, Source
from janus_mlir.capture.breaks import Break
from janus_mlir.capture.values import JaxArray
from janus_mlir.runtime.words import as_dtype, is_complex, name_of, to_words, words

if TYPE_CHECKING:
    from janus_mlir.capture.objects import Outside


def wrap_array(outside: Outside, live: jax.Array, source: Source) -> JaxArray:
    """Return an outside array of JAX's, guarding what is assumed of it."""
    if isinstance(live, jax.core.Tracer):
        raise Break(
            "JN406", f"`{source.text}` is a JAX tracer: the call happens inside another transformation"
        )
    if len(live.devices()) != 1 or next(iter(live.devices())).platform != "cpu":
        raise Break("JN407", f"`{source.text}` is not on a single CPU device")
    weak = bool(live.aval.weak_type)
    if words(live.dtype):
        return _of_words(outside, live, source, weak)
    dtype = np.dtype(live.dtype)
    require_dtype(dtype, source)
    extents = outside.array_guard(source, "jax", dtype, live.shape, weak)
    return JaxArray(outside.bind_tensor(source, dtype, extents), dtype, extents, weak, source)


def _of_words(outside: Outside, live: jax.Array, source: Source, weak: bool) -> JaxArray:
    """Return an array of PRNG keys or complex numbers."""
    dtype = as_dtype(live.dtype)
    outside.check("type_is", source, type(live), kind="type", expected=f"a {type(live).__name__}")
    outside.check("eq", Derived(source, "dtype", name_of), name_of(live), kind="type", expected=f"is {dtype}")
    if is_complex(dtype):
        outside.check("is", Attribute(source, "weak_type"), weak, kind="type", expected=f"is {weak}")
    made, array = Derived(source, "words", to_words), to_words(live)
    kind = "numpy" if isinstance(array, np.ndarray) else "jax"
    found = np.dtype(array.dtype)
    extents = outside.array_guard(made, kind, found, array.shape, False)
    return JaxArray(outside.bind_tensor(made, found, extents), dtype, extents[: live.ndim], weak, source)
