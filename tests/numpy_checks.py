"""Comparison of captured NumPy code with NumPy."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from numpy_evaluate import GuardFailed
from numpy_machine import Machine, Proxy, capture, evaluate

from janus_mlir.capture.breaks import Break
from janus_mlir.capture.values import NumpyArray


def check(
    function: Callable[..., Any],
    inputs: Sequence[Any],
    symbolic: bool = False,
    may_break: bool = False,
    run: Callable[..., Any] = evaluate,
) -> Machine | None:
    """Check that `function(np, *inputs)` gives the same when captured: result, effects, kinds and aliases."""
    expected_inputs = copy.deepcopy(list(inputs))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = function(np, *expected_inputs)
    try:
        machine, proxies, result, extents = capture(function, inputs, symbolic)
    except Break:
        if may_break:
            return None
        raise
    try:
        found, found_inputs = run(machine, proxies, result, inputs, extents)
    except GuardFailed as failure:
        # Capture may assume how symbolic extents compare.
        if may_break and failure.args == ("shape",):
            return None
        raise
    compare(expected, found)
    for before, after in zip(expected_inputs, found_inputs, strict=True):
        compare(before, after)
    aliases(expected, result, expected_inputs, proxies)
    return machine


def refuses(function: Callable[..., Any], inputs: Sequence[Any]) -> None:
    """Check that `function(np, *inputs)` is not captured."""
    with pytest.raises(Break):
        capture(function, inputs)


def compare(expected: Any, found: Any) -> None:
    """Same types, dtypes, shapes; same values, floats up to rounding."""
    assert type(expected) is type(found), (type(expected), type(found))
    if isinstance(expected, tuple | list):
        assert len(expected) == len(found)
        for one, two in zip(expected, found, strict=True):
            compare(one, two)
        return
    if isinstance(expected, np.ndarray | np.generic):
        assert expected.dtype == found.dtype, (expected.dtype, found.dtype)
        assert expected.shape == found.shape, (expected.shape, found.shape)
        if expected.dtype.kind == "f":
            tolerance = {2: 2e-3, 4: 1e-5, 8: 1e-12}[expected.dtype.itemsize]
            np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)
            zero = (expected == 0) & (np.asarray(found) == 0)
            np.testing.assert_array_equal(np.signbit(expected)[zero], np.signbit(found)[zero])
        else:
            np.testing.assert_array_equal(found, expected)
    elif isinstance(expected, float):
        np.testing.assert_allclose(found, expected, rtol=1e-6)
    else:
        assert expected == found, (expected, found)


def aliases(expected: Any, result: Any, real: Sequence[Any], proxies: Sequence[Proxy]) -> None:
    """The result shares memory with the same inputs, and is one of them if it is."""
    if isinstance(expected, tuple | list):
        for one, two in zip(expected, result, strict=True):
            aliases(one, two, real, proxies)
        return
    if not isinstance(expected, np.ndarray) or not expected.size:
        return
    for array, proxy in zip(real, proxies, strict=True):
        if isinstance(array, np.ndarray):
            shared = np.shares_memory(expected, array)
            assert isinstance(proxy.value, NumpyArray) and isinstance(result.value, NumpyArray)
            assert (proxy.value.storage == result.value.storage) == shared, f"aliasing: {shared}"
            same = proxy.value is result.value
            assert same == (expected is array), f"identity: {expected is array}"
