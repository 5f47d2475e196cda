"""Control flow of every kind: loops with else, early returns, short circuit, walrus, unpacking, del."""

from __future__ import annotations

from typing import Any

from semantics.oracle import Box, Cases, nmat, nvec

cases = Cases()


@cases.add(lambda i: (10, 3), lambda: (10, 20), lambda: (0, 1))
def for_else(n, stop):
    for k in range(n):
        if k == stop:
            r = k * 10
            break
    else:
        r = -1
    return r


@cases.add(lambda i: (20.0 + i,), lambda: (0.5,), lambda: (1e9,))
def while_else(x):
    steps = 0
    while x > 1.0:
        x /= 2
        steps += 1
        if steps > 20:
            break
    else:
        return steps, x
    return -steps, x


@cases.add(lambda i: (6, 1.0 * i), lambda: (3, 2.0), lambda: (0, 0.0))
def nested_returns(n, x):
    for i in range(n):
        for j in range(i):
            if i * j == 8:
                return "found", i, j
            if j > x + 4:
                break
        else:
            continue
        return "broke", i
    return "none"


@cases.add(lambda i: ([1.0, -2.0, 3.0 + i, 100.0, 5.0],), lambda: ([],), lambda: ([-1.0],))
def break_and_continue(xs):
    total = 0.0
    for x in xs:
        if x < 0:
            continue
        if x > 50:
            break
        total += x
    return total


class Noisy:
    def __init__(self, log: list[Any]) -> None:
        self.log = log

    def say(self, name: str, value: Any) -> Any:
        self.log.append(name)
        return value


@cases.add(lambda i: (Noisy([]), i % 2, 1), lambda: (Noisy([]), 0, 0), lambda: (Noisy([]), "", "x"))
def short_circuit(noisy, a, b):
    r = noisy.say("a", a) and noisy.say("b", b)
    s = noisy.say("c", a) or noisy.say("d", b)
    t = not noisy.say("e", a)
    u = noisy.say("f", a) if noisy.say("g", b) else noisy.say("h", 3)
    return r, s, t, u, noisy.log


@cases.add(lambda i: (Noisy([]), i, 5), lambda: (Noisy([]), 9, 5), lambda: (Noisy([]), -1.5, 5))
def chained_comparison(noisy, x, high):
    inside = 0 <= noisy.say("x", x) < noisy.say("high", high) != 3
    return inside, 1 < x <= 4 or x == high


@cases.add(lambda i: ([3, 1, 4 + i, 1, 5],), lambda: ([],), compiled=False)
def walrus(xs):
    if (n := len(xs)) > 2:
        big = [y for x in xs if (y := x * 2) > 4]
        return n, big, y
    return n


@cases.add(lambda i: ((1.0 * i, [2.0, (3.0, 4.0)]),))
def unpacks(t):
    a, [b, (c, d)] = t
    (x, *mid), y = [a, b, c], d
    x, y = y, x
    first, *_, last = range(5)
    return a + b + c + d, x, mid, y, first + last


@cases.add(lambda i: ({"a": 1.0 + i, "b": 2.0}, [1, 2, 3]))
def deletes(d, xs):
    y = d["a"] * 2
    del d["b"], xs[0]
    z = y
    del y
    return z, d, xs


@cases.add(lambda i: (5.0, 3), lambda: (5.0, 0))
def unbound_local(x, n):
    for _ in range(n):
        y = x * 2
    try:
        return y
    except UnboundLocalError:
        return "unbound"


@cases.add(lambda i: ([[1, 2], [3, 4 + i]],), lambda: ([],), compiled=False)
def nested_comprehensions(rows):
    flat = [x for row in rows for x in row if x % 2]
    table = {f"{i}": [j * x for j, x in enumerate(row)] for i, row in enumerate(rows)}
    transposed = [[row[k] for row in rows] for k in range(len(rows))]
    unique = {x % 3 for row in rows for x in row}
    return flat, table, transposed, len(unique)


GLOBAL_COUNT = 0
TRACE: list[str] = []


def _counts(_: Any) -> Any:
    global GLOBAL_COUNT
    GLOBAL_COUNT = 0
    for k in range(9):
        yield (k % 3, 1.0)


@cases.world(_counts)
def global_counter(k, x):
    global GLOBAL_COUNT
    GLOBAL_COUNT += k
    if GLOBAL_COUNT > 5:
        GLOBAL_COUNT = 0
    return GLOBAL_COUNT * x


@cases.add(lambda i: (3.0 + i,), lambda: (-1.0,), lambda: (0.0,))
def early_returns(x):
    if x < 0:
        return "negative"
    if x == 0:
        return None
    y = x * 2
    if y > 1e6:
        return y, "huge"
    return y


@cases.add(lambda i: (2, 1.0 + i), lambda: (7, 1.0), lambda: (-3, 1.0))
def state_machine(n, x):
    state = "start"
    log = []
    while state != "end":
        log.append(state)
        if state == "start":
            state = "work" if n > 0 else "end"
        elif state == "work":
            x = x * 1.5
            n -= 1
            state = "check"
        else:
            state = "end" if n == 0 else "work"
    return x, len(log)


