"""Calls, and the functions, generators and classes that are called."""

# ruff: noqa

from __future__ import annotations

import math

from source_corpus.helpers import loud

GLOBAL = 7


def calls(e, a, b):
    f = lambda *args, **kwargs: (args, sorted(kwargs.items()))
    return e(0, f)(
        e(1, a), *e(2, [1, 2]), e(3, b), *loud(e, "s", [7]), k=e(4, 4), **e(5, {"z": 1}), m=e(6, 6)
    )


def call_single_star(e, a, b):
    f = lambda *args, **kwargs: (args, sorted(kwargs.items()))
    return f(*loud(e, "s", [7]), k=e(4, 4)), f(x=e(1, 1), *e(2, [3])), f(a, *loud(e, "t", [8]), k=e(5, 5))


def duplicate_keyword(e, a, b):
    f = lambda **kwargs: kwargs
    return f(k=e(1, 1), **e(2, {"k": 2}))


def generators(e, a, b):
    k = 3
    return (
        sum(e(i, i) * k for i in loud(e, "g", range(a))),
        any(e(("any", i), i > 1) for i in range(5)),
        list(i + j for i in range(a) for j in range(b) if i != j),
    )


def late_generator(e, a, b):
    k = 3
    g = (k * i for i in loud(e, "g", [1, 2]))
    k = 4
    return list(g)


def functions(e, a, b):
    def deco(tag):
        e(("deco", tag), 0)

        def apply(f):
            e(("apply", tag), 0)
            return f

        return apply

    @deco(1)
    @deco(2)
    def f(x: e("never", int), y=e("default", a), *, z=e("kw", b)) -> e("never", int):
        return x, y, z, a

    g = lambda x, y=e("lambda", 1): x + y + a
    a = a + 1
    return f(1), f(1, 2, z=3), g(1), f.__name__


def counter(e, a, b):
    n = 0

    def bump():
        nonlocal n
        n += 1
        return n

    return n, bump(), n, bump() + n, (n, bump(), n)


def recursive(e, a, b):
    def fact(n):
        return 1 if n <= 1 else n * fact(n - 1)

    return fact(a + 3)


def nested_comprehension_lambda(e, a, b):
    fs = [lambda i=i: i + a for i in range(3)]
    return [f() for f in fs]


def globals_(e, a, b):
    global GLOBAL
    old = GLOBAL
    GLOBAL += a
    r = GLOBAL
    GLOBAL = old
    return r


def imports(e, a, b):
    import os.path
    import os.path as p
    from math import pi, sqrt as root

    return os.path is p, pi, root(4), math.floor(pi)


def vararg(e, a, b, *rest, k=2, **kw):
    return rest, k, kw


class Base:
    __private = 1

    def method(self, a):
        return a


class Derived(Base):
    def __init__(self):
        self.__x = 5

    def method(self, a):
        def __inner(__q):
            return __q + self.__x

        __local = super().method(a)
        return __local, __inner(1), [__i for __i in range(2)], __inner.__name__, __class__.__name__


def make_adder(n):
    def add(e, a, b):
        return a + b + n

    return add


adder = make_adder(10)


lambda_ = lambda e, a, b: [e(i, a) for i in range(b)]


CASES = [
    calls, call_single_star, duplicate_keyword, generators, late_generator, functions, counter,
    recursive, nested_comprehension_lambda, globals_, imports, vararg, adder, lambda_,
]  # fmt: skip
