"""Functions of ``jax.tree``: JAX takes trees apart and puts them together, with abstract values for leaves."""

from __future__ import annotations

import functools
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jax

from janus_mlir.capture.breaks import Break
from janus_mlir.capture.containers import dict_entries, list_items, new_dict, new_list
from janus_mlir.capture.control import Left
from janus_mlir.capture.jax.callbacks import constant_of, new_node, node_items, rebuild_node, require_node
from janus_mlir.capture.jax.copies import is_stateful, is_variable, new_object, parts
from janus_mlir.capture.jax.values import Transformed, is_node, is_static
from janus_mlir.capture.speculation import Respecialise
from janus_mlir.capture.unions import as_array
from janus_mlir.capture.values import (
    Abstract,
    Boxed,
    ComplexValue,
    DictRef,
    ExtentNumber,
    FunctionValue,
    JaxArray,
    Known,
    ListRef,
    MethodValue,
    Number,
    NumpyArray,
    NumpyScalar,
    ObjectRef,
    PartialValue,
    TextValue,
    TupleValue,
    UnionValue,
)

if TYPE_CHECKING:
    from janus_mlir.capture.machine import Machine

__all__ = ["Wrapped", "abstract_tree", "call_tree", "is_tree_function"]


@dataclass(frozen=True, slots=True)
class Wrapped:
    """Keeps an abstract value opaque to pytree functions."""

    value: Abstract

    def __bool__(self) -> bool:
        raise Break("JN403", "a JAX function that looks at the leaves of a tree")


@functools.cache
def _functions() -> tuple[Any, ...]:
    """Return the functions that do not look at leaves."""
    tree, util = jax.tree, jax.tree_util
    return (
        tree.map, tree.leaves, tree.flatten, tree.unflatten, tree.structure, tree.reduce, tree.transpose,
        util.tree_map, util.tree_leaves, util.tree_flatten, util.tree_unflatten, util.tree_structure,
        util.tree_reduce, util.tree_transpose, util.tree_map_with_path, util.tree_leaves_with_path,
        util.tree_flatten_with_path,
    )  # fmt: skip


#: Functions whose first argument is called with leaves.
_WITH_FUNCTION = frozenset(("map", "reduce", "tree_map", "tree_reduce", "tree_map_with_path"))
#: Where functions take `is_leaf` by position.
_PLACE_OF_TEST = {
    name: 3 if "reduce" in name else 1
    for name in (
        "leaves",
        "flatten",
        "structure",
        "reduce",
        "tree_leaves",
        "tree_flatten",
        "tree_structure",
        "tree_reduce",
    )
}
#: What is a leaf, besides constants, and objects that JAX does not look into.
_LEAVES = (
    Boxed, ComplexValue, ExtentNumber, FunctionValue, JaxArray, MethodValue, Number, NumpyArray, NumpyScalar, ObjectRef,
    PartialValue, TextValue, Transformed,
)  # fmt: skip
#: Constants that are what they are, on nodes and as leaves.
_PLAIN = (str, bytes, int, float, type(None))
#: What a key of a path is an instance of.
_KEYS = tuple(
    getattr(jax.tree_util, name) for name in ("DictKey", "SequenceKey", "GetAttrKey", "FlattenedIndexKey")
)


def is_tree_function(live: Any) -> bool:
    """Whether a callable is a function of ``jax.tree`` that does not look at leaves."""
    return any(live is function for function in _functions())


