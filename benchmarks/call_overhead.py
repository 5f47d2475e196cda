"""What a call of a compiled function costs beside its native work.

Calls hand-written native entries through the runtime, and ``jax.jit`` of the same function in the same
process, in turns; medians over rounds. Needs a C compiler.

    python benchmarks/call_overhead.py [--rounds N]
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable
from ctypes import CDLL, c_void_p, cast
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from janus_mlir._native import _runtime
from janus_mlir.runtime import jax_arrays

ROOT = Path(__file__).parents[1]
LENGTH = 8
F32 = 11


def load_entries(directory: str) -> CDLL:
    """Compile the entries that the runtime's tests use."""
    library = Path(directory) / "entries.so"
    compiler = (sysconfig.get_config_var("CC") or "cc").split()[0]
    source = ROOT / "tests" / "runtime" / "entries.c"
    subprocess.run(
        [compiler, "-O2", "-shared", "-fPIC", f"-I{ROOT / 'csrc'}", str(source), "-o", str(library)],
        check=True,
    )
    loaded = CDLL(str(library))
    addresses = list(_runtime.abi_symbols().values())
    loaded.bind_runtime((c_void_p * len(addresses))(*addresses))
    return loaded


def add4(a: Any, b: Any, c: Any, d: Any) -> Any:
    """Compute what the native entry of this name computes."""
    return a + b + c + d


def compiled(entries: CDLL, kind: str, checks: list[tuple[Any, ...]], slots: int = 4) -> _runtime.JitFunction:
    """Make `add4` with arrays of one kind ("numpy" or "jax") as arguments and result."""
    arrays = [("array", index, kind, F32, [LENGTH], False, 0) for index in range(4)]
    bindings = [("bind_tensor", index, []) for index in range(4)]
    wrap = jax_arrays.make_wrap((LENGTH,), np.float32) if kind == "jax" else None
    site = (0, "return", [(kind, F32, 0, wrap)], None, False, "single")
    address = cast(entries.add4, c_void_p).value
    assert address is not None
    version = _runtime.Version(address, slots, [*checks, *arrays, *bindings], [], [site], entries)

    def on_miss(args: tuple[Any, ...], kwargs: dict[str, Any] | None) -> Any:
        raise AssertionError("the version does not apply")

    function = _runtime.JitFunction(add4, None, (("a", "b", "c", "d"), 0, 4, 0, False, False), on_miss)
    function.set_versions([version])
    return function


class Model:
    """Something to put guards on."""

    def __init__(self) -> None:
        self.rate = 0.5
        self.layers = [object() for _ in range(3)]


def model_checks() -> tuple[list[tuple[Any, ...]], int]:
    """Make guards on a global object's attributes, of the kind that capture writes."""
    model = Model()
    scope = {"model": model}
    checks: list[tuple[Any, ...]] = [
        ("global", 4, scope, "model"),
        ("type_is", 4, Model),
        ("attr", 5, 4, "rate"),
        ("eq", 5, 0.5),
        ("attr", 6, 4, "layers"),
        ("len", 6, 3),
    ]
    for index, layer in enumerate(model.layers):
        checks += [("index", 7 + index, 6, index), ("is", 7 + index, layer)]
    return checks, 10


def nanoseconds(function: Callable[..., Any], args: tuple[Any, ...], repeats: int) -> float:
    """Time one call, the loop's own cost included."""
    a, b, c, d = args
    start = time.perf_counter_ns()
    for _ in range(repeats):
        function(a, b, c, d)
    return (time.perf_counter_ns() - start) / repeats


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=21)
    rounds = parser.parse_args().rounds
    jax.config.update("jax_platforms", "cpu")
    numpy_args = tuple(np.full(LENGTH, value, np.float32) for value in range(4))
    jax_args = tuple(jnp.asarray(array) for array in numpy_args)
    with tempfile.TemporaryDirectory() as directory:
        entries = load_entries(directory)
    jitted = jax.jit(add4)
    checks, slots = model_checks()
    cases: list[tuple[str, Callable[..., Any], tuple[Any, ...], int]] = [
        ("Python function that does nothing", lambda a, b, c, d: None, numpy_args, 20_000),
        ("NumPy, eager", add4, numpy_args, 5_000),
        ("Janus runtime, 4 NumPy arrays", compiled(entries, "numpy", []), numpy_args, 20_000),
        ("  with 12 guards on a model", compiled(entries, "numpy", checks, slots), numpy_args, 20_000),
        ("Janus runtime, 4 JAX arrays", compiled(entries, "jax", []), jax_args, 2_000),
        ("jax.jit, 4 JAX arrays", jitted, jax_args, 1_000),
        ("jax.jit, 4 NumPy arrays", jitted, numpy_args, 500),
    ]
    for _, function, args, _ in cases:
        result = function(*args)
        assert result is None or np.array_equal(np.asarray(result), np.full(LENGTH, 6.0))
    samples: dict[str, list[float]] = {name: [] for name, *_ in cases}
    for _ in range(rounds):
        for name, function, args, repeats in cases:
            samples[name].append(nanoseconds(function, args, repeats))
    print(f"one call of f(a, b, c, d), float32[{LENGTH}], median and minimum of {rounds} rounds")
    for name, values in samples.items():
        print(f"{name:36}{statistics.median(values) / 1000:9.3f} us {min(values) / 1000:9.3f} us")


if __name__ == "__main__":
    sys.exit(main())
