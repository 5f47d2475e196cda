"""Exceptions as control flow: made, raised, caught and passed on by the captured code.

An exception that captured code handles is a jump to the handler, with an object of the exception's class in the
machine's heap. What an instruction raises for certain comes as `Raised`, what it raises only if a condition does
not hold as `Doubtful`, and becomes a fork. An exception that nothing handles leaves the compiled code: Python
raises it.
"""

from __future__ import annotations

import builtins
import dataclasses
import inspect
import types
from typing import TYPE_CHECKING

from janus_mlir.capture.boundary.outcomes import Outcomes
from janus_mlir.capture.boundary.sources import Attribute, pinned
from janus_mlir.capture.breaks import Break, Failed
from janus_mlir.capture.control import Doubt, Fork, Left
from janus_mlir.capture.graph import Block, Value
from janus_mlir.capture.heap import ObjectContent
from janus_mlir.capture.reading import code as c
from janus_mlir.capture.state import RAISED, RAISED_PC, State, Where
from janus_mlir.capture.values import Abstract, Known, ObjectRef, TupleValue

if TYPE_CHECKING:
    from janus_mlir.capture.calls import Entered
    from janus_mlir.capture.machine import Machine

#: Built-in exceptions whose instances hold more than ``args``, or look at them.
_SPECIAL: tuple[type, ...] = (
    OSError, StopAsyncIteration, SystemExit, UnicodeError, SyntaxError, ImportError, BaseExceptionGroup,
)  # fmt: skip


class Raised(Exception):
    """The instruction at hand raises `exception`."""

    def __init__(self, exception: ObjectRef) -> None:
        super().__init__(exception)
        self.exception = exception


class Doubtful(Exception):
    """The instruction at hand raises unless `cond` holds."""

    def __init__(self, cond: Value, failed: Failed, number: int) -> None:
        super().__init__(cond)
        self.cond = cond
        self.failed = failed
        #: How many conditions of the instruction have been met up to this one.
        self.number = number


@dataclasses.dataclass(slots=True)
class Checks:
    """The conditions under which the instruction at hand does not raise."""

    #: How many of them hold already: the instruction is executed anew after each fork.
    passed: int = 0
    count: int = 0
    #: Whether forks are possible here, and the place where the instruction began.
    allowed: bool = False
    effects: int = 0
    depth: int = 0
    block: Block | None = None


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class TracebackValue(Abstract):
    """The traceback of an exception, or a forgotten one: it is not None, and that is all that is known."""


class ExceptionBase:
    """Marks a one-tuple of an exception, for the methods that it has from `BaseException`."""


# ---- making -----------------------------------------------------------------------------


def exception_of(m: Machine, failed: Failed) -> ObjectRef:
    """Return the exception that an operation raises."""
    if issubclass(failed.cls, _SPECIAL):
        raise failed
    return new_exception(
        m, failed.cls, tuple(o if isinstance(o, Abstract) else Known(o) for o in failed.operands)
    )


def new_exception(m: Machine, cls: type[BaseException], args: tuple[Abstract, ...]) -> ObjectRef:
    """Return a new exception of a class without ``__init__`` of its own."""
    handle = ObjectRef()
    m.outside.classes[handle.id] = cls
    m.put(handle.id, ObjectContent((("args", TupleValue(args)),)))
    return handle


def make_exception(
    m: Machine, cls: type[BaseException], args: list[Abstract], kwargs: dict[str, Abstract], dst: str
) -> Abstract | Entered:
    """Call an exception class."""
    if issubclass(cls, _SPECIAL) or type(cls) is not type:
        raise Break("JN208", f"{cls.__name__} is made here")
    made = inspect.getattr_static(cls, "__new__", None)
    init = inspect.getattr_static(cls, "__init__", None)
    if isinstance(made, (staticmethod, types.FunctionType)):
        raise Break("JN303", f"`{cls.__qualname__}` defines `__new__`")
    handle = new_exception(m, cls, tuple(args))
    if not isinstance(init, types.FunctionType):
        if kwargs:
            raise Break("JN208", f"{cls.__name__} with keyword arguments")
        return handle
    m.outside.wrap(init, Attribute(pinned(cls.__qualname__, cls), "__init__"))
    from janus_mlir.capture.calls import enter
    from janus_mlir.capture.function import context_of

    return enter(m, context_of(init), init, [handle, *args], kwargs, dst, override=handle)


def is_exception(m: Machine, value: Abstract) -> bool:
    """Whether an abstract value is an exception object."""
    return isinstance(value, ObjectRef) and issubclass(m.outside.classes[value.id], BaseException)


