"""Recursion as calls: a function that calls itself is captured once, for all its calls.

The function's *entry* is a machine state that stands for every call: what varies between calls are its parameters, everything
else (functions, parameters of a model, globals) is the same in all of them and stays outside, where the body finds it. Its
*exit* is the state that all returns are joined to. Both are found by trying: a recursive call of a function whose exit is
not known yet contributes nothing; then the exit that the other paths give is what it returns, until that changes no more. A call
that differs from the entry in something that was taken to be the same makes it a parameter, and capture starts again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from janus_mlir import log
from janus_mlir.capture import code as c
from janus_mlir.capture.breaks import Break
from janus_mlir.capture.control import Left, Unjoined, run
from janus_mlir.capture.function import FunctionContext
from janus_mlir.capture.graph import OBJECT, Block, Function, Type, Value
from janus_mlir.capture.heap import CellContent, Content, ListContent, ObjectContent
from janus_mlir.capture.join import NotJoinable, number_kind, same_constant
from janus_mlir.capture.live import from_source, object_ref, seen_of
from janus_mlir.capture.sources import Argument
from janus_mlir.capture.speculation import Respecialise
from janus_mlir.capture.state import RESULT, Frame, State, references
from janus_mlir.capture.values import (
    Abstract,
    CellRef,
    DictRef,
    ExtentNumber,
    FunctionValue,
    HeapRef,
    JaxArray,
    Known,
    ListRef,
    LiveObject,
    Null,
    Number,
    NumpyArray,
    NumpyScalar,
    ObjectRef,
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
    exit: State | None = None
    #: What a call gives back, in the order of the function's results.
    results: list[Value] = field(default_factory=list)
    done: bool = False


class Mismatch(Exception):
    """A state is not one of those that another stands for; `item` names what varies, if it can."""

    def __init__(self, item: Any, detail: str) -> None:
        super().__init__(item, detail)
        self.item = item
        self.detail = detail


def key_of(context: FunctionContext) -> Any:
    """Return what identifies a function in all captures."""
    source = context.source
    return source.code_object if source.code_object is not None else id(source)


def is_called(m: Machine, context: FunctionContext) -> bool:
    """Whether calls of the function are calls in native code."""
    facts = m.live.facts
    key = key_of(context)
    return key in facts.recursive and key not in facts.inlined and not m.pure


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
            case c.GetAttr(name=name, obj=obj) if name == code.name and names:
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
    from janus_mlir.capture.live import kind_of

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
    if key in facts.inlined or m.pure:
        return None
    expect(m, context)
    if key not in facts.recursive:
        for frame in m.state.frames:
            if key_of(frame.function) == key:
                facts.recursive[key] = _varying(frame.bound, bound)
                raise Respecialise
        return None
    try:
        return _call(m, key, context, bound)
    except Mismatch as mismatch:
        known = facts.recursive[key]
        if mismatch.item is None or mismatch.item in known:
            _inline(m, key, context, mismatch.detail)
        else:
            known.add(mismatch.item)
        raise Respecialise from None
    except (Unjoined, NotJoinable) as error:
        _inline(m, key, context, getattr(error, "detail", str(error)))
        raise Respecialise from None
    except Break as reason:
        _inline(m, key, context, reason.detail)
        raise Respecialise from None


def _inline(m: Machine, key: Any, context: FunctionContext, why: str) -> None:
    """Give up calling a function, whose calls are inlined from now on."""
    m.live.facts.inlined[key] = why
    log.emit("capture", f"calls of {context.code.name} are inlined: {why}")


def check(m: Machine) -> None:
    """See whether what was captured holds for what has been observed, and reads live objects as the call leaves them."""
    m.live.settle()
    observer, facts = m.live, m.live.facts
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


def _inline_all(m: Machine, why: str) -> None:
    facts = m.live.facts
    called = [key for key in facts.recursive if key not in facts.inlined]
    if not called and not facts.walked:
        raise Break("JN505", why)
    facts.inlined.update(dict.fromkeys(called, why))
    facts.walked.clear()
    raise Respecialise


def _varying(a: dict[str, Abstract], b: dict[str, Abstract]) -> set[Any]:
    return {name for name in a if name in b and not _same(a[name], b[name])}


def _same(a: Abstract, b: Abstract) -> bool:
    if a is b:
        return True
    match a, b:
        case Known(), Known():
            return same_constant(a.value, b.value)
        case HeapRef(), HeapRef():
            return a.id == b.id
        case TupleValue(), TupleValue() if a.cls is b.cls and len(a.items) == len(b.items):
            return all(map(_same, a.items, b.items))
        case JaxArray(), JaxArray():
            return a.source is None or a.source == b.source
        case NumpyArray(), NumpyArray():
            return a.source is None or a.source == b.source
    # Made by the call: they are parameters whatever they are.
    return type(a) is type(b) and not isinstance(a, (ObjectRef, ListRef, DictRef))


# ---- entry ---------------------------------------------------------------------------------------------


def _roots(context: FunctionContext, variables: dict[str, Abstract]) -> list[Any]:
    return [*variables.values(), *(c for c in context.closure.values() if isinstance(c, CellRef))]


def _incoming(m: Machine, key: Any, context: FunctionContext, bound: dict[str, Abstract]) -> State:
    """Return the state of a call at its beginning: only what the function can get at."""
    live = context.live_at(0)
    varies = m.live.facts.recursive[key]
    heap = dict(m.state.heap)
    for item in varies:
        if isinstance(item, tuple) and item[0] == "attr":
            _, source, name = item
            id_ = m.outside.id_of(source)
            content = ObjectContent() if id_ is None else heap.get(id_, ObjectContent())
            if id_ is not None and isinstance(content, ObjectContent) and content.get(name) is None:
                heap[id_] = content.set(name, m.load_initial(id_, name))
    variables = {
        name: _widened(m, value, name in varies, ("param", key, name))
        for name, value in bound.items()
        if name in live
    }
    reached = references(_roots(context, variables), heap)
    kept = {
        k: _heap_widened(m, content, varies)
        for k, content in heap.items()
        if k in reached or k in m.initial or k in m.state.escaped
    }
    return State([Frame(context, 0, variables)], kept, m.state.escaped, m.state.effects)


def _widened(m: Machine, value: Abstract, varies: bool, key: Any) -> Abstract:
    """Return a value as what varies between calls: a number or an object of the run time."""
    if isinstance(value, TupleValue) and value.source is None:
        items = (_widened(m, item, varies, (key, i)) for i, item in enumerate(value.items))
        return replace(value, items=tuple(items))
    if not varies:
        return value
    kind = number_kind(value)
    if kind is not None:
        return Number(kind, m.number_ref(value))
    if isinstance(value, Known) and callable(value.value):
        raise Mismatch(None, "a function that varies between calls")
    if isinstance(value, (Known, ObjectRef, ListRef, DictRef, TupleValue)):
        ref = object_ref(m, value)
        seen = m.live.at(key)
        m.live.flow(seen_of(m, value), seen)
        return LiveObject(ref, seen)
    return value


def _heap_widened(m: Machine, content: Any, varies: set[Any]) -> Any:
    if "heap" not in varies:
        return content

    def number(value: Abstract) -> Abstract:
        kind = number_kind(value)
        return value if kind is None else Number(kind, m.number_ref(value))

    match content:
        case CellContent(value=Known() | Number() | ExtentNumber() as value):
            return CellContent(number(value))
        case ObjectContent():
            return ObjectContent(tuple((name, number(value)) for name, value in content.written))
        case ListContent(items=None):
            return ListContent(None, None)
    return content


class _Parameters:
    """Replaces what varies in a state by parameters."""

    def __init__(self, m: Machine, key: Any) -> None:
        self.m = m
        self.key = key
        self.params: list[Value] = []
        self._storages: dict[int, int] = {}
        self.heap: dict[int, Any] = {}
        self.old: dict[int, Any] = {}

    def param(self, type: Type, hint: str = "") -> Value:
        value = Value(type, hint)
        self.params.append(value)
        return value

    def state(self, state: State) -> State:
        self.old = state.heap
        frame = state.top
        variables = {n: self.value(v, n, ("param", self.key, n)) for n, v in frame.vars.items()}
        for id_, content in state.heap.items():
            if id_ not in self._storages and not isinstance(content, Storage):
                self.heap[id_] = self.content(content)
            elif isinstance(content, Storage) and id_ in self.m.initial:
                self.heap[id_] = replace(content, ref=self.param(content.ref.type))
            elif isinstance(content, Storage):
                self.heap.setdefault(id_, content)
        return State([Frame(frame.function, 0, variables)], self.heap, state.escaped, state.effects)

    def content(self, content: Any) -> Any:
        match content:
            case CellContent(value=Abstract() as value):
                return CellContent(self.value(value, "", ("unknown",)))
            case ObjectContent():
                return ObjectContent(
                    tuple((name, self.value(v, name, ("unknown",))) for name, v in content.written)
                )
        return content

    def value(self, value: Abstract, hint: str, key: Any) -> Abstract:
        m = self.m
        varies = hint in m.live.facts.recursive[self.key]
        match value:
            case Number() if value.source is None or varies:
                return Number(value.kind, self.param(value.ref.type, hint))
            case LiveObject():
                seen = m.live.at(key)
                m.live.flow(value.seen, seen)
                return LiveObject(self.param(OBJECT, hint), seen)
            case JaxArray() if value.source is None or varies:
                outside = value.live is not None or value.source is not None or value.choice is not None
                live = self.param(OBJECT, hint) if outside else None
                return JaxArray(
                    self.param(value.ref.type, hint), value.dtype, value.shape, value.weak, live=live
                )
            case NumpyScalar() if value.source is None or varies:
                return NumpyScalar(self.param(value.ref.type, hint), value.dtype)
            case NumpyArray() if value.source is None or varies:
                storage = fresh_id()
                ref = m.read(value)
                self.heap[storage] = Storage(self.param(ref.type, hint), value.dtype, value.shape)
                outside = value.live is not None or value.source is not None
                live = self.param(OBJECT, hint) if outside else None
                return NumpyArray(storage, value.dtype, value.shape, live=live)
            case TupleValue() if value.source is None:
                items = (self.value(item, hint, (key, i)) for i, item in enumerate(value.items))
                return replace(value, items=tuple(items))
        return value


# ---- matching --------------------------------------------------------------------------------------------


class _Matcher:
    """Finds what the open values of a pattern are in a state that it stands for."""

    def __init__(
        self, m: Machine, pattern: State, state: State, is_open: Callable[[Value], bool], key: Any
    ) -> None:
        self.m = m
        self.pattern = pattern
        self.found = state
        self.is_open = is_open
        self.key = key
        self.binding: dict[int, Value | Abstract] = {}
        self.ids: dict[int, int] = {}

    def ref(self, p: Value, v: Value | Abstract, item: Any) -> None:
        if not self.is_open(p):
            if p is not v:
                raise Mismatch(item, "a value that differs between calls")
            return
        if p.uid in self.binding and self.binding[p.uid] is not v:
            before = self.binding[p.uid]
            if not (isinstance(before, Abstract) and isinstance(v, Abstract) and _same(before, v)):
                raise Mismatch(None, "values that are one in some calls and two in others")
        self.binding[p.uid] = v

    def origin(self, p: Value | None, v: JaxArray | NumpyArray, item: Any) -> None:
        if p is None:
            return
        if v.live is not None:
            self.ref(p, v.live, item)
        elif v.source is not None:
            self.ref(p, v, item)
        elif isinstance(v, JaxArray) and v.choice is not None:
            raise Mismatch(None, "arrays from outside that control flow has chosen")
        else:
            self.ref(p, Null(), item)

    def same_id(self, p: int, v: int, item: Any) -> None:
        made = p not in self.m.initial and p in self.pattern.heap
        if p == v:
            return
        if not made or v in self.m.initial or self.ids.get(p, v) != v:
            raise Mismatch(item, "an object made by the call that differs between calls")
        if p not in self.ids:
            if v in self.ids.values():
                raise Mismatch(None, "objects that are one in some calls and two in others")
            self.ids[p] = v
            self.content(self.pattern.heap[p], self.found.heap[v], item)

    def value(self, p: Abstract, v: Abstract, item: Any) -> None:
        if p is v and not isinstance(p, (Number, LiveObject, JaxArray, NumpyArray, NumpyScalar, TupleValue)):
            return
        match p, v:
            case LiveObject(), _:
                if isinstance(v, (Number, JaxArray, NumpyArray, NumpyScalar, ExtentNumber, FunctionValue)):
                    raise Mismatch(None, "an object in some calls, and something made by the call in others")
                self.m.live.flow(seen_of(self.m, v), p.seen)
                self.ref(p.ref, v.ref if isinstance(v, LiveObject) else v, item)
                return
            case Number(), _ if number_kind(v) == p.kind:
                self.ref(p.ref, v.ref if isinstance(v, Number) else v, item)
                return
            case JaxArray(), JaxArray() if p.dtype == v.dtype and p.weak == v.weak and p.shape == v.shape:
                if p.source is not None:
                    if p.source != v.source:
                        raise Mismatch(item, "an array from outside that differs between calls")
                    return
                self.ref(p.ref, v.ref, item)
                self.origin(p.live, v, item)
                return
            case NumpyScalar(), NumpyScalar() if p.dtype == v.dtype:
                self.ref(p.ref, v.ref, item)
                return
            case NumpyArray(), NumpyArray() if p.dtype == v.dtype and p.shape == v.shape:
                if p.source is not None or v.view:
                    if p.storage != v.storage or p.view != v.view:
                        raise Mismatch(item, "an array that differs between calls")
                    return
                content = self.pattern.heap[p.storage]
                self.ids[p.storage] = v.storage
                self.ref(content.ref, self._storage(v).ref, item)
                self.origin(p.live, v, item)
                return
            case TupleValue(), TupleValue() if p.cls is v.cls and len(p.items) == len(v.items):
                for x, y in zip(p.items, v.items, strict=True):
                    self.value(x, y, item)
                return
            case Known(), Known() if same_constant(p.value, v.value):
                return
            case HeapRef(), HeapRef() if type(p) is type(v):
                self.same_id(p.id, v.id, item)
                return
            case FunctionValue(), FunctionValue() if p.id == v.id:
                return
        raise Mismatch(item, f"a {type(p).__name__} in some calls, and a {type(v).__name__} in others")

    def _storage(self, v: NumpyArray) -> Any:
        found = self.found.heap.get(v.storage)
        return found if found is not None else self.m.initial[v.storage]

    def content(self, p: Any, v: Any, item: Any) -> None:
        if p is v:
            # What is the same object in both may still hold open values.
            if not isinstance(p, Storage):
                self._fields(p, v, item)
            elif self.is_open(p.ref):
                self.ref(p.ref, v.ref, item)
            return
        match p, v:
            case Storage(), Storage() if p.ref.type == v.ref.type:
                self.ref(p.ref, v.ref, item)
            case ListContent(items=None, appended=None), ListContent(items=None):
                pass
            case ObjectContent(), ObjectContent():
                for name, value in v.written:
                    own = p.get(name)
                    if own is None:
                        raise Mismatch(
                            item and ("attr", item, name), "an attribute that only some calls write"
                        )
                    self.value(own, value, "heap")
                for name, _ in p.written:
                    if v.get(name) is None:
                        raise Mismatch(
                            item and ("attr", item, name), "an attribute that only some calls write"
                        )
            case CellContent(value=Abstract() as x), CellContent(value=Abstract() as y):
                self.value(x, y, "heap")
            case _:
                self._fields(p, v, item)

    def _fields(self, p: Any, v: Any, item: Any) -> None:
        if type(p) is not type(v):
            raise Mismatch("heap", "contents that differ between calls")
        for f in fields(cast(Any, p)):
            x, y = getattr(p, f.name), getattr(v, f.name)
            self._part(x, y)

    def _part(self, x: Any, y: Any) -> None:
        if isinstance(x, Abstract) and isinstance(y, Abstract):
            self.value(x, y, "heap")
        elif isinstance(x, tuple) and isinstance(y, tuple) and len(x) == len(y):
            for a, b in zip(x, y, strict=True):
                self._part(a, b)
        elif x is not y and not same_constant(x, y):
            raise Mismatch("heap", "contents that differ between calls")

    def state(self) -> None:
        """Match all variables, and the contents of what exists before the call."""
        p, v = self.pattern.top.vars, self.found.top.vars
        for name in p.keys() | v.keys():
            if name not in p or name not in v:
                raise Mismatch(None, f"`{name}` is bound on some ways only")
            self.value(p[name], v[name], name)
        initial = self.m.initial
        for id_ in self.pattern.heap.keys() | self.found.heap.keys():
            if id_ in self.ids or id_ in self.ids.values():
                continue
            one, two = self.pattern.heap.get(id_), self.found.heap.get(id_)
            if (one is None or two is None) and id_ not in initial:
                continue  # made on one way, and not reached from the other
            source = self.m.outside.source(id_)
            self.content(one or initial[id_], two or initial[id_], source)


def _materialised(m: Machine, value: Value | Abstract, type: Type) -> Value:
    if isinstance(value, Value):
        return value
    if type == OBJECT:
        return object_ref(m, value)
    ref = m.number_ref(value)
    if ref.type != type:
        raise Mismatch(None, "numbers of different types")
    return ref


# ---- calls -----------------------------------------------------------------------------------------------


def _call(m: Machine, key: Any, context: FunctionContext, bound: dict[str, Abstract]) -> Abstract:
    incoming = _incoming(m, key, context, bound)
    procedure = m.functions.get(key)
    if procedure is None:
        mark = m.mark()
        parameters = _Parameters(m, key)
        entry = parameters.state(incoming)
        function = Function(context.code.name, parameters.params)
        procedure = m.functions[key] = Procedure(key, context, function, entry, mark)
        binding = _bind(m, procedure, incoming)
        _capture(m, procedure)
    else:
        binding = _bind(m, procedure, incoming)
    if procedure.exit is None:
        m.unknown_exits.add(key)
        raise Left
    operands = [binding.values[p.uid] for p in procedure.function.params]
    fresh = {r.uid: Value(r.type, r.hint) for r in procedure.results}
    call_op = m.b.op("func.call", operands, [r.type for r in procedure.results], callee=procedure.function)
    for result, value in zip(procedure.results, call_op, strict=True):
        fresh[result.uid] = value
    return _returned(m, procedure, binding, fresh)


@dataclass(slots=True)
class _Binding:
    values: dict[int, Value]
    ids: dict[int, int]


def _bind(m: Machine, procedure: Procedure, incoming: State) -> _Binding:
    open_ = {p.uid for p in procedure.function.params}
    matcher = _Matcher(m, procedure.entry, incoming, lambda v: v.uid in open_, procedure.key)
    matcher.state()
    values = {}
    for param in procedure.function.params:
        if param.uid not in matcher.binding:
            raise Mismatch(None, "an argument that only some calls have")
        values[param.uid] = _materialised(m, matcher.binding[param.uid], param.type)
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

    rewrite = _Renamer(value, name, procedure.mark)
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


class _Renamer:
    """Renames graph values, and the ids of objects and arrays, keeping what is shared shared."""

    def __init__(self, value: Callable[[Value], Value], name: Callable[[int], int], mark: int) -> None:
        self.value = value
        self.name = name
        self.memo: dict[int, tuple[Any, Any]] = {}

    def __call__(self, obj: Any) -> Any:
        if isinstance(obj, Value):
            return self.value(obj)
        if isinstance(obj, tuple):
            return tuple(self(x) for x in obj)
        if not isinstance(obj, (Abstract, Content, Storage)) or isinstance(obj, Known):
            return obj
        known = self.memo.get(id(obj))
        if known is not None:
            return known[1]
        changes: dict[str, Any] = {}
        for f in fields(cast(Any, obj)):
            old = getattr(obj, f.name)
            new: Any = old
            is_name = f.name == "id" and (
                isinstance(obj, HeapRef) or (isinstance(obj, (JaxArray, NumpyArray)) and obj.source is None)
            )
            if f.name == "storage" or is_name:
                new = self.name(old)
            elif isinstance(old, (Value, Abstract, Content, tuple)):
                new = self(old)
            if new is not old:
                changes[f.name] = new
        result = replace(cast(Any, obj), **changes) if changes else obj
        self.memo[id(obj)] = (obj, result)
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
    heap = {k: c for k, c in state.heap.items() if k in reached or k in m.initial}
    for id_, content in heap.items():
        stored = isinstance(content, Storage) and id_ in entry.heap and id_ not in m.initial
        if stored and content is not entry.heap[id_]:
            raise Mismatch(None, "an array that the function is passed is written in place")
    escaped = state.escaped - entry.escaped
    if escaped & references([result, *(c for k, c in heap.items() if k not in escaped)], heap):
        raise Mismatch(None, "what the function returns is stored outside as well")
    params = {p.uid for p in procedure.function.params}
    for array in _arrays(result, state.heap):
        ref = array.ref if isinstance(array, JaxArray) else state.heap[array.storage].ref
        if ref.uid in params and array.live is None:
            raise Mismatch(None, "the function may return the array that it is passed")
    frame = Frame(context, 0, {RESULT: result})
    return State([frame], heap, entry.escaped, state.effects)


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
    matcher = _Matcher(m, procedure.exit, exit_, lambda v: v.uid in open_, procedure.key)
    try:
        matcher.state()
        if procedure.exit.effects < exit_.effects and procedure.exit.effects == procedure.entry.effects:
            return None
        return [_materialised(m, matcher.binding[r.uid], r.type) for r in procedure.results]
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

    collect = _Renamer(note, lambda id_: id_, procedure.mark)
    collect(exit_.top.vars[RESULT])
    for id_, content in exit_.heap.items():
        if content is not procedure.entry.heap.get(id_):
            collect(content)
    return list(found.values())


__all__ = ["Procedure", "argument", "call", "check", "is_called", "key_of"]
