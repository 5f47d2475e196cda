"""Sets and frozensets of constants. What Python's order of iteration depends on is followed, or refused."""

from __future__ import annotations

import itertools
import operator
import random
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from janus_mlir.capture.breaks import Break, Failed
from janus_mlir.capture.graph import BOOL, Value
from janus_mlir.capture.heap import SetContent, TableContent
from janus_mlir.capture.values import Abstract, Known, SetRef, ViewValue

if TYPE_CHECKING:
    from janus_mlir.capture.machine import Machine

OPERATORS = {"and_": operator.and_, "or_": operator.or_, "sub": operator.sub, "xor": operator.xor}
IN_PLACE = {
    "and_": "intersection_update",
    "or_": "update",
    "sub": "difference_update",
    "xor": "symmetric_difference_update",
}
_COMBINING = {
    "union": operator.or_,
    "intersection": operator.and_,
    "difference": operator.sub,
    "symmetric_difference": operator.xor,
}
_TESTS = ("issubset", "issuperset", "isdisjoint")
_PERMUTED = 5
#: Elements that are compared one by one, in line.
_COMPARED = 24


def order_matters(content: SetContent) -> bool:
    """Whether sets of these items may be iterated over in different orders."""
    items = content.items or ()
    if len(items) < 2:
        return False
    first = list(set(items))
    if len(items) <= _PERMUTED:
        orders: Any = itertools.permutations(items)
    else:
        shuffle = random.Random(0)
        orders = (shuffle.sample(items, len(items)) for _ in range(40))
    orders = list(orders)
    if any(list(set(order)) != first for order in orders):
        return True
    if content.added:
        # A display of constants makes room for all at once, where the first table has too little.
        return len(items) > 4 and any(
            _laid_out(order, size) != first for order in orders for size in (16, 32, 64, 128)
        )
    # Deletions leave larger tables behind, in which the order may be another one.
    return any(list(_in_table(items, size)) != first for size in (32, 128, 512, 2048))


#: Places beside its own that CPython tries for an element, before it jumps.
_PROBES = 9


def _laid_out(items: Sequence[Any], size: int) -> list[Any]:
    """Return the items in the order of a table of `size` places, at least, to which they are added in turn."""
    while size * 3 <= len(items) * 5:
        size *= 4
    places: dict[int, Any] = {}
    for item in items:
        perturbed = hash(item) & (2**64 - 1)
        i = perturbed & (size - 1)
        while True:
            beside = range(i, i + 1 + (_PROBES if i + _PROBES < size else 0))
            free = next((k for k in beside if k not in places), None)
            if free is not None:
                places[free] = item
                break
            perturbed >>= 5
            i = (i * 5 + 1 + perturbed) & (size - 1)
    return [places[i] for i in sorted(places)]


