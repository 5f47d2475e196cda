"""Loops of symbolic execution: unrolled where every decision is static, otherwise ``scf.while``.

A dynamic loop is captured several times. The header state starts as the state at entry; what
differs after an iteration becomes a loop-carried value, until an iteration changes nothing else. If
an iteration changes a *type* (an int that becomes a float, an unbound variable that is bound), the first
iteration is peeled off under a guard that it takes place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from janus_mlir import policy
from janus_mlir.capture import recursion
from janus_mlir.capture.boundary.outcomes import Outcomes, Scope
from janus_mlir.capture.breaks import Break, NotJoinable
from janus_mlir.capture.control import Inside, Unjoined, run
from janus_mlir.capture.graph import Block, Op, Value
from janus_mlir.capture.join import Joiner
from janus_mlir.capture.join_values import Choices
from janus_mlir.capture.speculation import Respecialise
from janus_mlir.capture.state import State, Where, tidy

if TYPE_CHECKING:
    from janus_mlir.capture.machine import Machine
    from janus_mlir.locations import Span
    from janus_mlir.profile.data import Trips

_MAX_ROUNDS = 24

#: Codes of reasons that lists in tensors may be to blame for.
_OF_ITEMS = ("JN212", "JN218", "JN506")


@dataclass(slots=True)
class Carried:
    """A loop-carried value: the block argument and what it is on entry."""

    argument: Value
    entry: object


def run_loop(m: Machine, state: State) -> Outcomes:
    """Execute a loop whose head the state has just reached; the ways out are outside the loop, or its head again."""
    from janus_mlir.capture.iteration import runs_over_items

    depth, head = state.where
    frame = state.top
    scope = Scope(None, depth, head, frame.function.flow.loops[head])
    several: tuple[Block, Outcomes] | None = None
    recursion.walk(m, state)
    if (recursion.key_of(frame.function), head) in m.speculation.listed:
        _list_items(m, state, head)
    if m.may_unroll(state):
        block = Block()
        try:
            with m.b.inside(block):
                outcomes = run(m, state.clone(), scope, started=True)
        except Unjoined as error:
            if error.where[0] > depth:
                raise
        else:
            again = outcomes.get((depth, head))
            if again is not None:
                recursion.note_walk(m, state, again)
            if len(outcomes.ways) <= 1:
                rolled = again is not None and _rolled(m, state, scope, block)
                if isinstance(rolled, Outcomes):
                    return rolled
                m.b.block.ops.extend(block.ops)
                m.count_unrolled(outcomes, (depth, head))
                return outcomes
            several = block, outcomes
    retry = state.clone()
    detail = ""
    loop = recursion.key_of(frame.function), frame.pc
    straight = several is not None and _bounded(m, state)
    if straight and loop in m.speculation.straight:
        return _in_line(m, several, (depth, head))
    if straight:
        m.copying.add(loop)
    for choices in (Choices.NONE, Choices.OBJECTS):
        m.state = state
        try:
            return _dynamic(m, state, scope, choices)
        except NotJoinable as error:
            detail = str(error)
        except Unjoined as error:
            if error.where[0] > depth:
                raise
            detail = error.detail
            break
    unlike = id(frame.function.code), head
    if several is None and unlike not in m.unlike and runs_over_items(m, retry):
        m.unlike.add(unlike)
        if m.may_unroll(retry):
            m.state = retry
            return run_loop(m, retry)
    if straight:
        return _in_line(m, several, (depth, head))
    return _peel(m, state, scope, detail)


def _in_line(m: Machine, iteration: tuple[Block, Outcomes] | None, head: Where) -> Outcomes:
    """Go on after an iteration that may leave the loop; what differs between iterations is static."""
    assert iteration is not None
    block, outcomes = iteration
    m.b.block.ops.extend(block.ops)
    m.count_unrolled(outcomes, head)
    return outcomes


def _list_items(m: Machine, state: State, head: int) -> None:
    """Take the lists that a loop runs over for lists of run-time length, as far as that is possible."""
    from janus_mlir.capture.dynamic import vectors
    from janus_mlir.capture.iteration import lists_of

    m.state = state
    for items in lists_of(m, state, state.top, head):
        if not vectors.try_at_run_time(m, items):
            return


def _rolled(m: Machine, state: State, scope: Scope, first: Block) -> Outcomes | None:
    """Execute the loop as one at run time if that is possible, and straight-line code of it would be long.

    `first` is the iteration to come, one of the first two: variables may get their types in the first. Whether it is
    possible may only be seen later: see `settle`.
    """
    from janus_mlir.capture.iteration import runs_over_items, static_length

    frame = state.top
    loop = recursion.key_of(frame.function), frame.pc
    long = policy.too_long(array_ops(first), static_length(m, state))
    done = frame.unrolled.get(frame.pc, 0)
    if not long or done > 1 or m.pure or m.inner or runs_over_items(m, state):
        return None
    if loop in m.speculation.straight:
        return None
    m.rolled.add(loop)
    notes = len(m.notes)
    m.state = state.clone()
    m.rolling += 1
    try:
        outcomes = _dynamic(m, m.state, scope, Choices.NONE)
    except (NotJoinable, Unjoined):
        outcomes = None
    finally:
        m.rolling -= 1
    if len(m.notes) > notes or (outcomes is None and done):
        settle(m, force=True)
    return outcomes


def array_ops(block: Block) -> int:
    """Return the number of array operations in a block."""
    count = 0
    for op in block.ops:
        if op.name == "jax.call":
            count += len(op.attrs["jaxpr"].eqns)
        elif op.name.startswith("lax."):
            count += 1
        count += sum(map(array_ops, op.regions))
    return count


def settle(m: Machine, *, force: bool = False) -> None:
    """Start again, with straight-line code, if loops became ones at run time and compiled code is left (or with `force`)."""
    left = any(n.code != "JN208" for n in m.notes)
    if any(n.code in _OF_ITEMS for n in m.notes):
        m.rolled |= m.copying
    if m.rolled - m.speculation.straight and (left or force):
        m.speculation.straight |= m.rolled
        raise Respecialise


def _bounded(m: Machine, state: State) -> bool:
    """Whether the loop is a ``for`` with few iterations left."""
    from janus_mlir.capture.iteration import static_length

    length = static_length(m, state)
    return policy.may_unroll(m.speculation, 0, length, counted=True)


def _peel(m: Machine, state: State, scope: Scope, detail: str) -> Outcomes:
    """Run one iteration in line, assuming that there is one."""
    where = state.where
    # Loops of several functions may stand at one position.
    place = (
        tuple((id(frame.function.code), frame.at) for frame in state.frames[:-1]),
        id(state.top.function.code),
        where,
    )
    if not policy.may_peel(m.peeled.get(place, 0)) or not m.peeling_allowed(state):
        m.state = state
        try:
            return _dynamic(m, state, scope, Choices.ALL)
        except NotJoinable as error:
            detail = str(error)
        except Unjoined as error:
            if error.where[0] > where[0]:
                raise
            detail = error.detail
        m.state = state
        m.leave_for(Break("JN217", f"a loop changes the type of what it carries: {detail}"))
        return Outcomes([])
    m.peeled[place] = m.peeled.get(place, 0) + 1
    m.assume_iteration = where
    block = Block()
    try:
        with m.b.inside(block):
            outcomes = run(m, state.clone(), scope, started=True)
    except Unjoined as error:
        if error.where[0] > where[0]:
            raise
        m.state = state
        m.leave_for(Break("JN505", error.detail))
        return Outcomes([])
    finally:
        m.assume_iteration = None
    m.b.block.ops.extend(block.ops)
    return outcomes


def _dynamic(m: Machine, entry: State, scope: Scope, choices: Choices) -> Outcomes:
    from janus_mlir.capture import counting

    where = entry.where
    tidy(entry, m.kept(), m.pins)
    trips = counting.trips(m, entry)
    header = entry.clone()
    carried: list[Carried] = []
    pure = True
    for _ in range(_MAX_ROUNDS):
        mark = m.mark()
        block = Block()
        with m.b.inside(block):
            outcomes = run(m, header.clone(), scope, started=True)
        back = outcomes.get(where)
        if back is None:
            if carried:
                raise NotJoinable("the loop never starts again")
            m.b.block.ops.extend(block.ops)
            return outcomes
        tidy(back, m.kept(), m.pins)
        if pure and back.effects != header.effects:
            # Where an iteration has effects, none may be left for a point before the loop.
            pure = False
            header.effects = back.effects
            continue
        joiner = Joiner(m, choices, loop=True, trips=trips)
        joined = joiner.states(header, back)
        arguments = {c.argument.uid: c for c in carried}
        known = [p.a.uid for p in joiner.phis if isinstance(p.a, Value) and p.a.uid in arguments]
        settled = len(known) == len(joiner.phis) and len(set(known)) == len(known)
        if settled and not joiner.widened and joiner.learnt:
            continue
        if settled and not joiner.widened:
            backs = {p.a.uid: p.b for p in joiner.phis if isinstance(p.a, Value)}
            return _emit(m, entry, block, outcomes, carried, backs, mark)
        if joiner.widened and carried:
            # What the header is now like may need more of the entry than the phis so far tell.
            joiner = Joiner(m, loop=True, trips=trips)
            joined = joiner.states(entry, joined)
            carried = [Carried(phi.value, phi.a) for phi in joiner.phis]
            _keep_snapshots(joined, header)
            header = joined
            continue
        again = []
        replaced = set()
        for phi in joiner.phis:
            old = arguments.get(phi.a.uid) if isinstance(phi.a, Value) else None
            if old is not None:
                replaced.add(old.argument.uid)
            again.append(Carried(phi.value, old.entry if old is not None else phi.a))
        carried = again + [c for c in carried if c.argument.uid not in replaced]
        _keep_snapshots(joined, header)
        header = joined
    raise NotJoinable("the loop's state does not settle")


def _keep_snapshots(joined: State, header: State) -> None:
    for frame, before in zip(joined.frames, header.frames, strict=True):
        frame.snapshot = before.snapshot


def _emit(
    m: Machine,
    entry: State,
    block: Block,
    outcomes: Outcomes,
    carried: list[Carried],
    backs: dict[int, object],
    mark: int,
) -> Outcomes:
    """Emit the ``scf.while`` whose body was captured into `block`."""
    where = entry.where
    arguments = [c.argument for c in carried]
    own = frozenset(a.uid for a in arguments)
    index = outcomes.index(where)
    exits = [(w, s) for w, s in outcomes.ways if w != where]
    moved: list[tuple[Value, Value]] = []
    for _, state in exits:
        tidy(state, m.kept(), m.pins)
        inside = Inside(mark, own)
        inside.leave(state)
        moved += inside.moved
    with m.b.inside(block):
        cond = outcomes.chosen(m.b, index)
        select = outcomes.without(m.b, index).select if len(exits) > 1 else None
        forwarded = [m.phi_operand(backs.get(a.uid, a), a.type) for a in arguments]
        forwarded += [old for old, _ in moved]
        results = [Value(a.type) for a in arguments] + [new for _, new in moved]
        if select is not None:
            forwarded.append(select)
            results.append(Value(select.type))
            select = results[-1]
        m.b.op("condition", [cond, *forwarded])
    block.args = arguments
    inits = [m.phi_operand(c.entry, c.argument.type) for c in carried]
    after = Block(args=[Value(v.type) for v in forwarded])
    with m.b.inside(after):
        m.b.op("yield", after.args[: len(arguments)])
    trips = _trips(m, entry)
    stable = trips is not None and policy.is_stable(trips)
    if m.stress is None and not m.pure and (stable or _leaves_within(block)):
        m.state = entry
        if stable:
            m.frame("trips", "the loop runs as often as before", _loop_span(entry))
        else:
            m.frame("loop", "what is checked in the loop holds throughout")
    attrs = {} if trips is None else {"trips": (trips.min, trips.max, trips.executions)}
    m.b.block.ops.append(Op("scf.while", inits, results, attrs, [block, after], m.b.span, m.b.callers))
    return Outcomes(exits, select)


def _loop_span(state: State) -> Span | None:
    """Return the statement of the loop whose head `state` has reached."""
    frame = state.top
    heads = (frame.pc, frame.pc + 1)
    return next(
        (loop.span for loop in frame.function.code.loops if not {*heads}.isdisjoint(loop.heads)), None
    )


def _trips(m: Machine, entry: State) -> Trips | None:
    span = _loop_span(entry)
    if m.profile is None or span is None or span in m.speculation.both:
        return None
    return m.profile.trips(entry.top.function.code, span)


def _leaves_within(block: Block) -> bool:
    """Whether a guard in `block` goes on in Python from there, and not from the beginning of the call."""
    return any(
        (op.name == "janus.guard" and not op.attrs["restart"]) or any(map(_leaves_within, op.regions))
        for op in block.ops
    )
