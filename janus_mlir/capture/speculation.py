"""What one compiled version assumes of the program."""

from __future__ import annotations

from dataclasses import dataclass, field

from janus_mlir.capture.sources import Source
from janus_mlir.locations import Span


@dataclass(slots=True)
class Speculation:
    """What one version assumes; each failing guard moves one fact up the lattice."""

    #: Numbers (and truth values) that are run-time inputs instead of constants.
    dynamic: set[Source] = field(default_factory=set)
    #: Floats that some array function needs as constants.
    constant: set[Source] = field(default_factory=set)
    #: Extents that are symbolic: (source, axis).
    extents: set[tuple[Source, int]] = field(default_factory=set)
    #: Branches of which both sides are compiled, whatever the profile says.
    both: set[Span] = field(default_factory=set)
    #: Loops that must not be unrolled or must be.
    unroll_limit: int = 64

    def copy(self) -> Speculation:
        return Speculation(
            set(self.dynamic), set(self.constant), set(self.extents), set(self.both), self.unroll_limit
        )


class Respecialise(Exception):
    """A fact turned out to be needed otherwise: capture starts again with the changed speculation."""
