"""Three-address code: what the reader makes of a Python function.

A `Code` is a flat list of instructions over named variables. User locals keep their names, temporaries are
called ``"%1"``, ``"%2"`` and so on; operands are always variable names, jump targets are indices into
`Code.instrs` ("pcs"). Each instruction does at most one thing that a user can observe, in the order in which
Python does it, so an interpreter of this code needs to know nothing about Python's syntax.

Normal control flow is explicit. Exceptional control flow is described by `Code.handlers`: for each pc the
pc of
the handler that an exception raised there goes to (``None``: out of the function). Instructions of the group
"exception handling" are reached along such edges only.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from janus_mlir.capture.reading import instrs as _instrs
from janus_mlir.capture.reading.instrs import *  # noqa: F403 - this module is where all of it is found
from janus_mlir.capture.reading.instrs import Instr, Var
from janus_mlir.locations import Span

__all__ = ["BranchInfo", "Code", "LoopInfo", "Params", "Span", "Statement"]
__all__ += _instrs.__all__


@dataclass(frozen=True, slots=True)
class Params:
    """Parameter names by kind, in the order of the signature."""

    posonly: tuple[str, ...] = ()
    pos_or_kw: tuple[str, ...] = ()
    vararg: str | None = None
    kwonly: tuple[str, ...] = ()
    kwarg: str | None = None

    def __iter__(self) -> Iterator[str]:
        """Yield all names in the order of ``co_varnames``."""
        yield from self.posonly
        yield from self.pos_or_kw
        yield from self.kwonly
        if self.vararg is not None:
            yield self.vararg
        if self.kwarg is not None:
            yield self.kwarg


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement of the function's body; `id` is its index in `Code.statements` (pre-order of the source).

    Attributes
    ----------
    parent : int or None
        The compound statement that it stands in.
    kind : str
        Name of its ``ast`` class.
    loops : tuple of int
        Ids of the ``for`` loops around it, outermost first: those whose iterators a resume function takes.
    loop : int or None
        Id of the loop that it is itself.
    resumable : bool
        Whether a resume function may start here as far as the enclosing statements go (not within ``with``,
        ``finally`` or an
        exception handler).
    """

    id: int
    span: Span
    parent: int | None
    kind: str
    loops: tuple[int, ...]
    loop: int | None
    resumable: bool
    node: ast.stmt = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class BranchInfo:
    """A `Branch`: where it is and what construct it belongs to.

    `kind` is one of ``if``, ``while``, ``ifexp``, ``boolop``, ``compare``, ``assert``, ``comprehension``,
    ``match``, ``except``, ``with``.
    """

    id: int
    pc: int
    span: Span
    kind: str


@dataclass(frozen=True, slots=True)
class LoopInfo:
    """A loop of the source.

    Attributes
    ----------
    id : int
        Index in `Code.loops`.
    kind : str
        ``for``, ``while``, ``comprehension`` or ``yield from``.
    stmt : int
        The statement that it is, or is part of.
    span : Span
        The ``for`` or ``while`` statement, or the ``comprehension``'s target up to its iterable.
    iterator : str or None
        The temporary that holds the iterator.
    heads : tuple of int
        The pc of each `ForIter` (or of each ``while`` statement's start): more than one if it stands in a
        ``finally`` body.
    """

    id: int
    kind: str
    stmt: int
    span: Span
    iterator: Var | None
    heads: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Code:
    """A function in three-address form.

    Attributes
    ----------
    locals : frozenset of str
        All local names, parameters included, no temporaries.
    cells : frozenset of str
        The locals that inner functions and generator expressions capture.
    shared : frozenset of str
        The cells that an inner function rebinds (``nonlocal``).
    frees : tuple of str
        Closure variables, sorted, as in ``co_freevars``.
    globals : frozenset of str
        Names declared ``global``.
    handlers : tuple
        For each pc the pc that an exception raised there goes to, or None.
    values : dict
        For each expression of the syntax tree the variable that holds its value.
    """

    name: str
    qualname: str
    filename: str
    first_line: int
    params: Params
    locals: frozenset[str]
    cells: frozenset[str]
    shared: frozenset[str]
    frees: tuple[str, ...]
    globals: frozenset[str]
    instrs: tuple[Instr, ...]
    handlers: tuple[int | None, ...]
    statements: tuple[Statement, ...]
    branches: tuple[BranchInfo, ...]
    loops: tuple[LoopInfo, ...]
    is_generator: bool = False
    values: Mapping[ast.AST, Var] = field(default_factory=dict, repr=False)

    def __str__(self) -> str:
        lines = [f"code {self.qualname}({', '.join(self.params)}):"]
        lines += [f"{pc:5}  {instr}" for pc, instr in enumerate(self.instrs)]
        return "\n".join(lines)
