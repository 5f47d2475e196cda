"""Products of arrays and what belongs to matrices."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from janus_mlir.capture.graph import Value
from janus_mlir.capture.numpy import ufuncs, views
from janus_mlir.capture.numpy.arguments import Arguments
from janus_mlir.capture.numpy.casts import cast
from janus_mlir.capture.numpy.context import Context, ambiguous_layout, bad_argument, would_raise
from janus_mlir.capture.numpy.dtypes import BOOL, FLOAT64, DType, element
from janus_mlir.capture.numpy.extents import (
    broadcast_shapes,
    equal,
    is_static,
    normalize_axes,
    normalize_axis,
    product,
)
from janus_mlir.capture.numpy.lax import Lax, Shape, shape_of
from janus_mlir.capture.numpy.layout import is_contiguous
from janus_mlir.capture.numpy.operands import Operand, as_array, operand, write_into
from janus_mlir.capture.numpy.reductions import accumulator, finish, sum_tensor
from janus_mlir.capture.values import Abstract, Known, NumpyArray


def contract(
    ctx: Context,
    x: Value,
    y: Value,
    contracting: tuple[Sequence[int], Sequence[int]],
    batch: tuple[Sequence[int], Sequence[int]],
    dtype: DType,
) -> Value:
    """``dot_general`` with NumPy's accumulation for small types."""
    lx = Lax(ctx.b)
    if dtype == BOOL:
        found = lx.dot_general(lx.convert(x, "i32"), lx.convert(y, "i32"), contracting, batch)
        return cast(ctx, found, "i1")
    if element(dtype) == "f16":
        found = lx.dot_general(lx.convert(x, "f32"), lx.convert(y, "f32"), contracting, batch)
        return lx.convert(found, "f16")
    return lx.dot_general(x, y, contracting, batch)


def _same(ctx: Context, a: object, b: object, what: str) -> None:
    if not equal(ctx, a, b):
        would_raise(f"{what}: {a} against {b}")


def matmul_operands(ctx: Context, a: Operand, b: Operand, dtype: DType) -> Value:
    """Matrix product by the rules of ``np.matmul``."""
    if not a.shape or not b.shape:
        would_raise("matmul of a scalar")
    lx = Lax(ctx.b)
    x, y = a.tensor(ctx, dtype), b.tensor(ctx, dtype)
    vector_x, vector_y = len(a.shape) == 1, len(b.shape) == 1
    inner = -1 if vector_y else -2
    _same(ctx, a.shape[-1], b.shape[inner], "matmul")
    # Extents found equal under a guard get one name.
    y = lx.reshape(y, (*b.shape[:-1], a.shape[-1]) if vector_y else (*b.shape[:-2], a.shape[-1], b.shape[-1]))
    lead_x, lead_y = tuple(a.shape[:-2]), tuple(b.shape[:-2])
    if not lead_x and not lead_y:
        return contract(ctx, x, y, ((len(a.shape) - 1,), (0,)), ((), ()), dtype)
    if not lead_y:
        # Many rows against one matrix: one product.
        return contract(ctx, x, y, ((len(a.shape) - 1,), (0,)), ((), ()), dtype)
    lead = broadcast_shapes(ctx, lead_x, lead_y)
    rank = len(lead)
    batch = (tuple(range(rank)), tuple(range(rank)))
    y = lx.broadcast(y, (*lead, *shape_of(y)[len(lead_y) :]))
    if vector_x:
        x = lx.broadcast(x, (*lead, *a.shape))
        return contract(ctx, x, y, ((rank,), (rank,)), batch, dtype)
    x = lx.broadcast(x, (*lead, *a.shape[-2:]))
    return contract(ctx, x, y, ((rank + 1,), (rank,)), batch, dtype)


def _deliver(
    ctx: Context, content: Value, dtype: DType, out: NumpyArray | None = None, scalar: bool = True
) -> Abstract:
    if out is not None:
        if tuple(out.shape) != shape_of(content):
            would_raise("output array has the wrong shape")
        if not np.can_cast(dtype, out.dtype, "same_kind"):
            would_raise("output array has the wrong dtype")
        write_into(ctx, out, content)
        return out
    if scalar and not shape_of(content):
        return ctx.new_scalar(content, dtype)
    return ctx.new_array(content, dtype)


