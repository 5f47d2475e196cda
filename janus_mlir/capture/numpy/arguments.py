"""Binding of call arguments to parameters, and Python values of abstract ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from janus_mlir.capture.graph import Extent
from janus_mlir.capture.numpy.context import Context, bad_argument, value_dependent, would_raise
from janus_mlir.capture.numpy.dtypes import DType, element
from janus_mlir.capture.numpy.operands import sequence
from janus_mlir.capture.values import Abstract, ExtentNumber, Known, Number, NumpyArray, NumpyScalar

_ABSENT = object()


class Arguments:
    """Arguments of one call, by parameter name."""

    def __init__(self, ctx: Context, name: str, values: Mapping[str, Abstract]) -> None:
        self.ctx = ctx
        self.name = name
        self.values = values

    def __contains__(self, parameter: str) -> bool:
        """Whether an argument was given that is not None."""
        return self.get(parameter) is not None

    def get(self, parameter: str) -> Abstract | None:
        """The argument, or None if it is absent or None."""
        value = self.values.get(parameter)
        if isinstance(value, Known) and (value.value is None or value.value is np._NoValue):
            return None
        return value

    def need(self, parameter: str) -> Abstract:
        """The argument, which is required."""
        value = self.values.get(parameter)
        if value is None:
            would_raise(f"{self.name}() needs argument {parameter!r}")
        return value

    def constant(self, parameter: str, default: Any = None) -> Any:
        """Python value of the argument, which must be known at capture."""
        value = self.get(parameter)
        return default if value is None else constant(self.ctx, value, f"{self.name}({parameter}=...)")

    def flag(self, parameter: str, default: bool = False) -> bool:
        """Truth of an argument known at capture."""
        return bool(self.constant(parameter, default))

    def dtype(self, parameter: str = "dtype") -> DType | None:
        """A dtype, or None if absent."""
        value = self.get(parameter)
        return None if value is None else dtype_argument(self.ctx, value)

    def refuse(self, *parameters: str) -> None:
        """Break if one of these arguments is given."""
        for parameter in parameters:
            if parameter in self:
                bad_argument(f"{self.name}({parameter}=...)")

    def out(self) -> NumpyArray | None:
        """The ``out`` argument, if given."""
        value = self.get("out")
        if value is None:
            return None
        items = sequence(self.ctx, value)
        if items is not None and len(items) == 1:
            value = items[0]
        if not isinstance(value, NumpyArray):
            bad_argument(f"{self.name}(out=...)")
        return value


def bind(
    ctx: Context, name: str, parameters: str, args: Sequence[Abstract], kwargs: Mapping[str, Abstract]
) -> Arguments:
    """Bind arguments to `parameters`, names separated by blanks; those after ``*`` are by keyword only."""
    positional, _, by_keyword = parameters.partition("*")
    names = positional.split()
    if len(args) > len(names):
        would_raise(f"{name}() takes at most {len(names)} positional arguments")
    values = dict(zip(names, args, strict=False))
    allowed = {*names, *by_keyword.split()}
    for key, value in kwargs.items():
        if key in values:
            would_raise(f"{name}() got argument {key!r} twice")
        if key not in allowed:
            bad_argument(f"{name}({key}=...)")
        values[key] = value
    return Arguments(ctx, name, values)


def constant(ctx: Context, value: Abstract, what: str) -> Any:
    """Python value of an abstract one, tuples and lists included; symbolic extents stay symbolic."""
    if isinstance(value, Known):
        known = value.value
        return known.item() if isinstance(known, np.generic) else known
    if isinstance(value, ExtentNumber):
        return value.expr
    items = sequence(ctx, value)
    if items is not None:
        return tuple(constant(ctx, item, what) for item in items)
    if isinstance(value, Number | NumpyScalar | NumpyArray):
        value_dependent(f"{what} is computed at run time")
    bad_argument(f"{what} is a {type(value).__name__}")


def dtype_argument(ctx: Context, value: Abstract) -> DType:
    """A dtype from a dtype, a scalar type or a name."""
    known = constant(ctx, value, "dtype")
    try:
        dtype: DType = np.dtype(known)
    except TypeError as error:
        would_raise(str(error))
    element(dtype)
    return dtype


def shape_argument(ctx: Context, value: Abstract, what: str) -> tuple[Extent, ...]:
    """A shape from a number or a sequence of numbers."""
    known = constant(ctx, value, what)
    shape = tuple(known) if isinstance(known, tuple | list) else (known,)
    for extent in shape:
        if isinstance(extent, bool | float | str) or extent is None:
            would_raise(f"{what}: {extent!r} is not an integer")
    return shape
