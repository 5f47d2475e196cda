"""PRNG keys: arrays of keys are arrays of their words, with the words in trailing dims.

What moves elements whatever they are moves those of complex numbers in the same way.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax

from janus_mlir.emit.jaxpr.registry import Rule
from janus_mlir.emit.jaxpr.tracing import by_tracing, trace
from janus_mlir.runtime.words import words

__all__ = ["OVER_WORDS", "STRUCTURAL", "key_rule"]

#: Primitives that move elements whatever their type.
STRUCTURAL = frozenset(
    (
        "broadcast_in_dim", "concatenate", "copy", "dynamic_slice", "dynamic_update_slice", "gather",
        "expand_dims", "reshape", "rev", "scatter", "select_n", "slice", "split", "squeeze", "stack", "tile", "transpose",
        "unstack",
    )
)  # fmt: skip


def _over_words(eqn: Any) -> Callable[..., Any]:
    """Return the primitive of `eqn` vectorised over the words of its elements."""
    axes = tuple(-1 if words(v.aval.dtype) else None for v in eqn.invars)

    def bind(*args: Any) -> Any:
        return eqn.primitive.bind(*args, **eqn.params)

    for _ in next(words(v.aval.dtype) for v in eqn.invars if words(v.aval.dtype)):
        bind = jax.vmap(bind, in_axes=axes, out_axes=-1)
    return bind


def _emit_over_words(im: Any, eqn: Any) -> Any:
    return im.jaxpr(trace(_over_words, eqn), im.args(eqn))


OVER_WORDS = Rule(_emit_over_words, inner=lambda eqn: [trace(_over_words, eqn)], keys=True)


def key_rule(primitive: str) -> Rule | None:
    """Return the import of a primitive on arrays of keys, if there is one."""
    return OVER_WORDS if primitive in STRUCTURAL else None


def _vmapped(times: int, function: Callable[..., Any]) -> Callable[..., Any]:
    for _ in range(times):
        function = jax.vmap(function)
    return function


@by_tracing("random_seed", keys=True)
def _seed(eqn: Any) -> Callable[..., Any]:
    return _vmapped(len(eqn.invars[0].aval.shape), eqn.params["impl"].seed)


@by_tracing("random_split", keys=True)
def _split(eqn: Any) -> Callable[..., Any]:
    keys = eqn.invars[0].aval
    shape = eqn.params["shape"]
    return _vmapped(len(keys.shape), lambda key: keys.dtype._impl.split(key, shape))


@by_tracing("random_bits", keys=True)
def _bits(eqn: Any) -> Callable[..., Any]:
    keys = eqn.invars[0].aval
    width, shape = eqn.params["bit_width"], eqn.params["shape"]
    return _vmapped(len(keys.shape), lambda key: keys.dtype._impl.random_bits(key, width, shape))


def _same_or_scalar(eqn: Any) -> bool:
    keys, data = (v.aval.shape for v in eqn.invars)
    return not keys or not data or keys == data


@by_tracing("random_fold_in", accepts=_same_or_scalar, keys=True)
def _fold_in(eqn: Any) -> Callable[..., Any]:
    keys, data = (v.aval for v in eqn.invars)
    function: Callable[..., Any] = keys.dtype._impl.fold_in
    if keys.shape and data.shape:
        return _vmapped(len(keys.shape), function)
    axes = (0 if keys.shape else None, 0 if data.shape else None)
    for _ in range(max(len(keys.shape), len(data.shape))):
        function = jax.vmap(function, in_axes=axes)
    return function
