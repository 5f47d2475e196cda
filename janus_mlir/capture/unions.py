"""Values of which only run time knows what they are: one of several constants, numbers or objects.

Where ways with different values meet, for instance ``"up"`` and ``"down"``, or ``None`` and a float, the
joined value is a `UnionValue`: a tag and, for numbers, a payload per kind. An instruction that needs to know
the value forks on the tag, with the value replaced everywhere by what it is on each side; the
sides meet again right behind the instruction.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, cast

from janus_mlir.capture.breaks import Break
from janus_mlir.capture.dynamic.layouts import TextLayout
from janus_mlir.capture.graph import BOOL, Value
from janus_mlir.capture.heap import CellContent, Content
from janus_mlir.capture.reading import code as c
from janus_mlir.capture.reading.flow import uses
from janus_mlir.capture.reading.rebuild import UNBOUND
from janus_mlir.capture.scalars import CLASSES, NUMBER_TAGS, number_kind, same_constant
from janus_mlir.capture.values import (
    Abstract,
    Boxed,
    CellRef,
    ExtentNumber,
    FunctionValue,
    HeapRef,
    IteratorRef,
    JaxArray,
    Known,
    MemberValue,
    MethodValue,
    Number,
    NumpyArray,
    NumpyScalar,
    Storage,
    TextValue,
    TupleValue,
    UnionValue,
)

if TYPE_CHECKING:
    from janus_mlir.capture.control import Fork
    from janus_mlir.capture.machine import Machine
    from janus_mlir.capture.state import State

_FIRST = len(NUMBER_TAGS)


class Tags:
    """Numbers the things that a union may be."""

    def __init__(self) -> None:
        self.found: list[Any] = []

    def constant(self, tag: int) -> Any:
        """Return the Python object of a constant's tag."""
        return self.found[tag - _FIRST][1]

    def of(self, value: Abstract) -> int | None:
        """Return the tag of a value, None if it cannot be part of a union."""
        kind = number_kind(value)
        if kind is not None:
            return NUMBER_TAGS[kind]
        match value:
            case Known():
                return self._find("constant", value.value)
            case NumpyScalar():
                return self._find("scalar", value.dtype)
            case Boxed():
                return self._find("boxed", value.cls)
            case TextValue():
                from janus_mlir.capture.dynamic.packing import text_layout

                layout = text_layout(value)
                return None if layout is None else self.text(layout)
            case TupleValue():
                plain = (Known, Number, NumpyScalar, TextValue, ExtentNumber)
                if not all(isinstance(item, plain) and self.of(item) is not None for item in value.items):
                    return None
                return self._find("tuple", (value.cls.__qualname__, id(value.cls), len(value.items)))
            case IteratorRef() | CellRef():
                return None
            case HeapRef() | FunctionValue() | NumpyArray() | JaxArray():
                return self._find("object", value.id)
        return None

    def row(self, pool: int) -> int:
        """Return the tag of lists that are rows of a pool."""
        return self._find("row", pool)

    def text(self, layout: TextLayout) -> int:
        """Return the tag of strings that are made in one way."""
        for i, (kind, known) in enumerate(self.found):
            if kind == "text" and known == layout:
                return i + _FIRST
        self.found.append(("text", layout))
        return len(self.found) - 1 + _FIRST

    def _find(self, kind: str, item: Any) -> int:
        for i, (other, known) in enumerate(self.found):
            if other == kind and (known is item or same_constant(known, item)):
                return i + _FIRST
        self.found.append((kind, item))
        return len(self.found) - 1 + _FIRST


# ---- telling what a union is -----------------------------------------------------------------------


#: Builtins that keep their argument as it is.
_TRANSPARENT: tuple[Any, ...] = (print,)


