"""JAX functions whose jaxprs cover the primitives, with arguments of small sizes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

__all__ = ["CASES", "GRADIENTS", "SYMBOLIC", "Case"]

Case = tuple[str, Callable[..., Any], tuple[Any, ...]]


def _random(*shape: int, dtype: Any = np.float32, seed: int = 0) -> np.ndarray[Any, Any]:
    rng = np.random.default_rng(seed + sum(shape))
    if np.issubdtype(dtype, np.floating):
        return rng.standard_normal(shape).astype(dtype)
    if dtype == np.bool_:
        return rng.integers(0, 2, shape).astype(np.bool_)
    return rng.integers(0, 10, shape).astype(dtype)


X = _random(3, 4)
Y = _random(3, 4, seed=7)
V = _random(8)
W = _random(4, 5)
T = _random(2, 3, 4)
I = _random(3, 4, dtype=np.int32)  # noqa: E741
J = _random(3, 4, dtype=np.int32, seed=3)
U = _random(3, 4, dtype=np.uint32)
B = _random(3, 4, dtype=np.bool_)
P = np.abs(X) + np.float32(0.1)
INDICES = np.array([2, 0, 1], np.int32)
KEY = np.asarray(jax.random.key_data(jax.random.key(42)))
IMAGE = _random(2, 8, 8, 3)
KERNEL = _random(3, 3, 3, 4)

_UNARY: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "abs": (jnp.abs, X),
    "neg": (lambda x: -x, X),
    "sign": (jnp.sign, X),
    "floor": (jnp.floor, X),
    "ceil": (jnp.ceil, X),
    "round": (jnp.round, X),
    "round_away": (lambda x: lax.round(x, lax.RoundingMethod.AWAY_FROM_ZERO), X),
    "exp": (jnp.exp, X),
    "exp2": (jnp.exp2, X),
    "expm1": (jnp.expm1, X),
    "log": (jnp.log, P),
    "log1p": (jnp.log1p, P),
    "sqrt": (jnp.sqrt, P),
    "rsqrt": (lax.rsqrt, P),
    "cbrt": (jnp.cbrt, X),
    "square": (jnp.square, X),
    "cube": (lambda x: x**3, X),
    "inverse_square": (lambda x: x**-2, P),
    "sin": (jnp.sin, X),
    "cos": (jnp.cos, X),
    "tan": (jnp.tan, X),
    "asin": (jnp.arcsin, np.tanh(X)),
    "acos": (jnp.arccos, np.tanh(X)),
    "atan": (jnp.arctan, X),
    "sinh": (jnp.sinh, X),
    "cosh": (jnp.cosh, X),
    "tanh": (jnp.tanh, X),
    "asinh": (jnp.arcsinh, X),
    "acosh": (jnp.arccosh, P + 1),
    "atanh": (jnp.arctanh, np.tanh(X)),
    "logistic": (jax.nn.sigmoid, X),
    "erf": (lax.erf, X),
    "erfc": (lax.erfc, X),
    "erf_inv": (lax.erf_inv, np.tanh(X)),
    "lgamma": (lax.lgamma, P),
    "digamma": (lax.digamma, P),
    "isfinite": (jnp.isfinite, np.array([1.0, np.inf, np.nan], np.float32)),
    "isnan": (jnp.isnan, np.array([1.0, np.inf, np.nan], np.float32)),
    "not_bool": (jnp.logical_not, B),
    "not_int": (jnp.invert, I),
    "popcount": (lax.population_count, I),
    "clz": (lax.clz, I),
    "to_int": (lambda x: (x * 10).astype(jnp.int32), X),
    "to_bool": (lambda x: x.astype(bool), X),
    "to_half": (lambda x: x.astype(jnp.float16), X),
    "to_bfloat16": (lambda x: x.astype(jnp.bfloat16).astype(jnp.float32), X),
    "from_bool": (lambda x: x.astype(jnp.float32), B),
    "from_unsigned": (lambda x: x.astype(jnp.float32), U),
    "to_unsigned": (lambda x: jnp.abs(x * 10).astype(jnp.uint8), X),
    "bitcast": (lambda x: lax.bitcast_convert_type(x, jnp.int32), X),
    "reduce_precision": (lambda x: lax.reduce_precision(x, 8, 7), X),
    "relu": (jax.nn.relu, X),
    "relu6": (jax.nn.relu6, X * 4),
    "gelu": (jax.nn.gelu, X),
    "gelu_exact": (lambda x: jax.nn.gelu(x, approximate=False), X),
    "silu": (jax.nn.silu, X),
    "softplus": (jax.nn.softplus, X),
    "elu": (jax.nn.elu, X),
    "leaky_relu": (jax.nn.leaky_relu, X),
    "softmax": (jax.nn.softmax, X),
    "log_softmax": (jax.nn.log_softmax, X),
    "logsumexp": (lambda x: jax.nn.logsumexp(x, axis=1), X),
    "one_hot": (lambda i: jax.nn.one_hot(i, 5), INDICES),
    "sum": (jnp.sum, X),
    "sum_axis": (lambda x: x.sum(0), X),
    "sum_keepdims": (lambda x: x.sum(1, keepdims=True), X),
    "sum_int": (jnp.sum, I),
    "mean": (jnp.mean, X),
    "var": (lambda x: jnp.var(x, axis=1), X),
    "std": (jnp.std, X),
    "max": (jnp.max, X),
    "min": (lambda x: x.min(1), X),
    "prod": (jnp.prod, X),
    "all": (jnp.all, B),
    "any": (lambda x: x.any(0), B),
    "argmax": (lambda x: jnp.argmax(x, 1), X),
    "argmin": (jnp.argmin, X),
    "cumsum": (lambda x: jnp.cumsum(x, 1), X),
    "cumprod": (lambda x: jnp.cumprod(x, 0), X),
    "cummax": (lambda x: lax.cummax(x, 1, reverse=True), X),
    "cumlogsumexp": (lambda x: lax.cumlogsumexp(x, 0), X),
    "reduce": (lambda x: lax.reduce(x, np.float32(1), lax.add, (0,)), X),
    "sort": (lambda x: jnp.sort(x, 1), X),
    "argsort": (lambda x: jnp.argsort(x, 0), X),
    "top_k": (lambda x: lax.top_k(x, 2), X),
    "median": (jnp.median, X),
    "norm": (jnp.linalg.norm, X),
    "reshape": (lambda x: x.reshape(2, 6), X),
    "ravel": (jnp.ravel, X),
    "transpose": (lambda x: x.T, X),
    "transpose3": (lambda x: x.transpose(2, 0, 1), T),
    "expand": (lambda x: x[None, :, None], X),
    "squeeze": (lambda x: x[:1].squeeze(0), X),
    "flip": (jnp.flip, X),
    "roll": (lambda x: jnp.roll(x, 1, 0), X),
    "tile": (lambda x: jnp.tile(x, (2, 1)), X),
    "repeat": (lambda x: jnp.repeat(x, 2, 0), X),
    "pad": (lambda x: jnp.pad(x, ((1, 2), (0, 1))), X),
    "pad_interior": (lambda x: lax.pad(x, np.float32(0), ((0, 0, 1), (-1, 2, 0))), X),
    "split": (lambda x: jnp.split(x, 2, 1), X),
    "slice": (lambda x: x[1:, ::2], X),
    "negative_index": (lambda x: x[-1, 1:-1], X),
    "triu": (jnp.triu, X),
    "diag": (jnp.diag, V),
    "trace": (jnp.trace, X),
    "arange": (lambda x: x + jnp.arange(4), X),
    "linspace": (lambda x: x * jnp.linspace(0.0, 1.0, 8), V),
    "eye": (lambda x: x @ jnp.eye(4), X),
    "meshgrid": (lambda x: jnp.meshgrid(x, x), V),
    "set_row": (lambda x: x.at[0].set(1.0), X),
    "add_element": (lambda x: x.at[1, 2].add(3.0), X),
    "nan_to_num": (jnp.nan_to_num, X),
    "clip": (lambda x: jnp.clip(x, -0.5, 0.5), X),
    "bincount": (lambda i: jnp.bincount(i, length=5), INDICES),
    "histogram": (lambda x: jnp.histogram(x, bins=4)[0], V),
    "unique_size": (lambda i: jnp.unique(i, size=3), INDICES),
    "diff": (jnp.diff, X),
    "interp": (lambda x: jnp.interp(x, jnp.linspace(-1.0, 1.0, 5), jnp.arange(5.0)), V),
    "vmap_dot": (jax.vmap(lambda v: v @ v), X),
    "remat": (jax.checkpoint(lambda x: jnp.sin(jnp.cos(x))), X),
    "fori": (lambda x: lax.fori_loop(0, 5, lambda i, c: c * 1.5 + i, x), X),
    "while": (lambda x: lax.while_loop(lambda c: c.sum() < 100, lambda c: c + 1, x), X),
    "while_vmap": (jax.vmap(lambda x: lax.while_loop(lambda c: c < 3, lambda c: c + 1, x)), V),
    "scan": (lambda x: lax.scan(lambda c, a: (c + a, c * a), x[0], x), X),
    "scan_reverse": (lambda x: lax.scan(lambda c, a: (c + a, c), 0.0, x, reverse=True), V),
    "associative_scan": (lambda x: lax.associative_scan(jnp.multiply, x), V),
    "map": (lambda x: lax.map(lambda r: r.sum(), x), X),
    "cond": (lambda x: lax.cond(x.sum() > 0, lambda y: y + 1, lambda y: y * 2, x), X),
    "switch": (
        lambda x: lax.switch(jnp.int32(1), [lambda y: y, lambda y: y + 1, lambda y: y * 3], x),
        X,
    ),
    "max_pool": (
        lambda x: lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID"),
        IMAGE,
    ),
    "avg_pool": (lambda x: lax.reduce_window(x, 0.0, lax.add, (1, 3, 3, 1), (1, 1, 1, 1), "SAME"), IMAGE),
    "layer_norm": (jax.nn.standardize, X),
    "glu": (jax.nn.glu, X),
}

_BINARY: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "add": (jnp.add, (X, Y)),
    "sub_broadcast": (jnp.subtract, (X, X[0])),
    "mul": (jnp.multiply, (X, Y)),
    "div": (jnp.divide, (X, Y)),
    "int_div": (jnp.floor_divide, (I, J + 1)),
    "int_mod": (jnp.mod, (I, J + 1)),
    "float_mod": (jnp.mod, (X, P)),
    "rem": (lax.rem, (X, P)),
    "power": (jnp.power, (P, Y)),
    "power_int": (lambda x, y: lax.pow(x, y), (P, I)),
    "maximum": (jnp.maximum, (X, Y)),
    "minimum_int": (jnp.minimum, (I, J)),
    "atan2": (jnp.arctan2, (X, Y)),
    "hypot": (jnp.hypot, (X, Y)),
    "logaddexp": (jnp.logaddexp, (X, Y)),
    "nextafter": (jnp.nextafter, (X, Y)),
    "equal": (jnp.equal, (I, J)),
    "less": (jnp.less, (X, Y)),
    "greater_equal_unsigned": (jnp.greater_equal, (U, U + 1)),
    "and": (jnp.bitwise_and, (I, J)),
    "xor_bool": (jnp.logical_xor, (B, ~B)),
    "shift": (lambda a, b: (a << b) >> 1, (I, J)),
    "shift_logical": (lax.shift_right_logical, (U, U)),
    "where": (lambda b, x, y: jnp.where(b, x, y), (B, X, Y)),
    "select_int": (lambda i, x, y: lax.select_n(i % 2, x, y), (I, X, Y)),
    "clamp": (lambda x: lax.clamp(-0.5, x, 0.5), (X,)),
    "matmul": (jnp.matmul, (X, W)),
    "matvec": (jnp.matmul, (X, X[0])),
    "batched_matmul": (jnp.matmul, (T, T.transpose(0, 2, 1).copy())),
    "einsum": (lambda a, b: jnp.einsum("bij,bkj->ik", a, b), (T, T)),
    "tensordot": (lambda a, b: jnp.tensordot(a, b, 1), (T, W)),
    "int_matmul": (jnp.matmul, (I, J.T.copy())),
    "outer": (jnp.outer, (V, V)),
    "kron": (jnp.kron, (X, Y)),
    "concatenate": (lambda a, b: jnp.concatenate([a, b], 1), (X, Y)),
    "stack": (lambda a, b: jnp.stack([a, b], 1), (X, Y)),
    "take": (lambda x, i: x[i], (X, INDICES)),
    "take_fill": (lambda x, i: jnp.take(x, i + 1, axis=0, mode="fill"), (X, INDICES)),
    "take_clip": (lambda x, i: jnp.take(x, i * 5 - 3, axis=0, mode="clip"), (X, INDICES)),
    "take_along": (lambda x, i: jnp.take_along_axis(x, i % 4, 1), (X, I)),
    "fori_dynamic": (lambda x, n: lax.fori_loop(1, n, lambda i, c: c + x * i, x), (X, np.int32(5))),
    "fori_empty": (lambda x, n: lax.fori_loop(n, 2, lambda i, c: c + x * i, x), (X, np.int32(5))),
    "fori_counts": (
        lambda x, n: lax.while_loop(lambda s: s[0] < n, lambda s: (s[0] + 1, s[1] * 2), (np.int32(2), x)),
        (X, np.int32(5)),
    ),
    "scan_counts": (
        lambda x, n: lax.scan(lambda s, a: ((s[0] + 1, s[1] + a * s[0]), s[0]), (n, x[0]), x),
        (X, np.int32(5)),
    ),
    "dynamic_index": (lambda x, i: x[i], (X, np.int32(-1))),
    "dynamic_slice": (lambda x, i: lax.dynamic_slice(x, (i, i), (2, 2)), (X, np.int32(2))),
    "dynamic_update": (lambda x, i: lax.dynamic_update_slice(x, jnp.ones((1, 4)), (i, 0)), (X, np.int32(1))),
    "scatter_add": (lambda x, i: x.at[i].add(1.0), (X, INDICES)),
    "scatter_add_duplicates": (lambda x, i: x.at[i % 2].add(x), (X, INDICES)),
    "scatter_max": (lambda x, i: x.at[i].max(0.0), (X, INDICES)),
    "scatter_mul": (lambda x, i: x.at[:, i].multiply(2.0), (X, INDICES)),
    "scatter_set_2d": (lambda x, i: x.at[i, i].set(9.0), (X, INDICES)),
    "scatter_drop": (lambda x, i: x.at[i + 1].set(0.0, mode="drop"), (X, INDICES)),
    "segment_sum": (lambda x, i: jax.ops.segment_sum(x, i, 3), (X, INDICES)),
    "searchsorted": (lambda a, v: jnp.searchsorted(jnp.sort(a), v), (V, V)),
    "lexsort": (lambda a, b: jnp.lexsort((a, b)), (V, V)),
    "conv_nhwc": (
        lambda x, k: lax.conv_general_dilated(
            x, k, (2, 2), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
        ),
        (IMAGE, KERNEL),
    ),
    "conv_nchw": (
        lambda x, k: lax.conv(x.transpose(0, 3, 1, 2), k.transpose(3, 2, 0, 1), (1, 1), "VALID"),
        (IMAGE, KERNEL),
    ),
    "conv_dilated": (
        lambda x, k: lax.conv_general_dilated(
            x, k, (1, 1), "VALID", (1, 1), (2, 2), dimension_numbers=("NHWC", "HWIO", "NHWC")
        ),
        (IMAGE, KERNEL),
    ),
    "conv_depthwise": (
        lambda x, k: lax.conv_general_dilated(
            x,
            k[:, :, :1, :3],
            (1, 1),
            "SAME",
            dimension_numbers=("NHWC", "HWIO", "NHWC"),
            feature_group_count=3,
        ),
        (IMAGE, KERNEL),
    ),
    "conv_transposed": (
        lambda x, k: lax.conv_general_dilated(
            x, k, (1, 1), ((2, 2), (2, 2)), (2, 2), dimension_numbers=("NHWC", "HWIO", "NHWC")
        ),
        (IMAGE, KERNEL),
    ),
    "cholesky": (lambda x: jnp.linalg.cholesky(x @ x.T + 2 * jnp.eye(3)), (X,)),
    "solve": (lambda x, y: jnp.linalg.solve(x @ x.T + jnp.eye(3), y), (X, Y)),
    "inverse": (lambda x: jnp.linalg.inv(x @ x.T + jnp.eye(3)), (X,)),
    "slogdet": (lambda x: jnp.linalg.slogdet(x @ x.T + jnp.eye(3)), (X,)),
    "solve_triangular": (
        lambda x, y: jax.scipy.linalg.solve_triangular(x @ x.T + jnp.eye(3), y, lower=True, trans=1),
        (X, Y),
    ),
    "qr": (lambda x: (jnp.linalg.qr(x), jnp.linalg.qr(x.T, mode="complete")), (X,)),
    "singular_values": (lambda x: jnp.linalg.svd(x, compute_uv=False), (X,)),
    "igamma": (jax.scipy.special.gammainc, (P, P)),
    "random_bits": (lambda k: jax.random.bits(jax.random.wrap_key_data(k), (5,)), (KEY,)),
    "random_uniform": (lambda k: jax.random.uniform(k, (3, 5)), (KEY,)),
    "random_normal": (lambda k: jax.random.normal(k, (7,)), (KEY,)),
    "random_bernoulli": (lambda k: jax.random.bernoulli(k, 0.3, (7,)), (KEY,)),
    "random_randint": (lambda k: jax.random.randint(k, (7,), 0, 100), (KEY,)),
    "random_split": (lambda k: jax.random.split(k, 3), (KEY,)),
    "random_split_use": (lambda k: [jax.random.normal(s, (2,)) for s in jax.random.split(k)], (KEY,)),
    "random_fold_in": (lambda k, i: jax.random.fold_in(k, i), (KEY, np.int32(7))),
    "random_seed": (lambda i: jax.random.key_data(jax.random.key(i)), (np.int32(5),)),
    "random_permutation": (lambda k: jax.random.permutation(k, 6), (KEY,)),
    "random_gamma": (lambda k: jax.random.gamma(k, 2.5, (3,)), (KEY,)),
    "random_truncated": (lambda k: jax.random.truncated_normal(k, -1.0, 1.0, (6,)), (KEY,)),
    "random_choice": (lambda k, v: jax.random.choice(k, v, (3,)), (KEY, V)),
    "random_categorical": (lambda k, x: jax.random.categorical(k, x), (KEY, X)),
    "random_new_key": (
        lambda k: jax.random.normal(jax.random.split(jax.random.wrap_key_data(k), 3)[1]),
        (KEY,),
    ),
    "random_vmap": (lambda k: jax.vmap(lambda s: jax.random.normal(s, (2,)))(jax.random.split(k, 3)), (KEY,)),
    "dropout": (lambda k, x: jnp.where(jax.random.bernoulli(k, 0.5, x.shape), x / 0.5, 0.0), (KEY, X)),
    "scan_keys": (
        lambda k, x: lax.scan(lambda c, s: (c + jax.random.normal(s, (4,)), c), x[0], jax.random.split(k, 3)),
        (KEY, X),
    ),
}

CASES: list[Case] = [
    *((name, function, (arg,)) for name, (function, arg) in _UNARY.items()),
    *((name, function, args) for name, (function, args) in _BINARY.items()),
]


def mlp_loss(params: Any, x: Any, y: Any) -> Any:
    """Return the cross entropy of a two-layer perceptron."""
    (w1, b1), (w2, b2) = params
    hidden = jax.nn.relu(x @ w1 + b1)
    logits = hidden @ w2 + b2
    return -jnp.mean(jnp.sum(jax.nn.one_hot(y, 3) * jax.nn.log_softmax(logits), axis=1))


def cnn_loss(params: Any, x: Any, y: Any) -> Any:
    """Return the cross entropy of convolution, max pooling and a linear layer."""
    kernel, w, b = params
    h = lax.conv_general_dilated(x, kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))
    h = jax.nn.relu(h)
    h = lax.reduce_window(h, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
    logits = h.reshape(h.shape[0], -1) @ w + b
    return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(logits), y[:, None], axis=1))


_MLP = ((_random(4, 6), _random(6)), (_random(6, 3), _random(3)))
_CNN = (KERNEL, _random(64, 3), _random(3))

GRADIENTS: list[Case] = [
    ("mlp", jax.value_and_grad(mlp_loss), (_MLP, _random(5, 4), np.array([0, 2, 1, 1, 0], np.int32))),
    ("cnn", jax.value_and_grad(cnn_loss), (_CNN, IMAGE, np.array([1, 2], np.int32))),
    ("scan", jax.grad(lambda x: lax.scan(lambda c, a: (jnp.tanh(c + a), c), 0.0, x)[0]), (V,)),
    ("cond", jax.grad(lambda x: lax.cond(x[0] > 0, jnp.sum, lambda v: (v**2).sum(), x)), (V,)),
    ("gather", jax.grad(lambda x: (x[INDICES] ** 2).sum()), (X,)),
    ("softmax", jax.grad(lambda x: (jax.nn.softmax(x) ** 2).sum()), (X,)),
    ("gelu", jax.grad(lambda x: jax.nn.gelu(x).sum()), (X,)),
    (
        "avg_pool",
        jax.grad(
            lambda x: (lax.avg_pool(x, (2, 2), (2, 2)) ** 2).sum() if hasattr(lax, "avg_pool") else x.sum()
        ),
        (IMAGE,),
    ),
    ("cumsum", jax.grad(lambda x: (jnp.cumsum(x) ** 2).sum()), (V,)),
    ("logsumexp", jax.grad(lambda x: jax.nn.logsumexp(x)), (X,)),
    ("sort", jax.grad(lambda x: (jnp.sort(x) * jnp.arange(8.0)).sum()), (V,)),
    ("attention", jax.grad(lambda q: (jax.nn.softmax(q @ q.T / 2.0) @ q).sum()), (X,)),
]

#: Functions of arrays with a symbolic leading extent.
SYMBOLIC: list[Case] = [
    ("add", lambda x: x + 1.0, (X,)),
    ("matmul", lambda x, w: x @ w, (X, W)),
    ("sum", lambda x: x.sum(), (X,)),
    ("mean", lambda x: x.mean(), (X,)),
    ("softmax", jax.nn.softmax, (X,)),
    ("reshape", lambda x: x.reshape(-1), (X,)),
    ("reshape_split", lambda x: x.reshape(x.shape[0], 2, 2), (X,)),
    ("last", lambda x: x[-1], (X,)),
    ("tail", lambda x: x[1:], (X,)),
    ("columns", lambda x: x[:, 1:3], (X,)),
    ("concatenate", lambda x: jnp.concatenate([x, x]), (X,)),
    ("arange", lambda x: x + jnp.arange(x.shape[0])[:, None], (X,)),
    ("pad", lambda x: jnp.pad(x, ((1, 0), (0, 0))), (X,)),
    ("transpose", lambda x: x.T @ x, (X,)),
    ("scan", lambda x: lax.scan(lambda c, a: (c + a, c), jnp.zeros(4), x), (X,)),
    ("flip", lambda x: x[::-1], (X,)),
    ("argmax", lambda x: jnp.argmax(x, 1), (X,)),
    ("cumsum", lambda x: jnp.cumsum(x, 0), (X,)),
    ("sort", lambda x: jnp.sort(x, 0), (X,)),
    ("random", lambda x: x + jax.random.normal(jax.random.key(0), x.shape), (X,)),
    ("mlp", jax.value_and_grad(mlp_loss), (_MLP, _random(5, 4), np.array([0, 2, 1, 1, 0], np.int32))),
]
