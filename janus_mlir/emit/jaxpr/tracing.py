"""Primitives that are defined by other primitives: the definition is traced and imported."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax

from janus_mlir.emit.jaxpr.avals import is_key
from janus_mlir.emit.jaxpr.registry import RULES, Rule
from janus_mlir.runtime import words

__all__ = ["Define", "by_tracing", "physical", "pullback_of", "trace", "traced_rule"]

#: Jaxprs by what they were traced from, oldest first.
_traced: dict[Any, Any] = {}
_TRACED_LIMIT = 512


def physical(aval: Any) -> Any:
    """Return the shape and dtype of an abstract value; keys and complex numbers as their words."""
    make: Any = jax.ShapeDtypeStruct
    return make((*aval.shape, *words.words(aval.dtype)), words.word(aval.dtype))


def _is_wide(eqn: Any) -> bool:
    return any(words.word(v.aval.dtype).itemsize == 8 for v in (*eqn.invars, *eqn.outvars))


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
        with jax.enable_x64(_is_wide(eqn) or bool(jax.config.values["jax_enable_x64"])):
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

    Keys reach it as their words. Where the equation is differentiated, it has the derivative that JAX gives it, not that of
    its definition.
    """

    def register(define: Define) -> Define:
        made = traced_rule(define, accepts=accepts, keys=keys)
        for name in names:
            RULES[name] = made
        return define

    return register


def traced_rule(
    define: Define,
    accepts: Callable[[Any], bool] | None = None,
    keys: bool = False,
    own_derivative: bool = True,
) -> Rule:
    """Return the import of a primitive by its definition.

    Where it is differentiated, it has the derivative that JAX gives it, or, without `own_derivative`, that of its definition.
    """

    def emit(im: Any, eqn: Any) -> Any:
        definition, args = trace(define, eqn), im.args(eqn)
        differentiated = im.rules is not None and own_derivative
        if differentiated and any(map(_is_float, eqn.invars)) and any(map(_is_float, eqn.outvars)):
            return im.rules.call_with_rule(eqn, definition, args)
        return im.jaxpr(definition, args)

    return Rule(emit, inner=lambda eqn: [trace(define, eqn)], accepts=accepts, keys=keys)


def _is_float(variable: Any) -> bool:
    return not is_key(variable.aval) and bool(jax.numpy.issubdtype(variable.aval.dtype, jax.numpy.inexact))


def _conjugate(array: Any) -> Any:
    return array.conj() if words.is_complex(array.dtype) else array


def pullback_of(eqn: Any) -> Any:
    """Return the closed jaxpr of the derivative of an equation, which knows rules that its primitive stands for.

    It takes the inputs, keys and complex numbers as their words, and a cotangent for each output that is a float; it returns
    one for each input that is. The cotangent of a complex number is here that of its parts, which JAX takes the conjugate of.
    """
    active = [i for i, v in enumerate(eqn.invars) if _is_float(v)]
    outputs = [v for v in eqn.outvars if _is_float(v)]

    def pullback(*values: Any) -> Any:
        arguments, cotangents = list(values[: len(eqn.invars)]), values[len(eqn.invars) :]
        for i, variable in enumerate(eqn.invars):
            arguments[i] = words.joined(arguments[i], variable.aval.dtype)
        slopes = [_conjugate(words.joined(c, v.aval.dtype)) for c, v in zip(cotangents, outputs, strict=True)]

        def call(*given: Any) -> Any:
            full = list(arguments)
            for i, value in zip(active, given, strict=True):
                full[i] = value
            found = eqn.primitive.get_bind_params(eqn.params)
            # Older versions of JAX return the functions apart.
            functions, parameters = found if isinstance(found, tuple) else ((), found)
            results = eqn.primitive.bind(*functions, *full, **parameters)
            if not eqn.primitive.multiple_results:
                results = [results]
            return [r for r, v in zip(results, eqn.outvars, strict=True) if _is_float(v)]

        _, back = jax.vjp(call, *(arguments[i] for i in active))
        return [words.parted(_conjugate(slope)) for slope in back(slopes)]

    make: Any = jax.make_jaxpr(pullback)
    with jax.enable_x64(_is_wide(eqn) or bool(jax.config.values["jax_enable_x64"])):
        return make(*(physical(v.aval) for v in (*eqn.invars, *outputs)))
