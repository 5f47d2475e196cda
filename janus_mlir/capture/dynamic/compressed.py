"""One-dimensional NumPy arrays whose size only run time knows: ``x[mask]``, ``np.nonzero(x)``, ``np.unique(x)``.

Such an array is kept as it was before elements were left out, with the mask of those that count. Elementwise operations work on
all elements, reductions fill the others with what does not matter, and where Python gets the array, it applies the mask.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from janus_mlir.capture import numpy as npy
from janus_mlir.capture.breaks import Break
from janus_mlir.capture.dynamic import vectors
from janus_mlir.capture.dynamic.layouts import NumberLayout, ScalarLayout
from janus_mlir.capture.graph import BOOL, INT, Value
from janus_mlir.capture.heap import CompressedContent, VectorContent
from janus_mlir.capture.numbers import make, number_binary
from janus_mlir.capture.numpy.extents import product
from janus_mlir.capture.numpy.lax import Lax, shape_of
from janus_mlir.capture.scalars import DTYPES
from janus_mlir.capture.values import (
    Abstract,
    CompressedRef,
    ExtentNumber,
    Known,
    ListRef,
    Number,
    NumpyArray,
    NumpyScalar,
    TupleValue,
)

if TYPE_CHECKING:
    from janus_mlir.capture.machine import Machine

_INT = np.dtype(np.int64)
_BOOL = np.dtype(np.bool_)


def _new(m: Machine, data: Value, mask: Value, dtype: np.dtype[Any]) -> CompressedRef:
    handle = CompressedRef()
    m.put(handle.id, CompressedContent(data, mask, dtype))
    return handle


def _content(m: Machine, value: CompressedRef) -> CompressedContent:
    found: CompressedContent = m.get(value.id)
    return found


def _static(shape: tuple[Any, ...]) -> bool:
    return all(isinstance(extent, int) for extent in shape)


def select(m: Machine, array: NumpyArray, index: Abstract) -> CompressedRef | None:
    """Return ``array[index]`` for a mask of the array's shape, or of its rows, None if the index is something else."""
    if isinstance(index, TupleValue) and len(index.items) > 1 and len(array.shape) > 1:
        rows, *rest = index.items
        if not isinstance(rows, NumpyArray) or rows.dtype != _BOOL or rows.shape != array.shape[:1]:
            return None
        part = npy.getitem(m, array, TupleValue((Known(slice(None)), *rest)))
        return _rows(m, part, rows) if isinstance(part, NumpyArray) else None
    if not isinstance(index, NumpyArray) or index.dtype != _BOOL:
        return None
    if not array.shape or not _static(array.shape):
        return None
    lx = Lax(m.b)
    if len(array.shape) > 1 and index.shape == array.shape[:1]:
        return _new(m, m.read(array), m.read(index), array.dtype)
    if index.shape != array.shape:
        return None
    flat = (product(array.shape),)
    return _new(m, lx.reshape(m.read(array), flat), lx.reshape(m.read(index), flat), array.dtype)


def _rows(m: Machine, array: NumpyArray, rows: NumpyArray) -> CompressedRef | None:
    if not _static(array.shape) or array.shape[:1] != rows.shape:
        return None
    return _new(m, m.read(array), m.read(rows), array.dtype)


def store(m: Machine, array: NumpyArray, index: Abstract, item: CompressedRef) -> None:
    """Do ``array[index] = item`` where `item` was selected by the same mask."""
    content = _content(m, item)
    if not isinstance(index, NumpyArray) or index.dtype != _BOOL or index.shape != array.shape:
        raise Break("JN404", "an assignment of a run-time number of elements")
    lx = Lax(m.b)
    mask = m.read(index)
    _same_mask(m, lx.reshape(mask, shape_of(content.mask)), content.mask)
    values = npy.method(m, m.new_array(content.data, content.dtype), "astype", [Known(array.dtype)], {})
    assert isinstance(values, NumpyArray)
    m.write(array, lx.select(mask, lx.reshape(m.read(values), array.shape), m.read(array)))


