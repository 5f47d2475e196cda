"""Calls: which kind of callee it is, binding of arguments, functions made by the captured code."""

from __future__ import annotations

import functools
import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from janus_mlir import policy
from janus_mlir._native._runtime import JitFunction
from janus_mlir.capture import boxed, recursion
from janus_mlir.capture import numpy as npy
from janus_mlir.capture.boundary.outcomes import Outcomes, Scope
from janus_mlir.capture.boundary.sources import Attribute, Derived, Index, Key, pinned
from janus_mlir.capture.breaks import Break
from janus_mlir.capture.closures import closure_cells
from janus_mlir.capture.containers import dict_entries, expand, new_dict
from janus_mlir.capture.control import Left, Unjoined, run
from janus_mlir.capture.dynamic import compressed, vectors
from janus_mlir.capture.exceptions import ExceptionBase, Raised, base_method
from janus_mlir.capture.function import FunctionContext, context_of
from janus_mlir.capture.generators import Parted, make_generator, manage
from janus_mlir.capture.heap import CellContent, IteratorContent, ListContent
from janus_mlir.capture.managers import GeneratorManager, decorated_generator
from janus_mlir.capture.reading import code as c
from janus_mlir.capture.scalars import CLASSES
from janus_mlir.capture.state import INLINE, RAISED, RAISED_PC, Frame, Suspended
from janus_mlir.capture.values import (
    Abstract,
    Boxed,
    CellRef,
    ComplexValue,
    CompressedRef,
    DictRef,
    ExtentNumber,
    FunctionValue,
    IteratorRef,
    JaxArray,
    Known,
    ListRef,
    MemberValue,
    MethodValue,
    Number,
    NumpyArray,
    NumpyScalar,
    ObjectRef,
    PartialValue,
    RangeValue,
    SetRef,
    SliceValue,
    TextValue,
    TupleValue,
    ViewValue,
)
from janus_mlir.config import config

if TYPE_CHECKING:
    from janus_mlir.capture.machine import Machine

Arguments = tuple[list[Abstract], dict[str, Abstract]]


class Entered:
    """A call that continues in a new frame; its result goes to the frame's result variable."""


_ENTERED = Entered()


def call_instruction(m: Machine, instr: c.Call) -> None:
    """Execute a call instruction; the caller's pc points behind it already."""
    frame = m.state.top
    function = _operand(m, instr.fn)
    args = list(expand(m, [(_operand(m, v), star) for v, star in instr.args]))
    kwargs: dict[str, Abstract] = {}
    for name, var in instr.kwargs:
        value = _operand(m, var)
        pairs = ((name, value),) if name is not None else _mapping(m, value)
        for key, item in pairs:
            if not isinstance(key, str) or key in kwargs:
                raise Break("JN208", f"keyword argument {key!r} repeated")
            kwargs[key] = item
    pc = frame.pc
    try:
        with m.keep(function, *args, *kwargs.values()):
            result = call(m, function, args, kwargs, instr.dst)
    except Break:
        m.state.top.pc = pc
        raise
    except Parted as parted:
        asks = isinstance(function, MemberValue) or (isinstance(function, Known) and function.value is next)
        if not asks or kwargs:
            m.state.top.pc = pc
            raise Break("JN505", "whether a generator goes on is only known at run time") from None
        parted.dst, parted.default = instr.dst, args[1] if len(args) == 2 else None
        raise
    if not isinstance(result, Entered):
        from janus_mlir.capture.instructions import write_variable

        write_variable(m, instr.dst, result)


def _operand(m: Machine, name: str) -> Abstract:
    from janus_mlir.capture.instructions import read_variable

    return read_variable(m, name)


def _mapping(m: Machine, value: Abstract) -> tuple[tuple[Any, Abstract], ...]:
    if isinstance(value, DictRef):
        return dict_entries(m, value)
    raise Break("JN214", "** of something that is not a dict")


def call_inline(
    m: Machine,
    function: Abstract,
    args: list[Abstract],
    kwargs: dict[str, Abstract] | None = None,
    expects: type[BaseException] | None = None,
) -> Abstract:
    """Call a function in the middle of an instruction and return its result; who `expects` an exception handles it.

    Raises
    ------
    Break
        If the ways through the callee cannot be joined.
    Left
        If the callee leaves the compiled code on every path.
    """
    depth, pc = m.state.where
    with m.keep(function, *args, *(kwargs or {}).values()):
        result = call(m, function, args, kwargs or {}, INLINE)
        if not isinstance(result, Entered):
            return result
        m.state.top.expects = expects
        return finish_inline(m, depth, pc)


