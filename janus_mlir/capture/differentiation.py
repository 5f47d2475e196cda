"""Gradients of captured functions: the function becomes a region that the compiler differentiates.

The region holds the captured callee like an inlined call, guards and effects included: they happen once, in the forward
computation. What a guard in it finds false sends the whole call back to Python, where JAX differentiates.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import jax
import numpy as np

from janus_mlir.capture import loops
from janus_mlir.capture.attributes import attribute_names, get_attribute
from janus_mlir.capture.breaks import Break
from janus_mlir.capture.calls import unwrap_callable
from janus_mlir.capture.construction import make_instance
from janus_mlir.capture.containers import dict_entries, items_of, list_items, new_dict, new_list
from janus_mlir.capture.control import Inside, Left
from janus_mlir.capture.function import code_of
from janus_mlir.capture.graph import BOOL, Block, TensorType, Value
from janus_mlir.capture.heap import ObjectContent
from janus_mlir.capture.jax.arguments import Arguments, Leaf
from janus_mlir.capture.jax.callbacks import require_node
from janus_mlir.capture.jax.copies import is_variable
from janus_mlir.capture.jax.graph_gradients import (
    Clones,
    GraphArgument,
    filter_of,
    graph_children,
    rebuilt_graph,
)
from janus_mlir.capture.jax.tracers import check as check_tracers
from janus_mlir.capture.jax.values import Transformed, filtered, is_node, of_graphs, values_too
from janus_mlir.capture.unions import as_array
from janus_mlir.capture.values import (
    Abstract,
    DictRef,
    FunctionValue,
    JaxArray,
    Known,
    ListRef,
    Number,
    NumpyArray,
    NumpyScalar,
    ObjectRef,
    TupleValue,
    UnionValue,
)

if TYPE_CHECKING:
    from janus_mlir.capture.machine import Machine

_OPTIONS = ("argnums", "has_aux", "holomorphic", "allow_int", "reduce_axes")


def differentiate(
    m: Machine, function: Transformed, args: list[Abstract], kwargs: dict[str, Abstract]
) -> Abstract | Break | None:
    """Call a function made by ``jax.grad`` or ``jax.value_and_grad``.

    Returns
    -------
    Abstract or Break or None
        The result; what stands in the way, where the function can only be traced by JAX; None where it has to be anyway.
    """
    of_graph = any(function.transform is t for t in of_graphs())
    options = _graph_options(function) if of_graph else _options(function)
    if options is None or m.replaying is not None or m.pure:
        return None
    argnums, has_aux, filters = options
    places = [argnums] if isinstance(argnums, int) else list(argnums)
    single = isinstance(argnums, int)
    if function.wrt is not None:
        single = len(function.wrt) == 1
    elif any(not -len(args) <= p < len(args) for p in places):
        return None

    saved, notes, sites = m.state, len(m.notes), len(m.sites)
    m.state = saved.clone()
    ops = len(m.b.block.ops)
    try:
        targets: Sequence[Target]
        clones: Clones | None = None
        if of_graph:
            clones = Clones(m, args)
            modules = [args[p % len(args)] for p in places]
            targets = [
                GraphArgument(p % len(args), module, chosen, clones)
                if isinstance(module, ObjectRef) and module.id in clones.recipes
                else _Argument(module, place=p % len(args))
                for p, module, chosen in zip(places, modules, filters, strict=True)
            ]
        elif function.wrt is None:
            only_arrays = any(function.transform is t for t in filtered())
            targets = [_Argument(args[p], only_arrays, p % len(args)) for p in places]
        else:
            targets = [_attribute(m, function, path, args, kwargs) for path in function.wrt]
        return _differentiate(m, function, args, kwargs, targets, single, has_aux, clones)
    except (Break, Left) as error:
        loops.settle(m, force=True)
        # JAX may know a way: its transformations reach further, though not through branches on data.
        m.state = saved
        left = [Break(n.code, n.detail) for n in m.notes[notes:] if n.code != "JN208"]
        del m.notes[notes:], m.sites[sites:], m.b.block.ops[ops:]
        if isinstance(error, Break):
            return error
        return left[0] if left else None


_Options = tuple[int | tuple[int, ...], bool, list[Any]]


def _graph_options(function: Transformed) -> _Options | None:
    """Return which arguments a function of flax differentiates by, and by which of the variables in them."""
    given = dict(function.kwargs)
    argnums, has_aux = given.pop("argnums", Known(0)), given.pop("has_aux", Known(False))
    if function.args or any(_constant(option) for option in given.values()):
        return None
    if isinstance(argnums, Known) and isinstance(argnums.value, (tuple, list)):
        argnums = TupleValue(tuple(map(Known, argnums.value)))
    found = [filter_of(a) for a in (argnums.items if isinstance(argnums, TupleValue) else (argnums,))]
    if None in found or not isinstance(has_aux, Known):
        return None
    places = tuple(pair[0] for pair in found if pair is not None)
    filters = [pair[1] for pair in found if pair is not None]
    return places if isinstance(argnums, TupleValue) else places[0], bool(has_aux.value), filters


def _options(function: Transformed) -> _Options | None:
    given: dict[str, Any] = {}
    for name, value in [*zip(_OPTIONS, function.args, strict=False), *function.kwargs]:
        given[name] = _constant(value)
    argnums = given.pop("argnums", 0)
    has_aux = given.pop("has_aux", False)
    if any(given.values()) or not isinstance(has_aux, bool):
        return None
    if isinstance(argnums, list):
        argnums = tuple(argnums)
    single = isinstance(argnums, int) and not isinstance(argnums, bool)
    if not single and not (isinstance(argnums, tuple) and all(isinstance(a, int) for a in argnums)):
        return None
    return argnums, has_aux, []


def _constant(value: Abstract) -> Any:
    if isinstance(value, Known):
        return value.value
    if isinstance(value, TupleValue):
        return tuple(_constant(item) for item in value.items)
    return object()


def _differentiate(
    m: Machine,
    function: Transformed,
    args: list[Abstract],
    kwargs: dict[str, Abstract],
    targets: Sequence[Target],
    single: bool,
    has_aux: bool,
    clones: Clones | None,
) -> Abstract:
    from janus_mlir.capture.calls import call_inline

    leaves = [leaf for target in targets for leaf in target.leaves(m)]
    outer, ops = m.b.block, m.b.block.ops
    mark, concretised = m.mark(), len(m.concretised)
    inner = [JaxArray(Value(a.ref.type), a.dtype, a.shape, a.weak) for a in leaves]
    same: dict[int, Abstract] = {i.id: a for i, a in zip(inner, leaves, strict=True)}
    block = Block([a.ref for a in inner])
    m.differentiating += 1
    m.sealed += not has_aux
    try:
        with m.b.inside(block):
            rest = iter(inner)
            given = list(args)
            for target in targets:
                target.replace(m, given, rest)
            if clones is not None:
                given = [clones.clone(arg) for arg in given]
            result = call_inline(m, function.function, given, kwargs)
            for target in targets:
                target.restore(m)
            if clones is not None:
                clones.write_back()
                same |= clones.originals()
            aux: Abstract | None = None
            if has_aux:
                if not isinstance(result, TupleValue) or len(result.items) != 2:
                    raise Break("JN208", "a function with has_aux returns a pair")
                result, aux = result.items
                aux = _map(m, aux, same)
            result = _array(m, result)
            if result.shape or not _is_float(result):
                raise Break("JN208", "gradients are those of a scalar array of floats")
            loss = result.ref
    finally:
        m.differentiating -= 1
        m.sealed -= not has_aux
    assert m.b.block is outer and outer.ops is ops
    check_tracers(m, block, m.concretised[concretised:])
    if not m.differentiating:
        m.concretised.clear()

    inside = Inside(mark)
    inside.leave(m.state)
    if aux is not None:
        aux = inside.rewriter(aux)
    value = Value(loss.type)
    gradients = [Value(a.ref.type) for a in leaves]
    with m.b.inside(block):
        m.b.op("yield", [loss, *(old for old, _ in inside.moved)])
    m.b.region(
        "janus.value_and_grad",
        [a.ref for a in leaves],
        [value, *(new for _, new in inside.moved), *gradients],
        block,
    )

    slopes = iter([JaxArray(g, a.dtype, a.shape, a.weak) for g, a in zip(gradients, leaves, strict=True)])
    trees = [target.gradient(m, slopes) for target in targets]
    gradient: Abstract = trees[0] if single else TupleValue(tuple(trees))
    if not any(function.transform is t for t in values_too()):
        return gradient if aux is None else TupleValue((gradient, aux))
    first: Abstract = same.get(result.id) or JaxArray(value, result.dtype, (), result.weak)
    if aux is not None:
        first = TupleValue((first, aux))
    return TupleValue((first, gradient))


def _array(m: Machine, result: Abstract) -> JaxArray:
    """Return what a function returns as an array. JAX refuses a Python number, which a loop may leave as it was."""
    if isinstance(result, JaxArray):
        return result
    if isinstance(result, UnionValue):
        merged = as_array(m, result)
        if merged is not None:
            return merged
        arrays = [(tag, option) for tag, option in result.options if isinstance(option, JaxArray)]
        if len(arrays) == 1:
            tag, array = arrays[0]
            assert isinstance(array, JaxArray)
            found = m.b.one("arith.cmpi", [result.which, m.const(tag)], BOOL, predicate="eq")
            m.guard(found, "type", text="the function returns an array")
            return array
    raise Break("JN208", "gradients are those of a scalar array of floats")


# ---- what to differentiate by -----------------------------------------------------------------------


class Target(Protocol):
    """Something to differentiate by."""

    def leaves(self, m: Machine) -> list[JaxArray]:
        """Return the arrays in it."""

    def replace(self, m: Machine, args: list[Abstract], leaves: Iterator[JaxArray]) -> None:
        """Put other arrays there, while the function runs."""

    def restore(self, m: Machine) -> None:
        """Undo that."""

    def gradient(self, m: Machine, slopes: Iterator[JaxArray]) -> Abstract:
        """Return the gradient, in the same structure."""


@dataclass(slots=True)
class _Tree:
    """A tree whose leaves are differentiated by; if `filtered`, the arrays of floats among these, whatever else is there."""

    tree: Abstract
    filtered: bool = False

    def leaves(self, m: Machine) -> list[JaxArray]:
        found: list[JaxArray] = []
        _flatten(m, self.tree, found, self.filtered)
        return found

    def gradient(self, m: Machine, slopes: Iterator[JaxArray]) -> Abstract:
        return _rebuild(m, self.tree, slopes, self.filtered, Known(None))


@dataclass(slots=True)
class _Argument(_Tree):
    """A positional argument."""

    place: int = 0

    def replace(self, m: Machine, args: list[Abstract], leaves: Iterator[JaxArray]) -> None:
        args[self.place] = _rebuild(m, self.tree, leaves, self.filtered)

    def restore(self, m: Machine) -> None:
        pass


@dataclass(slots=True, kw_only=True)
class _Attribute(_Tree):
    """An attribute, which holds the differentiated value while the function runs. Nobody else sees that."""

    owner: ObjectRef
    name: str
    written: bool
    given: Abstract | None = None

    def replace(self, m: Machine, args: list[Abstract], leaves: Iterator[JaxArray]) -> None:
        self.given = _rebuild(m, self.tree, leaves)
        m.put(self.owner.id, m.get(self.owner.id).set(self.name, self.given))

    def restore(self, m: Machine) -> None:
        content: ObjectContent = m.get(self.owner.id)
        now = content.get(self.name)
        if now is not self.given and getattr(now, "id", None) != getattr(self.given, "id", self):
            raise Break("JN307", f"`{self.name}` is set while it is differentiated by")
        kept = content.set(self.name, self.tree) if self.written else content.remove(self.name)
        m.put(self.owner.id, kept)


def _attribute(
    m: Machine, function: Transformed, path: str, args: list[Abstract], kwargs: dict[str, Abstract]
) -> _Attribute:
    name, *attributes = path.split(".")
    names = _parameters(function.function)
    if name not in names:
        raise Break("JN208", f"no parameter `{name}`")
    place = names.index(name)
    if name not in kwargs and place >= len(args):
        raise Break("JN208", f"parameter `{name}` is not given")
    owner = kwargs[name] if name in kwargs else args[place]
    for attribute in attributes[:-1]:
        owner = get_attribute(m, owner, attribute)
    last = attributes[-1]
    if not isinstance(owner, ObjectRef):
        raise Break("JN403", f"attributes of a {type(owner).__name__}")
    cls = m.outside.classes[owner.id]
    plain = getattr(cls, "__setattr__", None) is object.__setattr__
    if not plain or hasattr(type(inspect.getattr_static(cls, last, None)), "__set__"):
        raise Break("JN216", f"`{cls.__qualname__}.{last}` is no plain attribute")
    tree = get_attribute(m, owner, last)
    written = m.get(owner.id).get(last) is not None
    return _Attribute(tree, owner=owner, name=last, written=written)


def _parameters(function: Abstract) -> list[str]:
    """Return the names of a function's parameters."""
    if isinstance(function, FunctionValue):
        params = code_of(function.template.source).params
        return [*params.posonly, *params.pos_or_kw, *params.kwonly]
    python = unwrap_callable(function.value) if isinstance(function, Known) else None
    if python is None:
        raise Break("JN303", "gradients by attribute of something other than a function")
    return list(inspect.signature(python).parameters)


