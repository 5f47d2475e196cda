"""``explain()``: what is compiled, what was assumed, what is left to Python and why."""

from __future__ import annotations

import html
import inspect
import linecache
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from janus_mlir.locations import Span
from janus_mlir.reasons import reason
from janus_mlir.records import GuardLine, VersionRecord

if TYPE_CHECKING:
    from janus_mlir.versions import FunctionManager


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


@dataclass(slots=True)
class Report:
    """What `explain` has to say about a function; ``str`` of it is the report.

    Attributes
    ----------
    function : str
        Qualified name.
    status : str
        One sentence: compiled, warming up, or left in Python and why.
    versions : list of VersionLine
        In use first, then retired ones.
    breaks : list of BreakLine
        Places left to Python, each with a stable code and a hint.
    failures : list of str
        Guards that failed: the argument by name, what was expected, what came.
    """

    function: str
    place: str
    status: str
    counters: dict[str, float] = field(default_factory=dict)
    versions: list[VersionLine] = field(default_factory=list)
    breaks: list[BreakLine] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    source: list[tuple[int, str, str]] = field(default_factory=list)

    def __str__(self) -> str:
        lines = [f"{self.function} ({self.place})", f"  {self.status}"]
        lines.append("  " + ", ".join(f"{name} {value:g}" for name, value in self.counters.items()))
        for version in self.versions:
            lines.append(
                f"  version {version.number}: {version.state}, {version.hits} calls, {version.inputs} inputs, "
                f"compiled in {1e3 * version.seconds:.0f} ms"
            )
            for guard in version.guards:
                failed = f"  (failed {guard.failures}x)" if guard.failures else ""
                lines.append(f"    assumes {guard.text}{failed}")
        if self.failures:
            lines.append("  guard failures:")
            lines += [f"    {text}" for text in self.failures]
        if self.breaks:
            lines.append("  left to Python:")
            for item in self.breaks:
                lines += [f"    {item}", f"      hint: {item.hint}"]
        if self.source:
            lines.append("  source:")
            lines += [f"  {mark:>2} {number:5} | {text}" for number, text, mark in self.source]
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        colours = {"c": "#e6f4e6", "s": "#fff6d6", "p": "#fbe3e3"}
        rows = "".join(
            f'<div style="background:{colours.get(mark, "none")};white-space:pre">{number:5}  {html.escape(text)}</div>'
            for number, text, mark in self.source
        )
        head = html.escape(
            str(
                Report(
                    self.function,
                    self.place,
                    self.status,
                    self.counters,
                    self.versions,
                    self.breaks,
                    self.failures,
                )
            )
        )
        return f'<pre>{head}</pre><div style="font-family:monospace">{rows}</div>'


def make_report(manager: FunctionManager) -> Report:
    """Return the report of a function."""
    function = manager.function
    code = getattr(function, "__code__", None)
    place = f"{code.co_filename}:{code.co_firstlineno}" if code is not None else "built in"
    report = Report(getattr(function, "__qualname__", repr(function)), place, _status(manager))
    report.counters = {
        "calls": manager.calls,
        "compiled": manager.jit.compiled_calls,
        "guard failures": manager.guard_failures,
        "deopts": manager.deopts,
        "compilations": manager.compilations,
        "compile seconds": round(manager.compile_seconds, 3),
    }
    report.versions = [_version(v) for v in [*manager.versions, *manager.retired]]
    notes = [*manager.notes] + ([manager.given_up] if manager.given_up is not None else [])
    for note in notes:
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
    report.source = _source_lines(manager, report)
    return report


def _status(manager: FunctionManager) -> str:
    if manager.versions:
        more = "" if manager.given_up is None else f"; other calls stay in Python ({manager.given_up.code})"
        return f"compiled: {len(manager.versions)} version(s) in use{more}"
    if manager.given_up is not None:
        return f"stays in Python: {manager.given_up.code} {reason(manager.given_up.code).title}"
    return "warming up: not compiled yet"


def _version(record: VersionRecord) -> VersionLine:
    state = "in use" if not record.retired else f"retired ({record.retired})"
    return VersionLine(record.number, state, record.hits, record.inputs, record.seconds, record.guards)


def _source_lines(manager: FunctionManager, report: Report) -> list[tuple[int, str, str]]:
    """Return the source with a mark per line: compiled, speculated or left to Python."""
    code = getattr(manager.function, "__code__", None)
    if code is None:
        return []
    try:
        lines, first = inspect.getsourcelines(manager.function)
    except (OSError, TypeError):
        return []
    speculated = {
        g.span.line
        for v in report.versions
        for g in v.guards
        if g.span and g.span.filename == code.co_filename
    }
    python = {b.span.line for b in report.breaks if b.span and b.span.filename == code.co_filename}
    compiled = bool(manager.versions)
    result = []
    for offset, text in enumerate(lines):
        number = first + offset
        mark = "p" if number in python or not compiled else "s" if number in speculated else "c"
        result.append((number, text.rstrip("\n"), mark if text.strip() else ""))
    linecache.checkcache(code.co_filename)
    return result
