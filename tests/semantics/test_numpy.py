"""NumPy programs: dtype rules, views, writes in place, aliasing."""

from __future__ import annotations

from typing import Any

import numpy as np

from semantics.oracle import Box, Cases, nmat, nvec

cases = Cases()


@cases.add(
    lambda i: (nvec(), nvec(start=2.0)), lambda: (nvec(5), nvec(5)), lambda: (nvec(dtype=np.float32), nvec())
)
def straight(x, y):
    z = x * 2 + y
    return z, np.exp(-z) @ x, z.sum(), z.mean(axis=0)


@cases.add(
    lambda i: (nvec(dtype=np.float32), nvec(dtype=np.int32), nvec(dtype=np.int64), nvec(dtype=np.uint8))
)
def promotion(f, i, j, u):
    return (
        f + i,
        f * 2,
        f + 2.0,
        i + 1,
        i / 2,
        i // 2,
        i + u,
        u + 1,
        j * f,
        i**2,
        f**2,
        u / u,
        -i,
        i > 2,
        i % 2,
        f.sum(),
        i.sum(),
        u.sum(),
        i.mean(),
        f.mean(),
    )


@cases.add(lambda i: (nvec(dtype=np.float32), np.float64(2.0), np.float32(3.0), np.int8(4)))
def scalar_promotion(x, d, f, i):
    return x * d, x * f, f * 2, f * 2.0, d * f, i + 1, i * f, f + True, x.sum() * 2.0, x[0] + 1, x[0] * d


@cases.add(lambda i: (nvec(dtype=np.bool_), nvec(dtype=np.int16)))
def bool_and_small_ints(b, i):
    return (
        b + b,
        b * 2,
        ~b,
        b & b,
        b.sum(),
        i.sum(),
        i.prod(),
        i + b,
        i * 2.5,
        np.where(b, i, 0),
        b.any(),
        i.max(),
    )


@cases.add(lambda i: (nvec(8),))
def views_alias(x):
    v = x[2:5]
    v[0] = 100.0
    w = x.reshape(2, 4)
    w[1, 1] = -1.0
    t = w.T
    t[0, 0] += 7
    return v, w, t, x


@cases.add(lambda i: (nvec(8),))
def returned_view(x):
    return x[1:4]


def _view_mutated(_):
    x = nvec(8)
    for k in range(6):
        yield x, k
        x += 1
    yield nvec(9), 3
    yield x, 3
    yield x, 3


@cases.world(_view_mutated)
def view_then_mutated(x, k):
    v = x[2:6]
    v[1] = k
    return v


@cases.add(lambda i: (nvec(), nvec(start=5.0)), lambda: (nvec(dtype=np.int64), nvec(start=5.0)))
def augmented_in_place(x, y):
    z = x
    z += y
    z *= 2
    return z is x, z


@cases.add(lambda i: (nvec(),), lambda: (nvec(dtype=np.int64),))
def augmented_cast_error(x):
    x += 0.5
    return x


def _aliased(_):
    for _ in range(5):
        x = nvec(6)
        yield x, nvec(6)
    x = nvec(6)
    yield x, x
    yield x, x[::-1]
    yield x, x[:6]
    for _ in range(3):
        yield nvec(6), nvec(6)


@cases.world(_aliased)
def overlapping_arguments(a, b):
    a[:] = 0.0
    b[0] = 5.0
    a += b
    return a


@cases.add(lambda i: (nmat(4, 4),), lambda: (nmat(4, 4).T,), lambda: (nmat(8, 4)[::2],))
def strided_inputs(m):
    return m * 2, m[0], m.T @ m, m[:, 1].sum()


@cases.add(lambda i: (nmat(4, 4), i % 4))
def row_updates(m, k):
    for i in range(4):
        m[i] = m[i] / (m[i].max() + 1)
    m[k, :] = 0
    m[:, k] += 1
    return m


@cases.add(lambda i: (nvec(10, start=float(i - 5)),))
def masks(x):
    y = x.copy()
    y[y < 0] = 0
    return y, np.where(x > 0, x, -x), (x > 0).sum(), np.clip(x, -1, 2)


