"""Objects from outside the captured code: recognising them, guarding what was assumed, reading and writing them."""

from __future__ import annotations

import collections
import enum
import types
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from janus_mlir import policy
from janus_mlir.capture.boundary.kinds import (
    CONTAINERS,
    ELEMENTS,
    FUNCTIONS,
    MAX_SIZE,
    OPAQUE_CONSTANTS,
    array_of_size,
    attribute_names,
    dtype_code,
    is_function_like,
    mlir_name,
    name_of,
    require_dtype,
)
from janus_mlir.capture.boundary.sources import (
    Attribute,
    CellOf,
    Derived,
    Global,
    HasAttribute,
    HasKey,
    Index,
    Key,
    Pinned,
    Source,
    copied,
)
from janus_mlir.capture.breaks import Break
from janus_mlir.capture.dynamic import columns, packing, vectors
from janus_mlir.capture.dynamic.layouts import parts
from janus_mlir.capture.function import context_of
from janus_mlir.capture.graph import BOOL, FLOAT, INT, OBJECT, TensorType
from janus_mlir.capture.heap import (
    Content,
    DictContent,
    ListContent,
    ObjectContent,
    SetContent,
    VectorContent,
)
from janus_mlir.capture.jax.inputs import wrap_array
from janus_mlir.capture.speculation import Respecialise
from janus_mlir.capture.values import (
    Abstract,
    Boxed,
    ComplexValue,
    DictRef,
    ExtentNumber,
    FunctionValue,
    Known,
    ListRef,
    MemberValue,
    MethodValue,
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


@dataclass(slots=True)
class _Place:
    """An outside object under its abstract id."""

    live: Any
    source: Source
    handle: Abstract


class Outside:
    """The outside objects that one capture has met."""

    def __init__(self, machine: Machine) -> None:
        self.m = machine
        self.initial: dict[int, Content | Storage] = {}
        self.classes: dict[int, type] = {}
        self.written: set[int] = set()
        #: Sources of numbers that are constants of this version.
        self.constant_numbers: set[Source] = set()
        #: Dtype and extents of the outside arrays.
        self.arrays: dict[Source, tuple[np.dtype[Any], tuple[Any, ...]]] = {}
        self._places: dict[int, _Place] = {}
        #: Lists of which the length has been given out as a run-time number.
        self._measured: set[int] = set()
        self._by_identity: dict[int, int] = {}
        self._cache: dict[Source, Abstract] = {}
        self._loaded: dict[tuple[int, Any], Abstract] = {}
        self._namespaces: dict[Source, int] = {}
        self._namespace_keys: dict[int, Source] = {}

    # ---- recognising ---------------------------------------------------------------

    def wrap(self, live: Any, source: Source) -> Abstract:
        """Return the abstract value of a live object, guarding what is assumed of it."""
        found = self._cache.get(source)
        if found is None:
            found = self._cache[source] = self._wrap(live, source)
        return found

    def check(self, op: str, source: Source, *operands: Any, kind: str, expected: str) -> None:
        """Assume something of an object."""
        if isinstance(source, Pinned):
            return
        entry = self.m.entry
        entry.emit((op, entry.slot(source), *operands), source, kind, expected)

    def _wrap(self, live: Any, source: Source) -> Abstract:
        if live is None or isinstance(live, OPAQUE_CONSTANTS):
            self.check("is", source, live, kind="value", expected=f"is {name_of(live)}")
            return Known(live, source)
        cls = type(live)
        if cls in (bool, int, float):
            return self._number(live, source)
        if cls is complex and not isinstance(source, Pinned):
            self.check("type_is", source, cls, kind="type", expected="a complex")
            real, imag = (
                self.m.entry.bind("bind_float", Attribute(source, p), FLOAT) for p in ("real", "imag")
            )
            return ComplexValue(Number("float", real), Number("float", imag))
        if cls is str and policy.text_varies(self.m.speculation, source) and not isinstance(source, Pinned):
            self.check("type_is", source, str, kind="type", expected="a str")
            return Boxed(self.m.entry.bind("bind_object", source, OBJECT), str)
        if cls in (str, bytes, complex, slice):
            self.check("eq", source, live, kind="value", expected=f"== {live!r}")
            return Known(live, source)
        if isinstance(live, np.ndarray):
            return self._numpy(live, source)
        if isinstance(live, np.generic):
            return self._numpy_scalar(live, source)
        if isinstance(live, jax.Array):
            return wrap_array(self, live, source)
        if isinstance(live, tuple):
            return self._tuple(live, source)
        if cls in CONTAINERS:
            return self._container(live, source)
        if cls in (set, frozenset) and all(type(item) in ELEMENTS for item in live):
            return self._set(live, source)
        if cls is types.MethodType:
            self.check("type_is", source, cls, kind="type", expected="a bound method")
            function = self.wrap(live.__func__, Attribute(source, "__func__"))
            return MethodValue(function, self.wrap(live.__self__, Attribute(source, "__self__")))
        if cls is types.BuiltinMethodType and type(live.__self__) in (list, dict):
            self.check("type_is", source, cls, kind="type", expected="a built-in method")
            name = self.wrap(live.__name__, Attribute(source, "__name__"))
            assert isinstance(name, Known)
            return MemberValue(self.wrap(live.__self__, Attribute(source, "__self__")), name.value)
        if policy.function_by_code(self.m.speculation, source, live):
            return self._function(live, source)
        if isinstance(live, FUNCTIONS) or is_function_like(live):
            self.check("is", source, live, kind="identity", expected=f"is {name_of(live)}")
            return Known(live, source)
        return self._object(live, source)

    def _number(self, live: Any, source: Source) -> Abstract:
        m = self.m
        kind = type(live)
        if isinstance(source, Pinned) or policy.number_is_constant(
            m.speculation, source, live, m.history(source)
        ):
            self.check("eq", source, live, kind="value", expected=f"== {live!r}")
            self.constant_numbers.add(source)
            return Known(live, source)
        if kind is int:
            if source in m.speculation.sizes and 1 < live <= MAX_SIZE:
                return self._size(live, source)
            if not -(2**63) <= live < 2**63:
                self.check("type_is", source, int, kind="type", expected="an int")
                return Boxed(m.entry.bind("bind_object", source, OBJECT), int)
            return Number("int", m.entry.bind("bind_int", source, INT), source)
        if kind is float:
            return Number("float", m.entry.bind("bind_float", source, FLOAT), source)
        return Number("bool", m.entry.bind("bind_bool", source, BOOL), source)

    def _size(self, live: int, source: Source) -> Abstract:
        """Return an int that is the size of arrays: a symbolic extent, that of an array made for this purpose."""
        from janus_mlir.capture.jax.symbols import symbol

        self.check("type_is", source, int, kind="type", expected="an int")
        shape = Derived(source, "size", array_of_size)
        name = self.m.outside_symbol(live, shape, 0)
        dims = (-1 - self.m.entry.symbol(name, shape, 0),)
        guard = ("array", self.m.entry.slot(shape), "numpy", dtype_code(np.dtype(np.int8)), dims, False, 1)
        self.m.entry.emit(guard, shape, "value", "a size above 1")
        extent = symbol(name)
        self.bind_tensor(shape, np.dtype(np.int8), (extent,))
        return ExtentNumber(extent)

    def _extents(self, shape: tuple[int, ...], source: Source) -> tuple[list[int], tuple[Any, ...]]:
        """Return the guard's dims and the shape with symbolic extents."""
        from janus_mlir.capture.jax.symbols import symbol

        dims: list[int] = []
        extents: list[Any] = []
        history = self.m.history(source)
        for axis, size in enumerate(shape):
            if policy.extent_is_symbolic(self.m.speculation, source, axis, size, history):
                name = self.m.outside_symbol(size, source, axis)
                dims.append(-1 - self.m.entry.symbol(name, source, axis))
                extents.append(symbol(name))
            else:
                dims.append(size)
                extents.append(size)
        return dims, tuple(extents)

    def array_guard(
        self, source: Source, kind: str, dtype: np.dtype[Any], shape: tuple[int, ...], weak: bool
    ) -> tuple[Any, ...]:
        """Assume the dtype and shape of an array, and return the shape with symbolic extents."""
        dims, extents = self._extents(shape, source)
        self.arrays[source] = (dtype, extents)
        what = f"{'numpy' if kind == 'numpy' else 'jax'} {dtype.name}{list(extents)}"
        self.m.entry.emit(
            ("array", self.m.entry.slot(source), kind, dtype_code(dtype), tuple(dims), weak, 1),
            source,
            "array",
            f"{what}{' (weakly typed)' if weak else ''}",
        )
        return extents

    def bind_tensor(self, source: Source, dtype: np.dtype[Any], extents: tuple[Any, ...]) -> Any:
        """Return the elements of an array as an input of native code."""
        dynamic = tuple(i for i, e in enumerate(extents) if not isinstance(e, int))
        return self.m.entry.bind("bind_tensor", source, TensorType(mlir_name(dtype), extents), dynamic)

    def _numpy(self, live: np.ndarray[Any, Any], source: Source) -> Abstract:
        if type(live) is not np.ndarray:
            raise Break("JN402", f"`{source.text}` is a {type(live).__name__}, a subclass of ndarray")
        require_dtype(live.dtype, source)
        alias = self._alias(live, source)
        if alias is not None:
            return alias
        extents = self.array_guard(source, "numpy", live.dtype, live.shape, False)
        ref = self.bind_tensor(source, live.dtype, extents)
        storage = fresh_id()
        self.initial[storage] = Storage(ref, live.dtype, extents)
        handle = NumpyArray(storage, live.dtype, extents, (), source)
        return self._register(live, source, storage, handle)

    def _numpy_scalar(self, live: np.generic, source: Source) -> Abstract:
        require_dtype(live.dtype, source)
        code = dtype_code(live.dtype)
        guard = ("npscalar", self.m.entry.slot(source), code)
        self.m.entry.emit(guard, source, "type", f"np.{live.dtype.name}")
        return NumpyScalar(self.bind_tensor(source, live.dtype, ()), live.dtype, source)

    def _tuple(self, live: tuple[Any, ...], source: Source) -> Abstract:
        cls = type(live)
        if cls is not tuple and not hasattr(cls, "_make"):
            return self._object(live, source)
        self.check("type_is", source, cls, kind="type", expected=f"a {cls.__name__}")
        if cls is tuple:
            self.check("len", source, len(live), kind="length", expected=f"{len(live)} items")
        fields = getattr(cls, "_fields", None)
        places = (
            [Attribute(source, f) for f in fields] if fields else [Index(source, i) for i in range(len(live))]
        )
        items = tuple(self.wrap(item, place) for item, place in zip(live, places, strict=True))
        return TupleValue(items, cls, source)

    def _container(self, live: Any, source: Source) -> Abstract:
        self.check("type_is", source, type(live), kind="type", expected=f"a {type(live).__name__}")
        alias = self._alias(live, source)
        if alias is not None:
            return alias
        handle: ListRef | DictRef
        if isinstance(live, (list, collections.deque)):
            limit = None
            if isinstance(live, collections.deque):
                limit = live.maxlen
                how = "is" if limit is None else "eq"
                self.check(how, Attribute(source, "maxlen"), limit, kind="value", expected=f"is {limit}")
            handle = ListRef(cls=type(live), limit=limit)
            self.initial[handle.id] = self._moving(live, source) or ListContent(None)
        else:
            factory = None
            if isinstance(live, collections.defaultdict):
                factory = self.wrap(live.default_factory, Attribute(source, "default_factory"))
            handle = DictRef(cls=type(live), factory=factory)
            self.initial[handle.id] = DictContent((), complete=False)
        return self._register(live, source, handle.id, handle)

    def _moving(self, live: Any, source: Source) -> Content | None:
        """Return the content of a list of which the length varies, None if this is none or it has no layout."""
        if not policy.length_varies(self.m.speculation, source):
            return None
        layout = columns.layout_of(live)
        if layout is None:
            return None
        packing.hold_texts_of(self.m, layout)
        size = vectors.capacity(self.m, layout, len(live) + 1)
        made = Derived(source, "items", columns.Columns(layout, size))
        buffers = tuple(
            self.m.entry.bind("bind_tensor", Index(made, i), TensorType(part.dtype, (size, *part.shape)), ())
            for i, part in enumerate(parts(layout))
        )
        return VectorContent(layout, buffers, self.m.entry.bind("bind_len", source, INT))

    def _set(self, live: Any, source: Source) -> Abstract:
        self.check("type_is", source, type(live), kind="type", expected=f"a {type(live).__name__}")
        alias = self._alias(live, source) if type(live) is set else None
        if alias is not None:
            return alias
        if type(live) is frozenset:
            self._elements(live, source)
            return Known(live, source)
        handle = SetRef()
        self.initial[handle.id] = SetContent(None)
        return self._register(live, source, handle.id, handle)

    def _elements(self, live: Any, source: Source) -> tuple[Any, ...]:
        items = tuple(live)
        self.check("eq", copied(source, tuple), items, kind="keys", expected=f"the elements {items!r:.80}")
        return items

    def _object(self, live: Any, source: Source) -> Abstract:
        self.check(
            "type_is", source, type(live), kind="type", expected=f"an instance of {type(live).__qualname__}"
        )
        alias = self._alias(live, source)
        if alias is not None:
            return alias
        handle = ObjectRef()
        self.initial[handle.id] = ObjectContent()
        self.classes[handle.id] = type(live)
        return self._register(live, source, handle.id, handle)

    def _function(self, live: types.FunctionType, source: Source) -> Abstract:
        """Return a function of which the code is guarded, and of which closure and defaults are read at each call."""
        from janus_mlir.capture.closures import FunctionTemplate

        context = context_of(live)
        self.check("type_is", source, types.FunctionType, kind="type", expected="a function")
        for name in ("__code__", "__globals__"):
            place = Attribute(source, name)
            self.check("is", place, getattr(live, name), kind="identity", expected="the same")
        defaults = self.wrap(live.__defaults__, Attribute(source, "__defaults__"))
        self.check("is", Attribute(source, "__kwdefaults__"), None, kind="identity", expected="is None")
        cells = tuple((name, CellOf(source, i, name)) for i, name in enumerate(live.__code__.co_freevars))
        items = defaults.items if isinstance(defaults, TupleValue) else ()
        template = FunctionTemplate(context.source, context.namespace, live.__name__)
        return FunctionValue(template, cells, items, (), source=source)

    def _alias(self, live: Any, source: Source) -> Abstract | None:
        """Return the handle of an object met before under another name; the two names must stay one object."""
        id_ = self._by_identity.get(id(live))
        if id_ is None:
            return None
        place, entry = self._places[id_], self.m.entry
        slots = entry.slot(place.source), entry.slot(source)
        entry.emit(("same", *slots), source, "identity", f"is {place.source.text}")
        return place.handle

    def _register(self, live: Any, source: Source, id_: int, handle: Abstract) -> Abstract:
        self._places[id_] = _Place(live, source, handle)
        self._by_identity[id(live)] = id_
        return handle

    # ---- reading -----------------------------------------------------------------------

    def source(self, id: int) -> Source | None:
        place = self._places.get(id)
        return place.source if place is not None else None

    def id_of(self, source: Source) -> int | None:
        """Return the id of an outside object that has been met under this source."""
        return next((id_ for id_, place in self._places.items() if place.source == source), None)

    def written_places(self) -> list[int]:
        """Return the ids of outside objects that the call writes."""
        return [id_ for id_ in self.written if id_ in self._places]

    def loaded_names(self) -> Iterable[tuple[int, Any]]:
        """Return the attributes and items that have been read at the entry."""
        return self._loaded.keys()

    def live(self, id: int) -> Any:
        return self._places[id].live

    def load_entry(self, id: int, name: Any) -> Abstract:
        """Read an attribute (or dict item) of an outside object as the call found it."""
        found = self._loaded.get((id, name))
        if found is None and id in self._namespace_keys:
            found = self._loaded[id, name] = self._load_name(self._namespace_keys[id], name)
        if found is None:
            place = self._places[id]
            if isinstance(place.handle, DictRef):
                if name not in place.live:
                    raise Break("JN507", f"`{place.source.text}` has no key {name!r}")
                found = self.wrap(place.live[name], self._key(place, name))
            else:
                try:
                    live = getattr(place.live, name)
                except AttributeError:
                    raise Break("JN507", f"`{place.source.text}` has no attribute `{name}`") from None
                found = self.wrap(live, Attribute(place.source, name))
            self._loaded[id, name] = found
        return found

    def _key(self, place: _Place, key: Any) -> Source:
        """Return the source of a dict's item; a class with its own way to find items is copied."""
        plain = type(place.live) is dict
        return Key(place.source if plain else copied(place.source, dict), key)

    def key_source(self, id: int, key: Any) -> Source | None:
        """Return the source of an item of an outside dict, None if the dict is not from outside."""
        place = self._places.get(id)
        return None if place is None else self._key(place, key)

    def _load_name(self, key: Source, name: str) -> Abstract:
        source = key
        if isinstance(key, Pinned):
            source = Attribute(key, name) if isinstance(key.object, type) else Global(key, name)
        try:
            return self.wrap(source.fetch(self.m.arguments), source)
        except (KeyError, ValueError):
            raise Break("JN507", f"`{name}` is unbound") from None

    def load_list(self, id: int) -> tuple[Abstract, ...]:
        """Read all items of an outside list as the call found it."""
        place = self._places[id]
        if id in self._measured:
            self.m.speculation.read_whole.add(place.source)
            raise Respecialise
        self._check_length(place)
        base = self._sequence(place)
        return tuple(self.wrap(item, Index(base, i)) for i, item in enumerate(place.live))

    def _check_length(self, place: _Place) -> None:
        self.check("len", place.source, len(place.live), kind="length", expected=f"{len(place.live)} items")

    def _sequence(self, place: _Place) -> Source:
        """Return the source of a list's items; a deque is copied."""
        return place.source if type(place.live) is list else copied(place.source, list)

    def load_index(self, id: int, index: int) -> Abstract:
        """Read one item of an outside list, counted from the start or the end, without fixing its length."""
        place = self._places[id]
        if not -len(place.live) <= index < len(place.live):
            whole = self.m.speculation.read_whole
            if place.source not in whole:
                whole.add(place.source)
                raise Respecialise
            raise Break("JN507", f"`{place.source.text}` has no item {index}")
        return self.wrap(place.live[index], Index(self._sequence(place), index))

    def list_length(self, id: int) -> Abstract:
        """Return the length of an outside list: a run-time number unless its items are read anyway."""
        place, source = self._places[id], self._places[id].source
        if source in self.m.speculation.read_whole:
            self._check_length(place)
            return Known(len(place.live))
        self._measured.add(id)
        return Number("int", self.m.entry.bind("bind_len", source, INT))

    def load_dict(self, id: int) -> tuple[tuple[Any, Abstract], ...]:
        """Read all entries of an outside dict as the call found it."""
        place = self._places[id]
        keys = tuple(place.live)
        if not all(isinstance(k, (str, int, bytes, tuple, enum.Enum, type(None))) for k in keys):
            raise Break("JN507", f"`{place.source.text}` has keys that are no constants")
        entries = place.source if type(place.live) is dict else copied(place.source, dict)
        self.check("dict_keys", entries, keys, kind="keys", expected=f"the keys {list(keys)!r:.80}")
        return tuple((k, self.load_entry(id, k)) for k in keys)

    def load_set(self, id: int) -> tuple[Any, ...]:
        """Read all elements of an outside set as the call found it, in their order of iteration."""
        place = self._places[id]
        return self._elements(place.live, place.source)

    def set_has(self, id: int, key: Any) -> bool:
        """Whether an outside set had an element when the call began (guarded)."""
        place = self._places[id]
        found = key in place.live
        self.check("is", HasKey(place.source, key), found, kind="keys", expected=f"is {found}")
        return found

    def dict_names(self, id: int) -> tuple[str, ...]:
        """Return the names in the ``__dict__`` of an outside object as the call found it (guarded)."""
        place = self._places[id]
        if not hasattr(place.live, "__dict__"):
            raise Break("JN216", f"`{place.source.text}` has no `__dict__`")
        names = tuple(vars(place.live))
        source = Derived(place.source, "__dict__ names", attribute_names)
        self.check("eq", source, names, kind="keys", expected=f"the attributes {list(names)!r:.80}")
        return names

    def dict_has(self, id: int, key: Any) -> bool:
        """Whether an outside dict had a key when the call began (guarded)."""
        place = self._places[id]
        if key in place.live:
            self.load_entry(id, key)
            return True
        self.check("is", HasKey(place.source, key), False, kind="keys", expected="is False")
        return False

    def guard_method(self, id: int, name: str, function: Any) -> None:
        """Assume that ``obj.name`` is the method `function` of its class."""
        source = self.source(id)
        if source is not None:
            expected = f"method {name_of(function)}"
            self.check("method_is", source, name, function, kind="identity", expected=expected)

    def same_object(self, a: Source, b: Any) -> bool:
        """Whether two outside objects are one and the same (guarded)."""
        entry = self.m.entry
        slots = entry.slot(a), entry.slot(b)
        same = a.fetch(self.m.arguments) is b.fetch(self.m.arguments)
        if same:
            entry.emit(("same", *slots), b, "identity", f"is {a.text}")
        else:
            entry.emit(("distinct", list(slots)), b, "identity", f"is not {a.text}")
        return same

    def guard_no_key(self, source: Source, key: str) -> None:
        """Assume that an outside dict has no such key."""
        self.check("is", HasKey(source, key), False, kind="value", expected="is False")

    def attribute_names(self, id: int) -> tuple[str, ...]:
        """Return the names of an outside object's own attributes, which are assumed to be all."""
        place = self._places[id]
        names = tuple(vars(place.live))
        source = Attribute(place.source, "__dict__")
        self.check("dict_keys", source, names, kind="keys", expected=f"the attributes {list(names)!r:.80}")
        return names

    def guard_absent(self, id: int, name: str) -> None:
        """Assume that an outside object has no attribute `name`."""
        source = HasAttribute(self._places[id].source, name)
        self.check("is", source, False, kind="value", expected="is False")

    def namespace_id(self, key: Source) -> int:
        """Return the id under which writes to a namespace or closure cell are kept."""
        found = self._namespaces.get(key)
        if found is None:
            found = self._namespaces[key] = fresh_id()
            self.initial[found] = ObjectContent()
            self._namespace_keys[found] = key
        return found

    def has_namespace(self, key: Source) -> bool:
        """Whether the call has written to a namespace."""
        return key in self._namespaces

    def mark_written(self, id: int) -> None:
        """Note that the call writes to an outside object: names for distinct objects must stay distinct."""
        self.written.add(id)

    def finish(self) -> None:
        """Guard that written objects are not other objects under another name."""
        entry = self.m.entry
        groups: dict[type, list[int]] = {}
        for id_, place in self._places.items():
            groups.setdefault(type(place.live), []).append(id_)
        for cls, ids in groups.items():
            if not any(i in self.written for i in ids) or len(ids) < 2:
                continue
            slots = [entry.slot(self._places[i].source) for i in ids]
            if cls is np.ndarray:
                for i in ids:
                    if i in self.written:
                        mine = entry.slot(self._places[i].source)
                        others = [s for s in slots if s != mine]
                        guard = ("no_overlap", mine, others)
                        entry.emit(guard, self._places[i].source, "alias", "no shared memory")
            else:
                source = self._places[ids[0]].source
                entry.emit(("distinct", slots), source, "alias", "distinct objects")
        for id_ in self.written:
            place_ = self._places.get(id_)
            if place_ is not None and isinstance(place_.live, np.ndarray):
                slot = entry.slot(place_.source)
                entry.emit(("writeable", slot), place_.source, "alias", "a writeable array")
