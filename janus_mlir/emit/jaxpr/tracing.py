"""Primitives that are defined by other primitives: the definition is traced and imported."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax

from janus_mlir.emit.jaxpr.avals import is_key
from janus_mlir.emit.jaxpr.registry import rule

__all__ = ["by_tracing", "physical", "pullback_of"]

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


def pullback_of(eqn: Any) -> Any:
    """Return the closed jaxpr of the derivative of an equation, which knows rules that its primitive stands for.

    It takes the inputs, and a cotangent for each output that is a float; it returns one for each input that is.
    """

    def is_float(variable: Any) -> bool:
        return bool(jax.numpy.issubdtype(variable.aval.dtype, jax.numpy.inexact))

    active = [i for i, v in enumerate(eqn.invars) if is_float(v)]
    outputs = [v for v in eqn.outvars if is_float(v)]

    def pullback(*values: Any) -> Any:
        arguments, cotangents = values[: len(eqn.invars)], values[len(eqn.invars) :]

        def call(*given: Any) -> Any:
            full = list(arguments)
            for i, value in zip(active, given, strict=True):
                full[i] = value
            found = eqn.primitive.get_bind_params(eqn.params)
            # Older versions of JAX return the functions apart.
            functions, parameters = found if isinstance(found, tuple) else ((), found)
            results = eqn.primitive.bind(*functions, *full, **parameters)
            return [r for r, v in zip(results, eqn.outvars, strict=True) if is_float(v)]

        _, back = jax.vjp(call, *(arguments[i] for i in active))
        return back(list(cotangents))

    wide = any(getattr(v.aval.dtype, "itemsize", 0) == 8 for v in (*eqn.invars, *eqn.outvars))
    make: Any = jax.make_jaxpr(pullback)
    with jax.enable_x64(wide or bool(jax.config.values["jax_enable_x64"])):
        return make(*(physical(v.aval) for v in (*eqn.invars, *outputs)))
