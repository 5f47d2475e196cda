"""The values met at one place, call by call: what stays, what varies, what comes back."""

from __future__ import annotations

from janus_mlir.profile.lattice import Knowledge, Level, join, knowledge_of

__all__ = ["CALLS", "SAMPLES", "History"]

#: Values that are recorded at one place in one call; after that, the place is left alone until the next call.
SAMPLES = 4
#: Calls of one function within one call of the profiled function that are recorded; more of them run as they are.
CALLS = 128
#: Calls of which the samples are kept.
_CALLS = 16


class History:
    """Samples of the values at one place.

    A place (an attribute access, say) may serve several objects in one call, as in a loop over layers. So what
    counts as *varying* is a value that appears in a later call and in none before, not a difference within a call.
    """

    __slots__ = ("_calls", "current")

    def __init__(self) -> None:
        #: Samples of the call that is going on. Hooks append to this list, which stays the same object.
        self.current: list[Knowledge] = []
        self._calls: list[tuple[Knowledge, ...]] = []

    def see(self, value: object) -> None:
        """Record a value."""
        self.current.append(knowledge_of(value))

    def end_call(self) -> None:
        """Close the samples of a call."""
        if self.current:
            if len(self._calls) < _CALLS:
                self._calls.append(tuple(self.current))
            self.current.clear()

    @property
    def settled(self) -> bool:
        """Whether no more calls are kept."""
        return len(self._calls) >= _CALLS

    @property
    def calls(self) -> list[tuple[Knowledge, ...]]:
        """The samples, one tuple for each call that came by."""
        return [*self._calls, tuple(self.current)] if self.current else list(self._calls)

    @property
    def knowledge(self) -> Knowledge | None:
        """The most that holds of all values; None if there were none."""
        result: Knowledge | None = None
        for samples in self.calls:
            for sample in samples:
                result = sample if result is None else join(result, sample)
        return result

    @property
    def varies(self) -> bool:
        """Whether a later call had a number, text or None that no earlier one had."""
        before: set[Knowledge] = set()
        for samples in self.calls:
            now = {s for s in samples if s.level is Level.VALUE}
            if before and not now <= before:
                return True
            before |= now
        return False

    @property
    def repeats(self) -> bool:
        """Whether a number or text of an earlier call was met again."""
        before: set[Knowledge] = set()
        for samples in self.calls:
            now = {s for s in samples if s.level is Level.VALUE}
            if now & before:
                return True
            before |= now
        return False

    @property
    def varying_axes(self) -> frozenset[int]:
        """Axes whose extent changed between calls although dtype and rank did not."""
        axes: set[int] = set()
        before: set[Knowledge] = set()
        previous: tuple[Knowledge, ...] = ()
        for samples in self.calls:
            for old, new in zip(previous, samples, strict=False):
                joined = join(old, new)
                if new not in before and joined.level is Level.DYNAMIC_SHAPE and joined.shape is not None:
                    axes.update(i for i, extent in enumerate(joined.shape) if extent is None)
            before.update(samples)
            previous = samples
        return frozenset(axes)
