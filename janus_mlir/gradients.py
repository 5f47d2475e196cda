"""``janus.grad`` and ``janus.value_and_grad``: gradients of functions on JAX arrays."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax

__all__ = ["GradientFunction", "grad", "value_and_grad"]


class GradientFunction:
    """A function that returns gradients; inside ``janus.jit`` it is captured together with the function it differentiates."""

    def __init__(self, transform: Any, function: Callable[..., Any], options: dict[str, Any]) -> None:
        functools.update_wrapper(self, function, updated=())
        self.transform = transform
        self.function = function
        self.options = options
        self._eager = transform(function, **options)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._eager(*args, **kwargs)

    def __repr__(self) -> str:
        return f"janus.{self.transform.__name__}({self.function!r})"


def value_and_grad(
    function: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """Return a function that computes `function` and its gradient.

    Parameters
    ----------
    function : callable
        Returns a scalar array of floating dtype, or with `has_aux` a pair of it and anything else.
    argnums : int or sequence of int
        Positional arguments (arrays, or pytrees of arrays) with respect to which to differentiate.
    has_aux : bool
        Whether `function` returns ``(value, aux)``.

    Returns
    -------
    callable
        Returns ``(value, gradient)``, as ``jax.value_and_grad`` does; ``((value, aux), gradient)`` with `has_aux`.

    See Also
    --------
    jax.value_and_grad : the same outside ``janus.jit``.
    """
    return GradientFunction(jax.value_and_grad, function, {"argnums": _argnums(argnums), "has_aux": has_aux})


def grad(
    function: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """Return a function that computes the gradient of `function`.

    Parameters
    ----------
    function, argnums, has_aux
        As for `value_and_grad`.

    Returns
    -------
    callable
        Returns the gradient, as ``jax.grad`` does; ``(gradient, aux)`` with `has_aux`.
    """
    return GradientFunction(jax.grad, function, {"argnums": _argnums(argnums), "has_aux": has_aux})


def _argnums(argnums: int | Sequence[int]) -> int | tuple[int, ...]:
    return argnums if isinstance(argnums, int) else tuple(argnums)
