"""What to assume, and when to assume less: every decision of speculation stands here.

Capture asks about one fact at a time: is this number a constant or an input, is this extent static or
symbolic, are both sides of this branch compiled, is this loop unrolled. The answers follow the profile and the
facts that failed guards have taught, which `Speculation` holds. Each fact starts at the top of the lattice of
`janus_mlir.profile.lattice` (value, static shape, partly dynamic shape, type) and moves down one step
when a guard on it fails, or when warm-up calls have shown that it varies:

| fact | first | then |
|---|---|---|
| float from outside | run-time input | (constant where an array function needs its value) |
| int, bool | constant, guarded | run-time input; again a constant, one version per value, where capture cannot do without |
| extent of an array | static, guarded | symbolic; again static, one version per size, where capture cannot do without |
| function | this object | any function of the same code, with its closure read at each call |
| branch | the side taken, if always the same one | both sides |
| text, None, class, dtype, rank, structure | guarded | another version |

What the manager of a function's versions asks is at the end: which version is dropped, when the next
compilation is tried, when the function is left alone. Whatever happens, it ends in a state that changes no more.
"""

from __future__ import annotations

import collections
import enum
import types
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from janus_mlir.capture.boundary.sources import Argument, Attribute, Copied, Index, Key
from janus_mlir.capture.dynamic import columns
from janus_mlir.capture.jax.values import is_jax_callable
from janus_mlir.config import config
from janus_mlir.profile.lattice import ARRAYS, Level, join, knowledge_of

if TYPE_CHECKING:
    from janus_mlir.capture.boundary.sources import Source
    from janus_mlir.capture.speculation import Speculation
    from janus_mlir.locations import Span
    from janus_mlir.profile.data import BranchCounts, Trips
    from janus_mlir.profile.history import History

__all__ = [
    "Compilations", "Settled", "Side", "arrays_kept_for_guard", "branch_plan",
    "candidates", "extent_is_symbolic", "function_by_code", "give_more_room",
    "learn_overflow",
    "last_resort", "learn_argument", "least_useful", "leaves_too_often", "length_varies", "may_inline", "may_look_again",
    "may_peel", "may_step",
    "may_unroll", "moves_along",
    "number_is_constant", "pointless", "python_is_as_good", "relax", "text_varies", "too_long", "too_many_branches",
]  # fmt: skip

# ---- constant, static, dynamic ---------------------------------------------------------------------


def number_is_constant(facts: Speculation, source: Source, value: Any, history: History | None) -> bool:
    """Whether a number (or truth value) from outside is a constant of the version, not an input."""
    if source in facts.constant:
        return True
    if type(value) is float or source in facts.dynamic:
        return False
    if any(container in facts.families for container in _containers(source)):
        facts.dynamic.add(source)
        return False
    if history is not None and history.varies and _all_of(history, type(value)):
        facts.dynamic.add(source)
        if type(value) is bool or history.repeats:
            facts.repeating.add(source)
        return False
    return True


def _all_of(history: History, cls: type) -> bool:
    found = history.knowledge
    return found is not None and bool(found.cls is cls)


def extent_is_symbolic(
    facts: Speculation, source: Source, axis: int, size: int, history: History | None
) -> bool:
    """Whether an extent of an array from outside is a run-time value. (Size 1 is static: it broadcasts.)"""
    place = source, axis
    if size <= 1 or place in facts.fixed:
        return False
    if place not in facts.extents and history is not None and axis in history.varying_axes:
        facts.extents.add(place)
    return place in facts.extents


def _family(source: Source) -> Source | None:
    """Return the container of an item if all of its items are used alike: a deque, or a dict of `collections`."""
    if isinstance(source, Index | Key) and isinstance(source.base, Copied):
        return source.base
    return None


def _containers(source: Source) -> Iterator[Source]:
    """Yield the sequence or dict that an item is in, the one that holds that, and so on."""
    while isinstance(source, Index | Key):
        source = source.base
        yield source


def moves_along(kind: str, source: Source, failed: Source, expected: Any, got: Any) -> bool:
    """Whether the fact about `source`, found to be `got`, is relaxed because a like one about `failed` has failed."""
    if kind == "array":
        return True
    if kind == "length":
        return hasattr(got, "__len__") and len(got) != expected
    return kind == "value" and type(got) is int and got != expected and _siblings(source, failed)


