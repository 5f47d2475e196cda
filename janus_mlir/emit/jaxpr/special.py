"""Random numbers and special functions."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax._src.lax import special
from mlir import ir

from janus_mlir.emit.jaxpr.importer import Importer
from janus_mlir.emit.jaxpr.registry import rule
from janus_mlir.emit.jaxpr.tracing import by_tracing


@rule("threefry2x32")
def _threefry(im: Importer, eqn: Any) -> list[ir.Value]:
    results = im.results(eqn)
    return im.builder.lax("threefry2x32", [im.broadcast(v, results[0].shape) for v in eqn.invars], results)


@by_tracing("eq_to", "lt_to", "le_to")
def _total_order(eqn: Any) -> Callable[..., Any]:
    """Compare floats by IEEE 754's total order: -NaN < -inf < ... < -0.0 < 0.0 < ... < inf < NaN."""
    compare: Callable[..., Any] = {"eq_to": jnp.equal, "lt_to": jnp.less, "le_to": jnp.less_equal}[
        eqn.primitive.name
    ]
    dtype = eqn.invars[0].aval.dtype
    if not jnp.issubdtype(dtype, jnp.floating):
        return compare
    signed = np.dtype(f"int{8 * dtype.itemsize}")

    def key(x: Any) -> Any:
        bits = jax.lax.bitcast_convert_type(x, signed)
        return jnp.where(bits < 0, bits ^ np.iinfo(signed).max, bits)

    return lambda x, y: compare(key(x), key(y))


def _gamma_implementation() -> Callable[..., Any] | None:
    """Return the function that JAX lowers ``random_gamma`` by; it is private, and has moved."""
    for name in ("jax._src.random.core", "jax._src.random"):
        try:
            module = importlib.import_module(name)
        except ImportError:
            continue
        found: Callable[..., Any] | None = getattr(module, "_gamma_impl", None)
        if found is not None:
            return found
    return None


@by_tracing("random_gamma", accepts=lambda eqn: _gamma_implementation() is not None, keys=True)
def _random_gamma(eqn: Any) -> Callable[..., Any]:
    implementation = _gamma_implementation()
    assert implementation is not None
    scheme = eqn.invars[0].aval.dtype._impl.name
    log_space = eqn.params["log_space"]

    def gamma(words: Any, alpha: Any) -> Any:
        keys = jax.random.wrap_key_data(words, impl=scheme)
        return implementation(keys, alpha, log_space=log_space, use_vmap=True)

    return gamma


def _define(primitive: str, function: str) -> None:
    """Import `primitive` by the function that JAX itself lowers it by, where this version of JAX has it."""
    implementation = getattr(special, function, None)
    if implementation is None:
        return

    def define(eqn: Any) -> Callable[..., Any]:
        result = eqn.outvars[0].aval
        takes_dtype = (
            "dtype" in implementation.__code__.co_varnames[: implementation.__code__.co_argcount + 1]
        )
        function = partial(implementation, dtype=result.dtype) if takes_dtype else implementation
        # Numbers among the operands are not broadcast yet.
        return lambda *args: function(*(jnp.broadcast_to(arg, result.shape) for arg in args))

    by_tracing(primitive)(define)


for _name in (
    "bessel_i0e",
    "bessel_i1e",
    "igamma",
    "igammac",
    "igamma_grad_a",
    "polygamma",
    "random_gamma_grad",
    "regularized_incomplete_beta",
    "zeta",
):
    _define(_name, f"{_name}_impl")
