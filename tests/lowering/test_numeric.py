"""Reductions, contractions, convolutions, windows, sorting and random bits."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest
from jax import lax
from lowering.data import array
from lowering.runner import check

DTYPES = [np.float32, np.float64, np.float16, ml_dtypes.bfloat16, np.int8, np.int32, np.uint8, np.uint32]


def _loose(dtype: Any) -> float:
    return {1: 0, 2: 5e-2, 4: 1e-5, 8: 1e-12}[np.dtype(dtype).itemsize]


@pytest.mark.parametrize("dtype", DTYPES)
def test_reduce(dtype: Any) -> None:
    x = array(3, 4, 5, dtype=dtype)

    def function(x: Any) -> Any:
        out = []
        for axes in ((0,), (2,), (0, 2), (0, 1, 2), ()):
            out += [
                lax.reduce_sum_p.bind(x, axes=axes, out_sharding=None),
                lax.reduce_prod_p.bind(x, axes=axes),
            ]
            out += [lax.reduce_max_p.bind(x, axes=axes, out_sharding=None)]
            out += [lax.reduce_min_p.bind(x, axes=axes, out_sharding=None)]
            if np.dtype(dtype).kind in "iu":
                out += [p.bind(x, axes=axes) for p in (lax.reduce_and_p, lax.reduce_or_p, lax.reduce_xor_p)]
        return out

    check(function, x, tolerance=_loose(dtype))


def test_reduce_bools() -> None:
    check(
        lambda x: [x.all(0), x.any(1), x.all(), lax.reduce_xor_p.bind(x, axes=(0,)), x.max(0)],
        array(3, 4, dtype=bool),
    )


def test_reduce_nan() -> None:
    x = np.array([[1, np.nan, 3], [-np.inf, 2, np.inf]], np.float32)
    check(
        lambda x: [x.max(1), x.min(1), x.max(), x.sum(1), jnp.argmax(x, 1), jnp.argmin(x, 1), x.argmax()], x
    )
    check(lambda x: [jnp.argmax(x), jnp.argmin(x)], np.array([1, np.nan, np.nan], np.float32))
    check(lambda x: [jnp.argmax(x), jnp.argmin(x)], np.full(3, -np.inf, np.float32))


@pytest.mark.parametrize("dtype", [*DTYPES, np.bool_])
def test_arg(dtype: Any) -> None:
    x = array(4, 6, dtype=dtype)
    check(
        lambda x: [
            f(x, a, i) for f in (lax.argmax, lax.argmin) for a in (0, 1) for i in (np.int32, np.uint8)
        ],
        x,
    )


@pytest.mark.parametrize("dtype", DTYPES)
def test_cumulative(dtype: Any) -> None:
    x = array(3, 4, 5, dtype=dtype)

    def function(x: Any) -> Any:
        functions = [lax.cumsum, lax.cumprod, lax.cummax, lax.cummin]
        if np.dtype(dtype).kind not in "iu":
            functions.append(lax.cumlogsumexp)
        return [f(x, axis=a, reverse=r) for f in functions for a in (0, 1, 2) for r in (False, True)]

    check(function, x, tolerance=_loose(dtype))


@pytest.mark.parametrize("dtype", DTYPES)
def test_dot_general(dtype: Any) -> None:
    a, b, c = array(3, 4, 5, dtype=dtype), array(3, 5, 2, dtype=dtype), array(4, 5, dtype=dtype)

    def function(a: Any, b: Any, c: Any) -> Any:
        wide = None if np.dtype(dtype).itemsize > 1 else np.int32
        dot = lambda x, y, n: lax.dot_general(x, y, n, preferred_element_type=wide)  # noqa: E731
        return [
            dot(a, b, (((2,), (1,)), ((0,), (0,)))), dot(c, c, (((1,), (1,)), ((), ()))),
            dot(c, c, (((0,), (0,)), ((), ()))), dot(c, c[0], (((1,), (0,)), ((), ()))),
            dot(c[0], c[1], (((0,), (0,)), ((), ()))), dot(c, c, (((0, 1), (0, 1)), ((), ()))),
            dot(c, c[:2], (((), ()), ((), ()))), dot(a, a, (((1,), (1,)), ((2, 0), (2, 0)))),
            dot(c, c.T, (((1,), (0,)), ((), ()))), dot(c.T, c, (((1,), (0,)), ((), ()))),
            dot(a.transpose(2, 0, 1), b.transpose(1, 2, 0), (((0,), (0,)), ((1,), (2,)))),
        ]  # fmt: skip

    check(function, a, b, c, tolerance=max(_loose(dtype), 1e-12))


def test_dot_mixed() -> None:
    x = array(4, 5, dtype=np.float16)
    check(lambda x: jnp.matmul(x, x.T, preferred_element_type=np.float32), x, tolerance=1e-5)


_CONVOLUTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "same": dict(padding="SAME"),
    "strides": dict(window_strides=(2, 3), padding=((1, 1), (0, 2))),
    "rhs_dilation": dict(rhs_dilation=(2, 1), padding=((2, 2), (1, 0))),
    "lhs_dilation": dict(lhs_dilation=(2, 3), padding=((1, 2), (2, 2))),
    "all": dict(window_strides=(2, 1), lhs_dilation=(1, 2), rhs_dilation=(2, 2), padding=((3, -1), (0, 1))),
    # XLA itself is wrong where one side of a dim is cut and the other padded.
    "negative": dict(padding=((-1, -1), (-2, 0))),
    "too_small": dict(padding=((-3, -3), (0, 0))),
}


@pytest.mark.parametrize("options", _CONVOLUTIONS.values(), ids=list(_CONVOLUTIONS))
def test_convolution(options: Any) -> None:
    x, k = array(2, 7, 8, 3), array(3, 2, 3, 4)
    options = dict(window_strides=(1, 1), padding="VALID") | options

    def function(x: Any, k: Any) -> Any:
        conv = lax.conv_general_dilated
        return [
            conv(x, k, dimension_numbers=("NHWC", "HWIO", "NHWC"), **options),
            conv(
                x.transpose(0, 3, 1, 2),
                k.transpose(3, 2, 0, 1),
                dimension_numbers=("NCHW", "OIHW", "NCHW"),
                **options,
            ),
            conv(
                x.transpose(1, 2, 3, 0),
                k.transpose(2, 0, 1, 3),
                dimension_numbers=("HWCN", "IHWO", "NWHC"),
                **options,
            ),
        ]

    check(function, x, k, tolerance=1e-5)


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.int8, np.float64])
def test_convolution_groups(dtype: Any) -> None:
    x, k, d = array(4, 6, 6, 4, dtype=dtype), array(3, 3, 2, 6, dtype=dtype), array(3, 3, 1, 8, dtype=dtype)
    full = array(3, 3, 4, 6, dtype=dtype)
    numbers = ("NHWC", "HWIO", "NHWC")
    wide = None if np.dtype(dtype).itemsize > 1 else np.int32

    def function(x: Any, k: Any, d: Any, full: Any) -> Any:
        def conv(x: Any, k: Any, **groups: Any) -> Any:
            return lax.conv_general_dilated(
                x, k, (1, 1), "SAME", dimension_numbers=numbers, preferred_element_type=wide, **groups
            )

        return [
            conv(x, k, feature_group_count=2), conv(x, d, feature_group_count=4), conv(x, full, batch_group_count=2),
        ]  # fmt: skip

    check(function, x, k, d, full, tolerance=max(_loose(dtype), 1e-12))


def test_convolution_1d_3d() -> None:
    check(
        lambda x, k: lax.conv_general_dilated(x, k, (2,), "SAME"),
        array(2, 3, 9),
        array(4, 3, 3),
        tolerance=1e-5,
    )
    check(
        lambda x, k: lax.conv(x, k, (1, 1, 2), "SAME"),
        array(1, 2, 4, 5, 6),
        array(3, 2, 2, 2, 2),
        tolerance=1e-5,
    )
    check(lambda x, k: lax.conv_general_dilated(x, k, (), []), array(2, 3), array(4, 3), tolerance=1e-5)


def test_convolution_gradients() -> None:
    def loss(x: Any, k: Any) -> Any:
        y = lax.conv_general_dilated(x, k, (2, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))
        y = lax.reduce_window(jax.nn.relu(y), -np.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
        return (y**2).sum()

    check(jax.value_and_grad(loss, (0, 1)), array(2, 8, 8, 3), array(3, 3, 3, 4), tolerance=1e-4)


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.int32, np.uint8])
@pytest.mark.parametrize(
    "window",
    [
        ((2, 2), (2, 2), ((0, 0), (0, 0)), (1, 1), (1, 1)),
        ((3, 2), (1, 2), ((1, 1), (0, 1)), (1, 1), (1, 1)),
        ((2, 3), (1, 1), ((2, 1), (1, 1)), (2, 1), (1, 2)),
        ((1, 3), (1, 1), ((0, 0), (-1, 1)), (1, 1), (1, 1)),
        ((1, 1), (2, 1), ((0, 0), (0, 0)), (1, 1), (1, 1)),
    ],
    ids=str,
)
def test_reduce_window(dtype: Any, window: Any) -> None:
    sizes, strides, padding, base, dilation = window
    parameters = dict(
        window_dimensions=sizes,
        window_strides=strides,
        padding=padding,
        base_dilation=base,
        window_dilation=dilation,
    )
    x = array(6, 7, dtype=dtype)
    check(
        lambda x: [
            p.bind(x, **parameters) for p in (lax.reduce_window_sum_p, lax.reduce_window_max_p, lax.reduce_window_min_p)
        ],
        x,
        tolerance=_loose(dtype),
    )  # fmt: skip


_POOLS = [
    ((2, 2), (2, 2), ((0, 0), (0, 0))),
    ((3, 1), (3, 1), ((0, 0), (0, 0))),
    ((2, 2), (1, 1), ((0, 0), (0, 0))),
    ((3, 3), (2, 2), ((1, 1), (0, 2))),
    ((2, 2), (2, 2), ((0, 0), (0, 1))),
]


@pytest.mark.parametrize("pool", _POOLS, ids=str)
@pytest.mark.parametrize("prim", [lax.ge_p, lax.le_p], ids=str)
@pytest.mark.parametrize("values", ["random", "equal", "nan"])
def test_select_and_scatter(pool: Any, prim: Any, values: str) -> None:
    from jax._src.lax import windowed_reductions as wr

    sizes, strides, padding = pool
    x = array(6, 7)
    if values == "equal":
        x = np.round(x)
    if values == "nan":
        x[1, 1] = x[4, 4] = x[0, 0] = np.nan
        x[2] = -np.inf
    shape = wr.reduce_window_shape_tuple(x.shape, sizes, strides, padding)
    parameters = dict(select_prim=prim, window_dimensions=sizes, window_strides=strides, padding=padding)
    check(
        lambda s, x: wr.select_and_scatter_add_p.bind(s, x, **parameters),
        array(*shape, seed=3),
        x,
    )
    # XLA packs value and tangent in one word there: it orders NaNs otherwise, and which of equals it takes is open.
    if values == "random":
        check(
            lambda t, x: wr.select_and_gather_add_p.bind(
                t, x, base_dilation=(1, 1), window_dilation=(1, 1), **parameters
            ),
            array(6, 7, seed=9),
            x,
            tolerance=1e-2,
        )


@pytest.mark.parametrize("dtype", [*DTYPES, np.bool_])
def test_sort(dtype: Any) -> None:
    x = array(5, 13, dtype=dtype)
    if np.dtype(dtype).kind not in "biu":
        x[0, 3] = x[2, 5] = np.nan
        x[1, 1], x[1, 4] = 0.0, -0.0
    check(lambda x: [lax.sort(x, dimension=0), lax.sort(x, dimension=1), jnp.argsort(x, 1)], x)
    i = np.arange(x.size, dtype=np.int32).reshape(x.shape)
    check(lambda x, i: lax.sort((x, i), dimension=1, num_keys=1), x, i)
    check(lambda x, i: lax.sort((i % 3, x, i), dimension=0, num_keys=2), x, i)
    if dtype != np.bool_:
        check(lambda x: [lax.top_k(x, 4), lax.top_k(x, 1)], x)


@pytest.mark.parametrize("n", [0, 1, 2, 3, 64, 65, 1000])
def test_sort_lengths(n: int) -> None:
    check(lambda x: [jnp.sort(x), jnp.argsort(-x)], array(n))


def test_random() -> None:
    key = np.array([1, 42], np.uint32)
    check(
        lambda k: [
            jax.random.bits(jax.random.wrap_key_data(k), (7,), np.uint32), jax.random.uniform(jax.random.PRNGKey(3), (3, 5)),
            jax.random.normal(jax.random.wrap_key_data(k), (4, 3)), jax.random.key_data(jax.random.split(jax.random.wrap_key_data(k), 3)),
            jax.random.randint(jax.random.wrap_key_data(k), (5,), 0, 100), jax.random.permutation(jax.random.wrap_key_data(k), 10),
        ],
        key,
        tolerance=1e-5,
    )  # fmt: skip


def test_control_flow() -> None:
    x = array(3, 4)
    check(
        lambda x: [
            lax.while_loop(lambda c: (c[0] < 5) & c[2].all(), lambda c: (c[0] + 1, c[1] * 2, c[2]), (0, x, x == x))[1],
            lax.cond(x.sum() > 0, lambda y: (y > 0, y.astype(np.uint8)), lambda y: (y < 0, y.astype(np.uint8)), x),
            lax.fori_loop(0, 3, lambda i, c: ~c, x > 0), lax.scan(lambda c, a: (c ^ (a > 0), c), x[0] > 0, x),
        ],
        x,
    )  # fmt: skip
