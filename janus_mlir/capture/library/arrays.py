"""NumPy functions written in terms of others, and captured like the user's code.

What raises or warns here leaves compiled code, so that Python calls NumPy's own function.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from janus_mlir.capture.builtins.table import registers
from janus_mlir.capture.library.lists import python_decides
from janus_mlir.capture.values import Abstract, Known

if TYPE_CHECKING:
    from janus_mlir.capture.machine import Machine

# ruff: noqa: D103, SIM108, PERF401
# The functions below are read by capture: plain loops, no annotations to evaluate.


def append(arr: Any, values: Any, axis: Any = None) -> Any:
    if axis is None:
        return np.concatenate((np.ravel(np.asarray(arr)), np.ravel(np.asarray(values))))
    return np.concatenate((arr, values), axis=axis)


def insert(arr: Any, obj: Any, values: Any) -> Any:
    arr = np.asarray(arr)
    if arr.ndim != 1 or not isinstance(obj, int) or not isinstance(values, (int, float)):
        python_decides()
    item = np.asarray([values]).astype(arr.dtype)
    return np.concatenate((arr[:obj], item, arr[obj:]))


def delete(arr: Any, obj: Any) -> Any:
    arr = np.asarray(arr)
    if arr.ndim != 1 or not isinstance(obj, int):
        python_decides()
    n = arr.shape[0]
    if obj < -n or obj >= n:
        python_decides()
    if obj < 0:
        obj += n
    return np.concatenate((arr[:obj], arr[obj + 1 :]))


def _quantile(ordered: Any, fraction: Any) -> Any:
    n = ordered.shape[0]
    place = (n - 1) * fraction
    low = int(place)
    high = min(low + 1, n - 1)
    t = place - low
    a = ordered[low]
    b = ordered[high]
    gap = b - a
    if t >= 0.5:
        return b - gap * (1 - t)
    return a + gap * t


def _quantiles(a: Any, q: Any, scale: Any) -> Any:
    a = np.asarray(a)
    if a.dtype != np.float64 and a.dtype != np.int64:
        python_decides()
    ordered = np.sort(np.ravel(a)).astype(np.float64)
    if ordered.shape[0] == 0 or np.isnan(ordered[-1]):
        python_decides()
    if isinstance(q, (list, tuple)):
        found = []
        for one in q:
            if one < 0 or one > scale:
                python_decides()
            found.append(_quantile(ordered, one / scale))
        return np.array(found)
    if not isinstance(q, (int, float)) or q < 0 or q > scale:
        python_decides()
    return _quantile(ordered, q / scale)


def percentile(a: Any, q: Any) -> Any:
    return _quantiles(a, q, 100)


def quantile(a: Any, q: Any) -> Any:
    return _quantiles(a, q, 1)


def polyval(p: Any, x: Any) -> Any:
    y: Any = np.zeros_like(x) if isinstance(x, np.ndarray) else 0
    for c in p:
        y = y * x + c
    return y


def vander(x: Any, N: Any = None, increasing: Any = False) -> Any:  # noqa: N803
    x = np.asarray(x)
    if N is None:
        N = x.shape[0]  # noqa: N806
    if N < 1 or x.dtype != np.float64:
        python_decides()
    columns = [np.ones_like(x)]
    for _ in range(N - 1):
        columns.append(columns[-1] * x)
    if not increasing:
        columns.reverse()
    return np.stack(columns, axis=1)


def bincount(x: Any, weights: Any = None, minlength: Any = 0) -> Any:
    x = np.asarray(x)
    if x.ndim != 1 or x.shape[0] == 0 or minlength < 1:
        python_decides()
    if np.min(x) < 0 or np.max(x) >= minlength:
        python_decides()
    hits = x[:, None] == np.arange(minlength)
    if weights is None:
        return hits.sum(axis=0)
    return np.where(hits, np.asarray(weights)[:, None], 0.0).sum(axis=0)


def diagflat(v: Any, k: Any = 0) -> Any:
    return np.diag(np.ravel(np.asarray(v)), k)


def nansum(a: Any, axis: Any = None) -> Any:
    a = np.asarray(a)
    return np.sum(np.where(np.isnan(a), np.zeros_like(a), a), axis=axis)


def nanmean(a: Any, axis: Any = None) -> Any:
    a = np.asarray(a)
    missing = np.isnan(a)
    count = np.sum(~missing, axis=axis)
    if np.any(count == 0) or a.dtype != np.float64:
        python_decides()
    return np.sum(np.where(missing, np.zeros_like(a), a), axis=axis) / count


def nanmax(a: Any, axis: Any = None) -> Any:
    a = np.asarray(a)
    missing = np.isnan(a)
    if np.any(np.all(missing, axis=axis)):
        python_decides()
    return np.max(np.where(missing, np.full_like(a, -np.inf), a), axis=axis)


def nanmin(a: Any, axis: Any = None) -> Any:
    a = np.asarray(a)
    missing = np.isnan(a)
    if np.any(np.all(missing, axis=axis)):
        python_decides()
    return np.min(np.where(missing, np.full_like(a, np.inf), a), axis=axis)


def _register(original: Any, function: Any) -> None:
    @registers(original)
    def handler(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
        from janus_mlir.capture.calls import call_inline

        m.computes()
        return call_inline(m, Known(function), args, kwargs)


for _name in (
    "append", "insert", "delete", "percentile", "quantile", "polyval", "vander", "bincount", "diagflat", "nansum", "nanmean",
    "nanmax", "nanmin",
):  # fmt: skip
    _register(getattr(np, _name), globals()[_name])
