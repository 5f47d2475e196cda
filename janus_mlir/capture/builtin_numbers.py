"""Builtins on numbers, ``operator`` and ``math``."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from janus_mlir.capture import numpy as npy
from janus_mlir.capture.breaks import Break, Failed
from janus_mlir.capture.containers import (
    get_item,
)
from janus_mlir.capture.graph import BOOL, FLOAT, Value
from janus_mlir.capture.iteration import exhaust, get_iterator, next_item
from janus_mlir.capture.join import number_kind
from janus_mlir.capture.numbers import (
    absolute,
    as_float,
    fold_call,
    guard_finite,
    is_number,
    make,
    round_number,
    select_number,
    to_float,
    to_int,
)
from janus_mlir.capture.operators import binary, compare, truth, unary
from janus_mlir.capture.values import (
    Abstract,
    JaxArray,
    Known,
    Number,
    NumpyArray,
    NumpyScalar,
    ObjectRef,
    TupleValue,
)

if TYPE_CHECKING:
    from janus_mlir.capture.machine import Machine


from janus_mlir.capture.builtin_table import Handler, arity, handles, registers


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
    if isinstance(value, JaxArray):
        from janus_mlir.capture.jax_methods import to_number

        return to_number(m, value, kind)
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
    if is_number(value):
        return absolute(m, value)
    if isinstance(value, ObjectRef):
        return unary(m, "abs", value)
    raise Break("JN301", "abs() of an object")


def _jax(m: Machine, function: Any, args: list[Abstract]) -> Abstract:
    from janus_mlir.capture.jaxcalls import call_jax

    return call_jax(m, function, args, {})


@registers(round)
def _round(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    if len(args) == 1 and is_number(args[0]) and not kwargs:
        return round_number(m, args[0])
    if all(isinstance(a, Known) for a in args) and not kwargs:
        return fold_call(round, *args)
    raise Break("JN301", "round() to digits, or of an array")


@registers(divmod)
def _divmod(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    arity(args, kwargs, 2)
    if any(number_kind(a) == "float" for a in args):
        m.checks.allowed = False  # the words of its ZeroDivisionError are its own
    return TupleValue((binary(m, "floordiv", *args), binary(m, "mod", *args)))


@registers(pow)
def _pow(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    arity(args, kwargs, 2)
    return binary(m, "pow", *args)


def _extreme(op: str) -> Handler:
    def handler(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
        key = kwargs.pop("key", None)
        default = kwargs.pop("default", None)
        if kwargs:
            raise Break("JN301", "min/max with unusual arguments")
        items = exhaust(m, get_iterator(m, args[0])) if len(args) == 1 else args
        if not items:
            if default is not None:
                return default
            raise Failed.by(min if op == "lt" else max, ())
        best = items[0]
        best_key = keyed(m, key, best)
        for item in items[1:]:
            item_key = keyed(m, key, item)
            better = truth(m, compare(m, op, item_key, best_key))
            if isinstance(better, bool):
                if better:
                    best, best_key = item, item_key
                continue
            best = _choose(m, better, item, best)
            best_key = best if key is None else _choose(m, better, item_key, best_key)
        return best

    return handler


def keyed(m: Machine, key: Abstract | None, item: Abstract) -> Abstract:
    from janus_mlir.capture.calls import call_inline

    if key is None or (isinstance(key, Known) and key.value is None):
        return item
    return call_inline(m, key, [item])


def _choose(m: Machine, cond: Value, a: Abstract, b: Abstract) -> Abstract:
    if is_number(a) and is_number(b):
        return select_number(m, cond, a, b)
    if isinstance(a, NumpyScalar) and isinstance(b, NumpyScalar) and a.dtype == b.dtype:
        return NumpyScalar(m.b.one("arith.select", [cond, a.ref, b.ref], a.ref.type), a.dtype)
    raise Break("JN505", "a run-time choice between objects")


registers(min)(_extreme("lt"))
registers(max)(_extreme("gt"))


@registers(sum)
def _sum(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    start = kwargs.pop("start", args[1] if len(args) > 1 else Known(0))
    arity(args[:1], kwargs, 1)
    total = start
    for item in exhaust(m, get_iterator(m, args[0])):
        total = binary(m, "add", total, item)
    return total


def _quantifier(stop: bool) -> Handler:
    def handler(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
        arity(args, kwargs, 1)
        result: bool | Value = not stop
        iterator = get_iterator(m, args[0])
        while True:
            effects = m.state.effects
            step = next_item(m, iterator)
            if step.more is False:
                break
            if step.more is not True:
                raise Break("JN218", "the number of items is only known at run time")
            value = truth(m, step.advance(m))
            if not isinstance(result, bool) and m.state.effects != effects:
                raise Break("JN105", "items with effects, whose number depends on run-time values")
            if isinstance(value, bool):
                if value is stop:
                    return Known(stop)
                continue
            name = "arith.ori" if stop else "arith.andi"
            result = value if isinstance(result, bool) else m.b.one(name, [result, value], BOOL)
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

#: ``math`` functions of one float: MLIR op, and the condition that CPython demands.
_MATH: dict[str, tuple[str, str]] = {
    "sqrt": ("math.sqrt", "nonnegative"), "exp": ("math.exp", "finite result"), "log": ("math.log", "positive"),
    "log2": ("math.log2", "positive"), "log10": ("math.log10", "positive"), "log1p": ("math.log1p", "above -1"),
    "sin": ("math.sin", "finite"), "cos": ("math.cos", "finite"), "tan": ("math.tan", "finite"),
    "tanh": ("math.tanh", ""), "atan": ("math.atan", ""), "fabs": ("math.absf", ""), "expm1": ("math.expm1", "finite result"),
    "erf": ("math.erf", ""), "sinh": ("math.sinh", "finite result"), "cosh": ("math.cosh", "finite result"),
}  # fmt: skip


def _math(name: str, op: str, domain: str) -> Handler:
    function = getattr(math, name)

    def handler(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
        if all(isinstance(a, Known) for a in args) and not kwargs:
            return fold_call(function, *args)
        arity(args, kwargs, 1)
        x = as_float(m, _plain_float(m, args[0]))
        # Of NaN they are NaN.
        bounds = {"nonnegative": ("uge", 0.0), "positive": ("ugt", 0.0), "above -1": ("ugt", -1.0)}
        if domain in bounds:
            predicate, bound = bounds[domain]
            inside = m.b.one("arith.cmpf", [x, m.const(bound)], BOOL, predicate=predicate)
            text = f"the argument of math.{name} is in its domain"
            m.check(inside, "domain", text, Failed.by(function, -1.0))
        if domain == "finite":
            guard_finite(m, x, f"the argument of math.{name} is finite")
        result = m.b.one(op, [x], FLOAT)
        if domain == "finite result":
            guard_finite(m, result, f"math.{name} does not overflow")
        return make("float", result)

    return handler


def _plain_float(m: Machine, value: Abstract) -> Abstract:
    if is_number(value):
        return value
    if isinstance(value, JaxArray):
        from janus_mlir.capture.jax_methods import to_number

        return to_number(m, value, "float")
    if isinstance(value, (NumpyArray, NumpyScalar)):
        return npy.to_number(m, value, "float")
    raise Break("JN208", "a number is expected")


for _name, (_op, _domain) in _MATH.items():
    registers(getattr(math, _name))(_math(_name, _op, _domain))


def _float_test(name: str) -> Handler:
    def handler(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
        if all(isinstance(a, Known) for a in args):
            return fold_call(getattr(math, name), *args)
        arity(args, kwargs, 1)
        x = as_float(m, _plain_float(m, args[0]))
        if name == "isnan":
            return make("bool", m.b.one("arith.cmpf", [x, x], BOOL, predicate="uno"))
        infinity = m.const(float("inf"))
        predicate = "oeq" if name == "isinf" else "olt"
        return make(
            "bool",
            m.b.one("arith.cmpf", [m.b.one("math.absf", [x], FLOAT), infinity], BOOL, predicate=predicate),
        )

    return handler


for _name in ("isnan", "isinf", "isfinite"):
    registers(getattr(math, _name))(_float_test(_name))


def _to_whole(name: str, op: str) -> Handler:
    def handler(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
        if all(isinstance(a, Known) for a in args):
            return fold_call(getattr(math, name), *args)
        arity(args, kwargs, 1)
        value = _plain_float(m, args[0])
        if not (isinstance(value, Number) and value.kind == "float"):
            return to_int(m, value)
        return to_int(m, make("float", m.b.one(op, [value.ref], FLOAT)))

    return handler


for _name, _op in (("floor", "math.floor"), ("ceil", "math.ceil"), ("trunc", "math.trunc")):
    registers(getattr(math, _name))(_to_whole(_name, _op))


def _math_constant(function: Any) -> Handler:
    def handler(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
        if all(isinstance(a, Known) for a in args) and not kwargs:
            return fold_call(function, *args)
        raise Break("JN301", f"math.{function.__name__} of run-time values")

    return handler


for _name in dir(math):
    _function = getattr(math, _name)
    if callable(_function) and not handles(_function) and not _name.startswith("_"):
        registers(_function)(_math_constant(_function))
