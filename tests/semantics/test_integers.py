"""Ints of any size, bits, mixed arithmetic, rounding, complex numbers, ``math`` on special values."""

from __future__ import annotations

import math

import numpy as np

from semantics.oracle import Cases, nvec

cases = Cases()


@cases.add(lambda i: (2**61 + i, 3), lambda: (2**70, 3), lambda: (-(2**63), 1), compiled=False)
def beyond_64_bits(a, b):
    return a + b, a - b, a // 7, a % 7


@cases.add(lambda i: (10 + i % 5,), lambda: (30,), lambda: (60,))
def big_factorial(n):
    r = 1
    for k in range(1, n + 1):
        r *= k
    return r


@cases.add(lambda i: (2**80 + i,), compiled=False)
def always_big(n):
    return n + 1, n * n, n % 1000, n >> 60, n > 2**79


@cases.add(lambda i: (i + 5, 3 + i % 2), lambda: (-17, 5), lambda: (17, -5), lambda: (5, 0))
def division(a, b):
    return a // b, a % b, divmod(a, b), a / b, (-a) // b, (-a) % b


@cases.add(lambda i: (i + 5, 3 + i % 3), lambda: (-17, 70), lambda: (17, 63), lambda: (5, 64))
def shifts(a, b):
    return a >> b, (a & 255) << (b & 7), a ^ b, a | b, ~a, -a & 0xFF


@cases.add(lambda i: (i + 5, 3), lambda: (2**62, 2), lambda: (3, 100))
def powers(a, b):
    return a**2, a**b, a**0, (-a) ** 3, 2**-1, a**-1, a**0.5


@cases.add(lambda i: (3 + i % 4, 2 + i % 3, 7), lambda: (3, -1, 7))
def modular_power(a, b, m):
    return pow(a, b, m), pow(a, b)


@cases.add(lambda i: (i, i + 0.5, i % 2 == 0))
def mixed(n, f, b):
    return (
        n + f,
        n * b,
        f + b,
        n / 2,
        b + b,
        n - True,
        f // 1,
        f % 0.75,
        n == f,
        n < f,
        b == n,
        +b,
        -b,
        ~n,
        n // 2.0,
    )


@cases.add(lambda i: (i + 0.5, -i - 2.5), lambda: (1e15 + 0.5, 2.675), lambda: (float("nan"), 1.0))
def rounding(a, b):
    return round(a), round(b), int(a), int(b), math.floor(b), math.ceil(a), math.trunc(b)


@cases.add(lambda i: (i + 0.123456, 1234.5678, 12345 + i))
def round_digits(a, b, n):
    return round(a, 2), round(b, 1), round(n, -2), round(a, 0), round(b, 3), round(n, 2), round(a, None)


@cases.add(lambda i: (float("inf") if i % 2 else 2.0,), lambda: (float("nan"),), lambda: (-0.0,))
def special_values(x):
    return math.isinf(x), math.isnan(x), math.isfinite(x), x > 1, x + 1, -x, abs(x), x == x, max(x, 1.0)


@cases.add(lambda i: (2.0 + i, 0.5))
def math_functions(x, y):
    return (
        math.sqrt(x), math.hypot(x, y), math.atan2(y, x), math.log(x), math.log2(x), math.log10(x), math.log(x, 3),
        math.exp(y), math.pow(x, y), math.degrees(y), math.radians(x), math.copysign(x, -y), math.fmod(x, y),
        math.gcd(12, 18), math.factorial(5), math.isclose(x, y), math.sinh(y), math.asin(y), math.erf(y), math.gamma(x),
        math.floor(x), math.modf(x), math.prod([1, 2, 3]), math.fsum([0.1] * 3), math.comb(5, 2), math.dist([x], [y]),
        math.expm1(y), math.log1p(y), math.tau, math.cbrt(x), math.lcm(4, 6), math.isqrt(17),
    )  # fmt: skip


@cases.add(lambda i: (12 + i, 18), lambda: (0, 5), lambda: (-4, 6))
def euclid(a, b):
    while b:
        a, b = b, a % b
    return a


@cases.add(lambda i: (48 + i, 18))
def run_time_gcd(a, b):
    return math.gcd(a, b), math.isqrt(a), math.factorial(b % 5), math.comb(6, 2)


