"""Exceptions raised and handled within a function: ``try``, ``raise from``, ``finally``, ``with``."""

from __future__ import annotations

import contextlib
import math
from typing import Any

import numpy as np

from semantics.oracle import Box, Cases, nvec

cases = Cases()


class AppError(Exception):
    """An error with a code."""

    def __init__(self, code: int, text: str = "app") -> None:
        super().__init__(f"{text}-{code}")
        self.code = code


class Missing(AppError, KeyError):
    """Derives from both."""


class Plain(ValueError):
    """Has nothing of its own."""

    def __str__(self) -> str:
        return f"plain {self.args[0]}"


def require_positive(x):
    if x <= 0:
        raise ValueError(f"not positive: {x}")
    return x


def parse(text):
    if not text.isdigit():
        raise AppError(len(text), text)
    return int(text)


@cases.add(lambda i: (2.0 + i, 1), lambda: (3.0, 9))
def raise_and_catch(x, n):
    try:
        if n > 5:
            raise ValueError("too many")
        y = x * n
    except ValueError as error:
        return -1.0, str(error)
    return y, "fine"


@cases.add(lambda i: ([1.0, 2.0 + i, 3.0],), lambda: ([1.0, -2.0, 3.0],), lambda: ([-1.0],))
def caught_in_loop(xs):
    good, bad = 0.0, 0
    for x in xs:
        try:
            good += math.sqrt(require_positive(x))
        except ValueError:
            bad += 1
            continue
        good += 1.0
    return good, bad


@cases.add(lambda i: (float(i), 2.0), lambda: (1.0, 0.0), lambda: (0.0, 0.0))
def zero_division(a, b):
    try:
        q = a / b
    except ZeroDivisionError as error:
        return str(error), type(error).__name__
    return q, "ok"


@cases.add(lambda i: (i, 3), lambda: (5, 0), lambda: (-7, -2))
def zero_division_int(a, b):
    try:
        return a // b, a % b
    except ZeroDivisionError:
        return None


@cases.add(lambda i: ({"a": 1, "b": 2}, "a"), lambda: ({"a": 1}, "zz"), lambda: ({}, "a"))
def key_error(d, k):
    try:
        v = d[k]
    except KeyError as error:
        v = error.args[0]
    return v, len(d)


@cases.add(lambda i: ([1.0, 2.0, 3.0], i % 3), lambda: ([1.0], 5), lambda: ([], 0))
def index_error(xs, i):
    try:
        return xs[i]
    except IndexError as error:
        return str(error)


@cases.add(lambda i: ([1, 2, 3], 2), lambda: ([1, 2], 7))
def list_index(xs, x):
    try:
        return xs.index(x)
    except ValueError:
        return -1


@cases.add(lambda i: ("12",), lambda: ("x1",), lambda: ("",))
def int_of_text(text):
    try:
        return int(text) + 1
    except ValueError as error:
        return str(error)


@cases.add(lambda i: ("7",), lambda: ("seven",))
def own_class(text):
    try:
        return parse(text), 0
    except AppError as error:
        return str(error), error.code


@cases.add(lambda i: (i % 2,), lambda: (2,), lambda: (3,))
def several_clauses(n):
    try:
        if n == 1:
            raise Missing(4)
        if n == 2:
            raise Plain("p")
        if n == 3:
            raise RuntimeError
        r = "none"
    except KeyError as error:
        r = f"key {error.code}"
    except (TypeError, Plain) as error:
        r = f"{error}"
    except Exception as error:
        r = repr(error)
    else:
        r += "!"
    return r


@cases.add(lambda i: (2.0 + i,), lambda: (-1.0,))
def cause_and_context(x):
    try:
        try:
            return require_positive(x)
        except ValueError as error:
            raise AppError(3) from error
    except AppError as error:
        return str(error), str(error.__cause__), type(error.__context__).__name__


@cases.add(lambda i: (2.0 + i,), lambda: (-1.0,))
def context_suppressed(x):
    try:
        try:
            return require_positive(x), None
        except ValueError:
            raise AppError(3) from None
    except AppError as error:
        return error.__cause__, error.__suppress_context__


@cases.add(lambda i: (float(i), []), lambda: (-1.0, []))
def finally_order(x, log):
    try:
        log.append("try")
        require_positive(x + 1)
        log.append("done")
    except ValueError:
        log.append("except")
    else:
        log.append("else")
    finally:
        log.append("finally")
    return x


@cases.add(lambda i: (3,), lambda: (0,), lambda: (9,))
def finally_and_return(n):
    for i in range(n):
        try:
            if i == 2:
                return "two"
            if i == 1:
                continue
        finally:
            n += 1
    return n


@cases.add(lambda i: (5, 2.0 * i), lambda: (5, -3.0))
def break_in_try(n, x):
    total = 0.0
    for i in range(n):
        try:
            if i == 3:
                break
            total += require_positive(x + i + 1)
        except ValueError:
            total -= 1
        finally:
            total += 0.5
    else:
        total = -1.0
    return total


@cases.add(lambda i: (1.0 + i,), lambda: (-1.0,), lambda: (-20.0,))
def reraise(x):
    def inner():
        try:
            require_positive(x)
        except ValueError:
            if x < -10:
                return "swallowed"
            raise
        return "fine"

    try:
        return inner()
    except ValueError as error:
        return str(error)


@cases.add(lambda i: (1.0 + i,), lambda: (-2.0,))
def leaves_function(x):
    y = require_positive(x) * 2
    return y + 1


