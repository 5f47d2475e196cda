"""Objects of flax.nnx, whose arrays JAX functions change in place.

A function of flax (or of JAX) that is given such an object is traced on a copy of it that holds tracers. What it has put
into the attributes of the copy is written to the object itself, behind the traced call, as a result of that.
"""

from __future__ import annotations

import dataclasses
import sys
import types
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import jax

from janus_mlir.capture.attributes import attribute_names, get_attribute, store
from janus_mlir.capture.boundary.sources import Attribute, Derived
from janus_mlir.capture.breaks import Break
from janus_mlir.capture.containers import new_dict
from janus_mlir.capture.heap import ObjectContent
from janus_mlir.capture.values import Abstract, Known, Number, ObjectRef

if TYPE_CHECKING:
    from janus_mlir.capture.machine import Machine

__all__ = [
    "OWN",
    "Copies",
    "Opaque",
    "Recipe",
    "Same",
    "Untraced",
    "is_stateful",
    "is_variable",
    "new_object",
    "parts",
    "write_back",
]

#: What belongs to one object alone, and is made anew for each copy.
OWN = ("_trace_state", "_pytree__state")
_NODES = "_pytree__nodes"


def _nnx() -> Any:
    return sys.modules.get("flax.nnx")


def is_variable(cls: type) -> bool:
    """Whether a class is one of variables, which hold an array in a slot."""
    nnx = _nnx()
    return nnx is not None and issubclass(cls, nnx.Variable)


def is_stateful(cls: type) -> bool:
    """Whether instances of a class are variables, or modules that hold such."""
    nnx = _nnx()
    return nnx is not None and issubclass(cls, (nnx.Pytree, nnx.Variable))


def parts(m: Machine, value: ObjectRef) -> list[tuple[str, Abstract]]:
    """Return the attributes of such an object, but for what is its own."""
    if is_variable(m.outside.classes[value.id]):
        return [(name, get_attribute(m, value, name)) for name in ("_raw_value", "_var_metadata")]
    found: list[tuple[str, Abstract]] = []
    for name in attribute_names(m, value):
        if name == _NODES:
            found.append((name, _nodes(m, value)))
        elif name not in OWN:
            found.append((name, get_attribute(m, value, name)))
    return found


def _nodes(m: Machine, value: ObjectRef) -> Abstract:
    """Return which attributes hold data: a mapping that is never changed, only replaced."""
    written = m.get(value.id).get(_NODES)
    if written is not None:
        return written  # type: ignore[no-any-return]
    source = m.outside.source(value.id)
    assert source is not None
    live = getattr(m.outside.live(value.id), _NODES)
    place = Derived(Attribute(source, _NODES), "names", _names)
    m.outside.check("eq", place, _names(live), kind="keys", expected="the same attributes are data")
    return Known(live)


def _names(nodes: Any) -> tuple[str, ...]:
    return tuple(name if data else f"-{name}" for name, data in nodes.items())


@dataclasses.dataclass(frozen=True, slots=True)
class Untraced:
    """Stands for a function of the program among the attributes of a copy: it is captured, or not called at all."""

    function: types.FunctionType

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise Break("JN303", f"`{self.function.__qualname__}` is called by a library")


class Opaque:
    """Stands for a number of the run time among the attributes of a copy: passed on, or made a constant if it is used."""

    def __init__(self, value: Number, used: list[Abstract]) -> None:
        self.value = value
        self.used = used

    def __hash__(self) -> int:
        return id(self)


def _refuse(self: Opaque, *_: Any) -> Any:
    self.used.append(self.value)
    raise Break("JN403", "a run-time number where JAX code tells numbers from arrays")


for _name in (
    "bool", "eq", "ne", "lt", "le", "gt", "ge", "add", "radd", "sub", "rsub", "mul", "rmul", "truediv", "rtruediv", "pow",
    "rpow", "neg", "abs", "int", "float", "index", "floordiv", "rfloordiv", "mod", "rmod", "round", "jax_array", "repr",
):  # fmt: skip
    setattr(Opaque, f"__{_name}__", _refuse)


@dataclasses.dataclass(frozen=True, slots=True)
class Same:
    """Stands for an object of the program in the result of a traced function."""

    value: Abstract


