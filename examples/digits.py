"""Trains a small convolutional network on handwritten digits, as plain Python and under ``janus.jit``.

The program is imperative: parameters, optimiser state and metrics live on objects that each step changes,
the learning rate follows an ``if`` on the running loss, and news is printed from inside the step. The same
``step`` runs eagerly on JAX, then compiled by Janus. A third run applies ``jax.jit`` by hand to the part of
the step that can be written as a pure function, which is what one would do without Janus.
"""

from __future__ import annotations

import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from sklearn.datasets import load_digits

import janus_mlir as janus

BATCH = 64
EPOCHS = 20
PATIENCE = 6
SEED = 0

Arrays = dict[str, jax.Array]
Data = dict[str, tuple[np.ndarray, np.ndarray]]


class LeNet:
    """Two convolutions with pooling, then two dense layers."""

    def __init__(self, key: jax.Array) -> None:
        shapes = {"conv1": (3, 3, 1, 8), "conv2": (3, 3, 8, 16), "dense1": (64, 64), "dense2": (64, 10)}
        self.params: Arrays = {}
        for name, shape in shapes.items():
            key, draw = jax.random.split(key)
            fan_in = int(np.prod(shape[:-1]))
            self.params[name] = jax.random.normal(draw, shape) * (2.0 / fan_in) ** 0.5
            self.params[name + "_bias"] = jnp.zeros(shape[-1])

    def convolve(self, params: Arrays, name: str, x: jax.Array) -> jax.Array:
        x = jax.lax.conv_general_dilated(
            x, params[name], (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
        )
        x = jax.nn.relu(x + params[name + "_bias"])
        window = (1, 2, 2, 1)
        return jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, window, window, "VALID")

    def logits(self, params: Arrays, images: jax.Array) -> jax.Array:
        x = self.convolve(params, "conv1", images)
        x = self.convolve(params, "conv2", x)
        x = x.reshape(x.shape[0], -1)
        x = jax.nn.relu(x @ params["dense1"] + params["dense1_bias"])
        return x @ params["dense2"] + params["dense2_bias"]

    def loss(self, params: Arrays, images: jax.Array, labels: jax.Array) -> jax.Array:
        log_probabilities = jax.nn.log_softmax(self.logits(params, images))
        return -jnp.mean(jnp.sum(log_probabilities * jax.nn.one_hot(labels, 10), axis=-1))

    def accuracy(self, images: np.ndarray, labels: np.ndarray) -> float:
        return float(jnp.mean(jnp.argmax(self.logits(self.params, images), axis=-1) == labels))


class Adam:
    """Adam, with its moments and its count of steps kept on the object."""

    def __init__(self, params: Arrays, rate: float) -> None:
        self.rate = rate
        self.steps = 0
        self.mean = {name: jnp.zeros_like(p) for name, p in params.items()}
        self.square = {name: jnp.zeros_like(p) for name, p in params.items()}

    def next_scale(self) -> float:
        """Count a step and return its rate with the bias of the moments taken out."""
        self.steps += 1
        return self.rate * (1 - 0.999**self.steps) ** 0.5 / (1 - 0.9**self.steps)

    def update(self, params: Arrays, gradients: Arrays) -> None:
        scale = self.next_scale()
        for name, g in gradients.items():
            self.mean[name] = 0.9 * self.mean[name] + 0.1 * g
            self.square[name] = 0.999 * self.square[name] + 0.001 * g * g
            params[name] = params[name] - scale * self.mean[name] / (jnp.sqrt(self.square[name]) + 1e-8)


class Monitor:
    """Follows the loss, and lowers the learning rate whenever it has halved."""

    def __init__(self) -> None:
        self.losses: list[float] = []
        self.running = 2.3
        self.threshold = 0.4

    def observe(self, loss: float, optimizer: Adam) -> None:
        self.losses.append(loss)
        self.running = 0.95 * self.running + 0.05 * loss
        if self.running < self.threshold:
            self.threshold = self.running / 2
            optimizer.rate = optimizer.rate * 0.8
            print(f"step {optimizer.steps}: running loss {self.running:.3f}, rate now {optimizer.rate:.5f}")


def step(model: LeNet, optimizer: Adam, monitor: Monitor, images: jax.Array, labels: jax.Array) -> None:
    """Train on one batch."""
    loss, gradients = janus.value_and_grad(model.loss)(model.params, images, labels)
    optimizer.update(model.params, gradients)
    monitor.observe(float(loss), optimizer)


def hand_jitted_step(model: LeNet) -> Callable[..., None]:
    """Return `step` in two parts: a pure function for ``jax.jit``, and the rest of it around that."""

    @jax.jit
    def pure(params: Arrays, mean: Arrays, square: Arrays, scale: float, x: jax.Array, y: jax.Array) -> Any:
        loss, gradients = jax.value_and_grad(model.loss)(params, x, y)
        mean = {n: 0.9 * mean[n] + 0.1 * g for n, g in gradients.items()}
        square = {n: 0.999 * square[n] + 0.001 * g * g for n, g in gradients.items()}
        params = {n: p - scale * mean[n] / (jnp.sqrt(square[n]) + 1e-8) for n, p in params.items()}
        return loss, params, mean, square

    def step(model: LeNet, optimizer: Adam, monitor: Monitor, images: jax.Array, labels: jax.Array) -> None:
        scale = optimizer.next_scale()
        state = model.params, optimizer.mean, optimizer.square
        loss, model.params, optimizer.mean, optimizer.square = pure(*state, scale, images, labels)
        monitor.observe(float(loss), optimizer)

    return step


