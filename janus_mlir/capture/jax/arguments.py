"""Arguments of calls into JAX: traced arrays, and the static structure around them."""

from __future__ import annotations

import types
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from janus_mlir.capture.attributes import attribute_names, get_attribute
from janus_mlir.capture.breaks import Break
from janus_mlir.capture.containers import dict_entries, list_items
from janus_mlir.capture.graph import BOOL, INT, TensorType, Value
from janus_mlir.capture.jax.callbacks import Callback, constant_of, node_items, rebuild_node, require_node
from janus_mlir.capture.jax.copies import Copies, Opaque, Recipe, Untraced, is_stateful, parts
from janus_mlir.capture.jax.values import TRACED_PACKAGES, Transformed, is_jax_callable, is_node
from janus_mlir.capture.numbers import as_int
from janus_mlir.capture.unions import as_array
from janus_mlir.capture.values import (
    Abstract,
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
    SliceValue,
    TupleValue,
    UnionValue,
)
from janus_mlir.runtime.dtypes import find_dtype

if TYPE_CHECKING:
    from janus_mlir.capture.machine import Machine

struct: Any = jax.ShapeDtypeStruct


@dataclass(frozen=True, slots=True)
class Leaf:
    """Stands for a traced argument inside the structure of static ones."""

    index: int


@dataclass(frozen=True, slots=True)
class Node:
    """A pytree node with attributes, and the structure of these."""

    cls: type
    attributes: tuple[tuple[str, Any], ...]


class Static:
    """A static argument as part of a cache key: equal only if interchangeable."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __hash__(self) -> int:
        try:
            return hash((type(self.value), self.value))
        except TypeError:
            return hash(id(self.value))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Static) or type(self.value) is not type(other.value):
            return False
        if self.value is other.value:
            return True
        if isinstance(self.value, float):
            return bool(self.value.hex() == other.value.hex())
        if isinstance(self.value, (int, str, bytes, np.dtype)) or getattr(
            self.value, "traced_by_value", False
        ):
            return bool(self.value == other.value)
        return False


class Arguments:
    """Splits abstract arguments into traced arrays and a static structure around them."""

    def __init__(self, m: Machine) -> None:
        self.m = m
        self.refs: list[Value] = []
        self.avals: list[Any] = []
        self.numbers: list[Abstract] = []
        #: JAX arrays among the traced arguments, by position.
        self.arrays: dict[int, JaxArray] = {}
        #: Python numbers among them, by position.
        self.number_at: dict[int, Number] = {}
        self.callbacks: list[Abstract] = []
        #: Objects of flax.nnx, by id.
        self.recipes: dict[int, Recipe] = {}
        #: Whether some of these hold functions of the program.
        self.untraced = False
        #: Numbers among the attributes of these that a trace has looked at.
        self.used: list[Abstract] = []

    def add(self, ref: Value, dtype: Any, shape: tuple[Any, ...], weak: bool) -> Leaf:
        self.refs.append(ref)
        self.avals.append(struct(shape, dtype, weak_type=weak))
        return Leaf(len(self.refs) - 1)

    def convert(self, value: Abstract) -> Any:
        """Return the structure of one argument: `Leaf`, containers, or `Static`."""
        m = self.m
        match value:
            case JaxArray():
                self.arrays[len(self.refs)] = value
                return self.add(value.ref, value.dtype, value.shape, value.weak)
            case NumpyArray():
                return self._canonical(m.read(value), value.dtype, value.shape)
            case NumpyScalar():
                return self._canonical(value.ref, value.dtype, ())
            case Number():
                return self._number(value)
            case ExtentNumber():
                return Static(value.expr)
            case Known():
                return self._known(value)
            case TupleValue():
                items = tuple(map(self.convert, value.items))
                return items if value.cls is tuple else value.cls._make(items)  # type: ignore[attr-defined]
            case ListRef():
                require_node(value)
                return [self.convert(item) for item in list_items(m, value)]
            case DictRef():
                require_node(value)
                return value.cls((k, self.convert(v)) for k, v in dict_entries(m, value))
            case ObjectRef() if is_stateful(m.outside.classes[value.id]):
                return self._recipe(value)
            case ObjectRef() if is_node(m.outside.classes[value.id]):
                attributes = [(k, self.convert(v)) for k, v in node_items(m, value)]
                return Node(m.outside.classes[value.id], tuple(attributes))
            case ObjectRef() if self._is_constant(value):
                return Static(m.outside.live(value.id))
            case SliceValue():
                return slice(self.convert(value.start), self.convert(value.stop), self.convert(value.step))
            case FunctionValue() | MethodValue() | Transformed():
                self.callbacks.append(value)
                return Static(Callback(m, value))
            case UnionValue() if not m.pure and (array := as_array(m, value)) is not None:
                return self.convert(array)
        raise Break("JN403", f"a {type(value).__name__} is passed to a JAX function")

    def _recipe(self, value: ObjectRef) -> Recipe:
        found = self.recipes.get(value.id)
        if found is None:
            found = self.recipes[value.id] = Recipe(value, self.m.outside.classes[value.id])
            found.items = parts(self.m, value)
            found.structure = [(name, self._part(item)) for name, item in found.items]
        return found

    def _part(self, item: Abstract) -> Any:
        """Convert an attribute of such an object."""
        live = item.value if isinstance(item, Known) else None
        if isinstance(live, types.FunctionType) and not is_jax_callable(live):
            self.untraced = True
            return Static(Untraced(live))
        if isinstance(item, Number):
            return Static(Opaque(item, self.used))
        known = len(self.callbacks)
        found = self.convert(item)
        if len(self.callbacks) > known:
            raise Break("JN403", "a function among the attributes of a module")
        return found

    def _is_constant(self, value: ObjectRef) -> bool:
        """Whether an object is a library's, and all that it holds are constants (guarded): a schedule, an optimiser."""
        m = self.m
        cls = m.outside.classes[value.id]
        if cls.__module__.partition(".")[0] not in TRACED_PACKAGES or value.id not in m.initial:
            return False
        source = m.outside.source(value.id)
        if source is None or m.get(value.id).written:
            return False
        live = m.outside.live(value.id)
        m.outside.check("is", source, live, kind="identity", expected="the same")
        if not cls.__dictoffset__:
            # Without attributes but in slots: a frozen mapping, which holds what it was made with.
            return cls.__name__ == "FrozenDict" and not any(map(_is_array, jax.tree.leaves(live)))
        return all(constant_of(get_attribute(m, value, n))[0] for n in attribute_names(m, value))

    def _known(self, value: Known) -> Any:
        live = value.value
        if isinstance(live, types.FunctionType) and not is_jax_callable(live):
            self.callbacks.append(value)
            return Static(Callback(self.m, value))
        if isinstance(live, tuple) and type(live) is tuple:
            return tuple(self.convert(Known(item)) for item in live)
        if isinstance(live, slice):
            return slice(*(self.convert(Known(p)) for p in (live.start, live.stop, live.step)))
        return Static(live)

    def _canonical(self, ref: Value, dtype: np.dtype[Any], shape: tuple[Any, ...]) -> Leaf:
        """NumPy arrays enter JAX with its canonical dtype (32 bits unless x64 is enabled)."""
        canonical = np.dtype(jax.dtypes.canonicalize_dtype(dtype))
        if canonical != dtype:
            assert isinstance(ref.type, TensorType)
            found = find_dtype(canonical)
            assert found is not None
            ref = self.m.b.one("lax.convert_element_type", [ref], TensorType(found.mlir, ref.type.shape))
        return self.add(ref, canonical, shape, False)

    def _number(self, value: Number) -> Leaf:
        """Python numbers enter JAX as weakly typed scalars."""
        m = self.m
        self.numbers.append(value)
        self.number_at[len(self.refs)] = value
        if value.kind == "bool":
            ref = m.b.one("tensor.from_elements", [value.ref], TensorType("i1", ()))
            return self.add(ref, np.dtype(bool), (), False)
        wide, kind = (np.float64, "f64") if value.kind == "float" else (np.int64, "i64")
        dtype = np.dtype(jax.dtypes.canonicalize_dtype(wide))
        if value.kind == "int" and dtype.itemsize == 4:
            number = as_int(m, value)
            shifted = m.b.one("arith.addi", [number, m.const(2**31)], INT)
            fits = m.b.one("arith.cmpi", [shifted, m.const(2**32)], BOOL, predicate="ult")
            m.guard(fits, "overflow", text="the int fits 32 bits, as JAX demands")
        ref = m.b.one("tensor.from_elements", [value.ref], TensorType(kind, ()))
        if dtype.itemsize == 4:
            narrow = "f32" if value.kind == "float" else "i32"
            ref = m.b.one("lax.convert_element_type", [ref], TensorType(narrow, ()))
        return self.add(ref, dtype, (), True)