def matmul(ctx: Context, a: Abstract, b: Abstract, out: NumpyArray | None = None) -> Abstract:
    """``a @ b``."""
    ctx.computes()
    x, y = operand(ctx, a), operand(ctx, b)
    dtypes = ufuncs.resolve(np.matmul, (x, y))
    return _deliver(ctx, matmul_operands(ctx, x, y, dtypes[0]), dtypes[2], out)


def matmul_call(ctx: Context, bound: Arguments) -> Abstract:
    """``np.matmul``."""
    bound.refuse("dtype", "axes", "axis")
    return matmul(ctx, bound.need("x1"), bound.need("x2"), bound.out())


def _product_dtype(x: Operand, y: Operand) -> DType:
    dtype = np.result_type(x.strong, y.strong)
    element(dtype)
    return dtype


def dot(ctx: Context, bound: Arguments) -> Abstract:
    """``np.dot``."""
    x, y = operand(ctx, bound.need("a")), operand(ctx, bound.need("b"))
    dtype = _product_dtype(x, y)
    out = bound.out()
    if not x.shape or not y.shape:
        if out is not None:
            bad_argument("dot(out=...) with a scalar")
        # dot converts its operands to arrays, so that Python numbers count as strong.
        lx = Lax(ctx.b)
        shape = x.shape or y.shape
        left, right = (lx.broadcast(o.tensor(ctx, dtype), tuple(shape)) for o in (x, y))
        if dtype == BOOL:
            return _deliver(ctx, lx.logical("and", left, right), dtype)
        return _deliver(ctx, lx.mul(left, right), dtype)
    inner = 0 if len(y.shape) == 1 else len(y.shape) - 2
    _same(ctx, x.shape[-1], y.shape[inner], "dot")
    lx = Lax(ctx.b)
    other = tuple(x.shape[-1] if i == inner else d for i, d in enumerate(y.shape))
    content = contract(
        ctx,
        x.tensor(ctx, dtype),
        lx.reshape(y.tensor(ctx, dtype), other),
        ((len(x.shape) - 1,), (inner,)),
        ((), ()),
        dtype,
    )
    return _deliver(ctx, content, dtype, out)


def vdot(ctx: Context, bound: Arguments) -> Abstract:
    """``np.vdot`` of real arrays."""
    x, y = operand(ctx, bound.need("a")), operand(ctx, bound.need("b"))
    dtype = _product_dtype(x, y)
    lx = Lax(ctx.b)
    left, right = (lx.reshape(o.tensor(ctx, dtype), (product(o.shape),)) for o in (x, y))
    _same(ctx, shape_of(left)[0], shape_of(right)[0], "vdot")
    right = lx.reshape(right, shape_of(left))
    return _deliver(ctx, contract(ctx, left, right, ((0,), (0,)), ((), ()), dtype), dtype)


def inner(ctx: Context, bound: Arguments) -> Abstract:
    """``np.inner``."""
    x, y = operand(ctx, bound.need("a")), operand(ctx, bound.need("b"))
    if not x.shape or not y.shape:
        bad_argument("inner with a scalar")
    dtype = _product_dtype(x, y)
    return _contract_axes(ctx, x, y, (len(x.shape) - 1,), (len(y.shape) - 1,), dtype, scalar=True)


def _contract_axes(
    ctx: Context,
    x: Operand,
    y: Operand,
    left: Sequence[int],
    right: Sequence[int],
    dtype: DType,
    scalar: bool,
) -> Abstract:
    shape = list(y.shape)
    for i, j in zip(left, right, strict=True):
        _same(ctx, x.shape[i], y.shape[j], "extents of contracted axes")
        shape[j] = x.shape[i]
    lx = Lax(ctx.b)
    content = contract(
        ctx, x.tensor(ctx, dtype), lx.reshape(y.tensor(ctx, dtype), shape), (left, right), ((), ()), dtype
    )
    return _deliver(ctx, content, dtype, scalar=scalar)


