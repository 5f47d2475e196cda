"""Guard programs: each instruction where it holds, where it fails, and on odd input."""

from __future__ import annotations

import collections
import types

import ml_dtypes
import numpy as np
import pytest

from janus_mlir._native import _runtime
from janus_mlir.runtime import DTYPES

from .native import code, jit

NOTHING = [(0, "return", [], None, False, "none")]


def version(program, slots=None, objs=(), address=1):
    if slots is None:
        slots = 8
    return _runtime.Version(address, slots, program, list(objs), NOTHING, None)


def holds(instruction, *args):
    """Run checks only: the version is never called."""
    instructions = instruction if isinstance(instruction, list) else [instruction]
    return version(instructions).check(args)


class Plain:
    kind = "class attribute"

    def method(self):
        return self

    @property
    def prop(self):
        return 1


class Slotted:
    __slots__ = ("x",)

    def method(self):
        return self


class Raises:
    @property
    def value(self):
        raise ValueError

    @property
    def interrupt(self):
        raise KeyboardInterrupt


def test_fetches():
    thing = Plain()
    thing.x = [10, (20, 30)]
    thing.table = {"k": "v", 3: "three"}
    scope = {"name": 5}
    cell = types.CellType("inside")
    program = [
        ("attr", 1, 0, "x"),
        ("index", 2, 1, -1),
        ("index", 3, 2, 0),
        ("eq", 3, 20),
        ("attr", 4, 0, "table"),
        ("key", 5, 4, "k"),
        ("eq", 5, "v"),
        ("key", 6, 4, 3),
        ("eq", 6, "three"),
        ("global", 7, scope, "name"),
        ("eq", 7, 5),
        ("cell", 8, cell),
        ("eq", 8, "inside"),
        ("const", 9, thing),
        ("same", 0, 9),
        ("type", 10, 0),
        ("is", 10, Plain),
        ("call1", 11, 3, str),
        ("eq", 11, "20"),
    ]
    made = version(program, 12)
    assert made.check((thing,)) and made.explain_failure((thing,)) is None
    scope["name"] = 6
    assert made.explain_failure((thing,)) == 10
    del scope["name"]
    assert made.explain_failure((thing,)) == 9
    scope["name"] = 5
    del cell.cell_contents
    assert made.explain_failure((thing,)) == 11
    cell.cell_contents = "outside"
    assert made.explain_failure((thing,)) == 12
    del thing.table["k"]
    assert made.explain_failure((thing,)) == 5
    thing.table = types.MappingProxyType({})
    assert made.explain_failure((thing,)) == 5
    thing.x = [1]
    assert made.explain_failure((thing,)) == 2
    thing.x = (1, (20,))
    assert made.explain_failure((thing,)) == 5
    thing.x = iter(())
    assert made.explain_failure((thing,)) == 1
    assert made.explain_failure((object(),)) == 0


def test_errors_in_fetches_are_failures_but_interrupts_are_not():
    assert not holds(("attr", 1, 0, "value"), Raises())
    assert not holds(("key", 1, 0, []), {})
    assert not holds(("call1", 1, 0, lambda x: 1 / x), 0)
    with pytest.raises(KeyboardInterrupt):
        holds(("attr", 1, 0, "interrupt"), Raises())
    f = jit(("x",), version([("attr", 1, 0, "interrupt")]))
    with pytest.raises(KeyboardInterrupt):
        f(Raises())


def test_identity_and_type():
    a, b = [], []
    assert holds(("type_is", 0, int), 3) and not holds(("type_is", 0, int), True)
    assert holds(("is", 0, None), None) and not holds(("is", 0, a), b)
    assert holds(("is_not", 0, a), b) and not holds(("is_not", 0, a), a)
    assert holds(("same", 0, 1), a, a) and not holds(("same", 0, 1), a, b)
    assert holds(("distinct", [0, 1, 2]), a, b, 1) and not holds(("distinct", [0, 1, 2]), a, b, a)
    assert holds(("distinct", []), a) and holds(("distinct", [0]), a)
    many = [object() for _ in range(40)]
    wide = _runtime.Version(1, 40, [("distinct", list(range(40)))], [], NOTHING, None)
    assert wide.check(tuple(many))
    assert not wide.check((*many[:39], many[3]))


NAN = float("nan")
Pair = collections.namedtuple("Pair", "a b")


