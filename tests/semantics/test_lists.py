"""Lists: of constant and run-time length, sliced, sorted, aliased; stacks, queues and work lists."""

from __future__ import annotations

import numpy as np

from semantics.oracle import Box, Cases, nvec, vec

cases = Cases()


# ---- length known at run time only -----------------------------------------------------------------


@cases.add(lambda i: (nvec(6, i - 3.0),), lambda: (nvec(6, 100.0),), lambda: (nvec(6, -100.0),))
def conditional_append(x):
    xs = []
    if x.sum() > 0:
        xs.append(1.0)
    xs.append(2.0)
    return xs, len(xs)


@cases.add(lambda i: (10 + i % 3,), lambda: (40,), lambda: (0,))
def collect_in_loop(n):
    xs = []
    for i in range(n):
        if i % 3 == 0:
            xs.append(i * i)
    return xs


@cases.add(lambda i: (nvec(8, i - 4.0),), lambda: (nvec(8, 10.0),))
def filtered_comprehension(x):
    return [v for v in x if v > 0], [float(v) * 2 for v in x if v < 2]


@cases.add(lambda i: (1.0 + i % 4, 50.0), lambda: (0.5, 1e6), lambda: (60.0, 50.0))
def accumulate_until(x, limit):
    trace = []
    while x < limit:
        trace.append(x)
        x = x * 1.5 + 1.0
    return trace, len(trace), x


@cases.add(lambda i: (6 + i % 3,), lambda: (27,), lambda: (1,))
def collatz(n):
    steps = [n]
    while n != 1:
        n = n // 2 if n % 2 == 0 else 3 * n + 1
        steps.append(n)
    return steps, max(steps), sum(steps)


@cases.add(lambda i: (20 + i,), lambda: (50,), lambda: (3,))
def sieve_by_trial(n):
    primes = []
    for k in range(2, n):
        good = True
        for p in primes:
            if p * p > k:
                break
            if k % p == 0:
                good = False
                break
        if good:
            primes.append(k)
    return primes


@cases.add(lambda i: (5 + i % 2,), lambda: (9,), lambda: (0,))
def stack_of_numbers(n):
    stack = [n]
    seen = 0
    while stack:
        k = stack.pop()
        seen += 1
        if k > 1:
            stack.append(k - 1)
            stack.append(k - 2)
    return seen


@cases.add(lambda i: (4 + i % 2,), lambda: (7,))
def queue_by_index(n):
    queue = [(0, 0)]
    total = 0
    head = 0
    while head < len(queue):
        depth, value = queue[head]
        head += 1
        total += value * (depth + 1)
        if depth < n:
            queue.append((depth + 1, value + 1))
            if value % 2 == 0:
                queue.append((depth + 1, value * 2))
    return total, len(queue)


@cases.add(lambda i: (nvec(5, i - 2.0), 3), lambda: (nvec(5, 9.0), 3))
def arrays_in_list(x, n):
    parts = []
    for k in range(n):
        y = x * (k + 1)
        if y.sum() > 4:
            parts.append(y)
    total = np.zeros(5)
    for p in parts:
        total += p
    return total, len(parts)


@cases.add(lambda i: (vec(3, i - 2.0), 4 + i % 2), lambda: (vec(3, -50.0), 4), compiled=False)
def jax_arrays_in_list(x, n):
    out = []
    for k in range(n):
        x = x + k
        if x[0] > 1:
            out.append(x)
    return out


@cases.add(lambda i: ([3, 1, 2 + i], 2), lambda: ([], 1), lambda: ([5, 5, 5, 5, 5], 9))
def append_to_argument(xs, n):
    for k in range(n):
        if k % 2 == 0:
            xs.append(k)
    return len(xs)


@cases.add(lambda i: (Box(log=[]), 3.0 + i), lambda: (Box(log=[1.0]), -3.0))
def append_to_attribute(model, x):
    while x > 1:
        model.log.append(x)
        x = x / 2
    return x


@cases.add(lambda i: (10 + i,), lambda: (2,))
def list_ops_on_dynamic(n):
    xs = [k for k in range(n) if k % 2]
    ys = [k * 1.5 for k in xs]
    ys[0] = -1.0
    last = xs[-1]
    total = sum(xs) + len(ys)
    return xs, ys, last, total, min(xs), max(ys)


