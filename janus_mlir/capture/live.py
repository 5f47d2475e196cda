"""Live objects: Python objects that compiled code reads while it runs.

What an outside object is on the way from the arguments is settled at the entry, once for a call. A function that calls itself,
or a loop that walks along a list of nodes, meets other objects each time: these are `LiveObject` values, which native
code reads. What they may be is *observed*: a `Seen` gathers the objects that a value stands for in the program as it is now,
by following from the arguments the same attributes and items as the code does. That suggests the kinds of objects
to be ready for; native code checks them where it relies on them.
"""

from __future__ import annotations

import inspect
import types
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from janus_mlir.capture.boundary.sources import Attribute, Pinned, Source, pinned
from janus_mlir.capture.breaks import Break
from janus_mlir.capture.graph import BOOL, INT, OBJECT, TensorType, Value
from janus_mlir.capture.observing import (
    ARRAYS,
    NONE,
    NUMBERS,
    Kind,
    Kinds,
    Seen,
    looks_up_itself,
)
from janus_mlir.capture.state import Fact
from janus_mlir.capture.values import (
    Abstract,
    Boxed,
    DictRef,
    JaxArray,
    Known,
    ListRef,
    LiveObject,
    LiveType,
    MemberValue,
    MethodValue,
    Null,
    Number,
    NumpyArray,
    NumpyScalar,
    ObjectRef,
    Storage,
    TupleValue,
    fresh_id,
)
from janus_mlir.config import config
from janus_mlir.runtime.dtypes import find_dtype

if TYPE_CHECKING:
    from janus_mlir.capture.machine import Machine
    from janus_mlir.capture.state import State

_NOTHING = object()
#: Detail of the break on a path that no observed object takes.
NEVER_SEEN = "an object that has never been seen here"

# ---- making ------------------------------------------------------------------------------------------


def constant(m: Machine, live: Any) -> Value:
    """Emit an object of the module's table."""
    return m.b.one("janus.object", [], OBJECT, entry=m.graph.object_entry(live))


def from_source(m: Machine, source: Source, live: Any, key: Any) -> LiveObject:
    """Return an outside object as a live one."""
    pinned_down = isinstance(source, Pinned)
    ref = constant(m, live) if pinned_down else m.entry.bind("bind_object", source, OBJECT)
    seen = m.live.at(key)
    m.live.feed(seen, [live])
    return LiveObject(ref, seen)


def object_ref(m: Machine, value: object) -> Value:
    """Return a value as an object of native code.

    Raises
    ------
    Break
        If it is no object that exists outside.
    """
    match value:
        case Null():
            return m.b.one("janus.null", [], OBJECT)
        case LiveObject():
            return value.ref
        case Known():
            return constant(m, value.value)
        case ObjectRef() | ListRef() | DictRef() if m.outside.source(value.id) is not None:
            source = m.outside.source(value.id)
            assert source is not None
            if m.state.heap.get(value.id) is not None:
                raise Break("JN505", "an object that the call has changed is read as it is outside")
            return from_source(m, source, m.outside.live(value.id), ("outside", source)).ref
        case TupleValue() | JaxArray() | NumpyArray() if value.source is not None:
            return from_source(
                m, value.source, value.source.fetch(m.arguments), ("outside", value.source)
            ).ref
    raise Break("JN505", f"a {type(value).__name__} made by the call is mixed with objects from outside")


def seen_of(m: Machine, value: Abstract) -> Seen:
    """Return what is observed of a value that `object_ref` takes."""
    match value:
        case LiveObject(seen=Seen() as seen):
            return seen
        case Known():
            seen = m.live.at(("known", str(type(value.value)), repr(value.value)[:80]))
            m.live.feed(seen, [value.value])
            return seen
        case ObjectRef() | ListRef() | DictRef():
            source = m.outside.source(value.id)
            seen = m.live.at(("outside", source))
            m.live.feed(seen, [m.outside.live(value.id)])
            return seen
        case TupleValue() if value.source is not None:
            seen = m.live.at(("outside", value.source))
            m.live.feed(seen, [value.source.fetch(m.arguments)])
            return seen
    return m.live.at(("unknown",))


