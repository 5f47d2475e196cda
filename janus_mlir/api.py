"""The public functions: `jit`, and what a jitted function offers besides being called."""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, overload

from janus_mlir._native import _runtime
from janus_mlir.capture.breaks import Break
from janus_mlir.capture.capturing import capture
from janus_mlir.compile import Compiled, compile_graph, lower_text
from janus_mlir.config import Options, config
from janus_mlir.errors import CaptureError
from janus_mlir.report import Report, make_report
from janus_mlir.versions import FunctionManager

__all__ = ["Lowered", "Stats", "jit"]


def _is_disabled() -> bool:
    return bool(config.disable)


def _obey(options: Options) -> None:
    """Tell native code what it cannot look up."""
    _runtime.set_gate(_is_disabled if options.disable else None)
    _runtime.set_num_threads(options.num_threads)


config.watch(_obey)


@dataclass(frozen=True, slots=True)
class Stats:
    """Counters of one jitted function.

    Attributes
    ----------
    calls : int
        All calls.
    compiled_calls : int
        Calls that ran native code from entry to return without leaving it.
    imperative_calls : int
        Calls (or rests of calls) that ran in Python.
    guard_failures : int
        Assumptions that did not hold, at the entry or within native code.
    deopts : int
        Times that native code was left for Python.
    versions : int
        Compiled versions now in use.
    breaks : int
        Places of the current code that are left to Python.
    compile_seconds : float
        Time spent on capture and compilation, in seconds.
    compilations : int
        How often the function was compiled.
    """

    calls: int
    compiled_calls: int
    imperative_calls: int
    guard_failures: int
    deopts: int
    versions: int
    breaks: int
    compile_seconds: float
    compilations: int


class Lowered:
    """A function captured for given arguments, in the form of IR."""

    def __init__(self, captured: Any) -> None:
        self._captured = captured

    def as_text(self, phase: str = "captured", *, debug_info: bool = False) -> str:
        """Return the IR after a phase.

        The phases are ``captured``, ``speculated``, ``differentiated``, ``linalg``, ``codegen`` and ``llvm``.

        With `debug_info` each operation shows the line and column of the user's source that it comes from.
        """
        return lower_text(self._captured.graph, phase, debug_info=debug_info)

    def compile(self) -> Compiled:
        """Generate native code and return it, with its IR and timings."""
        return compile_graph(self._captured.graph, symbols=_runtime.abi_symbols())


class _Companion:
    """Attributes of a jitted function that are no matter of the dispatcher."""

    def __init__(self, manager: FunctionManager) -> None:
        self.manager = manager

    @property
    def stats(self) -> Stats:
        """Counters of the function."""
        m = self.manager
        return Stats(
            calls=m.calls,
            compiled_calls=m.jit.compiled_calls,
            imperative_calls=m.calls - m.jit.compiled_calls,
            guard_failures=m.guard_failures,
            deopts=m.deopts,
            versions=len(m.versions),
            breaks=len(m.notes) + (m.given_up is not None),
            compile_seconds=m.compile_seconds,
            compilations=m.compilations,
        )

    @property
    def continuations(self) -> tuple[Any, ...]:
        """Janus functions of what follows statements that are left to Python, in the order they were met."""
        return tuple(self.manager.continuations.values())

    def explain(self) -> Report:
        """Return a report of what is compiled, under which assumptions, and what is not and why."""
        return make_report(self.manager)

    def lower(self, *args: Any, **kwargs: Any) -> Lowered:
        """Capture the function for these arguments without calling it.

        Raises
        ------
        CaptureError
            If nothing of it can be captured.
        TypeError
            If the arguments do not fit the signature.
        """
        m = self.manager
        try:
            slots = m.bind(args, kwargs)
            if slots is None:
                raise TypeError(f"the arguments do not fit the signature of {m.function.__qualname__}")
            return Lowered(capture(m.context(), slots, m.speculation.copy(), m.profile))
        except Break as reason:
            raise CaptureError(reason.reason_code, reason.detail, None) from None

    def clear_cache(self) -> None:
        """Forget compiled versions, profile and counters of failures."""
        self.manager.reset()


F = TypeVar("F", bound=Callable[..., Any])


