"""Captured functions that JAX calls back, with its tracers as arrays."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import jax

from janus_mlir.capture.boundary.kinds import tensor_type
from janus_mlir.capture.breaks import Break
from janus_mlir.capture.containers import dict_entries, list_items, new_dict, new_list
from janus_mlir.capture.graph import TensorType, Value
from janus_mlir.capture.heap import ObjectContent
from janus_mlir.capture.jax.copies import is_stateful
from janus_mlir.capture.jax.values import is_node
from janus_mlir.capture.values import (
    Abstract,
    DictRef,
    JaxArray,
    Known,
    ListRef,
    ObjectRef,
    TupleValue,
)
from janus_mlir.runtime.dtypes import dtype_by_mlir, find_dtype
from janus_mlir.runtime.words import as_dtype, joined, word

if TYPE_CHECKING:
    from janus_mlir.capture.machine import Machine


def require_node(tree: ListRef | DictRef) -> None:
    """Demand a container that JAX looks into as Janus does: to JAX, others are leaves, or remember more."""
    if tree.cls not in (list, dict, OrderedDict):
        raise Break("JN403", f"a {tree.cls.__name__} is passed to a JAX function")


class Lifts:
    """Outer values that captured functions use while JAX traces them."""

    def __init__(self, first: int | None, effects: bool) -> None:
        #: Position of the first lifted value among the traced arguments; None in the finding pass.
        self.first = first
        #: Whether the function may have effects: JAX calls it exactly once, as Python does.
        self.effects = effects
        self.refs: list[Value] = []
        self.supply: list[Any] = []
        #: Tracers of the graph values inside the function, once it has returned.
        self.tracers: dict[int, Any] = {}

    def lift(self, ref: Value) -> Any:
        """Return the tracer (in the finding pass: a stand-in) of an outer value."""
        self.refs.append(ref)
        if self.first is None:
            return stand_in(ref)
        if len(self.refs) > len(self.supply):
            raise Break("JN303", "a function passed to JAX takes different ways when traced again")
        tracer = self.supply[len(self.refs) - 1]
        assert isinstance(ref.type, TensorType)
        if tuple(tracer.shape) != tuple(ref.type.shape):
            raise Break("JN303", "a function passed to JAX takes different ways when traced again")
        return tracer


def stand_in(ref: Value) -> Any:
    assert isinstance(ref.type, TensorType)
    if not all(isinstance(e, int) for e in ref.type.shape):
        raise Break("JN501", "a function passed to JAX that closes over an array with symbolic extents")
    return jax.numpy.zeros(ref.type.shape, dtype_by_mlir(ref.type.dtype).numpy)


class Callback:
    """A captured function as JAX sees it: called with tracers, it runs the machine on them."""

    __name__ = "callback"

    def __init__(self, m: Machine, function: Abstract) -> None:
        self.m = m
        self.function = function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return _run_callback(self.m, self.function, args, kwargs)


def _run_callback(m: Machine, function: Abstract, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    from janus_mlir.capture.calls import call_inline

    before = m.replaying
    m.pure += 1
    m.replaying = dict(before or {})
    try:
        abstract = [from_tracer(m, a) for a in args]
        named = {k: from_tracer(m, v) for k, v in kwargs.items()}
        result = _to_tracer(m, call_inline(m, function, abstract, named))
        if before is None and m.lifts is not None:
            m.lifts.tracers = m.replaying
        return result
    finally:
        m.pure -= 1
        m.replaying = before


def from_tracer(m: Machine, tree: Any) -> Abstract:
    if tree is None or isinstance(tree, (bool, int, float, str)):
        return Known(tree)
    if isinstance(tree, tuple):
        return TupleValue(tuple(from_tracer(m, t) for t in tree), type(tree))
    if type(tree) is list:
        return new_list(m, tuple(from_tracer(m, t) for t in tree))
    if type(tree) in (dict, OrderedDict):
        return new_dict(m, tuple((k, from_tracer(m, t)) for k, t in tree.items()), type(tree))
    if is_stateful(type(tree)):
        raise Break("JN403", "an object of flax that a JAX function returns or passes on")
    if is_node(type(tree)):
        return new_node(m, tree, lambda value: _from_attribute(m, value))
    if isinstance(tree, jax.Array):
        if find_dtype(word(tree.dtype)) is None:
            raise Break("JN402", f"dtype {tree.dtype}")
        ref = Value(tensor_type(tree.dtype, tuple(tree.shape)))
        assert m.replaying is not None
        m.replaying[ref.uid] = tree
        weak = bool(getattr(tree.aval, "weak_type", False))
        return JaxArray(ref, as_dtype(tree.dtype), tuple(tree.shape), weak)
    if callable(tree):
        return Known(tree)
    raise Break("JN403", f"a {type(tree).__name__} is passed to a function by JAX")


def _from_attribute(m: Machine, value: Any) -> Abstract:
    if isinstance(value, (jax.Array, tuple, list, dict)) or is_node(type(value)):
        return from_tracer(m, value)
    return Known(value)


def new_node(m: Machine, live: Any, convert: Callable[[Any], Abstract]) -> ObjectRef:
    """Return a new object with the class and the (converted) attributes of a pytree node."""
    handle = ObjectRef()
    m.outside.classes[handle.id] = type(live)
    m.put(handle.id, ObjectContent(tuple((k, convert(v)) for k, v in vars(live).items())))
    return handle


def node_items(m: Machine, value: ObjectRef) -> list[tuple[str, Abstract]]:
    """Return the attributes of a pytree node."""
    from janus_mlir.capture.attributes import attribute_names, get_attribute

    cls = m.outside.classes[value.id]
    if not is_node(cls) or is_stateful(cls):
        raise Break("JN403", f"a {m.outside.classes[value.id].__qualname__} is passed to a JAX function")
    return [(name, get_attribute(m, value, name)) for name in attribute_names(m, value)]


def constant_of(value: Abstract) -> tuple[bool, Any]:
    """Return whether a value is a constant without nodes, and which."""
    if isinstance(value, Known):
        return not is_node(type(value.value)) and not isinstance(value.value, (list, dict)), value.value
    if (
        not isinstance(value, TupleValue)
        or not isinstance(value.cls, type)
        or not issubclass(value.cls, tuple)
    ):
        return False, None
    items = [constant_of(item) for item in value.items]
    if not all(constant for constant, _ in items):
        return False, None
    found = [live for _, live in items]
    return True, tuple(found) if value.cls is tuple else value.cls._make(found)  # type: ignore[attr-defined]


def rebuild_node(cls: type, attributes: list[tuple[str, Any]]) -> Any:
    """Return an object of a class with the given attributes."""
    made: Any = object.__new__(cls)
    for name, value in attributes:
        object.__setattr__(made, name, value)
    return made


def _to_tracer(m: Machine, value: Abstract) -> Any:
    match value:
        case JaxArray():
            return joined(tracer_of(m, value.ref), value.dtype)
        case Known():
            return value.value
        case TupleValue():
            items = [_to_tracer(m, item) for item in value.items]
            return tuple(items) if value.cls is tuple else value.cls._make(items)  # type: ignore[attr-defined]
        case ListRef():
            require_node(value)
            return [_to_tracer(m, item) for item in list_items(m, value)]
        case DictRef():
            require_node(value)
            return value.cls((k, _to_tracer(m, item)) for k, item in dict_entries(m, value))
        case ObjectRef():
            items = [(k, _to_tracer(m, item)) for k, item in node_items(m, value)]
            return rebuild_node(m.outside.classes[value.id], items)
    raise Break("JN403", f"a {type(value).__name__} is returned to JAX")


def tracer_of(m: Machine, ref: Value) -> Any:
    """Return the tracer of a graph value; a value from outside the callback is lifted on first use."""
    assert m.replaying is not None
    found = m.replaying.get(ref.uid)
    if found is None:
        assert m.lifts is not None
        found = m.replaying[ref.uid] = m.lifts.lift(ref)
    return found
