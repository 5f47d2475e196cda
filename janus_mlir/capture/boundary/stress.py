"""Stress mode: each run-time guard of a version fails in turn, although its condition holds.

It is the proof that leaving compiled code is invisible: the whole test suite must pass under it.
"""

from __future__ import annotations

from janus_mlir.capture.boundary.sources import Derived, Index, Source, pinned


class Stress:
    """Flags of one version's guards; each call lets one guard fail, and every other call none."""

    def __init__(self) -> None:
        self.flags: list[bool] = []
        self._calls = 0
        self._source = Derived(pinned("stress", self), "flags", self._rotate)

    def _rotate(self, _: object) -> list[bool]:
        self._calls += 1
        turn = self._calls // 2 if self._calls % 2 else -1
        count = len(self.flags)
        self.flags[:] = [turn < 0 or i != turn % count for i in range(count)]
        return self.flags

    def next_flag(self) -> Source:
        """Return the source of the flag of a new guard: false if the guard is to fail."""
        self.flags.append(True)
        return Index(self._source, len(self.flags) - 1)