def tensordot(ctx: Context, bound: Arguments) -> Abstract:
    """``np.tensordot``."""
    x, y = operand(ctx, bound.need("a")), operand(ctx, bound.need("b"))
    axes = bound.constant("axes", 2)
    if isinstance(axes, int):
        if axes > min(len(x.shape), len(y.shape)):
            would_raise("tensordot axes")
        left = tuple(range(len(x.shape) - axes, len(x.shape)))
        right = tuple(range(axes))
    else:
        first, second = axes
        left = normalize_axes(first if isinstance(first, tuple) else (first,), len(x.shape))
        right = normalize_axes(second if isinstance(second, tuple) else (second,), len(y.shape))
    if len(left) != len(right):
        would_raise("tensordot axes")
    return _contract_axes(ctx, x, y, left, right, _product_dtype(x, y), scalar=False)


def outer(ctx: Context, bound: Arguments) -> Abstract:
    """``np.outer``."""
    x, y = operand(ctx, bound.need("a")), operand(ctx, bound.need("b"))
    dtypes = ufuncs.resolve(np.multiply, (Operand(x.strong, ()), Operand(y.strong, ())))
    lx = Lax(ctx.b)
    m, n = product(x.shape), product(y.shape)
    left = lx.broadcast(lx.reshape(x.tensor(ctx, dtypes[0]), (m,)), (m, n), (0,))
    right = lx.broadcast(lx.reshape(y.tensor(ctx, dtypes[1]), (n,)), (m, n), (1,))
    content = lx.logical("and", left, right) if dtypes[2] == BOOL else lx.mul(left, right)
    return _deliver(ctx, content, dtypes[2], bound.out())


def einsum(ctx: Context, bound: Arguments, args: Sequence[Abstract]) -> Abstract:
    """``np.einsum`` of one or two operands without repeated letters or ellipsis."""
    bound.refuse("out", "order", "casting")
    spec = args[0].value if args and isinstance(args[0], Known) else None
    if not isinstance(spec, str) or "." in spec:
        bad_argument("einsum without a plain specification")
    spec = spec.replace(" ", "")
    inputs, arrow, output = spec.partition("->")
    terms = inputs.split(",")
    operands = [operand(ctx, value) for value in args[1:]]
    if len(terms) != len(operands) or not 1 <= len(terms) <= 2:
        bad_argument("einsum of more than two operands")
    letters = "".join(terms)
    if not arrow:
        output = "".join(sorted(c for c in set(letters) if letters.count(c) == 1))
    for term, x in zip(terms, operands, strict=True):
        if len(term) != len(x.shape):
            would_raise("einsum: number of axes")
        if len(set(term)) != len(term):
            bad_argument("einsum with a repeated letter")
    if len(set(output)) != len(output) or not set(output) <= set(letters):
        would_raise("einsum output")
    dtype = bound.dtype() or np.result_type(*(x.strong for x in operands))
    if len(terms) == 1 and sorted(output) == sorted(letters) and operands[0].array is not None:
        if dtype != operands[0].strong:
            bad_argument("einsum that only converts")
        return views.transpose(ctx, operands[0].array, [letters.index(c) for c in output])
    if dtype == BOOL:
        bad_argument("einsum of bools")
    tensors = [
        _sum_out(ctx, x.tensor(ctx, dtype), term, _needed(terms, output, i))
        for i, (term, x) in enumerate(zip(terms, operands, strict=True))
    ]
    lx = Lax(ctx.b)
    if len(tensors) == 1:
        content, order = tensors[0]
    else:
        content, order = _pairwise(ctx, tensors[0], tensors[1], output, dtype)
    content = lx.transpose(content, [order.index(c) for c in output])
    found = _deliver(ctx, content, dtype)
    if isinstance(found, NumpyArray) and len(output) > 1:
        ctx.layouts[found.storage] = None
    return found


def _needed(terms: Sequence[str], output: str, index: int) -> str:
    """Letters of one term that something else needs."""
    return output + "".join(term for i, term in enumerate(terms) if i != index)


