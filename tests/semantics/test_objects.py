"""Objects, containers, closures, globals and calls. (What is passed to them is in `test_arguments`.)"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax.numpy as jnp

from semantics.oracle import Box, Call, Cases, mat, vec

cases = Cases()


def counting(model, x):
    model.c += 1
    return x * model.c


def _counting(_):
    model = Box(c=0)
    for _ in range(6):
        yield model, vec()
    model.c = 100
    yield model, vec()
    model.c = 2.5
    yield model, vec()
    other = Box(c=0)
    for _ in range(3):
        yield other, vec()


cases.world(_counting)(counting)


SCALE = 2.0
TABLE = {"w": 1.0}


def _reads_global(_):
    global SCALE
    SCALE = 2.0
    for _ in range(4):
        yield vec()
    SCALE = 3.0
    yield vec()
    SCALE = 5
    yield vec()
    SCALE = 7.0
    for _ in range(3):
        yield vec()


@cases.world(_reads_global)
def reads_global(x):
    return x * SCALE


COUNT = 0


def _writes_global(_):
    global COUNT
    COUNT = 0
    for _ in range(5):
        yield vec()
    COUNT = 50
    for _ in range(3):
        yield vec()


@cases.world(_writes_global)
def writes_global(x):
    global COUNT
    COUNT += 1
    return x + COUNT


LOG: list[Any] = []


def _appends(_):
    LOG.clear()
    for k in range(6):
        yield vec(start=float(k)), LOG
    LOG.clear()
    for k in range(3):
        yield vec(start=float(k)), LOG


@cases.world(_appends)
def appends_global_list(x, seen):
    LOG.append(x.sum())
    return len(LOG), LOG[-1], seen is LOG


def _appends_argument(_):
    xs: list[Any] = []
    for k in range(7):
        yield xs, vec(start=float(k))


@cases.world(_appends_argument)
def appends_argument(xs, x):
    xs.append(x * 2)
    return xs


def _default(_):
    mutable_default.__defaults__[0].clear()
    for k in range(6):
        yield (vec(start=float(k)),)
    yield vec(), [1]
    for k in range(3):
        yield (vec(start=float(k)),)


def mutable_default(x, seen=[]):  # noqa: B006
    seen.append(x.shape[0])
    return x * len(seen), seen


cases.world(_default)(mutable_default)


def _make_closure():
    state = {"k": 1.0}
    offset = 1.0

    def bump(value):
        nonlocal offset
        offset = value

    def closure(x):
        return x * state["k"] + offset

    return closure, state, bump


CLOSURE, STATE, BUMP = _make_closure()


def _closure(_):
    STATE["k"] = 1.0
    BUMP(1.0)
    for _ in range(4):
        yield (vec(),)
    BUMP(5.0)
    yield (vec(),)
    STATE["k"] = 3
    yield (vec(),)
    STATE["k"] = 3.5
    for _ in range(3):
        yield (vec(),)


cases.world(_closure)(CLOSURE)


def _make_counter():
    n = 0

    def counter(x):
        nonlocal n
        n += 1
        return x * n

    def reset():
        nonlocal n
        n = 0

    return counter, reset


COUNTER, RESET = _make_counter()


def _counter(_):
    RESET()
    for _ in range(7):
        yield (vec(),)


cases.world(_counter)(COUNTER)


@cases.add(lambda i: (vec(),), compiled=False)
def late_binding(x):
    fs = [lambda y: y * k for k in range(3)]
    k = 10
    gs = [lambda y, k=k: y + k for k in range(2)]
    return [f(x) for f in fs], [g(x) for g in gs], k


@cases.add(lambda i: (vec(),))
def closure_sees_rebinding(x):
    scale = 2.0

    def inner(y):
        return y * scale

    a = inner(x)
    scale = 3.0
    return a, inner(x)


@cases.add(lambda i: (vec(),))
def nonlocal_inside(x):
    total = 0

    def add(v):
        nonlocal total
        total = total + v
        return total

    for i in range(3):
        add(x * i)
    return total


def helper(x, scale=2.0, *rest, bias=0.0, **more):
    y = x * scale + bias
    for r in rest:
        y = y + r
    for name, value in more.items():
        if name != "skip":
            y = y - value
    return y


@cases.add(lambda i: (vec(), [1.0, 2.0], {"bias": 3.0}), lambda: (vec(), [1.0], {"skip": 1}))
def calls_with_everything(x, args, kwargs):
    a = helper(x)
    b = helper(x, 3.0, bias=1.0)
    c = helper(x, *args, **kwargs)
    return a + b, c, helper(scale=1.0, x=x, foo=2.0)


@cases.add(
    lambda i: Call(vec(), 1.0, k=2.0),
    lambda: Call(vec(), k=3.0),
    lambda: Call(vec(), 1.0, 5.0, k=2.0, z=vec()),
)
def own_signature(x, a=0.5, *more, k, **named):
    for m in more:
        x = x + m
    for n in named:
        x = x + named[n]
    return x * a + k


def fact(n, x):
    if n <= 1:
        return x
    return fact(n - 1, x) * n


@cases.add(lambda i: (vec(), 4), lambda: (vec(), 6))
def recursion(x, n):
    return fact(n, x)


class Linear:
    count = 0

    def __init__(self, w, b):
        self.w = w
        self.b = b
        self.calls = 0

    def __call__(self, x):
        self.calls += 1
        return x @ self.w + self.b

    @property
    def size(self):
        return self.w.shape[0] * self.w.shape[1]

    @staticmethod
    def relu(x):
        return jnp.maximum(x, 0)

    @classmethod
    def make(cls, w):
        return cls(w, 0.0)

    def _hidden(self, x):
        return self.relu(self(x))


class Deep(Linear):
    def __call__(self, x):
        y = super().__call__(x)
        return y * 2


def _model(_):
    m = Linear(mat(4, 2), vec(2))
    for _ in range(5):
        yield m, mat()
    m.w = mat(4, 2, 9.0)
    yield m, mat()
    m.b = 1.0
    yield m, mat()
    m2 = Deep(mat(4, 2), vec(2))
    for _ in range(2):
        yield m2, mat()
    m3 = Linear(mat(4, 2), vec(2))
    for _ in range(3):
        yield m3, mat()


@cases.world(_model)
def model_methods(m, x):
    y = m._hidden(x)
    return y, m.size, m.relu(-y), m.calls


@cases.add(lambda i: (mat(4, 2), mat()))
def makes_objects(w, x):
    m = Linear.make(w)
    y = m(x)
    m.extra = y
    return m, y, isinstance(m, Linear), m.calls, hasattr(m, "none"), getattr(m, "none", 3)


def _updates(_):
    m = Box(w=vec(), velocity=vec() * 0, steps=0, history=[])
    for k in range(6):
        yield m, vec(start=float(k))
    m.w = vec(5)
    m.velocity = vec(5) * 0
    for k in range(4):
        yield m, vec(5, start=float(k))


@cases.world(_updates)
def optimiser_step(m, g):
    m.velocity = 0.9 * m.velocity + g
    m.w -= 0.1 * m.velocity
    m.steps += 1
    if m.steps % 4 == 0:
        m.history.append(m.w)
    return (m.w**2).sum()


@dataclass
class Point:
    x: Any
    y: Any = 1.0

    def norm(self):
        return jnp.sqrt(self.x**2 + self.y**2)


class Pair(NamedTuple):
    a: Any
    b: Any


@cases.add(lambda i: (Point(vec()), Pair(vec(), 2.0)), lambda: (Point(vec(), vec()), Pair(vec(), 3)))
def records(p, q):
    r = Point(p.x * 2, y=p.y)
    s = q._replace(b=q.a)
    return r.norm(), s.a + s.b, r, s, q[0], q.b, r == r


@cases.add(
    lambda i: ({"w": vec(), "b": 1.0},), lambda: ({"w": vec(), "c": 1.0},), lambda: ({"b": 1.0, "w": vec()},)
)
def dict_argument(d):
    total = 0.0
    for k, v in d.items():
        total = total + v * len(k)
    return total, d.get("b", 7.0), "w" in d, list(d)


def _dict_write(_):
    d = {"n": 0}
    for k in range(5):
        yield d, vec(start=float(k))
    d["n"] = 40
    d["other"] = 1
    for k in range(3):
        yield d, vec(start=float(k))


@cases.world(_dict_write)
def dict_write(d, x):
    d["n"] += 1
    d["x"] = x * d["n"]
    d.setdefault("first", x)
    return d.pop("other", None), d["x"]


@cases.add(lambda i: ([vec(), 2.0, [vec()]],), lambda: ([vec(5), 2.0, [vec()]],))
def list_edits(xs):
    xs.insert(0, xs[0] * 2)
    xs[1] = xs[1] + 1
    xs.extend([1, 2])
    last = xs.pop()
    xs[-1] += 5
    xs[3].append(last)
    ys = xs + [0]
    del ys[0]
    ys.reverse()
    return ys, xs, xs[1:3], len(xs)


@cases.add(lambda i: (vec(), [vec()], {"a": vec()}))
def identities(x, xs, d):
    y = x
    zs = xs
    t = (x, xs)
    return y is x, zs is xs, t[1] is xs, [x] == [x], x is not y, zs, d, t, y


def _same_argument(_):
    for _ in range(4):
        xs: list[Any] = []
        yield xs, xs
    for _ in range(2):
        yield [], []
    for _ in range(3):
        xs = []
        yield xs, xs


@cases.world(_same_argument)
def aliased_arguments(a, b):
    a.append(1)
    b.append(2)
    return a is b, len(a), a


@cases.add(lambda i: (vec(), Box(w=1.0)), lambda: (vec(), Box()), lambda: (vec(), Box(w=None)))
def optional_attribute(x, m):
    w = getattr(m, "w", None)
    if w is None:
        m.w = 2.0
        return x
    if hasattr(m, "q"):
        return m.q
    return x * w


class Guarded:
    def __init__(self):
        self._v = 1.0

    @property
    def v(self):
        return self._v

    @v.setter
    def v(self, value):
        self._v = value * 2


def _property(_):
    m = Guarded()
    for _ in range(7):
        yield m, vec()


@cases.world(_property)
def property_setter(m, x):
    m.v = m.v + 1
    return x * m.v


class Slotted:
    __slots__ = ("n", "w")

    def __init__(self, w):
        self.w = w
        self.n = 0

    def __getattr__(self, name):
        if name == "magic":
            return 42.0
        raise AttributeError(name)


@cases.add(lambda i: (Box(inner=Box(w=vec()), tags=["a", "b"]), 2.0))
def nested_attributes(m, k):
    m.inner.w = m.inner.w * k
    m.tags.append("c")
    m.inner.extra = {"k": m.inner.w}
    del m.tags[0]
    return m.inner.w


@cases.add(lambda i: (vec(),))
def operator_overloads(x):
    v = Vec2(x, x * 2)
    w = v + v * 3
    w += v
    return w.a, w.b, v == v, v[0], len(w), bool(w)


class Vec2:
    def __init__(self, a, b):
        self.a, self.b = a, b

    def __add__(self, o):
        return Vec2(self.a + o.a, self.b + o.b)

    def __mul__(self, k):
        return Vec2(self.a * k, self.b * k)

    def __getitem__(self, i):
        return (self.a, self.b)[i]

    def __len__(self):
        return 2

    def __eq__(self, o):
        return self is o

    def __hash__(self):
        return 1


class Measured:
    def __init__(self, size):
        self.size = size

    def __len__(self):
        return self.size


@cases.add(lambda i: (3 + i,), lambda: (0,), lambda: (-3,), lambda: (2.5,), lambda: (10**19,))
def measured(k):
    try:
        return len(Measured(k)), bool(Measured(k))
    except ValueError as error:
        return str(error)


test_program = cases.test()
