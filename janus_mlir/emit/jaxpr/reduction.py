"""Reductions, running reductions and sorting."""

from __future__ import annotations

from typing import Any

import jax
from mlir import ir

from janus_mlir.emit.jaxpr.avals import open_jaxpr, tensor_type
from janus_mlir.emit.jaxpr.importer import Importer
from janus_mlir.emit.jaxpr.registry import rule
from janus_mlir.emit.jaxpr.tracing import by_tracing

#: Reduction by the primitive of a two-argument computation.
_REDUCTIONS = {
    "add": "sum",
    "mul": "prod",
    "max": "max",
    "min": "min",
    "and": "and",
    "or": "or",
    "xor": "xor",
}


@rule(
    "reduce_sum",
    "reduce_prod",
    "reduce_max",
    "reduce_min",
    "reduce_and",
    "reduce_or",
    "reduce_xor",
    "argmax",
    "argmin",
)
def _reduce(im: Importer, eqn: Any) -> list[ir.Value]:
    return im.same(eqn, axes=sorted(eqn.params["axes"]))


@rule("cumsum", "cumprod", "cummax", "cummin", "cumlogsumexp")
def _cumulative(im: Importer, eqn: Any) -> list[ir.Value]:
    return im.same(eqn, axis=eqn.params["axis"], reverse=eqn.params["reverse"])


@rule("sort")
def _sort(im: Importer, eqn: Any) -> list[ir.Value]:
    params = eqn.params
    return im.same(
        eqn, dimension=params["dimension"], num_keys=params["num_keys"], is_stable=params["is_stable"]
    )


@rule("top_k")
def _top_k(im: Importer, eqn: Any) -> list[ir.Value]:
    rank = len(eqn.invars[0].aval.shape)
    return im.same(eqn, k=eqn.params["k"], axis=eqn.params.get("axis", rank - 1) % rank)


def _combiner(eqn: Any) -> str | None:
    """Return the primitive that a generic reduction of one array combines its elements with."""
    jaxpr, consts = open_jaxpr(eqn.params["jaxpr"])
    if len(eqn.invars) != 2 or consts or len(jaxpr.eqns) != 1:
        return None
    (only,) = jaxpr.eqns
    if set(map(id, only.invars)) != set(map(id, jaxpr.invars)) or only.outvars[0] is not jaxpr.outvars[0]:
        return None
    name: str = only.primitive.name
    return name if name in _REDUCTIONS else None


@rule("reduce", accepts=lambda eqn: _combiner(eqn) is not None)
def _generic_reduce(im: Importer, eqn: Any) -> list[ir.Value]:
    """Emit a reduction with an explicit initial value as a plain one, then combine it with that value."""
    name = _combiner(eqn)
    assert name is not None
    operand, _ = im.args(eqn)
    result = tensor_type(eqn.outvars[0].aval)
    axes = sorted(eqn.params["dimensions"])
    reduced = im.builder.lax1(f"reduce_{_REDUCTIONS[name]}", [operand], result, axes=axes)
    return im.builder.lax(name, [reduced, im.broadcast(eqn.invars[1], result.shape)], [result])


@by_tracing(
    "approx_top_k",
    accepts=lambda eqn: eqn.params["reduction_dimension"] in (-1, len(eqn.invars[0].aval.shape) - 1),
)
def _approx_top_k(eqn: Any) -> Any:
    k, largest = eqn.params["k"], eqn.params["is_max_k"]

    def exact(x: Any) -> Any:
        values, indices = jax.lax.top_k(x if largest else -x, k)
        return (values if largest else -values), indices

    return exact