def _sum_out(ctx: Context, x: Value, term: str, needed: str) -> tuple[Value, str]:
    axes = [i for i, c in enumerate(term) if c not in needed]
    return sum_tensor(ctx, x, axes), "".join(c for c in term if c in needed)


def _pairwise(
    ctx: Context, left: tuple[Value, str], right: tuple[Value, str], output: str, dtype: DType
) -> tuple[Value, str]:
    (x, a), (y, b) = left, right
    lx = Lax(ctx.b)
    shared = [c for c in a if c in b]
    extents = list(shape_of(y))
    for c in shared:
        one, two = shape_of(x)[a.index(c)], extents[b.index(c)]
        if (is_static(one) and one == 1) != (is_static(two) and two == 1):
            bad_argument("einsum that broadcasts an extent of 1")
        _same(ctx, one, two, f"einsum axis {c}")
        extents[b.index(c)] = one
    y = lx.reshape(y, extents)
    batch = [c for c in shared if c in output]
    summed = [c for c in shared if c not in output]
    content = contract(
        ctx,
        x,
        y,
        ([a.index(c) for c in summed], [b.index(c) for c in summed]),
        ([a.index(c) for c in batch], [b.index(c) for c in batch]),
        dtype,
    )
    free = [c for c in a if c not in shared] + [c for c in b if c not in shared]
    return content, "".join(batch + free)


def diagonal_tensor(ctx: Context, x: Value, offset: int, axis1: int, axis2: int) -> Value:
    """Diagonal of two static axes, which goes last."""
    lx = Lax(ctx.b)
    shape = shape_of(x)
    rest = [i for i in range(len(shape)) if i not in (axis1, axis2)]
    x = lx.transpose(x, [*rest, axis1, axis2])
    rows, columns = shape[axis1], shape[axis2]
    if not is_static(rows) or not is_static(columns):
        bad_argument("diagonal of symbolic extents")
    length = max(min(rows + min(offset, 0), columns - max(offset, 0)), 0)
    lead: Shape = shape_of(x)[:-2]
    # Row-major, the diagonal has a constant stride.
    flat = lx.reshape(x, (*lead, rows * columns))
    start = offset if offset >= 0 else -offset * columns
    zeros, ones = (0,) * len(lead), (1,) * len(lead)
    if length == 0:
        start = 0
    return lx.slice(flat, (*zeros, start), (*lead, length), (*ones, columns + 1))


def trace(ctx: Context, bound: Arguments) -> Abstract:
    """``np.trace``."""
    x = operand(ctx, bound.need("a"))
    rank = len(x.shape)
    if rank < 2:
        would_raise("trace of less than two axes")
    i, j = normalize_axis(bound.constant("axis1", 0), rank), normalize_axis(bound.constant("axis2", 1), rank)
    dtype = bound.dtype() or accumulator(x.strong)
    tensor = cast(ctx, x.tensor(ctx), element(dtype))
    found = diagonal_tensor(ctx, tensor, bound.constant("offset", 0), i, j)
    return _deliver(ctx, sum_tensor(ctx, found, (len(shape_of(found)) - 1,)), dtype, bound.out())


def diag(ctx: Context, bound: Arguments) -> Abstract:
    """``np.diag``: the diagonal of a matrix, as a view, or a matrix of one."""
    x = operand(ctx, bound.need("v"))
    offset = bound.constant("k", 0)
    lx = Lax(ctx.b)
    if len(x.shape) == 2:
        return diagonal_view(ctx, as_array(ctx, bound.need("v")), offset, 0, 1)
    if len(x.shape) != 1 or not is_static(x.shape[0]):
        bad_argument("diag of a symbolic extent or of rank other than 1")
    size = x.shape[0] + abs(offset)
    tensor = x.tensor(ctx)
    low = (0, offset) if offset >= 0 else (-offset, 0)
    row, column = lx.iota("i64", (size, size), 0), lx.iota("i64", (size, size), 1)
    on = lx.compare("eq", lx.add(row, lx.like(row, offset)), column)
    spread = lx.broadcast(tensor, (x.shape[0], x.shape[0]), (0,))
    zero = lx.full(0, element(x.strong))
    padded = lx.pad(spread, zero, (low[0], low[1]), (size - x.shape[0] - low[0], size - x.shape[0] - low[1]))
    return ctx.new_array(lx.select(on, padded, lx.broadcast(zero, (size, size))), x.strong)


