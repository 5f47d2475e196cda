"""The table of builtin functions that have a meaning of their own in capture."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from janus_mlir.capture.breaks import Break
from janus_mlir.capture.values import Abstract

if TYPE_CHECKING:
    from janus_mlir.capture.machine import Machine

Handler = Callable[["Machine", list[Abstract], dict[str, Abstract]], Abstract]
_H = TypeVar("_H", bound=Handler)
_TABLE: dict[int, tuple[Any, Handler]] = {}


def registers(*functions: Any) -> Callable[[_H], _H]:
    def register(handler: _H) -> _H:
        for function in functions:
            _TABLE[id(function)] = (function, handler)
        return handler

    return register


#: Class methods of builtin classes, which are new objects each time: by class and name.
_METHODS: dict[tuple[type, str], Handler] = {}


def registers_method(cls: type, name: str) -> Callable[[_H], _H]:
    """Register a class method of a builtin class."""

    def register(handler: _H) -> _H:
        _METHODS[cls, name] = handler
        return handler

    return register


def _method(live: Any) -> Handler | None:
    owner = getattr(live, "__self__", None)
    return _METHODS.get((owner, live.__name__)) if isinstance(owner, type) else None


def handles(live: Any) -> bool:
    """Whether a callable is a builtin with a meaning of its own in capture."""
    entry = _TABLE.get(id(live))
    return (entry is not None and entry[0] is live) or _method(live) is not None


def call_builtin(
    m: Machine, live: Any, args: list[Abstract], kwargs: dict[str, Abstract], dst: str
) -> Abstract:
    """Call a builtin."""
    from janus_mlir.capture import boxed

    found = boxed.call(m, live, args, kwargs)
    if found is not None:
        return found
    method = _method(live)
    return boxed.settled(m, (method or _TABLE[id(live)][1])(m, args, kwargs))


def arity(args: list[Abstract], kwargs: dict[str, Abstract], low: int, high: int | None = None) -> None:
    if kwargs or not low <= len(args) <= (low if high is None else high):
        raise Break("JN301", "a builtin with unusual arguments")