@pytest.mark.parametrize(
    ("constant", "same", "others"),
    [
        (3, 3, [True, 3.0, 4, np.int64(3), "3", 2**64]),
        (2**80, 2**80, [2**80 + 1, float(2**80)]),
        (True, True, [1, False]),
        (0.0, float("0"), [-0.0, 0, False]),
        (NAN, NAN, [0.0, -NAN]),
        (1j, 1j, [complex(0.0, -1), 1, complex(-0.0, 1)]),
        ("abc", "".join(["a", "bc"]), ["abd", b"abc"]),
        (b"x", bytes([120]), ["x"]),
        (None, None, [False, 0]),
        (..., ..., [None]),
        ((1, (2.0, "x")), (1, (2.0, "x")), [(1, (2, "x")), (1.0, (2.0, "x")), (1,), [1, (2.0, "x")]]),
        (Pair(1, 2), Pair(1, 2), [(1, 2), Pair(1, 3)]),
        (slice(1, None, 2), slice(1, None, 2), [slice(1, None, 3), slice(1.0, None, 2)]),
        (np.float32(0), np.float32(0), [np.float32(-0.0), np.float64(0), 0.0]),
        (np.int8(3), np.int8(3), [np.int16(3), 3]),
        (np.bool_(True), np.bool_(True), [True, np.bool_(False)]),
        (ml_dtypes.bfloat16(2), ml_dtypes.bfloat16(2), [ml_dtypes.bfloat16(3), np.float32(2)]),
        (np.dtype("f4"), np.dtype("<f4"), [np.dtype("f8"), np.dtype(">f4"), np.float32]),
    ],
    ids=repr,
)
def test_eq(constant, same, others):
    check = version([("eq", 0, constant)])
    assert check.check((same,))
    for other in others:
        assert not check.check((other,)), other


@pytest.mark.parametrize("constant", [[1], {}, object(), np.zeros(2), {1}, np.longdouble(1), (1, [2])])
def test_eq_refuses_what_it_cannot_compare(constant):
    with pytest.raises(ValueError, match='use "is"'):
        version([("eq", 0, constant)])


def test_lengths_and_keys():
    for value in (
        [1, 2],
        (1, 2),
        {1: 1, 2: 2},
        {1, 2},
        "ab",
        collections.deque([1, 2]),
        b"ab",
        frozenset("ab"),
    ):
        assert holds(("len", 0, 2), value) and not holds(("len", 0, 1), value)
    for value in (Pair(1, 2), np.zeros(2), collections.OrderedDict(a=1, b=2), 5, None):
        assert not holds(("len", 0, 2), value)
    keys = ("dict_keys", 0, ("a", 1, (2, 3)))
    assert holds(keys, {"a": 0, 1: 0, (2, 3): 0})
    for value in (
        {1: 0, "a": 0, (2, 3): 0},
        {"a": 0, 1: 0},
        {"a": 0, 1.0: 0, (2, 3): 0},
        {"a": 0, True: 0, (2, 3): 0},
        3,
    ):
        assert not holds(keys, value)
    assert holds(("dict_keys", 0, ()), {}) and not holds(("dict_keys", 0, ()), collections.OrderedDict())
    scope = {"x": 1}
    assert holds(("absent", scope, "y")) and not holds(("absent", scope, "x"))


def test_methods():
    check = ("method_is", 0, "method", Plain.method)
    thing = Plain()
    assert holds(check, thing)
    thing.other = 1
    assert holds(check, thing)
    thing.method = lambda: 1
    assert not holds(check, thing)
    del thing.method
    assert holds(check, thing)
    assert not holds(check, Slotted()) and not holds(check, 3)
    assert holds(("method_is", 0, "method", Slotted.method), Slotted())
    assert holds(("method_is", 0, "prop", Plain.__dict__["prop"]), thing)
    assert holds(("method_is", 0, "kind", Plain.__dict__["kind"]), thing)
    thing.kind = "own"
    assert not holds(("method_is", 0, "kind", Plain.__dict__["kind"]), thing)

    class Child(Plain):
        pass

    child = Child()
    assert holds(check, child)
    Child.method = lambda self: 2
    assert not holds(check, child)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_array_dtypes(dtype):
    check = version([("array", 0, "numpy", dtype.code, [2, 3], False, 0)])
    for other in DTYPES:
        assert check.check((np.zeros((2, 3), other.numpy),)) == (other is dtype)
    assert not check.check((np.zeros((3, 2), dtype.numpy),))
    assert not check.check((np.zeros(6, dtype.numpy),))
    if dtype.itemsize > 1 and dtype.name != "bfloat16":
        assert not check.check((np.zeros((2, 3), dtype.numpy.newbyteorder()),))
    scalar = version([("npscalar", 0, dtype.code)])
    for other in DTYPES:
        assert scalar.check((np.zeros((), other.numpy)[()],)) == (other is dtype)
    assert not scalar.check((np.zeros((), dtype.numpy),)) and not scalar.check((1.0,))


