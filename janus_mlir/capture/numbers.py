"""Arithmetic of Python numbers: ints are i64 under overflow guards, floats f64, bools i1.

Constants are folded by Python itself; symbolic extents stay symbolic as long as they can.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

from janus_mlir.capture import boxed
from janus_mlir.capture.breaks import Break, Failed
from janus_mlir.capture.graph import BOOL, FLOAT, INT, Value
from janus_mlir.capture.scalars import SCALARS, number_kind
from janus_mlir.capture.values import Abstract, Boxed, ExtentNumber, Known, Number, constants

if TYPE_CHECKING:
    from janus_mlir.capture.machine import Machine

_ARITHMETIC = {"add": "add", "sub": "sub", "mul": "mul"}
_INT_PREDICATES = {"lt": "slt", "le": "sle", "gt": "sgt", "ge": "sge", "eq": "eq", "ne": "ne"}
_FLOAT_PREDICATES = {"lt": "olt", "le": "ole", "gt": "ogt", "ge": "oge", "eq": "oeq", "ne": "une"}
_EXACT_INT = 2**53


def is_number(value: Abstract) -> bool:
    """Whether an abstract value is a Python int, float or bool."""
    return (
        number_kind(value) is not None
        or boxed.is_big(value)
        or (isinstance(value, Known) and type(value.value) in (int, float, bool, complex))
    )


def as_int(m: Machine, value: Abstract) -> Value:
    """Return the i64 of an int or bool."""
    ref = m.number_ref(value)
    return m.b.one("arith.extui", [ref], INT) if ref.type == BOOL else ref


def as_float(m: Machine, value: Abstract) -> Value:
    """Return the f64 of a number; ints that f64 cannot hold exactly leave the compiled code."""
    if isinstance(value, Known):
        return m.const(float(value.value))
    if isinstance(value, Boxed):
        made = boxed.invoke(m, float, [value], float)
        assert isinstance(made, Number)
        return made.ref
    ref = m.number_ref(value)
    if ref.type == FLOAT:
        return ref
    if ref.type == BOOL:
        return m.b.one("arith.uitofp", [ref], FLOAT)
    if not isinstance(value, ExtentNumber):
        above = m.b.one("arith.cmpi", [ref, m.const(-_EXACT_INT)], BOOL, predicate="sge")
        below = m.b.one("arith.cmpi", [ref, m.const(_EXACT_INT)], BOOL, predicate="sle")
        inside = m.b.one("arith.andi", [above, below], BOOL)
        m.guard(inside, "overflow", text="the int is exact as a float")
    return m.b.one("arith.sitofp", [ref], FLOAT)


def make(kind: str, ref: Value) -> Number:
    return Number(kind, ref)  # type: ignore[arg-type]


def _fold(op: str, *operands: Abstract) -> Abstract | None:
    given = constants(operands)
    if given is None:
        return None
    try:
        return Known(getattr(operator, op)(*given))
    except (ArithmeticError, TypeError, ValueError) as error:
        raise Failed.of(error) from None


def _extent(value: Abstract) -> Any:
    if isinstance(value, ExtentNumber):
        return value.expr
    if isinstance(value, Known) and type(value.value) in (int, bool):
        return int(value.value)
    return None


def _extent_binary(op: str, a: Abstract, b: Abstract) -> Abstract | None:
    """Keep sums, products and quotients of extents symbolic."""
    if not (isinstance(a, ExtentNumber) or isinstance(b, ExtentNumber)):
        return None
    x, y = _extent(a), _extent(b)
    if x is None or y is None or op not in ("add", "sub", "mul", "floordiv", "mod"):
        return None
    if op in ("floordiv", "mod") and not (isinstance(y, int) and y > 0):
        return None
    result = getattr(operator, op)(x, y)
    if isinstance(result, int):
        return Known(result)
    return None if _is_intricate(result) or _may_overflow(result) else ExtentNumber(result)


#: Quotients and remainders within an extent, beyond which comparing it with others takes too long.
_MAX_QUOTIENTS = 4


def _is_intricate(extent: Any) -> bool:
    """Whether an extent has so many quotients in each other (halved again and again) that it is only a number."""
    return str(extent).count("(") > _MAX_QUOTIENTS


#: Factors of extents beyond which 64 bits may not hold a product.
_MAX_COEFFICIENT = 1 << 24


def _may_overflow(extent: Any) -> bool:
    """Whether an extent is a product of so much that it is to be computed under a guard."""
    for term, coefficient in extent._sorted_terms:
        if abs(coefficient) > _MAX_COEFFICIENT or sum(power for _, power in term._factors) > 2:
            return True
    return False


def number_binary(m: Machine, op: str, a: Abstract, b: Abstract, *, checked: bool = True) -> Abstract:
    """Return ``a op b`` of two numbers."""
    folded = _fold(op, a, b)
    if folded is None:
        folded = _extent_binary(op, a, b)
    if folded is not None:
        return folded
    if boxed.is_big(a) or boxed.is_big(b) or (checked and _is_wide(m, op, a, b)):
        return boxed.binary(m, op, a, b)
    kinds = (number_kind(a), number_kind(b))
    if None in kinds:
        raise Break("JN504", "arithmetic on a number beyond 64 bits or a complex number")
    if op in ("and_", "or_", "xor"):
        return _bitwise(m, op, a, b)
    if op == "truediv":
        whole = "float" not in kinds
        return make("float", _divide(m, as_float(m, a), as_float(m, b), 1 if whole else 1.0))
    if op == "pow":
        return _power(m, a, b)
    if "float" in kinds:
        return make("float", _float_binary(m, op, as_float(m, a), as_float(m, b)))
    return make("int", _int_binary(m, op, as_int(m, a), as_int(m, b), checked))


#: Operations whose results may be beyond 64 bits.
_GROWING = ("add", "sub", "mul", "lshift")


def _is_wide(m: Machine, op: str, a: Abstract, b: Abstract) -> bool:
    """Whether an int operation gives an object, since results of it have been beyond 64 bits."""
    if m.b.span not in m.speculation.wide or op not in _GROWING or m.pure:
        return False
    return all(number_kind(x) in ("int", "bool") for x in (a, b))


def _int_binary(m: Machine, op: str, a: Value, b: Value, checked: bool) -> Value:
    if op in _ARITHMETIC:
        if not checked:
            return m.b.one(f"arith.{op}i", [a, b], INT, exact=True)
        result, overflow = m.b.op(f"janus.{op}_overflow", [a, b], [INT, BOOL])
        m.guard(overflow, "overflow", expected=False, text="the int fits 64 bits", wide=m.b.span)
        return result
    if op in ("floordiv", "mod"):
        zero = m.const(0)
        nonzero = m.b.one("arith.cmpi", [b, zero], BOOL, predicate="ne")
        failed = Failed.by(getattr(operator, op), 1, 0)
        m.check(nonzero, "zero", "the divisor is not zero", failed)
        minus = m.b.one("arith.cmpi", [b, m.const(-1)], BOOL, predicate="eq")
        least = m.b.one("arith.cmpi", [a, m.const(-(2**63))], BOOL, predicate="eq")
        both = m.b.one("arith.andi", [minus, least], BOOL)
        m.guard(both, "overflow", expected=False, text="the quotient fits 64 bits")
        return m.b.one("arith.floordivsi" if op == "floordiv" else "janus.floor_mod", [a, b], INT)
    if op in ("lshift", "rshift"):
        return _shift(m, op, a, b)
    raise Break("JN212", f"int operation {op}")


def _shift(m: Machine, op: str, a: Value, b: Value) -> Value:
    small = m.b.one("arith.cmpi", [b, m.const(63)], BOOL, predicate="ult")
    m.guard(small, "overflow", text="the shift count is below 63", wide=m.b.span if op == "lshift" else None)
    if op == "rshift":
        return m.b.one("arith.shrsi", [a, b], INT)
    result = m.b.one("arith.shli", [a, b], INT)
    back = m.b.one("arith.shrsi", [result, b], INT)
    same = m.b.one("arith.cmpi", [back, a], BOOL, predicate="eq")
    m.guard(same, "overflow", text="the int fits 64 bits", wide=m.b.span)
    return result


def _bitwise(m: Machine, op: str, a: Abstract, b: Abstract) -> Abstract:
    name = {"and_": "arith.andi", "or_": "arith.ori", "xor": "arith.xori"}[op]
    kinds = (number_kind(a), number_kind(b))
    if "float" in kinds:
        raise Break("JN208", "bit operation on a float")
    if kinds == ("bool", "bool"):
        return make("bool", m.b.one(name, [m.number_ref(a), m.number_ref(b)], BOOL))
    return make("int", m.b.one(name, [as_int(m, a), as_int(m, b)], INT))


def _divide(m: Machine, a: Value, b: Value, like: float) -> Value:
    nonzero = m.b.one("arith.cmpf", [b, m.const(0.0)], BOOL, predicate="une")
    m.check(nonzero, "zero", "the divisor is not zero", Failed.by(operator.truediv, like, 0))
    return m.b.one("arith.divf", [a, b], FLOAT)


def _float_binary(m: Machine, op: str, a: Value, b: Value) -> Value:
    if op in _ARITHMETIC:
        return m.b.one(f"arith.{op}f", [a, b], FLOAT)
    if op in ("floordiv", "mod"):
        quotient, remainder = _float_divmod(m, a, b, op)
        return quotient if op == "floordiv" else remainder
    raise Break("JN208", f"float operation {op}")


def _float_divmod(m: Machine, a: Value, b: Value, op: str) -> tuple[Value, Value]:
    """``divmod`` of floats, step by step as in CPython's ``float_divmod``."""
    one = m.b.one
    zero = m.const(0.0)
    nonzero = one("arith.cmpf", [b, zero], BOOL, predicate="une")
    failed = Failed.by(getattr(operator, op), 1.0, 0.0)
    m.check(nonzero, "zero", "the divisor is not zero", failed)
    mod = one("arith.remf", [a, b], FLOAT)
    div = one("arith.divf", [one("arith.subf", [a, mod], FLOAT), b], FLOAT)
    mod_nonzero = one("arith.cmpf", [mod, zero], BOOL, predicate="une")
    b_negative = one("arith.cmpf", [b, zero], BOOL, predicate="olt")
    mod_negative = one("arith.cmpf", [mod, zero], BOOL, predicate="olt")
    differ = one("arith.xori", [b_negative, mod_negative], BOOL)
    adjust = one("arith.andi", [mod_nonzero, differ], BOOL)
    mod = one("arith.select", [adjust, one("arith.addf", [mod, b], FLOAT), mod], FLOAT)
    div = one("arith.select", [adjust, one("arith.subf", [div, m.const(1.0)], FLOAT), div], FLOAT)
    signed_zero = one("math.copysign", [zero, b], FLOAT)
    mod = one("arith.select", [mod_nonzero, mod, signed_zero], FLOAT)
    floor = one("math.floor", [div], FLOAT)
    excess = one("arith.subf", [div, floor], FLOAT)
    far = one("arith.cmpf", [excess, m.const(0.5)], BOOL, predicate="ogt")
    floor = one("arith.select", [far, one("arith.addf", [floor, m.const(1.0)], FLOAT), floor], FLOAT)
    div_nonzero = one("arith.cmpf", [div, zero], BOOL, predicate="une")
    zero_quotient = one("math.copysign", [zero, one("arith.divf", [a, b], FLOAT)], FLOAT)
    return one("arith.select", [div_nonzero, floor, zero_quotient], FLOAT), mod


