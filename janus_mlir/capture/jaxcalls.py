"""Calls into JAX: traced once with ``jax.make_jaxpr`` on abstract arguments, and kept as one graph op.

Functions that the user passes to JAX (to differentiate, map or scan) are captured like any other code,
with JAX's tracers as arrays, so that what they read from outside is guarded.
"""

from __future__ import annotations

import types
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import jax
import numpy as np

from janus_mlir.capture.breaks import Break
from janus_mlir.capture.containers import dict_entries, items_of, list_items, new_dict, new_list
from janus_mlir.capture.control import Left
from janus_mlir.capture.graph import BOOL, FLOAT, INT, Block, TensorType, Value
from janus_mlir.capture.numbers import as_int, make
from janus_mlir.capture.speculation import Respecialise
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
    SliceValue,
    TupleValue,
)
from janus_mlir.gradients import GradientFunction
from janus_mlir.gradients import grad as janus_grad
from janus_mlir.gradients import value_and_grad as janus_value_and_grad
from janus_mlir.runtime.dtypes import dtype_by_mlir, find_dtype

if TYPE_CHECKING:
    from janus_mlir.capture.machine import Machine

#: Packages whose functions are traced as a whole.
TRACED_PACKAGES = frozenset({"jax", "jaxlib", "optax", "chex"})
_TRANSFORMS: tuple[Any, ...] = (
    jax.grad, jax.value_and_grad, jax.vmap, jax.jit, jax.checkpoint, jax.jacfwd, jax.jacrev, jax.hessian,
)  # fmt: skip
#: Janus's own transformations and what they are in JAX.
_OWN = {id(janus_grad): jax.grad, id(janus_value_and_grad): jax.value_and_grad}
_ARRAY_METHODS_IN_PYTHON = frozenset(
    {"item", "tolist", "block_until_ready", "__array__", "devices", "device", "addressable_data"}
)
_CACHE_SIZE = 4096
_struct: Any = jax.ShapeDtypeStruct


@dataclass(frozen=True, slots=True, eq=False)
class Transformed(Abstract):
    """A function made by a JAX transformation of a function, such as ``jax.grad(f)``."""

    transform: Any
    function: Abstract
    args: tuple[Abstract, ...]
    kwargs: tuple[tuple[str, Abstract], ...]


@dataclass(frozen=True, slots=True, eq=False)
class AtIndex(Abstract):
    """``x.at[index]`` of a JAX array: what its update methods work on."""

    array: JaxArray
    index: Abstract


@dataclass(frozen=True, slots=True)
class _AtUpdate:
    """A method of ``x.at[index]``, as a function that can be traced."""

    name: str
    traced_by_value: ClassVar[bool] = True

    def __call__(self, x: Any, index: Any, *args: Any, **kwargs: Any) -> Any:
        return getattr(x.at[index], self.name)(*args, **kwargs)


@dataclass(frozen=True, slots=True)
class _Leaf:
    """Stands for a traced argument inside the structure of static ones."""

    index: int


class _Static:
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
        if not isinstance(other, _Static) or type(self.value) is not type(other.value):
            return False
        if self.value is other.value:
            return True
        if isinstance(self.value, float):
            return self.value.hex() == other.value.hex()
        if isinstance(self.value, (int, str, bytes, np.dtype)) or getattr(self.value, "traced_by_value", False):
            return bool(self.value == other.value)
        return False


@dataclass(frozen=True, slots=True)
class _Traced:
    """A jaxpr with the structure of its result; leaves are indices into the outputs, or static values."""

    jaxpr: Any
    outputs: tuple[Any, ...]
    treedef: Any
    leaves: tuple[Any, ...]


_traces: OrderedDict[Any, _Traced | Break] = OrderedDict()


