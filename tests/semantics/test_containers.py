"""Containers that live outside and change: lists of any length, deques, sets, the dicts of `collections`, sizes."""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from semantics.oracle import WARMUP, Cases

cases = Cases()


def held(make: Callable[[], Any], often: Callable[[int], Any], *odd: tuple[Any, ...]) -> Any:
    """Return a world in which one object is passed to all calls."""

    def world(_: Any) -> Iterator[Any]:
        kept = make()
        for i in range(WARMUP + 6):
            yield kept, *often(i)
        for other in odd:
            yield kept, *other
            yield kept, *often(3)
            yield kept, *other
        for i in range(6):
            yield kept, *often(i)

    return world


@cases.add(lambda i: ([1.0 + k for k in range(3 + i)], 3.0), lambda: ([], 1.0), lambda: ([1.0, 2, True], 1.0))
def numbers_of_any_length(xs, k):
    chosen = [x * 2 for x in xs if x > k]
    return sum(xs), chosen, max(xs, default=None) if not xs else xs[-1], sorted(xs)[:2], len(xs)


@cases.add(lambda i: ([(k, k / 2) for k in range(2 + i)],), lambda: ([(1, 2)],), lambda: ([],))
def pairs_of_any_length(pairs):
    total = 0.0
    for n, x in pairs:
        total += n * x
    return total, [n for n, _ in pairs]


@cases.add(lambda i: ([4 - k for k in range(2 + i % 5)],), lambda: ([2**70, 1],), lambda: (["b", "a"],))
def sorted_in_place(xs):
    for i in range(len(xs)):
        for j in range(len(xs) - 1 - i):
            if xs[j] > xs[j + 1]:
                xs[j], xs[j + 1] = xs[j + 1], xs[j]
    return xs[0]


@cases.world(held(list, lambda i: (float(i),), (1,)))
def kept_to_three(history, v):
    history.append(v)
    if len(history) > 3:
        history.pop(0)
    return sum(history) / len(history)


@cases.world(held(lambda: deque(maxlen=4), lambda i: (float(i),), (3,)))
def window(last, v):
    last.append(v)
    return sum(last) / len(last), last[0], last[-1]


@cases.world(held(lambda: deque([1.0, 2.0, 3.0]), lambda i: (float(i),)))
def rotating(ring, v):
    ring.append(v)
    first = ring.popleft()
    ring.rotate(1)
    return first, max(ring), ring.maxlen


@cases.world(held(lambda: defaultdict(list), lambda i: ("ab"[i % 2], float(i)), ("c", 1.0)))
def grouped(groups, key, v):
    groups[key].append(v)
    return len(groups[key]), groups[key][-1]


@cases.world(held(Counter, lambda i: ((["a", "b", "a"]),), (["c"],)))
def counted(counts, words):
    counts.update(words)
    counts["all"] += len(words)
    return counts["a"], counts["none"], len(counts)


@cases.world(held(OrderedDict, lambda i: (i % 3, float(i)), (9, 1.0)))
def least_recently_used(cache, key, v):
    if key in cache:
        cache.move_to_end(key)
        return cache[key]
    cache[key] = v
    if len(cache) > 3:
        cache.popitem(last=False)
    return v


@cases.world(held(set, lambda i: (i % 3,), (7,)))
def seen_before(seen, key):
    if key in seen:
        return False
    seen.add(key)
    return len(seen)


_WORDS = {"the", "a", "of"}


@cases.add(lambda i: ("the end of it", i), lambda: ("", 1))
def words_of_a_set(text, k):
    return [w for w in text.split() if w not in _WORDS], sorted(_WORDS), k + len(_WORDS)


@cases.add(lambda i: (4 + i,), lambda: (0,), lambda: (1,), lambda: (-1,))
def array_of_run_time_size(n):
    x = np.zeros(n)
    for i in range(n):
        x[i] = i * 0.5
    return x, x.sum(), np.arange(n)


@cases.add(lambda i: ([0.5 * k for k in range(2 + i)],), lambda: ([],), lambda: ([1, 2],))
def array_of_a_list(xs):
    kept = [x for x in xs if x > 0.5]
    return np.array(kept), np.sum(xs), np.sqrt(kept)


@cases.add(lambda i: ([1.0 + k for k in range(2 + i)], float(i)), lambda: ([], 1.0))
def first_above(xs, k):
    return next((x * 2 for x in xs if x > k), None)


test_program = cases.test()