def _same_mask(m: Machine, a: Value, b: Value) -> None:
    if a is b:
        return
    if shape_of(a) != shape_of(b):
        raise Break("JN404", "arrays of which different elements were selected")
    lx = Lax(m.b)
    m.guard(lx.all(lx.compare("eq", a, b)), "shape", text="the same elements were selected")


def count(m: Machine, value: CompressedRef) -> Number:
    """Return the number of elements."""
    lx = Lax(m.b)
    ones = lx.convert(_content(m, value).mask, "i64")
    return make("int", lx.number(lx.reduce("sum", ones, (0,))))


def _some(m: Machine, value: CompressedRef, text: str) -> None:
    number = count(m, value)
    m.guard(m.b.one("arith.cmpi", [number.ref, m.const(0)], BOOL, predicate="sgt"), "shape", text=text)


def _whole(m: Machine, value: CompressedRef) -> NumpyArray:
    content = _content(m, value)
    return m.new_array(content.data, content.dtype)


def elementwise(m: Machine, function: Any, operands: list[Abstract]) -> Abstract:
    """Apply `function` (of arrays) to operands of which some are compressed by one mask."""
    mask: Value | None = None
    plain: list[Abstract] = []
    rank = max(len(shape_of(_content(m, x).data)) for x in operands if isinstance(x, CompressedRef))
    for operand in operands:
        if isinstance(operand, CompressedRef):
            own = _content(m, operand).mask
            if mask is not None:
                _same_mask(m, mask, own)
            mask = own if mask is None else mask
            plain.append(_whole(m, operand))
        elif isinstance(operand, NumpyArray) and operand.shape and len(operand.shape) >= rank:
            raise Break("JN404", "an array of run-time size with another array")
        else:
            plain.append(operand)
    result = function(*plain)
    assert mask is not None
    if not isinstance(result, NumpyArray) or result.shape[:1] != shape_of(mask) or len(result.shape) != rank:
        raise Break("JN404", "an operation on an array of run-time size")
    return _new(m, m.read(result), mask, result.dtype)


_FILL: dict[str, Any] = {"sum": 0, "prod": 1, "any": False, "all": True}


def reduce(
    m: Machine, value: CompressedRef, name: str, args: list[Abstract], kwargs: dict[str, Abstract]
) -> Abstract:
    """Return a reduction over all elements."""
    content = _content(m, value)
    if args or kwargs or len(shape_of(content.data)) > 1:
        return _reduce_rows(m, value, name, args, kwargs)
    if name == "mean":
        _some(m, value, "the mean of some elements is taken")
        total = reduce(m, value, "sum", [], {})
        if content.dtype.kind not in "fiu" or content.dtype.itemsize < 4:
            raise Break("JN404", f"mean of {content.dtype} elements")
        mean = npy.binary(m, "truediv", total, count(m, value))
        assert isinstance(mean, NumpyScalar)
        wanted = content.dtype if content.dtype.kind == "f" else np.dtype(np.float64)
        return m.new_scalar(mean.ref, wanted) if mean.dtype == wanted else _cast(m, mean, wanted)
    if name in ("std", "var"):
        mean = reduce(m, value, "mean", [], {})
        gaps = elementwise(m, lambda x: npy.binary(m, "sub", x, mean), [value])
        squares = elementwise(m, lambda x: npy.binary(m, "mul", x, x), [gaps])
        assert isinstance(squares, CompressedRef)
        variance = reduce(m, squares, "mean", [], {})
        return variance if name == "var" else npy.call(m, np.sqrt, [variance], {})
    if name in ("max", "min", "argmax", "argmin"):
        _some(m, value, f"the {name} of some elements is taken")
        if content.dtype.kind not in "fiu":
            raise Break("JN404", f"{name} of {content.dtype} elements")
        limits: Any = np.finfo(content.dtype) if content.dtype.kind == "f" else np.iinfo(content.dtype)
        infinite = np.inf if content.dtype.kind == "f" else None
        low = name.endswith("max")
        fill = (-infinite if low else infinite) if infinite else (limits.min if low else limits.max)
        if name.startswith("arg"):
            raise Break("JN404", f"{name} of an array of run-time size")
    elif name in _FILL:
        fill = _FILL[name]
    else:
        raise Break("JN404", f"{name} of an array of run-time size")
    lx = Lax(m.b)
    filled = lx.select(content.mask, content.data, lx.like(content.data, fill))
    return npy.method(m, m.new_array(filled, content.dtype), name, [], {})


