"""NumPy's semantics for captured code.

Operations on abstract arrays and NumPy scalars become ``lax`` ops in the captured graph, with NumPy's result
types, shapes, casting, views and in-place effects. Whatever cannot be guaranteed to be what NumPy does is a
`Break`, and so is whatever NumPy refuses: Python then raises the real exception.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from janus_mlir.capture.numpy import functions, linalg, ufuncs, universal
from janus_mlir.capture.numpy.context import Context, Layout
from janus_mlir.capture.numpy.indexing import getitem, setitem
from janus_mlir.capture.numpy.methods import attribute, contains, is_method, length, method, to_number, truth
from janus_mlir.capture.numpy.ufuncs import compare, unary
from janus_mlir.capture.numpy.universal import scalar_type_call
from janus_mlir.capture.numpy.views import apply_view, write_view
from janus_mlir.capture.values import Abstract, NumpyArray

__all__ = [
    "Context",
    "Layout",
    "apply_view",
    "attribute",
    "binary",
    "call",
    "compare",
    "contains",
    "getitem",
    "inplace",
    "is_method",
    "is_numpy_callable",
    "length",
    "method",
    "setitem",
    "to_number",
    "truth",
    "unary",
    "write_view",
]


def is_numpy_callable(fn: Any) -> bool:
    """Whether `fn` belongs to NumPy, so that `call` decides about it."""
    if isinstance(fn, np.ufunc) or isinstance(getattr(fn, "__self__", None), np.ufunc):
        return True
    if isinstance(fn, type) and issubclass(fn, np.generic):
        return True
    try:
        if fn in functions.FUNCTIONS or fn in functions.PURE:
            return True
    except TypeError:  # not hashable
        return False
    module = getattr(fn, "__module__", None)
    return isinstance(module, str) and module.partition(".")[0] == "numpy"


def call(ctx: Context, fn: Any, args: Sequence[Abstract], kwargs: Mapping[str, Abstract]) -> Abstract:
    """Call of a NumPy function, ufunc, ufunc method or scalar type."""
    if fn is np.matmul:
        return functions.call(ctx, fn, args, kwargs)
    if isinstance(fn, np.ufunc):
        return ufuncs.call(ctx, fn, args, kwargs)
    owner = getattr(fn, "__self__", None)
    if isinstance(owner, np.ufunc):
        return universal.ufunc_method(ctx, owner, fn.__name__, args, kwargs)
    if isinstance(fn, type) and issubclass(fn, np.generic):
        return scalar_type_call(ctx, fn, args, kwargs)
    return functions.call(ctx, fn, args, kwargs)


def binary(ctx: Context, op: str, a: Abstract, b: Abstract) -> Abstract:
    """``a <op> b``, `op` named as in the operator module; one of them is an array or NumPy scalar."""
    if op == "matmul":
        return linalg.matmul(ctx, a, b)
    return ufuncs.binary(ctx, op, a, b)


def inplace(ctx: Context, op: str, a: Abstract, b: Abstract) -> Abstract:
    """``a <op>= b``: the new value of `a`, which is `a` itself if it is an array."""
    if op == "matmul":
        return linalg.matmul(ctx, a, b, a if isinstance(a, NumpyArray) else None)
    return ufuncs.inplace(ctx, op, a, b)