@cases.add(lambda i: (10 + i,))
def slices_of_dynamic(n):
    xs = []
    for k in range(n):
        if k % 4 != 1:
            xs.append(k)
    return xs[:3], xs[-2:], xs[::-1], xs[1:-1], xs + [1], xs * 2


@cases.add(lambda i: (nvec(7, i % 3 - 3.0),))
def positive_negative_split(x):
    pos, neg = [], []
    for v in x:
        (pos if v >= 0 else neg).append(float(v))
    return pos, neg


@cases.add(lambda i: (12 + i % 5,), lambda: (0,))
def binary_digits(n):
    digits = []
    while n > 0:
        digits.append(n % 2)
        n //= 2
    digits.reverse()
    return digits


@cases.add(lambda i: ([4 + i, 2, 9, 1],), lambda: ([1, 2, 3, 4],))
def bubble_sort(xs):
    xs = list(xs)
    n = len(xs)
    for i in range(n):
        for j in range(n - i - 1):
            if xs[j] > xs[j + 1]:
                xs[j], xs[j + 1] = xs[j + 1], xs[j]
    return xs


@cases.add(lambda i: (10 + i, 3), lambda: (30, 7))
def fibonacci_table(n, m):
    f = [0, 1]
    for k in range(2, n):
        f.append((f[k - 1] + f[k - 2]) % 1000)
    return f[n - 1], f[m], len(f)


@cases.add(lambda i: (9 + i,), lambda: (20,))
def window_queue(n):
    window = []
    best = 0
    for k in range(n):
        window.append((k * 7) % 11)
        if len(window) > 3:
            window.pop(0)
        s = 0
        for w in window:
            s += w
        if s > best:
            best = s
    return best, window


# ---- length known ----------------------------------------------------------------------------------


@cases.add(lambda i: ([1, 2, 3 + i],), lambda: ([1, 2, 3, 4],))
def methods(xs):
    ys = xs.copy()
    ys.append(4)
    ys.extend([5, 6])
    ys.insert(1, 9)
    ys.reverse()
    a = ys.pop()
    b = ys.pop(0)
    ys.remove(9)
    return xs, ys, a, b, ys.index(5), ys.count(4), len(ys)


@cases.add(lambda i: ([1, 2, 3, 4, 5 + i, 6],))
def slicing(xs):
    return xs[1:3], xs[::-1], xs[::2], xs[-1:0:-2], xs[:-2], xs[10:], xs[-3:-1], xs[4:1:-1]


@cases.add(lambda i: ([1, 2, 3, 4, 5 + i, 6],))
def slice_assignment(xs):
    xs[1:3] = [7, 8, 9]
    xs[-1:] = []
    xs[:0] = [0]
    del xs[2]
    del xs[::3]
    ys = xs
    ys[::2] = [5] * len(ys[::2])
    return xs, ys is xs


@cases.add(lambda i: (3 + i, 1.5))
def sorting(n, f):
    xs = [n, 2, 7, -1]
    ys = sorted(xs)
    zs = sorted(xs, reverse=True)
    xs.sort()
    ws = sorted([f, 0.5, 2.5 * n], key=lambda v: -v)
    return xs, ys, zs, ws, sorted([3, 1, 2]), sorted("hello"), sorted(xs, key=abs)


@cases.add(lambda i: ([(2, 0.5 + i), (1, 3.0), (2, 0.25)],))
def sort_pairs(pairs):
    pairs.sort(key=lambda p: p[1])
    first = pairs[0]
    pairs.sort()
    return pairs, first


@cases.add(lambda i: (i, 2.0 * i))
def nested(n, f):
    grid = [[0] * 3 for _ in range(2)]
    grid[0][1] = n
    grid[1][2] += f
    row = grid[0]
    row[2] = 5
    same = [[0] * 2] * 2
    same[0][0] = n
    return grid, row is grid[0], same, same[0] is same[1]


class Holder:
    def __init__(self, d):
        self.d = d


@cases.add(lambda i: ([1, i], 2))
def aliases(xs, n):
    ys = xs
    d = {"xs": xs}
    b = Holder(d)
    b.d["xs"].append(n)
    ys[0] += 10
    return xs[0], xs is b.d["xs"], len(d["xs"])


@cases.add(lambda i: ([1, 2, 3], i))
def comparisons(xs, n):
    ys = [1, 2, n]
    return xs == ys, xs < ys, xs != ys, n in xs, 7 not in ys, [n] == [n], (1, n) < (1, 2), xs <= [1, 2, 3]


