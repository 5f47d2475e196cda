"""Functions that exercise Python's constructs and their order of evaluation.

Each takes ``e``, a function that logs a tag and returns the value given with it, and numbers. `CASES` names the arguments.
"""

# ruff: noqa

from __future__ import annotations

import contextlib
import math
from dataclasses import dataclass

GLOBAL = 7


@dataclass
class Point:
    x: int
    y: int


class Box:
    def __init__(self, e):
        object.__setattr__(self, "e", e)
        object.__setattr__(self, "d", {})

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        self.e(("get", name), None)
        return self.d.get(name, 0)

    def __setattr__(self, name, value):
        self.e(("set", name, value), None)
        self.d[name] = value

    def __getitem__(self, key):
        self.e(("getitem", str(key)), None)
        return self.d.get(key, 0) if not isinstance(key, slice) else [1, 2]

    def __setitem__(self, key, value):
        self.e(("setitem", str(key), value), None)
        if not isinstance(key, slice):
            self.d[key] = value

    def __delitem__(self, key):
        self.e(("delitem", key), None)


class Truth:
    def __init__(self, e, tag, value):
        self.e, self.tag, self.value = e, tag, value

    def __bool__(self):
        self.e(("bool", self.tag), None)
        return self.value

    def __eq__(self, other):
        return isinstance(other, Truth) and other.tag == self.tag

    def __lt__(self, other):
        self.e(("lt", self.tag, other.tag), None)
        return Truth(self.e, (self.tag, other.tag), self.value)


@contextlib.contextmanager
def manager(e, tag, swallow=False):
    e(("enter", tag), None)
    try:
        yield tag
    except ValueError:
        e(("caught", tag), None)
        if not swallow:
            raise
    finally:
        e(("exit", tag), None)


def loud(e, tag, values):
    for value in values:
        e(("next", tag), None)
        yield value
    e(("end", tag), None)


