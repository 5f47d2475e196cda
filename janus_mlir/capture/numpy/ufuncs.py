"""Universal functions: type resolution, broadcasting, ``out=``, and Python's operators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from janus_mlir.capture.graph import BOOL as SCALAR_BOOL
from janus_mlir.capture.graph import Value
from janus_mlir.capture.numpy import arithmetic, elementary
from janus_mlir.capture.numpy.arguments import Arguments, bind
from janus_mlir.capture.numpy.context import Context, bad_argument, unknown_function, would_raise
from janus_mlir.capture.numpy.dtypes import BOOL, FLOAT16, FLOAT32, DType, element
from janus_mlir.capture.numpy.extents import broadcast_shapes
from janus_mlir.capture.numpy.kernel import EXACT, KERNELS, Kernel
from janus_mlir.capture.numpy.lax import Lax
from janus_mlir.capture.numpy.operands import (
    Operand,
    fit,
    fresh,
    operand,
    scalar_or_array,
    sequence,
    write_into,
)
from janus_mlir.capture.values import (
    Abstract,
    JaxArray,
    Known,
    Number,
    NumpyArray,
    NumpyScalar,
    TupleValue,
)

BINARY_OPERATORS: dict[str, np.ufunc] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "truediv": np.true_divide,
    "floordiv": np.floor_divide,
    "mod": np.remainder,
    "pow": np.power,
    "matmul": np.matmul,
    "lshift": np.left_shift,
    "rshift": np.right_shift,
    "and_": np.bitwise_and,
    "or_": np.bitwise_or,
    "xor": np.bitwise_xor,
    "divmod": np.divmod,
}
COMPARISONS: dict[str, np.ufunc] = {
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
    "eq": np.equal,
    "ne": np.not_equal,
}
UNARY_OPERATORS: dict[str, np.ufunc] = {
    "neg": np.negative,
    "pos": np.positive,
    "invert": np.invert,
    "abs": np.absolute,
}

#: What array arithmetic is done by; loading them registers the kernels.
KERNEL_MODULES = (arithmetic, elementary)


def supported(ufunc: np.ufunc) -> bool:
    """Whether there is a kernel for `ufunc`."""
    return ufunc in KERNELS


def call(ctx: Context, ufunc: np.ufunc, args: Sequence[Abstract], kwargs: Mapping[str, Abstract]) -> Abstract:
    """Call of a ufunc with the arguments as Python passes them."""
    names = [f"x{i}" for i in range(ufunc.nin)]
    outs = [f"out{i}" for i in range(ufunc.nout)]
    bound = bind(ctx, ufunc.__name__, f"{' '.join(names + outs)} * out dtype where casting", args, kwargs)
    if bound.constant("where", True) is not True:
        bad_argument(f"{ufunc.__name__}(where=...)")
    if bound.constant("casting", "same_kind") != "same_kind":
        bad_argument(f"{ufunc.__name__}(casting=...)")
    targets = _targets(ctx, ufunc, bound, outs)
    return apply(ctx, ufunc, [operand(ctx, bound.need(n)) for n in names], targets, bound.dtype())


def _targets(ctx: Context, ufunc: np.ufunc, bound: Arguments, outs: Sequence[str]) -> list[NumpyArray | None]:
    given: list[Abstract | None] = [bound.get(out) for out in outs]
    out = bound.get("out")
    if out is not None:
        items = sequence(ctx, out)
        given = list(items) if items is not None else [out]
        if len(given) != ufunc.nout:
            would_raise(f"{ufunc.__name__}(out=...) needs {ufunc.nout} arrays")
    targets: list[NumpyArray | None] = []
    for item in given:
        if isinstance(item, Known) and item.value is None:
            item = None
        if item is not None and not isinstance(item, NumpyArray):
            bad_argument(f"{ufunc.__name__}(out=...)")
        targets.append(item)
    return targets


def resolve(ufunc: np.ufunc, operands: Sequence[Operand], dtype: DType | None = None) -> tuple[DType, ...]:
    """The dtypes of the loop that NumPy runs."""
    types = (*(x.dtype for x in operands), *(None,) * ufunc.nout)
    options: dict[str, Any] = {}
    if dtype is not None:
        options["signature"] = (*(None,) * ufunc.nin, *(dtype,) * ufunc.nout)
    try:
        found: tuple[DType, ...] = ufunc.resolve_dtypes(types, **options)
        return found
    except TypeError as error:
        would_raise(str(error))


def apply(
    ctx: Context,
    ufunc: np.ufunc,
    operands: Sequence[Operand],
    targets: Sequence[NumpyArray | None] = (),
    dtype: DType | None = None,
    always_array: bool = False,
) -> Abstract:
    """Apply `ufunc` to operands; results are scalars where the rank is 0, unless `always_array`."""
    if ufunc not in KERNELS:
        unknown_function(f"numpy.{ufunc.__name__}")
    targets = targets or (None,) * ufunc.nout
    if not always_array and dtype is None and all(x.known is not None for x in operands):
        return _fold(ufunc, [x.known for x in operands])
    dtypes = resolve(ufunc, operands, dtype)
    for target, found in zip(targets, dtypes[ufunc.nin :], strict=True):
        if target is not None and not np.can_cast(found, target.dtype, "same_kind"):
            would_raise(f"cannot cast the result of {ufunc.__name__} from {found} to {target.dtype}")
    shape = broadcast_shapes(ctx, *(x.shape for x in operands))
    for target in targets:
        if target is not None:
            whole = broadcast_shapes(ctx, shape, target.shape)
            if len(whole) != len(target.shape) or whole != tuple(target.shape):
                would_raise(f"result of {ufunc.__name__} does not fit the output array")
            shape = whole
    results = compute(ctx, ufunc, operands, dtypes, shape)
    wrapped: list[Abstract] = []
    for target, content, found in zip(targets, results, dtypes[ufunc.nin :], strict=True):
        if target is not None:
            write_into(ctx, target, content)
            wrapped.append(target)
        elif always_array:
            wrapped.append(fresh(ctx, content, found, operands))
        else:
            wrapped.append(scalar_or_array(ctx, content, found, operands))
    return wrapped[0] if ufunc.nout == 1 else TupleValue(tuple(wrapped))


#: What warns on ints, too.
_DIVISIONS = (np.true_divide, np.floor_divide, np.remainder, np.fmod, np.divmod, np.power)


def compute(
    ctx: Context,
    ufunc: np.ufunc,
    operands: Sequence[Operand],
    dtypes: Sequence[DType],
    shape: tuple[Any, ...],
) -> list[Value]:
    """Emit the kernel of `ufunc` on operands of the loop's dtypes, broadcast to `shape`."""
    function = KERNELS[ufunc]
    if ufunc in _DIVISIONS or any(d.kind in "fc" for d in dtypes[len(operands) :]):
        ctx.computes()
    widen = function not in EXACT and FLOAT16 in dtypes
    lx = Lax(ctx.b)
    loop = [FLOAT32 if widen and d == FLOAT16 else d for d in dtypes]
    tensors = []
    for x, own, used in zip(operands, dtypes, loop, strict=False):
        tensor = x.tensor(ctx, own)
        if used != own:
            tensor = lx.convert(tensor, element(used))
        tensors.append(fit(ctx, lx, tensor, shape))
    kernel = Kernel(ctx, element(loop[len(operands)]), [x.known for x in operands])
    results = function(kernel, *tensors)
    if isinstance(results, Value):
        results = (results,)
    return [lx.convert(r, element(d)) for r, d in zip(results, dtypes[len(operands) :], strict=True)]


