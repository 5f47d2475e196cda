"""Emission of ``lax`` ops with the shapes worked out: the one place of this package that names them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from janus_mlir.capture.breaks import Break
from janus_mlir.capture.graph import BOOL, FLOAT, INT, Builder, Extent, ScalarType, TensorType, Value
from janus_mlir.capture.numpy.dtypes import bits, dtype_of, is_float

Shape = tuple[Extent, ...]


def tensor_type(x: Value) -> TensorType:
    """Type of a value that is a tensor."""
    if not isinstance(x.type, TensorType):
        raise TypeError(f"{x!r} is not a tensor")
    return x.type


def shape_of(x: Value) -> Shape:
    """Shape of a tensor value."""
    return tensor_type(x).shape


def _without_units(shape: Shape) -> list[tuple[int, Extent]]:
    """Positions and extents of the dims other than 1."""
    return [(i, d) for i, d in enumerate(shape) if not (isinstance(d, int) and d == 1)]


def _aligned(source: Shape, target: Shape) -> bool:
    """Whether symbolic extents stay where they are, so that static ones are regrouped between them only.

    The compiler tells symbolic extents apart by their places alone. One on each side needs no telling.
    """
    groups: list[list[Extent]] = []
    for shape in (source, target):
        parts: list[Extent] = [1]
        for d in shape:
            if isinstance(d, int):
                parts[-1] = parts[-1] * d
            else:
                parts += [d, 1]
        groups.append(parts)
    return max(map(len, groups)) <= 3 or groups[0] == groups[1]


def _others(rank: int, dims: Sequence[tuple[int, Extent]]) -> tuple[int, ...]:
    """The dims of a rank that are not listed."""
    listed = {i for i, _ in dims}
    return tuple(i for i in range(rank) if i not in listed)


class Lax:
    """Builder of ``lax`` ops on tensors; operands of elementwise ops have one type.

    Methods named after a primitive emit it; the others are small compositions.
    """

    def __init__(self, b: Builder) -> None:
        self.b = b

    # Constants

    def full(self, value: Any, dtype: str, shape: Sequence[Extent] = ()) -> Value:
        """A constant, the same everywhere."""
        array = np.asarray(value).astype(dtype_of(dtype))
        ref = self.b.one("constant", [], TensorType(dtype, ()), value=array)
        return self.broadcast(ref, tuple(shape))

    def like(self, x: Value, value: Any) -> Value:
        """The constant `value` in the type of `x`."""
        t = tensor_type(x)
        return self.full(value, t.dtype, t.shape)

    def literal(self, array: np.ndarray[Any, Any], dtype: str) -> Value:
        """A constant array."""
        return self.b.one("constant", [], TensorType(dtype, array.shape), value=array)

    # Elementwise

    def unary(self, name: str, x: Value, **attrs: Any) -> Value:
        """``lax.<name>`` with the type of its operand."""
        return self.b.one(f"lax.{name}", [x], x.type, **attrs)

    def binary(self, name: str, x: Value, y: Value) -> Value:
        """``lax.<name>`` with the type of its operands."""
        return self.b.one(f"lax.{name}", [x, y], x.type)

    def compare(self, name: str, x: Value, y: Value) -> Value:
        """``lax.<name>`` with a bool result."""
        return self.b.one(f"lax.{name}", [x, y], TensorType("i1", shape_of(x)))

    def add(self, x: Value, y: Value) -> Value:
        """Sum."""
        return self.binary("add", x, y)

    def sub(self, x: Value, y: Value) -> Value:
        """Difference."""
        return self.binary("sub", x, y)

    def mul(self, x: Value, y: Value) -> Value:
        """Product."""
        return self.binary("mul", x, y)

    def div(self, x: Value, y: Value) -> Value:
        """Quotient; integers truncate."""
        return self.binary("div", x, y)

    def logical(self, name: str, x: Value, y: Value) -> Value:
        """``and``, ``or`` or ``xor``."""
        return self.binary(name, x, y)

    def invert(self, x: Value) -> Value:
        """Complement."""
        return self.unary("not", x)

    def select(self, pred: Value, on_true: Value, on_false: Value) -> Value:
        """Element by element, `on_true` where `pred`."""
        return self.b.one("lax.select_n", [pred, on_false, on_true], on_true.type)

    def is_finite(self, x: Value) -> Value:
        """Whether elements are neither infinite nor NaN."""
        return self.b.one("lax.is_finite", [x], TensorType("i1", shape_of(x)))

    def is_nan(self, x: Value) -> Value:
        """Whether elements are NaN."""
        return self.compare("ne", x, x)

    def rint(self, x: Value) -> Value:
        """Nearest integer, halves to even."""
        return self.unary("round", x, rounding_method="to_nearest_even")

    def trunc(self, x: Value) -> Value:
        """Integer part, with the sign of `x`."""
        return self.copysign(self.unary("floor", self.unary("abs", x)), x)

    def convert(self, x: Value, dtype: str) -> Value:
        """``lax.convert_element_type``."""
        t = tensor_type(x)
        return (
            x if t.dtype == dtype else self.b.one("lax.convert_element_type", [x], TensorType(dtype, t.shape))
        )

    def bitcast(self, x: Value, dtype: str) -> Value:
        """Bits of the elements as another type of the same width."""
        return self.b.one("lax.bitcast_convert_type", [x], TensorType(dtype, shape_of(x)))

    def is_negative(self, x: Value) -> Value:
        """Sign bit."""
        name = tensor_type(x).dtype
        if is_float(name):
            x = self.bitcast(x, f"i{bits(name)}")
        return self.compare("lt", x, self.like(x, 0))

    def copysign(self, magnitude: Value, sign: Value) -> Value:
        """`magnitude` with the sign of `sign`."""
        positive = self.unary("abs", magnitude)
        return self.select(self.is_negative(sign), self.unary("neg", positive), positive)

    # Shape

    def broadcast(self, x: Value, shape: Shape, dims: Sequence[int] | None = None) -> Value:
        """Broadcast; operand dims become `dims`, by default the last ones."""
        t = tensor_type(x)
        if t.shape == shape:
            return x
        if dims is None:
            dims = range(len(shape) - t.rank, len(shape))
        return self.b.one(
            "lax.broadcast_in_dim", [x], TensorType(t.dtype, shape), broadcast_dimensions=tuple(dims)
        )

    def reshape(self, x: Value, shape: Sequence[Extent]) -> Value:
        """Same elements in row-major order in another shape."""
        t = tensor_type(x)
        shape = tuple(shape)
        if t.shape == shape:
            return x
        kept, wanted = _without_units(t.shape), _without_units(shape)
        if [d for _, d in kept] != [d for _, d in wanted]:
            if len(shape) > 1 and not _aligned(t.shape, shape):
                raise Break("JN405", f"reshape of {t.shape} to {shape}")
            return self.b.one("lax.reshape", [x], TensorType(t.dtype, shape))
        # Only extents of 1 go or come, which is easier on the compiler than a reshape.
        removed = _others(t.rank, kept)
        if removed:
            core = TensorType(t.dtype, tuple(d for _, d in kept))
            x = self.b.one("lax.squeeze", [x], core, dimensions=removed)
        added = _others(len(shape), wanted)
        return (
            self.b.one("lax.expand_dims", [x], TensorType(t.dtype, shape), dimensions=added) if added else x
        )

    def transpose(self, x: Value, perm: Sequence[int]) -> Value:
        """Permutation of dims."""
        t = tensor_type(x)
        if tuple(perm) == tuple(range(t.rank)):
            return x
        result = TensorType(t.dtype, tuple(t.shape[p] for p in perm))
        return self.b.one("lax.transpose", [x], result, permutation=tuple(perm))

    def rev(self, x: Value, dims: Sequence[int]) -> Value:
        """Reversal along dims."""
        return self.unary("rev", x, dimensions=tuple(dims)) if dims else x

    def slice(
        self,
        x: Value,
        starts: Sequence[Extent],
        sizes: Sequence[Extent],
        strides: Sequence[int] | None = None,
    ) -> Value:
        """`sizes` elements from `starts` on with positive `strides`."""
        t = tensor_type(x)
        strides = tuple(strides or (1,) * t.rank)
        if t.shape == tuple(sizes) and all(s == 1 for s in strides):
            return x
        limits = tuple(
            start if size == 0 else start + (size - 1) * stride + 1
            for start, size, stride in zip(starts, sizes, strides, strict=True)
        )
        return self.b.one(
            "lax.slice",
            [x],
            TensorType(t.dtype, tuple(sizes)),
            start_indices=tuple(starts),
            limit_indices=limits,
            strides=strides,
        )

    def dynamic_slice(self, x: Value, starts: Sequence[Value], sizes: Sequence[Extent]) -> Value:
        """Slice from computed starts (rank-0 integer tensors)."""
        return self.b.one("lax.dynamic_slice", [x, *starts], TensorType(tensor_type(x).dtype, tuple(sizes)))

    def dynamic_update_slice(self, x: Value, update: Value, starts: Sequence[Value]) -> Value:
        """`x` with a slice replaced."""
        return self.b.one("lax.dynamic_update_slice", [x, update, *starts], x.type)

    def concatenate(self, xs: Sequence[Value], axis: int) -> Value:
        """Tensors end to end."""
        if len(xs) == 1:
            return xs[0]
        t = tensor_type(xs[0])
        size = sum(shape_of(x)[axis] for x in xs)
        shape = (*t.shape[:axis], size, *t.shape[axis + 1 :])
        return self.b.one("lax.concatenate", list(xs), TensorType(t.dtype, shape), dimension=axis)

    def pad(
        self,
        x: Value,
        value: Value,
        low: Sequence[Extent],
        high: Sequence[Extent],
        interior: Sequence[int] | None = None,
    ) -> Value:
        """Padding with a rank-0 `value`."""
        t = tensor_type(x)
        interior = tuple(interior or (0,) * t.rank)
        shape = tuple(
            lo + hi + (size - 1) * gap + size if gap else lo + hi + size
            for size, lo, hi, gap in zip(t.shape, low, high, interior, strict=True)
        )
        return self.b.one(
            "lax.pad",
            [x, value],
            TensorType(t.dtype, shape),
            low=tuple(low),
            high=tuple(high),
            interior=interior,
        )

    def iota(self, dtype: str, shape: Sequence[Extent], dim: int) -> Value:
        """Index along `dim`."""
        return self.b.one("lax.iota", [], TensorType(dtype, tuple(shape)), dimension=dim)

    # Reductions and contractions

    def reduce(self, name: str, x: Value, axes: Sequence[int]) -> Value:
        """``lax.reduce_<name>``."""
        t = tensor_type(x)
        if not axes:
            return x
        shape = tuple(d for i, d in enumerate(t.shape) if i not in axes)
        return self.b.one(f"lax.reduce_{name}", [x], TensorType(t.dtype, shape), axes=tuple(sorted(axes)))

    def arg(self, name: str, x: Value, axis: int) -> Value:
        """``lax.argmax`` or ``lax.argmin`` with 64-bit indices."""
        shape = tuple(d for i, d in enumerate(shape_of(x)) if i != axis)
        return self.b.one(f"lax.{name}", [x], TensorType("i64", shape), axes=(axis,))

    def cumulative(self, name: str, x: Value, axis: int) -> Value:
        """``lax.cumsum`` and its like."""
        return self.unary(name, x, axis=axis, reverse=False)

    def sort(self, xs: Sequence[Value], axis: int) -> list[Value]:
        """Stable sort by the first operand."""
        return self.b.op(
            "lax.sort", list(xs), [x.type for x in xs], dimension=axis, num_keys=1, is_stable=True
        )

    def dot_general(
        self,
        x: Value,
        y: Value,
        contracting: tuple[Sequence[int], Sequence[int]],
        batch: tuple[Sequence[int], Sequence[int]] = ((), ()),
    ) -> Value:
        """Sum of products; the result has the batch dims, then the free dims of `x` and of `y`."""
        tx, ty = tensor_type(x), tensor_type(y)
        (cx, cy), (bx, by) = contracting, batch
        shape = (
            *(tx.shape[i] for i in bx),
            *(d for i, d in enumerate(tx.shape) if i not in cx and i not in bx),
            *(d for i, d in enumerate(ty.shape) if i not in cy and i not in by),
        )
        attrs: dict[str, Any] = {"lhs_contracting": tuple(cx), "rhs_contracting": tuple(cy)}
        if bx:
            attrs |= {"lhs_batch": tuple(bx), "rhs_batch": tuple(by)}
        return self.b.one("lax.dot_general", [x, y], TensorType(tx.dtype, shape), **attrs)

    def gather(
        self, x: Value, indices: Value, axes: Sequence[int], position: int, shape: Sequence[Extent]
    ) -> Value:
        """Elements (and rows) of `x` at index vectors along `axes`; the batch dims go to `position`.

        `indices` has the components in its last dim; `shape` is that of the result.
        """
        t = tensor_type(x)
        batch = len(shape_of(indices)) - 1
        kept = t.rank - len(axes)
        offsets = [d for d in range(batch + kept) if not position <= d < position + batch]
        return self.b.one(
            "lax.gather",
            [x, indices],
            TensorType(t.dtype, tuple(shape)),
            offset_dims=tuple(offsets),
            collapsed_slice_dims=tuple(sorted(axes)),
            start_index_map=tuple(axes),
            slice_sizes=tuple(1 if i in axes else d for i, d in enumerate(t.shape)),
            mode="promise_in_bounds",
        )

    def scatter(
        self, name: str, x: Value, indices: Value, updates: Value, axes: Sequence[int], position: int
    ) -> Value:
        """`x` with `updates` at the places that `gather` takes them from; `name` is ``scatter[_add...]``."""
        batch = len(shape_of(indices)) - 1
        rank = len(shape_of(updates))
        window = [d for d in range(rank) if not position <= d < position + batch]
        return self.b.one(
            f"lax.{name}",
            [x, indices, updates],
            x.type,
            update_window_dims=tuple(window),
            inserted_window_dims=tuple(sorted(axes)),
            scatter_dims_to_operand_dims=tuple(axes),
            mode="promise_in_bounds",
        )

    # Between tensors and numbers

    def tensor(self, scalar: Value) -> Value:
        """A Python number as a rank-0 tensor of its own element type."""
        if not isinstance(scalar.type, ScalarType):
            raise TypeError(f"{scalar!r} is not a number")
        return self.b.one("tensor.from_elements", [scalar], TensorType(scalar.type.name, ()))

    def number(self, x: Value) -> Value:
        """The element of a rank-0 tensor of i64, f64 or i1 as a Python number."""
        kind = {"i64": INT, "f64": FLOAT, "i1": BOOL}[tensor_type(x).dtype]
        return self.b.one("tensor.extract", [x], kind)

    def truth(self, x: Value) -> Value:
        """Whether the only element of `x` is not zero, as a BOOL."""
        return self.b.one("janus.truth", [x], BOOL)

    def all(self, x: Value) -> Value:
        """Whether all elements of a bool tensor hold, as a BOOL."""
        return self.truth(self.reduce("and", x, range(len(shape_of(x)))))

    # Numbers

    def integer(self, value: int) -> Value:
        """An INT constant."""
        return self.b.one("constant", [], INT, value=value)

    def extent(self, expr: Extent) -> Value:
        """An extent as an INT."""
        return self.integer(expr) if isinstance(expr, int) else self.b.one("dim", [], INT, expr=expr)

    def cmpi(self, predicate: str, x: Value, y: Value) -> Value:
        """Comparison of INTs."""
        return self.b.one("arith.cmpi", [x, y], BOOL, predicate=predicate)
