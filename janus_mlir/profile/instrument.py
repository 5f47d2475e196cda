"""Copies of functions that record what they do into a profile.

The copy is compiled from the user's syntax tree with hooks added, under the same names and lines, over the
same closure cells. A hook never evaluates anything that the user can observe a second time:

- ``if test: ...`` counts at the beginning of both blocks; a test within an expression becomes
  ``(count() if test else not count())``, which takes the truth of ``test`` once;
- a loop counts its iterations in a local and records them when it is left in whatever way;
- ``f(x)`` becomes ``(copy if f is last else site(f))(x)``: the callee is evaluated once, in its place. The
  copy is the instrumented copy of ``f`` if that is user code, else ``f`` itself.
"""

from __future__ import annotations

import ast
import itertools
import os
import sysconfig
import traceback
import types
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from janus_mlir import log
from janus_mlir.capture.reading.reader import FunctionSource, Unreadable, read_function
from janus_mlir.capture.reading.rebuild import close_over, compile_as
from janus_mlir.config import config
from janus_mlir.locations import Span
from janus_mlir.profile.data import BranchCounts, CalleeRecord, Profile
from janus_mlir.profile.history import CALLS, SAMPLES, History
from janus_mlir.profile.lattice import knowledge_of
from janus_mlir.profile.rewrite import HELPERS, READS_FRAME, Hooks, Sampled, rewrite

__all__ = ["instrument"]

_F = TypeVar("_F", bound=Callable[..., Any])


def _foreign_folders() -> Iterator[str]:
    paths = sysconfig.get_paths()
    for name in ("stdlib", "platstdlib", "purelib", "platlib"):
        yield paths[name]
    # A virtual environment's own paths do not include those of the Python that it was made from.
    yield os.path.dirname(os.__file__)
    yield os.path.dirname(os.path.dirname(__file__))


_FOREIGN = tuple({os.path.realpath(folder) + os.sep for folder in _foreign_folders()})


def _is_user_code(code: types.CodeType) -> bool:
    """Tell whether a function is the user's own: neither of the standard library nor installed."""
    filename = code.co_filename
    if filename.startswith("<frozen "):
        return False
    return not os.path.realpath(filename).startswith(_FOREIGN)


_NOTHING = object()


def _peek(counter: itertools.count[int]) -> int:
    """Return how often a counter that starts at 1 has counted, without counting."""
    return int(repr(counter)[len("count(") : -1]) - 1


@dataclass(frozen=True, slots=True)
class _Template:
    code: types.CodeType
    hooks: Hooks


_templates: weakref.WeakKeyDictionary[FunctionSource, _Template | None] = weakref.WeakKeyDictionary()


def _template(source: FunctionSource) -> _Template | None:
    if source not in _templates:
        _templates[source] = _make_template(source)
    return _templates[source]


def _make_template(source: FunctionSource) -> _Template | None:
    if source.scope.loads & READS_FRAME or source.renames:
        return None
    if not source.exact and any(isinstance(node, ast.Assert) for node in ast.walk(source.node)):
        # Failing assertions would not say what pytest makes them say.
        return None
    try:
        function, hooks = rewrite(source)
        return _Template(compile_as(source, function, HELPERS), hooks)
    except (SyntaxError, RecursionError):
        # Python bounds the nesting of blocks and expressions, and hooks add to it.
        return None
    except Exception as error:  # a defect of ours must never reach the user: the function runs as it is
        if config.debug:
            raise
        log.emit("profile", "".join(traceback.format_exception(error)))
        return None


class _Site:
    """Decides what a call in an instrumented function calls."""

    __slots__ = ("_copies", "_copy", "_function", "_index", "_instrumenter", "_last", "_record")

    def __init__(
        self,
        instrumenter: _Instrumenter,
        record: CalleeRecord,
        index: int,
        last: list[object],
        copies: list[object],
    ) -> None:
        self._instrumenter, self._record = instrumenter, record
        self._index, self._last, self._copies = index, last, copies
        # The method that was called last, and its copy.
        self._function: weakref.ref[object] | None = None
        self._copy: types.FunctionType | None = None

    def by_callee(self, callee: object) -> object:
        """Return what to call for `callee`."""
        replacement = self._instrumenter.replacement(callee, self._record)
        if _lives_on(callee):
            self._copies[self._index] = replacement
            self._last[self._index] = callee
        return replacement

    def by_type(self, callee: object, obj: object) -> object:
        """Return what to call for `callee`, an attribute of `obj`."""
        if type(callee) is types.MethodType and self._function is not None and self._copy is not None:
            function = callee.__func__
            if self._function() is function and id(function) not in self._instrumenter.saturated:
                return types.MethodType(self._copy, callee.__self__)
        replacement = self._instrumenter.replacement(callee, self._record)
        if replacement is callee and not isinstance(obj, types.ModuleType):
            # Nothing to replace: from now on methods of this type are called without asking.
            self._last[self._index] = type(obj)
        elif type(callee) is types.MethodType and type(replacement) is types.MethodType:
            copy = replacement.__func__
            if isinstance(copy, types.FunctionType):
                self._function, self._copy = weakref.ref(callee.__func__), copy
        return replacement


