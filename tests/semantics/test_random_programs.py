"""Random programs: branches, loops, exceptions, aliases and effects, each compared with plain Python."""

from __future__ import annotations

import importlib.util
import random
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from semantics.oracle import check, nvec, vec

#: Ways to write an expression of each kind; `{kind}` stands for another one.
EXPRESSIONS = {
    "int": ["n", "k", "2", "-1", "m.n", "len(xs)", "({int} + {int})", "({int} * {int})", "({int} - {int})",
            "({int} // 3)", "({int} % -4)", "int(q[1])", "max({int}, 2)"],
    "float": ["f", "0.5", "m.s", "float(x[0])", "float(a[1])", "({float} + {float})", "({float} * {float})"],
    "jax": ["x", "y", "m.w", "({jax} + {jax})", "jnp.tanh({jax})", "({jax} * {float})", "x.at[1].set({float})",
            "jnp.where(x > 0, {jax}, y)", "({jax} - x[-1])"],
    "numpy": ["a", "b", "m.v", "({numpy} + {numpy})", "({numpy} * {float})", "np.abs({numpy})", "{numpy}[::-1]",
              "np.where(a > 0, {numpy}, b)", "{numpy}.copy()"],
    "cond": ["{int} < {int}", "{int} != {int}", "x[0] > 0", "a.max() > 2", "{float} > {float}", "m.flag", "c is a",
             "x is y", "{cond} and {cond}", "not {cond}"],
    "any": ["n", "x", "a", "f"],
}  # fmt: skip

#: Simple statements.
STATEMENTS = [
    "x = {jax}", "y = {jax}", "a = {numpy}", "b = {numpy}", "n = {int}", "k += {int}", "f = float({float})",
    "a[1:3] = {float}", "a[::2] = b[0]", "a += {numpy}", "a[:] = {numpy}", "c = a[::-1]", "c = m.v", "c[2] = 7",
    "x, y = y, x", "a, b = b, a", "xs.append({jax})", "xs[0] = y", "zs = xs", "zs = [x, n]", "zs.append(n)",
    "m.n += {int}", "m.w = {jax}", "m.v = {numpy}", "m.v += 1", "m.flag = not m.flag", "m.log.append({any})",
    "print({any}, n)", "d['n'] = {int}", "d.setdefault('z', {any})", "n = helper(m, {int})", "x = m.step(x)",
    "a = touch(a, {float})", "q[0] = {int} % 100", "q += 3", "xs = [v * 2 for v in xs]", "m.log.append(f'{{n}}')",
    "n = sum(v * k for v in range(3))", "e = d.get('q', n)", "x = x.at[n % 4].add(1.0)", "a[k % 3] += 1",
]  # fmt: skip

HEAD = """\
import jax.numpy as jnp
import numpy as np

class Model:
    def __init__(self):
        self.n, self.s, self.flag, self.log = 1, 0.5, True, []
        self.w, self.v = jnp.ones(4), np.ones(4)

    def step(self, z):
        self.n = self.n + 1
        return z * 0.5 if self.n % 3 == 0 else z

def helper(m, q):
    if q > 2:
        m.log.append(q)
        return 1
    return q - 1

def touch(p, q):
    p[0] = q
    return p

"""


class Writer:
    """Writes one random function."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.lines: list[str] = []

    def expand(self, text: str, depth: int = 0) -> str:
        def choose(match: re.Match[str]) -> str:
            options = EXPRESSIONS[match[1]]
            if depth >= 3:
                options = [o for o in options if "{" not in o]
            return self.expand(self.random.choice(options), depth + 1)

        return re.sub(r"(?<!{){(\w+)}(?!})", choose, text).replace("{{", "{").replace("}}", "}")

    def line(self, indent: int, text: str) -> None:
        self.lines.append("    " * indent + self.expand(text))

    def block(self, indent: int, end: tuple[str, ...] = ()) -> None:
        for _ in range(self.random.randint(1, 3)):
            self.statement(indent)
        if end and self.random.random() < 0.3:
            self.line(indent, "if {cond}:")
            self.line(indent + 1, self.random.choice(end))

    def statement(self, indent: int) -> None:
        writers: list[Callable[[int], None]] = [self.if_, self.for_, self.while_, self.try_]
        if indent < 3 and self.random.random() < 0.35:
            self.random.choice(writers)(indent)
        else:
            self.line(indent, self.random.choice(STATEMENTS))

    def if_(self, indent: int) -> None:
        self.line(indent, "if {cond}:")
        self.block(indent + 1, ("return x, a", "raise ValueError(n)"))
        if self.random.random() < 0.5:
            self.line(indent, "else:")
            self.block(indent + 1)

    def for_(self, indent: int) -> None:
        bounds = self.random.choice(["3", "k % 3", "1, 4", "abs(n) % 4"])
        self.line(indent, f"for i{indent} in range({bounds}):")
        self.block(indent + 1, ("break", "continue", "return n, xs"))

    def while_(self, indent: int) -> None:
        self.line(indent, f"t{indent} = 0")
        self.line(indent, f"while t{indent} < 3 and {{cond}}:")
        self.line(indent + 1, f"t{indent} += 1")
        self.block(indent + 1, ("break", "continue"))

    def try_(self, indent: int) -> None:
        self.line(indent, "try:")
        self.block(indent + 1, ("raise KeyError('k')",))
        self.line(indent, "except (KeyError, ValueError) as error:")
        self.block(indent + 1)

    def function(self) -> str:
        self.line(0, "def f(x, y, a, b, n, k, f, q, xs, m, d):")
        self.line(1, "zs, c = [], a")
        for _ in range(self.random.randint(3, 8)):
            self.statement(1)
        self.line(
            1, "return " + self.random.choice(["x, a, b, c, n, f, zs", "x", "[a, c], q, d", "n, f, xs, zs"])
        )
        return HEAD + "\n".join(self.lines) + "\n"


def world_of(module: Any, seed: int) -> Callable[[Any], Iterator[Any]]:
    """Return a world that calls ``f`` with arguments that vary, and now and then share memory."""

    def world(_: Any) -> Iterator[Any]:
        r = random.Random(seed)
        model, d, xs = module.Model(), {"n": 1}, [vec()]
        for call in range(10):
            size = 5 if call == 7 else 4
            x = vec(size, r.choice([-2.0, 0.0, 1.0]))
            y = x if r.random() < 0.1 else vec(size, 3.0)
            a = nvec(start=r.choice([-3.0, 1.0]))
            b = r.choice([a, a[::-1]]) if r.random() < 0.1 else nvec(start=2.0)
            model.n, model.w, model.v = r.choice([1, 2]), jnp.ones(size), np.ones(4)
            if len(xs) > 6 or size == 5:
                xs = [x]
            yield (
                x,
                y,
                a,
                b,
                r.choice([1, 3, -2]),
                r.choice([0, 2, 5]),
                0.5,
                nvec(dtype=np.int32),
                xs,
                model,
                d,
            )

    return world


@pytest.mark.parametrize("seed", range(20))
def test_random_program(seed: int, tmp_path: Path) -> None:
    path = tmp_path / f"random_program_{seed}.py"
    path.write_text(Writer(seed).function())
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    try:
        spec.loader.exec_module(module)
        check(module.f, world_of(module, seed), compiled=False)
    finally:
        del sys.modules[path.stem]
