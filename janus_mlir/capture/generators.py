"""Generators that the captured code makes and consumes: frames that are suspended and go on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from janus_mlir.capture.breaks import Break, Failed
from janus_mlir.capture.exceptions import Raised
from janus_mlir.capture.graph import Value
from janus_mlir.capture.heap import GeneratorContent
from janus_mlir.capture.reading import code as c
from janus_mlir.capture.state import INLINE, RAISED, RAISED_PC, RESULT, Frame, State, Suspended
from janus_mlir.capture.values import (
    Abstract,
    ExtentNumber,
    HeapRef,
    IteratorRef,
    Known,
    Number,
    ObjectRef,
    TupleValue,
)

if TYPE_CHECKING:
    from janus_mlir.capture.machine import Machine

#: The pc of a generator that has ended.
ENDED = -1


def make_generator(m: Machine, frame: Frame) -> IteratorRef:
    """Return a generator that starts in `frame`."""
    handle = IteratorRef()
    m.put(handle.id, GeneratorContent(frame.function, frame.pc, frame.pc, tuple(frame.vars.items())))
    return handle


def manage(m: Machine, iterator: Abstract) -> IteratorRef:
    """Note that a context manager drives a generator."""
    content = generator_content(m, iterator)
    assert content is not None and isinstance(iterator, IteratorRef)
    m.put(iterator.id, replace(content, managed=True))
    return iterator


def generator_content(m: Machine, iterator: Abstract) -> GeneratorContent | None:
    """Return the content of a generator, None if `iterator` is something else."""
    content = m.get(iterator.id) if isinstance(iterator, IteratorRef) else None
    return content if isinstance(content, GeneratorContent) else None


_NONE = Known(None)


def _push(
    m: Machine, iterator: IteratorRef, content: GeneratorContent, dst: str | None, sent: Abstract = _NONE
) -> Frame:
    if any(isinstance(f.generator, IteratorRef) and f.generator.id == iterator.id for f in m.state.frames):
        raise Failed(ValueError, "generator already executing")
    caller = m.state.top
    # Python cannot be entered in the middle of a generator: who waits for an item waits for something else.
    waiting = Suspended(caller.function, caller.at, dict(caller.vars), None, caller.override)
    frame = Frame(content.function, content.pc, dict(content.vars), dst, m.b.span)
    frame.callers = (*caller.callers, waiting)
    frame.at, frame.handling, frame.generator = content.at, content.handling, iterator
    suspended = content.function.code.instrs[content.at]
    if content.pc != content.at and isinstance(suspended, c.Yield) and suspended.dst is not None:
        frame.vars[suspended.dst] = sent
    m.state.frames.append(frame)
    return frame


def ask_in_frame(m: Machine, iterator: Abstract, loop: c.ForIter) -> bool:
    """Ask for the next item of an iterator by running its code, if it is of that kind."""
    content = generator_content(m, iterator)
    if content is not None and isinstance(iterator, IteratorRef):
        if content.pc == ENDED:
            m.state.top.pc = loop.end
        else:
            _push(m, iterator, content, loop.dst)
        return True
    if isinstance(iterator, ObjectRef):
        from janus_mlir.capture.attributes import class_attribute
        from janus_mlir.capture.calls import Entered, call

        function = class_attribute(m, iterator, "__next__")
        if function is None:
            raise Break("JN218", "iteration over an object")
        m.state.top.pc += 1
        result = call(m, function, [iterator], {}, loop.dst)
        if not isinstance(result, Entered):
            raise Break("JN218", "`__next__` is not a Python function")
        m.state.top.expects = StopIteration
        return True
    return False


def yield_item(m: Machine, value: Abstract) -> None:
    """Suspend the generator that runs in the frame at hand and hand out `value`."""
    from janus_mlir.capture.instructions import write_variable

    frame = m.state.top
    before = generator_content(m, frame.generator) if frame.generator is not None else None
    assert before is not None and isinstance(frame.generator, IteratorRef) and frame.result is not None
    live = frame.function.live_at(frame.pc + 1)
    handler = frame.function.code.handlers[frame.pc]
    if handler is not None:
        if not before.managed:
            # Where it is let go of, Python runs what `finally` and `with` around the `yield` demand.
            raise Break("JN105", "a generator that is suspended within `try` or `with`")
        live |= frame.function.live_at(handler)
    live |= set(frame.handling)
    kept = tuple((name, v) for name, v in frame.vars.items() if name in live)
    content = replace(before, pc=frame.pc + 1, at=frame.pc, vars=kept, handling=frame.handling)
    m.put(frame.generator.id, content)
    m.state.frames.pop()
    caller = m.state.top
    write_variable(m, frame.result, value)
    if not frame.inline and isinstance(caller.function.code.instrs[caller.at], c.ForIter):
        caller.pc = caller.at + 1


def finish_generator(m: Machine, iterator: Abstract) -> None:
    """Note that a generator has ended."""
    content = generator_content(m, iterator)
    assert content is not None and isinstance(iterator, IteratorRef)
    m.put(iterator.id, replace(content, pc=ENDED, at=ENDED, vars=(), handling=()))


def end_iteration(m: Machine, frame: Frame) -> None:
    """Tell who has asked for an item that there is none; `frame` has been popped."""
    caller = m.state.top
    if frame.inline:
        # Looks like an exception without an object: what the generator returns.
        caller.vars[RAISED] = TupleValue((frame.vars.get(RESULT, _NONE),))
        caller.pc = RAISED_PC
        return
    loop = caller.function.code.instrs[caller.at]
    assert isinstance(loop, c.ForIter)
    if loop.returned is not None:
        caller.vars[loop.returned] = frame.vars.get(RESULT, _NONE)
    caller.pc = loop.end


@dataclass(frozen=True, slots=True)
class Asked:
    """What a generator has answered: an item, or what it returns."""

    item: Abstract | None
    returned: Abstract = _NONE


class Parted(Exception):
    """Says that only run time knows whether a generator has handed out an item."""

    def __init__(self, ended: Value, at_end: State, returned: Abstract, state: State, item: Abstract) -> None:
        super().__init__(ended)
        self.ended = ended
        self.at_end = at_end
        self.returned = returned
        self.state = state
        self.item = item
        #: The variable for the answer, and what is the answer at the end, if it is not an exception.
        self.dst: str | None = None
        self.default: Abstract | None = None


def resume_inline(m: Machine, iterator: IteratorRef) -> Abstract | None:
    """Return the next item of a generator, in the middle of an instruction; None if there is none."""
    try:
        return ask(m, iterator).item
    except Parted:
        raise Break("JN505", "whether a generator goes on is only known at run time") from None


def ask(m: Machine, iterator: IteratorRef, sent: Abstract = _NONE) -> Asked:
    """Ask a generator for its next item, in the middle of an instruction.

    Raises
    ------
    Parted
        If only run time knows whether there is one; both states are at the instruction then.
    """
    content = generator_content(m, iterator)
    assert content is not None
    if content.pc == ENDED:
        return Asked(None)
    depth, pc = m.state.where
    _push(m, iterator, content, INLINE, sent)
    return _finish(m, depth, pc)


def stopped(returned: Abstract) -> Failed:
    """Return the exception by which a generator says that it has ended."""
    nothing = isinstance(returned, Known) and returned.value is None
    return Failed(StopIteration) if nothing else Failed(StopIteration, returned)


def send(m: Machine, iterator: IteratorRef, value: Abstract) -> Asked:
    """Send a value to a generator."""
    content = generator_content(m, iterator)
    assert content is not None
    nothing = isinstance(value, Known) and value.value is None
    if content.pc == content.at and content.pc != ENDED and not nothing:
        if not isinstance(value, (Known, Number, ExtentNumber, TupleValue, HeapRef)):
            raise Break("JN105", "something is sent to a generator that has not begun")
        raise Failed(TypeError, "can't send non-None value to a just-started generator")
    if any(loop.kind == "yield from" for loop in content.function.code.loops):
        raise Break("JN105", "something is sent to a generator that delegates")
    return ask(m, iterator, value)


def method(m: Machine, iterator: IteratorRef, name: str, args: list[Abstract]) -> Abstract:
    """Call a method of a generator."""
    if generator_content(m, iterator) is None or (name, len(args)) not in _METHODS:
        raise Break("JN301", f"method `{name}` of an iterator")
    if name == "close":
        close(m, iterator)
        return _NONE
    asked = send(m, iterator, args[0]) if name == "send" else ask(m, iterator)
    if asked.item is None:
        raise stopped(asked.returned)
    return asked.item


_METHODS = (("send", 1), ("__next__", 0), ("close", 0))


def close(m: Machine, iterator: IteratorRef) -> None:
    """Close a generator that is suspended where nothing is to be done at its end."""
    content = generator_content(m, iterator)
    assert content is not None
    if (
        content.pc != ENDED
        and content.pc != content.at
        and content.function.code.handlers[content.at] is not None
    ):
        raise Break("JN105", "a generator is closed within `try` or `with`")
    finish_generator(m, iterator)


def throw_inline(m: Machine, iterator: IteratorRef, exception: ObjectRef) -> Abstract | None:
    """Raise an exception where a generator is suspended; return its next item, None if there is none."""
    from janus_mlir.capture.exceptions import is_handled, unwind

    content = generator_content(m, iterator)
    assert content is not None
    if content.pc == ENDED or content.function.code.handlers[content.at] is None:
        finish_generator(m, iterator)
        raise Raised(exception)
    if any(loop.kind == "yield from" for loop in content.function.code.loops):
        raise Break("JN105", "an exception is thrown into a generator that delegates")
    depth, pc = m.state.where
    _push(m, iterator, content, INLINE).inline = True
    assert is_handled(m.state)
    unwind(m, exception)
    try:
        return _finish(m, depth, pc).item
    except Parted:
        raise Break("JN505", "whether a generator goes on is only known at run time") from None


def _finish(m: Machine, depth: int, pc: int) -> Asked:
    from janus_mlir.capture.calls import run_inline

    outcomes = run_inline(m, depth, pc)
    answers = [_answer(state, where[1] == RAISED_PC, pc) for where, state in outcomes.ways]
    if len(answers) == 1:
        m.state = outcomes.ways[0][1]
        if isinstance(answers[0], ObjectRef):
            raise Raised(answers[0])
        return answers[0]
    ends = [i for i, answer in enumerate(answers) if isinstance(answer, Asked) and answer.item is None]
    if len(answers) > 2 or len(ends) != 1:
        raise Break("JN505", "whether a generator goes on is only known at run time")
    end, other = answers[ends[0]], answers[1 - ends[0]]
    if not isinstance(end, Asked) or not isinstance(other, Asked) or other.item is None:
        raise Break("JN505", "whether a generator goes on is only known at run time")
    ended = outcomes.chosen(m.b, ends[0])
    states = [state for _, state in outcomes.ways]
    m.state = states[1 - ends[0]]
    raise Parted(ended, states[ends[0]], end.returned, m.state, other.item)


def _answer(state: State, raised: bool, pc: int) -> Asked | ObjectRef:
    """Return what a frame that has asked a generator has got, which goes on at `pc`."""
    frame = state.top
    frame.pc = pc
    if not raised:
        return Asked(frame.vars.pop(INLINE))
    found = frame.vars.pop(RAISED)
    if isinstance(found, ObjectRef):
        return found
    assert isinstance(found, TupleValue)
    return Asked(None, found.items[0])