def needs_known(m: Machine, instr: c.Instr) -> UnionValue | None:
    """Return an operand of `instr` that is a union although the instruction has to know what it is."""
    for name in uses(instr):
        value = _variable(m, name)
        if isinstance(value, UnionValue) and any(_unbound(option) for _, option in value.options):
            return value  # whatever reads it may raise
    for name in _operands(m, instr):
        value = _variable(m, name)
        if isinstance(value, (MemberValue, MethodValue)):
            value = value.self
        if isinstance(value, UnionValue):
            return value
    return None


def _unbound(option: Abstract) -> bool:
    return isinstance(option, Known) and option.value is UNBOUND


def _operands(m: Machine, instr: c.Instr) -> list[str]:
    match instr:
        case c.Binary() | c.Inplace() | c.Compare():
            return [instr.a, instr.b]
        case c.Unary():
            return [instr.a]
        case c.Branch():
            return [instr.cond]
        case c.GetAttr() | c.SetAttr() | c.DelAttr():
            return [instr.obj]
        case c.GetItem() | c.SetItem() | c.DelItem():
            return [instr.obj, instr.index]
        case c.BuildSlice():
            return [instr.a, instr.b, instr.c]
        case c.BuildSet():
            return [v for v, _ in instr.items]
        case c.BuildTuple() | c.BuildList():
            return [v for v, star in instr.items if star]
        case c.BuildDict():
            return [v if k is None else k for k, v in instr.items]
        case c.DictStore():
            return [instr.key]
        case c.UnpackSequence() | c.GetIter():
            return [instr.src]
        case c.EnterWith() | c.ExitWith():
            return [instr.cm]
        case c.FormatValue():
            return [] if instr.spec is None else [instr.spec]
        case c.Call():
            names = [
                instr.fn,
                *(v for v, star in instr.args if star),
                *(v for n, v in instr.kwargs if n is None),
            ]
            if not _passes_on(m, _variable(m, instr.fn)):
                names += [v for v, _ in instr.args] + [v for _, v in instr.kwargs]
            return names
        case (
            c.Const()
            | c.Move()
            | c.Return()
            | c.LoadGlobal()
            | c.LoadFree()
            | c.StoreFree()
            | c.StoreGlobal()
        ):
            return []
        case (
            c.ListAppend()
            | c.Yield()
            | c.MakeFunction()
            | c.MakeGenerator()
            | c.StatementStart()
            | c.BuildString()
        ):
            return []
    return [
        name
        for f in fields(cast(Any, instr))
        if f.name != "dst" and isinstance(name := getattr(instr, f.name), str)
    ]


def _variable(m: Machine, name: str) -> Abstract | None:
    value = m.state.top.vars.get(name)
    if isinstance(value, CellRef):
        content = m.get(value.id)
        assert isinstance(content, CellContent)
        return content.value
    return value


def _passes_on(m: Machine, function: Abstract | None) -> bool:
    """Whether a callee takes arguments of any kind without looking at them."""
    from janus_mlir.capture.calls import unwrap_callable

    match function:
        case FunctionValue():
            return True
        case MethodValue():
            return _passes_on(m, function.function)
        case MemberValue(name="append" | "appendleft"):
            return True
        case Known(value=live):
            return any(live is f for f in _TRANSPARENT) or unwrap_callable(live) is not None
    return False


def split(m: Machine, value: UnionValue, instr: c.Instr) -> Fork:
    """Fork on the tag of `value`; both sides execute the instruction at hand with what it is there."""
    from janus_mlir.capture.control import Fork
    from janus_mlir.capture.graph import INT

    if m.pure:
        raise Break("JN308", "a choice between values inside a function that JAX transforms")
    tag = value.options[0][0]
    number = m.b.one("constant", [], INT, value=tag)
    cond = m.b.one("arith.cmpi", [value.which, number], BOOL, predicate="eq")

    def then(state: State) -> None:
        _substitute(state, value.which, tag, True)

    def orelse(state: State) -> None:
        _substitute(state, value.which, tag, False)

    depth, pc = m.state.where
    frame = m.state.top
    following = frame.function.code.instrs[pc + 1] if pc + 1 < len(frame.function.code.instrs) else None
    at = pc
    if isinstance(following, c.Branch) and getattr(instr, "dst", None) == following.cond:
        at = pc + 1  # what is tested tells the sides of the branch what the value is
    meet = frame.function.flow.postdominators[at]
    return Fork(cond, then, orelse, None if meet is None else (depth, meet))