@cases.add(lambda i: (8.0 + i, 0.001), lambda: (2.0, 1.0))
def newton(x, eps):
    guess = x / 2
    while abs(guess * guess - x) > eps:
        guess = (guess + x / guess) / 2
    return guess


@cases.add(lambda i: (27 + i,), lambda: (1,), lambda: (97,))
def collatz(n):
    steps = 0
    while n != 1:
        n = n // 2 if n % 2 == 0 else 3 * n + 1
        steps += 1
    return steps


@cases.add(lambda i: (nvec(6, float(i)),), lambda: (nvec(6, -20.0),))
def kind_by_data(x):
    s = x.sum()
    if s > 10:
        kind = "large"
    elif s > 0:
        kind = "small"
    else:
        kind = "negative"
    return kind, s


@cases.add(lambda i: (1.0 * i,), lambda: (-3.0,))
def none_or_number(x):
    found = None
    if x > 2:
        found = x * 2
    if found is None:
        return "nothing"
    return found + 1


@cases.add(lambda i: ([1.0, 5.0, 3.0 + i],), lambda: ([],), lambda: ([-1.0],))
def best_so_far(xs):
    best = None
    where = -1
    for i, x in enumerate(xs):
        if x > 0 and (best is None or x > best):
            best, where = x, i
    return best, where


@cases.add(lambda i: (5.0 + i, "a"), lambda: (-5.0, "b"))
def label_in_text(x, name):
    label = "up" if x > 0 else "down"
    print(f"{name}: {label}")
    return {"label": label, "text": label + "!"}


@cases.add(lambda i: (4.0 + i,), lambda: (-4.0,))
def chooses_function(x):
    f = abs if x < 0 else float
    g = (lambda v: v + 1) if x > 5 else (lambda v: v - 1)
    return f(x), g(x)


@cases.add(lambda i: (1.5 + i, 2), lambda: (-1.5, 3))
def int_or_float(x, n):
    y = 0
    if x > 0:
        y = x
    for k in range(n):
        y = y + k
    return y


@cases.add(lambda i: (nmat(3, 4, float(i)), 0.5), lambda: (nmat(3, 4, -9.0), 0.5))
def rows_with_state(m, k):
    out = []
    mode = "grow"
    for row in m:
        if mode == "grow":
            out.append(row.sum() * k)
            if out[-1] > 5:
                mode = "shrink"
        else:
            out.append(row.min())
            mode = "grow"
    return out, mode


@cases.add(lambda i: (6,), lambda: (0,), lambda: (13,))
def fibonacci(n):
    a, b = 0, 1
    for _ in range(n):
        a, b = b, a + b
    return a


@cases.add(lambda i: ([5, 3, 8 + i, 1],), lambda: ([2, 1],), lambda: ([],), compiled=False)
def bubble_sort(xs):
    xs = list(xs)
    n = len(xs)
    for i in range(n):
        swapped = False
        for j in range(n - 1 - i):
            if xs[j] > xs[j + 1]:
                xs[j], xs[j + 1] = xs[j + 1], xs[j]
                swapped = True
        if not swapped:
            break
    return xs


@cases.add(lambda i: (12 + i,), lambda: (7,), lambda: (1,), compiled=False)
def primes(n):
    found = []
    k = 2
    while k <= n:
        for p in found:
            if k % p == 0:
                break
        else:
            found.append(k)
        k += 1
    return found


def gen_evens(n):
    k = 0
    while True:
        if k >= n:
            return
        if k % 2 == 0:
            yield k
        k += 1


def gen_nested(xs):
    yield 0.0
    yield from xs
    for x in xs:
        yield x * 2


@cases.add(lambda i: (9,), lambda: (0,), lambda: (4,))
def consumes_generator(n):
    total = 0
    for v in gen_evens(n):
        if v == 6:
            break
        total += v
    return total, list(gen_evens(5)), sum(gen_evens(n))


@cases.add(lambda i: ([1.0 * i, 2.0],), lambda: ([],), compiled=False)
def generator_pipeline(xs):
    def running(it):
        total = 0.0
        for v in it:
            total += v
            yield total

    pairs = [(i, v) for i, v in enumerate(running(gen_nested(xs)))]
    first = next(gen_nested(xs))
    it = gen_nested(xs)
    a = next(it)
    return pairs, first, a, list(it), max(zip(gen_nested(xs), [3, 2], strict=False))


@cases.add(lambda i: (Box(n=0), 3), lambda: (Box(n=0), 0))
def generator_with_effects(box, k):
    def ticks():
        for j in range(4):
            box.n += 1
            yield j

    found = any(j >= k for j in ticks())
    return found, box.n


@cases.add(lambda i: (20 + i, 3 + i % 3), lambda: (0, 1), lambda: (5, -2), lambda: (5, 0))
def range_with_steps_of_the_run_time(n, k):
    back = 0
    try:
        for j in reversed(range(0, n, k)):
            back = back * 2 + j
    except ValueError as error:
        return str(error)
    return list(range(0, n, k)), back, len(range(n, -n, -k))


test_program = cases.test()
