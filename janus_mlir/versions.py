"""The life of one jitted function: warm-up, compilation, versions, what happens when a guard fails."""

from __future__ import annotations

import functools
import threading
import time
import types
import warnings
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np

from janus_mlir import log
from janus_mlir._native import _runtime
from janus_mlir.capture.breaks import Break
from janus_mlir.capture.capturing import Captured, capture, parameter_names
from janus_mlir.capture.entry import Fact
from janus_mlir.capture.function import FunctionContext, context_of
from janus_mlir.capture.machine import BreakNote
from janus_mlir.capture.objects import dtype_code
from janus_mlir.capture.resume import UNBOUND
from janus_mlir.capture.sites import Site, ValueSpec
from janus_mlir.capture.sources import Argument, Source
from janus_mlir.capture.speculation import Speculation
from janus_mlir.compile import Compiled, compile_graph
from janus_mlir.config import config
from janus_mlir.errors import CaptureError, CompileError
from janus_mlir.locations import Span
from janus_mlir.profile.data import Profile
from janus_mlir.profile.instrument import instrument
from janus_mlir.runtime.jax_arrays import make_wrap

#: Recompilations after which a function that never settles is left alone.
_MAX_COMPILATIONS = 24
#: Arguments that cannot be compiled for, after which no more are tried.
_MAX_REJECTIONS = 3


@dataclass(slots=True, eq=False)
class VersionRecord:
    """One compiled version and what is known about it."""

    number: int
    captured: Captured
    compiled: Compiled
    native: Any
    facts: list[Fact]
    seconds: float
    #: Failures of each entry fact, by index, and of each exit, by site.
    entry_failures: dict[int, int] = field(default_factory=dict)
    exit_counts: dict[int, int] = field(default_factory=dict)
    retired: str = ""


@dataclass(slots=True)
class GuardFailure:
    """A guard that failed, for `explain`. `got` is empty for a guard within native code, which keeps no value."""

    text: str
    expected: str
    got: str
    span: Span | None
    count: int = 1


_managers: weakref.WeakSet[FunctionManager] = weakref.WeakSet()


def all_managers() -> list[FunctionManager]:
    """Return the managers of all jitted functions that are alive, by place in the source."""
    return sorted(
        _managers, key=lambda m: (m.function.__code__.co_filename, m.function.__code__.co_firstlineno)
    )


