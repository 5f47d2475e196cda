"""Joining two machine states where control flow meets: what differs becomes a phi."""

from __future__ import annotations

import enum
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from janus_mlir.capture.breaks import Break
from janus_mlir.capture.graph import BOOL, FLOAT, INT, OBJECT, ScalarType, Type, Value
from janus_mlir.capture.heap import (
    CellContent,
    DictContent,
    GeneratorContent,
    IteratorContent,
    ListContent,
    ObjectContent,
)
from janus_mlir.capture.rebuild import UNBOUND
from janus_mlir.capture.state import Fact, Frame, Rewriter, State, references
from janus_mlir.capture.values import (
    Abstract,
    ChoiceValue,
    ExtentNumber,
    FunctionValue,
    HeapRef,
    JaxArray,
    Known,
    LiveObject,
    LiveType,
    MemberValue,
    MethodValue,
    Null,
    Number,
    NumberKind,
    NumpyArray,
    NumpyScalar,
    ObjectRef,
    RangeValue,
    SliceValue,
    Storage,
    TextValue,
    TupleValue,
    fresh_id,
)

SCALARS: dict[NumberKind, ScalarType] = {"int": INT, "float": FLOAT, "bool": BOOL}


if TYPE_CHECKING:
    from janus_mlir.capture.machine import Machine

#: Marks a phi operand that is never read, because its way is not taken.
POISON: Any = object()

#: Values of different kinds that one variable may hold.
_MAX_OPTIONS = 8


class NotJoinable(Exception):
    """The two states cannot be represented by one."""


@dataclass(frozen=True, slots=True)
class Phi:
    """A value that depends on the way taken: operands are graph values, or numbers still to be materialised."""

    value: Value
    a: Value | Abstract
    b: Value | Abstract


def number_kind(value: Abstract) -> NumberKind | None:
    """Return the kind of a Python number, None if `value` is not one."""
    if isinstance(value, Number):
        return value.kind
    if isinstance(value, ExtentNumber):
        return "int"
    if isinstance(value, Known):
        kind = type(value.value)
        if kind is bool:
            return "bool"
        if kind is int:
            return "int" if -(2**63) <= value.value < 2**63 else None
        if kind is float:
            return "float"
    return None


def same_constant(a: object, b: object) -> bool:
    """Tell whether two constants are interchangeable in every observable way."""
    if a is b:
        return True
    if type(a) is not type(b):
        return False
    if isinstance(a, float):
        return isinstance(b, float) and np.float64(a).tobytes() == np.float64(b).tobytes()
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(same_constant(x, y) for x, y in zip(a, b, strict=True))
    return isinstance(a, (int, str, bytes, np.dtype)) and a == b


class Choices(enum.Enum):
    """What may become a choice where it differs."""

    NONE = "nothing"
    #: Everything but a number of another kind, or a variable that may be unbound.
    OBJECTS = "objects"
    ALL = "everything"


class Numbering:
    """Numbers the kinds of values, and the constants, that a choice can be between."""

    def __init__(self) -> None:
        self._numbers: dict[Any, int] = {}
        self._keep: list[Any] = []

    def __call__(self, value: Abstract) -> int | None:
        """Return the number of a value's kind, None if it cannot be in a choice."""
        key = _option_key(value)
        if key is None:
            return None
        self._keep.append(value)
        return self._numbers.setdefault(key, len(self._numbers))


def _option_key(value: Abstract) -> Any:
    kind = number_kind(value)
    if kind is not None:
        return ("number", kind)
    match value:
        case Known(value=live):
            if type(live) in (str, bytes):
                return (type(live), live)
            if live is None or isinstance(
                live, (type, enum.Enum, types.FunctionType, types.BuiltinFunctionType)
            ):
                return ("object", id(live))
            return ("object", id(live)) if live is UNBOUND else None
        case TextValue(parts=parts):
            return ("text", *(p if isinstance(p, str) else p[1:] for p in parts))
        case NumpyScalar(dtype=dtype):
            return ("npscalar", dtype)
        case TupleValue(items=items, cls=cls):
            keys = tuple(map(_option_key, items))
            return None if None in keys else ("tuple", cls, len(items))
    return None


class MadeObjects(Protocol):
    """What the machine knows of the objects that captured code makes."""

    @property
    def classes(self) -> dict[int, type]:
        """Their classes, by id."""

    raised: set[int]
    held: frozenset[int]