def load() -> Data:
    """Return images (N, 8, 8, 1) in [0, 1] and labels, in three parts that have no image in common."""
    digits = load_digits()
    images = (digits.images[..., None] / 16).astype(np.float32)
    labels = digits.target.astype(np.int32)
    order = np.random.default_rng(SEED).permutation(len(images))
    parts = zip(("test", "validation", "train"), np.split(order, [300, 500]), strict=True)
    return {name: (images[chosen], labels[chosen]) for name, chosen in parts}


@dataclass
class Outcome:
    """How one run went; `seconds` and `losses` have an entry for each step."""

    name: str
    seconds: list[float]
    losses: list[float]
    accuracy: float
    stats: janus.Stats | None

    @property
    def steady(self) -> float:
        """Images per second at the median step of the second half, when everything has been compiled."""
        return BATCH / statistics.median(self.seconds[len(self.seconds) // 2 :])

    @property
    def overall(self) -> float:
        """Images per second over all steps, compilation included."""
        return BATCH * len(self.seconds) / sum(self.seconds)

    def apart(self, other: Outcome) -> float:
        """The largest difference of a loss within the first steps, before rounding has grown."""
        return float(np.max(np.abs(np.subtract(self.losses[:100], other.losses[:100]))))


def train(name: str, step: Callable[..., None], model: LeNet, data: Data, console: Console) -> Outcome:
    """Train `model` with `step` until it no longer gets better, and return how it went."""
    optimizer, monitor = Adam(model.params, rate=4e-3), Monitor()
    random = np.random.default_rng(SEED)
    images, labels = data["train"]
    batches = len(images) // BATCH
    seconds: list[float] = []
    best, best_epoch = 0.0, 0
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        label = name.replace("\n", " ")
        bar = progress.add_task(label, total=EPOCHS * batches)
        for epoch in range(EPOCHS):
            order = random.permutation(len(images))
            for first in range(0, batches * BATCH, BATCH):
                chosen = order[first : first + BATCH]
                batch = jnp.asarray(images[chosen]), jnp.asarray(labels[chosen])
                start = time.perf_counter()
                step(model, optimizer, monitor, *batch)
                jax.block_until_ready(model.params)
                seconds.append(time.perf_counter() - start)
                progress.update(bar, advance=1, description=f"{label}: loss {monitor.running:.3f}")
            accuracy = model.accuracy(*data["validation"])
            if accuracy > best:
                best, best_epoch = accuracy, epoch
            elif epoch - best_epoch >= PATIENCE:
                progress.update(bar, total=len(seconds))
                break
    return Outcome(name, seconds, monitor.losses, model.accuracy(*data["test"]), getattr(step, "stats", None))


def show(console: Console, outcomes: list[Outcome]) -> None:
    """Print what came out."""
    eager = outcomes[0]
    table = Table(title=f"LeNet on handwritten digits, {BATCH} images a step")
    table.add_column("")
    for run in outcomes:
        table.add_column(run.name, justify="right")
    rows: list[tuple[str, Callable[[Outcome], str]]] = [
        ("images/s, steady", lambda run: f"{run.steady:,.0f}"),
        ("  relative to eager", lambda run: f"{run.steady / eager.steady:.1f}x"),
        ("images/s, with compilation", lambda run: f"{run.overall:,.0f}"),
        ("  relative to eager", lambda run: f"{run.overall / eager.overall:.1f}x"),
        ("first call", lambda run: f"{run.seconds[0]:.2f} s"),
        ("slowest later call", lambda run: f"{max(run.seconds[1:]):.2f} s"),
        ("loss off by (100 steps)", lambda run: f"{run.apart(eager):.0e}"),
        ("test accuracy", lambda run: f"{run.accuracy:.1%}"),
        ("calls", lambda run: f"{len(run.seconds)}"),
    ]
    for title, cell in rows:
        table.add_row(title, *map(cell, outcomes))
    counters: list[tuple[str, Callable[[janus.Stats], str]]] = [
        ("calls all native", lambda stats: f"{stats.compiled_calls}"),
        ("compilations", lambda stats: f"{stats.compilations} in {stats.compile_seconds:.2f} s"),
        ("guard failures, deopts", lambda stats: f"{stats.guard_failures}, {stats.deopts}"),
    ]
    for title, count in counters:
        table.add_row(title, *(count(run.stats) if run.stats else "" for run in outcomes))
    console.print(table)
    console.print(f"Python {platform.python_version()}, JAX {jax.__version__}, NumPy {np.__version__}")


def main() -> None:
    data = load()
    console = Console()
    makers: dict[str, Callable[[LeNet], Callable[..., None]]] = {
        "eager JAX": lambda model: step,
        "janus.jit": lambda model: janus.jit(step),
        "janus.jit\nwarmup=0": lambda model: janus.jit(step, warmup=0),
        "jax.jit\nby hand": hand_jitted_step,
    }
    outcomes = []
    for name, make in makers.items():
        jax.clear_caches()  # what JAX compiled for one run is not to be a gift to the next
        model = LeNet(jax.random.key(SEED))
        outcomes.append(train(name, make(model), model, data, console))
    show(console, outcomes)


if __name__ == "__main__":
    main()