def arithmetic(e, a, b):
    x = e(1, a) + e(2, b) * e(3, 2) - -e(4, a)
    y = (x // 3, x % 3, x**2, x << 1, x >> 1, x & 5, x | 8, x ^ 3, ~x, +x, not x)
    return x, y, 1.5, -2, (1, (2, -3)), "s", None, True


def order_of_locals(e, a, b):
    x = a
    y = (x, (x := b), x)
    z = [x, e(1, x), (x := 5), x]
    return x + (x := 2) * x, y, z, {x: (x := 4), x: x}


def unbound(e, a, b):
    if a:
        x = 1
    return e(1, 2) + x + e(3, 4)


def unbound_first(e, a, b):
    if a:
        x = 1
    return (x, e(1, 2))


def deleted(e, a, b):
    x = a
    del x
    if b:
        x = 3
    e("before", 0)
    return x


def calls(e, a, b):
    f = lambda *args, **kwargs: (args, sorted(kwargs.items()))
    return e(0, f)(
        e(1, a), *e(2, [1, 2]), e(3, b), *loud(e, "s", [7]), k=e(4, 4), **e(5, {"z": 1}), m=e(6, 6)
    )


def call_single_star(e, a, b):
    f = lambda *args, **kwargs: (args, sorted(kwargs.items()))
    return f(*loud(e, "s", [7]), k=e(4, 4)), f(x=e(1, 1), *e(2, [3])), f(a, *loud(e, "t", [8]), k=e(5, 5))


def duplicate_keyword(e, a, b):
    f = lambda **kwargs: kwargs
    return f(k=e(1, 1), **e(2, {"k": 2}))


def displays(e, a, b):
    return (
        [e(1, 1), *loud(e, "l", [2, 3]), e(4, 4)],
        (*e(5, [5]), *e(6, [6])),
        sorted({e(7, 7), *e(8, [8, 9])}),
        {e("k", 1): e("v", 2), **e("m", {3: 4}), e("k2", 5): e("v2", 6)},
        [*loud(e, "only", [1])],
    )


def subscripts(e, a, b):
    box = Box(e)
    box[e(1, "i")] = e(2, a)
    e(3, box)[e(4, 1) : e(5, 2)] = e(6, 3)
    e(7, box)[e(8, "i")] += e(9, b)
    box.attr = e(10, 1)
    e(11, box).attr += e(12, 2)
    box[1:2, ::3]
    del e(13, box)[e(14, 3)], box[4]
    return box.d["i"], box.attr


def targets(e, a, b):
    box = Box(e)
    x, box[x], (y, *z) = e(1, (1, 2, (3, 4, 5)))
    box[x], x = e(2, (6, 7))
    p = q = box[e(3, 0)] = [x]
    p, p = 1, 2
    a, b = b, a
    *r, s = loud(e, "u", [1, 2, 3])
    [t, u] = "tu"
    return x, y, z, p, q, a, b, r, s, t, u, box.d


def bad_unpack(e, a, b):
    try:
        x, y = loud(e, "u", range(a))
    except ValueError:
        return "value error"
    return x, y


def comparisons(e, a, b):
    t = [
        e(1, a) < e(2, b) <= e(3, 5) != e(4, 6),
        a in [1, 2],
        a not in (1, 2),
        a is None,
        a is not b,
        a == b >= 0,
    ]
    if e(5, a) < e(6, b) < e(7, 10):
        t.append("between")
    if not e(8, a) > e(9, b) > e(10, -10):
        t.append("not")
    return t


def truth(e, a, b):
    T = lambda tag, value: Truth(e, tag, value)
    r = []
    r.append((T(1, a) and T(2, b)).tag)
    r.append((T(3, a) or T(4, b) or T(5, True)).tag)
    if T(6, a) and (T(7, b) or not T(8, a)):
        r.append(1)
    elif not (T(9, a) or T(10, b)):
        r.append(2)
    else:
        r.append(3)
    r.append(not T(11, a))
    r.append(T(12, True) if T(13, a) and T(14, b) else T(15, False))
    if T(16, a) if T(17, b) else T(18, True):
        r.append(4)
    x = T("l", a) < T("m", b) < T("n", True)
    while T(19, a) and len(r) < 12:
        r.append(5)
    return [v.tag if isinstance(v, Truth) else v for v in r], x.tag


def constants(e, a, b):
    if 0:
        e("never", 0)
    while True:
        a += 1
        if a > 5:
            break
    else:
        e("never", 1)
    if 1 and a:
        e("yes", 0)
    return () if __debug__ else 1


def loops(e, a, b):
    total = []
    for i in loud(e, "i", range(a)):
        for j in range(b):
            if j == 2:
                continue
            if i == 2:
                break
            total.append((i, j))
        else:
            total.append("else")
            continue
        total.append("after")
    else:
        total.append("end")
    return total, i, j


def while_loops(e, a, b):
    total = 0
    while e("test", a) > 0:
        a -= 1
        if a == b:
            break
        if a % 2:
            continue
        total += a
    else:
        total += 100
    return total, a


def for_targets(e, a, b):
    box = Box(e)
    for box[e(1, 0)] in range(a):
        pass
    for x, (y, box.z) in [(1, (2, 3)), (4, (5, 6))]:
        e((x, y), 0)
    for x in []:
        pass
    return x, y


def comprehensions(e, a, b):
    x = "outer"
    i = "kept"
    r = [x + str(i) for i in range(a) if e(("if", i), i) % 2 == 0 if i != 4]
    s = {i * j for i in range(a) for j in range(i) if i != j}
    d = {e(("k", k), k): e(("v", k), k * k) for k in loud(e, "d", range(b))}
    n = [[(y := i + j) for j in range(2)] for i in [a, b]]
    m = [x for x in [x for x in range(3)] if x]
    t = [p + q for p, q in zip(range(2), range(2))]
    return r, sorted(s), d, n, m, t, x, i, y


def generators(e, a, b):
    k = 3
    return (
        sum(e(i, i) * k for i in loud(e, "g", range(a))),
        any(e(("any", i), i > 1) for i in range(5)),
        list(i + j for i in range(a) for j in range(b) if i != j),
    )


def late_generator(e, a, b):
    k = 3
    g = (k * i for i in loud(e, "g", [1, 2]))
    k = 4
    return list(g)


def strings(e, a, b):
    w = 6
    return (
        f"{e(1, a)!r:>{e(2, w)}}|{e(3, b):04d}|{'x'!s}{a}{{}}",
        f"",
        f"{a}",
        f"{e(4, 1.5):.{e(5, 3)}f}",
        "ab",
    )


def walrus(e, a, b):
    if (n := e(1, a)) > 1 and (m := n + 1):
        return n, m
    r = [last := i for i in range(a + 1)]
    return n, last, r


def try_except(e, a, b):
    try:
        e("try", 0)
        if a == 1:
            raise ValueError("one")
        if a == 2:
            raise KeyError("two")
        if a == 3:
            [][1]
        e("no exception", 0)
    except ValueError as error:
        e(("value", str(error)), 0)
        r = 1
    except (KeyError, e("class", TypeError)) as error:
        e(("key", str(error)), 0)
        if b:
            raise RuntimeError("again") from error
        r = 2
    else:
        e("else", 0)
        r = 3
    finally:
        e("finally", 0)
    try:
        error
    except NameError:
        e("unbound", 0)
    return r


def try_finally_exits(e, a, b):
    log = []
    for i in range(4):
        try:
            try:
                if i == a:
                    continue
                if i == b:
                    break
                log.append(("body", i))
            finally:
                log.append(("inner", i))
                if i == 2:
                    return log
        finally:
            log.append(("outer", i))
            e(("outer", i), 0)
    else:
        log.append("else")
    return log


def finally_overrides(e, a, b):
    try:
        try:
            if a:
                raise ValueError(a)
            return e("return", 1)
        finally:
            e("inner", 0)
            if b:
                return 2
    finally:
        e("outer", 0)


def return_value_fixed(e, a, b):
    x = a
    try:
        return x
    finally:
        x = b


def reraise(e, a, b):
    try:
        try:
            raise ValueError(a)
        except ValueError as error:
            e("one", 0)
            try:
                raise KeyError(b)
            except KeyError:
                e("two", 0)
                if b:
                    raise
            raise
    except Exception as error:
        return type(error).__name__, error.args


def except_loop(e, a, b):
    for i in range(3):
        try:
            if i == a:
                raise ValueError
        except ValueError as error:
            if b == 0:
                continue
            if b == 1:
                break
            if b == 2:
                return "returned", i
        e(i, 0)
    try:
        error
    except UnboundLocalError:
        return i
    return "bound"


def bare_raise(e, a, b):
    e(1, 1)
    raise


def raise_order(e, a, b):
    raise e(1, ValueError)(e(2, a)) from e(3, KeyError("c"))


def asserts(e, a, b):
    assert e(1, a) < e(2, 2), e(3, "message")
    assert a and b
    return a


def withs(e, a, b):
    r = []
    with manager(e, "a") as x, manager(e, "b", True) as y:
        r.append((x, y))
        if a:
            raise ValueError("in with")
        r.append("end")
    for i in range(3):
        with manager(e, i):
            if i == b:
                break
            if i == a:
                continue
            r.append(i)
    with manager(e, "last"):
        return r


def with_raises(e, a, b):
    try:
        with manager(e, "a"):
            raise (ValueError if a else KeyError)("x")
    except (ValueError, KeyError) as error:
        return type(error).__name__


def with_rebound(e, a, b):
    m = manager(e, "m")
    with m as m:
        m = 3
    return m


def functions(e, a, b):
    def deco(tag):
        e(("deco", tag), 0)

        def apply(f):
            e(("apply", tag), 0)
            return f

        return apply

    @deco(1)
    @deco(2)
    def f(x: e("never", int), y=e("default", a), *, z=e("kw", b)) -> e("never", int):
        return x, y, z, a

    g = lambda x, y=e("lambda", 1): x + y + a
    a = a + 1
    return f(1), f(1, 2, z=3), g(1), f.__name__


def counter(e, a, b):
    n = 0

    def bump():
        nonlocal n
        n += 1
        return n

    return n, bump(), n, bump() + n, (n, bump(), n)


def recursive(e, a, b):
    def fact(n):
        return 1 if n <= 1 else n * fact(n - 1)

    return fact(a + 3)


def nested_comprehension_lambda(e, a, b):
    fs = [lambda i=i: i + a for i in range(3)]
    return [f() for f in fs]


def globals_(e, a, b):
    global GLOBAL
    old = GLOBAL
    GLOBAL += a
    r = GLOBAL
    GLOBAL = old
    return r


def imports(e, a, b):
    import os.path
    import os.path as p
    from math import pi, sqrt as root

    return os.path is p, pi, root(4), math.floor(pi)


def annotated(e, a, b):
    x: e("never", int) = e(1, a)
    y: int
    box = Box(e)
    box.z: int = e(2, 3)
    e("target", box).w: e("never", 1)
    return x


def augmented(e, a, b):
    x = a
    x += e(1, b)
    y = [1]
    z = y
    y += [2]
    x *= (x := 3)
    return x, y is z, y


def matches(e, a, b):
    out = []
    for subject in [
        1,
        -2.5,
        "s",
        None,
        [1, 2, 3],
        [1],
        (4, 5),
        {"k": 1, "m": 2},
        {"q": 0},
        Point(0, 9),
        Point(1, 1),
        [[1, 2], 3],
        b"x",
        [],
        {},
        3 + 0j,
        True,
    ]:
        match e(("subject", str(subject)), subject):
            case None:
                out.append("none")
            case True:
                out.append("true")
            case 1 | -2.5:
                out.append("number")
            case str() as s if e("guard", s) == "t":
                out.append("never")
            case str(s):
                out.append(("str", s))
            case [1, *rest] if len(rest) > 1:
                out.append(("rest", rest))
            case [1, _]:
                out.append("never")
            case [[x, *_], y] | (y, x):
                out.append(("or", x, y))
            case [first, *_]:
                out.append(first)
            case {"k": v, **others}:
                out.append((v, others))
            case {"q": e.zero}:
                out.append("q")
            case Point(x=0, y=yy):
                out.append(("pt", yy))
            case Point(p, q):
                out.append((p, q))
            case []:
                out.append("empty")
            case {}:
                out.append("mapping")
            case complex(real=3):
                out.append("complex")
            case other:
                out.append(("other", other))
    return out


def match_star_tail(e, a, b):
    match [a, b, 3, 4]:
        case [x, *_, 4, 4]:
            return "no"
        case [_, *_, y, 4]:
            return "tail", y
        case _:
            return None


def match_return(e, a, b):
    while True:
        match a:
            case 0:
                return "zero"
            case n if n > 2:
                break
            case _:
                a += 1
                continue
        e("never", 0)
    return "big"


def unreachable(e, a, b):
    return a
    e("never", 0)


def vararg(e, a, b, *rest, k=2, **kw):
    return rest, k, kw


def ternaries(e, a, b):
    return (e(1, 1) if a else e(2, 2) if b else e(3, 3)), (a or b), (a and b), (a and b or e(4, 4))


def nested_loops_else(e, a, b):
    r = []
    i = 0
    while i < 3:
        for j in loud(e, i, range(3)):
            if j == a:
                break
            if i == b:
                continue
            r.append((i, j))
        else:
            r.append("else")
            i += 1
            continue
        i += 1
        r.append("broken")
    else:
        r.append("done")
    return r


class Base:
    __private = 1

    def method(self, a):
        return a


class Derived(Base):
    def __init__(self):
        self.__x = 5

    def method(self, a):
        def __inner(__q):
            return __q + self.__x

        __local = super().method(a)
        return __local, __inner(1), [__i for __i in range(2)], __inner.__name__, __class__.__name__


def make_adder(n):
    def add(e, a, b):
        return a + b + n

    return add


adder = make_adder(10)
lambda_ = lambda e, a, b: [e(i, a) for i in range(b)]


CASES = [
    arithmetic, order_of_locals, unbound, unbound_first, deleted, calls, call_single_star, duplicate_keyword, displays, subscripts,
    targets, bad_unpack, comparisons, truth, constants, loops, while_loops, for_targets, comprehensions, generators,
    late_generator, strings, walrus, try_except, try_finally_exits, finally_overrides, return_value_fixed, reraise,
    except_loop, bare_raise, raise_order, asserts, withs, with_raises, with_rebound, functions, counter, recursive,
    nested_comprehension_lambda, globals_, imports, annotated, augmented, matches, match_star_tail, match_return, unreachable, vararg,
    ternaries, nested_loops_else, adder, lambda_,
]  # fmt: skip

ARGUMENTS = [(0, 0), (1, 0), (0, 1), (1, 1), (2, 1), (1, 2), (3, 2), (2, 3)]
