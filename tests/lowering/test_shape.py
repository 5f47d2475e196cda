"""Shape ops, slices and indexing."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax
from lowering.data import array
from lowering.runner import check

X = array(3, 4)
T = array(2, 3, 4)
B = array(3, 4, dtype=np.bool_)
U = array(3, 4, dtype=np.uint16)


@pytest.mark.parametrize("x", [X, B, U], ids=["f32", "bool", "u16"])
def test_rearrange(x: Any) -> None:
    check(
        lambda x: [
            lax.broadcast_in_dim(x, (2, 3, 4), (1, 2)),
            lax.broadcast_in_dim(x[:1], (5, 4), (0, 1)),
            lax.broadcast_in_dim(x[0, 0], (2, 2), ()),
            x.reshape(12), x.reshape(2, 6), x.reshape(6, 2), x.reshape(4, 3), x.reshape(1, 3, 1, 2, 2, 1),
            x[:1, :1].reshape(()), x[0, 0].reshape(1, 1), x.T, x[:, None], x[:1].squeeze(0),
            jnp.flip(x), jnp.flip(x, 1), jnp.tile(x, (2, 3)), jnp.concatenate([x, x[:1], x], 0),
            jnp.concatenate([x, x[:, :0]], 1), jnp.stack([x, x], 1), *jnp.split(x, [1, 3], 1),
        ],
        x,
    )  # fmt: skip


def test_transpose() -> None:
    check(lambda x: [x.transpose(p) for p in ((0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0))], T)


@pytest.mark.parametrize("dtype", [np.int32, np.uint8, np.float32, np.float16, np.int64])
def test_iota(dtype: Any) -> None:
    check(lambda: [lax.broadcasted_iota(dtype, (3, 4), d) for d in (0, 1)])


def test_empty() -> None:
    x = np.zeros((0, 4), np.float32)
    check(
        lambda x: [
            x.reshape(4, 0), x.reshape(0), x + 1, x.T, x.sum(0), x.max(0, initial=1.0), jnp.concatenate([x, x], 0),
            x @ jnp.ones((4, 2), np.float32), jnp.ones((3, 0), np.float32) @ x, jnp.sort(x, 1), jnp.pad(x, ((1, 1), (0, 0))),
        ],
        x,
    )  # fmt: skip


@pytest.mark.parametrize(
    "config",
    [
        ((1, 2, 0), (0, 1, 0)),
        ((0, 0, 2), (1, 0, 1)),
        ((-1, 2, 0), (1, -2, 0)),
        ((-1, 1, 1), (2, -1, 2)),
        ((-2, -1, 0), (0, 0, 0)),
        ((-5, 4, 0), (0, 0, 0)),
        ((3, -5, 1), (0, 0, 0)),
    ],
    ids=str,
)
def test_pad(config: Any) -> None:
    check(lambda x, v: lax.pad(x, v, config), X, np.float32(7))
    check(lambda x: lax.pad(x, np.float32(0), config), X)
    check(lambda x: lax.pad(x, np.bool_(True), config), B)


def test_slices() -> None:
    check(
        lambda x: [
            x[1:, ::2], x[:, 3:1:-1], x[2:2], lax.slice(x, (0, 1), (3, 4), (2, 3)), x[-1, 1:-1],
        ],
        X,
    )  # fmt: skip


@pytest.mark.parametrize("dtype", [np.int32, np.uint32, np.int64, np.int8])
def test_dynamic_slices(dtype: Any) -> None:
    starts = [0, 1, 2, 3, 100] + ([-1, -100] if np.dtype(dtype).kind == "i" else [])

    def function(x: Any, u: Any, *starts: Any) -> Any:
        out = []
        for start in starts:
            out.append(lax.dynamic_slice(x, (start, start), (2, 3)))
            out.append(lax.dynamic_update_slice(x, u, (start, start)))
        return out

    check(function, X, array(2, 1, seed=5), *(np.array(s, dtype) for s in starts))


INDEX = np.array([2, 0, -1, 5, 1, -7, 3], np.int32)


@pytest.mark.parametrize("mode", ["clip", "fill", "promise_in_bounds"])
@pytest.mark.parametrize("dtype", [np.float32, np.int32, np.uint8, np.bool_])
def test_gather(mode: str, dtype: Any) -> None:
    x, t = array(4, 5, dtype=dtype), array(3, 4, 5, dtype=dtype)
    i = np.array([2, 0, 3, 1], np.int32) if mode == "promise_in_bounds" else INDEX
    get = dict(mode=mode, wrap_negative_indices=False)
    check(
        lambda x, t, i: [
            x.at[i].get(**get), x.at[:, i].get(**get), x.at[i, i].get(**get), t.at[:, i].get(**get),
            t.at[i % 3, :, i].get(**get), t.at[:, i[:3, None], i[None]].get(**get), x.at[i[0]].get(**get),
            x.at[i.astype(np.uint8)].get(**get),
        ],
        x, t, i,
    )  # fmt: skip


@pytest.mark.parametrize("mode", ["clip", "fill"])
def test_gather_windows(mode: str) -> None:
    numbers = lax.GatherDimensionNumbers((1, 2), (), (0, 1))
    starts = np.array([[0, 0], [1, 2], [2, 3], [-1, 1], [9, 9]], np.int32)
    check(lambda x, s: lax.gather(x, s, numbers, (2, 2), mode=mode), X, starts)


def test_gather_batching() -> None:
    x, i = array(3, 4, 5), np.array([[1, 0], [3, 9], [-1, 2]], np.int32)
    check(jax.vmap(lambda x, i: x.at[i].get(mode="clip")), x, i)
    check(jax.vmap(lambda x, i: x.at[:, i].get(mode="fill")), x, i)
    check(
        lambda x, i: jnp.take_along_axis(x, i, 1), array(3, 4), np.array([[1, 0], [3, 2], [2, 2]], np.int32)
    )


@pytest.mark.parametrize("mode", ["clip", "fill", "promise_in_bounds"])
@pytest.mark.parametrize("dtype", [np.float32, np.int32, np.uint8, np.float16])
def test_scatter(mode: str, dtype: Any) -> None:
    x, t, u = array(4, 5, dtype=dtype), array(3, 4, 5, dtype=dtype), array(7, 5, dtype=dtype, seed=2)
    i = np.array([2, 0, 3, 1, 1, 0, 2], np.int32) if mode == "promise_in_bounds" else INDEX
    put = dict(mode=mode, wrap_negative_indices=False)
    check(
        lambda x, t, u, i: [
            x.at[i].add(u, **put), x.at[i].mul(u, **put), x.at[i].min(u, **put), x.at[i].max(u, **put),
            x.at[i[:2]].set(u[:2], **put), x.at[:, i].add(u[:, :4].T, **put), x.at[i, i].add(u[:, 0], **put),
            t.at[:, i].add(u, **put), t.at[i % 3, :, i].add(u[:, :4], **put), x.at[i[0]].set(u[0], **put),
            x.at[i.astype(np.uint8)].add(u, **put), x.at[i].subtract(u, **put),
        ],
        x, t, u, i,
    )  # fmt: skip


def test_scatter_windows() -> None:
    numbers = lax.ScatterDimensionNumbers((1, 2), (), (0, 1))
    starts = np.array([[0, 0], [1, 2], [2, 3], [-1, 1], [1, 1]], np.int32)
    for mode in ("clip", "fill"):
        check(lambda x, s, u, m=mode: lax.scatter_add(x, s, u, numbers, mode=m), X, starts, array(5, 2, 2))


def test_scatter_batching_and_bools() -> None:
    x, i, u = array(3, 4, 5), np.array([[1, 0], [3, 9], [-1, 2]], np.int32), array(3, 2, 5)
    check(jax.vmap(lambda x, i, u: x.at[i].add(u, mode="drop")), x, i, u)
    check(lambda x, i: x.at[i].set(True), B, np.array([0, 2], np.int32))


def test_dynamic_dims() -> None:
    (b,) = jax.export.symbolic_shape("b")
    shapes = (jax.ShapeDtypeStruct((b, 4), np.float32), jax.ShapeDtypeStruct((b,), np.int32))

    def function(x: Any, i: Any) -> Any:
        return [
            x + 1, x.T, x.reshape(-1), x.reshape(-1, 2, 2), x.reshape(-1, 2), x[:, None], x.sum(0), x.sum(1), x.max(1),
            x @ x.T, x.T @ x, jnp.concatenate([x, x], 0), jnp.concatenate([x, x], 1), jnp.pad(x, ((1, 2), (0, 1))),
            x[i], x.at[i].add(x), jnp.argmax(x, 0), jnp.cumsum(x, 0), jnp.cumsum(x, 1), jnp.flip(x, 0), x[:, 1:3],
            jnp.sort(x, 0), lax.broadcast_in_dim(x, (3, *x.shape), (1, 2)), x[1:], x[::2], jnp.zeros_like(x),
            lax.reduce_window(x, 0.0, lax.add, (2, 2), (1, 2), "VALID"), jnp.arange(x.shape[0]), jnp.tile(x, (2, 1)),
            (x[:, :, None] * x[:, None, :]).reshape(-1, 16), jnp.stack([x, x]), jax.nn.softmax(x), x * (x > 0),
        ]  # fmt: skip

    check(function, array(5, 4), np.array([4, 0, 1, 1, 3], np.int32), shapes=shapes, tolerance=1e-5)


def test_dynamic_reshape_of_two() -> None:
    a, b = jax.export.symbolic_shape("a, b")
    shapes = (jax.ShapeDtypeStruct((a, b, 4), np.float32),)
    check(
        lambda x: [x.reshape(-1, 4), x.reshape(x.shape[0], -1), x.reshape(x.shape[1], x.shape[0], 4)],
        T,
        shapes=shapes,
    )