# ---- what it is --------------------------------------------------------------------------------------


class Ambiguous(Exception):
    """An instruction does different things for different kinds of a live object."""

    def __init__(self, value: LiveObject, kinds: Kinds) -> None:
        super().__init__(value, kinds)
        self.value = value
        #: The kinds to be told apart from all others.
        self.kinds = kinds


def kinds(m: Machine, value: LiveObject) -> Kinds:
    """Return what a live object may be here."""
    fact = m.state.facts.get(value.ref.uid)
    return fact.kinds if fact is not None else value.seen.guess()


def is_one_of(m: Machine, value: LiveObject, wanted: Kinds) -> Value:
    """Emit whether a live object is an instance of one of these kinds' classes, exactly."""
    result: Value | None = None
    classes = sorted({kind[1] for kind in wanted}, key=lambda c: c.__qualname__)
    for cls in classes:
        if cls is type(None):
            test = m.b.one("janus.is", [value.ref, constant(m, None)], BOOL)
        else:
            entry = m.graph.object_entry(cls)
            test = m.b.one("janus.type_is", [value.ref], BOOL, name=cls.__qualname__, entry=entry)
        result = test if result is None else m.b.one("arith.ori", [result, test], BOOL)
    return m.const(False) if result is None else result


def _classes(wanted: Kinds) -> set[type]:
    return {kind[1] for kind in wanted}


def require(m: Machine, value: LiveObject, wanted: Kinds) -> None:
    """Make sure that a live object is one of these kinds, as far as classes tell."""
    fact = m.state.facts.get(value.ref.uid)
    if fact is not None and fact.proven and _classes(fact.kinds) <= _classes(wanted):
        return
    if not wanted:
        raise Break("JN505", NEVER_SEEN)
    names = " or ".join(sorted(c.__qualname__ for c in _classes(wanted)))
    m.guard(is_one_of(m, value, wanted), "type", text=f"the object is a {names}")
    m.state.facts[value.ref.uid] = Fact(wanted, True)


def split(m: Machine, value: LiveObject, wanted: Kinds) -> tuple[Value, Fact, Fact]:
    """Emit the test that tells some kinds from all others, and return what holds on each side."""
    rest = kinds(m, value) - wanted
    return is_one_of(m, value, wanted), Fact(wanted, True), Fact(rest, False)


def assume(m: Machine, state: State, cond: Value, side: bool) -> None:
    """Note what a condition says about a live object, on the side where it is `side`."""
    test = m.live.tests.get(cond.uid)
    if test is not None:
        uid, if_true, if_false = test
        state.facts[uid] = if_true if side else if_false


def _tested(m: Machine, value: LiveObject, cond: Value, if_true: Fact, if_false: Fact) -> Number:
    m.live.tests[cond.uid] = (value.ref.uid, if_true, if_false)
    return Number("bool", cond)


def _negated(m: Machine, cond: Value) -> Value:
    result = m.b.one("arith.xori", [cond, m.const(True)], BOOL)
    test = m.live.tests.get(cond.uid)
    if test is not None:
        m.live.tests[result.uid] = (test[0], test[2], test[1])
    return result


# ---- reading it as a value -----------------------------------------------------------------------------


def _loaded(m: Machine, ref: Value, seen: Seen, what: str, kind: str) -> Abstract:
    """Return what a read has found, checked that it has."""
    missing = m.b.one("janus.is_null", [ref], BOOL)
    m.guard(missing, kind, expected=False, text=what)
    return settled(m, LiveObject(ref, seen))


def settled(m: Machine, value: Abstract) -> Abstract:
    """Return the number or array that a live object is, if it can be nothing else."""
    if not isinstance(value, LiveObject):
        return value
    fact = m.state.facts.get(value.ref.uid)
    if fact is not None and fact.value is not None:
        return fact.value
    found = kinds(m, value)
    if found == {NONE} and fact is not None and fact.proven:
        return Known(None)
    names = {kind[0] for kind in found}
    if len(names) != 1 or not names & {*ARRAYS, *NUMBERS}:
        return value
    return _unboxed(m, value, found)