def test_arrays_that_only_look_alike():
    check = version([("array", 0, "numpy", code(np.int64), [2], False, 0)])
    assert check.check((np.zeros(2, np.int64),))

    class Sub(np.ndarray):
        pass

    assert not check.check((np.zeros(2, np.int64).view(Sub),))
    assert not check.check((np.ma.zeros(2, np.int64),))
    assert not check.check(([0, 0],)) and not check.check((np.zeros(2, np.longlong),))
    assert not check.check((np.zeros(2, "m8[s]"),)) and not check.check((np.zeros(2, object),))
    assert not check.check((np.zeros(2, [("a", np.int64)]),))


def test_dynamic_dims():
    program = [
        ("array", 0, "numpy", 11, [-1, 3], False, 2),
        ("array", 1, "numpy", 11, [-2, -1], False, 1),
    ]
    check = version(program)

    def ok(left, right):
        return check.check((np.zeros(left, np.float32), np.zeros(right, np.float32)))

    assert ok((5, 3), (4, 5)) and ok((2, 3), (1, 2))
    assert not ok((5, 4), (4, 5)) and not ok((5, 3), (4, 6))
    assert not ok((1, 3), (4, 1)) and not ok((5, 3), (0, 5))
    square = version([("array", 0, "numpy", 11, [-1, -1], False, 0)])
    assert square.check((np.zeros((3, 3), np.float32),)) and square.check((np.zeros((0, 0), np.float32),))
    assert not square.check((np.zeros((3, 2), np.float32),))


def test_writeable_and_overlap():
    base = np.zeros(10)
    frozen = np.zeros(3)
    frozen.flags.writeable = False
    assert holds(("writeable", 0), base) and not holds(("writeable", 0), frozen)
    assert not holds(("writeable", 0), 3)
    check = ("no_overlap", 0, [1, 2])
    assert holds(check, base[:5], base[5:], np.zeros(4))
    assert not holds(check, base[:6], base[5:], np.zeros(4))
    assert not holds(check, base, np.zeros(4), base)
    assert not holds(check, base[::-1], np.zeros(3), base[4:5])
    assert holds(check, base[4::-1], base[5:], base[:0])
    assert holds(check, base[:0], base, base)
    assert not holds(check, base, np.zeros(4), [1])


def test_int_range():
    check = ("int_range", 0, -(2**63), 5)
    assert holds(check, 5) and holds(check, -(2**63))
    for value in (6, -(2**63) - 1, 2**63, True, 1.0, np.int64(2)):
        assert not holds(check, value)


def bound_slots(entries, program, *args, count):
    """Call a native function that returns the slots it was given."""
    names = tuple(f"a{index}" for index in range(len(args)))
    specs = [("int", 4, 0, None)] * count
    head = [("const", len(args), count), ("bind_int", len(args))]
    made = _runtime.Version(
        entries.show_slots,
        len(args) + 1,
        head + program,
        [],
        [(0, "return", specs, None, False, "tuple")],
        None,
    )
    missed = []
    f = jit(names, made, on_miss=lambda args, kwargs: missed.append(args))
    result = f(*args)
    return result if not missed else "missed"


def test_binding_scalars(entries):
    program = [("bind_int", 0), ("bind_float", 1), ("bind_bool", 2), ("bind_len", 3)]

    def bind(*args):
        return bound_slots(entries, program, *args, count=4)

    assert bind(-5, 1.0, True, "abc") == (-5, np.float64(1).view(np.int64), 1, 3)
    assert bind(2**63, 1.0, True, "") == "missed"
    assert bind(True, 1.0, True, "") == "missed"
    assert bind(1, 1, True, "") == "missed"
    assert bind(1, np.float64(1), True, "") == "missed"
    assert bind(1, 1.0, 1, "") == "missed"
    assert bind(1, 1.0, True, 5) == "missed"


def test_binding_tensors(entries):
    array = np.zeros((4, 6, 2), np.float32)
    assert bound_slots(entries, [("bind_tensor", 0, [])], array, count=1) == (array.ctypes.data,)
    assert bound_slots(entries, [("bind_tensor", 0, [2, 0])], array, count=3) == (array.ctypes.data, 2, 4)
    assert bound_slots(entries, [("bind_tensor", 0, [3])], array, count=2) == "missed"
    assert bound_slots(entries, [("bind_tensor", 0, [])], [1], count=1) == "missed"
    assert bound_slots(entries, [("bind_tensor", 0, [])], np.str_("a"), count=1) == "missed"
    address, rows = bound_slots(entries, [("bind_tensor", 0, [0])], array[::2], count=2)
    assert address != array.ctypes.data and rows == 2