def _fold(ufunc: np.ufunc, values: Sequence[Any]) -> Abstract:
    try:
        with np.errstate(all="ignore"):
            result = ufunc(*values)
    except (TypeError, ValueError, OverflowError, ZeroDivisionError) as error:
        would_raise(str(error))
    return TupleValue(tuple(map(Known, result))) if isinstance(result, tuple) else Known(result)


def _operator_operands(ctx: Context, op: str, values: Sequence[Abstract]) -> list[Operand]:
    for value in values:
        if isinstance(value, JaxArray):
            bad_argument(f"operator {op} of a NumPy and a JAX array")
    operands = [operand(ctx, value) for value in values]
    if any(sequence(ctx, value) is not None for value in values) and not any(
        isinstance(value, NumpyArray) for value in values
    ):
        # `[0] * np.int64(3)` repeats the list.
        bad_argument(f"operator {op} of a sequence and a scalar")
    return operands


def binary(ctx: Context, op: str, a: Abstract, b: Abstract, target: NumpyArray | None = None) -> Abstract:
    """``a <op> b``, written into `target` if given."""
    ufunc = BINARY_OPERATORS.get(op)
    if ufunc is None:
        unknown_function(f"operator {op}")
    operands = _operator_operands(ctx, op, (a, b))
    targets = [target] if target is not None else []
    if op == "pow":
        special = _scalar_power(ctx, operands[0], operands[1])
        if special is not None:
            return apply(ctx, special, operands[:1], targets)
    return apply(ctx, ufunc, operands, targets)


