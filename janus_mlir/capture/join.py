"""Joining two machine states where control flow meets: what differs becomes a phi."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from janus_mlir.capture import boxed, complexes, join_lists
from janus_mlir.capture.breaks import Break, NotJoinable
from janus_mlir.capture.dynamic import packing, rows
from janus_mlir.capture.graph import INT, OBJECT, Type, Value
from janus_mlir.capture.heap import (
    CellContent,
    CompressedContent,
    DictContent,
    GeneratorContent,
    IteratorContent,
    ListContent,
    ObjectContent,
    PoolContent,
    RowContent,
    SetContent,
    TableContent,
    VectorContent,
)
from janus_mlir.capture.join_lists import Counted
from janus_mlir.capture.join_values import NULL, Choices, Phi, describe, is_str, joined_facts, which_array
from janus_mlir.capture.reading.rebuild import UNBOUND
from janus_mlir.capture.scalars import SCALARS, number_kind, same_constant
from janus_mlir.capture.state import Frame, Rewriter, State, references
from janus_mlir.capture.values import (
    Abstract,
    Boxed,
    ComplexValue,
    CompressedRef,
    DictRef,
    ExtentNumber,
    FunctionValue,
    HeapRef,
    JaxArray,
    Known,
    ListRef,
    LiveObject,
    LiveType,
    MemberValue,
    MethodValue,
    Number,
    NumpyArray,
    NumpyScalar,
    ObjectRef,
    RangeValue,
    SliceValue,
    Storage,
    TextValue,
    TupleValue,
    UnionValue,
    fresh_id,
)

if TYPE_CHECKING:
    from janus_mlir.capture.machine import Machine

#: Marks a phi operand that is never read, because its way is not taken.
POISON: Any = object()

#: Values of different kinds that one variable may hold.
_MAX_OPTIONS = 8


class Joiner:
    """Joins values and states, collecting the phis that the join needs.

    Values of different kinds become unions, as far as `choices` allows it.
    """

    def __init__(
        self,
        machine: Machine,
        choices: Choices = Choices.ALL,
        *,
        loop: bool = False,
        trips: Any = None,
    ) -> None:
        self.m = machine
        #: Whether the states meet at the head of a loop, and the number of its iterations if that is known.
        self.loop = loop
        self.trips = trips
        #: Ints that count in step, and have one phi: operands (root and offset), and the phi.
        self.counters: list[tuple[Counted, Counted, Value]] = []
        self.choices = choices
        #: Contents of outside objects as the call found them.
        self.outside = machine.initial
        #: Reads an attribute or item of an outside object as the call found it.
        self.load = machine.load_initial
        #: Whether the result stands for more than the first state does, other than by its phis.
        self.widened = False
        #: Whether the first state has items of lists among its arrays that were not known to be such.
        self.learnt = False
        self.phis: list[Phi] = []
        self._leaves: dict[tuple[int, int], Phi] = {}
        self._arrays: dict[tuple[int, int], Abstract] = {}
        self._storages: dict[tuple[int, int], int] = {}
        self._pairs: dict[tuple[int, int], HeapRef] = {}
        #: Lists that are rows of pools: several names of one are no matter.
        self._rows: dict[tuple[int, int], HeapRef] = {}
        self._tags: dict[int, Known] = {}
        #: What becomes an item of a list of run-time length, and must have no other name.
        self.copied: set[int] = set()
        self._single: list[tuple[Abstract, bool]] = []
        self.escaped: frozenset[int] = frozenset()
        self._kept: set[int] = set()
        self._keep: list[object] = []
        self.heap_a: dict[int, Any] = {}
        self.heap_b: dict[int, Any] = {}
        self.heap: dict[int, Any] = {}

    def leaf(self, a: object, b: object, type: Type) -> Value:
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

    def _position(self, a: Abstract | None, b: Abstract | None) -> Abstract | None:
        """Join two positions of an iterator."""
        first, second = join_lists.count_of(a), join_lists.count_of(b)
        if first is None or second is None or first == second:
            return self._optional(a, b)
        root, offset = join_lists.counted(self, first, second)
        if root is None or offset:
            return self._optional(a, b)
        return Number("int", root)

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
        if isinstance(a, ComplexValue) or isinstance(b, ComplexValue):
            return self._complex(a, b)
        if isinstance(a, Boxed) or isinstance(b, Boxed):
            return self._boxed(a, b)
        if (
            self.m.speculation.text_objects
            and is_str(a)
            and is_str(b)
            and not same_constant(a.value, b.value)
        ):
            return Boxed(self.leaf(a, b, OBJECT), str)
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
            case (SliceValue() | RangeValue(), SliceValue() | RangeValue()) if type(a) is type(b):
                return type(a)(*map(self.value, (a.start, a.stop, a.step), (b.start, b.stop, b.step)))
            case (MethodValue(), MethodValue()):
                return MethodValue(self.value(a.function, b.function), self.value(a.self, b.self))
            case (MemberValue(), MemberValue()) if a.name == b.name:
                return MemberValue(self.value(a.self, b.self), a.name)
            case (HeapRef(), HeapRef()) if a.id == b.id:
                return a
            case (FunctionValue(), FunctionValue()) if a.id == b.id:
                return a
            case (TextValue(), TextValue()) if len(a.parts) == len(b.parts):
                return TextValue(tuple(map(self._text, a.parts, b.parts)))
            case (ListRef() | DictRef() | ObjectRef() | CompressedRef(), HeapRef()) if type(a) is type(b):
                found = self._pair(a, b)
                if found is not None:
                    return found
        kind = number_kind(a)
        same = kind is not None and kind == number_kind(b)
        return self.number(a, b) if same else self._union(a, b)

    def _boxed(self, a: Abstract, b: Abstract) -> Abstract:
        """Join two objects of which one is held by native code; ints and constant strings become such as well."""
        cls = next(v.cls for v in (a, b) if isinstance(v, Boxed))
        leaves: list[object] = []
        for value in (a, b):
            if isinstance(value, Boxed) and value.cls is cls:
                leaves.append(value.ref)
                continue
            constant = isinstance(value, Known) and type(value.value) is cls and cls in (int, str)
            if not constant and not (cls is int and number_kind(value) == "int"):
                return self._union(a, b)
            leaves.append(value)
        if not isinstance(a, Boxed):
            self.widened = True
        return Boxed(self.leaf(leaves[0], leaves[1], OBJECT), cls)

    def _complex(self, a: Abstract, b: Abstract) -> Abstract:
        if not (complexes.is_complex(a) and complexes.is_complex(b)):
            raise NotJoinable("a complex number on one way only")
        x, y = (complexes.as_complex(self.m, value) for value in (a, b))
        return ComplexValue(self.value(x.real, y.real), self.value(x.imag, y.imag))

    # ---- values of different kinds ------------------------------------------

    def _union(self, a: Abstract, b: Abstract) -> Abstract:
        detail = f"{describe(a)} on one way and {describe(b)} on the other"
        sides = [
            dict(v.options) if isinstance(v, UnionValue) else {self._tag_of(v, heap): v}
            for v, heap in ((a, self.heap_a), (b, self.heap_b))
        ]
        tags = sorted({tag for side in sides for tag in side if tag is not None})
        if None in sides[0] or None in sides[1] or len(tags) > _MAX_OPTIONS:
            self._hold_texts([*sides[0].values(), *sides[1].values()])
            raise NotJoinable(detail)
        known = isinstance(a, UnionValue) and set(sides[1]) <= set(sides[0])
        if not known:
            numbers = number_kind(a) is not None and number_kind(b) is not None
            if self.choices is Choices.NONE or (self.choices is Choices.OBJECTS and numbers):
                raise NotJoinable(detail)
            self.widened = True
        arrays = [isinstance(x, (JaxArray, NumpyArray)) for side in sides for x in side.values()]
        if sum(arrays) > 1 and not known:
            raise NotJoinable(detail)
        options: list[tuple[int, Abstract]] = []
        for tag in tags:
            x, y = sides[0].get(tag), sides[1].get(tag)
            if x is not None and y is not None:
                options.append((tag, self.value(x, y)))
            elif x is not None:
                options.append((tag, self._one_sided(x, True)))
            elif y is not None:
                options.append((tag, self._one_sided(y, False)))
        which = self.leaf(self._tag(a, self.heap_a), self._tag(b, self.heap_b), INT)
        return UnionValue(which, tuple(options))

    def _hold_texts(self, options: list[Abstract]) -> None:
        """Start again with strings as objects, if strings are all that differs."""
        if self.choices is not Choices.NONE and all(is_str(o) or boxed.is_text(o) for o in options):
            packing.hold_texts(self.m)

    def _tag_of(self, value: Abstract, heap: dict[int, Any]) -> int | None:
        content = heap.get(value.id) if isinstance(value, ListRef) else None
        return self.m.tags.row(content.storage) if isinstance(content, RowContent) else self.m.tags.of(value)

    def _tag(self, value: Abstract, heap: dict[int, Any]) -> object:
        if isinstance(value, UnionValue):
            return value.which
        tag = self._tag_of(value, heap)
        assert tag is not None
        return self._tags.setdefault(tag, Known(tag))

    def _one_sided(self, value: Abstract, first: bool) -> Abstract:
        """Return a value of one of the ways as it is where they have met."""

        def moved(ref: object, type: Type) -> Value:
            return self.leaf(ref, POISON, type) if first else self.leaf(POISON, ref, type)

        kind = number_kind(value)
        if kind is not None:
            return Number(kind, moved(value.ref if isinstance(value, Number) else value, SCALARS[kind]))
        match value:
            case NumpyScalar():
                return replace(value, ref=moved(value.ref, value.ref.type))
            case JaxArray() | Boxed():
                return replace(value, ref=moved(value.ref, value.ref.type))
            case TextValue() | TupleValue():
                text: Abstract = Rewriter(lambda ref: moved(ref, ref.type))(value)
                return text
        content = (
            (self.heap_a if first else self.heap_b).get(value.id) if isinstance(value, ListRef) else None
        )
        if isinstance(content, RowContent):
            made = ListRef()
            self.heap[made.id] = RowContent(content.storage, moved(content.row, INT))
            return made
        if isinstance(value, (HeapRef, FunctionValue, NumpyArray)):
            self._single.append((value, first))
        return value

    def _carry_single(self) -> None:
        """Bring along the contents of objects that exist on one way only."""
        done: set[int] = set()
        for value, first in self._single:
            heap, other = (self.heap_a, self.heap_b) if first else (self.heap_b, self.heap_a)

            def moved(ref: Value, first: bool = first) -> Value:
                return self.leaf(ref, POISON, ref.type) if first else self.leaf(POISON, ref, ref.type)

            rewrite = Rewriter(moved)
            for key in references([value], heap):
                if key in heap and key not in other and key not in self.outside and key not in done:
                    done.add(key)
                    self.heap[key] = rewrite(heap[key])

    # ---- objects made on both ways --------------------------------------------

    def _pair(self, a: HeapRef, b: HeapRef) -> HeapRef | None:
        """Join two objects that the captured code made, None if they are not of one kind."""
        found = self._pairs.get((a.id, b.id)) or self._rows.get((a.id, b.id))
        if found is not None:
            return found
        first, second = self.heap_a.get(a.id), self.heap_b.get(b.id)
        if isinstance(first, RowContent) and isinstance(second, RowContent):
            made = self._rows[a.id, b.id] = ListRef()
            self.heap[made.id] = self.content(made.id, first, second)
            return made
        if isinstance(first, RowContent) or isinstance(second, RowContent):
            return None
        for ref, heap in ((a, self.heap_a), (b, self.heap_b)):
            if ref.id in self.outside or ref.id in self.escaped or ref.id not in heap:
                return None
        if {a.id, b.id} & self.m.held:
            return None
        classes = self.m.outside.classes
        if isinstance(a, ObjectRef) and classes[a.id] is not classes[b.id]:
            return None
        if isinstance(a, DictRef) and isinstance(b, DictRef) and (a.cls, a.factory) != (b.cls, b.factory):
            return None
        if isinstance(a, ListRef) and isinstance(b, ListRef) and (a.cls, a.limit) != (b.cls, b.limit):
            return None
        one, two = self.heap_a[a.id], self.heap_b[b.id]
        dicts = isinstance(one, DictContent) and isinstance(two, DictContent)
        if dicts and [k for k, _ in one.entries] != [k for k, _ in two.entries]:
            return None
        joined = self._pairs[a.id, b.id] = replace(a, id=fresh_id())
        if isinstance(a, ObjectRef):
            classes[joined.id] = classes[a.id]
            if {a.id, b.id} & self.m.raised:
                self.m.raised.add(joined.id)
        self.m.lending.unite(joined.id, a.id, b.id)
        self._same(joined.id, a.id, b.id)
        self.heap[joined.id] = self.content(joined.id, one, two)
        return joined

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
            choice = self.leaf(which_array(a), which_array(b), INT) if choices else None
            self._arrays[key] = JaxArray(
                self.tensor(a.ref, b.ref),
                a.dtype,
                a.shape,
                a.weak,
                choice=choice,
                choices=choices,
                live=self._origin(a, b),
            )
            self._same(self._arrays[key].id, a.id, b.id)  # type: ignore[attr-defined]
        return self._arrays[key]

    def _same(self, joined: int, a: int, b: int) -> None:
        """Let `joined` be what is either thing; at the head of a loop, the first one is both."""
        self.m.lending.join(joined, a, b)
        if self.loop and self.m.lending.join(a, b):
            self.learnt = True

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
            self._same(storage, a.storage, b.storage)
        pair = (a.id, b.id)
        if pair not in self._arrays:
            made = NumpyArray(storage, a.dtype, a.shape, live=self._origin(a, b))
            self._same(made.id, a.id, b.id)
            self._arrays[pair] = made
        return self._arrays[pair]

    def _origin(self, a: JaxArray | NumpyArray, b: JaxArray | NumpyArray) -> Value | None:
        """Return the live object that either array was read from."""
        if a.live is None and b.live is None:
            return None
        return self.leaf(a.live or NULL, b.live or NULL, OBJECT)

    def live_object(self, a: Abstract, b: Abstract) -> Abstract:
        """Join two objects of which one is live."""
        from janus_mlir.capture.live import seen_of

        m = self.m
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
        from janus_mlir.capture.join_tables import by_number, join_tables

        if a is b:
            return a
        match a, b:
            case (Storage(), Storage()):
                return Storage(self.tensor(a.ref, b.ref), a.dtype, a.shape)
            case (RowContent(), RowContent()):
                if a.storage != b.storage:
                    rows.unite(self.m, self.m.pool_keys[a.storage], self.m.pool_keys[b.storage])
                return RowContent(a.storage, self.leaf(a.row, b.row, INT))
            case (PoolContent(), PoolContent()):
                buffers = tuple(map(self.tensor, a.buffers, b.buffers))
                lengths = self.tensor(a.lengths, b.lengths)
                return PoolContent(a.layout, buffers, lengths, self.leaf(a.used, b.used, INT))
            case (ListContent() | VectorContent(), ListContent() | VectorContent()):
                return join_lists.join(self, key, a, b)
            case (CompressedContent(), CompressedContent()) if a.dtype == b.dtype:
                return CompressedContent(self.tensor(a.data, b.data), self.tensor(a.mask, b.mask), a.dtype)
            case (SetContent(), SetContent()) if same_constant((a.items, a.known), (b.items, b.known)):
                return a if b.added else replace(a, added=False)
            case (TableContent(), _) | (_, TableContent()):
                return join_tables(self, key, a, b)
            case (SetContent(), SetContent()) if by_number(a.items) and by_number(b.items):
                return join_tables(self, key, a, b)
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
                if by_number(keys_a) and by_number(keys_b):
                    return join_tables(self, key, a, b)
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
                if a.kind == "list" and join_lists.count_of(a.position) != join_lists.count_of(b.position):
                    self._check_iterated(a.parts[0])
                if len(a.items) == len(b.items) and len(a.parts) == len(b.parts):
                    return replace(
                        a,
                        items=tuple(map(self.value, a.items, b.items)),
                        parts=tuple(map(self.value, a.parts, b.parts)),
                        position=self._position(a.position, b.position),
                        length=self._optional(a.length, b.length),
                    )
        raise NotJoinable(f"contents of an object differ ({type(a).__name__})")

    def _check_iterated(self, items: Abstract) -> None:
        """A short list of constant length is not looked up by a run-time index: its loop is unrolled."""
        assert isinstance(items, ListRef)
        for heap in (self.heap_a, self.heap_b):
            content = heap.get(items.id, self.outside.get(items.id))
            if not isinstance(content, (VectorContent, RowContent)):
                raise NotJoinable("positions in a list")

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
                joined.vars[name] = self._union(a.vars.get(name, unbound), b.vars.get(name, unbound))
        if a.override is not None and b.override is not None:
            joined.override = self.value(a.override, b.override)
        return joined

    def states(self, a: State, b: State) -> State:
        """Join two states at the same position (both tidied before)."""
        self.heap_a, self.heap_b = a.heap, b.heap
        self.escaped = a.escaped | b.escaped
        for key in sorted(a.heap.keys() & b.heap.keys()):
            # What loops count comes first: lists may grow in step with it.
            one, two = a.heap[key], b.heap[key]
            if isinstance(one, IteratorContent) and isinstance(two, IteratorContent):
                first, second = join_lists.count_of(one.position), join_lists.count_of(two.position)
                if first is not None and second is not None:
                    join_lists.counted(self, first, second)
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
        self._carry_single()
        self._check_sharing(frames, escaped)
        return State(frames, self.heap, escaped, max(a.effects, b.effects), joined_facts(a, b))

    def _entry(self, key: int, name: Any, a: Abstract | None, b: Abstract | None) -> Abstract:
        """Join one attribute or item, which one way may have left as the call found it."""
        if (a is None or b is None) and key not in self.outside:
            raise NotJoinable(f"`{name}` is set on one way only")
        try:
            return self.value(a or self.load(key, name), b or self.load(key, name))
        except Break as reason:
            raise NotJoinable(reason.detail) from None

    def _check_sharing(self, frames: list[Frame], escaped: frozenset[int]) -> None:
        """What was two objects on one way, and one on the other, has no joined form."""
        replaced: set[int] = set()
        for pairs in (self._storages, self._pairs):
            firsts, seconds = [a for a, _ in pairs], [b for _, b in pairs]
            if len(set(firsts)) != len(firsts) or len(set(seconds)) != len(seconds):
                raise NotJoinable("objects are shared on one way only")
            replaced |= set(firsts) | set(seconds)
        replaced |= self.copied
        if replaced:
            roots = [*self.m.pins, *(v for f in frames for v in (*f.vars.values(), f.override, f.generator))]
            roots += [v for f in frames for waiting in f.callers for v in waiting.vars.values()]
            roots += [c for k, c in self.heap.items() if k in self.outside or k in escaped]
            if (references(roots, self.heap) | self._kept) & replaced:
                raise NotJoinable("objects are shared on one way only")
