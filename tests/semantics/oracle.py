"""Runs programs plain and under `janus.jit`, and compares everything that a user can observe.

A *world* is a generator: it is given the function (plain, or jitted) and yields the arguments of one call
after the other, changing models and globals in between as it likes. It is run once per side, so that the two
sides share no object. After each call the results so far, the arguments, what was printed and the exception
are compared, aliases and identities included.
"""

from __future__ import annotations

import collections
import contextlib
import io
import operator
import traceback
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np
import pytest

import janus_mlir as janus

#: Calls before a function is compiled, in these tests.
WARMUP = 2


class Box:
    """A model object with the given attributes."""

    def __init__(self, **attributes: Any) -> None:
        self.__dict__.update(attributes)


class Call:
    """Arguments of a call that has keywords."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.args = args
        self.kwargs = kwargs


@dataclass
class Outcome:
    """What one call did."""

    heap: Any
    printed: str
    error: tuple[type, str, tuple[int, ...]] | None
    compiled: bool = False


_FUNCTIONS = (types.FunctionType, types.BuiltinFunctionType, types.MethodType)

# ---- describing what can be observed --------------------------------------------------------------


class _Describer:
    """Turns objects into nested tuples in which each object is named by the order it was met in."""

    def __init__(self) -> None:
        self._names: dict[int, int] = {}
        self._keep: list[Any] = []
        self._arrays: list[np.ndarray[Any, Any]] = []

    def aliases(self) -> tuple[Any, ...]:
        """Return which of the NumPy arrays met share memory."""
        found = self._arrays
        return tuple(
            (i, j) for i, a in enumerate(found) for j, b in enumerate(found[:i]) if np.shares_memory(a, b)
        )

    def describe(self, value: Any) -> Any:
        if value is None or isinstance(value, (bool, int, float, complex, str, bytes)):
            return (type(value), value)
        if isinstance(value, np.generic):
            return (type(value), value.dtype, np.asarray(value))
        if id(value) in self._names:
            return ("again", self._names[id(value)])
        if not isinstance(value, tuple):
            self._names[id(value)] = len(self._names)
            self._keep.append(value)
        if isinstance(value, jax.Array) and jax.dtypes.issubdtype(value.dtype, jax.dtypes.prng_key):
            return ("keys", str(value.dtype), value.shape, np.asarray(jax.random.key_data(value)))
        if isinstance(value, jax.Array):
            return (
                "jax",
                value.dtype,
                bool(value.aval.weak_type),
                value.shape,
                np.asarray(value),
            )
        if isinstance(value, np.ndarray):
            self._arrays.append(value)
            return (type(value), value.dtype, value.shape, value.flags.writeable, np.array(value))
        if isinstance(value, collections.deque):
            return (type(value), value.maxlen, tuple(self.describe(item) for item in value))
        if isinstance(value, (operator.itemgetter, operator.attrgetter)):
            return (type(value), repr(value))
        if isinstance(value, (tuple, list)):
            return (type(value), tuple(self.describe(item) for item in value))
        if isinstance(value, dict):
            return (type(value), tuple((k, self.describe(v)) for k, v in value.items()))
        if isinstance(value, (set, frozenset)):
            return (type(value), value)
        if isinstance(value, (range, slice, type, np.dtype, *_FUNCTIONS)):
            return (type(value), getattr(value, "__qualname__", repr(value)))
        own = getattr(value, "__dict__", None)
        if own is None:
            own = {name: getattr(value, name) for name in type(value).__slots__ if hasattr(value, name)}
        attributes = [(k, self.describe(v)) for k, v in own.items()]
        return (type(value).__qualname__, tuple(attributes))


def _differ(a: Any, b: Any, where: str) -> str | None:
    """Return the first difference between two descriptions."""
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        if a.dtype.kind in "fc":
            exact = np.finfo(a.dtype).eps
            with np.errstate(all="ignore"):
                same = np.allclose(a, b, rtol=64 * exact, atol=64 * exact, equal_nan=True)
        else:
            same = np.array_equal(a, b)
        return None if same else f"{where}: plain {a!r}, janus {b!r}"
    if type(a) is not type(b):
        return f"{where}: plain {a!r}, janus {b!r}"
    if isinstance(a, tuple):
        if len(a) != len(b):
            return f"{where}: plain {a!r}, janus {b!r}"
        for i, (x, y) in enumerate(zip(a, b, strict=True)):
            found = _differ(x, y, f"{where}.{i}")
            if found:
                return found
        return None
    if isinstance(a, float):
        same = a == b or (a != a and b != b) or abs(a - b) <= 1e-12 * max(abs(a), abs(b))
        return None if same else f"{where}: plain {a!r}, janus {b!r}"
    return None if a == b else f"{where}: plain {a!r}, janus {b!r}"


# ---- running ------------------------------------------------------------------------------------------


World = Callable[[Any], Iterator[Any]]


def _run(world: World, wrapped: Any, filename: str) -> list[Outcome]:
    outcomes = []
    kept: list[Any] = []
    results: list[Any] = []
    for call in world(wrapped):
        if not isinstance(call, Call):
            call = Call(*(call if isinstance(call, tuple) else (call,)))
        before = wrapped.stats.compiled_calls if hasattr(wrapped, "stats") else 0
        error = None
        result: Any = None
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            try:
                result = wrapped(*call.args, **call.kwargs)
            except AssertionError as raised:
                error = raised
            except Exception as raised:  # the user's exception, whatever it is, is compared
                error = raised
        kept.append(call)
        results.append(result)
        describer = _Describer()
        heap = describer.describe((results, call.args, tuple(call.kwargs.items())))
        outcome = Outcome((heap, describer.aliases()), printed.getvalue(), None)
        if error is not None:
            lines = tuple(
                frame.lineno or 0
                for frame in traceback.extract_tb(error.__traceback__)
                if frame.filename == filename
            )
            outcome.error = (type(error), str(error), lines)
        if hasattr(wrapped, "stats"):
            outcome.compiled = wrapped.stats.compiled_calls > before
        outcomes.append(outcome)
    return outcomes


def check(function: Any, world: World, *, compiled: bool = True, **options: Any) -> Any:
    """Compare `function` with its jitted self, over all calls of `world`; return the jitted function.

    Unless `compiled` is False, the last call must have run native code from entry to return.
    """
    filename = function.__code__.co_filename
    options.setdefault("warmup", WARMUP)
    plain = _run(world, function, filename)
    jitted = janus.jit(function, **options)
    with janus.config(debug=True):
        ours = _run(world, jitted, filename)
    assert len(plain) == len(ours)
    for i, (a, b) in enumerate(zip(plain, ours, strict=True)):
        message = f"call {i}\n{jitted.explain()}"
        assert a.error == b.error, f"plain {a.error}, janus {b.error}\n{message}"
        assert a.printed == b.printed, f"plain {a.printed!r}, janus {b.printed!r}\n{message}"
        difference = _differ(a.heap, b.heap, "result")
        assert difference is None, f"{difference}\n{message}"
    # Under stress the last call may be one whose guard was made to fail.
    if compiled and janus.config.stress is None:
        assert ours[-1].compiled, f"the last call was not compiled\n{jitted.explain()}"
    return jitted


@dataclass
class Cases:
    """Programs of one subject, as a parametrised test."""

    found: list[tuple[str, Any, World, dict[str, Any]]] = field(default_factory=list)

    def add(self, hot: Callable[[int], Any], *odd: Callable[[], Any], **options: Any) -> Callable[[Any], Any]:
        """Collect a program with arguments that come often and arguments that come now and then.

        `hot` is given the number of the call.
        """

        def world(_: Any) -> Iterator[Any]:
            number = 0
            for _ in range(WARMUP + 2):
                yield hot(number)
                number += 1
            for other in odd:
                for make in (other, None, other):
                    if make is None:
                        yield hot(number)
                        number += 1
                    else:
                        yield make()
            for _ in range(6):
                yield hot(number)
                number += 1

        return self.world(world, **options)

    def world(self, world: World, **options: Any) -> Callable[[Any], Any]:
        """Collect a program with a world of its own."""

        def collect(function: Any) -> Any:
            self.found.append((function.__name__, function, world, options))
            return function

        return collect

    def test(self) -> Any:
        """Return the test function of the programs."""

        @pytest.mark.parametrize(
            ("function", "world", "options"),
            [pytest.param(f, w, o, id=name) for name, f, w, o in self.found],
        )
        def test_program(function: Any, world: World, options: dict[str, Any]) -> None:
            check(function, world, **options)

        return test_program


# ---- inputs -------------------------------------------------------------------------------------------


def vec(n: int = 4, start: float = 1.0, dtype: Any = np.float32) -> Any:
    """Return a JAX vector start, start + 1, ..."""
    return jax.numpy.arange(n, dtype=dtype) + jax.numpy.asarray(start, dtype)


def small(n: int = 4, start: float = 1.0) -> Any:
    """Return a JAX vector whose elements are around one."""
    return vec(n, start) / 4


def signed(i: int) -> Any:
    """Return one whose sign changes from call to call."""
    return small() * (1 if i % 2 else -1)


def mat(n: int = 3, m: int = 4, start: float = 1.0) -> Any:
    """Return a JAX matrix of small different numbers."""
    return vec(n * m, start).reshape(n, m) / 4


def nvec(n: int = 4, start: float = 1.0, dtype: Any = np.float64) -> Any:
    """Return a NumPy vector start, start + 1, ..."""
    return (np.arange(n) + start).astype(dtype)


def nmat(n: int = 3, m: int = 4, start: float = 1.0, dtype: Any = np.float64) -> Any:
    """Return a NumPy matrix of small different numbers."""
    return (np.arange(n * m).reshape(n, m) / 4 + start).astype(dtype)
