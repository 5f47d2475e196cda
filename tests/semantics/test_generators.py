"""Generator expressions: consumed at once by a builtin, or by code that interleaves with them."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from semantics.oracle import Box, Cases, mat, nvec, vec

cases = Cases()


@cases.add(lambda i: (mat(), [1.0, 2.0, 1.0 * i]), lambda: (mat(4, 4), [2.0]))
def consumed_by_builtins(m, ws):
    total = sum(r.sum() for r in m)
    big = max(w * 2 for w in ws)
    ok = all(w > 0 for w in ws)
    some = any(w > 1.5 for w in ws)
    pairs = dict((str(k), w) for k, w in enumerate(ws))
    text = ", ".join(f"{w:.1f}" for w in ws)
    return total, big, ok, some, pairs, text, list(w + 1 for w in ws), tuple(r for r in m)


@cases.add(lambda i: (nvec(6), 2 + i % 3))
def nested_and_filtered(x, k):
    a = sum(i * j for i in range(4) for j in range(i) if (i + j) % k)
    b = list(x[i] * k for i in range(6) if i != k)
    return a, b, sum((v for v in b), 10.0)


@cases.add(lambda i: (vec(), 3), compiled=False)
def lives_on(x, k):
    g = (x * j for j in range(k))
    k = 100
    first = next(g)
    return first, list(g), k


def _effects(_):
    m = Box(n=0, log=[])
    for k in range(6):
        yield m, [1, 2, k]


def noted(m: Any, v: Any) -> Any:
    m.n += 1
    return v > 1


@cases.world(_effects, compiled=False)
def effects_with_short_circuit(m, vs):
    return any(noted(m, v) for v in vs), m.n


@cases.add(lambda i: ([4.0, 2.0, 1.0 + i],), lambda: ([1.0, 0.0, 3.0],), lambda: ([0.0, 1.0],))
def error_behind_the_end(vs):
    return any(1 / v > 0.4 for v in vs)


@cases.add(lambda i: (mat(), vec()))
def closes_over(m, x):
    scale = 2.0
    ys = [sum(a * b * scale for a, b in zip(r, x, strict=True)) for r in m]
    scale = 3.0
    return jnp.stack(ys), scale


@cases.add(lambda i: (6 + i,), lambda: (0,), lambda: (1,))
def differences_of_closure(n):
    def squares():
        for i in range(n):
            yield i * i

    out = []
    before = None
    for square in squares():
        if before is not None:
            out.append(square - before)
        before = square
    return out


def averages():
    total, n = 0.0, 0
    while True:
        x = yield total / n if n else 0.0
        total += x
        n += 1


def steps(n):
    i = 0
    while i < n:
        more = yield i
        i += 1 if more is None else more
    return 10 * n


@cases.add(lambda i: ([1.0, 2.0 + i], 8 + i), lambda: ([], 0), lambda: ([1], 1), lambda: ([1.0], 2.5))
def sent_values(xs, n):
    mean = averages()
    next(mean)
    means = [mean.send(x) for x in xs]
    mean.close()
    walk = steps(n)
    seen = [next(walk, -1)]
    try:
        while True:
            seen.append(walk.send(2))
    except StopIteration as stop:
        seen.append(stop.value)
    fresh = steps(3)
    try:
        fresh.send(1)
    except TypeError as error:
        seen.append(str(error))
    return means, seen, next(mean, None), next(walk, None)


@cases.add(lambda i: (9 + i,), lambda: (0,), lambda: (30,))
def questioned_by_generator(n):
    found = []
    for k in range(2, n):
        if all(k % p for p in found):
            found.append(k)
    return found, any(p > 20 for p in found)


def _summed(n):
    total = 0
    for k in range(n):
        yield k
        total += k
    return total


def _delegates(n):
    a = yield from _summed(n)
    yield a
    b = (yield from _summed(2)) or 5
    yield b
    c = yield from [1, 2]
    assert c is None
    return a + b


def _delegates_again(n):
    yield (yield from _delegates(n))


@cases.add(lambda i: (3 + i % 3,), lambda: (0,))
def values_of_delegation(n):
    return list(_delegates(n)), sum(_delegates_again(n))


class _Countdown:
    def __init__(self, n):
        self.n = n

    def __iter__(self):
        return self

    def __next__(self):
        if self.n <= 0:
            raise StopIteration
        self.n -= 1
        return self.n


@cases.add(lambda i: (4 + i,))
def counted_with_an_iterator_of_a_class(n):
    found = dict(enumerate(_Countdown(2)))
    for k, v in enumerate(_Countdown(3)):
        found[k] = v + n
    return found


test_program = cases.test()
