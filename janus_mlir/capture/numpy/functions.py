"""The table of NumPy functions: parameters and implementation of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from janus_mlir.capture.numpy import creation, linalg, reductions, selection, shape
from janus_mlir.capture.numpy.arguments import Arguments, bind, constant
from janus_mlir.capture.numpy.context import Context, bad_argument, unknown_function, would_raise
from janus_mlir.capture.numpy.extents import as_number, as_tuple, normalize_axis, product
from janus_mlir.capture.numpy.operands import operand, sequence
from janus_mlir.capture.values import Abstract, Known, Number, NumpyArray

Handler = Callable[[Context, Arguments], Abstract]

_REDUCE = "a axis dtype out keepdims initial where"
_EXTREMUM = "a axis out keepdims initial where"
_VARIANCE = "a axis dtype out ddof keepdims * where mean correction"

#: Parameters (as `bind` reads them) and handler of each function.
FUNCTIONS: dict[Any, tuple[str, Handler]] = {
    np.sum: (_REDUCE, reductions.sum_),
    np.prod: (_REDUCE, reductions.prod),
    np.max: (_EXTREMUM, reductions.max_),
    np.min: (_EXTREMUM, reductions.min_),
    np.ptp: ("a axis out keepdims", reductions.ptp),
    np.mean: ("a axis dtype out keepdims * where", reductions.mean),
    np.var: (_VARIANCE, reductions.var),
    np.std: (_VARIANCE, reductions.std),
    np.average: ("a axis weights returned * keepdims", reductions.average),
    np.median: ("a axis out overwrite_input keepdims", reductions.median),
    np.any: ("a axis out keepdims * where", reductions.any_),
    np.all: ("a axis out keepdims * where", reductions.all_),
    np.count_nonzero: ("a axis * keepdims", reductions.count_nonzero),
    np.argmax: ("a axis out * keepdims", reductions.argmax),
    np.argmin: ("a axis out * keepdims", reductions.argmin),
    np.cumsum: ("a axis dtype out", reductions.cumsum),
    np.cumprod: ("a axis dtype out", reductions.cumprod),
    np.sort: ("a axis kind order * stable", reductions.sort),
    np.argsort: ("a axis kind order * stable", reductions.argsort),
    np.reshape: ("a shape order * copy", shape.reshape),
    np.ravel: ("a order", shape.ravel),
    np.transpose: ("a axes", shape.transpose),
    np.swapaxes: ("a axis1 axis2", shape.swapaxes),
    np.moveaxis: ("a source destination", shape.moveaxis),
    np.expand_dims: ("a axis", shape.expand_dims),
    np.squeeze: ("a axis", shape.squeeze),
    np.broadcast_to: ("array shape subok", shape.broadcast_to),
    np.concatenate: ("arrays axis out * dtype casting", shape.concatenate),
    np.stack: ("arrays axis out * dtype casting", shape.stack),
    np.vstack: ("tup * dtype casting", shape.vstack),
    np.hstack: ("tup * dtype casting", shape.hstack),
    np.dstack: ("tup", shape.dstack),
    np.column_stack: ("tup", shape.column_stack),
    np.split: ("ary indices_or_sections axis", shape.split),
    np.array_split: ("ary indices_or_sections axis", shape.split),
    np.unstack: ("x * axis", shape.unstack),
    np.tile: ("A reps", shape.tile),
    np.repeat: ("a repeats axis", shape.repeat),
    np.roll: ("a shift axis", shape.roll),
    np.flip: ("m axis", shape.flip),
    np.flipud: ("m", shape.flip),
    np.fliplr: ("m", shape.flip),
    np.pad: ("array pad_width mode * constant_values", shape.pad),
    np.copy: ("a order subok", shape.copy),
    np.diff: ("a n axis prepend append", shape.diff),
    np.zeros: ("shape dtype order * device like", creation.zeros),
    np.empty: ("shape dtype order * device like", creation.zeros),
    np.ones: ("shape dtype order * device like", creation.ones),
    np.full: ("shape fill_value dtype order * device like", creation.full),
    np.zeros_like: ("a dtype order subok shape * device", creation.zeros_like),
    np.empty_like: ("a dtype order subok shape * device", creation.zeros_like),
    np.ones_like: ("a dtype order subok shape * device", creation.ones_like),
    np.full_like: ("a fill_value dtype order subok shape * device", creation.full_like),
    np.arange: ("start stop step dtype * device like", creation.arange),
    np.linspace: ("start stop num endpoint retstep dtype axis * device", creation.linspace),
    np.eye: ("N M k dtype order * device like", creation.eye),
    np.identity: ("N dtype * like", creation.eye),
    np.array: ("a dtype * copy order subok ndmin like", creation.array),
    np.asarray: ("a dtype order * device copy like", creation.array),
    np.ascontiguousarray: ("a dtype * like", creation.array),
    np.dot: ("a b out", linalg.dot),
    np.vdot: ("a b", linalg.vdot),
    np.inner: ("a b", linalg.inner),
    np.outer: ("a b out", linalg.outer),
    np.tensordot: ("a b axes", linalg.tensordot),
    np.matmul: ("x1 x2 out * dtype axes axis", linalg.matmul_call),
    np.trace: ("a offset axis1 axis2 dtype out", linalg.trace),
    np.diag: ("v k", linalg.diag),
    np.diagonal: ("a offset axis1 axis2", linalg.diagonal),
    np.tril: ("m k", linalg.tril),
    np.triu: ("m k", linalg.triu),
    np.linalg.norm: ("x ord axis keepdims", linalg.norm),
    np.where: ("condition x y", selection.where),
    np.clip: ("a a_min a_max out * min max dtype where casting", selection.clip),
    np.round: ("a decimals out", selection.round_),
    np.isclose: ("a b rtol atol equal_nan", selection.isclose),
    np.nan_to_num: ("x copy nan posinf neginf", selection.nan_to_num),
    np.take: ("a indices axis out mode", selection.take),
    np.take_along_axis: ("arr indices axis", selection.take_along_axis),
    np.searchsorted: ("a v side sorter", selection.searchsorted),
}
FUNCTIONS[np.amax], FUNCTIONS[np.amin] = FUNCTIONS[np.max], FUNCTIONS[np.min]
FUNCTIONS[np.around] = FUNCTIONS[np.round]


def _bool_function(function: Callable[[Context, Arguments], Any]) -> Handler:
    def handler(ctx: Context, bound: Arguments) -> Abstract:
        return Number("bool", function(ctx, bound))

    return handler


FUNCTIONS[np.allclose] = ("a b rtol atol equal_nan", _bool_function(selection.allclose))
FUNCTIONS[np.array_equal] = ("a1 a2 equal_nan", _bool_function(selection.array_equal))


def _shape(ctx: Context, bound: Arguments) -> Abstract:
    return as_tuple(operand(ctx, bound.need("a")).shape)


def _ndim(ctx: Context, bound: Arguments) -> Abstract:
    return Known(len(operand(ctx, bound.need("a")).shape))


def _size(ctx: Context, bound: Arguments) -> Abstract:
    x = operand(ctx, bound.need("a")).shape
    axis = bound.constant("axis")
    return as_number(product(x) if axis is None else x[normalize_axis(axis, len(x))])


def _real(ctx: Context, bound: Arguments) -> Abstract:
    value = bound.need("val")
    if not isinstance(value, NumpyArray):
        bad_argument("real of other than an array")
    return value


FUNCTIONS[np.shape] = ("a", _shape)
FUNCTIONS[np.ndim] = ("a", _ndim)
FUNCTIONS[np.size] = ("a axis", _size)
FUNCTIONS[np.real] = ("val", _real)

#: Functions of which the result is a constant if the arguments are.
PURE = {
    np.dtype,
    np.finfo,
    np.iinfo,
    np.result_type,
    np.promote_types,
    np.can_cast,
    np.issubdtype,
    np.isscalar,
    np.broadcast_shapes,
}


def _variadic(
    ctx: Context, fn: Any, args: Sequence[Abstract], kwargs: Mapping[str, Abstract]
) -> Abstract | None:
    """Functions that take any number of arrays."""
    if fn in (np.atleast_1d, np.atleast_2d, np.atleast_3d):
        if kwargs or len(args) != 1:
            bad_argument(f"{fn.__name__} of several arrays")
        rank = {np.atleast_1d: 1, np.atleast_2d: 2, np.atleast_3d: 3}[fn]
        return shape.at_least_rank(ctx, args[0], rank)
    if fn is np.meshgrid:
        bound = bind(ctx, "meshgrid", "* copy sparse indexing", (), kwargs)
        return creation.meshgrid(ctx, args, bound)
    if fn is np.einsum:
        bound = bind(ctx, "einsum", "* out dtype order casting optimize", (), kwargs)
        return linalg.einsum(ctx, bound, args)
    if fn is np.arange and len(args) == 1:
        return creation.arange(ctx, bind(ctx, "arange", FUNCTIONS[np.arange][0], args, kwargs))
    return None


def call(ctx: Context, fn: Any, args: Sequence[Abstract], kwargs: Mapping[str, Abstract]) -> Abstract:
    """Call of a NumPy function other than a ufunc or a scalar type."""
    found = _variadic(ctx, fn, args, kwargs)
    if found is not None:
        return found
    entry = FUNCTIONS.get(fn)
    if entry is not None:
        parameters, handler = entry
        return handler(ctx, bind(ctx, fn.__name__, parameters, args, kwargs))
    if fn in PURE:
        return _pure(ctx, fn, args, kwargs)
    unknown_function(f"{getattr(fn, '__module__', None) or 'numpy'}.{getattr(fn, '__name__', fn)}")


def _pure(ctx: Context, fn: Any, args: Sequence[Abstract], kwargs: Mapping[str, Abstract]) -> Abstract:
    def value(argument: Abstract) -> Any:
        if isinstance(argument, Known):
            return argument.value
        if isinstance(argument, NumpyArray) and fn is np.result_type and argument.shape:
            return argument.dtype
        if sequence(ctx, argument) is not None:
            return constant(ctx, argument, fn.__name__)
        bad_argument(f"{fn.__name__} of a computed value")

    try:
        return Known(fn(*map(value, args), **{k: value(v) for k, v in kwargs.items()}))
    except (TypeError, ValueError) as error:
        would_raise(str(error))
