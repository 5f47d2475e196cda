"""``explain()``: what is compiled, what was assumed, what is left to Python and why."""

from __future__ import annotations

import ast
import inspect
import linecache
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from janus_mlir.capture.reading.parsing import parse
from janus_mlir.locations import Span
from janus_mlir.reasons import reason
from janus_mlir.records import GuardLine, VersionRecord
from janus_mlir.report_html import report_html

if TYPE_CHECKING:
    from janus_mlir.versions import FunctionManager

__all__ = ["MARKS", "BreakLine", "GuardLine", "Listing", "Report", "SourceLine", "VersionLine", "make_report"]

#: Mark of a source line -> what it says.
MARKS = {
    "c": "compiled",
    "s": "compiled under an assumption",
    "p": "left to Python",
    "-": "not compiled: not reached so far",
}


@dataclass(frozen=True, slots=True)
class BreakLine:
    """A place that is left to Python."""

    code: str
    title: str
    detail: str
    hint: str
    span: Span | None

    def __str__(self) -> str:
        place = f"line {self.span.line}: " if self.span is not None else ""
        detail = f": {self.detail}" if self.detail else ""
        return f"{place}{self.code} {self.title}{detail}"


@dataclass(frozen=True, slots=True)
class VersionLine:
    """One compiled version."""

    number: int
    state: str
    hits: int
    inputs: int
    seconds: float
    guards: tuple[GuardLine, ...]


class SourceLine(NamedTuple):
    """A line of the user's source, with its mark (see `MARKS`) and what there is to say about it."""

    number: int
    text: str
    mark: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Listing:
    """The source of one function that is compiled, or of one that was compiled into it."""

    name: str
    place: str
    lines: tuple[SourceLine, ...]


@dataclass(slots=True)
class Report:
    """What `explain` has to say about a function; ``str`` of it is the report.

    Attributes
    ----------
    function, place : str
        Qualified name, and where it is.
    status : str
        One sentence: compiled, warming up, or left in Python and why.
    counters : dict of str to number
        As in ``stats``, and what was done to settle.
    seconds : dict of str to float
        Where the time went. That in guards, native code and effects is estimated from some of the calls.
    versions : list of VersionLine
        In use first, then retired ones.
    breaks : list of BreakLine
        Places left to Python, each with a stable code and a hint.
    failures : list of str
        Guards that failed: the argument by name, what was expected, what came.
    rests : list of Report
        Of what follows a statement that is left to Python, which is a compiled function of its own.
    source : list of SourceLine
        The function's own lines.
    inlined : list of Listing
        Functions that were compiled into it.
    first_line : int
        First line of what is compiled.
    """

    function: str
    place: str
    status: str
    counters: dict[str, float] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    versions: list[VersionLine] = field(default_factory=list)
    breaks: list[BreakLine] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    rests: list[Report] = field(default_factory=list)
    source: list[SourceLine] = field(default_factory=list)
    inlined: list[Listing] = field(default_factory=list)
    first_line: int = 0

    def __str__(self) -> str:
        head = [f"{self.function} ({self.place})", f"  {self.status}"]
        return "\n".join(head + self._body())

    def _body(self) -> list[str]:
        lines = ["  " + ", ".join(f"{name} {value:g}" for name, value in self.counters.items())]
        spent = [f"{name} {_duration(value)}" for name, value in self.seconds.items() if value]
        if spent:
            lines.append(f"  time: {', '.join(spent)}")
        for version in self.versions:
            lines.append(
                f"  version {version.number}: {version.state}, {version.hits} calls, {version.inputs} inputs, "
                f"compiled in {_duration(version.seconds)}"
            )
            for guard in version.guards:
                failed = f", failed {guard.failures}x" if guard.failures else ""
                where = f" (line {guard.span.line})" if guard.span is not None else ""
                lines.append(f"    assumes {guard.text}{where}: held {guard.hits}x{failed}")
        if self.failures:
            lines.append("  guard failures:")
            lines += [f"    {text}" for text in self.failures]
        if self.breaks:
            lines.append("  left to Python:")
            for item in self.breaks:
                lines += [f"    {item}", f"      hint: {item.hint}"]
        for rest in self.rests:
            lines.append(f"  the rest, from line {rest.first_line}: {rest.status}")
            lines += [f"    {line}" for line in rest._body()]
        if self.source:
            lines.append(f"  source ({', '.join(f'{mark} {text}' for mark, text in MARKS.items())}):")
            lines += _listing(self.source)
        for listing in self.inlined:
            lines.append(f"  compiled into it: {listing.name} ({listing.place})")
            lines += _listing(listing.lines)
        return lines

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return report_html(self)


