"""NumPy results whose size depends on the data; views, copies, in-place operations."""

from __future__ import annotations

import numpy as np

from semantics.oracle import Cases, nmat, nvec

cases = Cases()


@cases.add(lambda i: (nvec(6, i - 3.0),), lambda: (nvec(6, 9.0),), lambda: (nvec(6, -99.0),))
def mask_read(x):
    return x[x > 0]


@cases.add(lambda i: (nvec(6, i - 3.0),), lambda: (nvec(6, 9.0),), lambda: (nvec(6, -99.0),))
def mask_reduce(x):
    y = x[x > 0]
    return y.sum(), y.size, len(y), (y * 2).sum()


@cases.add(lambda i: (nvec(6, i - 3.0),), lambda: (nvec(6, -99.0),))
def mask_mean(x):
    y = x[x > -1]
    if len(y) == 0:
        return 0.0
    return y.mean(), y.max()


@cases.add(lambda i: (nvec(6, i - 3.0), nvec(6, 2.0)))
def two_masked(x, w):
    m = x > 0
    return (x[m] * w[m]).sum(), x[~m], w[m] / 2


@cases.add(lambda i: (nvec(6, i - 3.0), nvec(6, 2.0)), compiled=False)
def nonzeros(x, w):
    (idx,) = np.nonzero(x > 0)
    (jdx,) = np.where(x > 0)
    return idx, w[jdx], np.flatnonzero(x), np.count_nonzero(x > 0), np.argwhere(x > 0)


@cases.add(lambda i: (nmat(3, 4, i - 1.0),), compiled=False)
def matrix_mask(a):
    rows, cols = np.nonzero(a > 1)
    return a[a > 1], rows, cols, a[a.sum(axis=1) > 3]


@cases.add(lambda i: (np.array([3, 1, 3, 2 + i % 2, 1]),))
def uniques(x):
    return np.unique(x), len(np.unique(x))


@cases.add(lambda i: (nvec(6, i - 3.0),))
def mask_write(x):
    x[x < 0] = 0.0
    x[x > 2] *= 2
    y = x.copy()
    y[y == 0] = -1
    return y, x


@cases.add(lambda i: (nvec(6, i - 3.0),))
def mask_assign_array(x):
    m = x > 0
    y = np.zeros(6)
    y[m] = x[m] * 2
    return y


@cases.add(lambda i: (nvec(6, i), 2 + i % 3), lambda: (nvec(6, 0.0), 0), lambda: (nvec(6, 0.0), 9))
def run_time_slice(x, k):
    return x[:k].sum(), x[k:], x[-k:], x[k // 2 : k]


@cases.add(lambda i: (3 + i % 3, 2.0), lambda: (12, 1.0), lambda: (0, 1.0), compiled=False)
def run_time_size(n, v):
    x = np.zeros(n)
    x[:] = v
    return x, np.arange(n) * v, np.ones(n).sum(), np.full(n, v), np.linspace(0, 1, 5)


@cases.add(lambda i: (nvec(6, i),), compiled=False)
def views(x):
    y = x[1:4]
    y += 10
    z = x[::-1]
    z[0] = -5
    r = x.reshape(2, 3)
    r[0] *= 2
    t = r.T
    t[0, 0] = 7
    return x, y, z, r, t, y.base is x, np.shares_memory(x, y)


@cases.add(lambda i: (nmat(3, 3, i),), compiled=False)
def matrix_in_place(a):
    a[1] += a[0]
    a[:, 2] = 0
    a[0, :] = a[2]
    np.add(a, 1, out=a)
    b = a
    b -= 1
    a[np.diag_indices(3)] = 5
    np.fill_diagonal(a, 9)
    return a


@cases.add(lambda i: (nvec(5, i), np.array([0, 2, 2])))
def index_arrays(x, idx):
    y = x[idx]
    x[idx] = -1
    x[[0, 1]] += 5
    np.add.at(x, idx, 1)
    return y, np.take(x, idx), x[np.array([True, False, True, False, True])]


@cases.add(lambda i: (nvec(5, i % 3),))
def sorting(x):
    order = np.argsort(-x)
    return (
        np.sort(x),
        order,
        x[order],
        np.argmax(x),
        x.argmin(),
        np.searchsorted(x, 2.5),
        np.cumsum(x),
        np.median(x),
    )


@cases.add(lambda i: (nvec(5, i), nvec(5, 1.0)), compiled=False)
def stacking(x, y):
    return (
        np.concatenate([x, y]), np.stack([x, y]), np.vstack([x, y]), np.hstack([x, y[:2]]), np.append(x, 1.0),
        np.split(np.arange(6), 3), np.tile(x, 2), np.repeat(y, 2), np.roll(x, 1), np.diff(x), np.flip(x), np.pad(x, 1),
        np.outer(x, y), np.dot(x, y), np.clip(x, 1, 3), np.where(x > y, x, y), np.isin(x, [1.0, 2.0]), np.interp(2.5, x, y),
    )  # fmt: skip


@cases.add(lambda i: (nmat(3, 4, i),), compiled=False)
def reductions(a):
    return (
        a.sum(), a.mean(axis=0), a.std(), a.var(axis=1), a.max(axis=1), a.argmax(axis=0), a.any(), (a > 1).all(axis=0),
        a.prod(axis=1), np.ptp(a), a.cumsum(axis=1), np.percentile(a, 50), np.linalg.norm(a), a.trace(), np.average(a),
    )  # fmt: skip


@cases.add(lambda i: ([1.0, 2.0 + i], [[1, 2], [3, 4]]))
def from_lists(xs, rows):
    return (
        np.array(xs),
        np.array(rows),
        np.asarray(xs) * 2,
        np.array(rows, dtype=np.float32),
        np.array([xs, xs]),
        np.array(3),
    )


@cases.add(lambda i: (10 + i,), lambda: (3,), compiled=False)
def array_from_dynamic_list(n):
    xs = []
    for k in range(n):
        if k % 3:
            xs.append(k * 0.5)
    return np.array(xs).sum(), np.mean(xs), np.array(xs)


@cases.add(lambda i: (nvec(6, i - 3.0),), lambda: (nvec(6, 50.0),))
def clip_loop(x):
    n = 0
    while x[x > 1].size > 2:
        x = x * 0.5
        n += 1
    return x, n


test_program = cases.test()