@cases.add(lambda i: ([[1, 2], [3, 4 + i]],))
def unpacking(rows):
    (a, b), (c, d) = rows
    first, *rest = [a, b, c, d]
    *init, last = rest
    return a + d, first, rest, init, last, [*rows[0], *rows[1]], list(zip(*rows))


@cases.add(lambda i: (4, i))
def list_multiplication(n, v):
    zeros = [0] * n
    zeros[v % 4] = v
    ones = [1.0] * 3 + [2.0]
    return zeros, ones, [v] * 2


@cases.add(lambda i: (i % 5, 1.5 * i), lambda: (9, 0.0), lambda: (-5, 0.0))
def set_at_run_time_index(k, v):
    xs = [0.0, 1.0, 2.0, 3.0, 4.0]
    xs[k] = v
    xs[-1] += 1
    return xs, xs[k]


@cases.add(lambda i: (nvec(5, i),))
def list_of_scalars(x):
    xs = list(x)
    ys = x.tolist()
    return xs, ys, sum(xs), sum(ys), max(ys), [v + 1 for v in xs]


@cases.add(lambda i: ([3, 1, 2 + i],))
def any_all(xs):
    return any(v > 4 for v in xs), all(v > 0 for v in xs), any([]), all([]), any(xs), sum(v * v for v in xs)


@cases.add(lambda i: ([3, 1, 2 + i], [1.0, 2.0, 3.5]))
def min_max_key(xs, fs):
    return (
        min(xs, key=lambda v: -v),
        max(zip(xs, fs), key=lambda p: p[0])[1],
        max([], default=n0(xs)),
        min(enumerate(fs), key=lambda p: -p[1])[0],
        max(range(3), key=lambda j: fs[j]),
    )


def n0(xs):
    return xs[0]


DEFAULTS = []


def _default_container(_):
    DEFAULTS.clear()
    for i in range(8):
        yield (i,)


@cases.world(_default_container)
def global_list(n):
    DEFAULTS.append(n)
    return len(DEFAULTS), DEFAULTS[-1], sum(DEFAULTS[-2:])


@cases.add(lambda i: (i,), compiled=False)
def default_list(n, acc=[]):  # noqa: B006
    acc.append(n)
    if len(acc) > 4:
        acc.clear()
    return len(acc), list(acc)


@cases.add(lambda i: (6 + i, [2, 3]), lambda: (3, [5]))
def counting_down(n, xs):
    xs = list(xs)
    while len(xs) < 6:
        xs.append(xs[-1] + n)
    while len(xs) > 2:
        xs.pop()
    return xs


@cases.add(
    lambda i: ([1, 2, 2, 3 + i],),
    lambda: ([],),
    lambda: ([1.0, True],),
    lambda: ([2.5, 1.0, 3.0],),
    lambda: ([True],),
)
def kinds_of_items(xs):
    return len(set(xs)), sum(xs), [x * 2 for x in xs], sorted(xs, key=lambda x: (x % 2, -x))


@cases.add(
    lambda i: ([1, 2, 3, 4, 5, i], 2),
    lambda: ([], 1),
    lambda: ([1, 2, 3], -1),
    lambda: ([1.5, 2.5], 1),
    lambda: ([[1], [2]], 1),
    lambda: (["a", "b"], 1),
)
def spliced(xs, k):
    ys = list(xs)
    ys[k:] = [7, 8, 9]
    ys[1:k] = ys
    zs = list(xs)
    del zs[:k]
    zs[-k:k] = (1, 2)
    xs[:] = xs[-k:] + xs[:-k]
    del xs[k : k + 1]
    return ys, zs, xs, len(zs)


@cases.add(lambda i: ([5], 40 + i), lambda: ([], 0), lambda: ([1, 2], 3))
def measured_while_it_grows(log, n):
    total = 0
    for i in range(n):
        total += len(log)
        if i % 2:
            log.append(i)
    if n % 3:
        log.append(n)
    size = len(log)
    log.append(-1)
    return total, size, len(log)


@cases.add(lambda i: ([9, 8, 7], i % 3), lambda: ([], 1), lambda: ([1], -1), lambda: ([1, 2, 3, 4], 1))
def deleted_at(outer, k):
    xs = [1, 2, 3, 4]
    del xs[k]
    try:
        del outer[k]
    except IndexError as error:
        return xs, str(error)
    return xs, outer, "-" * k + "ab" * len(outer) + chr(97 + k) * k


test_program = cases.test()
