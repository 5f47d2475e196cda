"""Functions to stop and resume at every statement; see `source_corpus` for their form."""

# ruff: noqa

from __future__ import annotations

import source_corpus as corpus
from source_corpus import Truth, loud


def nested_for(e, a, b):
    out = []
    for i in loud(e, "i", range(3)):
        out.append(("i", i))
        for j in loud(e, "j", range(3)):
            if j == a:
                if i == b:
                    break
                continue
            elif i == b:
                out.append("b")
            out.append((i, j))
        else:
            out.append("else j")
            if i == a:
                continue
            out.append("not a")
        if i == b + 1:
            break
        out.append("next")
    else:
        out.append("else i")
        return out, 1
    return out, i, j


def nested_while(e, a, b):
    i = 0
    out = []
    while Truth(e, i, i < 3):
        i += 1
        j = 0
        while e("j", j) < 3:
            j += 1
            if j == a:
                continue
            if j == b:
                break
            out.append((i, j))
        else:
            out.append("else")
            continue
        out.append("broken")
        if i == a:
            return out
    else:
        out.append("done")
    return out


def mixed(e, a, b):
    out = []
    k = 0
    while k < 2:
        for i in range(2):
            while True:
                k += 1
                for x, y in [(1, 2), (3, 4)]:
                    if x == a:
                        break
                    if y == b:
                        continue
                    out.append((k, i, x, y))
                else:
                    break
                if k > 3:
                    return out, "returned"
        else:
            continue
        break
    else:
        out.append("end")
    return out, k


def loop_else_break(e, a, b):
    out = []
    for i in range(3):
        for j in range(2):
            if j == a:
                break
        else:
            out.append("inner else")
            if i == b:
                break
            for k in range(2):
                out.append(k)
                if k == b:
                    break
            else:
                continue
            out.append("after k")
        out.append(i)
    else:
        out.append("outer else")
    return out


def tries(e, a, b):
    out = []
    for i in range(3):
        try:
            out.append(i)
            if i == a:
                raise ValueError(i)
            e(i, 0)
        except ValueError as error:
            out.append(str(error))
            if b:
                continue
        else:
            out.append("else")
            if i == b:
                break
            out.append("end of else")
        finally:
            out.append("finally")
            e("f", 0)
        out.append("after")
    return out


def finally_returns(e, a, b):
    try:
        e(1, 1)
        try:
            e(2, 2)
            if a:
                return e(3, 3)
            e(4, 4)
        finally:
            e(5, 5)
        e(6, 6)
    finally:
        e(7, 7)
        if b:
            return "overridden"
    return "end"


def conditional_binding(e, a, b):
    if a:
        x = 1
    for i in range(b):
        y = i
    e("before", 0)
    if b:
        e(y, 0)
    return x


def targets(e, a, b):
    box = corpus.Box(e)
    for box[e("t", 0)], (p, *q) in [(1, "abc"), (2, "de")]:
        e(p, q)
        if p == "a":
            e("first", q)
    return box.d, p, q


def global_and_closure(e, a, b):
    global COUNT
    COUNT = a
    e(1, 1)
    COUNT += b
    scale = 3
    total = sum(scale * i for i in range(a))
    f = lambda x: x * scale
    e(2, 2)
    return COUNT, total, f(b)


def rebound_after_capture(e, a, b):
    n = a
    f = lambda: n
    e(1, 1)
    n = b
    e(2, 2)
    return f(), n


def nonlocal_counter(e, a, b):
    n = a

    def bump():
        nonlocal n
        n += 1

    bump()
    e(1, 1)
    bump()
    return n


def loop_generator(e, a, b):
    out = []
    for i in range(3):
        out.append(sum(i * x for x in range(4)))
        e(i, 0)
    return out


def raises_deep(e, a, b):
    for i in range(3):
        if i == a:
            x = [][e(1, 5)]
        while i > 1:
            raise KeyError(
                e(2, 2),
            )
    return 1 / b


def matching(e, a, b):
    for value in [a, (a, b), {"k": b}]:
        match value:
            case (x, y):
                e(1, 1)
                if x == 2:
                    break
                e(x, y)
            case {"k": z} if z:
                e(2, 2)
                continue
            case _:
                e(3, 3)
        e(4, 4)
    return value


def long_chain(e, a, b):
    if a > 1:
        e(1, 1)
        if b > 1:
            e(2, 2)
        elif b == 1:
            e(3, 3)
        else:
            e(4, 4)
        e(5, 5)
    elif a == 1:
        e(6, 6)
        assert b, "message"
        e(7, 7)
    else:
        del b
        e(8, 8)
    return a, b


def defaults(e, a, b, *rest, k=2, **kw):
    """Has a docstring."""
    e(1, 1)

    def inner(x=a):
        return x + k

    e(2, 2)
    return inner(), rest, kw, inner.__qualname__


def make_adder(n):
    def add(e, a, b):
        m = n
        e(1, 1)
        for i in range(a):
            m += n
            e(i, 1)
        return m + b

    return add


adder = make_adder(10)


def recursive_global(e, a, b):
    if a <= 0:
        return b
    e(a, 0)
    left = recursive_global(e, a - 1, b)
    e("after", left)
    return left + recursive_global(e, a - 2, b)


def make_counter():
    n = 0

    def count(e, a, b):
        nonlocal n
        n = b
        for i in range(a):
            n += i
            e(i, n)
            if n > 3:
                n = 0
        return n

    return count


count = make_counter()


class Shape:
    scale = 2

    def area(self, e, a):
        e("base", a)
        return a


class Square(Shape):
    def __init__(self):
        self.__side = 3

    def area(self, e, a):
        total = 0
        for __i in range(a):
            total += super().area(e, __i) * self.__side
            e("side", total)
        e("end", total)
        return total * self.scale


def with_loops(e, a, b):
    out = []
    for i in range(3):
        e(i, 0)
        with corpus.manager(e, i, True) as m:
            out.append(m)
            if i == a:
                raise ValueError
            if i == b:
                continue
        e("after", 0)
        try:
            out.append([][i])
        except IndexError:
            out.append("caught")
        while len(out) < a:
            out.append(len(out))
    return out


def lambdas_in_loops(e, a, b):
    out = []
    for i in range(3):
        f = lambda x, i=i: x + i + a
        e("f", 0)
        out.append(f(b))
        e("g", 0)
    return out


def walrus_loop(e, a, b):
    out = []
    items = iter(range(5))
    while (x := next(items, None)) is not None and x != a:
        y = [z for z in range(x) if (w := z) != b]
        e(x, 0)
        out.append(y)
    return out, x


OWN = [
    nested_for, nested_while, mixed, loop_else_break, tries, finally_returns, conditional_binding, targets,
    global_and_closure, rebound_after_capture, nonlocal_counter, loop_generator, raises_deep, matching, long_chain,
    defaults, adder, recursive_global, count, with_loops,
    lambdas_in_loops, walrus_loop,
]  # fmt: skip
