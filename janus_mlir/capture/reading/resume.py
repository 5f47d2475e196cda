"""Resume functions: Python functions that go on in the middle of another one.

When compiled code gives up at a statement, Python has to run the rest of the call. For that statement a
function is made from the user's own syntax tree. It takes the live locals and the iterators of the loops
around the statement, and its body is what is left to do. Within loops that is "the rest of this iteration,
then the loop as written":

.. code-block:: python

    first = True                                for t in chain([FIRST], iterator):
    while first or test:                            if t is FIRST:
        if first:                                       <rest of the body>
            first = False                           else:
            <rest of the body>                          target = t
        else:                                           <body>
            <body>                              else:
    else:                                           <else clause>
        <else clause>

so that ``break``, ``continue`` and ``else`` mean what they did. Lines, names and closure cells are the
user's.
"""

from __future__ import annotations

import ast
import builtins
import copy
import functools
import itertools
import types
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from janus_mlir.capture.breaks import Break
from janus_mlir.capture.reading import code as tac
from janus_mlir.capture.reading.code import Code
from janus_mlir.capture.reading.flow import defs, liveness, maybe_unbound, successors
from janus_mlir.capture.reading.midway import NoRest, RestOfStatement, find_call
from janus_mlir.capture.reading.normalise import compile_function
from janus_mlir.capture.reading.reader import FunctionSource, remember_source
from janus_mlir.capture.reading.rebuild import (
    UNBOUND,
    Marker,
    close_over,
    compile_as,
    made_expression,
    made_statement,
)
from janus_mlir.capture.reading.statements import sub_blocks

__all__ = [
    "FIRST", "UNBOUND", "Builder", "ResumeTemplate", "Start", "build_rest", "build_resume", "iterator_name",
    "make_template", "path_to", "resumable", "shares_cells", "suffix_of",
]  # fmt: skip


FIRST: Final = Marker("<first iteration>")
"""What the loops of a resume function iterate over in place of the item that is being worked on."""

_HELPERS: Final[dict[str, object]] = {
    "__janus_unbound": UNBOUND,
    "__janus_first": FIRST,
    "__janus_chain": itertools.chain,
    "__janus_firsts": (FIRST,),
}

# Builtins that have consumed a generator expression, and let go of it, when they return.
_CONSUMERS = frozenset(
    {"all", "any", "dict", "frozenset", "list", "max", "min", "set", "sorted", "sum", "tuple"}
)

_READS_FRAME = frozenset({"dir", "eval", "exec", "locals", "vars"})


@dataclass(eq=False)
class ResumeTemplate:
    """A resume function without its closure; it is compiled when it is first asked for.

    Attributes
    ----------
    params : tuple of str
        The locals that it takes, first.
    iterators : tuple of int
        Ids of the ``for`` loops whose iterators it takes after them, outermost first. Each yields the
        iterations to come.
    optional : frozenset of str
        Those of `params` that may be unbound there: pass `UNBOUND`.
    temporaries : tuple of str
        The temporaries whose values it takes then, if it starts in the middle of a statement. Last comes the
        result of the call that it starts after, or a function that makes that call.
    """

    params: tuple[str, ...]
    iterators: tuple[int, ...]
    optional: frozenset[str]
    _assumed_builtins: frozenset[str]
    _helpers: Mapping[str, object] = field(repr=False)
    _make: Callable[[], tuple[types.CodeType, FunctionSource]] = field(repr=False)
    temporaries: tuple[tac.Var, ...] = ()

    @functools.cached_property
    def _made(self) -> tuple[types.CodeType, FunctionSource]:
        return self._make()

    @property
    def code(self) -> types.CodeType:
        """The compiled function."""
        return self._made[0]

    @property
    def source(self) -> FunctionSource:
        """Its source, by which it can be captured like any function."""
        return self._made[1]

    def check(self, fn: types.FunctionType) -> None:
        """Raise `Break` if `fn` sees something else under the name of a builtin that the template relies on."""
        for name in self._assumed_builtins:
            if name in fn.__globals__:
                raise Break("JN210", f"{name} is not the builtin")

    def instantiate(self, fn: types.FunctionType) -> types.FunctionType:
        """Return the resume function that shares the globals and closure cells of `fn`.

        Raises
        ------
        Break
            As `check`.
        """
        self.check(fn)
        return close_over(self.code, fn, self._helpers)


