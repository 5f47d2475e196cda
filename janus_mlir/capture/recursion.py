"""Recursion as calls: a function that calls itself is captured once, for all its calls.

The function's *entry* is a machine state that stands for every call: what varies between calls are its parameters, everything
else (functions, parameters of a model, globals) is the same in all of them and stays outside, where the body finds it. Its
*exit* is the state that all returns are joined to. Both are found by trying: a recursive call of a function whose exit is
not known yet contributes nothing; then the exit that the other paths give is what it returns, until that changes no more. A call
that differs from the entry in something that was taken to be the same makes it a parameter, and capture starts again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from janus_mlir import log
from janus_mlir.capture import growing
from janus_mlir.capture.boundary.sources import Argument, Index
from janus_mlir.capture.breaks import Break, NotJoinable
from janus_mlir.capture.control import Left, Unjoined, run
from janus_mlir.capture.dynamic import vectors
from janus_mlir.capture.function import FunctionContext
from janus_mlir.capture.graph import Block, Function, Value
from janus_mlir.capture.heap import CellContent, VectorContent
from janus_mlir.capture.iteration import over_outside
from janus_mlir.capture.live import NEVER_SEEN, from_source, kinds, object_ref, seen_of
from janus_mlir.capture.procedures import (
    Matcher,
    Mismatch,
    Parameters,
    Renamer,
    incoming_state,
    is_copied,
    materialised,
    same,
)
from janus_mlir.capture.reading import code as c
from janus_mlir.capture.speculation import Respecialise
from janus_mlir.capture.state import RESULT, Frame, State, references, tidy
from janus_mlir.capture.values import (
    Abstract,
    CellRef,
    DictRef,
    JaxArray,
    Known,
    ListRef,
    LiveObject,
    NumpyArray,
    ObjectRef,
    SetRef,
    Storage,
    TupleValue,
    fresh_id,
)

if TYPE_CHECKING:
    from janus_mlir.capture.machine import Machine

_MAX_ROUNDS = 10


@dataclass(slots=True, eq=False)
class Procedure:
    """A function that is called: the states that stand for all its calls and for all its returns."""

    key: Any
    context: FunctionContext
    function: Function
    entry: State
    #: Values with a smaller uid are the same in all calls.
    mark: int
    #: The containers made by the call that it reaches.
    reached: dict[int, growing.Way]
    exit: State | None = None
    #: What a call gives back, in the order of the function's results.
    results: list[Value] = field(default_factory=list)
    done: bool = False


def key_of(context: FunctionContext) -> Any:
    """Return what identifies a function in all captures."""
    source = context.source
    return source.code_object if source.code_object is not None else id(source)


def is_called(m: Machine, context: FunctionContext) -> bool:
    """Whether calls of the function are calls in native code."""
    facts = m.live.facts
    key = key_of(context)
    called = key in facts.recursive and key not in facts.inlined and key not in facts.by_value
    return called and not m.pure


def expect(m: Machine, context: FunctionContext) -> None:
    """Note that a function calls itself, if its code says so: the calls seen so far may not have come to that."""
    facts = m.live.facts
    key = key_of(context)
    if key in facts.recursive or key in facts.inlined or m.pure:
        return
    varies = _self_calls(context)
    if varies is not None:
        facts.recursive[key] = varies


def _self_calls(context: FunctionContext) -> set[Any] | None:
    """Return the parameters that calls of the function by its own name give other values, None if there are none."""
    from janus_mlir.capture.calls import unwrap_callable

    code = context.code
    names = [*code.params.posonly, *code.params.pos_or_kw]
    outer = context.source.qualname.rpartition(".")[0]
    is_method = bool(outer) and not outer.endswith("<locals>")
    own: dict[str, int] = {}
    copies: dict[str, str] = {}
    found: set[Any] | None = None
    for instr in code.instrs:
        match instr:
            case c.Move(dst=dst, src=src):
                copies[dst] = src
            case c.LoadGlobal(name=name) if name == code.name:
                live = unwrap_callable(context.namespace.object.get(name))
                if live is not None and live.__code__ == context.source.code_object:
                    own[instr.dst] = 0
            case c.LoadFree(name=name) if name == code.name:
                own[instr.dst] = 0
            case c.GetAttr(name=name, obj=obj) if name == code.name and names and is_method:
                own[instr.dst] = 1
                if copies.get(obj, obj) != names[0]:
                    found = (found or set()) | {names[0]}
            case c.Call() if instr.fn in own:
                found = found or set()
                passed = dict(zip(names[own[instr.fn] :], (var for var, _ in instr.args), strict=False))
                passed.update((name, var) for name, var in instr.kwargs if name is not None)
                found |= {name for name, var in passed.items() if copies.get(var, var) != name}
    return found


def argument(m: Machine, name: str, index: int) -> Abstract:
    """Return an argument of the call from outside."""
    live, source = m.arguments[index], Argument(index, name)
    if is_called(m, m.function) and name in m.live.facts.recursive[key_of(m.function)]:
        if type(live) in (int, float, bool):
            m.speculation.dynamic.add(source)
        elif _is_object(live):
            return from_source(m, source, live, ("param", key_of(m.function), name))
    return m.outside.wrap(live, source)


def _is_object(live: Any) -> bool:
    from janus_mlir.capture.observing import kind_of

    return kind_of(live)[0] in ("none", "object", "list", "tuple", "dict", "str")


def call(m: Machine, context: FunctionContext, bound: dict[str, Abstract]) -> Abstract | None:
    """Call a function, if it is one that is called; otherwise None.

    Raises
    ------
    Left
        If nothing is known yet of what it returns.
    Respecialise
        If it turns out to be recursive, or its calls to vary more than was known.
    """
    facts = m.live.facts
    key = key_of(context)
    if key in facts.inlined or m.pure or m.differentiating > 1:
        return None  # no call has a second derivative
    expect(m, context)
    if key not in facts.recursive:
        for frame in m.state.frames:
            if key_of(frame.function) == key:
                facts.recursive[key] = _varying(frame.bound, bound)
                raise Respecialise
        return None
    if key in facts.by_value and not any(key_of(frame.function) == key for frame in m.state.frames):
        return None
    _stream(m, key, bound)
    made = {name for name in facts.recursive[key] if _is_made(m, bound.get(name))}
    if key not in facts.by_value and made:
        # Its outermost call is inlined now, and may be the one that makes them: then they are the same in all others.
        facts.by_value.add(key)
        facts.recursive[key] -= made
        raise Respecialise
    try:
        return _call(m, key, context, bound)
    except Mismatch as mismatch:
        known = facts.recursive[key]
        if mismatch.item is not None and mismatch.item not in known:
            known.add(mismatch.item)
            raise Respecialise from None
        why = mismatch.detail
    except (Unjoined, NotJoinable) as error:
        why = getattr(error, "detail", str(error))
    except Break as reason:
        why = reason.detail
    if key not in facts.by_value and any(_is_list(m, bound.get(name)) for name in facts.recursive[key]):
        facts.by_value.add(key)
    else:
        _inline(m, key, context, why)
    raise Respecialise


def _is_list(m: Machine, value: Abstract | None) -> bool:
    """Whether a value is a list, which a function may be passed by value."""
    if isinstance(value, LiveObject):
        return any(kind[0] == "list" for kind in kinds(m, value))
    return isinstance(value, ListRef) and value.cls is list


def _is_made(m: Machine, value: Abstract | None) -> bool:
    """Whether a value is a list, dict or set that the call has made."""
    return isinstance(value, (ListRef, DictRef, SetRef)) and value.id not in m.initial


def _stream(m: Machine, key: Any, bound: dict[str, Abstract]) -> None:
    """Start again with a loop that reads its items at run time, if they are what varies between calls of a function.

    Each structure is then one of many: so is each list of them, and no item is worth code of its own.
    """
    facts = m.live.facts
    if m.inner:
        return
    for name in facts.recursive[key] & bound.keys():
        value = bound[name]
        source = m.outside.source(value.id) if isinstance(value, ObjectRef) else None
        if not isinstance(source, Index):
            continue
        base = source.base
        if base in facts.stored or base in facts.streamed or base in facts.written:
            continue
        if any(over_outside(m, iterator) == base for f in m.state.frames for iterator in f.vars.values()):
            facts.streamed.add(base)
            raise Respecialise


def _inline(m: Machine, key: Any, context: FunctionContext, why: str) -> None:
    """Give up calling a function, whose calls are inlined from now on."""
    m.live.facts.inlined[key] = why
    log.emit("capture", f"calls of {context.code.name} are inlined: {why}")


def check(m: Machine) -> None:
    """See whether what was captured holds for what has been observed, and reads live objects as the call leaves them."""
    m.live.settle()
    observer, facts = m.live, m.live.facts
    if facts.streamed and any(n.code != "JN208" and n.detail != NEVER_SEEN for n in m.notes):
        log.emit("capture", "a loop over outside items leaves compiled code: each item has code of its own")
        facts.stored |= facts.streamed
        facts.streamed.clear()
        raise Respecialise
    if facts.walked and any(n.code != "JN208" and n.detail != NEVER_SEEN for n in m.notes):
        _inline_all(m, "a loop along objects leaves compiled code")
    attributes = observer.reads & observer.writes
    outside = {name for (_, name) in m.outside.loaded_names() if name in observer.live_writes}
    if attributes or outside:
        _inline_all(m, f"`{min(attributes | outside)}` of live objects is both read and written")
    if observer.reads_arrays and any(
        isinstance(m.outside.live(i), np.ndarray) for i in m.outside.written_places()
    ):
        _inline_all(m, "an array is written in place, and arrays of live objects are read")
    if observer.reads_items:
        written = {
            source
            for id_ in m.outside.written_places()
            if (source := m.outside.source(id_)) is not None and isinstance(m.outside.live(id_), (list, dict))
        }
        if written - facts.written:
            facts.written |= written
            raise Respecialise


def walk(m: Machine, state: State) -> None:
    """At the head of a loop: take the objects that it walks along as live ones."""
    frame = state.top
    for code, head, name in m.live.facts.walked:
        if head != frame.pc or code != key_of(frame.function) or name not in frame.vars:
            continue
        value = frame.vars[name]
        known = isinstance(value, Known) and value.value is None
        outside = isinstance(value, ObjectRef) and m.outside.source(value.id) is not None
        if known or (outside and isinstance(value, ObjectRef) and value.id not in state.heap):
            m.state = state
            seen = m.live.at(("walk", code, head, name))
            m.live.flow(seen_of(m, value), seen)
            frame.vars[name] = LiveObject(object_ref(m, value), seen)


def note_walk(m: Machine, before: State, after: State) -> None:
    """Start again with live objects if an iteration has gone from an outside object to one that it refers to."""
    facts = m.live.facts
    if facts.walks_refused or m.pure:
        return
    frame = before.top
    for name, old in frame.vars.items():
        new = after.top.vars.get(name)
        if not isinstance(old, ObjectRef) or not isinstance(new, ObjectRef) or old.id == new.id:
            continue
        start, source = m.outside.source(old.id), m.outside.source(new.id)
        while source is not None and source != start:
            source = getattr(source, "base", None)
        item = (key_of(frame.function), frame.pc, name)
        if start is not None and source == start and item not in facts.walked:
            facts.walked.add(item)
            raise Respecialise


def _inline_all(m: Machine, why: str) -> None:
    facts = m.live.facts
    called = [key for key in facts.recursive if key not in facts.inlined]
    if not called and not facts.walked:
        raise Break("JN505", why)
    facts.inlined.update(dict.fromkeys(called, why))
    facts.walked.clear()
    facts.stored |= facts.streamed
    facts.streamed.clear()
    facts.walks_refused = True
    raise Respecialise


def _varying(a: dict[str, Abstract], b: dict[str, Abstract]) -> set[Any]:
    return {name for name in a if name in b and not same(a[name], b[name])}


# ---- calls -----------------------------------------------------------------------------------------------


def _call(m: Machine, key: Any, context: FunctionContext, bound: dict[str, Abstract]) -> Abstract:
    growing.prepare(m, key, context, bound)
    incoming = incoming_state(m, key, context, bound)
    procedure = m.functions.get(key)
    if procedure is None:
        mark = m.mark()
        parameters = Parameters(m, key)
        entry = parameters.state(incoming)
        function = Function(context.code.name, parameters.params)
        reached = growing.ways(m, context, entry.top.vars, entry.heap)
        procedure = m.functions[key] = Procedure(key, context, function, entry, mark, reached)
        binding = _bind(m, procedure, incoming)
        _capture(m, procedure)
    else:
        growing.compare(m, key, procedure.reached, procedure.entry.heap, incoming.heap)
        binding = _bind(m, procedure, incoming)
    if procedure.exit is None:
        m.unknown_exits.add(key)
        raise Left
    _check_lists(m, procedure, bound)
    operands = [binding.values[p.uid] for p in procedure.function.params]
    fresh = {r.uid: Value(r.type, r.hint) for r in procedure.results}
    call_op = m.b.op("func.call", operands, [r.type for r in procedure.results], callee=procedure.function)
    for result, value in zip(procedure.results, call_op, strict=True):
        fresh[result.uid] = value
    return _returned(m, procedure, binding, fresh)


def _check_lists(m: Machine, procedure: Procedure, bound: dict[str, Abstract]) -> None:
    """A function that returns a list may return the one that it is passed, which then must not have another name."""
    exit_ = procedure.exit
    assert exit_ is not None
    lists = {value.id for value in bound.values() if isinstance(value, (ListRef, DictRef, SetRef))}
    if not lists or not _lists(exit_.top.vars[RESULT]):
        return
    state = m.state.clone()
    state.top.pc = m.next_pc
    tidy(state, m.kept())
    roots = [v for frame in state.frames for v in (*frame.vars.values(), frame.override)]
    roots += [c for k, c in state.heap.items() if k in m.initial or k in state.escaped]
    if lists & (references(roots, state.heap) | set(m.initial)):
        raise Mismatch(None, "a list that is passed to a function that returns lists has another name")


def _lists(value: Any) -> bool:
    if isinstance(value, TupleValue):
        return any(map(_lists, value.items))
    return isinstance(value, (ListRef, DictRef, SetRef))


@dataclass(slots=True)
class _Binding:
    values: dict[int, Value]
    ids: dict[int, int]


def _bind(m: Machine, procedure: Procedure, incoming: State) -> _Binding:
    open_ = {p.uid for p in procedure.function.params}
    matcher = Matcher(m, procedure.entry, incoming, lambda v: v.uid in open_, procedure.key)
    matcher.state()
    values = {}
    for param in procedure.function.params:
        if param.uid not in matcher.binding:
            raise Mismatch(None, "an argument that only some calls have")
        values[param.uid] = materialised(m, matcher.binding[param.uid], param.type)
    return _Binding(values, matcher.ids)


def _returned(m: Machine, procedure: Procedure, binding: _Binding, fresh: dict[int, Value]) -> Abstract:
    """Put the exit of a function into the caller's state, under names of this call."""
    entry, exit_ = procedure.entry, procedure.exit
    assert exit_ is not None

    def value(v: Value) -> Value:
        return fresh.get(v.uid) or binding.values.get(v.uid) or v

    before = entry.heap.keys() | m.initial.keys()
    renamed: dict[int, int] = dict(binding.ids)

    def name(id_: int) -> int:
        if id_ in renamed:
            return renamed[id_]
        if id_ in before:
            return id_
        return renamed.setdefault(id_, fresh_id())

    rewrite = Renamer(value, name, procedure.mark)
    result = rewrite(exit_.top.vars[RESULT])
    for id_, content in exit_.heap.items():
        if content is not entry.heap.get(id_):
            m.state.heap[name(id_)] = rewrite(content)
    for id_ in exit_.heap:
        cls = m.outside.classes.get(id_)
        if cls is not None and name(id_) != id_:
            m.outside.classes[name(id_)] = cls
    m.state.effects += exit_.effects - entry.effects
    assert isinstance(result, Abstract)
    return result


