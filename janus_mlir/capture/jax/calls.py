"""Calls into JAX: traced once with ``jax.make_jaxpr`` on abstract arguments, and kept as one graph op.

Functions that the user passes to JAX (to differentiate, map or scan) are captured like any other code,
with JAX's tracers as arrays, so that what they read from outside is guarded.
"""

from __future__ import annotations

import dataclasses
import sys
import types
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from janus_mlir.capture.attributes import get_attribute
from janus_mlir.capture.boundary.kinds import tensor_type
from janus_mlir.capture.boundary.sources import pinned
from janus_mlir.capture.breaks import Break
from janus_mlir.capture.containers import dict_entries, items_of, list_items
from janus_mlir.capture.control import Left
from janus_mlir.capture.graph import Block, Value
from janus_mlir.capture.jax.arguments import Arguments, Static, restore, struct, structure_key
from janus_mlir.capture.jax.callbacks import Callback, Lifts, from_tracer, stand_in, tracer_of
from janus_mlir.capture.jax.copies import Copies, Opaque, Same, Untraced, is_stateful, write_back
from janus_mlir.capture.jax.effects import Effects
from janus_mlir.capture.jax.trees import Wrapped, abstract_tree, call_tree, is_tree_function
from janus_mlir.capture.jax.values import (
    OWN_TRANSFORMS,
    Transformed,
    called_once,
    compilers,
    filtered,
    is_jax_callable,
    of_graphs,
    tells_numbers,
    transforms,
)
from janus_mlir.capture.returned_numbers import kept_numbers
from janus_mlir.capture.speculation import Respecialise
from janus_mlir.capture.values import (
    Abstract,
    DictRef,
    ExtentNumber,
    JaxArray,
    Known,
    ListRef,
    ObjectRef,
    TupleValue,
)
from janus_mlir.gradients import GradientFunction
from janus_mlir.runtime.dtypes import find_dtype
from janus_mlir.runtime.words import as_dtype, joined, word

if TYPE_CHECKING:
    from janus_mlir.capture.machine import Machine

_CACHE_SIZE = 4096
_config: Any = jax.config


@dataclass(frozen=True, slots=True)
class _Traced:
    """A jaxpr with the structure of its result; leaves are indices into the outputs, or static values."""

    jaxpr: Any
    outputs: tuple[Any, ...]
    treedef: Any
    leaves: tuple[Any, ...]


_traces: OrderedDict[Any, _Traced | Break] = OrderedDict()


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
                description.append(Static(value))
        shape[:] = [treedef, tuple(description)]
        return tuple(arrays)

    jaxpr = jax.make_jaxpr(flat)(*avals)
    if jaxpr.effects:
        raise Break("JN401", "a JAX computation with effects")
    outputs = tuple((a.dtype, a.shape, bool(getattr(a, "weak_type", False))) for a in jaxpr.out_avals)
    for dtype, _, _ in outputs:
        if find_dtype(word(dtype)) is None:
            raise Break("JN402", f"dtype {dtype}")
    return _Traced(jaxpr, outputs, shape[0], shape[1])


