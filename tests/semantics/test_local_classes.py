"""Classes made within functions, by a metaclass, and by `namedtuple`; operators that give NotImplemented."""

from __future__ import annotations

import collections
import functools
import math
from dataclasses import dataclass
from typing import Any

from semantics.oracle import Cases

cases = Cases()


@cases.add(lambda i: (3.0 + i, 4.0), lambda: (1, 1))
def methods_and_properties(x: float, y: float) -> Any:
    class Base:
        scale = 2

        def __init__(self, x: float) -> None:
            self.x = x

        def size(self) -> float:
            return abs(self.x)

    class Point(Base):
        """A point."""

        def __init__(self, x: float, y: float) -> None:
            super().__init__(x)
            self.y = y

        @property
        def norm(self) -> float:
            return math.hypot(self.x, self.y) * self.scale

        @classmethod
        def unit(cls) -> Any:
            return cls(1.0, 0.0)

        @staticmethod
        def twice(v: float) -> float:
            return 2 * v

    point = Point(x, y)
    return (
        point.norm,
        point.size(),
        Point.unit().norm,
        Point.twice(y),
        isinstance(point, Base),
        type(point).__name__,
    )


@cases.add(lambda i: (2 + i % 3,), lambda: (0,))
def closes_over_variables(n: int) -> Any:
    total = 0

    class Adder:
        def __init__(self, step: int) -> None:
            self.step = step + n

        def add(self) -> int:
            nonlocal total
            total += self.step
            return total

    adder = Adder(1)
    for _ in range(n):
        adder.add()
    return total, adder.add()


@cases.add(lambda i: (1.5 * i, 2), lambda: (1, 3))
def decorated_classes(a: float, b: float) -> Any:
    @dataclass(order=True)
    class Pair:
        left: float
        right: float = 1.0

    Row = collections.namedtuple("Row", "key value")  # noqa: PYI024
    row = Row(a, value=b)
    return (
        Pair(a) < Pair(b),
        Pair(a, b) == Pair(a, b),
        row.key + row.value,
        repr(Pair(a)),
        len(row),
        row._replace(key=0).key,
    )


@cases.add(lambda i: (i,), lambda: (-1,))
def caught(v: int) -> Any:
    class Negative(ValueError):
        def __init__(self, v: int) -> None:
            super().__init__(f"{v} is negative")
            self.v = v

    try:
        if v < 0:
            raise Negative(v)
    except Negative as error:
        return error.v, str(error)
    return v


@cases.add(lambda i: (i,), lambda: (2,), compiled=False)
def gets_out(v: int) -> Any:
    class Out:
        def __init__(self) -> None:
            self.v = v

    made = Out()
    return made.v, made


@cases.add(lambda i: (i,), lambda: (2,), compiled=False)
def shared_attribute(n: int) -> Any:
    class Kept:
        items: list[int] = []

        def add(self, v: int, more: list[int] = []) -> int:  # noqa: B006
            self.items.append(v)
            more.append(v)
            return len(self.items) + len(more)

    Kept().add(n)
    return Kept().add(n), Kept.items


class Singleton(type):
    """Makes one instance of each class, and says whose it is."""

    made: dict[type, Any] = {}

    def __call__(cls, *args: Any) -> Any:
        if cls not in Singleton.made:
            Singleton.made[cls] = super().__call__(*args)
        return Singleton.made[cls]


class Tagging(type):
    def __call__(cls, *args: Any) -> Any:
        made = super().__call__(*args)
        made.tag = cls.__name__
        return made


class Settings(metaclass=Singleton):
    def __init__(self) -> None:
        self.rate = 0.5


class Thing(metaclass=Tagging):
    def __init__(self, v: float) -> None:
        self.v = v


@cases.add(lambda i: (float(i),), lambda: (1,))
def metaclasses(v: float) -> Any:
    thing = Thing(v)
    return Settings().rate * thing.v, thing.tag


@functools.total_ordering
class Money:
    def __init__(self, cents: int) -> None:
        self.cents = cents

    def __eq__(self, other: object) -> bool:
        return self.cents == other.cents if isinstance(other, Money) else NotImplemented

    def __lt__(self, other: object) -> bool:
        return self.cents < other.cents if isinstance(other, Money) else NotImplemented

    def __radd__(self, other: object) -> Any:
        return Money(self.cents + other) if isinstance(other, int) else NotImplemented

    def __add__(self, other: object) -> Any:
        return Money(self.cents + other.cents) if isinstance(other, Money) else NotImplemented

    __hash__ = None  # type: ignore[assignment]


@cases.add(lambda i: (Money(1 + i), Money(3)), lambda: (Money(1), "x"), lambda: (Money(2), Money(2)))
def reflected(a: Any, b: Any) -> Any:
    return (
        a == b,
        a != b,
        a == "x",
        a >= Money(2),
        sum([a, a]).cents,
        max([a, Money(4), Money(0)]).cents,
        a < b,
    )


test_program = cases.test()
