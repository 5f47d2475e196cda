"""``janus.grad`` and ``janus.value_and_grad``: gradients of functions on JAX arrays."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import jax

__all__ = ["GradientFunction", "grad", "value_and_grad"]


class GradientFunction:
    """A function that returns gradients.

    Inside ``janus.jit`` it is captured together with the function that it differentiates; elsewhere it is compiled itself.
    """

    def __init__(
        self, transform: Any, function: Callable[..., Any], options: dict[str, Any], wrt: Sequence[str] | None
    ) -> None:
        functools.update_wrapper(self, function, updated=())
        self.transform = transform
        self.function = function
        self.options = options
        #: Attribute paths with respect to which to differentiate, instead of arguments.
        self.wrt = None if wrt is None else tuple(wrt)
        self._eager = (
            transform(function, **options)
            if wrt is None
            else _by_paths(transform, function, options, self.wrt or ())
        )
        self._compiled: Callable[..., Any] | None = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        # Traced by JAX, it is part of a program of JAX's.
        if any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves((args, kwargs))):
            return self._eager(*args, **kwargs)
        if self._compiled is None:
            from janus_mlir.api import jit

            self._compiled = jit(_calling(_Plain(self)))
        return self._compiled(*args, **kwargs)

    def __repr__(self) -> str:
        return f"janus.{self.transform.__name__}({self.function!r})"


class _Plain(GradientFunction):
    """The same function, run by JAX: what the compiled form stands for."""

    def __init__(self, of: GradientFunction) -> None:
        super().__init__(of.transform, of.function, of.options, of.wrt)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._eager(*args, **kwargs)


def _calling(gradient: GradientFunction) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        return gradient(*args, **kwargs)

    call.__name__ = call.__qualname__ = getattr(gradient.function, "__name__", "gradient")
    return call


def _by_paths(
    transform: Any, function: Callable[..., Any], options: dict[str, Any], paths: Sequence[str]
) -> Callable[..., Any]:
    """Differentiate with respect to attributes, which hold the differentiated values while `function` runs."""
    signature = inspect.signature(function)

    def call(*args: Any, **kwargs: Any) -> Any:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        places = []
        for path in paths:
            name, *attributes = path.split(".")
            owner = bound.arguments[name]
            for attribute in attributes[:-1]:
                owner = getattr(owner, attribute)
            places.append((owner, attributes[-1]))
        originals = [getattr(owner, attribute) for owner, attribute in places]

        def inner(values: Sequence[Any]) -> Any:
            try:
                for (owner, attribute), value in zip(places, values, strict=True):
                    setattr(owner, attribute, value)
                return function(*args, **kwargs)
            finally:
                for (owner, attribute), value in zip(places, originals, strict=True):
                    setattr(owner, attribute, value)

        result = transform(inner, has_aux=options["has_aux"])(tuple(originals))
        if len(paths) > 1:
            return result
        if transform is jax.grad:
            return (result[0][0], result[1]) if options["has_aux"] else result[0]
        return result[0], result[1][0]

    return call


def value_and_grad(
    function: Callable[..., Any],
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    *,
    wrt: str | Sequence[str] | None = None,
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
    wrt : str or sequence of str, optional
        Attributes with respect to which to differentiate, instead of arguments: ``"model.params"`` is attribute `params` of
        parameter `model` of `function`. The gradient has the structure of the attribute's value.

    Returns
    -------
    callable
        Returns ``(value, gradient)``, as ``jax.value_and_grad`` does; ``((value, aux), gradient)`` with `has_aux`.

    See Also
    --------
    jax.value_and_grad : the same, without `wrt`.
    """
    return _make(jax.value_and_grad, function, argnums, has_aux, wrt)


def grad(
    function: Callable[..., Any],
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    *,
    wrt: str | Sequence[str] | None = None,
) -> Callable[..., Any]:
    """Return a function that computes the gradient of `function`.

    Parameters
    ----------
    function, argnums, has_aux, wrt
        As for `value_and_grad`.

    Returns
    -------
    callable
        Returns the gradient, as ``jax.grad`` does; ``(gradient, aux)`` with `has_aux`.
    """
    return _make(jax.grad, function, argnums, has_aux, wrt)


def _make(
    transform: Any,
    function: Callable[..., Any],
    argnums: int | Sequence[int],
    has_aux: bool,
    wrt: str | Sequence[str] | None,
) -> GradientFunction:
    numbers = argnums if isinstance(argnums, int) else tuple(argnums)
    paths = (wrt,) if isinstance(wrt, str) else wrt
    for path in paths or ():
        if "." not in path:
            raise ValueError(f"wrt={path!r} is no attribute; name an argument by argnums")
    return GradientFunction(transform, function, {"argnums": numbers, "has_aux": has_aux}, paths)