def _lives_on(callee: object) -> bool:
    """Tell whether keeping a callee keeps nothing else alive that might end before the profile does."""
    if isinstance(callee, types.FunctionType):
        return callee.__closure__ is None
    if isinstance(callee, types.BuiltinFunctionType):
        return callee.__self__ is None or isinstance(callee.__self__, types.ModuleType)
    return type(callee) is type


def _histories(profile: Profile, sampled: Sampled) -> list[History]:
    places: list[Span | str] = [*sampled.places, *sampled.names, *sampled.globals]
    return [profile.add_history(sampled.code, place) for place in places]


def _sampler(number: int, histories: list[History], quiet: list[bool]) -> Callable[..., object]:
    """Return the function that a hook gives its values to; it returns the last of them."""
    if len(histories) == 1:
        samples = histories[0].current

        def see_one(value: object) -> object:
            samples.append(knowledge_of(value))
            if len(samples) >= SAMPLES:
                quiet[number] = True
            return value

        return see_one

    lists = [history.current for history in histories]

    def see(*values: object) -> object:
        for samples, value in zip(lists, values, strict=True):
            samples.append(knowledge_of(value))
        if len(lists[-1]) >= SAMPLES:
            quiet[number] = True
        return values[-1]

    return see


class _Instrumenter:
    """Makes and keeps the instrumented copies of one profile."""

    def __init__(self, profile: Profile) -> None:
        self._profile = weakref.ref(profile)
        self._helpers: weakref.WeakKeyDictionary[FunctionSource, dict[str, object]] = (
            weakref.WeakKeyDictionary()
        )
        self._copies: weakref.WeakKeyDictionary[types.FunctionType, types.FunctionType] = (
            weakref.WeakKeyDictionary()
        )
        self._originals: weakref.WeakSet[types.FunctionType] = weakref.WeakSet()
        # Functions, by identity, that have been called often enough in the call that is going on.
        self.saturated: set[int] = set()
        self._decided: list[list[object]] = []
        profile.at_start(self._start)

    def _start(self) -> None:
        if self.saturated:
            self.saturated.clear()
            self._forget()

    def _forget(self) -> None:
        """Let all sites decide again what they call."""
        for last in self._decided:
            last[:] = [_NOTHING] * len(last)

    def saturate(self, fn: types.FunctionType) -> None:
        """Have `fn` itself called from now on, up to the end of the profiled call."""
        self.saturated.add(id(fn))
        self._forget()

    def copy_of(self, fn: types.FunctionType) -> types.FunctionType:
        """Return the instrumented copy of a function; the function itself if it is not to be instrumented."""
        known = self._copies.get(fn)
        if known is not None:
            return fn if id(fn) in self.saturated else known
        if fn in self._originals:
            return fn
        made = self._make(fn)
        if made is None:
            self._originals.add(fn)
            return fn
        self._copies[fn] = made
        self._originals.add(made)
        return made

    def _make(self, fn: types.FunctionType) -> types.FunctionType | None:
        profile = self._profile()
        if profile is None or not _is_user_code(fn.__code__):
            return None
        source = read_function(fn)
        if isinstance(source, Unreadable):
            return None
        template = _template(source)
        if template is None:
            return None
        helpers = self._helpers.get(source)
        if helpers is None:
            helpers = self._make_helpers(profile, template.hooks, fn)
            self._helpers[source] = helpers
        made = close_over(template.code, fn, helpers)
        made.__defaults__ = fn.__defaults__
        made.__kwdefaults__ = fn.__kwdefaults__
        made.__annotations__ = fn.__annotations__
        made.__dict__.update(fn.__dict__)
        return made

    def _make_helpers(self, profile: Profile, hooks: Hooks, fn: types.FunctionType) -> dict[str, object]:
        size = 2 * len(hooks.branches)
        counts = [0] * size
        counters = [itertools.count(1) for _ in range(size)]

        trips = [profile.add_loop(key, span) for key, span in hooks.loops]

        def reader(branch: int) -> Callable[[], BranchCounts]:
            def read() -> BranchCounts:
                slots = 2 * branch, 2 * branch + 1
                taken, missed = (counts[slot] + _peek(counters[slot]) for slot in slots)
                loop = hooks.whiles.get(branch)
                if loop is not None:
                    taken += sum(iterations * times for iterations, times in trips[loop].items())
                return BranchCounts(taken, missed)

            return read

        for number, (key, span) in enumerate(hooks.branches):
            profile.add_branch(key, span, reader(number))
        last: list[object] = [_NOTHING] * len(hooks.calls)
        self._decided.append(last)
        copies: list[object] = [None] * len(hooks.calls)
        sites: list[Callable[..., object]] = []
        for number, ((key, span), by_type) in enumerate(hooks.calls):
            site = _Site(self, profile.add_call(key, span), number, last, copies)
            sites.append(site.by_type if by_type else site.by_callee)
        quiet = [False] * len(hooks.values)
        groups = [_histories(profile, sampled) for sampled in hooks.values]
        profile.add_quiet(quiet, groups)
        see = [
            self._entry(number, sampled, histories, quiet, fn)
            if sampled.entry
            else _sampler(number, histories, quiet)
            for number, (sampled, histories) in enumerate(zip(hooks.values, groups, strict=True))
        ]
        values = (counts, counters, next, trips, type, last, copies, sites, quiet, see)
        return dict(zip(HELPERS, values, strict=True))

    def _entry(
        self,
        number: int,
        sampled: Sampled,
        histories: list[History],
        quiet: list[bool],
        fn: types.FunctionType,
    ) -> Callable[..., None]:
        """Return the function that the hook at the beginning of `fn` calls with the arguments."""
        lists = [history.current for history in histories]
        namespace, function = fn.__globals__, weakref.ref(fn)
        instrumenter = weakref.ref(self)
        first, calls = lists[0], 0

        def see(*values: object) -> None:
            nonlocal calls
            if len(first) < SAMPLES:
                calls = len(first)
                for samples, value in zip(lists, values, strict=False):
                    samples.append(knowledge_of(value))
                for samples, name in zip(lists[len(values) :], sampled.globals, strict=True):
                    if name in namespace:
                        samples.append(knowledge_of(namespace[name]))
            calls += 1
            if calls >= CALLS:
                quiet[number] = True
                mine, whole = instrumenter(), function()
                if mine is not None and whole is not None:
                    mine.saturate(whole)

        return see

    def replacement(self, callee: object, record: CalleeRecord) -> object:
        """Return what is called in place of `callee`, and record that."""
        if isinstance(callee, types.FunctionType):
            record.add(callee)
            return self.copy_of(callee)
        if isinstance(callee, types.MethodType):
            function = callee.__func__
            if isinstance(function, types.FunctionType):
                record.add(function)
                made = self.copy_of(function)
                return callee if made is function else types.MethodType(made, callee.__self__)
            record.add(type(callee))
            return callee
        if isinstance(callee, types.BuiltinFunctionType):
            record.add(_method_descriptor(callee))
            return callee
        if isinstance(callee, type):
            record.add(callee)
            return callee
        record.add(type(callee))
        call = _python_call(type(callee))
        if call is None:
            return callee
        made = self.copy_of(call)
        return callee if made is call else types.MethodType(made, callee)


