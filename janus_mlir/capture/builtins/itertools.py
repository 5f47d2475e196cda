"""``itertools``, ``heapq``, ``bisect``, and what is left of ``operator``."""

from __future__ import annotations

import bisect
import heapq
import itertools
import operator
from typing import TYPE_CHECKING, Any

from janus_mlir.capture.breaks import Break
from janus_mlir.capture.builtins.numbers import keyed
from janus_mlir.capture.builtins.table import Handler, arity, registers, registers_method
from janus_mlir.capture.containers import delete_item, get_item, new_dict, new_list, set_item
from janus_mlir.capture.graph import Value
from janus_mlir.capture.heap import IteratorContent
from janus_mlir.capture.iteration import (
    collect,
    exhaust,
    get_iterator,
    make_iterator,
    next_item,
    static_count,
)
from janus_mlir.capture.library import lists as library
from janus_mlir.capture.lookups import contains
from janus_mlir.capture.numbers import make
from janus_mlir.capture.operators import binary, compare, inplace, truth, unary
from janus_mlir.capture.reading.normalise_expr import BINARY_OPERATORS
from janus_mlir.capture.values import (
    Abstract,
    Known,
    ListRef,
    TupleValue,
    constants,
)

if TYPE_CHECKING:
    from janus_mlir.capture.machine import Machine


def _sequence(m: Machine, items: Any) -> Abstract:
    return make_iterator(m, IteratorContent("sequence", tuple(items)))


def _static(m: Machine, value: Abstract) -> list[Abstract]:
    """Return the items of an iterable whose number is known."""
    return exhaust(m, get_iterator(m, value))


def _number(value: Abstract | None, default: int | None = None) -> int:
    if value is None and default is not None:
        return default
    if isinstance(value, Known) and isinstance(value.value, int):
        return int(value.value)
    raise Break("JN218", "a number of items that is only known at run time")


