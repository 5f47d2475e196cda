"""The table of imports: JAX primitive -> how it becomes MLIR."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlir import ir

if TYPE_CHECKING:
    from janus_mlir.emit.jaxpr.importer import Importer

__all__ = ["RULES", "Rule", "rule"]

Emit = Callable[["Importer", Any], Sequence[ir.Value]]


@dataclass(frozen=True, slots=True)
class Rule:
    """The import of one primitive.

    Attributes
    ----------
    emit
        Emits an equation and returns the values of its outputs.
    inner
        The jaxprs that `emit` imports in turn.
    accepts
        Whether the parameters of an equation are among those that `emit` knows.
    keys
        Whether `emit` takes arrays of PRNG keys. If not, such an equation is vectorised over the words of
        the keys.
    """

    emit: Emit
    inner: Callable[[Any], Iterable[Any]] | None = None
    accepts: Callable[[Any], bool] | None = None
    keys: bool = False


RULES: dict[str, Rule] = {}


def rule(
    *names: str,
    inner: Callable[[Any], Iterable[Any]] | None = None,
    accepts: Callable[[Any], bool] | None = None,
    keys: bool = False,
) -> Callable[[Emit], Emit]:
    """Register the decorated function as the import of the primitives `names`."""

    def register(emit: Emit) -> Emit:
        for name in names:
            RULES[name] = Rule(emit, inner, accepts, keys)
        return emit

    return register