def _method_descriptor(callee: types.BuiltinFunctionType) -> object:
    """Return the method itself for a bound builtin method."""
    owner = callee.__self__
    if owner is None or isinstance(owner, types.ModuleType):
        return callee
    for base in type(owner).__mro__:
        if callee.__name__ in base.__dict__:
            return base.__dict__[callee.__name__]
    return callee


def _python_call(cls: type) -> types.FunctionType | None:
    """Return the Python function behind the call of an object, if there is one."""
    for base in cls.__mro__:
        if "__call__" in base.__dict__:
            found = base.__dict__["__call__"]
            return found if isinstance(found, types.FunctionType) else None
    return None


_instrumenters: weakref.WeakKeyDictionary[Profile, _Instrumenter] = weakref.WeakKeyDictionary()


def instrument(fn: _F, profile: Profile) -> _F:
    """Return a copy of a function that records what it does into `profile`.

    User functions that it calls are replaced by their copies as they are called. What cannot be instrumented
    (no source, generators, functions of the standard library or installed packages, functions that look at
    their own frame) is returned, and called, as it is.

    Parameters
    ----------
    fn : function or bound method
        What to copy.
    profile : Profile
        Where to record; the same one gives the same copy.
    """
    instrumenter = _instrumenters.setdefault(profile, _Instrumenter(profile))
    made: Any = fn
    if isinstance(fn, types.FunctionType):
        made = instrumenter.copy_of(fn)
    elif isinstance(fn, types.MethodType) and isinstance(fn.__func__, types.FunctionType):
        made = types.MethodType(instrumenter.copy_of(fn.__func__), fn.__self__)
    return made  # type: ignore[no-any-return]
