"""Values and effects on their way from the journal to the Python heap."""

from __future__ import annotations

import gc
import weakref

import ml_dtypes
import numpy as np
import pytest

from janus_mlir._native import _runtime
from janus_mlir.runtime import DTYPES

from .native import Script, code

INT = ("int", 4, 0, None)
FLOAT = ("float", 12, 0, None)
BOOL = ("bool", 0, 0, None)


def numpy_value(dtype, key=0):
    return ("numpy", code(dtype), key, None)


def scalar_value(dtype, key=0):
    return ("npscalar", code(dtype), key, None)


def returns(*values, fast="tuple"):
    return (0, "return", list(values), None, False, fast)


def test_python_numbers(scripted):
    f = scripted(returns(INT, FLOAT, BOOL, BOOL))
    result = f(Script().begin(0).i64(-(2**63)).f64(-0.0).i64(1).i64(0).status())
    assert result == (-(2**63), 0.0, True, False)
    assert [type(value) for value in result] == [int, float, bool, bool]
    assert str(result[1]) == "-0.0"


def test_python_numbers_from_tensors(scripted):
    f = scripted(returns(INT, FLOAT, BOOL))
    script = Script().begin(0).copy(np.int64(7)).copy(np.array([2.5])).copy(np.int8(1)).status()
    result = f(script)
    assert result == (7, 2.5, True)
    assert [type(value) for value in result] == [int, float, bool]


def test_number_from_a_larger_tensor_is_an_error(scripted):
    with pytest.raises(SystemError, match="several elements"):
        scripted(returns(INT))(Script().begin(0).copy(np.arange(3)).status())


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_every_dtype(scripted, dtype):
    f = scripted(returns(numpy_value(dtype.numpy), scalar_value(dtype.numpy)))
    data = np.array([[0, 1], [1, 0]]).astype(dtype.numpy)
    array, scalar = f(Script().begin(0).alloc(data).owned().copy(data[0, 1]).status())
    assert type(array) is np.ndarray
    assert array.dtype == dtype.numpy and array.shape == (2, 2)
    assert np.array_equal(array, data)
    assert array.flags.owndata and array.flags.writeable and array.flags.c_contiguous and array.flags.aligned
    assert array.base is None and array.ctypes.data % 64 == 0
    assert type(scalar) is dtype.numpy.type and scalar == data[0, 1]


def test_the_site_decides_between_types_of_one_size(scripted):
    f = scripted(returns(numpy_value(np.bool_), numpy_value(np.uint8), scalar_value(np.uint16)))
    small = np.array([0, 1], np.int8)
    wide = np.array(-1, np.int16)
    result = f(Script().begin(0).copy(small).copy(small - 1).copy(wide).status())
    assert result[0].dtype == np.bool_ and result[0].tolist() == [False, True]
    assert result[1].dtype == np.uint8 and result[1].tolist() == [255, 0]
    assert result[2] == 65535 and type(result[2]) is np.uint16


def test_a_type_of_another_size_is_an_error(scripted):
    with pytest.raises(SystemError, match="size"):
        scripted(returns(numpy_value(np.float64)))(Script().begin(0).copy(np.float32(1)).status())


@pytest.mark.parametrize(
    ("dtype", "pushed", "expected"),
    [
        (np.float64, 1.5, 1.5),
        (np.float32, 1.5, 1.5),
        (np.float16, 1.5, 1.5),
        (ml_dtypes.bfloat16, 1.5, 1.5),
        (np.int32, -5, -5),
        (np.uint8, 200, 200),
        (np.bool_, 1, True),
        (np.float32, 3, 3.0),
    ],
)
def test_scalars_pushed_as_numbers(scripted, dtype, pushed, expected):
    f = scripted(returns(scalar_value(dtype), numpy_value(dtype)))
    script = Script().begin(0)
    for _ in range(2):
        script = script.f64(pushed) if isinstance(pushed, float) else script.i64(pushed)
    scalar, array = f(script.status())
    assert type(scalar) is np.dtype(dtype).type and scalar == expected
    assert array.shape == () and array.dtype == np.dtype(dtype) and array == expected


def test_ways_to_finish(scripted):
    script = Script().begin(0).i64(5).status()
    assert scripted(returns(INT, fast="single"))(script) == 5
    assert scripted(returns(INT, fast="tuple"))(script) == (5,)
    assert scripted(returns(INT, fast="none"))(script) is None
    assert scripted(returns(fast="tuple"))(Script().begin(0).status()) == ()
    by_callable = (0, "return", [INT], lambda objs, value: (objs, value), False, None)
    thing = object()
    assert scripted(by_callable, names=("a", "b"))(script, thing, 1) == ((thing, 1), 5)


def test_zero_size_and_rank_zero(scripted):
    f = scripted(returns(numpy_value(np.float32), numpy_value(np.float32)))
    empty, point = f(
        Script().begin(0).alloc(np.zeros((0, 3), np.float32)).owned().copy(np.float32(2)).status()
    )
    assert empty.shape == (0, 3)
    assert point.shape == () and point == 2


