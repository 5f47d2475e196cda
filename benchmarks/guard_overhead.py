"""What guards cost: programs compiled as usual, and with all guards that can be left out compiled away.

Without guards (``janus.config(unguarded=True)``, which is for this measurement only), nothing is checked at the entry but the
shapes of arrays, which symbolic extents come from, and nothing within native code. Both run in turns within one process, in
CPU time; the ratio is the median over pairs of rounds.

    python benchmarks/guard_overhead.py [--rounds N]
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
from rich.console import Console
from rich.table import Table

import janus_mlir as janus

LIMIT = 2.0
SECONDS = 2e-3


class Layer:
    def __init__(self, random: np.random.Generator, n: int, m: int, dtype: Any) -> None:
        self.w = (random.standard_normal((n, m)) / np.sqrt(n)).astype(dtype)
        self.b = np.zeros(m, dtype)
        self.scale = 1.0
        self.active = True


class Network:
    def __init__(self, sizes: list[int], dtype: Any = np.float32) -> None:
        random = np.random.default_rng(0)
        self.layers = [Layer(random, n, m, dtype) for n, m in zip(sizes, sizes[1:], strict=False)]
        self.limit = 1e6


def network(model: Network, x: np.ndarray) -> np.ndarray:
    for layer in model.layers:
        x = x @ layer.w + layer.b
        if layer.active:
            x = np.maximum(x, 0)
    if x.max() > model.limit:
        x = x / x.max()
    return x


def train(model: Network, x: np.ndarray, y: np.ndarray) -> float:
    first, second = model.layers
    hidden = np.maximum(x @ first.w + first.b, 0)
    error = hidden @ second.w + second.b - y
    back = (error @ second.w.T) * (hidden > 0)
    second.w = second.w - 1e-3 * (hidden.T @ error)
    second.b = second.b - 1e-3 * error.sum(axis=0)
    first.w = first.w - 1e-3 * (x.T @ back)
    first.b = first.b - 1e-3 * back.sum(axis=0)
    return float((error * error).mean())


def jax_layers(weights: list[Any], x: Any) -> Any:
    for w in weights:
        x = jnp.tanh(x @ w)
        if x.sum() > 1e6:
            x = x * 0.5
    return x.sum()


def newton(x: float, n: int) -> float:
    y = 1.0
    for _ in range(n):
        y = y - (y * y - x) / (2.0 * y)
    return y


def integers(n: int) -> int:
    total, k = 0, 1
    for i in range(n):
        k = (k * 1103515245 + 12345) % 2147483648
        total += k % 7 + i
    return total


def collatz(n: int) -> int:
    steps = 0
    while n != 1:
        n = n // 2 if n % 2 == 0 else 3 * n + 1
        steps += 1
    return steps


def power_iteration(a: np.ndarray, v: np.ndarray, n: int) -> np.ndarray:
    for _ in range(n):
        v = a @ v
        norm = np.sqrt((v * v).sum())
        if norm == 0:
            return v
        v = v / norm
    return v


def programs() -> dict[str, tuple[Callable[..., Any], Callable[[], tuple[Any, ...]]]]:
    random = np.random.default_rng(0)
    images = random.standard_normal((64, 256)).astype(np.float32)
    labels = random.standard_normal((64, 10)).astype(np.float32)
    matrix = random.standard_normal((200, 200)) / 20
    vector = random.standard_normal(200)
    weights = [jnp.asarray(random.standard_normal((128, 128)), jnp.float32) / 12 for _ in range(4)]
    batch = jnp.ones((32, 128), jnp.float32)
    return {
        "network, 6 layers of 256 (NumPy)": (network, lambda: (Network([256] * 7), images)),
        "training step by hand (NumPy)": (train, lambda: (Network([256, 256, 10]), images, labels)),
        "4 layers of 128 with branches (JAX)": (jax_layers, lambda: (weights, batch)),
        "power iteration (NumPy, early return)": (power_iteration, lambda: (matrix, vector, 50)),
        "Newton's method (float loop)": (newton, lambda: (2.0, 20_000)),
        "random numbers (int loop)": (integers, lambda: (20_000,)),
        "Collatz (int while)": (collatz, lambda: (837_799,)),
    }


def compiled(function: Callable[..., Any], args: tuple[Any, ...], **options: bool) -> Any:
    made = janus.jit(function)
    with janus.config(**options):
        for _ in range(6):
            made(*args)
    return made


def calls_per_round(function: Callable[..., Any], args: tuple[Any, ...]) -> int:
    start = time.thread_time()
    for _ in range(5):
        function(*args)
    return max(1, int(SECONDS / ((time.thread_time() - start) / 5)))


def round_of(function: Callable[..., Any], args: tuple[Any, ...], calls: int) -> float:
    start = time.thread_time()
    for _ in range(calls):
        function(*args)
    return (time.thread_time() - start) / calls


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=101)
    options = parser.parse_args()
    table = Table(title=f"Cost of guards (limit {LIMIT:g} %)")
    table.add_column("program")
    for column in ("guards", "with guards", "without", "cost"):
        table.add_column(column, justify="right")
    for name, (function, make) in programs().items():
        args, other = make(), make()
        guarded, bare = compiled(function, args), compiled(function, other, unguarded=True)
        assert guarded.stats.versions and bare.stats.versions, f"{name} is not compiled\n{guarded.explain()}"
        guards = sum(len(v.guards) for v in guarded.explain().versions if v.state == "in use")
        calls = calls_per_round(guarded, args)
        times: list[tuple[float, float]] = []
        for turn in range(options.rounds):
            # In both orders: what runs second may find the caches warm.
            if turn % 2:
                with_guards = round_of(guarded, args, calls)
                without = round_of(bare, other, calls)
            else:
                without = round_of(bare, other, calls)
                with_guards = round_of(guarded, args, calls)
            times.append((with_guards, without))
        ratio = statistics.median(a / b for a, b in times)
        cost = 100 * (ratio - 1)
        style = "green" if cost <= LIMIT else "red"
        a, b = (1e6 * statistics.median(column) for column in zip(*times, strict=True))
        table.add_row(name, str(guards), f"{a:,.2f} us", f"{b:,.2f} us", f"[{style}]{cost:+.1f} %[/]")
    Console().print(table)


if __name__ == "__main__":
    main()
