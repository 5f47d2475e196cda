"""User classes: operator methods, properties, dataclasses, slots, enums, inheritance."""

from __future__ import annotations

import abc
import dataclasses
import enum
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

import numpy as np

from semantics.oracle import Box, Cases, nvec

cases = Cases()


class Vec:
    """A vector with most operator methods."""

    def __init__(self, x: Any, y: Any) -> None:
        self.x = x
        self.y = y

    def __add__(self, other: Any) -> Any:
        if isinstance(other, Vec):
            return Vec(self.x + other.x, self.y + other.y)
        if isinstance(other, (int, float)):
            return Vec(self.x + other, self.y + other)
        return NotImplemented

    __radd__ = __add__

    def __sub__(self, other: Any) -> Any:
        return Vec(self.x - other.x, self.y - other.y)

    def __rsub__(self, other: Any) -> Any:
        return Vec(other - self.x, other - self.y)

    def __mul__(self, k: Any) -> Any:
        return Vec(self.x * k, self.y * k)

    def __imul__(self, k: Any) -> Any:
        self.x *= k
        self.y *= k
        return self

    def __neg__(self) -> Any:
        return Vec(-self.x, -self.y)

    def __abs__(self) -> Any:
        return (self.x**2 + self.y**2) ** 0.5

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vec) and self.x == other.x and self.y == other.y

    def __lt__(self, other: Any) -> bool:
        return abs(self) < abs(other)

    def __hash__(self) -> int:
        return 7

    def __bool__(self) -> bool:
        return self.x != 0 or self.y != 0

    def __iter__(self) -> Any:
        yield self.x
        yield self.y

    def __len__(self) -> int:
        return 2

    def __getitem__(self, i: int) -> Any:
        return (self.x, self.y)[i]

    def __contains__(self, v: Any) -> bool:
        return v == self.x or v == self.y

    def __call__(self, k: Any) -> Any:
        return self.x * k + self.y

    def __repr__(self) -> str:
        return f"Vec({self.x}, {self.y})"

    def __matmul__(self, other: Any) -> Any:
        return self.x * other.x + self.y * other.y


def _vec(i: int) -> Vec:
    return Vec(1.0 + i, 2.0)


@cases.add(lambda i: (_vec(i), _vec(1)), lambda: (Vec(0.0, 0.0), _vec(1)), lambda: (Vec(1, 2), _vec(1)))
def arithmetic(a, b):
    c = a + b * 2.0 - b
    d = 1.0 + c
    e = -d
    return e.x, e.y, a @ b, (5.0 - b).y


@cases.add(lambda i: (_vec(i), _vec(1)), lambda: (Vec(0.0, 0.0), _vec(1)))
def comparisons(a, b):
    r = 0
    if a < b:
        r += 1
    if a == b:
        r += 10
    if a != b:
        r += 100
    if a:
        r += 1000
    return r


@cases.add(lambda i: (_vec(i),), lambda: (Vec(3.0, 0.0),))
def container_protocol(v):
    x, y = v
    total = sum(v) + len(v) + v[0] + v[-1]
    return x, y, total, 2.0 in v, [k * 2 for k in v], v(3.0)


@cases.add(lambda i: (_vec(i), 2.0), lambda: (_vec(2), 0.0))
def in_place(v, k):
    w = v
    w *= k
    w += Vec(1.0, 1.0)
    return v.x, w.x, w is v


@cases.add(lambda i: (_vec(i),), lambda: (Vec(1, 2),))
def texts(v):
    return f"{v} {v!r}", str(v), repr([1, 2])


@cases.add(lambda i: (_vec(i), "no"))
def unsupported_operand(v, text):
    try:
        return v + text
    except TypeError:
        return "type error"


class Stack:
    """A container that is changed."""

    def __init__(self) -> None:
        self.items: list[Any] = []

    def push(self, x: Any) -> Stack:
        self.items.append(x)
        return self

    def __len__(self) -> int:
        return len(self.items)

    def __setitem__(self, i: int, x: Any) -> None:
        self.items[i] = x

    def __getitem__(self, i: int) -> Any:
        return self.items[i]

    def __delitem__(self, i: int) -> None:
        del self.items[i]

    def __contains__(self, x: Any) -> bool:
        return x in self.items


@cases.add(lambda i: (float(i),))
def stack(x):
    s = Stack()
    s.push(x).push(x + 1).push(2.0)
    s[0] = x * 2
    del s[1]
    return len(s), s[0], s[-1], bool(s), 2.0 in s