def _power(m: Machine, a: Abstract, b: Abstract) -> Abstract:
    kinds = (number_kind(a), number_kind(b))
    if kinds[0] != "float" and kinds[1] != "float":
        if isinstance(b, Known) and 0 <= b.value <= 64:
            result: Abstract = Known(1)
            for _ in range(int(b.value)):
                result = number_binary(m, "mul", result, a)
            return result
        return _integer_power(m, a, b)
    x, y = as_float(m, a), as_float(m, b)
    if isinstance(b, Known) and b.value == 0.5:
        positive = m.b.one("arith.cmpf", [x, m.const(0.0)], BOOL, predicate="ogt")
        m.guard(positive, "domain", text="the base of the power is positive")
        result_ref = m.b.one("math.sqrt", [x], FLOAT)
    elif isinstance(b, Known) and b.value == 2:
        result_ref = m.b.one("arith.mulf", [x, x], FLOAT)
    else:
        whole = isinstance(b, Known) and float(b.value).is_integer()
        positive = m.b.one("arith.cmpf", [x, m.const(0.0)], BOOL, predicate="une" if whole else "ogt")
        m.guard(positive, "domain", text="the base of the power is in the domain of floats")
        result_ref = m.b.one("math.powf", [x, y], FLOAT)
    guard_finite(m, result_ref, "the power does not overflow")
    return make("float", result_ref)


