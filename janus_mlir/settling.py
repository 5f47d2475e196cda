"""Specialising anew: facts that a failed guard has loosened, and that have been the same ever since."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from janus_mlir import log, policy
from janus_mlir.binding import is_traced
from janus_mlir.capture.capturing import capture
from janus_mlir.capture.speculation import Speculation
from janus_mlir.config import config

if TYPE_CHECKING:
    from janus_mlir.versions import FunctionManager

__all__ = ["Settling"]


class Settling:
    """Looks at the arguments of some calls of one function, and has versions made for facts that have settled.

    A version that was generalised because of one odd call costs all later ones what a static shape or a constant saves. The
    dispatcher hands over the arguments of a call from time to time; when a loosened fact has long had
    one value, a version that assumes it is put in front of the general one, which stays for when it does not hold.
    """

    def __init__(self, manager: FunctionManager) -> None:
        self._manager = manager
        #: By fact: a source, or a source and an axis.
        self._loosened: dict[Any, policy.Settled] = {}
        self._distance = policy.SAMPLE_EVERY

    def watch(self, before: Speculation) -> None:
        """Look, from time to time, at the facts that have been loosened since `before`."""
        m = self._manager
        facts = m.speculation
        for fact in (facts.dynamic - before.dynamic - facts.constant) | (facts.extents - before.extents):
            self._loosened.setdefault(fact, policy.Settled())
        if self._loosened and m.work.may_respecialise():
            self._distance = policy.SAMPLE_EVERY
            m.jit.on_sample = self.on_sample
            self._next()

    def _next(self) -> None:
        self._manager.jit.sample_at = self._manager.jit.calls + self._distance

    def on_sample(self, args: tuple[Any, ...], kwargs: dict[str, Any] | None) -> None:
        """Look at the loosened facts in the arguments of a call."""
        m = self._manager
        if config.disable or is_traced((args, kwargs)):
            return
        with m.exclusive() as mine:
            if not mine:
                self._next()
                return
            try:
                self._look(args, kwargs or {})
            except (
                Exception
            ) as error:  # a defect of ours must never reach the user: the general version stays
                log.emit("compile", f"{m.function.__qualname__} is not specialised anew: {error!r}")
                if config.debug:
                    raise

    def _look(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        m = self._manager
        slots = m.bind(args, kwargs)
        if slots is None or not m.versions:
            return
        changed = False
        for fact, settled in self._loosened.items():
            source, axis = fact if isinstance(fact, tuple) else (fact, None)
            try:
                value = source.fetch(slots)
                value = value if axis is None else value.shape[axis]
            except Exception:  # the object is not there in this call, or has no such axis: that is no value
                value = None
            changed |= settled.look(value)
        stable = frozenset(fact for fact, settled in self._loosened.items() if settled.stable)
        if stable:
            self._specialise(stable, slots)
            for settled in self._loosened.values():
                settled.streak = 0
        elif changed and not any(v.special for v in m.versions):
            self._distance = min(2 * self._distance, policy.MAX_SAMPLE_EVERY)
        if m.work.may_respecialise() or any(v.special for v in m.versions):
            self._next()

    def _specialise(self, stable: frozenset[Any], slots: list[Any]) -> None:
        m = self._manager
        args, kwargs = m.call_form(slots)
        for record in m.versions:
            if record.special and record.native.check(args, kwargs):
                # Odd calls have moved the general version to the front.
                m.publish(record)
                return
        self._distance = min(8 * self._distance, policy.MAX_SAMPLE_EVERY)
        if not m.work.may_respecialise() or len(m.versions) >= config.max_versions:
            return
        start = time.perf_counter()
        m.work.respecialised += 1
        m.work.done += 1
        facts = m.speculation.copy()
        facts.dynamic -= stable
        facts.extents -= stable
        with m.seconds.spent_on("capture"):
            captured = capture(m.context(), slots, facts, m.profile)
        if not captured.completes:
            return
        record = m.native(captured, start, stable)
        if record.native.check(args, kwargs):
            m.add(record)
