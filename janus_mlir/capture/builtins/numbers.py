"""Builtins on numbers, ``operator`` and ``math``."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from janus_mlir.capture import boxed, complexes, sets, unions
from janus_mlir.capture import numpy as npy
from janus_mlir.capture.breaks import Break, Failed
from janus_mlir.capture.containers import (
    get_item,
    new_list,
)
from janus_mlir.capture.dynamic import vectors
from janus_mlir.capture.generators import finish_generator, generator_content
from janus_mlir.capture.graph import BOOL, FLOAT, INT, Value
from janus_mlir.capture.iteration import collect, get_iterator, next_item, static_count
from janus_mlir.capture.library import lists as library
from janus_mlir.capture.library import numbers as library_numbers
from janus_mlir.capture.numbers import (
    absolute,
    fold_call,
    is_number,
    make,
    number_unary,
    round_number,
    select_number,
    to_float,
    to_int,
)
from janus_mlir.capture.operators import binary, compare, truth, unary
from janus_mlir.capture.scalars import number_kind
from janus_mlir.capture.sharing import Onward
from janus_mlir.capture.state import INLINE
from janus_mlir.capture.values import (
    Abstract,
    ComplexValue,
    IteratorRef,
    JaxArray,
    Known,
    ListRef,
    NumpyArray,
    NumpyScalar,
    ObjectRef,
    SetRef,
    TextValue,
    TupleValue,
    UnionValue,
)

if TYPE_CHECKING:
    from janus_mlir.capture.machine import Machine


from janus_mlir.capture.builtins.table import Handler, arity, registers


@registers(int)
def _int(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    return _number(m, args, kwargs, "int", int, to_int)


@registers(float)
def _float(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    return _number(m, args, kwargs, "float", float, to_float)


def _number(
    m: Machine,
    args: list[Abstract],
    kwargs: dict[str, Abstract],
    kind: Any,
    function: Any,
    convert: Callable[[Machine, Abstract], Abstract],
) -> Abstract:
    if all(isinstance(a, Known) for a in args) and not kwargs:
        return fold_call(function, *args)
    arity(args, kwargs, 1)
    value = args[0]
    if isinstance(value, (NumpyArray, NumpyScalar)):
        return npy.to_number(m, value, kind)
    if isinstance(value, ObjectRef):
        from janus_mlir.capture.attributes import class_attribute
        from janus_mlir.capture.calls import call_inline

        own = class_attribute(m, value, f"__{kind}__")
        made = Known(None) if own is None else call_inline(m, own, [value])
        if number_kind(made) != kind:
            raise Break("JN301", f"{function.__name__}() of an object")
        return made
    if isinstance(value, JaxArray):
        from janus_mlir.capture.jax.methods import to_number

        return to_number(m, value, kind)
    if isinstance(value, TextValue) and len(value.parts) == 1:
        inner, conversion, spec = value.parts[0] if isinstance(value.parts[0], tuple) else (None, "", "x")
        plain = conversion in (None, "s", "r") and not spec
        if plain and inner is not None and number_kind(inner) in ("int", kind):
            return convert(m, inner)  # what was written is read back
    if is_number(value):
        return convert(m, value)
    raise Break("JN301", f"{kind}() of a {type(value).__name__}")


@registers(bool)
def _bool(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    arity(args, kwargs, 0, 1)
    if not args:
        return Known(False)
    value = truth(m, args[0])
    return Known(value) if isinstance(value, bool) else make("bool", value)


@registers(abs)
def _abs(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    arity(args, kwargs, 1)
    value = args[0]
    if isinstance(value, JaxArray):
        return _jax(m, abs, args)
    if isinstance(value, (NumpyArray, NumpyScalar)):
        return npy.call(m, np.absolute, args, {})
    if isinstance(value, ComplexValue):
        return complexes.absolute(m, value)
    if is_number(value):
        return absolute(m, value)
    if isinstance(value, ObjectRef):
        return unary(m, "abs", value)
    raise Break("JN301", "abs() of an object")


def _jax(m: Machine, function: Any, args: list[Abstract]) -> Abstract:
    from janus_mlir.capture.jax.calls import call_jax

    return call_jax(m, function, args, {})


@registers(complex)
def _complex(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    arity(args, kwargs, 0, 2)
    if all(isinstance(arg, Known) for arg in args):
        return fold_call(complex, *args)
    return complexes.construct(m, args)


@registers(round)
def _round(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    digits = kwargs.pop("ndigits", args[1] if len(args) > 1 else Known(None))
    arity(args[:1], kwargs, 1)
    value = args[0]
    whole = isinstance(digits, Known) and digits.value is None
    if isinstance(value, Known) and isinstance(digits, Known):
        return fold_call(round, value) if whole else fold_call(round, value, digits)
    if is_number(value) and whole:
        return round_number(m, value)
    if is_number(value) and isinstance(digits, Known) and type(digits.value) is int:
        return _round_to(m, value, digits.value)
    if isinstance(value, NumpyScalar) and value.dtype.kind == "f":
        if whole:
            return round_number(m, npy.to_number(m, value, "float"))
        return npy.call(m, np.round, [value, digits], {})
    raise Break("JN301", "round() of an array, or to a run-time number of digits")


#: Powers of ten that are exact as floats.
_EXACT_POWERS = 22


def _round_to(m: Machine, value: Abstract, digits: int) -> Abstract:
    """Return ``round(value, digits)``, rounded by the exact decimal value as Python does."""
    if number_kind(value) != "float":
        if digits >= 0:
            return number_unary(m, "pos", value)
        if digits < -17:
            raise Break("JN301", "round() of an int to many tens")
        return library.call(m, library_numbers.round_int, number_unary(m, "pos", value), Known(10**-digits))
    if not 0 <= digits <= _EXACT_POWERS:
        raise Break("JN301", "round() of a float to tens or to very many digits")
    one = m.b.one
    x = m.number_ref(value)
    unit = m.const(10.0**digits)
    product = one("arith.mulf", [x, unit], FLOAT)
    # Larger products have no fraction, and what is lost in them is not small.
    magnitude = one("math.absf", [product], FLOAT)
    small = one("arith.cmpf", [magnitude, m.const(2.0**51)], BOOL, predicate="olt")
    m.guard(small, "domain", text="the float is rounded to a digit that it has")
    lost = one("math.fma", [x, unit, one("arith.negf", [product], FLOAT)], FLOAT)
    floor = one("math.floor", [product], FLOAT)
    beyond = one("arith.subf", [one("arith.subf", [product, floor], FLOAT), m.const(0.5)], FLOAT)
    zero = m.const(0.0)

    def test(predicate: str, a: Value) -> Value:
        return one("arith.cmpf", [a, zero], BOOL, predicate=predicate)

    half = one("arith.mulf", [floor, m.const(0.5)], FLOAT)
    odd = one("arith.cmpf", [half, one("math.floor", [half], FLOAT)], BOOL, predicate="une")
    tie = one("arith.andi", [test("oeq", lost), odd], BOOL)
    at_half = one("arith.andi", [test("oeq", beyond), one("arith.ori", [test("ogt", lost), tie], BOOL)], BOOL)
    up = one("arith.ori", [test("ogt", beyond), at_half], BOOL)
    chosen = one("arith.select", [up, one("arith.addf", [floor, m.const(1.0)], FLOAT), floor], FLOAT)
    result = one("arith.divf", [chosen, unit], FLOAT)
    return make("float", one("math.copysign", [result, x], FLOAT))


@registers(divmod)
def _divmod(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    arity(args, kwargs, 2)
    if any(number_kind(a) == "float" for a in args):
        m.checks.allowed = False  # the words of its ZeroDivisionError are its own
    return TupleValue((binary(m, "floordiv", *args), binary(m, "mod", *args)))


@registers(pow)
def _pow(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    if len(args) == 3 and not kwargs:
        if all(isinstance(a, Known) for a in args):
            return fold_call(pow, *args)
        if all(number_kind(a) == "int" for a in args):
            return library.call(m, library_numbers.power_modulo, *args)
    arity(args, kwargs, 2)
    return binary(m, "pow", *args)


def _extreme(op: str) -> Handler:
    def handler(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
        key = kwargs.pop("key", None)
        default = kwargs.pop("default", None)
        if kwargs:
            raise Break("JN301", "min/max with unusual arguments")
        if len(args) == 1 and isinstance(args[0], SetRef):
            items: Any = [Known(k) for k in sets.elements(m, args[0])]
        else:
            items = collect(m, args[0]) if len(args) == 1 else args
        by_itself = key is None or (isinstance(key, Known) and key.value is None)
        if isinstance(items, ListRef):
            return _extreme_of_list(m, op, items, None if by_itself else key, default)
        if not items:
            if default is not None:
                return default
            raise Failed.by(min if op == "lt" else max, ())
        if by_itself and len(items) > 2 and any(isinstance(item, ObjectRef) for item in items):
            return library.call(m, library.extreme, new_list(m, tuple(items)), Known(op == "lt"))
        best: Abstract = items[0]
        with m.keep(*items):
            keys = [keyed(m, key, item) for item in items]
        best_key = keys[0]
        for item, item_key in zip(items[1:], keys[1:], strict=True):
            better = truth(m, compare(m, op, item_key, best_key))
            if isinstance(better, bool):
                if better:
                    best, best_key = item, item_key
                continue
            best = choose_value(m, better, item, best)
            best_key = best if by_itself else choose_value(m, better, item_key, best_key)
        return best

    return handler


def keyed(m: Machine, key: Abstract | None, item: Abstract) -> Abstract:
    from janus_mlir.capture.calls import call_inline

    if key is None or (isinstance(key, Known) and key.value is None):
        return item
    return call_inline(m, key, [item])


def _extreme_of_list(
    m: Machine, op: str, items: ListRef, key: Abstract | None, default: Abstract | None
) -> Abstract:
    smallest = Known(op == "lt")
    if default is not None:
        by = Known(None) if key is None else key
        return library.call(m, library.extreme_or, items, smallest, by, default)
    if key is not None:
        return library.call(m, library.extreme_by, items, smallest, key)
    return library.call(m, library.extreme, items, smallest)


def choose_value(m: Machine, cond: Value, a: Abstract, b: Abstract) -> Abstract:
    """Return ``a if cond else b``."""
    if number_kind(a) is not None and number_kind(a) == number_kind(b):
        return select_number(m, cond, a, b)
    if isinstance(a, NumpyScalar) and isinstance(b, NumpyScalar) and a.dtype == b.dtype:
        return NumpyScalar(m.b.one("arith.select", [cond, a.ref, b.ref], a.ref.type), a.dtype)
    if (
        isinstance(a, TupleValue)
        and isinstance(b, TupleValue)
        and a.cls is b.cls
        and len(a.items) == len(b.items)
    ):
        items = (choose_value(m, cond, x, y) for x, y in zip(a.items, b.items, strict=True))
        return TupleValue(tuple(items), a.cls)
    if a is b:
        return a
    if boxed.involves(a, b) and boxed.same_family(a, b) and "float" not in (number_kind(a), number_kind(b)):
        return boxed.choose(m, cond, a, b)
    if isinstance(a, UnionValue) or isinstance(b, UnionValue):
        found = unions.select(m, cond, a, b)
    else:
        which = m.b.one("arith.select", [cond, m.const(0), m.const(1)], INT)
        found = unions.choose(m, which, [a, b])
    if found is None:
        raise Break("JN505", "a run-time choice between objects")
    return found


registers(min)(_extreme("lt"))
registers(max)(_extreme("gt"))


@registers(sum)
def _sum(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    start = kwargs.pop("start", args[1] if len(args) > 1 else Known(0))
    arity(args[:1], kwargs, 1)
    total = start
    items = collect(m, args[0])
    if isinstance(items, ListRef):
        return library.call(m, library.total, items, start)
    with m.keep(*items):
        for item in items:
            total = binary(m, "add", total, item)
    return total


def _ends_at_run_time(m: Machine, iterator: Abstract) -> bool:
    """Whether a generator goes through something of which only run time knows the length."""
    content = generator_content(m, iterator)
    if content is None or content.pc != 0:
        return False
    return any(isinstance(v, IteratorRef) and static_count(m, v) is None for _, v in content.vars)


def _consumed(m: Machine, function: Any, iterator: Abstract) -> Abstract:
    """Call a function that may leave off in the middle of a generator: nobody needs to know where, as a rule."""
    from janus_mlir.capture.calls import Entered, call, finish_inline

    assert isinstance(iterator, IteratorRef)
    if vectors.are_named(m, [iterator.id]):
        return library.call(m, function, iterator)
    handle = IteratorRef()
    m.put(handle.id, m.get(iterator.id))
    finish_generator(m, iterator)
    m.released.add(handle.id)
    depth, pc = m.state.where
    result = call(m, Known(function), [handle], {}, INLINE)
    return finish_inline(m, depth, pc) if isinstance(result, Entered) else result


def _quantifier(stop: bool) -> Handler:
    def handler(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
        arity(args, kwargs, 1)
        result: bool | Value = not stop
        iterator = get_iterator(m, args[0])
        if _ends_at_run_time(m, iterator):
            return _consumed(m, library.any_true if stop else library.all_true, iterator)
        onward = Onward(m, iterator)
        with m.keep(iterator):
            while True:
                step = next_item(m, iterator)
                if step.more is False:
                    break
                if step.more is not True:
                    items = collect(m, iterator)
                    assert isinstance(items, ListRef)
                    rest = library.call(m, library.any_true if stop else library.all_true, items)
                    if isinstance(result, bool):
                        return rest
                    found = truth(m, rest)
                    last = m.const(found) if isinstance(found, bool) else found
                    return make("bool", m.b.one("arith.ori" if stop else "arith.andi", [result, last], BOOL))
                value = truth(m, step.advance(m))
                onward.check()
                if isinstance(value, bool):
                    if value is stop:
                        return Known(stop)
                    continue
                name = "arith.ori" if stop else "arith.andi"
                result = value if isinstance(result, bool) else m.b.one(name, [result, value], BOOL)
                onward.begin()
        return Known(result) if isinstance(result, bool) else make("bool", result)

    return handler


registers(any)(_quantifier(True))
registers(all)(_quantifier(False))


def _register_operators() -> None:
    names = (
        "add",
        "sub",
        "mul",
        "matmul",
        "truediv",
        "floordiv",
        "mod",
        "pow",
        "and_",
        "or_",
        "xor",
        "lshift",
        "rshift",
    )
    for name in names:

        def apply(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract], op: str = name) -> Abstract:
            arity(args, kwargs, 2)
            return binary(m, op, *args)

        registers(getattr(operator, name))(apply)
    for name in ("lt", "le", "eq", "ne", "gt", "ge"):

        def test(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract], op: str = name) -> Abstract:
            arity(args, kwargs, 2)
            return compare(m, op, *args)

        registers(getattr(operator, name))(test)

    @registers(operator.getitem)
    def getitem(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
        arity(args, kwargs, 2)
        return get_item(m, *args)


_register_operators()
