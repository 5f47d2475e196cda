"""The corpus through the whole native path, compared with JAX."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from emit import corpus, corpus_sizes, harness


def _ids(cases: list[corpus.Case]) -> list[str]:
    return [name for name, _, _ in cases]


@pytest.mark.parametrize(("name", "function", "args"), corpus.CASES, ids=_ids(corpus.CASES))
def test_values(name: str, function: Any, args: Any) -> None:
    harness.check(function, args)


@pytest.mark.parametrize(("name", "function", "args"), corpus.GRADIENTS, ids=_ids(corpus.GRADIENTS))
def test_gradients(name: str, function: Any, args: Any) -> None:
    harness.check(function, args)


@pytest.mark.parametrize(("name", "function", "args"), corpus.SYMBOLIC, ids=_ids(corpus.SYMBOLIC))
def test_symbolic(name: str, function: Any, args: Any) -> None:
    compiled = harness.compile_function(function, *harness.symbolic(args))
    for extent in (5, 2, 1):
        sized = harness.resized(args, extent)
        harness.compare(compiled(*sized), harness.expected(function, sized))


@pytest.mark.exhaustive
@pytest.mark.parametrize(("name", "function", "args"), corpus_sizes.SIZES, ids=_ids(corpus_sizes.SIZES))
def test_sizes(name: str, function: Any, args: Any) -> None:
    harness.check(function, args)


@pytest.mark.exhaustive
@pytest.mark.parametrize(("name", "function", "args"), corpus_sizes.TYPES, ids=_ids(corpus_sizes.TYPES))
def test_types(name: str, function: Any, args: Any) -> None:
    harness.check(function, args)


def test_special_values() -> None:
    x = np.array([0.0, -0.0, 1.0, np.inf, -np.inf, np.nan], np.float32)
    for name in ("exp", "tanh", "logistic", "relu", "log_softmax", "sort", "argmax", "cummax", "to_int"):
        function = next(f for n, f, _ in corpus.CASES if n == name)
        harness.check(function, (x[None, :],))
