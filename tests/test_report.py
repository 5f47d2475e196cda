"""What ``explain()`` shows: every line of the source, guards, times, reasons; as text, HTML and from the command line."""

from __future__ import annotations

import html.parser
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import janus_mlir as janus
from janus_mlir.reasons import REASONS


@pytest.fixture(autouse=True)
def no_stress():
    """These tests look at counters."""
    with janus.config(stress=None):
        yield


class Layer:
    def __init__(self, n: int) -> None:
        self.w = np.eye(n)
        self.scale = 2.0

    def forward(self, x):
        y = x @ self.w
        return y * self.scale


@janus.jit(warmup=2)
def train(layers, x, name="<b>"):
    """Docstring with <b> & co."""
    # A comment.
    for layer in layers:
        x = layer.forward(x)
    if name == "<script>":
        x = np.linalg.svd(
            x,
        )[1]
    total = x.sum()
    return total


@pytest.fixture
def report() -> Any:
    train.clear_cache()
    layers = [Layer(4), Layer(4)]
    for rows in (3, 3, 3, 5, 3):
        train(layers, np.ones((rows, 4)))
    train(layers, np.ones((4, 4)), "<script>")
    return train.explain()


def marks(report: Any) -> dict[str, str]:
    return {line.text.strip(): line.mark for line in report.source}


def test_each_line_has_its_mark(report: Any) -> None:
    found = marks(report)
    assert found["@janus.jit(warmup=2)"] == ""
    assert found['"""Docstring with <b> & co."""'] == ""
    assert found["# A comment."] == ""
    assert found['def train(layers, x, name="<b>"):'] == "s"
    assert found["for layer in layers:"] == "s"
    assert found["x = layer.forward(x)"] == "s"
    assert found["x = np.linalg.svd("] == found[")[1]"] == "p"
    assert found["return total"] == "c"
    notes = {line.text.strip(): " ".join(line.notes) for line in report.source}
    assert "assumes name == '<b>'" in notes['def train(layers, x, name="<b>"):']
    assert "JN301" in notes["x = np.linalg.svd("] and REASONS["JN301"].hint in notes["x = np.linalg.svd("]
    (inlined,) = report.inlined
    assert inlined.name == "Layer.forward"
    assert {line.text.strip(): line.mark for line in inlined.lines}["y = x @ self.w"] == "s"


def test_lines_that_were_not_reached() -> None:
    @janus.jit(warmup=2)
    def pick(x, mode=0):
        if mode == 1:
            x = x * 2
        return x

    for _ in range(4):
        pick(np.ones(3))
    found = marks(pick.explain())
    assert (found["x = x * 2"], found["return x"]) == ("-", "c")


def test_nothing_compiled_is_left_to_python() -> None:
    @janus.jit
    def twice(x):
        return x * 2

    assert marks(twice.explain())["return x * 2"] == "p"
    assert "warming up" in str(twice.explain())


def test_guards_name_argument_expectation_and_value(report: Any) -> None:
    text = str(report)
    assert "x: expected numpy float64[3, 4], got numpy float64[5, 4]" in text
    assert "name: expected == '<b>', got '<script>'" in text
    guards = {g.text: g for v in report.versions for g in v.guards if v.state == "in use"}
    shape = guards["x: numpy float64[d0, 4]"]
    assert shape.hits == 2 and shape.failures == 0 and shape.entry
    assert guards["name == '<b>'"].failures == 1


def test_time_is_accounted_for(report: Any) -> None:
    spent = report.seconds
    assert set(spent) == {
        "profile", "capture", "compile", "guards", "native code", "effects and results", "deopts", "Python",
    }  # fmt: skip
    assert all(
        spent[name] > 0 for name in ("profile", "capture", "compile", "guards", "native code", "Python")
    )
    stats = train.stats
    assert spent["capture"] + spent["compile"] == pytest.approx(stats.compile_seconds)
    assert re.search(r"time: profile [\d.]+ [mu]?s, capture", str(report))


def test_time_of_deopts() -> None:
    @janus.jit(warmup=1)
    def share(x, n):
        return x * (1.0 / n)

    for n in (1.0, 2.0, 3.0):
        share(np.ones(3), n)
    with pytest.raises(ZeroDivisionError):
        share(np.ones(3), 0.0)
    assert share.explain().seconds["deopts"] > 0
    assert "not so: the divisor is not zero [zero]" in str(share.explain())