def _is_float(array: JaxArray) -> bool:
    return bool(jax.numpy.issubdtype(array.dtype, np.floating))


# ---- pytrees ----------------------------------------------------------------------------------------


def _flatten(m: Machine, tree: Abstract, leaves: list[JaxArray], filtered: bool = False) -> None:
    """Collect the leaves in JAX's order, or of these the arrays of floats."""
    if filtered and not _has_children(m, tree):
        if _is_array_of_floats(tree):
            leaves.append(_leaf(m, tree))
        return
    children = _children(m, tree)
    if children is not None:
        for child in children:
            _flatten(m, child, leaves, filtered)
        return
    if isinstance(tree, Known) and tree.value is None:
        return
    leaf = _leaf(m, tree)
    if not _is_float(leaf):
        raise Break("JN208", f"no gradient with respect to {leaf.dtype}")
    leaves.append(leaf)


def _has_children(m: Machine, tree: Abstract) -> bool:
    """Whether JAX looks into something."""
    match tree:
        case TupleValue() | ListRef() | DictRef():
            return True
        case ObjectRef():
            cls = m.outside.classes[tree.id]
            return is_node(cls) or is_variable(cls)
        case Known():
            return isinstance(tree.value, (tuple, list, dict)) or is_node(type(tree.value))
    return False