def _siblings(source: Source, other: Source) -> bool:
    """Whether both are arguments, attributes of one object, or items of one container."""
    if isinstance(source, Argument):
        return isinstance(other, Argument)
    if isinstance(source, Attribute):
        return isinstance(other, Attribute) and source.base == other.base
    return isinstance(source, Index | Key) and isinstance(other, Index | Key) and source.base == other.base


def _relax_item(facts: Speculation, source: Source) -> None:
    """Take all items of a container, nested ones too, for inputs once two of them have varied."""
    others = facts.dynamic - {source}
    for container in _containers(source):
        if any(container in _containers(other) for other in others):
            facts.families.add(container)
            return


def _relax_family(facts: Speculation, source: Source) -> None:
    family = _family(source)
    if family is not None:
        facts.families.add(family)


def length_varies(facts: Speculation, source: Source) -> bool:
    """Whether the length of a list from outside is a run-time number."""
    return source in facts.lengths or _family(source) in facts.families


def text_varies(facts: Speculation, source: Source) -> bool:
    """Whether a string from outside is only known at run time: it, or other items of its container, have varied."""
    return source in facts.texts or (isinstance(source, Index | Key) and source.base in facts.texts)


def function_by_code(facts: Speculation, source: Source, live: object) -> bool:
    """Whether a function from outside is known by its code only, as closures are that are made anew."""
    return isinstance(live, types.FunctionType) and source in facts.by_code and not live.__kwdefaults__


def learn_argument(facts: Speculation, source: Source, history: History, *, warm: bool) -> None:
    """Take over what calls have shown of an argument: after warm-up all, later only what comes back."""
    found = history.knowledge
    if found is None or found.cls is None:
        return
    if found.cls is bool or (found.cls is int and history.repeats):
        facts.repeating.add(source)
    if warm and found.cls in (bool, int, float) and history.varies:
        facts.dynamic.add(source)
    if warm and found.cls is str and history.varies and not history.repeats:
        facts.texts.add(source)
    if warm:
        facts.extents.update((source, axis) for axis in history.varying_axes)


def relax(
    facts: Speculation,
    kind: str,
    source: Source,
    expected: Any,
    got: Any,
    shapes: Iterator[tuple[np.dtype[Any], tuple[Any, ...]]],
) -> bool:
    """Move the fact behind a failed entry guard one step down the lattice.

    Parameters
    ----------
    facts : Speculation
        Changed in place.
    kind, source : str, Source
        Of the guard.
    expected, got : object
        The object that the guard compares with (if any), and what came.
    shapes : iterator
        Dtype and extents that versions in use know of `source`.

    Returns
    -------
    bool
        Whether a fact moved, so that a version compiled now covers the old case as well.
    """
    if kind == "value" and type(got) in (int, float):
        if source in facts.constant or source in facts.dynamic:
            return False
        facts.dynamic.add(source)
        _relax_family(facts, source)
        _relax_item(facts, source)
        return True
    if kind == "value" and type(got) is bool and isinstance(source, Index | Key):
        # A flag gets versions of its own; where many of a container vary, they are data.
        facts.spellings[source.base] += 1
        if source in facts.dynamic or facts.spellings[source.base] < MAX_SPELLINGS:
            return False
        facts.dynamic.add(source)
        facts.families.add(source.base)
        return True
    if kind == "value" and type(got) is str and type(expected) is str:
        if text_varies(facts, source):
            return False
        # One item of a container stands for all of them.
        whole = source.base if isinstance(source, Index | Key) else source
        facts.spellings[whole] += 1
        if facts.spellings[whole] < MAX_SPELLINGS:
            return False
        facts.texts.add(whole)
        return True
    if kind == "length" and type(got) in (list, collections.deque):
        if length_varies(facts, source) or columns.layout_of(got) is None:
            return False
        facts.lengths.add(source)
        _relax_family(facts, source)
        return True
    if kind == "array" and type(got) in ARRAYS:
        moved = False
        seen = knowledge_of(got)
        for dtype, extents in shapes:
            static = tuple(e if isinstance(e, int) else None for e in extents)
            joined = join(seen, seen._replace(dtype=dtype, shape=static))
            if joined.level is not Level.DYNAMIC_SHAPE or joined.shape is None:
                continue
            for axis, extent in enumerate(joined.shape):
                place = source, axis
                if extent is None and static[axis] is not None and place not in facts.fixed | facts.extents:
                    facts.extents.add(place)
                    moved = True
        return moved
    if (
        kind == "identity"
        and isinstance(got, types.FunctionType)
        and isinstance(expected, types.FunctionType)
    ):
        if got.__code__ is not expected.__code__ or source in facts.by_code | facts.by_object:
            return False
        if is_jax_callable(got):  # traced as a whole, with what it closes over
            return False
        facts.by_code.add(source)
        return True
    return False


