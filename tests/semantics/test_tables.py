"""Dicts and sets whose keys are only known at run time."""

from __future__ import annotations

import collections
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np

from semantics.oracle import WARMUP, Cases

cases = Cases()


@cases.add(lambda i: ([1, 2, 3, 2, 1 + i % 4],), lambda: ([],), lambda: ([1, True, 2],))
def counts(xs: list[int]) -> Any:
    found: dict[int, int] = {}
    for x in xs:
        found[x] = found.get(x, 0) + 1
    return found, len(found), 2 in found, [k for k in found], max(found.values(), default=0)


@cases.add(lambda i: (60 + i,), lambda: (1,), lambda: (97,))
def factors(n: int) -> Any:
    found: dict[int, int] = {}
    d = 2
    while d * d <= n:
        while n % d == 0:
            found[d] = found.get(d, 0) + 1
            n //= d
        d += 1
    if n > 1:
        found[n] = found.get(n, 0) + 1
    return found, {**found, 0: 0}


@cases.add(
    lambda i: ([(i % 3, 1.5), (2, 0.5), (i % 3, 1.0)],), lambda: ([],), lambda: ([(7, 1.0), (8, 2.0)],)
)
def totals(pairs: list[tuple[int, float]]) -> Any:
    found: dict[int, float] = defaultdict(float)
    for key, value in pairs:
        found[key] += value
    del found[pairs[0][0]]
    return found, dict(found) == found


@cases.add(lambda i: ([3, 1, 3, i % 5],), lambda: ([],), lambda: ([2, 2, 2, 2, 2],))
def distinct(xs: list[int]) -> Any:
    seen: set[int] = set()
    kept = []
    for x in xs:
        if x not in seen:
            seen.add(x)
            kept.append(x)
    return kept, len(seen), seen == set(xs), 3 in seen


@cases.add(lambda i: ({1, 2}, i % 4), lambda: ({1, 2}, 99))
def combined(xs: set[int], y: int) -> Any:
    others = {y}
    return len(xs | others), xs <= others, sorted(xs & others)


@cases.add(lambda i: ([1.5, 2.5, 0.5 * i],), lambda: ([float("nan"), float("nan")],))
def floats_as_keys(xs: list[float]) -> Any:
    return {x: k for k, x in enumerate(xs)}


@cases.add(lambda i: (4 + i % 3, 3), lambda: (1, 1))
def tuples_as_keys(rows: int, columns: int) -> int:
    paths = {}
    for r in range(rows):
        for c in range(columns):
            paths[r, c] = 1 if r == 0 or c == 0 else paths[r - 1, c] + paths[r, c - 1]
    return paths[rows - 1, columns - 1]


@cases.add(lambda i: ({1: "a", 2: "b"}, 1 + i % 2), lambda: ({1: "a"}, 5))
def missing(names: dict[int, str], key: int) -> str:
    try:
        return names[key]
    except KeyError as error:
        return str(error)


@cases.add(lambda i: ([4, 2, 4, i % 3],), lambda: ([],))
def commonest(xs: list[int]) -> Any:
    found = Counter(xs)
    found.update(xs[:1])
    found.subtract([2, 3])
    return found.most_common(1), found[99], found.total()


@cases.add(lambda i: (np.array([0, 1, 1, i % 2]),), lambda: (np.array([5]),))
def scalars_as_keys(xs: Any) -> Any:
    found = {}
    for x in xs:
        found[x] = found.get(x, 0) + 1
    return found


@cases.add(lambda i: ([1, 2, i],), lambda: ([],))
def grows_while_iterated(xs: list[int]) -> Any:
    found = {x: 0 for x in xs}
    try:
        for key in found:
            if key == 1:
                found[100] = 1
    except RuntimeError as error:
        return str(error)
    return found


def _memo_world(f: Any) -> Iterator[Any]:
    memo: dict[int, int] = {}
    for i in range(WARMUP + 14):
        yield memo, i % 3
    for key in (50, 51, 50):
        yield memo, key
    for i in range(4):
        yield memo, i % 3


@cases.world(_memo_world)
def remembered(memo: dict[int, int], key: int) -> int:
    if key not in memo:
        memo[key] = key * key
    return memo[key]


@cases.add(lambda i: ("aab", 3 + i), lambda: ("aab", 0), lambda: ("", 1), lambda: ("ab", 1.5))
def counters(text: str, k: int) -> Any:
    a, b = collections.Counter(text), collections.Counter("abbbc")
    c = collections.Counter({"a": k, "z": 0})
    return (
        a | b,
        a & b,
        a - b,
        (a + b).most_common(2),
        a == b,
        c == collections.Counter(a=k),
        list(c.elements()),
    )


@cases.add(lambda i: ([1, 1, i], 3), lambda: ([], 1), lambda: ([3, 3], 3), compiled=False)
def counters_of_run_time(xs: list[Any], k: int) -> Any:
    a, b = collections.Counter(xs), collections.Counter([k, 1])
    return a | b, a == b


@cases.add(lambda i: (3 + i,), lambda: (0,))
def ordered(k: int) -> Any:
    x, y = collections.OrderedDict(a=1, b=k), collections.OrderedDict(b=k, a=1)
    counts = collections.Counter("ab")
    del counts["missing"]
    return x == y, x == {"b": k, "a": 1}, x != y, x | {"c": 2}, {"c": k} | x, counts


@cases.add(lambda i: (3 + i,), lambda: (0,))
def made_by_default(k: int) -> Any:
    found = collections.defaultdict(list)
    found[k].append(1)
    sizes = []
    for items in found.values():
        sizes.append(len(items))
    return found == {k: [1]}, sizes


@cases.add(lambda i: ([[0, 0, 1], [1, 0, 0], [0, 0, i % 2]],), lambda: ([[0, 1, 0], [1, 0, 1], [0, 1, 0]],))
def maze(grid: list[list[int]]) -> Any:
    n, m = len(grid), len(grid[0])
    queue = collections.deque([(0, 0, 0)])
    seen = {(0, 0)}
    while queue:
        r, c, d = queue.popleft()
        if (r, c) == (n - 1, m - 1):
            return d
        for dr, dc in ((0, 1), (1, 0), (0, -1), (-1, 0)):
            y, x = r + dr, c + dc
            if 0 <= y < n and 0 <= x < m and not grid[y][x] and (y, x) not in seen:
                seen.add((y, x))
                queue.append((y, x, d + 1))
    return -1


test_program = cases.test()