def is_jax_callable(live: Any) -> bool:
    """Whether a callable belongs to JAX (or a library of pure functions on JAX arrays)."""
    if id(live) in _OWN or isinstance(live, GradientFunction):
        return True
    if isinstance(live, types.MethodType):
        return is_jax_callable(live.__func__)
    code = getattr(live, "__code__", None)
    if code is not None:
        namespace = getattr(live, "__globals__", {}).get("__name__", "")
        return str(namespace).partition(".")[0] in TRACED_PACKAGES
    module = getattr(live, "__module__", None) or type(live).__module__ or ""
    if type(live).__name__ in ("PjitFunction", "custom_jvp", "custom_vjp"):
        return True
    return str(module).partition(".")[0] in TRACED_PACKAGES and callable(live)


# ---- arguments ----------------------------------------------------------------------------------


class _Arguments:
    """Splits abstract arguments into traced arrays and a static structure around them."""

    def __init__(self, m: Machine) -> None:
        self.m = m
        self.refs: list[Value] = []
        self.avals: list[Any] = []
        self.numbers: list[Abstract] = []
        #: JAX arrays among the traced arguments, by position.
        self.arrays: dict[int, JaxArray] = {}
        self.callbacks: list[Abstract] = []

    def add(self, ref: Value, dtype: Any, shape: tuple[Any, ...], weak: bool) -> _Leaf:
        self.refs.append(ref)
        self.avals.append(_struct(shape, dtype, weak_type=weak))
        return _Leaf(len(self.refs) - 1)

    def convert(self, value: Abstract) -> Any:
        """Return the structure of one argument: `_Leaf`, containers, or `_Static`."""
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
                return _Static(value.expr)
            case Known():
                return self._known(value)
            case TupleValue():
                items = tuple(map(self.convert, value.items))
                return items if value.cls is tuple else value.cls._make(items)  # type: ignore[attr-defined]
            case ListRef():
                return [self.convert(item) for item in list_items(m, value)]
            case DictRef():
                return {k: self.convert(v) for k, v in dict_entries(m, value)}
            case SliceValue():
                return slice(self.convert(value.start), self.convert(value.stop), self.convert(value.step))
            case FunctionValue() | MethodValue() | Transformed():
                self.callbacks.append(value)
                return _Static(_Callback(m, value))
        raise Break("JN403", f"a {type(value).__name__} is passed to a JAX function")

    def _known(self, value: Known) -> Any:
        live = value.value
        if isinstance(live, types.FunctionType) and not is_jax_callable(live):
            self.callbacks.append(value)
            return _Static(_Callback(self.m, value))
        if isinstance(live, tuple) and type(live) is tuple:
            return tuple(self.convert(Known(item)) for item in live)
        if isinstance(live, slice):
            return slice(*(self.convert(Known(p)) for p in (live.start, live.stop, live.step)))
        return _Static(live)

    def _canonical(self, ref: Value, dtype: np.dtype[Any], shape: tuple[Any, ...]) -> _Leaf:
        """NumPy arrays enter JAX with its canonical dtype (32 bits unless x64 is enabled)."""
        canonical = np.dtype(jax.dtypes.canonicalize_dtype(dtype))
        if canonical != dtype:
            assert isinstance(ref.type, TensorType)
            found = find_dtype(canonical)
            assert found is not None
            ref = self.m.b.one("lax.convert_element_type", [ref], TensorType(found.mlir, ref.type.shape))
        return self.add(ref, canonical, shape, False)

    def _number(self, value: Number) -> _Leaf:
        """Python numbers enter JAX as weakly typed scalars."""
        m = self.m
        self.numbers.append(value)
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


def _restore(structure: Any, leaves: Sequence[Any]) -> Any:
    if isinstance(structure, _Leaf):
        return leaves[structure.index]
    if isinstance(structure, _Static):
        return structure.value
    if isinstance(structure, tuple):
        items = [_restore(s, leaves) for s in structure]
        return tuple(items) if type(structure) is tuple else type(structure)._make(items)  # type: ignore[attr-defined]
    if isinstance(structure, list):
        return [_restore(s, leaves) for s in structure]
    if isinstance(structure, dict):
        return {k: _restore(s, leaves) for k, s in structure.items()}
    if isinstance(structure, slice):
        return slice(*(_restore(p, leaves) for p in (structure.start, structure.stop, structure.step)))
    return structure


