"""The reverse rule of each lax op against ``jax.vjp``."""

from __future__ import annotations

from typing import Any

import jax
import jax.export
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax
from lowering.data import array

from autodiff.harness import check

UNARY: dict[str, tuple[Any, float, float]] = {
    "neg": (lax.neg, -2, 2), "abs": (lax.abs, -2, 2), "sign": (lambda x: lax.sign(x) * x, -2, 2),
    "floor": (lambda x: lax.floor(x) * x, -3, 3), "ceil": (lambda x: lax.ceil(x) * x, -3, 3),
    "round": (lambda x: lax.round(x) * x, -3, 3), "exp": (lax.exp, -2, 2), "exp2": (lax.exp2, -2, 2),
    "expm1": (lax.expm1, -2, 2), "log": (lax.log, 0.1, 3), "log1p": (lax.log1p, -0.5, 2),
    "sqrt": (lax.sqrt, 0.1, 3), "rsqrt": (lax.rsqrt, 0.1, 3), "cbrt": (lax.cbrt, 0.1, 3),
    "square": (lax.square, -2, 2), "sin": (lax.sin, -3, 3), "cos": (lax.cos, -3, 3), "tan": (lax.tan, -1, 1),
    "asin": (lax.asin, -0.9, 0.9), "acos": (lax.acos, -0.9, 0.9), "atan": (lax.atan, -3, 3),
    "sinh": (lax.sinh, -2, 2), "cosh": (lax.cosh, -2, 2), "tanh": (lax.tanh, -2, 2),
    "asinh": (lax.asinh, -2, 2), "acosh": (lax.acosh, 1.1, 3), "atanh": (lax.atanh, -0.9, 0.9),
    "logistic": (lax.logistic, -3, 3), "erf": (lax.erf, -2, 2), "erfc": (lax.erfc, -2, 2),
    "erf_inv": (lax.erf_inv, -0.9, 0.9), "lgamma": (lax.lgamma, 0.2, 5), "digamma": (lax.digamma, 0.2, 5),
    "integer_pow": (lambda x: lax.integer_pow(x, 3) + lax.integer_pow(x, -2) + lax.integer_pow(x, 1), 0.5, 2),
    "convert": (lambda x: x.astype(jnp.float32) * 2, -2, 2),
    "stop_gradient": (lambda x: lax.stop_gradient(x) * x, -2, 2),
    "reduce_precision": (lambda x: lax.reduce_precision(x, 8, 7) * x, 0.5, 2),
    "is_finite": (lambda x: jnp.where(lax.is_finite(x), x, 0), -2, 2),
    "cumsum": (lambda x: lax.cumsum(x, 0) * x, -2, 2),
    "logsumexp": (lambda x: jax.nn.logsumexp(x, -1), -2, 2), "softmax": (lambda x: jax.nn.softmax(x, 0), -2, 2),
    "log_softmax": (lambda x: jax.nn.log_softmax(x), -50, 50), "gelu": (jax.nn.gelu, -2, 2),
}  # fmt: skip


#: The wider type shows smaller mistakes.
DTYPES = pytest.mark.parametrize(
    "dtype", [pytest.param(np.float32, marks=pytest.mark.exhaustive), np.float64]
)


@DTYPES
@pytest.mark.parametrize("name", UNARY)
def test_unary(name: str, dtype: Any) -> None:
    function, low, high = UNARY[name]
    x = np.random.default_rng(1).uniform(low, high, (3, 4)).astype(dtype)
    check(function, x, tolerance=1e-4 if dtype == np.float32 or name in ("convert", "erf_inv") else 1e-9)


BINARY: dict[str, Any] = {
    "add": lax.add, "sub": lax.sub, "mul": lax.mul, "div": lax.div, "rem": lax.rem, "max": lax.max,
    "min": lax.min, "pow": lambda x, y: lax.pow(jnp.abs(x) + 0.1, y), "atan2": lax.atan2,
    "where": lambda x, y: jnp.where(x > 0, x * y, y), "clamp": lambda x, y: lax.clamp(x.dtype.type(-0.5), x, jnp.abs(y)),
    "safe_sqrt": lambda x, y: jnp.where(x > 0, jnp.sqrt(jnp.where(x > 0, x, 1.0)), y),
    "broadcast": lambda x, y: x[:, None] * y[None] + y[0], "select_n": lambda x, y: lax.select_n(
        jnp.asarray([[0, 1, 2, 1]] * 3, np.int32), x, y, x * y),
    "concatenate": lambda x, y: lax.concatenate([x, y * 2, x * y], 1), "stack": lambda x, y: jnp.stack([x, y * x], 1),
    "tile": lambda x, y: jnp.tile(x, (2, 3)) * jnp.tile(y, (2, 3)),
    "dynamic_update": lambda x, y: lax.dynamic_update_slice(x, y[1:, :2], (1, 1)) * y,
    "pad": lambda x, y: lax.pad(x, y[0, 0], [(1, 2, 1), (-1, 1, 0)]),
    "pad_cut": lambda x, y: lax.pad(x, y[0, 0], [(-1, 0, 2), (2, -2, 1)]),
    "dot": lambda x, y: x @ y.T, "outer": lambda x, y: jnp.einsum("ij,kl->iljk", x, y),
    "vdot": lambda x, y: jnp.vdot(x, y), "batch": lambda x, y: jnp.einsum("ij,ij->i", x, y),
}  # fmt: skip


