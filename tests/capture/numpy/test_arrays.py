from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy_checks import check, refuses


def arrays(dtype: str = "f8") -> list[np.ndarray[Any, Any]]:
    rng = np.random.default_rng(0)
    return [
        (rng.normal(size=(4, 3)) * 5).astype(dtype),
        (rng.normal(size=(3,)) * 5).astype(dtype),
        (rng.normal(size=(2, 4, 3)) * 5).astype(dtype),
    ]


def named(function: Any) -> str:
    return function.__name__


REDUCTIONS = [
    lambda np, x, v, t: np.sum(x),
    lambda np, x, v, t: x.sum(axis=0),
    lambda np, x, v, t: t.sum((0, 2), keepdims=True),
    lambda np, x, v, t: t.sum(axis=-1, dtype=np.float32),
    lambda np, x, v, t: np.sum(x, initial=2),
    lambda np, x, v, t: np.sum(x, axis=1, out=t[0, :, 0]),
    lambda np, x, v, t: np.sum([v, v], axis=0),
    lambda np, x, v, t: np.prod(v),
    lambda np, x, v, t: x.prod(axis=1),
    lambda np, x, v, t: x.mean(),
    lambda np, x, v, t: x.mean(0),
    lambda np, x, v, t: np.mean(t, axis=(0, 1), keepdims=True),
    lambda np, x, v, t: np.var(x, axis=1),
    lambda np, x, v, t: x.std(ddof=1),
    lambda np, x, v, t: np.std(x, axis=0, keepdims=True),
    lambda np, x, v, t: x.max(),
    lambda np, x, v, t: np.min(x, axis=1),
    lambda np, x, v, t: np.amax(t, axis=(0, 1)),
    lambda np, x, v, t: np.max(x, initial=100),
    lambda np, x, v, t: np.ptp(x, axis=0),
    lambda np, x, v, t: x.argmax(),
    lambda np, x, v, t: np.argmin(x, axis=1),
    lambda np, x, v, t: np.argmax(x, axis=0, keepdims=True),
    lambda np, x, v, t: np.any(x > 3),
    lambda np, x, v, t: (x > -30).all(axis=1),
    lambda np, x, v, t: np.all(x),
    lambda np, x, v, t: np.count_nonzero(x > 0),
    lambda np, x, v, t: np.count_nonzero(x > 0, axis=1),
    lambda np, x, v, t: np.cumsum(x),
    lambda np, x, v, t: x.cumsum(axis=1),
    lambda np, x, v, t: np.cumprod(x, axis=0),
    lambda np, x, v, t: np.average(x, axis=1),
    lambda np, x, v, t: np.average(x, axis=1, weights=np.abs(v) + 1),
    lambda np, x, v, t: np.average(v, weights=[1, 2, 3]),
    lambda np, x, v, t: np.sort(x),
    lambda np, x, v, t: np.sort(x, axis=None),
    lambda np, x, v, t: np.sort(x, axis=0),
    lambda np, x, v, t: np.argsort(x, axis=0, kind="stable"),
    lambda np, x, v, t: np.median(v),
    lambda np, x, v, t: np.median(x, axis=0),
    lambda np, x, v, t: np.median(t),
    lambda np, x, v, t: np.add.reduce(x),
    lambda np, x, v, t: np.maximum.reduce(x, axis=1),
    lambda np, x, v, t: np.add.accumulate(x),
    lambda np, x, v, t: np.linalg.norm(x),
    lambda np, x, v, t: np.linalg.norm(x, axis=1),
    lambda np, x, v, t: np.linalg.norm(v, 1),
    lambda np, x, v, t: np.linalg.norm(v, np.inf),
    lambda np, x, v, t: np.linalg.norm(x, axis=0, keepdims=True),
    lambda np, x, v, t: v[0].sum(),
    lambda np, x, v, t: v[0].mean(),
    lambda np, x, v, t: x.sum().item(),
    lambda np, x, v, t: (x - x.mean(axis=0)) / (x.std(axis=0) + 1),
]


@pytest.mark.parametrize("dtype", ["f8", "f4", "i8", "i4", "u1"])
@pytest.mark.parametrize("function", REDUCTIONS)
def test_reductions(function: Any, dtype: str) -> None:
    inputs = arrays(dtype)
    if dtype == "u1":
        inputs = [np.abs(x.astype("i4")).astype("u1") % 10 for x in inputs]
    if "out=" in _source(function) and dtype != "f8":
        return
    if "dtype=np.float32" in _source(function) and dtype == "i8":
        return
    check(function, inputs)
    if dtype in ("f8", "i4"):
        check(function, inputs, symbolic=True, may_break=True)