def _duration(seconds: float) -> str:
    if seconds >= 1:
        return f"{seconds:.2f} s"
    return f"{1e3 * seconds:.3g} ms" if seconds >= 1e-3 else f"{1e6 * seconds:.3g} us"


def _listing(lines: Iterable[SourceLine]) -> list[str]:
    result = []
    for line in lines:
        result.append(f"  {line.mark:>2} {line.number:5} | {line.text}".rstrip())
        indent = len(line.text) - len(line.text.lstrip())
        result += [f"           | {' ' * indent}^ {note}" for note in line.notes]
    return result


def make_report(manager: FunctionManager) -> Report:
    """Return the report of a function."""
    report = _own_report(manager)
    rests = manager.rests
    for rest in rests:
        made = _own_report(rest)
        made.first_line = _first_line(rest)
        report.rests.append(made)
    report.rests.sort(key=lambda r: r.first_line)
    if getattr(manager.function, "__code__", None) is not None:
        _add_sources([manager, *rests], report)
    return report


def _own_report(manager: FunctionManager) -> Report:
    function = manager.function
    code = getattr(function, "__code__", None)
    place = f"{code.co_filename}:{code.co_firstlineno}" if code is not None else "built in"
    report = Report(getattr(function, "__qualname__", repr(function)), place, _status(manager))
    report.counters = _counters(manager)
    report.seconds = _seconds(manager)
    report.versions = [_version(v) for v in [*manager.versions, *manager.retired]]
    for note in [*manager.notes, *([manager.given_up] if manager.given_up is not None else [])]:
        known = reason(note.code)
        line = BreakLine(note.code, known.title, note.detail, known.hint, note.span)
        if line not in report.breaks:
            report.breaks.append(line)
    report.failures = [
        f"{f.count}x "
        + (f"{f.text}: expected {f.expected}, got {f.got}" if f.got else f"not so: {f.text} [{f.expected}]")
        + (f" (line {f.span.line})" if f.span else "")
        for f in manager.failures.values()
    ]
    return report


def _first_line(manager: FunctionManager) -> int:
    key = _key(manager)
    lines = {line for record in manager.versions for line in record.visited.get(key, ())}
    return min(lines - {key[1]}, default=key[1])


def _key(manager: FunctionManager) -> tuple[str, int, str]:
    code = manager.function.__code__
    return code.co_filename, code.co_firstlineno, code.co_qualname


def _counters(manager: FunctionManager) -> dict[str, float]:
    counters: dict[str, float] = {
        "calls": manager.calls,
        "compiled": manager.jit.compiled_calls,
        "guard failures": manager.guard_failures,
        "deopts": manager.deopts,
        "compilations": manager.compilations,
        "compile seconds": round(manager.compile_seconds, 3),
    }
    work = manager.work
    unusual = {
        "branches unpruned": work.flips,
        "arguments rejected": work.rejected,
        "times set aside": work.suspensions,
        "specialised anew": work.respecialised,
    }
    return counters | {name: value for name, value in unusual.items() if value}


def _seconds(manager: FunctionManager) -> dict[str, float]:
    own, jit = manager.seconds, manager.jit
    return {
        "profile": own.profile,
        "capture": own.capture,
        "compile": own.compile,
        "guards": 1e-9 * jit.guard_ns,
        "native code": 1e-9 * jit.native_ns,
        "effects and results": 1e-9 * jit.commit_ns,
        "deopts": own.deopt,
        "Python": own.python + 1e-9 * jit.python_ns,
    }


