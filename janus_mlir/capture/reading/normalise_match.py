"""``match`` statements to three-address code."""

from __future__ import annotations

import ast

from janus_mlir.capture.reading.code import (
    Binary,
    BuildDict,
    Compare,
    DelItem,
    GetItem,
    Length,
    MatchClass,
    MatchKeys,
    MatchMapping,
    MatchSequence,
    Move,
    UnpackSequence,
    Var,
)
from janus_mlir.capture.reading.normalise_base import Label
from janus_mlir.capture.reading.normalise_control import ControlCompiler

__all__ = ["MatchCompiler"]


def _is_wildcard(pattern: ast.pattern) -> bool:
    return isinstance(pattern, ast.MatchAs) and pattern.pattern is None and pattern.name is None


class MatchCompiler(ControlCompiler):
    """Compiles patterns.

    Names are bound when the whole pattern has matched and before the guard is evaluated, as in Python.
    """

    def match_statement(self, node: ast.Match) -> None:
        """Compile a ``match`` statement."""
        statement = self.stmt
        subject = self.expr(node.subject)
        if not subject.startswith("%"):
            subject = self.put(Move, node.subject, subject)
        end = self.label()
        for case in node.cases:
            failed = self.label()
            captures: dict[str, Var] = {}
            self._pattern(case.pattern, subject, failed, captures)
            for name, value in captures.items():
                self.store_name(case.pattern, name, value)
            if case.guard is not None:
                passed = self.label()
                self.condition(case.guard, passed, failed, "match")
                self.place(passed)
            self.block(case.body)
            self.stmt = statement
            self.jump(node, end)
            self.place(failed)
        self.place(end)

    def _test(self, node: ast.pattern, result: Var, failed: Label) -> None:
        passed = self.label()
        self.branch(node, result, passed, failed, "match")
        self.place(passed)

    def _not_none(self, node: ast.pattern, value: Var, failed: Label) -> None:
        none = self.const(node, None)
        self._test(node, self.put(Compare, node, "is_not", value, none), failed)

    def _pattern(self, node: ast.pattern, subject: Var, failed: Label, captures: dict[str, Var]) -> None:
        match node:
            case ast.MatchValue(value):
                self._test(node, self.put(Compare, node, "eq", subject, self.expr(value)), failed)
            case ast.MatchSingleton(value):
                self._test(node, self.put(Compare, node, "is_", subject, self.const(node, value)), failed)
            case ast.MatchAs(None, name):
                if name is not None:
                    captures[name] = subject
            case ast.MatchAs(pattern, name):
                assert pattern is not None and name is not None
                self._pattern(pattern, subject, failed, captures)
                captures[name] = subject
            case ast.MatchOr(patterns):
                self._alternatives(node, patterns, subject, failed, captures)
            case ast.MatchSequence(patterns):
                self._sequence(node, patterns, subject, failed, captures)
            case ast.MatchMapping():
                self._mapping(node, subject, failed, captures)
            case ast.MatchClass():
                self._class(node, subject, failed, captures)
            case _:
                raise self.unsupported("JN209", f"pattern {type(node).__name__}")

    def _alternatives(
        self,
        node: ast.pattern,
        patterns: list[ast.pattern],
        subject: Var,
        failed: Label,
        captures: dict[str, Var],
    ) -> None:
        done = self.label()
        merged: dict[str, Var] = {}
        for index, pattern in enumerate(patterns):
            following = failed if index == len(patterns) - 1 else self.label()
            own: dict[str, Var] = {}
            self._pattern(pattern, subject, following, own)
            # All alternatives bind the same names; each puts its value into a common temporary.
            for name, value in own.items():
                self.move(pattern, merged.setdefault(name, self.temporary()), value)
            self.jump(pattern, done)
            if following != failed:
                self.place(following)
        self.place(done)
        captures.update(merged)

    def _sequence(
        self,
        node: ast.pattern,
        patterns: list[ast.pattern],
        subject: Var,
        failed: Label,
        captures: dict[str, Var],
    ) -> None:
        self._test(node, self.put(MatchSequence, node, subject), failed)
        stars = [index for index, pattern in enumerate(patterns) if isinstance(pattern, ast.MatchStar)]
        star = stars[0] if stars else None
        minimum = len(patterns) - len(stars)
        only_wildcards = all(
            _is_wildcard(p) or (isinstance(p, ast.MatchStar) and p.name is None) for p in patterns
        )
        if not (star is not None and minimum == 0):
            length = self.put(Length, node, subject)
            comparison = "eq" if star is None else "ge"
            result = self.put(Compare, node, comparison, length, self.const(node, minimum))
            self._test(node, result, failed)
        if only_wildcards:
            return
        star_pattern = None if star is None else patterns[star]
        if star is not None and isinstance(star_pattern, ast.MatchStar) and star_pattern.name is None:
            # Python takes single items here and never builds the list that no name gets.
            for index, pattern in enumerate(patterns):
                if index == star or _is_wildcard(pattern):
                    continue
                if index < star:
                    position = self.const(pattern, index)
                else:
                    length = self.put(Length, pattern, subject)
                    distance = self.const(pattern, len(patterns) - index)
                    position = self.put(Binary, pattern, "sub", length, distance)
                self._pattern(pattern, self.put(GetItem, pattern, subject, position), failed, captures)
            return
        variables = tuple(self.temporary() for _ in patterns)
        self.emit(UnpackSequence, node, variables, subject, star)
        for pattern, variable in zip(patterns, variables, strict=True):
            if isinstance(pattern, ast.MatchStar):
                if pattern.name is not None:
                    captures[pattern.name] = variable
            else:
                self._pattern(pattern, variable, failed, captures)

    def _mapping(self, node: ast.MatchMapping, subject: Var, failed: Label, captures: dict[str, Var]) -> None:
        self._test(node, self.put(MatchMapping, node, subject), failed)
        if not node.keys and node.rest is None:
            return
        if node.keys:
            length = self.put(Length, node, subject)
            result = self.put(Compare, node, "ge", length, self.const(node, len(node.keys)))
            self._test(node, result, failed)
        keys = tuple(self.operands(node.keys))
        values = self.put(MatchKeys, node, subject, keys)
        self._not_none(node, values, failed)
        variables = tuple(self.temporary() for _ in keys)
        self.emit(UnpackSequence, node, variables, values, None)
        rest = None
        if node.rest is not None:
            # Python copies the mapping before it matches the values.
            rest = self.put(BuildDict, node, ((None, subject),))
            for key in keys:
                self.emit(DelItem, node, rest, key)
        for pattern, variable in zip(node.patterns, variables, strict=True):
            self._pattern(pattern, variable, failed, captures)
        if node.rest is not None and rest is not None:
            captures[node.rest] = rest

    def _class(self, node: ast.MatchClass, subject: Var, failed: Label, captures: dict[str, Var]) -> None:
        cls = self.expr(node.cls)
        count = len(node.patterns)
        values = self.put(MatchClass, node, subject, cls, count, tuple(node.kwd_attrs))
        self._not_none(node, values, failed)
        patterns = [*node.patterns, *node.kwd_patterns]
        variables = tuple(self.temporary() for _ in patterns)
        self.emit(UnpackSequence, node, variables, values, None)
        for pattern, variable in zip(patterns, variables, strict=True):
            if not _is_wildcard(pattern):
                self._pattern(pattern, variable, failed, captures)
