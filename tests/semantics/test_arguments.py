"""Arguments other than arrays: functions, tuples, texts, numbers."""

from __future__ import annotations

import numpy as np

from semantics.oracle import Cases, vec

cases = Cases()


@cases.add(lambda i: (vec(), vec))
def function_argument(x, make):
    return make(4) + x


@cases.add(lambda i: (vec(), (1, (2.0, vec())), None), lambda: (vec(), (1, (3.0, vec())), vec()))
def nested_tuple_argument(x, t, mask):
    a, (b, c) = t
    y = x * a + b * c
    if mask is not None:
        y = y * mask
    return y, t


@cases.add(lambda i: (vec(), "sum"), lambda: (vec(), "max"), lambda: (vec(), "bad"))
def string_dispatch(x, how):
    if how == "sum":
        return x.sum()
    if how in ("max", "amax"):
        return x.max()
    raise ValueError(f"no such reduction {how!r}")


@cases.add(lambda i: (np.float64(2.5), vec()), lambda: (np.int32(2), vec()))
def numpy_scalar_argument(s, x):
    return x * s, s + 1, s * 2.0


@cases.add(lambda i: (vec(), i, 2.0 * i, i % 2 == 0))
def python_numbers(x, n, f, b):
    return (
        n + 1,
        n // 2,
        n % 3,
        n / 2,
        f * 2,
        f**2,
        b,
        not b,
        -n,
        n > 3,
        x * n,
        x + f,
        min(n, 3),
        max(f, 1.0),
        abs(-n),
    )


@cases.add(lambda i: (2**62 + i, i), lambda: (2**63 - 1, 9), lambda: (2**70, 1), compiled=False)
def int_overflow(a, b):
    return a + b, a * b


@cases.add(lambda i: (vec(), i % 3), lambda: (vec(), -1))
def divide_by_number(x, n):
    return x * (6 // (n - 5)), 7 % (n + 1) if n >= 0 else 0


test_program = cases.test()
