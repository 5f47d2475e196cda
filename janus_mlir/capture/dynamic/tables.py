"""Dicts and sets of which the keys are only known at run time: a list of keys, and one of values, side by side.

A dict or set becomes a table where it gets, or is asked for, a key of the run time, and where ways meet on
which it has got different keys. A key is found by going through the keys, in functions of `library` that are
captured like the user's code.
"""

from __future__ import annotations

import collections
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from janus_mlir.capture.breaks import Break, Failed
from janus_mlir.capture.dynamic import packing, rows, vectors
from janus_mlir.capture.graph import Value
from janus_mlir.capture.heap import Content, IteratorContent, ListContent, TableContent
from janus_mlir.capture.library import lists as library
from janus_mlir.capture.library import tables as library_tables
from janus_mlir.capture.numbers import compare_numbers
from janus_mlir.capture.speculation import Respecialise
from janus_mlir.capture.values import (
    Abstract,
    Boxed,
    DictRef,
    ExtentNumber,
    Known,
    ListRef,
    Number,
    NumpyScalar,
    SetRef,
    TextValue,
    TupleValue,
    fresh_id,
)

if TYPE_CHECKING:
    from janus_mlir.capture.machine import Machine


def is_run_time_key(value: Abstract) -> bool:
    """Whether a key is a number, or a tuple with such in it, that is only known at run time."""
    if isinstance(value, TupleValue):
        return any(map(is_run_time_key, value.items)) and all(map(_may_be_key, value.items))
    return isinstance(value, (Number, ExtentNumber, NumpyScalar, Boxed, TextValue))


def _may_be_key(value: Abstract) -> bool:
    return is_run_time_key(value) or isinstance(value, Known)


def constant(key: Any) -> Abstract:
    """Return a constant key as it stands in a list of keys."""
    return TupleValue(tuple(map(constant, key))) if type(key) is tuple else Known(key)


def content_of(m: Machine, value: Abstract) -> TableContent | None:
    """Return the content of a dict or set that is a table, None if it is not."""
    content = m.get(value.id) if isinstance(value, (DictRef, SetRef)) else None
    return content if isinstance(content, TableContent) else None


def make(m: Machine, value: DictRef | SetRef) -> TableContent:
    """Return the content of a dict or set as a table, and make it so."""
    from janus_mlir.capture import sets
    from janus_mlir.capture.containers import dict_entries, new_list

    content = m.get(value.id)
    if isinstance(content, TableContent):
        return content
    _keep_loop(m)
    if isinstance(value, SetRef):
        known = sets.content(m, value)
        keys = new_list(m, tuple(constant(k) for k in known.items or ()))
        made = TableContent(keys, None, m.is_outside(value.id) or not sets.order_matters(known))
    else:
        entries = dict_entries(m, value)
        keys = new_list(m, tuple(constant(k) for k, _ in entries))
        made = TableContent(keys, new_list(m, tuple(v for _, v in entries)))
    m.put(value.id, made)
    _settle(m, made)
    return made


#: Entries for which a new table gets room at least.
_ROOM = 8


def _settle(m: Machine, content: TableContent) -> None:
    """Let keys and values be lists of run-time length, so that going through them is a loop."""
    for items in (content.keys, content.values):
        if items is None or not isinstance(m.get(items.id), ListContent) or not m.get(items.id).items:
            continue
        if not vectors.try_at_run_time(m, items, _ROOM):
            return


def _settle_beside(m: Machine, content: TableContent, found: Abstract) -> None:
    """Do the same, unless a value that has been handed out would be copied: its name is not to be seen yet."""
    if not packing.owned_ids(m, [found], m.state.heap):
        _settle(m, content)


def copied(m: Machine, value: DictRef | SetRef) -> DictRef | SetRef:
    """Return a dict or set of the same entries."""
    content = make(m, value)
    handle = replace(value, id=fresh_id())
    values = None if content.values is None else _same(m, content.values)
    m.put(handle.id, replace(content, keys=_same(m, content.keys), values=values))
    return handle


def _same(m: Machine, items: ListRef) -> ListRef:
    made = ListRef()
    m.put(made.id, m.get(items.id))
    return made


