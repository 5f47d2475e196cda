"""The programs of benchmarks/models train the same under Janus, under `jax.jit` by hand, and eagerly."""

from __future__ import annotations

import importlib
import math
import sys
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

import janus_mlir as janus

pytest.importorskip("sklearn")

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = (
    "lenet", "resnet50", "inception3", "lstm", "lm", "treernn", "treelstm", "a3c", "ppo", "an", "pix2pix",
)  # fmt: skip
#: Those that `make test` runs; `make test-exhaustive` runs all, and eagerly as well, where JAX prepares each operation for long.
SHORT = {"lenet", "lstm", "an", "a3c"}
NEEDS = {"a3c": "gymnasium", "ppo": "gymnasium", "pix2pix": "PIL"}
STEPS = 6


@pytest.fixture(autouse=True)
def _path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT))


def train(kind: str, name: str) -> tuple[list[float], Any]:
    size = importlib.import_module("benchmarks.models.sizes").SIZES[name]["tiny"]
    module = importlib.import_module(f"benchmarks.models.{kind}.{name}")
    training = module.Training(size)
    losses = [training.step() for _ in range(STEPS)]
    assert all(map(math.isfinite, losses))
    return losses, module


def same(a: list[float], b: list[float]) -> None:
    np.testing.assert_allclose(a, b, rtol=2e-3, atol=1e-4)


@pytest.mark.parametrize("name", sorted(SHORT))
def test_trains_as_by_hand(name: str) -> None:
    if name in NEEDS:
        pytest.importorskip(NEEDS[name])
    with janus.config(warmup=0):
        compiled, module = train("programs", name)
    same(compiled, train("symbolic", name)[0])
    if janus.config.stress is None:
        for function in module.COMPILED:
            assert function.stats.deopts == 0, function.explain()
            assert function.stats.compiled_calls == function.stats.calls, function.explain()


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", PROGRAMS)
def test_trains_as_eagerly(name: str) -> None:
    if name in NEEDS:
        pytest.importorskip(NEEDS[name])
    with janus.config(disable=True):
        eager, _ = train("programs", name)
    same(train("programs", name)[0], eager)
    same(train("symbolic", name)[0], eager)


def test_sizes_name_every_program() -> None:
    sizes = importlib.import_module("benchmarks.models.sizes")
    assert set(sizes.SIZES) == set(sizes.UNITS) == set(PROGRAMS)
    for profiles in sizes.SIZES.values():
        assert set(profiles) == {"tiny", "small", "paper"}
    for folder in ("programs", "symbolic", "pytorch"):
        found = {path.stem for path in (ROOT / "benchmarks" / "models" / folder).glob("*.py")}
        assert set(PROGRAMS) <= found, folder


def test_table(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The tables can be shown again from what a run has written."""
    found = tmp_path / "results.json"
    column = {"first": 1.0, "rates": [2.0, 4.0], "losses": [1.0, 0.5], "memory": 100.0}
    stats = {"versions": 1, "compilations": 1, "compile_seconds": 0.5, "guard_failures": 0, "deopts": 0}
    ours = column | {"rates": [4.0, 8.0], "stats": stats, "steady": {"calls": 4, "compiled_calls": 4}}
    content = f"""{{"profile": "tiny", "versions": {{"Python": "3"}}, "programs":
        {{"lenet": {{"janus": {ours}, "eager": {column}}}}}}}"""
    found.write_text(content.replace("'", '"'))
    monkeypatch.setattr(sys, "argv", ["models", "--load", str(found)])
    monkeypatch.setenv("COLUMNS", "200")
    importlib.import_module("benchmarks.models.__main__").main()
    printed = capsys.readouterr().out
    assert "2x" in printed and "100%" in printed and "0e+00 in 2" in printed


def test_convergence_of_curves() -> None:
    agreement = importlib.import_module("benchmarks.models.convergence").agreement
    eager = [3.0, 2.0, 1.5, 1.2, 1.0]
    assert agreement(eager, [*eager, 0.5]) == agreement(eager, eager)
    assert agreement(eager, eager).parted is None
    found = agreement(eager, [3.0, 2.0, 1.5, 1.2, 1.2])
    assert found.parted == 4 and found.largest == pytest.approx(0.1) == found.at_end


@pytest.mark.exhaustive
def test_convergence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Both trainings run in processes of their own, and come to the same losses."""
    found = tmp_path / "losses.json"
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("COLUMNS", "200")
    module = importlib.import_module("benchmarks.models.convergence")
    for arguments in (
        ["treernn", "--profile", "tiny", "--steps", "8", "--json", str(found)],
        ["--load", str(found)],
    ):
        monkeypatch.setattr(sys, "argv", ["convergence", *arguments])
        module.main()
        assert "never" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["hidden_state", "batch_norm_branch", "branch_on_data"])
def test_negative_examples(name: str) -> None:
    negative = importlib.import_module("benchmarks.models.negative")
    program = getattr(negative, name)
    expected, error = negative.collect(program, jax.numpy, lambda f: f)
    assert not error
    assert "right" not in negative.verdict(expected, negative.collect(program, jax.numpy, jax.jit))
    assert "[green]right" in negative.with_janus(program, expected)