def candidates(facts: Speculation) -> Iterator[Speculation]:
    """Yield the facts to capture under, most general first, until one captures all of the function.

    Run-time numbers, symbolic extents and lists of run-time length can stand in the way of capture. So after the
    facts as they are come numbers as sizes of arrays, static extents and lengths, then constants for numbers that
    take few values.
    """
    yield facts
    others = (
        facts.with_pools(), facts.with_sizes(), facts.with_fixed_extents(), facts.with_fixed_lengths(),
        facts.with_constants(facts.repeating), facts.with_constant_texts(),
    )  # fmt: skip
    for other in others:
        if other is not None:
            yield other


def last_resort(facts: Speculation) -> Iterator[Speculation]:
    """Yield the facts to capture under if otherwise nothing would be compiled: one version per number."""
    other = facts.with_constants(facts.dynamic)
    if other is not None:
        yield other


def python_is_as_good(code: str) -> bool:
    """Whether arguments that cannot be captured for this reason are not tried under other facts.

    Ints beyond 64 bits differ from call to call, as a rule, so that a version for each would serve one call.
    """
    return code == "JN504"


#: Items beyond which lists of run-time length get no more room.
MAX_CAPACITY = 1 << 21


def give_more_room(facts: Speculation) -> bool:
    """Give lists of run-time length more room, because one was full; False if they have enough as it is."""
    if facts.capacity >= MAX_CAPACITY:
        return False
    facts.capacity *= 8
    return True


#: Guards on the value of a string that have failed, after which it is one of the run time.
MAX_SPELLINGS = 3

#: Times that an int operation has gone beyond 64 bits, after which its results are objects.
MAX_OVERFLOWS = 2


def learn_overflow(facts: Speculation, place: Span | None, count: int) -> bool:
    """Note that an int operation has gone beyond 64 bits `count` times; return whether its results are objects now."""
    if place is None or place in facts.wide or count < MAX_OVERFLOWS:
        return False
    facts.wide.add(place)
    return True


# ---- branches, loops, calls ------------------------------------------------------------------------

#: Executions of a branch, all to one side, after which the other side is not compiled.
PRUNE_AFTER = 32
#: Branches that turned out to go both ways, one after the other, after which none is assumed any more.
MAX_FLIPS = 3
#: Branches on run-time data in one version.
MAX_BRANCHES = 1600
#: Iterations of a loop that are taken out of it because the first ones change types.
MAX_PEELED = 2


class Side(enum.Enum):
    """What to do with the sides of a branch on run-time data."""

    BOTH = "both"
    #: One side has been taken so far: compile both if they can be joined, else assume it.
    LIKELY_TRUE = "likely true"
    LIKELY_FALSE = "likely false"
    #: The other side is left out, under a guard.
    ONLY_TRUE = "only true"
    ONLY_FALSE = "only false"


def branch_plan(facts: Speculation, span: Span, counts: BranchCounts | None) -> Side:
    """Decide about a branch on run-time data."""
    if counts is None or span in facts.both or not facts.prune:
        return Side.BOTH
    if (counts.taken == 0) == (counts.not_taken == 0):
        return Side.BOTH
    if counts.taken + counts.not_taken < PRUNE_AFTER:
        return Side.LIKELY_TRUE if counts.taken else Side.LIKELY_FALSE
    return Side.ONLY_TRUE if counts.taken else Side.ONLY_FALSE


def is_stable(trips: Trips) -> bool:
    """Whether a loop has run equally often, so many times that a pass may assume it."""
    return trips.min == trips.max and trips.executions >= PRUNE_AFTER