def _keep_loop(m: Machine) -> None:
    """Start again without unrolling the loop at hand: each access to a table is a loop of its own."""
    from janus_mlir.capture.iteration import lists_of
    from janus_mlir.capture.recursion import key_of

    for frame in reversed(m.state.frames):
        loops = frame.function.flow.loops
        inside = [h for h in frame.function.flow.for_heads if h in loops and frame.at in loops[h]]
        for head in sorted(inside, key=lambda h: len(loops[h])):
            loop = key_of(frame.function), head
            if loop in m.speculation.listed:
                return
            if lists_of(m, m.state, frame, head):
                m.speculation.listed.add(loop)
                raise Respecialise


def _values(content: TableContent) -> ListRef:
    assert content.values is not None
    return content.values


def find(m: Machine, content: TableContent, key: Abstract) -> Abstract:
    """Return the position of a key, -1 if it is not there."""
    for part in key.items if isinstance(key, TupleValue) else (key,):
        _refuse_nan(m, part)
    return library.call(m, library_tables.table_find, content.keys, key)


def _refuse_nan(m: Machine, key: Abstract) -> None:
    """Leave compiled code if a key is NaN, which Python finds by its identity."""
    if isinstance(key, NumpyScalar) and key.dtype.kind not in "iub":
        raise Break("JN214", "a NumPy float as a key that is only known at run time")
    if isinstance(key, Number) and key.kind == "float":
        same = compare_numbers(m, "eq", key, key)
        if isinstance(same, Value):
            m.guard(same, "domain", text="the key is not NaN")


def contains(m: Machine, value: DictRef | SetRef, key: Abstract) -> bool | Value:
    """Return whether there is a key."""
    return compare_numbers(m, "ge", find(m, make(m, value), key), Known(0))


def _require(m: Machine, position: Abstract, key: Abstract) -> None:
    there = compare_numbers(m, "ge", position, Known(0))
    if there is False:
        raise Failed(KeyError, key)
    if isinstance(there, Value):
        m.check(there, "bounds", "the key is there", Failed(KeyError, key))


def item(m: Machine, value: DictRef, key: Abstract) -> Abstract:
    """Return ``value[key]``."""
    from janus_mlir.capture.containers import get_item, record_mutation

    content = make(m, value)
    if value.cls is collections.Counter:
        return library.call(m, library_tables.table_get, content.keys, _values(content), key, Known(0))
    if value.factory is not None and not (isinstance(value.factory, Known) and value.factory.value is None):
        found = library.call(
            m, library_tables.table_default, content.keys, _values(content), key, value.factory
        )
        _settle_beside(m, content, found)
        record_mutation(m, value, "dict item", "{0}[{1}]", key)
        return found
    position = find(m, content, key)
    _require(m, position, key)
    return get_item(m, _values(content), position)


def get(m: Machine, value: DictRef, key: Abstract, default: Abstract) -> Abstract:
    """Return ``value.get(key, default)``."""
    content = make(m, value)
    return library.call(m, library_tables.table_get, content.keys, _values(content), key, default)


def store(m: Machine, value: DictRef, key: Abstract, item: Abstract) -> None:
    """Do ``value[key] = item``."""
    from janus_mlir.capture.containers import record_mutation

    content = make(m, value)
    library.call(m, library_tables.table_set, content.keys, _values(content), key, item)
    _settle(m, content)
    record_mutation(m, value, "dict item", "{0}[{1}] = {2}", key, item)


def set_default(m: Machine, value: DictRef, key: Abstract, default: Abstract) -> Abstract:
    """Return ``value.setdefault(key, default)``."""
    from janus_mlir.capture.containers import record_mutation

    content = make(m, value)
    function = library_tables.table_set_default
    if (
        isinstance(default, ListRef)
        and rows.would_take(m, default)
        and not vectors.are_named(m, [default.id])
    ):
        # A list that nobody else has becomes a row only where it is stored.
        function = library_tables.table_set_default_list
    found = library.call(m, function, content.keys, _values(content), key, default)
    _settle_beside(m, content, found)
    record_mutation(m, value, "dict.setdefault", "{0}.setdefault({1}, {2})", key, default)
    return found


