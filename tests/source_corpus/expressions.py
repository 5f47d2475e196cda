"""Expressions, assignments and their targets."""

# ruff: noqa

from __future__ import annotations

from source_corpus.helpers import Box, Truth, loud


def arithmetic(e, a, b):
    x = e(1, a) + e(2, b) * e(3, 2) - -e(4, a)
    y = (x // 3, x % 3, x**2, x << 1, x >> 1, x & 5, x | 8, x ^ 3, ~x, +x, not x)
    return x, y, 1.5, -2, (1, (2, -3)), "s", None, True


def order_of_locals(e, a, b):
    x = a
    y = (x, (x := b), x)
    z = [x, e(1, x), (x := 5), x]
    return x + (x := 2) * x, y, z, {x: (x := 4), x: x}


def unbound(e, a, b):
    if a:
        x = 1
    return e(1, 2) + x + e(3, 4)


def unbound_first(e, a, b):
    if a:
        x = 1
    return (x, e(1, 2))


def deleted(e, a, b):
    x = a
    del x
    if b:
        x = 3
    e("before", 0)
    return x


def displays(e, a, b):
    return (
        [e(1, 1), *loud(e, "l", [2, 3]), e(4, 4)],
        (*e(5, [5]), *e(6, [6])),
        sorted({e(7, 7), *e(8, [8, 9])}),
        {e("k", 1): e("v", 2), **e("m", {3: 4}), e("k2", 5): e("v2", 6)},
        [*loud(e, "only", [1])],
    )


def subscripts(e, a, b):
    box = Box(e)
    box[e(1, "i")] = e(2, a)
    e(3, box)[e(4, 1) : e(5, 2)] = e(6, 3)
    e(7, box)[e(8, "i")] += e(9, b)
    box.attr = e(10, 1)
    e(11, box).attr += e(12, 2)
    box[1:2, ::3]
    del e(13, box)[e(14, 3)], box[4]
    return box.d["i"], box.attr


def targets(e, a, b):
    box = Box(e)
    x, box[x], (y, *z) = e(1, (1, 2, (3, 4, 5)))
    box[x], x = e(2, (6, 7))
    p = q = box[e(3, 0)] = [x]
    p, p = 1, 2
    a, b = b, a
    *r, s = loud(e, "u", [1, 2, 3])
    [t, u] = "tu"
    return x, y, z, p, q, a, b, r, s, t, u, box.d


def bad_unpack(e, a, b):
    try:
        x, y = loud(e, "u", range(a))
    except ValueError:
        return "value error"
    return x, y


def comparisons(e, a, b):
    t = [
        e(1, a) < e(2, b) <= e(3, 5) != e(4, 6),
        a in [1, 2],
        a not in (1, 2),
        a is None,
        a is not b,
        a == b >= 0,
    ]
    if e(5, a) < e(6, b) < e(7, 10):
        t.append("between")
    if not e(8, a) > e(9, b) > e(10, -10):
        t.append("not")
    return t


def truth(e, a, b):
    T = lambda tag, value: Truth(e, tag, value)
    r = []
    r.append((T(1, a) and T(2, b)).tag)
    r.append((T(3, a) or T(4, b) or T(5, True)).tag)
    if T(6, a) and (T(7, b) or not T(8, a)):
        r.append(1)
    elif not (T(9, a) or T(10, b)):
        r.append(2)
    else:
        r.append(3)
    r.append(not T(11, a))
    r.append(T(12, True) if T(13, a) and T(14, b) else T(15, False))
    if T(16, a) if T(17, b) else T(18, True):
        r.append(4)
    x = T("l", a) < T("m", b) < T("n", True)
    while T(19, a) and len(r) < 12:
        r.append(5)
    return [v.tag if isinstance(v, Truth) else v for v in r], x.tag


def constants(e, a, b):
    if 0:
        e("never", 0)
    while True:
        a += 1
        if a > 5:
            break
    else:
        e("never", 1)
    if 1 and a:
        e("yes", 0)
    return () if __debug__ else 1


def comprehensions(e, a, b):
    x = "outer"
    i = "kept"
    r = [x + str(i) for i in range(a) if e(("if", i), i) % 2 == 0 if i != 4]
    s = {i * j for i in range(a) for j in range(i) if i != j}
    d = {e(("k", k), k): e(("v", k), k * k) for k in loud(e, "d", range(b))}
    n = [[(y := i + j) for j in range(2)] for i in [a, b]]
    m = [x for x in [x for x in range(3)] if x]
    t = [p + q for p, q in zip(range(2), range(2))]
    return r, sorted(s), d, n, m, t, x, i, y


def strings(e, a, b):
    w = 6
    return (
        f"{e(1, a)!r:>{e(2, w)}}|{e(3, b):04d}|{'x'!s}{a}{{}}",
        f"",
        f"{a}",
        f"{e(4, 1.5):.{e(5, 3)}f}",
        "ab",
    )


def walrus(e, a, b):
    if (n := e(1, a)) > 1 and (m := n + 1):
        return n, m
    r = [last := i for i in range(a + 1)]
    return n, last, r


def annotated(e, a, b):
    x: e("never", int) = e(1, a)
    y: int
    box = Box(e)
    box.z: int = e(2, 3)
    e("target", box).w: e("never", 1)
    return x


def augmented(e, a, b):
    x = a
    x += e(1, b)
    y = [1]
    z = y
    y += [2]
    x *= (x := 3)
    return x, y is z, y


def ternaries(e, a, b):
    return (e(1, 1) if a else e(2, 2) if b else e(3, 3)), (a or b), (a and b), (a and b or e(4, 4))


CASES = [
    arithmetic, order_of_locals, unbound, unbound_first, deleted, displays, subscripts, targets,
    bad_unpack, comparisons, truth, constants, comprehensions, strings, walrus, annotated, augmented,
    ternaries,
]  # fmt: skip