def _integer_power(m: Machine, a: Abstract, b: Abstract) -> Abstract:
    """Return an int power by repeated squaring; what has a negative exponent is a float, if that is constant."""
    from janus_mlir.capture.library import lists as library
    from janus_mlir.capture.library import numbers as library_numbers

    if isinstance(b, Known):
        if b.value < 0:
            return _power(m, to_float(m, a), to_float(m, b))
        raise Break("JN504", "an int power that is beyond 64 bits")
    base, exponent = (make("int", as_int(m, v)) if isinstance(v, Number) else v for v in (a, b))
    negative = compare_numbers(m, "lt", exponent, Known(0))
    if isinstance(negative, Value):
        m.guard(negative, "domain", expected=False, text="the exponent is not negative")
    return library.call(m, library_numbers.power, base, exponent)


def guard_finite(m: Machine, value: Value, text: str) -> None:
    """Leave compiled code if a float is infinite or NaN (Python raises, or has rules of its own)."""
    magnitude = m.b.one("math.absf", [value], FLOAT)
    finite = m.b.one("arith.cmpf", [magnitude, m.const(float("inf"))], BOOL, predicate="olt")
    m.guard(finite, "domain", text=text)


def number_unary(m: Machine, op: str, a: Abstract) -> Abstract:
    """Return ``op a`` of a number."""
    folded = _fold(op, a)
    if folded is not None:
        return folded
    if isinstance(a, Boxed):
        if op == "not_":
            return make("bool", m.b.one("arith.xori", [boxed.truth(m, a), m.const(True)], BOOL))
        return boxed.invoke(m, getattr(operator, op), [a], int)
    kind = number_kind(a)
    if op == "not_":
        ref = truth_of(m, a)
        return make("bool", m.b.one("arith.xori", [ref, m.const(True)], BOOL))
    if op == "pos":
        return a if kind != "bool" else make("int", as_int(m, a))
    if op == "neg":
        if kind == "float":
            return make("float", m.b.one("arith.negf", [m.number_ref(a)], FLOAT))
        return number_binary(m, "sub", Known(0), a)
    if op == "invert" and kind == "int":
        return make("int", m.b.one("arith.xori", [as_int(m, a), m.const(-1)], INT))
    raise Break("JN212", f"operation {op} on a {kind}")


