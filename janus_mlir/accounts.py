"""Where the time of a function goes, beside what the dispatcher counts."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Literal

__all__ = ["Seconds"]

Activity = Literal["profile", "capture", "compile", "deopt", "python"]


class _Nested(threading.local):
    """Time that the thread has spent within the activity at hand, but on another one."""

    seconds = 0.0


_nested = _Nested()


class Seconds:
    """Seconds by activity; what an activity leads to, such as a compilation within a call, is not its own.

    `deopt` is what it takes to leave native code; `python` what Python then runs, or runs because nothing is compiled.
    """

    __slots__ = ("capture", "compile", "deopt", "profile", "python")

    def __init__(self) -> None:
        self.profile = self.capture = self.compile = self.deopt = self.python = 0.0

    def spent_on(self, activity: Activity) -> _Spending:
        """Count the time of a ``with`` block."""
        return _Spending(self, activity)


class _Spending:
    __slots__ = ("_account", "_activity", "_before", "_start")

    def __init__(self, account: Seconds, activity: Activity) -> None:
        self._account, self._activity = account, activity

    def __enter__(self) -> None:
        self._before, _nested.seconds = _nested.seconds, 0.0
        self._start = time.perf_counter()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, place: TracebackType | None
    ) -> None:
        whole = time.perf_counter() - self._start
        own = getattr(self._account, self._activity) + whole - _nested.seconds
        setattr(self._account, self._activity, own)
        _nested.seconds = self._before + whole
