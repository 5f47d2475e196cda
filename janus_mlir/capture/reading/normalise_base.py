"""What the parts of the compiler to three-address code share: emission, labels, names, regions."""

from __future__ import annotations

import ast
import types
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from janus_mlir.capture.breaks import Break
from janus_mlir.capture.reading.code import Binary as BinaryInstr
from janus_mlir.capture.reading.code import (
    Branch,
    BranchInfo,
    Call,
    Compare,
    Const,
    EnterTry,
    EnterWith,
    ForIter,
    GetAttr,
    GetItem,
    Inplace,
    Instr,
    Jump,
    LoadFree,
    LoadGlobal,
    LoopInfo,
    Move,
    Raise,
    Reraise,
    Return,
    Span,
    StoreFree,
    StoreGlobal,
    Unary,
    Var,
)
from janus_mlir.capture.reading.reader import FunctionSource
from janus_mlir.capture.reading.scopes import Scope
from janus_mlir.capture.reading.statements import number_statements
from janus_mlir.locations import span_of

__all__ = ["Block", "Emitter", "Label"]

Label = int
"""A jump target while instructions are emitted; replaced by a pc when they are assembled."""

_I = TypeVar("_I", bound=Instr)

# Instructions that write `dst` last of all, so that they can write a local directly.
_DIRECT = (BinaryInstr, Call, Compare, Const, GetAttr, GetItem, Inplace, LoadFree, LoadGlobal, Unary)


@dataclass(eq=False)
class Block:
    """A region that a jump out of it must leave in order.

    `kind` is ``loop``, ``try``, ``finally``, ``with``, ``handler`` or ``cleanup``.
    """

    kind: str
    handler: Label | None = None
    loop: int | None = None
    exit: Label | None = None
    next: Label | None = None
    var: Var | None = None
    name: str | None = None
    final: Sequence[ast.stmt] = ()


