"""Large matrix products go to OpenBLAS, whatever way the operands lie."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import janus_mlir as janus


def plain(a, b):
    return a @ b


def first_transposed(a, b):
    return a.T @ b


def second_transposed(a, b):
    return a @ b.T


def of_slices(a, b):
    return a[:, 128:].T @ b[:, 64:]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("function", [plain, first_transposed, second_transposed, of_slices])
def test_products(function: Any, dtype: Any) -> None:
    random = np.random.default_rng(0)
    a, b = (random.standard_normal((1024, 1024)).astype(dtype) for _ in range(2))
    if function is of_slices:
        a, b = a[:, :640], b[:, :640]
    compiled = janus.jit(function, warmup=0)
    result = compiled(a, b)
    assert compiled.stats.compiled_calls == 1
    expected = function(a, b)
    assert result.dtype == expected.dtype
    np.testing.assert_allclose(result, expected, rtol=0, atol=1e-3 if dtype is np.float32 else 1e-10)
    assert "scipy_cblas_" in compiled.lower(a, b).as_text("codegen")


def test_small_products_are_generated() -> None:
    a = np.ones((64, 64), np.float32)
    assert "scipy_cblas_" not in janus.jit(plain).lower(a, a).as_text("codegen")