@DTYPES
@pytest.mark.parametrize("name", BINARY)
def test_binary(name: str, dtype: Any) -> None:
    check(BINARY[name], array(3, 4, dtype=dtype), array(3, 4, dtype=dtype, seed=1), tolerance=1e-4)


def test_ties() -> None:
    x = np.array([[1.0, 2.0, 2.0], [0.0, 0.0, 0.0]])
    y = np.array([[1.0, 1.0, 3.0], [0.0, -1.0, 1.0]])
    check(lax.max, x, y)
    check(lax.min, x, y)
    check(lambda x: [x.max(0), x.max(1), x.max(), x.min(1), x.min()], x)
    check(lambda x: jnp.abs(x) * 2, x)


def test_integer_exponent() -> None:
    x = np.array([0.0, 2.0, -1.5, 0.5])
    n = np.array([0, 3, 2, -1], np.int32)
    check(lambda x: lax.pow(x, n), x)
    check(lambda x: x ** jnp.asarray([0.0, 2.0, 3.0, -2.0]), np.array([2.0, 0.0, 1.5, 0.5]))


UNARY_SHAPES: dict[str, Any] = {
    "reduce_sum": lambda x: [x.sum(), x.sum(0), x.sum((1, 2))], "mean": lambda x: x.mean(1) * x.std(),
    "reduce_max": lambda x: [x.max(), x.max(0), x.max((0, 2))], "reduce_min": lambda x: [x.min(), x.min(1)],
    "reduce_prod": lambda x: [x.prod(0), x.prod((0, 2)), x.prod()], "argmax": lambda x: x[x.argmax(0)[0, 0]],
    "reshape": lambda x: x.reshape(6, 4) ** 2, "transpose": lambda x: x.transpose(2, 0, 1) ** 2,
    "rev": lambda x: lax.rev(x, (0, 2)) * x, "squeeze": lambda x: x[:1].squeeze(0) ** 2,
    "expand": lambda x: jnp.expand_dims(x, (1, 3)) ** 2, "slice": lambda x: [x[1:, ::2] ** 2, x[:, 1:3, -1:]],
    "split": lambda x: [p * (k + 1) for k, p in enumerate(jnp.split(x, [1, 2], 2))],
    "dynamic_slice": lambda x: lax.dynamic_slice(x, (1, 1, 1), (1, 2, 2)) ** 2,
    "broadcast": lambda x: jnp.broadcast_to(x[:, :1], (2, 3, 4)) * x, "index": lambda x: x[1, 2] ** 2 + x[0, 0],
    "take": lambda x: x[:, jnp.array([0, 2, 2, 1])] ** 2, "take_fill": lambda x: x.at[jnp.array([0, 5])].get(
        mode="fill", fill_value=0.0) ** 2,
    "along": lambda x: jnp.take_along_axis(x, jnp.array([[[0], [1], [2]]] * 2), 2) ** 2,
    "cumsum": lambda x: [lax.cumsum(x, 1), lax.cumsum(x, 2, reverse=True) * x],
    "cumprod": lambda x: [lax.cumprod(x, 2), lax.cumprod(x, 1, reverse=True) * x],
    "cummax": lambda x: [lax.cummax(x, 2), lax.cummin(x, 1, reverse=True) * x],
    "cumlogsumexp": lambda x: [lax.cumlogsumexp(x, 2), lax.cumlogsumexp(x, 1, reverse=True) * x],
    "sort": lambda x: [jnp.sort(x, 2) * jnp.arange(4.0), jnp.sort(x, 0), jnp.sort(x, 1, descending=True) ** 2],
    "sort_pairs": lambda x: list(lax.sort((x, x * x + 1), dimension=2, num_keys=1)),
    "argsort": lambda x: jnp.take_along_axis(x, jnp.argsort(x, 2), 2) * jnp.arange(4.0),
    "top_k": lambda x: lax.top_k(x, 2)[0] ** 2, "median": lambda x: jnp.median(x, 1),
    "unstack": lambda x: [p * (k + 1) for k, p in enumerate(jnp.unstack(x, axis=1))],
    "norm": lambda x: jnp.sqrt((x * x).sum(-1)), "var": lambda x: x.var(0),
}  # fmt: skip


