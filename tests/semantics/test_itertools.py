"""``itertools``, ``functools``, ``heapq``, ``bisect``, ``copy`` and the builtins that take iterators."""

from __future__ import annotations

import bisect
import copy
import functools
import heapq
import itertools
import operator

from semantics.oracle import Box, Cases, nvec, vec

cases = Cases()


@cases.add(lambda i: ([1, 2 + i], [3.0]))
def chains(a, b):
    return (
        list(itertools.chain(a, b)),
        list(itertools.chain.from_iterable([a, b, a])),
        sum(itertools.chain(a, b)),
    )


@cases.add(lambda i: ([1, 2 + i], [3, 4, 5]))
def products(a, b):
    total = 0
    for x, y in itertools.product(a, b):
        total += x * y
    return (
        total,
        list(itertools.product([0, 1], repeat=2)),
        list(itertools.combinations(b, 2)),
        list(itertools.permutations(a)),
    )


@cases.add(lambda i: ([1, 2 + i, 3],))
def accumulating(a):
    return (
        list(itertools.accumulate(a)),
        list(itertools.accumulate(a, operator.mul)),
        list(itertools.accumulate(a, max, initial=0)),
    )


@cases.add(lambda i: ([1, 2 + i, 3, 4],))
def slicing(a):
    return (
        list(itertools.islice(a, 2)), list(itertools.islice(itertools.count(5, 2), 3)), list(itertools.repeat(a[1], 2)),
        list(itertools.islice(itertools.cycle(a), 6)), list(itertools.takewhile(lambda v: v < 3, [1, 2, 5, 1])),
        list(itertools.zip_longest(a, [1], fillvalue=0)), list(itertools.pairwise(a)), list(itertools.starmap(pow, [(2, 3)])),
        list(itertools.compress(a, [1, 0, 1, 0])), list(itertools.dropwhile(lambda v: v < 3, [1, 2, 5, 1])),
    )  # fmt: skip


@cases.add(lambda i: ([3 + i, 1, 2],))
def grouped(xs):
    return (
        [(k, list(g)) for k, g in itertools.groupby("aabbb")],
        list(itertools.batched([1, 2, 3], 2)) if hasattr(itertools, "batched") else 0,
        xs,
    )


@cases.add(lambda i: ([1, 2 + i, 3],))
def reducing(a):
    return (
        functools.reduce(lambda x, y: x * y, a),
        functools.reduce(operator.add, a, 10.0),
        functools.reduce(max, a),
    )


@cases.add(lambda i: (2 + i, 1.5))
def partials(n, f):
    double = functools.partial(operator.mul, 2)
    add = functools.partial(lambda a, b, c=0: a + b + c, n, c=1)
    return double(n), add(f), list(map(double, [1, n]))


@cases.add(lambda i: ([5, 3, 8],))
def heaps(xs):
    heap = []
    for x in xs:
        heapq.heappush(heap, x)
    a = heapq.heappop(heap)
    return a, heap, heapq.nsmallest(2, xs), heapq.nlargest(1, xs)


@cases.add(lambda i: ([5 + i, 3, 8],))
def heap_of_run_time(xs):
    heap = list(xs)
    heapq.heapify(heap)
    out = []
    while heap:
        out.append(heapq.heappop(heap))
    return out


@cases.add(lambda i: ([1, 3, 5], 2 + i % 3), lambda: ([1, 3, 5], 99))
def bisections(xs, x):
    return bisect.bisect_left([1, 3, 5], 3), bisect.bisect(xs, x)


@cases.add(lambda i: ([1, 3, 5, 7, 9, 11], 2 + i % 3), lambda: ([1, 3, 5, 7, 9, 11], 99))
def binary_search(xs, x):
    lo, hi = 0, len(xs)
    while lo < hi:
        mid = (lo + hi) // 2
        if xs[mid] < x:
            lo = mid + 1
        else:
            hi = mid
    return lo


@cases.add(lambda i: ([1, [2, i]], {"a": [i]}, nvec(3, i)))
def copies(xs, d, x):
    a = copy.copy(xs)
    b = copy.deepcopy(xs)
    c = copy.deepcopy(d)
    a[1].append(9)
    b[1].append(8)
    c["a"][0] = 7
    y = copy.copy(x)
    y[0] = 5
    return a, b, c, y, a[1] is xs[1], list(d), dict(d), xs[:]