def call_tree(m: Machine, live: Any, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    """Call a function of ``jax.tree``. Functions passed to it are captured, once for each leaf."""
    pins = len(m.pins)
    try:
        given = [_argument(m, live, place, arg) for place, arg in enumerate(args)]
        named = {name: _argument(m, live, name, arg) for name, arg in kwargs.items()}
        result = live(*given, **named)
    except (Break, Left, Respecialise, RecursionError):
        raise
    except Exception as error:  # whatever JAX raises, the user will see it from Python itself
        line = str(error).strip().split("\n", 1)[0][:200]
        raise Break("JN208", f"{type(error).__name__}: {line}") from None
    finally:
        del m.pins[pins:]
    return abstract_tree(m, result)


def _argument(m: Machine, live: Any, place: int | str, value: Abstract) -> Any:
    if place in ("is_leaf", _PLACE_OF_TEST.get(live.__name__)):
        return None if isinstance(value, Known) and value.value is None else _called(m, value, test=True)
    if place in ("f", "function") or (place == 0 and live.__name__ in _WITH_FUNCTION):
        return _called(m, value, test=False)
    if isinstance(value, Known) and isinstance(value.value, jax.tree_util.PyTreeDef):
        return value.value
    return _real(m, value)


def _called(m: Machine, function: Abstract, test: bool) -> Callable[..., Any]:
    from janus_mlir.capture.calls import call_inline

    def call(*args: Any) -> Any:
        result = call_inline(m, function, [abstract_tree(m, arg) for arg in args])
        m.pins.append(result)
        if not test:
            return _real(m, result)
        if not isinstance(result, Known):
            raise Break("JN403", "whether something is a leaf is only known at run time")
        return bool(result.value)

    return call


def _real(m: Machine, value: Abstract) -> Any:
    """Return a tree as JAX sees it, with opaque leaves."""
    match value:
        case TupleValue():
            items = [_real(m, item) for item in value.items]
            return tuple(items) if value.cls is tuple else value.cls._make(items)  # type: ignore[attr-defined]
        case ListRef():
            require_node(value)
            return [_real(m, item) for item in list_items(m, value)]
        case DictRef():
            require_node(value)
            return value.cls((key, _real(m, item)) for key, item in dict_entries(m, value))
        case ObjectRef() if is_variable(m.outside.classes[value.id]):
            return _real_variable(m, value)
        case ObjectRef() if is_stateful(m.outside.classes[value.id]):
            raise Break("JN403", "a module among the leaves of a tree")
        case ObjectRef() if is_node(m.outside.classes[value.id]):
            return rebuild_node(m.outside.classes[value.id], list(_attributes(m, value)))
        case Known(value=tuple() as items) if type(items) is tuple:
            return tuple(_real(m, Known(item)) for item in items)
        case Known(value=None):
            return None
        case Known(value=live) if is_node(type(live)) or isinstance(live, (list, dict, tuple)):
            raise Break("JN403", f"a {type(live).__name__} among the constants of a tree")
        case Known():
            pass
        case UnionValue():
            array = None if m.pure else as_array(m, value)
            if array is None:
                raise Break("JN403", "a tree that is one of several things")
            value = array
        case _ if not isinstance(value, _LEAVES):
            raise Break("JN403", f"a {type(value).__name__} among the leaves of a tree")
    m.pins.append(value)
    return Wrapped(value)


def _real_variable(m: Machine, value: ObjectRef) -> Any:
    """Return a variable of flax.nnx, whose metadata JAX compares."""
    values = dict(parts(m, value))
    metadata = values["_var_metadata"]
    if not isinstance(metadata, DictRef):
        raise Break("JN403", "a variable with unusual metadata")
    found = [(key, *constant_of(item)) for key, item in dict_entries(m, metadata)]
    if not all(constant for _, constant, _ in found):
        raise Break("JN403", "a variable whose metadata are only known at run time")
    make: Any = m.outside.classes[value.id]
    return make._new(_real(m, values["_raw_value"]), {key: live for key, _, live in found})


def _attributes(m: Machine, value: ObjectRef) -> Iterator[tuple[str, Any]]:
    """Yield the attributes of a node: constants, which may be no part of the tree but be compared, are what they are."""
    for name, item in node_items(m, value):
        constant, live = constant_of(item)
        yield name, live if constant else _real(m, item)


def abstract_tree(m: Machine, tree: Any) -> Abstract:
    """Return the abstract value of a tree with opaque leaves."""
    if isinstance(tree, Wrapped):
        return tree.value
    if isinstance(tree, (jax.tree_util.PyTreeDef, *_PLAIN, *_KEYS)):
        return Known(tree)
    if isinstance(tree, tuple):
        return TupleValue(tuple(abstract_tree(m, t) for t in tree), type(tree))
    if type(tree) is list:
        return new_list(m, tuple(abstract_tree(m, t) for t in tree))
    if type(tree) in (dict, OrderedDict):
        return new_dict(m, tuple((k, abstract_tree(m, v)) for k, v in tree.items()), type(tree))
    if is_stateful(type(tree)):
        return new_object(m, tree, lambda value: _attribute(m, value))
    if is_node(type(tree)):
        return new_node(m, tree, lambda value: _attribute(m, value))
    if is_static(tree):
        return Known(tree)
    if callable(tree):
        return Known(tree)
    raise Break("JN403", f"a JAX function that returns a {type(tree).__name__}")


def _attribute(m: Machine, value: Any) -> Abstract:
    """Return an attribute of a pytree node: arrays are wrapped, what is no part of the tree is static."""
    if isinstance(value, (Wrapped, tuple, list, dict)) or value is None:
        return abstract_tree(m, value)
    if is_node(type(value)) or is_stateful(type(value)):
        return abstract_tree(m, value)
    return Known(value)
