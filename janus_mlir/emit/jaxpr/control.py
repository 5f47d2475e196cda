"""Calls, which are inlined, and ``cond``, which becomes ``scf.if``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mlir import ir

from janus_mlir.emit.builder import predicate
from janus_mlir.emit.jaxpr.avals import tensor_type
from janus_mlir.emit.jaxpr.elementwise import platform_index
from janus_mlir.emit.jaxpr.importer import Importer
from janus_mlir.emit.jaxpr.registry import rule


def _callee(eqn: Any) -> Any:
    for name in ("jaxpr", "call_jaxpr", "fun_jaxpr", "call"):
        if name in eqn.params:
            return eqn.params[name]
    raise AssertionError(f"{eqn.primitive.name} has no jaxpr among {sorted(eqn.params)}")


@rule(
    "jit", "pjit", "closed_call", "core_call", "core_closed_call", "call", "remat", "remat2", "checkpoint",
    "custom_vmap_call", "composite",
    inner=lambda eqn: [_callee(eqn)],
    keys=True,
)  # fmt: skip
def _call(im: Importer, eqn: Any) -> list[ir.Value]:
    return im.jaxpr(_callee(eqn), im.args(eqn))


@rule(
    "custom_jvp_call", "custom_vjp_call", "custom_vjp_call_jaxpr",
    inner=lambda eqn: [_callee(eqn)],
    keys=True,
)  # fmt: skip
def _custom_call(im: Importer, eqn: Any) -> list[ir.Value]:
    arguments = im.args(eqn)
    if im.rules is None:
        return im.jaxpr(_callee(eqn), arguments)
    return im.rules.call_with_rule(eqn, _callee(eqn), arguments)


def _types(im: Importer, variables: Sequence[Any]) -> list[ir.Type]:
    return [im.builder.types(tensor_type(v.aval)) for v in variables]


def _yield(im: Importer, values: Sequence[ir.Value]) -> None:
    im.builder.op("scf.yield", values)


def _branches(eqn: Any) -> Sequence[Any]:
    """Return the branches that may run here: one alone if they are for different platforms."""
    branches: Sequence[Any] = eqn.params["branches"]
    platforms = eqn.params.get("branches_platforms")
    return branches if platforms is None else [branches[platform_index(platforms)]]


@rule("cond", inner=_branches, keys=True)
def _cond(im: Importer, eqn: Any) -> list[ir.Value]:
    builder = im.builder
    index, *operands = im.args(eqn)
    branches = _branches(eqn)
    if len(branches) == 1:
        return im.jaxpr(branches[0], operands)
    index_type = tensor_type(eqn.invars[0].aval)
    number = builder.one("tensor.extract", [index], builder.element(index_type.dtype))
    types = _types(im, eqn.outvars)

    def chain(first: int) -> list[ir.Value]:
        """Emit the choice among the branches from `first` on; what is out of range takes the last."""
        if first == len(branches) - 1:
            return im.jaxpr(branches[first], operands)
        if index_type.dtype == "i1":
            is_other = number
        else:
            here = builder.number(number.type, first)
            is_other = builder.one(
                "arith.cmpi", [number, here], builder.i1, {"predicate": predicate("arith.cmpi", "ne")}
            )
        op = builder.op("scf.if", [is_other], types, regions=2)
        with builder.inside(op.regions[0].blocks.append()):
            _yield(im, chain(first + 1))
        with builder.inside(op.regions[1].blocks.append()):
            _yield(im, im.jaxpr(branches[first], operands))
        return list(op.results)

    return chain(0)