class _Substitution:
    """Replaces the unions of one tag by what they are if it is `tag`, or is not, in everything that a state holds.

    Unions that were made by the same join share the tag if they are of the same kinds on both sides.
    """

    def __init__(self, which: Value, tag: int, holds: bool) -> None:
        self.which = which
        self.tag = tag
        self.holds = holds
        self.memo: dict[int, tuple[Any, Any]] = {}

    def __call__(self, obj: Any) -> Any:
        if isinstance(obj, UnionValue) and obj.which is self.which:
            left = tuple(option for option in obj.options if (option[0] == self.tag) == self.holds)
            return left[0][1] if len(left) == 1 else replace(obj, options=left)
        if isinstance(obj, tuple):
            items = tuple(self(x) for x in obj)
            return obj if all(a is b for a, b in zip(items, obj, strict=True)) else items
        if not isinstance(obj, (Abstract, Content)) or isinstance(obj, (Known, Number, Storage)):
            return obj
        seen = self.memo.get(id(obj))
        if seen is not None:
            return seen[1]
        changes = {}
        for f in fields(cast(Any, obj)):
            old = getattr(obj, f.name)
            if isinstance(old, (Abstract, Content, tuple)):
                new = self(old)
                if new is not old:
                    changes[f.name] = new
        result = replace(cast(Any, obj), **changes) if changes else obj
        self.memo[id(obj)] = (obj, result)
        return result


def _substitute(state: State, which: Value, tag: int, holds: bool) -> None:
    change = _Substitution(which, tag, holds)
    for frame in state.frames:
        for name, value in frame.vars.items():
            frame.vars[name] = change(value)
        if frame.override is not None:
            frame.override = change(frame.override)
    for key, content in state.heap.items():
        state.heap[key] = change(content)


def choose(m: Machine, which: Value, items: list[Abstract]) -> Abstract | None:
    """Return the item whose position is `which`, as a union; None if the items cannot be part of one."""
    from janus_mlir.capture.graph import INT
    from janus_mlir.capture.numbers import make
    from janus_mlir.capture.scalars import SCALARS, number_kind

    tags = [m.tags.of(item) for item in items]
    if any(tag is None for tag in tags):
        return None

    def select(values: list[Value]) -> Value:
        result = values[-1]
        for i in range(len(values) - 2, -1, -1):
            hit = m.b.one("arith.cmpi", [which, m.const(i)], BOOL, predicate="eq")
            result = m.b.one("arith.select", [hit, values[i], result], values[i].type)
        return result

    options: dict[int, Abstract] = {}
    for tag, item in zip(tags, items, strict=True):
        assert tag is not None
        kind = number_kind(item)
        if kind is None:
            if isinstance(item, (NumpyScalar, TextValue, TupleValue, Boxed)):
                return None
            options[tag] = item
        elif tag not in options:
            zero = m.const(CLASSES[kind]())
            refs = [m.number_ref(x) if t == tag else zero for t, x in zip(tags, items, strict=True)]
            assert refs[0].type == SCALARS[kind]
            options[tag] = make(kind, select(refs))
    if len(options) == 1:
        return next(iter(options.values()))
    number = select([m.b.one("constant", [], INT, value=tag) for tag in tags])
    return UnionValue(number, tuple(sorted(options.items(), key=lambda pair: pair[0])))