@overload
def jit(function: F, /) -> F: ...
@overload
def jit(
    function: None = None,
    /,
    *,
    target: str | None = ...,
    strict: bool | None = ...,
    warmup: int | None = ...,
    static_argnames: str | Sequence[str] = ...,
) -> Callable[[F], F]: ...
@overload
def jit(
    function: F,
    /,
    *,
    target: str | None = ...,
    strict: bool | None = ...,
    warmup: int | None = ...,
    static_argnames: str | Sequence[str] = ...,
) -> F: ...
def jit(
    function: Any = None,
    /,
    *,
    target: str | None = None,
    strict: bool | None = None,
    warmup: int | None = None,
    static_argnames: str | Sequence[str] = (),
) -> Any:
    """Compile an imperative Python function on NumPy or JAX arrays.

    The first calls run in Python and are profiled; then the function is captured under the assumptions that
    they support, compiled to native code, and guarded. Where an assumption fails, Python goes on, with no
    difference in results or effects.

    Parameters
    ----------
    function : callable, optional
        Left out, ``jit`` returns a decorator.
    target : {"cpu"}, optional
        Where compiled code runs; ``config.target`` by default.
    strict : bool, optional
        Raise `CaptureError` where the default would leave something in Python.
    warmup : int, optional
        Calls that are profiled before the function is compiled; ``config.warmup`` (3) by default.
    static_argnames : str or sequence of str
        Parameters (numbers) that are constants of each compiled version.

    Returns
    -------
    callable
        Behaves as `function`, and has ``explain()``, ``stats``, ``lower(*args)`` and ``clear_cache()``.

    Raises
    ------
    TypeError
        If `function` is not callable.
    ValueError
        If `static_argnames` names no parameter, or the target is unknown.

    Notes
    -----
    The scheme is that of JANUS: Jeong et al., "JANUS: Fast and Flexible Deep Learning via Symbolic Graph
    Execution of Imperative Programs", NSDI 2019.
    """
    if function is None:
        return functools.partial(
            jit, target=target, strict=strict, warmup=warmup, static_argnames=static_argnames
        )
    if not callable(function):
        raise TypeError(f"janus.jit takes a callable, not {type(function).__name__}")
    if (target or config.target) != "cpu":
        raise ValueError(f"target {target or config.target!r} is not available; this build has 'cpu'")
    if isinstance(function, _runtime.JitFunction):
        return function
    if isinstance(function, types.MethodType):
        inner = jit(function.__func__, strict=strict, warmup=warmup, static_argnames=static_argnames)
        return types.MethodType(inner, function.__self__)
    names = (static_argnames,) if isinstance(static_argnames, str) else tuple(static_argnames)
    return _make(function, config.strict if strict is None else strict, warmup, names)


def _make(
    function: Any, strict: bool, warmup: int | None, static: tuple[str, ...] = (), idle_steps: int = 0
) -> Any:
    manager = FunctionManager(function, strict=strict, warmup=warmup, static=static)
    manager.idle_steps = idle_steps
    manager.make_jit = lambda rest, idle: _make(rest, strict, warmup, idle_steps=idle)
    jitted = _runtime.JitFunction(function, _Companion(manager), _signature(function), manager.on_miss)
    manager.jit = jitted
    functools.update_wrapper(jitted, function)
    return jitted


def _signature(function: Any) -> tuple[tuple[str, ...], int, int, int, bool, bool]:
    """Return the parameters as the dispatcher wants them."""
    code = getattr(function, "__code__", None)
    if not isinstance(code, types.CodeType):
        return ("args", "kwargs"), 0, 0, 0, True, True
    posonly, positional, kwonly = code.co_posonlyargcount, code.co_argcount, code.co_kwonlyargcount
    varargs, varkw = bool(code.co_flags & 0x04), bool(code.co_flags & 0x08)
    names = list(code.co_varnames[:positional])
    rest = list(code.co_varnames[positional : positional + kwonly + varargs + varkw])
    keywords, starred = rest[:kwonly], rest[kwonly:]
    if varargs:
        names.append(starred.pop(0))
    names += keywords + starred
    return tuple(names), posonly, positional - posonly, kwonly, varargs, varkw