def _source(function: Any) -> str:
    import inspect

    lines, start = inspect.getsourcelines(function)
    return lines[0]


@pytest.mark.parametrize("dtype", ["f2", "?"])
def test_reductions_of_small_types(dtype: str) -> None:
    x, v, t = (a.astype(dtype) for a in arrays())
    for function in (
        lambda np, x: x.sum(),
        lambda np, x: x.sum(axis=0),
        lambda np, x: x.mean(axis=0),
        lambda np, x: x.max(),
        lambda np, x: x.min(axis=0),
        lambda np, x: x.any(),
        lambda np, x: x.all(axis=0),
        lambda np, x: x.argmax(axis=0),
        lambda np, x: x.cumsum(axis=0),
        lambda np, x: np.sort(x),
        lambda np, x: x.prod(),
        lambda np, x: x.std(),
    ):
        check(function, [x])


def test_reductions_of_nan() -> None:
    x = np.array([1.0, np.nan, 3.0, np.nan, -1.0, 0.0])
    for function in (
        lambda np, x: x.max(),
        lambda np, x: np.argmax(x),
        lambda np, x: np.argmin(x),
        lambda np, x: np.sort(x),
        lambda np, x: np.median(x),
        lambda np, x: np.fmax(x, 2),
        lambda np, x: x.sum(),
    ):
        check(function, [x])