# ---- syntax


def iterator_name(code: Code, loop: int | None) -> str:
    """Return the parameter of resume functions that takes the iterator of a ``for`` loop."""
    return f"__janus_it{loop}{suffix_of(code)}"


def suffix_of(code: Code) -> str:
    """Return what sets new names apart from those in `code`, which may be a resume function's own."""
    return f"_{sum(name.startswith('__janus_') for name in code.locals)}"


class Builder:
    """Builds what is left to do from the path of statements that leads to the resume point."""

    def __init__(self, code: Code, kind: str, rest: RestOfStatement | None = None) -> None:
        self.code = code
        self.kind = kind
        self.rest = rest
        self.suffix = suffix_of(code)

    def block(self, statements: Sequence[ast.stmt], path: Sequence[tac.Statement]) -> list[ast.stmt]:
        index = next(i for i, statement in enumerate(statements) if statement is path[0].node)
        return [*self.statement(path), *statements[index + 1 :]]

    def statement(self, path: Sequence[tac.Statement]) -> list[ast.stmt]:
        head, rest = path[0], path[1:]
        node = head.node
        if not rest:
            if self.kind == "iteration":
                assert isinstance(node, ast.For)
                iterator = made_expression(iterator_name(self.code, head.loop), node.iter)
                loop = ast.For(node.target, iterator, node.body, node.orelse, None)
                return [ast.copy_location(loop, node)]
            if self.rest is None:
                return [node]
            if isinstance(node, ast.While):
                return self._rest_of_test(node, head, self.rest)
            return self.rest.statements(node)
        where, inner = next(
            (where, block)
            for where, block in sub_blocks(node)
            if any(statement is rest[0].node for statement in block)
        )
        left = self.block(inner, rest)
        match node:
            case ast.For() if where == "body":
                return [self._for(node, head, left)]
            case ast.While() if where == "body":
                return self._while(node, head, left)
            case ast.Try() if where == "body":
                made = ast.Try(left, node.handlers, node.orelse, node.finalbody)
                return [ast.copy_location(made, node)]
            case ast.Try() if node.finalbody:
                return [ast.copy_location(ast.Try(left, [], [], node.finalbody), node)]
            case _:
                return left

    def _for(self, node: ast.For, head: tac.Statement, left: list[ast.stmt]) -> ast.stmt:
        # The first iteration of a loop made by this class is over once its body has been entered.
        written = _as_written(node)
        assert isinstance(written, ast.For)
        item = f"__janus_item{head.loop}{self.suffix}"
        iterator = made_expression(
            f"__janus_chain(__janus_firsts, {iterator_name(self.code, head.loop)})", node.iter
        )
        test = made_expression(f"{item} is __janus_first", node.target)
        target = ast.copy_location(ast.Name(item, ast.Store()), node.target)
        value = ast.copy_location(ast.Name(item, ast.Load()), node.target)
        assignment = ast.copy_location(ast.Assign([written.target], value), node.target)
        choice = ast.copy_location(ast.If(test, left, [assignment, *written.body]), node.target)
        loop = ast.copy_location(ast.For(target, iterator, [choice], node.orelse, None), node)
        loop.janus_written = written  # type: ignore[attr-defined]
        return loop

    def _while(self, node: ast.While, head: tac.Statement, left: list[ast.stmt]) -> list[ast.stmt]:
        written = _as_written(node)
        assert isinstance(written, ast.While)
        flag = f"__janus_flag{head.loop}{self.suffix}"
        tests = [made_expression(flag, node.test), written.test]
        test = ast.copy_location(ast.BoolOp(ast.Or(), tests), node.test)
        body = [made_statement(f"{flag} = False", node.test), *left]
        choice = ast.copy_location(ast.If(made_expression(flag, node.test), body, written.body), node.test)
        loop = ast.copy_location(ast.While(test, [choice], node.orelse), node)
        loop.janus_written = written  # type: ignore[attr-defined]
        return [made_statement(f"{flag} = True", node.test), loop]

    def _rest_of_test(self, node: ast.While, head: tac.Statement, rest: RestOfStatement) -> list[ast.stmt]:
        flag = f"__janus_flag{head.loop}{self.suffix}"
        choice = ast.IfExp(made_expression(flag, node.test), rest.expr(node.test), node.test)
        body = [made_statement(f"{flag} = False", node.test), *node.body]
        test = ast.copy_location(choice, node.test)
        loop = ast.copy_location(ast.While(test, body, node.orelse), node)
        loop.janus_written = _as_written(node)  # type: ignore[attr-defined]
        return [made_statement(f"{flag} = True", node.test), loop]


