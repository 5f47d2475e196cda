"""A call that is stopped at any statement and resumed there ends as if it had never been stopped."""

from __future__ import annotations

import contextlib
import traceback
import types
from collections.abc import Callable
from typing import Any

import pytest
import resume_corpus
import source_corpus as corpus
from resume_corpus import (
    OWN,
    defaults,
    nested_for,
    nonlocal_counter,
    raises_deep,
    rebound_after_capture,
)
from tac_interpreter import UNBOUND as NO_VALUE
from tac_interpreter import Frame, Log, Stop, StopAtCall, observe

from janus_mlir.capture.reading.normalise import compile_function
from janus_mlir.capture.reading.reader import Unreadable, read_function
from janus_mlir.capture.reading.resume import UNBOUND, ResumeTemplate, build_rest, build_resume

ARGUMENTS = [(0, 0), (1, 0), (0, 1), (1, 1), (2, 1), (1, 2), (3, 2)]


def _frame(fn: types.FunctionType, log: Log, args: tuple[object, ...], **stop: int) -> Frame:
    code = compile_function(read_function(fn))
    closure = dict(zip(fn.__code__.co_freevars, fn.__closure__ or (), strict=True))
    variables = dict(zip(code.params, (log, *args), strict=False))
    if code.params.vararg is not None:
        variables |= {"rest": (), "k": 2, "kw": {}}
    return Frame(code, fn.__globals__, closure, variables, **stop)


def _stopped(fn: types.FunctionType, log: Log, args: tuple[object, ...], stop_at: int) -> Stop | None:
    """Run `fn` until it has begun its `stop_at`-th statement."""
    try:
        _frame(fn, log, args, stop_at=stop_at).run()
    except Stop as stop:
        return stop
    except Exception:
        return None
    return None


def _arguments(fn: types.FunctionType, stop: Stop) -> tuple[types.FunctionType, list[object]] | None:
    """Return the resume function for a stopped call, and its arguments."""
    source = read_function(fn)
    assert not isinstance(source, Unreadable)
    template = build_resume(source, stop.stmt, stop.kind)
    if template is None:
        return None
    return template.instantiate(fn), _values(template, stop.frame)


def _values(template: ResumeTemplate, frame: Frame) -> list[object]:
    """Return what a resume function takes, from a frame that has been stopped."""

    def value(name: str) -> object:
        found = frame.cells[name].value if name in frame.cells else frame.variables.get(name, NO_VALUE)
        assert found is not NO_VALUE or name in template.optional
        return UNBOUND if found is NO_VALUE else found

    values = [value(name) for name in template.params]
    values += [frame.variables[frame.code.loops[loop].iterator] for loop in template.iterators]
    return values + [frame.variables[name] for name in template.temporaries]


def _resume(fn: types.FunctionType, stop: Stop) -> Callable[[], object] | None:
    arguments = _arguments(fn, stop)
    if arguments is None:
        return None
    resumed, values = arguments
    return lambda: resumed(*values)


@pytest.mark.parametrize("args", ARGUMENTS, ids=str)
@pytest.mark.parametrize("fn", [*OWN, *corpus.CASES], ids=lambda fn: fn.__name__)
def test_resume_at_every_statement(fn: Any, args: tuple[int, int]) -> None:
    expected, expected_log = observe(fn, *args)
    for stop_at in range(400):
        log = Log()
        stop = _stopped(fn, log, args, stop_at)
        if stop is None:
            break
        run = _resume(fn, stop)
        if run is not None:
            outcome, _ = observe(lambda own, *_, log=log, run=run: run(), *args)
            assert outcome == expected, (stop_at, stop.stmt, stop.kind)
            assert log.entries == expected_log, (stop_at, stop.stmt, stop.kind)
    else:
        pytest.fail("the function does not end")


@pytest.mark.parametrize("by_value", [True, False])
@pytest.mark.parametrize("args", ARGUMENTS, ids=str)
@pytest.mark.parametrize("fn", [*OWN, *corpus.CASES], ids=lambda fn: fn.__name__)
def test_resume_after_every_call(fn: Any, args: tuple[int, int], by_value: bool) -> None:
    expected, expected_log = observe(fn, *args)
    source = read_function(fn)
    assert not isinstance(source, Unreadable)
    for number in range(400):
        log = Log()
        try:
            _frame(fn, log, args, stop_call=number).run()
        except StopAtCall as found:
            stop = found
        except Exception:
            break
        else:
            break
        template = build_rest(source, stop.pc, by_value=by_value)
        if template is None:
            continue
        try:
            inner = stop.call() if by_value else stop.call
        except Exception:
            continue
        values = [*_values(template, stop.frame), inner]
        outcome, _ = observe(lambda own, *_, t=template, v=values: t.instantiate(fn)(*v), *args)
        assert outcome == expected, (number, stop.pc)
        assert log.entries == expected_log, (number, stop.pc)
    else:
        pytest.fail("the function does not end")