def _compare_extents(op: str, x: Any, y: Any) -> bool | None:
    """Return ``x op y`` of extents, None if it depends on the variables."""
    if op in ("eq", "ne"):
        # To jax, extents of which it is not known are not equal.
        if x == y:
            return op == "eq"
        differ = _compare_extents("gt", x, y) or _compare_extents("lt", x, y)
        return op == "ne" if differ else None
    try:
        return bool(getattr(operator, op)(x, y))
    except Exception as error:  # jax raises InconclusiveDimensionOperation, a private type
        if "nconclusive" not in type(error).__name__ + str(error):
            raise
        return None


def compare_numbers(m: Machine, op: str, a: Abstract, b: Abstract) -> bool | Value:
    """Return ``a op b`` of two numbers as a truth value."""
    folded = _fold(op, a, b)
    if isinstance(folded, Known):
        return bool(folded.value)
    if boxed.is_big(a) or boxed.is_big(b):
        return boxed.compare(m, op, a, b)
    x, y = _extent(a), _extent(b)
    decided = None if x is None or y is None else _compare_extents(op, x, y)
    if decided is not None:
        return decided
    kinds = (number_kind(a), number_kind(b))
    if None in kinds:
        raise Break("JN504", "comparison with a number beyond 64 bits")
    if "float" in kinds:
        return m.b.one("arith.cmpf", [as_float(m, a), as_float(m, b)], BOOL, predicate=_FLOAT_PREDICATES[op])
    return m.b.one("arith.cmpi", [as_int(m, a), as_int(m, b)], BOOL, predicate=_INT_PREDICATES[op])


