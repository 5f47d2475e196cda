"""One column of one program in a process of its own, driven by lines of JSON on its standard input.

python -m benchmarks.models.worker PROGRAM COLUMN PROFILE WARMUP
"""

from __future__ import annotations

import dataclasses
import importlib
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from .sizes import SIZES

COLUMNS = {
    "janus": "janus.jit",
    "eager": "eager JAX",
    "jax": "jax.jit",
    "torch": "PyTorch",
    "compile": "torch.compile",
}


def load(program: str, column: str, profile: str, warmup: int = 0) -> tuple[Any, tuple[Any, ...]]:
    """Return a training, and its functions under ``janus.jit``."""
    size = SIZES[program][profile]
    if column in ("janus", "eager"):
        import janus_mlir as janus

        janus.config.update(warmup=warmup, disable=column == "eager")
        module = importlib.import_module(f".programs.{program}", __package__)
        return module.Training(size), module.COMPILED if column == "janus" else ()
    if column == "jax":
        return importlib.import_module(f".symbolic.{program}", __package__).Training(size), ()
    import torch

    torch.manual_seed(0)
    if column == "compile":
        from torch import _dynamo

        _dynamo.config.allow_rnn = True  # without it, programs with nn.LSTM are not compiled at all
    module = importlib.import_module(f".pytorch.{program}", __package__)
    return module.Training(size, torch.compile if column == "compile" else lambda f: f), ()


def peak_memory() -> float:
    """Return the most memory that this process has had, in MB. (``getrusage`` begins with that of the parent.)"""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return float("nan")


def steps(training: Any, count: int, seconds: float) -> dict[str, Any]:
    """Run `count` steps, fewer if they take longer than `seconds`."""
    result: dict[str, list[float]] = {"seconds": [], "losses": [], "items": []}
    end = time.perf_counter() + seconds
    for _ in range(count):
        start = time.perf_counter()
        loss = training.step()
        now = time.perf_counter()
        result["seconds"].append(now - start)
        result["losses"].append(float(loss))
        result["items"].append(training.items)
        if now > end:
            break
    return result


def nudge(training: Any) -> int:
    """Move every weight by one unit in the last place, up or down by chance; return how many arrays have moved."""
    import jax.numpy as jnp
    import numpy as np

    random = np.random.default_rng(0)
    seen: set[int] = set()
    moved = 0
    open_ = [training]
    while open_:
        value = open_.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, dict):
            for name, item in value.items():
                if isinstance(item, jnp.ndarray) and item.dtype == np.float32:
                    array = np.asarray(item)
                    towards = random.choice(np.float32([-np.inf, np.inf]), array.shape)
                    value[name] = jnp.asarray(np.where(array == 0, array, np.nextafter(array, towards)))
                    moved += 1
                else:
                    open_.append(item)
        elif isinstance(value, list | tuple):
            open_ += value
        elif type(value).__module__.startswith(__package__ or "") and hasattr(value, "__dict__"):
            open_ += vars(value).values()
    return moved


def report(functions: tuple[Any, ...]) -> dict[str, Any]:
    counters: dict[str, float] = {}
    left: list[str] = []
    for function in functions:
        for name, value in dataclasses.asdict(function.stats).items():
            counters[name] = counters.get(name, 0) + value
        left += [f"{function.__qualname__} {reason}" for reason in function.explain().breaks]
    return {"memory": peak_memory(), "stats": counters, "left": left}


def main() -> None:
    program, column, profile, warmup = sys.argv[1:]
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what programs and compilers print does not get among the answers
    training, functions = load(program, column, profile, int(warmup))
    print(json.dumps({"ready": True}), file=answers, flush=True)
    for line in sys.stdin:
        command = json.loads(line)
        match command["do"]:
            case "steps":
                answer = steps(training, command["count"], command["seconds"])
            case "nudge":
                answer = {"moved": nudge(training)}
            case _:
                answer = report(functions)
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
