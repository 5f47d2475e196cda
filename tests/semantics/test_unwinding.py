"""Exceptions, generators and choices where guards fail in the middle: what is done once stays done once."""

from __future__ import annotations

import contextlib
from typing import Any

from semantics.oracle import Box, Cases, nvec

cases = Cases()


class Journal:
    """A context manager that writes down what happens, and may swallow it."""

    def __init__(self, entries: list[str], swallow: bool = False) -> None:
        self.entries = entries
        self.swallow = swallow

    def __enter__(self) -> Journal:
        self.entries.append("in")
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> bool:
        self.entries.append("out" if kind is None else f"out {kind.__name__}: {error}")
        return self.swallow


def step(box, x):
    box.n += 1
    print("step", box.n)
    if x < 0:
        raise ValueError(f"step {box.n}")
    return x * 2


@cases.add(lambda i: (Box(n=0), [1.0, 2.0 + i]), lambda: (Box(n=0), [1.0, -2.0]), lambda: (Box(n=0), [-1.0]))
def effects_then_raise(box, xs):
    total = 0.0
    for x in xs:
        try:
            total += step(box, x)
        except ValueError as error:
            print("caught", error)
            total -= 1
    return total, box.n


@cases.add(lambda i: (Box(n=0), 1.0 + i), lambda: (Box(n=0), -1.0))
def effects_then_leave(box, x):
    print("begin")
    y = step(box, 1.0)
    try:
        z = step(box, x)
    finally:
        box.done = True
        print("finally")
    return y + z


@cases.add(lambda i: ([], 1.0 + i, 2), lambda: ([], -1.0, 2), lambda: ([], 1.0, 0), lambda: ([], "s", 1))
def managers_and_errors(entries, x, k):
    try:
        with Journal(entries) as a, Journal(entries, swallow=True):
            a.entries.append("body")
            if x < 0:
                raise KeyError("negative")
            y = 10 / k
    except ZeroDivisionError:
        return "zero"
    except TypeError:
        return "type"
    return y if x > 0 else "swallowed"


@cases.add(lambda i: (nvec(4, 1.0 + i), []), lambda: (nvec(4, -9.0), []), lambda: (nvec(3, -1.0), []))
def arrays_in_try(x, log):
    try:
        m = x.mean()
        log.append(float(m))
        if m < 0:
            raise ValueError("mean")
        y = x / m
    except ValueError:
        log.append("except")
        y = x * 0.0
    x += 1.0
    return y


@cases.add(lambda i: (1 + i, 3), lambda: (0, 3), lambda: (2**62, 3), lambda: (5, 0))
def overflow_in_try(n, k):
    total = 1
    try:
        for j in range(k):
            total = total * (n + j) + 100 // n
    except ZeroDivisionError:
        total = -total
    return total


@cases.add(lambda i: (3, 1.0 + i), lambda: (3, -1.0), lambda: (0, 1.0), lambda: (2.5, 1.0))
def choice_and_error(n, x):
    found = None
    name = "none"
    try:
        for k in range(n):
            if x > k:
                found, name = k * x, f"at {k}"
            elif x < 0:
                raise LookupError(name)
    except LookupError as error:
        return "lookup", str(error), found
    except TypeError:
        name = "type"
    if found is None:
        return name
    return found + 1, name


def pairs(xs, box):
    for i, x in enumerate(xs):
        box.n += 1
        if x == 0:
            raise ValueError(f"zero at {i}")
        yield i, 10 / x
    box.n += 100


@cases.add(
    lambda i: (Box(n=0), [1.0, 2.0 + i]),
    lambda: (Box(n=0), [1.0, 0.0, 2.0]),
    lambda: (Box(n=0), []),
    compiled=False,
)
def generator_that_raises(box, xs):
    total = 0.0
    try:
        for i, v in pairs(xs, box):
            print(i)
            total += v
    except ValueError as error:
        return str(error), total, box.n
    return total, box.n


@contextlib.contextmanager
def scope(box, name):
    box.n += 1
    try:
        yield box.n
    except ValueError:
        print(name, "handled")
    finally:
        box.n -= 1


@cases.add(lambda i: (Box(n=0), 1.0 + i), lambda: (Box(n=0), -1.0), lambda: (Box(n=5), 1.0), compiled=False)
def scopes(box, x):
    depth = 0
    for k in range(3):
        with scope(box, f"s{k}") as d:
            depth = max(depth, d)
            if x < k:
                raise ValueError
            with scope(box, "inner") as e:
                depth = max(depth, e)
    return depth, box.n


def _memory(_: Any) -> Any:
    box = Box(last=None, errors=0, log=[])
    for x in (1.0, 2.0, 3.0, -1.0, 4.0, None, 5.0, 6.0, 7.0, 8.0):
        yield box, x


@cases.world(_memory)
def state_between_calls(box, x):
    try:
        if x < 0:
            raise ValueError("below")
        delta = 0.0 if box.last is None else x - box.last
        box.last = x
    except (ValueError, TypeError) as error:
        box.errors += 1
        box.log.append(type(error).__name__)
        return None
    return delta


@cases.add(lambda i: (2.0 + i,), lambda: (-2.0,), lambda: (0.0,))
def error_of_error(x):
    def risky(v):
        try:
            if v < 0:
                raise ValueError("negative")
            return 1 / v
        except ValueError as error:
            raise RuntimeError("wrapped") from error

    try:
        return risky(x)
    except RuntimeError as error:
        cause = error.__cause__
        return str(error), str(cause), cause is error.__context__
    except ZeroDivisionError as error:
        return str(error), error.__cause__, error.__context__


@cases.add(lambda i: ({"a": 1.0 + i}, ["a"]), lambda: ({"a": 1.0}, ["a", "b"]), lambda: ({}, ["x"]))
def defaults_by_error(table, keys):
    out = []
    for key in keys:
        try:
            out.append(table[key] * 2)
        except KeyError as error:
            table[key] = 0.5
            out.append(f"no {error}")
    return out


@cases.add(lambda i: (1.0 + i, 4), lambda: (-1.0, 4), lambda: (100.0, 4), compiled=False)
def while_true_with_handler(x, n):
    count = 0
    while True:
        count += 1
        try:
            if count > n:
                break
            if x < 0:
                raise ValueError
            x = x * 1.5
            if x > 50:
                raise OverflowError("big")
        except ValueError:
            x = -x
            continue
        except OverflowError as error:
            return str(error), count
        finally:
            count += 1
    else:
        count = -1
    return x, count


test_program = cases.test()
