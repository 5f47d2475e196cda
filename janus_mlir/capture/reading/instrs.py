"""The instructions of the three-address code; see `janus_mlir.capture.reading.code`."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from janus_mlir.locations import Span

if TYPE_CHECKING:
    import types

    from janus_mlir.capture.reading.reader import FunctionSource

__all__ = [
    "Binary", "Branch", "BuildDict", "BuildList", "BuildSet", "BuildSlice", "BuildString",
    "BuildTuple", "Call", "CatchException", "Compare", "Const", "DelAttr", "DelItem", "Delete",
    "DictStore", "EndHandler", "EnterTry", "EnterWith", "ExceptMatch", "ExitTry", "ExitWith",
    "ExitWithException", "ForIter", "FormatValue", "GetAttr", "GetItem", "GetIter", "Import",
    "Inplace", "Instr", "Jump", "Length", "ListAppend", "LoadFree", "LoadGlobal", "MakeFunction",
    "MakeClass", "MakeGenerator", "MatchClass", "MatchKeys", "MatchMapping", "MatchSequence", "Move", "Raise",
    "Reraise", "Return", "SetAdd", "SetAttr", "SetItem", "StatementStart", "StoreFree",
    "StoreGlobal", "Unary", "UnpackSequence", "Unsupported", "Var", "Yield", "is_temporary",
]  # fmt: skip

Var = str
"""Name of a variable: a user local, or a temporary that starts with ``%``."""


def is_temporary(name: Var) -> bool:
    """Tell whether `name` is a temporary of the three-address code."""
    return name.startswith("%")


@dataclass(frozen=True, slots=True)
class Instr:
    """Base of all instructions.

    Attributes
    ----------
    span : Span
        The expression or statement that this instruction comes from.
    stmt : int
        Id of the innermost statement around it.
    """

    span: Span = field(kw_only=True, repr=False)
    stmt: int = field(kw_only=True, repr=False)

    def __str__(self) -> str:
        names = (f.name for f in fields(self) if f.name not in ("span", "stmt"))
        operands = (f"{name}={getattr(self, name)!r}" for name in names)
        return f"{type(self).__name__}({', '.join(operands)})"


# ---- values and names ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Const(Instr):
    """``dst = value``, a literal of the source (``AssertionError`` too, for ``assert``)."""

    dst: Var
    value: Any


@dataclass(frozen=True, slots=True)
class Move(Instr):
    """``dst = src``."""

    dst: Var
    src: Var


@dataclass(frozen=True, slots=True)
class Delete(Instr):
    """``del var``; unbound variables raise as in Python unless they are temporaries."""

    var: Var


@dataclass(frozen=True, slots=True)
class LoadGlobal(Instr):
    """Read a global, then a builtin, of that name."""

    dst: Var
    name: str


@dataclass(frozen=True, slots=True)
class StoreGlobal(Instr):
    """Write a global (declared ``global`` in the function)."""

    name: str
    src: Var


@dataclass(frozen=True, slots=True)
class LoadFree(Instr):
    """Read a closure variable of this function's own closure."""

    dst: Var
    name: str


@dataclass(frozen=True, slots=True)
class StoreFree(Instr):
    """Write a closure variable (declared ``nonlocal`` in the function)."""

    name: str
    src: Var


# ---- operators -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Unary(Instr):
    """``op`` is ``neg``, ``pos``, ``invert`` or ``not_``: names of the `operator` module."""

    dst: Var
    op: str
    a: Var


@dataclass(frozen=True, slots=True)
class Binary(Instr):
    """``dst = a op b``.

    ``op`` is ``add``, ``sub``, ``mul``, ``matmul``, ``truediv``, ``floordiv``, ``mod``, ``pow``,
    ``lshift``, ``rshift``, ``and_``, ``or_`` or ``xor``.
    """

    dst: Var
    op: str
    a: Var
    b: Var


@dataclass(frozen=True, slots=True)
class Inplace(Instr):
    """Augmented assignment's operator: ``op`` as in `Binary`, in place where ``a`` supports it."""

    dst: Var
    op: str
    a: Var
    b: Var


@dataclass(frozen=True, slots=True)
class Compare(Instr):
    """``dst = a op b``.

    ``op`` is ``lt``, ``le``, ``eq``, ``ne``, ``gt``, ``ge``, ``is_``, ``is_not``,
    ``contains`` or ``not_contains``.
    For the last two, ``a in b``: the container is ``b``, as in the source.
    """

    dst: Var
    op: str
    a: Var
    b: Var


# ---- attributes and items ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class GetAttr(Instr):
    """``dst = obj.name``; private names are mangled already."""

    dst: Var
    obj: Var
    name: str


@dataclass(frozen=True, slots=True)
class SetAttr(Instr):
    """``obj.name = src``."""

    obj: Var
    name: str
    src: Var


