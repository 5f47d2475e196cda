"""Capture of a whole function: from live arguments and a profile to a graph with its entry program and sites."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from janus_mlir import policy
from janus_mlir.capture import loops, recursion
from janus_mlir.capture.boundary.entry import EntryProgram
from janus_mlir.capture.boundary.site import Site
from janus_mlir.capture.boundary.sources import Source
from janus_mlir.capture.breaks import Break
from janus_mlir.capture.control import Left, Unjoined, run
from janus_mlir.capture.dynamic import rows
from janus_mlir.capture.function import FunctionContext
from janus_mlir.capture.graph import Block, Graph
from janus_mlir.capture.instructions import write_variable
from janus_mlir.capture.machine import BreakNote, Machine
from janus_mlir.capture.speculation import Respecialise, Speculation
from janus_mlir.capture.state import RESULT, Frame, State
from janus_mlir.capture.values import Known
from janus_mlir.locations import span_of

if TYPE_CHECKING:
    from janus_mlir.profile.data import CodeKey, Profile

_MAX_ATTEMPTS = 40


@dataclass(slots=True)
class Captured:
    """A captured function: what to compile, and how the runtime enters and leaves it."""

    graph: Graph
    entry: EntryProgram
    sites: list[Site]
    #: Slots of the objects that the sites' functions see as ``o``.
    objects: list[int]
    notes: list[BreakNote]
    speculation: Speculation
    #: Whether some path runs to the end of the function without leaving compiled code.
    completes: bool
    #: Number of array operations.
    array_ops: int
    #: Dtype and extents of each outside array that the version knows.
    shapes: dict[Source, tuple[np.dtype[Any], tuple[Any, ...]]]
    #: Lines of the program that are compiled, by function.
    visited: dict[CodeKey, set[int]]


def parameter_names(context: FunctionContext) -> list[str]:
    """Return the parameters in the order of the dispatcher's argument slots."""
    params = context.code.params
    names = [*params.posonly, *params.pos_or_kw]
    if params.vararg is not None:
        names.append(params.vararg)
    names.extend(params.kwonly)
    if params.kwarg is not None:
        names.append(params.kwarg)
    return names


def capture(
    context: FunctionContext,
    arguments: Sequence[Any],
    speculation: Speculation,
    profile: Profile | None = None,
) -> Captured:
    """Capture a function for live arguments.

    Parameters
    ----------
    context : FunctionContext
        The function.
    arguments : sequence
        Bound arguments in slot order (see `parameter_names`).
    speculation : Speculation
        What to assume; it is refined in place where capture finds that other facts are needed.
    profile : Profile, optional
        What warm-up calls have seen.

    Raises
    ------
    Break
        If nothing of the function can be captured.
    """
    deadline = time.thread_time() + policy.CAPTURE_SECONDS
    for _ in range(_MAX_ATTEMPTS):
        machine = Machine(context, list(arguments), speculation, profile, deadline)
        try:
            return _capture(machine)
        except Respecialise:
            continue
        except Break:
            if machine.rolled <= speculation.straight:
                raise
            speculation.straight |= machine.rolled
        except Unjoined as error:
            raise Break("JN505", error.detail) from None
    raise Break("JN604", "the facts about the function do not settle")


def _capture(m: Machine) -> Captured:
    frame = Frame(m.function, 0, {})
    state = m.state = State([frame], {})
    # What is assumed of the arguments is assumed at the function's head.
    m.b.span = span_of(m.function.source.node, m.function.code.filename)
    rows.prepare(m)
    recursion.expect(m, m.function)
    bound = {name: recursion.argument(m, name, i) for i, name in enumerate(parameter_names(m.function))}
    frame.bound = bound
    if recursion.is_called(m, m.function):
        frame.pc = len(m.function.code.instrs)
        try:
            frame.vars[RESULT] = recursion.call(m, m.function, bound) or Known(None)
        except Left:
            raise Break("JN505", "a recursion that never ends") from None
    else:
        for name, value in bound.items():
            write_variable(m, name, value)
    outcomes = run(m, state, None)
    completes = bool(outcomes.ways)
    if completes:
        (_, final), *more = outcomes.ways
        assert not more
        try:
            m.final_return(final)
        except Break as reason:
            m.state = final
            m.leave_for(reason)
            m.b.op("return")
            completes = False
    else:
        m.b.op("return")
    loops.settle(m)
    recursion.check(m)
    m.outside.finish()
    bodies = [m.graph.body, *(f.body for f in m.graph.functions)]
    if policy.too_nested(sum(_nesting(body, 0) for body in bodies)):
        raise Break("JN604", "too many operations in branches and loops within others")
    used: set[int] = set()
    for body in bodies:
        _collect_sites(body, used)
    if m.graph.return_site is not None:
        used.add(m.graph.return_site)
    completes = completes or any(s.kind == "return" for s in m.sites if s.id in used)
    return Captured(
        m.graph,
        m.entry,
        [s for s in m.sites if s.id in used],
        m.objects,
        m.notes,
        m.speculation,
        completes,
        sum(map(loops.array_ops, bodies)),
        m.outside.arrays,
        m.visited,
    )


def _nesting(block: Block, depth: int) -> int:
    """Return the sum of the depths at which operations stand."""
    regions = (region for op in block.ops for region in op.regions)
    return depth * len(block.ops) + sum(_nesting(region, depth + 1) for region in regions)


def _collect_sites(block: Block, sites: set[int]) -> None:
    """Collect the sites that ops refer to."""
    for op in block.ops:
        if "site" in op.attrs:
            sites.add(op.attrs["site"])
        for region in op.regions:
            _collect_sites(region, sites)
