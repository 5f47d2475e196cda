"""Objects of the run time: ints beyond 64 bits, and strings that differ from call to call."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import Any

from semantics.oracle import WARMUP, Cases

cases = Cases()


@cases.add(lambda i: (25 + i % 3,), lambda: (0,), lambda: (5,))
def factorial(n: int) -> int:
    result = 1
    for k in range(2, n + 1):
        result *= k
    return result


@cases.add(lambda i: (100 + i,), lambda: (1,), lambda: (-3,))
def fibonacci(n: int) -> Any:
    a, b = 0, 1
    for _ in range(n):
        a, b = b, a + b
    return (
        a,
        a > b,
        a % 1000,
        -a // 7,
        a / b,
        abs(a - b),
        divmod(a, 10),
        a.bit_length(),
        bool(a),
        f"{a:,}",
        min(a % 5, 3),
    )


@cases.add(lambda i: (12345 + i, 5), lambda: (0, 2))
def congruential(seed: int, n: int) -> list[int]:
    found = []
    for _ in range(n):
        seed = (seed * 6364136223846793005 + 1442695040888963407) & ((1 << 64) - 1)
        found.append((seed >> 33) % 100)
    return found


@cases.add(lambda i: (2**62 + i, 3), lambda: (2**70, 3), lambda: (5, 0), lambda: (2**63, -(2**63)))
def near_the_limit(a: int, b: int) -> Any:
    return (a + a) // b, a * a % b, a == b, a << 3, a ^ b, float(a)


@cases.add(lambda i: (2**80 + i, 2**81), lambda: (1, 2), lambda: (2**80, 1.5))
def arguments(a: int, b: int) -> Any:
    return a + b, a < b, max(a, b) == b, a if a > b else b


def _texts(f: Any) -> Iterator[Any]:
    for i in range(WARMUP + 12):
        yield (f"Word{i} and more {i * i}",)
    yield ("",)
    yield ("x" * 40,)
    for i in range(4):
        yield (f"Word{i} and more",)


@cases.world(_texts)
def letters(text: str) -> Any:
    found = 0
    for letter in text:
        if letter in "aeiou" or letter == "W":
            found += ord(letter)
    return (
        found,
        len(text),
        text.count("o"),
        text.find("and"),
        text.upper(),
        text[::-1] == text,
        text[:4],
        text + "!",
    )


@cases.world(_texts)
def words(text: str) -> Any:
    found = text.split()
    longest = ""
    for word in found:
        if len(word) > len(longest):
            longest = word
    return (
        longest,
        len(found),
        " ".join(found),
        text.startswith("Word"),
        f"<{text:>30}>",
        text.isdigit(),
        "and" in found,
    )


@cases.world(_texts)
def mirrored(text: str) -> bool:
    i, j = 0, len(text) - 1
    while i < j:
        if text[i] != text[j]:
            return False
        i += 1
        j -= 1
    return True


@cases.add(lambda i: (100 + i,), lambda: (0,), lambda: (12321,))
def digits(n: int) -> Any:
    text = str(n)
    return sum(int(d) for d in text), text == text[::-1], len(text), text.zfill(6), int(text[0])


@cases.world(_texts)
def conversions(text: str) -> Any:
    try:
        return int(text[4:5]) + float(text[4:6])
    except ValueError as error:
        return str(error)


def _commands(f: Any) -> Iterator[Any]:
    for i in range(WARMUP + 12):
        yield "+-*/"[i % 4], i, 2
    yield "?", 1, 2
    yield "/", 1, 0
    for i in range(6):
        yield "+-*/"[i % 4], i, 2


@cases.world(_commands)
def calculator(command: str, a: int, b: int) -> Any:
    names = {"+": "add", "-": "sub"}
    if command == "+":
        return a + b, names.get(command)
    if command == "-":
        return a - b, names[command]
    if command in ("*", "x"):
        return a * b, names.get(command, "other")
    if command == "/":
        return a / b, command * 2
    raise ValueError(f"unknown command {command!r}")


# ---- strings as items and keys ---------------------------------------------------------------------


@cases.world(_texts)
def counted(text: str) -> Any:
    counts: dict[str, int] = {}
    first: dict[str, str] = {}
    seen = set()
    for word in text.split():
        counts[word] = counts.get(word, 0) + 1
        first.setdefault(word[0], word)
        seen.add(word.lower())
    best = max(counts, key=len, default="")
    return counts, first, sorted(counts.items()), len(seen), "and" in seen, best


@cases.world(_texts)
def runs(text: str) -> Any:
    out = []
    i = 0
    while i < len(text):
        j = i
        while j < len(text) and text[j] == text[i]:
            j += 1
        out.append(text[i] + str(j - i))
        i = j
    if len(out) > 30:
        out[0] = "many"
    return "".join(out), out[:2], sorted(out), out[::-1]


@cases.world(_texts)
def stacked(text: str) -> Any:
    stack = []
    dropped = None
    for letter in text:
        if letter.isdigit():
            stack.append(letter)
        elif letter == "o" and stack:
            dropped = stack.pop()
    return stack, dropped, "-".join(stack), len(stack), "7" in stack


@cases.add(
    lambda i: (["ab", "ba", f"abc{i}", "cab", f"x{i * i}"],),
    lambda: ([],),
    lambda: (["ab", 1],),
    lambda: (["q"] * 3,),
)
def grouped(words: list[str]) -> Any:
    groups: dict[str, list[str]] = {}
    for word in words:
        groups.setdefault("".join(sorted(word)), []).append(word)
    longest = ""
    for word in words:
        if len(word) > len(longest):
            longest = word
    return groups, sorted(len(g) for g in groups.values()), longest


@cases.add(lambda i: (["b", "a", "c"], [2, 1 + i % 3, 2]), lambda: ([], []), lambda: (["a", "a"], [1, 1]))
def names_in_order_of_cost(names, costs):
    waiting = []
    for name, cost in zip(names, costs, strict=True):
        heapq.heappush(waiting, (cost, name))
    return [heapq.heappop(waiting) for _ in range(len(names))]


test_program = cases.test()