def remove(m: Machine, value: DictRef | SetRef, key: Abstract, default: Abstract | None = None) -> Abstract:
    """Remove a key, which has to be there unless there is a default, and return its value."""
    from janus_mlir.capture.containers import get_item, record_mutation

    content = make(m, value)
    if default is not None:
        found = library.call(m, library_tables.table_pop, content.keys, _values(content), key, default)
        record_mutation(m, value, "dict.pop", "{0}.pop({1}, None)", key)
        return found
    position = find(m, content, key)
    _require(m, position, key)
    found = Known(None)
    if content.values is not None:
        found = get_item(m, content.values, position)
        library.call(m, library.pop_at, content.values, position)
    library.call(m, library.pop_at, content.keys, position)
    if isinstance(value, SetRef):
        m.put(value.id, replace(content, ordered=m.is_outside(value.id)))
        record_mutation(m, value, "set.remove", "{0}.remove({1})", key)
    else:
        record_mutation(m, value, "dict item deleted", "del {0}[{1}]", key)
    return found


def pop_item(m: Machine, value: DictRef, last: bool) -> Abstract:
    """Return ``value.popitem(last)``."""
    from janus_mlir.capture.containers import get_item, length, record_mutation

    content = make(m, value)
    some = compare_numbers(m, "gt", length(m, content.keys), Known(0))
    text = "dictionary is empty" if value.cls is collections.OrderedDict else "popitem(): dictionary is empty"
    failed = Failed(KeyError, text)
    if some is False:
        raise failed
    if isinstance(some, Value):
        m.check(some, "bounds", "the dict is not empty", failed)
    content = make(m, value)
    end = Known(-1 if last else 0)
    found = TupleValue((get_item(m, content.keys, end), get_item(m, _values(content), end)))
    library.call(m, library.pop_at, content.keys, end)
    library.call(m, library.pop_at, _values(content), end)
    record_mutation(m, value, "dict.popitem", "{0}.popitem()" if last else "{0}.popitem(last=False)")
    return found


def move_to_end(m: Machine, value: DictRef, key: Abstract, last: Abstract) -> None:
    """Do ``value.move_to_end(key, last)``."""
    from janus_mlir.capture.containers import record_mutation

    content = make(m, value)
    position = find(m, content, key)
    _require(m, position, key)
    library.call(m, library_tables.table_move, content.keys, _values(content), position, last)
    record_mutation(m, value, "move_to_end", "{0}.move_to_end({1}, {2})", key, last)


def add(m: Machine, value: SetRef, key: Abstract) -> None:
    """Do ``value.add(key)``."""
    from janus_mlir.capture.containers import record_mutation

    content = make(m, value)
    library.call(m, library_tables.table_add, content.keys, key)
    _settle(m, content)
    record_mutation(m, value, "set.add", "{0}.add({1})", key)


def discard(m: Machine, value: SetRef, key: Abstract) -> None:
    """Do ``value.discard(key)``."""
    from janus_mlir.capture.containers import record_mutation

    content = make(m, value)
    library.call(m, library_tables.table_discard, content.keys, key)
    m.put(value.id, replace(content, ordered=m.is_outside(value.id)))
    record_mutation(m, value, "set.discard", "{0}.discard({1})", key)


def update(m: Machine, value: DictRef, more: DictRef) -> None:
    """Do ``value.update(more)``."""
    from janus_mlir.capture.containers import record_mutation

    content, other = make(m, value), make(m, more)
    library.call(m, library_tables.table_update, content.keys, _values(content), other.keys, _values(other))
    _settle(m, content)
    record_mutation(m, value, "dict.update", "{0}.update({1})", more)


def count(m: Machine, value: DictRef, items: Abstract, *, take: bool = False) -> None:
    """Do ``value.update(items)`` of a Counter, or ``value.subtract(items)``."""
    from janus_mlir.capture.containers import record_mutation

    if take and isinstance(items, DictRef):
        raise Break("JN301", "Counter.subtract of a mapping")
    content = make(m, value)
    function = library_tables.table_subtract if take else library_tables.table_count
    library.call(m, function, content.keys, _values(content), items)
    _settle(m, content)
    name = "subtract" if take else "update"
    record_mutation(m, value, f"Counter.{name}", f"{{0}}.{name}({{1}})", items)