def _reduce_rows(
    m: Machine, value: CompressedRef, name: str, args: list[Abstract], kwargs: dict[str, Abstract]
) -> Abstract:
    """Return a reduction of rows: over all elements, over the rows, or within each."""
    content = _content(m, value)
    axis = args[0] if args else kwargs.get("axis", Known(None))
    if len(args) + len(kwargs) > 1 or kwargs.keys() - {"axis"} or not isinstance(axis, Known):
        raise Break("JN404", f"{name} of an array of run-time size with arguments")
    rank = len(shape_of(content.data))
    if axis.value is None or rank == 1:
        if axis.value not in (None, 0, -1):
            raise Break("JN208", "an axis out of range")
        flat = product(shape_of(content.data))
        lx = Lax(m.b)
        mask = _spread(m, content)
        return reduce(
            m,
            _new(m, lx.reshape(content.data, (flat,)), lx.reshape(mask, (flat,)), content.dtype),
            name,
            [],
            {},
        )
    if axis.value % rank != 0:
        inner = npy.method(m, _whole(m, value), name, [axis], {})
        assert isinstance(inner, NumpyArray)
        return _new(m, m.read(inner), content.mask, inner.dtype)
    if name == "mean":
        _some(m, value, "the mean of some rows is taken")
        if content.dtype != np.float64:
            raise Break("JN404", f"mean of {content.dtype} elements")
        total = _reduce_rows(m, value, "sum", [axis], {})
        return npy.binary(m, "truediv", total, count(m, value))
    if name not in ("sum", "prod", "any", "all"):
        raise Break("JN404", f"{name} of an array of run-time size")
    lx = Lax(m.b)
    filled = lx.select(_spread(m, content), content.data, lx.like(content.data, _FILL[name]))
    return npy.method(m, m.new_array(filled, content.dtype), name, [axis], {})


def _spread(m: Machine, content: CompressedContent) -> Value:
    """Return the mask of the elements of all rows."""
    lx = Lax(m.b)
    return lx.broadcast(content.mask, shape_of(content.data), (0,))


def _cast(m: Machine, value: NumpyScalar, dtype: np.dtype[Any]) -> Abstract:
    return npy.method(m, value, "astype", [Known(dtype)], {})


def method(
    m: Machine, value: CompressedRef, name: str, args: list[Abstract], kwargs: dict[str, Abstract]
) -> Abstract:
    """Call a method."""
    content = _content(m, value)
    if name in (*_FILL, "mean", "std", "var", "max", "min"):
        return reduce(m, value, name, args, kwargs)
    if name == "copy" and not args and not kwargs:
        return _new(m, content.data, content.mask, content.dtype)
    if name == "astype" and len(args) == 1 and not kwargs:
        return elementwise(m, lambda x: npy.method(m, x, "astype", args, {}), [value])
    if name == "tolist" and not args and not kwargs:
        from janus_mlir.capture.library import lists as library

        return library.call(m, library.plain_items, value)
    raise Break("JN404", f"{name} of an array of run-time size")


def attribute(m: Machine, value: CompressedRef, name: str) -> Abstract | None:
    """Return an attribute, None if it is a method."""
    match name:
        case "size":
            each = product(shape_of(_content(m, value).data)[1:])
            return number_binary(m, "mul", count(m, value), Known(each))
        case "shape":
            rest = shape_of(_content(m, value).data)[1:]
            return TupleValue((count(m, value), *map(Known, rest)))
        case "ndim":
            return Known(len(shape_of(_content(m, value).data)))
        case "dtype":
            return Known(_content(m, value).dtype)
        case "T" if len(shape_of(_content(m, value).data)) == 1:
            return value
    return None


