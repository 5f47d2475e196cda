"""``match``: every kind of pattern."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import NamedTuple

from semantics.oracle import Cases, nvec

cases = Cases()


class Colour(enum.Enum):
    RED = 1
    GREEN = 2


@dataclass
class Point:
    x: float
    y: float


class Segment(NamedTuple):
    a: Point
    b: Point


class Custom:
    __match_args__ = ("left",)

    def __init__(self, left, right):
        self.left = left
        self.right = right


@cases.add(lambda i: (i % 3,), lambda: (7,), lambda: ("x",), lambda: (None,))
def literals(v):
    match v:
        case 0:
            return "zero"
        case 1 | 2:
            return "small"
        case None:
            return "none"
        case "x":
            return "text"
        case _:
            return "other"


@cases.add(
    lambda i: ((1, 2, 3 + i),),
    lambda: ([1, 2],),
    lambda: ([1],),
    lambda: ([],),
    lambda: ("ab",),
    lambda: (5,),
)
def sequences(v):
    match v:
        case []:
            return "empty"
        case [x]:
            return x
        case [x, y]:
            return x - y
        case [x, *rest]:
            return x, rest
        case str():
            return "str"
        case _:
            return None


@cases.add(
    lambda i: ({"op": "add", "args": [i, 2]},),
    lambda: ({"op": "neg", "args": [4]},),
    lambda: ({"op": "add"},),
    lambda: ({"kind": 1, "extra": 2},),
)
def mappings(v):
    match v:
        case {"op": "add", "args": [a, b]}:
            return a + b
        case {"op": "neg", "args": [a]}:
            return -a
        case {"kind": k, **rest}:
            return k, rest
        case {"op": name}:
            return name
    return "unmatched"


@cases.add(
    lambda i: (Point(1.0 * i, 2.0),),
    lambda: (Point(0, 5.0),),
    lambda: (Segment(Point(0, 0), Point(1, 1)),),
    lambda: (Custom(1, 2),),
    lambda: (3,),
)
def classes(v):
    match v:
        case Point(x=0, y=y):
            return y
        case Point(x, y) if x > 2:
            return x + y
        case Point():
            return "point"
        case Segment(a=Point(x1, _), b=Point(x2, _)):
            return x2 - x1
        case Custom(left, right=r):
            return left * r
        case int(n):
            return n


@cases.add(lambda i: (Colour.RED, i), lambda: (Colour.GREEN, 1))
def enums(c, n):
    match c:
        case Colour.RED:
            return n + 1
        case Colour.GREEN:
            return n - 1


@cases.add(lambda i: (["go", "north"],), lambda: (["go", "up", "now"],), lambda: (["stop"],))
def commands(words):
    match words:
        case ["go", ("north" | "south") as direction]:
            return direction
        case ["go", direction, *_]:
            return f"?{direction}"
        case [command]:
            return command.upper()


@cases.add(lambda i: (float(i),), lambda: (-1.0,), lambda: (2,), lambda: (True,))
def guards_on_values(x):
    match x:
        case bool():
            return "bool"
        case float() if x < 0:
            return -x
        case float(v) if v > 3:
            y = v * 2
        case int() | float():
            y = x
    return y


@cases.add(lambda i: ((0.0, (1.0 * i, 2.0)),), lambda: ((1, (2, 3, 4)),))
def nested(v):
    match v:
        case (0, (a, b)):
            return a + b
        case (first, (*init, last)):
            return first, init, last


@cases.add(lambda i: ([Point(1.0, 1.0), Point(2.0, float(i)), 5],))
def in_a_loop(shapes):
    total = 0.0
    for shape in shapes:
        match shape:
            case Point(x, y):
                total += x * y
            case n:
                total -= n
    return total


@cases.add(lambda i: (nvec(3, float(i)), "sum"), lambda: (nvec(3), "mean"), lambda: (nvec(3), "other"))
def chooses_operation(x, how):
    match how:
        case "sum":
            r = x.sum()
        case "mean":
            r = x.mean()
        case _:
            raise ValueError(how)
    return r * 2


test_program = cases.test()
