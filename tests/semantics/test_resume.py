"""Leaving compiled code in the middle: nothing is done, printed or computed twice, and nothing is left out."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import janus_mlir as janus
from semantics.oracle import Box, Cases

cases = Cases()


def violated(make: Any) -> Any:
    def world(hot: Any) -> Iterator[Any]:
        for i in range(12):
            yield make(count=0, log=[], total=0.0), rows(i)

    return world


def rows(i: int) -> np.ndarray[Any, Any]:
    """Forty rows, of which one is negative in the last calls."""
    x = np.arange(160.0, dtype=np.float32).reshape(40, 4) + i
    if i in (6, 9):
        x[17] *= -1
    return x


def tally(m, row):
    m.count += 1
    if row.sum() < 0:
        m.log.append(f"negative {m.count}")
        print("negative", float(row[0]))
        row = -row
    return row * 2


@cases.world(violated(Box))
def in_a_callee(m, x):
    total = np.zeros(4, np.float32)
    for row in x:
        total = total + tally(m, row)
    m.log.append(float(total[0]))
    return total


@cases.world(violated(Box))
def in_the_middle_of_an_expression(m, x):
    total = 0.0
    for row in x:
        m.count += 1
        total += float(row[0]) * tally(m, row).max() + m.count
    return total, m.count


def outer(m, row, k):
    m.log.append(k)
    result = tally(m, row)
    m.log.append(-k)
    return result + k


@cases.world(violated(Box))
def in_a_callee_of_a_callee(m, x):
    total = np.zeros(4, np.float32)
    for k, row in enumerate(x):
        total = total + outer(m, row, k)[::-1] * 2
    return total


class Scaled:
    def __init__(self, m, row):
        self.first = m.count
        self.row = tally(m, row)
        self.last = m.count

    def total(self, scale):
        return self.row.sum() * scale


@cases.world(violated(Box))
def in_a_constructor(m, x):
    total = 0.0
    for row in x:
        made = Scaled(m, row)
        total = total + made.total(2.0) + made.last - made.first
    return total


def strict_tally(m, row):
    m.count += 1
    if row.sum() < 0:
        m.log.append("refused")
        raise ValueError("negative row")
    return row * 2


@cases.world(violated(Box))
def an_exception_from_a_callee(m, x):
    total = np.zeros(4, np.float32)
    for row in x:
        total = total + strict_tally(m, row)
    return total


@cases.world(violated(Box))
def an_exception_caught_by_the_caller(m, x):
    total = np.zeros(4, np.float32)
    for row in x:
        try:
            total = total + strict_tally(m, row)
        except ValueError as error:
            m.log.append(str(error))
        else:
            m.log.append(None)
        finally:
            m.count += 100
    return total


@cases.world(violated(Box))
def in_a_condition(m, x):
    taken = 0
    for row in x:
        if m.count >= 0 and tally(m, row).sum() > 100.0 or m.count < 0:
            taken += 1
    return taken


@cases.world(violated(Box))
def in_a_while_condition(m, x):
    k = 0
    while k < len(x) and tally(m, x[k]).sum() >= 0:
        k += 1
    else:
        m.log.append("end")
    return k, m.count


@cases.world(violated(Box))
def in_an_augmented_attribute(m, x):
    for row in x:
        m.total += tally(m, row).sum()
    return m.total


@cases.world(violated(Box))
def with_break_and_else(m, x):
    for k, row in enumerate(x):
        y = tally(m, row)
        if y.max() > 1e6:
            break
        if k % 7 == 3:
            continue
        m.log.append(k)
    else:
        m.log.append("through")
    return m.count


test_program = cases.test()


def noted(row):
    return row * 2


def sums(x):
    total = 0.0
    for row in x:
        total += noted(row).sum()
        if row[0] < 0:
            total += 1000.0
            print("negative")
    return total


def test_what_has_been_computed_is_not_computed_again(capsys: pytest.CaptureFixture[str]) -> None:
    with janus.config(stress=None):
        compiled = janus.jit(sums)
        for i in range(5):
            compiled(rows(i))
        assert compiled.stats.compiled_calls > 0
        calls = 0

        def count(frame: Any, event: str, _: Any) -> None:
            nonlocal calls
            calls += event == "call" and frame.f_code is noted.__code__

        sys.setprofile(count)
        try:
            result = compiled(rows(6))
        finally:
            sys.setprofile(None)
    assert compiled.stats.deopts == 1
    assert result == pytest.approx(sums(rows(6)))
    assert capsys.readouterr().out == "negative\n" * 2
    # Rows 0 to 17 were done by then.
    assert calls == 22
