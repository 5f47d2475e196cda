"""Loops, exceptions, context managers and pattern matching."""

# ruff: noqa

from __future__ import annotations

from source_corpus.helpers import Box, Point, loud, manager


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


CASES = [
    loops, while_loops, for_targets, try_except, try_finally_exits, finally_overrides,
    return_value_fixed, reraise, except_loop, bare_raise, raise_order, asserts, withs, with_raises,
    with_rebound, matches, match_star_tail, match_return, unreachable, nested_loops_else,
]  # fmt: skip