@cases.add(lambda i: (Box(a=[1], b=nvec(2, i)),))
def copied_object(m):
    n = copy.copy(m)
    n.a.append(2)
    n.b = n.b + 1
    o = copy.deepcopy(m)
    o.a.append(3)
    return n.a is m.a, len(m.a), n.b, m.b, o.a


@cases.add(lambda i: ([1, 2 + i, 3], [4.0, 5.0, 6.0]))
def zips(a, b):
    out = []
    for k, (x, y) in enumerate(zip(a, b), start=1):
        out.append(k * x * y)
    pairs = dict(zip("abc", a))
    return out, pairs, list(zip(a, b, strict=True)), list(reversed(a)), list(map(lambda x, y: x + y, a, b))


@cases.add(lambda i: ([1, -2 + i, 3],))
def filters(a):
    return list(filter(lambda v: v > 0, a)), list(filter(None, [0, 1, 2])), len(list(filter(None, a)))


@cases.add(lambda i: ([1, 2 + i, 3],))
def iterators(a):
    it = iter(a)
    first = next(it)
    rest = list(it)
    done = next(it, None)
    e = enumerate(rest)
    return first, rest, done, next(e), list(e), next(iter([]), 5)


@cases.add(lambda i: ([1, 2 + i, 3, 4],), compiled=False)
def generator_in_a_variable(a):
    squares = (v * v for v in a)
    total = sum(squares)
    return total


@cases.add(lambda i: ([1, 2 + i, 3, 4],))
def generators(a):
    return (
        list(v for v in a if v != 3),
        max(v for v in a),
        tuple(v + 1 for v in a),
        dict((v, v) for v in (1, 2)),
    )


@cases.add(lambda i: (3 + i, nvec(4, i)))
def sums(n, x):
    return (
        sum([x, x]),
        sum([[1], [n]], []),
        sum((0.5, n)),
        sum(range(n)),
        sum(x > 2),
        sum(v for v in x),
        sum(range(1, n, 2)),
    )


@cases.add(lambda i: (4 + i,), lambda: (0,))
def ranges(n):
    r = range(2, n, 2)
    return (
        len(range(n)),
        list(range(4))[::-1],
        3 in range(5),
        sum(range(n)),
        [k for k in range(3)],
        range(5)[2],
        list(reversed(range(3))),
        len(r),
    )


@cases.add(lambda i: (vec(3, i), [vec(3), vec(3, 2.0)]))
def trees(x, ys):
    total = x
    for a, b in zip(ys, reversed(ys)):
        total = total + a * b
    return total, [y.sum() for y in ys], functools.reduce(operator.add, ys)


@cases.add(lambda i: (operator.itemgetter(1), [1, i]))
def operators(getter, xs):
    return (
        operator.itemgetter(0)(xs), operator.attrgetter("real")(xs[1]), operator.add(1, xs[1]), operator.neg(xs[1]),
        operator.truth(xs), operator.contains(xs, 1), operator.getitem(xs, 0), sorted([(1, 2), (0, 5)], key=operator.itemgetter(1)),
    )  # fmt: skip


@functools.cache
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


@cases.add(lambda i: (10, 2.0 + i), compiled=False)
def cached_function(n, f):
    return fib(n) * f


@cases.add(lambda i: (3 + i,), lambda: (0,), lambda: (-3,), lambda: (2.5,))
def shared_iterators(k):
    one, two, three = (iter([1, 2, 3, k, 5, 6]) for _ in range(3))
    pairs = list(zip(one, one))
    first = list(zip(two, [0]))
    sums = list(map(lambda a, b: a + b, three, three))
    return pairs, first, list(two), sums, list(one), list(zip(*[iter([1, k, 2, k])] * 2))


@cases.add(lambda i: (3 + i,), lambda: (0,), lambda: (2,), compiled=False)
def left_in_the_middle(k):
    one, two = iter([1, 2, k, 4, 5]), iter([0, 0, k, 4, 5])
    found = 2 in one, k in one, any(two)
    seen = []
    late = any(seen.append(x) or x > k for x in [1, 5, 7])
    return found, list(one), list(two), late, seen


test_program = cases.test()
