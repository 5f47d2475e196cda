"""Primitives that are defined by other primitives: the definition is traced and imported."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax

from janus_mlir.emit.jaxpr.avals import is_key
from janus_mlir.emit.jaxpr.registry import rule

__all__ = ["by_tracing", "physical"]

#: Jaxprs by what they were traced from, oldest first.
_traced: dict[Any, Any] = {}
_TRACED_LIMIT = 512


def physical(aval: Any) -> Any:
    """Return the shape and dtype of an abstract value; keys as their words."""
    make: Any = jax.ShapeDtypeStruct
    if is_key(aval):
        return make((*aval.shape, *aval.dtype._impl.key_shape), "uint32")
    return make(aval.shape, aval.dtype)


def trace(define: Define, eqn: Any) -> Any:
    """Return the closed jaxpr of ``define(eqn)`` on the inputs of `eqn`."""
    avals = tuple(v.aval for v in eqn.invars)
    key: Any = (
        define,
        eqn.primitive.name,
        avals,
        tuple(sorted(eqn.params.items(), key=lambda item: item[0])),
    )
    try:
        known = _traced.get(key)
    except TypeError:  # a parameter without a hash: not remembered
        key = known = None
    if known is None:
        wide = any(getattr(v.aval.dtype, "itemsize", 0) == 8 for v in (*eqn.invars, *eqn.outvars))
        with jax.enable_x64(wide or bool(jax.config.values["jax_enable_x64"])):
            known = jax.make_jaxpr(define(eqn))(*map(physical, avals))
        if key is not None:
            while len(_traced) >= _TRACED_LIMIT:
                _traced.pop(next(iter(_traced)), None)
            _traced[key] = known
    return known


Define = Callable[[Any], Callable[..., Any]]


def by_tracing(
    *names: str, accepts: Callable[[Any], bool] | None = None, keys: bool = False
) -> Callable[[Define], Define]:
    """Register a definition: the decorated function returns a JAX function of the equation's inputs.

    Keys reach it as their words.
    """

    def register(define: Define) -> Define:
        @rule(*names, inner=lambda eqn: [trace(define, eqn)], accepts=accepts, keys=keys)
        def emit(im: Any, eqn: Any) -> Any:
            return im.jaxpr(trace(define, eqn), im.args(eqn))

        return define

    return register
