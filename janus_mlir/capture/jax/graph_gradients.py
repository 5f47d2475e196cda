"""Gradients by the variables in modules of flax.nnx.

As in ``flax.nnx``, the function is given copies of the modules, and what it has changed in these is written back behind it.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp

from janus_mlir.capture.attributes import get_attribute, store
from janus_mlir.capture.breaks import Break
from janus_mlir.capture.containers import dict_entries, list_items, new_dict, new_list
from janus_mlir.capture.heap import ObjectContent
from janus_mlir.capture.jax.arguments import Arguments, restore
from janus_mlir.capture.jax.calls import call_jax
from janus_mlir.capture.jax.copies import OWN, Copies, Recipe, is_variable, new_object
from janus_mlir.capture.jax.values import is_node
from janus_mlir.capture.values import Abstract, DictRef, JaxArray, Known, ListRef, ObjectRef, TupleValue

if TYPE_CHECKING:
    from janus_mlir.capture.machine import Machine

__all__ = ["Clones", "GraphArgument", "filter_of", "graph_children", "rebuilt_graph"]


def filter_of(option: Abstract | None) -> tuple[int, Any] | None:
    """Return position and filter of one of `argnums`, None if it is not known."""
    nnx = sys.modules["flax.nnx"]
    if not isinstance(option, Known):
        return None
    if isinstance(option.value, nnx.DiffState):
        return option.value.argnum, option.value.filter
    if isinstance(option.value, int) and not isinstance(option.value, bool):
        return option.value, nnx.Param
    return None


def graph_children(m: Machine, tree: ObjectRef) -> list[Abstract]:
    """Return what JAX looks into of a variable or a state."""
    cls = m.outside.classes[tree.id]
    if is_variable(cls):
        return [get_attribute(m, tree, "_raw_value")]
    return [item for _, item in _state_entries(m, tree)]


def _state_entries(m: Machine, tree: ObjectRef) -> list[tuple[Any, Abstract]]:
    mapping = get_attribute(m, tree, "_mapping") if _is_state(m, tree) else None
    if not isinstance(mapping, DictRef):
        raise Break("JN403", f"`{m.outside.classes[tree.id].__qualname__}` among differentiated values")
    return sorted(dict_entries(m, mapping), key=lambda entry: entry[0])


def _is_state(m: Machine, tree: ObjectRef) -> bool:
    return m.outside.classes[tree.id] is sys.modules["flax.nnx"].State


def rebuilt_graph(m: Machine, tree: ObjectRef, change: Callable[[Abstract], Abstract]) -> Abstract:
    """Return a new variable or state, with `change` applied to what JAX looks into."""
    cls = m.outside.classes[tree.id]
    if is_variable(cls):
        made = _empty(m, cls)
        metadata = get_attribute(m, tree, "_var_metadata")
        if not isinstance(metadata, DictRef):
            raise Break("JN403", "a variable with unusual metadata")
        value = change(get_attribute(m, tree, "_raw_value"))
        content = m.get(made.id).set("_raw_value", value)
        m.put(made.id, content.set("_var_metadata", new_dict(m, tuple(dict_entries(m, metadata)))))
        return made
    entries = tuple((key, change(item)) for key, item in _state_entries(m, tree))
    made = ObjectRef()
    m.outside.classes[made.id] = cls
    m.put(made.id, ObjectContent((("_mapping", new_dict(m, entries)),)))
    return made


@jax.custom_vjp
def _with_slopes(values: Any, slopes: Any) -> Any:
    return jnp.zeros(())


def _forward(values: Any, slopes: Any) -> Any:
    return jnp.zeros(()), slopes


def _backward(slopes: Any, _: Any) -> Any:
    return slopes, jax.tree.map(jnp.zeros_like, slopes)


_with_slopes.defvjp(_forward, _backward)


def _variables(node: Any, chosen: Any) -> list[Any]:
    """Return the variables of a module that a filter chooses, in flax's order."""
    nnx = sys.modules["flax.nnx"]
    return [variable for _, variable in nnx.to_flat_state(nnx.state(node, chosen))]


@dataclasses.dataclass(frozen=True)
class _Gradient:
    """Makes of gradients what ``nnx.grad`` returns: it differentiates a function that has just these."""

    chosen: Any

    def __call__(self, node: Any, *slopes: Any) -> Any:
        nnx = sys.modules["flax.nnx"]

        def function(inner: Any) -> Any:
            values = [variable.get_raw_value() for variable in _variables(inner, self.chosen)]
            return _with_slopes(values, list(slopes))

        return nnx.grad(function, argnums=nnx.DiffState(0, self.chosen))(node)