def _scalar_power(ctx: Context, base: Operand, exponent: Operand) -> np.ufunc | None:
    """The ufunc by which NumPy computes some powers of arrays by Python numbers."""
    if not base.is_array or exponent.number is None or base.strong.kind not in "fiu":
        return None
    known = exponent.known
    if base.strong.kind == "f":
        if known is None and isinstance(exponent.number, Number) and exponent.number.kind == "float":
            # At 0.5 NumPy takes the square root, which differs at -inf.
            lx = Lax(ctx.b)
            half = ctx.b.one("constant", [], exponent.number.ref.type, value=0.5)
            ctx.guard(
                lx.b.one("arith.cmpf", [exponent.number.ref, half], SCALAR_BOOL, predicate="une"), "value"
            )
        if known == 0.5:
            return np.sqrt
        if known == -1:
            return np.reciprocal
        return np.square if known == 2 else None
    return np.square if known == 2 and type(known) is int else None


def inplace(ctx: Context, op: str, a: Abstract, b: Abstract) -> Abstract:
    """``a <op>= b``: arrays are written, scalars replaced."""
    if not isinstance(a, NumpyArray):
        if isinstance(a, NumpyScalar | Known | Number) or sequence(ctx, a) is None:
            return binary(ctx, op, a, b)
        bad_argument(f"in-place {op} of a sequence and an array")
    return binary(ctx, op, a, b, a)


def unary(ctx: Context, op: str, a: Abstract) -> Abstract:
    """``<op> a``."""
    ufunc = UNARY_OPERATORS.get(op)
    if ufunc is None:
        unknown_function(f"operator {op}")
    return apply(ctx, ufunc, [operand(ctx, a)])


def compare(ctx: Context, op: str, a: Abstract, b: Abstract) -> Abstract:
    """``a <op> b`` for a comparison."""
    ufunc = COMPARISONS.get(op)
    if ufunc is None:
        unknown_function(f"operator {op}")
    operands = _operator_operands(ctx, op, (a, b))
    outcome = _beyond(ufunc, operands)
    if outcome is not None:
        shape = broadcast_shapes(ctx, *(x.shape for x in operands))
        return scalar_or_array(ctx, Lax(ctx.b).full(outcome, "i1", shape), BOOL, operands)
    return apply(ctx, ufunc, operands)


def _beyond(ufunc: np.ufunc, operands: Sequence[Operand]) -> bool | None:
    """Outcome of the comparison of an integer dtype with a Python int that it cannot hold."""
    x, y = operands
    for one, other in ((x, y), (y, x)):
        if other.dtype is not int or other.known is None or one.strong.kind not in "iu":
            continue
        info = np.iinfo(one.strong)
        if one.known is None and not info.min <= other.known <= info.max:
            # Any value of the dtype compares in the same way.
            sides = [0 if operand is one else other.known for operand in operands]
            return bool(
                {
                    "less": sides[0] < sides[1],
                    "less_equal": sides[0] < sides[1],
                    "greater": sides[0] > sides[1],
                    "greater_equal": sides[0] > sides[1],
                    "equal": False,
                    "not_equal": True,
                }[ufunc.__name__]
            )
    return None
