"""Functions whose branches, loops and calls are counted."""

# ruff: noqa

from __future__ import annotations

import math
import weakref


def loops(n, m):
    total = 0
    for i in range(n):
        j = 0
        while j < m:
            j += 1
            total += 1
            if j > i:
                break
    return total


def leaves(values):
    for value in values:
        if value < 0:
            return 3
        1 / value


def helper(x):
    return x if x is not None else 0


class Model:
    def __init__(self, factor):
        self.factor = factor

    def scale(self, x):
        return x * self.factor

    def __call__(self, x):
        if x is None:
            return 0
        return self.scale(x)


def calls(model, values):
    made = Model(3)
    a = model.scale(1.0)
    b = helper(a)
    values.append(b)
    c = math.sqrt(b)
    d = model(c)
    return a, b, c, d, len(values), made.factor


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def nested(n):
    def odd(k):
        return True if k % 2 else False

    return [k for k in range(n) if odd(k)]


def apply_all(functions, x):
    total = 0
    for function in functions:
        total += function(x)
    return total


def with_defaults(a, b=(1, 2), *, k=3, z: int = 4) -> int:
    """Has defaults."""
    return (a, b, k, z)


with_defaults.tag = "tagged"


def counter():
    n = 0

    def bump():
        nonlocal n
        n += 1

    return bump, lambda: n


def callee(e, a):
    if a > 2:
        e(
            "log",
            1 / (a - 3),
        )
    return a


def raises_in_callee(e, a, b):
    for i in range(2):
        x = [
            callee(
                e,
                a,
            )
        ]
    return x[b]


def reads_locals(a):
    return locals()


class Thing:
    def __init__(self, flag=True):
        self.flag = flag

    def __bool__(self):
        return self.flag

    def get(self):
        return 1


def lifetimes():
    log = []

    def make(tag, flag):
        thing = Thing(flag)
        weakref.finalize(thing, log.append, tag)
        return thing

    (make("and", True) and None) or log.append("after and")
    x = make("or false", False) or 1
    log.append("after or")
    make("method", True).get()
    log.append("after method")
    x = make("kept", True) or 1
    log.append("before rebinding")
    x = make("and false", False) and 1
    log.append("after rebinding")
    x = None
    log.append("end")
    return log


def hot(n):
    total = 0
    values = []
    for i in range(n):
        if i % 3 == 0 and i % 2:
            total += i
        elif i % 5 == 0:
            total -= helper(i)
        values.append(total)
        k = 0
        while k < 3:
            k += 1
    return total, len(values)