SHAPES = [
    lambda np, x, v, t: x.reshape(2, 6),
    lambda np, x, v, t: x.reshape((3, -1)),
    lambda np, x, v, t: x.T.reshape(-1),
    lambda np, x, v, t: np.reshape(x, -1),
    lambda np, x, v, t: x[:, :2].reshape(-1),
    lambda np, x, v, t: x[1:].reshape(-1),
    lambda np, x, v, t: t.transpose(1, 0, 2).reshape(4, 6),
    lambda np, x, v, t: t.transpose(1, 0, 2).reshape(4, 2, 3, 1),
    lambda np, x, v, t: t[:, :, :2].reshape(8, 2),
    lambda np, x, v, t: (x.T + 1).reshape(-1),
    lambda np, x, v, t: x.ravel(),
    lambda np, x, v, t: x.T.ravel(),
    lambda np, x, v, t: v.ravel(),
    lambda np, x, v, t: v[::2].ravel(),
    lambda np, x, v, t: x.flatten(),
    lambda np, x, v, t: x.T,
    lambda np, x, v, t: t.transpose(),
    lambda np, x, v, t: np.transpose(t, (2, 0, 1)),
    lambda np, x, v, t: t.swapaxes(0, -1),
    lambda np, x, v, t: np.moveaxis(t, 0, -1),
    lambda np, x, v, t: np.moveaxis(t, (0, 1), (-1, 0)),
    lambda np, x, v, t: np.expand_dims(x, (0, 2)),
    lambda np, x, v, t: np.squeeze(x[:1]),
    lambda np, x, v, t: x[:1].squeeze(axis=0),
    lambda np, x, v, t: np.concatenate([x, x[1:]]),
    lambda np, x, v, t: np.concatenate((x, x), axis=1),
    lambda np, x, v, t: np.concatenate([x, v], axis=None),
    lambda np, x, v, t: np.concatenate([v, np.arange(3, dtype=np.int32)]),
    lambda np, x, v, t: np.concatenate(t),
    lambda np, x, v, t: np.stack([v, v + 1]),
    lambda np, x, v, t: np.stack([x, x], axis=-1),
    lambda np, x, v, t: np.vstack([x, v]),
    lambda np, x, v, t: np.hstack([v, v, 1.0]),
    lambda np, x, v, t: np.hstack([x, x]),
    lambda np, x, v, t: np.dstack([x, x]),
    lambda np, x, v, t: np.column_stack([v, v]),
    lambda np, x, v, t: np.split(x, 2),
    lambda np, x, v, t: np.split(x, [1, 3]),
    lambda np, x, v, t: np.array_split(x, 3),
    lambda np, x, v, t: np.tile(v, 3),
    lambda np, x, v, t: np.tile(x, (2, 1, 3)),
    lambda np, x, v, t: np.repeat(x, 2),
    lambda np, x, v, t: x.repeat(3, axis=1),
    lambda np, x, v, t: np.roll(x, 1),
    lambda np, x, v, t: np.roll(x, -2, axis=0),
    lambda np, x, v, t: np.roll(x, (1, 2), axis=(0, 1)),
    lambda np, x, v, t: np.flip(x),
    lambda np, x, v, t: np.flip(x, 1),
    lambda np, x, v, t: np.flipud(x),
    lambda np, x, v, t: np.fliplr(x),
    lambda np, x, v, t: np.pad(x, 1),
    lambda np, x, v, t: np.pad(x, ((1, 2), (0, 3)), constant_values=7),
    lambda np, x, v, t: np.pad(x, ((1, 2), (0, 3)), mode="edge"),
    lambda np, x, v, t: np.broadcast_to(v, (4, 3)),
    lambda np, x, v, t: np.broadcast_to(x[:, :1], (2, 4, 3)),
    lambda np, x, v, t: np.atleast_1d(v),
    lambda np, x, v, t: np.atleast_2d(v),
    lambda np, x, v, t: np.atleast_3d(x),
    lambda np, x, v, t: np.atleast_1d(v[0]),
    lambda np, x, v, t: np.diff(v),
    lambda np, x, v, t: np.diff(x, n=2, axis=0),
    lambda np, x, v, t: x.copy(),
    lambda np, x, v, t: np.copy(x.T),
    lambda np, x, v, t: np.ascontiguousarray(x),
    lambda np, x, v, t: np.ascontiguousarray(x.T),
    lambda np, x, v, t: np.asarray(x),
    lambda np, x, v, t: np.asarray(x, dtype=np.float32),
    lambda np, x, v, t: np.array(x),
    lambda np, x, v, t: np.array(x, copy=False),
    lambda np, x, v, t: np.array([v, v]),
    lambda np, x, v, t: np.array([v[0], 2, v[1]]),
    lambda np, x, v, t: np.array([[1, 2], [3, 4.5]]),
    lambda np, x, v, t: np.array((1, True)),
    lambda np, x, v, t: np.array(v[0]),
    lambda np, x, v, t: np.array(3),
    lambda np, x, v, t: x.astype(x.dtype, copy=False),
    lambda np, x, v, t: x.shape,
    lambda np, x, v, t: (x.size, x.ndim, len(x.shape), x.nbytes, x.itemsize, x.dtype),
    lambda np, x, v, t: np.shape(x) + (np.ndim(x), np.size(x), np.size(x, 1)),
    lambda np, x, v, t: np.zeros(x.shape),
    lambda np, x, v, t: np.ones((2, 3), dtype=np.int32),
    lambda np, x, v, t: np.full(3, 2),
    lambda np, x, v, t: np.full((2, 3), v),
    lambda np, x, v, t: np.full_like(x, 3),
    lambda np, x, v, t: np.zeros_like(x),
    lambda np, x, v, t: np.zeros_like(x, dtype=bool),
    lambda np, x, v, t: np.ones_like(x.T, shape=(5,)),
    lambda np, x, v, t: np.empty_like(x) * 0 + 1,
    lambda np, x, v, t: np.arange(5),
    lambda np, x, v, t: np.arange(2, 30),
    lambda np, x, v, t: np.arange(1, 50, 2, dtype=np.int32),
    lambda np, x, v, t: np.arange(0.0, 1.0, 0.1),
    lambda np, x, v, t: np.arange(x.shape[0]),
    lambda np, x, v, t: np.linspace(0, 1, 7),
    lambda np, x, v, t: np.eye(3),
    lambda np, x, v, t: np.eye(3, 4, 1, dtype=np.int64),
    lambda np, x, v, t: np.identity(2),
    lambda np, x, v, t: np.meshgrid(v, np.arange(2)),
    lambda np, x, v, t: np.meshgrid(v, np.arange(2), indexing="ij"),
    lambda np, x, v, t: np.tril(x),
    lambda np, x, v, t: np.triu(x, 1),
    lambda np, x, v, t: np.diag(v),
    lambda np, x, v, t: np.diag(v, -1),
    lambda np, x, v, t: np.diag(x),
    lambda np, x, v, t: np.diag(x, 1),
    lambda np, x, v, t: x.diagonal(-1),
    lambda np, x, v, t: np.trace(x),
    lambda np, x, v, t: x.view(),
    lambda np, x, v, t: t.mT,
    lambda np, x, v, t: v.tolist(),
    lambda np, x, v, t: (v.max() - v.min()).item(),
    lambda np, x, v, t: np.unstack(x),
    lambda np, x, v, t: np.take(x, [2, 0]),
    lambda np, x, v, t: np.take(x, np.array([2, 0]), axis=1),
    lambda np, x, v, t: x.take(1, axis=0),
    lambda np, x, v, t: np.take_along_axis(x, np.argsort(x, axis=1), axis=1),
    lambda np, x, v, t: np.searchsorted(np.sort(v), v),
    lambda np, x, v, t: np.searchsorted(np.sort(v), 1.0, side="right"),
    lambda np, x, v, t: np.result_type(x, np.float32),
    lambda np, x, v, t: np.finfo(x.dtype).eps,
]