def _key(structure: Any) -> Any:
    if isinstance(structure, (list, tuple)):
        return (type(structure), *map(_key, structure))
    if isinstance(structure, dict):
        return ("dict", *((k, _key(v)) for k, v in structure.items()))
    if isinstance(structure, slice):
        return ("slice", _key(structure.start), _key(structure.stop), _key(structure.step))
    return structure


# ---- tracing ----------------------------------------------------------------------------------------


def _make_jaxpr(function: Callable[..., Any], avals: Sequence[Any]) -> _Traced:
    shape: list[Any] = []

    def flat(*leaves: Any) -> tuple[Any, ...]:
        result = function(*leaves)
        values, treedef = jax.tree.flatten(result)
        arrays: list[Any] = []
        description: list[Any] = []
        for value in values:
            if isinstance(value, (jax.Array, np.ndarray, np.generic)):
                if not isinstance(value, jax.Array):
                    raise Break("JN403", "a JAX function that returns NumPy arrays")
                description.append(len(arrays))
                arrays.append(value)
            else:
                description.append(_Static(value))
        shape[:] = [treedef, tuple(description)]
        return tuple(arrays)

    jaxpr = jax.make_jaxpr(flat)(*avals)
    if jaxpr.effects:
        raise Break("JN401", "a JAX computation with effects")
    outputs = tuple((a.dtype, a.shape, bool(getattr(a, "weak_type", False))) for a in jaxpr.out_avals)
    for dtype, _, _ in outputs:
        if find_dtype(dtype) is None and not jax.numpy.issubdtype(dtype, jax.dtypes.extended):
            raise Break("JN402", f"dtype {dtype}")
    return _Traced(jaxpr, outputs, shape[0], shape[1])


def _trace(m: Machine, live: Any, structure: Any, arguments: _Arguments) -> _Traced:
    from janus_mlir.emit import supported

    def function(*leaves: Any) -> Any:
        args, kwargs = _restore(structure, leaves)
        return live(*args, **kwargs)

    avals = arguments.avals
    key = None
    if not arguments.callbacks:
        key = (
            _Static(live),
            _key(structure),
            tuple((a.shape, a.dtype, a.weak_type) for a in avals),
            bool(jax.config.read("jax_enable_x64")),
        )
        found = _traces.get(key)
        if found is not None:
            _traces.move_to_end(key)
            if isinstance(found, Break):
                raise found
            return found
    try:
        traced = _guarded_trace(m, function, arguments)
        missing = supported(traced.jaxpr)
        if missing is not None:
            raise Break("JN401", missing)
    except Break as error:
        if key is not None:
            _remember(key, error)
        raise
    if key is not None:
        _remember(key, traced)
    return traced


def _guarded_trace(m: Machine, function: Callable[..., Any], arguments: _Arguments) -> _Traced:
    try:
        return _make_jaxpr(function, arguments.avals)
    except (Break, Left, Respecialise, RecursionError):
        raise
    except jax.errors.ConcretizationTypeError as error:
        m.need_constants(arguments.numbers)
        raise Break("JN403", f"a run-time number where JAX needs a constant: {_first_line(error)}") from None
    except Exception as error:  # whatever JAX raises, the user will see it from Python itself
        m.need_constants(arguments.numbers)  # shapes and slices of run-time numbers: TypeError, IndexError
        if "nconclusive" in str(error):
            raise Break("JN501", f"a symbolic extent: {_first_line(error)}") from None
        raise Break("JN208", f"{type(error).__name__}: {_first_line(error)}") from None


