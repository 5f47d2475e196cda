"""Randomised comparison of compiled linalg with NumPy over odd, static and dynamic sizes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from .harness import Compiled, unaligned
from .programs import ENTRY, contraction, convolution, elementwise, reduction, tensor

KINDS = {"f32": np.float32, "f64": np.float64, "i32": np.int32, "i64": np.int64}


def random(shape: Any, element: str = "f32", seed: int = 0) -> Any:
    rng = np.random.default_rng(seed)
    if element.startswith("i"):
        return unaligned(rng.integers(-9, 9, shape).astype(KINDS[element]))
    return unaligned(rng.standard_normal(shape).astype(KINDS[element]))


def close(got: Any, want: Any, depth: int = 1) -> None:
    if got.dtype.kind == "i":
        np.testing.assert_array_equal(got, want)
        return
    epsilon = np.finfo(got.dtype).eps
    scale = max(1.0, float(np.max(np.abs(want)))) if want.size else 1.0
    np.testing.assert_allclose(got, want, rtol=0, atol=scale * epsilon * 4 * math.sqrt(depth + 1))


SIZES = [
    (1, 1, 1),
    (1, 17, 3),
    (7, 1, 17),
    (3, 7, 1),
    (17, 17, 17),
    (6, 16, 33),
    (13, 35, 8),
    (64, 10, 31),
    (70, 100, 40),
]
FORMS = ["mk,kn->mn", "km,kn->mn", "mk,nk->mn", "km,nk->mn"]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("m,n,k", SIZES)
def test_matmul(form: str, m: int, n: int, k: int) -> None:
    sizes = {"m": m, "n": n, "k": k}
    a, b = form.split("->")[0].split(",")
    x, y = random([sizes[c] for c in a]), random([sizes[c] for c in b], seed=1)
    got = Compiled(contraction(form, [x.shape, y.shape]))(x, y)
    close(got, np.einsum(form, x.astype(np.float64), y), k)


@pytest.mark.parametrize("form", FORMS)
def test_matmul_of_dynamic_sizes(form: str) -> None:
    f = Compiled(contraction(form, [(None, None), (None, None)]))
    for m, n, k in [*SIZES, (0, 3, 4), (3, 0, 4), (3, 4, 0)]:
        sizes = {"m": m, "n": n, "k": k}
        a, b = form.split("->")[0].split(",")
        x, y = random([sizes[c] for c in a]), random([sizes[c] for c in b], seed=1)
        close(f(x, y), np.einsum(form, x.astype(np.float64), y), k)


@pytest.mark.parametrize("element", ["f64", "i32", "i64"])
@pytest.mark.parametrize(
    "form",
    ["mk,kn->mn", "mk,nk->mn", "bmk,bkn->bmn", "bmk,bnk->bmn", "k,kn->n", "mk,k->m", "k,k->", "m,n->mn"],
)
def test_contractions_of_other_forms(form: str, element: str) -> None:
    sizes = {"m": 11, "n": 21, "k": 19, "b": 3}
    a, b = form.split("->")[0].split(",")
    x, y = random([sizes[c] for c in a], element), random([sizes[c] for c in b], element, 1)
    close(Compiled(contraction(form, [x.shape, y.shape], element))(x, y), np.einsum(form, x, y), 19)


@pytest.mark.parametrize("m,n,k", [(70, 256, 300), (40, 512, 64), (33, 264, 520), (150, 200, 2503)])
@pytest.mark.parametrize("form", FORMS)
def test_large_matmul(form: str, m: int, n: int, k: int) -> None:
    sizes = {"m": m, "n": n, "k": k}
    a, b = form.split("->")[0].split(",")
    x, y = random([sizes[c] for c in a]), random([sizes[c] for c in b], seed=1)
    close(
        Compiled(contraction(form, [x.shape, y.shape]))(x, y),
        np.einsum(form, x.astype(np.float64), y, optimize=True),
        k,
    )


def windows(x: Any, kh: int, kw: int, stride: int) -> Any:
    view = np.lib.stride_tricks.sliding_window_view(x, (kh, kw), axis=(1, 2))
    return view[:, ::stride, ::stride]  # n, oh, ow, c, kh, kw


CONVS = [
    (2, 5, 5, 1, 3, 3, 4, 1), (3, 8, 7, 3, 3, 3, 16, 1), (2, 9, 9, 5, 3, 2, 7, 2), (1, 6, 6, 16, 1, 1, 17, 1),
    (4, 10, 10, 1, 3, 3, 16, 1), (4, 6, 6, 16, 3, 3, 32, 1), (8, 12, 12, 8, 3, 3, 40, 1), (2, 20, 20, 32, 3, 3, 64, 1),
]  # fmt: skip


@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
@pytest.mark.parametrize("wrt", ["output", "filter"])
@pytest.mark.parametrize("case", CONVS)
def test_convolution(case: tuple[int, ...], layout: str, wrt: str) -> None:
    n, h, w, c, kh, kw, f, stride = case
    x, k = random((n, h, w, c)), random((kh, kw, c, f), seed=1)
    view = windows(x, kh, kw, stride).astype(np.float64)
    y = random((*view.shape[:3], f), seed=2)
    nchw = layout == "NCHW"

    def images(v: Any) -> Any:
        return unaligned(np.ascontiguousarray(v.transpose(0, 3, 1, 2))) if nchw else v

    program = Compiled(convolution(n, h, w, c, kh, kw, f, stride, layout, wrt))
    if wrt == "output":
        want = np.einsum("nxychw,hwcf->nxyf", view, k, optimize=True)
        close(
            program(images(x), unaligned(np.ascontiguousarray(k.transpose(3, 2, 0, 1))) if nchw else k),
            images(want),
            kh * kw * c,
        )
    else:
        want = np.einsum("nxychw,nxyf->hwcf", view, y, optimize=True)
        close(
            program(images(x), images(y)),
            want.transpose(3, 2, 0, 1) if nchw else want,
            n * y.shape[1] * y.shape[2],
        )


REDUCTIONS = [
    ("arith.addf", "0.0", np.add.reduce, "f32"),
    ("arith.maximumf", "0xFF800000", np.maximum.reduce, "f32"),
    ("arith.mulf", "1.0", np.multiply.reduce, "f64"),
    ("arith.minimumf", "0x7FF0000000000000", np.minimum.reduce, "f64"),
    ("arith.addi", "0", np.add.reduce, "i32"),
    ("arith.maxsi", "-9223372036854775808", np.maximum.reduce, "i64"),
    ("arith.andi", "-1", np.bitwise_and.reduce, "i32"),
]  # fmt: skip


@pytest.mark.parametrize("op,init,reference,element", REDUCTIONS)
@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 17, 7), (2, 5, 64), (5, 33, 1)])
@pytest.mark.parametrize("axes", [(0,), (1,), (2,), (0, 2), (1, 2), (0, 1), (0, 1, 2)])
def test_reduction(
    op: str, init: str, reference: Any, element: str, shape: tuple[int, ...], axes: tuple[int, ...]
) -> None:
    x = random(shape, element)
    close(Compiled(reduction(shape, axes, op, init, element))(x), np.asarray(reference(x, axis=axes)), 100)


@pytest.mark.parametrize("axes", [(0,), (1,), (0, 1)])
def test_reduction_of_dynamic_sizes(axes: tuple[int, ...]) -> None:
    f = Compiled(reduction((None, None), axes))
    for shape in [(0, 0), (0, 5), (1, 1), (3, 7), (17, 100), (100, 17), (33, 1)]:
        x = random(shape)
        close(f(x), x.sum(axis=axes, dtype=np.float64), x.size)


def test_maximum_propagates_nan() -> None:
    x = random((5, 37))
    x[2, 30] = np.nan
    x[3, 1] = np.inf
    for axes in [(0,), (1,), (0, 1)]:
        got = Compiled(reduction((5, 37), axes, "arith.maximumf", "0xFF800000"))(x)
        np.testing.assert_array_equal(got, x.max(axis=axes))


@pytest.mark.parametrize("shape", [(1,), (7,), (64,), (3, 17), (2, 3, 5), (33, 64)])
@pytest.mark.parametrize("element", ["f32", "f64"])
def test_elementwise_chain(shape: tuple[int, ...], element: str) -> None:
    ops = [
        "arith.addf x0 x1",
        "arith.mulf t0 x2",
        "arith.subf t1 x3",
        "arith.divf t2 x1",
        "math.absf t3",
        "math.sqrt t4",
    ]
    x = [random(shape, element, i) for i in range(4)]
    want = np.sqrt(np.abs(((x[0] + x[1]) * x[2] - x[3]) / x[1]))
    np.testing.assert_allclose(Compiled(elementwise(shape, ops, 4, element))(*x), want, rtol=1e-5)
    dynamic = Compiled(elementwise([None] * len(shape), ops, 4, element))
    np.testing.assert_allclose(dynamic(*x), want, rtol=1e-5)
    empty = [v[:0].copy() for v in x]
    assert dynamic(*empty).size == 0


FUNCTIONS = {
    "exp": np.exp, "log": np.log, "tanh": np.tanh, "log1p": np.log1p, "expm1": np.expm1, "sin": np.sin, "cos": np.cos,
    "erf": np.vectorize(math.erf, otypes=[np.float64]), "sqrt": np.sqrt, "rsqrt": lambda v: 1 / np.sqrt(v),
}  # fmt: skip


@pytest.mark.parametrize("element", ["f32", "f64"])
@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_function_is_accurate(name: str, element: str) -> None:
    kind = KINDS[element]
    rng = np.random.default_rng(0)
    special = [
        0.0,
        -0.0,
        np.inf,
        -np.inf,
        np.nan,
        1.0,
        -1.0,
        88.0,
        88.8,
        89.5,
        -87.0,
        -88.0,
        -104.0,
        1e-40,
        1e-20,
        1e30,
        3e38,
        -2.0,
    ]
    spread = rng.standard_normal(4000) * 10.0 ** rng.integers(-8, 4, 4000)
    x = np.concatenate([special, spread, rng.uniform(-10, 10, 4000), rng.uniform(0.5, 2, 2003)]).astype(kind)
    got = Compiled(elementwise(x.shape, [f"math.{name} x0"], 1, element))(x)
    want = FUNCTIONS[name](x.astype(np.longdouble) if name != "erf" else x.astype(np.float64))
    rounded = np.asarray(want, np.longdouble).astype(kind)
    np.testing.assert_array_equal(np.isnan(got), np.isnan(rounded))
    finite = np.isfinite(rounded) & (np.abs(rounded) > np.finfo(kind).tiny)
    np.testing.assert_array_equal(got[np.isinf(rounded)], rounded[np.isinf(rounded)])
    ulp = np.spacing(np.abs(rounded[finite]))
    error = np.abs(got[finite].astype(np.longdouble) - want[finite]) / ulp
    worst = int(np.argmax(error))
    assert error[worst] <= 4, f"{error[worst]} ulp at {x[finite][worst]!r}: {got[finite][worst]!r}"
    small = ~np.isnan(rounded) & ~np.isinf(rounded) & ~finite
    assert np.all(np.abs(got[small].astype(np.float64) - rounded[small]) <= np.finfo(kind).tiny)


@pytest.mark.parametrize("element", ["f32", "f64", "i32"])
@pytest.mark.parametrize("perm", [(1, 0), (0, 2, 1), (2, 1, 0), (1, 2, 0)])
@pytest.mark.parametrize("base", [1, 7, 8, 17, 33])
def test_transpose(perm: tuple[int, ...], base: int, element: str) -> None:
    shape = tuple(base + 3 * i for i in range(len(perm)))
    x, y = random(shape, element), random([shape[p] for p in perm], element, 1)
    dims = ", ".join(f"d{i}" for i in range(len(perm)))
    inverse = [perm.index(i) for i in range(len(perm))]
    source = ", ".join(f"d{i}" for i in inverse)
    add = "arith.addi" if element.startswith("i") else "arith.addf"
    a, b = tensor(x.shape, element), tensor(y.shape, element)
    program = f"""func.func @f(%x: {a}, %y: {b}) -> {b} {ENTRY} {{
      %e = tensor.empty() : {b}
      %r = linalg.generic {{indexing_maps = [affine_map<({dims}) -> ({source})>, affine_map<({dims}) -> ({dims})>,
          affine_map<({dims}) -> ({dims})>], iterator_types = [{", ".join(['"parallel"'] * len(perm))}]}}
        ins(%x, %y : {a}, {b}) outs(%e : {b}) {{
        ^bb0(%p: {element}, %q: {element}, %o: {element}):
          %s = {add} %p, %q : {element}
          linalg.yield %s : {element}
      }} -> {b}
      return %r : {b}
    }}"""
    np.testing.assert_array_equal(Compiled(program)(x, y), x.transpose(perm) + y)