class Recipe:
    """How to copy an object: its class, and its attributes, of which arrays are traced."""

    def __init__(self, original: ObjectRef, cls: type) -> None:
        self.original = original
        self.cls = cls
        self.items: list[tuple[str, Abstract]] = []
        self.structure: list[tuple[str, Any]] = []

    def copy(self, copies: Copies, restored: Callable[[Any], Any]) -> Any:
        """Return the copy of this object among `copies`."""
        found = copies.made.get(self.original.id)
        if found is None:
            found = copies.made[self.original.id] = object.__new__(self.cls)
            values = {name: restored(part) for name, part in self.structure}
            for name, value in (*values.items(), _own(self.cls)):
                object.__setattr__(found, name, value)
            copies.given.append((found, self, values))
            copies.watch(list(values.values()))
        return found


def _own(cls: type) -> tuple[str, Any]:
    if is_variable(cls):
        return "_trace_state", sys.modules["flax.nnx.tracers"].TraceState()
    return "_pytree__state", sys.modules["flax.nnx.pytreelib"].PytreeState()


class Copies:
    """The copies that one call of a traced function is given."""

    def __init__(self) -> None:
        self.made: dict[int, Any] = {}
        self.given: list[tuple[Any, Recipe, dict[str, Any]]] = []
        self._containers: list[tuple[Any, list[Any]]] = []

    def watch(self, value: Any) -> None:
        """Remember what containers hold, so that a change is seen."""
        if isinstance(value, (list, dict)):
            items = list(value.values()) if isinstance(value, dict) else list(value)
            self._containers.append((value, items))
        elif isinstance(value, tuple):
            items = list(value)
        else:
            return
        for item in items:
            self.watch(item)

    def changes(self) -> list[tuple[ObjectRef, str, Any]]:
        """Return the attributes that have been set."""
        found: list[tuple[ObjectRef, str, Any]] = []
        for copy, recipe, values in self.given:
            now = _attributes_of(copy)
            if values.keys() - now.keys():
                raise Break("JN307", "an attribute is deleted by a library")
            found.extend(
                (recipe.original, name, value)
                for name, value in now.items()
                if name not in values or value is not values[name]
            )
        for container, before in self._containers:
            items = list(container.values()) if isinstance(container, dict) else container
            if len(items) != len(before) or any(a is not b for a, b in zip(items, before, strict=True)):
                raise Break("JN307", "a list or dict is changed by a library")
        return found

    def marked(self, tree: Any) -> Any:
        """Return a result with the originals in place of copies."""
        originals = {id(copy): recipe.original for copy, recipe, _ in self.given}

        def mark(leaf: Any) -> Any:
            original = originals.get(id(leaf))
            return leaf if original is None else Same(original)

        return jax.tree.map(mark, tree, is_leaf=lambda node: id(node) in originals)


def _attributes_of(copy: Any) -> dict[str, Any]:
    if is_variable(type(copy)):
        return {name: getattr(copy, name) for name in ("_raw_value", "_var_metadata")}
    return {name: value for name, value in vars(copy).items() if name not in OWN}


def write_back(m: Machine, places: Sequence[tuple[ObjectRef, str]], values: Sequence[Abstract]) -> None:
    """Set attributes of objects to what a traced function has set those of their copies to."""
    for (original, name), value in zip(places, values, strict=True):
        if m.get(original.id).get(name) is value:
            continue
        if m.is_outside(original.id):
            if any(name == n and item is value for n, item in parts(m, original)):
                continue
            if m.differentiating:
                raise Break("JN307", "a variable from outside of a differentiated function is set")
        store(m, original, name, value)


def new_object(m: Machine, live: Any, convert: Callable[[Any], Abstract]) -> ObjectRef:
    """Return a new variable or module, as an abstract object with the attributes of `live`."""
    handle = ObjectRef()
    m.outside.classes[handle.id] = type(live)
    m.put(handle.id, ObjectContent(tuple(_contents(m, live, convert))))
    return handle


def _contents(m: Machine, live: Any, convert: Callable[[Any], Abstract]) -> Iterator[tuple[str, Abstract]]:
    own, state = _own(type(live))
    if own == "_trace_state":
        yield "_raw_value", convert(live._raw_value)
        yield own, Known(state)
        metadata = tuple((k, Known(v)) for k, v in live._var_metadata.items())
        yield "_var_metadata", new_dict(m, metadata)
        return
    handle = ObjectRef()
    m.outside.classes[handle.id] = type(state)
    names = ("_trace_state", "_initializing", "_is_setup")
    m.put(handle.id, ObjectContent(tuple((n, Known(getattr(state, n))) for n in names)))
    for name, value in vars(live).items():
        yield name, handle if name == own else Known(value) if name == _NODES else convert(value)