class Clones:
    """The copies of modules that a differentiated function is given."""

    def __init__(self, m: Machine, args: Sequence[Abstract]) -> None:
        self.m = m
        self._arguments = Arguments(m)
        self.structures = [self._arguments.convert(arg) for arg in args]
        if self._arguments.callbacks:
            raise Break("JN403", "a function beside a module, passed to a differentiated function")
        m.need_constants(self._arguments.numbers)
        self.recipes = self._arguments.recipes
        self.inner: dict[int, Abstract] = {}
        self._clones: dict[int, ObjectRef] = {}
        self._given: dict[int, dict[str, Abstract]] = {}

    def chosen(self, place: int, chosen: Any) -> list[Recipe]:
        """Return the variables in an argument that a filter chooses, in flax's order."""
        copies = Copies()
        stand_ins = [object() for _ in self._arguments.refs]
        node = restore(self.structures[place], stand_ins, copies)
        by_copy = {id(copy): recipe for copy, recipe, _ in copies.given}
        try:
            return [by_copy[id(variable)] for variable in _variables(node, chosen)]
        except KeyError:
            raise Break("JN403", "a variable that is not an attribute of a module") from None

    def clone(self, value: Abstract) -> Abstract:
        """Return an argument with copies in place of modules."""
        m = self.m
        match value:
            case ObjectRef() if value.id in self.recipes:
                found = self._clones.get(value.id)
                return found if found is not None else self._make(self.recipes[value.id])
            case TupleValue():
                return TupleValue(tuple(self.clone(item) for item in value.items), value.cls)
            case ListRef():
                return new_list(m, tuple(self.clone(item) for item in list_items(m, value)))
            case DictRef():
                entries = tuple((key, self.clone(item)) for key, item in dict_entries(m, value))
                return new_dict(m, entries, value.cls)
            case ObjectRef() if is_node(m.outside.classes[value.id]):
                raise Break(
                    "JN403", "a tree of a library's beside a module, passed to a differentiated function"
                )
        return value

    def _make(self, recipe: Recipe) -> ObjectRef:
        m = self.m
        made = _empty(m, recipe.cls)
        self._clones[recipe.original.id] = made
        given = {name: self._attribute(recipe, name, item) for name, item in recipe.items}
        self._given[recipe.original.id] = given
        content: ObjectContent = m.get(made.id)
        for name, item in given.items():
            content = content.set(name, item)
        m.put(made.id, content)
        return made

    def _attribute(self, recipe: Recipe, name: str, item: Abstract) -> Abstract:
        if name == "_raw_value" and recipe.original.id in self.inner:
            return self.inner[recipe.original.id]
        return self.clone(item)

    def originals(self) -> dict[int, Abstract]:
        """Return the objects that have been copied, by the ids of the copies."""
        return {clone.id: self.recipes[id].original for id, clone in self._clones.items()}

    def write_back(self) -> None:
        """Set the attributes of the modules that the function has changed in the copies."""
        m, originals = self.m, self.originals()
        for id, clone in self._clones.items():
            given = self._given[id]
            for name, item in m.get(clone.id).written:
                if name not in given and name in OWN:
                    continue
                if item is given.get(name):
                    continue
                store(m, self.recipes[id].original, name, originals.get(getattr(item, "id", -1), item))


def _empty(m: Machine, cls: type) -> ObjectRef:
    """Return a new object of the class of a module, with nothing but its own state."""
    example: Any = object.__new__(cls)
    if is_variable(cls):
        object.__setattr__(example, "_raw_value", None)
        object.__setattr__(example, "_var_metadata", {})
    else:
        object.__setattr__(example, "_pytree__state", None)
    return new_object(m, example, lambda _: Known(None))


@dataclasses.dataclass(slots=True)
class GraphArgument:
    """A positional argument that is a module: its chosen variables are differentiated by."""

    place: int
    node: ObjectRef
    filter: Any
    clones: Clones
    variables: list[Recipe] = dataclasses.field(default_factory=list)

    def leaves(self, m: Machine) -> list[JaxArray]:
        """Return the arrays that are differentiated by."""
        self.variables = self.clones.chosen(self.place, self.filter)
        found = []
        for recipe in self.variables:
            array = dict(recipe.items).get("_raw_value")
            if not isinstance(array, JaxArray) or not jnp.issubdtype(array.dtype, jnp.floating):
                raise Break("JN208", "no gradient with respect to a variable that is no array of floats")
            found.append(array)
        return found

    def replace(self, m: Machine, args: list[Abstract], leaves: Iterator[JaxArray]) -> None:
        """Have the copies hold the differentiated arrays; they are made when all of these are known."""
        for recipe in self.variables:
            self.clones.inner[recipe.original.id] = next(leaves)

    def restore(self, m: Machine) -> None:
        """Do nothing: the module itself has not been touched."""

    def gradient(self, m: Machine, slopes: Iterator[JaxArray]) -> Abstract:
        """Return the gradients as a state of flax."""
        found: list[Abstract] = [next(slopes) for _ in self.variables]
        return call_jax(m, _Gradient(self.filter), [self.node, *found], {})
