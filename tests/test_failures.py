"""Whatever fails within Janus, the call returns Python's answer, and `explain` says what failed."""

from __future__ import annotations

import copy
import gc
import os
import pickle
import re
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import janus_mlir as janus
from janus_mlir import versions
from janus_mlir._native import _compiler
from janus_mlir.capture.machine import Machine
from janus_mlir.compile import PHASES, driver
from janus_mlir.emit.module import Module


@pytest.fixture(autouse=True)
def as_users_have_it(tmp_path: Path):
    with janus.config(stress=None, debug=False, dump_ir=str(tmp_path)):
        yield


def fresh() -> Any:
    @janus.jit(warmup=1)
    def total(x, n=1):
        y = x * 2
        return (y + n).sum()

    return total


def agrees(function: Any, calls: int = 5) -> None:
    for i in range(calls):
        x = np.arange(3.0 + i % 2)
        assert function(x, i) == function.function(x, i)


def raising(error: BaseException) -> Callable[..., Any]:
    def fail(*_: Any, **__: Any) -> Any:
        raise error

    return fail


# ---- injected failures


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (Machine, "step"),
        (versions, "capture"),
        (driver, "emit_module"),
        (Module, "__init__"),
        (_compiler, "run_phase"),
        (_compiler, "compile"),
        (_compiler, "load"),
        (versions.VersionRecord, "make"),
    ],
    ids=lambda v: getattr(v, "__name__", v),
)
@pytest.mark.parametrize(
    "error", [ValueError("injected"), AssertionError("injected"), KeyError("injected")], ids=repr
)
def test_injected_failure(monkeypatch: Any, tmp_path: Path, owner: Any, name: str, error: Exception) -> None:
    function = fresh()
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, raising(error))
        agrees(function)
    report = str(function.explain())
    assert "injected" in report and re.search(r"JN70[12]", report)
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(str(path) in report for path in written), (report, written)
    agrees(function)


