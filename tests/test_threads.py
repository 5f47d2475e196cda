"""Threads that call, compile and deoptimise the same function at once."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import janus_mlir as janus

THREADS = 4


@pytest.fixture(autouse=True)
def switch_often():
    """Let threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def together(work: Callable[[int], None], threads: int = THREADS) -> None:
    """Run `work` in several threads that start at once; raise what any of them raises."""
    barrier = threading.Barrier(threads)
    errors: list[BaseException] = []

    def body(number: int) -> None:
        try:
            barrier.wait(60)
            work(number)
        except BaseException as error:  # handed to the thread of the test
            errors.append(error)

    running = [threading.Thread(target=body, args=(i,)) for i in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join(300)
    assert not any(thread.is_alive() for thread in running), "threads hang"
    if errors:
        raise errors[0]


def test_one_function_compiled_by_all() -> None:
    for _ in range(4):

        @janus.jit(warmup=2)
        def total(x, n):
            return (x * n + 1).sum()

        def work(number: int, total: Any = total) -> None:
            for i in range(40):
                x = np.full(3 + (i + number) % 5, float(i))
                assert total(x, i) == total.function(x, i)

        together(work)
        stats = total.stats
        assert stats.calls == 40 * THREADS
        assert stats.compilations <= 4


def test_dtypes_and_shapes_of_their_own() -> None:
    @janus.jit(warmup=1)
    def total(x):
        return (x * 2).sum(axis=0)

    dtypes = [np.float32, np.float64, np.int32, np.int64]

    def work(number: int) -> None:
        for i in range(60):
            x = np.ones((2 + i % 7, 1 + number), dtypes[number])
            got, expected = total(x), total.function(x)
            assert got.dtype == expected.dtype
            np.testing.assert_array_equal(got, expected)

    together(work)
    assert total.stats.versions <= 2 * THREADS


def test_branches_that_flip() -> None:
    for turn in range(3):

        @janus.jit(warmup=3)
        def chain(x, log):
            s = 0.0
            for i in range(4):
                if x[i] > 0:
                    s = s + x[i]
                    log.append(i)
                else:
                    s = s - 2 * x[i]
                    log.append(-i)
            return s

        def work(number: int, chain: Any = chain, turn: int = turn) -> None:
            random = np.random.default_rng(10 * turn + number)
            for i in range(60):
                x = np.ones(4)
                if i > 10:
                    x[random.integers(4)] = -1.0
                ours: list[int] = []
                plain: list[int] = []
                assert chain(x, ours) == chain.function(x, plain)
                assert ours == plain, "each effect once, in order"

        together(work)


def test_globals_change_meanwhile() -> None:
    space: dict[str, Any] = {"rate": 1.0}

    @janus.jit(warmup=1)
    def scaled(x):
        return x * space["rate"]

    stop = threading.Event()

    def work(number: int) -> None:
        if number == 0:
            for i in range(300):
                space["rate"] = float(i % 3)
            stop.set()
            return
        while not stop.is_set():
            assert scaled(np.ones(2))[0] in (0.0, 1.0, 2.0)

    together(work)


def test_guards_that_fail_within() -> None:
    @janus.jit(warmup=2)
    def divided(x, n):
        y = x * 2
        return y + 1 // n

    def work(number: int) -> None:
        for i in range(80):
            n = i % 5
            if n == 0:
                with pytest.raises(ZeroDivisionError):
                    divided(np.ones(3), n)
            else:
                assert divided(np.ones(3), n)[0] == 2 + 1 // n

    together(work)


def test_a_function_that_is_cleared_while_used() -> None:
    @janus.jit(warmup=1)
    def total(x):
        return (x + 1).sum()

    def work(number: int) -> None:
        for i in range(60):
            x = np.ones(2 + i % 3)
            assert total(x) == x.size * 2
            if number == 0 and i % 10 == 9:
                total.clear_cache()
            if number == 1 and i % 7 == 0:
                str(total.explain())
                assert total.stats.calls > 0

    together(work)


def test_functions_that_call_each_other() -> None:
    @janus.jit(warmup=1)
    def inner(x, k):
        return x * k

    @janus.jit(warmup=1)
    def outer(x, k):
        return inner(x, k) + inner(x, k + 1)

    def work(number: int) -> None:
        for i in range(50):
            x = np.ones(2 + number % 2)
            assert outer(x, i)[0] == 2 * i + 1
            assert inner(x, i)[0] == i

    together(work)


def test_objects_changed_by_all() -> None:
    class Counter:
        def __init__(self) -> None:
            self.total = np.zeros(2)
            self.calls = 0

    @janus.jit(warmup=1)
    def step(counter, x):
        counter.total = counter.total + x
        counter.calls = counter.calls + 1
        return counter.calls

    counters = [Counter() for _ in range(THREADS)]

    def work(number: int) -> None:
        counter = counters[number]
        for i in range(80):
            assert step(counter, np.ones(2)) == i + 1

    together(work)
    for counter in counters:
        assert counter.calls == 80
        np.testing.assert_array_equal(counter.total, [80.0, 80.0])