@dataclass(frozen=True, slots=True)
class DelAttr(Instr):
    """``del obj.name``."""

    obj: Var
    name: str


@dataclass(frozen=True, slots=True)
class GetItem(Instr):
    """``dst = obj[index]``."""

    dst: Var
    obj: Var
    index: Var


@dataclass(frozen=True, slots=True)
class SetItem(Instr):
    """``obj[index] = src``."""

    obj: Var
    index: Var
    src: Var


@dataclass(frozen=True, slots=True)
class DelItem(Instr):
    """``del obj[index]``."""

    obj: Var
    index: Var


# ---- displays ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BuildTuple(Instr):
    """A tuple of ``items``: pairs of a variable and whether it is starred."""

    dst: Var
    items: tuple[tuple[Var, bool], ...]


@dataclass(frozen=True, slots=True)
class BuildList(Instr):
    """A list of ``items``: pairs of a variable and whether it is starred."""

    dst: Var
    items: tuple[tuple[Var, bool], ...]


@dataclass(frozen=True, slots=True)
class BuildSet(Instr):
    """A set of ``items``: pairs of a variable and whether it is starred."""

    dst: Var
    items: tuple[tuple[Var, bool], ...]


@dataclass(frozen=True, slots=True)
class BuildDict(Instr):
    """A dict of ``items``: pairs of key and value; no key means ``**value``."""

    dst: Var
    items: tuple[tuple[Var | None, Var], ...]


@dataclass(frozen=True, slots=True)
class BuildSlice(Instr):
    """``dst = slice(a, b, c)``; parts left out in the source are ``None`` constants."""

    dst: Var
    a: Var
    b: Var
    c: Var


@dataclass(frozen=True, slots=True)
class FormatValue(Instr):
    """``dst = format(conversion(src), spec)``; ``conversion`` is ``"s"``, ``"r"``, ``"a"`` or ``None``."""

    dst: Var
    src: Var
    conversion: str | None
    spec: Var | None


@dataclass(frozen=True, slots=True)
class BuildString(Instr):
    """Join strings: the parts of an f-string."""

    dst: Var
    parts: tuple[Var, ...]


# ---- calls, unpacking, iteration -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Call(Instr):
    """``dst = fn(*args, **kwargs)``.

    ``args`` are pairs of a variable and whether it is starred; ``kwargs`` pairs of a name and a variable,
    no name
    meaning ``**variable``.
    """

    dst: Var
    fn: Var
    args: tuple[tuple[Var, bool], ...]
    kwargs: tuple[tuple[str | None, Var], ...]


@dataclass(frozen=True, slots=True)
class UnpackSequence(Instr):
    """``dsts = src``; ``star`` is the position in ``dsts`` that takes the list of what is left."""

    dsts: tuple[Var, ...]
    src: Var
    star: int | None


@dataclass(frozen=True, slots=True)
class GetIter(Instr):
    """``dst = iter(src)``."""

    dst: Var
    src: Var


@dataclass(frozen=True, slots=True)
class ForIter(Instr):
    """Next item of ``iter`` to ``dst``; at the end jump to ``end``, with what a generator returns in ``returned``."""

    dst: Var
    iter: Var
    end: int
    loop: int
    returned: Var | None = None


@dataclass(frozen=True, slots=True)
class ListAppend(Instr):
    """Add to the list that a comprehension makes."""

    list: Var
    item: Var


@dataclass(frozen=True, slots=True)
class SetAdd(Instr):
    """Add to the set that a comprehension makes."""

    set: Var
    item: Var


@dataclass(frozen=True, slots=True)
class DictStore(Instr):
    """Add to the dict that a comprehension makes."""

    dict: Var
    key: Var
    item: Var


@dataclass(frozen=True, slots=True)
class Length(Instr):
    """``dst = len(src)``, for sequence patterns."""

    dst: Var
    src: Var


@dataclass(frozen=True, slots=True)
class MatchSequence(Instr):
    """``dst``: whether a sequence pattern can match ``subject`` (a ``collections.abc.Sequence``, not a string)."""

    dst: Var
    subject: Var


@dataclass(frozen=True, slots=True)
class MatchMapping(Instr):
    """``dst``: whether a mapping pattern can match ``subject``."""

    dst: Var
    subject: Var


@dataclass(frozen=True, slots=True)
class MatchKeys(Instr):
    """``dst``: tuple of the values of ``keys`` in the mapping ``subject``, or ``None`` if one is missing."""

    dst: Var
    subject: Var
    keys: tuple[Var, ...]


@dataclass(frozen=True, slots=True)
class MatchClass(Instr):
    """``dst``: the ``count`` positional and the ``names`` attributes of ``subject``, ``None`` if it is no ``cls``."""

    dst: Var
    subject: Var
    cls: Var
    count: int
    names: tuple[str, ...]


# ---- control flow --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Jump(Instr):
    """Go to ``target``."""

    target: int


