"""The callable itself: binding, dispatch, lifetime, and how it passes for a function."""

from __future__ import annotations

import copy
import functools
import gc
import inspect
import itertools
import pickle
import sys
import threading
import tracemalloc
import weakref

import numpy as np
import pytest

from janus_mlir._native import _runtime

from .native import Script, jit, no_function, no_miss

INT = ("int", 4, 0, None)


def see(entries, slots, program=(), value="slots"):
    """Make a version that returns its objects: every argument slot."""
    head = [("const", slots, 0), ("bind_int", slots), *program]
    site = (0, "return", [], lambda objs: objs, False, None)
    return _runtime.Version(entries.show_slots, slots + 1, head, list(range(slots)), [site], None)


def signature_of(function):
    """Describe a function as JitFunction wants it, `*args` and `**kwargs` named in their places."""
    parameters = inspect.signature(function).parameters.values()
    posonly, pos_or_kw, varargs, kwonly, varkw = (
        [p.name for p in parameters if p.kind == kind] for kind in range(5)
    )
    names = [*posonly, *pos_or_kw, *varargs, *kwonly, *varkw]
    return names, len(posonly), len(pos_or_kw), len(kwonly), bool(varargs), bool(varkw)


FUNCTIONS = [
    lambda: (),
    lambda a, b: (a, b),
    lambda a, b=2, c=3: (a, b, c),
    lambda a, /, b, c=3: (a, b, c),
    lambda a, *rest: (a, rest),
    lambda *rest, k: (rest, k),
    lambda a, *, k, m=5: (a, k, m),
    lambda **extra: (extra,),
    lambda a, /, **extra: (a, extra),
    lambda a, b=2, *rest, k=7, **extra: (a, b, rest, k, extra),
    lambda a=1, /, b=2, *, k=3: (a, b, k),
]


def outcome(function, args, kwargs):
    try:
        return function(*args, **kwargs)
    except TypeError as error:
        return str(error)


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: str(inspect.signature(f)))
@pytest.mark.parametrize("named", [True, False])
def test_binding_is_that_of_python(entries, function, named):
    signature = signature_of(function)
    if not named:
        starred = {p.name for p in inspect.signature(function).parameters.values() if p.kind in (2, 4)}
        signature = ([name for name in signature[0] if name not in starred], *signature[1:])
    f = _runtime.JitFunction(function, None, signature, no_miss)
    f.set_versions([see(entries, len(inspect.signature(function).parameters))])
    for count in range(5):
        args = tuple(f"p{index}" for index in range(count))
        for size in range(4):
            for keys in itertools.combinations(["a", "b", "k", "q"], size):
                kwargs = {"".join(list(key)): key.upper() for key in keys}
                assert outcome(f, args, kwargs) == outcome(function, args, kwargs)


def test_defaults_are_read_at_each_call(entries):
    def function(a, b=(1,), *, k=2):
        return a, b, k

    f = _runtime.JitFunction(function, None, (("a", "b", "k"), 0, 2, 1, False, False), no_miss)
    f.set_versions([see(entries, 3)])
    assert f(0) == (0, (1,), 2) and f(0)[1] is function.__defaults__[0]
    function.__defaults__ = (9,)
    function.__kwdefaults__ = {"k": 8}
    assert f(0) == (0, 9, 8)
    f.__defaults__ = (7, 6)
    assert f() == (7, 6, 8) and function() == (7, 6, 8)
    function.__defaults__ = (1, 2, 3)
    assert f() == (2, 3, 8)
    function.__defaults__ = None
    function.__kwdefaults__ = None
    with pytest.raises(TypeError, match="missing"):
        f(0)


def test_misses_get_the_arguments_as_given():
    seen = []

    def on_miss(args, kwargs):
        seen.append((args, kwargs))
        return "slow"

    function = lambda a, b=2: (a, b)  # noqa: E731
    f = _runtime.JitFunction(function, None, (("a", "b"), 0, 2, 0, False, False), on_miss)
    assert f(1) == "slow" and f(1, b=3) == "slow" and f(a=1) == "slow"
    assert seen == [((1,), None), ((1,), {"b": 3}), ((), {"a": 1})]
    assert f.misses == 3 and f.calls == 3
    f.disabled = True
    assert f(5, b=6) == (5, 6) and f.misses == 3 and f.calls == 4
    f.disabled = False

    def broken(args, kwargs):
        raise LookupError

    with pytest.raises(LookupError):
        _runtime.JitFunction(function, None, (("a", "b"), 0, 2, 0, False, False), broken)(1)