# ---- the body ----------------------------------------------------------------------------------------------


def _capture(m: Machine, procedure: Procedure) -> None:
    """Capture the body, until it returns what its own calls were taken to return."""
    state, span, callers = m.state, m.b.span, m.b.callers
    peeled, assumed, notes = m.peeled, m.assume_iteration, len(m.notes)
    m.inner += 1
    others = set(m.functions)
    try:
        for _ in range(_MAX_ROUNDS):
            m.peeled, m.assume_iteration = {}, None
            del m.notes[notes:]
            # What the body calls was captured while less was known of what this function returns.
            for inner in m.functions.keys() - others:
                m.graph.functions = [f for f in m.graph.functions if f is not m.functions[inner].function]
                del m.functions[inner]
            block = Block()
            with m.b.inside(block):
                outcomes = run(m, _started(m, procedure), None)
                if not outcomes.ways and m.unknown_exits - {procedure.key}:
                    # It returns if a function that calls it does.
                    del m.functions[procedure.key]
                    raise Left
                if not outcomes.ways:
                    raise Mismatch(None, "no way through the function returns")
                exit_ = _exit(m, procedure, outcomes.ways[0][1])
                returned = _agrees(m, procedure, exit_)
                if returned is not None:
                    m.b.op("return", returned)
            if returned is not None:
                stuck = [n.detail for n in m.notes[notes:] if n.code != "JN208" and n.detail != NEVER_SEEN]
                if stuck:
                    # Unrolled for one structure, it may get further.
                    raise Mismatch(None, stuck[0])
                procedure.function.body = block
                procedure.done = True
                m.graph.functions.append(procedure.function)
                return
            m.unknown_exits.discard(procedure.key)
            procedure.exit = exit_
            procedure.results = _made_values(procedure, exit_)
        raise Mismatch(None, "what the function returns does not settle")
    finally:
        m.inner -= 1
        m.state, m.b.span, m.b.callers = state, span, callers
        m.peeled, m.assume_iteration = peeled, assumed


