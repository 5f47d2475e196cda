"""Measures programs: all columns take turns, each in a process of its own, so that a busy machine disturbs them alike."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from typing import Any

Note = Callable[[str], None]


@dataclass(frozen=True)
class Effort:
    """How long to measure."""

    rounds: int = 5
    seconds: float = 1.0  # of one column in one round
    settle_steps: int = 8  # before the rounds
    settle_seconds: float = 10.0
    warmup: int = 0
    together: bool = True  # False: one process at a time, for programs that fill the memory


@dataclass
class Column:
    """What came out for one way to run a program."""

    first: float = 0.0  # seconds until the first step is over; under Janus, the first compiled one
    rates: list[float] = field(default_factory=list)  # items a second, for each round
    losses: list[float] = field(default_factory=list)
    step: float = 0.0  # seconds, median of the rounds
    memory: float = 0.0  # MB
    stats: dict[str, float] = field(default_factory=dict)
    steady: dict[str, float] = field(default_factory=dict)  # what of `stats` was counted in the rounds
    left: list[str] = field(default_factory=list)
    error: str | None = None

    @property
    def rate(self) -> float | None:
        return statistics.median(self.rates) if self.rates else None

    def relative_to(self, other: Column) -> float | None:
        """How many times faster this is than `other`: the median over the rounds."""
        pairs = list(zip(self.rates, other.rates, strict=False))
        return statistics.median(a / b for a, b in pairs) if pairs else None


class Worker:
    """A process that runs one column."""

    def __init__(self, program: str, column: str, profile: str, warmup: int, stack: ExitStack) -> None:
        self.stderr = stack.enter_context(tempfile.TemporaryFile("w+"))  # noqa: SIM115
        # What an earlier run has compiled would make the first step look short.
        caches = stack.enter_context(tempfile.TemporaryDirectory(prefix="benchmark-"))
        environment = os.environ | {
            "TORCHINDUCTOR_CACHE_DIR": caches,
            "TRITON_CACHE_DIR": caches,
            "JAX_ENABLE_COMPILATION_CACHE": "false",
            "JANUS_CACHE_DIR": "",
        }
        self.process = subprocess.Popen(
            [
                sys.executable, "-m", "benchmarks.models.worker", program, column, profile,
                str(warmup),
            ],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.stderr, text=True, env=environment,
        )  # fmt: skip
        stack.callback(self.stop)
        self._answer()

    def ask(self, **command: Any) -> dict[str, Any]:
        assert self.process.stdin is not None
        print(json.dumps(command), file=self.process.stdin, flush=True)
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            self.stderr.seek(0)
            lines = self.stderr.read().strip().splitlines()
            raise RuntimeError(lines[-1] if lines else f"exit status {self.process.returncode}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def stop(self) -> None:
        """End the process; what it had open for us is closed."""
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                stream.close()


class _Subject:
    def __init__(self, program: str, name: str, profile: str, effort: Effort, stack: ExitStack) -> None:
        self.name = name
        self.effort = effort
        self.column = Column()
        self.worker = Worker(program, name, profile, effort.warmup, stack)
        self.count = 1
        self._before: dict[str, float] = {}

    def settle(self) -> None:
        """Run until everything has been compiled."""
        effort = self.effort
        warmup = 0
        if self.name == "janus":
            warmup = effort.warmup
        first = self._steps(warmup + 1, 1e9)
        self.column.first = sum(first["seconds"])
        rest = self._steps(max(effort.settle_steps - warmup - 1, 1), effort.settle_seconds)
        usual = statistics.median(rest["seconds"])
        self.count = max(1, min(1000, round(effort.seconds / usual)))
        self._before = self.worker.ask(do="report")["stats"]

    def round(self) -> None:
        result = self._steps(self.count, 4 * self.effort.seconds)
        self.column.rates.append(sum(result["items"]) / sum(result["seconds"]))
        self.column.step = statistics.median([self.column.step or 1e9, *result["seconds"]])

    def finish(self) -> None:
        result = self.worker.ask(do="report")
        self.column.memory = result["memory"]
        self.column.stats = result["stats"]
        self.column.steady = {k: v - self._before.get(k, 0) for k, v in result["stats"].items()}
        self.column.left = result["left"]

    def _steps(self, count: int, seconds: float) -> dict[str, Any]:
        result = self.worker.ask(do="steps", count=count, seconds=seconds)
        self.column.losses += result["losses"]
        return result


def measure(program: str, columns: list[str], profile: str, effort: Effort, note: Note) -> dict[str, Column]:
    """Return what came out for each column of `program`; `note` is told what is going on."""
    results: dict[str, Column] = {}
    if not effort.together:
        for name in columns:
            results |= _measure(program, [name], profile, effort, note)
        return results
    return _measure(program, columns, profile, effort, note)


def _measure(program: str, columns: list[str], profile: str, effort: Effort, note: Note) -> dict[str, Column]:
    results: dict[str, Column] = {}
    with ExitStack() as stack:
        subjects: list[_Subject] = []
        for name in columns:
            note(f"{name}: first steps")
            try:
                subject = _Subject(program, name, profile, effort, stack)
                subject.settle()
            except RuntimeError as error:
                results[name] = Column(error=str(error))
            else:
                subjects.append(subject)
        for number in range(effort.rounds):
            for subject in subjects:
                note(f"{subject.name}: round {number + 1} of {effort.rounds}")
                subject.round()
        for subject in subjects:
            subject.finish()
            results[subject.name] = subject.column
    return {name: results[name] for name in columns}


def as_json(results: dict[str, dict[str, Column]]) -> dict[str, Any]:
    return {
        program: {name: asdict(column) for name, column in columns.items()}
        for program, columns in results.items()
    }


def from_json(found: dict[str, Any]) -> dict[str, dict[str, Column]]:
    return {
        program: {name: Column(**column) for name, column in columns.items()}
        for program, columns in found.items()
    }
