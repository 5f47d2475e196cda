"""Attributes and methods of arrays and NumPy scalars, and their conversion to Python numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from janus_mlir.capture.graph import Value
from janus_mlir.capture.numpy import (
    creation,
    functions,
    indexing,
    reductions,
    selection,
    shape,
    ufuncs,
    views,
)
from janus_mlir.capture.numpy.arguments import Arguments, bind
from janus_mlir.capture.numpy.casts import tensor_to_number
from janus_mlir.capture.numpy.context import (
    Context,
    bad_argument,
    unknown_function,
    value_dependent,
    would_raise,
)
from janus_mlir.capture.numpy.dtypes import DType, element
from janus_mlir.capture.numpy.extents import as_number, as_tuple, equal, is_static, product
from janus_mlir.capture.numpy.lax import Lax
from janus_mlir.capture.numpy.operands import operand
from janus_mlir.capture.values import Abstract, Known, Number, NumpyArray, NumpyScalar, TupleValue

Method = Callable[[Context, Arguments], Abstract]

#: Methods that are functions of the array with the parameters that follow it.
_SHARED: dict[str, tuple[str, Method]] = {
    name: functions.FUNCTIONS[getattr(np, name)]
    for name in (
        "all",
        "any",
        "argmax",
        "argmin",
        "argsort",
        "cumprod",
        "cumsum",
        "diagonal",
        "dot",
        "mean",
        "prod",
        "ravel",
        "repeat",
        "round",
        "searchsorted",
        "squeeze",
        "std",
        "sum",
        "swapaxes",
        "take",
        "trace",
        "var",
    )
}
_SHARED |= {
    "max": functions.FUNCTIONS[np.max],
    "min": functions.FUNCTIONS[np.min],
    "clip": ("a min max out * dtype where casting", selection.clip),
    "copy": ("a order", shape.copy),
    "flatten": ("a order", shape.flatten),
    "astype": ("a dtype order casting subok copy", creation.astype),
}

_VARIADIC = ("reshape", "transpose")


def _item_value(ctx: Context, array: Abstract) -> Value:
    """The only element of a scalar or array, as a rank-0 tensor."""
    x = operand(ctx, array)
    if not equal(ctx, product(x.shape), 1):
        would_raise("only an array with one element can be converted to a scalar")
    return Lax(ctx.b).reshape(x.tensor(ctx), ())


def to_number(ctx: Context, value: Abstract, kind: str) -> Abstract:
    """``int(value)``, ``float(value)`` or ``bool(value)``."""
    if kind == "bool":
        return Number("bool", truth(ctx, value))
    if isinstance(value, NumpyArray) and value.shape:
        # Deprecated in NumPy for arrays of rank above 0: the warning is Python's to give.
        bad_argument(f"{kind} of an array of rank above 0")
    return Number("int" if kind == "int" else "float", tensor_to_number(ctx, _item_value(ctx, value), kind))


def truth(ctx: Context, value: Abstract) -> Value:
    """Truth of a scalar or of an array with one element."""
    x = operand(ctx, value)
    if not equal(ctx, product(x.shape), 1):
        would_raise("the truth value of an array with more than one element is ambiguous")
    return Lax(ctx.b).truth(x.tensor(ctx))


def _item(ctx: Context, value: Abstract, args: Sequence[Abstract]) -> Abstract:
    if args:
        index = args[0] if len(args) == 1 else TupleValue(tuple(args))
        if isinstance(value, NumpyArray) and len(args) != len(value.shape):
            bad_argument("item with a flat index")
        value = indexing.getitem(ctx, value, index)
        if isinstance(value, NumpyArray) and value.shape:
            would_raise("item of an array")
    x = operand(ctx, value)
    kind = {"b": "bool", "i": "int", "u": "int", "f": "float"}[x.strong.kind]
    ref = tensor_to_number(ctx, _item_value(ctx, value), kind)
    return Number(kind, ref)  # type: ignore[arg-type]


def _tolist(ctx: Context, value: Abstract) -> Abstract:
    if not isinstance(value, NumpyArray) or not value.shape:
        return _item(ctx, value, ())
    if not all(map(is_static, value.shape)) or product(value.shape) > 64:
        value_dependent("tolist of a large array or of symbolic extents")
    return ctx.make_list([_tolist(ctx, row) for row in _rows(ctx, value)])


def _rows(ctx: Context, array: NumpyArray) -> list[Abstract]:
    return [indexing.getitem(ctx, array, Known(i)) for i in range(array.shape[0])]


def method(
    ctx: Context, value: Abstract, name: str, args: Sequence[Abstract], kwargs: Mapping[str, Abstract]
) -> Abstract:
    """``value.<name>(*args, **kwargs)`` of an array or NumPy scalar."""
    if name == "item" and not kwargs:
        return _item(ctx, value, args)
    if name == "tolist" and not args and not kwargs:
        return _tolist(ctx, value)
    if isinstance(value, NumpyArray):
        found = _array_method(ctx, value, name, args, kwargs)
        if found is not None:
            return found
    elif name not in _SCALAR_METHODS:
        unknown_function(f"method {name} of a NumPy scalar")
    entry = _SHARED.get(name)
    if name in _VARIADIC:
        return _variadic(ctx, value, name, args, kwargs)
    if entry is None:
        if name in ("conj", "conjugate") and not args and not kwargs:
            return value
        unknown_function(f"ndarray.{name}")
    parameters, handler = entry
    label = f"ndarray.{name}" if name == "copy" else name
    return handler(ctx, bind(ctx, label, parameters, [value, *args], kwargs))


_SCALAR_METHODS = {
    "all",
    "any",
    "astype",
    "clip",
    "conj",
    "conjugate",
    "cumsum",
    "dot",
    "max",
    "mean",
    "min",
    "prod",
    "ravel",
    "reshape",
    "round",
    "std",
    "sum",
    "var",
}


def _array_method(
    ctx: Context, array: NumpyArray, name: str, args: Sequence[Abstract], kwargs: Mapping[str, Abstract]
) -> Abstract | None:
    """Methods that only arrays have."""
    if name == "fill":
        bound = bind(ctx, "fill", "value", args, kwargs)
        indexing.setitem(ctx, array, Known(Ellipsis), bound.need("value"))
        return Known(None)
    if name == "sort":
        bound = bind(ctx, "sort", "axis kind order * stable", args, kwargs)
        return reductions.sort_in_place(ctx, array, bound)
    if name == "view":
        bound = bind(ctx, "view", "dtype type", args, kwargs)
        if "type" in bound or (bound.dtype() or array.dtype) != array.dtype:
            bad_argument("view with another dtype")
        return views.index_view(ctx, array, views.whole(array.shape))
    if name == "__array__" and not args and not kwargs:
        return array
    return None


def _variadic(
    ctx: Context, value: Abstract, name: str, args: Sequence[Abstract], kwargs: Mapping[str, Abstract]
) -> Abstract:
    """``reshape`` and ``transpose`` take their shape or axes as one argument or as several."""
    parameters, handler = functions.FUNCTIONS[getattr(np, name)]
    rest: list[Abstract] = list(args)
    if len(args) > 1:
        rest = [TupleValue(tuple(args))]
    return handler(ctx, bind(ctx, name, parameters, [value, *rest], kwargs))


def _dtype(value: Abstract) -> DType:
    if isinstance(value, NumpyArray | NumpyScalar):
        return value.dtype
    if isinstance(value, Known) and isinstance(value.value, np.generic):
        return np.dtype(value.value.dtype)
    raise TypeError(f"{value!r} is no NumPy value")


def attribute(ctx: Context, value: Abstract, name: str) -> Abstract | None:
    """``value.<name>``, or None if it names a method; breaks if it is neither."""
    dtype = _dtype(value)
    extents: tuple[Any, ...] = value.shape if isinstance(value, NumpyArray) else ()
    match name:
        case "shape":
            return as_tuple(extents)
        case "ndim":
            return Known(len(extents))
        case "size":
            return as_number(product(extents))
        case "dtype":
            return Known(dtype)
        case "itemsize":
            return Known(dtype.itemsize)
        case "nbytes":
            return as_number(product(extents) * dtype.itemsize)
        case "T" if isinstance(value, NumpyArray):
            return views.transpose(ctx, value, range(len(extents))[::-1])
        case "mT" if isinstance(value, NumpyArray) and len(extents) > 1:
            rank = len(extents)
            return views.transpose(ctx, value, [*range(rank - 2), rank - 1, rank - 2])
        case "real" if isinstance(value, NumpyArray):
            element(dtype)
            return value
        case "T" | "real" if not isinstance(value, NumpyArray):
            return value
    if is_method(value, name):
        return None
    if hasattr(np.ndarray if isinstance(value, NumpyArray) else np.generic, name):
        unknown_function(f"ndarray.{name}")
    would_raise(f"no attribute {name!r}")


def is_method(value: Abstract, name: str) -> bool:
    """Whether `name` is a method that `method` may be asked for."""
    if name in _SHARED or name in _VARIADIC or name in ("item", "tolist", "conj", "conjugate"):
        return True
    return isinstance(value, NumpyArray) and name in ("fill", "sort", "view", "__array__")


def length(ctx: Context, value: Abstract) -> Abstract:
    """``len(value)``."""
    if not isinstance(value, NumpyArray) or not value.shape:
        would_raise("len() of unsized object")
    return as_number(value.shape[0])


def contains(ctx: Context, value: Abstract, item: Abstract) -> Abstract:
    """``item in value``."""
    if not isinstance(value, NumpyArray):
        would_raise("a NumPy scalar is not a container")
    found = ufuncs.compare(ctx, "eq", value, item)
    x = operand(ctx, found)
    lx = Lax(ctx.b)
    return Number("bool", lx.truth(lx.reduce("or", x.tensor(ctx), range(len(x.shape)))))