@DTYPES
@pytest.mark.parametrize("name", UNARY_SHAPES)
def test_shapes(name: str, dtype: Any) -> None:
    check(UNARY_SHAPES[name], array(2, 3, 4, dtype=dtype), tolerance=1e-4)


def test_zeros_in_products() -> None:
    x = array(3, 4, dtype=np.float64)
    x[0, 1] = x[2, 2] = x[2, 3] = 0
    check(lambda x: [x.prod(1), x.prod(0), x.prod(), lax.cumprod(x, 1)], x)


SCATTERS: dict[str, Any] = {
    "add": lambda x, u: x.at[jnp.array([0, 2, 2])].add(u) ** 2,
    "set_unique": lambda x, u: x.at[jnp.array([0, 2, 1])].set(u, unique_indices=True) ** 2,
    "set": lambda x, u: x.at[jnp.array([0, 2, 2])].set(u) ** 2,
    "mul": lambda x, u: x.at[jnp.array([0, 2, 1])].multiply(u, unique_indices=True) ** 2,
    "sub": lambda x, u: x.at[jnp.array([0, 2, 2])].subtract(u) ** 2,
    "max": lambda x, u: x.at[jnp.array([0, 2, 2])].max(u) ** 2,
    "min": lambda x, u: x.at[jnp.array([0, 2, 2])].min(u) ** 2,
    "drop": lambda x, u: x.at[jnp.array([0, 7, 2])].add(u, mode="drop") ** 2,
    "clip": lambda x, u: x.at[jnp.array([0, 7, 2])].add(u, mode="clip") ** 2,
    "element": lambda x, u: x.at[1, jnp.array([0, 2, 1])].set(u[0, :3]) ** 2,
    "slice": lambda x, u: x.at[1:4].set(u) ** 2,
}


@pytest.mark.parametrize("name", SCATTERS)
def test_scatter(name: str) -> None:
    check(SCATTERS[name], array(5, 4, dtype=np.float64), array(3, 4, dtype=np.float64, seed=1))


DOTS = [
    (((2,), (1,)), ((0,), (0,))), (((1,), (2,)), ((0,), (0,))), (((1, 2), (2, 1)), ((0,), (0,))),
    (((0,), (0,)), ((), ())), (((2, 1), (1, 2)), ((), ())), (((), ()), ((0,), (0,))),
]  # fmt: skip


@pytest.mark.parametrize("numbers", DOTS)
def test_dot_general(numbers: Any) -> None:
    x, y = array(3, 4, 5, dtype=np.float64), array(3, 5, 4, dtype=np.float64, seed=1)
    check(lambda x, y: lax.dot_general(x, y, numbers), x, y)


def test_dot_batch_order() -> None:
    x, y = array(2, 4, 3, 5, dtype=np.float64), array(5, 2, 3, 6, dtype=np.float64, seed=1)
    check(lambda x, y: lax.dot_general(x, y, (((3,), (0,)), ((2, 0), (2, 1)))), x, y)


CONVOLUTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "same": dict(padding="SAME"),
    "strides": dict(window_strides=(2, 3), padding=((1, 1), (0, 2))),
    "rhs_dilation": dict(rhs_dilation=(2, 1), padding=((2, 2), (1, 0))),
    "lhs_dilation": dict(lhs_dilation=(2, 3), padding=((1, 2), (2, 2))),
    "all": dict(window_strides=(2, 1), lhs_dilation=(1, 2), rhs_dilation=(2, 2), padding=((3, 2), (0, 1))),
}


@pytest.mark.parametrize("options", CONVOLUTIONS.values(), ids=list(CONVOLUTIONS))
def test_convolution(options: dict[str, Any]) -> None:
    options = {"window_strides": (1, 1), "padding": "VALID", **options}
    x, k = array(2, 3, 9, 8, dtype=np.float64), array(4, 3, 3, 2, dtype=np.float64, seed=1)
    check(lambda x, k: lax.conv_general_dilated(x, k, **options), x, k)


