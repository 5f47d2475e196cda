"""What a profile holds: branch counts, trip counts and callees, by place in the source."""

from __future__ import annotations

import types
import weakref
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from janus_mlir.locations import Span
from janus_mlir.profile.history import History

__all__ = ["BranchCounts", "CalleeRecord", "Callees", "CodeKey", "CodeLike", "Profile", "Trips", "code_key"]

CodeKey = tuple[str, int, str]
"""File name, first line and qualified name of a function."""

_MAX_CALLEES = 16


class CodeLike(Protocol):
    """What names the code that a place belongs to: `janus_mlir.capture.reading.code.Code` or a `FunctionSource`."""

    @property
    def filename(self) -> str:
        """As ``co_filename``."""

    @property
    def first_line(self) -> int:
        """As ``co_firstlineno``."""

    @property
    def qualname(self) -> str:
        """As ``co_qualname``."""


def code_key(code: CodeLike) -> CodeKey:
    """Return the key that `code` is profiled under."""
    return code.filename, code.first_line, code.qualname


@dataclass(frozen=True, slots=True)
class BranchCounts:
    """How often a condition was true and false."""

    taken: int
    not_taken: int


@dataclass(frozen=True, slots=True)
class Trips:
    """Trip counts of a loop, over its executions: iterations begun.

    Attributes
    ----------
    executions : int
        How often the loop was entered.
    min, max, total : int
        Of the iterations per execution.
    """

    executions: int
    min: int
    max: int
    total: int


@dataclass(frozen=True, slots=True)
class Callees:
    """What was called at a place.

    Attributes
    ----------
    seen : tuple
        Functions (of bound methods: the function), builtins and classes themselves; of other callables the
        type. Functions that nobody else keeps alive are left out.
    many : bool
        Whether there were more than are kept.
    """

    seen: tuple[object, ...]
    many: bool


class CalleeRecord:
    """The callees of one place, kept without keeping functions alive."""

    __slots__ = ("_seen", "many")

    def __init__(self) -> None:
        self._seen: dict[int, Callable[[], object | None]] = {}
        self.many = False

    def add(self, callee: object) -> None:
        """Note a callee."""
        known = self._seen.get(id(callee))
        if known is not None and known() is callee:
            return
        if len(self._seen) >= _MAX_CALLEES:
            self.many = True
            return
        if isinstance(callee, types.FunctionType):
            self._seen[id(callee)] = weakref.ref(callee)
        else:
            self._seen[id(callee)] = lambda: callee

    def __iter__(self) -> Iterator[object]:
        for reference in self._seen.values():
            callee = reference()
            if callee is not None:
                yield callee


class Profile:
    """What the instrumented calls of a function, and of the functions that it calls, have done."""

    def __init__(self) -> None:
        self._branches: dict[tuple[CodeKey, Span], list[Callable[[], BranchCounts]]] = {}
        self._trips: dict[tuple[CodeKey, Span], defaultdict[int, int]] = {}
        self._callees: dict[tuple[CodeKey, Span], CalleeRecord] = {}
        self._values: dict[tuple[CodeKey, Span | str], History] = {}
        self._quiet: list[tuple[list[bool], list[list[History]]]] = []
        self._starts: list[Callable[[], None]] = []

    # ---- what capture asks

    def branch(self, code: CodeLike, span: Span) -> BranchCounts | None:
        """Return the counts of the condition at `span`; None if it is not profiled.

        Parameters
        ----------
        code : Code
            The function that the condition stands in.
        span : Span
            The tested expression, as in `Branch.span`.
        """
        readers = self._branches.get((code_key(code), span))
        if readers is None:
            return None
        counts = [read() for read in readers]
        return BranchCounts(sum(c.taken for c in counts), sum(c.not_taken for c in counts))

    def trips(self, code: CodeLike, span: Span) -> Trips | None:
        """Return the trip counts of the loop statement at `span`; None if it is not profiled or never ran."""
        counts = self._trips.get((code_key(code), span))
        if not counts:
            return None
        total = sum(trips * executions for trips, executions in counts.items())
        return Trips(sum(counts.values()), min(counts), max(counts), total)

    def callees(self, code: CodeLike, span: Span) -> Callees | None:
        """Return what the call at `span` has called; None if it is not profiled or never ran."""
        record = self._callees.get((code_key(code), span))
        if record is None:
            return None
        seen = tuple(record)
        return Callees(seen, record.many) if seen or record.many else None

    def values(self, code: CodeLike, place: Span | str) -> History | None:
        """Return the values met at a place; None if it is not profiled or was never reached.

        Parameters
        ----------
        code : Code
            The function that the place is in.
        place : Span or str
            An attribute access or subscript, or the name of a parameter or global; ``"return"`` for results.
        """
        history = self._values.get((code_key(code), place))
        return history if history is not None and history.calls else None

    # ---- what instrumentation adds

    def begin_call(self) -> None:
        """Start a call: values that it meets belong together, and places that have had enough are asked again."""
        for start in self._starts:
            start()
        for quiet, groups in self._quiet:
            for number, histories in enumerate(groups):
                settled = False
                for history in histories:
                    if history.current:
                        history.end_call()
                        settled = history.settled
                if not settled:
                    quiet[number] = False

    def add_history(self, key: CodeKey, place: Span | str) -> History:
        """Return the record of the values of a place."""
        return self._values.setdefault((key, place), History())

    def at_start(self, start: Callable[[], None]) -> None:
        """Have `start` run at the beginning of each call."""
        self._starts.append(start)

    def add_quiet(self, quiet: list[bool], groups: list[list[History]]) -> None:
        """Register flags that silence hooks, and for each what its hook records into."""
        self._quiet.append((quiet, groups))

    def add_branch(self, key: CodeKey, span: Span, read: Callable[[], BranchCounts]) -> None:
        """Register a way to read the counts of a condition."""
        self._branches.setdefault((key, span), []).append(read)

    def add_loop(self, key: CodeKey, span: Span) -> defaultdict[int, int]:
        """Return the record of a loop: how many executions had how many iterations."""
        return self._trips.setdefault((key, span), defaultdict(int))

    def add_call(self, key: CodeKey, span: Span) -> CalleeRecord:
        """Return the record of a call."""
        return self._callees.setdefault((key, span), CalleeRecord())