class Joiner:
    """Joins values and states, collecting the phis that the join needs.

    Values of different kinds become choices, as far as `choices` allows it.
    """

    def __init__(
        self,
        outside: Mapping[int, Any],
        load: Callable[[int, Any], Abstract],
        numbering: Numbering,
        choices: Choices,
        machine: Machine,
    ) -> None:
        self.made: MadeObjects = machine
        self._pairs: dict[tuple[int, int], ObjectRef] = {}
        self.numbering = numbering
        self.choices = choices
        self.machine = machine
        #: Contents of outside objects as the call found them.
        self.outside = outside
        #: Reads an attribute or item of an outside object as the call found it.
        self.load = load
        self.phis: list[Phi] = []
        self._leaves: dict[tuple[int, int], Phi] = {}
        self._arrays: dict[tuple[int, int], Abstract] = {}
        self._storages: dict[tuple[int, int], int] = {}
        self._kept: set[int] = set()
        self._keep: list[object] = []
        self.heap_a: dict[int, Any] = {}
        self.heap_b: dict[int, Any] = {}
        self.escaped: frozenset[int] = frozenset()
        self.heap: dict[int, Any] = {}

    def leaf(self, a: Value | Abstract, b: Value | Abstract, type: Type) -> Value:
        """Return the joined graph value of two leaves."""
        if a is b and isinstance(a, Value):
            return a
        phi = self._leaves.get((id(a), id(b)))
        if phi is None:
            phi = self._leaves[id(a), id(b)] = Phi(Value(type), a, b)
            self.phis.append(phi)
            self._keep += [a, b]
        return phi.value

    def tensor(self, a: Value, b: Value) -> Value:
        if a.type != b.type:
            raise NotJoinable(f"arrays of different types {a.type} and {b.type}")
        return self.leaf(a, b, a.type)

    def number(self, a: Abstract, b: Abstract) -> Abstract:
        kind = number_kind(a)
        if kind is None or kind != number_kind(b):
            raise NotJoinable("numbers of different types")
        leaf_a = a.ref if isinstance(a, Number) else a
        leaf_b = b.ref if isinstance(b, Number) else b
        return Number(kind, self.leaf(leaf_a, leaf_b, SCALARS[kind]))

    def value(self, a: Abstract, b: Abstract) -> Abstract:
        """Join two abstract values, or raise `NotJoinable`."""
        if a is b:
            self._note(a)
            return a
        match a, b:
            case (Known(), Known()) if same_constant(a.value, b.value):
                return a if a.source == b.source else Known(a.value)
            case (ExtentNumber(), ExtentNumber()) if a.expr is b.expr or a.expr == b.expr:
                return a
            case (Number(), Number()) if a.ref is b.ref and a.kind == b.kind:
                return a
            case (JaxArray(), JaxArray()):
                return self._jax(a, b)
            case (LiveObject(), _) | (_, LiveObject()):
                return self.live_object(a, b)
            case (LiveType(), LiveType()):
                joined = self.value(a.value, b.value)
                assert isinstance(joined, LiveObject)
                return LiveType(joined)
            case (NumpyScalar(), NumpyScalar()) if a.dtype == b.dtype:
                return NumpyScalar(self.tensor(a.ref, b.ref), a.dtype)
            case (NumpyArray(), NumpyArray()):
                return self._numpy(a, b)
            case (TupleValue(), TupleValue()) if a.cls is b.cls and len(a.items) == len(b.items):
                return TupleValue(tuple(map(self.value, a.items, b.items)), a.cls)
            case (SliceValue(), SliceValue()):
                return SliceValue(
                    self.value(a.start, b.start), self.value(a.stop, b.stop), self.value(a.step, b.step)
                )
            case (RangeValue(), RangeValue()):
                return RangeValue(
                    self.value(a.start, b.start), self.value(a.stop, b.stop), self.value(a.step, b.step)
                )
            case (MethodValue(), MethodValue()):
                return MethodValue(self.value(a.function, b.function), self.value(a.self, b.self))
            case (MemberValue(), MemberValue()) if a.name == b.name:
                return MemberValue(self.value(a.self, b.self), a.name)
            case (HeapRef(), HeapRef()) if a.id == b.id:
                return a
            case (ObjectRef(), ObjectRef()) if self._may_unite(a, b):
                return self._unite(a, b)
            case (FunctionValue(), FunctionValue()) if a.id == b.id:
                return a
            case (TextValue(), TextValue()) if len(a.parts) == len(b.parts):
                return TextValue(tuple(map(self._text, a.parts, b.parts)))
        if number_kind(a) is not None and number_kind(a) == number_kind(b):
            return self.number(a, b)
        numbers = number_kind(a) is not None and number_kind(b) is not None
        if self.choices is Choices.ALL or (self.choices is Choices.OBJECTS and not numbers):
            return self.choice(a, b)
        raise NotJoinable(f"{_describe(a)} on one way and {_describe(b)} on the other")

    def _may_unite(self, a: ObjectRef, b: ObjectRef) -> bool:
        known = (a.id in self.outside, b.id in self.outside, a.id in self.escaped, b.id in self.escaped)
        if any(known) or a.id not in self.heap_a or b.id not in self.heap_b or {a.id, b.id} & self.made.held:
            return False
        one, two = self.heap_a[a.id], self.heap_b[b.id]
        names = ([name for name, _ in content.written] for content in (one, two))
        return self.made.classes[a.id] is self.made.classes[b.id] and next(names) == next(names)

    def _unite(self, a: ObjectRef, b: ObjectRef) -> Abstract:
        """Return one object in place of two that the captured code has made, each on its way."""
        united = self._pairs.get((a.id, b.id))
        if united is None:
            united = self._pairs[a.id, b.id] = ObjectRef()
            self.made.classes[united.id] = self.made.classes[a.id]
            if {a.id, b.id} & self.made.raised:
                self.made.raised.add(united.id)
            self.heap[united.id] = self.content(united.id, self.heap_a[a.id], self.heap_b[b.id])
        return united

    def _check_united(self, joined: State) -> None:
        """Make sure that nothing refers to the objects any more that others have taken the place of."""
        if not self._pairs:
            return
        firsts, seconds = [a for a, _ in self._pairs], [b for _, b in self._pairs]
        if len(set(firsts)) != len(firsts) or len(set(seconds)) != len(seconds):
            raise NotJoinable("objects are one on one way only")
        roots = [v for f in joined.frames for v in (*f.vars.values(), f.override, f.generator)]
        roots += [
            content for key, content in joined.heap.items() if key in self.outside or key in self.escaped
        ]
        roots += [v for f in joined.frames for waiting in f.callers for v in waiting.vars.values()]
        if references(roots, joined.heap) & {*firsts, *seconds}:
            raise NotJoinable("objects are one on one way only")

    def choice(self, a: Abstract, b: Abstract) -> Abstract:
        """Join values of different kinds."""
        tags: list[Value | Abstract] = []
        sides: list[dict[int, Abstract]] = []
        for value in (a, b):
            if isinstance(value, ChoiceValue):
                tags.append(value.tag)
                sides.append(dict(value.options))
                continue
            number = self.numbering(value)
            if number is None:
                raise NotJoinable(f"{_describe(a)} on one way and {_describe(b)} on the other")
            tags.append(Known(number))
            sides.append({number: value})
        first, second = sides
        options: list[tuple[int, Abstract]] = []
        for number in dict.fromkeys([*first, *second]):
            if number in first and number in second:
                options.append((number, self.value(first[number], second[number])))
            elif number in first:
                options.append((number, Rewriter(lambda v: self.leaf(v, POISON, v.type))(first[number])))
            else:
                options.append((number, Rewriter(lambda v: self.leaf(POISON, v, v.type))(second[number])))
        if len(options) > _MAX_OPTIONS:
            raise NotJoinable("too many different values")
        return ChoiceValue(self.leaf(tags[0], tags[1], INT), tuple(options))

    def _text(self, a: Any, b: Any) -> Any:
        if isinstance(a, str) and a == b:
            return a
        if isinstance(a, tuple) and isinstance(b, tuple) and a[1:] == b[1:]:
            return (self.value(a[0], b[0]), *a[1:])
        raise NotJoinable("different texts")

    def _jax(self, a: JaxArray, b: JaxArray) -> Abstract:
        if a.id == b.id and a.ref is b.ref:
            return a
        if a.dtype != b.dtype or a.weak != b.weak or a.shape != b.shape:
            raise NotJoinable("JAX arrays of different types")
        key = (a.id, b.id)
        if key not in self._arrays:
            choices = tuple({**dict(a.outside()), **dict(b.outside())}.items())
            choice = self.leaf(_which(a), _which(b), INT) if choices else None
            self._arrays[key] = JaxArray(
                self.tensor(a.ref, b.ref),
                a.dtype,
                a.shape,
                a.weak,
                choice=choice,
                choices=choices,
                live=self._origin(a, b),
            )
        return self._arrays[key]

    def _numpy(self, a: NumpyArray, b: NumpyArray) -> Abstract:
        if a.id == b.id or (
            a.storage == b.storage and a.view == b.view and a.source == b.source and a.source
        ):
            self._kept.add(a.storage)
            return a
        if a.dtype != b.dtype or a.shape != b.shape or a.view or b.view:
            raise NotJoinable("NumPy arrays of different types or views")
        if a.storage in self.outside or b.storage in self.outside:
            raise NotJoinable("an array from outside on one way, another on the other")
        key = (a.storage, b.storage)
        storage = self._storages.get(key)
        if storage is None:
            sa, sb = self.heap_a[a.storage], self.heap_b[b.storage]
            storage = self._storages[key] = fresh_id()
            self.heap[storage] = Storage(self.tensor(sa.ref, sb.ref), sa.dtype, sa.shape)
        pair = (a.id, b.id)
        if pair not in self._arrays:
            self._arrays[pair] = NumpyArray(storage, a.dtype, a.shape, live=self._origin(a, b))
        return self._arrays[pair]

    def _origin(self, a: JaxArray | NumpyArray, b: JaxArray | NumpyArray) -> Value | None:
        """Return the live object that either array was read from."""
        if a.live is None and b.live is None:
            return None
        return self.leaf(a.live or _NULL, b.live or _NULL, OBJECT)

    def live_object(self, a: Abstract, b: Abstract) -> Abstract:
        """Join two objects of which one is live."""
        from janus_mlir.capture.live import seen_of

        m = self.machine
        for side in (a, b):
            made = isinstance(side, HeapRef) and m.outside.source(side.id) is None
            if made or isinstance(
                side, (Number, JaxArray, NumpyArray, NumpyScalar, ExtentNumber, FunctionValue)
            ):
                raise NotJoinable("an object from outside on one way, and one made by the call on the other")
            if isinstance(side, HeapRef) and side.id in m.state.heap:
                raise NotJoinable("an object that the call has changed")
        seen = m.live.join(seen_of(m, a), seen_of(m, b))
        leaf_a = a.ref if isinstance(a, LiveObject) else a
        leaf_b = b.ref if isinstance(b, LiveObject) else b
        return LiveObject(self.leaf(leaf_a, leaf_b, OBJECT), seen)

    def _note(self, value: Abstract) -> None:
        if isinstance(value, NumpyArray):
            self._kept.add(value.storage)

    # ---- heap and frames ----------------------------------------------------

    def content(self, key: int, a: Any, b: Any) -> Any:
        """Join the contents of one heap entry."""
        if a is b:
            return a
        match a, b:
            case (Storage(), Storage()):
                return Storage(self.tensor(a.ref, b.ref), a.dtype, a.shape)
            case (ListContent(), ListContent()):
                if a.items is not None and b.items is not None and len(a.items) == len(b.items):
                    return ListContent(tuple(map(self.value, a.items, b.items)))
                if key in self.outside:
                    return ListContent(None, None)
            case (DictContent(), DictContent()):
                if key in self.outside and not (a.complete and b.complete):
                    missing = [k for k, _ in b.entries if a.get(k) is None]
                    keys = [k for k, _ in a.entries] + missing
                    return DictContent(
                        tuple((k, self._entry(key, k, a.get(k), b.get(k))) for k in keys), False
                    )
                keys_a, keys_b = [k for k, _ in a.entries], [k for k, _ in b.entries]
                if same_constant(tuple(keys_a), tuple(keys_b)):
                    values = (self.value(x, y) for (_, x), (_, y) in zip(a.entries, b.entries, strict=True))
                    return DictContent(tuple(zip(keys_a, values, strict=True)))
            case (ObjectContent(), ObjectContent()):
                names = [k for k, _ in a.written]
                names += [k for k, _ in b.written if k not in names]
                return ObjectContent(tuple((n, self._entry(key, n, a.get(n), b.get(n))) for n in names))
            case (CellContent(), CellContent()) if a.value is not None and b.value is not None:
                return CellContent(self.value(a.value, b.value))
            case (GeneratorContent(), GeneratorContent()) if a.function is b.function and a.pc == b.pc:
                first, second = dict(a.vars), dict(b.vars)
                if first.keys() == second.keys():
                    return replace(a, vars=tuple((k, self.value(v, second[k])) for k, v in a.vars))
            case (IteratorContent(), IteratorContent()) if a.kind == b.kind:
                if len(a.items) == len(b.items) and len(a.parts) == len(b.parts):
                    return replace(
                        a,
                        items=tuple(map(self.value, a.items, b.items)),
                        parts=tuple(map(self.value, a.parts, b.parts)),
                        position=self._optional(a.position, b.position),
                        length=self._optional(a.length, b.length),
                    )
        raise NotJoinable(f"contents of an object differ ({type(a).__name__})")

    def _optional(self, a: Abstract | None, b: Abstract | None) -> Abstract | None:
        if a is None or b is None:
            if a is b:
                return None
            raise NotJoinable("iterators differ")
        return self.value(a, b)

    def frame(self, a: Frame, b: Frame) -> Frame:
        joined = a.clone()
        if a.snapshot is not b.snapshot:
            joined.snapshot = None
        for name in list(a.vars.keys() | b.vars.keys()):
            if name in a.vars and name in b.vars:
                joined.vars[name] = self.value(a.vars[name], b.vars[name])
            elif self.choices is not Choices.ALL or name in a.function.code.cells or name.startswith("%"):
                raise NotJoinable(f"`{name}` is bound on one way only")
            else:
                unbound = Known(UNBOUND)
                joined.vars[name] = self.choice(a.vars.get(name, unbound), b.vars.get(name, unbound))
        if a.override is not None and b.override is not None:
            joined.override = self.value(a.override, b.override)
        return joined

    def states(self, a: State, b: State) -> State:
        """Join two states at the same position (both tidied before)."""
        self.heap_a, self.heap_b = a.heap, b.heap
        self.escaped = a.escaped | b.escaped
        frames = [self.frame(x, y) for x, y in zip(a.frames, b.frames, strict=True)]
        escaped = a.escaped & b.escaped
        roots = [v for s in (a, b) for f in s.frames for v in f.vars.values()]
        for key in a.heap.keys() | b.heap.keys():
            one, two = a.heap.get(key, self.outside.get(key)), b.heap.get(key, self.outside.get(key))
            if one is not None and two is not None:
                self.heap[key] = self.content(key, one, two)
        lost = (a.escaped | b.escaped) - escaped
        if lost:
            reached = references(roots, a.heap) | references(roots, b.heap)
            if any(k in reached and (k in a.heap or k in b.heap) for k in lost):
                raise NotJoinable("an object was stored outside on one way only")
        self._check_storages()
        joined = State(frames, self.heap, escaped, max(a.effects, b.effects), _facts(a, b))
        self._check_united(joined)
        return joined

    def _entry(self, key: int, name: Any, a: Abstract | None, b: Abstract | None) -> Abstract:
        """Join one attribute or item, which one way may have left as the call found it."""
        if (a is None or b is None) and key not in self.outside:
            raise NotJoinable(f"`{name}` is set on one way only")
        try:
            return self.value(a or self.load(key, name), b or self.load(key, name))
        except Break as reason:
            raise NotJoinable(reason.detail) from None

    def _check_storages(self) -> None:
        firsts = [a for a, _ in self._storages]
        seconds = [b for _, b in self._storages]
        if len(set(firsts)) != len(firsts) or len(set(seconds)) != len(seconds):
            raise NotJoinable("arrays share memory on one way only")
        if self._kept & (set(firsts) | set(seconds)):
            raise NotJoinable("arrays share memory on one way only")


#: What an array made by the call was read from.
_NULL = Null()


def _facts(a: State, b: State) -> dict[int, Fact]:
    """Return what is known of live objects on both ways."""
    joined = {}
    for uid, one in a.facts.items():
        two = b.facts.get(uid)
        if two is not None:
            value = one.value if one.value is two.value else None
            joined[uid] = Fact(one.kinds | two.kinds, one.proven and two.proven, value)
    return joined


def _which(value: JaxArray) -> Value | Abstract:
    """Return the id of the outside array that `value` is, 0 if it was made by the captured code."""
    if value.choice is not None:
        return value.choice
    return Known(value.id if value.source is not None else 0)


def _describe(value: Abstract) -> str:
    if isinstance(value, Known):
        return f"{value.value!r:.40}"
    return {
        "JaxArray": "a JAX array",
        "NumpyArray": "a NumPy array",
        "ListRef": "a list",
        "Number": "a number",
    }.get(type(value).__name__, type(value).__name__)