class Account:
    """Properties with setters, counters on the class."""

    rate: ClassVar[float] = 0.5
    opened = 0

    def __init__(self, balance: float) -> None:
        self._balance = balance
        type(self).opened += 1

    @property
    def balance(self) -> float:
        return self._balance

    @balance.setter
    def balance(self, value: float) -> None:
        if value < 0:
            raise ValueError("overdrawn")
        self._balance = value

    @classmethod
    def with_bonus(cls, balance: float) -> Account:
        return cls(balance + 100)

    @staticmethod
    def convert(x: float) -> float:
        return x * 2

    def interest(self) -> float:
        return self.balance * self.rate


def _account(i: int) -> Account:
    account = Account.__new__(Account)
    account._balance = 10.0 + i
    return account


@cases.add(lambda i: (_account(i), 3.0), lambda: (_account(1), 50.0))
def properties(account, spend):
    try:
        account.balance -= spend
    except ValueError as error:
        return str(error), account.balance
    return account.balance, account.interest(), Account.convert(account.balance)


def _opened(_: Any) -> Any:
    Account.opened = 0
    for i in range(8):
        yield (float(i),)


@cases.world(_opened, compiled=False)
def class_counter(x):
    a = Account.with_bonus(x)
    return a.balance, Account.opened


class Shape(abc.ABC):
    """An abstract base."""

    sides = 0

    def __init__(self, name: str) -> None:
        self.name = name

    @abc.abstractmethod
    def area(self) -> float: ...

    def describe(self) -> str:
        return f"{self.name}: {self.area():.2f} ({self.sides})"


class Rect(Shape):
    sides = 4

    def __init__(self, w: float, h: float) -> None:
        super().__init__("rect")
        self.w, self.h = w, h

    def area(self) -> float:
        return self.w * self.h


class Square(Rect):
    def __init__(self, w: float) -> None:
        super().__init__(w, w)
        self.name = "square"

    def area(self) -> float:
        return super().area() + 0.0


class Circle(Shape):
    def area(self) -> float:
        return 3.0


@cases.add(lambda i: ([Rect(2.0 + i, 3.0), Square(2.0), Circle("c")],), lambda: ([Circle("d")],))
def inheritance(shapes):
    total = 0.0
    for s in shapes:
        total += s.area()
    return total, [isinstance(s, Rect) for s in shapes]


@cases.add(lambda i: (2.0 + i,))
def makes_and_describes(w):
    s = Square(w)
    return s.describe(), s.sides, type(s).__name__, issubclass(Square, Shape)


@dataclass
class Config:
    lr: float = 0.1
    steps: int = 3
    tags: list[str] = field(default_factory=list)

    def scaled(self, k: float) -> Config:
        return dataclasses.replace(self, lr=self.lr * k)


@dataclass(frozen=True)
class Frozen:
    a: float
    b: float = 2.0

    @property
    def total(self) -> float:
        return self.a + self.b


@dataclass(slots=True)
class Slotted:
    a: float
    n: int = 0

    def bump(self) -> int:
        self.n += 1
        return self.n


@dataclass(order=True)
class Ranked:
    rank: float
    name: str = field(compare=False, default="")


@cases.add(lambda i: (Config(lr=0.5 + i),))
def dataclass_replace(c):
    d = c.scaled(2.0)
    e = dataclasses.replace(d, steps=7)
    return d.lr, e.steps, e.tags is c.tags, d == c


@cases.add(lambda i: (1.0 + i,))
def frozen_dataclass(x):
    f = Frozen(x)
    try:
        f.a = 3.0
    except dataclasses.FrozenInstanceError as error:
        return f.total, str(error)
    return None


@cases.add(lambda i: (Frozen(1.0 + i), 2.0), lambda: (Frozen(1.0, 5.0), 2.0))
def frozen_argument(f, k):
    return Frozen(f.a * k).total + f.b


@cases.add(lambda i: (1.0 + i,))
def slotted(x):
    s = Slotted(x)
    s.bump()
    s.a += 1
    return s.bump() + s.a


@cases.add(lambda i: (Slotted(1.0, i),))
def slotted_argument(s):
    s.bump()
    s.a *= 2
    return s.a


@cases.add(lambda i: (Ranked(1.0 + i, "x"), Ranked(3.0, "y")))
def ordered_dataclass(a, b):
    return a < b, a == b, max(a.rank, b.rank)


@cases.add(lambda i: (1.0 * i,))
def dataclass_texts(x):
    return repr(Frozen(x)), f"{Config(x)}", str(Slotted(x))


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Mode(enum.Enum):
    FAST = "fast"
    SLOW = "slow"

    @property
    def factor(self) -> float:
        return 2.0 if self is Mode.FAST else 0.5


@cases.add(lambda i: (Mode.FAST, 1.0 + i), lambda: (Mode.SLOW, 1.0))
def enum_member(mode, x):
    return x * mode.factor, mode.name, mode.value, mode == Mode.FAST, Mode("slow") is mode


@cases.add(lambda i: (Level.LOW, 2.0), lambda: (Level.HIGH, 2.0))
def int_enum(level, x):
    return x * level, level > Level.LOW, [m.name for m in Level]


