"""Steps: one statement in Python, then compiled code again.

Where a function is left for good (a call into unknown code, a construct that is not compiled), Python executes that
statement only. A *step function* does: it takes the live locals, runs the statement as the user wrote it, and hands
its variables over to the resume function of what comes next, which is compiled like any function. Of an ``if`` or
``while`` whose test is the obstacle, the step evaluates the test only.

.. code-block:: python

    def step(x, y):                         def rest(x, y, t):
        t = time.time()                         z = y * 2 + t
        return Continue(locals(), None)         return z.sum()
"""

from __future__ import annotations

import ast
import builtins
import weakref
from dataclasses import dataclass
from typing import Any, Final

from janus_mlir.capture.reading import code as tac
from janus_mlir.capture.reading.code import Code
from janus_mlir.capture.reading.flow import liveness
from janus_mlir.capture.reading.midway import RestOfStatement
from janus_mlir.capture.reading.normalise import compile_function
from janus_mlir.capture.reading.reader import FunctionSource
from janus_mlir.capture.reading.rebuild import made_statement
from janus_mlir.capture.reading.resume import (
    UNBOUND,
    Builder,
    ResumeTemplate,
    Start,
    build_resume,
    iterator_name,
    make_template,
    path_to,
    resumable,
    shares_cells,
    suffix_of,
)

__all__ = ["Continue", "Step", "build_step"]


@dataclass(frozen=True, slots=True)
class Continue:
    """What a step function returns if the call goes on: its variables, and the value of a test."""

    variables: dict[str, Any]
    value: Any


_HELPERS: Final[dict[str, object]] = {"__janus_continue": Continue, "__janus_locals": builtins.locals}


@dataclass(frozen=True, eq=False)
class Step:
    """A statement to execute in Python, and the rest of the function.

    Attributes
    ----------
    first : ResumeTemplate
        Runs the statement. It returns a `Continue`, or what the user's function returns.
    rest : ResumeTemplate
        Runs what comes then; if `test`, its last argument is the value of the statement's test.
    """

    source: FunctionSource
    first: ResumeTemplate
    rest: ResumeTemplate
    test: bool

    def arguments(self, done: Continue) -> list[Any]:
        """Return the arguments of the rest."""
        variables = done.variables
        code = compile_function(self.source)
        values = [variables.get(name, UNBOUND) for name in self.rest.params]
        values += [variables[iterator_name(code, loop)] for loop in self.rest.iterators]
        return [*values, done.value] if self.test else values


_steps: weakref.WeakKeyDictionary[FunctionSource, dict[int, Step | None]] = weakref.WeakKeyDictionary()


def build_step(source: FunctionSource, stmt: int) -> Step | None:
    """Return how to execute one statement in Python and go on behind it, or None if that cannot be done.

    Within ``try`` it cannot: an exception of the statement concerns the rest.

    Parameters
    ----------
    source : FunctionSource
        The function.
    stmt : int
        Id of the statement, as in `Code.statements`.
    """
    known = _steps.setdefault(source, {})
    if stmt not in known:
        known[stmt] = _build(source, stmt)
    return known[stmt]


def _build(source: FunctionSource, stmt: int) -> Step | None:
    code = compile_function(source)
    statement = code.statements[stmt]
    path = path_to(code, stmt)
    start = _start_of(code, stmt)
    if start is None or code.cells or not resumable(source, code, statement):
        return None
    if any(isinstance(outer.node, (ast.Try, ast.Match)) for outer in path[:-1]):
        return None
    test = isinstance(statement.node, (ast.If, ast.While))
    rest = _after_test(source, code, statement) if test else _after(source, code, statement)
    if rest is None:
        return None
    node = statement.node
    if isinstance(node, (ast.If, ast.While)):
        last = made_statement("return __janus_continue(__janus_locals(), 0)", node.test)
        assert isinstance(last, ast.Return) and isinstance(last.value, ast.Call)
        last.value.args[1] = node.test
        body: list[ast.stmt] = [last]
    else:
        if _jumps_out(node):
            return None
        body = [node, made_statement("return __janus_continue(__janus_locals(), None)", node)]
    live = liveness(code)[start]
    first = make_template(
        source, code, Start(start, statement, statement.loops, live), lambda: body, _HELPERS
    )
    return Step(source, first, rest, test)


def _start_of(code: Code, stmt: int) -> int | None:
    points = [
        pc
        for pc, instr in enumerate(code.instrs)
        if isinstance(instr, tac.StatementStart) and instr.stmt == stmt and instr.kind == "statement"
    ]
    return points[0] if len(points) == 1 else None


def _after(source: FunctionSource, code: Code, statement: tac.Statement) -> ResumeTemplate | None:
    """Return what comes after a statement."""
    inner = {statement.id}
    for other in code.statements[statement.id + 1 :]:
        if other.parent in inner:
            inner.add(other.id)
    pc = 1 + max(pc for pc, instr in enumerate(code.instrs) if instr.stmt in inner)
    while pc < len(code.instrs):
        instr = code.instrs[pc]
        if isinstance(instr, tac.StatementStart):
            return build_resume(source, instr.stmt, instr.kind)
        if not isinstance(instr, tac.Jump):
            break
        pc = instr.target
    return None


def _after_test(source: FunctionSource, code: Code, statement: tac.Statement) -> ResumeTemplate | None:
    """Return an ``if`` or ``while`` statement that is given the value of its (first) test."""
    node = statement.node
    assert isinstance(node, (ast.If, ast.While))
    if any(isinstance(child, ast.NamedExpr) for child in ast.walk(node.test)):
        return None
    start = _start_of(code, statement.id)
    assumed: set[str] = set()
    if start is None or shares_cells(code, start, assumed):
        return None
    name = f"__janus_test{suffix_of(code)}"
    value = ast.copy_location(ast.Name(name, ast.Load()), node.test)
    builder = Builder(code, "statement", RestOfStatement({}, lambda variable: variable, node.test, value))
    # An earlier value of what the test binds is not needed any more, but does no harm.
    where = Start(start, statement, statement.loops, liveness(code)[start], (), (name,))
    return make_template(
        source, code, where, lambda: builder.block(source.body, path_to(code, statement.id)), {}, assumed
    )


def _jumps_out(node: ast.AST) -> bool:
    """Tell whether a statement may leave a loop around it."""
    if isinstance(node, (ast.Break, ast.Continue)):
        return True
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
        return False
    inner = node.orelse if isinstance(node, (ast.For, ast.While)) else ast.iter_child_nodes(node)
    return any(_jumps_out(child) for child in inner)
