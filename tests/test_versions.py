"""Calls that vary end in few versions and a state that changes no more."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import janus_mlir as janus
from janus_mlir import policy


@pytest.fixture(autouse=True)
def no_stress():
    """These tests count versions and deopts."""
    with janus.config(stress=None):
        yield


def drive(function: Any, arguments: Callable[[int], tuple[Any, ...]], calls: int = 120) -> Any:
    """Call a function, compare with Python, and return what the second half of the calls added to its counters."""
    plain = function.function
    half = None
    for i in range(calls):
        args = arguments(i)
        expected, got = plain(*args), function(*args)
        np.testing.assert_allclose(got, expected)
        assert type(got) is type(expected)
        if i == calls // 2:
            half = function.stats
    assert half is not None
    end = function.stats
    names = ("calls", "compiled_calls", "deopts", "guard_failures", "compilations")
    return {name: getattr(end, name) - getattr(half, name) for name in names}


def settles(
    function: Any,
    arguments: Callable[[int], tuple[Any, ...]],
    *,
    versions: int,
    compilations: int,
    calls: int = 120,
) -> None:
    late = drive(function, arguments, calls)
    stats = function.stats
    assert (stats.versions, stats.compilations) == (versions, compilations), str(function.explain())
    assert (late["deopts"], late["guard_failures"], late["compilations"]) == (0, 0, 0)
    assert late["compiled_calls"] == late["calls"]


RANDOM = random.Random(7)
RATE = 1.0
COUNT = 0
MODE = "double"


def test_batch_sizes() -> None:
    @janus.jit
    def rows(x, w):
        y = x @ w
        return (y * y).sum(axis=1)

    w = np.ones((5, 3))
    settles(rows, lambda i: (np.ones((RANDOM.randint(1, 64), 5)), w), versions=1, compilations=1)


def test_a_size_that_changes_after_warm_up() -> None:
    @janus.jit
    def total(x):
        return (x * 2).sum()

    settles(total, lambda i: (np.ones(4 if i < 10 else 5 + i % 20),), versions=1, compilations=2)


def test_dtypes_have_a_version_each() -> None:
    @janus.jit
    def total(x):
        return (x * 2 + x).sum()

    dtypes = [np.float32, np.float64, np.int32]
    settles(total, lambda i: (np.ones(7, dtypes[i % 3]),), versions=3, compilations=3)


def test_ranks_have_a_version_each() -> None:
    @janus.jit
    def total(x):
        return (x * 2).sum()

    settles(total, lambda i: (np.ones((2,) * (1 + i % 3)),), versions=3, compilations=3)


def test_none_or_array() -> None:
    @janus.jit
    def masked(x, mask=None):
        if mask is not None:
            x = x * mask
        return x.sum()

    settles(masked, lambda i: (np.ones(4), None if i % 2 else np.ones(4)), versions=2, compilations=2)


def test_int_that_counts() -> None:
    @janus.jit
    def scaled(x, t):
        return x * (t + 1)

    settles(scaled, lambda i: (np.ones(4), i), versions=1, compilations=1)


def test_int_that_starts_to_count_after_warm_up() -> None:
    @janus.jit
    def scaled(x, t):
        return x * (t + 1)

    settles(scaled, lambda i: (np.ones(4), max(i - 9, 0)), versions=1, compilations=2)


def test_float_that_changes_each_call() -> None:
    @janus.jit
    def step(x, rate):
        return x - rate * x

    settles(step, lambda i: (np.ones(4), 1.0 / (i + 1)), versions=1, compilations=1)


def test_flag_that_toggles() -> None:
    @janus.jit
    def step(x, double):
        if double:
            x = x * 2
        return x + 1

    settles(step, lambda i: (np.ones(4), bool(i % 2)), versions=1, compilations=1)


def test_lists_of_few_lengths() -> None:
    @janus.jit
    def total(xs):
        s = np.zeros(3)
        for x in xs:
            s = s + x
        return s

    settles(total, lambda i: ([np.ones(3)] * (1 + i % 4),), versions=4, compilations=4)


def test_lists_of_any_length_stay_bounded() -> None:
    @janus.jit
    def total(xs):
        s = np.zeros(3)
        for x in xs:
            s = s + x
        return s

    late = drive(total, lambda i: ([np.ones(3) for _ in range(1 + RANDOM.randrange(40))],), 200)
    assert total.stats.versions <= janus.config.max_versions
    assert (late["deopts"], late["compilations"]) == (0, 0)


def test_texts_that_never_repeat_end_in_one_version() -> None:
    @janus.jit
    def size(x, text):
        return x * len(text)

    late = drive(size, lambda i: (np.ones(3), "s" * i), 200)
    assert size.stats.compilations <= janus.config.max_versions
    assert (late["deopts"], late["compilations"]) == (0, 0)
    assert size.stats.versions <= 2 and late["compiled_calls"] > 0


def test_a_branch_that_flips_when_no_more_versions_are_made() -> None:
    @janus.jit
    def size(x, change):
        y = x.sum()
        if y > 0:
            y = change(y)
        else:
            y = np.float64(0.0)
        return y

    changes = [
        np.sin,
        np.cos,
        np.tan,
        np.exp,
        np.sqrt,
        np.log,
        np.tanh,
        np.square,
        np.floor,
        np.ceil,
        np.rint,
        np.sinh,
    ]
    for _ in range(40):
        drive(size, lambda i: (np.ones(3), changes[i % 12]), 24)
    assert "JN601" in str(size.explain())
    drive(size, lambda i: (np.ones(3) * (1 - 2 * (i % 2)), changes[i % 4]), 400)
    before = size.stats
    late = drive(size, lambda i: (np.ones(3) * (1 - 2 * (i % 2)), changes[i % 4]), 40)
    assert late["deopts"] == 0 and size.stats.versions >= 1
    assert size.stats.compiled_calls > before.compiled_calls


def test_a_branch_that_flips_flips_in_all_versions() -> None:
    @janus.jit
    def scaled(x, n):
        rows = x if n < 6 else np.concatenate([x, x])
        return rows.sum() + len(x)

    few, many = np.ones(3), np.ones((2, 3))
    drive(scaled, lambda i: (many if i % 4 else few, i % 4), 12)
    drive(scaled, lambda i: (few, 9), 4)
    late = drive(scaled, lambda i: (many if i % 4 else few, 4 + i % 4), 40)
    assert late["deopts"] == 0 and late["compiled_calls"] == late["calls"], scaled.explain()


def test_closures_made_anew_share_a_version() -> None:
    @janus.jit
    def apply(x, f):
        return f(x) + 1

    def times(k):
        return lambda v: v * k

    settles(apply, lambda i: (np.ones(3), times(i)), versions=1, compilations=3)


def test_a_function_known_by_code_is_still_itself() -> None:
    @janus.jit
    def apply(x, f, g):
        return (f(x), g(x), f is g, f.__name__)

    def times(k):
        def scaled(v):
            return v * k

        return scaled

    for i in range(12):
        f = times(float(i))
        g = f if i % 3 == 0 else times(2.0)
        f.__name__ = f"by{i % 2}"
        a, b, same, name = apply(np.ones(2), f, g)
        assert (a[0], b[0], same, name) == (i, i if i % 3 == 0 else 2.0, f is g, f"by{i % 2}")


def test_closures_that_share_a_variable() -> None:
    def pair():
        n = 0

        def bump():
            nonlocal n
            n += 1
            return n

        return bump, lambda: n

    @janus.jit
    def twice(bump, read):
        bump()
        first = read()
        bump()
        return first, read()

    for _ in range(12):
        bump, read = pair()
        assert twice(bump, read) == (1, 2)
        assert twice(bump, read) == (3, 4)


class Model:
    """A hundred of these share a version."""

    def __init__(self, scale: float) -> None:
        self.w = np.ones(4) * scale
        self.scale = scale
        self.steps = int(scale)

    @janus.jit
    def forward(self, x):
        return (x * self.w + self.scale).sum() + self.steps


def test_instances_share_versions() -> None:
    models = [Model(float(i)) for i in range(100)]
    x = np.ones(4)
    for _ in range(3):
        for model in models:
            assert model.forward(x) == (x * model.w + model.scale).sum() + model.steps
    stats = Model.forward.stats
    assert (stats.versions, stats.compilations, stats.deopts) == (1, 1, 0)


def test_globals_that_are_reassigned() -> None:
    @janus.jit
    def step(x):
        return x * RATE + COUNT

    def arguments(i: int) -> tuple[Any, ...]:
        global RATE, COUNT
        RATE, COUNT = 1.0 + i, i
        return (np.ones(3),)

    settles(step, arguments, versions=1, compilations=1)


def test_global_that_alternates() -> None:
    @janus.jit
    def step(x):
        return x * 2 if MODE == "double" else x

    def arguments(i: int) -> tuple[Any, ...]:
        global MODE
        MODE = ("double", "plain")[i % 2]
        return (np.ones(3),)

    settles(step, arguments, versions=2, compilations=2)


def test_attribute_that_varies_is_seen_in_warm_up() -> None:
    class Config:
        step = 0

    @janus.jit
    def scaled(x, state):
        return x * state.step

    state = Config()

    def arguments(i: int) -> tuple[Any, ...]:
        state.step = i
        return (np.ones(3), state)

    settles(scaled, arguments, versions=1, compilations=1)


def test_branches_that_flip_one_after_the_other() -> None:
    @janus.jit
    def chain(x):
        s = 0.0
        for i in range(8):
            if x[i] > 0:
                s = s + x[i]
            else:
                s = s - 2 * x[i]
        return s

    def arguments(i: int) -> tuple[Any, ...]:
        x = np.ones(8)
        if i > 10:
            x[min((i - 10) // 4, 7)] = -1
        return (x,)

    drive(chain, arguments, 120)
    assert chain.stats.compilations <= 2 + policy.MAX_FLIPS
    late = drive(chain, arguments, 40)
    assert (late["deopts"], late["compilations"]) == (0, 0)


def test_function_without_source_runs_in_python() -> None:
    space: dict[str, Any] = {}
    exec("def f(x):\n    return x + 1", space)
    jitted = janus.jit(space["f"])
    assert [jitted(i) for i in range(8)] == list(range(1, 9))
    assert "JN101" in str(jitted.explain())


def test_settled_size_is_specialised_anew() -> None:
    @janus.jit
    def total(x):
        return (x * 2 + 1).sum()

    def arguments(i: int) -> tuple[Any, ...]:
        return (np.ones(5 if i == 6 else 32),)

    drive(total, arguments, 40)
    assert total.stats.compilations == 2
    drive(total, lambda i: (np.ones(32),), policy.SAMPLE_EVERY * policy.STABLE_LOOKS + 60)
    assert (total.stats.versions, total.stats.compilations) == (2, 3)
    special = total.versions[0]
    before = special.hits
    late = drive(total, lambda i: (np.ones(32),), 20)
    assert special.hits == before + 20
    assert (late["guard_failures"], late["deopts"]) == (0, 0)
    # Another odd call is served by the general version, without a guard failure that anybody has to handle.
    late = drive(total, lambda i: (np.ones(7),), 20)
    assert (late["compiled_calls"], late["compilations"]) == (late["calls"], 0)
    # It is in front from then on, until the size has settled once more.
    drive(total, lambda i: (np.ones(32),), 8 * policy.SAMPLE_EVERY * policy.STABLE_LOOKS + 200)
    assert total.versions[0] is special
    assert total.stats.compilations == 3


def weigh(items: Any) -> int:
    t = 0
    for x in items:
        t = (t * 3 + x) % 1000
    return t


def weigh_rows(rows: Any) -> int:
    return weigh([weigh(row) for row in rows])


def weigh_values(items: dict[str, int]) -> int:
    return weigh(items.values())


def digits(count: int, below: int = 10) -> list[int]:
    return [RANDOM.randrange(below) for _ in range(count)]


@pytest.mark.parametrize(
    ("function", "make", "versions", "compilations"),
    [
        (weigh, lambda: digits(12), 1, 2),
        (weigh, lambda: tuple(digits(12)), 1, 2),
        (weigh, lambda: [d > 4 for d in digits(8)], 2, 3),
        (weigh, lambda: digits(1 + RANDOM.randrange(9)), 1, 2),
        (weigh_rows, lambda: [digits(4) for _ in range(5)], 1, 3),
        (weigh_values, lambda: dict(zip("abcdefgh", digits(8), strict=True)), 1, 2),
    ],
    ids=["list", "tuple", "flags", "length", "rows", "dict"],
)
def test_items_that_all_vary(
    function: Callable[[Any], int], make: Callable[[], Any], versions: int, compilations: int
) -> None:
    settles(janus.jit(function), lambda i: (make(),), versions=versions, compilations=compilations)


def test_arguments_that_begin_to_vary_together() -> None:
    @janus.jit
    def mix(a: int, b: int, c: int, d: int) -> int:
        return a + 2 * b - 3 * c * d

    settles(mix, lambda i: tuple(digits(4)) if i > 4 else (1, 2, 3, 4), versions=1, compilations=2)