def test_fresh_values_are_distinct_and_keyed_ones_identical(scripted):
    data = np.arange(4.0)
    keyed = returns(numpy_value(float, 1), numpy_value(float, 1), numpy_value(float, 2))
    one, again, other = scripted(keyed)(Script().begin(0).alloc(data).owned().owned().copy(data).status())
    assert one is again and one is not other
    fresh = returns(numpy_value(float), numpy_value(float))
    left, right = scripted(fresh)(Script().begin(0).alloc(data).owned().owned().status())
    assert left is not right and not np.shares_memory(left, right)
    assert np.array_equal(left, data) and np.array_equal(right, data)
    mixed = returns(numpy_value(float, 1), numpy_value(float), numpy_value(float, 1), numpy_value(float, 2))
    script = Script().begin(0).alloc(data).owned().owned().owned().owned().status()
    a, b, c, d = scripted(mixed)(script)
    assert a is c and len({id(a), id(b), id(d)}) == 3
    assert not np.shares_memory(a, b) and not np.shares_memory(a, d) and not np.shares_memory(b, d)
    assert all(np.array_equal(value, data) for value in (a, b, d))


def test_keys_hold_across_records(scripted):
    seen = []
    effect = (1, "effect", [numpy_value(float, 3)], lambda objs, value: seen.append(value), False, None)
    f = scripted(returns(numpy_value(float, 3), fast="single"), effect)
    result = f(Script().alloc(np.ones(3)).begin(1).owned().begin(0).owned().status())
    assert result is seen[0]


def test_an_effect_cannot_change_values_to_come(scripted):
    def spoil(objs, value):
        value[:] = -1

    effect = (1, "effect", [numpy_value(float)], spoil, False, None)
    f = scripted(returns(numpy_value(float), fast="single"), effect)
    result = f(Script().alloc(np.ones(3)).begin(1).owned().begin(0).owned().status())
    assert result.tolist() == [1, 1, 1]


def test_effects_run_in_order_with_objects(scripted):
    log = []
    one = (1, "effect", [INT], lambda objs, value: log.append(("one", objs, value)), False, None)
    two = (2, "effect", [], lambda objs: log.append(("two", objs)), False, None)
    f = scripted(returns(INT, fast="single"), one, two, names=("target",))
    script = Script().begin(1).i64(1).begin(2).begin(1).i64(2).begin(0).i64(9).status()
    assert f(script, "t") == 9
    assert log == [("one", ("t",), 1), ("two", ("t",)), ("one", ("t",), 2)]


@pytest.mark.parametrize("discard", [False, True])
def test_exits(scripted, discard):
    log = []
    effect = (1, "effect", [INT], lambda objs, value: log.append(value), False, None)
    leave = (2, "exit", [INT, FLOAT], lambda objs, *values: ("left", objs, values), discard, None)
    f = scripted(returns(), effect, leave, names=("a",))
    script = Script().begin(1).i64(1).begin(2).i64(5).f64(0.5).status(3)
    assert f(script, "x") == ("left", ("x",), (5, 0.5))
    assert log == ([] if discard else [1])
    assert f.compiled_calls == 0 and f.calls == 1
    assert f.versions[0].exits == {2: 1} and f.versions[0].hits == 1


def test_an_exception_in_an_effect_drops_what_follows(scripted):
    log = []

    def act(objs, value):
        log.append(value)
        if value == 2:
            raise KeyError("from an effect")

    effect = (1, "effect", [INT], act, False, None)
    finish = (0, "return", [], lambda objs: log.append("returned"), False, None)
    f = scripted(finish, effect)
    script = Script().begin(1).i64(1).begin(1).i64(2).begin(1).i64(3).begin(0).status()
    with pytest.raises(KeyError, match="from an effect"):
        f(script)
    assert log == [1, 2]


def test_an_exception_in_an_exit_or_return_propagates(scripted):
    def fail(objs):
        raise ZeroDivisionError

    f = scripted((0, "return", [], fail, False, None), (1, "exit", [], fail, False, None))
    with pytest.raises(ZeroDivisionError):
        f(Script().begin(0).status())
    with pytest.raises(ZeroDivisionError):
        f(Script().begin(1).status(2))


def test_an_effect_may_call_the_same_function(scripted):
    log = []

    def act(objs, value):
        log.append(value)
        if value:
            inner = Script().begin(1).i64(value - 1).scratch(1000).begin(0).copy(np.float64(value)).status()
            log.append(float(f(inner)))

    effect = (1, "effect", [INT], act, False, None)
    f = scripted(returns(numpy_value(float), fast="single"), effect)
    outer = Script().scratch(500).begin(1).i64(3).begin(0).copy(np.full(2, 9.0)).status()
    assert f(outer).tolist() == [9, 9]
    assert log == [3, 2, 1, 0, 1.0, 2.0, 3.0]


