"""Every function of the corpus imports, and the module verifies."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest
from emit import corpus, harness

from janus_mlir.emit import EmitError, supported


def _ids(cases: list[corpus.Case]) -> list[str]:
    return [name for name, _, _ in cases]


@pytest.mark.parametrize(("name", "function", "args"), corpus.CASES, ids=_ids(corpus.CASES))
def test_import(name: str, function: Any, args: Any) -> None:
    module = harness.import_function(function, *args)
    assert module.module.operation.verify()


@pytest.mark.parametrize(("name", "function", "args"), corpus.GRADIENTS, ids=_ids(corpus.GRADIENTS))
def test_import_gradient(name: str, function: Any, args: Any) -> None:
    assert harness.import_function(function, *args).module.operation.verify()


@pytest.mark.parametrize(("name", "function", "args"), corpus.SYMBOLIC, ids=_ids(corpus.SYMBOLIC))
def test_import_symbolic(name: str, function: Any, args: Any) -> None:
    shapes = harness.symbolic(args)
    assert "?" in str(harness.import_function(function, *shapes))


def test_unsupported_primitive() -> None:
    jaxpr = jax.make_jaxpr(jax.numpy.linalg.eigh)(np.eye(3, dtype=np.float32))
    assert supported(jaxpr) == "eigh"
    with pytest.raises(EmitError, match="eigh") as caught:
        harness.import_function(jax.numpy.linalg.eigh, np.eye(3, dtype=np.float32))
    assert caught.value.code == "JN401"


def test_unsupported_element_type() -> None:
    jaxpr = jax.make_jaxpr(lambda x: x.astype(jax.numpy.float8_e4m3fn))(np.float32(1))
    assert supported(jaxpr) == "float8_e4m3fn"


def test_dead_equations_need_no_import() -> None:
    def function(x: Any) -> Any:
        jax.numpy.linalg.eigh(x)
        return x + 1

    x = np.eye(3, dtype=np.float32)
    assert supported(jax.make_jaxpr(function)(x)) is None
    assert harness.import_function(function, x).module.operation.verify()
