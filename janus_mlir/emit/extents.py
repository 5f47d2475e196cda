"""Symbolic extents: ``jax.export`` dimension expressions as index arithmetic."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import reduce
from typing import Any

from mlir import ir

from janus_mlir.emit.errors import EmitError

__all__ = ["Extents", "is_static", "variables"]

#: Emits an op with one result of type ``index`` where every user is dominated.
IndexOp = Callable[[str, "list[ir.Value]"], ir.Value]

#: ``floordivsi`` rounds down; ``mod`` has no floor form in arith, so it is built from it.
_BINARY = {"floordiv": "arith.floordivsi", "max": "arith.maxsi", "min": "arith.minsi"}


def is_static(extent: Any) -> bool:
    """Whether an extent is a plain number."""
    return type(extent) is int or not hasattr(extent, "_sorted_terms")


def variables(extent: Any) -> set[str]:
    """Return the names of the variables in an extent."""
    if is_static(extent):
        return set()
    found: set[str] = set()
    for term, _ in extent._sorted_terms:
        for factor, _ in term._factors:
            if factor.var is not None:
                found.add(factor.var)
            else:
                found.update(*map(variables, factor.operands))
    return found


class Extents:
    """Values of the symbolic extents of one function, each expression computed once at its entry."""

    def __init__(self, op: IndexOp, constant: Callable[[int], ir.Value]) -> None:
        self._op = op
        self._constant = constant
        self._variables: dict[str, ir.Value] = {}
        self._known: dict[str, ir.Value] = {}

    def define(self, extent: Any, value: Callable[[], ir.Value]) -> None:
        """Take `value` for the variable that `extent` consists of, if it is one and not yet known."""
        name = self.variable(extent)
        if name is not None and name not in self._variables:
            self._variables[name] = value()

    def variables(self) -> dict[str, ir.Value]:
        """Return the values of the variables by name."""
        return dict(self._variables)

    def bind(self, name: str, value: ir.Value) -> None:
        """Take `value`, of type ``index``, for the variable `name`."""
        self._variables[name] = value

    def bound(self, name: str) -> ir.Value:
        """Return the value of the variable `name`."""
        if name not in self._variables:
            raise EmitError.extent(name)
        return self._variables[name]

    @staticmethod
    def variable(extent: Any) -> str | None:
        """Return the name of the variable if `extent` is one alone."""
        terms = extent._sorted_terms
        if len(terms) != 1 or terms[0][1] != 1:
            return None
        factors = terms[0][0]._factors
        if len(factors) != 1 or factors[0][1] != 1:
            return None
        name: str | None = factors[0][0].var
        return name

    def value(self, extent: Any) -> ir.Value:
        """Return `extent` as a value of type ``index``."""
        if is_static(extent):
            return self._constant(int(extent))
        key = str(extent)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._sum(extent)
        return known

    def dynamic(self, shape: Iterable[Any]) -> list[ir.Value]:
        """Return the symbolic extents of `shape`, in order."""
        return [self.value(extent) for extent in shape if not is_static(extent)]

    def _sum(self, extent: Any) -> ir.Value:
        terms = []
        for term, coefficient in extent._sorted_terms:
            factors = [self._factor(f) for f, exponent in term._factors for _ in range(exponent)]
            if coefficient != 1 or not factors:
                factors.append(self._constant(int(coefficient)))
            terms.append(reduce(lambda a, b: self._op("arith.muli", [a, b]), factors))
        return reduce(lambda a, b: self._op("arith.addi", [a, b]), terms)

    def _factor(self, factor: Any) -> ir.Value:
        if factor.var is not None:
            if factor.var not in self._variables:
                raise EmitError.extent(factor.var)
            return self._variables[factor.var]
        left, right = (self.value(operand) for operand in factor.operands)
        if factor.operation == "mod":
            quotient = self._op("arith.floordivsi", [left, right])
            return self._op("arith.subi", [left, self._op("arith.muli", [quotient, right])])
        return self._op(_BINARY[factor.operation], [left, right])