def test_the_rest_after_a_statement_left_to_python() -> None:
    @janus.jit(warmup=1)
    def values(x):
        y = x * 2
        z = np.linalg.svd(y)[1]
        w = z + 1
        return w.sum()

    for _ in range(6):
        values(np.eye(3))
    report = values.explain()
    found = marks(report)
    assert (found["y = x * 2"], found["z = np.linalg.svd(y)[1]"], found["w = z + 1"]) == ("s", "p", "c")
    (rest,) = report.rests
    assert rest.counters["compiled"] > 0
    line = values.__code__.co_firstlineno + 4
    assert f"the rest, from line {line}: compiled" in str(report)
    assert f"the rest, from line {line}" in report._repr_html_()
    assert report.seconds["Python"] < 10 * rest.seconds["compile"], "what a compilation takes is not Python's"


class _Checker(html.parser.HTMLParser):
    """Collects tags and text, and sees that what is opened is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.text = ""
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in ("meta", "hr"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_html_is_self_contained_and_escaped(report: Any) -> None:
    text = report._repr_html_()
    checker = _Checker()
    checker.feed(text)
    assert checker.open == []
    assert not checker.tags & {"script", "b", "link", "img"} and not checker.links
    assert "<style>" in text
    for part in ("got '<script>'", "Docstring with <b> & co.", "JN301", "Layer.forward", "native code"):
        assert part in checker.text


def test_a_repr_that_fails_is_shown_as_such() -> None:
    class Odd:
        def __repr__(self) -> str:
            raise RuntimeError("no")

    @janus.jit(warmup=1)
    def pick(x, o):
        return x * (2 if o is None else 3)

    for o in (None, None, None, Odd()):
        pick(np.ones(2), o)
    assert "got <Odd: no>" in str(pick.explain())


SCRIPT = """
import sys
import numpy as np
import janus_mlir as janus

@janus.jit
def double(x):
    return x * 2

def main():
    for n in range(6):
        double(np.ones(int(sys.argv[1]) + n))
    print("done")
    if len(sys.argv) > 2:
        raise SystemExit(3) if sys.argv[2] == "exit" else KeyError("mine")

if __name__ == "__main__":
    main()
"""


def command(tmp_path: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    words = [str(script) if a == "SCRIPT" else a for a in arguments]
    return subprocess.run(
        [sys.executable, "-m", "janus_mlir", *words],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={"PATH": "", "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), **environment},
        timeout=300,
    )


def test_explain_a_script(tmp_path: Path) -> None:
    done = command(tmp_path, "explain", "SCRIPT", "3")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("done\n")
    assert "double (" in done.stdout and "return x * 2" in done.stdout
    done = command(tmp_path, "explain", "--html", "out.html", "SCRIPT", "3")
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "out.html").read_text()
    assert page.startswith("<!doctype html>") and "return x * 2" in page


def test_a_script_that_fails_is_explained_too(tmp_path: Path) -> None:
    done = command(tmp_path, "explain", "SCRIPT", "3", "error")
    assert done.returncode == 1
    assert "KeyError: 'mine'" in done.stderr and "double (" in done.stdout
    assert command(tmp_path, "explain", "SCRIPT", "3", "exit").returncode == 3


def test_dump_a_script(tmp_path: Path) -> None:
    done = command(tmp_path, "dump", "--to", "ir", "SCRIPT", "3")
    assert done.returncode == 0, done.stderr
    names = [path.name for path in (tmp_path / "ir" / "double.0").iterdir()]
    assert any("captured" in name or "linalg" in name for name in names)


def test_log_channels(tmp_path: Path) -> None:
    script = tmp_path / "s.py"
    script.write_text(SCRIPT.replace("x * 2", "x * 2 if x.sum() < 8 else x"))
    done = subprocess.run(
        [sys.executable, str(script), "3"],
        capture_output=True,
        text=True,
        env={
            "PATH": "",
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            "JANUS_LOG": "guards,deopts,compile,capture",
            "JANUS_WARMUP": "0",
        },
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert "[janus compile] double:" in done.stderr
    assert "[janus guards] double: x: expected numpy float64[3], got numpy float64[4]" in done.stderr
    assert "[janus capture] double" in done.stderr