def _started(m: Machine, procedure: Procedure) -> State:
    """Return the state in which the body begins."""
    state = procedure.entry.clone()
    frame = state.top
    frame.bound = dict(frame.vars)
    for name, value in list(frame.vars.items()):
        if name in procedure.context.code.cells:
            cell = CellRef()
            state.heap[cell.id] = CellContent(value)
            frame.vars[name] = cell
    return state


def _exit(m: Machine, procedure: Procedure, state: State) -> State:
    """Return what remains of a state when the function has returned."""
    result = state.frames[0].vars.get(RESULT, Known(None))
    entry = procedure.entry
    context = procedure.context
    cells = [c for c in context.closure.values() if isinstance(c, CellRef)]
    reached = references([result, *cells], state.heap) | entry.heap.keys()
    growing.compare(m, procedure.key, procedure.reached, entry.heap, state.heap)
    heap = {
        k: vectors.at_run_time(m, c) if isinstance(c, VectorContent) and c is not entry.heap.get(k) else c
        for k, c in state.heap.items()
        if k in reached or k in m.initial
    }
    for id_, content in heap.items():
        stored = isinstance(content, Storage) and id_ in entry.heap and id_ not in m.initial
        if stored and content is not entry.heap[id_]:
            raise Mismatch(None, "an array that the function is passed is written in place")
    escaped = state.escaped - entry.escaped
    if escaped & references([result, *(c for k, c in heap.items() if k not in escaped)], heap):
        raise Mismatch(None, "what the function returns is stored outside as well")
    for copied in _copies(m, procedure):
        if heap.get(copied) is not entry.heap.get(copied):
            raise Mismatch(None, "a list that the function is passed is changed")
    params = {p.uid for p in procedure.function.params}
    for array in _arrays(result, state.heap):
        ref = array.ref if isinstance(array, JaxArray) else state.heap[array.storage].ref
        # What is differentiated by is a tracer in Python, which nobody outside gets hold of, but as an auxiliary result.
        traced = isinstance(array, JaxArray) and 0 < m.differentiating == m.sealed
        if ref.uid in params and array.live is None and not traced:
            raise Mismatch(None, "the function may return the array that it is passed")
    frame = Frame(context, 0, {RESULT: result})
    return State([frame], heap, entry.escaped, state.effects)