@dataclass(frozen=True, slots=True)
class Branch(Instr):
    """Go to ``then`` if ``cond`` is true, else to ``orelse``.

    The truth value is taken once. The span is that of the tested expression, by which the profile counts;
    ``id`` indexes
    `Code.branches`.
    """

    cond: Var
    then: int
    orelse: int
    id: int


@dataclass(frozen=True, slots=True)
class Return(Instr):
    """Leave the function with ``src``."""

    src: Var


@dataclass(frozen=True, slots=True)
class Raise(Instr):
    """``raise exc from cause``; no ``exc``: raise the exception being handled again.

    ``handled`` is the exception that the innermost handler around handles: the context of the new one.
    """

    exc: Var | None
    cause: Var | None
    handled: Var | None = None


@dataclass(frozen=True, slots=True)
class StatementStart(Instr):
    """A resume point: the beginning of statement ``stmt`` (or of the next iteration of that ``for`` loop).

    ``kind`` is ``"statement"`` or ``"iteration"``. No temporaries are live here but the iterators of the
    enclosing
    ``for`` loops, and those that ``with`` and ``finally`` need.
    """

    kind: str


@dataclass(frozen=True, slots=True)
class Unsupported(Instr):
    """What this code cannot express; the statement is left to Python.

    ``uses`` and ``defs`` are the locals that the statement may read and bind.
    """

    code: str
    message: str
    uses: tuple[Var, ...]
    defs: tuple[Var, ...]


# ---- functions and imports -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MakeFunction(Instr):
    """A nested ``def`` or ``lambda``; ``annotations`` are pairs of parameter (or ``return``) and value."""

    dst: Var
    source: FunctionSource
    defaults: tuple[Var, ...]
    kwdefaults: tuple[tuple[str, Var], ...]
    annotations: tuple[tuple[str, Var], ...]
    name: str


@dataclass(frozen=True, slots=True)
class MakeClass(Instr):
    """A nested class statement (before decorators are called); ``frees`` are the variables that its body sees."""

    dst: Var
    name: str
    bases: tuple[Var, ...]
    code: types.CodeType
    frees: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MakeGenerator(Instr):
    """A generator expression over ``iter``, the iterator of its first ``for``; ``source`` has one parameter ``.0``."""

    dst: Var
    source: FunctionSource
    iter: Var


@dataclass(frozen=True, slots=True)
class Yield(Instr):
    """Hand out ``src``, and take what is sent back as ``dst``; only in the code of generators and generator expressions."""

    src: Var
    dst: Var | None = None


@dataclass(frozen=True, slots=True)
class Import(Instr):
    """``import module`` (``name`` is None; ``dst`` gets what ``__import__`` returns, the top package) or, for
    ``from module import name``, the attribute (or submodule) ``name``. ``leaf``: as ``import a.b as c``, ``a.b`` itself.
    """

    dst: Var
    module: str
    name: str | None
    level: int
    leaf: bool = False


# ---- regions -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class EnterTry(Instr):
    """From here on, until the `ExitTry` on each normal way out, exceptions go to ``handler``."""

    handler: int


@dataclass(frozen=True, slots=True)
class ExitTry(Instr):
    """A normal way out of a ``try`` body."""


@dataclass(frozen=True, slots=True)
class EnterWith(Instr):
    """``dst = cm.__enter__()``; ``__exit__`` is looked up first and kept. From here on exceptions go"
    " to ``handler``.
    """

    dst: Var
    cm: Var
    handler: int


@dataclass(frozen=True, slots=True)
class ExitWith(Instr):
    """``cm.__exit__(None, None, None)``, on a normal way out."""

    cm: Var


# ---- exception handling: reached along `Code.handlers` only --------------------------------------


@dataclass(frozen=True, slots=True)
class CatchException(Instr):
    """Entry of a handler: ``dst`` is the exception, which is now the one being handled.

    ``outer`` are the exceptions that the handlers around it handle, outermost first.
    """

    dst: Var
    outer: tuple[Var, ...] = ()


@dataclass(frozen=True, slots=True)
class ExceptMatch(Instr):
    """``dst``: whether exception ``exc`` matches the class or tuple ``cls`` of an ``except`` clause."""

    dst: Var
    exc: Var
    cls: Var


@dataclass(frozen=True, slots=True)
class EndHandler(Instr):
    """``exc`` is handled: the exception handled before it, if any, is the current one again."""

    exc: Var


@dataclass(frozen=True, slots=True)
class Reraise(Instr):
    """Raise ``exc``, which is being handled, on, with its traceback as it is; ends its handling."""

    exc: Var


@dataclass(frozen=True, slots=True)
class ExitWithException(Instr):
    """``dst = cm.__exit__(type(exc), exc, exc.__traceback__)``."""

    dst: Var
    cm: Var
    exc: Var
