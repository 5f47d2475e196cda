"""The import of a jaxpr: one walk over its equations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from jax.extend.core import Literal
from mlir import ir

from janus_mlir.capture.graph import TensorType
from janus_mlir.emit.builder import Builder
from janus_mlir.emit.errors import EmitError
from janus_mlir.emit.extents import is_static
from janus_mlir.emit.jaxpr.avals import array_of, is_key, live_equations, open_jaxpr, tensor_type
from janus_mlir.emit.jaxpr.complexes import complex_rule
from janus_mlir.emit.jaxpr.keys import key_rule
from janus_mlir.emit.jaxpr.registry import RULES, Rule
from janus_mlir.runtime.words import is_complex

__all__ = ["Importer", "unsupported"]


def _rule_of(eqn: Any) -> Rule:
    name = eqn.primitive.name
    rule = RULES.get(name)
    if rule is None or not rule.keys:
        avals = [v.aval for v in (*eqn.invars, *eqn.outvars)]
        if any(map(is_key, avals)):
            rule = key_rule(name)
        elif any(is_complex(getattr(aval, "dtype", None)) for aval in avals):
            rule = complex_rule(name)
    if rule is None or (rule.accepts is not None and not rule.accepts(eqn)):
        raise EmitError.primitive(name)
    return rule


class Rules(Protocol):
    """Makes calls that have rules of their own."""

    def call_with_rule(self, eqn: Any, primal: Any, arguments: Sequence[ir.Value]) -> list[ir.Value]:
        """Emit a call of jaxpr `primal` with the derivative that JAX gives the equation."""
        ...


class Importer:
    """Emits jaxprs through a builder. The rules in `registry.RULES` call back into it."""

    def __init__(self, builder: Builder, rules: Rules | None = None) -> None:
        self.builder = builder
        #: Where what is emitted will be differentiated: makes calls that have rules of their own.
        self.rules = rules
        self._env: dict[Any, ir.Value] = {}

    def jaxpr(self, jaxpr: Any, args: Sequence[ir.Value]) -> list[ir.Value]:
        """Emit the equations of `jaxpr`, closed or without constants, and return its results."""
        jaxpr, consts = open_jaxpr(jaxpr)
        outer = self._env
        env = self._env = {}
        try:
            for var, const in zip(jaxpr.constvars, consts, strict=True):
                env[var] = self.builder.constant(array_of(const, var.aval), tensor_type(var.aval))
            env.update(zip(jaxpr.invars, args, strict=True))
            for eqn in live_equations(jaxpr):
                env.update(zip(eqn.outvars, _rule_of(eqn).emit(self, eqn), strict=True))
            return [self.read(v) for v in jaxpr.outvars]
        finally:
            self._env = outer

    def read(self, atom: Any) -> ir.Value:
        """Return the value of a variable or literal."""
        if isinstance(atom, Literal):
            return self.builder.constant(array_of(atom.val, atom.aval), tensor_type(atom.aval))
        return self._env[atom]

    def args(self, eqn: Any) -> list[ir.Value]:
        """Return the values of the inputs of an equation."""
        return [self.read(v) for v in eqn.invars]

    def results(self, eqn: Any) -> list[TensorType]:
        """Return the types of the outputs of an equation."""
        return [tensor_type(v.aval) for v in eqn.outvars]

    def broadcast(self, atom: Any, shape: tuple[Any, ...]) -> ir.Value:
        """Return the value of `atom` broadcast to `shape`, as JAX does it for scalars and dims of size 1."""
        source = tensor_type(atom.aval)
        if source.shape == shape:
            return self.read(atom)
        target = TensorType(source.dtype, shape)
        if isinstance(atom, Literal) and not source.shape and all(map(is_static, shape)):
            return self.builder.constant(array_of(atom.val, atom.aval), target)
        first = len(shape) - source.rank
        return self.builder.lax1(
            "broadcast_in_dim", [self.read(atom)], target, broadcast_dimensions=range_list(first, len(shape))
        )

    def same(self, eqn: Any, **attributes: Any) -> list[ir.Value]:
        """Emit the ``lax`` op of the primitive's own name on the inputs as they are."""
        name = eqn.primitive.name.replace("-", "_")
        return self.builder.lax(name, self.args(eqn), self.results(eqn), **attributes)

    def elementwise(self, eqn: Any, name: str | None = None, **attributes: Any) -> list[ir.Value]:
        """Emit an elementwise op on the inputs, broadcast to the shape of the output."""
        result = tensor_type(eqn.outvars[0].aval)
        operands = [self.broadcast(v, result.shape) for v in eqn.invars]
        return self.builder.lax(name or eqn.primitive.name, operands, [result], **attributes)


def range_list(start: int, stop: int) -> list[int]:
    """Return the ints from `start` to `stop`."""
    return list(range(start, stop))


def unsupported(jaxpr: Any) -> EmitError | None:
    """Return why `jaxpr` cannot be imported, or None if it can."""
    try:
        for _ in _check(jaxpr):
            pass
    except EmitError as error:
        return error
    return None


def _check(jaxpr: Any) -> Iterator[None]:
    jaxpr, _ = open_jaxpr(jaxpr)
    for var in (*jaxpr.constvars, *jaxpr.invars, *jaxpr.outvars):
        tensor_type(var.aval)
    for eqn in live_equations(jaxpr):
        rule = _rule_of(eqn)
        for var in eqn.outvars:
            tensor_type(var.aval)
        if rule.inner is not None:
            for inner in rule.inner(eqn):
                yield from _check(inner)
    yield
