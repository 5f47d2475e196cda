"""Decisions of the policy, one fact at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import janus_mlir as janus
from janus_mlir import policy
from janus_mlir.capture.boundary.sources import Argument, Source
from janus_mlir.capture.speculation import Speculation
from janus_mlir.locations import Span
from janus_mlir.profile.data import BranchCounts
from janus_mlir.profile.history import History
from janus_mlir.profile.lattice import Knowledge, Level, join, knowledge_of

N = Argument(0, "n")
X = Argument(1, "x")
SPAN = Span("f.py", 1, 0, 1, 4)
F32, F64 = np.dtype(np.float32), np.dtype(np.float64)


def history(*calls: Any) -> History:
    made = History()
    for call in calls:
        for value in call if isinstance(call, list) else [call]:
            made.see(value)
        made.end_call()
    return made


# ---- the lattice


@pytest.mark.parametrize(
    ("a", "b", "level", "text"),
    [
        (3, 3, Level.VALUE, "3"),
        (3, 4, Level.TYPE, "int"),
        (1, True, Level.NOTHING, "anything"),
        (1, 1.0, Level.NOTHING, "anything"),
        ("a", "b", Level.TYPE, "str"),
        (None, None, Level.VALUE, "None"),
        (None, np.ones(2), Level.NOTHING, "anything"),
        (np.ones((2, 3)), np.zeros((2, 3)), Level.STATIC_SHAPE, "float64[2, 3]"),
        (np.ones((2, 3)), np.ones((4, 3)), Level.DYNAMIC_SHAPE, "float64[?, 3]"),
        (np.ones((2, 3)), np.ones((2, 5)), Level.DYNAMIC_SHAPE, "float64[2, ?]"),
        (np.ones((2, 3)), np.ones(3), Level.TYPE, "ndarray"),
        (np.ones(3), np.ones(3, np.float32), Level.TYPE, "ndarray"),
        ([], [1], Level.TYPE, "list"),
    ],
)
def test_join_takes_one_step(a: Any, b: Any, level: Level, text: str) -> None:
    for x, y in ((a, b), (b, a)):
        joined = join(knowledge_of(x), knowledge_of(y))
        assert (joined.level, str(joined)) == (level, text)
        # What covers both covers each of them, and joining again changes nothing.
        assert join(joined, knowledge_of(x)) == join(joined, knowledge_of(y)) == joined


def test_join_is_associative_and_only_goes_down() -> None:
    values = [1, 2, True, None, "a", np.ones(2), np.ones(3), np.ones((2, 2)), np.ones(2, np.int32), []]
    known = [knowledge_of(v) for v in values]
    for a in known:
        for b in known:
            assert join(a, b).level >= max(a.level, b.level)
            for c in known:
                assert join(join(a, b), c) == join(a, join(b, c))


def test_long_texts_are_not_kept() -> None:
    assert knowledge_of("x" * 1000) == Knowledge(Level.TYPE, str)


# ---- histories


def test_what_varies_between_calls() -> None:
    assert not history(1, 1, 1).varies
    assert history(1, 1, 2).varies
    assert not history([1, 2, 3], [1, 2, 3]).varies, (
        "several objects at one place, each the same in each call"
    )
    assert history([1, 2], [1, 4]).varies
    assert history(3, 4, 3).repeats and not history(3, 4, 5).repeats
    assert history(np.ones((2, 3)), np.ones((4, 3))).varying_axes == {0}
    assert (
        history([np.ones((2, 3)), np.ones((3, 4))], [np.ones((2, 3)), np.ones((3, 4))]).varying_axes == set()
    )
    assert history(np.ones(2), np.ones((2, 2))).varying_axes == set()


# ---- numbers


def test_floats_are_inputs_unless_needed() -> None:
    facts = Speculation()
    assert not policy.number_is_constant(facts, N, 1.0, None)
    facts.constant.add(N)
    assert policy.number_is_constant(facts, N, 1.0, None)


@pytest.mark.parametrize(
    ("seen", "constant"), [((5, 5), True), ((5, 6), False), ((5, "a"), True), ((True, False), True)]
)
def test_ints_are_constants_unless_seen_to_vary(seen: tuple[Any, ...], constant: bool) -> None:
    facts = Speculation()
    assert policy.number_is_constant(facts, N, 5, history(*seen)) is constant
    assert (N in facts.dynamic) is not constant


def test_arguments_are_learned_from_warm_up_only() -> None:
    facts = Speculation()
    policy.learn_argument(facts, N, history(1, 2, 1), warm=False)
    assert N not in facts.dynamic and N in facts.repeating
    policy.learn_argument(facts, N, history(1, 2), warm=True)
    policy.learn_argument(facts, X, history(np.ones((2, 3)), np.ones((5, 3))), warm=True)
    assert N in facts.dynamic and facts.extents == {(X, 0)}


# ---- relaxing


def relax(
    facts: Speculation, kind: str, source: Source, got: Any, *, expected: Any = None, shapes: Any = ()
) -> bool:
    return policy.relax(facts, kind, source, expected, got, iter(shapes))


def test_a_number_becomes_an_input_once() -> None:
    facts = Speculation()
    assert relax(facts, "value", N, 4) and facts.dynamic == {N}
    assert not relax(facts, "value", N, 5)
    assert not relax(Speculation(constant={N}), "value", N, 4)
    assert not relax(Speculation(), "value", N, "text")


def test_one_extent_at_a_time() -> None:
    facts = Speculation()
    assert relax(facts, "array", X, np.ones((7, 3)), shapes=[(F64, (2, 3))])
    assert facts.extents == {(X, 0)}
    assert relax(facts, "array", X, np.ones((7, 9)), shapes=[(F64, ("d0", 3))])
    assert facts.extents == {(X, 0), (X, 1)}
    assert not relax(facts, "array", X, np.ones((8, 9)), shapes=[(F64, ("d0", "d1"))])


def test_dtype_and_rank_are_never_relaxed() -> None:
    facts = Speculation()
    assert not relax(facts, "array", X, np.ones(3), shapes=[(F32, (2,)), (F64, (2, 3))])
    assert facts == Speculation()
    assert not relax(Speculation(fixed={(X, 0)}), "array", X, np.ones(3), shapes=[(F64, (2,))])


def test_functions_are_relaxed_to_their_code() -> None:
    def make(k: int) -> Any:
        return lambda: k

    facts = Speculation()
    assert relax(facts, "identity", N, make(2), expected=make(1)) and facts.by_code == {N}
    assert not relax(facts, "identity", N, make(2), expected=make(1))
    assert not relax(Speculation(), "identity", N, len, expected=make(1))
    assert not relax(Speculation(by_object={N}), "identity", N, make(2), expected=make(1))


def test_candidates_assume_more_one_after_the_other() -> None:
    facts = Speculation(dynamic={N}, repeating={N}, extents={(X, 0)})
    first, sizes, second, third = policy.candidates(facts)
    assert first is facts
    assert sizes.sizes == {N}
    assert second.fixed == {(X, 0)} and not second.extents and not second.constant
    assert third.constant == {N}
    assert list(policy.candidates(Speculation())) == [Speculation()]


# ---- branches and loops


@pytest.mark.parametrize(
    ("taken", "missed", "plan"),
    [
        (0, 0, "BOTH"),
        (5, 5, "BOTH"),
        (5, 0, "LIKELY_TRUE"),
        (0, 5, "LIKELY_FALSE"),
        (policy.PRUNE_AFTER, 0, "ONLY_TRUE"),
        (0, policy.PRUNE_AFTER, "ONLY_FALSE"),
        (10_000, 1, "BOTH"),
    ],
)
def test_branches(taken: int, missed: int, plan: str) -> None:
    counts = BranchCounts(taken, missed)
    assert policy.branch_plan(Speculation(), SPAN, counts).name == plan
    assert policy.branch_plan(Speculation(both={SPAN}), SPAN, counts) is policy.Side.BOTH
    assert policy.branch_plan(Speculation(prune=False), SPAN, counts) is policy.Side.BOTH
    assert policy.branch_plan(Speculation(), SPAN, None) is policy.Side.BOTH


def test_unrolling() -> None:
    facts = Speculation(unroll_limit=8)
    assert policy.may_unroll(facts, 0, 8, counted=True)
    assert not policy.may_unroll(facts, 0, 9, counted=True)
    assert not policy.may_unroll(facts, 0, None, counted=True)
    assert policy.may_unroll(facts, 8, None, counted=False)
    assert not policy.may_unroll(facts, 9, None, counted=False)


# ---- versions


def test_pauses_double() -> None:
    work = policy.Compilations()
    pauses = []
    for _ in range(janus.config.max_versions + 3):
        work.count(100)
        pauses.append(max(work.resume_at - 100, 0))
    first = policy.FIRST_PAUSE
    assert pauses == [0] * (janus.config.max_versions - 1) + [first, 2 * first, 4 * first, 8 * first]
    assert work.pausing(100) and not work.pausing(100 + 8 * first)


def test_suspensions_grow_and_end() -> None:
    work = policy.Compilations()
    spans = []
    while work.suspend(0):
        spans.append(work.resume_at)
    first = policy.FIRST_SUSPENSION
    assert spans == [first, 4 * first, 16 * first, 64 * first][: policy.MAX_SUSPENSIONS]


def test_a_series_of_flips_ends_pruning() -> None:
    work, facts = policy.Compilations(), Speculation()
    for line in range(policy.MAX_FLIPS):
        assert facts.prune
        work.flip(facts, Span("f.py", line, 0, line, 4))
    assert not facts.prune and len(facts.both) == policy.MAX_FLIPS


def test_which_version_makes_room() -> None:
    assert policy.least_useful({1: 10, 2: 5, 3: 7}, {1: 10, 2: 5, 3: 6}) == 2
    assert policy.least_useful({1: 10, 2: 5}, {1: 9, 2: 4}) is None
    assert policy.least_useful({1: 10}, {}) is None
    assert policy.pointless({1: 1, 2: 1, 3: 50}) and not policy.pointless({1: 1, 2: 9, 3: 50})


def test_settling() -> None:
    fact = policy.Settled()
    assert not fact.look(3) and fact.look(4)
    for _ in range(policy.STABLE_LOOKS - 1):
        assert not fact.stable
        fact.look(4)
    assert fact.stable
    fact.look(np.ones(3))
    assert not fact.stable