def _copies(m: Machine, procedure: Procedure) -> list[int]:
    """Return the ids of the lists, dicts and sets that a function is passed copies of, and of what these consist of."""
    found: list[int] = []
    for name in m.live.facts.recursive[procedure.key]:
        value = procedure.entry.top.vars.get(name)
        if value is not None and is_copied(m, procedure.key, value):
            found += references([value], procedure.entry.heap)
    return found


def _arrays(value: Any, heap: dict[int, Any]) -> list[Any]:
    if isinstance(value, JaxArray) and value.source is None:
        return [value]
    if isinstance(value, NumpyArray) and value.storage in heap:
        return [value]
    if isinstance(value, TupleValue):
        return [a for item in value.items for a in _arrays(item, heap)]
    return []


def _agrees(m: Machine, procedure: Procedure, exit_: State) -> list[Value] | None:
    """Return the function's results if its exit is the one that its own calls were given, else None."""
    if procedure.exit is None:
        return None
    open_ = {r.uid for r in procedure.results}
    matcher = Matcher(m, procedure.exit, exit_, lambda v: v.uid in open_, procedure.key)
    try:
        matcher.state()
        if procedure.exit.effects < exit_.effects and procedure.exit.effects == procedure.entry.effects:
            return None
        return [materialised(m, matcher.binding[r.uid], r.type) for r in procedure.results]
    except (Mismatch, KeyError):
        return None


def _made_values(procedure: Procedure, exit_: State) -> list[Value]:
    """Return the graph values of an exit that a call must give back."""
    params = {p.uid for p in procedure.function.params}
    found: dict[int, Value] = {}

    def note(value: Value) -> Value:
        if value.uid >= procedure.mark and value.uid not in params:
            found.setdefault(value.uid, value)
        return value

    collect = Renamer(note, lambda id_: id_, procedure.mark)
    collect(exit_.top.vars[RESULT])
    for id_, content in exit_.heap.items():
        if content is not procedure.entry.heap.get(id_):
            collect(content)
    return list(found.values())


__all__ = ["Procedure", "argument", "call", "check", "expect", "is_called", "key_of", "note_walk", "walk"]