def held(m: Machine, value: Abstract) -> Abstract:
    """Return what a list holds: live objects that are nothing but strings are those."""
    if isinstance(value, TupleValue) and value.source is None:
        items = tuple(held(m, item) for item in value.items)
        same = all(a is b for a, b in zip(items, value.items, strict=True))
        return value if same else replace(value, items=items)
    if isinstance(value, LiveObject) and (found := kinds(m, value)) == {("str", str)}:
        require(m, value, found)
        return Boxed(value.ref, str)
    return value


def forced(m: Machine, value: Abstract) -> Abstract:
    """Return what an operation computes with: a live object must be one number or array, or stays an object."""
    if not isinstance(value, LiveObject):
        return value
    value = settled(m, value)
    if isinstance(value, LiveObject):
        found = kinds(m, value)
        if len({kind[0] for kind in found}) > 1:
            first = min(found, key=lambda k: (k[0], k[1].__qualname__, str(k[2:])))
            same = frozenset(k for k in found if k[:2] == first[:2])
            raise Ambiguous(value, same)
        if found == {NONE}:
            require(m, value, found)
            return Known(None)
    return value


def _unboxed(m: Machine, value: LiveObject, found: Kinds) -> Abstract:
    name = next(iter(found))[0]
    result: Abstract
    if name in NUMBERS:
        type_ = NUMBERS[name]
        profile = value.seen.constant if _frame_for_constant(m, value.seen) else None
        ref, ok = m.b.op("janus.unbox", [value.ref], [type_, BOOL], kind="number", profile=profile)
        m.guard(ok, "type", text=f"the object is {'an int' if name == 'int' else f'a {name}'}")
        result = Number(name, ref)
    else:
        if len(found) != 1:
            raise Break("JN505", "arrays of several dtypes or shapes at one place of a recursion")
        _, _, dtype, shape, weak = next(iter(found))
        known = find_dtype(dtype)
        assert known is not None
        box = "jax_weak" if weak else name
        tensor = TensorType(known.mlir, shape)
        ref, ok = m.b.op("janus.unbox", [value.ref], [tensor, BOOL], kind=box, dtype=known.code)
        m.guard(ok, "type", text=f"the object is a {name} {dtype.name}{list(shape)} array")
        if name == "jax":
            result = JaxArray(ref, dtype, shape, weak, live=value.ref)
        elif name == "npscalar":
            result = NumpyScalar(ref, dtype)
        else:
            m.live.reads_arrays = True
            storage = fresh_id()
            m.put(storage, Storage(ref, dtype, shape))
            result = NumpyArray(storage, dtype, shape, live=value.ref)
    keep = None if isinstance(result, NumpyArray) else result
    m.state.facts[value.ref.uid] = Fact(found, True, keep)
    return result


def _frame_for_constant(m: Machine, seen: Seen) -> bool:
    """Let a pass take a number for granted, if it has been the same so far; what it has been at the end of capture counts."""
    if m.pure or config.unguarded or seen.key in m.live.facts.varying:
        return False
    found = seen.constant()
    if found is not None:
        m.frame("value", f"the {type(found[0]).__name__} is {found[0]!r}", constant=seen.key)
    return found is not None


# ---- attributes ----------------------------------------------------------------------------------------


def _resolve(cls: type, name: str) -> Any:
    """Return what reading an attribute of an instance amounts to: "data", a function, a property."""
    if looks_up_itself(cls):
        raise Break("JN216", f"`{cls.__qualname__}` defines how attributes are looked up")
    found = inspect.getattr_static(cls, name, _NOTHING)
    if found is _NOTHING or isinstance(found, types.MemberDescriptorType):
        return "data"
    if isinstance(found, (types.FunctionType, property, staticmethod)):
        return found
    from janus_mlir.capture.calls import unwrap_callable

    if unwrap_callable(found) is not None:
        return found
    if hasattr(type(found), "__get__"):
        raise Break("JN216", f"`{cls.__qualname__}.{name}` is a descriptor")
    return "data"