_REDUCTIONS: dict[Any, str] = {
    np.sum: "sum", np.prod: "prod", np.any: "any", np.all: "all", np.mean: "mean", np.std: "std", np.var: "var",
    np.max: "max", np.min: "min", np.amax: "max", np.amin: "min",
}  # fmt: skip


def of_lists(m: Machine, args: list[Abstract]) -> list[Abstract]:
    """Return arguments of a NumPy function, lists of a run-time number of numbers as arrays."""
    return [_of_list(m, arg) if isinstance(arg, ListRef) else arg for arg in args]


def _of_list(m: Machine, value: ListRef) -> Abstract:
    content = m.get(value.id)
    if not isinstance(content, VectorContent):
        return value
    match content.layout:
        case NumberLayout(kind=kind):
            dtype = DTYPES[kind]
        case ScalarLayout(dtype=dtype):
            pass
        case _:
            return value
    if dtype != np.float64 and not content.count:
        # NumPy makes an empty list an array of floats.
        some = m.b.one("arith.cmpi", [vectors.length(m, content), m.const(0)], BOOL, predicate="sgt")
        m.guard(some, "shape", text="the list is not empty")
    lx = Lax(m.b)
    (data,) = content.buffers
    places = lx.iota("i64", shape_of(data), 0)
    end = lx.broadcast(lx.tensor(vectors.length(m, content)), shape_of(data), ())
    return _new(m, data, lx.compare("lt", places, end), dtype)


