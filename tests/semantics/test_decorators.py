"""Decorators, closures, functions as values, arguments of every kind."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from semantics.oracle import Box, Call, Cases, nvec

cases = Cases()


def doubled(fn: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(fn)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return fn(*args, **kwargs) * 2

    return wrapper


def scaled(k: float) -> Callable[..., Any]:
    def decorate(fn: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(x: Any) -> Any:
            return fn(x) * k

        return wrapper

    return decorate


@doubled
def add(a, b=1.0):
    return a + b


@scaled(3.0)
@doubled
def square(x):
    return x * x


@cases.add(lambda i: (1.0 + i,), lambda: (2,))
def decorated(x):
    return add(x), add(x, b=3.0), square(x), add.__name__


@cases.add(lambda i: (1.0 + i, 2.0))
def decorates_inside(x, y):
    def halved(fn):
        @functools.wraps(fn)
        def wrapper(*args):
            return fn(*args) / 2

        return wrapper

    @halved
    def total(a, b):
        return a + b

    return total(x, y)


@cases.add(lambda i: (1.0 + i,))
def partials(x):
    twice = functools.partial(operator.mul, 2.0)
    power = functools.partial(pow, exp=2) if False else functools.partial(max, 3.0)
    return twice(x) + power(x)


CALLS = Box(n=0)


@functools.lru_cache(maxsize=64)
def cached(n):
    return n * n + 1


@cases.add(lambda i: (3, 1.0 * i), lambda: (4, 1.0), compiled=False)
def uses_lru_cache(n, x):
    return cached(n) * x


class Lazy:
    def __init__(self, base: float) -> None:
        self.base = base

    @functools.cached_property
    def table(self) -> float:
        return self.base * 10


@cases.add(lambda i: (Lazy(1.0 + i), 2.0))
def cached_property(lazy, x):
    return lazy.table * x + lazy.table


@functools.singledispatch
def kind(v):
    return "other"


@kind.register
def _(v: int):
    return "int"


@cases.add(lambda i: (i,), lambda: ("s",), compiled=False)
def single_dispatch(v):
    return kind(v)


@cases.add(lambda i: (1.0 + i, 3), lambda: (1.0, 0), compiled=False)
def closures_in_loop(x, n):
    fns = []
    for k in range(n):
        fns.append(lambda v, k=k: v * k)
    late = [lambda: k for k in range(n)]
    return sum(f(x) for f in fns), [g() for g in late]


@cases.add(lambda i: (4, 1.0 * i))
def nonlocal_counter(n, x):
    count = 0
    total = 0.0

    def bump(v):
        nonlocal count, total
        count += 1
        total += v
        return count

    for k in range(n):
        if bump(x + k) == 3:
            break
    return count, total


@cases.add(lambda i: (2.0 + i,))
def returns_closure_result(x):
    def make(k):
        def inner(y):
            return y * k + x

        return inner

    f, g = make(2.0), make(3.0)
    return f(x) + g(1.0)


@cases.add(lambda i: Call(1.0, 2.0, 3.0 + i, k=4.0, z=5.0), lambda: Call(1.0))
def varargs(a, *rest, k=1.0, **named):
    total = a
    for r in rest:
        total += r
    return total * k, len(named), sorted(named)


def takes(a, b, /, c, *, d=4.0, **kw):
    return a + 2 * b + 3 * c + d + sum(kw.values())


@cases.add(lambda i: ([1.0, 2.0], {"c": 3.0 + i, "e": 1.0}), lambda: ([1.0, 2.0, 3.0], {"d": 1.0}))
def star_calls(args, kwargs):
    first = takes(*args, **kwargs)
    second = takes(*args[:1], *[5.0], **{"c": 1.0}, d=2.0)
    return first + second


@cases.add(lambda i: (1.0 + i,))
def keyword_only(x):
    def f(a, *, b=2.0, c):
        return a * b - c

    return f(x, c=1.0) + f(x, b=x, c=0.5)


def accumulate(x, seen=[]):  # noqa: B006
    seen.append(x)
    return len(seen)


@cases.add(lambda i: (1.0 + i,))
def mutable_default_local(x):
    def push(v, acc=[]):  # noqa: B006
        acc.append(v)
        return len(acc)

    return push(x) + push(x) * 10


@cases.add(lambda i: (nvec(4, float(i)), "relu"), lambda: (nvec(4, -2.0), "neg"))
def functions_in_dict(x, name):
    table = {"relu": lambda v: np.maximum(v, 0), "neg": operator.neg, "sq": np.square}
    return table[name](x) + table["sq"](x)


@cases.add(lambda i: ([3.0, 1.0 + i, 2.0],))
def higher_order(xs):
    def compose(*fns):
        def run(v):
            for f in reversed(fns):
                v = f(v)
            return v

        return run

    inc_then_double = compose(lambda v: v * 2, lambda v: v + 1)
    return list(map(inc_then_double, xs)), functools.reduce(operator.add, xs), max(xs, key=lambda v: -v)


class Registry:
    def __init__(self) -> None:
        self.handlers: dict[str, Any] = {}

    def on(self, name: str) -> Any:
        def register(fn: Any) -> Any:
            self.handlers[name] = fn
            return fn

        return register

    def fire(self, name: str, *args: Any) -> Any:
        handler = self.handlers.get(name)
        return handler(*args) if handler is not None else None


REGISTRY = Registry()


@REGISTRY.on("add")
def _add(a, b):
    return a + b


@cases.add(lambda i: ("add", 1.0 + i), lambda: ("nothing", 1.0))
def registry(name, x):
    return REGISTRY.fire(name, x, 2.0)


@cases.add(lambda i: (2.0 + i,))
def lambda_defaults(x):
    y = 3.0
    f = lambda a, b=y: a * b  # noqa: E731
    y = 4.0
    return f(x), f(x, y)


@cases.add(lambda i: (Box(n=1.0 + i),))
def bound_methods(box):
    class_free = box.__class__
    items = [1.0, 2.0]
    push = items.append
    push(box.n)
    push(3.0)
    return items, class_free is Box


@functools.singledispatch
def described(x):
    return "object"


@described.register
def _(x: int):
    return x + 1


@described.register(np.ndarray)
def _(x):
    return x * 2


@cases.add(lambda i: (i, 1.5, nvec(2)), lambda: ("s", 1, nvec(2)), lambda: (True, None, nvec(2)))
def generic_function(a, b, c):
    return described(a), described(b), described(c)


@cases.add(lambda i: (5, 2.0 * i))
def conditional_import(n, x):
    if n > 3:
        import math as m

        return m.floor(x + 0.5) + m.pi
    from math import sqrt

    return sqrt(x)


test_program = cases.test()