def diagonal_view(ctx: Context, array: NumpyArray, offset: int, axis1: int, axis2: int) -> NumpyArray:
    """The diagonal as a read-only view; it is a strided view of the array in one dim."""
    shape = array.shape
    if len(shape) != 2 or (axis1, axis2) != (0, 1) or not all(map(is_static, shape)):
        bad_argument("diagonal of other than a matrix of static shape")
    rows, columns = shape
    length = max(min(rows + min(offset, 0), columns - max(offset, 0)), 0)
    start = (offset if offset >= 0 else -offset * columns) if length else 0
    if not is_contiguous(ctx, array):
        ambiguous_layout("diagonal of an array that is not contiguous")
    flat = views.reshape(ctx, array, (rows * columns,))
    return views.index_view(ctx, flat, [(start, length, columns + 1), "readonly"])


def diagonal(ctx: Context, bound: Arguments) -> Abstract:
    """``np.diagonal``: a read-only view."""
    array = as_array(ctx, bound.need("a"))
    rank = len(array.shape)
    if rank < 2:
        would_raise("diagonal of less than two axes")
    i, j = normalize_axis(bound.constant("axis1", 0), rank), normalize_axis(bound.constant("axis2", 1), rank)
    return diagonal_view(ctx, array, bound.constant("offset", 0), i, j)


def _triangle(ctx: Context, bound: Arguments, lower: bool) -> Abstract:
    x = operand(ctx, bound.need("m"))
    if len(x.shape) < 2:
        bad_argument(f"{bound.name} of less than two axes")
    lx = Lax(ctx.b)
    tensor = x.tensor(ctx)
    shape = shape_of(tensor)
    rank = len(shape)
    row, column = lx.iota("i64", shape, rank - 2), lx.iota("i64", shape, rank - 1)
    offset = bound.constant("k", 0)
    if not isinstance(offset, int):
        bad_argument(f"{bound.name}(k=...)")
    bound_row = lx.add(row, lx.like(row, offset))
    keep = lx.compare("le", column, bound_row) if lower else lx.compare("ge", column, bound_row)
    return ctx.new_array(lx.select(keep, tensor, lx.like(tensor, 0)), x.strong)


def tril(ctx: Context, bound: Arguments) -> Abstract:
    """``np.tril``."""
    return _triangle(ctx, bound, lower=True)


def triu(ctx: Context, bound: Arguments) -> Abstract:
    """``np.triu``."""
    return _triangle(ctx, bound, lower=False)


def norm(ctx: Context, bound: Arguments) -> Abstract:
    """``np.linalg.norm`` of vectors, and the Frobenius norm."""
    given = operand(ctx, bound.need("x"))
    dtype = given.strong if given.strong.kind == "f" else FLOAT64
    if element(dtype) == "f16":
        bad_argument("norm of float16")
    order, axis = bound.constant("ord"), bound.constant("axis")
    rank = len(given.shape)
    lx = Lax(ctx.b)
    x = given.tensor(ctx, dtype)
    if axis is None and (order is None or (order == 2 and rank == 1)):
        axes = tuple(range(rank))
    else:
        axes = normalize_axes(axis, rank)
        if (
            len(axes) > 2
            or (len(axes) == 2 and order not in (None, "fro"))
            or (len(axes) == 1 and order == "fro")
        ):
            bad_argument(f"norm(ord={order!r}) over {len(axes)} axes")
    magnitude = lx.unary("abs", x)
    if order in (None, 2, "fro"):
        content = lx.unary("sqrt", lx.reduce("sum", lx.mul(x, x), axes))
    elif order == np.inf:
        content = lx.reduce("max", magnitude, axes)
    elif order == -np.inf:
        content = lx.reduce("min", magnitude, axes)
    elif order == 1:
        content = lx.reduce("sum", magnitude, axes)
    else:
        bad_argument(f"norm(ord={order!r})")
    return finish(ctx, bound, given, content, dtype, axes)