def get_attribute(m: Machine, value: LiveObject, name: str) -> Abstract:
    """Return ``value.name``."""
    if name == "__class__":
        return LiveType(value)
    found = kinds(m, value) - {NONE}
    if not found:
        raise Break("JN208", f"AttributeError: None has no attribute `{name}`")
    names = {kind[0] for kind in found}
    if names <= {"list", "dict", "tuple", "str"}:
        return MemberValue(value, name)
    if names & {*ARRAYS, *NUMBERS}:
        from janus_mlir.capture.attributes import get_attribute as read

        inner = forced(m, value)
        if isinstance(inner, LiveObject):
            raise Break("JN216", f"attribute `{name}` of an object of several kinds")
        return read(m, inner, name)
    groups: dict[int, tuple[Any, set[Kind]]] = {}
    for kind in found:
        if kind[0] != "object":
            raise Ambiguous(value, frozenset(k for k in found if k[0] == "object"))
        way = _resolve(kind[1], name)
        groups.setdefault(id(way), (way, set()))[1].add(kind)
    if len(groups) > 1:
        _, (first, *_) = min(groups.values(), key=lambda g: min(k[1].__qualname__ for k in g[1]))
        way = next(w for w, g in groups.values() if first in g)
        raise Ambiguous(value, frozenset(groups[id(way)][1]))
    ((way, _),) = groups.values()
    if way == "data":
        m.live.reads.add(name)
        ref = m.b.one("janus.get_attr", [value.ref], OBJECT, name=name)
        seen = m.live.child(value.seen, ("attr", name))
        return _loaded(m, ref, seen, f"the object has `{name}`", "type")
    if isinstance(way, property):
        return _property(m, value, frozenset(found), name, way)
    if isinstance(way, staticmethod):
        require(m, value, frozenset(found))
        for cls in _classes(frozenset(found)):
            m.outside.wrap(way.__func__, Attribute(pinned(cls.__qualname__, cls), name))
        return Known(way.__func__)
    same = m.b.one("janus.method_is", [value.ref, constant(m, way)], BOOL, name=name)
    m.guard(same, "type", text=f"`{name}` is the method {way.__qualname__}")
    return MethodValue(Known(way), value)


def _property(m: Machine, value: LiveObject, found: Kinds, name: str, way: property) -> Abstract:
    from janus_mlir.capture.calls import call_inline

    if way.fget is None:
        raise Break("JN208", f"AttributeError: property `{name}` has no getter")
    require(m, value, found)
    for cls in _classes(found):
        m.outside.wrap(way, Attribute(pinned(cls.__qualname__, cls), name))
    return call_inline(m, Known(way.fget), [value])


def has_attribute(m: Machine, value: LiveObject, name: str) -> Abstract:
    """Return ``hasattr(value, name)``."""
    found = kinds(m, value)
    plain = frozenset(k for k in found if k[0] == "object")
    if plain != found:
        raise Ambiguous(value, plain) if plain else Break("JN216", "hasattr of a builtin object")
    if any(_resolve(k[1], name) != "data" for k in found):
        raise Break("JN216", f"hasattr of `{name}`, which a class defines")
    require(m, value, found)
    m.live.reads.add(name)
    ref = m.b.one("janus.get_attr", [value.ref], OBJECT, name=name)
    missing = m.b.one("janus.is_null", [ref], BOOL)
    return Number("bool", m.b.one("arith.xori", [missing, m.const(True)], BOOL))


def set_attribute(m: Machine, value: LiveObject, name: str, item: Abstract) -> None:
    """Do ``value.name = item``, held back."""
    found = kinds(m, value)
    for kind in found:
        cls = kind[1]
        if kind[0] != "object" or cls.__setattr__ is not object.__setattr__:
            raise Break("JN216", f"an attribute of a {cls.__qualname__} is set")
        static = inspect.getattr_static(cls, name, _NOTHING)
        if hasattr(type(static), "__set__") and not isinstance(static, types.MemberDescriptorType):
            raise Break("JN216", f"`{cls.__qualname__}.{name}` is a descriptor")
    require(m, value, found)
    m.live.writes.add(name)
    m.live.live_writes.add(name)
    m.effect(f".{name} = ...", lambda w: f"setattr({w.expr(value)}, {name!r}, {w.expr(item)})")