def most_common(m: Machine, value: DictRef, number: Abstract | None) -> Abstract:
    """Return ``value.most_common(number)``."""
    from janus_mlir.capture.containers import get_item
    from janus_mlir.capture.values import SliceValue

    content = make(m, value)
    ordered = library.call(m, library_tables.table_most_common, content.keys, _values(content))
    none = Known(None)
    if number is None or (isinstance(number, Known) and number.value is None):
        return ordered
    if isinstance(number, Known):
        return get_item(m, ordered, Known(slice(None, number.value)))
    return get_item(m, ordered, SliceValue(none, number, none))


def make_set(m: Machine, items: Abstract, cls: type) -> Abstract:
    """Return a set of the items of a list of which they, or their number, are only known at run time."""
    keys = library.call(m, library_tables.table_elements, items)
    assert isinstance(keys, ListRef)
    handle = SetRef(cls=cls)
    m.put(handle.id, TableContent(keys, None))
    return handle


def combined(m: Machine, op: str, a: SetRef, b: SetRef) -> Abstract:
    """Return ``a op b`` of two sets."""
    functions = {
        "or_": library_tables.table_union,
        "and_": library_tables.table_intersection,
        "sub": library_tables.table_difference,
        "xor": library_tables.table_symmetric_difference,
    }
    keys = library.call(m, functions[op], make(m, a).keys, make(m, b).keys)
    assert isinstance(keys, ListRef)
    handle = SetRef(cls=a.cls)
    # In which order Python would go through it depends on how large its table is.
    m.put(handle.id, TableContent(keys, None, ordered=False))
    return handle


def compare(m: Machine, op: str, a: SetRef, b: SetRef) -> Abstract:
    """Return ``a op b`` of two sets, for a comparison."""
    from janus_mlir.capture.operators import unary

    x, y = make(m, a).keys, make(m, b).keys
    if op in ("eq", "ne"):
        same = library.call(m, library_tables.table_same, x, y)
        return same if op == "eq" else unary(m, "not_", same)
    if op in ("gt", "ge"):
        x, y = y, x
    return library.call(m, library_tables.table_within, x, y, Known(op in ("le", "ge")))


def equal(m: Machine, a: DictRef, b: DictRef) -> Abstract:
    """Return whether two dicts have the same entries."""
    one, two = make(m, a), make(m, b)
    return library.call(m, library_tables.table_equal, one.keys, _values(one), two.keys, _values(two))


def iterate(m: Machine, value: DictRef, kind: str) -> Abstract:
    """Return an iterator over the keys, values or items of a dict."""
    from janus_mlir.capture.containers import length
    from janus_mlir.capture.iteration import make_iterator

    content = make(m, value)
    return make_iterator(
        m,
        IteratorContent("table", (), (value, Known(kind)), Known(0), length(m, content.keys)),
    )


def entry(m: Machine, value: DictRef, kind: str, position: Abstract) -> Abstract:
    """Return the key, value or item at a position within a table."""
    from janus_mlir.capture.containers import get_item

    content = make(m, value)
    if kind == "keys":
        return get_item(m, content.keys, position)
    if kind == "values":
        return get_item(m, _values(content), position)
    return TupleValue((get_item(m, content.keys, position), get_item(m, _values(content), position)))


def cleared(value: DictRef | SetRef) -> Content:
    """Return the content of a dict or set without entries."""
    from janus_mlir.capture.heap import DictContent, SetContent

    return SetContent(()) if isinstance(value, SetRef) else DictContent(())


__all__ = [
    "add", "cleared", "combined", "compare", "constant",
    "contains", "content_of", "copied", "count", "discard", "entry", "equal", "find",
    "get", "is_run_time_key", "item", "iterate", "make", "make_set", "most_common", "move_to_end", "pop_item", "remove",
    "set_default", "store", "update",
]  # fmt: skip
