"""Captured NumPy code through the compiler."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy_checks import check

pytest.importorskip("janus_mlir._native._compiler")

from numpy_native import evaluate as native  # noqa: E402


def _softmax(np: Any, x: Any) -> Any:
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def _in_place(np: Any, x: Any) -> Any:
    x[1:, ::2] *= 2
    x[0] = x[-1]
    x.T[1] += np.arange(4)
    return x.reshape(-1)[3:7], x.mean()


def _lookup(np: Any, x: Any) -> Any:
    best = np.argmax(x, axis=1)
    return x[np.arange(4), best], best, x[[0, -1]] @ x.T


def _statistics(np: Any, x: Any) -> Any:
    scaled = (x - np.mean(x, axis=0)) / np.std(x, axis=0)
    return np.where(scaled > 0, scaled, 0.5), np.cumsum(scaled, axis=1), np.sort(x, axis=0)


def _integers(np: Any, x: Any) -> Any:
    n = np.floor(x * 7).astype(np.int32)
    return n // 3, n % -4, np.clip(n, -2, 2), n.sum(), (n << 2) ^ 5, np.count_nonzero(n)


def _shapes(np: Any, x: Any) -> Any:
    return (
        np.concatenate([x, x[::-1]], axis=1),
        np.repeat(x, 2, axis=0),
        np.tile(x, (1, 2)),
        np.stack([x, x], -1),
    )


@pytest.mark.parametrize("function", [_softmax, _in_place, _lookup, _statistics, _integers, _shapes])
@pytest.mark.parametrize("symbolic", [False, True])
@pytest.mark.parametrize("dtype", ["f8", "f4"])
def test_native(function: Any, symbolic: bool, dtype: str) -> None:
    x = np.random.default_rng(0).normal(size=(4, 6)).astype(dtype)
    check(function, [x], symbolic=symbolic, may_break=symbolic, run=native)