class Pair(NamedTuple):
    first: float
    second: float = 1.0

    def swap(self) -> Pair:
        return Pair(self.second, self.first)

    @property
    def total(self) -> float:
        return self.first + self.second


@cases.add(lambda i: (Pair(1.0 + i),))
def named_tuple(p):
    q = p.swap()._replace(first=3.0)
    a, b = q
    return q, a + b, q.total, p[0], len(q), q._asdict(), p == q


class Positive:
    """A descriptor without a metaclass."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = "_" + name

    def __get__(self, obj: Any, owner: type | None = None) -> Any:
        return getattr(obj, self.name)

    def __set__(self, obj: Any, value: Any) -> None:
        if value <= 0:
            raise ValueError(f"{self.name} must be positive")
        setattr(obj, self.name, value)


class Checked:
    size = Positive()

    def __init__(self, size: float) -> None:
        self.size = size


@cases.add(lambda i: (1.0 + i,), lambda: (-1.0,))
def descriptor(x):
    try:
        c = Checked(x)
    except ValueError as error:
        return str(error)
    c.size += 1
    return c.size


class Lazy:
    """Falls back to `__getattr__`."""

    def __init__(self, base: float) -> None:
        self.base = base

    def __getattr__(self, name: str) -> Any:
        if name.startswith("times_"):
            return self.base * int(name[6:])
        raise AttributeError(name)


@cases.add(lambda i: (Lazy(1.0 + i),))
def getattr_hook(lazy):
    return lazy.times_3 + lazy.base, hasattr(lazy, "nothing")


@cases.add(
    lambda i: (Box(a=1.0 + i, b=2.0), "a"), lambda: (Box(a=1.0, b=2.0), "b"), lambda: (Box(b=1.0), "a")
)
def attribute_functions(box, name):
    if not hasattr(box, name):
        setattr(box, name, 9.0)
    value = getattr(box, name) + getattr(box, "zzz", 0.5)
    setattr(box, "c", value)
    return value, callable(box), isinstance(box, Box), type(box) is Box


@cases.add(lambda i: (Box(a=1.0 + i, b=2.0),))
def deletes_attribute(box):
    total = box.a
    del box.b
    return total, hasattr(box, "b")


@cases.add(lambda i: (Box(a=1.0 + i, b=2.0),))
def vars_of(box):
    total = 0.0
    for name, value in vars(box).items():
        total += value * len(name)
    return total + box.__dict__["a"], sorted(vars(box))


@cases.add(lambda i: (1.0 + i,), compiled=False)
def class_in_function(x):
    class Local:
        def __init__(self, v):
            self.v = v

        def double(self):
            return self.v * 2

    return Local(x).double()


class Layer:
    """Composed models."""

    def __init__(self, n: int) -> None:
        self.w = np.ones(n)
        self.calls = 0

    def __call__(self, x: Any) -> Any:
        self.calls += 1
        return x * self.w


class Model:
    def __init__(self) -> None:
        self.layers = [Layer(4), Layer(4)]

    def __call__(self, x: Any) -> Any:
        for layer in self.layers:
            x = layer(x)
        return x


def _model(_: Any) -> Any:
    model = Model()
    for i in range(6):
        yield model, nvec(4, float(i))
    model.layers[0].w = np.full(4, 3.0)
    for i in range(4):
        yield model, nvec(4, float(i))


@cases.world(_model)
def composed(model, x):
    return model(x) + 1.0


class Countdown:
    """An iterator class."""

    def __init__(self, n: int) -> None:
        self.n = n

    def __iter__(self) -> Countdown:
        return self

    def __next__(self) -> int:
        if self.n <= 0:
            raise StopIteration
        self.n -= 1
        return self.n


@cases.add(lambda i: (4,), lambda: (0,))
def iterator_class(n):
    total = 0
    for k in Countdown(n):
        total += k
    return total, list(Countdown(n)), sum(Countdown(3))


@cases.add(lambda i: (1.0 + i,), lambda: (-1.0,))
def object_by_branch(x):
    base = Vec(0.0, 1.0)
    kept = [base]
    if x > 0:
        v = Vec(x, 2.0)
    else:
        v = Vec(3.0, x)
    v.x += 1.0
    w = base if x > 2 else Vec(5.0, 5.0)
    w.y += 10.0
    return v.x, v.y, w.y, kept[0].y, w is base


@cases.add(lambda i: (4, 1.0 + i), lambda: (0, 1.0), lambda: (9, -1.0))
def object_in_loop(n, x):
    best = Vec(0.0, 0.0)
    for k in range(n):
        here = Vec(k * x, x - k)
        if here.x > best.x:
            best = here
        best.y += 0.5
    return best.x, best.y


test_program = cases.test()