@cases.add(lambda i: (nvec(10), np.array([3, 1, 2])))
def fancy_index(x, idx):
    y = x[idx]
    x[idx] = 0
    y[0] = -5
    return y, x, x.take([0, 1])


@cases.add(lambda i: (12,), lambda: (20,))
def sieve(n):
    flags = np.ones(n, dtype=bool)
    flags[:2] = False
    i = 2
    while i * i < n:
        if flags[i]:
            flags[i * i :: i] = False
        i += 1
    return flags


@cases.add(lambda i: (nvec(9, start=float(i)),))
def prefix_sums(x):
    out = np.zeros_like(x)
    acc = 0.0
    for i in range(len(x)):
        acc += x[i]
        out[i] = acc
    return out, acc


@cases.add(lambda i: (nmat(5, 3),), lambda: (nmat(7, 3),))
def pairwise(points):
    n = points.shape[0]
    out = np.empty((n, n))
    for i in range(n):
        for j in range(n):
            d = points[i] - points[j]
            out[i, j] = np.sqrt((d * d).sum())
    return out


@cases.add(lambda i: (nvec(8)[::-1].copy(),), lambda: (nvec(5),))
def bubble_sort(x):
    n = len(x)
    swaps = 0
    for i in range(n):
        for j in range(n - 1 - i):
            if x[j] > x[j + 1]:
                x[j], x[j + 1] = x[j + 1], x[j]
                swaps += 1
    return x, swaps


@cases.add(lambda i: (np.array([1.0, 3.0, 5.0, 7.0]), float(2 * (i % 5))))
def binary_search(xs, key):
    lo, hi = 0, len(xs)
    while lo < hi:
        mid = (lo + hi) // 2
        if xs[mid] < key:
            lo = mid + 1
        else:
            hi = mid
    return lo


@cases.add(lambda i: (nmat(6, 6), 3))
def stencil(g, steps):
    for _ in range(steps):
        new = g.copy()
        new[1:-1, 1:-1] = 0.25 * (g[:-2, 1:-1] + g[2:, 1:-1] + g[1:-1, :-2] + g[1:-1, 2:])
        g, new = new, g
    return g


@cases.add(lambda i: (nvec(4, start=float(i - 3)),))
def branch_on_value(x):
    if x.sum() > 0 and x[0] < x[-1]:
        return x / x.sum()
    elif not x.any():
        return np.zeros(2)
    return x


@cases.add(lambda i: (nvec(dtype=np.float32),))
def reductions(x):
    m = x.reshape(2, 2)
    return (
        x.sum(),
        x.mean(),
        x.std(),
        x.var(),
        x.argmax(),
        m.sum(axis=1, keepdims=True),
        m.max(axis=0),
        x.cumsum(),
        np.dot(x, x),
        np.linalg.norm(x),
    )


@cases.add(lambda i: (nvec(6),))
def building(x):
    a = np.zeros((2, 3), dtype=np.float32)
    a[0] = x[:3]
    b = np.arange(6)
    c = np.concatenate([x, b])
    d = np.stack([x, x * 2], axis=1)
    e = np.full(3, 7)
    f = np.linspace(0, 1, 5)
    return a, b, c, d, e, f, np.eye(2), np.ones_like(b), np.asarray(x) is x, np.array(x) is x


@cases.add(lambda i: (nvec(6, dtype=np.float32),))
def casts(x):
    return (
        x.astype(np.int32),
        x.astype("float64"),
        x.astype(bool),
        float(x[0]),
        int(x[1]),
        x.tolist(),
        x[0].item(),
    )


@cases.add(lambda i: (nvec(4), 1.5 + i))
def scalar_types(x, k):
    s = x[0]
    t = s * k
    u = x.sum()
    return s, t, u, type(s) is np.float64, isinstance(u, float), round(float(t)), max(s, u), abs(s)


