"""The rewriting of a function's syntax tree that adds the hooks of instrumentation."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from janus_mlir.capture.reading.reader import FunctionSource
from janus_mlir.capture.reading.rebuild import made_expression, made_statement
from janus_mlir.capture.reading.scopes import Comprehension
from janus_mlir.locations import Span, span_of
from janus_mlir.profile.data import CodeKey, code_key

__all__ = ["HELPERS", "READS_FRAME", "Hooks", "rewrite"]

HELPERS = (
    "__janus_counts",
    "__janus_counters",
    "__janus_next",
    "__janus_trips",
    "__janus_type",
    "__janus_last",
    "__janus_copies",
    "__janus_sites",
    "__janus_quiet",
    "__janus_see",
)
"""Closure variables of instrumented functions.

``counts`` is a list of numbers, two per condition; ``counters`` has an `itertools.count` for each of them,
for hooks within expressions; ``trips`` has a dict per loop, from iterations to executions; ``sites`` a
function per call that decides what is called, ``last`` and ``copies`` what it decided last. ``see`` has a
function per place (or places) where values are sampled, and ``quiet`` tells of each whether it has had enough.
"""

READS_FRAME = frozenset({"dir", "eval", "exec", "locals", "vars"})
"""Builtins that would see the locals that hooks use."""

_TEXT_METHODS = frozenset(name for name in dir(str) if not name.startswith("_") and not hasattr(list, name))

_Place = tuple[CodeKey, Span]


@dataclass(frozen=True, slots=True)
class Sampled:
    """What one hook that samples values is given, in this order.

    `places` are expressions (for what a function returns, its name in `names` is ``return``); `names` are parameters of
    the function `code`; `globals` are not given but looked up when the hook runs. The hook at the `entry` of a function
    also counts its calls.
    """

    code: CodeKey
    places: tuple[Span, ...] = ()
    names: tuple[str, ...] = ()
    globals: tuple[str, ...] = ()
    entry: bool = False


@dataclass(slots=True)
class Hooks:
    """The places that were given hooks; the index of each is its number.

    `calls` says of each whether it is decided by the type of the object (a method call) or by the callee;
    `whiles` are the conditions that are true as often as their loop, of that number, has iterations.
    """

    branches: list[_Place] = field(default_factory=list)
    loops: list[_Place] = field(default_factory=list)
    calls: list[tuple[_Place, bool]] = field(default_factory=list)
    whiles: dict[int, int] = field(default_factory=dict)
    values: list[Sampled] = field(default_factory=list)


def _is_leaf(node: ast.expr) -> bool:
    """Tell whether a condition is one test, not a combination of tests or a constant."""
    match node:
        case ast.UnaryOp(ast.Not()) | ast.BoolOp() | ast.IfExp() | ast.Constant() | ast.Name("__debug__"):
            return False
    return True


class _Rewriter(ast.NodeTransformer):
    def __init__(self, source: FunctionSource) -> None:
        self.source = source
        # Names that can be read twice without being observed: locals and closure variables.
        self.bound = set(source.scope.bound) | set(source.frees)
        self.hooks = Hooks()
        self.temporaries = 0
        # Python forbids assignment expressions within the iterables of comprehensions.
        self.may_assign = True
        # Within a `try` with `finally`, whose end may come after a `return`.
        self.finishing = False

    # ---- places

    def _place(self, node: ast.AST) -> _Place:
        return code_key(self.source), span_of(node, self.source.filename)

    def _branch(self, node: ast.expr) -> int:
        self.hooks.branches.append(self._place(node))
        return 2 * (len(self.hooks.branches) - 1)

    def _temporary(self) -> str:
        self.temporaries += 1
        return f"__janus_t{self.temporaries}"

    @contextmanager
    def _within(self, source: FunctionSource) -> Iterator[None]:
        saved = self.source, self.bound, self.may_assign, self.finishing
        scope = source.scope
        self.source, self.bound = source, (self.bound - scope.globals) | scope.bound
        self.finishing = False
        yield
        self.source, self.bound, self.may_assign, self.finishing = saved

    def _value(self, node: ast.expr) -> ast.expr:
        visited = self.visit(node)
        assert isinstance(visited, ast.expr)
        return visited

    def _block(self, statements: list[ast.stmt]) -> list[ast.stmt]:
        result: list[ast.stmt] = []
        for statement in statements:
            visited = self.visit(statement)
            if isinstance(visited, list):
                result += visited
            else:
                result.append(visited)
        return result

    # ---- conditions

    def _condition(self, node: ast.expr) -> ast.expr:
        """Rewrite an expression of which only the truth matters."""
        match node:
            case ast.UnaryOp(ast.Not(), operand):
                return ast.copy_location(ast.UnaryOp(ast.Not(), self._condition(operand)), node)
            case ast.BoolOp(operator, values):
                return ast.copy_location(ast.BoolOp(operator, [self._condition(v) for v in values]), node)
            case ast.IfExp(test, body, orelse):
                parts = self._condition(test), self._condition(body), self._condition(orelse)
                return ast.copy_location(ast.IfExp(*parts), node)
            case _ if not _is_leaf(node):
                return node
        number = self._branch(node)
        made = made_expression(f"__janus_hit if __janus_test else not {self._count(number + 1)}", node)
        assert isinstance(made, ast.IfExp)
        made.test = self._value(node)
        made.body = made_expression(self._count(number), node)
        return made

    @staticmethod
    def _count(slot: int) -> str:
        """Return the text of an expression that counts and is true."""
        return f"__janus_next(__janus_counters[{slot}])"

    @staticmethod
    def _counting(slot: int, place: ast.AST) -> ast.stmt:
        return made_statement(f"__janus_counts[{slot}] += 1", place)

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.expr:
        """Rewrite ``a and b`` and ``a or b`` that are used for their value."""
        values = [self._branch(value) if self.may_assign else -1 for value in node.values[:-1]]
        visited = [self._value(value) for value in node.values]
        if not self.may_assign:
            return ast.copy_location(ast.BoolOp(node.op, visited), node)
        result = visited[-1]
        for number, value in zip(reversed(values), reversed(visited[:-1]), strict=True):
            name = self._temporary()
            hit, miss = self._count(number), self._count(number + 1)
            # The temporary is cleared at once: it must not keep the value alive.
            if isinstance(node.op, ast.And):
                passed = f"(({name} := V) and (({name} := None), {hit}))"
                text = f"R if {passed} else ({miss} and ({name}, ({name} := None))[0])"
            else:
                passed = f"({hit} and ({name}, ({name} := None))[0])"
                text = f"{passed} if ({name} := V) else (({name} := None), {miss}, R)[2]"
            result = _fill(made_expression(text, node), {"R": result, "V": value})
        return result

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        test = self._condition(node.test)
        return ast.copy_location(ast.IfExp(test, self._value(node.body), self._value(node.orelse)), node)

    def visit_Assert(self, node: ast.Assert) -> ast.stmt:
        message = None if node.msg is None else self._value(node.msg)
        return ast.copy_location(ast.Assert(self._condition(node.test), message), node)

    def visit_If(self, node: ast.If) -> ast.stmt:
        leaf, negated = node.test, False
        while isinstance(leaf, ast.UnaryOp) and isinstance(leaf.op, ast.Not):
            leaf, negated = leaf.operand, not negated
        if not _is_leaf(leaf):
            test = self._condition(node.test)
            return ast.copy_location(ast.If(test, self._block(node.body), self._block(node.orelse)), node)
        number = self._branch(leaf)
        body = [self._counting(number + negated, leaf), *self._block(node.body)]
        orelse = [self._counting(number + (not negated), leaf), *self._block(node.orelse)]
        test = self._value(leaf)
        if negated:
            test = ast.copy_location(ast.UnaryOp(ast.Not(), test), node.test)
        return ast.copy_location(ast.If(test, body, orelse), node)

    # ---- loops

    def _loop(self, node: ast.For | ast.While, loop: ast.For | ast.While) -> list[ast.stmt]:
        number = len(self.hooks.loops)
        self.hooks.loops.append(self._place(node))
        counter = f"__janus_n{number}"
        loop.body.insert(0, made_statement(f"{counter} += 1", node))
        record = made_statement(f"__janus_trips[{number}][{counter}] += 1", node)
        region = ast.copy_location(ast.Try([loop], [], [], [record]), node)
        return [made_statement(f"{counter} = 0", node), region]

    def visit_For(self, node: ast.For) -> list[ast.stmt]:
        target, iterable = self._value(node.target), self._value(node.iter)
        loop = ast.For(target, iterable, self._block(node.body), self._block(node.orelse), None)
        return self._loop(node, ast.copy_location(loop, node))

    def visit_While(self, node: ast.While) -> list[ast.stmt]:
        if not _is_leaf(node.test):
            test = self._condition(node.test)
            loop = ast.While(test, self._block(node.body), self._block(node.orelse))
        else:
            number = self._branch(node.test)
            body = self._block(node.body)
            orelse = [self._counting(number + 1, node.test), *self._block(node.orelse)]
            loop = ast.While(self._value(node.test), body, orelse)
            # That it was true is told by the number of iterations.
            self.hooks.whiles[number // 2] = len(self.hooks.loops)
        return self._loop(node, ast.copy_location(loop, node))

    # ---- comprehensions

    def _generators(self, generators: list[ast.comprehension]) -> list[ast.comprehension]:
        result = []
        for generator in generators:
            saved, self.may_assign = self.may_assign, False
            iterable = self._value(generator.iter)
            self.may_assign = saved
            tests = [self._condition(test) for test in generator.ifs]
            result.append(ast.comprehension(generator.target, iterable, tests, generator.is_async))
        return result

    def _comprehension(self, node: Comprehension) -> ast.expr:
        saved = self.bound
        self.bound = saved | _target_names(node.generators)
        generators = self._generators(node.generators)
        made: ast.expr
        if isinstance(node, ast.DictComp):
            made = ast.DictComp(self._value(node.key), self._value(node.value), generators)
        else:
            made = type(node)(self._value(node.elt), generators)
        self.bound = saved
        return ast.copy_location(made, node)

    def visit_ListComp(self, node: ast.ListComp) -> ast.expr:
        return self._comprehension(node)

    def visit_SetComp(self, node: ast.SetComp) -> ast.expr:
        return self._comprehension(node)

    def visit_DictComp(self, node: ast.DictComp) -> ast.expr:
        return self._comprehension(node)

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> ast.expr:
        saved, self.may_assign = self.may_assign, False
        first = self._value(node.generators[0].iter)
        self.may_assign = saved
        inner = self.source.inner(node, ())
        with self._within(inner):
            generators = self._generators(node.generators)
            element = self._value(node.elt)
        generators[0].iter = first
        return ast.copy_location(ast.GeneratorExp(element, generators), node)

    # ---- nested functions and classes

    def _arguments(self, args: ast.arguments) -> None:
        args.defaults = [self._value(default) for default in args.defaults]
        args.kw_defaults = [None if d is None else self._value(d) for d in args.kw_defaults]

    def visit_Lambda(self, node: ast.Lambda) -> ast.expr:
        self._arguments(node.args)
        inner = self.source.inner(node, ())
        if not inner.suspends and self.may_assign:
            with self._within(inner):
                node.body = self._value(node.body)
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.stmt:
        node.decorator_list = [self._value(decorator) for decorator in node.decorator_list]
        self._arguments(node.args)
        inner = self.source.inner(node, ())
        if not inner.suspends and not inner.scope.loads & READS_FRAME:
            with self._within(inner):
                node.body = [*self.entry(), *self._block(node.body)]
        return node

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.stmt:
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.stmt:
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.stmt:
        node.target = self.visit(node.target)
        if node.value is not None:
            node.value = self._value(node.value)
        return node

    def visit_match_case(self, node: ast.match_case) -> ast.match_case:
        if node.guard is not None:
            node.guard = self._condition(node.guard)
        node.body = self._block(node.body)
        return node

    # ---- values

    def _sampled(self, **what: tuple[str, ...] | tuple[Span, ...] | bool) -> int:
        self.hooks.values.append(Sampled(code_key(self.source), **what))  # type: ignore[arg-type]
        return len(self.hooks.values) - 1

    def entry(self) -> list[ast.stmt]:
        """Return the hook at the beginning of a function: its arguments, and the globals that it reads."""
        node = self.source.node
        if not isinstance(node, ast.FunctionDef):
            return []
        args = node.args
        arguments = [*args.posonlyargs, *args.args, *args.kwonlyargs]
        names = tuple(argument.arg for argument in arguments)
        scope = self.source.scope
        read = scope.loads - self.bound
        if not names and not read:
            return []
        number = self._sampled(names=names, globals=tuple(sorted(read)), entry=True)
        text = f"if not __janus_quiet[{number}]: __janus_see[{number}]({', '.join(names)})"
        line = node.body[0].lineno
        return [made_statement(text, ast.Pass(lineno=line, col_offset=0, end_lineno=line, end_col_offset=0))]

    def visit_Return(self, node: ast.Return) -> ast.stmt | list[ast.stmt]:
        if node.value is None:
            return node
        value = self._value(node.value)
        if isinstance(node.value, ast.Constant) or self.finishing or self.source.suspends:
            return ast.copy_location(ast.Return(value), node)
        number = self._sampled(names=("return",))
        name = "__janus_result"
        kept = made_statement(f"{name} = V", node)
        assert isinstance(kept, ast.Assign)
        kept.value = value
        see = made_statement(f"if not __janus_quiet[{number}]: __janus_see[{number}]({name})", node)
        return [kept, see, made_statement(f"def f(): return {name}", node).body[0]]  # type: ignore[attr-defined]

    def visit_Try(self, node: ast.Try) -> ast.stmt:
        saved, self.finishing = self.finishing, self.finishing or bool(node.finalbody)
        made = self.generic_visit(node)
        self.finishing = saved
        assert isinstance(made, ast.stmt)
        return made

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        return self._access(node)

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        return self._access(node)

    def _access(self, node: ast.Attribute | ast.Subscript) -> ast.expr:
        steps = _steps(node) if isinstance(node.ctx, ast.Load) else None
        if steps is None or (len(steps) > 1 and not self.may_assign):
            made = self.generic_visit(node)
            assert isinstance(made, ast.expr)
            return made
        number = self._sampled(places=tuple(span_of(step, self.source.filename) for step in steps))
        quiet = f"__janus_quiet[{number}]"
        if len(steps) == 1:
            return _fill(made_expression(f"A if {quiet} else __janus_see[{number}](A)", node), {"A": node})
        # Each object on the path is reached once, and given to the hook; then the temporaries are cleared.
        names = [self._temporary() for _ in steps[:-1]]
        values: dict[str, ast.expr] = {"A": node}
        texts = []
        for i, step in enumerate(steps):
            part = copy.copy(step)
            if i:
                part.value = ast.copy_location(ast.Name(names[i - 1], ast.Load()), step.value)
            values[f"V{i}"] = part
            texts.append(f"({names[i]} := V{i})" if i < len(names) else f"V{i}")
        clear = ", ".join(f"({name} := None)" for name in names)
        text = f"A if {quiet} else (__janus_see[{number}]({', '.join(texts)}), {clear})[0]"
        return _fill(made_expression(text, node), values)

    # ---- calls

    def visit_Call(self, node: ast.Call) -> ast.expr:
        twice = _may_stand_twice(node)
        node.args = [self._value(arg) for arg in node.args]
        for keyword in node.keywords:
            keyword.value = self._value(keyword.value)
        match node.func:
            case ast.Name("super"):
                return node
            case ast.Attribute(attr=name) if name in _TEXT_METHODS:
                # Most likely a method of str, which has nothing to tell.
                node.func.value = self._value(node.func.value)
                return node
            case ast.Attribute(ast.Name(name)) if name in self.bound and twice:
                return self._plain_method_call(node, node.func)
        node.func = self._callee(node, node.func)
        return node

    def _plain_method_call(self, node: ast.Call, func: ast.Attribute) -> ast.expr:
        """Rewrite a method call as a choice of two calls.

        Python calls a method without making a bound method only where the attribute itself is called.
        """
        number = self._site(node, by_type=True)
        text = f"C if __janus_type(F) is __janus_last[{number}] else __janus_sites[{number}](A, F)"
        made = _fill(made_expression(text, func), {"C": node, "A": func, "F": func.value})
        assert isinstance(made, ast.IfExp)
        made.orelse = ast.copy_location(ast.Call(made.orelse, node.args, node.keywords), node)
        return made

    def _callee(self, call: ast.Call, func: ast.expr) -> ast.expr:
        if isinstance(func, ast.Name):
            number = self._site(call, by_type=False)
            text = f"__janus_copies[{number}] if F is __janus_last[{number}] else __janus_sites[{number}](F)"
            return _fill(made_expression(text, func), {"F": func})
        if isinstance(func, ast.Attribute):
            if isinstance(func.value, ast.Name) and func.value.id in self.bound:
                number = self._site(call, by_type=True)
                text = f"A if __janus_type(F) is __janus_last[{number}] else __janus_sites[{number}](A, F)"
                return _fill(made_expression(text, func), {"A": func, "F": func.value})
            if not _is_global_path(func.value, self.bound):
                return self._method(call, func)
        # What a module holds under a name says nothing that the callee does not say.
        visited = func if isinstance(func, ast.Attribute) else self._value(func)
        if not self.may_assign:
            return visited
        number, name = self._site(call, by_type=False), self._temporary()
        text = (
            f"__janus_copies[{number}] if ({name} := F) is __janus_last[{number}]"
            f" else __janus_sites[{number}]({name})"
        )
        if not isinstance(func, ast.Attribute):
            text = f"({text}, ({name} := None))[0]"
        return _fill(made_expression(text, func), {"F": visited})

    def _method(self, call: ast.Call, func: ast.Attribute) -> ast.expr:
        obj = self._value(func.value)
        if not self.may_assign:
            return ast.copy_location(ast.Attribute(obj, func.attr, func.ctx), func)
        number, name = self._site(call, by_type=True), self._temporary()
        text = (
            f"(A if __janus_type({name} := F) is __janus_last[{number}]"
            f" else __janus_sites[{number}](A, {name}), ({name} := None))[0]"
        )
        kept = ast.copy_location(ast.Name(name, ast.Load()), func.value)
        attribute = ast.copy_location(ast.Attribute(kept, func.attr, ast.Load()), func)
        return _fill(made_expression(text, func), {"A": attribute, "F": obj})

    def _site(self, call: ast.Call, *, by_type: bool) -> int:
        self.hooks.calls.append((self._place(call), by_type))
        return len(self.hooks.calls) - 1


def _steps(node: ast.expr) -> list[ast.Attribute | ast.Subscript] | None:
    """Return the accesses of a path such as ``model.layers[i].w``, outermost object first; None for others."""
    steps: list[ast.Attribute | ast.Subscript] = []
    while isinstance(node, ast.Attribute | ast.Subscript):
        if isinstance(node, ast.Subscript) and not _is_simple(node.slice):
            return None
        steps.insert(0, node)
        node = node.value
    return steps if isinstance(node, ast.Name) else None


def _is_simple(node: ast.expr) -> bool:
    """Tell whether an expression has no part that is given a hook, so that it may stand in the code twice."""
    allowed = (
        ast.Name, ast.Constant, ast.UnaryOp, ast.BinOp, ast.Tuple, ast.Slice, ast.Load, ast.operator, ast.USub,
        ast.UAdd, ast.Invert,
    )  # fmt: skip
    return all(isinstance(child, allowed) for child in ast.walk(node))


def _may_stand_twice(call: ast.Call) -> bool:
    """Tell whether the arguments are small enough to stand in the code twice: without calls and scopes of their own."""
    values = [*call.args, *(keyword.value for keyword in call.keywords)]
    large = (ast.Call, ast.NamedExpr, ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
    return not any(isinstance(node, (*large, ast.JoinedStr)) for value in values for node in ast.walk(value))


def _is_global_path(node: ast.expr, bound: set[str]) -> bool:
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name) and node.id not in bound


def _target_names(generators: list[ast.comprehension]) -> set[str]:
    return {n.id for g in generators for n in ast.walk(g.target) if isinstance(n, ast.Name)}


class _Filler(ast.NodeTransformer):
    def __init__(self, parts: dict[str, ast.expr]) -> None:
        self.parts = parts

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.parts.get(node.id, node)


def _fill(made: ast.expr, parts: dict[str, ast.expr]) -> ast.expr:
    """Put expressions of the user's in the places that one-letter names hold in a template."""
    filled = _Filler(parts).visit(made)
    assert isinstance(filled, ast.expr)
    return filled


def rewrite(source: FunctionSource) -> tuple[ast.FunctionDef, Hooks]:
    """Return the function with hooks, and what they stand for.

    Defaults, decorators and annotations are left out.
    """
    node = copy.deepcopy(source.node)
    assert not isinstance(node, ast.GeneratorExp)
    rewriter = _Rewriter(source)
    line = source.first_line
    place = ast.Pass(lineno=line, col_offset=0, end_lineno=line, end_col_offset=0)
    function = made_statement("def __janus_function(): pass", place)
    assert isinstance(function, ast.FunctionDef)
    if isinstance(node, ast.Lambda):
        body: list[ast.stmt] = [ast.copy_location(ast.Return(node.body), node.body)]
    else:
        body = node.body
    function.body = [*rewriter.entry(), *rewriter._block(body)]
    args = node.args
    for arg in (*args.posonlyargs, *args.args, args.vararg, *args.kwonlyargs, args.kwarg):
        if arg is not None:
            arg.annotation = None
    args.defaults, args.kw_defaults = [], [None for _ in args.kwonlyargs]
    function.args = args
    return function, rewriter.hooks
