"""The emitter that elementwise kernels use, and how kernels register for ufuncs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

from janus_mlir.capture.graph import Value
from janus_mlir.capture.numpy.casts import cast
from janus_mlir.capture.numpy.context import Context
from janus_mlir.capture.numpy.lax import Lax, tensor_type


class Kernel(Lax):
    """Emits one elementwise operation.

    Attributes
    ----------
    ctx : Context
        For guards.
    out : str
        Element type of the result.
    known : tuple
        For each operand its value if it is a number known at capture, else None.
    """

    def __init__(self, ctx: Context, out: str, known: Sequence[Any] = ()) -> None:
        super().__init__(ctx.b)
        self.ctx = ctx
        self.out = out
        self.known = tuple(known)

    def dtype(self, x: Value) -> str:
        """Element type of a tensor."""
        return tensor_type(x).dtype

    def cast(self, x: Value, dtype: str) -> Value:
        """NumPy's conversion of elements."""
        return cast(self.ctx, x, dtype)

    def require(self, cond: Value, kind: str) -> None:
        """Leave compiled code unless a bool tensor holds everywhere."""
        self.ctx.guard(self.all(cond), kind)

    def known_at(self, index: int) -> Any:
        """Value of an operand known at capture, or None."""
        return self.known[index] if index < len(self.known) else None

    def both(self, x: Value, y: Value) -> Value:
        """Conjunction of bools."""
        return self.logical("and", x, y)

    def either(self, x: Value, y: Value) -> Value:
        """Disjunction of bools."""
        return self.logical("or", x, y)

    def nonzero(self, x: Value) -> Value:
        """Truth of each element."""
        return x if self.dtype(x) == "i1" else self.compare("ne", x, self.like(x, 0))


#: Emits the result (or results) of a ufunc from operands of one shape, cast to the dtypes of its loop.
KernelFunction = Callable[..., "Value | tuple[Value, ...]"]

#: The kernel of each ufunc.
KERNELS: dict[np.ufunc, KernelFunction] = {}

#: Kernels that act on float16 as it is; all others compute in float32 and round, as NumPy does.
EXACT: set[KernelFunction] = set()


_Function = TypeVar("_Function", bound=KernelFunction)


def kernel(*ufuncs: np.ufunc, exact: bool = False) -> Callable[[_Function], _Function]:
    """Register a kernel for ufuncs."""

    def register(function: _Function) -> _Function:
        for ufunc in ufuncs:
            KERNELS[ufunc] = function
        if exact:
            EXACT.add(function)
        return function

    return register
