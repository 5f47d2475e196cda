"""Frame states: from where, and with what, Python goes on when compiled code is left.

Whoever leaves compiled code in the middle of a call needs the frames of all functions that were active there: the innermost
at the beginning of a statement (or after a call within one), its callers at the call that they wait for. The exit's site
rebuilds their variables, and a chain of resume functions runs the rest, each getting the next as the call to make.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import FunctionType
from typing import TYPE_CHECKING, Any

from janus_mlir.capture.boundary.site import Site
from janus_mlir.capture.boundary.sites import SiteWriter
from janus_mlir.capture.boundary.steps import Continue, Step, build_step
from janus_mlir.capture.breaks import Break
from janus_mlir.capture.graph import TensorType, Value
from janus_mlir.capture.reading.code import Call, StatementStart
from janus_mlir.capture.reading.resume import UNBOUND, ResumeTemplate, build_rest, build_resume
from janus_mlir.capture.state import Snapshot, State, Suspended
from janus_mlir.capture.values import Abstract, IteratorRef, Storage

if TYPE_CHECKING:
    from janus_mlir.capture.machine import Machine

__all__ = [
    "Detour",
    "FrameState",
    "Link",
    "go_on",
    "resume_point",
    "step_point",
    "take_snapshot",
    "take_step",
]


@dataclass(frozen=True, eq=False)
class Link:
    """One resume function of a chain; it is compiled when it is first needed."""

    template: ResumeTemplate
    live: FunctionType

    @functools.cached_property
    def function(self) -> Callable[..., Any]:
        """The resume function."""
        return self.template.instantiate(self.live)


@dataclass(frozen=True, eq=False)
class Detour:
    """One statement in Python, after which the rest of the function is compiled code again."""

    step: Step
    first: Link
    rest: Link


#: What a site rebuilds of one frame: variables, iterators, temporaries, and the object that is being constructed.
FrameState = tuple[dict[str, Any], list[Any], list[Any], Any]


def go_on(links: Sequence[Link], frames: Sequence[FrameState]) -> Any:
    """Run the rest of a call from its frames, outermost first."""
    rest: Callable[[], Any] | None = None
    for link, (variables, iterators, temporaries, made) in zip(
        reversed(links), reversed(frames), strict=True
    ):
        arguments = [variables.get(name, UNBOUND) for name in link.template.params]
        arguments += [*iterators, *temporaries]
        if rest is not None:
            arguments.append(rest)
        # A partial object, other than a function, adds no frame of its own to the user's tracebacks.
        rest = functools.partial(link.function, *arguments)
        if made is not None:
            rest = functools.partial(_constructed, rest, made)
    assert rest is not None
    return rest()


def take_step(detour: Detour, frame: FrameState, compiled: Callable[[Link], Callable[..., Any]]) -> Any:
    """Execute one statement from a frame, and then the rest; `compiled` makes that a Janus function."""
    variables, iterators, _, _ = frame
    template = detour.first.template
    arguments = [variables.get(name, UNBOUND) for name in template.params]
    done = detour.first.function(*arguments, *iterators)
    if type(done) is not Continue:
        return done
    return compiled(detour.rest)(*detour.step.arguments(done))


def _constructed(initialise: Callable[[], Any], made: Any) -> Any:
    """Do what a class does after it has made an instance."""
    result = initialise()
    if result is not None:
        raise TypeError(f"__init__() should return None, not {type(result).__name__!r}")
    return made


def take_snapshot(m: Machine, value: Abstract | None = None) -> None:
    """Note that the innermost frame can be left here: at a statement, or with the value of the call before."""
    if m.pure or m.inner:
        return
    state = m.state
    frame = state.top
    earlier = frame.snapshot if value is not None else None
    if earlier is not None and earlier.effects != state.effects:
        earlier = None
    frame.snapshot = Snapshot(
        frame.function,
        frame.pc if value is None else frame.pc - 1,
        dict(frame.vars),
        value,
        frame.override,
        frame.callers,
        dict(state.heap),
        state.escaped,
        state.effects,
        m.mark(),
        earlier,
    )


def _points(m: Machine) -> Iterator[Snapshot]:
    """Yield the points from which Python could go on now, the latest first."""
    for frame in reversed(m.state.frames):
        point = frame.snapshot
        while point is not None:
            # What has had effects since cannot be done again.
            if point.effects == m.state.effects:
                yield point
            point = point.earlier


def resume_point(m: Machine, site: Site, max_arrays: int | None = None) -> list[Value] | None:
    """Write the frames from which Python goes on; return the live values, None if the call must start again.

    Parameters
    ----------
    m : Machine
        The machine, where compiled code is left.
    site : Site
        The exit.
    max_arrays : int, optional
        Live arrays that have been computed by then and would have to be kept for it.
    """
    current = {c.ref.uid for c in m.state.heap.values() if isinstance(c, Storage)}
    for point in _points(m):
        writer = _write(m, site, point)
        if writer is None:
            continue
        arrays = {
            v.uid
            for v in writer.values
            if isinstance(v.type, TensorType) and v.type.rank and not m.entry.is_input(v)
        }
        before = {c.ref.uid for c in point.heap.values() if isinstance(c, Storage)}
        # An array that has been changed in place since would have to be copied each time.
        if arrays & before - current or (max_arrays is not None and len(arrays) > max_arrays):
            return None
        return writer.values
    return None


def step_point(m: Machine, site: Site) -> list[Value] | None:
    """Write the frame from which Python executes one statement of the outermost function; None if it cannot be."""
    function = m.function
    point = m.state.frames[0].snapshot
    if point is None or point.effects != m.state.effects or function.function is None:
        return None
    instr = function.code.instrs[point.pc]
    if not isinstance(instr, StatementStart) or instr.kind != "statement":
        return None
    step = build_step(function.source, instr.stmt)
    if step is None:
        return None
    writer = SiteWriter(m, State([], dict(point.heap), point.escaped), escapes=False)
    try:
        step.rest.check(function.function)
        text = _frame(writer, step.first, point)
    except Break:
        return None
    site.discard = False
    site.detour = Detour(step, Link(step.first, function.function), Link(step.rest, function.function))
    writer.finish(site, text)
    return writer.values


def _write(m: Machine, site: Site, point: Snapshot) -> SiteWriter | None:
    if not point.callers and point.pc <= 1 and not point.effects:
        # Nothing has been done yet: to start the call again is as good.
        return None
    writer = SiteWriter(m, State([], dict(point.heap), point.escaped), escapes=False)
    links: list[Link] = []
    frames: list[str] = []
    try:
        active: tuple[Suspended | Snapshot, ...] = (*point.callers, point)
        for frame in active:
            link = _link(frame)
            links.append(link)
            frames.append(_frame(writer, link.template, frame))
    except Break:
        return None
    site.discard = False
    site.resume = links
    writer.finish(site, f"({''.join(frame + ', ' for frame in frames)})")
    return writer


def _link(frame: Suspended | Snapshot) -> Link:
    function = frame.function
    code = function.code
    if code.cells or function.function is None:
        raise Break("JN506", "a frame whose variables are shared")
    instr = code.instrs[frame.pc]
    template: ResumeTemplate | None = None
    if isinstance(frame, Snapshot) and frame.value is None:
        assert isinstance(instr, StatementStart)
        template = build_resume(function.source, instr.stmt, instr.kind)
    elif isinstance(instr, Call) and (isinstance(frame, Snapshot) or frame.result == instr.dst):
        template = build_rest(function.source, frame.pc, by_value=isinstance(frame, Snapshot))
    if template is None:
        raise Break("JN506", "Python cannot be entered there")
    template.check(function.function)
    return Link(template, function.function)


def _frame(writer: SiteWriter, template: ResumeTemplate, frame: Suspended | Snapshot) -> str:
    """Write a `FrameState`."""
    variables = frame.vars
    if any(n not in variables and n not in template.optional for n in template.params):
        raise Break("JN211", "a local that may be unbound")
    entries = ", ".join(
        f"{name!r}: {writer.expr(variables[name])}" for name in template.params if name in variables
    )
    iterators = []
    for loop in template.iterators:
        name = frame.function.code.loops[loop].iterator
        iterator = variables.get(name) if name is not None else None
        if not isinstance(iterator, IteratorRef):
            raise Break("JN506", "an iterator that cannot be rebuilt")
        iterators.append(writer.expr(iterator))
    if any(name not in variables for name in template.temporaries):
        raise Break("JN506", "a temporary that is not kept")
    temporaries = [writer.expr(variables[name]) for name in template.temporaries]
    if isinstance(frame, Snapshot) and frame.value is not None:
        temporaries.append(writer.expr(frame.value))
    made = "None" if frame.override is None else writer.expr(frame.override)
    return f"({{{entries}}}, [{', '.join(iterators)}], [{', '.join(temporaries)}], {made})"
