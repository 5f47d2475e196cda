"""The life of one jitted function: warm-up, compilation, versions, what happens when a guard fails.

`janus_mlir.policy` decides; here it is carried out.
"""

from __future__ import annotations

import threading
import time
import traceback
import types
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from janus_mlir import binding, log, policy
from janus_mlir._native import _runtime
from janus_mlir.accounts import Seconds
from janus_mlir.capture.boundary.entry import Fact
from janus_mlir.capture.boundary.frames import Link, go_on, take_step
from janus_mlir.capture.boundary.site import Site
from janus_mlir.capture.boundary.sources import Argument, Source
from janus_mlir.capture.breaks import Break
from janus_mlir.capture.capturing import Captured, capture, parameter_names
from janus_mlir.capture.function import FunctionContext, context_of
from janus_mlir.capture.machine import BreakNote
from janus_mlir.capture.reading.resume import ResumeTemplate
from janus_mlir.capture.speculation import Speculation
from janus_mlir.compile import compile_graph, crash_report
from janus_mlir.config import config
from janus_mlir.emit.errors import EmitError
from janus_mlir.errors import CaptureError, CompileError
from janus_mlir.locations import Span
from janus_mlir.profile.data import Profile
from janus_mlir.profile.history import History
from janus_mlir.profile.instrument import instrument
from janus_mlir.reasons import reason_line
from janus_mlir.records import GuardFailure, VersionRecord, describe
from janus_mlir.settling import Settling

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
        #: Makes a Janus function (given `idle_steps`) of the rest of this one.
        self.make_jit: Callable[[Any, int], Any]
        #: Of the rest of another function: statements left to Python since compiled code has done some work.
        self.idle_steps = 0
        self._context: FunctionContext | None = None
        # Guards the lists and counters below; never held while the user's code or the compiler runs.
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
        #: What follows statements that are left to Python, as Janus functions of their own.
        self.continuations: dict[ResumeTemplate, Any] = {}
        self.retired: list[VersionRecord] = []
        self.failures: dict[tuple[str, str], GuardFailure] = {}
        self.notes: list[BreakNote] = []
        self.given_up: BreakNote | None = None
        self.guard_failures = 0
        self.deopts = 0
        self.seconds = Seconds()
        self.work = policy.Compilations()
        #: Whether compiled code is set aside for a while.
        self.suspended = False
        self._numbers = 0
        self._instrumented: Callable[..., Any] | None = None
        self._warm_calls = 0
        self._arguments: dict[Source, History] = {}
        self._learned = False
        self._hits_before: dict[int, int] = {}
        #: Whether a version failed only because arguments share memory or are one object.
        self._aliased = False
        self._overlaps = 0
        self._settling = Settling(self)

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
            self.jit.disabled = self.jit.settled = False

    # ---- calls that the dispatcher could not serve ----------------------------------------------

    @property
    def calls(self) -> int:
        """All calls that users made."""
        return int(self.jit.calls) - self.redispatched

    @property
    def compilations(self) -> int:
        """How often the function was compiled."""
        return self.work.done

    @property
    def compile_seconds(self) -> float:
        """Time spent on capture and compilation."""
        return self.seconds.capture + self.seconds.compile

    def on_miss(self, args: tuple[Any, ...], kwargs: dict[str, Any] | None) -> Any:
        """Serve a call to which no compiled version applies."""
        named = kwargs or {}
        if config.disable or self.given_up is not None:
            return self._python(args, named)
        with self._lock:
            busy = self._compiling or self.work.pausing(self.calls)
            warm = self._warm_calls >= (config.warmup if self.warmup is None else self.warmup)
            if not busy and not warm:
                self._warm_calls += 1
        if busy or binding.is_traced((args, named)):
            return self._python(args, named)
        if not warm:
            return self._profiled_call(args, named)
        if not self._take_up_again() and self._compile_for(args, named) is None:
            return self._python(args, named)
        with self._lock:
            self.redispatched += 1
        return self.jit(*args, **named)

    def _python(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        with self.seconds.spent_on("python"):
            return self.function(*args, **kwargs)

    def _profiled_call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        with self.seconds.spent_on("profile"):
            if self._instrumented is None:
                self._instrumented = instrument(self.function, self.profile)
            self.profile.begin_call()
            self._observe(args, kwargs)
            return self._instrumented(*args, **kwargs)

    @property
    def rests(self) -> list[FunctionManager]:
        """The functions of what follows statements that are left to Python, and of what follows within these."""
        found: list[FunctionManager] = []
        for jit in list(self.continuations.values()):
            rest: FunctionManager = jit.companion.manager
            found += [rest, *rest.rests]
        return found

    def bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any] | None:
        """Return the arguments in slot order, None if they do not fit the signature."""
        return binding.bind(self.function, self.context().code.params, args, kwargs)

    def call_form(self, slots: list[Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Turn arguments in slot order back into the form of a call."""
        return binding.call_form(self.context().code.params, slots)

    def context(self) -> FunctionContext:
        """Return the function as capture sees it (raises `Break` if it has no readable source)."""
        if self._context is None:
            context = context_of(self.function)
            if context.source.suspends:
                raise Break("JN105", f"`{context.code.name}` is a generator")
            self._context = context
        return self._context

    def _observe(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Note which numbers and extents of the arguments vary between calls."""
        try:
            slots = self.bind(args, kwargs)
            names = parameter_names(self.context())
        except Break:
            return
        for i, (name, value) in enumerate(zip(names, slots or (), strict=False)):
            history = self._arguments.setdefault(Argument(i, name), History())
            history.see(value)
            history.end_call()

    # ---- compilation --------------------------------------------------------------------------------

    @contextmanager
    def exclusive(self) -> Iterator[bool]:
        """Keep others from compiling the function; False if another call is at it."""
        with self._lock:
            mine = not self._compiling
            self._compiling = True
        try:
            yield mine
        finally:
            if mine:
                self._compiling = False

    def _compile_for(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> VersionRecord | None:
        with self.exclusive() as mine:
            if not mine:
                return None
            before = self.speculation.copy()
            try:
                slots = self.bind(args, kwargs)
                if slots is None:
                    return None
                self._observe(args, kwargs)
                for source, history in self._arguments.items():
                    policy.learn_argument(self.speculation, source, history, warm=not self._learned)
                self._learned = True
                before = self.speculation.copy()
                outdated = self._learn(args, kwargs, slots)
                if self._aliased and self._overlaps >= policy.MAX_REJECTIONS:
                    return None
                if not self._make_room(outdated):
                    self.speculation = before
                    return None
                return self._compile(slots, before, outdated)
            except CaptureError:
                raise
            except Break as reason:
                self._reject(BreakNote(reason.reason_code, reason.detail, None, False), before)
            except EmitError as error:
                self._reject(BreakNote(error.code, error.subject, None, False), before)
            except CompileError as error:
                self._give_up(error.code, str(error), None)
            except (RecursionError, MemoryError) as error:
                # Of this call, perhaps, not of the function: try again later.
                self.speculation = before
                if not self.work.wait(self.calls):
                    self._crash(error, args, kwargs)
            except Exception as error:  # a defect of ours must never reach the user: Python runs the function
                if config.debug:
                    raise
                self._crash(error, args, kwargs)
            return None

    def _crash(self, error: Exception, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Leave the function alone after an unforeseen error."""
        code = self.function.__code__
        place = f"{code.co_filename}:{code.co_firstlineno}"
        arguments = [describe(a) for a in args] + [f"{k}={describe(v)}" for k, v in kwargs.items()]
        where = crash_report(self.function.__qualname__, place, arguments, error)
        log.emit("compile", "".join(traceback.format_exception(error)))
        self._give_up("JN702", f"{type(error).__name__}: {error}; {where}", None)

    def _capture(self, slots: list[Any]) -> Captured:
        """Capture the function; where symbolic extents or run-time numbers stand in the way, without them."""
        general = self.speculation
        best: tuple[Captured, Speculation] | None = None
        failure: Break | None = None

        def attempts() -> Iterator[Speculation]:
            yield from policy.candidates(general)
            if not self.versions and (best is None or not self._useful(best[0])):
                yield from policy.last_resort(general)

        start = time.perf_counter()
        with self.seconds.spent_on("capture"):
            for candidate in attempts():
                slow = time.perf_counter() - start > policy.CAPTURE_SECONDS
                if slow and (best is not None or failure is not None):
                    break
                try:
                    captured = capture(self.context(), slots, candidate, self.profile)
                except Break as reason:
                    failure = failure or reason
                    if policy.python_is_as_good(reason.reason_code):
                        break
                    continue
                if best is None or self._merit(captured) > self._merit(best[0]):
                    best = captured, candidate
                if not captured.notes:
                    break
        if best is None:
            assert failure is not None
            log.emit("capture", f"{self.function.__qualname__}: not captured: {failure}")
            raise failure
        self.speculation = best[1]
        if log.enabled("capture"):
            self._log_capture(best[0], time.perf_counter() - start)
        return best[0]

    def _log_capture(self, captured: Captured, seconds: float) -> None:
        name = self.function.__qualname__
        counts = f"{len(captured.graph.inputs)} inputs, {captured.array_ops} array operations"
        facts = len(captured.entry.facts)
        log.emit("capture", f"{name}: {counts}, {facts} facts, {1e3 * seconds:.1f} ms")
        for note in captured.notes:
            log.emit(
                "capture", f"{name}: left to Python at {note.span}: {reason_line(note.code, note.detail)}"
            )

    def _compile(
        self, slots: list[Any], before: Speculation, outdated: list[tuple[VersionRecord, str]]
    ) -> VersionRecord | None:
        start = time.perf_counter()
        self.work.count(self.calls)
        captured = self._capture(slots)
        if self.strict and captured.notes:
            note = captured.notes[0]
            raise CaptureError(note.code, note.detail, note.span, function=self.function.__qualname__)
        served = any(v.completes for v in self.versions)
        if not captured.completes and (served or not self._useful(captured)):
            never = BreakNote("JN505", "no way through the function returns", None, False)
            self._reject(captured.notes[-1] if captured.notes else never, before)
            return None
        record = self.native(captured, start)
        with self._lock:
            self.notes = captured.notes or self.notes
            for old, why in outdated:
                if self.speculation.generalises(before):
                    self._retire(old, why)
            self.add(record)
        args, kwargs = self.call_form(slots)
        if not record.native.check(args, kwargs):
            index = record.native.explain_failure(args, kwargs)
            fact = record.fact(index) if index is not None else None
            if fact is not None and fact.kind == "alias":
                # Good for arguments that share no memory, and for those only.
                self._overlaps += 1
                if len(self.versions) > 1:
                    self._retire(record, "its arguments share memory")
                return None
            self._retire(record, "does not fit its own arguments")
            self._give_up("JN702", f"a version does not fit its own arguments: {fact}", None)
            return None
        self._settling.watch(before)
        return record

    def native(
        self, captured: Captured, start: float, special: frozenset[Any] = frozenset()
    ) -> VersionRecord:
        """Compile what was captured; `start` is when that began."""
        with self.seconds.spent_on("compile"):
            compiled = compile_graph(captured.graph, symbols=_runtime.abi_symbols())
            self._numbers += 1
            record = VersionRecord.make(self._numbers, captured, compiled, self._on_exit, special)
        record.seconds = time.perf_counter() - start
        return record

    def add(self, record: VersionRecord) -> None:
        """Use a version, before all others."""
        with self._lock:
            self.versions.append(record)
            self.publish(record)

    def publish(self, front: VersionRecord | None = None) -> None:
        """Hand the versions to the dispatcher: `front`, then the others in order of use, new ones last."""
        mine = [v.native for v in self.versions]
        first = [front.native] if front is not None else []
        for native in (*self.jit.versions, *mine):
            if native in mine and native not in first:
                first.append(native)
        self.jit.set_versions(tuple(first))

    def _retire(self, record: VersionRecord, why: str) -> None:
        with self._lock:
            if record in self.versions:
                self.versions.remove(record)
                self.publish()
                record.retire(why)
                self.retired.append(record)

    def _give_up(self, code: str, detail: str, span: Span | None) -> None:
        if self.strict:
            raise CaptureError(code, detail, span, function=self.function.__qualname__)
        with self._lock:
            self.given_up = BreakNote(code, detail, span, False)
            # The dispatcher need not ask any more, nor look where there is nothing.
            self.jit.settled, self.jit.disabled = True, not self.versions
        log.emit("deopts", f"{self.function.__qualname__} stays in Python: {code} {detail}")

    def _reject(self, note: BreakNote, before: Speculation) -> None:
        """A version for these arguments is of no use; versions that serve other arguments stay."""
        self.speculation = before
        if not self.work.reject() or not self.versions:
            self._give_up(note.code, note.detail, note.span)
        else:
            self.notes = [*self.notes, note]

    def _make_room(self, outdated: list[tuple[VersionRecord, str]]) -> bool:
        """Drop a version that is not used any more for the one to come; False if there is to be none."""
        if self.work.exhausted() or self.seconds.capture > policy.MAX_CAPTURE_SECONDS:
            self._too_many()
            return False
        if len(self.versions) - len(outdated) < config.max_versions:
            return True
        hits = {v.number: v.hits for v in self.versions}
        looked, self._hits_before = self._hits_before, hits
        idle = policy.least_useful(hits, looked)
        if policy.pointless(hits) or (idle is None and not self.work.wait(self.calls)):
            self._too_many()
        elif idle is not None:
            self._retire(next(v for v in self.versions if v.number == idle), "not used any more")
            return True
        return False

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
        args, kwargs = self.call_form(slots)
        self._aliased = False
        for record in list(self.versions):
            index = record.native.explain_failure(args, kwargs)
            if index is None:
                continue
            self.guard_failures += 1
            record.entry_failures[index] = record.entry_failures.get(index, 0) + 1
            fact = record.fact(index)
            if fact is None:
                continue
            self._aliased = self._aliased or fact.kind == "alias"
            try:
                got = fact.source.fetch(slots) if fact.source is not None else None
            except Exception as error:  # the object is not there any more: that is what the guard says
                got = error
            name = fact.source.text if fact.source else ""
            self._count_failure(name, fact.expected, describe(got), fact.span)
            if fact.source is None or record.special:
                continue
            if self._relax(fact, record.expected(index), got):
                outdated.append((record, f"generalised: {name} varies"))
                if fact.kind in ("array", "length", "value"):
                    self._relax_others(record, fact, slots)
        return outdated

    def _relax(self, fact: Fact, expected: Any, got: Any) -> bool:
        source = fact.source
        assert source is not None
        shapes = (shape for v in self.versions for shape in v.shapes(source))
        return policy.relax(self.speculation, fact.kind, source, expected, got, shapes)

    def _relax_others(self, record: VersionRecord, failed: Fact, slots: list[Any]) -> None:
        """Generalise what else differs in this call: a batch without its labels would fit nothing."""
        facts = record.captured.entry.facts if record.captured is not None else []
        for index, fact in enumerate(facts):
            if fact.kind != failed.kind or fact.source is None or failed.source is None:
                continue
            try:
                got = fact.source.fetch(slots)
            except Exception:  # the object is not there any more: the guard will say so when it comes to that
                continue
            if policy.moves_along(fact.kind, fact.source, failed.source, record.expected(index), got):
                self._relax(fact, None, got)

    def _count_failure(self, text: str, expected: str, got: str, span: Span | None) -> None:
        if log.enabled("guards"):
            name = self.function.__qualname__
            log.emit("guards", f"{name}: {text}: expected {expected}, got {got or 'not'}")
        with self._lock:
            found = self.failures.get((text, expected))
            if found is None:
                self.failures[text, expected] = GuardFailure(text, expected, got, span)
            else:
                found.count += 1
                found.got = got

    def _on_exit(
        self, record: VersionRecord, site: Site, function: Callable[..., Any], o: Any, *values: Any
    ) -> Any:
        """Go on in Python from an exit of compiled code."""
        start = time.perf_counter()
        with self._lock:
            record.exit_counts[site.id] = record.exit_counts.get(site.id, 0) + 1
            self.deopts += 1
            self.guard_failures += not site.reason.startswith("JN")
        if not site.reason.startswith("JN"):
            self._count_failure(site.text, site.reason, "", site.span)
        if log.enabled("deopts"):
            log.emit("deopts", f"{self.function.__qualname__}: {site.reason} {site.text} at {site.span}")
        if config.stress is None:
            self._after_exit(record, site)
        if site.detour is not None:
            frame = function(o, *values)
            return self._timed(start, take_step, site.detour, frame, self._continuation)
        if not site.resume:
            return self._timed(start, self._restart, o)
        return self._timed(start, go_on, site.resume, function(o, *values))

    def _continuation(self, link: Link) -> Callable[..., Any]:
        """Return the Janus function of the rest of this one after a statement left to Python."""
        with self._lock:
            found = self.continuations.get(link.template)
            if found is None:
                idle = 0 if any(v.array_ops for v in self.versions) else self.idle_steps + 1
                found = self.continuations[link.template] = self.make_jit(link.function, idle)
            result: Callable[..., Any] = found
        return result

    def _timed(self, start: float, function: Callable[..., Any], *args: Any) -> Any:
        """Run what is left of a call in Python; the way out of native code began at `start`."""
        self.seconds.deopt += time.perf_counter() - start
        with self.seconds.spent_on("python"):
            return function(*args)

    def _after_exit(self, record: VersionRecord, site: Site) -> None:
        """See whether compiled code is to be left less often."""
        with self._lock:
            if record.retired:
                return
            if site.constant is not None:
                self.speculation.live.varying.add(site.constant)
                self._retire(record, "a number that was always the same is another")
                return
            place = (site.span, site.text)
            if site.reason == "type" and policy.may_look_again(self.speculation.live.surprises, place):
                self._retire(record, "an object is of a kind not seen before")
                return
            if policy.learn_overflow(self.speculation, site.wide, record.exit_counts[site.id]):
                self._retire(record, "an int goes beyond 64 bits")
                return
            if site.grows and policy.give_more_room(self.speculation):
                self._retire(record, "a list needs more room")
                return
            if site.branch is not None and site.branch not in record.both:
                if site.branch not in self.speculation.both:
                    self.work.flip(self.speculation, site.branch)
                self._retire(record, "a branch goes both ways")
                if self.given_up is not None and self.given_up.code == "JN601" and not self.work.exhausted():
                    # There is room again, for the version that takes its place.
                    self.given_up = None
                    self.jit.settled = self.jit.disabled = False
                return
            exits = record.exit_counts[site.id] - record.judged_exits.get(site.id, 0)
            entries = record.hits - record.judged_hits
            if site.reason.startswith("JN") or not policy.leaves_too_often(exits, entries):
                return
            record.judged_exits, record.judged_hits = dict(record.exit_counts), record.hits
            if self.work.suspend(self.calls):
                self.suspended = True
                self.jit.set_versions(())
                log.emit(
                    "deopts", f"{self.function.__qualname__}: set aside up to call {self.work.resume_at}"
                )
                return
            self._retire(record, "its guards fail too often")
            if not self.versions:
                self._give_up("JN602", f"{site.text} fails too often", site.span)

    def _take_up_again(self) -> bool:
        """Use compiled code again that was set aside, if there is any."""
        with self._lock:
            if not self.suspended:
                return False
            self.suspended = False
            self.publish()
            return bool(self.versions)

    def _restart(self, o: tuple[Any, ...]) -> Any:
        args, kwargs = self.call_form(list(o[: len(parameter_names(self.context()))]))
        return self.function(*args, **kwargs)

    def _merit(self, captured: Captured) -> tuple[bool, bool, bool, int, int]:
        """Rank captures of the function under different assumptions."""
        whole = not any(policy.is_cut_short(note.code) for note in captured.notes)
        return captured.completes, self._useful(captured), whole, -len(captured.notes), captured.array_ops

    def _useful(self, captured: Captured) -> bool:
        """Whether some of the function's work is compiled, or may be after a statement left to Python."""
        if captured.completes or (captured.array_ops > 0 and any(n.resumes for n in captured.notes)):
            return True
        return policy.may_step(self.idle_steps) and any(s.detour is not None for s in captured.sites)