def test_the_version_used_last_is_tried_first(entries):
    def only(value):
        site = (0, "return", [], lambda objs: value, False, None)
        return _runtime.Version(
            entries.show_slots, 2, [("eq", 0, value), ("const", 1, 0), ("bind_int", 1)], [], [site], None
        )

    a, b, c = (only(value) for value in "abc")
    f = jit(("x",), a, b, c, on_miss=lambda args, kwargs: "miss")
    assert f("c") == "c" and f.versions == (c, a, b)
    assert f("b") == "b" and f.versions == (b, c, a)
    assert f("b") == "b" and f("z") == "miss" and f.versions == (b, c, a)
    assert (a.hits, b.hits, c.hits, f.compiled_calls) == (0, 2, 1, 3)
    f.set_versions([])
    assert f("b") == "miss" and f.versions == ()


def test_versions_must_fit_the_function(entries):
    f = jit(("x",))
    with pytest.raises(TypeError, match="Version"):
        f.set_versions([3])
    with pytest.raises(ValueError, match="fit"):
        f.set_versions([_runtime.Version(1, 2, [("is", 1, 0)], [], [], None)])
    with pytest.raises(ValueError, match="fit"):
        f.set_versions([_runtime.Version(1, 2, [("const", 0, 0)], [], [], None)])
    with pytest.raises(ValueError, match="fit"):
        f.set_versions([_runtime.Version(1, 2, [], [1], [], None)])
    assert f.versions == ()


@pytest.mark.parametrize(
    "signature",
    [(), (("a",), 0, 0, 0, False, False), ((1,), 0, 1, 0, False, False), (("a",), -1, 2, 0, 0, 0), 5],
)
def test_errors_of_signatures(signature):
    with pytest.raises((TypeError, ValueError)):
        _runtime.JitFunction(no_function, None, signature, no_miss)


def test_versions_may_be_replaced_during_a_call(scripted):
    holder = []

    def act(objs):
        holder[0].set_versions([])
        gc.collect()

    f = scripted((1, "effect", [], act, False, None), (0, "return", [INT], None, False, "single"))
    holder.append(f)
    assert f(Script().begin(1).begin(0).i64(4).status()) == 4
    assert f.versions == ()


def test_methods(entries):
    class Model:
        step = _runtime.JitFunction(no_function, None, (("self", "x"), 0, 2, 0, False, False), no_miss)

    Model.step.set_versions([see(entries, 2)])
    model = Model()
    assert model.step(3) == (model, 3)
    bound = model.step
    assert bound(x=4) == (model, 4) and bound.__self__ is model and bound.__func__ is Model.step
    assert Model.step(model, 5) == (model, 5)


def test_it_passes_for_a_function():
    class Companion:
        answer = 42

        def explain(self):
            return "explained"

    def function(a: int, b: int = 2) -> int:
        """Add."""
        return a + b

    function.tag = "t"
    f = _runtime.JitFunction(function, Companion(), (("a", "b"), 0, 2, 0, False, False), no_miss)
    assert functools.update_wrapper(f, function) is f
    assert (f.__name__, f.__doc__, f.tag, f.__module__) == ("function", "Add.", "t", __name__)
    assert f.__wrapped__ is function and inspect.signature(f) == inspect.signature(function)
    assert f.answer == 42 and f.explain() == "explained"
    assert f.__code__ is function.__code__ and callable(f)
    line = function.__code__.co_firstlineno
    assert repr(f) == f"<janus.jit {function.__qualname__} at {__file__}:{line}>"
    f.own = 1
    assert f.own == 1 and f.__dict__["own"] == 1
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        f.nothing  # noqa: B018
    assert not hasattr(f, "__array__")
    assert copy.copy(f) is f and copy.deepcopy({"f": f})["f"] is f
    assert {f: 1}[f] == 1
    assert repr(_runtime.JitFunction(len, None, ((), 0, 0, 0, True, False), no_miss)).startswith(
        "<janus.jit len"
    )


