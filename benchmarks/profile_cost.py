"""What warm-up costs: programs in plain Python, and in the instrumented copy that records into a profile.

CPU time; the two run in turns within one process; medians over rounds. The first call, which makes the copy, is not timed.

    python benchmarks/profile_cost.py [--rounds N]
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

from janus_mlir.profile.data import Profile
from janus_mlir.profile.instrument import instrument

LIMIT = 3.0


def empty_loop(n: int) -> int:
    total = 0
    for i in range(n):
        total += i
    return total


def collatz(n: int) -> int:
    longest = 0
    for start in range(1, n):
        value, steps = start, 0
        while value != 1:
            value = value // 2 if value % 2 == 0 else 3 * value + 1
            steps += 1
        if steps > longest:
            longest = steps
    return longest


def fib(n: int) -> int:
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def sieve(n: int) -> int:
    composite = [False] * n
    for i in range(2, n):
        if not composite[i]:
            for j in range(i * i, n, i):
                composite[j] = True
    return sum(1 for flag in composite[2:] if not flag)


def bubble_sort(values: list[int]) -> list[int]:
    values = list(values)
    for end in range(len(values), 1, -1):
        for i in range(end - 1):
            if values[i] > values[i + 1]:
                values[i], values[i + 1] = values[i + 1], values[i]
    return values


def matrix_product(a: list[list[float]], b: list[list[float]]) -> list[list[float]]:
    size = len(b)
    result = [[0.0] * len(b[0]) for _ in a]
    for i in range(len(a)):
        for j in range(len(b[0])):
            total = 0.0
            for k in range(size):
                total += a[i][k] * b[k][j]
            result[i][j] = total
    return result


class Particle:
    def __init__(self, x: float, v: float) -> None:
        self.x, self.v, self.mass = x, v, 1.0 + x

    def push(self, force: float, dt: float) -> None:
        self.v += force / self.mass * dt
        self.x += self.v * dt


def simulate(particles: list[Particle], steps: int) -> float:
    for _ in range(steps):
        for p in particles:
            p.push(-p.x, 0.01)
    return sum(p.x * p.x + p.v * p.v for p in particles)


class Node:
    def __init__(self, depth: int) -> None:
        self.value = depth
        self.left = Node(depth - 1) if depth else None
        self.right = Node(depth - 1) if depth else None


def tree_sum(node: Node | None) -> int:
    if node is None:
        return 0
    return node.value + tree_sum(node.left) + tree_sum(node.right)


def count_words(text: str) -> dict[str, int]:
    counts: dict[str, int] = {}
    for word in text.split():
        key = word.lower().strip(".,;")
        if key and key[0].isalpha():
            counts[key] = counts.get(key, 0) + 1
    return counts


def mandelbrot(size: int) -> int:
    inside = 0
    for row in range(size):
        for column in range(size):
            c = complex(3.0 * column / size - 2.0, 2.0 * row / size - 1.0)
            z = 0j
            for _ in range(30):
                z = z * z + c
                if z.real * z.real + z.imag * z.imag > 4.0:
                    break
            else:
                inside += 1
    return inside


def smooth(x: np.ndarray, steps: int) -> np.ndarray:
    for _ in range(steps):
        left, right = x[:-2], x[2:]
        x = x.copy()
        x[1:-1] = (left + x[1:-1] + right) / 3
    return x


class Layer:
    def __init__(self, random: np.random.Generator, n: int, m: int) -> None:
        self.w = random.standard_normal((n, m)) / np.sqrt(n)
        self.b = np.zeros(m)
        self.active = True

    def __call__(self, x: np.ndarray) -> np.ndarray:
        y = x @ self.w + self.b
        return np.maximum(y, 0.0) if self.active else y


def network(layers: list[Layer], x: np.ndarray) -> float:
    for layer in layers:
        x = layer(x)
    shifted = x - x.max(axis=1, keepdims=True)
    return float(np.log(np.exp(shifted).sum(axis=1)).mean())


def jax_network(weights: list[Any], x: Any) -> Any:
    for w in weights:
        x = jnp.tanh(x @ w)
    return (x * x).sum()


def small_call(config: Particle, x: float) -> float:
    if x > config.x:
        return config.mass * x + config.v
    return config.v


def programs() -> dict[str, tuple[Callable[..., Any], tuple[Any, ...]]]:
    random = np.random.default_rng(0)
    layers = [Layer(random, 64, 64) for _ in range(6)]
    matrix = [[float(i * j % 7) for j in range(20)] for i in range(20)]
    text = "The quick brown fox jumps over the lazy dog, again and again; 42 times. " * 60
    return {
        "empty loop": (empty_loop, (30_000,)),
        "collatz (while, branches)": (collatz, (600,)),
        "fib (recursion)": (fib, (17,)),
        "sieve": (sieve, (20_000,)),
        "bubble sort": (bubble_sort, ([i * 7919 % 211 for i in range(120)],)),
        "matrix product on lists": (matrix_product, (matrix, matrix)),
        "particles (attributes, methods)": (simulate, ([Particle(i * 0.1, 0.0) for i in range(40)], 30)),
        "tree sum (recursion on objects)": (tree_sum, (Node(10),)),
        "word counts (strings, dicts)": (count_words, (text,)),
        "mandelbrot (nested loops)": (mandelbrot, (32,)),
        "smoothing (NumPy slices)": (smooth, (np.arange(1000.0), 100)),
        "network (NumPy, objects)": (network, (layers, random.standard_normal((32, 64)))),
        "network (eager JAX)": (jax_network, ([jnp.ones((32, 32))] * 4, jnp.ones((8, 32)))),
        "one small call": (small_call, (Particle(1.0, 0.0), 2.0)),
    }


def measure(function: Callable[..., Any], args: tuple[Any, ...], rounds: int) -> tuple[float, float]:
    """Return the median seconds of a call: plain, and recorded (with a new call of the profile each time)."""
    profile = Profile()
    recorded = instrument(function, profile)
    for _ in range(2):
        function(*args)
        profile.begin_call()
        recorded(*args)
    plain, profiled = [], []
    for _ in range(rounds):
        start = time.thread_time()
        function(*args)
        middle = time.thread_time()
        profile.begin_call()
        recorded(*args)
        plain.append(middle - start)
        profiled.append(time.thread_time() - middle)
    return statistics.median(plain), statistics.median(profiled)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    table = Table(title=f"Cost of warm-up (limit {LIMIT:g}x)")
    table.add_column("program")
    for column in ("plain", "recorded", "ratio"):
        table.add_column(column, justify="right")
    for name, (function, args) in programs().items():
        # The profile keeps a number of calls at most, and is silent after that: stay below it.
        plain, profiled = measure(function, args, min(options.rounds, 12))
        ratio = profiled / plain
        style = "green" if ratio < LIMIT else "red"
        table.add_row(
            name, f"{1e6 * plain:,.1f} us", f"{1e6 * profiled:,.1f} us", f"[{style}]{ratio:.2f}x[/]"
        )
    Console().print(table)


if __name__ == "__main__":
    main()