def _accumulator(_):
    m = Box(total=np.zeros(4), n=0, rows=[])
    for k in range(8):
        yield m, nvec(start=float(k))


@cases.world(_accumulator)
def model_in_place(m, x):
    m.total += x
    m.n += 1
    m.rows.append(m.total)
    return m.total / m.n


def _swap(_):
    m = Box(a=nvec(), b=nvec(start=5.0))
    for _ in range(7):
        yield (m,)


@cases.world(_swap)
def buffer_swap(m):
    m.b[:] = m.a * 2 + m.b
    m.a, m.b = m.b, m.a
    return m.a


@cases.add(lambda i: (nvec(4), nvec(4)))
def ufunc_out(x, y):
    r = np.add(x, y, out=x)
    np.multiply(x, 2, out=y)
    return r is x, x, y


@cases.add(lambda i: (nvec(4), 7))
def default_and_negative_index(x, n):
    x[-1] = n
    x[1:-1] = x[2:]
    return x[::-1], x[-2:], x[None, :], x[..., 0]


@cases.add(lambda i: (nvec(6, dtype=np.int32),), lambda: (nvec(6, dtype=np.int64),))
def integer_wraparound(x):
    y = x * np.int32(2**30)
    return y, x << 3, x ^ 5, x // 3, x % -3, np.int32(7) // np.int32(2)


@cases.add(lambda i: (nvec(4), i % 5), lambda: (nvec(4), 17))
def out_of_bounds(x, k):
    if k > 100:
        return x
    return x[k % 4] if k < 10 else x[k]


@cases.add(lambda i: (nvec(4), i % 4), lambda: (nvec(4), 9), lambda: (nvec(4), -1))
def out_of_bounds_write(x, k):
    x[0] = 50.0
    x[k] = 1.0
    return x.sum()


@cases.add(lambda i: (nvec(4),), lambda: (np.arange(4)[::2],), lambda: (np.array([]),))
def empty_and_small(x):
    return x * 2, x.sum(), len(x)


@cases.add(lambda i: (nvec(5, start=float(i)),))
def newton(x):
    y = x.copy()
    it = 0
    while True:
        step = (y * y - x) / (2 * y + 1e-9)
        y = y - step
        it += 1
        if np.abs(step).max() < 1e-10 or it > 50:
            break
    return y, it


@cases.add(lambda i: (nvec(6),))
def iterates_array(x):
    total = 0.0
    best = None
    for v in x:
        total += v
        if best is None or v > best:
            best = v
    return total, best


@cases.add(lambda i: (nvec(4), [nvec(4), nvec(4, 2.0)]))
def mutates_list_items(x, xs):
    for v in xs:
        v += x
    xs[0] = x
    xs.append(x[:2])
    x[0] = 77
    return xs


@cases.add(lambda i: (nvec(6),))
def copies_do_not_alias(x):
    c = x.copy()
    f = x.flatten()
    r = x.ravel()
    r[0] = 9
    c[1] = 8
    f[2] = 7
    return x, c, f, r


def collatz(n: int) -> int:
    k = 0
    while n != 1:
        n = n // 2 if n % 2 == 0 else 3 * n + 1
        k += 1
    return k


cases.add(lambda i: (5 + i,), lambda: (27,))(collatz)


@cases.add(lambda i: (20 + i % 2,), lambda: (100,))
def fibonacci(n):
    a, b = 0, 1
    for _ in range(n):
        a, b = b, a + b
    return a


@cases.add(lambda i: (nvec(3), "ab"), lambda: (nvec(3), "xyz"))
def strings_and_numbers(x, s):
    parts: list[Any] = []
    for i, ch in enumerate(s):
        parts.append(ch * (i + 1))
    return "-".join(parts), x * len(s), s[0], s.startswith("a")


@cases.add(lambda i: (nmat(2 + i, 3),), lambda: (nmat(4, 3),), lambda: (nmat(9, 3),))
def decided_by_the_batch(x):
    n = x.shape[0]
    if n == 9 or n // 2 == 3:
        return x.sum(), n != 9
    return -x


test_program = cases.test()
