"""The driver: dumps, texts and failures."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from emit import native

from janus_mlir._native import _compiler
from janus_mlir.capture.graph import Builder, Graph, TensorType
from janus_mlir.compile import PHASES, compile_graph, lower_text
from janus_mlir.compile import driver as driver_module
from janus_mlir.config import config
from janus_mlir.errors import CompileError


@pytest.fixture
def graph() -> Graph:
    builder = Builder(Graph("f"))
    vector = TensorType("f32", (4,))
    x = builder.input(vector, "x")
    builder.graph.return_site = 0
    builder.op("return", [builder.one("lax.add", [x, x], vector)])
    return builder.graph


def test_compile_and_texts(graph: Graph) -> None:
    compiled = compile_graph(graph, symbols=native.symbols())
    assert compiled.address != 0
    assert set(compiled.seconds) == {"emit", *PHASES, "jit", "link"}
    assert "lax.add" in compiled.as_text("captured")
    assert "lax." not in compiled.as_text("linalg")
    assert "llvm.func" in compiled.as_text("llvm")


def test_unknown_phase(graph: Graph) -> None:
    with pytest.raises(ValueError, match="captured"):
        lower_text(graph, "assembled")


def test_dump(graph: Graph, tmp_path: Path) -> None:
    with config(dump_ir=tmp_path):
        compile_graph(graph, symbols=native.symbols())
    (folder,) = tmp_path.iterdir()
    assert sorted(path.name for path in folder.iterdir()) == [
        f"{k:02d}-{p}.mlir" for k, p in enumerate(PHASES)
    ]
    assert 'janus.phase = "llvm"' in (folder / f"{len(PHASES) - 1:02d}-llvm.mlir").read_text()


def test_failure_leaves_a_reproducer(graph: Graph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = _compiler.run_phase

    class Failing:
        CompileError = _compiler.CompileError

        @staticmethod
        def run_phase(module: object, phase: str, verify_each: bool) -> None:
            if phase == "linalg":
                raise _compiler.CompileError("no lowering for 'lax.add'")
            run(module, phase, verify_each=verify_each)

    monkeypatch.setattr(driver_module, "_compiler", Failing)
    with config(dump_ir=tmp_path), pytest.raises(CompileError, match="no lowering for 'lax.add'") as caught:
        compile_graph(graph, symbols={})
    assert caught.value.phase == "linalg"
    command = re.search(r"janus-opt --janus-phase-linalg (\S+)", str(caught.value))
    assert command is not None
    text = Path(command[1]).read_text()
    assert text.startswith("// janus-opt --janus-phase-linalg ")
    assert "lax.add" in text


def test_invalid_graph(tmp_path: Path) -> None:
    builder = Builder(Graph("f"))
    x = builder.input(TensorType("f32", (4,)), "x")
    builder.graph.return_site = 0
    builder.op("return", [builder.one("lax.add", [x, x], TensorType("f32", (5,)))])
    with config(dump_ir=tmp_path), pytest.raises(CompileError, match="same type") as caught:
        compile_graph(builder.graph, symbols={})
    assert caught.value.phase == "captured"
    assert "janus-opt --janus-phase-captured" in str(caught.value)


def test_log(graph: Graph, capsys: pytest.CaptureFixture[str]) -> None:
    with config(log="compile"):
        compile_graph(graph, symbols=native.symbols())
    assert "[janus compile] f: " in capsys.readouterr().err