def finish_inline(m: Machine, depth: int, pc: int) -> Abstract:
    """Run the frame just entered until it returns to the instruction at `pc`."""
    outcomes = run_inline(m, depth, pc)
    raised_at = (depth, RAISED_PC)
    raising = outcomes.get(raised_at)
    if raising is not None and len(outcomes.ways) == 1:
        m.state = raising
        exception = raising.top.vars.pop(RAISED)
        raising.top.pc = pc
        assert isinstance(exception, ObjectRef)
        raise Raised(exception)
    if raising is not None:
        index = outcomes.index(raised_at)
        chosen, outcomes = outcomes.chosen(m.b, index), outcomes.without(m.b, index)
        m.state = outcomes.ways[0][1]
        m.guard(chosen, "branch", expected=False, text="the call raises no exception")
    if len(outcomes.ways) > 1:
        raise Break("JN505", "a call that ends in several ways")
    m.state = outcomes.ways[0][1]
    value = m.state.top.vars.pop(INLINE, None)
    assert value is not None
    return value


def run_inline(m: Machine, depth: int, pc: int) -> Outcomes:
    """Run the frame just entered until it returns or raises; there is at least one way out."""
    m.state.top.inline = True
    held = m.held
    m.held = held.union(m.state.heap) - m.released
    try:
        outcomes = run(m, m.state, Scope(None, depth, pc, inline=True))
    except Unjoined as error:
        if error.where[0] == depth:
            raise Break("JN505", f"the results of a call: {error.detail}") from None
        raise
    finally:
        m.held = held
    if not outcomes.ways:
        raise Left
    return outcomes


def call(
    m: Machine, function: Abstract, args: list[Abstract], kwargs: dict[str, Abstract], dst: str
) -> Abstract | Entered:
    """Call any callee: either the result, or a frame has been entered that will store it in `dst`."""
    from janus_mlir.capture.builtins import calls as builtin_calls
    from janus_mlir.capture.jax import calls as jaxcalls
    from janus_mlir.capture.jax import values as jax_values

    match function:
        case Known() if args and boxed.involves(*args) and not _is_user_function(function.value):
            found = boxed.call(m, function.value, args, kwargs)
            return found if found is not None else _call_known(m, function, args, kwargs, dst)
        case Known():
            return _call_known(m, function, args, kwargs, dst)
        case PartialValue():
            named = {**dict(function.kwargs), **kwargs}
            return call(m, function.function, [*function.args, *args], named, dst)
        case MethodValue():
            return call(m, function.function, [function.self, *args], kwargs, dst)
        case MemberValue(self=TupleValue(items=(exception,)) as pair) if pair.cls is ExceptionBase:
            return base_method(m, exception, function.name, args)
        case MemberValue(self=Known(value=type() as cls), name="__call__"):
            from janus_mlir.capture.construction import instance_of

            return instance_of(m, cls, args, kwargs, dst)
        case MemberValue():
            return builtin_calls.call_member(m, function.self, function.name, args, kwargs)
        case FunctionValue():
            return enter_made(m, function, args, kwargs, dst)
        case jax_values.Transformed():
            return jaxcalls.call_transformed(m, function, args, kwargs)
        case ObjectRef():
            from janus_mlir.capture.attributes import class_attribute

            opened = jaxcalls.open_wrapper(m, function)
            if opened is not None:
                return call(m, opened, args, kwargs, dst)
            method = class_attribute(m, function, "__call__")
            if method is not None:
                return call(m, method, [function, *args], kwargs, dst)
    raise Break("JN301", f"a call of a {type(function).__name__}")


def _is_user_function(live: Any) -> bool:
    return unwrap_callable(live) is not None


def unwrap_callable(live: Any) -> types.FunctionType | None:
    """Return the Python function behind a Janus function, None for anything else."""
    if isinstance(live, JitFunction):
        inner = live.function
        return inner if isinstance(inner, types.FunctionType) else None
    return live if isinstance(live, types.FunctionType) else None