def _as_written(node: ast.For | ast.While) -> ast.stmt:
    """Return the user's loop behind one that a resume function has made of it."""
    written: ast.stmt = getattr(node, "janus_written", node)
    return written


class _DropDeclarations(ast.NodeTransformer):
    """Drops ``global`` and ``nonlocal`` of the function itself, which stand at its beginning now."""

    def visit_Global(self, node: ast.Global) -> ast.stmt:
        return ast.copy_location(ast.Pass(), node)

    def visit_Nonlocal(self, node: ast.Nonlocal) -> ast.stmt:
        return ast.copy_location(ast.Pass(), node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.stmt:
        return node

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.stmt:
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.stmt:
        return node


# ---- analysis


def _reachable(code: Code, start: int) -> set[int]:
    seen: set[int] = set()
    work = [start]
    while work:
        pc = work.pop()
        if pc in seen or pc >= len(code.instrs):
            continue
        seen.add(pc)
        work += successors(code.instrs, pc)
        if isinstance(code.instrs[pc], tac.Unsupported):
            work.append(pc + 1)
        handler = code.handlers[pc]
        if handler is not None:
            work.append(handler)
    return seen


def _consumer(code: Code, pc: int) -> str | None:
    """Return the builtin, by name, that the generator made at `pc` goes straight into."""
    made, call = code.instrs[pc], code.instrs[pc + 1] if pc + 1 < len(code.instrs) else None
    if not isinstance(made, tac.MakeGenerator) or not isinstance(call, tac.Call):
        return None
    if call.args != ((made.dst, False),) or call.kwargs:
        return None
    for instr in reversed(code.instrs[:pc]):
        if isinstance(instr, tac.LoadGlobal) and instr.dst == call.fn:
            return instr.name if instr.name in _CONSUMERS and hasattr(builtins, instr.name) else None
    return None


def shares_cells(code: Code, point: int, assumed: set[str]) -> bool:
    """Tell whether an inner function made before `point` may see a variable change after it, or change it.

    The resume function's variables are not those that such a function has captured, so this must not happen.
    Builtins that are assumed to consume a generator at once are added to `assumed`.
    """
    if not code.cells:
        return False
    after = _reachable(code, point)
    rebound: set[str] = set()
    for pc in after:
        instr = code.instrs[pc]
        rebound.update((instr.var,) if isinstance(instr, tac.Delete) else defs(instr))
    for pc, instr in enumerate(code.instrs):
        if isinstance(instr, tac.Unsupported):
            # Nobody knows what a class body or the like captures.
            captured = set(instr.uses) & code.cells
        elif isinstance(instr, tac.MakeClass):
            captured = set(instr.frees) & code.cells
        elif isinstance(instr, tac.MakeFunction | tac.MakeGenerator):
            captured = set(instr.source.frees) & code.cells
        else:
            continue
        if not captured & (code.shared | rebound) or point not in _reachable(code, pc):
            continue
        consumer = _consumer(code, pc)
        if consumer is None or captured & code.shared:
            return True
        assumed.add(consumer)
    return False


def path_to(code: Code, stmt: int) -> list[tac.Statement]:
    """Return the statements that lead to one, the outermost first, itself included."""
    path = []
    number: int | None = stmt
    while number is not None:
        path.append(code.statements[number])
        number = path[-1].parent
    return path[::-1]


#: What a template starts at: statement and kind, or the pc of a call and whether its value is passed.
_Key = tuple[int, str] | tuple[int, bool]

_templates: weakref.WeakKeyDictionary[FunctionSource, dict[_Key, ResumeTemplate | None]] = (
    weakref.WeakKeyDictionary()
)


def build_resume(source: FunctionSource, stmt: int, kind: str) -> ResumeTemplate | None:
    """Return the function that continues at a statement, or None if there can be none.

    Parameters
    ----------
    source : FunctionSource
        The function.
    stmt : int
        Id of the statement, as in `Code.statements`.
    kind : str
        ``"statement"``: its beginning; ``"iteration"``: the next iteration of this ``for`` loop.
    """
    known = _templates.setdefault(source, {})
    key = (stmt, kind)
    if key not in known:
        known[key] = _build(source, stmt, kind)
    return known[key]


def build_rest(source: FunctionSource, pc: int, *, by_value: bool) -> ResumeTemplate | None:
    """Return the function that continues after a call within a statement, or None if there can be none.

    Parameters
    ----------
    source : FunctionSource
        The function.
    pc : int
        Position of the call in the function's code.
    by_value : bool
        Whether the last argument is the call's result; otherwise it is called without arguments for it, where
        the user's call stood: exceptions are then handled, and shown, as if that call had raised them.
    """
    known = _templates.setdefault(source, {})
    key = (pc, by_value)
    if key not in known:
        known[key] = _build_rest(source, pc, by_value)
    return known[key]


def resumable(source: FunctionSource, code: Code, statement: tac.Statement) -> bool:
    """Tell whether Python can be entered at a statement, as far as the function and what is around it go."""
    # An inexact source has assertions that a test runner has rewritten: their messages would be others.
    if code.is_generator or not statement.resumable or source.renames or not source.exact:
        return False
    loads = {instr.name for instr in code.instrs if isinstance(instr, tac.LoadGlobal)}
    return not loads & _READS_FRAME


def _build(source: FunctionSource, stmt: int, kind: str) -> ResumeTemplate | None:
    code = compile_function(source)
    statement = code.statements[stmt]
    if not resumable(source, code, statement):
        return None
    points = [
        pc
        for pc, instr in enumerate(code.instrs)
        if isinstance(instr, tac.StatementStart) and instr.stmt == stmt and instr.kind == kind
    ]
    assumed: set[str] = set()
    if len(points) != 1 or shares_cells(code, points[0], assumed):
        return None
    iterators = statement.loops
    if kind == "iteration":
        assert statement.loop is not None
        iterators = (*iterators, statement.loop)
    path = path_to(code, stmt)
    start = Start(points[0], statement, iterators, liveness(code)[points[0]])
    builder = Builder(code, kind)
    return make_template(source, code, start, lambda: builder.block(source.body, path), {}, assumed)


def _build_rest(source: FunctionSource, pc: int, by_value: bool) -> ResumeTemplate | None:
    code = compile_function(source)
    call = code.instrs[pc]
    assert isinstance(call, tac.Call)
    statement = code.statements[call.stmt]
    target = find_call(statement.node, call.span)
    assumed: set[str] = set()
    if target is None or not resumable(source, code, statement) or shares_cells(code, pc + 1, assumed):
        return None
    suffix = suffix_of(code)
    names: dict[tac.Var, str] = {}

    def name(variable: tac.Var) -> str:
        return names.setdefault(variable, f"__janus_v{variable.removeprefix('%')}{suffix}")

    inner = f"__janus_inner{suffix}"
    replacement = made_expression(inner if by_value else f"{inner}()", target)
    rest = RestOfStatement(code.values, name, target, replacement)
    builder = Builder(code, "statement", rest)
    path = path_to(code, statement.id)
    live = liveness(code)[pc + 1] - {call.dst}
    handler = code.handlers[pc]
    if handler is not None and not by_value:
        live |= liveness(code)[handler]
    iterators = {code.loops[loop].iterator for loop in statement.loops}
    waiting = {variable for variable in live if tac.is_temporary(variable)} - iterators
    try:
        builder.block(source.body, path)
    except NoRest:
        return None
    # Every value that is still to be used must have its place in what was written, and the other way round.
    if waiting - rest.constants != set(names):
        return None
    start = Start(pc + 1, statement, statement.loops, live, tuple(names), (*names.values(), inner))
    return make_template(source, code, start, lambda: builder.block(source.body, path), {}, assumed)


@dataclass(frozen=True)
class Start:
    """Where a resume function starts, and what it takes."""

    pc: int
    statement: tac.Statement
    iterators: tuple[int, ...]
    live: frozenset[tac.Var]
    temporaries: tuple[tac.Var, ...] = ()
    #: Parameters for the temporaries and the result of the call.
    extra: tuple[str, ...] = ()


def make_template(
    source: FunctionSource,
    code: Code,
    start: Start,
    build: Callable[[], list[ast.stmt]],
    helpers: Mapping[str, object],
    assumed: Iterable[str] = (),
) -> ResumeTemplate:
    """Return the template of a function that starts there.

    Parameters
    ----------
    source, code : FunctionSource, Code
        The user's function.
    start : Start
        Where it starts.
    build : callable
        Makes the function's body, when it is needed.
    helpers : mapping
        What the body uses under names of its own, besides those that all resume functions use.
    assumed : iterable of str
        Builtins that it relies on.
    """
    live = start.live & code.locals
    order = list(code.params)
    order += sorted(code.locals - set(order))
    params = tuple(name for name in order if name in live)
    optional = maybe_unbound(code)[start.pc] & live
    known = {**_HELPERS, **helpers}

    def make() -> tuple[types.CodeType, FunctionSource]:
        function = _function(source, code, params, start, optional, build())
        compiled = compile_as(source, function, known)
        resumed = FunctionSource(
            node=function,
            filename=source.filename,
            name=source.name,
            qualname=source.qualname,
            first_line=source.first_line,
            frees=tuple(sorted(compiled.co_freevars)),
            lazy_annotations=source.lazy_annotations,
            code_object=compiled,
        )
        remember_source(compiled, resumed)
        return compiled, resumed

    return ResumeTemplate(
        params, start.iterators, optional, frozenset(assumed), known, make, start.temporaries
    )


def _function(
    source: FunctionSource,
    code: Code,
    params: tuple[str, ...],
    start: Start,
    optional: frozenset[str],
    body: list[ast.stmt],
) -> ast.FunctionDef:
    place = ast.Pass(lineno=source.first_line, col_offset=0, end_lineno=source.first_line, end_col_offset=0)
    prologue: list[ast.stmt] = []
    if code.globals:
        prologue.append(made_statement(f"global {', '.join(sorted(code.globals))}", place))
    if source.scope.nonlocals:
        prologue.append(made_statement(f"nonlocal {', '.join(sorted(source.scope.nonlocals))}", place))
    missing = sorted(code.locals - set(params))
    if missing:
        # Never runs; it makes the names local, as they were.
        prologue.append(made_statement(f"if 0: {' = '.join(missing)} = 0", place))
    for name in params:
        if name in optional:
            prologue.append(made_statement(f"if {name} is __janus_unbound: del {name}", place))
    iterators = (iterator_name(code, loop) for loop in start.iterators)
    arguments = ", ".join([*params, *iterators, *start.extra])
    function = made_statement(f"def __janus_function({arguments}): pass", place)
    assert isinstance(function, ast.FunctionDef)
    if code.globals or source.scope.nonlocals:
        # The tree is shared with the user's function, so only a copy may be changed.
        body = [_DropDeclarations().visit(copy.deepcopy(statement)) for statement in body]
    function.body = [*prologue, *body]
    return function
