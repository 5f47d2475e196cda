"""From a function's syntax tree to its three-address code."""

from __future__ import annotations

import ast
import weakref
from collections.abc import Sequence
from dataclasses import replace

from janus_mlir.capture.breaks import Break
from janus_mlir.capture.reading.code import (
    Call,
    Code,
    Const,
    DelAttr,
    Delete,
    DelItem,
    GetAttr,
    GetItem,
    Import,
    Inplace,
    Move,
    Params,
    Raise,
    Return,
    SetAttr,
    SetItem,
    StatementStart,
    UnpackSequence,
    Unsupported,
    Var,
)
from janus_mlir.capture.reading.normalise_expr import BINARY_OPERATORS
from janus_mlir.capture.reading.normalise_match import MatchCompiler
from janus_mlir.capture.reading.reader import FunctionSource
from janus_mlir.capture.reading.scopes import FunctionNode
from janus_mlir.capture.reading.statements import sub_blocks

__all__ = ["compile_function"]


class _Compiler(MatchCompiler):
    # ---- statements

    def block(self, statements: Sequence[ast.stmt]) -> None:
        for node in statements:
            self._statement(node)

    def _statement(self, node: ast.stmt) -> None:
        outer = self.stmt
        self.stmt = self.numbering.ids[node]
        head = self.here()
        self.emit(StatementStart, node, "statement")
        length, branches, blocks = len(self.instrs), len(self.branches), list(self.blocks)
        loops = list(self.loops)
        try:
            self._dispatch(node, head)
        except Break as reason:
            # Only this statement is left to Python: nothing of it stays behind.
            del self.instrs[length:], self.handlers[length:], self.branches[branches:]
            for label, position in enumerate(self.labels):
                if position is not None and position > length:
                    self.labels[label] = length
            self.loop_heads = {loop: heads for loop, heads in self.loop_heads.items() if loop < len(loops)}
            self.loops, self.blocks, self.renamed, self.scopes = loops, blocks, [], [self.scope]
            self.stmt = self.numbering.ids[node]
            uses, defs = _touched(node, self.scope.bound)
            self.emit(Unsupported, node, reason.reason_code, reason.detail, uses, defs)
        self.stmt = outer

    def _dispatch(self, node: ast.stmt, head: int) -> None:
        match node:
            case ast.Expr(ast.Constant()) | ast.Pass() | ast.Global() | ast.Nonlocal():
                pass
            case ast.Expr(ast.YieldFrom(value)):
                self.delegate(node, value)
            case ast.Expr(value):
                if isinstance(self.source.node, ast.GeneratorExp):
                    self.generator_body(self.source.node)
                else:
                    self._evaluate(value)
            case ast.Assign(targets, value):
                self._assign_all(targets, value)
            case ast.AnnAssign():
                self._annotated(node)
            case ast.AugAssign():
                self._augmented(node)
            case ast.Return():
                self.return_value(node)
            case ast.If(test, body, orelse):
                then, other, end = self.label(), self.label(), self.label()
                self.condition(test, then, other, "if")
                self.place(then)
                self.block(body)
                self.jump(node, end)
                self.place(other)
                self.block(orelse)
                self.place(end)
            case ast.For():
                self.for_loop(node)
            case ast.While():
                self.while_loop(node, head)
            case ast.Break() | ast.Continue():
                self.leave_loop(node)
            case ast.Try():
                self.try_statement(node)
            case ast.With():
                self.with_statement(node)
            case ast.Match():
                self.match_statement(node)
            case ast.Raise(exc, cause):
                self._raise(node, exc, cause)
            case ast.Assert():
                self._assert(node)
            case ast.Delete(targets):
                for target in targets:
                    self._delete(target)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self._bind(node, node.name, self.function(node))
            case ast.Import(names):
                for alias in names:
                    module, rename = alias.name, alias.asname
                    result = self.put(Import, node, module, None, 0, rename is not None)
                    self._bind(node, rename or module.partition(".")[0], result)
            case ast.ImportFrom():
                self._import_from(node)
            case ast.ClassDef():
                self._bind(node, node.name, self.class_statement(node))
            case ast.TryStar():
                raise self.unsupported("JN205", "")
            case ast.AsyncFor() | ast.AsyncWith():
                raise self.unsupported("JN207", type(node).__name__)
            case _:
                raise self.unsupported("JN209", f"statement {type(node).__name__}")

    # ---- assignment

    def _bind(self, node: ast.AST, name: str, src: Var) -> None:
        variable = self.resolve(name)
        if variable is not None:
            self.move_result(node, variable, src)
        else:
            self.store_name(node, name, src)

    def _assign_all(self, targets: list[ast.expr], value: ast.expr) -> None:
        src = self.expr(value)
        if len(targets) == 1:
            if isinstance(targets[0], ast.Name):
                self._bind(targets[0], targets[0].id, src)
                return
            if not src.startswith("%") and not isinstance(targets[0], ast.Attribute | ast.Subscript):
                src = self.put(Move, value, src)
        elif not src.startswith("%"):
            src = self.put(Move, value, src)
        for target in targets:
            self.assign(target, src)

    def assign(self, target: ast.expr, src: Var) -> None:
        match target:
            case ast.Name(name):
                self.store_name(target, name, src)
            case ast.Attribute(value, name):
                src = self._kept(src, [value])
                self.emit(SetAttr, target, self.expr(value), name, src)
            case ast.Subscript(value, index):
                src = self._kept(src, [value, index])
                obj = self.operand(value, [index])
                self.emit(SetItem, target, obj, self.expr(index), src)
            case ast.Tuple(elements) | ast.List(elements):
                self._unpack(target, elements, src)
            case ast.Starred(value):
                self.assign(value, src)
            case _:
                raise self.unsupported("JN209", f"assignment to {type(target).__name__}")

    def _kept(self, src: Var, nodes: list[ast.expr]) -> Var:
        """Return `src`, or a copy if evaluating `nodes` might rebind it."""
        if src.startswith("%") or all(map(self._is_inert, nodes)):
            return src
        return self.put(Move, nodes[0], src)

    def _unpack(self, target: ast.expr, elements: list[ast.expr], src: Var) -> None:
        star = next((i for i, element in enumerate(elements) if isinstance(element, ast.Starred)), None)
        plain = [element.value if isinstance(element, ast.Starred) else element for element in elements]
        # Names may be written by the unpacking itself, up to the first target that evaluates something.
        variables: list[Var] = []
        later: list[tuple[ast.expr, Var]] = []
        for element in plain:
            local = self.resolve(element.id) if isinstance(element, ast.Name) else None
            if local is not None and not later and local not in variables:
                variables.append(local)
            else:
                variables.append(self.temporary())
                later.append((element, variables[-1]))
        self.emit(UnpackSequence, target, tuple(variables), src, star)
        for element, variable in later:
            self.assign(element, variable)

    def _annotated(self, node: ast.AnnAssign) -> None:
        # Python never evaluates annotations of variables in functions.
        if node.value is not None:
            self._assign_all([node.target], node.value)
        elif isinstance(node.target, ast.Attribute):
            self._evaluate(node.target.value)
        elif isinstance(node.target, ast.Subscript):
            self._evaluate(node.target.value)
            self._evaluate_index(node.target.slice)

    def _evaluate_index(self, index: ast.expr) -> None:
        for part in index.elts if isinstance(index, ast.Tuple) else [index]:
            if isinstance(part, ast.Slice):
                for bound in (part.lower, part.upper, part.step):
                    if bound is not None:
                        self._evaluate(bound)
            else:
                self._evaluate(part)

    def _evaluate(self, node: ast.expr) -> None:
        """Evaluate an expression for its effects: even a local alone may turn out to be unbound."""
        value = self.expr(node)
        if not value.startswith("%"):
            self.put(Move, node, value)

    def _augmented(self, node: ast.AugAssign) -> None:
        operator = BINARY_OPERATORS[type(node.op)]
        match node.target:
            case ast.Name(name):
                old = self.load_name(node.target, name)
                if not old.startswith("%") and not self._is_inert(node.value):
                    old = self.put(Move, node.target, old)
                self.values[node.target] = old
                result = self.put(Inplace, node, operator, old, self.expr(node.value))
                self._bind(node, name, result)
            case ast.Attribute(value, name):
                obj = self.operand(value, [node.value])
                old = self.values[node.target] = self.put(GetAttr, node.target, obj, name)
                result = self.put(Inplace, node, operator, old, self.expr(node.value))
                self.emit(SetAttr, node, obj, name, result)
            case ast.Subscript(value, index_node):
                obj = self.operand(value, [index_node, node.value])
                index = self.operand(index_node, [node.value])
                old = self.values[node.target] = self.put(GetItem, node.target, obj, index)
                result = self.put(Inplace, node, operator, old, self.expr(node.value))
                self.emit(SetItem, node, obj, index, result)

    def _delete(self, target: ast.expr) -> None:
        match target:
            case ast.Name(name):
                variable = self.resolve(name)
                if variable is None:
                    raise self.unsupported("JN204", f"del {name}")
                self.emit(Delete, target, variable)
            case ast.Attribute(value, name):
                self.emit(DelAttr, target, self.expr(value), name)
            case ast.Subscript(value, index):
                obj = self.operand(value, [index])
                self.emit(DelItem, target, obj, self.expr(index))
            case ast.Tuple(elements) | ast.List(elements):
                for element in elements:
                    self._delete(element)

    # ---- the rest

    def _raise(self, node: ast.Raise, exc: ast.expr | None, cause: ast.expr | None) -> None:
        handled = self.handled()
        if exc is None:
            self.emit(Raise, node, None, None, handled[-1] if handled else None)
            return
        exception = self.operand(exc, [cause])
        reason = None if cause is None else self.expr(cause)
        self.emit(Raise, node, exception, reason, handled[-1] if handled else None)

    def _assert(self, node: ast.Assert) -> None:
        if not __debug__:
            return
        passed, failed = self.label(), self.label()
        self.condition(node.test, passed, failed, "assert")
        self.place(failed)
        exception = self.put(Const, node, AssertionError)
        if node.msg is not None:
            exception = self.put(Call, node, exception, ((self.expr(node.msg), False),), ())
        handled = self.handled()
        self.emit(Raise, node, exception, None, handled[-1] if handled else None)
        self.place(passed)

    def _import_from(self, node: ast.ImportFrom) -> None:
        if any(alias.name == "*" for alias in node.names):
            raise self.unsupported("JN202", f"from {node.module} import *")
        for alias in node.names:
            result = self.put(Import, node, node.module or "", alias.name, node.level, False)
            self._bind(node, alias.asname or alias.name, result)

    # ---- the function

    def compile(self) -> Code:
        source = self.source
        self.block(source.body)
        end = source.body[-1]
        self.stmt = self.numbering.ids[source.body[-1]]
        self.emit(Return, end, self.const(end, None))
        instrs, handlers, branches = self.assemble()
        return Code(
            name=source.name,
            qualname=source.qualname,
            filename=source.filename,
            first_line=source.first_line,
            params=_params(source.node),
            locals=frozenset(self.scope.bound),
            cells=frozenset(self.scope.cells()),
            shared=frozenset(self.shared),
            frees=source.frees,
            globals=frozenset(self.scope.globals),
            instrs=instrs,
            handlers=handlers,
            statements=self.numbering.statements,
            branches=branches,
            loops=tuple(replace(loop, heads=self.head_pcs.get(loop.id, ())) for loop in self.loops),
            is_generator=source.suspends or isinstance(source.node, ast.GeneratorExp),
            values=self.values,
        )


