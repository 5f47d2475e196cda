"""Loops, comprehensions, ``try`` and ``with`` to three-address code."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence

from janus_mlir.capture.reading.code import (
    BuildDict,
    BuildList,
    BuildSet,
    Call,
    CatchException,
    Const,
    Delete,
    DictStore,
    EndHandler,
    EnterTry,
    EnterWith,
    ExceptMatch,
    ExitTry,
    ExitWith,
    ExitWithException,
    ForIter,
    GetIter,
    ListAppend,
    LoopInfo,
    MakeGenerator,
    Move,
    Reraise,
    Return,
    SetAdd,
    Span,
    StatementStart,
    Var,
    Yield,
)
from janus_mlir.capture.reading.normalise_base import Block, Label
from janus_mlir.capture.reading.normalise_expr import ExpressionCompiler

__all__ = ["ControlCompiler"]


class ControlCompiler(ExpressionCompiler):
    """Compiles what has regions of its own."""

    def block(self, statements: Sequence[ast.stmt]) -> None:
        """Compile a list of statements; defined with the statements."""
        raise NotImplementedError

    def assign(self, target: ast.expr, src: Var) -> None:
        """Assign to a target; defined with the statements."""
        raise NotImplementedError

    # ---- loops

    def for_loop(self, node: ast.For) -> None:
        """Compile a ``for`` statement."""
        loop = self.numbering.statements[self.stmt].loop
        assert loop is not None
        statement = self.stmt
        # One name per loop, so that copies of a `finally` body agree on it.
        iterator = self.loops[loop].iterator
        assert iterator is not None
        self.emit(GetIter, node.iter, iterator, self.expr(node.iter))
        end, after = self.label(), self.label()
        head = self.here()
        self.emit(StatementStart, node, "iteration")
        self.loop_heads.setdefault(loop, []).append(self.here())
        self._iterate(node, node.target, iterator, end, loop)
        self.blocks.append(Block("loop", loop=loop, exit=after, next=head))
        self.block(node.body)
        self.blocks.pop()
        self.stmt = statement
        self.jump(node, head)
        self.place(end)
        self.block(node.orelse)
        self.place(after)

    def _iterate(self, node: ast.AST, target: ast.expr, iterator: Var, end: Label, loop: int) -> None:
        variable = self.resolve(target.id) if isinstance(target, ast.Name) else None
        if variable is not None:
            self.emit(ForIter, node, variable, iterator, end, loop)
        else:
            self.assign(target, self.put(ForIter, node, iterator, end, loop))

    def while_loop(self, node: ast.While, head: Label) -> None:
        """Compile a ``while`` statement whose `StatementStart` is at `head`."""
        loop = self.numbering.statements[self.stmt].loop
        assert loop is not None
        statement = self.stmt
        self.loop_heads.setdefault(loop, []).append(head)
        body, end, after = self.label(), self.label(), self.label()
        self.condition(node.test, body, end, "while")
        self.place(body)
        self.blocks.append(Block("loop", loop=loop, exit=after, next=head))
        self.block(node.body)
        self.blocks.pop()
        self.stmt = statement
        self.jump(node, head)
        self.place(end)
        self.block(node.orelse)
        self.place(after)

    # ---- comprehensions

    def comprehension(self, node: ast.ListComp | ast.SetComp | ast.DictComp) -> Var:
        """Compile a comprehension into this function; its variables become temporaries."""
        scope = self.scopes[-1].children[node]
        if scope.kind == "generator":
            return self._from_generator(node)
        if scope.captures_own():
            raise self.unsupported("JN206", "an inner function captures a variable of the comprehension")
        first = self.put(GetIter, node.generators[0].iter, self.expr(node.generators[0].iter))
        match node:
            case ast.ListComp(element):
                result = self.put(BuildList, node, ())

                def finish() -> None:
                    self.emit(ListAppend, element, result, self.expr(element))
            case ast.SetComp(element):
                result = self.put(BuildSet, node, ())

                def finish() -> None:
                    self.emit(SetAdd, element, result, self.expr(element))
            case ast.DictComp(key_node, value_node):
                result = self.put(BuildDict, node, ())

                def finish() -> None:
                    key, value = self.operands([key_node, value_node])
                    self.emit(DictStore, node, result, key, value)

        self.scopes.append(scope)
        self.renamed.append({name: f"%{name}{self._fresh()}" for name in sorted(scope.bound)})
        self._generators(node, node.generators, first, finish)
        self.renamed.pop()
        self.scopes.pop()
        return result

    def _fresh(self) -> str:
        return "." + self.temporary()[1:]

    def _generators(
        self, node: ast.expr, generators: list[ast.comprehension], first: Var, finish: Callable[[], None]
    ) -> None:
        ends: list[tuple[Label, Label]] = []
        for index, generator in enumerate(generators):
            if generator.is_async:
                raise self.unsupported("JN207", "async comprehension")
            iterator = first if index == 0 else self.put(GetIter, generator.iter, self.expr(generator.iter))
            loop = len(self.loops)
            head, end = self.here(), self.label()
            span = self.span(generator.target)
            whole = self.span(generator.iter)
            span = Span(span.filename, span.line, span.col, whole.end_line, whole.end_col)
            self.loops.append(LoopInfo(loop, "comprehension", self.stmt, span, iterator, ()))
            self.loop_heads[loop] = [head]
            self._iterate(generator.target, generator.target, iterator, end, loop)
            for test in generator.ifs:
                passed = self.label()
                self.condition(test, passed, head, "comprehension")
                self.place(passed)
            ends.append((head, end))
        finish()
        for head, end in reversed(ends):
            self.jump(node, head)
            self.place(end)

    def _from_generator(self, node: ast.ListComp | ast.SetComp | ast.DictComp) -> Var:
        """Compile a comprehension whose variables an inner function captures: as a generator that is exhausted."""
        cls: type
        match node:
            case ast.ListComp(element):
                cls = list
            case ast.SetComp(element):
                cls = set
            case ast.DictComp(key, value):
                cls, element = dict, ast.copy_location(ast.Tuple([key, value], ast.Load()), key)
        frees, consumer = self.inner_frees(node), self.const(node, cls)
        first = self.put(GetIter, node.generators[0].iter, self.expr(node.generators[0].iter))
        body = ast.copy_location(ast.GeneratorExp(element, node.generators), node)
        items = self.put(MakeGenerator, node, self.source.inner(body, frees), first)
        return self.put(Call, node, consumer, ((items, False),), ())

    def generator(self, node: ast.GeneratorExp) -> Var:
        """Make the generator of a generator expression over the iterator of its first ``for``."""
        if any(generator.is_async for generator in node.generators):
            raise self.unsupported("JN207", "async generator expression")
        frees = self.inner_frees(node)
        first = self.put(GetIter, node.generators[0].iter, self.expr(node.generators[0].iter))
        return self.put(MakeGenerator, node, self.source.inner(node, frees), first)

    def generator_body(self, node: ast.GeneratorExp) -> None:
        """Compile the body of a generator expression: a function of its own."""

        def finish() -> None:
            self.emit(Yield, node.elt, self.expr(node.elt))

        self._generators(node, node.generators, ".0", finish)

    def delegate(self, node: ast.AST, source: ast.expr) -> Var:
        """Compile ``yield from``; return its value."""
        iterator = self.put(GetIter, source, self.expr(source))
        returned = self.const(node, None)
        loop = len(self.loops)
        head, end = self.here(), self.label()
        self.loops.append(LoopInfo(loop, "yield from", self.stmt, self.span(source), iterator, ()))
        self.loop_heads[loop] = [head]
        self.emit(Yield, node, self.put(ForIter, node, iterator, end, loop, returned))
        self.jump(node, head)
        self.place(end)
        return returned

    # ---- leaving regions

    def unwind(self, node: ast.AST, down_to: int, then: Callable[[], None]) -> None:
        """Leave all regions but the first `down_to`, innermost first, running ``finally`` bodies.

        `then` emits the jump, which no handler of the regions left covers.
        """
        saved, statement = self.blocks, self.stmt
        for index in range(len(saved) - 1, down_to - 1, -1):
            block = saved[index]
            self.blocks = saved[:index]
            match block.kind:
                case "try":
                    self.emit(ExitTry, node)
                case "finally":
                    self.emit(ExitTry, node)
                    self.block(block.final)
                    self.stmt = statement
                case "with":
                    self.emit(ExitWith, node, block.var)
                case "handler":
                    self.emit(EndHandler, node, block.var)
                case "cleanup":
                    self.emit(ExitTry, node)
                    self._unbind(node, block.name)
        self.blocks = saved[:down_to]
        then()
        self.blocks = saved

    def leave_loop(self, node: ast.Break | ast.Continue) -> None:
        """Compile ``break`` or ``continue``."""
        index = max(i for i, block in enumerate(self.blocks) if block.kind == "loop")
        loop = self.blocks[index]
        target = loop.exit if isinstance(node, ast.Break) else loop.next
        assert target is not None
        self.unwind(node, index + 1, lambda: self.jump(node, target))

    def return_value(self, node: ast.Return) -> None:
        """Compile ``return``: the value is fixed before any ``finally`` body runs."""
        value = self.const(node, None) if node.value is None else self.expr(node.value)
        if not value.startswith("%") and any(block.kind != "loop" for block in self.blocks):
            value = self.put(Move, node, value)
        self.unwind(node, 0, lambda: self.emit(Return, node, value))

    # ---- try

    def handled(self) -> tuple[Var, ...]:
        """Return the exceptions that the handlers around handle, outermost first."""
        return tuple(block.var for block in self.blocks if block.kind == "handler" and block.var is not None)

    def _catch(self, node: ast.AST) -> Var:
        return self.put(CatchException, node, self.handled())

    def try_statement(self, node: ast.Try) -> None:
        """Compile ``try``."""
        if not node.finalbody:
            self._try_except(node)
            return
        handler, end = self.label(), self.label()
        statement = self.stmt
        self.emit(EnterTry, node, handler)
        self.blocks.append(Block("finally", handler=handler, final=node.finalbody))
        if node.handlers:
            self._try_except(node)
        else:
            self.block(node.body)
        self.stmt = statement
        self.blocks.pop()
        self.emit(ExitTry, node)
        self.block(node.finalbody)
        self.stmt = statement
        self.jump(node, end)
        self.place(handler)
        exception = self._catch(node)
        self.blocks.append(Block("handler", var=exception))
        self.block(node.finalbody)
        self.stmt = statement
        self.blocks.pop()
        self.emit(Reraise, node, exception)
        self.place(end)

    def _try_except(self, node: ast.Try) -> None:
        handler, end = self.label(), self.label()
        statement = self.stmt
        self.emit(EnterTry, node, handler)
        self.blocks.append(Block("try", handler=handler))
        self.block(node.body)
        self.stmt = statement
        self.blocks.pop()
        self.emit(ExitTry, node)
        self.block(node.orelse)
        self.stmt = statement
        self.jump(node, end)
        self.place(handler)
        exception = self._catch(node)
        self.blocks.append(Block("handler", var=exception))
        for clause in node.handlers:
            following = self.label()
            if clause.type is not None:
                matched = self.label()
                result = self.put(ExceptMatch, clause.type, exception, self.expr(clause.type))
                self.branch(clause.type, result, matched, following, "except")
                self.place(matched)
            self._handler_body(clause, exception)
            self.stmt = statement
            self.emit(EndHandler, clause, exception)
            self.jump(clause, end)
            self.place(following)
        self.blocks.pop()
        self.emit(Reraise, node, exception)
        self.place(end)

    def _handler_body(self, clause: ast.ExceptHandler, exception: Var) -> None:
        statement = self.stmt
        if clause.name is None:
            self.block(clause.body)
            return
        self.store_name(clause, clause.name, exception)
        cleanup, end = self.label(), self.label()
        self.emit(EnterTry, clause, cleanup)
        self.blocks.append(Block("cleanup", handler=cleanup, name=clause.name))
        self.block(clause.body)
        self.stmt = statement
        self.blocks.pop()
        self.emit(ExitTry, clause)
        self._unbind(clause, clause.name)
        self.jump(clause, end)
        self.place(cleanup)
        inner = self._catch(clause)
        self._unbind(clause, clause.name)
        self.emit(Reraise, clause, inner)
        self.place(end)

    def _unbind(self, node: ast.AST, name: str | None) -> None:
        assert name is not None
        if name not in self.scope.bound:
            raise self.unsupported("JN204", f"the exception is bound to {name!r}, which is no local")
        self.emit(Const, node, name, None)
        self.emit(Delete, node, name)

    # ---- with

    def with_statement(self, node: ast.With, position: int = 0) -> None:
        """Compile ``with``, from its item at `position` on."""
        statement = self.stmt
        item = node.items[position]
        manager = self.expr(item.context_expr)
        if not manager.startswith("%"):
            manager = self.put(Move, item.context_expr, manager)
        handler, end, suppressed, propagated = self.label(), self.label(), self.label(), self.label()
        entered = self.put(EnterWith, item.context_expr, manager, handler)
        self.blocks.append(Block("with", handler=handler, var=manager))
        if item.optional_vars is not None:
            self.assign(item.optional_vars, entered)
        if position + 1 < len(node.items):
            self.with_statement(node, position + 1)
        else:
            self.block(node.body)
        self.stmt = statement
        self.blocks.pop()
        self.emit(ExitWith, item.context_expr, manager)
        self.jump(node, end)
        self.place(handler)
        exception = self._catch(item.context_expr)
        self.blocks.append(Block("handler", var=exception))
        result = self.put(ExitWithException, item.context_expr, manager, exception)
        self.branch(item.context_expr, result, suppressed, propagated, "with")
        self.place(propagated)
        self.blocks.pop()
        self.emit(Reraise, item.context_expr, exception)
        self.place(suppressed)
        self.emit(EndHandler, item.context_expr, exception)
        self.place(end)
