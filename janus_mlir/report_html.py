"""Reports as HTML: one self-contained fragment, for notebooks and ``python -m janus_mlir explain --html``."""

from __future__ import annotations

import html
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from janus_mlir.report import Report, SourceLine

__all__ = ["page", "report_html"]

_STYLE = """
.janus { font: 14px/1.45 system-ui, sans-serif; color: #222; background: #fff; padding: 0.5em 1em; }
.janus h3 { margin: 0.2em 0; font-size: 1.15em; }
.janus h4 { margin: 1em 0 0.2em; font-size: 1em; }
.janus .place { color: #777; font-weight: normal; font-size: 0.85em; }
.janus .status { font-weight: 600; }
.janus table { border-collapse: collapse; }
.janus td, .janus th { border: none; padding: 1px 10px 1px 0; text-align: left; vertical-align: top; }
.janus td.number { text-align: right; font-variant-numeric: tabular-nums; }
.janus .bad { color: #b3261e; }
.janus .bar { background: #7aa7d9; height: 0.7em; display: inline-block; }
.janus pre { margin: 0; font: 12.5px/1.4 ui-monospace, monospace; }
.janus .source div { white-space: pre; font: 12.5px/1.45 ui-monospace, monospace; padding-left: 0.5em; }
.janus .source .c { background: #e7f4e8; }
.janus .source .s { background: #fff4cc; }
.janus .source .p { background: #fbe2e0; }
.janus .source .u { background: #efefef; }
.janus .source .note { color: #666; white-space: pre-wrap; }
.janus .legend span { padding: 0 0.6em; margin-right: 0.6em; }
"""
_CLASSES = {"c": "c", "s": "s", "p": "p", "-": "u"}


def _text(value: object) -> str:
    return html.escape(str(value))


def _table(rows: Iterable[tuple[object, ...]]) -> str:
    cells = (
        "".join(f"<td{' class=number' if isinstance(c, (int, float)) else ''}>{_cell(c)}</td>" for c in row)
        for row in rows
    )
    return "<table>" + "".join(f"<tr>{row}</tr>" for row in cells) + "</table>"


def _cell(value: object) -> str:
    return f"{value:,g}" if isinstance(value, (int, float)) else _text(value)


def _times(seconds: dict[str, float]) -> str:
    total = sum(seconds.values())
    rows = "".join(
        f"<tr><td>{_text(name)}</td><td class=number>{1e3 * value:,.3g} ms</td>"
        f'<td><span class=bar style="width:{200 * value / total:.0f}px"></span></td></tr>'
        for name, value in seconds.items()
        if value
    )
    return f"<h4>Time</h4><table>{rows}</table>" if rows else ""


def _source(lines: Iterable[SourceLine]) -> str:
    rows = []
    for line in lines:
        style = _CLASSES.get(line.mark, "")
        rows.append(f'<div class="{style}">{line.number:5}  {_text(line.text)}</div>')
        indent = len(line.text) - len(line.text.lstrip())
        rows += [f'<div class="note {style}">{" " * (7 + indent)}{_text(note)}</div>' for note in line.notes]
    return f"<div class=source>{''.join(rows)}</div>"


def _details(report: Report) -> str:
    """Return what is left to Python, what failed, and what each version assumes."""
    parts: list[str] = []
    if report.breaks:
        rows = [
            (f"line {b.span.line}" if b.span else "", b.code, f"{b.title}: {b.detail}", b.hint)
            for b in report.breaks
        ]
        parts.append("<h4>Left to Python</h4>" + _table(rows))
    if report.failures:
        items = "".join(f"<li>{_text(text)}</li>" for text in report.failures)
        parts.append(f"<h4>Guard failures</h4><ul class=bad>{items}</ul>")
    for version in report.versions:
        head = f"version {version.number}: {version.state}, {version.hits:,} calls, {version.inputs} inputs"
        rows = [("assumes", "line", "held", "failed")]
        table = _table(
            [
                *rows,
                *((g.text, g.span.line if g.span else "", g.hits, g.failures) for g in version.guards),
            ]
        )
        parts.append(f"<details><summary>{_text(head)}</summary>{table}</details>")
    return "".join(parts)


def report_html(report: Report) -> str:
    """Return a report as an HTML fragment that brings its own style; all text of the program is escaped."""
    from janus_mlir.report import MARKS

    parts = [f"<h3>{_text(report.function)} <span class=place>{_text(report.place)}</span></h3>"]
    parts.append(f"<div class=status>{_text(report.status)}</div>")
    parts.append(_table([tuple(report.counters), tuple(report.counters.values())]))
    if report.source:
        legend = "".join(
            f'<span style="" class="{_CLASSES[mark]}">{_text(text)}</span>' for mark, text in MARKS.items()
        )
        parts.append(f'<h4>Source</h4><div class="legend source">{legend}</div>{_source(report.source)}')
    for listing in report.inlined:
        title = f"{_text(listing.name)} <span class=place>{_text(listing.place)}</span>"
        parts.append(
            f"<details><summary>compiled into it: {title}</summary>{_source(listing.lines)}</details>"
        )
    parts.append(_details(report))
    for rest in report.rests:
        head = f"the rest, from line {rest.first_line}: {rest.status}"
        counters = _table([tuple(rest.counters), tuple(rest.counters.values())])
        parts.append(f"<details><summary>{_text(head)}</summary>{counters}{_details(rest)}</details>")
    parts.append(_times(report.seconds))
    return f"<div class=janus><style>{_STYLE}</style>{''.join(parts)}</div>"


def page(title: str, fragments: Iterable[str]) -> str:
    """Return a whole HTML page of reports."""
    body = "<hr>".join(fragments)
    return f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{_text(title)}</title><body>{body}</body></html>\n'