def too_many_branches(count: int) -> bool:
    """Whether a version has more branches on run-time data than are compiled."""
    return count > MAX_BRANCHES


#: Operations in branches and loops, times the depth at which they stand: compilation takes minutes beyond.
MAX_NESTING = 60_000


def too_nested(nesting: int) -> bool:
    """Whether operations stand so deep, and are so many, that they are not compiled."""
    return nesting > MAX_NESTING


#: Entries of functions into themselves, on ways that only run time tells apart.
MAX_OPEN_ENTRIES = 64
#: The same where lists have run-time lengths: slices of such never end a recursion.
_MAX_ENTRIES_OF_LISTS = 4


def too_many_entries(facts: Speculation, count: int) -> bool:
    """Whether a recursion is unrolled too far of which run-time values decide where it ends."""
    return count > (_MAX_ENTRIES_OF_LISTS if facts.lengths else MAX_OPEN_ENTRIES)


def is_cut_short(code: str) -> bool:
    """Whether this reason ends what was captured on a way that is taken as often as not."""
    return code == "JN604"


#: How many times more iterations are unrolled of a loop that cannot be one at run time, since the items that it
#: runs over differ in kind (the arrays of a large model, say).
UNROLL_UNLIKE = 16


def may_unroll(
    facts: Speculation, done: int, length: int | None, *, counted: bool, unlike: bool = False
) -> bool:
    """Whether the next iteration of a loop becomes straight-line code.

    `done` iterations are so already; `length` are left, if that is known; `counted` loops iterate over something, and are
    unrolled only if it is known over how much. If they are `unlike`, each iteration needs code of its own.
    """
    if unlike:
        limit = facts.unroll_limit * UNROLL_UNLIKE
        return done <= limit and length is not None and length <= limit
    if done > facts.unroll_limit:
        return False
    return not counted or (length is not None and length <= facts.unroll_limit)


#: Array operations beyond which a loop becomes one at run time, if it can: compilation takes milliseconds for each.
MAX_UNROLLED_OPS = 150


def too_long(ops: int, length: int | None) -> bool:
    """Whether a loop whose first iteration has `ops` array operations, with `length` to come, is long as straight-line code."""
    return length is not None and ops * length > MAX_UNROLLED_OPS


def may_peel(done: int) -> bool:
    """Whether one more iteration of a loop is taken out in front of it."""
    return done < MAX_PEELED


def may_inline(depth: int) -> bool:
    """Whether a call is captured into its caller, nested `depth` deep."""
    return bool(depth < config.inline_depth)


# ---- versions ----------------------------------------------------------------------------------------

#: Compilations of one function, over its life.
MAX_COMPILATIONS = 24
#: Seconds after which one capture goes no further, and seconds of all captures of a function after which no other is begun.
CAPTURE_SECONDS = 12.0
MAX_CAPTURE_SECONDS = 36.0
#: Kinds of arguments that cannot be compiled for, after which no more are tried.
MAX_REJECTIONS = 3
#: Calls in Python after the first compilation beyond `config.max_versions`; doubled with each one more.
FIRST_PAUSE = 16
#: Looks at the versions, when there are as many as may be, that find all in use; then no others are compiled.
MAX_LOOKS = 3
#: Calls in Python after compiled code was left too often; times four each time.
FIRST_SUSPENSION = 64
#: Suspensions after which compiled code is not tried again.
MAX_SUSPENSIONS = 4
#: Calls between two looks at facts that a failed guard has loosened.
SAMPLE_EVERY = 8
MAX_SAMPLE_EVERY = 4096
#: Looks in a row at which a loosened fact has the same value, before it is assumed again.
STABLE_LOOKS = 32
#: Versions that are compiled because a fact has settled.
MAX_RESPECIALISED = 2


