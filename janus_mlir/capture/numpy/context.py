"""What NumPy semantics needs from the machine that interprets the program."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn, Protocol

import numpy as np

from janus_mlir.capture.breaks import Break
from janus_mlir.capture.graph import Builder, Extent, Value
from janus_mlir.capture.values import Abstract, NumpyArray, NumpyScalar, Storage, ViewStep

#: Order of the axes in memory, slowest first; None if it is not known.
Layout = tuple[int, ...] | None


class Context(Protocol):
    """The machine, as this package sees it.

    Attributes
    ----------
    b : Builder
        Where ops go.
    layouts : dict of int to Layout
        Memory order of the storages (by id) that are not known to be C-contiguous. A fact about a storage
        never changes, so the dict is shared by all states of the machine and only grows. The machine
        enters outside arrays that are not guarded to be C-contiguous as None.
    """

    b: Builder
    layouts: dict[int, Layout]

    def read(self, array: NumpyArray) -> Value:
        """Return the current content of `array`."""
        ...

    def write(self, array: NumpyArray, content: Value) -> None:
        """Replace the content of `array`, through its view path."""
        ...

    def computes(self) -> None:
        """Note that NumPy computes with floats, or divides, which may warn."""
        ...

    def storage(self, array: NumpyArray) -> Storage:
        """Return the memory that `array` views."""
        ...

    def new_array(self, ref: Value, dtype: np.dtype[Any]) -> NumpyArray:
        """Return a new array that owns its memory."""
        ...

    def new_scalar(self, ref: Value, dtype: np.dtype[Any]) -> NumpyScalar:
        """Return a new NumPy scalar."""
        ...

    def view(self, array: NumpyArray, step: ViewStep, shape: tuple[Extent, ...]) -> NumpyArray:
        """Return a view of `array` through one more step."""
        ...

    def guard(self, cond: Value, kind: str) -> None:
        """Leave compiled code unless `cond` (BOOL) holds."""
        ...

    def items(self, value: Abstract) -> Sequence[Abstract] | None:
        """Return the elements of an abstract tuple or list, or None if it is something else."""
        ...

    def make_list(self, items: list[Abstract]) -> Abstract:
        """Return a new list."""
        ...


def would_raise(detail: str) -> NoReturn:
    """Give up because NumPy raises here: Python raises the real exception."""
    raise Break("JN208", detail)


def bad_argument(detail: str) -> NoReturn:
    """Give up because of an argument that is not handled."""
    raise Break("JN403", detail)


def unknown_function(detail: str) -> NoReturn:
    """Give up because the function is not known here."""
    raise Break("JN301", detail)


def value_dependent(detail: str) -> NoReturn:
    """Give up because the shape of the result depends on values."""
    raise Break("JN404", detail)


def ambiguous_layout(detail: str) -> NoReturn:
    """Give up because whether NumPy makes a view or a copy cannot be told."""
    raise Break("JN503", detail)