def test_an_exit_holds_nothing_of_the_call(scripted):
    class Thing:
        pass

    held = [Thing()]
    watch = weakref.ref(held[0])

    def leave(objs):
        held.clear()
        return watch()

    f = scripted((1, "exit", [], leave, False, None))
    version = _runtime.Version(
        f.versions[0].entry_address,
        4,
        [
            ("const", 1, held),
            ("index", 2, 1, 0),
            ("array", 0, "numpy", 4, [-1], False, 0),
            ("bind_tensor", 0, []),
        ],
        [],
        [(1, "exit", [], leave, False, None)],
        None,
    )
    f.set_versions([version])
    assert f(Script().begin(1).status(2)) is None


def test_abandoned_calls_run_in_python(scripted):
    log = []
    effect = (1, "effect", [], lambda objs: log.append("effect"), False, None)
    f = scripted(returns(), effect, function=lambda script: "python")
    assert f(Script().begin(1).status(-1)) == "python"
    too_large = Script().begin(1).raw(3, 11, 2, 2**40, 2**40, 0, 0).status()
    assert f(too_large) == "python"
    assert f(Script().begin(1).scratch(2**60).status()) == "python"
    assert log == [] and f.compiled_calls == 0


@pytest.mark.parametrize(
    "script",
    [
        Script().status(0),
        Script().begin(7).status(0),
        Script().begin(0).status(0),
        Script().begin(0).i64(1).i64(2).status(0),
        Script().begin(0).i64(1).status(1),
        Script().begin(0).i64(1).begin(0).i64(1).status(0),
        Script().begin(1).status(0),
        Script().begin(0).i64(1).begin(1).status(5),
        Script().i64(3).begin(0).i64(1).status(0),
        Script().begin(0).raw(5, 99, 0, 0).status(0),
        Script().begin(0).raw(5, 1, 1, -4, 0).status(0),
    ],
)
def test_a_malformed_journal_is_an_error(scripted, script):
    f = scripted(returns(INT), (1, "exit", [], lambda objs: None, False, None))
    with pytest.raises(SystemError, match="ABI"):
        f(script)


def test_memory_is_freed_once(scripted):
    f = scripted(
        returns(numpy_value(float, 1), numpy_value(float)),
        (1, "exit", [numpy_value(float)], lambda objs, value: value, True, None),
    )
    gc.collect()
    before = _runtime.live_blocks()
    data = np.arange(100.0)
    returned = Script().alloc(data).alloc(data).begin(0).owned(0).owned(0).status()
    dropped = Script().alloc(data).begin(0).owned().owned().begin(1).copy(data).status(2)
    for _ in range(50):
        results = f(returned)
        view = results[0][::2]
        results[0][:] = 0
        assert f(dropped)[99] == 99
    assert _runtime.live_blocks() == before + 2
    del results
    assert view.sum() == 0 and _runtime.live_blocks() == before + 1
    del view
    assert _runtime.live_blocks() == before


@pytest.mark.parametrize("size", [1, 100, 5000, 100_000, 3_000_000])
def test_numpy_may_resize_results(scripted, size):
    f = scripted(returns(numpy_value(np.uint8), fast="single"))
    array = f(Script().begin(0).copy(np.full(size, 7, np.uint8)).status())
    array.resize(2 * size, refcheck=False)
    assert array[:size].tolist() == [7] * size and not array[size:].any()
    array.resize(size // 2 + 1, refcheck=False)
    assert (array == 7).all()


def test_scratch_grows_and_is_reused(scripted):
    f = scripted(returns(INT, fast="single"))
    for sizes in ([0], [1, 100], [70_000, 70_000], [1_000_000] * 3, [10]):
        script = Script()
        for size in sizes:
            script.scratch(size)
        for _ in range(3):
            assert f(script.begin(0).i64(1).status()) == 1
            script.words = script.words[:-6]


def test_errors_of_site_tables():
    def version(*sites):
        return _runtime.Version(1, 0, [], [], list(sites), None)

    with pytest.raises(ValueError, match="kind of site"):
        version((0, "retrun", [], None, False, "none"))
    with pytest.raises(ValueError, match="kind of value"):
        version((0, "return", [("str", 4, 0, None)], None, False, "tuple"))
    with pytest.raises(ValueError, match="callable"):
        version((0, "return", [], None, False, None))
    with pytest.raises(ValueError, match="callable"):
        version((0, "return", [("jax", 4, 0, None)], None, False, "tuple"))
    with pytest.raises(ValueError, match="code"):
        version((0, "return", [("int", 77, 0, None)], None, False, "tuple"))
    with pytest.raises(ValueError, match="twice"):
        version(returns(), returns())
    with pytest.raises(ValueError, match="single"):
        version(returns(fast="single"))
    with pytest.raises(ValueError, match="range"):
        version((-1, "return", [], None, False, "none"))
    with pytest.raises(TypeError):
        version((0, "return"))
    with pytest.raises(ValueError):
        version([0])
    with pytest.raises(ValueError, match="entry address"):
        _runtime.Version(0, 0, [], [], [], None)
    with pytest.raises(ValueError, match="slot"):
        _runtime.Version(1, 2, [], [2], [], None)