def _as_exception(m: Machine, value: Abstract, what: str) -> ObjectRef:
    """Return the exception object that a ``raise`` statement's operand stands for."""
    if isinstance(value, Known) and isinstance(value.value, type) and issubclass(value.value, BaseException):
        from janus_mlir.capture.calls import call_inline

        value = call_inline(m, value, [])
    if not isinstance(value, ObjectRef) or not is_exception(m, value):
        raise Failed(TypeError, what)
    if value.id in m.initial:
        raise Break("JN208", "an exception from outside is raised")
    return value


# ---- raising and catching ------------------------------------------------------------------


def raise_instruction(m: Machine, instr: c.Raise) -> Exception:
    """Return what to raise for a ``raise`` statement."""
    from janus_mlir.capture.instructions import read_variable

    if m.pure:
        return Break("JN208", "an exception is raised here")
    function = m.state.top.function
    if not function.source.exact and function.code.statements[instr.stmt].kind == "Assert":
        return Break("JN208", "an assertion whose words are not those of the source")
    if instr.exc is None:
        handled = _being_handled(m)
        if not isinstance(handled, ObjectRef):
            return Break("JN208", "the exception being handled is raised again")
        return Raised(handled)
    exception = _as_exception(m, read_variable(m, instr.exc), "exceptions must derive from BaseException")
    content: ObjectContent = m.get(exception.id)
    if instr.cause is not None:
        cause = read_variable(m, instr.cause)
        if not (isinstance(cause, Known) and cause.value is None):
            cause = _as_exception(m, cause, "exception causes must derive from BaseException")
        content = content.set("__cause__", cause).set("__suppress_context__", Known(True))
    m.put(exception.id, content)
    return Raised(exception)


def reraise(m: Machine, exception: Abstract) -> Exception:
    """Return what to raise where an exception that is being handled goes on."""
    assert isinstance(exception, ObjectRef)
    return Raised(exception)


def _being_handled(m: Machine) -> Abstract | None:
    """Return the exception that is being handled, None if there is none."""
    for frame in reversed(m.state.frames):
        if frame.handling:
            # Where no path needs it any more it has been forgotten.
            return frame.vars.get(frame.handling[-1], TracebackValue())
    return None


def _set_context(m: Machine, exception: ObjectRef) -> None:
    handled = _being_handled(m)
    content: ObjectContent = m.get(exception.id)
    if handled is None or (isinstance(handled, ObjectRef) and handled.id == exception.id):
        return
    if isinstance(handled, TracebackValue) and content.get("__context__") is not None:
        return
    m.put(exception.id, content.set("__context__", handled))


def is_handled(state: State) -> bool:
    """Whether captured code may handle what the instruction at hand raises."""
    return any(frame.function.code.handlers[frame.at] is not None or frame.expects for frame in state.frames)


def unwind(m: Machine, exception: ObjectRef) -> Outcomes | None:
    """Hand an exception to its handler; None if there is one, and `m.state` is at it now."""
    from janus_mlir.capture.instructions import write_variable

    state = m.state
    if not is_handled(state) or m.pure:
        m.leave_for(Break("JN208", m.outside.classes[exception.id].__name__))
        return Outcomes([])
    m.raised.add(exception.id)
    _set_context(m, exception)
    stops = issubclass(m.outside.classes[exception.id], StopIteration)
    while True:
        frame = state.top
        instrs = frame.function.code.instrs
        handler = frame.function.code.handlers[frame.at]
        if handler is not None:
            catch = instrs[handler]
            assert isinstance(catch, c.CatchException)
            frame.handling = (*catch.outer, catch.dst)
            frame.pc = handler + 1
            write_variable(m, catch.dst, exception)
            return None
        if len(state.frames) == 1:
            m.leave_for(Break("JN208", m.outside.classes[exception.id].__name__))
            return Outcomes([])
        state.frames.pop()
        if frame.generator is not None:
            from janus_mlir.capture.generators import finish_generator

            if stops:
                m.leave_for(Break("JN208", "StopIteration is raised in a generator"))
                return Outcomes([])
            finish_generator(m, frame.generator)
        if frame.inline:
            state.top.vars[RAISED] = exception
            state.top.pc = RAISED_PC
            return None
        if frame.expects is StopIteration and stops:
            loop = state.top.function.code.instrs[state.top.at]
            assert isinstance(loop, c.ForIter)
            if loop.returned is not None:
                m.leave_for(Break("JN208", "StopIteration ends what a generator delegates to"))
                return Outcomes([])
            state.top.pc = loop.end
            return None