def call(m: Machine, function: Any, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    """Call a NumPy function of which an argument is compressed."""
    for known, name in _REDUCTIONS.items():
        if function is known and isinstance(args[0], CompressedRef):
            return reduce(m, args[0], name, args[1:], kwargs)
    if function in (np.array, np.asarray) and len(args) == 1 and isinstance(args[0], CompressedRef):
        if kwargs:
            raise Break("JN404", "an array of run-time size made with options")
        return args[0] if function is np.asarray else method(m, args[0], "copy", [], {})
    if function in (np.size,) and len(args) == 1 and isinstance(args[0], CompressedRef):
        return count(m, args[0])
    if isinstance(function, np.ufunc) and not kwargs:
        return elementwise(m, lambda *arrays: npy.call(m, function, list(arrays), {}), args)
    raise Break("JN404", f"numpy.{getattr(function, '__name__', 'function')} of an array of run-time size")


def _nonzero(m: Machine, args: list[Abstract]) -> tuple[NumpyArray, Value]:
    if len(args) != 1 or not isinstance(args[0], NumpyArray) or not args[0].shape:
        raise Break("JN403", "nonzero() of something that is not an array")
    array = args[0]
    if not _static(array.shape):
        raise Break("JN404", "nonzero() of an array with symbolic extents")
    lx = Lax(m.b)
    flat = lx.reshape(m.read(array), (product(array.shape),))
    if array.dtype == _BOOL:
        return array, flat
    return array, lx.compare("ne", flat, lx.like(flat, 0))


def nonzero(m: Machine, args: list[Abstract]) -> Abstract:
    """Return ``np.nonzero(a)``, which is also ``np.where(a)``."""
    array, mask = _nonzero(m, args)
    lx = Lax(m.b)
    columns = []
    for axis in range(len(array.shape)):
        place = np.indices(array.shape)[axis].reshape(-1)
        columns.append(_new(m, lx.literal(place.astype(np.int64), "i64"), mask, _INT))
    return TupleValue(tuple(columns))


def flatnonzero(m: Machine, args: list[Abstract]) -> Abstract:
    """Return ``np.flatnonzero(a)``."""
    _, mask = _nonzero(m, args)
    return _new(m, Lax(m.b).iota("i64", shape_of(mask), 0), mask, _INT)


def argwhere(m: Machine, args: list[Abstract]) -> Abstract:
    """Return ``np.argwhere(a)``."""
    array, mask = _nonzero(m, args)
    places = np.stack([axis.reshape(-1) for axis in np.indices(array.shape)], axis=1)
    return _new(m, Lax(m.b).literal(places.astype(np.int64), "i64"), mask, _INT)


def unique(m: Machine, args: list[Abstract], *, counts: bool = False) -> Abstract:
    """Return ``np.unique(a)``: the sorted elements, those that equal the one before left out."""
    if len(args) != 1 or not isinstance(args[0], NumpyArray) or not _static(args[0].shape):
        raise Break("JN404", "unique() of something that is not an array")
    array = args[0]
    size = product(array.shape)
    if not size or array.dtype.kind not in "iuf":
        raise Break("JN404", f"unique() of {array.dtype} elements")
    lx = Lax(m.b)
    flat = lx.reshape(m.read(array), (size,))
    if array.dtype.kind == "f":
        m.guard(lx.all(lx.compare("eq", flat, flat)), "domain", text="no element is NaN")
    (ordered,) = lx.sort([flat], 0)
    first = lx.full(True, "i1", (1,))
    if size > 1:
        rest = lx.compare("ne", lx.slice(ordered, (1,), (size - 1,)), lx.slice(ordered, (0,), (size - 1,)))
        first = lx.concatenate([first, rest], 0)
    found = _new(m, ordered, first, array.dtype)
    if not counts:
        return found
    square = (size, size)
    same = lx.compare("eq", lx.broadcast(ordered, square, (0,)), lx.broadcast(ordered, square, (1,)))
    return TupleValue((found, _new(m, lx.reduce("sum", lx.convert(same, "i64"), (1,)), first, _INT)))


def take(m: Machine, array: NumpyArray, index: CompressedRef) -> Abstract:
    """Return ``array[index]`` for compressed integer indices."""
    content = _content(m, index)
    if len(array.shape) != 1 or content.dtype.kind not in "iu":
        raise Break("JN404", "indices of run-time number")
    lx = Lax(m.b)
    places = lx.select(content.mask, content.data, lx.like(content.data, 0))
    found = npy.getitem(m, array, m.new_array(places, content.dtype))
    if not isinstance(found, NumpyArray):
        raise Break("JN404", "indices of run-time number")
    return _new(m, m.read(found), content.mask, array.dtype)


def item(m: Machine, value: CompressedRef, index: Abstract) -> Abstract:
    """Return one element, or the elements of another mask."""
    content = _content(m, value)
    if len(shape_of(content.data)) > 1:
        raise Break("JN404", "a subscript of an array of run-time size")
    if isinstance(index, CompressedRef):
        other = _content(m, index)
        if other.dtype != _BOOL:
            raise Break("JN404", "indices of run-time number into an array of run-time size")
        _same_mask(m, content.mask, other.mask)
        both = Lax(m.b).logical("and", content.mask, other.data)
        return _new(m, content.data, both, content.dtype)
    if not isinstance(index, (Number, ExtentNumber, Known)) or (
        isinstance(index, Known) and type(index.value) is not int
    ):
        raise Break("JN404", "a subscript of an array of run-time size")
    from janus_mlir.capture.numbers import as_int

    total = count(m, value).ref
    ref = as_int(m, index)
    negative = m.b.one("arith.cmpi", [ref, m.const(0)], BOOL, predicate="slt")
    shifted = m.b.one("arith.addi", [ref, total], INT)
    ref = m.b.one("arith.select", [negative, shifted, ref], INT)
    inside = m.b.one("arith.cmpi", [ref, total], BOOL, predicate="ult")
    m.guard(inside, "bounds", text="the index is in range")
    return m.new_scalar(_at(m, content, ref), content.dtype)


def _at(m: Machine, content: CompressedContent, position: Value) -> Value:
    """Return the element at a position among those that count."""
    lx = Lax(m.b)
    ranks = lx.cumulative("cumsum", lx.convert(content.mask, "i64"), 0)
    wanted = lx.broadcast(lx.tensor(m.b.one("arith.addi", [position, m.const(1)], INT)), shape_of(ranks), ())
    hit = lx.logical("and", lx.compare("eq", ranks, wanted), content.mask)
    place = lx.arg("argmax", lx.convert(hit, "i64"), 0)
    row = lx.dynamic_slice(content.data, [place], (1,))
    return lx.reshape(row, ())
