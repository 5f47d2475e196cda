"""Python numbers that functions on arrays are given, and that they return as Python numbers.

A trace has arrays for both. Whether a result is a number is seen from a call with numbers in place.
"""

from __future__ import annotations

from typing import Any

import jax
from jax.extend.core import Literal

from janus_mlir.capture.breaks import Break
from janus_mlir.capture.jax.arguments import Arguments, restore
from janus_mlir.capture.values import Abstract

__all__ = ["kept_numbers"]

_EXAMPLES: dict[str, int | float | bool] = {"int": 1, "float": 0.5, "bool": True}
#: Packages whose functions compute with numbers as Python does, where they are leaves of trees.
_PYTHON = frozenset({"chex", "equinox", "optax"})


def kept_numbers(live: Any, structure: Any, arguments: Arguments, traced: Any) -> dict[int, Abstract]:
    """Return the numbers that a call returns as they are, by their position among the arguments.

    Parameters
    ----------
    live, structure, arguments
        What is called, and with what.
    traced
        Its trace: a jaxpr and, for each leaf of the result, the number of an output or a static value.

    Raises
    ------
    Break
        If the call returns a number that it has computed.
    """
    if not arguments.number_at:
        return {}
    inner = traced.jaxpr.jaxpr
    same = {inner.invars[i]: number for i, number in arguments.number_at.items()}
    passed = [v for v in inner.outvars if not isinstance(v, Literal) and v in same]
    package = str(getattr(live, "__module__", "")).partition(".")[0]
    computed = package in _PYTHON and any(map(_is_weak, inner.outvars)) and _from_numbers(inner, set(same))
    if not passed and not computed:
        return {}
    if arguments.callbacks:
        raise Break("JN403", "a JAX function that may return a Python number that it is given")
    numbers = _outputs_that_are_numbers(live, structure, arguments)
    kept: dict[int, Abstract] = {}
    positions = {v: i for i, v in enumerate(inner.invars)}
    for leaf, is_number in zip(traced.leaves, numbers, strict=False):
        if not is_number or not isinstance(leaf, int):
            continue
        variable = inner.outvars[leaf]
        if isinstance(variable, Literal) or variable not in same:
            raise Break("JN403", "a JAX function that returns Python numbers")
        kept[positions[variable]] = same[variable]
    return kept


def _is_weak(variable: Any) -> bool:
    return bool(getattr(variable.aval, "weak_type", False)) and variable.aval.shape == ()


def _from_numbers(jaxpr: Any, numbers: set[Any]) -> bool:
    """Whether a weak scalar among the results depends on nothing but numbers."""
    only = set(numbers)
    for eqn in jaxpr.eqns:
        inputs = [v for v in eqn.invars if not isinstance(v, Literal)]
        if all(v in only for v in inputs):
            only.update(eqn.outvars)
    return any(_is_weak(v) and (isinstance(v, Literal) or v in only) for v in jaxpr.outvars)


def _outputs_that_are_numbers(live: Any, structure: Any, arguments: Arguments) -> list[bool]:
    """Return which results are Python numbers where numbers are given as such."""
    found: list[bool] = []

    def call(*arrays: Any) -> None:
        rest = iter(arrays)
        leaves = [
            _EXAMPLES[arguments.number_at[i].kind] if i in arguments.number_at else next(rest)
            for i in range(len(arguments.avals))
        ]
        args, kwargs = restore(structure, leaves)
        for leaf in jax.tree.leaves(live(*args, **kwargs)):
            found.append(isinstance(leaf, (bool, int, float)))

    avals = [aval for i, aval in enumerate(arguments.avals) if i not in arguments.number_at]
    try:
        jax.eval_shape(call, *avals)
    except Exception:  # whatever it raises for these numbers: the trace has not
        return []
    return found
