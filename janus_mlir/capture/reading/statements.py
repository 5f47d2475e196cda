"""The numbering of a function's statements and loops, shared by everything that refers to them."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from janus_mlir.capture.reading.code import Statement
from janus_mlir.capture.reading.reader import FunctionSource
from janus_mlir.locations import span_of

__all__ = ["Numbering", "number_statements", "sub_blocks"]


@dataclass(frozen=True, slots=True)
class Numbering:
    """Statements in pre-order, with the ids of statement nodes and loops."""

    statements: tuple[Statement, ...]
    ids: dict[ast.stmt, int]
    loop_count: int


def sub_blocks(statement: ast.stmt) -> list[tuple[str, list[ast.stmt]]]:
    """Return the statement lists within a statement of the same function, with what they are.

    The kinds are ``body``, ``orelse``, ``finally``, ``handler``, ``with`` and ``case``.
    """
    match statement:
        case ast.If() | ast.For() | ast.While() | ast.AsyncFor():
            return [("body", statement.body), ("orelse", statement.orelse)]
        case ast.With() | ast.AsyncWith():
            return [("with", statement.body)]
        case ast.Try():
            handlers = [("handler", handler.body) for handler in statement.handlers]
            return [
                ("body", statement.body),
                *handlers,
                ("orelse", statement.orelse),
                ("finally", statement.finalbody),
            ]
        case ast.TryStar():
            handlers = [("handler", handler.body) for handler in statement.handlers]
            return [
                ("with", statement.body),
                *handlers,
                ("handler", statement.orelse),
                ("handler", statement.finalbody),
            ]
        case ast.Match():
            return [("case", case.body) for case in statement.cases]
        case _:
            return []


class _Numberer:
    def __init__(self, filename: str) -> None:
        self.filename = filename
        self.statements: list[Statement] = []
        self.ids: dict[ast.stmt, int] = {}
        self.loop_count = 0

    def block(
        self, statements: list[ast.stmt], parent: int | None, loops: tuple[int, ...], resumable: bool
    ) -> None:
        for node in statements:
            number = len(self.statements)
            self.ids[node] = number
            loop = None
            if isinstance(node, ast.For | ast.While):
                loop = self.loop_count
                self.loop_count += 1
            statement = Statement(
                id=number,
                span=span_of(node, self.filename),
                parent=parent,
                kind=type(node).__name__,
                loops=loops,
                loop=loop,
                resumable=resumable,
                node=node,
            )
            self.statements.append(statement)
            for kind, block in sub_blocks(node):
                inner = loops
                if kind == "body" and isinstance(node, ast.For) and loop is not None:
                    inner = (*loops, loop)
                self.block(block, number, inner, resumable and kind in ("body", "orelse", "case"))


def number_statements(source: FunctionSource) -> Numbering:
    """Number the statements of a function in pre-order."""
    numberer = _Numberer(source.filename)
    numberer.block(source.body, None, (), True)
    return Numbering(tuple(numberer.statements), numberer.ids, numberer.loop_count)
