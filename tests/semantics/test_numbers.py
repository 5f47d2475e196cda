"""Python numbers: integer division, overflow, powers, comparisons, truth values, ``math``."""

from __future__ import annotations

import math

import numpy as np

from semantics.oracle import Cases

cases = Cases()


@cases.add(lambda i: (7 - 3 * i, 3 - i % 2 * 5))
def integer_division(a, b):
    return a // b, a % b, divmod(a, b), -a // b, a // -b, -(a // b), a / b


@cases.add(lambda i: (7.5 - 3 * i, 2.0 - i % 2 * 5), lambda: (-0.0, 3.0), lambda: (1.0, 0.0))
def float_division(a, b):
    return a // b, a % b, divmod(a, b), a / b


@cases.add(lambda i: (float("nan") if i % 2 else 1.0, 2.0))
def nan_comparisons(a, b):
    return a < b, a == a, a != a, not a < b, max(a, b), min(a, b), max(b, a), a <= b <= a


@cases.add(lambda i: (i - 3, i % 4), lambda: (2, -1), lambda: (0, -1), lambda: (10, 40))
def integer_power(a, b):
    return a**2, a**b, 2**b


@cases.add(lambda i: (1.5 + i, 0.5), lambda: (-8.0, 1 / 3), lambda: (0.0, -1.0))
def float_power(a, b):
    return a**b, a**2, a**-1.0


@cases.add(lambda i: (i, i % 2 == 0, i * 0.5))
def boolean_values(n, b, f):
    return n and f, n or f, b and n, b or n, not n, b + 1, b * f, b == 1, n == f, bool(f), True + b


@cases.add(lambda i: (i, 1.0 * i))
def mixed_extremes(n, f):
    return max(n, 2), min(n, 7), max(f, 3.0), min(f, 1.5, 2.5), abs(n - 3), abs(f - 3)


@cases.add(lambda i: (i, 1.0 * i), compiled=False)
def extremes_of_different_types(n, f):
    return max(n, f), min(n, f), max(f, n), min(n, 2.5), max(f, 3)


@cases.add(lambda i: (0.5 + i, -1.5 - i))
def rounding(a, b):
    return round(a), round(b), int(a), int(b), math.floor(b), math.ceil(a), math.trunc(b), float(int(a))


@cases.add(lambda i: (4.0 + i,), lambda: (-1.0,), lambda: (0.0,), lambda: (float("inf"),), lambda: (1e300,))
def math_domain(x):
    return math.sqrt(x) + math.log(x), math.exp(-x), math.sin(x), math.tanh(x)


@cases.add(lambda i: (i + 1, i % 5), lambda: (5, -1), lambda: (1, 70))
def shifts(a, b):
    return a << b, a >> b, a & 6, a | 1, a ^ 3, ~a


@cases.add(lambda i: (2**61 + i, 1), lambda: (2**62, 5))
def overflow_in_loop(a, n):
    for _ in range(n):
        a = a + a
    return a


@cases.add(lambda i: (3 + i % 3,), lambda: (25,), lambda: (-1,))
def factorial(n):
    r = 1
    for k in range(2, n + 1):
        r *= k
    return r


@cases.add(lambda i: (10 + i, 4 + i % 3), lambda: (0, 5), lambda: (-12, 18))
def gcd(a, b):
    while b:
        a, b = b, a % b
    return a


@cases.add(lambda i: (50 + i % 3,))
def primes(n):
    count = 0
    for k in range(2, n):
        d = 2
        while d * d <= k:
            if k % d == 0:
                break
            d += 1
        else:
            count += 1
    return count


@cases.add(lambda i: (i % 4,), lambda: (9,))
def type_changes(n):
    x = 0
    for k in range(n):
        x = x + 0.5 * k
    return x


@cases.add(lambda i: (5 + i % 3, 0.0))
def float_accumulates_int(n, s):
    for k in range(n):
        s += k / 2
        if k > 3:
            s -= 1
    return s, type(s) is float


@cases.add(lambda i: (i,))
def int_stays_int(n):
    x = 0
    while x < n:
        x += 1
    return x, isinstance(x, int), isinstance(x, bool), isinstance(n > 2, bool), type(n / 1)


@cases.add(lambda i: (5 + i, 3 - i % 7), lambda: (0, 0))
def chained(a, b):
    return 0 < b < a, a > b != 3, a == b == 0, (a > 3) + (b > 3), a if a > b else b


@cases.add(lambda i: (i + 2, 1), lambda: (0, 0), lambda: (1, 0))
def short_circuit_guards(n, d):
    return (d != 0 and n // d > 1), (d == 0 or n // d), n > 0 and 10 // n


@cases.add(lambda i: (np.int64(i), np.float32(2.5), np.int8(100)))
def numpy_scalar_numbers(i, f, b):
    return i + 1, i / 2, f * 2, f + i, b + np.int8(1), i // 2, -f, abs(f), i > 1, bool(i), int(f), i * 2.0


@cases.add(lambda i: (np.float64(i), 2))
def numpy_scalar_and_int(x, n):
    return x**n, n - x, n / (x + 1), x * n, x == n, max(x, n * x), x % n, x // n


@cases.add(lambda i: (3, 2.0))
def constants_and_types(a, b):
    return (
        a + True,
        b.is_integer(),
        (a).bit_length(),
        a.real,
        1_000 * a,
        0x10 + a,
        1e3 * b,
        str(a),
        repr(b),
        f"{a}/{b:.1f}",
    )


@cases.add(lambda i: ([3, 1, 2], i % 3), lambda: ([5, 4], 7), lambda: ([], 0))
def list_of_numbers(xs, k):
    return sum(xs), len(xs), sorted(xs), xs[k], max(xs), xs.index(xs[0]), k in xs


@cases.add(lambda i: (i, 10), lambda: (3, 0))
def range_forms(a, n):
    out = 0
    for k in range(a, n, 2):
        out = out * 3 + k
    for k in range(n, a, -3):
        out = out * 2 - k
    for k in range(-2, 2):
        out += k
    return out, len(range(a, n)), list(range(3))


@cases.add(lambda i: (np.arange(4.0) + i, 3.0), lambda: (np.arange(2.0), 3.0))
def kinds_that_change_together(x, k):
    place, speed = 0.0, 1.0
    for v in x:
        speed = speed + (0.01 * v if v > k else 0.0) - 0.1 * place
        place = place + speed
    return place, speed


@cases.add(lambda i: (1 + 2j + i, 2.0), lambda: (1j, 0), lambda: (3.0, 2))
def complex_numbers(z, k):
    w = z * k + 1j
    return w, abs(w), w.real, -w.imag, w.conjugate(), w**3, z == w, bool(z), 1 / w, z / k


@cases.add(lambda i: (-0.5 + 0.1 * i, 0.3), lambda: (2.0, 2.0))
def mandelbrot(x, y):
    z, c = 0j, complex(x, y)
    for n in range(50):
        z = z * z + c
        if abs(z) > 2:
            return n, z
    return 50, None


@cases.add(lambda i: (i % 3,), compiled=False)
def loop_variable_after_loop(n):
    for k in range(n):
        pass
    try:
        return k
    except UnboundLocalError as error:
        return str(error)


@cases.add(lambda i: (3 + i,), lambda: (0,), lambda: (-9,), lambda: (2.5,))
def extremes(k):
    return max(k, 4.0), min([k, 2, 7]), max(k, 3, key=lambda v: -v)


test_program = cases.test()
