"""What each instruction of the three-address code does to the machine."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

from janus_mlir import policy
from janus_mlir.capture import boxed, sets
from janus_mlir.capture.attributes import delete_attribute, get_attribute, set_attribute
from janus_mlir.capture.boundary.frames import take_snapshot
from janus_mlir.capture.boundary.sources import Cell, CellOf, Global, Source
from janus_mlir.capture.breaks import Break, Failed
from janus_mlir.capture.calls import call_instruction, run_generator
from janus_mlir.capture.classes import make_class
from janus_mlir.capture.closures import make_function
from janus_mlir.capture.containers import (
    append,
    build_dict,
    build_set,
    delete_item,
    expand,
    get_item,
    set_item,
)
from janus_mlir.capture.control import Doubt, Fork, assume_side
from janus_mlir.capture.counting import note_end
from janus_mlir.capture.exceptions import end_handling, matches, raise_instruction, reraise
from janus_mlir.capture.generators import ask_in_frame, yield_item
from janus_mlir.capture.graph import Value
from janus_mlir.capture.heap import CellContent
from janus_mlir.capture.iteration import get_iterator, next_item
from janus_mlir.capture.library import lists as library
from janus_mlir.capture.live import assume, forced, settled
from janus_mlir.capture.lookups import contains
from janus_mlir.capture.managers import enter_context, exit_context, exit_with_exception
from janus_mlir.capture.matching import match_instruction
from janus_mlir.capture.namespaces import cell_value, global_value, write_cell, write_global
from janus_mlir.capture.operators import binary, compare, inplace, truth, unary
from janus_mlir.capture.reading import code as c
from janus_mlir.capture.state import RESULT, State
from janus_mlir.capture.text import build_string, format_value
from janus_mlir.capture.unions import needs_known, split
from janus_mlir.capture.unpacking import build_list, unpack
from janus_mlir.capture.values import (
    Abstract,
    CellRef,
    Known,
    LiveObject,
    SetRef,
    SliceValue,
    TupleValue,
)

if TYPE_CHECKING:
    from janus_mlir.capture.machine import Machine


def execute(m: Machine, instr: c.Instr) -> Fork | None:
    """Execute one instruction; return a fork if only run time can tell how it goes on."""
    frame = m.state.top
    m.next_pc = frame.pc + 1
    union = needs_known(m, instr)
    if union is not None:
        return split(m, union, instr)
    match instr:
        case c.Branch():
            return _branch(m, instr)
        case c.ForIter():
            return _for_iter(m, instr)
        case c.Jump(target=target):
            frame.pc = target
            return None
        case c.Return(src=src):
            frame.vars[RESULT] = read_variable(m, src)
            frame.pc = len(frame.function.code.instrs)
            return None
        case c.Call():
            frame.pc += 1
            call_instruction(m, instr)
            return None
        case c.EnterWith(cm=cm):
            frame.pc += 1
            enter_context(m, read_variable(m, cm), instr.dst)
            return None
        case c.ExitWith(cm=cm):
            frame.pc += 1
            exit_context(m, read_variable(m, cm))
            return None
        case c.ExitWithException(cm=cm, exc=exc):
            frame.pc += 1
            exit_with_exception(m, read_variable(m, cm), read_variable(m, exc), instr.dst)
            return None
        case c.Yield(src=src, dst=dst):
            if frame.generator is not None:
                yield_item(m, read_variable(m, src))
                return None
            assert frame.override is not None
            append(m, frame.override, read_variable(m, src))
            if dst is not None:
                write_variable(m, dst, Known(None))
        case c.StatementStart():
            take_snapshot(m)
        case c.Unsupported(code=code, message=message):
            raise Break(code, message)
        case c.Raise():
            raise raise_instruction(m, instr)
        case c.Reraise(exc=exc):
            raise reraise(m, read_variable(m, exc))
        case c.EndHandler(exc=exc):
            end_handling(m, exc)
        case _:
            result = _compute(m, instr)
            if result is not None:
                write_variable(m, instr.dst, result)  # type: ignore[attr-defined]
    m.state.top.pc += 1
    return None


# ---- variables ---------------------------------------------------------------------


def read_variable(m: Machine, name: str) -> Abstract:
    value = m.var(name)
    if isinstance(value, CellRef):
        content = m.get(value.id)
        if content.value is None:
            raise Break("JN211", f"`{name}` may be unbound here")
        value = content.value
    return settled(m, value) if isinstance(value, LiveObject) else value


def write_variable(m: Machine, name: str, value: Abstract) -> None:
    frame = m.state.top
    if name in frame.function.code.cells:
        old = frame.vars.get(name)
        cell = old if isinstance(old, CellRef) else CellRef()
        frame.vars[name] = cell
        m.put(cell.id, CellContent(value))
    else:
        frame.vars[name] = value


#: Modules whose functions are captured in place of others: nobody rebinds their names.
_LIBRARIES = tuple(f"{library.__name__}{suffix}" for suffix in ("", "_numbers", "_numpy", "_tables"))


def load_global(m: Machine, name: str) -> Abstract:
    """Return a global of the function at hand, or a builtin."""
    function = m.state.top.function
    written = global_value(m, function.namespace, name)
    if written is not None:
        return written
    namespace = function.namespace.object
    if namespace.get("__name__") in _LIBRARIES:
        return Known(namespace[name] if name in namespace else function.builtins[name])
    if name in namespace:
        return m.outside.wrap(namespace[name], Global(function.namespace, name))
    if name not in function.builtins:
        m.entry.emit(
            ("absent", namespace, name), Global(function.namespace, name), "name", f"`{name}` is absent"
        )
        raise Failed(NameError, f"name {name!r} is not defined")
    entry = m.entry
    entry.emit(
        ("absent", namespace, name), Global(function.namespace, name), "name", f"`{name}` is the builtin"
    )
    return Known(function.builtins[name])


def _free_source(m: Machine, name: str) -> CellRef | Source:
    return m.state.top.function.closure[name]


def _load_free(m: Machine, name: str) -> Abstract:
    cell = _free_source(m, name)
    if isinstance(cell, CellRef):
        content = m.get(cell.id)
        if content.value is None:
            raise Break("JN211", f"`{name}` may be unbound here")
        return content.value  # type: ignore[no-any-return]
    assert isinstance(cell, (Cell, CellOf))
    written = cell_value(m, cell)
    if written is not None:
        return written
    try:
        live = cell.fetch(m.arguments)
    except ValueError:
        raise Break("JN211", f"`{name}` is unbound") from None
    return m.outside.wrap(live, cell)


def _store_free(m: Machine, name: str, value: Abstract) -> None:
    cell = _free_source(m, name)
    if isinstance(cell, CellRef):
        m.put(cell.id, CellContent(value))
    else:
        write_cell(m, cell, value)


# ---- everything with a result ---------------------------------------------------------


def _compute(m: Machine, instr: c.Instr) -> Abstract | None:
    match instr:
        case c.Const(value=value):
            return Known(value)
        case c.Move(src=src):
            return read_variable(m, src)
        case c.Delete(var=var):
            if not c.is_temporary(var):
                m.var(var)
            m.state.top.vars.pop(var, None)
            return None
        case c.LoadGlobal(name=name):
            return load_global(m, name)
        case c.StoreGlobal(name=name, src=src):
            write_global(m, m.state.top.function.namespace, name, read_variable(m, src))
            return None
        case c.LoadFree(name=name):
            return _load_free(m, name)
        case c.StoreFree(name=name, src=src):
            _store_free(m, name, read_variable(m, src))
            return None
        case c.Unary(op=op, a=a):
            return unary(m, op, forced(m, read_variable(m, a)))
        case c.Binary(op=op, a=a, b=b):
            return binary(m, op, forced(m, read_variable(m, a)), forced(m, read_variable(m, b)))
        case c.Inplace(op=op, a=a, b=b):
            return inplace(m, op, forced(m, read_variable(m, a)), forced(m, read_variable(m, b)))
        case c.Compare(op="contains" | "not_contains" as op, a=a, b=b):
            return contains(m, read_variable(m, b), read_variable(m, a), negate=op == "not_contains")
        case c.Compare(op=op, a=a, b=b):
            return compare(m, op, read_variable(m, a), read_variable(m, b))
        case c.GetAttr(obj=obj, name=name):
            return get_attribute(m, read_variable(m, obj), name)
        case c.SetAttr(obj=obj, name=name, src=src):
            set_attribute(m, read_variable(m, obj), name, read_variable(m, src))
            return None
        case c.DelAttr(obj=obj, name=name):
            delete_attribute(m, read_variable(m, obj), name)
            return None
        case c.GetItem(obj=obj, index=index):
            return get_item(m, read_variable(m, obj), read_variable(m, index))
        case c.SetItem(obj=obj, index=index, src=src):
            set_item(m, read_variable(m, obj), read_variable(m, index), read_variable(m, src))
            return None
        case c.DelItem(obj=obj, index=index):
            delete_item(m, read_variable(m, obj), read_variable(m, index))
            return None
        case c.BuildTuple(items=items):
            return TupleValue(expand(m, [(read_variable(m, v), star) for v, star in items]))
        case c.BuildList(items=items):
            return build_list(m, [(read_variable(m, v), star) for v, star in items])
        case c.BuildSet(items=items):
            return build_set(m, expand(m, [(read_variable(m, v), star) for v, star in items]))
        case c.BuildDict(items=items):
            pairs = [(None if k is None else read_variable(m, k), read_variable(m, v)) for k, v in items]
            return build_dict(m, pairs)
        case c.BuildSlice(a=a, b=b, c=step):
            return _slice(read_variable(m, a), read_variable(m, b), read_variable(m, step))
        case c.FormatValue(src=src, conversion=conversion, spec=spec):
            return format_value(
                m, read_variable(m, src), conversion, None if spec is None else read_variable(m, spec)
            )
        case c.BuildString(parts=parts):
            return boxed.settled(m, build_string([read_variable(m, p) for p in parts]))
        case c.UnpackSequence(dsts=dsts, src=src, star=star):
            for dst, value in zip(dsts, unpack(m, read_variable(m, src), len(dsts), star), strict=True):
                write_variable(m, dst, value)
            return None
        case c.GetIter(src=src):
            return get_iterator(m, read_variable(m, src))
        case c.ListAppend(list=list_, item=item):
            append(m, read_variable(m, list_), read_variable(m, item))
            return None
        case c.SetAdd(set=set_, item=item):
            target = read_variable(m, set_)
            assert isinstance(target, SetRef)
            sets.method(m, target, "add", [read_variable(m, item)])
            return None
        case c.DictStore(dict=dict_, key=key, item=item):
            set_item(m, read_variable(m, dict_), read_variable(m, key), read_variable(m, item))
            return None
        case c.MakeFunction():
            return make_function(m, instr)
        case c.MakeClass():
            return make_class(m, instr)
        case c.MakeGenerator():
            return run_generator(m, instr)
        case c.ExceptMatch(exc=exc, cls=cls):
            return Known(matches(m, read_variable(m, exc), read_variable(m, cls)))
        case c.Length() | c.MatchSequence() | c.MatchMapping() | c.MatchKeys() | c.MatchClass():
            return match_instruction(m, instr)
        case c.Import():
            return _import(m, instr)
        case c.EnterTry() | c.ExitTry():
            return None
    raise Break("JN209", type(instr).__name__)


def _slice(a: Abstract, b: Abstract, step: Abstract) -> Abstract:
    if isinstance(a, Known) and isinstance(b, Known) and isinstance(step, Known):
        return Known(slice(a.value, b.value, step.value))
    return SliceValue(a, b, step)


def _import(m: Machine, instr: c.Import) -> Abstract:
    """Import a module that is loaded already; loading one runs unknown code."""
    namespace = m.state.top.function.namespace.object
    name = instr.module
    if instr.level:
        name = importlib.util.resolve_name("." * instr.level + name, namespace.get("__package__") or "")
    if name not in sys.modules:
        raise Break("JN306", f"module `{name}` is imported here for the first time")
    module = sys.modules[name]
    if instr.name is None:
        return Known(module if instr.leaf else sys.modules[name.partition(".")[0]])
    return get_attribute(m, Known(module), instr.name)


# ---- branches and loops -----------------------------------------------------------------


def _branch(m: Machine, instr: c.Branch) -> Fork | None:
    cond = truth(m, read_variable(m, instr.cond))
    # Calls in between may have put another state in place of the one before.
    frame = m.state.top
    if isinstance(cond, bool):
        frame.pc = instr.then if cond else instr.orelse
        return None
    return fork_to(m, cond, instr.then, instr.orelse, instr.span)


def fork_to(m: Machine, cond: Value, then: int, orelse: int, span: Any) -> Fork | None:
    """Decide how to capture a dynamic branch: one side under a guard, or both."""
    state = m.state
    frame = state.top
    depth, pc = state.where
    stays = _staying_side(m, then, orelse)
    likely: bool | None = None
    if m.assume_iteration is not None and stays is not None and m.assume_iteration[0] == depth:
        m.assume_iteration = None
        if span not in m.speculation.both:
            m.guard(cond, "trips", expected=stays, text="the loop runs at least once", branch=span)
            frame.pc = then if stays else orelse
            return None
    meet = frame.function.flow.postdominators[pc]
    counts = None if m.profile is None else m.profile.branch(frame.function.code, span)
    pruned = False
    if stays is None and counts is not None and not m.pure:
        plan = policy.branch_plan(m.speculation, span, counts)
        if plan is not policy.Side.BOTH:
            likely = plan in (policy.Side.LIKELY_TRUE, policy.Side.ONLY_TRUE)
        if plan in (policy.Side.ONLY_TRUE, policy.Side.ONLY_FALSE):
            assert likely is not None
            # Where the other side is arithmetic on locals, the pass decides that reads the counts. Anything else may
            # need guards of its own, or cannot be captured. In stress mode each guard is made here.
            pruned = m.stress is None and _is_arithmetic(
                frame.function.code, orelse if likely else then, meet
            )
            if not pruned:
                assume_side(m, cond, likely, _goto(then if likely else orelse), span)
                return None
    if m.pure:
        raise Break("JN308", "a data-dependent branch inside a function that JAX transforms")
    join = None if meet is None else (depth, meet)
    doubt = None if likely is None else Doubt(likely, _goto(then if likely else orelse), span)
    # Counts that a version has learnt better of are of no use to passes.
    known = counts if span not in m.speculation.both else None
    return Fork(cond, _side(m, cond, True, then), _side(m, cond, False, orelse), join, doubt, known, pruned)


_ARITHMETIC = (c.Const, c.Move, c.Unary, c.Binary, c.Inplace, c.Compare, c.StatementStart, c.Jump)
_MAX_ARITHMETIC = 32


def _is_arithmetic(code: c.Code, pc: int, end: int | None) -> bool:
    """Whether the way from `pc` to `end` is straight and computes with locals only."""
    for _ in range(_MAX_ARITHMETIC):
        if pc == end:
            return True
        if pc >= len(code.instrs) or not isinstance(code.instrs[pc], _ARITHMETIC):
            return False
        if code.handlers[pc] is not None:
            return False
        instr = code.instrs[pc]
        pc = instr.target if isinstance(instr, c.Jump) else pc + 1
    return False


def _side(m: Machine, cond: Value, side: bool, pc: int) -> Any:
    def action(state: State) -> None:
        assume(m, state, cond, side)
        state.top.pc = pc

    return action


def _goto(pc: int) -> Any:
    def action(state: State) -> None:
        state.top.pc = pc

    return action


def _staying_side(m: Machine, then: int, orelse: int) -> bool | None:
    """Whether exactly one side stays in the innermost loop around, and which."""
    frame = m.state.top
    inner = [body for body in frame.function.flow.loops.values() if frame.pc in body]
    if not inner:
        return None
    body = min(inner, key=len)
    if (then in body) == (orelse in body):
        return None
    return then in body


def _for_iter(m: Machine, instr: c.ForIter) -> Fork | None:
    iterator = m.state.top.vars[instr.iter]
    if ask_in_frame(m, iterator, instr):
        return None
    step = next_item(m, iterator)
    frame = m.state.top
    if step.more is False:
        frame.pc = instr.end
        return None
    if step.more is True:
        write_variable(m, instr.dst, step.advance(m))
        m.state.top.pc += 1
        return None
    depth, pc = m.state.where
    if m.assume_iteration is not None and m.assume_iteration[0] == depth:
        m.assume_iteration = None
        if instr.span not in m.speculation.both:
            m.guard(step.more, "trips", text="the loop runs at least once", branch=instr.span)
            write_variable(m, instr.dst, step.advance(m))
            m.state.top.pc += 1
            return None
    if m.pure:
        raise Break("JN308", "a data-dependent loop inside a function that JAX transforms")

    def proceed(state: State) -> None:
        write_variable(m, instr.dst, step.advance(m))
        m.state.top.pc = pc + 1

    def end(state: State) -> None:
        note_end(m, state, iterator)
        state.top.pc = instr.end

    meet = frame.function.flow.postdominators[pc]
    return Fork(step.more, proceed, end, None if meet is None else (depth, meet))


__all__ = ["execute", "fork_to"]
