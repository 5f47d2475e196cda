"""Control flow of symbolic execution: running, forking at dynamic branches, joining."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from janus_mlir.capture.boundary.outcomes import Outcomes, Scope
from janus_mlir.capture.breaks import Break, Failed, NotJoinable
from janus_mlir.capture.graph import INT, Block, Value
from janus_mlir.capture.join import POISON, Joiner
from janus_mlir.capture.join_values import Choices
from janus_mlir.capture.live import Ambiguous, assume, split
from janus_mlir.capture.state import Rewriter, State, Where, tidy
from janus_mlir.locations import Span

if TYPE_CHECKING:
    from janus_mlir.capture.generators import Parted
    from janus_mlir.capture.machine import Machine
    from janus_mlir.profile.data import BranchCounts

Action = Callable[[State], None]


class Unjoined(Exception):
    """The states that meet at `where` cannot be represented by one."""

    def __init__(self, where: Where, detail: str) -> None:
        super().__init__(where, detail)
        self.where = where
        self.detail = detail


class Left(Exception):
    """The function has been left on every path, in the middle of an instruction."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """A branch that has gone one way so far: assume it if the two ways cannot be joined."""

    side: bool
    action: Action
    span: Span


@dataclass(frozen=True, slots=True)
class Fork:
    """A branch that only run time decides: what each side does to the state, and where the sides meet."""

    cond: Value
    then: Action
    orelse: Action
    join: Where | None
    doubt: Doubt | None = None
    #: What the profile says of the branch.
    counts: BranchCounts | None = None
    #: A pass is going to assume the side in doubt: compile both only if they join without losing what is known.
    pruned: bool = False


def assume_side(m: Machine, cond: Value, side: bool, action: Action, span: Span) -> None:
    """Go on with `action` under the guard that the branch takes that side."""
    m.guard(cond, "branch", expected=side, text=_text(side), branch=span)
    assume(m, m.state, cond, side)
    action(m.state)


def _text(side: bool) -> str:
    return f"the condition is {str(side).lower()}"


def run(m: Machine, state: State, scope: Scope | None, *, started: bool = False) -> Outcomes:
    """Execute from `state` until a position at which `scope` stops, or the end of the function.

    `started`: the first position is inside, although the scope would stop there.
    """
    from janus_mlir.capture.loops import run_loop

    while True:
        m.state = state
        where = state.where
        frame = state.top
        if not started and scope is not None and scope.stops(where):
            return Outcomes([(where, state)])
        instrs = frame.function.code.instrs
        if frame.pc >= len(instrs):
            if where[0] == 0:
                return Outcomes([(where, state)])
            m.pop_frame()
            started = False
            continue
        m.effort.spend_step()
        if not started and frame.pc in frame.function.flow.loops:
            outcomes = run_loop(m, state)
        else:
            started = False
            fork = _step(m, state)
            state = m.state
            if fork is None:
                continue
            if isinstance(fork, Outcomes) and not fork.ways:
                return fork
            outcomes = fork if isinstance(fork, Outcomes) else run_fork(m, state, fork, scope)
        outcomes = finish(m, outcomes, scope, step=True)
        if len(outcomes.ways) != 1:
            return outcomes
        where, state = outcomes.ways[0]


def _step(m: Machine, state: State) -> Fork | Outcomes | None:
    """Execute one instruction; what cannot be captured leaves the function there."""
    from janus_mlir.capture.exceptions import (
        Checks,
        Doubtful,
        Raised,
        exception_of,
        fork_on,
        is_handled,
        unwind,
    )
    from janus_mlir.capture.generators import Parted

    frame = state.top
    frame.at = frame.pc
    before = state.clone() if is_handled(state) and frame.pc not in frame.function.flow.loops else None
    outer = m.checks
    m.checks = Checks(
        frame.passed, 0, before is not None and not m.pure, state.effects, len(state.frames), m.b.block
    )
    frame.passed = 0
    try:
        return m.step()
    except Ambiguous as several:
        return _tell_apart(m, several)
    except Failed as failed:
        if not is_handled(m.state):
            m.leave_for(failed)
            return Outcomes([])
        return unwind(m, exception_of(m, failed))
    except Break as reason:
        m.leave_for(reason)
        return Outcomes([])
    except Left:
        return Outcomes([])
    except Doubtful as doubtful:
        assert before is not None
        m.state = before
        return fork_on(m, before, doubtful)
    except Raised as raised:
        return unwind(m, raised.exception)
    except Parted as parted:
        return _go_on(m, parted)
    finally:
        m.checks = outer


def _go_on(m: Machine, parted: Parted) -> Outcomes:
    """Go on behind a call that has asked a generator for an item, both if there is one and if not."""
    from janus_mlir.capture.exceptions import exception_of, is_handled, unwind
    from janus_mlir.capture.generators import stopped
    from janus_mlir.capture.instructions import write_variable

    assert parted.dst is not None
    dst = parted.dst

    def ended() -> Outcomes:
        m.state = parted.at_end
        if parted.default is not None:
            write_variable(m, dst, parted.default)
        elif is_handled(m.state):
            left = unwind(m, exception_of(m, stopped(parted.returned)))
            if left is not None:
                return left
        else:
            m.leave_for(stopped(parted.returned))
            return Outcomes([])
        return Outcomes([(m.state.where, m.state)])

    def answered() -> Outcomes:
        m.state = parted.state
        write_variable(m, dst, parted.item)
        return Outcomes([(m.state.where, m.state)])

    return _both(m, parted.ended, ended, answered, m.mark())


def _tell_apart(m: Machine, several: Ambiguous) -> Fork:
    """Branch on what a live object is, and execute the instruction again on both sides."""
    from janus_mlir.capture.reading import code as c

    depth, pc = m.state.where
    cond, if_true, if_false = split(m, several.value, several.kinds)
    m.live.tests[cond.uid] = (several.value.ref.uid, if_true, if_false)

    def side(taken: bool) -> Action:
        return lambda state: assume(m, state, cond, taken)

    frame = m.state.top
    meet = frame.function.flow.postdominators[pc]
    instrs = frame.function.code.instrs
    if isinstance(instrs[pc], c.GetAttr):
        # Different methods: their calls have results that may meet again.
        calls = (i for i in range(pc, len(instrs)) if isinstance(instrs[i], c.Call))
        call = next(calls, None)
        if call is not None and instrs[call].fn == instrs[pc].dst:  # type: ignore[attr-defined]
            meet = call + 1
    return Fork(cond, side(True), side(False), None if meet is None else (depth, meet))


def finish(m: Machine, outcomes: Outcomes, scope: Scope | None, *, step: bool = False) -> Outcomes:
    """Run on from every way that `scope` does not stop (with `step`, a single such way is left to the caller)."""
    while True:
        open_ways = [
            i
            for i, (where, state) in enumerate(outcomes.ways)
            if not (scope is not None and scope.stops(where)) and not _at_end(where, state)
        ]
        if not open_ways or (step and len(outcomes.ways) == 1):
            return outcomes
        if len(outcomes.ways) == 1:
            return run(m, outcomes.ways[0][1], scope)
        index = open_ways[0]
        chosen = outcomes.chosen(m.b, index)
        rest = outcomes.without(m.b, index)
        continuing = outcomes.ways[index][1]

        def go_on(state: State = continuing) -> Outcomes:
            return run(m, state, scope)

        def stay(others: Outcomes = rest) -> Outcomes:
            return others

        outcomes = _both(m, chosen, go_on, stay, m.mark())


def _at_end(where: Where, state: State) -> bool:
    return where[0] == 0 and where[1] >= len(state.frames[0].function.code.instrs)


@dataclass(slots=True)
class _Side:
    block: Block
    outcomes: Outcomes


def run_fork(m: Machine, state: State, fork: Fork, scope: Scope | None) -> Outcomes:
    """Capture both sides of a branch and join them."""
    m.effort.count_fork()
    join = fork.join
    if fork.pruned and (join is None or (scope is not None and scope.stops(join))):
        return _assume(m, state, fork)
    if join is not None and not (scope is not None and scope.stops(join)):
        inner = Scope(scope, join[0], join[1])
        try:
            return _fork(m, state, fork, scope, inner, join)
        except Unjoined as error:
            if error.where != join:
                raise
            if fork.doubt is not None:
                return _assume(m, state, fork)
    return _fork(m, state, fork, scope, scope, None)


def _assume(m: Machine, state: State, fork: Fork) -> Outcomes:
    """Go on with the side that has been taken so far only."""
    assert fork.doubt is not None
    m.state = state
    assume_side(m, fork.cond, fork.doubt.side, fork.doubt.action, fork.doubt.span)
    return Outcomes([(state.where, state)])


def _fork(
    m: Machine, state: State, fork: Fork, scope: Scope | None, inner: Scope | None, join: Where | None
) -> Outcomes:
    mark = m.mark()
    sides = []
    m.effort.open_forks += 1
    try:
        for action in (fork.then, fork.orelse):
            side_state = state.clone()
            block = Block()
            with m.b.inside(block):
                m.state = side_state
                try:
                    action(side_state)
                    # Calls in between may have put another state in place of this one.
                    outcomes = run(m, m.state, inner)
                except Left:
                    outcomes = Outcomes([])
                sides.append(_Side(block, outcomes))
    finally:
        m.effort.open_forks -= 1
    meet: Where | None = None
    if not any(a[0] == b[0] for a in sides[0].outcomes.ways for b in sides[1].outcomes.ways):
        # An exception has taken one side elsewhere: both run on to where the ways meet after all.
        meet = _meeting(sides, scope)
        _run_on(m, sides, scope if meet is None else Scope(scope, *meet))
    before = (fork, state)
    try:
        return _merge(m, fork.cond, sides, mark, before)
    except Unjoined as error:
        single = all(len(side.outcomes.ways) == 1 for side in sides)
        if error.where not in (join, meet) or not single or (meet is None and fork.doubt is not None):
            raise
        _run_on(m, sides, scope)
        return _merge(m, fork.cond, sides, mark, before)


def _meeting(sides: list[_Side], scope: Scope | None) -> Where | None:
    """Return the position that the open ways of both sides pass, None if there is none before `scope` stops."""
    found: list[State] = []
    for side in sides:
        states = [
            state
            for where, state in side.outcomes.ways
            if not (scope is not None and scope.stops(where)) and not _at_end(where, state)
        ]
        if not states:
            return None
        found += states
    depth = min(len(state.frames) for state in found) - 1
    meet = found[0].frames[depth].function.flow.meet(state.frames[depth].pc for state in found)
    if meet is None or (scope is not None and scope.stops((depth, meet))):
        return None
    return depth, meet


def _run_on(m: Machine, sides: list[_Side], scope: Scope | None) -> None:
    for side in sides:
        with m.b.inside(side.block):
            side.outcomes = finish(m, side.outcomes, scope)


def _both(
    m: Machine, cond: Value, then: Callable[[], Outcomes], orelse: Callable[[], Outcomes], mark: int
) -> Outcomes:
    sides = []
    for action in (then, orelse):
        block = Block()
        with m.b.inside(block):
            sides.append(_Side(block, action()))
    return _merge(m, cond, sides, mark)


def _merge(
    m: Machine, cond: Value, sides: list[_Side], mark: int, before: tuple[Fork, State] | None = None
) -> Outcomes:
    """Emit the ``scf.if`` of two captured sides and return the joined ways; `before` is the branch, and its state."""
    a, b = (s.outcomes for s in sides)
    for outcomes in (a, b):
        for _, reached in outcomes.ways:
            tidy(reached, m.kept(), m.pins)
    wheres: list[Where] = []
    for where, _ in [*a.ways, *b.ways]:
        if where not in wheres:
            wheres.append(where)
    ways: list[tuple[Where, State]] = []
    results: list[Value] = []
    operands: list[tuple[object, object]] = []
    for where in list(wheres):
        one, two = a.get(where), b.get(where)
        if one is not None and two is not None:
            # What a branch has never left so far is better assumed than chosen at run time; at the end each way returns.
            certain = before is not None and before[0].doubt is not None and where == before[0].join
            joiner = Joiner(m, Choices.NONE if certain or _at_end(where, one) else Choices.ALL)
            try:
                joined = joiner.states(one, two)
            except NotJoinable as error:
                if m.inner or not _at_end(where, one):
                    raise Unjoined(where, str(error)) from None
                _return_separately(m, sides, where)
                return _merge(m, cond, sides, mark, before)
            for phi in joiner.phis:
                if before is not None and before[0].pruned and not _both_computed(phi.a, phi.b):
                    raise Unjoined(where, "a constant would become a value of the run time")
                results.append(phi.value)
                operands.append((phi.a, phi.b))
            ways.append((where, joined))
        else:
            first = one is not None
            state = one or two
            assert state is not None
            inside = Inside(mark)
            inside.leave(state)
            for old, new in inside.moved:
                results.append(new)
                operands.append((old, POISON) if first else (POISON, old))
            ways.append((where, state))
    select = None
    if len(wheres) > 1:
        select = cond if len(a.ways) == 1 and len(b.ways) == 1 else Value(INT)
    for i, side in enumerate(sides):
        with m.b.inside(side.block):
            yields = [
                m.phi_operand(pair[i], result.type) for pair, result in zip(operands, results, strict=True)
            ]
            if select is not None and select is not cond:
                yields.append(side.outcomes.selector(m.b, wheres))
            m.b.op("yield", yields)
    if select is not None and select is not cond:
        results.append(select)
    counts = None
    if before is not None:
        fork, m.state = before
        counts = fork.counts
        if fork.pruned and fork.doubt is not None:
            m.frame("branch", _text(fork.doubt.side), branch=fork.doubt.span)
    m.if_(cond, sides[0].block, sides[1].block, results, counts)
    return Outcomes(ways, select)


def _both_computed(a: object, b: object) -> bool:
    return isinstance(a, Value) and isinstance(b, Value)


def _return_separately(m: Machine, sides: list[_Side], where: Where) -> None:
    """Let each side return on its own: the results have different types or structure."""
    for side in sides:
        index = side.outcomes.index(where)
        state = side.outcomes.ways[index][1]
        with m.b.inside(side.block):
            if len(side.outcomes.ways) == 1:
                m.leave_with_result(state)
                side.outcomes = Outcomes([])
                continue
            chosen = side.outcomes.chosen(m.b, index)
            rest = side.outcomes.without(m.b, index)
            then, orelse = Block(), Block()
            with m.b.inside(then):
                m.leave_with_result(state)
                m.b.op("yield")
            with m.b.inside(orelse):
                m.b.op("yield")
            m.if_(chosen, then, orelse, [])
            side.outcomes = rest


class Inside:
    """Renames the values defined since `mark` (or listed in `also`) in a state that leaves their region."""

    def __init__(self, mark: int, also: frozenset[int] = frozenset()) -> None:
        self.moved: list[tuple[Value, Value]] = []
        self._new: dict[int, Value] = {}
        self._mark = mark
        self._also = also
        self.rewriter = Rewriter(self._rename)

    def leave(self, state: State) -> None:
        """Rename in `state`; snapshots taken inside the region are of no use outside."""
        state.forget_values()
        self.rewriter.state(state)
        for frame in state.frames:
            while frame.snapshot is not None and frame.snapshot.mark >= self._mark:
                frame.snapshot = frame.snapshot.earlier

    def _is_outside(self, value: Value) -> bool:
        return value.uid < self._mark and value.uid not in self._also

    def _rename(self, value: Value) -> Value:
        if self._is_outside(value):
            return value
        new = self._new.get(value.uid)
        if new is None:
            new = self._new[value.uid] = Value(value.type)
            # A value may be renamed once only, even if it is met again under its new name.
            self._new[new.uid] = new
            if value.step is not None and self._is_outside(value.step[0]):
                new.step = value.step
            self.moved.append((value, new))
        return new