def _status(manager: FunctionManager) -> str:
    if manager.versions:
        more = "" if manager.given_up is None else f"; other calls stay in Python ({manager.given_up.code})"
        if manager.suspended:
            more = f"; set aside up to call {manager.work.resume_at}, because its guards failed too often"
        return f"compiled: {len(manager.versions)} version(s) in use{more}"
    if manager.given_up is not None:
        return f"stays in Python: {manager.given_up.code} {reason(manager.given_up.code).title}"
    return "warming up: not compiled yet"


def _version(record: VersionRecord) -> VersionLine:
    state = "in use" if not record.retired else f"retired ({record.retired})"
    if record.special and not record.retired:
        state = "in use, specialised anew for facts that have settled"
    return VersionLine(record.number, state, record.hits, record.inputs, record.seconds, record.guards)


# ---- the source, line by line ----------------------------------------------------------------------


def _add_sources(managers: list[FunctionManager], report: Report) -> None:
    own = _key(managers[0])
    linecache.checkcache(own[0])
    visited: dict[tuple[str, int, str], set[int]] = {}
    for manager in managers:
        for record in manager.versions:
            for key, lines in record.visited.items():
                visited.setdefault(key, set()).update(lines)
    report.source = list(_lines(report, own, visited.pop(own, set())))
    for key in sorted(visited):
        listing = _lines(report, key, visited[key])
        if listing:
            report.inlined.append(Listing(key[2], f"{key[0]}:{key[1]}", listing))


def _lines(report: Report, key: tuple[str, int, str], visited: set[int]) -> tuple[SourceLine, ...]:
    """Return the lines of a function, each with its mark."""
    filename, first, _ = key
    block = inspect.getblock(linecache.getlines(filename)[first - 1 :])
    assumed: dict[int, list[str]] = {}
    for version in report.versions:
        for guard in version.guards:
            if (
                guard.span is not None
                and guard.span.filename == filename
                and not version.state.startswith("ret")
            ):
                failed = f" (failed {guard.failures}x)" if guard.failures else ""
                assumed.setdefault(guard.span.line, []).append(f"assumes {guard.text}{failed}")
    left: dict[int, list[str]] = {}
    for item in (b for part in (report, *report.rests) for b in part.breaks):
        if item.span is not None and item.span.filename == filename:
            detail = f": {item.detail}" if item.detail else ""
            left.setdefault(item.span.line, []).append(f"{item.code} {item.title}{detail}. {item.hint}")
    result = []
    starts = _statements("".join(block))
    mark = ""
    for number, text in enumerate(block, first):
        start = starts.get(number - first)
        if start is None or not text.strip() or text.strip().startswith("#"):
            mark = ""
        elif start == number - first:
            mark = "c" if number in visited else "-" if visited else "p"
        if number in assumed and number not in left:
            mark = "s"
        notes: tuple[str, ...] = tuple(dict.fromkeys(assumed.get(number, ())))
        if number in left:
            mark, notes = "p", tuple(left[number])
        result.append(SourceLine(number, text.rstrip("\n"), mark, notes))
    return tuple(result)


def _statements(text: str) -> dict[int, int]:
    """Return, for each line of a function's body that has a statement, the line where that begins; from 0."""
    try:
        tree = parse(textwrap.dedent(text))
    except SyntaxError:
        return {}
    starts: dict[int, int] = {}
    for node in ast.walk(tree):
        for statement in getattr(node, "body", ()) if isinstance(node, ast.FunctionDef) else ():
            _add_statements(statement, starts)
    if not starts:
        # A lambda, somewhere in a statement of its own.
        return {line: 0 for line in range(len(text.splitlines()))}
    return starts


def _add_statements(node: ast.stmt, starts: dict[int, int]) -> None:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return
    inner = [child for child in ast.walk(node) if isinstance(child, ast.stmt) and child is not node]
    last = min((child.lineno - 1 for child in inner), default=node.end_lineno or node.lineno)
    for line in range(node.lineno, max(last, node.lineno) + 1):
        starts.setdefault(line - 1, node.lineno - 1)
    for child in inner:
        _add_statements(child, starts)
