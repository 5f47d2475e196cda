"""Between the arguments of a call and the slots that a captured function knows them by."""

from __future__ import annotations

import types
from typing import Any

import jax

from janus_mlir.capture.reading.code import Params

__all__ = ["bind", "call_form", "is_traced"]


def bind(
    function: types.FunctionType, params: Params, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> list[Any] | None:
    """Return the arguments in slot order, None if they do not fit the signature."""
    positional = [*params.posonly, *params.pos_or_kw]
    rest = dict(kwargs)
    slots: list[Any] = []
    defaults = function.__defaults__ or ()
    first_default = len(positional) - len(defaults)
    for i, name in enumerate(positional):
        if i < len(args):
            slots.append(args[i])
        elif name in rest and name not in params.posonly:
            slots.append(rest.pop(name))
        elif i >= first_default:
            slots.append(defaults[i - first_default])
        else:
            return None
    extra = args[len(positional) :]
    if params.vararg is not None:
        slots.append(tuple(extra))
    elif extra:
        return None
    for name in params.kwonly:
        if name in rest:
            slots.append(rest.pop(name))
        elif name in (function.__kwdefaults__ or {}):
            slots.append((function.__kwdefaults__ or {})[name])
        else:
            return None
    if params.kwarg is not None:
        slots.append(rest)
    elif rest:
        return None
    return slots


def call_form(params: Params, slots: list[Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Turn arguments in slot order back into the form of a call."""
    positional = len(params.posonly) + len(params.pos_or_kw)
    args, rest = slots[:positional], slots[positional:]
    if params.vararg is not None:
        args.extend(rest.pop(0))
    kwargs = dict(zip(params.kwonly, rest, strict=False))
    if params.kwarg is not None:
        kwargs.update(rest[-1])
    return tuple(args), kwargs


def is_traced(arguments: Any) -> bool:
    """Whether the call happens while JAX traces: then the function is for JAX to trace."""
    seen: set[int] = set()
    work = [arguments]
    while work:
        value = work.pop()
        if isinstance(value, jax.core.Tracer):
            return True
        if isinstance(value, (tuple, list, dict)) and id(value) not in seen:
            seen.add(id(value))
            work.extend(value.values() if isinstance(value, dict) else value)
    return False
