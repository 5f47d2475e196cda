"""Which values JAX would hold as tracers in a function that it differentiates: those that have a derivative.

``float(x)`` of such a value raises in JAX, and its text is not that of a number. Compiled code knows the number, but has to do
what Python does: where it asks for one, JAX differentiates instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import jax
from jax.extend.core import Literal

from janus_mlir.capture.breaks import Break
from janus_mlir.capture.graph import Block, Op, TensorType, Value

if TYPE_CHECKING:
    from janus_mlir.capture.machine import Machine

#: Ops, by name in JAX or after ``lax.``, that have no derivative, so that JAX returns no tracer.
_CONSTANT = frozenset({"stop_gradient", "floor", "ceil", "round", "sign"})


def becomes_number(m: Machine, value: Value) -> None:
    """Note that a float array becomes a Python float, or text."""
    if m.differentiating:
        m.concretised.append(value)


def check(m: Machine, block: Block, concretised: Sequence[Value]) -> None:
    """See whether one of the values is a tracer where `block` is differentiated by its arguments."""
    if not concretised:
        return
    traced = set(block.args)
    size = -1
    while size != len(traced):  # what a loop carries comes round
        size = len(traced)
        _spread(block, traced)
    if any(value in traced for value in concretised):
        raise Break("JN308", "a differentiated value becomes a Python float, or text")


def _spread(block: Block, traced: set[Value]) -> None:
    for op in block.ops:
        for region in op.regions:
            _spread(region, traced)
        if op.name == "jax.call":
            _spread_call(op, traced)
            continue
        if op.name.removeprefix("lax.") in _CONSTANT:
            continue
        if any(value in traced for value in _used(op)):
            traced.update(_floats(op.results))
            for region in op.regions:
                traced.update(_floats(region.args))


def _used(op: Op) -> Iterable[Value]:
    """Return the operands of an op, and all that its regions use."""
    yield from op.operands
    for region in op.regions:
        for inner in region.ops:
            yield from _used(inner)


def _floats(values: Iterable[Value]) -> Iterable[Value]:
    return (v for v in values if isinstance(v.type, TensorType) and v.type.dtype.lstrip("b")[0] == "f")


def _spread_call(op: Op, traced: set[Value]) -> None:
    given = [operand in traced for operand in op.operands]
    if any(given):
        found = _through(op.attrs["jaxpr"].jaxpr, given)
        traced.update(result for result, is_traced in zip(op.results, found, strict=True) if is_traced)


def _through(jaxpr: Any, given: Sequence[bool]) -> list[bool]:
    """Return which results of a jaxpr are tracers if the inputs `given` are."""
    traced = {v for v, is_traced in zip(jaxpr.invars, given, strict=True) if is_traced}

    def is_traced(atom: Any) -> bool:
        return not isinstance(atom, Literal) and atom in traced

    for eqn in jaxpr.eqns:
        inputs = [is_traced(v) for v in eqn.invars]
        if not any(inputs) or eqn.primitive.name in _CONSTANT:
            continue
        inner = eqn.params.get("jaxpr") if eqn.primitive.name in ("pjit", "jit") else None
        outputs = [True] * len(eqn.outvars) if inner is None else _through(inner.jaxpr, inputs)
        for variable, output in zip(eqn.outvars, outputs, strict=True):
            if output and jax.numpy.issubdtype(variable.aval.dtype, jax.numpy.inexact):
                traced.add(variable)
    return [is_traced(v) for v in jaxpr.outvars]