def _remember(key: Any, result: _Traced | Break) -> None:
    _traces[key] = result
    if len(_traces) > _CACHE_SIZE:
        _traces.popitem(last=False)


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n", 1)[0][:200]


def call_jax(m: Machine, live: Any, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    """Call a JAX function."""
    live = _OWN.get(id(live), live)
    if any(live is t for t in _TRANSFORMS) and args:
        return Transformed(live, args[0], tuple(args[1:]), tuple(kwargs.items()))
    opened = _open_transform(m, live)
    if opened is not None:
        return call_transformed(m, opened, args, kwargs)
    arguments = _Arguments(m)
    structure = (
        tuple(arguments.convert(a) for a in args),
        {k: arguments.convert(v) for k, v in kwargs.items()},
    )
    return _apply(m, live, structure, arguments)


def call_transformed(
    m: Machine, function: Transformed, args: list[Abstract], kwargs: dict[str, Abstract]
) -> Abstract:
    """Call a function that a JAX transformation has made."""
    if function.transform is jax.jit:
        from janus_mlir.capture.calls import call_inline

        return call_inline(m, function.function, args, kwargs)
    arguments = _Arguments(m)
    structure = (
        tuple(arguments.convert(a) for a in args),
        {k: arguments.convert(v) for k, v in kwargs.items()},
    )
    return _apply(m, _transform(m, arguments, function), structure, arguments)


def _transform(m: Machine, arguments: _Arguments, function: Transformed) -> Any:
    inner = function.function
    if isinstance(inner, Transformed):
        live = _transform(m, arguments, inner)
    elif (
        isinstance(inner, Known) and is_jax_callable(inner.value) and _open_transform(m, inner.value) is None
    ):
        live = inner.value
    else:
        arguments.callbacks.append(inner)
        live = _Callback(m, inner)
    options = [_static(m, a) for a in function.args]
    return function.transform(live, *options, **{k: _static(m, v) for k, v in function.kwargs})


def _static(m: Machine, value: Abstract) -> Any:
    if isinstance(value, Known):
        return value.value
    items = items_of(m, value) if isinstance(value, (TupleValue, ListRef)) else None
    if items is None:
        raise Break("JN403", "an option of a JAX transformation that is only known at run time")
    found = [_static(m, item) for item in items]
    return tuple(found) if isinstance(value, TupleValue) else found


def _open_transform(m: Machine, live: Any) -> Transformed | None:
    """Recognise ``g = jax.grad(f)`` made outside: the user's `f` must be captured, not traced blindly."""
    if isinstance(live, GradientFunction):
        return Transformed(
            live.transform, Known(live.function), (), tuple((k, Known(v)) for k, v in live.options.items())
        )
    if not isinstance(live, types.FunctionType) or live.__closure__ is None:
        return None
    transform = _WRAPPERS.get((live.__globals__.get("__name__", ""), live.__code__.co_name))
    if transform is None:
        return None
    cells = dict(zip(live.__code__.co_freevars, (c.cell_contents for c in live.__closure__), strict=True))
    maker, names = transform
    if "fun" not in cells or not all(n in cells for n in names):
        raise Break("JN303", f"a function made by jax.{maker.__name__}")
    return Transformed(maker, Known(cells["fun"]), (), tuple((n, Known(cells[n])) for n in names))


_API = jax.value_and_grad.__module__
_WRAPPERS: dict[tuple[str, str], tuple[Any, tuple[str, ...]]] = {
    (_API, "value_and_grad_f"): (jax.value_and_grad, ("argnums", "has_aux", "holomorphic", "allow_int")),
    (_API, "vmap_f"): (jax.vmap, ("in_axes", "out_axes")),
}


def _apply(m: Machine, live: Any, structure: Any, arguments: _Arguments) -> Abstract:
    if m.replaying is not None:
        return _call_now(m, live, structure, arguments)
    if arguments.callbacks:
        traced, refs = _trace_callbacks(m, live, structure, arguments)
    else:
        traced, refs = _trace(m, live, structure, arguments), arguments.refs
    types_ = []
    for dtype, shape, _ in traced.outputs:
        if jax.numpy.issubdtype(dtype, jax.dtypes.extended):
            raise Break("JN402", "typed PRNG keys")
        found = find_dtype(dtype)
        assert found is not None
        types_.append(TensorType(found.mlir, tuple(shape)))
    results = m.b.op("jax.call", refs, types_, jaxpr=traced.jaxpr)
    return _wrap_result(m, traced, results, arguments.arrays)


def _trace_callbacks(
    m: Machine, live: Any, structure: Any, arguments: _Arguments
) -> tuple[_Traced, list[Value]]:
    """Trace a call that calls captured functions back.

    The first pass finds out which outer values these use, the second has them as arguments.
    """
    saved = m.state
    lifts = Lifts(None)
    traced, block = _trace_pass(m, live, structure, arguments, saved, lifts)
    if lifts.refs:
        extra = [_struct(a.shape, a.dtype) for a in map(_dummy, lifts.refs)]
        known = len(arguments.avals)
        arguments.avals.extend(extra)
        lifts = Lifts(known)
        traced, block = _trace_pass(m, live, structure, arguments, saved, lifts)
        if len(lifts.refs) != len(extra):
            raise Break("JN303", "a function passed to JAX takes different ways when traced again")
    m.state = saved
    m.b.block.ops.extend(block.ops)
    return traced, [*arguments.refs, *lifts.refs]


def _trace_pass(
    m: Machine, live: Any, structure: Any, arguments: _Arguments, saved: Any, lifts: Lifts
) -> tuple[_Traced, Block]:
    from janus_mlir.emit import supported

    def function(*leaves: Any) -> Any:
        if lifts.first is not None:
            lifts.supply = list(leaves[lifts.first :])
        args, kwargs = _restore(structure, leaves)
        return live(*args, **kwargs)

    block = Block()
    m.state = saved.clone()
    m.lifts = lifts
    try:
        with m.b.inside(block):
            traced = _guarded_trace(m, function, arguments)
            for key, content in saved.heap.items():
                if m.state.heap.get(key) is not content:
                    raise Break("JN307", "a function passed to JAX changes an object")
    finally:
        m.lifts = None
        m.state = saved
    missing = supported(traced.jaxpr)
    if missing is not None:
        raise Break("JN401", missing)
    return traced, block


class Lifts:
    """Outer values that captured functions use while JAX traces them."""

    def __init__(self, first: int | None) -> None:
        #: Position of the first lifted value among the traced arguments; None in the finding pass.
        self.first = first
        self.refs: list[Value] = []
        self.supply: list[Any] = []

    def lift(self, ref: Value) -> Any:
        """Return the tracer (in the finding pass: a stand-in) of an outer value."""
        self.refs.append(ref)
        if self.first is None:
            return _dummy(ref)
        if len(self.refs) > len(self.supply):
            raise Break("JN303", "a function passed to JAX takes different ways when traced again")
        tracer = self.supply[len(self.refs) - 1]
        assert isinstance(ref.type, TensorType)
        if tuple(tracer.shape) != tuple(ref.type.shape):
            raise Break("JN303", "a function passed to JAX takes different ways when traced again")
        return tracer


def _dummy(ref: Value) -> Any:
    assert isinstance(ref.type, TensorType)
    if not all(isinstance(e, int) for e in ref.type.shape):
        raise Break("JN501", "a function passed to JAX that closes over an array with symbolic extents")
    return jax.numpy.zeros(ref.type.shape, dtype_by_mlir(ref.type.dtype).numpy)


def _wrap_result(
    m: Machine, traced: _Traced, results: Sequence[Value], arrays: dict[int, JaxArray]
) -> Abstract:
    leaves: list[Any] = []
    inner = traced.jaxpr.jaxpr
    positions = {id(v): i for i, v in enumerate(inner.invars)}
    for leaf in traced.leaves:
        if isinstance(leaf, _Static):
            leaves.append(_Wrapped(_constant_result(leaf.value)))
        elif (same := arrays.get(positions.get(id(inner.outvars[leaf]), -1))) is not None:
            leaves.append(_Wrapped(same))  # JAX returns the very array that it was given
        else:
            dtype, shape, weak = traced.outputs[leaf]
            leaves.append(_Wrapped(JaxArray(results[leaf], np.dtype(dtype), tuple(shape), weak)))
    return _abstract_tree(m, jax.tree.unflatten(traced.treedef, leaves))


@dataclass(frozen=True, slots=True)
class _Wrapped:
    """Keeps an abstract value opaque to pytree functions."""

    value: Abstract


def _constant_result(value: Any) -> Abstract:
    if isinstance(value, (int, float, bool, str, type(None), complex)) or callable(value):
        return Known(value)
    if not isinstance(value, int) and hasattr(value, "_evaluate"):
        return ExtentNumber(value)
    raise Break("JN403", f"a JAX function that returns a {type(value).__name__}")


def _abstract_tree(m: Machine, tree: Any) -> Abstract:
    if isinstance(tree, _Wrapped):
        return tree.value
    if tree is None:
        return Known(None)
    if isinstance(tree, tuple):
        return TupleValue(tuple(_abstract_tree(m, t) for t in tree), type(tree))
    if type(tree) is list:
        return new_list(m, tuple(_abstract_tree(m, t) for t in tree))
    if type(tree) is dict:
        return new_dict(m, tuple((k, _abstract_tree(m, v)) for k, v in tree.items()))
    raise Break("JN403", f"a JAX function that returns a {type(tree).__name__}")


# ---- functions that JAX calls back ---------------------------------------------------------------------


class _Callback:
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
        abstract = [_from_tracer(m, a) for a in args]
        named = {k: _from_tracer(m, v) for k, v in kwargs.items()}
        return _to_tracer(m, call_inline(m, function, abstract, named))
    finally:
        m.pure -= 1
        m.replaying = before


def _from_tracer(m: Machine, tree: Any) -> Abstract:
    if tree is None or isinstance(tree, (bool, int, float, str)):
        return Known(tree)
    if isinstance(tree, tuple):
        return TupleValue(tuple(_from_tracer(m, t) for t in tree), type(tree))
    if type(tree) is list:
        return new_list(m, tuple(_from_tracer(m, t) for t in tree))
    if type(tree) is dict:
        return new_dict(m, tuple((k, _from_tracer(m, t)) for k, t in tree.items()))
    if isinstance(tree, jax.Array):
        found = find_dtype(tree.dtype)
        if found is None:
            raise Break("JN402", f"dtype {tree.dtype}")
        ref = Value(TensorType(found.mlir, tuple(tree.shape)))
        assert m.replaying is not None
        m.replaying[ref.uid] = tree
        weak = bool(getattr(tree.aval, "weak_type", False))
        return JaxArray(ref, np.dtype(tree.dtype), tuple(tree.shape), weak)
    raise Break("JN403", f"a {type(tree).__name__} is passed to a function by JAX")


def _to_tracer(m: Machine, value: Abstract) -> Any:
    match value:
        case JaxArray():
            return _tracer_of(m, value.ref)
        case Known():
            return value.value
        case TupleValue():
            items = [_to_tracer(m, item) for item in value.items]
            return tuple(items) if value.cls is tuple else value.cls._make(items)  # type: ignore[attr-defined]
        case ListRef():
            return [_to_tracer(m, item) for item in list_items(m, value)]
        case DictRef():
            return {k: _to_tracer(m, item) for k, item in dict_entries(m, value)}
    raise Break("JN403", f"a {type(value).__name__} is returned to JAX")


def _tracer_of(m: Machine, ref: Value) -> Any:
    """Return the tracer of a graph value; a value from outside the callback is lifted on first use."""
    assert m.replaying is not None
    found = m.replaying.get(ref.uid)
    if found is None:
        assert m.lifts is not None
        found = m.replaying[ref.uid] = m.lifts.lift(ref)
    return found


def _call_now(m: Machine, live: Any, structure: Any, arguments: _Arguments) -> Abstract:
    """Call a JAX function on tracers, inside a function that JAX transforms."""
    leaves = [_tracer_of(m, ref) for ref in arguments.refs]
    args, kwargs = _restore(structure, leaves)
    try:
        result = live(*args, **kwargs)
    except Break:
        raise
    except Exception as error:  # whatever JAX raises, the user will see it from Python itself
        raise Break("JN208", f"{type(error).__name__}: {_first_line(error)}") from None
    return _from_tracer(m, result)


def jax_getitem(m: Machine, value: JaxArray, index: Abstract) -> Abstract:
    """Return ``x[index]`` of a JAX array: clamped, as JAX does."""
    import operator

    return call_jax(m, operator.getitem, [value, index], {})


def call_at_method(
    m: Machine, at: AtIndex, name: str, args: list[Abstract], kwargs: dict[str, Abstract]
) -> Abstract:
    """Call a method of ``x.at[index]``, such as ``set`` or ``add``."""
    return call_jax(m, _AtUpdate(name), [at.array, at.index, *args], kwargs)


def call_array_method(
    m: Machine, value: JaxArray, name: str, args: list[Abstract], kwargs: dict[str, Abstract]
) -> Abstract:
    """Call a method of a JAX array."""
    if name in ("item", "__float__", "__int__", "__bool__"):
        if args or kwargs:
            raise Break("JN403", f"`{name}` with arguments")
        return to_number(m, value, None)
    if name == "block_until_ready":
        return value
    if name in _ARRAY_METHODS_IN_PYTHON:
        raise Break("JN301", f"method `{name}` of a JAX array")
    return call_jax(m, _Method(name), [value, *args], kwargs)


class _Method:
    """``operator.methodcaller`` with a value-based identity, so that traces of it are cached."""

    traced_by_value = True

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        return getattr(x, self.name)(*args, **kwargs)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Method) and other.name == self.name

    def __hash__(self) -> int:
        return hash(("_Method", self.name))