@pytest.mark.parametrize("function", SHAPES)
def test_shapes(function: Any) -> None:
    check(function, arrays("f8"))
    check(function, arrays("f8"), symbolic=True, may_break=True)


PRODUCTS = [
    lambda np, x, v, t: x @ v,
    lambda np, x, v, t: v @ v,
    lambda np, x, v, t: v @ x.T,
    lambda np, x, v, t: x @ x.T,
    lambda np, x, v, t: t @ x.T,
    lambda np, x, v, t: x @ t.transpose(0, 2, 1),
    lambda np, x, v, t: t @ t.transpose(0, 2, 1),
    lambda np, x, v, t: t @ v,
    lambda np, x, v, t: v @ t.transpose(0, 2, 1),
    lambda np, x, v, t: np.matmul(x, v),
    lambda np, x, v, t: np.matmul(x, x.T, out=np.zeros((4, 4), x.dtype)),
    lambda np, x, v, t: np.dot(x, v),
    lambda np, x, v, t: np.dot(t, x.T),
    lambda np, x, v, t: x.dot(2),
    lambda np, x, v, t: np.dot(x.T, t),
    lambda np, x, v, t: np.vdot(x, x),
    lambda np, x, v, t: np.inner(x, v),
    lambda np, x, v, t: np.inner(x, x),
    lambda np, x, v, t: np.outer(v, x),
    lambda np, x, v, t: np.tensordot(t, x, axes=2),
    lambda np, x, v, t: np.tensordot(x, t, axes=([1, 0], [2, 1])),
    lambda np, x, v, t: np.tensordot(v, v, axes=0),
    lambda np, x, v, t: np.einsum("ij,j->i", x, v),
    lambda np, x, v, t: np.einsum("ij,kj", x, x),
    lambda np, x, v, t: np.einsum("bij,bkj->bik", t, t),
    lambda np, x, v, t: np.einsum("ij->ji", x),
    lambda np, x, v, t: np.einsum("ij->j", x),
    lambda np, x, v, t: np.einsum("i,i->", v, v),
    lambda np, x, v, t: np.einsum("i,j->ji", v, v),
    lambda np, x, v, t: np.trace(x @ x.T),
]


@pytest.mark.parametrize("dtype", ["f8", "f4", "f2", "i8", "i4", "?"])
@pytest.mark.parametrize("function", PRODUCTS)
def test_products(function: Any, dtype: str) -> None:
    inputs = [np.round(a).astype(dtype) for a in arrays()]
    if dtype == "?" and "einsum" in _source(function):
        return
    check(function, inputs)
    if dtype == "f4":
        check(function, inputs, symbolic=True, may_break=True)


def test_matmul_in_place() -> None:
    def function(np: Any, x: Any, y: Any) -> Any:
        x @= y
        return x

    check(function, [np.ones((2, 3)), np.arange(9.0).reshape(3, 3)])


def test_refused() -> None:
    for function in (
        lambda np, x, v, t: x[x > 0],
        lambda np, x, v, t: np.nonzero(x),
        lambda np, x, v, t: np.where(x > 0),
        lambda np, x, v, t: x @ t,
        lambda np, x, v, t: x.reshape(5, 5),
        lambda np, x, v, t: np.concatenate([x, t]),
        lambda np, x, v, t: x.sum(axis=2),
        lambda np, x, v, t: np.sum(x, where=x > 0),
        lambda np, x, v, t: np.unique(v),
        lambda np, x, v, t: np.linalg.solve(x, v),
        lambda np, x, v, t: x[10],
        lambda np, x, v, t: x[0, 0, 0],
        lambda np, x, v, t: x["a"],
        lambda np, x, v, t: x[1.5],
        lambda np, x, v, t: np.max(np.zeros(0)),
        lambda np, x, v, t: np.split(x, 3),
        lambda np, x, v, t: np.zeros(3, dtype=object),
        lambda np, x, v, t: x.astype("S3"),
        lambda np, x, v, t: np.array([1, "a"]),
        lambda np, x, v, t: np.arange(v[0]),
        lambda np, x, v, t: x.flat,
        lambda np, x, v, t: np.broadcast_to(v, (4, 3)).__setitem__(0, 1.0),
        lambda np, x, v, t: x.squeeze(axis=0),
    ):
        refuses(function, arrays())
