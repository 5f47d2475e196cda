"""The training step of examples/digits.py: eager JAX, ``janus.jit`` and ``jax.jit`` applied by hand.

The three are timed in turns, so that a busy machine disturbs them alike; medians over rounds.

    python benchmarks/train_step.py [--batches 16 64 256] [--rounds N]
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

import janus_mlir as janus

sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))
from digits import Adam, LeNet, Monitor, hand_jitted_step, step  # noqa: E402


class Subject:
    """One way to run the step, with a model and an optimiser of its own."""

    def __init__(
        self, make: Callable[[LeNet], Callable[..., None]], images: jax.Array, labels: jax.Array
    ) -> None:
        model = LeNet(jax.random.key(0))
        self.step = make(model)
        # A rate of zero: the losses do not move, so that no rule of the monitor fires in one subject only.
        self.state = model, Adam(model.params, rate=0.0), Monitor(), images, labels
        self.seconds: list[float] = []

    def run(self) -> float:
        start = time.perf_counter()
        self.step(*self.state)
        jax.block_until_ready(self.state[0].params)
        return time.perf_counter() - start


def measure(batch: int, rounds: int) -> dict[str, float]:
    """Return the median milliseconds of a step."""
    random = np.random.default_rng(0)
    images = jnp.asarray(random.random((batch, 8, 8, 1), dtype=np.float32))
    labels = jnp.asarray(random.integers(0, 10, batch, dtype=np.int32))
    makers: dict[str, Callable[[LeNet], Callable[..., None]]] = {
        "eager JAX": lambda model: step,
        "janus.jit": lambda model: janus.jit(step),
        "jax.jit by hand": hand_jitted_step,
    }
    subjects = {name: Subject(make, images, labels) for name, make in makers.items()}
    for subject in subjects.values():
        for _ in range(5):
            subject.run()
    for _ in range(rounds):
        for subject in subjects.values():
            subject.seconds.append(subject.run())
    return {name: 1e3 * statistics.median(subject.seconds) for name, subject in subjects.items()}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--batches", type=int, nargs="+", default=[16, 64, 256])
    parser.add_argument("--rounds", type=int, default=100)
    options = parser.parse_args()
    for batch in options.batches:
        result = measure(batch, options.rounds)
        eager = result["eager JAX"]
        print(f"batch {batch}:")
        for name, milliseconds in result.items():
            rate = 1e3 * batch / milliseconds
            print(
                f"  {name:16} {milliseconds:8.3f} ms a step {rate:10,.0f} images/s {eager / milliseconds:6.1f}x"
            )


if __name__ == "__main__":
    main()