def _is_array_of_floats(tree: Abstract) -> bool:
    if not isinstance(tree, (JaxArray, NumpyArray, NumpyScalar)):
        return False
    if np.issubdtype(tree.dtype, np.complexfloating):
        raise Break("JN403", "gradients with respect to complex numbers")
    return bool(jax.numpy.issubdtype(tree.dtype, np.floating))


def _children(m: Machine, tree: Abstract) -> Sequence[Abstract] | None:
    match tree:
        case TupleValue():
            return tree.items
        case ListRef():
            require_node(tree)
            return list_items(m, tree)
        case DictRef():
            return [value for _, value in _entries(m, tree)]
        case ObjectRef() if m.outside.classes[tree.id].__module__.startswith("flax."):
            return graph_children(m, tree)
        case ObjectRef() if _flattens_itself(m, tree):
            return _flattened(m, tree)[0]
        case ObjectRef():
            return [get_attribute(m, tree, name) for name in _data_fields(m.outside.classes[tree.id])]
    return None


def _flattens_itself(m: Machine, tree: ObjectRef) -> bool:
    """Whether a class is registered by methods of its own."""
    cls = m.outside.classes[tree.id]
    return is_node(cls) and not dataclasses.is_dataclass(cls) and hasattr(cls, "tree_unflatten")