def _call_known(
    m: Machine, function: Known, args: list[Abstract], kwargs: dict[str, Abstract], dst: str
) -> Abstract | Entered:
    from janus_mlir.capture.builtins import calls as builtin_calls
    from janus_mlir.capture.jax import calls as jaxcalls
    from janus_mlir.capture.jax import values as jax_values

    live = function.value
    made = m.made_functions.get(id(live))
    if made is not None:
        return enter_made(m, made, args, kwargs, dst)
    if builtin_calls.handles(live):
        return builtin_calls.call_builtin(m, live, args, kwargs, dst)
    if args and isinstance(args[0], ListRef):
        joined = vectors.join_items(m, live, args, kwargs)
        if joined is not None:
            return joined
        args = [vectors.as_array(m, live, args[0]), *args[1:]]
    if jax_values.is_jax_callable(live) and not jaxcalls.runs_other_code(m, live, args):
        return jaxcalls.call_jax(m, live, args, kwargs)
    if npy.is_numpy_callable(live):
        if any(isinstance(a, JaxArray) for a in [*args, *kwargs.values()]):
            raise Break("JN403", "a JAX array is passed to a NumPy function")
        args = compressed.of_lists(m, args)
        if any(isinstance(a, CompressedRef) for a in args):
            return compressed.call(m, live, args, kwargs)
        return npy.call(m, live, args, kwargs)
    if isinstance(live, functools.partial):
        return _call_partial(m, function, args, kwargs, dst)
    found = builtin_calls.call_getter(m, live, args) if not kwargs else None
    if found is not None:
        return found
    if isinstance(live, type):
        return builtin_calls.construct(m, live, args, kwargs, dst)
    managed = decorated_generator(live)
    if managed is not None:
        m.outside.wrap(live, function.source or pinned("contextmanager", live))
        generator = enter(m, context_of(managed), managed, args, kwargs, dst)
        assert isinstance(generator, Abstract)
        return GeneratorManager(manage(m, generator))
    implementation = _dispatched(m, live, args)
    if implementation is not None:
        return call(m, implementation, args, kwargs, dst)
    python = unwrap_callable(live)
    if python is not None:
        return enter(m, context_of(python), python, args, kwargs, dst)
    if isinstance(live, types.MethodType):
        return call(
            m,
            Known(live.__func__),
            [m.outside.wrap(live.__self__, pinned("self", live.__self__)), *args],
            kwargs,
            dst,
        )
    name = getattr(live, "__qualname__", type(live).__name__)
    raise Break("JN309" if isinstance(live, functools._lru_cache_wrapper) else "JN301", f"`{name}`")


#: The code of what `functools.singledispatch` returns.
_DISPATCHER: types.CodeType = cast(Any, functools.singledispatch(lambda _: None)).__code__


@dataclass(frozen=True, slots=True)
class _Dispatch:
    """Finds the implementation of a generic function for a class."""

    cls: type

    def __call__(self, function: Any) -> Any:
        return function.dispatch(self.cls)


def _dispatched(m: Machine, live: Any, args: list[Abstract]) -> Abstract | None:
    """Return what a `functools.singledispatch` function calls, None if `live` is no such."""
    if not isinstance(live, types.FunctionType) or live.__code__ is not _DISPATCHER or not args:
        return None
    cls = class_of(args[0], m)
    if cls is None:
        raise Break("JN303", f"`{live.__qualname__}` for an argument of unknown class")
    place = Derived(pinned(live.__qualname__, live), f"dispatch({cls.__name__})", _Dispatch(cls))
    return m.outside.wrap(place.fetch(()), place)


def _call_partial(
    m: Machine, function: Known, args: list[Abstract], kwargs: dict[str, Abstract], dst: str
) -> Abstract | Entered:
    live = function.value
    source = function.source or pinned("partial", live)
    first = [m.outside.wrap(a, Index(Attribute(source, "args"), i)) for i, a in enumerate(live.args)]
    named = {k: m.outside.wrap(v, Key(Attribute(source, "keywords"), k)) for k, v in live.keywords.items()}
    inner = m.outside.wrap(live.func, Attribute(source, "func"))
    return call(m, inner, [*first, *args], {**named, **kwargs}, dst)


# ---- entering Python functions -------------------------------------------------------------


