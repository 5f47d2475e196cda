"""What leaving compiled code costs: a call in which a guard fails, beyond the Python work that follows it.

Each program is called in turns with arguments that hold and with arguments for which one guard fails (one call in four, so
that the function is not set aside), and what Python has to do after the guard is timed by itself. Cost is the difference:
failing call - (call that holds + Python work). Medians, in one process.

    python benchmarks/deopt_cost.py [--rounds N]
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

import janus_mlir as janus

LIMIT = 100.0
BIG = 2**40


def straight(x: np.ndarray, n: int) -> Any:
    y = x * 2 + 1
    z = n * n
    return y, z


def straight_rest(x: np.ndarray, n: int) -> Any:
    z = n * n
    return x, z


def looped(x: np.ndarray, n: int) -> Any:
    total = 0
    for i in range(8):
        x = x + 1
        total = total + (n * n if i == 7 else i)
    return x, total


def looped_rest(x: np.ndarray, n: int) -> Any:
    total = 28 + n * n
    return x, total


def _inner(x: np.ndarray, n: int) -> Any:
    y = x - 1
    return y, n * n


def _middle(x: np.ndarray, n: int) -> Any:
    y, square = _inner(x * 2, n)
    return y + 1, square


def nested(x: np.ndarray, n: int) -> Any:
    y, square = _middle(x + 3, n)
    return y, square


def nested_rest(x: np.ndarray, n: int) -> Any:
    square = n * n
    return x + 1, square


class Model:
    def __init__(self) -> None:
        self.state = np.zeros(16)
        self.calls = 0


MODEL = Model()


def effects(x: np.ndarray, n: int) -> Any:
    MODEL.state = MODEL.state + x
    MODEL.calls += 1
    z = n * n
    return z


def effects_rest(x: np.ndarray, n: int) -> Any:
    z = n * n
    return z


def many_values(x: np.ndarray, n: int) -> Any:
    a, b, c, d = x + 1, x + 2, x + 3, x + 4
    e, f, g, h = x * 1.5, x * 2.5, x * 3.5, x * 4.5
    z = n * n
    return a, b, c, d, e, f, g, h, z


def many_values_rest(x: np.ndarray, n: int) -> Any:
    z = n * n
    return x, x, x, x, x, x, x, x, z


@dataclass
class Program:
    """A function, and the part of it that Python has to do after its guard has failed."""

    function: Callable[..., Any]
    rest: Callable[..., Any]


PROGRAMS = {
    "straight-line code": Program(straight, straight_rest),
    "the last turn of a loop": Program(looped, looped_rest),
    "two calls deep": Program(nested, nested_rest),
    "effects before the guard": Program(effects, effects_rest),
    "eight arrays alive": Program(many_values, many_values_rest),
}


def timed(function: Callable[..., Any], *args: Any) -> float:
    start = time.thread_time()
    function(*args)
    return time.thread_time() - start


def measure(program: Program, rounds: int) -> tuple[float, float, float, int]:
    """Return seconds of a call that holds, of one that fails, and of the Python work; and the number of deopts."""
    x = np.ones(16)
    function: Any = janus.jit(program.function)
    for n in range(8):
        function(x, n)
    assert function.stats.versions, function.explain()
    before = function.stats.deopts
    holds, fails, rest = [], [], []
    for i in range(rounds):
        for n in range(3):
            holds.append(timed(function, x, n))
        fails.append(timed(function, x, BIG + i))
        rest.append(timed(program.rest, x, BIG + i))
    medians = (statistics.median(column) for column in (holds, fails, rest))
    return *medians, function.stats.deopts - before  # type: ignore[return-value]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=300)
    options = parser.parse_args()
    table = Table(title=f"Cost of one deopt (limit {LIMIT:g} us)")
    table.add_column("a guard fails in")
    for column in ("call that holds", "failing call", "Python work", "cost", "deopts"):
        table.add_column(column, justify="right")
    for name, program in PROGRAMS.items():
        holds, fails, rest, deopts = measure(program, options.rounds)
        cost = 1e6 * (fails - holds - rest)
        style = "green" if cost < LIMIT else "red"
        values = (f"{1e6 * value:.1f} us" for value in (holds, fails, rest))
        table.add_row(name, *values, f"[{style}]{cost:.1f} us[/]", str(deopts))
    Console().print(table)


if __name__ == "__main__":
    main()
