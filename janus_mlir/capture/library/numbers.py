"""Functions of numbers that loop, written in Python and captured like the user's code; see `library`."""

from __future__ import annotations

from typing import Any

from janus_mlir.capture.library.lists import python_decides

# ruff: noqa: D103
# The functions below are read by capture: plain loops, no annotations to evaluate.


def bit_length(n: Any) -> Any:
    k = 0
    n = n if n >= 0 else -n
    while n:
        n = n >> 1
        k += 1
    return k


def bit_count(n: Any) -> Any:
    k = 0
    n = n if n >= 0 else -n
    while n:
        k += n & 1
        n = n >> 1
    return k


def power(a: Any, b: Any) -> Any:
    result = 1
    while b > 0:
        if b & 1:
            result = result * a
        b = b >> 1
        if b > 0:
            a = a * a
    return result


def power_modulo(a: Any, b: Any, modulus: Any) -> Any:
    if b < 0:
        python_decides()
    result = 1 % modulus
    a = a % modulus
    while b > 0:
        if b & 1:
            result = result * a % modulus
        b = b >> 1
        a = a * a % modulus
    return result


def round_int(n: Any, unit: Any) -> Any:
    q = n // unit
    twice = 2 * (n - q * unit)
    if twice > unit or (twice == unit and q % 2 == 1):
        q += 1
    return q * unit


def gcd(a: Any, b: Any) -> Any:
    while b:
        a, b = b, a % b
    return abs(a)


def lcm(a: Any, b: Any) -> Any:
    if a == 0 or b == 0:
        return 0
    return abs(a * b) // gcd(a, b)


def isqrt(n: Any) -> Any:
    if n < 0:
        python_decides()
    if n == 0:
        return 0
    x = 1
    while x * x <= n // 4:
        x = x * 2
    x = x * 2
    y = (x + n // x) // 2
    while y < x:
        x = y
        y = (x + n // x) // 2
    return x


def factorial(n: Any) -> Any:
    if n < 0:
        python_decides()
    result = 1
    k = 2
    while k <= n:
        result = result * k
        k += 1
    return result


def comb(n: Any, k: Any) -> Any:
    if n < 0 or k < 0:
        python_decides()
    if k > n:
        return 0
    result = 1
    i = 0
    while i < k:
        result = result * (n - i) // (i + 1)
        i += 1
    return result


def perm(n: Any, k: Any) -> Any:
    if n < 0 or k < 0:
        python_decides()
    if k > n:
        return 0
    result = 1
    i = 0
    while i < k:
        result = result * (n - i)
        i += 1
    return result


def isclose(a: Any, b: Any, relative: Any, absolute: Any) -> Any:
    if a == b:
        return True
    difference = abs(b - a)
    if difference == float("inf"):
        return False
    return difference <= abs(relative * b) or difference <= abs(relative * a) or difference <= absolute
