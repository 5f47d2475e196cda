from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy_checks import check, refuses
from numpy_evaluate import GuardFailed
from numpy_machine import capture, evaluate


def inputs() -> list[Any]:
    return [np.arange(24.0).reshape(4, 6), np.arange(5.0), np.arange(24).reshape(2, 3, 4), 2]


READS = [
    lambda np, x, v, t, i: v[0],
    lambda np, x, v, t, i: v[-1],
    lambda np, x, v, t, i: x[1],
    lambda np, x, v, t, i: x[1, 2],
    lambda np, x, v, t, i: x[-1, -2],
    lambda np, x, v, t, i: x[1, ...],
    lambda np, x, v, t, i: x[1, 2, ...],
    lambda np, x, v, t, i: x[..., 1],
    lambda np, x, v, t, i: x[()],
    lambda np, x, v, t, i: x[...],
    lambda np, x, v, t, i: x[None],
    lambda np, x, v, t, i: x[:, None, 1:3],
    lambda np, x, v, t, i: x[1:3],
    lambda np, x, v, t, i: x[:-1, 2:],
    lambda np, x, v, t, i: x[::2, ::-1],
    lambda np, x, v, t, i: x[::-2],
    lambda np, x, v, t, i: x[3:1:-1, 5:0:-2],
    lambda np, x, v, t, i: x[10:],
    lambda np, x, v, t, i: x[2:2],
    lambda np, x, v, t, i: x[-100:2],
    lambda np, x, v, t, i: x[1:][1:][:, 1:][0],
    lambda np, x, v, t, i: x.T[1:3][:, ::2],
    lambda np, x, v, t, i: t[:, 1],
    lambda np, x, v, t, i: t[..., 1:3, None],
    lambda np, x, v, t, i: v[i],
    lambda np, x, v, t, i: x[i],
    lambda np, x, v, t, i: x[:, i],
    lambda np, x, v, t, i: x[i, 1:4],
    lambda np, x, v, t, i: x[i, ::2],
    lambda np, x, v, t, i: x[i, i],
    lambda np, x, v, t, i: v[np.argmax(v)],
    lambda np, x, v, t, i: v[np.array([0, 2, -1])],
    lambda np, x, v, t, i: v[[0, 2, 2]],
    lambda np, x, v, t, i: v[np.array([[0, 1], [2, 3]])],
    lambda np, x, v, t, i: x[[1, 3]],
    lambda np, x, v, t, i: x[[1, 3], 2:4],
    lambda np, x, v, t, i: x[:, [1, -1]],
    lambda np, x, v, t, i: x[[1, 3], [0, 2]],
    lambda np, x, v, t, i: x[[[1], [3]], [0, 2]],
    lambda np, x, v, t, i: t[:, [0, 1], [1, 2]],
    lambda np, x, v, t, i: t[[0, 1], :, [1, 2]],
    lambda np, x, v, t, i: t[0, :, [1, 2]],
    lambda np, x, v, t, i: t[:, 0, [1, 2]],
    lambda np, x, v, t, i: t[[0, 1], None, 1],
    lambda np, x, v, t, i: x[np.arange(4), np.argmax(x, axis=1)],
    lambda np, x, v, t, i: x[np.array(1)],
    lambda np, x, v, t, i: v[0][()],
    lambda np, x, v, t, i: v[0][None],
    lambda np, x, v, t, i: np.argsort(-v, kind="stable")[:2],
]


@pytest.mark.parametrize("function", READS)
def test_reads(function: Any) -> None:
    check(function, inputs())
    check(function, inputs(), symbolic=True, may_break=True)


def _write(index: Any, value: Any) -> Any:
    def function(np: Any, x: Any, v: Any, t: Any, i: Any) -> Any:
        x[index(np, x, v, t, i)] = value(np, x, v, t, i) if callable(value) else value
        return x

    return function


@pytest.mark.parametrize(
    "function",
    [
        _write(lambda np, x, v, t, i: 0, 1.0),
        _write(lambda np, x, v, t, i: (1, 2), 7),
        _write(lambda np, x, v, t, i: slice(1, 3), 2),
        _write(lambda np, x, v, t, i: (slice(None), 1), lambda np, x, v, t, i: v[:4]),
        _write(lambda np, x, v, t, i: (slice(None, None, 2), slice(None, None, -3)), 5),
        _write(
            lambda np, x, v, t, i: (slice(None, None, -2), slice(1, 6, 2)), lambda np, x, v, t, i: x[:2, :3]
        ),
        _write(lambda np, x, v, t, i: ..., 3),
        _write(lambda np, x, v, t, i: (i, 1), True),
        _write(lambda np, x, v, t, i: i, lambda np, x, v, t, i: x[0]),
        _write(lambda np, x, v, t, i: (i, slice(None, None, 2)), 0),
        _write(lambda np, x, v, t, i: [0, 2], 4),
        _write(lambda np, x, v, t, i: ([0, 2], [1, 1]), [4, 5]),
        _write(lambda np, x, v, t, i: (slice(None), [0, 2]), 4),
        _write(lambda np, x, v, t, i: x > 5, 0),
        _write(lambda np, x, v, t, i: x[:, 0] > 5, lambda np, x, v, t, i: x[0]),
        _write(lambda np, x, v, t, i: slice(1, None), lambda np, x, v, t, i: x[:-1]),
        _write(lambda np, x, v, t, i: 0, lambda np, x, v, t, i: x[1:2] + 1),
        _write(lambda np, x, v, t, i: slice(2, 2), 9),
    ],
)
def test_writes(function: Any) -> None:
    check(function, inputs())
    check(function, inputs(), symbolic=True, may_break=True)
    check(function, [np.arange(24).reshape(4, 6), *inputs()[1:]])