def to_number(m: Machine, value: JaxArray, kind: str | None) -> Abstract:
    """Return ``int(x)``, ``float(x)``, ``bool(x)`` or ``x.item()`` (no `kind`) of a one-element array."""
    if m.pure:
        raise Break("JN308", "a traced array becomes a Python number")
    if any(not isinstance(e, int) or e != 1 for e in value.shape):
        raise Break("JN208", "only arrays with one element become Python numbers")
    ref = value.ref
    if value.shape:
        assert isinstance(ref.type, TensorType)
        ref = m.b.one("lax.reshape", [ref], TensorType(ref.type.dtype, ()))
    if kind == "bool" or (kind is None and value.dtype == np.bool_):
        return make("bool", m.b.one("janus.truth", [ref], BOOL))
    floating = jax.numpy.issubdtype(value.dtype, np.floating)
    if value.dtype == np.uint64:
        raise Break("JN505", "a uint64 becomes a Python int")
    target = "f64" if floating else "i64"
    assert isinstance(ref.type, TensorType)
    if ref.type.dtype != target:
        ref = m.b.one("lax.convert_element_type", [ref], TensorType(target, ()))
    number = make(
        "float" if floating else "int", m.b.one("tensor.extract", [ref], FLOAT if floating else INT)
    )
    from janus_mlir.capture.numbers import to_float, to_int

    if kind == "int":
        return to_int(m, number)
    return to_float(m, number) if kind == "float" else number