# ---- containers ------------------------------------------------------------------------------------------


def _container(m: Machine, value: LiveObject, *names: str) -> Kinds:
    """Make sure that a live object is a container of one of these kinds, and none that the call writes."""
    found = kinds(m, value)
    wanted = frozenset(k for k in found if k[0] in names)
    if not wanted:
        raise Break("JN505", "a live object that is no such container")
    if wanted != found:
        raise Ambiguous(value, wanted)
    require(m, value, wanted)
    m.live.reads_items = True
    for source in sorted(m.live.facts.written, key=lambda s: s.text):
        other = from_source(m, source, source.fetch(m.arguments), ("outside", source))
        same = m.b.one("janus.is", [value.ref, other.ref], BOOL)
        m.guard(same, "value", expected=False, text=f"it is not {source.text}, which the call writes")
    return wanted


def length(m: Machine, value: LiveObject, *, iterated: bool = False) -> Abstract:
    """Return ``len(value)``; `iterated`: of something whose items are counted through."""
    _container(m, value, *(("list", "tuple") if iterated else ("list", "tuple", "dict", "str")))
    count, ok = m.b.op("janus.length", [value.ref], [INT, BOOL])
    m.guard(ok, "type", text="the object has a length")
    return Number("int", count)


def get_item(m: Machine, value: LiveObject, index: Abstract) -> Abstract:
    """Return ``value[index]``."""
    inner = settled(m, value)
    if not isinstance(inner, LiveObject):
        from janus_mlir.capture.containers import get_item as read

        return read(m, inner, index)
    if isinstance(index, Known) and isinstance(index.value, str):
        _container(m, value, "dict")
        key = constant(m, index.value)
        ref = m.b.one("janus.get_item", [value.ref, key], OBJECT)
        seen = m.live.child(value.seen, ("key", index.value))
        return _loaded(m, ref, seen, f"there is a key {index.value!r}", "bounds")
    if isinstance(index, Known) and type(index.value) is int:
        seen = m.live.child(value.seen, ("item", index.value))
    elif isinstance(index, Number) and index.kind == "int":
        seen = m.live.child(value.seen, ("items", None))
    else:
        raise Break("JN214", "an index of a live object that is no int or str")
    _container(m, value, "list", "tuple")
    ref = m.b.one("janus.get_item", [value.ref, m.number_ref(index)], OBJECT)
    return _loaded(m, ref, seen, "the index is in range", "bounds")


def next_of(m: Machine, value: LiveObject, position: Abstract) -> Abstract:
    """Return the item that an iterator takes next."""
    ref = m.b.one("janus.get_item", [value.ref, m.number_ref(position)], OBJECT)
    return _loaded(
        m, ref, m.live.child(value.seen, ("items", None)), "the list is as long as before", "bounds"
    )


def unpack(m: Machine, value: LiveObject, count: int) -> list[Abstract]:
    """Return the items for an unpacking assignment."""
    _container(m, value, "list", "tuple")
    found = m.number_ref(length(m, value))
    right = m.b.one("arith.cmpi", [found, m.const(count)], BOOL, predicate="eq")
    m.guard(right, "shape", text=f"there are {count} items to unpack")
    return [get_item(m, value, Known(i)) for i in range(count)]


# ---- tests -----------------------------------------------------------------------------------------------


def truth(m: Machine, value: LiveObject) -> bool | Value:
    """Return the truth value."""
    inner = settled(m, value)
    if not isinstance(inner, LiveObject):
        from janus_mlir.capture.operators import truth as decide

        return decide(m, inner)
    found = kinds(m, value)
    some = found - {NONE}
    if all(k[0] == "object" for k in some):
        for kind in some:
            if hasattr(kind[1], "__bool__") or hasattr(kind[1], "__len__"):
                raise Break("JN212", f"`{kind[1].__qualname__}` defines its truth value")
        cond, none, other = split(m, value, frozenset({NONE}))
        require_some = Fact(other.kinds, other.proven)
        m.live.tests[cond.uid] = (value.ref.uid, none, require_some)
        if some:
            # Only for classes that have been looked at is any object true.
            known = is_one_of(m, value, found)
            m.guard(known, "type", text="the object is of a class seen before")
            m.live.tests[cond.uid] = (value.ref.uid, none, Fact(some, True))
        return _negated(m, cond)
    if NONE in found:
        raise Ambiguous(value, frozenset({NONE}))
    size = length(m, value)
    return m.b.one("arith.cmpi", [m.number_ref(size), m.const(0)], BOOL, predicate="ne")