def _touched(node: ast.stmt, bound: set[str]) -> tuple[tuple[Var, ...], tuple[Var, ...]]:
    """Return the locals that a statement may read and may bind."""
    names = [n for n in ast.walk(node) if isinstance(n, ast.Name)]
    uses = {n.id for n in names if not isinstance(n.ctx, ast.Store)}
    uses |= {
        n.target.id for n in ast.walk(node) if isinstance(n, ast.AugAssign) and isinstance(n.target, ast.Name)
    }
    defs = {n.id for n in names if isinstance(n.ctx, ast.Store)}
    if isinstance(node, ast.ClassDef):
        defs.add(node.name)
    if sub_blocks(node):
        # Statements within may leave it by `break`, so that anything may be read next.
        uses = set(bound)
    return tuple(sorted(uses & bound)), tuple(sorted(defs & bound))


def _params(node: FunctionNode) -> Params:
    if isinstance(node, ast.GeneratorExp):
        return Params(pos_or_kw=(".0",))
    args = node.args
    return Params(
        posonly=tuple(arg.arg for arg in args.posonlyargs),
        pos_or_kw=tuple(arg.arg for arg in args.args),
        vararg=None if args.vararg is None else args.vararg.arg,
        kwonly=tuple(arg.arg for arg in args.kwonlyargs),
        kwarg=None if args.kwarg is None else args.kwarg.arg,
    )


_codes: weakref.WeakKeyDictionary[FunctionSource, Code] = weakref.WeakKeyDictionary()


def compile_function(source: FunctionSource) -> Code:
    """Return the three-address code of a function, lambda or generator expression.

    The answer is kept with the source.

    Raises
    ------
    Break
        If the function is a coroutine.
    """
    code = _codes.get(source)
    if code is None:
        if source.asynchronous:
            raise Break("JN105", f"{source.qualname} is a generator or coroutine")
        code = _Compiler(source).compile()
        _codes[source] = code
    return code