def _in_table(items: tuple[Any, ...], size: int) -> set[Any]:
    """Return a set of the items in a table that once had room for more."""
    fillers = [object() for _ in range(size // 4)]
    grown: set[Any] = set(fillers)
    grown.update(items)
    for filler in fillers:
        grown.discard(filler)
    return grown


def ordered(content: SetContent) -> list[Any]:
    """Return the items in Python's order of iteration."""
    if content.ordered:
        return list(content.items or ())
    if order_matters(content):
        raise Break("JN214", "iteration over a set whose order depends on how it was built")
    return list(set(content.items or ()))


def content(m: Machine, value: SetRef) -> SetContent:
    """Return the content of a set, reading an outside set if need be."""
    found: SetContent = m.get(value.id)
    if isinstance(found, TableContent):
        raise Break("JN214", "a set with elements that are only known at run time, used in this way,")
    if found.items is None:
        items = list(m.outside.load_set(value.id))
        for key, inside in found.known:
            if inside != (key in items):
                items = [*items, key] if inside else [item for item in items if item != key]
        found = SetContent(tuple(items), ordered=not found.known)
        m.put(value.id, found)
    return found


def elements(m: Machine, value: SetRef) -> tuple[Any, ...]:
    """Return the elements of a set, in no particular order."""
    return content(m, value).items or ()


def _has(m: Machine, value: SetRef, key: Any) -> bool:
    """Return whether a set has a constant as element, without reading the others."""
    found: SetContent = m.get(value.id)
    if found.items is not None:
        return key in found.items
    for known, inside in reversed(found.known):
        if known == key:
            return bool(inside)
    return m.outside.set_has(value.id, key)


def new_set(m: Machine, items: Any, cls: type = set, *, added: bool = False) -> SetRef:
    """Return a new set, to which the items have been added in turn or in another way."""
    handle = SetRef(cls=cls)
    m.put(handle.id, SetContent(tuple(dict.fromkeys(items)), added=added))
    return handle


def _elements(m: Machine, value: Abstract) -> tuple[Any, ...] | None:
    """Return the elements of something that is a set, None if it is something else."""
    match value:
        case SetRef():
            return elements(m, value)
        case Known(value=frozenset() as items):
            return tuple(items)
        case ViewValue() if value.kind == "keys" and not _is_table(m, value.dict):
            from janus_mlir.capture.containers import dict_entries

            return tuple(k for k, _ in dict_entries(m, value.dict))
    return None


def _iterated(m: Machine, value: Abstract) -> tuple[Any, ...]:
    """Return the elements of any iterable, for a set method."""
    from janus_mlir.capture.containers import constant_key
    from janus_mlir.capture.iteration import exhaust, get_iterator

    found = _elements(m, value)
    if found is not None:
        return found
    return tuple(constant_key(item) for item in exhaust(m, get_iterator(m, value)))


def member(m: Machine, items: tuple[Any, ...], item: Abstract) -> bool | Value:
    """Return whether `item` is one of some constants."""
    from janus_mlir.capture.containers import constant_key
    from janus_mlir.capture.numbers import compare_numbers
    from janus_mlir.capture.values import ExtentNumber, Number

    if not isinstance(item, (Number, ExtentNumber)):
        return constant_key(item) in items
    result: bool | Value = False
    for known in items:
        if not isinstance(known, (bool, int, float)):
            continue
        same = compare_numbers(m, "eq", item, Known(known))
        if same is True:
            return True
        if same is not False:
            result = same if isinstance(result, bool) else m.b.one("arith.ori", [result, same], BOOL)
    return result


def contains(m: Machine, container: SetRef, item: Abstract, *, negate: bool) -> Abstract:
    """Return ``item in container``."""
    from janus_mlir.capture.containers import constant_key
    from janus_mlir.capture.dynamic import tables
    from janus_mlir.capture.numbers import make

    if (
        not isinstance(item, Known)
        and tables.is_run_time_key(item)
        and len(elements(m, container)) > _COMPARED
    ):
        inside = tables.contains(m, container, item)
        if isinstance(inside, bool):
            return Known(inside != negate)
        return make("bool", m.b.one("arith.xori", [inside, m.const(True)], BOOL) if negate else inside)
    constant = isinstance(item, Known) and not isinstance(item.value, (tuple, frozenset))
    result = _has(m, container, constant_key(item)) if constant else member(m, elements(m, container), item)
    if isinstance(result, bool):
        return Known(result != negate)
    if negate:
        result = m.b.one("arith.xori", [result, m.const(True)], BOOL)
    return make("bool", result)


def _is_table(m: Machine, *values: Abstract) -> bool:
    """Whether the elements of one of some sets are only known at run time."""
    from janus_mlir.capture.dynamic import tables

    return any(tables.content_of(m, value) is not None for value in values)


def binary(m: Machine, op: str, a: Abstract, b: Abstract) -> Abstract | None:
    """Return ``a op b`` of two sets, None if they are not."""
    from janus_mlir.capture.dynamic import tables

    if isinstance(a, SetRef) and isinstance(b, SetRef) and _is_table(m, a, b):
        return tables.combined(m, op, a, b)
    xs, ys = _elements(m, a), _elements(m, b)
    if (
        xs is None
        or ys is None
        or not (isinstance(a, (SetRef, ViewValue)) or isinstance(b, (SetRef, ViewValue)))
    ):
        return None
    cls = a.cls if isinstance(a, SetRef) else set if isinstance(a, ViewValue) else frozenset
    return new_set(m, OPERATORS[op](set(xs), set(ys)), cls)


def compare(m: Machine, op: str, a: Abstract, b: Abstract) -> Abstract:
    """Return ``a op b``."""
    from janus_mlir.capture.dynamic import tables

    if isinstance(a, SetRef) and isinstance(b, SetRef) and _is_table(m, a, b):
        return tables.compare(m, op, a, b)
    xs, ys = _elements(m, a), _elements(m, b)
    if xs is None or ys is None:
        if op in ("eq", "ne"):
            return Known(op == "ne")
        raise Break("JN208", "a set is compared with something else")
    return Known(bool(getattr(operator, op)(set(xs), set(ys))))


def update(m: Machine, value: SetRef, name: str, *others: Abstract) -> Abstract:
    """Change a set in place by one of its methods."""
    found = set(elements(m, value))
    for other in others:
        if name == "update":
            now = [*elements(m, value), *_iterated(m, other)]
            _put(m, value, tuple(dict.fromkeys(now)), name, other)
        else:
            getattr(found, name)(_iterated(m, other))
            kept = [k for k in elements(m, value) if k in found]
            new = [k for k in _iterated(m, other) if k in found and k not in kept]
            _put(m, value, (*kept, *dict.fromkeys(new)), name, other)
    return value


def _put(m: Machine, value: SetRef, items: tuple[Any, ...], name: str, *operands: Abstract) -> None:
    _record(m, value, SetContent(items), name, *operands)


def _record(m: Machine, value: SetRef, new: SetContent, name: str, *operands: Abstract) -> None:
    from janus_mlir.capture.containers import record_mutation

    m.put(value.id, new)
    arguments = ", ".join(f"{{{i + 1}}}" for i in range(len(operands)))
    record_mutation(m, value, f"set.{name}", f"{{0}}.{name}({arguments})", *operands)


def method(m: Machine, self: SetRef, name: str, args: list[Abstract]) -> Abstract:
    """Call a method of a set."""
    from janus_mlir.capture.dynamic import tables

    run_time = len(args) == 1 and tables.is_run_time_key(args[0])
    if _is_table(m, self) or (run_time and name in ("add", "discard", "remove")):
        return _table_method(m, self, name, args)
    others = ("update", *_COMBINING, *_TESTS)
    if len(args) == 1 and name in others and isinstance(args[0], SetRef) and _is_table(m, *args):
        return _table_method(m, self, name, args)
    if len(args) == 1 and name in ("add", "discard", "remove") and self.cls is not frozenset:
        _change(m, self, name, args[0])
        return Known(None)
    items = elements(m, self)
    if name == "copy" and not args:
        return new_set(m, items, self.cls)
    if name in _COMBINING:
        found = set(items)
        for arg in args:
            found = _COMBINING[name](found, set(_iterated(m, arg)))
        return new_set(m, found, self.cls)
    if name in _TESTS and len(args) == 1:
        return Known(getattr(set(items), name)(_iterated(m, args[0])))
    if self.cls is frozenset:
        raise Break("JN301", f"frozenset.{name}")
    if name in IN_PLACE.values():
        update(m, self, name, *args)
        return Known(None)
    if name == "clear" and not args:
        _put(m, self, (), name)
        return Known(None)
    if name == "pop" and not args and items:
        first = ordered(content(m, self))[0]
        _put(m, self, tuple(k for k in items if k != first), name)
        return Known(first)
    raise Break("JN301", f"set.{name}")


def _table_method(m: Machine, self: SetRef, name: str, args: list[Abstract]) -> Abstract:
    """Call a method of a set whose elements are only known at run time."""
    from janus_mlir.capture.containers import record_mutation
    from janus_mlir.capture.dynamic import tables
    from janus_mlir.capture.library import lists as library
    from janus_mlir.capture.library import tables as library_tables

    none = Known(None)
    if len(args) == 1 and self.cls is set:
        if name == "add":
            tables.add(m, self, args[0])
            return none
        if name == "discard":
            tables.discard(m, self, args[0])
            return none
        if name == "remove":
            tables.remove(m, self, args[0])
            return none
        if name == "update" and not m.is_outside(self.id):
            other = args[0]
            more = tables.make(m, other).keys if isinstance(other, SetRef) else other
            content = tables.make(m, self)
            library.call(m, library_tables.table_add_all, content.keys, more)
            if isinstance(other, SetRef):
                m.put(self.id, TableContent(content.keys, None, ordered=False))
            return none
    if name == "clear" and not args and self.cls is set:
        m.put(self.id, tables.cleared(self))
        record_mutation(m, self, "set.clear", "{0}.clear()")
        return none
    if name == "copy" and not args:
        made = tables.copied(m, self)
        content = tables.make(m, made)
        m.put(made.id, TableContent(content.keys, None, ordered=False))
        return made
    op = {"union": "or_", "intersection": "and_", "difference": "sub", "symmetric_difference": "xor"}.get(
        name
    )
    if op is not None and len(args) == 1 and isinstance(args[0], SetRef):
        return tables.combined(m, op, self, args[0])
    if name == "isdisjoint" and len(args) == 1 and isinstance(args[0], SetRef):
        both = (tables.make(m, x).keys for x in (self, args[0]))
        return library.call(m, library_tables.table_disjoint, *both)
    comparison = {"issubset": "le", "issuperset": "ge"}.get(name)
    if comparison is not None and len(args) == 1 and isinstance(args[0], SetRef):
        return tables.compare(m, comparison, self, args[0])
    raise Break("JN301", f"set.{name} with elements that are only known at run time")


def _change(m: Machine, self: SetRef, name: str, item: Abstract) -> None:
    """Add or remove an element; a set that already is as it should be stays as it is."""
    from janus_mlir.capture.containers import constant_key

    key = constant_key(item, m)
    inside = _has(m, self, key)
    if name == "remove" and not inside:
        raise Failed(KeyError, item)
    found: SetContent = m.get(self.id)
    if inside == (name == "add"):
        new = found
    elif found.items is None:
        new = SetContent(None, known=(*found.known, (key, not inside)))
    elif inside:
        new = SetContent(tuple(k for k in found.items if k != key))
    else:
        new = SetContent((*found.items, key), added=found.added)
    _record(m, self, new, name, item)


def make(m: Machine, args: list[Abstract], cls: type) -> Abstract:
    """Return ``set(...)`` or ``frozenset(...)``."""
    from janus_mlir.capture.dynamic import tables
    from janus_mlir.capture.iteration import collect

    if not args:
        return new_set(m, (), cls, added=True)
    if isinstance(args[0], SetRef) and _is_table(m, args[0]):
        content = tables.make(m, tables.copied(m, args[0]))
        handle = SetRef(cls=cls)
        m.put(handle.id, TableContent(content.keys, None, ordered=False))
        return handle
    if _elements(m, args[0]) is None:
        from janus_mlir.capture.containers import new_list

        items = collect(m, args[0])
        if not isinstance(items, list):
            return tables.make_set(m, items, cls)
        if any(map(tables.is_run_time_key, items)):
            return tables.make_set(m, new_list(m, tuple(items)), cls)
        args = [new_list(m, tuple(items))]
    return new_set(m, _iterated(m, args[0]), cls, added=_elements(m, args[0]) is None)


__all__ = [
    "IN_PLACE", "OPERATORS", "binary", "compare", "contains", "content", "elements", "make", "member", "method",
    "new_set", "order_matters", "ordered", "update",
]  # fmt: skip
