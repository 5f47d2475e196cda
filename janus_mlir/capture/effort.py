"""How much work one capture may be: instructions executed, branches, recursive calls in line."""

from __future__ import annotations

import time

from janus_mlir import policy
from janus_mlir.capture.breaks import Break
from janus_mlir.capture.speculation import Speculation
from janus_mlir.capture.state import State
from janus_mlir.config import config

__all__ = ["Effort"]


class Effort:
    """What one capture has cost so far; ends it when that is too much."""

    def __init__(self, speculation: Speculation, deadline: float) -> None:
        self._speculation = speculation
        self._deadline = deadline
        self._steps_left = config.max_steps
        self._forks = 0
        #: Branches on run-time data whose sides are being executed, and entries of recursive functions within such.
        self.open_forks = 0
        self._open_entries = 0

    def spend_step(self) -> None:
        self._steps_left -= 1
        if self._steps_left % 64 == 0 and time.thread_time() > self._deadline:
            raise Break("JN604", "capture takes too long")
        if self._steps_left < 0:
            raise Break("JN604", "the function executes too many instructions when unrolled")

    def count_fork(self) -> None:
        self._forks += 1
        if policy.too_many_branches(self._forks):
            raise Break("JN604", "too many dynamic branches")

    def count_entry(self, state: State, code: object) -> None:
        """Note that a function is entered in line: a recursion that only run time ends can go on too long."""
        again = any(frame.function.code is code for frame in state.frames)
        self._open_entries += bool(self.open_forks) and again
        if policy.too_many_entries(self._speculation, self._open_entries):
            raise Break("JN604", "a recursion whose end depends on run-time values is unrolled")
