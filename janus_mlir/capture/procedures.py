"""The states that stand for all calls of a recursive function: parameters in, and what a given call passes for them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, cast

from janus_mlir.capture.dynamic import packing, tables, vectors
from janus_mlir.capture.function import FunctionContext
from janus_mlir.capture.graph import INT, OBJECT, Type, Value
from janus_mlir.capture.heap import (
    CellContent,
    Content,
    ListContent,
    ObjectContent,
    TableContent,
    VectorContent,
)
from janus_mlir.capture.live import object_ref, seen_of
from janus_mlir.capture.scalars import number_kind, same_constant
from janus_mlir.capture.speculation import Respecialise
from janus_mlir.capture.state import Frame, State, references
from janus_mlir.capture.values import (
    Abstract,
    Boxed,
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
    SetRef,
    Storage,
    TupleValue,
    fresh_id,
)

if TYPE_CHECKING:
    from janus_mlir.capture.machine import Machine


class Mismatch(Exception):
    """A state is not one of those that another stands for; `item` names what varies, if it can."""

    def __init__(self, item: Any, detail: str) -> None:
        super().__init__(item, detail)
        self.item = item
        self.detail = detail


def same(a: Abstract, b: Abstract) -> bool:
    if a is b:
        return True
    match a, b:
        case Known(), Known():
            return same_constant(a.value, b.value)
        case HeapRef(), HeapRef():
            return a.id == b.id
        case TupleValue(), TupleValue() if a.cls is b.cls and len(a.items) == len(b.items):
            return all(map(same, a.items, b.items))
        case JaxArray(), JaxArray():
            return a.source is None or a.source == b.source
        case NumpyArray(), NumpyArray():
            return a.source is None or a.source == b.source
    # Made by the call: they are parameters whatever they are.
    return type(a) is type(b) and not isinstance(a, (ObjectRef, ListRef, DictRef))


# ---- entry ---------------------------------------------------------------------------------------------


def _roots(context: FunctionContext, variables: dict[str, Abstract]) -> list[Any]:
    return [*variables.values(), *(c for c in context.closure.values() if isinstance(c, CellRef))]


def incoming_state(m: Machine, key: Any, context: FunctionContext, bound: dict[str, Abstract]) -> State:
    """Return the state of a call at its beginning: only what the function can get at."""
    live = context.live_at(0)
    varies = m.live.facts.recursive[key]
    copied = {name for name in varies & bound.keys() & live if is_copied(m, key, bound[name])}
    for name in copied:
        if isinstance(value := bound[name], (DictRef, SetRef)):
            tables.make(m, value)
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
    for name in copied:
        variables[name] = _passed(m, key, name, variables[name], heap)
    reached = references(_roots(context, variables), heap)
    kept = {
        k: _heap_widened(m, content, varies)
        for k, content in heap.items()
        if k in reached or k in m.initial or k in m.state.escaped
    }
    return State([Frame(context, 0, variables)], kept, m.state.escaped, m.state.effects)


def is_copied(m: Machine, key: Any, value: Abstract) -> bool:
    """Whether a function is passed a copy of a list, dict or set."""
    if key not in m.live.facts.by_value:
        return False
    return isinstance(value, ListRef) or (isinstance(value, (DictRef, SetRef)) and not m.is_outside(value.id))


def _passed(m: Machine, key: Any, name: str, value: Abstract, heap: dict[int, Any]) -> Abstract:
    """Return a copy of a list, dict or set as a function is passed it."""
    procedure = m.functions.get(key)
    entry = None if procedure is None else procedure.entry
    before = None if entry is None else entry.top.vars.get(name)
    pattern = entry.heap.get(before.id) if entry is not None and isinstance(before, HeapRef) else None
    if isinstance(value, ListRef):
        return _passed_list(m, (key, name), value, heap, pattern)
    assert isinstance(value, (DictRef, SetRef))
    content = heap[value.id]
    assert isinstance(content, TableContent)
    lists: list[ListRef | None] = []
    for part in ("keys", "values"):
        items = getattr(content, part)
        likewise = getattr(pattern, part) if isinstance(pattern, TableContent) else None
        found = entry.heap.get(likewise.id) if entry is not None and isinstance(likewise, ListRef) else None
        lists.append(items and _passed_list(m, (key, name, part), items, heap, found))
    copied = replace(value, id=fresh_id())
    assert lists[0] is not None
    heap[copied.id] = m.state.heap[copied.id] = TableContent(lists[0], lists[1], ordered=False)
    return copied


def _passed_list(
    m: Machine, place: tuple[Any, ...], value: ListRef, heap: dict[int, Any], pattern: Any
) -> ListRef:
    """Return a copy of a list, of run-time length, as a function is passed it."""
    from janus_mlir.capture.containers import list_items

    copied = ListRef()
    known = m.live.facts.passed.get(place)
    content = m.get(value.id)
    if not isinstance(content, VectorContent):
        items = list_items(m, value)
        layout = packing.common_layout(
            m, items, m.state.heap, pattern.layout if isinstance(pattern, VectorContent) else known
        )
        if layout is None and not items:
            # What its items are like is seen when it has some.
            heap[copied.id] = m.state.heap[copied.id] = ListContent(())
            return copied
        if layout is None or packing.owned_ids(m, items, m.state.heap):
            raise Mismatch(None, "a list of such items is passed to a recursive function")
        size = vectors.capacity(m, layout, len(items))
        buffers = vectors.from_items(m, layout, items, m.state.heap, size)
        content = VectorContent(layout, buffers, m.const(len(items)))
    elif known is not None and known != content.layout:
        layout = packing.merged(m, content.layout, known)
        if layout is not None:
            content = vectors.resized(m, content, layout)
    if isinstance(pattern, ListContent) and known != content.layout:
        m.live.facts.passed[place] = content.layout
        raise Respecialise
    content = vectors.at_run_time(m, content)
    heap[copied.id] = m.state.heap[copied.id] = content
    return copied


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
    if isinstance(key, tuple) and len(key) > 1 and is_copied(m, key[1], value):
        return value
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


class Parameters:
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
            case VectorContent():
                buffers = tuple(self.param(buffer.type) for buffer in content.buffers)
                return replace(content, buffers=buffers, base=self.param(INT), offset=0)
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
            case Boxed():
                return Boxed(self.param(OBJECT, hint), value.cls)
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


class Matcher:
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
            if not (isinstance(before, Abstract) and isinstance(v, Abstract) and same(before, v)):
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
            case Boxed(), Boxed() if p.cls is v.cls:
                self.ref(p.ref, v.ref, item)
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
        if p is v and not isinstance(p, VectorContent):
            # What is the same object in both may still hold open values.
            if not isinstance(p, Storage):
                self._fields(p, v, item)
            elif self.is_open(p.ref):
                self.ref(p.ref, v.ref, item)
            return
        match p, v:
            case Storage(), Storage() if p.ref.type == v.ref.type:
                self.ref(p.ref, v.ref, item)
            case ListContent(items=None, appended=None, grown=None), ListContent(items=None):
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
            case VectorContent(), VectorContent() if p.layout == v.layout:
                if p.base is None or p.offset or v.base is None or v.offset:
                    raise Mismatch(None, "lists of different lengths")
                for x, y in zip((*p.buffers, p.base), (*v.buffers, v.base), strict=True):
                    if x.type != y.type:
                        raise Mismatch(None, "lists with room for different numbers of items")
                    self.ref(x, y, item)
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


def materialised(m: Machine, value: Value | Abstract, type: Type) -> Value:
    if isinstance(value, Value):
        return value
    if type == OBJECT:
        return object_ref(m, value)
    ref = m.number_ref(value)
    if ref.type != type:
        raise Mismatch(None, "numbers of different types")
    return ref


class Renamer:
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