def enter(
    m: Machine,
    context: FunctionContext,
    live: types.FunctionType,
    args: list[Abstract],
    kwargs: dict[str, Abstract],
    dst: str,
    override: Abstract | None = None,
) -> Abstract | Entered:
    source = pinned(live.__qualname__, live)

    def default(position: int) -> Abstract | None:
        values = live.__defaults__ or ()
        if not 0 <= position < len(values):
            return None
        return m.outside.wrap(values[position], Index(Attribute(source, "__defaults__"), position))

    def kwdefault(name: str) -> Abstract | None:
        values = live.__kwdefaults__ or {}
        if name not in values:
            return None
        return m.outside.wrap(values[name], Key(Attribute(source, "__kwdefaults__"), name))

    count = len(live.__defaults__ or ())
    return _push(m, context, args, kwargs, count, default, kwdefault, dst, override)


def enter_made(
    m: Machine,
    function: FunctionValue,
    args: list[Abstract],
    kwargs: dict[str, Abstract],
    dst: str,
    override: Abstract | None = None,
) -> Abstract | Entered:
    template = function.template
    context = FunctionContext(template.source, template.namespace, dict(function.cells), None)
    named = dict(function.kwdefaults)

    def default(position: int) -> Abstract | None:
        return function.defaults[position] if 0 <= position < len(function.defaults) else None

    return _push(m, context, args, kwargs, len(function.defaults), default, named.get, dst, override)


def _push(
    m: Machine,
    context: FunctionContext,
    args: list[Abstract],
    kwargs: dict[str, Abstract],
    default_count: int,
    default: Callable[[int], Abstract | None],
    kwdefault: Callable[[str], Abstract | None],
    dst: str,
    override: Abstract | None,
) -> Abstract | Entered:
    if not policy.may_inline(len(m.state.frames)):
        raise Break("JN303", f"calls nested deeper than {config.inline_depth}")
    bound = bind(m, context, args, kwargs, default_count, default, kwdefault)
    if override is None and not context.code.is_generator:
        result = recursion.call(m, context, bound)
        if result is not None:
            return result
    m.effort.count_entry(m.state, context.code)
    caller = m.state.top
    waiting = Suspended(caller.function, caller.pc - 1, dict(caller.vars), dst, caller.override)
    frame = Frame(context, 0, {}, dst, m.b.span, override, callers=(*caller.callers, waiting))
    m.state.frames.append(frame)
    for name, value in bound.items():
        if name in context.code.cells:
            cell = CellRef()
            m.put(cell.id, CellContent(value))
            frame.vars[name] = cell
        else:
            frame.vars[name] = value
    frame.bound = bound
    if context.code.is_generator:
        m.state.frames.pop()
        return make_generator(m, frame)
    return _ENTERED


def bind(
    m: Machine,
    context: FunctionContext,
    args: list[Abstract],
    kwargs: dict[str, Abstract],
    default_count: int,
    default: Callable[[int], Abstract | None],
    kwdefault: Callable[[str], Abstract | None],
) -> dict[str, Abstract]:
    """Bind call arguments to parameters as Python does."""
    params = context.code.params
    positional = [*params.posonly, *params.pos_or_kw]
    bound: dict[str, Abstract] = dict(zip(positional, args, strict=False))
    extra = args[len(positional) :]
    if extra and params.vararg is None:
        raise Break("JN208", f"{context.code.name}() takes {len(positional)} positional arguments")
    rest: dict[str, Abstract] = {}
    for name, value in kwargs.items():
        if name in bound and name not in params.posonly:
            raise Break("JN208", f"{context.code.name}() got multiple values for `{name}`")
        if name in params.pos_or_kw or name in params.kwonly:
            bound[name] = value
        elif params.kwarg is not None:
            rest[name] = value
        else:
            raise Break("JN208", f"{context.code.name}() got an unexpected argument `{name}`")
    first_default = len(positional) - default_count
    for i, name in enumerate(positional):
        if name not in bound:
            bound[name] = _required(context, name, default(i - first_default))
    for name in params.kwonly:
        if name not in bound:
            bound[name] = _required(context, name, kwdefault(name))
    if params.vararg is not None:
        bound[params.vararg] = TupleValue(tuple(extra))
    if params.kwarg is not None:
        bound[params.kwarg] = new_dict(m, tuple(rest.items()))
    return bound