def test_writes_through_views() -> None:
    def function(np: Any, x: Any, v: Any, t: Any, i: Any) -> Any:
        x.T[1] = 7
        row = x[2]
        row[1:3] = -1
        row *= 2
        x[1:][0][::2] += 100
        flat = x.reshape(-1)
        flat[0] = 55
        copy = x.flatten()
        copy[1] = 99
        t[:, 1][:, ::2] -= 3
        x[:, 0], x[:, 1] = x[:, 1].copy(), x[:, 0].copy()
        x.T.reshape(-1)[3] = 12345
        v.fill(2)
        v[1:].sort()
        x[i][1] = 3
        return row, flat, copy, t.T

    check(function, inputs())
    check(function, inputs(), symbolic=True, may_break=True)


def test_add_at() -> None:
    def function(np: Any, x: Any, v: Any, t: Any, i: Any) -> Any:
        np.add.at(v, [0, 0, 2], 1)
        np.subtract.at(x, ([0, 0], [1, 1]), [1.0, 2.0])
        return v

    check(function, inputs())


def test_moving_slices() -> None:
    def function(np: Any, x: Any, v: Any, t: Any, i: Any) -> Any:
        # What the machine emits for i + 2.
        b, ref = v.machine.b, i.value.ref
        from janus_mlir.capture.graph import BOOL, INT
        from janus_mlir.capture.values import Known, Number, SliceValue

        two = b.one("constant", [], INT, value=2)
        stop, _ = b.op("janus.add_overflow", [ref, two], [INT, BOOL])
        from janus_mlir.capture import numpy as semantics

        index = SliceValue(i.value, Number("int", stop), Known(None))
        return v.machine.wrap(semantics.getitem(v.machine, v.value, index))

    machine, proxies, result, extents = capture(function, inputs())
    assert result.value.shape == (2,)

    for start, expected in ((0, [0, 1]), (3, [3, 4])):
        values = [*inputs()[:3], start]
        found, _ = _evaluate_overflow(machine, proxies, result, values, extents)
        np.testing.assert_array_equal(found, expected)
    for start in (-1, 4):
        with pytest.raises(GuardFailed):
            _evaluate_overflow(machine, proxies, result, [*inputs()[:3], start], extents)


def _evaluate_overflow(machine: Any, proxies: Any, result: Any, values: Any, extents: Any) -> Any:
    return evaluate(machine, proxies, result, values, extents)


@pytest.mark.parametrize("index", [5, -6, 100])
def test_bounds_guard(index: int) -> None:
    machine, proxies, result, extents = capture(lambda np, x, v, t, i: v[i], inputs())
    assert "bounds" in machine.guards
    with pytest.raises(GuardFailed):
        evaluate(machine, proxies, result, [*inputs()[:3], index], extents)
    found, _ = evaluate(machine, proxies, result, [*inputs()[:3], -5], extents)
    assert found == 0.0


def test_gather_guard() -> None:
    def function(np: Any, v: Any, indices: Any) -> Any:
        return v[indices]

    v = np.arange(5.0)
    machine, proxies, result, extents = capture(function, [v, np.array([0, 1])])
    with pytest.raises(GuardFailed):
        evaluate(machine, proxies, result, [v, np.array([0, 5])], extents)
    found, _ = evaluate(machine, proxies, result, [v, np.array([-5, 4])], extents)
    np.testing.assert_array_equal(found, [0.0, 4.0])


def test_value_guards() -> None:
    def order(np: Any, v: Any) -> Any:
        return np.argsort(v)

    machine, proxies, result, extents = capture(order, [np.arange(3.0)])
    found, _ = evaluate(machine, proxies, result, [np.array([3.0, np.nan, 1.0])], extents)
    np.testing.assert_array_equal(found, [2, 0, 1])
    for ties in ([1.0, 2.0, 1.0], [np.nan, 1.0, np.nan]):
        with pytest.raises(GuardFailed):
            evaluate(machine, proxies, result, [np.array(ties)], extents)

    def power(np: Any, x: Any, y: Any) -> Any:
        return x**y

    machine, proxies, result, extents = capture(power, [np.array([2, 3]), np.array([1, 2])])
    with pytest.raises(GuardFailed):
        evaluate(machine, proxies, result, [np.array([2, 3]), np.array([1, -2])], extents)


def test_conversions() -> None:
    def function(np: Any, x: Any) -> Any:
        return x.max().item(), x[0].item(), x.item(1)

    check(function, [np.arange(3.0)])
    check(function, [np.arange(3, dtype="f4")])
    check(function, [np.arange(3, dtype="u2")])
    check(function, [np.arange(3) > 1])


def test_refused_writes() -> None:
    for function in (
        _write(lambda np, x, v, t, i: x > 5, lambda np, x, v, t, i: x[0]),
        _write(lambda np, x, v, t, i: 0, lambda np, x, v, t, i: v),
        _write(lambda np, x, v, t, i: 0, "a"),
        _write(lambda np, x, v, t, i: 0, [[1, 2, 3, 4, 5, 6]]),
        _write(lambda np, x, v, t, i: 0, 1j),
        lambda np, x, v, t, i: v[0].__setitem__(0, 1),
        lambda np, x, v, t, i: t.__setitem__(0, 2**70),
        lambda np, x, v, t, i: v[:i],
    ):
        refuses(function, inputs())
