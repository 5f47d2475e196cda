"""Functions that reach compiled code from outside and are made anew for each call: known by their code only."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from semantics.oracle import Box, Cases

cases = Cases()

X = np.arange(4.0)


def scaled_by(k: Any) -> Any:
    def scaled(x):
        return x * k

    return scaled


def with_default(k: Any) -> Any:
    return lambda x, k=k: x + k


def with_keyword_default(k: Any) -> Any:
    def keyword(x, *, k=k):
        return x - k

    return keyword


def counter() -> Any:
    n = 0

    def bump():
        nonlocal n
        n = n + 1
        return n

    return bump, lambda: n


def changing(make: Any, values: Any = (1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0)) -> Any:
    def world(function: Any) -> Any:
        for value in values:
            yield make(value)

    return world


@cases.world(changing(lambda k: (X.copy(), scaled_by(k))))
def closure_of_a_float(x, f):
    return f(x) + f(x + 1)


@cases.world(changing(lambda k: (X.copy(), scaled_by(k)), (1, 2, 3, 4, 5, 6, 7)))
def closure_of_an_int(x, f):
    return f(x)


@cases.world(changing(lambda k: (X.copy(), scaled_by(np.full(4, k)))))
def closure_of_an_array(x, f):
    return f(x)


@cases.world(changing(lambda k: (X.copy(), scaled_by(scaled_by(k)(X)))))
def closure_of_a_result(x, f):
    return f(x)


@cases.world(changing(lambda k: (X.copy(), with_default(k))))
def default_that_varies(x, f):
    return f(x) * f(x, 2.0)


@cases.world(changing(lambda k: (X.copy(), with_keyword_default(k))), compiled=False)
def keyword_default_that_varies(x, f):
    return f(x)


@cases.world(changing(lambda k: (X.copy(), scaled_by(k), scaled_by(k + 1))))
def two_of_the_same_code(x, f, g):
    return f(x), g(x)


@cases.world(
    changing(lambda k: (lambda f: (X.copy(), f, f if k % 2 else scaled_by(k)))(scaled_by(k))), compiled=False
)
def identity(x, f, g):
    return f(x), f is g


@cases.world(changing(lambda k: counter()), compiled=False)
def variable_shared_by_two(bump, read):
    first = bump()
    return first, read(), bump(), read()


@cases.world(changing(lambda k: (X.copy(), scaled_by(k), Box(f=None))))
def kept_in_an_object(x, f, box):
    y = f(x)
    box.f = f
    return y


@cases.world(changing(lambda k: (X.copy(), scaled_by(k))))
def returned(x, f):
    return f(x), f


@cases.world(changing(lambda k: (X.copy(), [scaled_by(k), scaled_by(k + 1)])))
def list_of_functions(x, functions):
    for f in functions:
        x = f(x)
    return x


@cases.world(changing(lambda k: (X.copy(), Box(activation=scaled_by(k)))))
def attribute_that_is_a_closure(x, model):
    return model.activation(x) + 1


@cases.world(changing(lambda k: (X.copy(), functools.partial(lambda a, x: a * x, k))), compiled=False)
def partial(x, f):
    return f(x)


def other_code(function: Any) -> Any:
    for k in range(8):
        yield X.copy(), scaled_by(float(k))
    yield X.copy(), with_default(3.0)
    yield X.copy(), np.sqrt
    yield X.copy(), scaled_by(2)
    for k in range(8):
        yield X.copy(), scaled_by(float(k))


@cases.world(other_code)
def another_function_at_last(x, f):
    return f(x)


@cases.add(lambda i: ([1.0, 2.0 + i], [3, 4]), lambda: ([], []))
def captured_by_lambdas(xs, ks):
    late = [lambda v: v + k for k in ks]
    scaled = {k: sum(map(lambda v: v * k, xs)) for k in ks}
    return [f(1) for f in late], scaled, [sum(x * k for x in xs) for k in ks]


test_program = cases.test()
