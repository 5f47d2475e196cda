"""What users see of a jitted function besides its results."""

import numpy as np
import pytest

import janus_mlir as janus


@pytest.fixture(autouse=True)
def no_stress():
    """These tests count deopts."""
    with janus.config(stress=None):
        yield


def test_each_call_is_counted_once() -> None:
    @janus.jit(warmup=2)
    def double(x):
        return x + x

    for _ in range(5):
        double(np.arange(3.0))
    assert (double.stats.calls, double.stats.compiled_calls, double.stats.imperative_calls) == (5, 3, 2)


def test_strict_names_the_place() -> None:
    @janus.jit(warmup=0, strict=True)
    def singular(x):
        y = x + 1
        return np.linalg.svd(y)[1]

    with pytest.raises(janus.CaptureError) as caught:
        singular(np.eye(2))
    assert caught.value.code == "JN301"
    text = str(caught.value)
    assert "JN702" not in text
    assert "return np.linalg.svd(y)[1]" in text
    assert "in test_strict_names_the_place.<locals>.singular" in text


def test_guard_failures_are_reported_with_what_came() -> None:
    @janus.jit(warmup=2)
    def share(x, n):
        return x * (1.0 / n)

    for x, n in ((np.ones(3), 1.0), (np.ones(3), 2.0), (np.ones(3), 3.0), (np.ones(4), 4.0)):
        share(x, n)
    with pytest.raises(ZeroDivisionError):
        share(np.ones(4), 0.0)
    assert share.stats.deopts == 1
    failures = "\n".join(share.explain().failures)
    assert "1x x: expected numpy float64[3], got numpy float64[4]" in failures
    assert "not so: the divisor is not zero [zero]" in failures


def test_lowered_text_shows_source_locations() -> None:
    def double(x):
        return x * 2

    lowered = janus.jit(double).lower(np.ones(3))
    line = double.__code__.co_firstlineno + 1
    assert "lax.mul" in lowered.as_text()
    assert f"test_api.py:{line}:" in lowered.as_text(debug_info=True)
    assert f"test_api.py:{line}:" in lowered.as_text("linalg", debug_info=True)