@pytest.mark.parametrize("args", [(1, 2), (3, 1)], ids=str)
@pytest.mark.parametrize("fn", OWN, ids=lambda fn: fn.__name__)
def test_resume_functions_can_be_resumed(fn: Any, args: tuple[int, int]) -> None:
    expected = observe(fn, *args)
    for first in range(0, 60, 3):
        if _stopped(fn, Log(), args, first) is None:
            break
        for second in range(40):
            log = Log()
            stop = _stopped(fn, log, args, first)
            assert stop is not None
            arguments = _arguments(fn, stop)
            if arguments is None:
                break
            resumed, values = arguments
            code = compile_function(read_function(resumed))
            closure = dict(zip(resumed.__code__.co_freevars, resumed.__closure__ or (), strict=True))
            frame = Frame(code, fn.__globals__, closure, dict(zip(code.params, values, strict=True)), second)
            again = None
            with contextlib.suppress(Exception):
                try:
                    frame.run()
                except Stop as inner:
                    again = inner
            if again is None:
                break
            run = _resume(resumed, again)
            if run is not None:
                outcome, _ = observe(lambda own, *_, run=run: run(), *args)
                assert (outcome, log.entries) == expected, (first, second, again.stmt, again.kind)


@pytest.mark.parametrize("fn", [f for f in OWN if f not in (rebound_after_capture, nonlocal_counter)])
def test_every_plain_statement_can_be_resumed(fn: Any) -> None:
    source = read_function(fn)
    code = compile_function(source)
    live = {i.stmt for i in code.instrs}
    for statement in code.statements:
        if statement.id in live:
            assert (build_resume(source, statement.id, "statement") is not None) == statement.resumable


def test_shared_cells_are_refused() -> None:
    source = read_function(rebound_after_capture)
    possible = [build_resume(source, number, "statement") is not None for number in range(6)]
    assert possible == [True, True, False, False, True, True]
    source = read_function(nonlocal_counter)
    assert build_resume(source, 1, "statement") is not None
    assert build_resume(source, 3, "statement") is None


def _places(error: BaseException) -> list[tuple[str, int | None, str]]:
    frames = traceback.extract_tb(error.__traceback__)
    return [(f.filename, f.lineno, f.name) for f in frames if f.name == "raises_deep"]


@pytest.mark.parametrize("args", ARGUMENTS, ids=str)
def test_tracebacks_are_the_users(args: tuple[int, int]) -> None:
    with pytest.raises(Exception) as expected:  # noqa: B017
        raises_deep(Log(), *args)
        raise AssertionError
    for stop_at in range(60):
        stop = _stopped(raises_deep, Log(), args, stop_at)
        if stop is None:
            break
        run = _resume(raises_deep, stop)
        assert run is not None
        with pytest.raises(expected.type) as resumed:
            run()
            raise AssertionError
        assert _places(resumed.value) == _places(expected.value)


def test_names_and_attributes() -> None:
    template = build_resume(read_function(defaults), 2, "statement")
    assert template is not None
    resumed = template.instantiate(defaults)
    assert resumed.__name__ == defaults.__name__
    assert resumed.__qualname__ == defaults.__qualname__
    assert resumed.__code__.co_firstlineno == defaults.__code__.co_firstlineno
    assert resumed.__doc__ == defaults.__doc__
    assert resumed.__globals__ is defaults.__globals__


def test_resume_functions_can_be_captured() -> None:
    template = build_resume(read_function(nested_for), 3, "statement")
    assert template is not None
    source = read_function(template.instantiate(nested_for))
    assert source is template.source
    assert compile_function(source).params.pos_or_kw[: len(template.params)] == template.params


def test_methods_find_super() -> None:
    source = read_function(corpus.Derived.method)
    template = build_resume(source, 1, "statement")
    # The inner function has a private name, which only the user's class gives it.
    assert template is None

    class Child(corpus.Base):
        def method(self, a):
            a += 1
            return super().method(a)

    source = read_function(Child.method)
    template = build_resume(source, 1, "statement")
    assert template is not None
    assert template.instantiate(Child.method)(Child(), 3) == 3


def reads_locals(a):
    b = a
    return locals(), b


def test_private_names_and_super_in_loops() -> None:
    square, method = resume_corpus.Square(), resume_corpus.Square.area
    expected, log = observe(lambda e, a: square.area(e, a), 3)
    code = compile_function(read_function(method))
    for stop_at in range(30):
        own = Log()
        cells = dict(zip(method.__code__.co_freevars, method.__closure__ or (), strict=True))
        frame = Frame(code, method.__globals__, cells, {"self": square, "e": own, "a": 3}, stop_at)
        try:
            frame.run()
        except Stop as stop:
            run = _resume(method, stop)
            assert run is not None
            outcome, _ = observe(lambda e, run=run: run())
            assert (outcome, own.entries) == (expected, log)
        else:
            break
    assert stop_at > 10


def test_functions_that_read_their_frame_are_refused() -> None:
    assert build_resume(read_function(reads_locals), 1, "statement") is None