@registers(itertools.chain)
def _chain(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    return _chained(m, args)


def _chained(m: Machine, parts: list[Abstract]) -> Abstract:
    iterators = [get_iterator(m, part) for part in parts]
    with m.keep(*iterators):
        if all(static_count(m, it) is not None for it in iterators):
            return _sequence(m, [item for it in iterators for item in exhaust(m, it)])
    whole = new_list(m, ())
    with m.keep(whole, *iterators):
        for it in iterators:
            library.call(m, library.extend, whole, it)
        return get_iterator(m, whole)


@registers_method(itertools.chain, "from_iterable")
def _from_iterable(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    arity(args, kwargs, 1)
    return _chained(m, _static(m, args[0]))


@registers_method(dict, "fromkeys")
def _fromkeys(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    arity(args, kwargs, 1, 2)
    made = new_dict(m, ())
    for key in _static(m, args[0]):
        set_item(m, made, key, args[1] if len(args) > 1 else Known(None))
    return made


@registers(itertools.product)
def _product(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    repeat = _number(kwargs.pop("repeat", None), 1)
    columns = [_static(m, arg) for arg in args]
    return _sequence(m, [TupleValue(row) for row in itertools.product(*columns, repeat=repeat)])


def _selection(function: Any, *, repeats: bool = False) -> Handler:
    def handler(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
        count = kwargs.pop("r", args[1] if len(args) > 1 else None)
        arity(args[:1], kwargs, 1)
        items = _static(m, args[0])
        chosen = function(items, _number(count, len(items)))
        return _sequence(m, [TupleValue(row) for row in chosen])

    return handler


for _function in (itertools.combinations, itertools.permutations, itertools.combinations_with_replacement):
    registers(_function)(_selection(_function))


@registers(itertools.accumulate)
def _accumulate(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    function = kwargs.pop("func", args[1] if len(args) > 1 else Known(operator.add))
    initial = kwargs.pop("initial", Known(None))
    arity(args[:1], kwargs, 1)
    if isinstance(function, Known) and function.value is None:
        function = Known(operator.add)
    given = not (isinstance(initial, Known) and initial.value is None)
    items = collect(m, args[0])
    if not isinstance(items, list):
        found = library.call(
            m, library.accumulate, items, function, initial if given else Known(0), Known(given)
        )
        return get_iterator(m, found)
    from janus_mlir.capture.calls import call_inline

    out = [initial] if given else []
    with m.keep(*items):
        for item in items:
            out.append(call_inline(m, function, [out[-1], item]) if out else item)
            m.pins.append(out[-1])
    return _sequence(m, out)


@registers(itertools.islice)
def _islice(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    arity(args, kwargs, 2, 4)
    bounds = [a.value if isinstance(a, Known) else _number(a) for a in args[1:]]
    limits = slice(*bounds)
    iterator = get_iterator(m, args[0])
    left = static_count(m, iterator)
    if limits.stop is None:
        return _sequence(m, exhaust(m, iterator)[limits])
    taken = []
    for _ in range(limits.stop if left is None else min(left, limits.stop)):
        step = next_item(m, iterator)
        if step.more is not True:
            if isinstance(step.more, Value):
                raise Break("JN218", "islice() of a run-time number of items")
            break
        taken.append(step.advance(m))
    return _sequence(m, taken[limits])


#: Stands for the end of an endless range.
_ENDLESS = 2**62


@registers(itertools.count)
def _count(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    start = kwargs.pop("start", args[0] if args else Known(0))
    step = kwargs.pop("step", args[1] if len(args) > 1 else Known(1))
    if not (isinstance(step, Known) and type(step.value) is int and step.value) or kwargs:
        raise Break("JN301", "itertools.count with a run-time step")
    from janus_mlir.capture.scalars import number_kind

    if number_kind(start) != "int":
        raise Break("JN301", "itertools.count of floats")
    return make_iterator(m, IteratorContent("range", (), (start, step), Known(0), Known(_ENDLESS)))


@registers(itertools.repeat)
def _repeat(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    times = kwargs.pop("times", args[1] if len(args) > 1 else None)
    arity(args[:1], kwargs, 1)
    if times is None:
        return make_iterator(m, IteratorContent("cycle", (args[0],), (), Known(0)))
    return _sequence(m, [args[0]] * _number(times))


@registers(itertools.cycle)
def _cycle(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    arity(args, kwargs, 1)
    items = _static(m, args[0])
    if not items:
        return _sequence(m, ())
    return make_iterator(m, IteratorContent("cycle", tuple(items), (), Known(0)))


@registers(itertools.zip_longest)
def _zip_longest(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    fill = kwargs.pop("fillvalue", Known(None))
    arity(args, kwargs, len(args))
    columns = [_static(m, arg) for arg in args]
    return _sequence(m, [TupleValue(row) for row in itertools.zip_longest(*columns, fillvalue=fill)])


@registers(itertools.pairwise)
def _pairwise(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    arity(args, kwargs, 1)
    items = _static(m, args[0])
    return _sequence(m, [TupleValue(pair) for pair in itertools.pairwise(items)])


@registers(itertools.starmap)
def _starmap(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    from janus_mlir.capture.calls import call_inline

    arity(args, kwargs, 2)
    rows = [m.items(row) for row in _static(m, args[1])]
    if any(row is None for row in rows):
        raise Break("JN218", "starmap() of unknown rows")
    return _sequence(m, [call_inline(m, args[0], list(row or ())) for row in rows])


@registers(itertools.compress)
def _compress(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    arity(args, kwargs, 2)
    kept = []
    for item, flag in zip(_static(m, args[0]), _static(m, args[1]), strict=False):
        keep = truth(m, flag)
        if not isinstance(keep, bool):
            raise Break("JN218", "compress() by run-time values")
        if keep:
            kept.append(item)
    return _sequence(m, kept)


def _while(function: Any) -> Handler:
    def handler(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
        arity(args, kwargs, 2)
        return get_iterator(m, library.call(m, function, *args))

    return handler


registers(itertools.takewhile)(_while(library.take_while))
registers(itertools.dropwhile)(_while(library.drop_while))


@registers(itertools.groupby)
def _groupby(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    key = kwargs.pop("key", args[1] if len(args) > 1 else None)
    arity(args[:1], kwargs, 1)
    groups: list[tuple[Abstract, list[Abstract]]] = []
    for item in _static(m, args[0]):
        by = keyed(m, key, item)
        same = truth(m, compare(m, "eq", groups[-1][0], by)) if groups else False
        if not isinstance(same, bool):
            raise Break("JN218", "groupby() by run-time values")
        if same:
            groups[-1][1].append(item)
        else:
            groups.append((by, [item]))
    return _sequence(m, [TupleValue((by, _sequence(m, items))) for by, items in groups])


if hasattr(itertools, "batched"):  # from Python 3.12 on

    @registers(itertools.batched)
    def _batched(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
        arity(args, kwargs, 2)
        items, size = _static(m, args[0]), _number(args[1])
        return _sequence(m, [TupleValue(tuple(items[i : i + size])) for i in range(0, len(items), size)])


# ---- heaps and bisection: as in the standard library, in Python ---------------------------------------------


def _replaced(original: Any, function: Any, low: int, high: int) -> None:
    def handler(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
        arity(args, kwargs, low, high)
        return library.call(m, function, *args)

    registers(original)(handler)


_replaced(heapq.heappush, library.heap_push, 2, 2)
_replaced(heapq.heappop, library.heap_pop, 1, 1)
_replaced(heapq.heapify, library.heapify, 1, 1)
_replaced(heapq.heapreplace, library.heap_replace, 2, 2)
_replaced(heapq.heappushpop, library.heap_push_pop, 2, 2)


def _extremes(name: str, function: Any) -> None:
    def handler(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
        arity(args, kwargs, 2)
        items = collect(m, args[1])
        listed = items if isinstance(items, ListRef) else new_list(m, tuple(items))
        if isinstance(args[0], Known) and args[0].value < 0:
            raise Break("JN301", f"heapq.{name} of a negative number")
        return library.call(m, function, args[0], listed)

    registers(getattr(heapq, name))(handler)


_extremes("nsmallest", library.n_smallest)
_extremes("nlargest", library.n_largest)


def _bisection(name: str, function: Any, *, insert: bool = False) -> None:
    def handler(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
        low = kwargs.pop("lo", args[2] if len(args) > 2 else Known(0))
        high = kwargs.pop("hi", args[3] if len(args) > 3 else Known(None))
        key = kwargs.pop("key", None)
        arity(args[:2], kwargs, 2)
        if key is not None:
            raise Break("JN301", f"bisect.{name} with a key")
        place = library.call(m, function, args[0], args[1], low, high)
        if not insert:
            return place
        library.call(m, library.insert, args[0], place, args[1])
        return Known(None)

    registers(getattr(bisect, name))(handler)


_bisection("bisect_left", library.bisect_left)
_bisection("bisect_right", library.bisect_right)
_bisection("insort_left", library.bisect_left, insert=True)
_bisection("insort_right", library.bisect_right, insert=True)


# ---- operator ---------------------------------------------------------------------------------------------------


def _unary_operator(name: str) -> None:
    def handler(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
        arity(args, kwargs, 1)
        return unary(m, name, args[0])

    registers(getattr(operator, name))(handler)


for _name in ("neg", "pos", "invert", "not_"):
    _unary_operator(_name)

for _name in BINARY_OPERATORS.values():

    def _in_place(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract], op: str = _name) -> Abstract:
        arity(args, kwargs, 2)
        return inplace(m, op, *args)

    registers(getattr(operator, "i" + _name.rstrip("_")))(_in_place)


@registers(operator.truth)
def _truth(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    arity(args, kwargs, 1)
    found = truth(m, args[0])
    return Known(found) if isinstance(found, bool) else make("bool", found)


@registers(operator.abs)
def _operator_abs(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    from janus_mlir.capture.builtins.table import call_builtin

    return call_builtin(m, abs, args, kwargs, "")


@registers(operator.contains)
def _contains(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    arity(args, kwargs, 2)
    return contains(m, args[0], args[1], negate=False)


@registers(operator.concat)
def _concat(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    arity(args, kwargs, 2)
    return binary(m, "add", *args)


@registers(operator.setitem)
def _setitem(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    arity(args, kwargs, 3)
    set_item(m, *args)
    return Known(None)


@registers(operator.delitem)
def _delitem(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    arity(args, kwargs, 2)
    delete_item(m, *args)
    return Known(None)


@registers(operator.is_, operator.is_not)
def _identity(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract]) -> Abstract:
    raise Break("JN301", "operator.is_")


def call_getter(m: Machine, live: Any, args: list[Abstract]) -> Abstract | None:
    """Call an ``itemgetter``, ``attrgetter`` or ``methodcaller``; None if it is something else."""
    from janus_mlir.capture.attributes import get_attribute
    from janus_mlir.capture.calls import call_inline

    if type(live) not in (operator.itemgetter, operator.attrgetter, operator.methodcaller) or len(args) != 1:
        return None
    _, given = live.__reduce__()[:2]
    if isinstance(live, operator.methodcaller):
        if not isinstance(given, tuple) or live.__reduce__()[0] is not operator.methodcaller:
            return None
        return call_inline(m, get_attribute(m, args[0], given[0]), [Known(a) for a in given[1:]])
    found = []
    for key in given:
        value = args[0]
        if isinstance(live, operator.itemgetter):
            value = get_item(m, value, Known(key))
        else:
            for name in key.split("."):
                value = get_attribute(m, value, name)
        found.append(value)
    return found[0] if len(found) == 1 else TupleValue(tuple(found))


for _kind in (operator.itemgetter, operator.attrgetter, operator.methodcaller):

    @registers(_kind)
    def _getter(m: Machine, args: list[Abstract], kwargs: dict[str, Abstract], kind: Any = _kind) -> Abstract:
        given = constants(args)
        if kwargs or given is None:
            raise Break("JN301", f"operator.{kind.__name__} of run-time values")
        return Known(kind(*given))
