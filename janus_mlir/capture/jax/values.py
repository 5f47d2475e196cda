"""Values and callables of JAX that capture treats in a way of their own."""

from __future__ import annotations

import functools
import importlib
import inspect
import sys
import types
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import jax

from janus_mlir.capture.values import (
    Abstract,
    JaxArray,
)
from janus_mlir.gradients import GradientFunction
from janus_mlir.gradients import grad as janus_grad
from janus_mlir.gradients import value_and_grad as janus_value_and_grad

if TYPE_CHECKING:
    pass

#: Packages whose functions are traced as a whole.
TRACED_PACKAGES = frozenset({"jax", "jaxlib", "optax", "chex", "equinox", "flax"})
#: Modules of them whose functions look at what kind of thing each leaf of a tree is, and are captured as plain Python.
_CAPTURED_MODULES = frozenset({"equinox._filters", "equinox._update"})
#: Packages whose functions ask whether something is an array or a number: numbers that they are given are constants.
_TELLING_PACKAGES = frozenset({"equinox", "flax"})
TRANSFORMS: tuple[Any, ...] = (
    jax.grad, jax.value_and_grad, jax.vmap, jax.jit, jax.checkpoint, jax.jacfwd, jax.jacrev, jax.hessian,
)  # fmt: skip
#: Janus's own transformations and what they are in JAX.
OWN_TRANSFORMS = {id(janus_grad): jax.grad, id(janus_value_and_grad): jax.value_and_grad}


def _maker(module: str, name: str) -> Any:
    """Return a function of a package if that is loaded, None otherwise."""
    return getattr(sys.modules.get(module), name, None)


def transforms() -> tuple[Any, ...]:
    """Return the transformations whose function is captured: those of JAX, and of libraries that are loaded."""
    found = [
        _maker("equinox", name)
        for name in ("filter_grad", "filter_value_and_grad", "filter_vmap", "filter_jit")
    ]
    return (*TRANSFORMS, *(f for f in (*found, *of_graphs(), _maker("flax.nnx", "jit")) if f is not None))


def of_graphs() -> tuple[Any, ...]:
    """Return the transformations that differentiate by the variables in a module."""
    found = (_maker("flax.nnx", name) for name in ("grad", "value_and_grad"))
    return tuple(f for f in found if f is not None)


def filtered() -> tuple[Any, ...]:
    """Return the transformations that differentiate by the arrays of floats in their first argument, whatever else is there."""
    return tuple(
        f
        for f in (_maker("equinox", name) for name in ("filter_grad", "filter_value_and_grad"))
        if f is not None
    )


def values_too() -> tuple[Any, ...]:
    """Return the transformations whose functions return the value with the gradient."""
    found = (_maker("equinox", "filter_value_and_grad"), _maker("flax.nnx", "value_and_grad"))
    return (jax.value_and_grad, *(f for f in found if f is not None))


def tells_numbers(live: Any) -> bool:
    """Whether a callable may treat a Python number otherwise than an array."""
    if isinstance(live, types.MethodType):
        return tells_numbers(live.__func__)
    namespace = getattr(live, "__globals__", {}).get("__name__") or getattr(live, "__module__", "")
    return str(namespace).partition(".")[0] in _TELLING_PACKAGES


def called_once() -> tuple[Any, ...]:
    """Return the transformations that call the function exactly once: its effects are those of a call."""
    return (jax.grad, jax.value_and_grad, *filtered())


def compilers() -> tuple[Any, ...]:
    """Return the transformations that compile a function, which has no meaning in compiled code."""
    found = (_maker("equinox", "filter_jit"), _maker("flax.nnx", "jit"))
    return (jax.jit, *(f for f in found if f is not None))


@functools.cache
def _registry() -> Any:
    return getattr(importlib.import_module("jax._src.tree_util"), "_registry", {})


def is_node(cls: type) -> bool:
    """Whether JAX knows a class, other than the builtin containers, as a pytree node with attributes."""
    return cls in _registry() and not issubclass(cls, (tuple, list, dict)) and cls.__dictoffset__ != 0


def is_static(value: Any) -> bool:
    """Whether an object of flax is a part of the structure of trees that holds no leaf: the definition of a graph."""
    return (
        type(value).__module__.startswith("flax.")
        and type(value) in _registry()
        and not jax.tree.leaves(value)
    )


@dataclass(frozen=True, slots=True, eq=False)
class Transformed(Abstract):
    """A function made by a JAX transformation of a function, such as ``jax.grad(f)``."""

    transform: Any
    function: Abstract
    args: tuple[Abstract, ...]
    kwargs: tuple[tuple[str, Abstract], ...]
    #: Attribute paths with respect to which to differentiate, instead of arguments.
    wrt: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class AtIndex(Abstract):
    """``x.at[index]`` of a JAX array: what its update methods work on."""

    array: JaxArray
    index: Abstract


@dataclass(frozen=True, slots=True)
class AtUpdate:
    """A method of ``x.at[index]``, as a function that can be traced."""

    name: str
    traced_by_value: ClassVar[bool] = True

    def __call__(self, x: Any, index: Any, *args: Any, **kwargs: Any) -> Any:
        return getattr(x.at[index], self.name)(*args, **kwargs)


def is_jax_callable(live: Any) -> bool:
    """Whether a callable belongs to JAX (or a library of pure functions on JAX arrays)."""
    if id(live) in OWN_TRANSFORMS or isinstance(live, GradientFunction):
        return True
    if isinstance(live, types.MethodType):
        return is_jax_callable(live.__func__)
    code = getattr(live, "__code__", None)
    if code is not None:
        namespace = str(getattr(live, "__globals__", {}).get("__name__", ""))
        # What a generator yields later cannot be traced as the result of a call.
        traced = namespace not in _CAPTURED_MODULES and not code.co_flags & inspect.CO_GENERATOR
        return traced and namespace.partition(".")[0] in TRACED_PACKAGES
    module = getattr(live, "__module__", None) or type(live).__module__ or ""
    if type(live).__name__ in ("PjitFunction", "custom_jvp", "custom_vjp"):
        return True
    return str(module).partition(".")[0] in TRACED_PACKAGES and callable(live)