def compare_numbers(m: Machine, op: str, a: Abstract, b: Abstract) -> Value | None:
    """Return ``a op b`` of numbers of which only run time knows the kinds; None if there is more than numbers among them."""
    from janus_mlir.capture import numbers
    from janus_mlir.capture.graph import INT

    sides: list[tuple[Value | None, tuple[tuple[int, Abstract], ...]]] = []
    for value in (a, b):
        options = value.options if isinstance(value, UnionValue) else ((0, value),)
        if not all(number_kind(option) is not None for _, option in options):
            return None
        sides.append((value.which if isinstance(value, UnionValue) else None, options))
    (which_a, options_a), (which_b, options_b) = sides
    result = m.const(False)
    for tag_a, one in options_a:
        for tag_b, two in options_b:
            decided = numbers.compare_numbers(m, op, one, two)
            found = m.const(decided) if isinstance(decided, bool) else decided
            for which, tag in ((which_a, tag_a), (which_b, tag_b)):
                if which is not None:
                    number = m.b.one("constant", [], INT, value=tag)
                    hit = m.b.one("arith.cmpi", [which, number], BOOL, predicate="eq")
                    found = m.b.one("arith.andi", [hit, found], BOOL)
            result = m.b.one("arith.ori", [result, found], BOOL)
    return result


def select(m: Machine, cond: Value, a: Abstract, b: Abstract) -> Abstract | None:
    """Return ``a if cond else b`` where one of them is a union; None if they cannot be one together."""
    from janus_mlir.capture.builtins.numbers import choose_value
    from janus_mlir.capture.graph import INT

    sides: list[dict[int, Abstract]] = []
    whichs: list[Value] = []
    for value in (a, b):
        if isinstance(value, UnionValue):
            sides.append(dict(value.options))
            whichs.append(value.which)
            continue
        tag = m.tags.of(value)
        if tag is None:
            return None
        sides.append({tag: value})
        whichs.append(m.b.one("constant", [], INT, value=tag))
    options: list[tuple[int, Abstract]] = []
    for tag in sorted(sides[0].keys() | sides[1].keys()):
        one, two = sides[0].get(tag), sides[1].get(tag)
        if one is None or two is None:
            only = one or two
            assert only is not None
            options.append((tag, only))
        else:
            options.append((tag, choose_value(m, cond, one, two)))
    return UnionValue(m.b.one("arith.select", [cond, *whichs], INT), tuple(options))


def as_array(m: Machine, value: UnionValue) -> JaxArray | None:
    """Return what is one of several arrays as an array that is none of them, None if they are not alike.

    It is for whoever looks at the elements only.
    """
    arrays = [(tag, option) for tag, option in value.options if isinstance(option, JaxArray)]
    _, last = arrays[-1] if len(arrays) == len(value.options) else (0, None)
    if last is None or any(
        a.dtype != last.dtype or a.shape != last.shape or a.weak != last.weak for _, a in arrays
    ):
        return None
    ref = last.ref
    for tag, array in arrays[:-1]:
        hit = m.b.one("arith.cmpi", [value.which, m.const(tag)], BOOL, predicate="eq")
        ref = m.b.one("arith.select", [hit, array.ref, ref], ref.type)
    return JaxArray(ref, last.dtype, last.shape, last.weak)


def as_text(m: Machine, value: Abstract) -> Abstract:
    """Return what is one of several strings as an object of the run time; anything else itself."""
    from janus_mlir.capture import boxed
    from janus_mlir.capture.graph import OBJECT

    if not isinstance(value, UnionValue):
        return value
    texts = (boxed.is_text(o) or (isinstance(o, Known) and type(o.value) is str) for _, o in value.options)
    if not all(texts):
        return value
    *others, (_, last) = value.options
    ref = boxed.box(m, last)
    for tag, option in others:
        hit = m.b.one("arith.cmpi", [value.which, m.const(tag)], BOOL, predicate="eq")
        ref = m.b.one("arith.select", [hit, boxed.box(m, option), ref], OBJECT)
    return Boxed(ref, str)


__all__ = ["Tags", "as_array", "as_text", "choose", "compare_numbers", "needs_known", "select", "split"]