@pytest.mark.parametrize(
    "make",
    [
        lambda: np.arange(12, dtype=np.float32)[::2],
        lambda: np.arange(12, dtype=np.float32)[::-1],
        lambda: np.broadcast_to(np.float32(3), (6,)),
        lambda: np.frombuffer(b"x" + np.arange(6, dtype=np.float32).tobytes(), np.float32, 6, 1),
        lambda: np.arange(36, dtype=np.float32).reshape(6, 6)[:, 2],
        lambda: np.zeros(0, np.float32),
    ],
)
def test_awkward_layouts_are_read_right(entries, make):
    value = ("numpy", 11, 0, None)
    twice = _runtime.Version(
        entries.twice,
        1,
        [("array", 0, "numpy", 11, [-1], False, 0), ("bind_tensor", 0, [0])],
        [],
        [(0, "return", [value], None, False, "single")],
        None,
    )
    array = make()
    expected = array * 2
    for _ in range(3):
        assert np.array_equal(jit(("x",), twice)(array), expected)


def test_scalars_are_read_through_cells(entries):
    four = [("npscalar", index, 4) for index in range(4)] + [("bind_tensor", index, []) for index in range(4)]
    addresses = bound_slots(entries, four, *[np.int64(value) for value in range(4)], count=4)
    assert len(set(addresses)) == 4
    assert all(address % 16 == 0 for address in addresses)


@pytest.mark.parametrize("dtype", [np.int16, np.uint16, np.float16, ml_dtypes.bfloat16])
def test_the_values_of_scalars(entries, dtype):
    program = [("npscalar", 0, code(dtype)), ("bind_tensor", 0, []), ("bind_tensor", 1, [])]
    site = (0, "return", [("int", 4, 0, None)] * 2, None, False, "tuple")
    f = jit(("x", "y"), _runtime.Version(entries.peek2, 2, program, [], [site], None))
    x, y = np.array([3, 5]).astype(dtype)
    assert f(x, y) == (int(x.view(np.uint16)), int(y.view(np.uint16)))


def test_errors_of_programs():
    bad = [
        ("nonsense", 0),
        ("is", 0),
        ("is", 0, 1, 2),
        ("is", 99, 1),
        ("is", -1, 1),
        ("attr", 1, 0, 5),
        ("global", 1, [], "x"),
        ("cell", 1, 5),
        ("type_is", 0, 5),
        ("array", 0, "torch", 11, [], False, 0),
        ("array", 0, "numpy", 40, [], False, 0),
        ("array", 0, "numpy", 11, [-(2**40)], False, 0),
        ("bind_tensor", 0, [-1]),
        (),
        ["is", 0, 1],
        5,
        (5, 0),
    ]
    for instruction in bad:
        with pytest.raises(ValueError):
            version([instruction])
    with pytest.raises(TypeError):
        version([("len", 0, "x")])
    with pytest.raises(TypeError):
        version([("distinct", 5)])
    with pytest.raises(OverflowError):
        version([("len", 0, 2**70)])
    with pytest.raises(ValueError, match="twice"):
        version([("const", 1, 0), ("const", 1, 0)])
    with pytest.raises(ValueError, match="before"):
        version([("const", 1, 0), ("is", 2, 0)])
    with pytest.raises(ValueError, match="argument"):
        version([("is", 3, 0), ("const", 2, 0)])
    with pytest.raises(TypeError):
        _runtime.Version(1, 0, 5, [], [], None)


def test_explain_with_a_signature():
    def f(x, y=3, *, z=4):
        raise AssertionError

    made = version([("eq", 1, 3), ("eq", 2, 4)])
    holder = _runtime.JitFunction(f, None, (("x", "y", "z"), 0, 2, 1, False, False), f)
    holder.set_versions([made])
    assert made.check((1,)) and made.explain_failure((1,), {"y": 5}) == 0
    assert made.explain_failure((1,), {"z": 5}) == 1
    assert made.check((), {"x": 1, "z": 4})
    assert not made.check(()) and not made.check((1, 2, 3)) and not made.check((1,), {"q": 1})
    with pytest.raises(TypeError):
        made.explain_failure(())
    with pytest.raises(TypeError):
        made.check(5)
    del holder
    assert made.check((1, 3, 4)) and not made.check((1, 3))