def identical(m: Machine, a: Abstract, b: Abstract, *, negate: bool) -> Abstract:
    """Return ``a is b`` where one is a live object, or the class of one."""
    if isinstance(b, (LiveObject, LiveType)) and not isinstance(a, (LiveObject, LiveType)):
        a, b = b, a
    if isinstance(a, LiveType):
        if not isinstance(b, Known) or not isinstance(b.value, type):
            raise Break("JN212", "identity of the class of a live object")
        value = a.value
        same = frozenset(k for k in kinds(m, value) if k[1] is b.value)
        entry = m.graph.object_entry(b.value)
        cond = m.b.one("janus.type_is", [value.ref], BOOL, name=b.value.__qualname__, entry=entry)
        result = _tested(m, value, cond, Fact(same, True), Fact(kinds(m, value) - same, False))
    elif isinstance(a, LiveObject):
        if isinstance(b, Known) and type(b.value) in (int, float, str, bytes, complex, tuple):
            raise Break("JN212", "identity of a constant and a live object")
        cond = m.b.one("janus.is", [a.ref, object_ref(m, b)], BOOL)
        if isinstance(b, Known) and b.value is None:
            result = _tested(m, a, cond, Fact(frozenset({NONE}), True), Fact(kinds(m, a) - {NONE}, False))
        else:
            result = Number("bool", cond)
    else:
        raise Break("JN212", "identity of live objects")
    return Number("bool", _negated(m, result.ref)) if negate else result


def equal(m: Machine, a: Abstract, b: Abstract, *, negate: bool) -> Abstract:
    """Return ``a == b`` of strings, or of the class of a live object and a class."""
    if isinstance(a, LiveType) or isinstance(b, LiveType):
        return identical(m, a, b, negate=negate)
    sides = []
    for side in (a, b):
        if isinstance(side, LiveObject):
            if {k[0] for k in kinds(m, side)} != {"str"}:
                raise Break("JN212", "comparison of live objects that are no strings")
            require(m, side, kinds(m, side))
            sides.append(side.ref)
        elif isinstance(side, Known) and type(side.value) is str:
            sides.append(constant(m, side.value))
        elif isinstance(side, Known) and side.value is None:
            return Known(negate)
        else:
            raise Break("JN212", "comparison of a string and something else")
    cond = m.b.one("janus.equals", sides, BOOL)
    return Number("bool", _negated(m, cond) if negate else cond)


def instance_of(m: Machine, value: LiveObject, target: Any) -> Abstract:
    """Return ``isinstance(value, target)``."""
    found = kinds(m, value)
    if not found:
        raise Break("JN505", NEVER_SEEN)
    yes = frozenset(k for k in found if issubclass(k[1], target))
    if not yes or yes == found:
        require(m, value, found)
        return Known(bool(yes))
    # Another class than those seen may be a subclass, or not.
    require(m, value, found)
    cond, if_true, if_false = split(m, value, yes)
    return _tested(m, value, cond, if_true, Fact(if_false.kinds, True))


def is_instance(m: Machine, value: LiveObject, target: Any) -> bool:
    """Return ``isinstance(value, target)``, telling the kinds apart by a branch if it depends."""
    result = instance_of(m, value, target)
    if isinstance(result, Known):
        return bool(result.value)
    raise Ambiguous(value, frozenset(k for k in kinds(m, value) if issubclass(k[1], target)))


__all__ = [
    "NEVER_SEEN", "Ambiguous", "assume", "constant", "equal", "forced",
    "from_source", "get_attribute", "get_item", "has_attribute", "identical", "instance_of", "is_instance", "kinds",
    "length", "next_of", "object_ref", "require", "seen_of", "set_attribute", "settled", "split", "truth", "unpack",
]  # fmt: skip