def _trace(m: Machine, live: Any, structure: Any, arguments: Arguments) -> _Traced:
    from janus_mlir.emit import supported

    def function(*leaves: Any) -> Any:
        args, kwargs = restore(structure, leaves)
        return live(*args, **kwargs)

    avals = arguments.avals
    key = None
    if not arguments.callbacks:
        key = (
            Static(live),
            structure_key(structure),
            tuple((a.shape, a.dtype, a.weak_type) for a in avals),
            bool(_config.read("jax_enable_x64")),
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


def _guarded_trace(m: Machine, function: Callable[..., Any], arguments: Arguments) -> _Traced:
    try:
        return _make_jaxpr(function, arguments.avals)
    except (Break, Left, Respecialise, RecursionError):
        raise
    except jax.errors.ConcretizationTypeError as error:
        m.need_constants(arguments.numbers)
        raise Break("JN403", f"a run-time number where JAX needs a constant: {first_line(error)}") from None
    except Exception as error:  # whatever JAX raises, the user will see it from Python itself
        m.need_constants(arguments.numbers)  # shapes and slices of run-time numbers: TypeError, IndexError
        if "nconclusive" in str(error):
            raise Break("JN501", f"a symbolic extent: {first_line(error)}") from None
        raise Break("JN208", f"{type(error).__name__}: {first_line(error)}") from None


def _remember(key: Any, result: _Traced | Break) -> None:
    _traces[key] = result
    if len(_traces) > _CACHE_SIZE:
        _traces.popitem(last=False)


def first_line(error: Exception) -> str:
    return str(error).strip().split("\n", 1)[0][:200]


def call_jax(m: Machine, live: Any, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    """Call a JAX function."""
    own = id(live) in OWN_TRANSFORMS
    live = OWN_TRANSFORMS.get(id(live), live)
    if any(live is t for t in transforms()) and args:
        wrt = _paths(kwargs) if own else None
        options = tuple((k, v) for k, v in kwargs.items() if not (own and k == "wrt"))
        return Transformed(live, args[0], tuple(args[1:]), options, wrt)
    opened = _open_transform(m, live)
    if opened is not None:
        return call_transformed(m, opened, args, kwargs)
    if is_tree_function(live):
        return call_tree(m, live, args, kwargs)
    arguments = Arguments(m)
    structure = (
        tuple(arguments.convert(a) for a in args),
        {k: arguments.convert(v) for k, v in kwargs.items()},
    )
    return _apply(m, live, structure, arguments)


def _paths(kwargs: dict[str, Abstract]) -> tuple[str, ...] | None:
    """Return the attribute paths among the options of one of Janus's own transformations."""
    given = kwargs.get("wrt", Known(None))
    if isinstance(given, Known) and given.value is None:
        return None
    paths = given.items if isinstance(given, TupleValue) else (given,)
    found = tuple(path.value for path in paths if isinstance(path, Known) and isinstance(path.value, str))
    if len(found) != len(paths) or any("." not in path for path in found):
        raise Break("JN303", "gradients with respect to something other than a path of attributes")
    return found


def call_transformed(
    m: Machine, function: Transformed, args: list[Abstract], kwargs: dict[str, Abstract]
) -> Abstract:
    """Call a function that a JAX transformation has made."""
    if any(function.transform is t for t in compilers()):
        from janus_mlir.capture.calls import call_inline

        return call_inline(m, function.function, args, kwargs)
    if any(function.transform is t for t in (jax.grad, jax.value_and_grad, *filtered(), *of_graphs())):
        from janus_mlir.capture.differentiation import differentiate

        done = differentiate(m, function, args, kwargs)
        if isinstance(done, Abstract):
            return done
        # What the function raises is no exception of this call: it may be another one that JAX's differentiation meets.
        reason = None if done is None else Break(done.reason_code, done.detail)
        if function.wrt is not None or any(function.transform is t for t in of_graphs()):
            raise reason or Break("JN303", "gradients with respect to attributes that cannot be captured")
        try:
            return _traced_call(m, function, args, kwargs)
        except Break as error:
            raise reason or error from None
    return _traced_call(m, function, args, kwargs)


def _traced_call(
    m: Machine, function: Transformed, args: list[Abstract], kwargs: dict[str, Abstract]
) -> Abstract:
    """Let JAX trace what it has made of a function."""
    arguments = Arguments(m)
    structure = (
        tuple(arguments.convert(a) for a in args),
        {k: arguments.convert(v) for k, v in kwargs.items()},
    )
    if tells_numbers(function.transform):
        _fix_numbers(m, arguments)
    effects = any(function.transform is t for t in called_once()) and not isinstance(
        function.function, Transformed
    )
    return _apply(m, _transform(m, arguments, function), structure, arguments, effects)


def _fix_numbers(m: Machine, arguments: Arguments) -> None:
    """Make the numbers that a call is given constants, because it may tell them from arrays."""
    if arguments.numbers:
        m.need_constants(arguments.numbers)
        raise Break("JN403", "a run-time number where JAX code tells numbers from arrays")


def _transform(m: Machine, arguments: Arguments, function: Transformed) -> Any:
    inner = function.function
    if isinstance(inner, Transformed):
        live = _transform(m, arguments, inner)
    elif (
        isinstance(inner, Known) and is_jax_callable(inner.value) and _open_transform(m, inner.value) is None
    ):
        live = inner.value
    else:
        arguments.callbacks.append(inner)
        live = Callback(m, inner)
    options = [_static(m, a) for a in function.args]
    return function.transform(live, *options, **{k: _static(m, v) for k, v in function.kwargs})


def runs_other_code(m: Machine, live: Any, args: Sequence[Abstract]) -> bool:
    """Whether a library's method calls functions or modules of the program, so that it is captured itself."""
    if not isinstance(live, types.FunctionType) or live.__name__ != "__call__" or not args:
        return False
    module = args[0]
    if not isinstance(module, ObjectRef) or not is_stateful(m.outside.classes[module.id]):
        return False
    arguments = Arguments(m)
    arguments.convert(module)
    packages = {recipe.cls.__module__.partition(".")[0] for recipe in arguments.recipes.values()}
    return arguments.untraced or not packages <= {"flax"}


def open_wrapper(m: Machine, value: ObjectRef) -> Abstract | None:
    """Return the function behind an object that a library's transformation has made, None for other objects."""
    cls = m.outside.classes[value.id]
    if value.id not in m.initial:
        return None
    if cls.__module__ == "flax.nnx.transforms.compilation" and hasattr(cls, "lower"):
        return _pinned_function(m, value)
    if cls.__module__.partition(".")[0] != "equinox":
        return None
    value_and_grad, grad = (
        getattr(sys.modules["equinox"], name) for name in ("filter_value_and_grad", "filter_grad")
    )
    match cls.__name__:
        case "_ValueAndGradWrapper":
            options = get_attribute(m, value, "_gradkwargs")
            if not isinstance(options, DictRef) or dict_entries(m, options):
                return None
            auxiliary = (("has_aux", get_attribute(m, value, "_has_aux")),)
            return Transformed(value_and_grad, get_attribute(m, value, "_fun"), (), auxiliary)
        case "_GradWrapper":
            inner = get_attribute(m, value, "_fun_value_and_grad")
            opened = open_wrapper(m, inner) if isinstance(inner, ObjectRef) else None
            return dataclasses.replace(opened, transform=grad) if isinstance(opened, Transformed) else None
        case "_JitWrapper":
            holds_arrays = jax.tree.leaves(m.outside.live(value.id)._dynamic_fun)
            return None if holds_arrays else _pinned_function(m, value)
    return None


def _pinned_function(m: Machine, wrapper: ObjectRef) -> Abstract | None:
    """Return the function that an outside object wraps, which is known by its identity."""
    live, source = m.outside.live(wrapper.id), m.outside.source(wrapper.id)
    if source is None:
        return None
    m.outside.check("is", source, live, kind="identity", expected="the same")
    function = live.__wrapped__
    return m.outside.wrap(function, pinned(getattr(live, "__name__", "function"), function))


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
        options = tuple((k, Known(v)) for k, v in live.options.items())
        return Transformed(live.transform, Known(live.function), (), options, live.wrt)
    if not isinstance(live, types.FunctionType) or live.__closure__ is None:
        return None
    made = getattr(live, "__wrapped__", None)
    if isinstance(made, types.FunctionType) and made.__code__.co_name == "grad_wrapper":
        return _graph_gradient(made)
    transform = _WRAPPERS.get((live.__globals__.get("__name__", ""), live.__code__.co_name))
    if transform is None:
        return None
    cells = dict(zip(live.__code__.co_freevars, (c.cell_contents for c in live.__closure__), strict=True))
    maker, names = transform
    if "fun" not in cells or not all(n in cells for n in names):
        raise Break("JN303", f"a function made by jax.{maker.__name__}")
    return Transformed(maker, Known(cells["fun"]), (), tuple((n, Known(cells[n])) for n in names))


def _graph_gradient(live: types.FunctionType) -> Transformed | None:
    """Recognise what ``nnx.grad(f)`` has made outside."""
    if live.__globals__.get("__name__") != "flax.nnx.transforms.autodiff":
        return None
    cells = dict(
        zip(live.__code__.co_freevars, (c.cell_contents for c in live.__closure__ or ()), strict=True)
    )
    nnx = sys.modules["flax.nnx"]
    places, filters = cells["jax_argnums"], cells["index_filter"]
    argnums: Abstract = TupleValue(
        tuple(
            Known(nnx.DiffState(p, filters[p].filter))
            for p in ([places] if isinstance(places, int) else places)
        )
    )
    if isinstance(places, int):
        argnums = argnums.items[0]  # type: ignore[attr-defined]
    options = (("argnums", argnums), ("has_aux", Known(cells["has_aux"])))
    if cells["allow_int"] or cells["holomorphic"]:
        return None
    return Transformed(
        nnx.value_and_grad if cells["return_value"] else nnx.grad, Known(cells["f"]), (), options
    )


_API = jax.value_and_grad.__module__
_WRAPPERS: dict[tuple[str, str], tuple[Any, tuple[str, ...]]] = {
    (_API, "value_and_grad_f"): (jax.value_and_grad, ("argnums", "has_aux", "holomorphic", "allow_int")),
    (_API, "vmap_f"): (jax.vmap, ("in_axes", "out_axes")),
}


def _apply(
    m: Machine, live: Any, structure: Any, arguments: Arguments, may_have_effects: bool = False
) -> Abstract:
    if tells_numbers(live):
        _fix_numbers(m, arguments)
    if m.replaying is not None:
        return _call_now(m, live, structure, arguments)
    if arguments.recipes:
        return _apply_to_copies(m, live, structure, arguments)
    effects = None
    if arguments.callbacks:
        traced, refs, effects = _trace_callbacks(m, live, structure, arguments, may_have_effects)
    else:
        traced, refs = _trace(m, live, structure, arguments), arguments.refs
    types_ = []
    for dtype, shape, _ in traced.outputs:
        types_.append(tensor_type(dtype, tuple(shape)))
    results = m.b.op("jax.call", refs, types_, jaxpr=traced.jaxpr)
    given: dict[int, Abstract] = {
        **arguments.arrays,
        **kept_numbers(live, structure, arguments, traced),
    }
    if effects is None:
        return _wrap_result(m, traced, results, given)
    effects.happen(m, results[len(results) - len(effects.own) :])
    pair = _wrap_result(m, traced, results, given)
    assert isinstance(pair, TupleValue)
    return pair.items[0]


def _apply_to_copies(m: Machine, live: Any, structure: Any, arguments: Arguments) -> Abstract:
    """Call a function that may change objects of flax.nnx that it is given."""
    from janus_mlir.emit import supported

    if arguments.callbacks:
        raise Break("JN403", "a function of the program beside an object of flax, passed to a JAX function")
    places: list[tuple[ObjectRef, str]] = []

    def function(*leaves: Any) -> Any:
        copies = Copies()
        args, kwargs = restore(structure, leaves, copies)
        result = live(*args, **kwargs)
        changes = copies.changes()
        places[:] = [(original, name) for original, name, _ in changes]
        return copies.marked((result, [value for _, _, value in changes]))

    try:
        traced = _guarded_trace(m, function, arguments)
    except Break:
        m.need_constants(arguments.used)
        raise
    missing = supported(traced.jaxpr)
    if missing is not None:
        raise Break("JN401", missing)
    types_ = [tensor_type(dtype, tuple(shape)) for dtype, shape, _ in traced.outputs]
    results = m.b.op("jax.call", arguments.refs, types_, jaxpr=traced.jaxpr)
    given: dict[int, Abstract] = dict(arguments.arrays)
    pair = _wrap_result(m, traced, results, given)
    assert isinstance(pair, TupleValue) and isinstance(pair.items[1], ListRef)
    write_back(m, places, list_items(m, pair.items[1]))
    return pair.items[0]


def _trace_callbacks(
    m: Machine, live: Any, structure: Any, arguments: Arguments, may_have_effects: bool
) -> tuple[_Traced, list[Value], Effects | None]:
    """Trace a call that calls captured functions back.

    The first pass finds out which outer values these use, the second has them as arguments. With effects, the
    traced call returns a pair of its result and what these refer to.
    """
    saved = m.state
    sites = len(m.sites)
    lifts = Lifts(None, may_have_effects)
    traced, block, effects = _trace_pass(m, live, structure, arguments, saved, lifts)
    if lifts.refs:
        del m.sites[sites:]
        extra = [struct(a.shape, a.dtype) for a in map(stand_in, lifts.refs)]
        known = len(arguments.avals)
        arguments.avals.extend(extra)
        lifts = Lifts(known, may_have_effects)
        traced, block, effects = _trace_pass(m, live, structure, arguments, saved, lifts)
        if len(lifts.refs) != len(extra):
            raise Break("JN303", "a function passed to JAX takes different ways when traced again")
    m.state = saved
    m.b.block.ops.extend(block.ops)
    return traced, [*arguments.refs, *lifts.refs], effects


def _trace_pass(
    m: Machine, live: Any, structure: Any, arguments: Arguments, saved: Any, lifts: Lifts
) -> tuple[_Traced, Block, Effects | None]:
    from janus_mlir.emit import supported

    found: list[Effects] = []

    def function(*leaves: Any) -> Any:
        if lifts.first is not None:
            lifts.supply = list(leaves[lifts.first :])
        args, kwargs = restore(structure, leaves)
        result = live(*args, **kwargs)
        if not lifts.effects or m.state.effects == saved.effects:
            return result
        found.append(Effects(m, lifts, block))
        return result, tuple(found[-1].outputs(leaves))

    block = Block()
    m.state = saved.clone()
    m.lifts = lifts
    try:
        with m.b.inside(block):
            traced = _guarded_trace(m, function, arguments)
            for key, content in () if found else saved.heap.items():
                if m.state.heap.get(key) is not content:
                    raise Break("JN307", "a function passed to JAX changes an object")
    finally:
        m.lifts = None
        m.state = saved
    missing = supported(traced.jaxpr)
    if missing is not None:
        raise Break("JN401", missing)
    return traced, block, found[-1] if found else None


def _wrap_result(
    m: Machine, traced: _Traced, results: Sequence[Value], given: dict[int, Abstract]
) -> Abstract:
    leaves: list[Any] = []
    inner = traced.jaxpr.jaxpr
    positions = {id(v): i for i, v in enumerate(inner.invars)}
    for leaf in traced.leaves:
        if isinstance(leaf, Static):
            leaves.append(Wrapped(_constant_result(leaf.value)))
        elif (same := given.get(positions.get(id(inner.outvars[leaf]), -1))) is not None:
            leaves.append(Wrapped(same))  # JAX returns the very object that it was given
        else:
            dtype, shape, weak = traced.outputs[leaf]
            leaves.append(Wrapped(JaxArray(results[leaf], as_dtype(dtype), tuple(shape), weak)))
    return abstract_tree(m, jax.tree.unflatten(traced.treedef, leaves))


def _constant_result(value: Any) -> Abstract:
    if isinstance(value, (Same, Opaque)):
        return value.value
    if isinstance(value, Untraced):
        return Known(value.function)
    if isinstance(value, (int, float, bool, str, type(None), complex)) or callable(value):
        return Known(value)
    if not isinstance(value, int) and hasattr(value, "_evaluate"):
        return ExtentNumber(value)
    raise Break("JN403", f"a JAX function that returns a {type(value).__name__}")


def _call_now(m: Machine, live: Any, structure: Any, arguments: Arguments) -> Abstract:
    """Call a JAX function on tracers, inside a function that JAX transforms."""
    pairs = zip(arguments.refs, arguments.avals, strict=True)
    leaves = [joined(tracer_of(m, ref), aval.dtype) for ref, aval in pairs]
    copies = Copies()
    args, kwargs = restore(structure, leaves, copies)
    try:
        result = live(*args, **kwargs)
    except Break:
        raise
    except Exception as error:  # whatever JAX raises, the user will see it from Python itself
        raise Break("JN208", f"{type(error).__name__}: {first_line(error)}") from None
    if copies.changes():
        raise Break("JN307", "a function passed to JAX changes an object")
    return from_tracer(m, result)