@cases.add(lambda i: (100 + i,), lambda: (0,), lambda: (2**40,))
def popcount(n):
    c = 0
    while n:
        c += n & 1
        n >>= 1
    return c


@cases.add(lambda i: (100 + i,), lambda: (-5,))
def int_methods(n):
    return n.bit_length(), n.bit_count(), (n).real, n.imag, n.conjugate(), (2.5).is_integer(), n.numerator


@cases.add(lambda i: (7 + i,))
def lcg(seed):
    out = 0
    for _ in range(20):
        seed = (seed * 1103515245 + 12345) % 2**31
        out ^= seed
    return out, seed


@cases.add(lambda i: (7 + i,), lambda: (2**62,))
def hash_mix(n):
    h = 5381
    for k in range(8):
        h = ((h << 5) + h + (n >> k)) & 0xFFFFFFFF
    return h


@cases.add(lambda i: (7 + i,), compiled=False)
def wide_hash(n):
    h = 14695981039346656037
    for k in range(8):
        h = ((h ^ (n >> k)) * 1099511628211) & 0xFFFFFFFFFFFFFFFF
    return h


@cases.add(lambda i: (1 + 2j, i + 0.5), compiled=False)
def complex_numbers(z, f):
    return z * f, z + 1, abs(z), z.real, z.imag, z.conjugate(), z**2, z == 1 + 2j, complex(f, 1), z / (1 - 1j)


@cases.add(lambda i: (np.array([1 + 2j, 3 - 1j]) * (i + 1), 2.0), compiled=False)
def complex_arrays(z, f):
    return z * f, np.abs(z), z.real, z.imag, z.conj(), z.sum(), np.exp(1j * f)


@cases.add(
    lambda i: (np.array([1, 127, -128 + i], dtype=np.int8), np.array([250 + i % 3, 3, 0], dtype=np.uint8))
)
def wraparound(a, b):
    return (
        a + a,
        a * np.int8(3),
        -a,
        b + b,
        b - np.uint8(5),
        a.sum(),
        b * 2,
        a // np.int8(3),
        a % np.int8(3),
        ~b,
        b >> 1,
    )


@cases.add(lambda i: (np.float32(1.1) * (i + 1), 0.1, 3))
def float32_scalars(x, f, n):
    y = x * f
    return (
        y,
        x + n,
        x / n,
        x**2,
        y.dtype == np.float32,
        float(x),
        x > 1,
        round(float(x), 3),
        np.sqrt(x),
        x + np.float64(1),
    )


@cases.add(lambda i: (np.int32(7 + i), np.int64(3), np.uint8(200)))
def int_scalars(a, b, c):
    return (
        a + b,
        a * a,
        a // 2,
        a / 2,
        c + 1,
        c * np.uint8(1),
        a % 4,
        -a,
        a << 2,
        int(a),
        a == 7,
        a & 3,
        float(b),
        a**2,
    )


@cases.add(lambda i: (nvec(4, i, np.float16), nvec(4, 1, np.int32), nvec(4, 1, np.float32), np.arange(4) > 1))
def promotion(h, i, f, b):
    return (
        h + i,
        i + f,
        f * 2.5,
        i * 2.5,
        b + b,
        b * i,
        h * f,
        i / i,
        b & b,
        i + True,
        f + np.float64(1),
        ~b,
        b.sum(),
    )


@cases.add(lambda i: (np.array(3.0 + i), nvec(3, i)))
def zero_d(s, x):
    t = s * 2
    u = s[()]
    return (
        t,
        s + x,
        type(t) is np.float64,
        u,
        s.shape,
        float(s),
        x[0].shape,
        np.asarray(2.0),
        x.sum() + s,
        s.item(),
        s.ndim,
    )


@cases.add(lambda i: (i, 3), lambda: (1, 0))
def caught_zero_division(a, b):
    try:
        return a // b
    except ZeroDivisionError:
        return -1


@cases.add(lambda i: (nvec(3, i), 2.0), lambda: (nvec(3, 1.0), 0.0))
def numpy_division_by_zero(x, f):
    return x / f


test_program = cases.test()
