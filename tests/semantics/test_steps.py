"""Statements that are left to Python, with compiled code before and after them."""

from __future__ import annotations

import random
import time
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

import janus_mlir as janus
from semantics.oracle import Box, Cases, nvec, vec

cases = Cases()

#: What unknown code has been asked.
asked: list[Any] = []


def unknown(x: Any) -> Any:
    """Do what no capture understands."""
    return eval("x + 1")  # noqa: S307


def ask(x: Any) -> Any:
    eval("asked.append(1)")  # noqa: S307
    return len(asked)


@cases.add(lambda i: (vec(start=float(i)),), compiled=False)
def between(x):
    y = x * 2
    z = unknown(y)
    w = z * 3 - y
    return w, y


@cases.add(lambda i: (Box(log=[], count=0), nvec(start=float(i))), compiled=False)
def with_effects_around(m, x):
    m.log.append("before")
    m.count += 1
    y = np.tanh(x)
    t = unknown(m.count)
    m.log.append(t)
    x[0] = t
    return y + x


@cases.add(lambda i: (nvec(start=float(i)), i), lambda: (nvec(5), 2), compiled=False)
def two_in_a_row(x, n):
    a = unknown(n)
    b = unknown(a)
    y = x * a
    return y + b


@cases.add(lambda i: (vec(start=float(i - 3)), 0.5), compiled=False)
def as_a_condition(x, p):
    y = jnp.sin(x)
    if unknown(p) > 1.0:
        y = y + 1
    else:
        y = y - 1
    return y * 2


@cases.add(lambda i: (nvec(start=1.0), i % 3), compiled=False)
def in_a_loop(x, n):
    total = 0.0
    for k in range(n + 1):
        y = x * k
        total += unknown(y.sum())
        x = x + 1
    return total, x


@cases.add(lambda i: (nvec(start=1.0), i % 3), compiled=False)
def as_the_test_of_a_loop(x, n):
    k = 0
    while unknown(k) <= n:
        x = x * 1.5
        k += 1
    else:
        x = x + 100
    return x, k


@cases.add(lambda i: (nvec(start=1.0), i % 2), compiled=False)
def that_returns(x, n):
    y = x + 1
    if n:
        return unknown(y)
    return unknown(y * 2) - 1


@cases.add(lambda i: (nvec(start=1.0), i), lambda: (nvec(start=1.0), "a"), compiled=False)
def that_raises(x, n):
    y = x + 1
    z = unknown(n)
    return y * z


@cases.add(lambda i: (nvec(start=1.0), i), lambda: (nvec(start=1.0), "a"), compiled=False)
def caught_around(x, n):
    y = x + 1
    try:
        z = unknown(n)
    except TypeError:
        z = 0
    return y * z


@cases.add(lambda i: (nvec(start=1.0), i), compiled=False)
def unbound_until_then(x, n):
    if n > 2:
        extra = 3.0
    y = unknown(n)
    if n > 2:
        y += extra
    return x * y


@cases.add(lambda i: (nvec(start=1.0),), compiled=False)
def a_block_of_its_own(x):
    y = x * 2
    with open("/dev/null") as f:
        text = f.read()
    return y + len(text)


test_program = cases.test()


def timed(x, w):
    h = jnp.tanh(x @ w)
    start = time.perf_counter()
    y = (h * 2).sum()
    return y, start


def drops(x):
    h = x * 2
    r = random.random()
    return (h * r).sum() / r


@pytest.mark.parametrize("function", [timed, drops])
def test_what_follows_is_compiled(function: Any) -> None:
    with janus.config(stress=None):
        compiled = janus.jit(function)
        x = jnp.ones((4, 4))
        arguments = (x, x) if function is timed else (x,)
        for _ in range(9):
            compiled(*arguments)
    (rest,) = compiled.companion.continuations
    assert compiled.stats.breaks == 1
    assert rest.stats.compiled_calls > 0
    assert rest.stats.breaks == 0
