"""Values that warm-up calls record: arguments, attributes, subscripts, globals and results."""

from __future__ import annotations

import ast
import gc
import weakref
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from janus_mlir.capture.reading.reader import read_function
from janus_mlir.locations import Span, span_of
from janus_mlir.profile.data import Profile
from janus_mlir.profile.history import CALLS, SAMPLES, History
from janus_mlir.profile.instrument import instrument
from janus_mlir.profile.lattice import Level

RATE = 1.0


class Layer:
    def __init__(self, n: int) -> None:
        self.n = n
        self.cfg = SimpleNamespace(rate=0.5, sizes=[n, n + 1])


def place(fn: Any, text: str) -> Span:
    """Return the place of the expression with this text."""
    source = read_function(fn)
    nodes = [n for n in ast.walk(source.node) if isinstance(n, ast.expr) and ast.unparse(n) == text]
    return span_of(nodes[0], source.filename)


def seen(profile: Profile, fn: Any, what: str, *, name: bool = False) -> History:
    found = profile.values(read_function(fn), what if name else place(fn, what))
    assert found is not None
    return found


def run(fn: Any, *calls: tuple[Any, ...]) -> Profile:
    profile = Profile()
    made = instrument(fn, profile)
    for args in calls:
        profile.begin_call()
        assert made(*args) == fn(*args)
    return profile


def test_arguments_globals_and_results() -> None:
    def scaled(x, n=2):
        return len(x) * n * RATE

    profile = run(scaled, (np.ones(3),), (np.ones(4), 3))
    x = seen(profile, scaled, "x", name=True)
    assert str(x.knowledge) == "float64[?]" and x.varying_axes == {0}
    assert seen(profile, scaled, "n", name=True).varies
    assert str(seen(profile, scaled, "RATE", name=True).knowledge) == "1.0"
    assert [str(s) for call in seen(profile, scaled, "return", name=True).calls for s in call] == [
        "6.0",
        "12.0",
    ]


def test_every_access_of_a_path() -> None:
    def read(layer, i):
        return layer.cfg.sizes[i] + layer.cfg.rate

    layer = Layer(3)
    profile = run(read, (layer, 0), (layer, 0))
    assert str(seen(profile, read, "layer.cfg").knowledge) == "SimpleNamespace"
    assert str(seen(profile, read, "layer.cfg.sizes").knowledge) == "list"
    assert str(seen(profile, read, "layer.cfg.sizes[i]").knowledge) == "3"
    assert str(seen(profile, read, "layer.cfg.rate").knowledge) == "0.5"


def test_objects_of_one_place_are_no_variation() -> None:
    def total(layers):
        s = 0
        for layer in layers:
            s += layer.n
        return s

    layers = [Layer(1), Layer(2)]
    assert not seen(run(total, (layers,), (layers,)), total, "layer.n").varies
    profile = Profile()
    made = instrument(total, profile)
    for n in range(3):
        profile.begin_call()
        layers[1].n = n + 5
        made(layers)
    assert seen(profile, total, "layer.n").varies


def test_callees_record_too() -> None:
    def inner(layer):
        return layer.n

    def outer(layer):
        return inner(layer) + 1

    profile = run(outer, (Layer(4),))
    assert str(seen(profile, inner, "layer.n").knowledge) == "4"
    assert str(seen(profile, inner, "layer", name=True).knowledge) == "Layer"


def test_samples_are_bounded() -> None:
    def total(values):
        s = 0
        for i in range(len(values)):
            s += values[i]
        return s

    profile = run(total, *[(list(range(100)),)] * 40)
    calls = seen(profile, total, "values[i]").calls
    assert all(len(call) == SAMPLES for call in calls) and len(calls) < 40


def test_functions_called_often_run_as_they_are() -> None:
    def leaf(i):
        return i + 1 if i % 2 else i

    def many(n):
        s = 0
        for i in range(n):
            s += leaf(i)
        return s

    profile = Profile()
    made = instrument(many, profile)
    branch = place(leaf, "i % 2")
    for call in (1, 2):
        profile.begin_call()
        assert made(10 * CALLS) == many(10 * CALLS)
        counts = profile.branch(read_function(leaf), branch)
        assert counts is not None
        assert counts.taken + counts.not_taken == call * CALLS


def test_values_are_not_kept() -> None:
    def read(holder):
        return holder.value

    class Value:
        pass

    profile = Profile()
    made = instrument(read, profile)
    holder = SimpleNamespace(value=Value())
    reference = weakref.ref(holder.value)
    profile.begin_call()
    made(holder)
    holder.value = None
    gc.collect()
    assert reference() is None
    assert seen(profile, read, "holder.value").knowledge.level is Level.TYPE  # type: ignore[union-attr]


def test_accesses_happen_once_and_in_order() -> None:
    log = []

    class Noisy:
        def __getattr__(self, name):
            log.append(name)
            return self

        def __getitem__(self, key):
            log.append(key)
            return self

    def read(o):
        _ = o.a.b[0].c
        return o.d[o.e]

    plain = Noisy()
    read(plain)
    expected, log[:] = list(log), []
    instrument(read, Profile())(plain)
    assert len(log) == len(expected)
    assert log[:5] == expected[:5]


def test_errors_are_the_users() -> None:
    def read(o):
        return o.missing.more

    with pytest.raises(AttributeError, match="missing"):
        instrument(read, Profile())(Layer(1))
