"""Where a captured path can end, and how to tell the ways apart at run time."""

from __future__ import annotations

from dataclasses import dataclass

from janus_mlir.capture.graph import BOOL, INT, Builder, Value
from janus_mlir.capture.state import State, Where


@dataclass(frozen=True, slots=True)
class Scope:
    """Positions at which `run` stops: points (joins of forks) and the borders of loops."""

    parent: Scope | None
    depth: int
    pc: int
    loop: frozenset[int] | None = None
    #: Whether it is the middle of an instruction to which a call returns.
    inline: bool = False

    def stops(self, where: Where) -> bool:
        depth, pc = where
        scope: Scope | None = self
        while scope is not None:
            # An exception or a generator's item leaves the frame from anywhere.
            if depth < scope.depth or (scope.inline and depth == scope.depth):
                return True
            if scope.depth == depth and (pc == scope.pc or (scope.loop is not None and pc not in scope.loop)):
                return True
            scope = scope.parent
        return False


@dataclass(slots=True)
class Outcomes:
    """The positions at which a piece of code may end, with the state there.

    With two ways and a BOOL `select`, true means the first; otherwise `select` is the index as INT. No way at all
    means that the function has been left on every path.
    """

    ways: list[tuple[Where, State]]
    select: Value | None = None

    def get(self, where: Where) -> State | None:
        for position, state in self.ways:
            if position == where:
                return state
        return None

    def index(self, where: Where) -> int:
        return next(i for i, (position, _) in enumerate(self.ways) if position == where)

    def chosen(self, b: Builder, index: int) -> Value:
        """Emit the condition that way `index` is taken."""
        if self.select is None:
            return b.one("constant", [], BOOL, value=True)
        if self.select.type == BOOL:
            if index == 0:
                return self.select
            true = b.one("constant", [], BOOL, value=True)
            return b.one("arith.xori", [self.select, true], BOOL)
        number = b.one("constant", [], INT, value=index)
        return b.one("arith.cmpi", [self.select, number], BOOL, predicate="eq")

    def selector(self, b: Builder, wheres: list[Where]) -> Value:
        """Emit the index, into `wheres`, of the way that is taken."""
        indices = [wheres.index(where) for where, _ in self.ways]
        if len(indices) <= 1 or self.select is None:
            return b.one("constant", [], INT, value=indices[0] if indices else 0)
        result = b.one("constant", [], INT, value=indices[-1])
        for i in range(len(indices) - 1):
            value = b.one("constant", [], INT, value=indices[i])
            result = b.one("arith.select", [self.chosen(b, i), value, result], INT)
        return result

    def without(self, b: Builder, index: int) -> Outcomes:
        """Return the other ways, given that way `index` is not taken."""
        rest = [way for i, way in enumerate(self.ways) if i != index]
        if len(rest) <= 1:
            return Outcomes(rest)
        select = Outcomes(self.ways, self.select).selector(b, [w for w, _ in self.ways])
        result = b.one("constant", [], INT, value=len(rest) - 1)
        old = [i for i in range(len(self.ways)) if i != index]
        for new in range(len(rest) - 1):
            number = b.one("constant", [], INT, value=old[new])
            hit = b.one("arith.cmpi", [select, number], BOOL, predicate="eq")
            value = b.one("constant", [], INT, value=new)
            result = b.one("arith.select", [hit, value, result], INT)
        return Outcomes(rest, result)
