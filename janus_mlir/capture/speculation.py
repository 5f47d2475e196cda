"""What one compiled version assumes of the program; `janus_mlir.policy` decides."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from janus_mlir.capture.boundary.sources import Source
from janus_mlir.locations import Span

if TYPE_CHECKING:
    from janus_mlir.capture.dynamic.layouts import Layout
    from janus_mlir.capture.observing import LiveFacts


@dataclass(slots=True)
class Speculation:
    """What one version assumes; each failing guard moves one fact down the lattice."""

    #: Numbers (and truth values) that are run-time inputs instead of constants.
    dynamic: set[Source] = field(default_factory=set)
    #: Numbers that some array function needs as constants.
    constant: set[Source] = field(default_factory=set)
    #: Extents that are symbolic: (source, axis).
    extents: set[tuple[Source, int]] = field(default_factory=set)
    #: Extents that stay static, one version per size: (source, axis).
    fixed: set[tuple[Source, int]] = field(default_factory=set)
    #: Lists of which the length is a run-time number.
    lengths: set[Source] = field(default_factory=set)
    #: Lists of which the length is a constant, since all of their items are read.
    read_whole: set[Source] = field(default_factory=set)
    #: Containers of which the items, in number or length, vary.
    families: set[Source] = field(default_factory=set)
    #: Ints that are sizes of arrays, as symbolic as extents.
    sizes: set[Source] = field(default_factory=set)
    #: Ints and truth values that vary, but take few values.
    repeating: set[Source] = field(default_factory=set)
    #: Functions that are known by their code only.
    by_code: set[Source] = field(default_factory=set)
    #: Functions that must be known as objects.
    by_object: set[Source] = field(default_factory=set)
    #: Branches of which both sides are compiled, whatever the profile says.
    both: set[Span] = field(default_factory=set)
    #: Whether branches that went one way so far are assumed to do so again.
    prune: bool = True
    #: Most iterations of a loop that are unrolled.
    unroll_limit: int = 64
    #: Loops (code and instruction) that only work as straight-line code, however much that is.
    straight: set[Any] = field(default_factory=set)
    #: Loops (code and instruction) over lists that are taken for lists of run-time length, so that they stay loops.
    listed: set[Any] = field(default_factory=set)
    #: Int operations whose results are objects, since they have been beyond 64 bits.
    wide: set[Span] = field(default_factory=set)
    #: Strings that are only known at run time.
    texts: set[Source] = field(default_factory=set)
    #: How many values of a string there have been so far.
    spellings: Counter[Source] = field(default_factory=Counter)
    #: Whether strings are objects in lists of run-time length, since they come from anywhere.
    text_objects: bool = False
    #: Whether a list of run-time length would have to copy lists, and whether these are rows of pools instead.
    nested: bool = False
    pooled: bool = False
    #: Pools by where lists become rows: what their items are like, and the pools that have become others.
    pools: dict[Any, Layout | None] = field(default_factory=dict)
    same_pool: dict[Any, Any] = field(default_factory=dict)
    #: Numbers of what a union may be, to which layouts refer.
    tags: Any = None
    #: What has been found out about recursion and live objects, by all captures of the function.
    live: LiveFacts = field(default_factory=lambda: _live_facts())
    #: Items for which lists of run-time length have room.
    capacity: int = 128

    def copy(self) -> Speculation:
        values = (getattr(self, f.name) for f in fields(self))
        return Speculation(*(set(v) if isinstance(v, set) else v for v in values))  # type: ignore[arg-type]

    def with_fixed_extents(self) -> Speculation | None:
        """Return these facts with one version per shape, None if there are no symbolic extents."""
        if not self.extents:
            return None
        result = self.copy()
        result.fixed |= result.extents
        result.extents = set()
        return result

    def with_sizes(self) -> Speculation | None:
        """Return these facts with run-time ints as sizes of arrays, None if they are so or there are none."""
        if self.dynamic <= self.sizes:
            return None
        result = self.copy()
        result.sizes |= self.dynamic
        return result

    def with_fixed_lengths(self) -> Speculation | None:
        """Return these facts with one version per length of a list, None if no length varies."""
        if not self.lengths:
            return None
        result = self.with_fixed_extents() or self.copy()
        result.lengths, result.families = set(), set()
        return result

    def with_pools(self) -> Speculation | None:
        """Return these facts with lists in lists as rows of pools, None if they are so or there is no need."""
        if self.pooled or not self.nested:
            return None
        result = self.copy()
        result.pooled, result.pools, result.same_pool = True, {}, {}
        return result

    def with_constant_texts(self) -> Speculation | None:
        """Return these facts with one version per value of a string, None if no string varies."""
        if not self.texts:
            return None
        result = self.with_fixed_lengths() or self.with_fixed_extents() or self.copy()
        result.texts = set()
        return result

    def with_constants(self, numbers: set[Source]) -> Speculation | None:
        """Return these facts with one version per value of `numbers` that vary, None if there are none."""
        changed = (self.dynamic & numbers) - self.constant
        if not changed:
            return None
        result = self.with_fixed_extents() or self.copy()
        result.constant |= changed
        return result

    def generalises(self, other: Speculation) -> bool:
        """Whether something that `other` takes as fixed varies here."""
        return bool(
            self.dynamic - other.dynamic - self.constant
            or self.extents - other.extents
            or self.lengths - other.lengths
            or self.by_code - other.by_code
            or self.texts - other.texts
        )


def _live_facts() -> LiveFacts:
    from janus_mlir.capture.observing import LiveFacts

    return LiveFacts()


class Respecialise(Exception):
    """A fact turned out to be needed otherwise: capture starts again with the changed speculation."""