class FunctionManager:
    """Decides, call by call, between profiling, compiling, compiled code and plain Python."""

    def __init__(
        self, function: types.FunctionType, *, strict: bool, warmup: int | None, static: tuple[str, ...] = ()
    ) -> None:
        self.function = function
        self.static = static
        self.strict = strict
        self.warmup = warmup
        self.jit: Any = None
        self._context: FunctionContext | None = None
        self._lock = threading.RLock()
        self._compiling = False
        # Calls that went through the dispatcher a second time, after compilation.
        self.redispatched = 0
        self._start()
        if isinstance(function, types.FunctionType):
            _managers.add(self)
        unknown = set(static) - set(self._parameters())
        if unknown:
            raise ValueError(f"static_argnames names no parameter of the function: {sorted(unknown)}")

    def _start(self) -> None:
        self.profile = Profile()
        self.speculation = Speculation(unroll_limit=config.unroll_limit)
        for i, name in enumerate(self._parameters()):
            if name in self.static:
                self.speculation.constant.add(Argument(i, name))
        self.versions: list[VersionRecord] = []
        self.retired: list[VersionRecord] = []
        self.failures: dict[tuple[str, str], GuardFailure] = {}
        self.notes: list[BreakNote] = []
        self.given_up: BreakNote | None = None
        self.guard_failures = 0
        self.deopts = 0
        self.compile_seconds = 0.0
        self.compilations = 0
        self._instrumented: Callable[..., Any] | None = None
        self._warm_calls = 0
        self._seen: dict[Source, Any] = {}
        self._values: dict[Source, set[Any]] = {}
        self._rejections = 0
        #: Whether a version failed only because arguments share memory or are one object.
        self._aliased = False
        self._overlaps = 0

    def _parameters(self) -> list[str]:
        try:
            return parameter_names(self.context())
        except Break:
            return []

    def reset(self) -> None:
        """Forget compiled versions, profile and counters."""
        with self._lock:
            self._start()
            self.jit.set_versions(())
            self.jit.disabled = False

    # ---- calls that the dispatcher could not serve ----------------------------------------------

    @property
    def calls(self) -> int:
        """All calls that users made."""
        return int(self.jit.calls) - self.redispatched

    def on_miss(self, args: tuple[Any, ...], kwargs: dict[str, Any] | None) -> Any:
        """Serve a call to which no compiled version applies."""
        named = kwargs or {}
        if config.disable or self.given_up is not None:
            return self._python(args, named)
        with self._lock:
            busy = self._compiling
            warm = self._warm_calls >= (config.warmup if self.warmup is None else self.warmup)
            if not busy and not warm:
                self._warm_calls += 1
        if busy or _traced((args, named)):
            return self._python(args, named)
        if not warm:
            return self._profiled_call(args, named)
        version = self._compile_for(args, named)
        if version is None:
            return self._python(args, named)
        with self._lock:
            self.redispatched += 1
        return self.jit(*args, **named)

    def _python(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return self.function(*args, **kwargs)

    def _profiled_call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if self._instrumented is None:
            self._instrumented = instrument(self.function, self.profile)
        self._observe(args, kwargs)
        return self._instrumented(*args, **kwargs)

    def bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any] | None:
        """Return the arguments in slot order, None if they do not fit the signature."""
        context = self.context()
        params = context.code.params
        positional = [*params.posonly, *params.pos_or_kw]
        rest = dict(kwargs)
        slots: list[Any] = []
        defaults = self.function.__defaults__ or ()
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
            elif name in (self.function.__kwdefaults__ or {}):
                slots.append((self.function.__kwdefaults__ or {})[name])
            else:
                return None
        if params.kwarg is not None:
            slots.append(rest)
        elif rest:
            return None
        return slots

    def context(self) -> FunctionContext:
        """Return the function as capture sees it (raises `Break` if it has no readable source)."""
        if self._context is None:
            self._context = context_of(self.function)
        return self._context

    def _observe(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Note which numbers and extents of the arguments vary between warm-up calls."""
        try:
            slots = self.bind(args, kwargs)
            names = parameter_names(self.context())
        except Break:
            return
        for i, (name, value) in enumerate(zip(names, slots or (), strict=False)):
            self._note(Argument(i, name), value)

    def _note(self, source: Source, value: Any) -> None:
        if type(value) in (int, float, bool):
            seen: Any = value
        elif isinstance(value, (np.ndarray, jax.Array)) and not isinstance(value, jax.core.Tracer):
            seen = (type(value), value.dtype, value.shape)
        else:
            return
        self._note_value(source, seen)
        before = self._seen.setdefault(source, seen)
        if type(before) is not type(seen) or before == seen:
            return
        if not isinstance(seen, tuple):
            self.speculation.dynamic.add(source)
        elif before[:2] == seen[:2] and len(before[2]) == len(seen[2]):
            changed = (i for i, (a, b) in enumerate(zip(before[2], seen[2], strict=True)) if a != b)
            self.speculation.extents.update((source, axis) for axis in changed)

    def _note_value(self, source: Source, value: Any) -> None:
        """Note whether an int or truth value takes the same value again."""
        if type(value) is bool:
            self.speculation.repeating.add(source)
        elif type(value) is int:
            values = self._values.setdefault(source, set())
            if value in values:
                self.speculation.repeating.add(source)
            values.add(value)

    # ---- compilation --------------------------------------------------------------------------------

    @contextmanager
    def _exclusive(self) -> Iterator[bool]:
        with self._lock:
            mine = not self._compiling
            self._compiling = True
        try:
            yield mine
        finally:
            if mine:
                self._compiling = False

    def _compile_for(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> VersionRecord | None:
        with self._exclusive() as mine:
            if not mine:
                return None
            try:
                slots = self.bind(args, kwargs)
                if slots is None:
                    return None
                for i, (name, value) in enumerate(zip(parameter_names(self.context()), slots, strict=True)):
                    self._note_value(Argument(i, name), value)
                before = self.speculation.copy()
                outdated = self._learn(args, kwargs, slots)
                if self._aliased and self._overlaps >= _MAX_REJECTIONS:
                    return None
                if self.compilations >= _MAX_COMPILATIONS or len(self.versions) >= config.max_versions:
                    self._too_many()
                    return None
                return self._compile(slots, before, outdated)
            except CaptureError:
                raise
            except Break as reason:
                self._reject(BreakNote(reason.reason_code, reason.detail, None, False), before)
            except CompileError as error:
                self._give_up("JN701", str(error), None)
            except Exception as error:  # a defect of ours must never reach the user: Python runs the function
                log.emit("capture", f"internal error in {self.function.__qualname__}: {error!r}")
                if config.debug:
                    raise
                self._give_up("JN702", f"{type(error).__name__}: {error}", None)
            return None

    def _capture(self, slots: list[Any]) -> Captured:
        """Capture the function; where symbolic extents or run-time numbers stand in the way, without them."""
        general = self.speculation
        best: tuple[Captured, Speculation] | None = None
        failure: Break | None = None
        candidates = [general, general.with_fixed_extents(), general.with_constants(general.repeating)]
        for position, candidate in enumerate([*candidates, general.with_constants(general.dynamic)]):
            last_resort = position == len(candidates)
            if candidate is None or (last_resort and (self.versions or (best and _useful(best[0])))):
                continue
            try:
                captured = capture(self.context(), slots, candidate, self.profile)
            except Break as reason:
                failure = failure or reason
                continue
            if best is None or _merit(captured) > _merit(best[0]):
                best = captured, candidate
            if not captured.notes:
                break
        if best is None:
            assert failure is not None
            raise failure
        self.speculation = best[1]
        return best[0]

    def _compile(
        self, slots: list[Any], before: Speculation, outdated: list[tuple[VersionRecord, str]]
    ) -> VersionRecord | None:
        start = time.perf_counter()
        self.compilations += 1
        captured = self._capture(slots)
        if self.strict and captured.notes:
            note = captured.notes[0]
            raise CaptureError(note.code, note.detail, note.span, function=self.function.__qualname__)
        served = any(v.captured.completes for v in self.versions)
        if not captured.completes and (served or not _useful(captured)):
            self._reject(captured.notes[-1], before)
            return None
        self.notes = captured.notes or self.notes
        args, kwargs = self._call_form(slots)
        compiled = compile_graph(captured.graph, symbols=_runtime.abi_symbols())
        record = self._make_version(captured, compiled)
        record.seconds = time.perf_counter() - start
        self.compile_seconds += record.seconds
        for old, why in outdated:
            if self.speculation.generalises(before):
                self._retire(old, why)
        self.versions.append(record)
        self._publish()
        if not record.native.check(args, kwargs):
            index = record.native.explain_failure(args, kwargs)
            fact = record.facts[index] if index is not None and index < len(record.facts) else None
            if fact is not None and fact.kind == "alias":
                # Good for arguments that share no memory, and for those only.
                self._overlaps += 1
                if len(self.versions) > 1:
                    self._retire(record, "its arguments share memory")
                return None
            self._retire(record, "does not fit its own arguments")
            self._give_up("JN702", f"a version does not fit its own arguments: {fact}", None)
            return None
        return record

    def _make_version(self, captured: Captured, compiled: Compiled) -> VersionRecord:
        number = len(self.versions) + len(self.retired) + 1
        record = VersionRecord(number, captured, compiled, None, captured.entry.facts, 0.0)
        record.native = _runtime.Version(
            compiled.address,
            captured.entry.slot_count,
            captured.entry.program(),
            captured.objects,
            [self._native_site(record, site) for site in captured.sites],
            compiled,
        )
        return record

    def _native_site(self, record: VersionRecord, site: Site) -> tuple[Any, ...]:
        namespace = dict(site.constants)
        exec(compile(site.source, f"<janus site {site.id}>", "exec"), namespace)
        function = namespace["site"]
        if site.kind == "exit":
            function = functools.partial(self._on_exit, record, site, function)
        specs = [_native_spec(spec) for spec in site.specs]
        return (site.id, site.kind, specs, function, site.discard, site.fast)

    def _publish(self) -> None:
        self.jit.set_versions(tuple(v.native for v in self.versions))

    def _retire(self, record: VersionRecord, why: str) -> None:
        if record in self.versions:
            record.retired = why
            self.versions.remove(record)
            self.retired.append(record)
            self._publish()

    def _give_up(self, code: str, detail: str, span: Span | None) -> None:
        if self.strict:
            raise CaptureError(code, detail, span, function=self.function.__qualname__)
        self.given_up = BreakNote(code, detail, span, False)
        log.emit("deopts", f"{self.function.__qualname__} stays in Python: {code} {detail}")

    def _reject(self, note: BreakNote, before: Speculation) -> None:
        """A version for these arguments is of no use; versions that serve other arguments stay."""
        self.speculation = before
        self._rejections += 1
        if not self.versions or self._rejections > _MAX_REJECTIONS:
            self._give_up(note.code, note.detail, note.span)
        else:
            self.notes = [*self.notes, note]

    def _too_many(self) -> None:
        """The bound on versions is reached: what is compiled stays, other calls run in Python."""
        if self.given_up is None:
            self._give_up("JN601", f"{len(self.versions)} versions, {self.compilations} compilations", None)

    # ---- guards --------------------------------------------------------------------------------------

    def _learn(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], slots: list[Any]
    ) -> list[tuple[VersionRecord, str]]:
        """Find out why no version applies, and assume less where that helps; return versions to be replaced."""
        outdated: list[tuple[VersionRecord, str]] = []
        args, kwargs = self._call_form(slots)
        self._aliased = False
        for record in list(self.versions):
            index = record.native.explain_failure(args, kwargs)
            if index is None:
                continue
            self.guard_failures += 1
            record.entry_failures[index] = record.entry_failures.get(index, 0) + 1
            if index >= len(record.facts):
                continue
            fact = record.facts[index]
            self._aliased = self._aliased or fact.kind == "alias"
            try:
                got = fact.source.fetch(slots) if fact.source is not None else None
            except Exception as error:  # the object is not there any more: that is what the guard says
                got = error
            self._count_failure(
                fact.source.text if fact.source else "", fact.expected, _describe(got), fact.span
            )
            if self._generalise(fact, got, slots):
                outdated.append((record, f"generalised: {fact.source.text if fact.source else ''} varies"))
        return outdated

    def _count_failure(self, text: str, expected: str, got: str, span: Span | None) -> None:
        found = self.failures.get((text, expected))
        if found is None:
            self.failures[text, expected] = GuardFailure(text, expected, got, span)
        else:
            found.count += 1
            found.got = got

    def _generalise(self, fact: Fact, got: Any, slots: list[Any]) -> bool:
        source = fact.source
        if source is None:
            return False
        facts = self.speculation
        if fact.kind == "value" and type(got) in (int, float):
            if source in facts.constant or source in facts.dynamic:
                return False
            facts.dynamic.add(source)
            return True
        if fact.kind == "array" and isinstance(got, (np.ndarray, jax.Array)):
            return self._generalise_shape(source, got)
        return False

    def _generalise_shape(self, source: Source, got: Any) -> bool:
        changed = False
        for record in self.versions:
            known = record.captured.shapes.get(source)
            if known is None or len(known[1]) != got.ndim or known[0] != np.dtype(got.dtype):
                continue
            for axis, (old, new) in enumerate(zip(known[1], got.shape, strict=True)):
                facts = self.speculation
                if (source, axis) in facts.extents or (source, axis) in facts.fixed:
                    continue
                if isinstance(old, int) and old != new:
                    self.speculation.extents.add((source, axis))
                    changed = True
        return changed

    def _on_exit(
        self, record: VersionRecord, site: Site, function: Callable[..., Any], o: Any, *values: Any
    ) -> Any:
        """Go on in Python from an exit of compiled code."""
        record.exit_counts[site.id] = record.exit_counts.get(site.id, 0) + 1
        if site.reason.startswith("JN"):
            self.deopts += 1
        else:
            self.guard_failures += 1
            self.deopts += 1
            self._count_failure(site.text, site.reason, "", site.span)
        if log.enabled("deopts"):
            log.emit("deopts", f"{self.function.__qualname__}: {site.reason} {site.text} at {site.span}")
        if config.stress is None:
            self._after_exit(record, site)
        if site.resume is None:
            return self._restart(o)
        frame, iterators = function(o, *values)
        resume, names = site.resume
        return resume(*(frame.get(name, UNBOUND) for name in names), *iterators)

    def _after_exit(self, record: VersionRecord, site: Site) -> None:
        count = record.exit_counts[site.id]
        if site.branch is not None and site.branch not in self.speculation.both:
            self.speculation.both.add(site.branch)
            self._retire(record, "a branch goes both ways")
        elif site.discard and count > config.max_deopts and 2 * count > record.native.hits:
            self._retire(record, "its guards fail too often")
            if not self.versions:
                self._give_up("JN602", f"{site.text} fails too often", site.span)

    def _restart(self, o: tuple[Any, ...]) -> Any:
        args, kwargs = self._call_form(list(o[: len(parameter_names(self.context()))]))
        return self.function(*args, **kwargs)

    def _call_form(self, slots: list[Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Turn arguments in slot order back into the form of a call."""
        params = self.context().code.params
        positional = len(params.posonly) + len(params.pos_or_kw)
        args, rest = slots[:positional], slots[positional:]
        if params.vararg is not None:
            args.extend(rest.pop(0))
        kwargs = dict(zip(params.kwonly, rest, strict=False))
        if params.kwarg is not None:
            kwargs.update(rest[-1])
        return tuple(args), kwargs


def _merit(captured: Captured) -> tuple[bool, bool, int, int]:
    """Rank captures of a function under different assumptions."""
    return captured.completes, _useful(captured), -len(captured.notes), captured.array_ops


def _useful(captured: Captured) -> bool:
    """Whether some of the function's work is compiled."""
    return captured.completes or (captured.array_ops > 0 and any(n.resumes for n in captured.notes))


def _traced(arguments: Any) -> bool:
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


def _native_spec(spec: ValueSpec) -> tuple[Any, ...]:
    if spec.kind == "jax":
        static = spec.shape if all(isinstance(e, int) for e in spec.shape) else None
        assert spec.dtype is not None
        return ("jax", dtype_code(spec.dtype), 0, make_wrap(static, spec.dtype, spec.weak))
    code = 0 if spec.dtype is None else dtype_code(spec.dtype)
    return (spec.kind, code, 0, None)


def _describe(value: Any) -> str:
    if isinstance(value, (np.ndarray, jax.Array)):
        return f"{'numpy' if isinstance(value, np.ndarray) else 'jax'} {value.dtype}{list(value.shape)}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return f"{value!r:.80}"
        except Exception as error:  # a user's __repr__ may fail; this is only for display
            return f"<{type(value).__name__}: {error}>"