@dataclass(slots=True)
class Compilations:
    """What has been spent on one function, and what that allows.

    Attributes
    ----------
    done, rejected, flips, suspensions, respecialised, looks : int
        Compilations; arguments that could not be compiled for; branches that went the other way; times that compiled
        code was set aside because it was left too often; versions for facts that had settled again; times that
        no version could be spared for another.
    resume_at : int
        The call, by number, up to which Python serves what no version applies to.
    """

    done: int = 0
    rejected: int = 0
    flips: int = 0
    suspensions: int = 0
    respecialised: int = 0
    looks: int = 0
    resume_at: int = 0

    def pausing(self, calls: int) -> bool:
        """Whether the next compilation has to wait."""
        return calls < self.resume_at

    def exhausted(self) -> bool:
        """Whether nothing is compiled any more."""
        return self.done >= MAX_COMPILATIONS

    def count(self, calls: int) -> None:
        """Note a compilation. Beyond the first ones, each makes the next one wait twice as long."""
        self.done += 1
        beyond = self.done - config.max_versions
        if beyond >= 0:
            self.resume_at = calls + (FIRST_PAUSE << beyond)

    def wait(self, calls: int) -> bool:
        """Note that all versions are in use; return whether to look again, later and later."""
        self.looks += 1
        self.resume_at = calls + (FIRST_PAUSE << self.looks)
        return self.looks <= MAX_LOOKS

    def reject(self) -> bool:
        """Note arguments that cannot be compiled for; return whether to try others."""
        self.rejected += 1
        return self.rejected <= MAX_REJECTIONS

    def flip(self, facts: Speculation, branch: Span) -> None:
        """Note that a branch went the way that was left out: compile both sides, of all branches if this goes on."""
        self.flips += 1
        facts.both.add(branch)
        facts.prune = facts.prune and self.flips < MAX_FLIPS

    def suspend(self, calls: int) -> bool:
        """Set compiled code aside for a while, four times as long each time; False to do it for good."""
        self.suspensions += 1
        self.resume_at = calls + (FIRST_SUSPENSION << 2 * (self.suspensions - 1))
        return self.suspensions <= MAX_SUSPENSIONS

    def may_respecialise(self) -> bool:
        """Whether one more version for settled facts may be compiled."""
        return self.respecialised < MAX_RESPECIALISED and not self.exhausted()


#: Computed arrays that a guard may keep alive so that Python need not start the call again.
_KEPT_FOR_GUARD = 2


def arrays_kept_for_guard(*, branch: bool) -> int | None:
    """Bound the computed arrays that a guard may keep alive for the frames that it leaves (None: any number).

    A branch may well go the other way, and much may have been done by then; other guards fail rarely.
    """
    return None if branch else _KEPT_FOR_GUARD


#: Statements left to Python one after the other, with no compiled work between them, after which all stays there.
_IDLE_STEPS = 3


def may_step(idle: int) -> bool:
    """Whether to try compiled code behind a statement left to Python, after `idle` such statements in vain."""
    return idle < _IDLE_STEPS


def leaves_too_often(exits: int, entries: int) -> bool:
    """Whether compiled code that was left `exits` times in `entries` calls costs more than it saves."""
    return exits > config.max_deopts and 2 * exits > entries


#: Times that a failed check of an object at one place makes the compiler look at the objects once more.
_LOOKS = 3


def may_look_again(surprises: Counter[Any], place: Any) -> bool:
    """Whether to look at the program's objects once more, after a check of one has failed at `place`.

    What is never met on the way from the arguments (an object that lives during the call only) is not seen by looking.
    """
    surprises[place] += 1
    return surprises[place] <= _LOOKS


def pointless(hits: Mapping[int, int]) -> bool:
    """Whether versions (calls by number) mostly serve the one call that they were compiled for."""
    return 2 * sum(count <= 1 for count in hits.values()) >= len(hits)


def least_useful(hits: Mapping[int, int], before: Mapping[int, int]) -> int | None:
    """Return the version (by number) to drop for a new one: one without a call since the last look, if any."""
    idle = [number for number, count in hits.items() if count == before.get(number)]
    return min(idle, key=lambda number: hits[number], default=None)


@dataclass(slots=True)
class Settled:
    """Looks at one loosened fact: how long it has had the same value."""

    value: Any = None
    streak: int = 0

    def look(self, value: Any) -> bool:
        """Note the value of now; return whether it is another one than before."""
        number = type(value) in (bool, int, float)
        if number and self.streak and type(value) is type(self.value) and value == self.value:
            self.streak += 1
            return False
        changed = self.streak > 0
        self.value, self.streak = value if number else None, int(number)
        return changed

    @property
    def stable(self) -> bool:
        """Whether it may be assumed again."""
        return self.streak >= STABLE_LOOKS