class Emitter:
    """Collects instructions; the subclasses know the syntax."""

    def __init__(self, source: FunctionSource) -> None:
        self.source = source
        self.scope: Scope = source.scope
        self.shared = self.scope.shared()
        self.numbering = number_statements(source)
        self.instrs: list[Instr] = []
        self.handlers: list[Label | None] = []
        self.labels: list[int | None] = []
        self.branches: list[BranchInfo] = []
        self.loops: list[LoopInfo] = [
            LoopInfo(s.loop, s.kind.lower(), s.id, s.span, f"%iter{s.loop}" if s.kind == "For" else None, ())
            for s in self.numbering.statements
            if s.loop is not None
        ]
        self.loop_heads: dict[int, list[Label]] = {}
        self.head_pcs: dict[int, tuple[int, ...]] = {}
        self.blocks: list[Block] = []
        self.stmt = 0
        #: The variable that holds the value of each expression.
        self.values: dict[ast.AST, Var] = {}
        self._temporaries = 0
        self.renamed: list[dict[str, Var]] = []
        self.scopes: list[Scope] = [self.scope]
        self._constants = _constants_of(source.code_object)

    # ---- emission

    def span(self, node: ast.AST) -> Span:
        """Return the span of a node."""
        return span_of(node, self.source.filename)

    def emit(self, kind: type[_I], node: ast.AST, *operands: Any) -> None:
        """Append one instruction."""
        self.instrs.append(kind(*operands, span=self.span(node), stmt=self.stmt))
        self.handlers.append(self.current_handler())

    def put(self, kind: type[_I], node: ast.AST, *operands: Any) -> Var:
        """Append an instruction that writes a new temporary, and return that."""
        dst = self.temporary()
        self.emit(kind, node, dst, *operands)
        return dst

    def temporary(self) -> Var:
        """Return a new temporary."""
        self._temporaries += 1
        return f"%{self._temporaries}"

    def const(self, node: ast.AST, value: object) -> Var:
        """Return a temporary that holds a literal: the object that Python's own code holds, if it does."""
        return self.put(Const, node, self._constants.get(_constant_key(value), value))

    def label(self) -> Label:
        """Return a new label, not placed yet."""
        self.labels.append(None)
        return len(self.labels) - 1

    def place(self, label: Label) -> None:
        """Place a label at the next instruction."""
        self.labels[label] = len(self.instrs)

    def here(self) -> Label:
        """Return a new label placed at the next instruction."""
        label = self.label()
        self.place(label)
        return label

    def jump(self, node: ast.AST, target: Label) -> None:
        """Append a jump."""
        self.emit(Jump, node, target)

    def branch(self, node: ast.AST, cond: Var, then: Label, orelse: Label, kind: str) -> None:
        """Append a conditional jump."""
        number = len(self.branches)
        self.branches.append(BranchInfo(number, len(self.instrs), self.span(node), kind))
        self.emit(Branch, node, cond, then, orelse, number)

    # ---- regions

    def current_handler(self) -> Label | None:
        """Return where an exception goes that is raised by the next instruction."""
        for block in reversed(self.blocks):
            if block.handler is not None:
                return block.handler
        return None

    # ---- names

    def resolve(self, name: str) -> Var | None:
        """Return the variable that `name` stands for, or None if it is no local."""
        for renamed in reversed(self.renamed):
            if name in renamed:
                return renamed[name]
        return name if name in self.scope.bound else None

    def load_name(self, node: ast.AST, name: str) -> Var:
        """Return a variable that holds the value of a name; locals stand for themselves."""
        variable = self.resolve(name)
        if variable is not None:
            return variable
        if name in self.source.frees and name not in self.scope.globals:
            return self.put(LoadFree, node, name)
        if name == "__debug__":
            return self.const(node, __debug__)
        return self.put(LoadGlobal, node, name)

    def store_name(self, node: ast.AST, name: str, src: Var, *, walrus: bool = False) -> None:
        """Bind a name."""
        variable = (name if name in self.scope.bound else None) if walrus else self.resolve(name)
        if variable is not None:
            self.move(node, variable, src)
        elif name in self.source.frees and name not in self.scope.globals:
            self.emit(StoreFree, node, name, src)
        else:
            self.emit(StoreGlobal, node, name, src)

    def move(self, node: ast.AST, dst: Var, src: Var) -> None:
        """Append a move."""
        self.emit(Move, node, dst, src)

    def move_result(self, node: ast.AST, dst: Var, src: Var) -> None:
        """Move a temporary that is not used again; if it can, the instruction that made it writes `dst`."""
        last = self.instrs[-1] if self.instrs else None
        if isinstance(last, _DIRECT) and last.dst == src and src.startswith("%") and not self._is_target():
            self.instrs[-1] = replace(last, dst=dst)
        else:
            self.move(node, dst, src)

    def _is_target(self) -> bool:
        return len(self.instrs) in self.labels

    def unsupported(self, code: str, message: str) -> Break:
        """Return the exception by which a construct refuses the statement that it is in."""
        return Break(code, message)

    # ---- assembly

    def assemble(self) -> tuple[tuple[Instr, ...], tuple[int | None, ...], tuple[BranchInfo, ...]]:
        """Resolve labels and drop what cannot be reached."""
        positions = [len(self.instrs) if position is None else position for position in self.labels]
        reachable = self._reachable(positions)
        new_pc: list[int] = []
        count = 0
        for kept in reachable:
            new_pc.append(count)
            count += kept
        new_pc.append(count)

        def pc(label: Label) -> int:
            return new_pc[positions[label]]

        instrs: list[Instr] = []
        handlers: list[int | None] = []
        kept_branches: list[BranchInfo] = []
        for old, instr in enumerate(self.instrs):
            if not reachable[old]:
                continue
            match instr:
                case Jump(target):
                    instr = replace(instr, target=pc(target))
                case Branch(_, then, orelse, number):
                    kept_branches.append(
                        replace(self.branches[number], id=len(kept_branches), pc=len(instrs))
                    )
                    instr = replace(instr, then=pc(then), orelse=pc(orelse), id=len(kept_branches) - 1)
                case ForIter(_, _, end):
                    instr = replace(instr, end=pc(end))
                case EnterTry(handler):
                    instr = replace(instr, handler=pc(handler))
                case EnterWith(_, _, handler):
                    instr = replace(instr, handler=pc(handler))
                case _:
                    pass
            handler_label = self.handlers[old]
            instrs.append(instr)
            handlers.append(None if handler_label is None else pc(handler_label))
        self.head_pcs = {
            loop: tuple(sorted({pc(label) for label in heads if reachable[positions[label]]}))
            for loop, heads in self.loop_heads.items()
        }
        return tuple(instrs), tuple(handlers), tuple(kept_branches)

    def _reachable(self, positions: list[int]) -> list[bool]:
        reachable = [False] * len(self.instrs)
        work = [0] if self.instrs else []
        while work:
            pc = work.pop()
            if pc >= len(reachable) or reachable[pc]:
                continue
            reachable[pc] = True
            handler = self.handlers[pc]
            if handler is not None:
                work.append(positions[handler])
            match self.instrs[pc]:
                case Jump(target):
                    work.append(positions[target])
                case Branch(_, then, orelse, _):
                    work += [positions[then], positions[orelse]]
                case ForIter(_, _, end):
                    work += [pc + 1, positions[end]]
                case Return() | Raise() | Reraise():
                    pass
                case EnterTry(handler_label) | EnterWith(_, _, handler_label):
                    work += [pc + 1, positions[handler_label]]
                case _:
                    work.append(pc + 1)
        return reachable


def _constant_key(value: object) -> tuple[type, str]:
    return type(value), repr(value)


def _constants_of(code: types.CodeType | None) -> dict[tuple[type, str], object]:
    """Return the constants of Python's own code by type and text: identity of literals can be observed."""
    constants: dict[tuple[type, str], object] = {}
    if code is not None:
        for value in code.co_consts:
            if not isinstance(value, types.CodeType):
                constants[_constant_key(value)] = value
    return constants