def _required(context: FunctionContext, name: str, value: Abstract | None) -> Abstract:
    if value is None:
        raise Break("JN208", f"{context.code.name}() misses argument `{name}`")
    return value


#: Builtins that take all items of an iterator and do nothing else.
_CONSUMERS: tuple[Any, ...] = (sum, min, max, list, tuple, set, frozenset, dict, sorted)
#: Iterators that end, whatever their items are.
_ENDING = ("sequence", "list", "array")


def run_generator(m: Machine, instr: c.MakeGenerator) -> Abstract:
    """Make a generator, or, if the next call consumes it at once, run it and return an iterator over its items.

    Taking all items before the consumer sees the first is not noticed if they are made without effects.
    """
    from janus_mlir.capture.iteration import make_iterator

    frame = m.state.top
    instrs = frame.function.code.instrs
    pc = frame.pc + 1
    while isinstance(instrs[pc], (c.Const, c.Move)):
        pc += 1
    context = FunctionContext(
        instr.source, frame.function.namespace, dict(closure_cells(m, instr.source.frees)), None
    )
    first_only = _is_asked_once(m, instrs[pc], instr)
    if not first_only and not _consumed_at_once(m, instrs[pc], instr.dst):
        return make_generator(m, Frame(context, 0, {".0": _operand(m, instr.iter)}))
    items = ListRef()
    m.put(items.id, ListContent(()))
    effects = m.state.effects
    depth, here = m.state.where
    variables = {".0": _operand(m, instr.iter)}
    m.state.frames.append(Frame(context, 0, variables, INLINE, m.b.span, items))
    result = finish_inline(m, depth, here)
    content = m.get(result.id) if isinstance(result, ListRef) else None
    if m.state.effects != effects or content is None:
        raise Break("JN105", "a generator expression with effects")
    if not isinstance(content, ListContent) or content.items is None:
        return make_iterator(m, IteratorContent("list", (), (result,), Known(0)))
    return make_iterator(m, IteratorContent("sequence", content.items))


def _is_asked_once(m: Machine, consumer: c.Instr, instr: c.MakeGenerator) -> bool:
    """Whether an instruction is ``next`` with a default, of a generator that looks at items which end."""
    if not isinstance(consumer, c.Call) or len(consumer.args) != 2 or consumer.args[0] != (instr.dst, False):
        return False
    function, items = _operand(m, consumer.fn), _operand(m, instr.iter)
    if not isinstance(function, Known) or function.value is not next or not isinstance(items, IteratorRef):
        return False
    content = m.get(items.id)
    return isinstance(content, IteratorContent) and content.kind in _ENDING


def _consumed_at_once(m: Machine, consumer: c.Instr, generator: str) -> bool:
    """Whether an instruction is the call of a builtin that takes all items of `generator`."""
    if not isinstance(consumer, c.Call) or (generator, False) not in consumer.args:
        return False
    match _operand(m, consumer.fn):
        case Known(value=live):
            return any(live is f for f in _CONSUMERS)
        case MemberValue(self=Known(value=str()), name="join"):
            return True
    return False


def class_of(value: Abstract, m: Machine | None) -> type | None:
    """Return the Python type of an abstract value, None if it is not known."""
    match value:
        case Known():
            return type(value.value)
        case Number():
            return CLASSES[value.kind]
        case ExtentNumber():
            return int
        case ComplexValue():
            return complex
        case Boxed():
            return value.cls
        case TupleValue():
            return value.cls
        case ListRef() | DictRef() | SetRef():
            return value.cls
        case ViewValue():
            return type(getattr({}, value.kind)())
        case NumpyArray() | CompressedRef():
            return np.ndarray
        case NumpyScalar():
            return value.dtype.type
        case JaxArray():
            from janus_mlir.runtime.words import class_of as class_of_arrays

            return class_of_arrays(value.dtype)
        case RangeValue():
            return range
        case SliceValue():
            return slice
        case TextValue():
            return str
        case FunctionValue():
            return types.FunctionType
        case MethodValue():
            return types.MethodType
        case PartialValue():
            return functools.partial
        case ObjectRef() if m is not None:
            return m.outside.classes[value.id]
    return None


__all__ = [
    "bind", "call", "call_inline", "call_instruction", "class_of",
    "unwrap_callable",
]  # fmt: skip