@pytest.mark.parametrize("phase", PHASES)
def test_failure_in_a_phase_has_a_reproducer(
    monkeypatch: Any, tmp_path: Path, janus_opt: str, phase: str
) -> None:
    function = fresh()
    run = _compiler.run_phase

    def fail(module: Any, name: str, **options: Any) -> None:
        if name == phase:
            raise _compiler.CompileError(f"injected in {name}")
        run(module, name, **options)

    with monkeypatch.context() as patch:
        patch.setattr(_compiler, "run_phase", fail)
        agrees(function)
    report = str(function.explain())
    assert "JN701" in report and f"injected in {phase}" in report
    command = re.search(rf"janus-opt --janus-phase-{phase} (\S+)", report)
    assert command is not None
    text = Path(command[1]).read_text()
    assert f"--janus-phase-{phase}" in text and "lax.mul" in text
    # What was captured is sound: only the injected failure stood in the way.
    done = subprocess.run([janus_opt, f"--janus-phase-{phase}", command[1]], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_malformed_ir(monkeypatch: Any, tmp_path: Path) -> None:
    """IR that the verifier refuses is a failure of the compiler like any other."""
    function = fresh()
    emit = driver.emit_module

    def broken(graph: Any, **options: Any) -> Any:
        module = emit(graph, **options)
        block = module.module.body.operations[0].regions[0].blocks[0]
        block.operations[len(block.operations) - 1].erase()
        return module

    with monkeypatch.context() as patch:
        patch.setattr(driver, "emit_module", broken)
        agrees(function)
    assert "JN70" in str(function.explain())


def test_other_versions_stay_in_use(monkeypatch: Any) -> None:
    function = fresh()
    agrees(function)
    before = function.stats.compiled_calls
    with monkeypatch.context() as patch:
        patch.setattr(_compiler, "run_phase", raising(ValueError("injected")))
        assert function(np.arange(3, dtype=np.int32), 1) == 9
    agrees(function)
    assert function.stats.compiled_calls == before + 5
    assert "injected" in str(function.explain())


def test_nothing_can_be_written(monkeypatch: Any, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    function = fresh()
    with janus.config(dump_ir=str(file / "below")), monkeypatch.context() as patch:
        patch.setattr(_compiler, "run_phase", raising(ValueError("injected")))
        patch.setattr(driver._Dump, "create", classmethod(lambda cls, name: None))
        agrees(function)
    assert "No reproducer was written" in str(function.explain())


# ---- interrupts


@pytest.mark.parametrize("owner", [Machine, _compiler], ids=["capture", "compile"])
def test_interrupt_leaves_a_usable_function(monkeypatch: Any, owner: Any) -> None:
    function = fresh()
    x = np.arange(3.0)
    function(x)
    with monkeypatch.context() as patch:
        patch.setattr(owner, "step" if owner is Machine else "run_phase", raising(KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            function(x)
    agrees(function)
    assert function.stats.versions >= 1


def test_too_little_stack_for_capture_is_no_verdict(monkeypatch: Any) -> None:
    function = fresh()
    with monkeypatch.context() as patch:
        patch.setattr(Machine, "step", raising(RecursionError()))
        agrees(function)
    agrees(function, 80)
    assert function.stats.versions >= 1


def test_errors_of_the_program_are_its_own() -> None:
    @janus.jit(warmup=1)
    def pick(x, i):
        return x[i] * 2

    for _ in range(4):
        assert pick([1.0, 2.0], 1) == 4.0
    with pytest.raises(IndexError):
        pick([1.0, 2.0], 2)
    with pytest.raises(TypeError):
        pick([1.0, 2.0])
    with pytest.raises(TypeError):
        pick(None, 0)
    assert pick([1.0, 2.0], 1) == 4.0


# ---- re-entrancy


def test_called_from_its_own_effects() -> None:
    log: list[Any] = []

    class Hook:
        def __init__(self) -> None:
            object.__setattr__(self, "depth", 0)

        def __setattr__(self, name: str, value: Any) -> None:
            log.append((name, float(value)))
            if self.depth < 3:
                object.__setattr__(self, "depth", self.depth + 1)
                step(self, np.full(2, float(self.depth)))
                object.__setattr__(self, "depth", self.depth - 1)
            object.__setattr__(self, name, value)

    @janus.jit(warmup=1)
    def step(hook, x):
        y = x * 2
        hook.value = float(y.sum())
        return y.sum()

    def run(function: Any) -> list[Any]:
        log.clear()
        nonlocal step
        saved, step = step, function
        results = [function(Hook(), np.full(2, float(i))) for i in range(6)]
        step = saved
        return [results, list(log)]

    assert run(step) == run(step.function)


def test_called_from_a_destructor() -> None:
    results: list[float] = []

    class Last:
        def __del__(self) -> None:
            results.append(float(double(np.ones(2))))

    class Holder:
        thing: Any = None

    @janus.jit(warmup=1)
    def double(x):
        return (x * 2).sum()

    @janus.jit(warmup=1)
    def replace(holder, x):
        y = x + 1
        holder.thing = None
        return y.sum()

    for _ in range(6):
        holder = Holder()
        holder.thing = Last()
        assert replace(holder, np.ones(3)) == 6.0
    gc.collect()
    assert results == [4.0] * 6


def test_called_from_a_printing_repr(capsys: Any) -> None:
    class Talks:
        def __str__(self) -> str:
            return f"<{double(np.ones(2))}>"

    @janus.jit(warmup=1)
    def double(x):
        return float((x * 2).sum())

    @janus.jit(warmup=1)
    def say(x, what):
        y = x.sum()
        print("sum", float(y), what)
        return y

    for _ in range(5):
        assert say(np.ones(3), Talks()) == 3.0
    assert capsys.readouterr().out == "sum 3.0 <4.0>\n" * 5


# ---- copies, life times, processes


@janus.jit
def module_level(x):
    return x * 2


def test_copies_and_pickles_are_the_function() -> None:
    assert copy.copy(module_level) is copy.deepcopy(module_level) is module_level
    assert pickle.loads(pickle.dumps(module_level)) is module_level
    assert copy.deepcopy({"f": module_level})["f"] is module_level


class Payload:
    def __init__(self) -> None:
        self.w = np.ones(4)


def test_arguments_are_not_kept() -> None:
    @janus.jit(warmup=2)
    def step(payload, x, items):
        payload.w = payload.w + x
        items.append(payload.w.sum())
        return payload.w

    references = []
    for _ in range(8):
        payload, x, items = Payload(), np.ones(4), []
        references += [weakref.ref(payload), weakref.ref(x)]
        result = step(payload, x, items)
        references.append(weakref.ref(result))
        del payload, x, items, result
    gc.collect()
    assert step.stats.compiled_calls > 0
    assert [r() for r in references] == [None] * len(references)


def test_reference_counts_are_steady() -> None:
    @janus.jit(warmup=2)
    def step(payload, x):
        return payload.w + x

    payload, x = Payload(), np.ones(4)
    for _ in range(5):
        step(payload, x)
    before = [sys.getrefcount(o) for o in (payload, payload.w, x, Payload, None)]
    for _ in range(200):
        step(payload, x)
    after = [sys.getrefcount(o) for o in (payload, payload.w, x, Payload)]
    assert after == before[:4]


def test_functions_and_versions_are_collected() -> None:
    function: Any = fresh()
    agrees(function)
    natives = [weakref.ref(v.owner) for v in function.versions]
    assert natives
    manager = weakref.ref(function.companion)
    del function
    gc.collect()
    assert manager() is None
    assert [n() for n in natives] == [None] * len(natives)


def test_retired_versions_let_go_of_their_code() -> None:
    function = fresh()
    for _ in range(4):
        function(np.ones(3))
    owner = weakref.ref(function.versions[0].owner)
    function(np.ones(4))
    assert "retired" in str(function.explain())
    gc.collect()
    assert owner() is None


def test_disabled_by_option() -> None:
    function = fresh()
    with janus.config(disable=True):
        agrees(function, 8)
    assert function.stats.compiled_calls == 0


def test_disabled_after_it_was_compiled() -> None:
    function = fresh()
    agrees(function)
    before = function.stats.compiled_calls
    with janus.config(disable=True):
        agrees(function)
        assert function.stats.compiled_calls == before
        elsewhere = threading.Thread(target=agrees, args=(function,))
        elsewhere.start()
        elsewhere.join()
        assert function.stats.compiled_calls == before + 5, "options of a block are those of its thread"
    agrees(function)
    assert function.stats.compiled_calls == before + 10
    janus.config.update(disable=True)
    agrees(function)
    janus.config.update(disable=False)
    assert function.stats.compiled_calls == before + 10


def test_disabled_by_environment(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import numpy as np, janus_mlir as janus\n"
        "@janus.jit\ndef f(x):\n    return x * 2\n"
        "for _ in range(9): f(np.ones(3))\n"
        "print(f.stats.calls, f.stats.compiled_calls, f.stats.compilations)\n"
    )
    environment = {"PATH": "", "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "JANUS_DISABLE": "1"}
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, env=environment)
    assert done.stdout.split() == ["9", "0", "0"], done.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_forked_processes(tmp_path: Path) -> None:
    """A child uses what its parent compiled, and compiles more."""
    script = tmp_path / "script.py"
    script.write_text(
        "import os, signal\n"
        "import numpy as np, janus_mlir as janus\n"
        "@janus.jit(warmup=1)\ndef f(x, w):\n    return np.tanh(x @ w).sum()\n"
        "def run(d):\n"
        "    x, w = np.ones((64, 128), d), np.ones((128, 256), d)\n"
        "    for _ in range(4): r = f(x, w)\n"
        "    assert abs(r - 64 * 256) < 1, r\n"
        "run('f8')\n"
        "pid = os.fork()\n"
        "if pid == 0:\n"
        "    signal.alarm(60)\n"
        "    run('f8'); run('f4')\n"
        "    os._exit(0 if f.stats.versions == 2 else 5)\n"
        "assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0\n"
        "run('f4')\n"
        "print('ok', f.stats.versions)\n"
    )
    done = subprocess.run(
        [sys.executable, script],
        capture_output=True,
        text=True,
        env={"PATH": "", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        timeout=300,
    )
    assert done.stdout.split() == ["ok", "2"], done.stderr
