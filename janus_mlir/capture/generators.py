"""Generators that the captured code makes and consumes: frames that are suspended and go on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from janus_mlir.capture import code as c
from janus_mlir.capture.breaks import Break, Failed
from janus_mlir.capture.exceptions import Raised
from janus_mlir.capture.heap import GeneratorContent
from janus_mlir.capture.state import INLINE, RAISED, RAISED_PC, Frame, Suspended
from janus_mlir.capture.values import Abstract, IteratorRef, Known, ObjectRef

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


def _push(m: Machine, iterator: IteratorRef, content: GeneratorContent, dst: str | None) -> Frame:
    if any(isinstance(f.generator, IteratorRef) and f.generator.id == iterator.id for f in m.state.frames):
        raise Failed(ValueError, "generator already executing")
    caller = m.state.top
    # Python cannot be entered in the middle of a generator: who waits for an item waits for something else.
    waiting = Suspended(caller.function, caller.at, dict(caller.vars), None, caller.override)
    frame = Frame(content.function, content.pc, dict(content.vars), dst, m.b.span)
    frame.callers = (*caller.callers, waiting)
    frame.at, frame.handling, frame.generator = content.at, content.handling, iterator
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
        # Looks like an exception without an object.
        caller.vars[RAISED] = Known(None)
        caller.pc = RAISED_PC
        return
    loop = caller.function.code.instrs[caller.at]
    assert isinstance(loop, c.ForIter)
    caller.pc = loop.end


def resume_inline(m: Machine, iterator: IteratorRef) -> Abstract | None:
    """Return the next item of a generator, in the middle of an instruction; None if there is none."""
    content = generator_content(m, iterator)
    assert content is not None
    if content.pc == ENDED:
        return None
    depth, pc = m.state.where
    _push(m, iterator, content, INLINE)
    return _finish(m, depth, pc)


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
    return _finish(m, depth, pc)


def _finish(m: Machine, depth: int, pc: int) -> Abstract | None:
    from janus_mlir.capture.calls import run_inline

    outcomes = run_inline(m, depth, pc)
    if len(outcomes.ways) > 1:
        raise Break("JN505", "whether a generator goes on is only known at run time")
    where, m.state = outcomes.ways[0]
    frame = m.state.top
    frame.pc = pc
    if where[1] != RAISED_PC:
        return frame.vars.pop(INLINE)
    exception = frame.vars.pop(RAISED)
    if isinstance(exception, ObjectRef):
        raise Raised(exception)
    return None
