"""Object code between processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from emit import native

from janus_mlir.capture.graph import Builder, Graph, TensorType
from janus_mlir.compile import PHASES, Compiled, compile_graph
from janus_mlir.config import config

PROGRAM = """
import sys
sys.path.insert(0, {tests!r})
from compile.test_cache import run
print(run(float(sys.argv[1])))
"""


def _graph(factor: float) -> Graph:
    builder = Builder(Graph("f"))
    vector = TensorType("f32", (4,))
    x = builder.input(vector, "x")
    scale = builder.one("constant", [], vector, value=np.full(4, factor, np.float32))
    builder.graph.return_site = 0
    builder.op("return", [builder.one("lax.mul", [x, scale], vector)])
    return builder.graph


def _call(compiled: Compiled) -> np.ndarray:
    status, ((_, (result,)),) = native.Call().run(compiled.graph, compiled.address, [np.ones(4, np.float32)])
    assert status == 0
    return result


def run(factor: float) -> str:
    """Compile and call; return whether the phases ran, and the result."""
    compiled = compile_graph(_graph(factor), symbols=native.symbols())
    return f"{PHASES[-1] in compiled.seconds} {_call(compiled)[0]}"


def test_found_in_another_process(tmp_path: Path) -> None:
    tests = str(Path(__file__).parents[1])

    def process(factor: float) -> str:
        return subprocess.run(
            [sys.executable, "-P", "-c", PROGRAM.format(tests=tests), str(factor)],
            env={**os.environ, "JANUS_CACHE_DIR": str(tmp_path)},
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()

    assert process(2.0) == "True 2.0"
    assert process(2.0) == "False 2.0"
    assert process(3.0) == "True 3.0"


def test_damaged_entry_is_compiled_anew(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with config(cache_dir=tmp_path, log="cache"):
        assert run(5.0) == "True 5.0"
        assert run(5.0) == "False 5.0"
        (entry,) = tmp_path.rglob("*.a")
        entry.write_bytes(entry.read_bytes()[:-9])
        assert run(5.0) == "True 5.0"
        assert run(5.0) == "False 5.0"
    assert "damaged" in capsys.readouterr().err


def test_options_are_part_of_the_key(tmp_path: Path) -> None:
    with config(cache_dir=tmp_path):
        assert run(7.0) == "True 7.0"
        with config(opt_level=1):
            assert run(7.0) == "True 7.0"


def test_unwritable_folder_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with config(cache_dir=tmp_path / "file" / "cache"):
        assert run(9.0) == "True 9.0"