def module_level(x):
    return x


module_level = functools.update_wrapper(  # type: ignore[assignment]
    _runtime.JitFunction(module_level, None, (("x",), 0, 1, 0, False, False), no_miss), module_level
)


def test_it_is_pickled_by_name():
    assert pickle.loads(pickle.dumps(module_level)) is module_level


def test_cycles_are_collected(entries):
    def make():
        def function():
            return f

        site = (0, "return", [], lambda objs: f, False, None)
        version = _runtime.Version(
            entries.show_slots, 1, [("const", 0, function), ("bind_len", 0)], [], [site], lambda: f
        )
        f = _runtime.JitFunction(function, lambda: f, ((), 0, 0, 0, False, False), lambda args, kwargs: f)
        f.set_versions([version])
        f.me = f
        return weakref.ref(f)

    watch = [make() for _ in range(3)]
    gc.collect()
    assert [reference() for reference in watch] == [None] * 3


def test_calls_leak_nothing(scripted):
    f = scripted(
        (0, "return", [("numpy", 12, 1, None), INT], None, False, "tuple"),
        (1, "effect", [INT, ("npscalar", 11, 0, None)], lambda objs, *values: values, False, None),
        names=("x", "y"),
        on_miss=lambda args, kwargs: None,
    )
    script = (
        Script()
        .begin(1)
        .i64(10**12)
        .copy(np.float32(1))
        .begin(0)
        .copy(np.ones(3))
        .i64(2**40)
        .scratch(10)
        .status()
    )
    thing = object()
    f(script, thing, y=3)
    count = sys.getrefcount(thing)

    def rounds():
        for _ in range(500):
            f(script, thing, y=object())
            f(3, thing, thing)
            f.versions[0].check((script, thing, 1))

    rounds()
    gc.collect()
    tracemalloc.start()
    rounds()
    gc.collect()
    before = tracemalloc.get_traced_memory()[0]
    rounds()
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 2000
    assert sys.getrefcount(thing) == count


def recursive(entries, limit_depth):
    names = ("n",)
    program = [("bind_int", 0)]
    sites = [
        (0, "return", [INT], None, False, "single"),
        (1, "exit", [INT], lambda objs, n: 1 + f(n), False, None),
    ]
    version = _runtime.Version(entries.countdown, 1, program, [], sites, None)
    f = jit(names, version)
    return f(limit_depth)


def test_recursion_through_exits(entries):
    assert recursive(entries, 100) == 100
    with pytest.raises(RecursionError):
        recursive(entries, 10_000)


def test_deep_recursion_does_not_overflow_the_stack(entries):
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(10**6)
    try:
        with pytest.raises(RecursionError):
            recursive(entries, 10**6)
        # Python 3.12 has a limit of its own for calls through C.
        assert recursive(entries, 300) == 300
    finally:
        sys.setrecursionlimit(limit)


def test_threads(scripted):
    values = ("numpy", 12, 0, None)

    def effect(objs, value):
        value += 1
        return sum(range(200))

    f = scripted(
        (0, "return", [values], None, False, "single"),
        (1, "effect", [values], effect, False, None),
    )
    wrong = []

    def work(seed):
        data = np.full(50, float(seed))
        script = Script().scratch(10_000).alloc(data).begin(1).owned().begin(0).owned().status()
        for _ in range(300):
            if not (f(script) == seed).all():
                wrong.append(seed)

    switch = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(switch)
    assert wrong == [] and f.calls == 1800


def test_native_time_is_measured_on_demand(scripted):
    f = scripted((0, "return", [], None, False, "none"))
    script = Script().begin(0).status()
    f(script)
    assert f.versions[0].native_ns == 0
    f.versions[0].timed = True
    f(script)
    assert f.versions[0].native_ns > 0


def test_weak_references_and_owner(entries):
    class Owner:
        pass

    owner = Owner()
    watch = weakref.ref(owner)
    f = jit((), _runtime.Version(entries.show_slots, 0, [], [], [], owner))
    assert f.versions[0].owner is owner and f.versions[0].entry_address == entries.show_slots
    del owner
    assert watch() is not None
    f.set_versions([])
    assert watch() is None
    reference = weakref.ref(f)
    del f
    assert reference() is None
