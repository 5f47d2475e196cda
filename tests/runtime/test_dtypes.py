from __future__ import annotations

import numpy as np
import pytest

from janus_mlir._native import _runtime
from janus_mlir.runtime import DTYPES, dtype_by_code, dtype_by_mlir, dtype_by_name, find_dtype


def test_the_two_tables_agree():
    assert tuple(dtype.name for dtype in DTYPES) == _runtime.dtype_names()
    assert [dtype.code for dtype in DTYPES] == list(range(len(DTYPES)))


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_lookups(dtype):
    assert dtype_by_code(dtype.code) is dtype
    assert dtype_by_name(dtype.name) is dtype
    assert dtype_by_mlir(dtype.mlir) is dtype
    assert find_dtype(dtype.numpy) is dtype and find_dtype(dtype.numpy.type) is dtype


@pytest.mark.parametrize(
    "other", ["longlong", ">f4", "U3", object, "m8[s]", [("a", int)], np.longdouble, 3.5]
)
def test_types_that_janus_does_not_have(other):
    assert find_dtype(other) is None


def test_codes_out_of_range():
    for code in (-1, 99):
        with pytest.raises(ValueError):
            dtype_by_code(code)
