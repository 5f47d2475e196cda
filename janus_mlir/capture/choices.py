"""Values of different kinds that meet: which of them it is, only run time knows.

Where one way through the code leaves None in a variable and another one a number, or two ways leave different texts, the
variable holds a `ChoiceValue`. It is passed on as it is. An instruction that looks at it is executed once for each of
its options, under a branch on the choice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from janus_mlir.capture import code as c
from janus_mlir.capture.control import Fork
from janus_mlir.capture.flow import uses
from janus_mlir.capture.graph import BOOL
from janus_mlir.capture.heap import CellContent
from janus_mlir.capture.state import State
from janus_mlir.capture.values import Abstract, CellRef, ChoiceValue, FunctionValue, Known, MethodValue

if TYPE_CHECKING:
    from types import FunctionType

    from janus_mlir.capture.machine import Machine


def _looked_at(m: Machine, instr: c.Instr) -> tuple[str, ...]:
    """Return the variables whose values an instruction needs to know, not only to pass on."""
    match instr:
        case c.Move() | c.Return() | c.Yield() | c.StoreFree() | c.StoreGlobal() | c.StatementStart():
            return ()
        case c.MakeFunction() | c.MakeGenerator() | c.EndHandler():
            return ()
        case c.SetAttr(obj=obj):
            return (obj,)
        case c.SetItem(obj=obj, index=index):
            return (obj, index)
        case c.ListAppend(list=list_):
            return (list_,)
        case c.BuildTuple(items=items) | c.BuildList(items=items):
            return tuple(var for var, starred in items if starred)
        case c.Call(fn=fn, args=args):
            if _is_captured(_content(m, m.state.top.vars.get(fn))):
                return (fn, *(var for var, starred in args if starred))
    return uses(instr)


def _is_captured(function: Abstract | None) -> bool:
    from janus_mlir.capture.calls import unwrap_callable

    if isinstance(function, MethodValue):
        return _is_captured(function.function)
    if isinstance(function, Known):
        live: FunctionType | None = unwrap_callable(function.value)
        return live is not None
    return isinstance(function, FunctionValue)


def _content(m: Machine, value: Abstract | None) -> Abstract | None:
    if isinstance(value, CellRef):
        content: CellContent = m.get(value.id)
        return content.value
    return value


def split(m: Machine, instr: c.Instr) -> Fork | None:
    """Fork on the first choice that an instruction looks at, None if it looks at none."""
    if m.pure:
        return None
    frame = m.state.top
    for name in _looked_at(m, instr):
        value = _content(m, frame.vars.get(name))
        if isinstance(value, ChoiceValue):
            return _fork(m, name, value)
    return None


def _fork(m: Machine, name: str, value: ChoiceValue) -> Fork:
    (number, first), *rest = value.options
    other = rest[0][1] if len(rest) == 1 else ChoiceValue(value.tag, tuple(rest))

    def choose(option: Abstract) -> None:
        held = m.state.top.vars[name]
        if isinstance(held, CellRef):
            m.put(held.id, CellContent(option))
        else:
            m.state.top.vars[name] = option

    def then(state: State) -> None:
        choose(first)

    def orelse(state: State) -> None:
        choose(other)

    cond = m.b.one("arith.cmpi", [value.tag, m.const(number)], BOOL, predicate="eq")
    depth, pc = m.state.where
    meet = m.state.top.function.flow.postdominators[pc]
    return Fork(cond, then, orelse, None if meet is None else (depth, meet))
