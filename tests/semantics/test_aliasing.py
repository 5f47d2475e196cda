"""Aliases and effects in awkward places: views, swaps, containers, exits after effects."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

import janus_mlir as janus
from semantics.oracle import Box, Cases, nmat, nvec, vec

cases = Cases()


@cases.add(lambda i: (nmat(3, 3),))
def row_swap_is_a_trap(a):
    a[0], a[1] = a[1], a[0]
    return a


@cases.add(lambda i: (nmat(3, 3),))
def row_swap_done_right(a):
    a[[0, 1]] = a[[1, 0]]
    t = a[2].copy()
    a[2] = a[0]
    a[0] = t
    return a


@cases.add(lambda i: (nvec(6),))
def overlapping_writes(a):
    a[1:] = a[:-1]
    a += a[::-1]
    a[::2] -= a[1::2]
    return a


@cases.add(lambda i: (nmat(4, 4),))
def transposed_writes(a):
    t = a.T
    t[1] = 9
    a[:] = t
    a[0, ::2] = a[::2, 0]
    return a, t[0]


@cases.add(lambda i: (nvec(6), i % 2 == 0))
def view_by_branch(a, first):
    v = a[:3] if first else a[3:]
    v += 10
    return v, a


@cases.add(lambda i: ([1], [2], i % 2 == 0))
def list_by_branch(xs, ys, first):
    zs = xs if first else ys
    zs.append(7)
    return zs is xs, zs, xs, ys


@cases.add(lambda i: (vec(), vec(start=i - 2.0)))
def list_by_tensor(x, y):
    xs = [x]
    ys = [y]
    zs = xs if y[0] > 0 else ys
    zs.append(x * 2)
    return xs, ys


@cases.add(lambda i: (vec(),))
def asarray_is_the_same(x):
    y = jnp.asarray(x)
    return y is x, y, x.astype(jnp.float32) is x


@cases.add(lambda i: (nvec(),))
def numpy_identities(x):
    y = x
    z = x[:]
    w = np.asarray(x)
    return y is x, z is x, w is x, x.T is x, z, w


def _flagged(_):
    m = Box(flag=False, n=0)
    for k in range(6):
        yield m, vec(start=k % 2 - 1.0)
    m.flag = None
    for k in range(6):
        yield m, vec(start=k % 2 - 1.0)


@cases.world(_flagged)
def attribute_in_one_branch(m, x):
    if x[0] >= 0:
        m.flag = True
        m.n += 1
    return m.flag, m.n


@cases.world(_flagged)
def new_attribute_in_one_branch(m, x):
    if x[0] >= 0:
        m.seen = x
    return m.n


TOTAL = 0


def _total(_):
    global TOTAL
    TOTAL = 0
    for k in range(9):
        yield (vec(start=k % 2 - 1.0),)


@cases.world(_total)
def global_in_one_branch(x):
    global TOTAL
    if x[0] >= 0:
        TOTAL += 1
    return x + TOTAL


def _exit_world(_):
    log: list[Any] = []
    m = Box(n=0)
    for _ in range(5):
        yield m, log, nvec(), 3
    yield m, log, nvec(start=-2.0), 3
    yield m, log, nvec(), 3
    yield m, log, nvec(start=-9.0), 3
    for _ in range(6):
        yield m, log, nvec(), 3


@cases.world(_exit_world)
def effects_then_guard(m, log, x, n):
    m.n += 1
    log.append(m.n)
    x[0] += 1
    if x[0] > 0:
        x[1] = 5
    else:
        log.append("negative")
        x[2] = 7
    m.n += 1
    return x


def deep(m, x):
    m.n += 1
    if x[0] < 0:
        m.n += 100
        return x * 0
    return x


@cases.world(_exit_world)
def effects_then_guard_in_callee(m, log, x, n):
    log.append(0)
    y = deep(m, x)
    log.append(1)
    return y


@cases.world(_exit_world)
def raise_inside_loop(m, log, x, n):
    for k in range(n):
        m.n += k
        log.append(k)
        print("at", k)
        x[k] += 1
        if x[k] < -3:
            raise ValueError(f"k={k}")
    return x.sum()


def opaque(x):
    return eval("x.sum()", {}, {"x": x})  # noqa: S307


@cases.world(_exit_world, compiled=False)
def effects_then_break(m, log, x, n):
    x[0] = 50.0
    m.n += 1
    s = opaque(x)
    log.append(s)
    x[1] = s
    return x * 2


@cases.world(_exit_world, compiled=False)
def break_in_loop(m, log, x, n):
    total = 0.0
    for k in range(n):
        x[k] = k
        total += opaque(x)
        log.append(k)
        m.n += 1
    return total, x


@cases.world(_exit_world, compiled=False)
def break_in_callee(m, log, x, n):
    def inner(v):
        m.n += 1
        r = opaque(v)
        m.n += 1
        return r

    log.append(inner(x))
    return inner(x + 1)


@cases.add(lambda i: (vec(), 2.0), compiled=False)
def returns_closure_result(x, k):
    def scale(v):
        return v * k

    fs = {"a": scale}
    return fs["a"](x), [f(x) for f in (scale, lambda v: v + 1)]


@janus.jit
def jitted_helper(x):
    return x * 2 + 1


@cases.add(lambda i: (vec(),), lambda: (vec(6),))
def nested_jit(x):
    return jitted_helper(jitted_helper(x))


@cases.add(lambda i: ({"a": 1.0, "b": [vec()]}, vec()))
def dict_values_mutated(d, x):
    for k in list(d):
        if k == "a":
            d[k] = d[k] + 1
        else:
            d[k].append(x)
    e = dict(d)
    e["c"] = 3
    d.update(z=e["c"])
    del d["a"]
    return d, "c" in d, len(e)


@cases.add(lambda i: (nvec(4), nvec(4, 5.0)))
def tuple_swap(a, b):
    a, b = b, a
    a[0] = -1
    a = a + 1
    a[1] = -2
    return a, b


@cases.add(lambda i: (nvec(4),))
def list_of_views(a):
    vs = [a[k : k + 2] for k in range(3)]
    vs[0][1] = 100
    vs[1] *= 2
    vs[2] = vs[2] + 1
    return vs, a


@cases.add(lambda i: (nvec(5), np.array([0, 0, 2])))
def duplicate_indices(a, idx):
    a[idx] += 1
    a[idx] = np.array([10.0, 20.0, 30.0])
    return a


@cases.add(lambda i: (nmat(3, 4), nvec(4)))
def broadcasting_writes(a, b):
    a[1:] = b
    a[:, 1] = 5
    a[0, 1:3] += b[:2]
    a[..., -1] = a[..., 0]
    a[a > 6] = 0
    return a, a[:, None].shape, a[1:3, ::2]


@cases.add(lambda i: (nmat(3, 4),))
def reshape_view_or_copy(a):
    r = a.reshape(-1)
    r[0] = 99
    t = a.T.reshape(-1)
    t[0] = -99
    f = a[:, 1:3].ravel()
    f[0] = 55
    return a, r, t, f


@cases.add(lambda i: (nvec(4),))
def in_place_methods(a):
    b = a.copy()
    b.fill(2)
    b[1] = 9
    b.sort()
    c = np.sort(b)[::-1]
    return a, b, c


@cases.add(lambda i: (nvec(4, dtype=np.int32), nvec(4)))
def value_conversions(i, f):
    i[0] = 3.9
    i[1:] = f[1:]
    g = f
    g = g * 2
    f[0] = i[1]
    return i, f, g


def _history(_):
    m = Box(hist=[], cur=nvec())
    for k in range(7):
        yield m, float(k)


@cases.world(_history)
def aliased_history(m, k):
    m.cur[0] = k
    m.hist.append(m.cur)
    m.hist.append(m.cur.copy())
    m.cur = m.cur + 1 if k == 3 else m.cur
    return len(m.hist)


class Node:
    def __init__(self, value, left=None, right=None):
        self.value, self.left, self.right = value, left, right


def tree_sum(t):
    if t is None:
        return 0.0
    return t.value + tree_sum(t.left) + tree_sum(t.right)


@cases.add(
    lambda i: (Node(vec(), Node(vec(), Node(vec())), Node(vec())),),
    lambda: (Node(vec(), None, Node(vec())),),
)
def tree_recursion(t):
    return tree_sum(t)


@cases.add(lambda i: (Node(nvec(), Node(nvec())),))
def shared_child(t):
    t.right = t.left
    t.right.value += 1
    t.left.tag = t.right.value
    return t.left is t.right, t.left.value


class Layer:
    def __init__(self, w):
        self.w = w
        self.out = None

    @janus.jit
    def forward(self, x):
        self.out = x * self.w
        return self.out + 1


def _layers(_):
    layers = [Layer(vec()), Layer(vec(start=3.0))]
    for _ in range(6):
        yield layers, vec()


@cases.world(_layers)
def jitted_methods(layers, x):
    for layer in layers:
        x = layer.forward(x)
    return x, layers[0].out


@cases.add(lambda i: (vec(), [0]))
def kwargs_are_copies(x, xs):
    def inner(*args, **kwargs):
        kwargs["n"] = 5
        return args, kwargs

    opts = {"n": 1}
    a, b = inner(x, xs, **opts)
    return opts, a[1] is xs, b, a


@cases.add(lambda i: ({1: "a", "x": 2.0}, True), lambda: ({1: "b"}, 1.0))
def equal_keys(d, k):
    d[k] = "changed"
    return d, d[1], len(d), {1: 2, True: 3}, {1, True, 1.0}


test_program = cases.test()
