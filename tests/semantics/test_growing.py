"""Recursive functions that read and change lists, dicts and sets made by the call, or pass copies of such on."""

from __future__ import annotations

from semantics.oracle import Cases

cases = Cases()


@cases.add(lambda i: (10 + i,), lambda: (0,), lambda: (40,))
def memo_of_an_outer_function(n):
    memo = {}

    def fib(k):
        if k < 2:
            return k
        if k not in memo:
            memo[k] = fib(k - 1) + fib(k - 2)
        return memo[k]

    return fib(n), len(memo)


@cases.add(lambda i: (8 + i,), lambda: (0,), lambda: (50,))
def memo_by_default(n, memo=None):
    if memo is None:
        memo = {}
    if n in memo:
        return memo[n]
    if n <= 1:
        return n
    memo[n] = memo_by_default(n - 1, memo) + memo_by_default(n - 2, memo)
    return memo[n]


class Fibonacci:
    def __init__(self):
        self.memo = {0: 0, 1: 1}
        self.calls = 0

    def at(self, n):
        self.calls += 1
        if n not in self.memo:
            self.memo[n] = self.at(n - 1) + self.at(n - 2)
        return self.memo[n]


@cases.add(lambda i: (8 + i,), lambda: (0,), lambda: (50,))
def memo_in_an_attribute(n):
    f = Fibonacci()
    return f.at(n), f.calls, len(f.memo)


@cases.add(lambda i: (3 + i % 4,), lambda: (0,))
def moves_of_hanoi(n):
    moves = []

    def go(k, a, b, c):
        if k == 0:
            return
        go(k - 1, a, c, b)
        moves.append((a, c))
        go(k - 1, b, a, c)

    go(n, "A", "B", "C")
    return moves


@cases.add(lambda i: ([2, 3, 5], 8 + i), lambda: ([], 3), lambda: ([7], 3))
def ways_to_pay(coins, total):
    def ways(i, left):
        if left == 0:
            return 1
        if left < 0 or i == len(coins):
            return 0
        return ways(i, left - coins[i]) + ways(i + 1, left)

    return ways(0, total)


@cases.add(lambda i: ([4, 1, 7, 3, 9 + i, 2],), lambda: ([],), lambda: ([2.5, 1],))
def sorted_in_place(xs):
    a = list(xs)

    def part(lo, hi):
        p = a[hi]
        i = lo
        for j in range(lo, hi):
            if a[j] < p:
                a[i], a[j] = a[j], a[i]
                i += 1
        a[i], a[hi] = a[hi], a[i]
        return i

    def sort(lo, hi):
        if lo < hi:
            p = part(lo, hi)
            sort(lo, p - 1)
            sort(p + 1, hi)

    sort(0, len(a) - 1)
    return a


@cases.add(lambda i: (4 + i % 2,), lambda: (1,))
def placed_and_taken_back(n):
    cols = [-1] * n
    found = []

    def safe(r, c):
        return all(cols[k] != c and abs(cols[k] - c) != r - k for k in range(r))

    def solve(r):
        if r == n:
            found.append(cols[0])
            return
        for c in range(n):
            if safe(r, c):
                cols[r] = c
                solve(r + 1)
                cols[r] = -1

    solve(0)
    return found


@cases.add(lambda i: (5 + i % 3,), lambda: (0,))
def dict_passed_on(n):
    def go(k, env):
        if k == 0:
            return env.get(1, 0) + len(env)
        return go(k - 1, {**env, k: k * 2})

    return go(n, {})


@cases.add(lambda i: (5 + i % 3,), lambda: (0,))
def set_passed_on_and_changed(n):
    def go(k, seen):
        seen.add(k)
        if k == 0:
            return 0
        more = set(seen)
        return go(k - 1, more) + len(more) + len(seen)

    s = {99}
    return go(n, s), s


test_program = cases.test()