def _flattened(m: Machine, tree: ObjectRef) -> tuple[Sequence[Abstract], Abstract]:
    from janus_mlir.capture.calls import call_inline

    pair = call_inline(m, get_attribute(m, tree, "tree_flatten"), [])
    if not isinstance(pair, TupleValue) or len(pair.items) != 2:
        raise Break("JN403", "`tree_flatten` returns no pair")
    children = items_of(m, pair.items[0])
    if children is None:
        raise Break("JN403", "`tree_flatten` returns children of unknown number")
    return children, pair.items[1]


class _Field:
    """Stands for the value of a field."""


@functools.cache
def _data_fields(cls: type) -> tuple[str, ...]:
    """Return the fields of a registered dataclass that JAX differentiates by."""
    if not dataclasses.is_dataclass(cls):
        raise Break("JN403", f"`{cls.__qualname__}` among differentiated values")
    example = object.__new__(cls)
    for field in dataclasses.fields(cls):
        object.__setattr__(example, field.name, _Field())
    paths, _ = jax.tree_util.tree_flatten_with_path(example, is_leaf=lambda node: node is not example)
    names = [getattr(path[0], "name", None) if len(path) == 1 else None for path, _ in paths]
    if not names or any(not isinstance(name, str) for name in names):
        raise Break("JN403", f"`{cls.__qualname__}` is not registered with JAX field by field")
    return tuple(str(name) for name in names)


def _rebuilt_object(m: Machine, tree: ObjectRef, change: Callable[[Abstract], Abstract]) -> Abstract:
    """Return a new instance, with `change` applied to what is data."""
    cls = m.outside.classes[tree.id]
    if cls.__module__.startswith("flax."):
        return rebuilt_graph(m, tree, change)
    if _flattens_itself(m, tree):
        from janus_mlir.capture.calls import call_inline

        children, rest = _flattened(m, tree)
        changed = TupleValue(tuple(map(change, children)))
        return call_inline(m, get_attribute(m, Known(cls), "tree_unflatten"), [rest, changed])
    data = _data_fields(cls)
    generated = getattr(getattr(cls, "__init__", None), "__code__", None)
    own = type(cls).__module__.partition(".")[0] == "equinox"
    if own or generated is None or generated.co_filename != "<string>":
        return _rebuilt_module(m, tree, data, change)
    values = {f.name: get_attribute(m, tree, f.name) for f in dataclasses.fields(cls)}
    values.update({name: change(values[name]) for name in data})
    made = make_instance(m, cls, [], values, "")
    if not isinstance(made, Abstract):
        raise Break("JN403", f"`{cls.__qualname__}` among differentiated values")
    return made


