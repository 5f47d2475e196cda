"""Printing, assertions, exceptions, and what must have happened before them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jax.numpy as jnp

from semantics.oracle import WARMUP, Box, Cases, mat, nvec, vec

cases = Cases()


@cases.add(lambda i: (vec(start=float(i)), i))
def prints(x, n):
    print("sum", x.sum(), n, sep="|")
    print(f"{n:03d} {float(x[0]):.2f} {x.shape}", end=";\n")
    return x


@cases.add(lambda i: (vec(start=float(i - 3)),))
def prints_in_branch(x):
    if x[0] > 0:
        print("positive")
    else:
        print("negative", x[0])
    print("after")
    return x + 1


@cases.add(lambda i: (vec(), 3 + i % 2))
def prints_in_loop(x, n):
    for k in range(n):
        x = x * 0.5
        print(k, x.sum())
    return x


@cases.add(lambda i: (vec(), f"n{i % 2}"), lambda: (vec(), "other"))
def formats(x, name):
    return f"{name!r:>8}|{x.shape}|{x.dtype}|{len(name)}", "%s-%d" % (name, 3), name.upper() + "!"  # noqa: UP031


@cases.add(lambda i: (vec(),), lambda: (vec(start=-5.0),))
def asserts(x):
    assert x.min() > 0, f"negative: {x.min()}"
    return jnp.log(x)


@cases.add(lambda i: (vec(),), lambda: (vec(3),))
def asserts_shape(x):
    assert x.shape == (4,), x.shape
    return x * 2


@cases.add(lambda i: (vec(),), lambda: (vec(start=-5.0),))
def raises(x):
    y = x * 2
    if y[0] < 0:
        raise ValueError("negative input")
    return y


@cases.add(lambda i: (vec(start=float(i % 3 - 1)),))
def try_if_raise(x):
    try:
        if x[0] > 0:
            raise ValueError("positive")
        y = x * 2
    except ValueError as error:
        y = x * -1
        print("caught", error)
    return y


@cases.add(lambda i: (vec(),))
def try_without_exception(x):
    try:
        y = x * 2
    except ValueError:
        y = x
    else:
        y = y + 1
    finally:
        z = x - 1
    return y, z


@cases.add(lambda i: ({"a": vec()}, "a"), lambda: ({"a": vec()}, "b"))
def except_key_error(d, k):
    try:
        return d[k] * 2
    except KeyError as error:
        return str(error)


def _finally(_):
    m = Box(n=0, log=[])
    for k in range(8):
        yield m, vec(start=float(k % 2 - 1))
    for _ in range(3):
        yield m, vec()


@cases.world(_finally)
def finally_runs(m, x):
    try:
        m.n += 1
        if x[0] < 0:
            raise RuntimeError("below")
        return x * m.n
    finally:
        m.log.append(m.n)


def _effects_before_raise(_):
    m = Box(n=0, w=vec())
    for k in range(5):
        yield m, vec(start=1.0)
    yield m, vec(start=-10.0)
    yield m, vec(start=-10.0)
    m.w = vec()
    for k in range(4):
        yield m, vec(start=1.0)


@cases.world(_effects_before_raise)
def effects_before_raise(m, x):
    m.n += 1
    m.w = m.w + x
    print("step", m.n)
    if m.w[0] < 0:
        m.n = -1
        raise ArithmeticError(f"diverged {m.n}")
    m.n += 10
    return m.w * m.n


def _nth_call(_):
    m = Box(calls=0)
    for _ in range(14):
        yield m, vec()


@cases.world(_nth_call)
def raises_on_nth(m, x):
    m.calls += 1
    if m.calls == 7:
        raise KeyError("seven")
    if m.calls == 9:
        return None
    return x * m.calls


class Resource:
    def __init__(self):
        self.open = 0
        self.log: list[str] = []

    def __enter__(self):
        self.open += 1
        return self

    def __exit__(self, kind, value, trace):
        self.open -= 1
        self.log.append("none" if kind is None else kind.__name__)
        return kind is ValueError


def _with(_):
    r = Resource()
    for k in range(6):
        yield r, vec()
    yield r, vec(start=-1.0)
    for k in range(3):
        yield r, vec()


@cases.world(_with)
def with_statement(r, x):
    with r as inner:
        y = x * inner.open
        if x[0] < 0:
            raise ValueError("swallowed")
        return y
    return None


@cases.add(lambda i: (vec(), 2), lambda: (vec(), 0))
def zero_division(x, n):
    return x * (4 // n)


@cases.add(lambda i: ([vec()], 0), lambda: ([vec()], 3))
def index_error(xs, k):
    return xs[k] + 1


@cases.add(lambda i: (vec(),), lambda: (Box(),), lambda: (None,), lambda: ("text",))
def wrong_type(x):
    return x + 1


@cases.add(lambda i: (vec(), vec()), lambda: (vec(), vec(3)), lambda: (mat(), vec()))
def shape_mismatch(x, y):
    z = x * 2
    return z + y


@cases.add(lambda i: (Box(w=vec()),), lambda: (Box(v=vec()),))
def missing_attribute(m):
    return m.w * 2


@cases.add(lambda i: (vec(start=float(i % 2)),))
def unbound_local(x):
    if x[0] > 0:
        y = x
    try:
        return y
    except UnboundLocalError:
        return -1


def inner_raise(x):
    if x[0] < 0:
        raise ValueError("inner")
    return x * 2


def _inner(_):
    m = Box(log=[])
    for k in range(5):
        yield m, vec()
    yield m, vec(start=-1.0)
    for k in range(4):
        yield m, vec()
    yield m, vec(start=-1.0)
    yield m, vec()


@cases.world(_inner)
def exception_from_callee(m, x):
    m.log.append("start")
    y = inner_raise(x)
    m.log.append("end")
    return y


@cases.world(_inner)
def exception_caught_from_callee(m, x):
    m.log.append("start")
    try:
        y = inner_raise(x)
    except ValueError as e:
        m.log.append(str(e))
        return x
    return y


def unknown(x: Any) -> Any:
    return eval("x + 1")  # noqa: S307


@cases.add(lambda i: (vec(),), compiled=False)
def break_in_the_middle(x):
    y = x * 2
    z = unknown(y)
    return z * 3


@cases.add(lambda i: (vec(),), compiled=False)
def generator_use(x):
    def gen():
        for k in range(3):
            yield x * k

    total = 0
    for g in gen():
        total = total + g
    return total


@cases.add(lambda i: (nvec(), []))
def order_of_effects(a, log):
    a[0] = 10.0
    log.append(a.sum())
    a[1] = 20.0
    print("a", a[1])
    log.append(a.sum())
    return a


def _listener(_):
    seen: list[Any] = []
    for k in range(7):
        yield seen.append, vec(start=float(k)), seen


@cases.world(_listener)
def bound_builtin_method(listener, x, seen):
    listener(x)
    return x * 2


class Counted:
    made = 0
    rate = 0.5
    label = "a"

    def __init__(self) -> None:
        type(self).made += 1
        self.number = Counted.made


class CountedMore(Counted):
    pass


def class_world(f: Any) -> Iterator[Any]:
    Counted.made, Counted.rate, Counted.label = 0, 0.5, "a"
    CountedMore.made = 0
    for k in range(WARMUP + 4):
        yield Counted(), float(k)
    Counted.rate = 2
    yield Counted(), 1.0
    Counted.made = 2**63 - 2
    yield Counted(), 1.0
    Counted.made = 0
    own = Counted()
    own.rate = 7.0
    yield own, 1.0
    Counted.rate = 0.5
    for k in range(WARMUP + 4):
        yield Counted(), float(k)


@cases.world(class_world)
def class_attributes(outer: Counted, x: float) -> Any:
    Counted.rate *= 2
    Counted.label = f"<{x}>"
    inner = CountedMore()
    seen = [inner.rate, outer.rate, CountedMore.rate, Counted.made, CountedMore.made, inner.number]
    Counted.rate = Counted.rate / 2
    if x > 2:
        Counted.made += 10
    return seen, inner.label, outer.label, Counted.made


test_program = cases.test()
