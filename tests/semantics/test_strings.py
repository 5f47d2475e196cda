# ruff: noqa: UP030, UP031
"""Strings: constants, f-strings of run-time values, methods, joins, formats."""

from __future__ import annotations

from semantics.oracle import Cases, nvec

cases = Cases()


@cases.add(lambda i: (i, 1.5 * i, nvec(2, i)))
def fstrings(n, f, x):
    return f"{n} {f:.3f} {n:>5} {f:e} {n!r} {f!s:>8} {x} {n + 1:03d} {f:,.2f} {n:x} {True} {n=}"


@cases.add(lambda i: (i, 4))
def run_time_width(n, w):
    return f"{n:{w}d}", f"{n:<{w}}|"


@cases.add(lambda i: (i, 1.5 * i))
def percent(n, f):
    return "%d items" % n, "%s %5.2f" % (n, f), "100%%" % ()


@cases.add(lambda i: (i, 1.5 * i))
def format_method(n, f):
    return f"{n} {f:.2f}", f"{f} {n}", f"{n:>4}", "{0!r}".format("q")


@cases.add(lambda i: ("Hello World", i))
def constant_methods(s, n):
    return (
        s.upper(), s.lower(), s.split(), s.replace("l", "L"), s.find("W"), s.startswith("He"), s[::-1], s[1:4],
        len(s), s * 2, s.count("l"), "lo" in s, s.title(), s.strip("Hd"), s.partition(" "), s.zfill(14), s.isalpha(),
        s.center(15, "*"), "a,b,c".split(","), " x ".strip(), s.index("o"), s.swapcase(), s.encode(), ord(s[0]),
        chr(65 + n % 3), s.ljust(12) + "|", s.splitlines(), s.rsplit(" ", 1), s.endswith(("x", "d")),
    )  # fmt: skip


@cases.add(lambda i: ("a,b,c" if i % 2 else "x,y",), lambda: ("",))
def varying_text(s):
    parts = s.split(",")
    return len(parts), "-".join(parts), [p.upper() for p in parts], {p: len(p) for p in parts}


@cases.add(lambda i: (i, 2.5))
def conversions(n, f):
    return (
        str(n),
        repr(f),
        str(f),
        str([n, f]),
        repr("x"),
        str((n,)),
        str(None),
        str({"a": n}),
        bin(n),
        hex(n),
        oct(n),
    )


@cases.add(lambda i: (i, 2.5))
def text_then_use(n, f):
    s = f"{n}-{f}"
    t = s + "!" + str(n)
    parts = [str(k * n) for k in range(3)]
    return s, t, ", ".join(parts), t.upper(), f"{s!r:>12}", [s, t]


@cases.add(lambda i: (i, 2.5), compiled=False)
def text_that_decides(n, f):
    s = f"{n}-{f}"
    return len(s), s == "3-2.5", s in {"3-2.5": 1}


@cases.add(lambda i: (i - 2,), lambda: (-9,), lambda: (50,))
def label(n):
    if n < 0:
        kind = "negative"
    elif n == 0:
        kind = "zero"
    else:
        kind = "positive"
    return kind, kind[:3], f"{n} is {kind}"


@cases.add(lambda i: (nvec(5, i - 4.0),), lambda: (nvec(5, 9.0),))
def labels_in_loop(x):
    words = []
    state = "start"
    for v in x:
        if v > 0:
            state = "up"
        elif state == "up":
            state = "down"
        words.append(state)
    return words, state


@cases.add(lambda i: (5 + i % 3,), lambda: (15,))
def fizzbuzz(n):
    out = []
    for k in range(1, n + 1):
        if k % 15 == 0:
            out.append("FizzBuzz")
        elif k % 3 == 0:
            out.append("Fizz")
        elif k % 5 == 0:
            out.append("Buzz")
        else:
            out.append(str(k))
    return out


@cases.add(lambda i: ("12" if i % 2 else "7", i), lambda: ("-3", 1))
def parsing(s, n):
    return int(s) + n, float(s) * 0.5, int("ff", 16), int(f"{n}") + 1, float(str(n)), float(repr(n * 0.5))


@cases.add(lambda i: (i, nvec(3, i)))
def printed(n, x):
    print("n", n, x, sep="|")
    for k in range(2):
        print(f"{k}: {x[k]:.2f}", end=";")
    print()
    x += 1
    print(x.sum())


@cases.add(lambda i: ("abc", i % 3), lambda: ("abc", -4))
def run_time_index(s, k):
    return s[k], s[: k + 1], s[k] * 2


@cases.add(lambda i: ("a" if i % 2 else "b", i))
def string_compare(s, n):
    return s == "a", s < "b", s != "q", s in ("a", "z"), s in "xyza", s is not None, "a" <= s <= "b"


@cases.add(lambda i: ("level" if i % 2 else "noon",), lambda: ("ab",), lambda: ("",))
def palindrome(s):
    i, j = 0, len(s) - 1
    while i < j:
        if s[i] != s[j]:
            return False
        i += 1
        j -= 1
    return True


@cases.add(lambda i: ("attack", 3 + i))
def caesar(text, k):
    out = ""
    for ch in text:
        out += chr((ord(ch) - 97 + k) % 26 + 97)
    return out


@cases.add(lambda i: (i, b"ab"))
def bytes_values(n, b):
    return b[0] + n, b + b"c", len(b), b.decode(), bytes([1, 2]), b.hex(), b"a" in b


@cases.add(lambda i: (f"Hello, World {i}", 3), lambda: ("xyz", 30), lambda: ("", 1), lambda: ("q", 1.5))
def shifted(s, k):
    out = ""
    for ch in s:
        if ch.isalpha():
            base = ord("A") if ch.isupper() else ord("a")
            out += chr((ord(ch) - base + k) % 26 + base)
        else:
            out += ch
    return out, [w[::-1] for w in reversed(s.split())]


@cases.add(lambda i: (1994 + i,), lambda: (0,), lambda: (4,), lambda: (2.5,))
def roman(n):
    out = ""
    for value, text in (
        (1000, "M"),
        (900, "CM"),
        (500, "D"),
        (100, "C"),
        (90, "XC"),
        (10, "X"),
        (9, "IX"),
        (1, "I"),
    ):
        while n >= value:
            out += text
            n -= value
    return out


@cases.add(lambda i: (3 + i,), lambda: (0,), lambda: (-12,), lambda: (2.5,))
def by_character(k):
    out, n = [], 0
    for ch in f"x{k}yz":
        if ch.isdigit():
            n = n * 10 + int(ch)
        elif ch in "yz":
            out.append(ch * 2)
        else:
            out.append(chr(ord(ch) + 1))
    return out, n, "".join(out)


test_program = cases.test()
