"""Lists in lists, and in dicts, of run-time length: rows of pools, whatever names they have."""

from __future__ import annotations

import collections
from collections.abc import Iterator
from typing import Any

from semantics.oracle import WARMUP, Cases

cases = Cases()


@cases.add(lambda i: (5 + i, 4), lambda: (0, 3), lambda: (1, 1), lambda: (3, 80))
def table(n: int, m: int) -> Any:
    grid = [[0] * m for _ in range(n)]
    for i in range(n):
        for j in range(m):
            grid[i][j] = i * j + (grid[i - 1][j] if i else 1)
    return grid, sum(map(sum, grid))


@cases.add(lambda i: (12 + i,), lambda: (0,), lambda: (220,))
def names_of_one(n: int) -> Any:
    out: list[list[int]] = [[] for _ in range(3)]
    last = None
    met = 0
    for k in range(n):
        row = out[(k * 7 + 1) % 3]
        row.append(k)
        if last is row:
            met += 1
        row[0] += met
        last = row if k % 2 else out[0]
    return out, last, out[0] is last, met


@cases.add(lambda i: (8 + i,), lambda: (0,), lambda: (40,))
def adjacency(n: int) -> Any:
    near: dict[int, list[int]] = {}
    for k in range(n):
        a, b = k % 4, (k * 3 + 1) % 5
        near.setdefault(a, []).append(b)
        if b not in near:
            near[b] = []
        near[b].append(a)
    groups = collections.defaultdict(list)
    for key, found in near.items():
        groups[len(found) % 2].append(key)
    return near, groups, max(near.values(), key=len, default=[])


@cases.add(lambda i: (5 + i,), lambda: (0,), lambda: (1,), lambda: (20,))
def pascal(n: int) -> Any:
    rows = [[1]]
    for _ in range(n):
        before = rows[-1]
        rows.append([1] + [before[i] + before[i + 1] for i in range(len(before) - 1)] + [1])
    return rows[-1], sum(rows[n // 2]), rows


def _kinds(_: Any) -> Iterator[Any]:
    for i in range(WARMUP + 4):
        yield 6 + i, 1
    yield 6, 1.5  # an item of another kind
    yield 6, "x"
    for i in range(6):
        yield 6 + i, 1


@cases.world(_kinds)
def items_of_kinds(n: int, item: Any) -> Any:
    rows: list[list[Any]] = []
    for k in range(n):
        rows.append([k])
        rows[k // 2].append(item)
    rows[0], rows[-1] = rows[-1], rows[0]
    rows[1].reverse()
    del rows[2]
    rows.insert(1, rows[0])
    rows[1].extend(rows[0])
    return rows, rows[0] == rows[1], rows[0] is rows[1], [len(row) for row in rows]


test_program = cases.test()