def _rebuilt_module(
    m: Machine, tree: ObjectRef, data: Sequence[str], change: Callable[[Abstract], Abstract]
) -> Abstract:
    """Return a new instance as equinox makes it of its modules: its fields are set, `__init__` is not called."""
    cls = m.outside.classes[tree.id]
    if type(cls).__module__.partition(".")[0] != "equinox":
        raise Break("JN403", f"`{cls.__qualname__}` among differentiated values")
    present = set(attribute_names(m, tree))
    made = ObjectRef()
    m.outside.classes[made.id] = cls
    fields = [(f.name, get_attribute(m, tree, f.name)) for f in dataclasses.fields(cls) if f.name in present]
    m.put(made.id, ObjectContent(tuple((k, change(v) if k in data else v) for k, v in fields)))
    return made


def _entries(m: Machine, tree: DictRef) -> Sequence[tuple[Any, Abstract]]:
    """Return the entries in JAX's order, which sorts the keys of dicts."""
    require_node(tree)
    entries = dict_entries(m, tree)
    if tree.cls is not dict:
        return entries
    try:
        return sorted(entries, key=lambda entry: entry[0])
    except TypeError:
        raise Break("JN403", "a dict whose keys have no order") from None


def _leaf(m: Machine, value: Abstract) -> JaxArray:
    if isinstance(value, JaxArray):
        return value
    if isinstance(value, (Number, NumpyArray, NumpyScalar)):
        arguments = Arguments(m)
        if not isinstance(arguments.convert(value), Leaf):
            raise Break("JN208", "no gradient with respect to a size")
        aval = arguments.avals[0]
        return JaxArray(arguments.refs[0], np.dtype(aval.dtype), tuple(aval.shape), bool(aval.weak_type))
    if isinstance(value, Known) and isinstance(value.value, float):
        dtype = np.dtype(jax.dtypes.canonicalize_dtype(np.float64))
        ref = m.b.one(
            "constant",
            [],
            TensorType("f64" if dtype.itemsize == 8 else "f32", ()),
            value=dtype.type(value.value),
        )
        return JaxArray(ref, dtype, (), True)
    raise Break("JN403", f"gradients with respect to a {type(value).__name__}")


def _rebuild(
    m: Machine,
    tree: Abstract,
    leaves: Iterator[JaxArray],
    filtered: bool = False,
    other: Abstract | None = None,
) -> Abstract:
    """Return the structure of `tree` with new leaves; its containers are new too.

    If it is `filtered`, `other` stands for the leaves that are no arrays of floats (None: they stay).
    """

    def inner(item: Abstract) -> Abstract:
        return _rebuild(m, item, leaves, filtered, other)

    if filtered and not _has_children(m, tree):
        if _is_array_of_floats(tree):
            return next(leaves)
        return tree if other is None else other
    match tree:
        case TupleValue():
            return TupleValue(tuple(inner(item) for item in tree.items), tree.cls)
        case ListRef():
            return new_list(m, tuple(inner(item) for item in list_items(m, tree)))
        case DictRef():
            return new_dict(m, tuple((key, inner(item)) for key, item in _entries(m, tree)), tree.cls)
        case ObjectRef():
            return _rebuilt_object(m, tree, inner)
        case Known() if tree.value is None:
            return tree
    return next(leaves)


def _map(m: Machine, tree: Abstract, same: Mapping[int, Abstract]) -> Abstract:
    """Return auxiliary results as JAX does: in new containers, and what is differentiated by as it came."""
    match tree:
        case JaxArray():
            return same.get(tree.id, tree)
        case TupleValue():
            return TupleValue(tuple(_map(m, item, same) for item in tree.items), tree.cls)
        case ListRef():
            require_node(tree)
            return new_list(m, tuple(_map(m, item, same) for item in list_items(m, tree)))
        case DictRef():
            entries = _entries(m, tree)
            return new_dict(m, tuple((key, _map(m, item, same)) for key, item in entries), tree.cls)
        case ObjectRef() if tree.id in same:
            return same[tree.id]
        case ObjectRef():
            try:
                return _rebuilt_object(m, tree, lambda field: _map(m, field, same))
            except Break:
                return tree  # no pytree: the object itself
    return tree