def _is_array(leaf: Any) -> bool:
    return isinstance(leaf, (jax.Array, np.ndarray))


def restore(structure: Any, leaves: Sequence[Any], copies: Copies | None = None) -> Any:
    """Return what a structure stands for, with `leaves` for what is traced; objects of flax.nnx are among `copies`."""

    def inner(part: Any) -> Any:
        return restore(part, leaves, copies)

    if isinstance(structure, Recipe):
        assert copies is not None
        return structure.copy(copies, inner)
    if isinstance(structure, Leaf):
        return leaves[structure.index]
    if isinstance(structure, Static):
        return structure.value
    if isinstance(structure, Node):
        return rebuild_node(structure.cls, [(k, inner(s)) for k, s in structure.attributes])
    if isinstance(structure, tuple):
        items = [inner(s) for s in structure]
        return tuple(items) if type(structure) is tuple else type(structure)._make(items)  # type: ignore[attr-defined]
    if isinstance(structure, list):
        return [inner(s) for s in structure]
    if isinstance(structure, dict):
        return type(structure)((k, inner(s)) for k, s in structure.items())
    if isinstance(structure, slice):
        return slice(*(inner(p) for p in (structure.start, structure.stop, structure.step)))
    return structure


def structure_key(structure: Any) -> Any:
    if isinstance(structure, Node):
        return (structure.cls, *((k, structure_key(v)) for k, v in structure.attributes))
    if isinstance(structure, (list, tuple)):
        return (type(structure), *map(structure_key, structure))
    if isinstance(structure, dict):
        return (type(structure), *((k, structure_key(v)) for k, v in structure.items()))
    if isinstance(structure, slice):
        return (
            "slice",
            structure_key(structure.start),
            structure_key(structure.stop),
            structure_key(structure.step),
        )
    return structure