def fork_on(m: Machine, state: State, doubtful: Doubtful) -> Fork:
    """Fork on the condition under which the instruction at hand does not raise."""
    frame = state.top
    span = m.b.span
    frame.at = frame.pc

    def proceed(side: State) -> None:
        side.top.passed = doubtful.number

    def fail(side: State) -> None:
        m.state = side
        if unwind(m, exception_of(m, doubtful.failed)) is not None:
            raise Left

    doubt = None
    if span is not None and span not in m.speculation.both:
        doubt = Doubt(True, proceed, span)
    return Fork(doubtful.cond, proceed, fail, _meeting(state), doubt)


def _meeting(state: State) -> Where | None:
    """Return where the ways with and without the exception meet, as far as that can be told."""
    for depth in range(len(state.frames) - 1, -1, -1):
        frame = state.frames[depth]
        handler = frame.function.code.handlers[frame.at]
        flow = frame.function.flow
        if handler is not None:
            onward = flow.postdominators[frame.at]
            meet = None if onward is None else flow.meet([onward, handler])
            return None if meet is None else (depth, meet)
        if frame.inline:
            return None
    return None


def matches(m: Machine, exception: Abstract, cls: Abstract) -> bool:
    """Return whether an ``except`` clause catches an exception."""
    from janus_mlir.capture.builtins.basic import classes_of

    target = classes_of(cls)
    flat = target if isinstance(target, tuple) else (target,)
    if not all(isinstance(t, type) and issubclass(t, BaseException) for t in flat):
        raise Break("JN208", "an `except` clause of something that is not a class of exceptions")
    assert isinstance(exception, ObjectRef)
    return issubclass(m.outside.classes[exception.id], flat)


def end_handling(m: Machine, var: str) -> None:
    """Note that the exception in `var` is handled."""
    frame = m.state.top
    if var in frame.handling:
        frame.handling = frame.handling[: frame.handling.index(var)]


# ---- looking at exceptions -------------------------------------------------------------------


def exception_attribute(m: Machine, value: ObjectRef, name: str) -> Abstract | None:
    """Return what `BaseException` gives an exception object under `name`, None if that is nothing."""
    content: ObjectContent = m.get(value.id)
    if name in ("__cause__", "__context__"):
        return content.get(name) or Known(None)
    if name == "__suppress_context__":
        return content.get(name) or Known(False)
    if name == "value" and issubclass(m.outside.classes[value.id], StopIteration):
        args = content.get("args")
        assert isinstance(args, TupleValue)
        return args.items[0] if args.items else Known(None)
    if name in ("__traceback__", "with_traceback", "add_note", "__notes__", "__setstate__", "__reduce__"):
        raise Break("JN216", f"`{name}` of an exception")
    found = inspect.getattr_static(m.outside.classes[value.id], name, None)
    if found is not None and found is vars(BaseException).get(name) and callable(found):
        from janus_mlir.capture.values import MemberValue

        return MemberValue(TupleValue((value,), ExceptionBase), name)
    return None


def base_method(m: Machine, value: Abstract, name: str, args: list[Abstract]) -> Abstract:
    """Call a method that an exception has from `BaseException`."""
    assert isinstance(value, ObjectRef)
    if name == "__init__":
        content: ObjectContent = m.get(value.id)
        m.put(value.id, content.set("args", TupleValue(tuple(args))))
        return Known(None)
    if name in ("__str__", "__repr__") and not args:
        return base_text(m, value, "s" if name == "__str__" else "r")
    raise Break("JN216", f"`{name}` of an exception")


def base_text(m: Machine, value: ObjectRef, conversion: str) -> Abstract:
    """Return ``BaseException.__str__`` or ``__repr__`` of an exception."""
    from janus_mlir.capture.text import build_string, format_value

    cls = m.outside.classes[value.id]
    args = m.get(value.id).get("args")
    assert isinstance(args, TupleValue)
    if conversion == "s":
        if not args.items:
            return Known("")
        if len(args.items) > 1:
            return format_value(m, args, "s", None)
        keyed = issubclass(cls, KeyError) and "__str__" not in _own_names(cls)
        return format_value(m, args.items[0], "r" if keyed else "s", None)
    parts: list[Abstract] = [Known(f"{cls.__name__}(")]
    for i, item in enumerate(args.items):
        parts += [Known(", ")] if i else []
        parts.append(format_value(m, item, "r", None))
    return build_string([*parts, Known(")")])


def _own_names(cls: type) -> set[str]:
    """Return the names that user classes of an exception's ancestry define."""
    return {name for base in cls.__mro__ if base.__module__ != builtins.__name__ for name in vars(base)}


__all__ = [
    "Checks", "Doubtful", "ExceptionBase", "Raised", "TracebackValue", "base_method", "base_text",
    "end_handling", "exception_attribute", "exception_of", "fork_on", "is_exception", "is_handled", "make_exception", "matches",
    "new_exception", "raise_instruction", "reraise", "unwind",
]  # fmt: skip
