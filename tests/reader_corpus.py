"""Functions to be found in this file."""

# ruff: noqa

from __future__ import annotations

import functools

pair = (lambda x: x + 1, lambda x: x + 2)
twice = (lambda x: x, lambda x: x)
nested = lambda a: lambda b: a * b
wrapped = lambda x: x if x else 2
constant, other = (lambda: 0), (lambda: (1, 2))
call = lambda f: f(lambda y: y)
chosen = lambda x: 1 if True else 2

LAMBDAS = [
    (pair[0], "lambda x: x + 1"),
    (pair[1], "lambda x: x + 2"),
    (twice[0], "lambda x: x"),
    (twice[1], "lambda x: x"),
    (nested, "lambda a: lambda b: a * b"),
    (nested(1), "lambda b: a * b"),
    (wrapped, "lambda x: x if x else 2"),
    (constant, "lambda: 0"),
    (other, "lambda: (1, 2)"),
    (call, "lambda f: f(lambda y: y)"),
    (call(lambda f: f), "lambda y: y"),
    (chosen, "lambda x: 1 if True else 2"),
]


def deco(fn):
    @functools.wraps(fn)
    def wrapper(*args):
        return fn(*args)

    return wrapper


@deco
@deco
def decorated_twice(x):
    return x


def keep(fn):
    return fn


@deco
@keep
def decorated(x):
    return x


class Outer:
    class Inner:
        def method(self, __x=1):
            __y = self.__x
            return __y, self.__dict__

        @staticmethod
        def static():
            return 1


def redefined():
    return 1


def redefined():
    return 2


def make(n):
    def inner(x):
        return x + n

    return inner


def spans(x):
    s = "é"
    return len("é" + x)


def generator():
    yield 1


async def coroutine():
    return 1


async def async_generator():
    yield 1


def class_inside(x):
    class C:
        y = abs(x)

    return C.y


def late_star(x):
    fs = [lambda: i + y for i in range(3) if (y := i + x)]
    return fs[0]()


def delete_global(x):
    global GONE
    GONE = x
    del GONE
    return x


def groups(x):
    try:
        x += 1
    except* ValueError:
        x = 0
    return x


UNSUPPORTED = [
    (class_inside, "JN201"),
    (late_star, "JN206"),
    (delete_global, "JN204"),
    (groups, "JN205"),
]


def makes_generator():
    def inner():
        yield 1

    return inner


def literals():
    return (1, ("a", -2.5))


def makes_functions(a):
    def one():
        return a

    two, three = (lambda: a), (lambda: 3)
    four = (a for _ in range(3))
    return [(lambda b=b: a + b) for b in range(3)], one, two, three, four
