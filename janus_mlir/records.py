"""What is kept of compiled versions and failed guards, for dispatch and for `explain`."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np

from janus_mlir._native import _runtime
from janus_mlir.capture.boundary.entry import Fact
from janus_mlir.capture.boundary.kinds import dtype_code
from janus_mlir.capture.boundary.site import Site, ValueSpec
from janus_mlir.capture.boundary.sources import Source
from janus_mlir.capture.capturing import Captured
from janus_mlir.compile import Compiled
from janus_mlir.locations import Span
from janus_mlir.profile.data import CodeKey
from janus_mlir.runtime.jax_arrays import make_wrap

__all__ = ["GuardFailure", "GuardLine", "OnExit", "VersionRecord", "describe"]

#: Called when native code is left at an exit: version, site, the site's function, objects, values.
OnExit = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class GuardLine:
    """An assumption of compiled code, in words, with what became of it.

    Attributes
    ----------
    text : str
        What is assumed, of what.
    span : Span or None
        Where the program relies on it.
    hits, failures : int
        How often it was checked and held, and how often not.
    entry : bool
        Whether it is checked before native code is entered, or within.
    """

    text: str
    span: Span | None
    hits: int
    failures: int
    entry: bool


@dataclass(slots=True)
class GuardFailure:
    """A guard that failed, for `explain`. `got` is empty for a guard within native code, which keeps no value."""

    text: str
    expected: str
    got: str
    span: Span | None
    count: int = 1


@dataclass(slots=True, eq=False)
class VersionRecord:
    """One compiled version and what is known about it.

    After it has been retired and its last call has left it, only the counters and `guards` are kept.
    """

    number: int
    captured: Captured | None
    native: Any
    #: Facts that were assumed anew because they had settled.
    special: frozenset[Any]
    inputs: int
    array_ops: int
    completes: bool
    #: Lines of the program that are compiled, by function.
    visited: dict[CodeKey, set[int]]
    #: Branches of which it has both sides, whatever the profile says.
    both: frozenset[Any]
    seconds: float = 0.0
    #: Failures of each entry fact, by index, and of each exit, by site.
    entry_failures: dict[int, int] = field(default_factory=dict)
    exit_counts: dict[int, int] = field(default_factory=dict)
    #: Calls and exits up to which frequent exits have been dealt with.
    judged_hits: int = 0
    judged_exits: dict[int, int] = field(default_factory=dict)
    retired: str = ""
    _guards: tuple[GuardLine, ...] = ()
    _hits: int = 0

    @classmethod
    def make(
        cls,
        number: int,
        captured: Captured,
        compiled: Compiled,
        on_exit: OnExit,
        special: frozenset[Any] = frozenset(),
    ) -> VersionRecord:
        """Make the native version of compiled code."""
        record = cls(
            number,
            captured,
            None,
            special,
            len(captured.graph.inputs),
            captured.array_ops,
            captured.completes,
            captured.visited,
            frozenset(captured.speculation.both),
        )
        record.native = _runtime.Version(
            compiled.address,
            captured.entry.slot_count,
            captured.entry.program(),
            captured.objects,
            [_native_site(record, site, on_exit) for site in captured.sites],
            compiled,
        )
        return record

    @property
    def hits(self) -> int:
        """Calls that entered the version."""
        return self._hits if self.native is None else int(self.native.hits)

    def fact(self, index: int) -> Fact | None:
        """Return what an instruction of the guard program stands for."""
        facts = self.captured.entry.facts if self.captured is not None else []
        return facts[index] if index < len(facts) else None

    def expected(self, index: int) -> Any:
        """Return the object (or length) that a guard compares with."""
        if self.captured is None or index >= len(self.captured.entry.instrs):
            return None
        op, *operands = self.captured.entry.instrs[index]
        return operands[1] if op in ("is", "eq", "len") else None

    def shapes(self, source: Source) -> Iterator[tuple[np.dtype[Any], tuple[Any, ...]]]:
        """Yield dtype and extents that the version knows of an array from outside."""
        found = self.captured.shapes.get(source) if self.captured is not None else None
        if found is not None:
            yield found

    @property
    def guards(self) -> tuple[GuardLine, ...]:
        """All assumptions of the version."""
        return self._guards if self.captured is None else tuple(self._guard_lines(self.captured))

    def _guard_lines(self, captured: Captured) -> Iterator[GuardLine]:
        seen: set[tuple[str, Span | None]] = set()
        entered = self.hits
        for index, fact in enumerate(captured.entry.facts):
            if fact.kind in ("present", "env") or fact.source is None:
                continue
            between = " " if fact.kind == "value" else ": "
            text = f"{fact.source.text}{between}{fact.expected}"
            failures = self.entry_failures.get(index, 0)
            if (text, None) in seen and not failures:
                continue
            seen.add((text, None))
            yield GuardLine(text, fact.span, entered, failures, True)
        for site in captured.sites:
            if site.kind != "exit" or site.reason.startswith("JN"):
                continue
            failures = self.exit_counts.get(site.id, 0)
            text = f"{site.text} [{site.reason}]"
            if (text, site.span) in seen and not failures:
                continue
            seen.add((text, site.span))
            yield GuardLine(text, site.span, max(entered - failures, 0), failures, False)

    def retire(self, why: str) -> None:
        """Keep of the version what `explain` shows, and let go of code and objects."""
        self._guards, self._hits, self.retired = self.guards, self.hits, why
        self.native = self.captured = None


def _native_site(record: VersionRecord, site: Site, on_exit: OnExit) -> tuple[Any, ...]:
    namespace = dict(site.constants)
    exec(compile(site.source, f"<janus site {site.id}>", "exec"), namespace)
    function = namespace["site"]
    if site.kind == "exit":
        function = functools.partial(on_exit, record, site, function)
    specs = [_native_spec(spec) for spec in site.specs]
    return (site.id, site.kind, specs, function, site.discard, site.fast)


def _native_spec(spec: ValueSpec) -> tuple[Any, ...]:
    if spec.kind == "jax":
        static = spec.shape if all(isinstance(e, int) for e in spec.shape) else None
        assert spec.dtype is not None
        return ("jax", dtype_code(spec.dtype), 0, make_wrap(static, spec.dtype, spec.weak))
    code = 0 if spec.dtype is None else dtype_code(spec.dtype)
    return (spec.kind, code, 0, None)


def describe(value: Any) -> str:
    """Return a short text for a value that a guard did not expect."""
    if isinstance(value, (np.ndarray, jax.Array)):
        return f"{'numpy' if isinstance(value, np.ndarray) else 'jax'} {value.dtype}{list(value.shape)}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return f"{value!r:.80}"
        except Exception as error:  # a user's __repr__ may fail; this is only for display
            return f"<{type(value).__name__}: {error}>"
