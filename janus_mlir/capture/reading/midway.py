"""What is left of a statement from the middle of it: after a call that is one of its subexpressions.

Python has evaluated some subexpressions already. Their values are temporaries of the three-address code, so the
rest of the statement is its syntax tree with these subexpressions replaced by names:

.. code-block:: python

    self.total += scale(a[i]) * g(x)        # the call of `g` is what the rest goes on from

    t5 = t2; t5 += t4 * value               # t1: self, t2: self.total, t4: scale(a[i])
    t1.total = t5

`RestOfStatement` refuses what it does not know, and the caller then falls back to the beginning of the statement.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Mapping, Sequence

from janus_mlir.capture.reading.instrs import Var, is_temporary
from janus_mlir.capture.reading.rebuild import made_expression, made_statement
from janus_mlir.locations import Span, span_of

__all__ = ["NoRest", "RestOfStatement", "find_call", "header"]


class NoRest(Exception):
    """The rest of a statement cannot be written as Python."""


def header(node: ast.stmt) -> list[ast.AST]:
    """Return the expressions that a statement evaluates itself, its inner statements left out."""
    match node:
        case ast.If(test=test) | ast.While(test=test) | ast.Assert(test=test):
            return [test]
        case ast.For(iter=iterable):
            return [iterable]
        case ast.Match(subject=subject):
            return [subject]
        case ast.Assign() | ast.AnnAssign() | ast.AugAssign() | ast.Return() | ast.Expr() | ast.Raise():
            return [node]
        case _:
            return []


def find_call(node: ast.stmt, span: Span) -> ast.Call | None:
    """Return the call of a statement's own expressions that stands at `span`."""
    for part in header(node):
        for child in ast.walk(part):
            if isinstance(child, ast.Call) and span_of(child, span.filename) == span:
                return child
    return None


class RestOfStatement:
    """Rewrites a statement so that it goes on with the value of one of its calls.

    Parameters
    ----------
    values : mapping
        The variable that holds the value of each expression evaluated so far.
    name : callable
        The name, in the rewritten source, of a temporary.
    target : expr
        The call.
    replacement : expr
        What stands for its value.
    """

    def __init__(
        self,
        values: Mapping[ast.AST, Var],
        name: Callable[[Var], str],
        target: ast.expr,
        replacement: ast.expr,
    ) -> None:
        self._values = values
        self._name = name
        self._target = target
        self._replacement = replacement
        #: Temporaries that hold literals, which the rest of the statement writes out again.
        self.constants: set[Var] = set()

    # ---- statements

    def statements(self, node: ast.stmt) -> list[ast.stmt]:
        """Return what is left to do of a statement.

        A ``while`` statement is not rewritten here, because its test is evaluated again: see `expr`.

        Raises
        ------
        NoRest
            If that cannot be written.
        """
        if any(isinstance(child, ast.NamedExpr) for part in header(node) for child in ast.walk(part)):
            raise NoRest
        made = copy.copy(node)
        match made:
            case ast.Expr() | ast.Return(value=ast.expr()) | ast.Assign() | ast.AnnAssign(value=ast.expr()):
                assert made.value is not None
                made.value = self.expr(made.value)
            case ast.AugAssign():
                return self._augmented(made)
            case ast.If() | ast.Assert():
                made.test = self.expr(made.test)
            case ast.For():
                made.iter = self.expr(made.iter)
            case ast.Match():
                made.subject = self.expr(made.subject)
            case ast.Raise(exc=ast.expr() as exc):
                made.exc = self.expr(exc)
            case _:
                raise NoRest
        return [made]

    def _augmented(self, node: ast.AugAssign) -> list[ast.stmt]:
        target = node.target
        value = self.expr(node.value)
        old = self._values.get(target)
        if old is None or not is_temporary(old):
            raise NoRest
        made = copy.copy(target)
        if isinstance(made, ast.Attribute):
            made.value = self._before(made.value)
        elif isinstance(made, ast.Subscript):
            made.value, made.slice = self._before(made.value), self._before(made.slice)
        scratch = f"{self._name(old)}_new"
        update = ast.copy_location(ast.AugAssign(_store(scratch, node), node.op, value), node)
        store = ast.copy_location(ast.Assign([made], made_expression(scratch, node)), node)
        return [made_statement(f"{scratch} = {self._name(old)}", node), update, store]

    # ---- expressions

    def expr(self, node: ast.expr) -> ast.expr:
        """Return what is left to evaluate of an expression that contains the call."""
        if node is self._target:
            return self._replacement
        made = copy.copy(node)
        match made:
            case ast.BinOp():
                made.left, made.right = self._parts([made.left, made.right])
            case ast.UnaryOp():
                made.operand = self.expr(made.operand)
            case ast.Attribute() | ast.Starred():
                made.value = self.expr(made.value)
            case ast.Subscript():
                made.value, made.slice = self._parts([made.value, made.slice])
            case ast.Tuple() | ast.List() | ast.Set():
                made.elts = self._parts(made.elts)
            case ast.Call():
                keywords = [copy.copy(keyword) for keyword in made.keywords]
                parts = self._parts([made.func, *made.args, *(k.value for k in keywords)])
                made.func, made.args = parts[0], parts[1 : 1 + len(made.args)]
                for keyword, value in zip(keywords, parts[1 + len(made.args) :], strict=True):
                    keyword.value = value
                made.keywords = keywords
            case ast.Compare():
                return self._compare(made)
            case ast.BoolOp():
                index = self._index(made.values)
                rest = [self.expr(made.values[index]), *made.values[index + 1 :]]
                if len(rest) == 1:
                    return rest[0]
                made.values = rest
            case ast.IfExp():
                if self._inside(made.body):
                    return self.expr(made.body)
                if self._inside(made.orelse):
                    return self.expr(made.orelse)
                made.test = self.expr(made.test)
            case _:
                raise NoRest
        return made

    def _compare(self, node: ast.Compare) -> ast.expr:
        operands = [node.left, *node.comparators]
        index = self._index(operands)
        if index == 0:
            node.left = self.expr(node.left)
            return node
        node.left = self._before(operands[index - 1])
        node.ops = node.ops[index - 1 :]
        node.comparators = [self.expr(operands[index]), *operands[index + 1 :]]
        return node

    def _parts(self, parts: Sequence[ast.expr]) -> list[ast.expr]:
        """Rewrite operands that are evaluated in this order."""
        index = self._index(parts)
        before = [self._before(part) for part in parts[:index]]
        return [*before, self.expr(parts[index]), *parts[index + 1 :]]

    def _before(self, node: ast.expr) -> ast.expr:
        """Return an expression for what has been evaluated: a constant or a local still says so itself."""
        if isinstance(node, ast.Constant):
            self.constants.add(self._values.get(node, ""))
            return node
        if isinstance(node, ast.Starred):
            made = copy.copy(node)
            made.value = self._before(node.value)
            return made
        variable = self._values.get(node)
        if variable is None:
            raise NoRest
        if not is_temporary(variable):
            return node
        return made_expression(self._name(variable), node)

    def _inside(self, node: ast.AST) -> bool:
        return any(child is self._target for child in ast.walk(node))

    def _index(self, nodes: Sequence[ast.AST]) -> int:
        for index, node in enumerate(nodes):
            if self._inside(node):
                return index
        raise NoRest


def _store(name: str, place: ast.AST) -> ast.Name:
    return ast.copy_location(ast.Name(name, ast.Store()), place)
