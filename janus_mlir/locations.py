"""Places in the user's source, and how to show them."""

from __future__ import annotations

import ast
import linecache
from dataclasses import dataclass

__all__ = ["Span", "caret_snippet", "span_of"]


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A range of the user's source, as Python's ``ast`` counts it.

    Attributes
    ----------
    filename : str
        As in ``code.co_filename``.
    line, end_line : int
        First and last line, from 1.
    col, end_col : int
        Offsets in UTF-8 bytes from the start of the line, from 0; `end_col` is exclusive.
    """

    filename: str
    line: int
    col: int
    end_line: int
    end_col: int

    def __str__(self) -> str:
        return f"{self.filename}:{self.line}:{self.col + 1}"


def span_of(node: ast.AST, filename: str) -> Span:
    """Return the span of an AST node that carries a location."""
    line = int(getattr(node, "lineno", 0))
    col = int(getattr(node, "col_offset", 0))
    end_line = getattr(node, "end_lineno", None)
    end_col = getattr(node, "end_col_offset", None)
    if end_line is None or end_col is None:
        end_line, end_col = line, col
    return Span(filename, line, col, int(end_line), int(end_col))


def _characters(text: str, byte_offset: int) -> int:
    return len(text.encode("utf-8")[:byte_offset].decode("utf-8", "ignore"))


def caret_snippet(span: Span) -> str:
    """Return the source line of `span` with carets under it, or ``""`` if the source is not at hand.

    The lines are indented the way Python's own tracebacks indent them.
    """
    text = linecache.getline(span.filename, span.line).rstrip("\r\n")
    stripped = text.lstrip()
    if not stripped:
        return ""
    margin = len(text) - len(stripped)
    start = max(_characters(text, span.col) - margin, 0)
    end = _characters(text, span.end_col) - margin if span.end_line == span.line else len(stripped.rstrip())
    carets = "^" * max(end - start, 1)
    return f"    {stripped}\n    {' ' * start}{carets}"
