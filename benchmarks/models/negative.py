"""What ``jax.jit``, ``torch.compile`` and Janus make of unmodified imperative programs.

    python -m benchmarks.models.negative

Each program is written as one would for eager execution, and only wrapped. Its results are compared with those of the same
program unwrapped.
"""

from __future__ import annotations

import importlib.util
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

import janus_mlir as janus

from .trees import Tree

Results = list[float]


class BatchNorm:
    """Goes by the batch in training, by a running average otherwise."""

    def __init__(self, np_like: Any) -> None:
        self.np_like = np_like
        self.training = True
        self.mean = np_like.zeros(3)

    def forward(self, x: Any) -> Any:
        if self.training:
            mean = x.mean(0)
            self.mean = 0.5 * self.mean + 0.5 * mean
        else:
            mean = self.mean
        return x - mean


def batch_norm_branch(np_like: Any, wrap: Callable[[Any], Any]) -> Iterator[float]:
    """Train, then evaluate: the branch must follow the flag."""
    norm = BatchNorm(np_like)
    norm.mean = np_like.ones(3)
    forward = wrap(lambda x: x - (x.mean(0) if norm.training else norm.mean))
    for call in range(8):
        norm.training = call < 5
        yield float(forward(np_like.ones((4, 3)) * call).sum())


def running_average(np_like: Any, wrap: Callable[[Any], Any]) -> Iterator[float]:
    """The average is kept on the object."""
    norm = BatchNorm(np_like)
    forward = wrap(norm.forward)
    for call in range(8):
        forward(np_like.ones((4, 3)) * call)
        yield float(norm.mean.sum() * 1.0)


class Recurrent:
    """Keeps its hidden state from one sequence to the next."""

    def __init__(self, np_like: Any) -> None:
        self.np_like = np_like
        self.hidden = np_like.zeros(3)

    def forward(self, x: Any) -> Any:
        self.hidden = self.np_like.tanh(0.5 * self.hidden + x)
        return self.hidden.sum()


def hidden_state(np_like: Any, wrap: Callable[[Any], Any]) -> Iterator[float]:
    """The second call goes on where the first has ended."""
    model = Recurrent(np_like)
    forward = wrap(model.forward)
    for call in range(8):
        yield float(forward(np_like.ones(3) * (call % 3)))


def branch_on_data(np_like: Any, wrap: Callable[[Any], Any]) -> Iterator[float]:
    """The data says which way to go."""

    def clip(x: Any) -> Any:
        norm = (x * x).sum()
        if norm > 10:
            x = x * (10 / norm)
        return x.sum()

    clip = wrap(clip)
    for call in range(8):
        yield float(clip(np_like.ones(3) * call))


def loop_on_data(np_like: Any, wrap: Callable[[Any], Any]) -> Iterator[float]:
    """The data says how often."""

    def halve(x: Any) -> Any:
        steps = 0
        while x.sum() > 1:
            x = x / 2
            steps += 1
        return x.sum() + steps

    halve = wrap(halve)
    for call in range(8):
        yield float(halve(np_like.ones(3) * 3.0**call))


def grown(random: np.random.Generator, leaves: int) -> Tree:
    if leaves == 1:
        return Tree(int(random.integers(5)))
    left = int(random.integers(1, leaves))
    return Tree(left=grown(random, left), right=grown(random, leaves - left))


def trees(np_like: Any, wrap: Callable[[Any], Any]) -> Iterator[float]:
    """Recursion over objects, a tree of another shape in each call."""

    def visit(tree: Tree) -> Any:
        if tree.left is None or tree.right is None:
            return np_like.ones(3) * tree.word
        return np_like.tanh(visit(tree.left) + 0.5 * visit(tree.right))

    outermost = wrap(lambda tree: visit(tree).sum())
    random = np.random.default_rng(0)
    for _ in range(24):
        yield float(outermost(grown(random, int(random.integers(2, 12)))))


def side_effects(np_like: Any, wrap: Callable[[Any], Any]) -> Iterator[float]:
    """A log is appended to, a counter counts."""
    log: list[float] = []
    counts = {"calls": 0}

    def step(x: Any) -> Any:
        counts["calls"] += 1
        log.append(counts["calls"])
        return x.sum()

    step = wrap(step)
    for call in range(8):
        step(np_like.ones(3) * call)
        yield float(len(log) + 100 * counts["calls"])


PROGRAMS = {
    "batch norm: training, then evaluation": batch_norm_branch,
    "batch norm: running average on the object": running_average,
    "hidden state on the object": hidden_state,
    "branch on data": branch_on_data,
    "loop on data": loop_on_data,
    "recursion over trees": trees,
    "effects on lists and dicts": side_effects,
}


def collect(
    program: Callable[..., Iterator[float]], np_like: Any, wrap: Callable[[Any], Any]
) -> tuple[Results, str]:
    """Return the results up to the first exception, and its name."""
    results: Results = []
    try:
        for value in program(np_like, wrap):
            results.append(value)
    except Exception as error:  # whatever a tracer does to the program is what is to be shown
        return results, type(error).__name__
    return results, ""


def verdict(expected: Results, found: tuple[Results, str]) -> str:
    results, error = found
    for call, (a, b) in enumerate(itertools.zip_longest(expected, results)):
        if b is None:
            return f"[red]{error} in call {call + 1}[/red]"
        if abs(a - b) > 1e-4 * max(1.0, abs(a)):
            return f"[red]wrong from call {call + 1}: {b:.4g}, not {a:.4g}[/red]"
    return "[green]right[/green]"


def with_janus(program: Callable[..., Iterator[float]], expected: Results) -> str:
    jitted: list[Any] = []

    def wrap(function: Any) -> Any:
        jitted.append(janus.jit(function))
        return jitted[-1]

    text = verdict(expected, collect(program, jnp, wrap))
    stats = getattr(jitted[0], "stats", None) or jitted[0].__func__.stats
    return f"{text}, {stats.compiled_calls} of {stats.calls} calls native, compiled {stats.compilations}x"


def with_torch(program: Callable[..., Iterator[float]], expected: Results) -> str:
    import torch
    import torch._dynamo as dynamo
    from torch._dynamo.utils import counters

    dynamo.reset()
    counters.clear()
    text = verdict(expected, collect(program, torch, lambda f: torch.compile(f, backend="aot_eager")))
    graphs = counters["stats"].get("unique_graphs", 0)
    limit = " and gave up" if any("recompile" in reason for reason in counters["unimplemented"]) else ""
    return f"{text}, {graphs} graphs{limit}"


def main() -> None:
    console = Console()
    has_torch = importlib.util.find_spec("torch") is not None
    table = Table(title="Unmodified imperative programs, wrapped", show_lines=True)
    for title in ("program", "jax.jit", *(["torch.compile"] if has_torch else []), "janus.jit"):
        table.add_column(title)
    for name, program in track(PROGRAMS.items(), console=console, description="running"):
        expected, error = collect(program, jnp, lambda f: f)
        assert not error, f"{name} does not run eagerly: {error}"
        cells = [verdict(expected, collect(program, jnp, jax.jit))]
        if has_torch:
            cells.append(with_torch(program, expected))
        cells.append(with_janus(program, expected))
        table.add_row(name, *cells)
    console.print(table)
    console.print(
        "torch.compile runs the same programs on torch tensors. It counts the graphs itself; past "
        "its limit of recompilations a function stays eager.",
        style="dim",
    )


if __name__ == "__main__":
    main()