def _counted(_):
    box = Box(n=0, failed=0)
    for k in range(8):
        yield box, float(k % 2)
    for _ in range(4):
        yield box, 1.0


@cases.world(_counted)
def effects_around(box, x):
    box.n += 1
    try:
        require_positive(x)
        box.n += 10
    except ValueError:
        box.failed += 1
    return box.n


@cases.add(lambda i: (nvec(4, 1.0 + i),), lambda: (nvec(4, -2.0),))
def arrays(x):
    try:
        if x.min() < 0:
            raise ArithmeticError("negative")
        return np.sqrt(x)
    except ArithmeticError:
        return np.zeros(4)


class Manager:
    """Records what happens, and suppresses what it is told to."""

    def __init__(self, log: list[Any], suppressed: Any = ()) -> None:
        self.log = log
        self.suppressed = suppressed

    def __enter__(self) -> Any:
        self.log.append("enter")
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> Any:
        self.log.append("exit" if kind is None else kind.__name__)
        return kind is not None and issubclass(kind, self.suppressed)


@cases.add(lambda i: ([], 1.0 + i), lambda: ([], -1.0))
def with_suppresses(log, x):
    with Manager(log, ValueError) as m:
        m.log.append("body")
        require_positive(x)
        return "through"
    return "suppressed"


@cases.add(lambda i: ([], 1.0 + i), lambda: ([], -1.0))
def with_lets_through(log, x):
    try:
        with Manager(log, KeyError), Manager(log):
            require_positive(x)
    except ValueError as error:
        log.append(str(error))
    return x


@cases.add(lambda i: ([], 5), lambda: ([], 1))
def with_and_breaks(log, n):
    for i in range(n):
        with Manager(log):
            if i == 1:
                continue
            if i == 3:
                break
            log.append(str(i))
    return log


@cases.add(lambda i: (["1", "2"],), lambda: (["1", "x"],))
def suppress(texts):
    total = 0
    for text in texts:
        with contextlib.suppress(ValueError):
            total += int(text)
    return total


@contextlib.contextmanager
def tagged(log: list[str], name: str) -> Any:
    log.append(f"<{name}>")
    try:
        yield name.upper()
    except KeyError as error:
        log.append(f"key {error}")
    finally:
        log.append(f"</{name}>")


@cases.add(lambda i: ([], i % 2), lambda: ([], 5))
def context_manager(log, n):
    with tagged(log, "a") as a, tagged(log, "b") as b:
        log.append(a + b)
        if n > 3:
            raise KeyError("deep")
    return log


@cases.add(lambda i: ([], 1.0), lambda: ([], -1.0))
def context_manager_lets_through(log, x):
    try:
        with tagged(log, "a"):
            require_positive(x)
    except ValueError:
        log.append("caught")
    return log


@cases.add(lambda i: (1 + i % 2,), lambda: (0,), lambda: (100,))
def nested_handlers(n):
    out = []
    try:
        try:
            out.append(10 // n)
            if n > 50:
                raise LookupError("far")
        except ZeroDivisionError:
            out.append("zero")
            raise TypeError("inner") from None
        finally:
            out.append("f1")
    except TypeError as error:
        out.append(str(error))
    except LookupError:
        out.append("lookup")
    return out


@cases.add(lambda i: ([1, 2, 3],), lambda: ([],), lambda: ([4],))
def unpacking(xs):
    try:
        first, *rest = xs
        a, b = rest
    except ValueError as error:
        return str(error)
    return first + a + b


@cases.add(lambda i: (Box(v=i),), lambda: (Box(w=1),))
def attribute_error(box):
    try:
        return box.v + 1
    except AttributeError:
        return "missing"


@cases.add(lambda i: (float(i),), lambda: (-4.0,))
def math_domain(x):
    try:
        return math.sqrt(x) + math.log(x + 1)
    except ValueError as error:
        return str(error)


@cases.add(lambda i: (3, 1.0 + i), lambda: (3, -1.0))
def retry(n, x):
    attempts = 0
    while True:
        attempts += 1
        try:
            require_positive(x)
        except ValueError:
            if attempts >= n:
                return "gave up", attempts
            x += 0.75
        else:
            return "ok", attempts


@cases.add(lambda i: (4.0 + i,), lambda: (-1.0,))
def asserts_with_message(x):
    try:
        assert x > 0, f"x is {x}"
    except AssertionError as error:
        return str(error)
    return x


@cases.add(lambda i: ([1, 2, 3], 1), lambda: ([1, 2, 3], 5), lambda: ([], 0))
def pop_and_next(xs, k):
    out = []
    try:
        out.append(xs.pop(k))
        out.append(next(iter(xs)))
        out.append(next(x for x in xs if x > 2))
    except IndexError as error:
        out.append(str(error))
    except StopIteration:
        out.append("stop")
    return out


@cases.add(lambda i: (i % 3,), lambda: (None,), lambda: ("s",))
def type_errors(x):
    try:
        return x + 1
    except TypeError as error:
        return str(error)


@cases.add(lambda i: (2.0,), lambda: (-2.0,))
def result_by_exception(x):
    class_name = None
    for cls in (KeyError, ValueError):
        try:
            try:
                require_positive(x)
            except cls:
                class_name = cls.__name__
        except ValueError:
            class_name = "outer"
    return class_name


@cases.add(lambda i: (1 + i % 2,), lambda: (0,))
def handler_raises_other(n):
    try:
        try:
            return 1 / n
        except ZeroDivisionError:
            return {}["k"]
    except KeyError as error:
        return repr(error), type(error.__context__).__name__


test_program = cases.test()
