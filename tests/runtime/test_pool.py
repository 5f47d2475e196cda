"""Kernels that threads share: the same results with any number of them, after a fork, and from several callers."""

import os
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import janus_mlir as janus
from janus_mlir._native import _runtime


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    yield
    janus.config.update(num_threads=0)


def work(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    product = a @ b
    return np.tanh(product + a) / (1.0 + product.max(axis=0))


@pytest.fixture(scope="module")
def arguments() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    return tuple(random.normal(size=(2, 512, 512)).astype(np.float32))


@pytest.fixture(scope="module")
def compiled(arguments: tuple[np.ndarray, np.ndarray]) -> Any:
    function = janus.jit(work, warmup=0)
    function(*arguments)
    assert "_part" in function.lower(*arguments).as_text("codegen")
    return function


def test_results_do_not_depend_on_threads(compiled: Any, arguments: tuple) -> None:
    results = []
    for threads in (1, 2, 3, 8):
        janus.config.update(num_threads=threads)
        results.append(compiled(*arguments).tobytes())
    assert len(set(results)) == 1
    np.testing.assert_allclose(compiled(*arguments), work(*arguments), rtol=2e-4, atol=2e-4)


def test_several_callers(compiled: Any, arguments: tuple) -> None:
    janus.config.update(num_threads=3)
    expected = compiled(*arguments).tobytes()
    wrong = []

    def call() -> None:
        for _ in range(10):
            if compiled(*arguments).tobytes() != expected:
                wrong.append(True)

    callers = [threading.Thread(target=call) for _ in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert not wrong


@pytest.mark.filterwarnings("ignore:.*fork.*")
def test_after_fork(compiled: Any, arguments: tuple) -> None:
    janus.config.update(num_threads=2)
    expected = compiled(*arguments).tobytes()
    child = os.fork()
    if child == 0:
        os._exit(0 if compiled(*arguments).tobytes() == expected else 1)
    _, status = os.waitpid(child, 0)
    assert status == 0
    assert compiled(*arguments).tobytes() == expected


def test_counts() -> None:
    janus.config.update(num_threads=5)
    assert _runtime.num_threads() == 5
    janus.config.update(num_threads=0)
    assert _runtime.num_threads() == len(os.sched_getaffinity(0))
    with pytest.raises(ValueError, match="num_threads"), janus.config(num_threads=2):
        pass