def truth_of(m: Machine, value: Abstract) -> Value:
    """Return the truth value of a dynamic number."""
    if isinstance(value, Boxed):
        return boxed.truth(m, value)
    ref = m.number_ref(value)
    if ref.type == BOOL:
        return ref
    if ref.type == FLOAT:
        return m.b.one("arith.cmpf", [ref, m.const(0.0)], BOOL, predicate="une")
    return m.b.one("arith.cmpi", [ref, m.const(0)], BOOL, predicate="ne")


def select_number(m: Machine, cond: bool | Value, a: Abstract, b: Abstract) -> Abstract:
    """Return ``a if cond else b`` of two numbers of one kind."""
    if isinstance(cond, bool):
        return a if cond else b
    kind = number_kind(a)
    if kind is None or kind != number_kind(b):
        raise Break("JN505", "a choice between numbers of different types")
    ref = m.b.one("arith.select", [cond, m.number_ref(a), m.number_ref(b)], SCALARS[kind])
    return make(kind, ref)


def to_int(m: Machine, value: Abstract) -> Abstract:
    """Return ``int(value)`` of a number (truncated)."""
    if isinstance(value, Known):
        return fold_call(int, value)
    if number_kind(value) != "float":
        return value if number_kind(value) == "int" else make("int", as_int(m, value))
    ref = m.number_ref(value)
    magnitude = m.b.one("math.absf", [ref], FLOAT)
    fits = m.b.one("arith.cmpf", [magnitude, m.const(2.0**63)], BOOL, predicate="olt")
    m.guard(fits, "overflow", text="the float fits a 64-bit int")
    return make("int", m.b.one("arith.fptosi", [ref], INT))


def to_float(m: Machine, value: Abstract) -> Abstract:
    """Return ``float(value)`` of a number."""
    if isinstance(value, Known):
        return fold_call(float, value)
    if number_kind(value) == "float":
        return value
    ref = m.number_ref(value)
    name = "arith.uitofp" if ref.type == BOOL else "arith.sitofp"
    return make("float", m.b.one(name, [ref], FLOAT))


def absolute(m: Machine, value: Abstract) -> Abstract:
    """Return ``abs(value)`` of a number."""
    if isinstance(value, Known):
        return fold_call(abs, value)
    if number_kind(value) == "float":
        return make("float", m.b.one("math.absf", [m.number_ref(value)], FLOAT))
    positive = compare_numbers(m, "ge", value, Known(0))
    value = make("int", as_int(m, value))
    return select_number(m, positive, value, number_unary(m, "neg", value))


def round_number(m: Machine, value: Abstract) -> Abstract:
    """Return ``round(value)``: half to even, an int."""
    if isinstance(value, Known):
        return fold_call(round, value)
    if number_kind(value) != "float":
        return make("int", as_int(m, value))
    return to_int(m, make("float", m.b.one("math.roundeven", [m.number_ref(value)], FLOAT)))


def fold_call(function: Any, *values: Abstract) -> Known:
    """Call a pure builtin on constants."""
    given = constants(values)
    assert given is not None
    try:
        return Known(function(*given))
    except (ArithmeticError, TypeError, ValueError, LookupError, AttributeError) as error:
        raise Failed.of(error) from None


def checked_length(m: Machine, found: Abstract) -> Abstract:
    """Return what a ``__len__`` has returned, which Python takes only if it is an int that is not negative."""
    if number_kind(found) != "int" or isinstance(found, Boxed):
        raise Break("JN212", "a `__len__` that returns no small int")
    valid = compare_numbers(m, "ge", found, Known(0))
    failed = Failed(ValueError, "__len__() should return >= 0")
    if valid is False:
        raise failed
    if isinstance(valid, Value):
        m.check(valid, "bounds", "`__len__` returns no negative number", failed)
    return found
