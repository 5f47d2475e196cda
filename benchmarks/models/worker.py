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
        answer = (
            steps(training, command["count"], command["seconds"])
            if command["do"] == "steps"
            else report(functions)
        )
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