def test_convolution_layout_and_groups() -> None:
    x, k = array(2, 8, 7, 4, dtype=np.float64), array(3, 3, 2, 6, dtype=np.float64, seed=1)
    check(
        lambda x, k: lax.conv_general_dilated(
            x, k, (2, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"), feature_group_count=2
        ),
        x,
        k,
    )
    x, k = array(4, 3, 7, dtype=np.float64), array(6, 3, 3, dtype=np.float64, seed=1)
    check(lambda x, k: lax.conv_general_dilated(x, k, (1,), "VALID", batch_group_count=2), x, k)


WINDOWS = {
    "max": lambda x: lax.reduce_window(x, -np.inf, lax.max, (1, 2, 2), (1, 2, 2), "VALID"),
    "max_overlap": lambda x: lax.reduce_window(x, -np.inf, lax.max, (1, 3, 2), (1, 1, 2), "SAME"),
    "min": lambda x: lax.reduce_window(x, np.inf, lax.min, (1, 2, 2), (1, 2, 2), "VALID"),
    "sum": lambda x: lax.reduce_window(x, 0.0, lax.add, (1, 3, 2), (1, 2, 1), "SAME"),
    "sum_dilated": lambda x: lax.reduce_window(
        x, 0.0, lax.add, (1, 2, 2), (1, 2, 1), ((0, 0), (1, 1), (0, 2)), (1, 2, 1), (1, 1, 2)
    ),
}


@pytest.mark.parametrize("name", WINDOWS)
def test_windows(name: str) -> None:
    check(lambda x: WINDOWS[name](x) ** 2, array(2, 6, 7, dtype=np.float64))


# ---- dynamic dims -----------------------------------------------------------------------------------

DYNAMIC: dict[str, Any] = {
    "elementwise": lambda x, w: jnp.tanh(x) * x + jnp.where(x > 0, x, 0), "matmul": lambda x, w: jnp.tanh(x @ w),
    "softmax": lambda x, w: jax.nn.softmax(x @ w) ** 2, "reduce": lambda x, w: [x.sum(0), x.max(0) ** 2, x.mean()],
    "broadcast": lambda x, w: x[:, :, None] * w[None], "reshape": lambda x, w: x.reshape(-1) ** 2,
    "concatenate": lambda x, w: jnp.concatenate([x, x * 2, w], 0) ** 2 if w.shape[1] == 4 else x,
    "slice": lambda x, w: [x[1:] ** 2, x[:, 1:3] ** 2, x[::2] * 2], "pad": lambda x, w: jnp.pad(x, ((1, 2), (0, 1))) ** 2,
    "index": lambda x, w: x[0] ** 2, "transpose": lambda x, w: x.T @ x, "cumsum": lambda x, w: jnp.cumsum(x, 0) * x,
    "sort": lambda x, w: jnp.sort(x, 0) * x, "gather": lambda x, w: x[jnp.array([0, 1, 1])] ** 2,
    "cumprod": lambda x, w: lax.cumprod(x, 0), "var": lambda x, w: x.var(0),
}  # fmt: skip


@pytest.mark.parametrize("name", DYNAMIC)
def test_dynamic(name: str) -> None:
    x, w = array(5, 4, dtype=np.float64), array(4, 3, dtype=np.float64, seed=1)
    (n,) = jax.export.symbolic_shape("n", constraints=["n >= 4"])
    shapes = (jax.ShapeDtypeStruct((n, 4), np.float64), jax.ShapeDtypeStruct((4, 3), np.float64))
    check(DYNAMIC[name], x, w, shapes=shapes)


# ---- control flow -----------------------------------------------------------------------------------


def _branchy_loop(x: Any, y: Any) -> Any:
    def body(k: Any, a: Any) -> Any:
        return lax.cond(a.sum() > 0, lambda: jnp.sin(a) * y, lambda: a * a + x)

    return lax.fori_loop(0, 5, body, x)


CONTROL: dict[str, Any] = {
    "cond": lambda x, y: lax.cond(x.sum() > 0, lambda: jnp.sin(x) * y, lambda: x * x),
    "cond_other": lambda x, y: lax.cond(x.sum() < 0, lambda: jnp.sin(x) * y, lambda: x * 3),
    "switch": lambda x, y: lax.switch(2, [lambda: x, lambda: y, lambda: x * y, lambda: x + y]),
    "cond_nested": lambda x, y: lax.cond(
        x.sum() > -9, lambda: lax.cond(y.sum() > 9, lambda: x * y, lambda: jnp.exp(y) * x), lambda: x
    ),
    "fori": lambda x, y: lax.fori_loop(0, 4, lambda k, a: jnp.sin(a) * y + k, x),
    "scan": lambda x, y: lax.scan(lambda c, r: (jnp.tanh(c + r), c * r), x[0], y),
    "scan_reverse": lambda x, y: lax.scan(lambda c, r: (jnp.tanh(c + r), c * r), x[0], y, reverse=True),
    "branchy_loop": _branchy_loop,
    "map": lambda x, y: lax.map(lambda r: jnp.sin(r) * y[0], x),
}  # fmt: skip


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("name", CONTROL)
def test_control(name: str, order: int) -> None:
    x, y = array(3, 4, dtype=np.float64), array(3, 4, dtype=np.float64, seed=1)
    check(CONTROL[name], x, y, order=order)
